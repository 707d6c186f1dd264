//! WATCH and UNWATCH: a connection of the client's own until EXEC, and nil whenever it could not be kept.

use crate::support::{
    Act, FakeCluster, Kind, Proxy, Setup, Value, eventually, everywhere, with_1_and_4_workers,
};

fn one_node(threads: usize, flags: &[&str]) -> (FakeCluster, Proxy) {
    let cluster = FakeCluster::start(1);
    let proxy = Proxy::before(&cluster.seeds(), threads, flags);
    (cluster, proxy)
}

/// What EXEC answers in RESP2 when a watched key changed.
const CHANGED: Value = Value::NilArray;

everywhere! {
    fn a_watched_key_that_changed_stops_the_transaction(setup) {
        let proxy = setup.proxy();
        let key = setup.key("{changed}");
        let (set, get) = (format!("SET {key} mine"), format!("GET {key}"));
        for (version, nil) in [("2", Value::NilArray), ("3", Value::Null)] {
            let (mut client, mut other) = (proxy.client(), proxy.client());
            client.run(&format!("HELLO {version}"));
            other.request(&["SET", &key, "first"]);
            assert_eq!(client.run(&format!("WATCH {key}2 {key}")), Value::ok());
            assert_eq!(client.run(&get), Value::bulk("first"));
            assert_eq!(other.request(&["SET", &key, "theirs"]), Value::ok());
            let replies = client.pipeline(&["MULTI", &set, "EXEC", &get]);
            assert_eq!(replies[2..], [nil, Value::bulk("theirs")]);
            let replies = client.pipeline(&["MULTI", &set, "EXEC", &get]);
            assert_eq!(replies[2..], [Value::Array(vec![Value::ok()]), Value::bulk("mine")], "no watch is left");
        }
    }

    fn a_watched_key_that_did_not_change_lets_it_run(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        let key = setup.key("{same}");
        for n in 1..30 {
            let (watch, incr, get) = (format!("WATCH {key}"), format!("INCR {key}"), format!("GET {key}"));
            let replies = client.pipeline(&[&watch, &watch, &get, "MULTI", &incr, &get, "EXEC", &get]);
            let run = Value::Array(vec![Value::Integer(n), Value::bulk(n.to_string())]);
            assert_eq!(replies[6..], [run, Value::bulk(n.to_string())]);
        }
    }

    fn a_counter_with_optimistic_locks_counts_right(setup) {
        let proxy = setup.proxy();
        let key = setup.key("{locks}");
        proxy.client().request(&["SET", &key, "0"]);
        let add = |_| {
            let (mut client, key) = (proxy.client(), key.clone());
            std::thread::spawn(move || {
                let mut done = 0;
                while done < 20 {
                    client.request(&["WATCH", &key]);
                    let value: i64 = client.request(&["GET", &key]).text().parse().expect("a number");
                    client.run("MULTI");
                    client.request(&["SET", &key, &(value + 1).to_string()]);
                    done += i64::from(client.run("EXEC") != CHANGED);
                }
            })
        };
        let threads: Vec<_> = (0..4).map(add).collect();
        threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
        assert_eq!(proxy.client().request(&["GET", &key]), Value::bulk("80"));
    }

    fn watches_are_of_one_slot_and_so_is_their_transaction(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        let key = setup.key("{slot}");
        assert_eq!(client.request(&["WATCH", &key]), Value::ok());
        assert!(client.run("WATCH other").text().starts_with("CROSSSLOT "));
        assert!(client.run("WATCH other another").text().starts_with("CROSSSLOT "));
        let replies = client.pipeline(&["MULTI", "GET other", "EXEC"]);
        assert!(replies[1].text().starts_with("CROSSSLOT "), "{:?}", replies[1]);
        assert!(replies[2].text().starts_with("EXECABORT "), "{:?}", replies[2]);
        assert_eq!(client.run("WATCH other"), Value::ok(), "the abort ended the watch");
        assert_eq!(client.pipeline(&["MULTI", "PING", "EXEC"])[2].items().len(), 1);
        assert!(client.run("WATCH").text().contains("wrong number of arguments"));
    }

    fn unwatch_discard_and_reset_forget_it(setup) {
        let proxy = setup.proxy();
        let (mut client, mut other) = (proxy.client(), proxy.client());
        let key = setup.key("{forget}");
        let set = format!("SET {key} mine");
        for forget in [&["UNWATCH"][..], &["MULTI", "DISCARD"], &["RESET"], &["MULTI", "NOSUCH x", "EXEC"]] {
            client.request(&["WATCH", &key]);
            other.request(&["INCR", &(key.clone() + "n")]);
            other.request(&["SET", &key, "theirs"]);
            client.pipeline(forget);
            let replies = client.pipeline(&["MULTI", &set, "EXEC"]);
            assert_eq!(replies[2], Value::Array(vec![Value::ok()]), "{forget:?}");
        }
    }

    fn an_empty_transaction_tells_too(setup) {
        let proxy = setup.proxy();
        let (mut client, mut other) = (proxy.client(), proxy.client());
        let key = setup.key("{empty}");
        client.request(&["WATCH", &key]);
        assert_eq!(client.pipeline(&["MULTI", "EXEC"])[1], Value::Array(vec![]));
        client.request(&["WATCH", &key]);
        other.request(&["SET", &key, "theirs"]);
        assert_eq!(client.pipeline(&["MULTI", "EXEC"])[1], CHANGED);
    }

    fn a_connection_goes_from_client_to_client_without_its_watch(setup) {
        let proxy = setup.proxy();
        let key = setup.key("{handed}");
        for n in 0..30 {
            let mut client = proxy.client();
            client.request(&["WATCH", &key]);
            client.run(if n % 2 == 0 { "UNWATCH" } else { "QUIT" });
            proxy.client().request(&["SET", &key, "theirs"]);
            let mut next = proxy.client();
            next.request(&["WATCH", &(key.clone() + "other")]);
            let set = format!("SET {key} mine");
            assert_eq!(next.pipeline(&["MULTI", &set, "EXEC"])[2], Value::Array(vec![Value::ok()]));
        }
    }

    fn client_list_shows_what_is_queued_and_watched(setup) {
        let proxy = setup.proxy();
        let (mut client, mut other) = (proxy.client(), proxy.client());
        let id = client.run("CLIENT ID").integer();
        client.pipeline(&["WATCH {w}a {w}b", "MULTI", "GET {w}a"]);
        let line = other.run(&format!("CLIENT LIST ID {id}")).text();
        assert!(line.contains(" flags=x ") && line.contains(" multi=1 watch=2 "), "{line}");
    }
}

with_1_and_4_workers! {
    fn a_watch_whose_connection_is_lost_never_succeeds(threads) {
        let (cluster, proxy) = one_node(threads, &[]);
        let mut client = proxy.client();
        client.run("WATCH a");
        cluster.stop(0);
        cluster.resume(0);
        assert_eq!(client.pipeline(&["MULTI", "SET a 1", "EXEC"])[2], CHANGED);
        client.run("WATCH a");
        cluster.on(0, "WATCH {a}2", Act::Close);
        assert_eq!(client.run("WATCH {a}2"), Value::ok());
        assert_eq!(client.run("WATCH {a}3"), Value::ok());
        assert_eq!(client.pipeline(&["MULTI", "SET a 1", "EXEC"])[2], CHANGED);
        assert_eq!(client.run("GET a"), Value::Nil);
        client.run("WATCH a");
        assert_eq!(client.pipeline(&["MULTI", "SET a 1", "EXEC"])[2], Value::Array(vec![Value::ok()]));
    }

    fn a_watch_whose_slot_moved_never_succeeds(threads) {
        for (line, error) in [
            ("SET a", "MOVED"),
            ("SET a", "ASK"),
            ("EXEC", "MOVED"),
            ("SET a", "-TRYAGAIN x"),
            ("SET a", "-CLUSTERDOWN x"),
            ("EXEC", "-EXECABORT Transaction discarded because of: READONLY x"),
        ] {
            let cluster = FakeCluster::start(2);
            let proxy = Proxy::before(&cluster.seeds(), threads, &[]);
            let owner = cluster.owner("a");
            let mut client = proxy.client();
            assert_eq!(client.run("WATCH a"), Value::ok());
            let act = match error.strip_prefix('-') {
                Some(_) => Act::reply(error),
                None => cluster.redirect(error, "a", 1 - owner),
            };
            cluster.on(owner, line, act);
            assert_eq!(client.pipeline(&["MULTI", "SET a 1", "EXEC"])[2], CHANGED, "{line} {error}");
            assert_eq!(client.run("GET a"), Value::Nil);
        }
    }

    fn a_watch_is_redirected_like_any_request(threads) {
        for kind in ["MOVED", "ASK"] {
            let cluster = FakeCluster::start(2);
            let proxy = Proxy::before(&cluster.seeds(), threads, &[]);
            let owner = cluster.owner("a");
            let mut client = proxy.client();
            cluster.on(owner, "WATCH a", Act::reply("-TRYAGAIN x"));
            cluster.on(owner, "WATCH a", cluster.redirect(kind, "a", 1 - owner));
            assert_eq!(client.run("WATCH a"), Value::ok());
            assert_eq!(client.pipeline(&["MULTI", "SET a 1", "EXEC"])[2], Value::Array(vec![Value::ok()]));
            let asked = ["ASKING", "WATCH a", "ASKING", "MULTI", "SET a 1", "EXEC"];
            let seen = cluster.seen(1 - owner);
            assert_eq!(seen, if kind == "ASK" { asked.to_vec() } else { vec!["WATCH a", "MULTI", "SET a 1", "EXEC"] });
        }
    }

    fn exec_that_was_lost_may_have_run_unless_it_only_reads(threads) {
        let (cluster, proxy) = one_node(threads, &["--backend-timeout", "500ms"]);
        let mut client = proxy.client();
        for act in [Act::Close, Act::Stall] {
            client.run("WATCH a");
            cluster.on(0, "EXEC", act.clone());
            let reply = client.pipeline(&["MULTI", "SET a 1", "EXEC"]).remove(2);
            assert!(reply.text().contains("may have been executed"), "{reply:?}");
            client.run("WATCH a");
            cluster.on(0, "EXEC", act);
            assert_eq!(client.pipeline(&["MULTI", "GET a", "EXEC"])[2], CHANGED);
        }
    }

    fn what_was_sent_before_is_answered_before_exec_goes_out(threads) {
        let (cluster, proxy) = one_node(threads, &[]);
        let mut client = proxy.client();
        client.run("WATCH a");
        let gate = crate::support::Gate::new();
        cluster.on(0, "APPEND a 1", Act::Hold(gate.clone()));
        client.send_raw(b"APPEND a 1\r\nMULTI\r\nAPPEND a 2\r\nEXEC\r\nAPPEND a 3\r\n");
        cluster.wait_for(0, "APPEND a 1");
        gate.open();
        let replies: Vec<Value> = (0..5).map(|_| client.reply()).collect();
        assert_eq!(replies[3], Value::Array(vec![Value::Integer(2)]));
        assert_eq!(replies[4], Value::Integer(3));
        assert_eq!(client.run("GET a"), Value::bulk("123"));
    }

    fn a_change_of_protocol_loses_the_watch(threads) {
        let (_cluster, proxy) = one_node(threads, &[]);
        let mut client = proxy.client();
        client.run("WATCH a");
        client.run("HELLO 3");
        assert_eq!(client.pipeline(&["MULTI", "SET a 1", "EXEC"])[2], Value::Null);
    }

    fn connections_of_watches_are_bounded_and_used_again(threads) {
        let flags = ["--dedicated-connections", "1", "--retry-deadline", "300ms"];
        let (cluster, proxy) = one_node(threads, &flags);
        let mut clients: Vec<_> = (0..threads * 2).map(|_| proxy.client()).collect();
        let replies: Vec<Value> = clients.iter_mut().map(|client| client.run("WATCH a")).collect();
        let watching = replies.iter().filter(|reply| **reply == Value::ok()).count();
        assert_eq!(watching, threads, "one for each worker: {replies:?}");
        let refused = replies.iter().filter(|reply| reply.text().contains("dedicated-connections")).count();
        assert_eq!(refused, threads);
        for client in &mut clients {
            client.run("UNWATCH");
        }
        for client in &mut clients {
            eventually("a connection is free again", || (client.run("WATCH a") == Value::ok()).then_some(()));
            client.run("UNWATCH");
        }
        let dialled = cluster.everything_seen(0).iter().filter(|line| *line == "CLIENT ID").count();
        assert_eq!(dialled, threads, "none was dialled twice");
    }
}
