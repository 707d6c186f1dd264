//! Slots that move, and primaries that change places with their replicas as planned.

use std::time::Duration;

use super::stage::{Event, Happen, MOVING, Promise, Scene};
use crate::support::{Cluster, Kind, Value, eventually};

/// What the events of this file have in common.
const PLANNED: Event = Event {
    name: "",
    promise: Promise::Unnoticed,
    voted: false,
    silence: Duration::from_secs(4),
    planned: false,
    local: true,
    kind: Kind::Redis,
    kinds: Kind::ALL,
    threads: 2,
    replicas: 0,
    server_flags: &[],
    flags: &["--retry-deadline", "20s"],
    happen: Happen::Here(|_| {}),
};

/// No node dies: one that keeps writes while it gives way, or is slow, must not count as lost.
pub(super) const PATIENT: &[&str] = &["--retry-deadline", "20s", "--backend-timeout", "15s"];

/// Slots move as administrators move them.
pub(super) const KEY_BY_KEY: Event = Event {
    name: "slots move key by key",
    happen: Happen::Here(key_by_key),
    threads: 1,
    kind: Kind::Redis62,
    ..PLANNED
};

/// The same with workers that share their connections.
pub(super) const KEY_BY_KEY_SHARED: Event = Event {
    name: "the same, workers sharing connections",
    happen: Happen::Here(key_by_key),
    kind: Kind::Valkey81,
    threads: 4,
    flags: &["--retry-deadline", "20s", "--backend-connections-per-node", "1"],
    ..PLANNED
};

/// Slots move in one step.
pub(super) const AT_ONCE: Event = Event {
    name: "slots move at once (MIGRATESLOTS)",
    happen: Happen::Here(at_once),
    kind: Kind::Valkey,
    kinds: &[Kind::Valkey],
    threads: 4,
    ..PLANNED
};

/// Replicas take over from their primaries, which know of it.
pub(super) const FAILOVER: Event = Event {
    name: "planned failover, again and again",
    happen: Happen::Here(failover),
    replicas: 1,
    planned: true,
    flags: PATIENT,
    local: false,
    kind: Kind::Redis82,
    ..PLANNED
};

/// Where a slot of [`MOVING`] is at first, and where it goes in each round.
fn route(slot: u16, round: usize) -> (usize, usize) {
    let first = usize::from(slot > 5_461);
    ((first + round) % 3, (first + round + 1) % 3)
}

fn key_by_key(scene: &Scene<'_>) {
    scene.rounds.repeatedly(|round| {
        for slot in MOVING {
            let (from, to) = route(slot, round);
            scene.cluster.migrate(slot, from, to);
            scene.rounds.all_work();
        }
    });
    for kind in ["ask", "moved"] {
        scene.proxy.reaches(&format!("slotway_redirects_total{{kind=\"{kind}\"}}"), 1.0);
    }
}

fn at_once(scene: &Scene<'_>) {
    scene.rounds.repeatedly(|round| {
        for slot in MOVING {
            let (from, to) = route(slot, round);
            migrate_at_once(scene.cluster, slot, from, to);
            scene.rounds.all_work();
        }
    });
}

fn migrate_at_once(cluster: &Cluster, slot: u16, from: usize, to: usize) {
    let target = cluster.client(to).run("CLUSTER MYID").text();
    let mut source = cluster.client(from);
    let asked = format!("CLUSTER MIGRATESLOTS SLOTSRANGE {slot} {slot} NODE {target}");
    assert_eq!(source.run(&asked), Value::ok());
    eventually("the slot is there", || {
        let jobs = source.run("CLUSTER GETSLOTMIGRATIONS");
        let newest = jobs.items().first()?;
        let state = newest.field("state").text();
        assert!(!["failed", "cancelled"].contains(&state.as_str()), "{newest:?}");
        (state == "success").then_some(())
    });
}

/// Which of a shard's two nodes is its replica.
pub(super) fn replica_of(cluster: &Cluster, shard: usize) -> usize {
    eventually("the shard has a replica", || {
        let nodes = [shard, shard + 3];
        nodes.into_iter().find(|&node| role(cluster, node).as_deref() == Some("slave"))
    })
}

/// What a node says that it is, in the servers' words; nothing if it does not answer.
pub(super) fn role(cluster: &Cluster, node: usize) -> Option<String> {
    let mut client = crate::support::Client::try_connect(cluster.port(node)).ok()?;
    client.patience(Duration::from_secs(1));
    client.try_send_raw(b"ROLE\r\n").ok()?;
    Some(client.try_reply().ok()??.items().first()?.text())
}

fn failover(scene: &Scene<'_>) {
    scene.rounds.repeatedly(|round| {
        let shard = round % 3;
        let replica = replica_of(scene.cluster, shard);
        scene.cluster.wait_until_whole();
        assert_eq!(scene.cluster.client(replica).run("CLUSTER FAILOVER"), Value::ok());
        eventually("the replica is primary", || {
            (role(scene.cluster, replica).as_deref() == Some("master")).then_some(())
        });
    });
}
