//! The ground the other tests stand on, tried without the proxy.

use crate::support::{
    Act, Client, Cluster, FakeCluster, Gate, Kind, Value, server::Server, slot, wait::eventually,
};

fn moves_a_slot_and_survives(kind: Kind) {
    let cluster = Cluster::start(kind, 2, 1);
    let key = slot::key_in(100, "moving");
    let mut owner = cluster.client(0);
    assert_eq!(owner.run(&format!("SET {key} here")), Value::ok());
    cluster.migrate(100, 0, 1);
    assert!(owner.run(&format!("GET {key}")).text().starts_with("MOVED 100 "));
    assert_eq!(cluster.client(1).run(&format!("GET {key}")), Value::bulk("here"));
    cluster.node(0).kill();
    assert!(Client::try_connect(cluster.port(0)).is_err());
    cluster.node(0).restart();
    cluster.wait_until_whole();
}

#[test]
fn a_redis_cluster_is_formed_resharded_and_mended() {
    moves_a_slot_and_survives(Kind::Redis);
}

#[test]
fn a_valkey_cluster_is_formed_resharded_and_mended() {
    moves_a_slot_and_survives(Kind::Valkey);
}

#[test]
fn a_paused_server_answers_after_it_goes_on() {
    let server = Server::single(Kind::Redis);
    let mut client = server.client();
    server.pause();
    client.send(&["PING"]);
    server.resume();
    assert_eq!(client.reply(), Value::Simple(b"PONG".to_vec()));
}

#[test]
fn a_scripted_node_follows_its_script_and_then_behaves() {
    let cluster = FakeCluster::start(2);
    let gate = Gate::new();
    cluster.on(0, "SET a", Act::reply("-TRYAGAIN later"));
    cluster.on(0, "GET a", Act::Hold(gate.clone()));
    cluster.on(0, "GET c", Act::Cut(b"$5\r\nhal".to_vec()));
    let mut client = Client::connect(cluster.port(0));
    assert!(client.run("SET a 1").is_error());
    assert_eq!(client.run("SET a 1"), Value::ok());
    client.send(&["GET", "a"]);
    cluster.wait_for(0, "GET a");
    gate.open();
    assert_eq!(client.reply(), Value::bulk("1"));
    client.send(&["GET", "c"]);
    assert_eq!(client.read_to_close(), b"$5\r\nhal");
    assert_eq!(cluster.seen(0), ["SET a 1", "SET a 1", "GET a", "GET c"]);
}

#[test]
fn a_stopped_scripted_node_refuses_and_returns() {
    let cluster = FakeCluster::start(1);
    let mut client = Client::connect(cluster.port(0));
    assert_eq!(client.run("PING").text(), "PONG");
    cluster.stop(0);
    assert_eq!(client.read_to_close(), b"");
    assert!(Client::try_connect(cluster.port(0)).is_err());
    cluster.resume(0);
    eventually("it listens", || Client::try_connect(cluster.port(0)).ok());
}

#[test]
fn a_scripted_cluster_says_who_owns_what() {
    let cluster = FakeCluster::start(3);
    cluster.give(100, 199, None);
    cluster.give(200, 299, Some(2));
    let reply = Client::connect(cluster.port(1)).run("CLUSTER SLOTS");
    let total: i64 =
        reply.items().iter().map(|range| 1 + range.items()[1].integer() - range.items()[0].integer()).sum();
    assert_eq!(total, 16384 - 100);
    assert_eq!(cluster.owner(&slot::key_in(250, "k")), 2);
}
