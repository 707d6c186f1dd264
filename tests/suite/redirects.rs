//! MOVED and ASK: followed, bounded, never shown, never out of order.

use crate::support::{
    Act, Client, FakeCluster, Gate, Proxy, Value, eventually, resp::encode, with_1_and_4_workers,
};

fn two_nodes(threads: usize) -> (FakeCluster, Proxy) {
    let cluster = FakeCluster::start(2);
    let proxy = Proxy::before(&cluster.seeds(), threads, &["--retry-deadline", "2s"]);
    (cluster, proxy)
}

/// What a node says for a key that it gave away.
fn gave_away(cluster: &FakeCluster, from: usize, key: &str, to: usize) {
    for name in ["GET", "SET", "INCR", "APPEND"] {
        cluster.always(from, &format!("{name} {key}"), cluster.redirect("MOVED", key, to));
    }
}

fn send_all(client: &mut Client, lines: &[String]) {
    let bytes: Vec<u8> = lines.iter().flat_map(|line| encode(&line.split(' ').collect::<Vec<_>>())).collect();
    client.send_raw(&bytes);
}

with_1_and_4_workers! {
    fn a_moved_is_followed_and_remembered(threads) {
        let (cluster, proxy) = two_nodes(threads);
        let from = cluster.owner("a");
        gave_away(&cluster, from, "a", 1 - from);
        let mut client = proxy.client();
        assert_eq!(client.run("SET a 1"), Value::ok());
        eventually("the slot is patched", || {
            let before = cluster.count(from, "GET a");
            assert_eq!(client.run("GET a"), Value::bulk("1"));
            (cluster.count(from, "GET a") == before).then_some(())
        });
        proxy.reaches("slotway_redirects_total{kind=\"moved\"}", 1.0);
    }

    fn a_moved_to_an_unknown_address_is_dialled(threads) {
        let mut cluster = FakeCluster::start(1);
        let stranger = cluster.add_stranger();
        cluster.announce(stranger, Some("127.0.0.1"));
        let proxy = Proxy::before(&cluster.seeds()[..1], threads, &[]);
        gave_away(&cluster, 0, "a", stranger);
        let mut client = proxy.client();
        assert_eq!(client.run("SET a 1"), Value::ok());
        assert_eq!(client.run("GET a"), Value::bulk("1"));
        assert!(cluster.seen(stranger).contains(&"SET a 1".to_owned()));
    }

    fn an_empty_host_in_a_redirect_is_the_node_that_said_it(threads) {
        let (cluster, proxy) = two_nodes(threads);
        let from = cluster.owner("a");
        let slot = crate::support::slot::slot_of(b"a");
        cluster.on(from, "GET a", Act::reply(&format!("-MOVED {slot} :{}", cluster.port(1 - from))));
        assert_eq!(proxy.client().run("GET a"), Value::Nil);
        assert_eq!(cluster.seen(1 - from), ["GET a"]);
    }

    fn an_ask_is_followed_with_asking_right_before_and_not_remembered(threads) {
        let (cluster, proxy) = two_nodes(threads);
        let from = cluster.owner("a");
        let mut client = proxy.client();
        for n in 0..3 {
            cluster.on(from, "APPEND a", cluster.redirect("ASK", "a", 1 - from));
            assert_eq!(client.run("APPEND a x"), Value::Integer(n + 1));
        }
        assert_eq!(cluster.seen(1 - from), ["ASKING", "APPEND a x"].repeat(3));
        assert_eq!(client.run("GET a"), Value::bulk("xxx"));
        assert!(cluster.seen(from).contains(&"GET a".to_owned()));
        proxy.reaches("slotway_redirects_total{kind=\"ask\"}", 3.0);
    }

    fn asking_stays_before_its_request_among_many_clients(threads) {
        let (cluster, proxy) = two_nodes(threads);
        let from = cluster.owner("a");
        cluster.always(from, "APPEND a", cluster.redirect("ASK", "a", 1 - from));
        let mut clients: Vec<_> = (0..6).map(|_| proxy.client()).collect();
        let key = (0..).map(|n| format!("other{n}")).find(|key| cluster.owner(key) != from).unwrap();
        for client in &mut clients {
            let pair = ["APPEND a x", &format!("APPEND {key} y")];
            send_all(client, &pair.repeat(30).into_iter().map(str::to_owned).collect::<Vec<_>>());
        }
        for client in &mut clients {
            assert!((0..60).all(|_| matches!(client.reply(), Value::Integer(_))));
        }
        let connections_mixed = cluster.seen(1 - from);
        let asked = connections_mixed.iter().filter(|line| *line == "ASKING").count();
        assert_eq!(asked, 180);
        if threads == 1 {
            let pairs =
                connections_mixed.windows(2).filter(|pair| pair[0] == "ASKING" && pair[1] == "APPEND a x");
            assert_eq!(pairs.count(), 180);
        }
    }

    fn nodes_that_send_each_other_the_request_are_not_followed_for_ever(threads) {
        let (cluster, proxy) = two_nodes(threads);
        gave_away(&cluster, 0, "a", 1);
        gave_away(&cluster, 1, "a", 0);
        let mut client = proxy.client();
        let reply = client.run("GET a");
        assert!(reply.is_error() && !reply.text().starts_with("MOVED"), "{reply:?}");
        let hops = cluster.count(0, "GET a") + cluster.count(1, "GET a");
        assert!(hops < 200, "{hops} hops");
        assert_eq!(client.run("PING").text(), "PONG");
        proxy.reaches("slotway_retries_total{reason=\"redirects\"}", 1.0);
    }

    fn redirects_that_make_no_sense_harm_nobody(threads) {
        let (cluster, proxy) = two_nodes(threads);
        let from = cluster.owner("a");
        let mut client = proxy.client();
        for line in [
            "-MOVED",
            "-MOVED x y",
            "-MOVED 99999 127.0.0.1:1",
            "-MOVED 1",
            "-ASK 1 nowhere",
            "-ASK",
            "-MOVED 1 127.0.0.1:999999",
            "-MOVED 15495 :",
        ] {
            cluster.on(from, "GET a", Act::reply(line));
            client.run("GET a");
            assert_eq!(client.run("PING").text(), "PONG", "{line}");
        }
        assert_eq!(client.run("SET a 1"), Value::ok());
    }

    fn order_on_a_slot_survives_its_move(threads) {
        let (cluster, proxy) = two_nodes(threads);
        let from = cluster.owner("a");
        let mut client = proxy.client();
        client.run("SET a -");
        let gate = Gate::new();
        cluster.on(from, "APPEND a 0", Act::Hold(gate.clone()));
        let lines: Vec<String> = (0..9).map(|n| format!("APPEND a {n}")).collect();
        send_all(&mut client, &lines);
        cluster.wait_for(from, "APPEND a 0");
        for n in 4..9 {
            cluster.always(from, &format!("APPEND a {n}"), cluster.redirect("MOVED", "a", 1 - from));
        }
        gate.open();
        for n in 0..9 {
            assert_eq!(client.reply(), Value::Integer(n + 2));
        }
        assert_eq!(client.run("GET a"), Value::bulk("-012345678"));
    }

    fn requests_that_are_all_redirected_keep_their_order(threads) {
        let (cluster, proxy) = two_nodes(threads);
        let from = cluster.owner("a");
        let mut client = proxy.client();
        for name in ["APPEND a", "GET a"] {
            cluster.always(from, name, cluster.redirect("ASK", "a", 1 - from));
        }
        let mut lines = vec!["SET a 0".to_owned()];
        lines.extend((1..9).map(|n| format!("APPEND a {n}")));
        lines.push("GET a".to_owned());
        for round in 0..20 {
            send_all(&mut client, &lines);
            let replies: Vec<Value> = lines.iter().map(|_| client.reply()).collect();
            assert_eq!(replies[9], Value::bulk("012345678"), "round {round}");
        }
    }
}
