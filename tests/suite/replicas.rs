//! Reads from replicas: whom they go to, and who answers when a replica can't.

use std::time::Instant;

use crate::support::{
    Act, Client, Cluster, FakeCluster, Kind, PATIENCE, Proxy, Setup, Value, crosswise, eventually,
    slot::key_in,
};

/// Nodes that go on answering reads when others are lost, and never take over.
const READABLE: &[&str] = &[
    "--cluster-require-full-coverage",
    "no",
    "--cluster-allow-reads-when-down",
    "yes",
    "--cluster-replica-no-failover",
    "yes",
];

/// One primary with two replicas, the nodes 1 and 2.
fn scripted() -> FakeCluster {
    let mut cluster = FakeCluster::start(1);
    cluster.add_replica(0);
    cluster.add_replica(0);
    cluster
}

fn before(cluster: &FakeCluster, flags: &[&str]) -> Proxy {
    Proxy::before(&cluster.seeds(), 1, flags)
}

/// Has the client's reads answered by a replica: which of the two that is.
fn until_replica_answers(cluster: &FakeCluster, client: &mut Client) -> usize {
    eventually("a replica answers", || {
        assert_eq!(client.run("GET settle"), Value::Nil);
        (1..3).find(|&index| cluster.count(index, "GET settle") > 0)
    })
}

/// A client for each of the scripted nodes, all of which are read.
fn of_each_node(cluster: &FakeCluster, proxy: &Proxy) -> Vec<Client> {
    let mut clients: Vec<Client> = (0..3).map(|_| proxy.client()).collect();
    let mut round = 0;
    eventually("each has a node of its own", || {
        round += 1;
        let line = format!("GET round{round}.");
        clients.iter_mut().for_each(|client| drop(client.run(&line)));
        (0..3).all(|index| cluster.count(index, &line) == 1).then_some(())
    });
    clients
}

/// How many GETs node `index` of a real cluster has run.
fn gets(cluster: &Cluster, index: usize) -> u64 {
    let stats = cluster.client(index).run("INFO commandstats").text();
    let line = stats.lines().find_map(|line| line.strip_prefix("cmdstat_get:calls="));
    line.map_or(0, |line| line.split(',').next().unwrap().parse().unwrap())
}

/// Whether node `index` runs the next GET of `key`.
fn answers(cluster: &Cluster, index: usize, client: &mut Client, key: &str) -> bool {
    let before = gets(cluster, index);
    assert!(!client.request(&["GET", key]).is_error());
    gets(cluster, index) > before
}

/// A key of each primary, with this value on all nodes.
fn keys(cluster: &Cluster, client: &mut Client, name: &str) -> Vec<String> {
    let keys: Vec<String> = (0..3).map(|index| key_in(cluster.range(index).0 + 17, name)).collect();
    for key in &keys {
        assert_eq!(client.request(&["SET", key, "here"]), Value::ok());
    }
    client.run("WAIT 1 5000");
    keys
}

crosswise! {
    fn reads_of_all_kinds_reach_replicas_and_writes_primaries(setup) {
        let cluster = Cluster::start(setup.kind, 3, 1);
        let proxy = Proxy::of(&cluster, setup.threads, &["--read-from", "prefer-replica"]);
        for mut client in [proxy.client(), proxy.client3()] {
            let keys = keys(&cluster, &mut client, "reads");
            for (index, key) in keys.iter().enumerate() {
                eventually("the replica answers", || {
                    answers(&cluster, 3 + index, &mut client, key).then_some(())
                });
            }
            let at_primaries = || (0..3).map(|index| gets(&cluster, index)).collect::<Vec<_>>();
            let before = at_primaries();
            for key in &keys {
                assert_eq!(client.request(&["GET", key]), Value::bulk("here"));
                assert_eq!(client.request(&["APPEND", key, "!"]), Value::Integer(5));
            }
            let mget = [&["MGET".to_owned()], &keys[..]].concat();
            eventually("what was written is read", || {
                (client.request(&mget).items().iter().all(|item| *item == Value::bulk("here!"))).then_some(())
            });
            client.pipeline(&["MULTI", &format!("GET {}", keys[0]), "EXEC"]);
            assert_eq!(at_primaries(), [before[0] + 1, before[1], before[2]], "the transaction alone");
            if client.run("CLIENT TRACKING ON") == Value::ok() {
                assert!(answers(&cluster, 0, &mut client, &keys[0]), "news of changes comes from primaries");
            }
        }
        proxy.reaches("slotway_reads_total{from=\"replica\"}", 12.0);
    }
}

#[test]
fn reads_go_to_primaries_by_default() {
    let cluster = scripted();
    let proxy = before(&cluster, &[]);
    let mut client = proxy.client();
    for _ in 0..20 {
        assert_eq!(client.run("GET a"), Value::Nil);
    }
    assert_eq!(cluster.seen(0).len(), 20);
    assert!((1..3).all(|index| cluster.count(index, "READONLY") == 0), "not even a connection");
}

#[test]
fn clients_share_the_nodes_and_each_keeps_to_one() {
    let cluster = scripted();
    let proxy = before(&cluster, &["--read-from", "any"]);
    let mut clients = of_each_node(&cluster, &proxy);
    for _ in 0..10 {
        clients[0].run("GET b");
    }
    assert!((0..3).any(|index| cluster.count(index, "GET b") == 10));
}

/// A node that rests is tried again once a second.
fn seconds_since(begun: Instant) -> usize {
    usize::try_from(begun.elapsed().as_secs()).expect("few")
}

#[test]
fn a_replica_that_cannot_answer_is_left_alone_and_another_or_the_primary_does() {
    for error in [
        "-LOADING Redis is loading the dataset in memory",
        "-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
        "-CLUSTERDOWN The cluster is down",
        "moved",
    ] {
        let cluster = scripted();
        let proxy = before(&cluster, &["--read-from", "prefer-replica", "--topology-refresh", "0"]);
        let mut client = proxy.client();
        let first = until_replica_answers(&cluster, &mut client);
        let act = |key| match error {
            "moved" => cluster.redirect("MOVED", key, 0),
            error => Act::reply(error),
        };
        cluster.always(first, "GET a", act("a"));
        let (before, begun) = (cluster.count(0, "CLUSTER SLOTS"), Instant::now());
        assert_eq!(client.run("GET a"), Value::Nil, "{error}");
        let other = 3 - first;
        assert_eq!(cluster.count(0, "GET a") + cluster.count(other, "GET a"), 1, "{error}");
        for _ in 0..20 {
            assert_eq!(client.run("GET a"), Value::Nil, "{error}");
        }
        assert!(cluster.count(first, "GET a") <= 1 + seconds_since(begun), "{error}: it rests");
        cluster.always(other, "GET a", act("a"));
        assert_eq!(client.run("GET a"), Value::Nil, "{error}");
        assert_eq!(client.run("GET a"), Value::Nil, "{error}");
        assert!(cluster.count(0, "GET a") >= 2, "{error}: the primary");
        assert_eq!(cluster.count(0, "CLUSTER SLOTS"), before, "{error}: no reason to refresh");
    }
}

#[test]
fn a_replica_that_breaks_off_or_is_gone_is_replaced_at_once() {
    let cluster = scripted();
    let proxy = before(&cluster, &["--read-from", "prefer-replica", "--retry-deadline", "1ms"]);
    let mut client = proxy.client();
    let first = until_replica_answers(&cluster, &mut client);
    cluster.on(first, "GET a", Act::Close);
    assert_eq!(client.run("GET a"), Value::Nil);
    cluster.stop(1);
    cluster.stop(2);
    let mget = client.pipeline(&["GET b"; 50]);
    assert!(mget.iter().all(|reply| *reply == Value::Nil), "{mget:?}");
    assert!(cluster.count(0, "GET b") > 0);
    (1..3).for_each(|index| cluster.resume(index));
    eventually("replicas are read again", || {
        client.run("GET c");
        (1..3).any(|index| cluster.count(index, "GET c") > 0).then_some(())
    });
}

#[test]
fn a_replica_that_stalls_is_given_up() {
    let cluster = scripted();
    let flags = ["--read-from", "prefer-replica", "--backend-timeout", "300ms", "--retry-deadline", "1ms"];
    let proxy = before(&cluster, &flags);
    let mut client = proxy.client();
    let first = until_replica_answers(&cluster, &mut client);
    cluster.on(first, "GET a", Act::Stall);
    assert_eq!(client.run("GET a"), Value::Nil);
}

#[test]
fn the_primary_is_never_read_where_only_replicas_may_be() {
    let cluster = scripted();
    let proxy = before(&cluster, &["--read-from", "replica", "--retry-deadline", "300ms"]);
    let mut client = proxy.client();
    assert_eq!(client.run("SET a 1"), Value::ok());
    assert_eq!(client.run("GET a"), Value::bulk("1"), "the connection to a replica is waited for");
    (1..3).for_each(|index| cluster.stop(index));
    assert_eq!(client.run("GET a").text(), "CLUSTERDOWN no replica of the slot can be read");
    assert_eq!(client.run("SET a 2"), Value::ok());
    (1..3).for_each(|index| cluster.resume(index));
    eventually("replicas are read again", || (client.run("GET a") == Value::bulk("2")).then_some(()));
    cluster.always(1, "GET a", cluster.redirect("MOVED", "a", 0));
    cluster.always(2, "GET a", cluster.redirect("ASK", "a", 0));
    assert_eq!(client.run("GET a").text(), "CLUSTERDOWN no replica of the slot can be read");
    assert_eq!(cluster.count(0, "GET"), 0);
}

#[test]
fn what_a_client_wrote_is_read_from_the_primary_for_a_while() {
    let cluster = scripted();
    let flags = ["--read-from", "prefer-replica", "--read-after-write-primary", "1h"];
    let proxy = before(&cluster, &flags);
    let (mut writer, mut other) = (proxy.client(), proxy.client());
    until_replica_answers(&cluster, &mut other);
    writer.pipeline(&["SET a 1", "GET a", "MGET a b", "EXISTS a"]);
    assert_eq!(cluster.seen(0).iter().filter(|line| line.ends_with(" a") || line.contains("a b")).count(), 3);
    other.run("GET a");
    assert_eq!(cluster.count(1, "GET a") + cluster.count(2, "GET a"), 1, "others read replicas");

    let proxy = before(&cluster, &["--read-from", "prefer-replica", "--read-after-write-primary", "1ms"]);
    let mut writer = proxy.client();
    writer.run("SET b 1");
    eventually("its time is over", || {
        writer.run("GET b");
        (1..3).any(|index| cluster.count(index, "GET b") > 0).then_some(())
    });
}

#[test]
fn reads_go_on_while_a_replica_or_a_primary_is_away() {
    let cluster = Cluster::start_with(Kind::Redis, 3, 1, READABLE);
    let modes = ["prefer-replica", "any", "replica"];
    let proxies: Vec<Proxy> = modes
        .iter()
        .map(|mode| Proxy::of(&cluster, 1, &["--read-from", mode, "--backend-timeout", "500ms"]))
        .collect();
    let mut clients: Vec<Client> =
        proxies.iter().flat_map(|proxy| [proxy.client(), proxy.client()]).collect();
    let keys = keys(&cluster, &mut clients[0], "away");
    let read_all = |clients: &mut [Client]| {
        for (n, client) in clients.iter_mut().enumerate() {
            for key in &keys {
                assert_eq!(client.request(&["GET", key]), Value::bulk("here"), "client {n}");
            }
        }
    };
    for client in &mut clients {
        for (index, key) in keys.iter().enumerate() {
            eventually("every node is connected", || {
                let read = answers(&cluster, 3 + index, client, key) || answers(&cluster, index, client, key);
                read.then_some(())
            });
        }
    }
    cluster.node(5).pause();
    read_all(&mut clients[..4]);
    cluster.node(5).resume();
    cluster.node(4).kill();
    read_all(&mut clients[..4]);
    cluster.node(0).kill();
    for _ in 0..20 {
        read_all(&mut clients[..4]);
        for client in &mut clients[4..] {
            assert_eq!(client.request(&["GET", &keys[0]]), Value::bulk("here"));
        }
    }
}

#[test]
fn a_replica_that_lags_is_not_read() {
    let cluster = Cluster::start(Kind::Redis, 1, 2);
    let flags = ["--read-from", "replica", "--replica-max-lag", "500ms", "--retry-deadline", "500ms"];
    let proxy = Proxy::of(&cluster, 1, &flags);
    let (mut client, mut other) = (proxy.client(), proxy.client());
    assert_eq!(client.run("SET lag 0"), Value::ok());
    for replica in [1, 2] {
        eventually("each is read", || {
            let read = answers(&cluster, replica, &mut client, "lag");
            (read || answers(&cluster, replica, &mut other, "lag")).then_some(())
        });
    }
    // It answers, but its primary does not let it in.
    cut_off(&cluster, 1);
    let count = eventually("it is known to lag", || {
        client.run("INCR lag");
        let read = [&mut client, &mut other].map(|client| client.run("GET lag").text());
        let before = gets(&cluster, 1);
        client.run("GET lag");
        other.run("GET lag");
        (gets(&cluster, 1) == before && read.iter().all(|read| !read.starts_with("CLUSTER")))
            .then_some(before)
    });
    for _ in 0..20 {
        client.run("GET lag");
        other.run("GET lag");
    }
    assert_eq!(gets(&cluster, 1), count);
    proxy.wait_for_log("stale=1");
    cluster.client(1).request(&["CONFIG", "SET", "masterauth", ""]);
    eventually("it is read again", || {
        let read = answers(&cluster, 1, &mut client, "lag");
        (read || answers(&cluster, 1, &mut other, "lag")).then_some(())
    });
}

/// Has replica `index` lose its primary, of which it asks a password that nobody gives.
fn cut_off(cluster: &Cluster, index: usize) {
    let mut replica = cluster.client(index);
    assert_eq!(replica.run("CONFIG SET masterauth wrong"), Value::ok());
    cluster.client(0).run("CLIENT KILL TYPE replica");
    eventually("its link is down", || {
        replica.run("INFO replication").text().contains("master_link_status:down").then_some(())
    });
}

#[test]
fn nodes_of_the_own_zone_are_read_before_others() {
    let cluster = Cluster::start(Kind::Valkey, 1, 2);
    for (index, zone) in ["west", "east", "west"].into_iter().enumerate() {
        assert_eq!(cluster.client(index).run(&format!("CONFIG SET availability-zone {zone}")), Value::ok());
    }
    for (mode, zone, wanted) in
        [("prefer-replica", "east", [1]), ("prefer-replica", "west", [2]), ("any", "east", [1])]
    {
        let proxy = Proxy::of(&cluster, 1, &["--read-from", mode, "--zone", zone]);
        let mut clients: Vec<Client> = (0..4).map(|_| proxy.client()).collect();
        for client in &mut clients {
            eventually("the near node answers", || {
                answers(&cluster, wanted[0], client, "zone").then_some(())
            });
            assert!(answers(&cluster, wanted[0], client, "zone"));
        }
    }
    cluster.node(1).kill();
    let proxy = Proxy::of(&cluster, 1, &["--read-from", "prefer-replica", "--zone", "east"]);
    let mut client = proxy.client();
    client.patience(PATIENCE);
    eventually("the far one steps in", || answers(&cluster, 2, &mut client, "zone").then_some(()));
}

#[test]
fn what_means_something_on_one_node_only_is_read_from_the_primary() {
    let cluster = scripted();
    let proxy = before(&cluster, &["--read-from", "prefer-replica"]);
    let mut client = proxy.client();
    until_replica_answers(&cluster, &mut client);
    for line in ["EVALSHA_RO x 1 a", "FCALL_RO x 1 a", "HSCAN a 0", "SSCAN a 0", "ZSCAN a 0", "TOUCH a"] {
        client.run(line);
        assert!((1..3).all(|index| cluster.count(index, line) == 0), "{line}");
        assert!(cluster.count(0, line) > 0, "{line}");
    }
}

#[test]
fn a_primary_that_cannot_answer_leaves_its_reads_to_replicas() {
    // 1. Primary and replicas are read; the primary cannot run anything, as its reads and a write are told.
    // 2. The reads were tried again there until their deadline, and turned those of other clients to it.
    let cluster = scripted();
    let proxy = before(&cluster, &["--read-from", "any", "--topology-refresh", "0"]);
    let mut clients = of_each_node(&cluster, &proxy);
    cluster.always(0, "GET a", Act::reply("-LOADING Redis is loading the dataset in memory"));
    cluster.always(0, "SET a", Act::reply("-LOADING Redis is loading the dataset in memory"));
    let mut writer = proxy.client();
    writer.send(&["SET", "a", "1"]);
    cluster.wait_for(0, "SET a");
    let begun = Instant::now();
    for _ in 0..20 {
        assert!(clients.iter_mut().all(|client| client.run("GET a") == Value::Nil));
    }
    assert!(cluster.count(0, "GET a") <= 2 + seconds_since(begun), "{}", cluster.count(0, "GET a"));
}
