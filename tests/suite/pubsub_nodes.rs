//! Subscriptions whose nodes fail, refuse or give slots away, and subscribers that are too slow.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use crate::support::{
    Act, Client, Cluster, FakeCluster, Kind, Proxy, Setup, Value, crosswise, encode, eventually,
    slot::{key_in, slot_of},
    with_1_and_4_workers,
};

/// Too long for a message that comes at all.
const A_MOMENT: Duration = Duration::from_millis(100);

/// What a node says to `SUBSCRIBE a` and its like.
fn confirmation(verb: &str, name: &str) -> Vec<u8> {
    format!("*3\r\n${}\r\n{verb}\r\n${}\r\n{name}\r\n:1\r\n", verb.len(), name.len()).into_bytes()
}

/// Two nodes that confirm every subscription of `a`.
fn two_nodes(threads: usize, flags: &[&str]) -> (FakeCluster, Proxy) {
    let cluster = FakeCluster::start(2);
    for index in 0..2 {
        for verb in ["subscribe", "ssubscribe"] {
            let line = format!("{} a", verb.to_uppercase());
            cluster.always(index, &line, Act::Reply(confirmation(verb, "a")));
        }
    }
    let proxy = Proxy::before(&cluster.seeds(), threads, flags);
    (cluster, proxy)
}

/// Sends `line` and expects its confirmation.
#[track_caller]
fn subscribe(client: &mut Client, line: &str) {
    let reply = client.run(line);
    assert!(!reply.is_error() && reply.items()[0].text().ends_with("subscribe"), "{reply:?}");
}

with_1_and_4_workers! {
    fn a_shard_subscription_follows_its_slot(threads) {
        let (cluster, proxy) = two_nodes(threads, &[]);
        let owner = cluster.owner("a");
        cluster.on(owner, "SSUBSCRIBE a", cluster.redirect("MOVED", "a", 1 - owner));
        // The slot table that slotway fetches then must say the same.
        cluster.give(slot_of(b"a"), slot_of(b"a"), Some(1 - owner));
        subscribe(&mut proxy.client(), "SSUBSCRIBE a");
        assert_eq!(cluster.count(1 - owner, "SSUBSCRIBE a"), 1);
    }

    fn a_shard_subscription_that_its_node_ends_is_made_anew(threads) {
        let (cluster, proxy) = two_nodes(threads, &[]);
        let owner = cluster.owner("a");
        let both = [confirmation("ssubscribe", "a"), confirmation("sunsubscribe", "a")].concat();
        cluster.on(owner, "SSUBSCRIBE a", Act::Reply(both));
        let mut client = proxy.client();
        subscribe(&mut client, "SSUBSCRIBE a");
        eventually("it subscribes again", || {
            (cluster.count(owner, "SSUBSCRIBE a") == 2).then_some(())
        });
    }

    fn what_a_node_forbids_is_refused_and_leaves_nothing_behind(threads) {
        let (cluster, proxy) = two_nodes(threads, &[]);
        let owner = cluster.owner("a");
        cluster.on(owner, "SUBSCRIBE a", Act::reply("-NOPERM no permissions"));
        let mut client = proxy.client();
        assert_eq!(client.run("SUBSCRIBE a"), Value::error("NOPERM no permissions"));
        assert_eq!(client.run("GET a"), Value::Nil);
        subscribe(&mut client, "SUBSCRIBE a");
    }

    fn a_subscription_that_a_node_forbids_later_is_tried_again(threads) {
        let (cluster, proxy) = two_nodes(threads, &[]);
        let owner = cluster.owner("a");
        let mut client = proxy.client();
        subscribe(&mut client, "SSUBSCRIBE a");
        cluster.stop(owner);
        (0..4).for_each(|_| cluster.on(owner, "SSUBSCRIBE a", Act::reply("-NOPERM no permissions")));
        cluster.resume(owner);
        eventually("it is subscribed again", || (cluster.count(owner, "SSUBSCRIBE a") > 5).then_some(()));
    }

    fn a_subscription_that_no_node_confirms_is_an_error_in_time(threads) {
        let (cluster, proxy) = two_nodes(threads, &["--retry-deadline", "300ms"]);
        let owner = cluster.owner("a");
        cluster.on(owner, "SUBSCRIBE a", Act::Stall);
        let mut client = proxy.client();
        let reply = client.run("SUBSCRIBE a");
        assert!(reply.text().starts_with("CLUSTERDOWN"), "{reply:?}");
        assert_eq!(client.run("PING").text(), "PONG");
        assert_eq!(client.run("GET a"), Value::Nil);
    }

    fn a_silent_node_is_given_up_and_asked_again(threads) {
        let (cluster, proxy) = two_nodes(threads, &["--backend-timeout", "200ms"]);
        let owner = cluster.owner("a");
        cluster.on(owner, "SUBSCRIBE a", Act::Stall);
        subscribe(&mut proxy.client(), "SUBSCRIBE a");
    }

    fn subscriptions_of_a_lost_node_are_made_at_another(threads) {
        let (cluster, proxy) = two_nodes(threads, &[]);
        let owner = cluster.owner("a");
        let mut client = proxy.client();
        subscribe(&mut client, "SUBSCRIBE a");
        cluster.stop(owner);
        cluster.wait_for(1 - owner, "SUBSCRIBE a");
        // Somebody else who comes now needs not wait for the lost node.
        let mut other = proxy.client();
        subscribe(&mut other, "SUBSCRIBE a");
        let before = cluster.count(owner, "SUBSCRIBE a");
        cluster.resume(owner);
        eventually("they come back", || (cluster.count(owner, "SUBSCRIBE a") > before).then_some(()));
        cluster.wait_for(1 - owner, "UNSUBSCRIBE a");
    }

    fn a_connection_that_breaks_is_made_again(threads) {
        let (cluster, proxy) = two_nodes(threads, &[]);
        let owner = cluster.owner("a");
        let cut = [confirmation("ssubscribe", "a"), b"+half".to_vec()].concat();
        cluster.on(owner, "SSUBSCRIBE a", Act::Cut(cut));
        subscribe(&mut proxy.client(), "SSUBSCRIBE a");
        let mut client = proxy.client();
        subscribe(&mut client, "SSUBSCRIBE a");
    }
}

/// Publishes with `command` until `client` hears it.
#[track_caller]
fn hears(client: &mut Client, proxy: &Proxy, command: &str, name: &str) {
    let mut publisher = proxy.client();
    client.patience(A_MOMENT);
    eventually(&format!("{command} {name} is heard"), || {
        publisher.request(&[command, name, "hello"]);
        let heard = client.try_reply().ok()??;
        (heard.items()[1].text() == name).then_some(())
    });
}

crosswise! {
    fn subscriptions_survive_failovers(setup) {
        let cluster = Cluster::start(setup.kind, 3, 1);
        let proxy = Proxy::of(&cluster, setup.threads, &["--topology-refresh", "500ms"]);
        let names: Vec<String> = (0..3).map(|index| key_in(cluster.range(index).0 + 3, "failover")).collect();
        let mut clients: Vec<(&str, Client)> = ["PUBLISH", "SPUBLISH"].map(|verb| (verb, proxy.client())).into();
        for name in &names {
            subscribe(&mut clients[0].1, &format!("SUBSCRIBE {name}"));
            subscribe(&mut clients[1].1, &format!("SSUBSCRIBE {name}"));
        }
        let mut check = || {
            for (verb, client) in &mut clients {
                names.iter().for_each(|name| hears(client, &proxy, verb, name));
            }
        };
        check();
        assert_eq!(cluster.client(4).run("CLUSTER FAILOVER"), Value::ok());
        cluster.wait_until_primary(4);
        check();
        cluster.node(2).kill();
        cluster.wait_until_primary(5);
        check();
    }

    fn subscriptions_follow_a_slot_that_moves(setup) {
        let cluster = Cluster::start(setup.kind, 2, 0);
        let proxy = Proxy::of(&cluster, setup.threads, &[]);
        let (mut channels, mut shards) = (proxy.client(), proxy.client3());
        let from = cluster.first_owner("a");
        subscribe(&mut channels, "SUBSCRIBE a");
        subscribe(&mut shards, "SSUBSCRIBE a");
        cluster.migrate(slot_of(b"a"), from, 1 - from);
        let at = |node: usize, what: &str| cluster.client(node).run(&format!("PUBSUB {what} a")).items()[1].integer();
        eventually("the shard channel is there", || (at(1 - from, "SHARDNUMSUB") == 1).then_some(()));
        hears(&mut shards, &proxy, "SPUBLISH", "a");
        hears(&mut channels, &proxy, "PUBLISH", "a");
        eventually("the channel is there, and only there", || {
            (at(1 - from, "NUMSUB") == 1 && at(from, "NUMSUB") == 0).then_some(())
        });
    }

    fn a_slow_subscriber_is_closed_and_others_hear_all(setup) {
        for limits in ["pubsub 1mb 0 0", "pubsub 0 64kb 1"] {
            let proxy = setup.proxy_with(&["--client-output-buffer-limit", limits]);
            let name = setup.key(format!("slow{}", limits.len()));
            let (mut slow, mut quick, mut publisher) = (proxy.client(), proxy.client(), proxy.client());
            for client in [&mut slow, &mut quick] {
                subscribe(client, &format!("SUBSCRIBE {name}"));
            }
            let payload = "x".repeat(64 * 1024);
            let closed = || proxy.metric("slotway_client_connections_closed_total{reason=\"output_limit\"}");
            let heard = Arc::new(AtomicUsize::new(0));
            let counted = Arc::clone(&heard);
            let reader = thread::spawn(move || {
                while quick.reply().items()[2].text() != "end" {
                    counted.fetch_add(1, Ordering::Relaxed);
                }
            });
            let mut published = 0;
            eventually("the slow one is closed", || {
                for _ in 0..20 {
                    publisher.request(&["PUBLISH", &name, &payload]);
                    published += 1;
                    // As fast as the quick one reads.
                    eventually("it is heard", || (heard.load(Ordering::Relaxed) == published).then_some(()));
                }
                (closed() == 1.0).then_some(())
            });
            publisher.request(&["PUBLISH", &name, "end"]);
            reader.join().expect("the quick one hears all");
            assert_eq!((heard.load(Ordering::Relaxed), closed()), (published, 1.0));
            slow.read_to_close();
        }
    }

    fn a_drain_closes_subscribers(setup) {
        let mut proxy = setup.proxy();
        let mut client = proxy.client();
        let name = setup.key("drained");
        subscribe(&mut client, &format!("SUBSCRIBE {name}"));
        proxy.reaches("slotway_subscribed_clients", 1.0);
        assert_eq!(proxy.client().run(&format!("PUBLISH {name} last")).integer(), 1);
        assert_eq!(client.reply().items()[2].text(), "last");
        proxy.reaches("slotway_messages_total", 1.0);
        assert_eq!(proxy.terminate(), Some(0));
        assert_eq!(client.read_to_close(), b"");
    }

    fn one_client_has_only_so_many_subscriptions(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        let name = "n".repeat(1 << 20);
        let mut words = vec!["SUBSCRIBE"];
        words.extend([name.as_str()].repeat(64));
        client.send_raw(&encode(&words));
        assert_eq!(client.reply(), Value::error("ERR too many subscriptions of one client"));
        assert_eq!(client.run("PING").text(), "PONG");
    }
}
