//! Requests that wait on their node: each over a connection of its client's own, ended with the client.

use std::time::Duration;

use crate::support::{
    Act, Client, Cluster, FakeCluster, Gate, Kind, PATIENCE, Proxy, Setup, Value, crosswise, eventually,
    everywhere, server::Server, with_1_and_4_workers,
};

/// Each blocks for a moment at most, and answers the same here and there; `%` is a key.
const DIALOGUE: &[&str] = &[
    "BLPOP % 0.05",
    "RPUSH % 1 2 3 4 5 6 7 8",
    "BLPOP % 0",
    "BRPOP %none % 0",
    "BLMOVE % %2 LEFT RIGHT 0",
    "BRPOPLPUSH % %2 0",
    "BLMPOP 0 2 %none % LEFT COUNT 2",
    "BLMPOP 0.05 1 %none LEFT",
    "BLMOVE %none %2 LEFT LEFT 0.05",
    "BRPOPLPUSH %none %2 0.05",
    "LRANGE %2 0 -1",
    "ZADD %z 1 a 2 b 3 c",
    "BZPOPMIN %z 0",
    "BZPOPMAX %none %z 0",
    "BZMPOP 0 1 %z MIN",
    "BZMPOP 0.05 1 %z MIN",
    "XADD %x 1-1 f v",
    "XREAD BLOCK 50 STREAMS %x 0",
    "XREAD BLOCK 50 STREAMS %x $",
    "XGROUP CREATE %x g 0",
    "XREADGROUP GROUP g c BLOCK 50 STREAMS %x >",
    "XREADGROUP GROUP g c BLOCK 50 STREAMS %x >",
    "BLPOP % -1",
    "BLPOP % 18446744073709549568",
    "BLPOP % 1e300",
    "BLPOP % x",
    "BLPOP %x 0",
    "BLPOP %",
    "XREAD BLOCK x STREAMS %x 0",
];

fn one_node(threads: usize, flags: &[&str]) -> (FakeCluster, Proxy) {
    let cluster = FakeCluster::start(1);
    let proxy = Proxy::before(&cluster.seeds(), threads, flags);
    (cluster, proxy)
}

/// Waits until `count` clients are blocked on the node that `node` is connected to.
fn wait_for_blocked(node: &mut Client, count: usize) {
    let wanted = format!("blocked_clients:{count}\r\n");
    eventually(&wanted, || node.run("INFO clients").text().contains(&wanted).then_some(()));
}

#[test]
fn clients_that_block_are_counted() {
    let setup = Setup { kind: Kind::Redis, threads: 4 };
    let proxy = setup.proxy();
    let (mut asks, mut blocks, mut leaves) = (proxy.client(), proxy.client(), proxy.client());
    let key = setup.key("counted");
    blocks.send(&["BLPOP", &key, "0"]);
    leaves.send(&["BLPOP", &key, "0"]);
    wait_for_blocked(&mut asks, 2);
    drop(leaves);
    wait_for_blocked(&mut asks, 1);
    asks.run(&format!("RPUSH {key} x"));
    assert_eq!(blocks.reply().items()[1], Value::bulk("x"));
    wait_for_blocked(&mut asks, 0);
}

everywhere! {
    fn a_dialogue_is_that_of_a_single_server(setup) {
        let (proxy, server) = (setup.proxy(), Server::single(setup.kind));
        for version in ["2", "3"] {
            let (mut proxied, mut direct) = (proxy.client(), server.client());
            let tag = setup.key(format!("{{blocking{version}}}"));
            let greeting = format!("HELLO {version}");
            assert!(!proxied.run(&greeting).is_error() && !direct.run(&greeting).is_error());
            for line in DIALOGUE {
                let line = line.replace('%', &tag);
                assert_eq!(proxied.run(&line), direct.run(&line), "{line}");
            }
        }
    }

    fn who_blocks_delays_nobody_else_and_its_own_requests_wait(setup) {
        let proxy = setup.proxy();
        let key = setup.key("{delays}");
        let mut blocked: Vec<_> = (0..8).map(|_| proxy.client()).collect();
        for (n, client) in blocked.iter_mut().enumerate() {
            client.send_raw(format!("INCR {key}n\r\nBLPOP {key} 0\r\nSET {key}{n} after\r\nGET {key}{n}\r\n").as_bytes());
            assert!(matches!(client.reply(), Value::Integer(_)));
        }
        let mut other = proxy.client();
        for n in 0..8 {
            let own = format!("{key}{n}");
            assert_eq!(other.request(&["GET", &own]), Value::Nil, "it came before its turn");
        }
        for n in 0..8 {
            other.request(&["RPUSH", &key, &n.to_string()]);
        }
        let mut given: Vec<String> = Vec::new();
        for client in &mut blocked {
            given.push(client.reply().items()[1].text());
            assert_eq!((client.reply(), client.reply()), (Value::ok(), Value::bulk("after")));
        }
        given.sort();
        assert_eq!(given, (0..8).map(|n| n.to_string()).collect::<Vec<_>>());
    }

    fn keys_of_two_slots_are_refused(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        for line in ["BLPOP a b 0", "BLMOVE a b LEFT LEFT 0", "XREAD BLOCK 0 STREAMS a b 0 0", "BZMPOP 0 2 a b MIN"] {
            assert!(client.run(line).text().starts_with("CROSSSLOT "), "{line}");
        }
    }

    fn client_unblock_ends_a_block_on_any_worker(setup) {
        let proxy = setup.proxy();
        let (mut other, key) = (proxy.client(), setup.key("{unblock}"));
        for (how, wanted) in [
            ("", Value::NilArray),
            (" TIMEOUT", Value::NilArray),
            (" ERROR", Value::error("UNBLOCKED client unblocked via CLIENT UNBLOCK")),
        ] {
            for _ in 0..3 {
                let mut client = proxy.client();
                let id = client.run("CLIENT ID").integer();
                assert_eq!(other.run(&format!("CLIENT UNBLOCK {id}{how}")), Value::Integer(0));
                client.request(&["SET", &(key.clone() + "x"), "1"]);
                client.send(&["BLPOP", &key, "0"]);
                eventually("it is blocked and is let go", || {
                    (other.run(&format!("CLIENT UNBLOCK {id}{how}")) == Value::Integer(1)).then_some(())
                });
                assert_eq!(client.reply(), wanted);
            }
        }
        assert_eq!(other.run("CLIENT UNBLOCK 999999"), Value::Integer(0));
        assert!(other.run("CLIENT UNBLOCK x").text().contains("not an integer"));
        assert!(other.run("CLIENT UNBLOCK 1 NOW").text().contains("TIMEOUT or ERROR"));
    }
}

crosswise! {
    fn a_client_that_goes_away_is_given_nothing(setup) {
        let cluster = Cluster::start(setup.kind, 1, 0);
        let proxy = Proxy::of(&cluster, setup.threads, &[]);
        let mut node = cluster.client(0);
        for round in 0..5 {
            let mut clients: Vec<_> = (0..4).map(|_| proxy.client()).collect();
            for client in &mut clients {
                client.send_raw(b"BLPOP queue 0\r\nSET later 1\r\n");
            }
            if round == 0 {
                // One of them sends more behind it than is read.
                clients[1].send_raw(&[&b"SET later "[..], &[b'x'; 60_000], b"\r\n"].concat().repeat(2));
            }
            wait_for_blocked(&mut node, 4);
            clients.truncate(1);
            wait_for_blocked(&mut node, 1);
            drop(clients);
            wait_for_blocked(&mut node, 0);
            assert_eq!(node.run("RPUSH queue x"), Value::Integer(1), "round {round}");
            assert_eq!(node.run("LPOP queue"), Value::bulk("x"));
            assert_eq!(node.run("EXISTS later"), Value::Integer(0));
        }
    }

    fn a_planned_failover_is_not_noticed_by_who_blocks(setup) {
        let cluster = Cluster::start(setup.kind, 3, 1);
        let proxy = Proxy::of(&cluster, setup.threads, &["--retry-deadline", "10m"]);
        let key = (0..).map(|n| format!("k{n}")).find(|key| cluster.first_owner(key) == 1).expect("a key");
        let (mut client, mut other) = (proxy.client(), proxy.client());
        client.send(&["BLPOP", &key, "0"]);
        wait_for_blocked(&mut cluster.client(1), 1);
        assert_eq!(cluster.client(4).run("CLUSTER FAILOVER"), Value::ok());
        eventually("it blocks at the new primary", || {
            cluster.client(4).run("INFO clients").text().contains("blocked_clients:1\r\n").then_some(())
        });
        assert_eq!(other.request(&["RPUSH", &key, "x"]), Value::Integer(1));
        assert_eq!(client.reply().items()[1], Value::bulk("x"));
    }

    fn a_drain_lets_those_go_who_block(setup) {
        let cluster = Cluster::start(setup.kind, 1, 0);
        let mut proxy = Proxy::of(&cluster, setup.threads, &["--drain-timeout", "10m"]);
        let mut client = proxy.client();
        client.send(&["BLPOP", "queue", "0"]);
        wait_for_blocked(&mut cluster.client(0), 1);
        assert_eq!(proxy.terminate(), Some(0));
        assert!(client.reply().text().starts_with("UNBLOCKED "));
    }
}

with_1_and_4_workers! {
    fn a_block_may_last_longer_than_the_backend_timeout(threads) {
        let (cluster, proxy) = one_node(threads, &["--backend-timeout", "200ms"]);
        let mut client = proxy.client();
        for line in ["BLPOP a 0", "BLPOP a 30", "XREAD BLOCK 0 STREAMS a 0"] {
            let gate = Gate::new();
            cluster.on(0, line.split(' ').next().expect("a word"), Act::Hold(gate.clone()));
            client.send(&line.split(' ').collect::<Vec<_>>());
            client.patience(Duration::from_millis(700));
            assert!(client.try_reply().is_err(), "{line} ended too soon");
            client.patience(PATIENCE);
            gate.open();
            assert_eq!(client.reply(), Value::ok(), "{line}");
        }
    }

    fn a_node_that_lets_a_block_s_time_pass_is_lost(threads) {
        let (cluster, proxy) = one_node(threads, &["--backend-timeout", "200ms"]);
        let mut client = proxy.client();
        cluster.on(0, "BLPOP a", Act::Stall);
        let reply = client.run("BLPOP a 0.2");
        assert!(reply.text().contains("may have been executed"), "{reply:?}");
        assert_eq!(client.run("GET a"), Value::Nil);
    }

    fn what_surely_did_not_run_is_sent_again_with_the_time_that_is_left(threads) {
        let (cluster, proxy) = one_node(threads, &[]);
        let mut client = proxy.client();
        for error in [
            "-UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)",
            "-LOADING x",
            "-CLUSTERDOWN x",
            "-TRYAGAIN x",
            "-READONLY x",
        ] {
            cluster.on(0, "BLPOP a", Act::reply(error));
            assert_eq!(client.run("BLPOP a 7"), Value::ok(), "{error}");
        }
        let seen = cluster.seen(0);
        assert_eq!(seen.len(), 10);
        let left: Vec<f64> =
            seen.iter().map(|line| line.strip_prefix("BLPOP a ").and_then(|n| n.parse().ok()).expect("time")).collect();
        assert!(left.chunks(2).all(|pair| pair[1] < pair[0] && pair[1] > 0.0), "{left:?}");
    }

    fn a_block_is_redirected(threads) {
        for kind in ["MOVED", "ASK"] {
            let cluster = FakeCluster::start(2);
            let proxy = Proxy::before(&cluster.seeds(), threads, &[]);
            let owner = cluster.owner("a");
            cluster.on(owner, "BLPOP a", cluster.redirect(kind, "a", 1 - owner));
            assert_eq!(proxy.client().run("BLPOP a 0"), Value::ok());
            let seen = cluster.seen(1 - owner);
            assert_eq!(seen.first().is_some_and(|line| line == "ASKING"), kind == "ASK", "{seen:?}");
        }
    }

    fn a_block_whose_connection_broke_may_have_run_unless_it_reads(threads) {
        let (cluster, proxy) = one_node(threads, &[]);
        let mut client = proxy.client();
        cluster.on(0, "BLPOP a", Act::Close);
        let reply = client.run("BLPOP a 0");
        assert!(reply.text().contains("may have been executed"), "{reply:?}");
        cluster.on(0, "XREAD", Act::Close);
        assert_eq!(client.run("XREAD BLOCK 0 STREAMS a 0"), Value::ok());
        assert_eq!((cluster.count(0, "BLPOP"), cluster.count(0, "XREAD")), (1, 2));
    }

    fn a_node_that_stays_away_is_clusterdown_at_the_deadline(threads) {
        let (cluster, proxy) = one_node(threads, &["--retry-deadline", "300ms"]);
        cluster.stop(0);
        for line in ["BLPOP a 0", "WAIT 0 0", "WATCH a"] {
            let reply = proxy.client().run(line);
            assert!(reply.text().starts_with("CLUSTERDOWN "), "{line}: {reply:?}");
        }
        cluster.resume(0);
        eventually("the node is dialled again", || {
            (proxy.client().run("BLPOP a 0") == Value::ok()).then_some(())
        });
    }

    fn a_node_that_never_answers_is_given_up(threads) {
        let flags = ["--backend-timeout", "200ms", "--retry-deadline", "200ms"];
        let (cluster, proxy) = one_node(threads, &flags);
        cluster.always(0, "WATCH", Act::Stall);
        cluster.always(0, "XREAD", Act::Stall);
        for line in ["WATCH a", "XREAD BLOCK 1 STREAMS a 0"] {
            let reply = proxy.client().run(line);
            assert!(reply.text().starts_with("CLUSTERDOWN "), "{line}: {reply:?}");
        }
    }

    fn connections_for_blocks_are_bounded(threads) {
        let flags = ["--dedicated-connections", "4", "--retry-deadline", "300ms"];
        let (cluster, proxy) = one_node(threads, &flags);
        cluster.always(0, "BLPOP", Act::Stall);
        let mut clients: Vec<_> = (0..8).map(|_| proxy.client()).collect();
        for client in &mut clients {
            client.send(&["BLPOP", "a", "0"]);
        }
        eventually("four wait", || (cluster.count(0, "BLPOP") == 4).then_some(()));
        proxy.reaches("slotway_command_errors_total{command=\"blpop\",error=\"ERR\"}", 4.0);
        let mut refused = 0;
        for client in &mut clients {
            client.patience(Duration::from_millis(300));
            refused += u64::from(matches!(client.try_reply(), Ok(Some(reply)) if reply.text().contains("in use")));
        }
        assert_eq!((refused, cluster.count(0, "BLPOP")), (4, 4));
        drop(clients);
        eventually("room again", || {
            let mut client = proxy.client();
            client.patience(Duration::from_millis(50));
            client.send(&["BLPOP", "a", "0"]);
            let _ = client.try_reply();
            (cluster.count(0, "BLPOP") > 4).then_some(())
        });
        assert_eq!(proxy.client().run("PING").text(), "PONG");
    }

    fn a_connection_that_was_to_be_unblocked_serves_no_other_client(threads) {
        let (cluster, proxy) = one_node(threads, &[]);
        let mut client = proxy.client();
        let id = client.run("CLIENT ID").integer();
        for (round, recalled) in [false, false, true].into_iter().enumerate() {
            let gate = Gate::new();
            cluster.on(0, "BLPOP", Act::Hold(gate.clone()));
            client.send(&["BLPOP", "a", "0"]);
            eventually("it blocks", || (cluster.count(0, "BLPOP") > round).then_some(()));
            if recalled {
                let unblocked = proxy.client().run(&format!("CLIENT UNBLOCK {id}"));
                assert_eq!(unblocked, Value::Integer(0), "the node said that it was not blocked");
            }
            gate.open();
            assert_eq!(client.reply(), Value::ok());
        }
        assert_eq!(client.run("BLPOP a 0"), Value::ok());
        assert_eq!(cluster.count(0, "CLIENT ID"), 2);
    }

    fn what_waits_behind_a_block_is_bounded(threads) {
        let (cluster, proxy) = one_node(threads, &[]);
        let gate = Gate::new();
        cluster.on(0, "BLPOP", Act::Hold(gate.clone()));
        let mut client = proxy.client();
        client.send(&["BLPOP", "a", "0"]);
        cluster.wait_for(0, "BLPOP");
        client.write_patience(Duration::from_millis(300));
        let value = "v".repeat(1 << 20);
        let full = (0..200).find(|_| client.try_send_raw(&crate::support::encode(&["SET", "b", &value])).is_err());
        assert!(full.is_some(), "200 MiB were taken in");
        gate.open();
        assert_eq!(client.reply(), Value::ok());
    }
}
