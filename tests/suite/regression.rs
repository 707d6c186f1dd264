//! Mistakes that were made once. Each test opens with its scenario.

use std::{net::TcpStream, time::Duration};

use socket2::SockRef;

use crate::support::{
    Act, Client, Cluster, FakeCluster, Gate, Kind, Proxy, Setup, Value, crosswise, eventually, resp::encode,
    slot::slot_of, with_1_and_4_workers,
};

with_1_and_4_workers! {
    fn a_client_that_resets_at_once_frees_its_place(threads) {
        // 1. A client connects and resets the connection before a worker took it on.
        // 2. The worker cannot ask the socket for its peer and drops it.
        // 3. The client was counted when it was placed, and never uncounted: at maxclients all were refused.
        let cluster = FakeCluster::start(1);
        let proxy = Proxy::before(&cluster.seeds(), threads, &["--maxclients", "20"]);
        for _ in 0..200 {
            let socket = TcpStream::connect(("127.0.0.1", proxy.port)).expect("the door is open");
            SockRef::from(&socket).set_linger(Some(Duration::ZERO)).expect("loopback sockets linger");
        }
        eventually("there is room", || (proxy.client().run("PING").text() == "PONG").then_some(()));
    }

    fn a_later_write_is_not_undone_by_an_earlier_one(threads) {
        // 1. A client pipelines two writes to a key.
        // 2. The node cannot run the first yet, and runs the second.
        // 3. The first was tried again and ran last, though it was sent first.
        let cluster = FakeCluster::start(1);
        let proxy = Proxy::before(&cluster.seeds(), threads, &[]);
        let mut client = proxy.client();
        client.run("SET a 0");
        let gate = Gate::new();
        cluster.on(0, "SET a 1", Act::reply("-LOADING Redis is loading the dataset in memory"));
        cluster.on(0, "GET hold", Act::Hold(gate.clone()));
        client.send_raw(&[encode(&["GET", "hold"]), encode(&["SET", "a", "1"]), encode(&["SET", "a", "2"])].concat());
        cluster.wait_for(0, "GET hold");
        gate.open();
        client.reply();
        let first = client.reply();
        assert_eq!(client.reply(), Value::ok());
        let last = client.run("GET a");
        assert!(last == Value::bulk("2"), "{first:?}, then {last:?}");
    }

    fn a_write_is_not_tried_again_behind_a_later_one(threads) {
        // 1. A client pipelines two writes to a key.
        // 2. The node cannot run the first yet; it takes long to answer the second.
        // 3. The first was sent again meanwhile and ran last; both were answered with OK.
        let cluster = FakeCluster::start(1);
        let proxy = Proxy::before(&cluster.seeds(), threads, &[]);
        let mut client = proxy.client();
        let gate = Gate::new();
        cluster.on(0, "SET a 1", Act::reply("-LOADING Redis is loading the dataset in memory"));
        cluster.on(0, "SET a 2", Act::Hold(gate.clone()));
        client.send_raw(&[encode(&["SET", "a", "1"]), encode(&["SET", "a", "2"])].concat());
        cluster.wait_for(0, "SET a 2");
        client.patience(Duration::from_millis(100));
        assert!(client.try_reply().is_err(), "nothing is known yet");
        client.patience(crate::support::PATIENCE);
        gate.open();
        assert!(client.reply().text().starts_with("LOADING "));
        assert_eq!(client.reply(), Value::ok());
        assert_eq!(client.run("GET a"), Value::bulk("2"));
        assert_eq!(cluster.count(0, "SET a 1"), 1);
    }

    fn a_read_behind_a_write_that_must_wait_waits_too(threads) {
        // 1. A client sends a write of many keys, or a transaction, and with it a read of one of them.
        // 2. The node has only some of the keys (their slot moves), and answers the write with TRYAGAIN.
        // 3. The read ran: it gave the value from before the write, and the write was given up with TRYAGAIN.
        let cluster = FakeCluster::start(1);
        let proxy = Proxy::before(&cluster.seeds(), threads, &[]);
        let mut client = proxy.client();
        client.run("MSET {t}a 0 {t}b 0");
        cluster.on(0, "MSET {t}a 1 {t}b 1", Act::reply("-TRYAGAIN x"));
        let replies = client.pipeline(&["MSET {t}a 1 {t}b 1", "GET {t}b"]);
        assert_eq!(replies, [Value::ok(), Value::bulk("1")]);
        // A slot that is known to move has no such requests at once: it is another client's that finds out.
        let mut client = proxy.client();
        client.run("MSET {u}a 0 {u}b 0");
        cluster.on(0, "INCR {u}b", Act::reply("-TRYAGAIN x"));
        let replies = client.pipeline(&["MULTI", "INCR {u}a", "INCR {u}b", "EXEC", "GET {u}b"]);
        assert_eq!(replies[3], Value::Array(vec![Value::Integer(1), Value::Integer(1)]));
        assert_eq!(replies[4], Value::bulk("1"));
    }

    fn a_write_of_another_key_does_not_undo_one_that_must_wait(threads) {
        // 1. A client sends a write of many keys, and with it a write of another key of that slot.
        // 2. The node answers the first with TRYAGAIN and runs the second.
        // 3. The first was given up, though their order makes no difference.
        let cluster = FakeCluster::start(1);
        let proxy = Proxy::before(&cluster.seeds(), threads, &[]);
        let mut client = proxy.client();
        cluster.on(0, "MSET {t}a 1 {t}b 1", Act::reply("-TRYAGAIN x"));
        let replies = client.pipeline(&["MSET {t}a 1 {t}b 1", "INCR {t}c"]);
        assert_eq!(replies, [Value::ok(), Value::Integer(1)]);
        assert_eq!(client.run("GET {t}b"), Value::bulk("1"));
    }

    fn nothing_follows_a_request_of_many_keys_while_slots_move(threads) {
        // 1. A slot moved; others are likely to move too.
        // 2. A client sends a write of many keys of another slot, and with it a write of one of them.
        // 3. The node answers the first with TRYAGAIN and ran the second: the first had to be given up.
        let cluster = FakeCluster::start(1);
        let proxy = Proxy::before(&cluster.seeds(), threads, &[]);
        let mut client = proxy.client();
        cluster.on(0, "MGET {t}a {t}b", Act::reply("-TRYAGAIN x"));
        client.run("MGET {t}a {t}b");
        cluster.on(0, "MSET {u}a 1 {u}b 1", Act::reply("-TRYAGAIN x"));
        let replies = client.pipeline(&["MSET {u}a 1 {u}b 1", "INCR {u}b"]);
        assert_eq!(replies, [Value::ok(), Value::Integer(2)]);
    }

    fn a_read_that_is_lost_with_a_write_behind_it_may_have_run(threads) {
        // 1. A client pipelines a read of a key and a write to it; the connection breaks when both are written.
        // 2. The write may have run, so that the read can't be asked again: it would see what came later.
        // 3. It was answered with CLUSTERDOWN, as if it had not run and its node were away.
        let cluster = FakeCluster::start(1);
        let proxy = Proxy::before(&cluster.seeds(), threads, &[]);
        let mut client = proxy.client();
        client.run("SET a 0");
        cluster.on(0, "GET a", Act::Close);
        for reply in client.pipeline(&["GET a", "SET a 1"]) {
            assert!(reply.text().contains("may have been executed"), "{reply:?}");
        }
    }

    fn a_primary_that_was_cut_off_and_replaced_is_not_asked_for_ever(threads) {
        // 1. A primary is cut off from most others, but not from slotway. Its replica is voted in.
        // 2. It answers with CLUSTERDOWN, and CLUSTER SLOTS as if it still owned its slots.
        // 3. CLUSTERDOWN made nobody look for a new table, and the old one was taken from that very node.
        let cluster = FakeCluster::start(2);
        let proxy = Proxy::before(&cluster.seeds(), threads, &["--topology-refresh", "0"]);
        let mut client = proxy.client();
        let (old, slot) = (cluster.owner("a"), slot_of(b"a"));
        let mut node = Client::connect(cluster.port(old));
        node.send(&["CLUSTER", "SLOTS"]);
        cluster.always(old, "CLUSTER SLOTS", Act::Reply(node.raw_reply()));
        cluster.always(old, "CLUSTER INFO", Act::reply("$18\r\ncluster_state:fail"));
        cluster.always(old, "GET a", Act::reply("-CLUSTERDOWN The cluster is down"));
        cluster.give(slot, slot, Some(1 - old));
        assert_eq!(client.run("GET a"), Value::Nil);
        proxy.reaches("slotway_topology_refreshes_total{reason=\"clusterdown\",result=\"changed\"}", 1.0);
    }

    fn clients_that_block_do_not_all_dial_a_node_that_is_away(threads) {
        // 1. A node refuses connections; clients send it requests that take a connection each.
        // 2. Each client tries again and again until its time is up.
        // 3. Each of these tries was a dial of its own, thousands in a second.
        const CROWD: u32 = 100;
        const TRIES: u32 = 5;
        let cluster = FakeCluster::start(1);
        let proxy = Proxy::before(&cluster.seeds(), threads, &[]);
        cluster.stop(0);
        let mut crowd: Vec<_> = (0..CROWD).map(|_| proxy.client()).collect();
        crowd.iter_mut().for_each(|client| client.send(&["BLPOP", "a", "0"]));
        proxy.reaches("slotway_retries_total{reason=\"lost\"}", f64::from(CROWD * TRIES));
        let dials = proxy.process.log().matches("cannot connect to node").count();
        assert!(dials < 2 * CROWD as usize, "{dials} dials");
    }

    fn a_node_that_takes_long_but_works_is_not_given_up(threads) {
        // 1. Many requests are written to a node at once; it answers each after a while.
        // 2. The last waits longer than the backend timeout since it was written, though replies come all the time.
        // 3. The connection was given up.
        let cluster = FakeCluster::start(1);
        let proxy = Proxy::before(&cluster.seeds(), threads, &["--backend-timeout", "3s"]);
        let mut client = proxy.client();
        client.run("SET a 1");
        let gates: Vec<_> = (0..5).map(|_| Gate::new()).collect();
        for (n, gate) in gates.iter().enumerate() {
            cluster.on(0, &format!("INCR slow{n}"), Act::Hold(gate.clone()));
        }
        let all: Vec<u8> = (0..5).flat_map(|n| encode(&["INCR", &format!("slow{n}")])).collect();
        client.send_raw(&all);
        for (n, gate) in gates.iter().enumerate() {
            cluster.wait_for(0, &format!("INCR slow{n}"));
            // The node is at work on this one for a while: what passes is the time that is tested.
            std::thread::sleep(Duration::from_millis(1200));
            gate.open();
            assert_eq!(client.reply(), Value::Integer(1), "request {n}");
        }
    }

    fn a_node_that_stalls_in_the_middle_of_a_request_is_given_up(threads) {
        // 1. A request is larger than the socket buffers, and its node reads no further.
        // 2. The request is never written to its end, so it had no time from which to wait.
        // 3. The client waited for ever.
        let cluster = Cluster::start(Kind::Redis, 1, 0);
        let proxy = Proxy::of(&cluster, threads, &["--backend-timeout", "500ms", "--retry-deadline", "500ms"]);
        let mut client = proxy.client();
        client.run("SET a 1");
        cluster.node(0).pause();
        client.send_raw(&encode(&[&b"SET"[..], b"a", &vec![b'x'; 32 << 20]]));
        let reply = client.reply();
        cluster.node(0).resume();
        assert!(reply.is_error(), "{reply:?}");
    }

    fn wait_follows_slots_that_have_moved(threads) {
        // 1. A node gives all its slots away, and nobody asks slotway for a key since.
        // 2. WAIT writes its marker there, and is told that the slot has moved.
        // 3. Nobody looked where to: WAIT tried the same node until time was up, and answered with the redirect.
        let cluster = FakeCluster::start(2);
        let flags = ["--topology-refresh", "60s", "--retry-deadline", "10s"];
        let proxy = Proxy::before(&cluster.seeds(), threads, &flags);
        let mut client = proxy.client();
        let (from, key) = (cluster.owner("a"), "a");
        client.run("GET a");
        cluster.give(0, 16383, Some(1 - from));
        cluster.always(from, "SET", cluster.redirect("MOVED", key, 1 - from));
        for index in 0..2 {
            cluster.always(index, "WAIT", Act::reply(":0"));
        }
        assert_eq!(client.run("WAIT 0 100"), Value::Integer(0));
    }
}

crosswise! {
    fn a_script_s_word_is_no_redirect(setup) {
        // 1. A script does its work and replies with an error that reads like a node's redirect.
        // 2. The proxy dialled the address that the script made up, and told all clients to go there.
        let proxy = setup.proxy();
        let mut client = proxy.client();
        let key = setup.key("scripted");
        for error in ["MOVED 1 127.0.0.1:1", "ASK 1 127.0.0.1:1", "TRYAGAIN later", "LOADING itself"] {
            client.run(&format!("SET {key} 0"));
            let script = format!("redis.call('incr', KEYS[1]) return redis.error_reply('{error}')");
            let reply = client.request(&["EVAL", &script, "1", &key]);
            assert!(reply.text().contains(error), "{reply:?}");
            assert_eq!(client.run(&format!("GET {key}")), Value::bulk("1"), "{error}");
        }
    }

    fn a_reader_of_a_group_that_says_block_first_delays_nobody(setup) {
        // 1. A client blocks by XREADGROUP with BLOCK ahead of GROUP, as servers allow.
        // 2. The first words were taken for GROUP and its names, so that BLOCK was not seen.
        // 3. The request went over the shared connection and blocked everybody.
        let proxy = setup.proxy();
        let (mut client, key) = (proxy.client(), setup.key("{group}"));
        client.run(&format!("XGROUP CREATE {key} g $ MKSTREAM"));
        client.send_raw(&encode(&["XREADGROUP", "BLOCK", "0", "GROUP", "g", "c", "STREAMS", &key, ">"]));
        let mut others: Vec<_> = (0..8).map(|_| proxy.client()).collect();
        for other in &mut others {
            assert_eq!(other.run(&format!("GET {key}x")), Value::Nil);
        }
        others[0].run(&format!("XADD {key} * f v"));
        assert!(!client.reply().is_error());
    }

    fn a_drain_lets_those_go_who_block_again(setup) {
        // 1. A client sends one blocking request behind another.
        // 2. A drain lets it go from the first, and the second is sent.
        // 3. Nobody let it go from the second: the drain took all its time.
        let cluster = Cluster::start(setup.kind, 1, 0);
        let mut proxy = Proxy::of(&cluster, setup.threads, &["--drain-timeout", "20s"]);
        let (mut client, mut node) = (proxy.client(), cluster.client(0));
        client.send_raw(&[encode(&["BLPOP", "queue", "0"]), encode(&["BLPOP", "other", "0"])].concat());
        eventually("it blocks", || node.run("INFO clients").text().contains("blocked_clients:1\r\n").then_some(()));
        assert_eq!(proxy.terminate(), Some(0));
        for _ in 0..2 {
            assert!(client.reply().text().starts_with("UNBLOCKED "));
        }
    }
}

#[test]
fn a_drain_lets_those_go_who_wait_for_many_slots_next() {
    // 1. Behind a blocking request a client sends one that waits for keys of two slots.
    // 2. A drain lets it go from the first, and the second begins.
    // 3. Nobody let it go from the second: the drain took all its time.
    let cluster = Cluster::start(Kind::Redis, 1, 0);
    let mut proxy = Proxy::of(&cluster, 1, &["--drain-timeout", "20s", "--cross-slot"]);
    let (mut client, mut node) = (proxy.client(), cluster.client(0));
    client.send_raw(&[encode(&["BLPOP", "queue", "0"]), encode(&["BLPOP", "a", "b", "0"])].concat());
    eventually("it blocks", || {
        node.run("INFO clients").text().contains("blocked_clients:1\r\n").then_some(())
    });
    assert_eq!(proxy.terminate(), Some(0));
    for _ in 0..2 {
        assert!(client.reply().text().starts_with("UNBLOCKED "));
    }
}
