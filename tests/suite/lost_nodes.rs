//! Real nodes that die, freeze and come back.

use crate::support::{
    Client, Cluster, Kind, Proxy, Setup, Value, crosswise, eventually, resp::encode, slot::key_in,
};

/// What a client may hear while a node is away.
fn is_honest(reply: &Value) -> bool {
    !reply.is_error()
        || reply.text().starts_with("CLUSTERDOWN")
        || reply.text().contains("may have been executed")
}

/// A key of each primary.
fn keys(cluster: &Cluster) -> Vec<String> {
    (0..3).map(|index| key_in(cluster.range(index).0 + 17, "lost")).collect()
}

fn set_everywhere(client: &mut Client, keys: &[String], value: &str) -> bool {
    let replies: Vec<Value> = keys.iter().map(|key| client.request(&["SET", key, value])).collect();
    assert!(replies.iter().all(is_honest), "{replies:?}");
    replies.iter().all(|reply| *reply == Value::ok())
}

crosswise! {
    fn a_primary_that_dies_without_replica_is_missed_and_welcomed_back(setup) {
        let cluster = Cluster::start_with(setup.kind, 3, 0, &["--cluster-require-full-coverage", "no"]);
        let mut proxy =
            Proxy::of(&cluster, setup.threads, &["--retry-deadline", "1s", "--topology-refresh", "500ms"]);
        let (mut client, keys) = (proxy.client(), keys(&cluster));
        assert!(set_everywhere(&mut client, &keys, "before"));
        cluster.node(1).kill();
        let reply = client.request(&["GET", &keys[1]]);
        assert!(reply.text().starts_with("CLUSTERDOWN"), "{reply:?}");
        assert_eq!(client.request(&["GET", &keys[0]]), Value::bulk("before"));
        assert_eq!(client.request(&["GET", &keys[2]]), Value::bulk("before"));
        let missing = proxy.wait_until("/readyz", 503);
        assert!(!missing.trim().is_empty());
        cluster.node(1).restart();
        eventually("it serves again", || set_everywhere(&mut client, &keys, "after").then_some(()));
        eventually("the proxy is ready again", || {
            let (status, _) = crate::support::http::get(proxy.metrics_port, "/readyz").ok()?;
            (status == 200).then_some(())
        });
    }

    fn a_primary_that_dies_in_mid_pipeline_leaves_an_honest_answer_to_each_request(setup) {
        let cluster = Cluster::start(setup.kind, 3, 1);
        let proxy = Proxy::of(&cluster, setup.threads, &["--retry-deadline", "1s", "--backend-timeout", "60s"]);
        let (mut client, keys) = (proxy.client(), keys(&cluster));
        assert!(set_everywhere(&mut client, &keys, "before"));
        let round: Vec<u8> = keys.iter().flat_map(|key| encode(&["APPEND", key, "x"])).collect();
        client.send_raw(&round.repeat(2_000));
        assert!(matches!(client.reply(), Value::Integer(_)));
        cluster.node(1).kill();
        for n in 1..6_000 {
            let reply = client.reply();
            assert!(is_honest(&reply), "{n}: {reply:?}");
            assert!(n % 3 == 1 || !reply.text().contains("may have been"), "{n}: {reply:?} of a living node");
        }
        eventually("the replica takes over", || {
            set_everywhere(&mut client, &keys, "after").then_some(())
        });
        assert_eq!(client.request(&["GET", &keys[1]]), Value::bulk("after"));
    }

    fn a_frozen_primary_is_given_up_after_the_timeout(setup) {
        let cluster = Cluster::start(setup.kind, 3, 0);
        let proxy =
            Proxy::of(&cluster, setup.threads, &["--backend-timeout", "300ms", "--retry-deadline", "1s"]);
        let (mut client, keys) = (proxy.client(), keys(&cluster));
        assert!(set_everywhere(&mut client, &keys, "before"));
        cluster.node(1).pause();
        let reply = client.request(&["SET", &keys[1], "during"]);
        assert!(reply.is_error() && is_honest(&reply), "{reply:?}");
        let reply = client.request(&["GET", &keys[1]]);
        assert!(reply.is_error() && is_honest(&reply), "{reply:?}");
        cluster.node(1).resume();
        eventually("it serves again", || set_everywhere(&mut client, &keys, "after").then_some(()));
    }

    fn a_planned_failover_is_not_noticed(setup) {
        let cluster = Cluster::start(setup.kind, 3, 1);
        let proxy = Proxy::of(&cluster, setup.threads, &["--retry-deadline", "10m"]);
        let (mut client, keys) = (proxy.client(), keys(&cluster));
        assert_eq!(cluster.client(4).run("CLUSTER FAILOVER"), Value::ok());
        let mut count = 0;
        eventually("the replica is primary", || {
            for key in &keys {
                assert_eq!(client.request(&["APPEND", key, "x"]), Value::Integer(count + 1));
            }
            count += 1;
            cluster.is_primary(4).then_some(())
        });
        for key in &keys {
            assert_eq!(client.request(&["STRLEN", key]), Value::Integer(count));
        }
    }

    fn a_cluster_that_vanishes_and_returns_is_found_again(setup) {
        let cluster = Cluster::start(setup.kind, 3, 0);
        let proxy = Proxy::of(&cluster, setup.threads, &["--retry-deadline", "500ms"]);
        let (mut client, keys) = (proxy.client(), keys(&cluster));
        for index in 0..cluster.len() {
            cluster.node(index).kill();
        }
        for key in &keys {
            let reply = client.request(&["INCR", key]);
            assert!(reply.text().starts_with("CLUSTERDOWN"), "{reply:?}");
        }
        assert_eq!(client.run("PING").text(), "PONG");
        for index in 0..cluster.len() {
            cluster.node(index).restart();
        }
        eventually("all serve again", || set_everywhere(&mut client, &keys, "1").then_some(()));
        eventually("and count", || (client.request(&["INCR", &keys[0]]) == Value::Integer(2)).then_some(()));
    }
}
