//! Nodes that join, leave, return as something else, or answer elsewhere from now on; and clients that all come
//! at once.

use std::time::{Duration, Instant};

use super::{
    losses::UNPLANNED,
    moves::PATIENT,
    stage::{Event, Happen, MOVING, Promise, Scene},
};
use crate::support::{Client, Cluster, Kind, Value, eventually, slot::key_in};

/// A node joins, is given slots, is emptied, leaves, and returns as a replica.
pub(super) const ROLES: Event = Event {
    name: "a node is added, filled, emptied, removed, and returns as a replica",
    promise: Promise::Unnoticed,
    voted: false,
    happen: Happen::Here(roles),
    flags: PATIENT,
    kind: Kind::Valkey,
    ..UNPLANNED
};

/// Nodes are restarted one by one, each on another port.
pub(super) const PORTS: Event = Event {
    name: "nodes change their ports, one by one",
    voted: false,
    happen: Happen::Here(ports),
    local: false,
    replicas: 0,
    kind: Kind::Redis62,
    ..UNPLANNED
};

/// All nodes are restarted at once, and all but the seed have other ports.
pub(super) const ALL_PORTS: Event = Event {
    name: "the whole cluster restarts, all ports but the seed's change",
    voted: false,
    happen: Happen::Here(all_ports),
    local: false,
    replicas: 0,
    kind: Kind::Redis82,
    ..UNPLANNED
};

/// Clients reconnect at once and again while a node refuses connections.
pub(super) const STORM: Event = Event {
    name: "5000 clients reconnect at once while a node is down",
    voted: false,
    happen: Happen::Here(storm),
    replicas: 0,
    // The node is down while the crowd comes.
    silence: Duration::from_secs(30),
    flags: &["--retry-deadline", "10m"],
    ..UNPLANNED
};

/// The node that comes and goes: a replica at first.
const GUEST: usize = 3;

fn roles(scene: &Scene<'_>) {
    let cluster = scene.cluster;
    scene.rounds.repeatedly(|_| {
        leave(cluster);
        join(cluster);
        for slot in MOVING {
            let home = usize::from(slot > 5_461);
            cluster.migrate(slot, home, GUEST);
            scene.rounds.all_work();
        }
        for slot in MOVING {
            let home = usize::from(slot > 5_461);
            cluster.migrate(slot, GUEST, home);
            scene.rounds.all_work();
        }
        leave(cluster);
        join(cluster);
        let primary = cluster.id(1);
        assert_eq!(cluster.client(GUEST).run(&format!("CLUSTER REPLICATE {primary}")), Value::ok());
        cluster.wait_until_whole();
    });
}

/// The guest forgets all, and all forget the guest.
fn leave(cluster: &Cluster) {
    let id = cluster.id(GUEST);
    assert_eq!(cluster.client(GUEST).run("CLUSTER RESET HARD"), Value::ok());
    for node in (0..cluster.len()).filter(|&node| node != GUEST) {
        cluster.client(node).run(&format!("CLUSTER FORGET {id}"));
    }
}

fn join(cluster: &Cluster) {
    cluster.client(0).run(&format!("CLUSTER MEET 127.0.0.1 {}", cluster.port(GUEST)));
    let id = cluster.id(GUEST);
    cluster.wait_for("all know the guest", |client| {
        let nodes = client.run("CLUSTER NODES").text();
        let line = nodes.lines().find(|line| line.starts_with(&id));
        line.is_some_and(|line| !line.contains("handshake") && line.contains(" connected"))
            && nodes.lines().filter(|line| line.contains(" connected")).count() == cluster.len()
            && client.run("CLUSTER INFO").text().contains("cluster_state:ok")
    });
}

fn ports(scene: &Scene<'_>) {
    scene.rounds.repeatedly(|round| {
        let node = round % 3;
        scene.cluster.node(node).kill();
        scene.cluster.restart_elsewhere(node);
        scene.cluster.wait_until_whole();
    });
}

fn all_ports(scene: &Scene<'_>) {
    let cluster = scene.cluster;
    scene.rounds.repeatedly(|_| {
        (0..cluster.len()).for_each(|node| cluster.node(node).kill());
        cluster.node(0).restart();
        (1..cluster.len()).for_each(|node| cluster.restart_elsewhere(node));
        (1..cluster.len()).for_each(|node| {
            cluster.client(0).run(&format!("CLUSTER MEET 127.0.0.1 {}", cluster.port(node)));
        });
        cluster.wait_until_whole();
    });
}

/// Clients that come at once.
const CROWD: usize = 5_000;
/// Tries to connect to a node that is away in the first second: then the pauses are half a second to a second.
const DIALS: usize = 8;
/// Who tries in each worker: the connection that is everyone's, and one of those that transactions are lent.
const DIALLERS: usize = 2;

fn storm(scene: &Scene<'_>) {
    let (cluster, proxy) = (scene.cluster, scene.proxy);
    let (lost, kept) = (key_in(7, "storm"), key_in(12_001, "storm"));
    scene.rounds.repeatedly(|round| {
        let tried = || proxy.process.log().matches("cannot connect to node").count();
        let before = tried();
        cluster.node(0).kill();
        let begun = Instant::now();
        // What is written to a connection that is lost only then may have run.
        let connected = format!("slotway_backend_connections{{node=\"127.0.0.1:{}\"}}", cluster.port(0));
        eventually("its connections are lost", || (proxy.metric(&connected) == 0.0).then_some(()));
        let mut crowd: Vec<Client> = (0..CROWD).map(|_| proxy.client()).collect();
        for client in &mut crowd {
            client.send(&["INCR", &kept]);
            client.send(&["INCR", &lost]);
        }
        let served = |client: &mut Client| assert!(!client.reply().is_error());
        crowd.iter_mut().for_each(served);
        let (dials, span) = (tried() - before, begun.elapsed());
        let each = DIALS + 2 * usize::try_from(span.as_secs()).expect("few");
        let bound = scene.workers * DIALLERS * each;
        assert!(dials <= bound, "{dials} dials in {span:?}");
        cluster.node(0).restart();
        crowd.iter_mut().for_each(served);
        let (asked, counted) = ((round + 1) * CROWD, proxy.client().request(&["GET", &lost]));
        assert_eq!(counted, Value::bulk(asked.to_string()));
    });
}
