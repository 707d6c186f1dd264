//! MULTI, EXEC and DISCARD: queued here, run whole on one node, sent again only if nothing ran.

use crate::support::{
    Act, Client, Cluster, FakeCluster, Gate, Kind, Proxy, Setup, Value, crosswise, everywhere,
    server::Server, with_1_and_4_workers,
};

/// What one transaction after the other answers, on a node and here; `%` is a key, and so is `%2`.
const DIALOGUE: &[&str] = &[
    "EXEC",
    "DISCARD",
    "EXEC x",
    "MULTI",
    "SET % 1",
    "EXEC x",
    "GET %",
    "MULTI",
    "EXEC",
    "MULTI",
    "SET % 1",
    "INCR %",
    "GET %",
    "LPUSH % x",
    "GET %none",
    "EXEC",
    "MULTI",
    "INCR %",
    "DISCARD",
    "GET %",
    "MULTI",
    "NOSUCH x",
    "SET % 9",
    "EXEC",
    "GET %",
    "MULTI",
    "GET",
    "INCR %",
    "EXEC",
    "MULTI",
    "MULTI",
    "DISCARD",
    "MULTI",
    "MSET % 5 %2 6",
    "MGET % %2 %3",
    "DEL % %2",
    "EXISTS % %2",
    "EXEC",
    "MULTI",
    "ECHO hi",
    "PING",
    "PUBLISH c m",
    "EXEC",
    "MULTI",
    "BLPOP % 0",
    "BRPOPLPUSH % %2 1",
    "BLMPOP 0 1 % LEFT",
    "XREAD BLOCK 1000 STREAMS % 0",
    "UNWATCH",
    "EXEC",
    "UNWATCH",
    "MULTI",
    "EVAL return(redis.call('incr',KEYS[1])) 1 %",
    "ZADD % 1 x",
    "EXEC",
    "MULTI",
    "HSET %2 f v",
    "HGETALL %2",
    "SET %3 1 EX 100",
    "TTL %3",
    "EXEC",
    "MULTI",
    "RESET",
    "EXEC",
];

fn one_node(threads: usize, flags: &[&str]) -> (FakeCluster, Proxy) {
    let cluster = FakeCluster::start(1);
    let proxy = Proxy::before(&cluster.seeds(), threads, flags);
    (cluster, proxy)
}

fn two_nodes(threads: usize) -> (FakeCluster, Proxy, usize) {
    let cluster = FakeCluster::start(2);
    let proxy = Proxy::before(&cluster.seeds(), threads, &["--retry-deadline", "2s"]);
    let owner = cluster.owner("a");
    (cluster, proxy, owner)
}

/// The reply to EXEC of a transaction sent in one write.
fn last(client: &mut Client, lines: &[&str]) -> Value {
    client.pipeline(lines).pop().expect("replies")
}

everywhere! {
    fn a_dialogue_is_that_of_a_single_server(setup) {
        let (proxy, server) = (setup.proxy(), Server::single(Kind::Redis));
        for version in ["2", "3"] {
            let (mut proxied, mut direct) = (proxy.client(), server.client());
            let tag = setup.key(format!("{{dialogue{version}}}"));
            let greeting = format!("HELLO {version}");
            assert!(!proxied.run(&greeting).is_error() && !direct.run(&greeting).is_error());
            for line in DIALOGUE {
                let line = line.replace('%', &tag);
                assert_eq!(proxied.run(&line), direct.run(&line), "{line}");
            }
        }
    }

    fn a_dialogue_sent_in_one_write_is_too(setup) {
        let (proxy, server) = (setup.proxy(), Server::single(Kind::Redis));
        let (mut proxied, mut direct) = (proxy.client(), server.client());
        let tag = setup.key("{write}");
        let lines: Vec<String> = DIALOGUE.iter().map(|line| line.replace('%', &tag)).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        assert_eq!(proxied.pipeline(&lines), direct.pipeline(&lines));
    }

    fn keys_of_two_slots_are_refused_where_they_are_queued(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        let key = setup.key("{two}");
        let queued = Value::Simple(b"QUEUED".to_vec());
        for second in ["GET other", "MGET x y", "DEL other another"] {
            let replies = client.pipeline(&["MULTI", &format!("SET {key} 1"), second, "EXEC"]);
            assert_eq!(replies[..2], [Value::ok(), queued.clone()]);
            assert!(replies[2].text().starts_with("CROSSSLOT "), "{second}: {:?}", replies[2]);
            let aborted = "EXECABORT Transaction discarded because of previous errors.";
            assert_eq!(replies[3], Value::error(aborted));
        }
        assert_eq!(client.request(&["EXISTS", &key]), Value::Integer(0));
    }

    fn what_slotway_answers_itself_is_refused_inside(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        for line in ["HELLO 3", "CLIENT ID", "INFO", "SELECT 0", "CONFIG GET save", "SUBSCRIBE a", "MONITOR"] {
            let replies = client.pipeline(&["MULTI", line, "EXEC"]);
            assert!(replies[1].is_error(), "{line}: {:?}", replies[1]);
            assert!(replies[2].text().starts_with("EXECABORT "), "{line}: {:?}", replies[2]);
        }
    }

    fn transactions_of_many_clients_never_mix(setup) {
        let proxy = setup.proxy();
        let key = setup.key("{mix}");
        let mut clients: Vec<_> = (0..8).map(|_| proxy.client()).collect();
        let (incr, get) = (format!("INCR {key}"), format!("GET {key}"));
        let lines = ["MULTI", &incr, &incr, &get, "EXEC", &get];
        for _ in 0..30 {
            for client in &mut clients {
                let bytes: Vec<u8> = lines
                    .iter()
                    .flat_map(|line| crate::support::encode(&line.split(' ').collect::<Vec<_>>()))
                    .collect();
                client.send_raw(&bytes);
            }
            for client in &mut clients {
                let replies: Vec<Value> = lines.iter().map(|_| client.reply()).collect();
                let run = replies[4].items();
                let first = run[0].integer();
                assert_eq!((run[1].integer(), run[2].text()), (first + 1, (first + 1).to_string()));
                assert!(first % 2 == 1, "another transaction came between");
            }
        }
        assert_eq!(clients[0].request(&["GET", &key]), Value::bulk("480"));
    }

    fn a_client_that_dies_in_the_middle_leaves_nothing(setup) {
        let proxy = setup.proxy();
        let key = setup.key("{dies}");
        for _ in 0..20 {
            let mut client = proxy.client();
            client.run("MULTI");
            client.request(&["SET", &key, "1"]);
        }
        let mut client = proxy.client();
        assert_eq!(client.request(&["EXISTS", &key]), Value::Integer(0));
    }

    fn a_long_transaction_with_large_values_is_one(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        let (key, value) = (setup.key("{long}"), "v".repeat(3000));
        client.run("MULTI");
        for n in 0..2000 {
            client.send(&["HSET", &key, &n.to_string(), &value]);
        }
        for _ in 0..2000 {
            assert_eq!(client.reply().text(), "QUEUED");
        }
        assert_eq!(client.run("EXEC").items().len(), 2000);
        assert_eq!(client.request(&["HLEN", &key]), Value::Integer(2000));
    }
}

crosswise! {
    fn transactions_survive_the_move_of_their_slot(setup) {
        let cluster = Cluster::start(setup.kind, 2, 0);
        let proxy = Proxy::of(&cluster, setup.threads, &["--retry-deadline", "10m"]);
        let (slot, from) = (crate::support::slot::slot_of(b"t"), cluster.first_owner("t"));
        let mut filler = cluster.client(from);
        for n in 0..300 {
            filler.run(&format!("SET {{t}}filler{n} x"));
        }
        let mut client = proxy.client();
        client.pipeline(&["SET {t}a 0", "SET {t}b 0"]);
        std::thread::scope(|scope| {
            let moving = scope.spawn(|| cluster.migrate(slot, from, 1 - from));
            let mut count = 0;
            while !moving.is_finished() || count < 200 {
                count += 1;
                let replies = client.pipeline(&["MULTI", "INCR {t}a", "INCR {t}b", "GET {t}a", "EXEC", "GET {t}b"]);
                let (number, text) = (Value::Integer(count), Value::bulk(count.to_string()));
                assert_eq!(replies[4], Value::Array(vec![number.clone(), number, text.clone()]));
                assert_eq!(replies[5], text);
            }
        });
        assert_eq!(cluster.client(1 - from).run("EXISTS {t}a {t}b"), Value::Integer(2));
    }
}

with_1_and_4_workers! {
    fn a_transaction_costs_one_round_trip(threads) {
        let (cluster, proxy) = one_node(threads, &[]);
        let mut client = proxy.client();
        cluster.on(0, "MULTI", Act::Stall);
        client.send_raw(b"MULTI\r\nINCR a\r\nINCR a\r\nEXEC\r\n");
        cluster.wait_for(0, "EXEC");
        assert_eq!(cluster.seen(0), ["MULTI", "INCR a", "INCR a", "EXEC"]);
    }

    fn nothing_is_sent_before_exec(threads) {
        let (cluster, proxy) = one_node(threads, &[]);
        let mut client = proxy.client();
        client.pipeline(&["MULTI", "SET a 1", "DISCARD"]);
        client.pipeline(&["MULTI", "SET a 1"]);
        assert_eq!(proxy.client().run("GET a"), Value::Nil);
        assert_eq!(cluster.seen(0), ["GET a"]);
        assert_eq!(client.run("EXEC"), Value::Array(vec![Value::ok()]));
    }

    fn a_redirect_while_queueing_is_followed(threads) {
        for kind in ["MOVED", "ASK"] {
            let (cluster, proxy, owner) = two_nodes(threads);
            let mut client = proxy.client();
            cluster.on(owner, "INCR a", cluster.redirect(kind, "a", 1 - owner));
            let reply = last(&mut client, &["MULTI", "INCR a", "INCR a", "EXEC"]);
            assert_eq!(reply, Value::Array(vec![Value::Integer(1), Value::Integer(2)]), "{kind}");
            let asked = cluster.seen(1 - owner).first().is_some_and(|line| line == "ASKING");
            assert_eq!(asked, kind == "ASK");
        }
    }

    fn a_redirect_at_exec_is_followed(threads) {
        let (cluster, proxy, owner) = two_nodes(threads);
        let mut client = proxy.client();
        cluster.on(owner, "EXEC", cluster.redirect("MOVED", "a", 1 - owner));
        let reply = last(&mut client, &["MULTI", "INCR a", "EXEC"]);
        assert_eq!(reply, Value::Array(vec![Value::Integer(1)]));
        assert_eq!(cluster.seen(1 - owner), ["MULTI", "INCR a", "EXEC"]);
    }

    fn passing_errors_are_waited_out_whenever_they_come(threads) {
        let (cluster, proxy) = one_node(threads, &[]);
        let mut client = proxy.client();
        let errors = ["TRYAGAIN x", "CLUSTERDOWN x", "LOADING x", "MASTERDOWN x", "READONLY x"];
        for (round, error) in (0..).zip(errors) {
            cluster.on(0, "INCR a", Act::reply(&format!("-{error}")));
            let aborted = format!("-EXECABORT Transaction discarded because of: {error}");
            let reply = last(&mut client, &["MULTI", "INCR a", "EXEC"]);
            assert_eq!(reply, Value::Array(vec![Value::Integer(2 * round + 1)]), "{error}");
            cluster.on(0, "EXEC", Act::reply(&aborted));
            let reply = last(&mut client, &["MULTI", "INCR a", "EXEC"]);
            assert_eq!(reply, Value::Array(vec![Value::Integer(2 * round + 2)]), "{error} at EXEC");
        }
    }

    fn an_error_that_stays_is_told_at_the_deadline(threads) {
        let (cluster, proxy) = one_node(threads, &["--retry-deadline", "300ms"]);
        cluster.always(0, "INCR a", Act::reply("-CLUSTERDOWN still"));
        let reply = last(&mut proxy.client(), &["MULTI", "INCR a", "EXEC"]);
        assert_eq!(reply, Value::error("EXECABORT Transaction discarded because of: CLUSTERDOWN still"));
    }

    fn another_error_while_queueing_is_told_at_exec(threads) {
        let (cluster, proxy) = one_node(threads, &[]);
        let mut client = proxy.client();
        cluster.on(0, "SET a", Act::reply("-OOM command not allowed when used memory > 'maxmemory'."));
        let reply = last(&mut client, &["MULTI", "SET a 1", "GET a", "EXEC"]);
        let text = "EXECABORT Transaction discarded because of: OOM command not allowed when used memory > 'maxmemory'.";
        assert_eq!(reply, Value::error(text));
        assert_eq!(client.run("GET a"), Value::Nil);
        assert_eq!(cluster.count(0, "EXEC"), 1);
    }

    fn a_transaction_lost_before_exec_was_answered_may_have_run(threads) {
        let (cluster, proxy) = one_node(threads, &[]);
        let mut client = proxy.client();
        client.run("SET a 1");
        for (at, act) in [("EXEC", Act::Close), ("EXEC", Act::Cut(b"*1\r\n:".to_vec())), ("MULTI", Act::Close)] {
            cluster.on(0, at, act);
            let reply = last(&mut client, &["MULTI", "INCR a", "EXEC"]);
            assert!(reply.text().contains("may have been executed"), "{at}: {reply:?}");
        }
        assert_eq!(last(&mut client, &["MULTI", "INCR b", "EXEC"]), Value::Array(vec![Value::Integer(1)]));
    }

    fn a_transaction_that_only_reads_is_sent_again(threads) {
        let (cluster, proxy) = one_node(threads, &[]);
        let mut client = proxy.client();
        client.run("SET a 1");
        cluster.on(0, "EXEC", Act::Close);
        let reply = last(&mut client, &["MULTI", "GET a", "EXEC"]);
        assert_eq!(reply, Value::Array(vec![Value::bulk("1")]));
        assert_eq!(cluster.count(0, "EXEC"), 2);
    }

    fn a_transaction_waits_for_a_node_that_is_away(threads) {
        let (cluster, proxy) = one_node(threads, &[]);
        let mut client = proxy.client();
        // No worker is connected to the node yet: over a connection just closed the write might still be sent.
        cluster.stop(0);
        client.send_raw(b"MULTI\r\nINCR a\r\nEXEC\r\n");
        assert_eq!((client.reply(), client.reply().text()), (Value::ok(), "QUEUED".to_owned()));
        cluster.resume(0);
        assert_eq!(client.reply(), Value::Array(vec![Value::Integer(1)]));
    }

    fn a_transaction_stays_in_order_with_requests_around_it(threads) {
        let (cluster, proxy, owner) = two_nodes(threads);
        let mut client = proxy.client();
        let gate = Gate::new();
        cluster.on(owner, "APPEND a 0", Act::Hold(gate.clone()));
        for name in ["APPEND a 2", "APPEND a 4"] {
            cluster.on(owner, name, cluster.redirect("MOVED", "a", 1 - owner));
        }
        client.send_raw(b"APPEND a 0\r\nMULTI\r\nAPPEND a 1\r\nAPPEND a 2\r\nEXEC\r\nAPPEND a 3\r\nAPPEND a 4\r\n");
        cluster.wait_for(owner, "APPEND a 0");
        gate.open();
        let replies: Vec<Value> = (0..7).map(|_| client.reply()).collect();
        assert_eq!(replies[4], Value::Array(vec![Value::Integer(2), Value::Integer(3)]));
        assert_eq!(client.run("GET a").text(), "01234");
    }

    fn a_multi_that_a_node_refuses_is_told(threads) {
        let (cluster, proxy) = one_node(threads, &[]);
        cluster.on(0, "MULTI", Act::reply("-NOPERM no"));
        let reply = last(&mut proxy.client(), &["MULTI", "INCR a", "EXEC"]);
        assert!(reply.text().contains("NOPERM") && reply.text().contains("may have been"), "{reply:?}");
    }

    fn a_transaction_is_bounded(threads) {
        let (cluster, proxy) = one_node(threads, &["--client-query-buffer-limit", "64kb"]);
        let mut client = proxy.client();
        let value = "v".repeat(30_000);
        client.run("MULTI");
        let replies: Vec<Value> = (0..4).map(|_| client.request(&["SET", "a", &value])).collect();
        assert_eq!(replies[1].text(), "QUEUED");
        assert!(replies[2].text().contains("client-query-buffer-limit"), "{:?}", replies[2]);
        assert!(client.run("EXEC").text().starts_with("EXECABORT "));
        assert!(cluster.seen(0).is_empty());
    }
}
