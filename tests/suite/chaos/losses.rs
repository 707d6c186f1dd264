//! Nodes that die, freeze and come back.

use std::time::Duration;

use super::{
    moves::{replica_of, role},
    stage::{Event, Happen, Promise, Scene},
};
use crate::support::{Client, Kind, eventually};

/// What the events of this file have in common: nodes miss each other after 2 s, vote within about 2 more, and
/// slotway finds the new primary within 1.
pub(super) const UNPLANNED: Event = Event {
    name: "",
    promise: Promise::MayHaveRun,
    voted: true,
    silence: Duration::from_secs(6),
    planned: false,
    local: true,
    kind: Kind::Redis,
    kinds: Kind::ALL,
    threads: 2,
    replicas: 1,
    server_flags: &["--cluster-replica-validity-factor", "0", "--cluster-require-full-coverage", "no"],
    flags: &["--retry-deadline", "20s", "--backend-timeout", "1s"],
    happen: Happen::Here(|_| {}),
};

/// A primary dies, its replica is voted in, and it returns as a replica.
pub(super) const KILLED: Event =
    Event { name: "kill -9 of a primary", happen: Happen::Here(killed), ..UNPLANNED };

/// A primary dies and is started again before it is missed.
pub(super) const RESTARTED: Event = Event {
    name: "kill -9 of a primary, restarted at once",
    voted: false,
    happen: Happen::Here(restarted),
    replicas: 0,
    kind: Kind::Redis82,
    ..UNPLANNED
};

/// A primary hangs, its replica is voted in, and it goes on.
pub(super) const FROZEN: Event = Event {
    name: "kill -STOP of a primary, then CONT",
    happen: Happen::Here(frozen),
    kind: Kind::Valkey,
    ..UNPLANNED
};

/// A primary hangs for longer than slotway waits for it, but not so long that its replica is voted in.
pub(super) const HESITANT: Event = Event {
    name: "kill -STOP for a second",
    voted: false,
    happen: Happen::Here(hesitant),
    server_flags: &["--cluster-node-timeout", "8000", "--cluster-require-full-coverage", "no"],
    flags: &["--retry-deadline", "20s", "--backend-timeout", "300ms"],
    replicas: 0,
    kind: Kind::Redis62,
    ..UNPLANNED
};

/// All nodes die and return.
pub(super) const ALL_DOWN: Event = Event {
    name: "every node down, then up",
    promise: Promise::Down,
    voted: false,
    happen: Happen::Here(all_down),
    replicas: 0,
    local: false,
    flags: &["--retry-deadline", "500ms"],
    kind: Kind::Valkey81,
    ..UNPLANNED
};

/// The node of the first shard that is primary now, and the one that is not.
fn first_shard(scene: &Scene<'_>) -> (usize, usize) {
    let replica = replica_of(scene.cluster, 0);
    let primary = 3 - replica;
    // Until then it keeps what it is to send to its replica.
    eventually("the primary takes its replica for caught up", || {
        scene.cluster.client(primary).run("INFO replication").text().contains("state=online").then_some(())
    });
    (primary, replica)
}

fn becomes_primary(scene: &Scene<'_>, node: usize) {
    eventually("the replica is voted in", || {
        (role(scene.cluster, node).as_deref() == Some("master")).then_some(())
    });
}

fn killed(scene: &Scene<'_>) {
    scene.rounds.repeatedly(|_| {
        let (primary, replica) = first_shard(scene);
        scene.cluster.node(primary).kill();
        becomes_primary(scene, replica);
        scene.rounds.all_work();
        scene.cluster.node(primary).restart();
        scene.cluster.wait_until_whole();
    });
}

fn restarted(scene: &Scene<'_>) {
    scene.rounds.repeatedly(|_| {
        scene.cluster.node(0).kill();
        scene.cluster.node(0).restart();
        scene.cluster.wait_until_whole();
    });
}

fn frozen(scene: &Scene<'_>) {
    scene.rounds.repeatedly(|_| {
        let (primary, replica) = first_shard(scene);
        scene.cluster.node(primary).pause();
        becomes_primary(scene, replica);
        scene.rounds.all_work();
        scene.cluster.node(primary).resume();
        scene.cluster.wait_until_whole();
    });
}

fn hesitant(scene: &Scene<'_>) {
    scene.rounds.repeatedly(|_| {
        let lost = scene.proxy.metric(LOST);
        scene.cluster.node(0).pause();
        eventually("slotway gives it up", || (scene.proxy.metric(LOST) > lost).then_some(()));
        scene.cluster.node(0).resume();
    });
}

/// Requests that are tried again since a connection was lost.
const LOST: &str = "slotway_retries_total{reason=\"lost\"}";

fn all_down(scene: &Scene<'_>) {
    let mut client = scene.proxy.client();
    scene.rounds.repeatedly(|_| {
        let nodes = 0..scene.cluster.len();
        nodes.clone().for_each(|node| scene.cluster.node(node).kill());
        eventually("the cluster is down", || is_down(&mut client).then_some(()));
        nodes.for_each(|node| scene.cluster.node(node).restart());
        scene.cluster.wait_until_whole();
        eventually("the cluster is up", || (!is_down(&mut client)).then_some(()));
    });
}

fn is_down(client: &mut Client) -> bool {
    client.run("GET chaos").is_error()
}
