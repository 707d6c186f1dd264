//! Order and completeness of replies, however the requests arrive.

use crate::support::{
    Act, Client, FakeCluster, Gate, Kind, Proxy, Random, Setup, Value, encode, eventually, everywhere,
    with_1_and_4_workers,
};

/// Requests in one write: more than a client has in flight, several reads of slotway and of a node.
const LONG: usize = 10_000;
/// A node that owes so many replies, or half of them, is given little more until it answers.
const OWED: usize = 128;
/// Bytes of a request for a key of one letter.
const GET: usize = "*2\r\n$3\r\nGET\r\n$1\r\na\r\n".len();

/// A client that may have [`OWED`] requests and more in flight: it was answered as many.
fn seasoned(proxy: &Proxy) -> Client {
    let mut client = proxy.client();
    client.send_raw(&encode(&["GET", "w"]).repeat(OWED));
    for _ in 0..OWED {
        assert_eq!(client.reply(), Value::Nil);
    }
    client
}

everywhere! {
    fn a_pipeline_of_ten_thousand_is_answered_in_order(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        let (mut sets, mut gets) = (Vec::new(), Vec::new());
        for n in 0..LONG {
            let (key, value) = (setup.key(format!("long:{n}")), n.to_string());
            sets.extend(encode(&["SET", &key, &value]));
            gets.extend(encode(&["GET", &key]));
        }
        client.send_raw(&sets);
        for n in 0..LONG {
            assert_eq!(client.reply(), Value::ok(), "SET {n}");
        }
        client.send_raw(&gets);
        for n in 0..LONG {
            assert_eq!(client.reply(), Value::bulk(n.to_string()), "GET {n}");
        }
    }

    fn a_pipeline_of_local_and_forwarded_requests_keeps_its_order(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        let lines: Vec<String> = (0..300)
            .map(|n| match n % 4 {
                0 => format!("ECHO {n}"),
                1 => format!("SET {} {n}", setup.key(format!("mixed:{n}"))),
                2 => format!("NOSUCHCOMMAND {n}"),
                _ => "PING".to_owned(),
            })
            .collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        for (n, reply) in client.pipeline(&lines).into_iter().enumerate() {
            match n % 4 {
                0 => assert_eq!(reply, Value::bulk(n.to_string())),
                2 => assert!(reply.is_error(), "{n}: {reply:?}"),
                3 => assert_eq!(reply.text(), "PONG"),
                _ => assert_eq!(reply, Value::ok()),
            }
        }
    }

    fn a_client_that_sends_byte_by_byte_is_understood(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        let key = setup.key("bytewise");
        let mut bytes = encode(&["SET", &key, "a\r\nb"]);
        bytes.extend(b"GET ".iter().chain(key.as_bytes()).chain(b"\r\n"));
        bytes.extend(encode(&["MGET", &key, "bytewise:none"]));
        for byte in bytes {
            client.send_raw(&[byte]);
        }
        assert_eq!(client.reply(), Value::ok());
        assert_eq!(client.reply(), Value::bulk("a\r\nb"));
        assert_eq!(client.reply(), Value::Array(vec![Value::bulk("a\r\nb"), Value::Nil]));
    }

    fn requests_cut_anywhere_are_understood(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        let mut random = Random::new();
        for round in 0..20 {
            let value = random.bytes(400);
            let key = setup.key(format!("cut:{round}"));
            let bytes = [encode(&[&b"SET"[..], key.as_bytes(), &value]), encode(&["GET", &key])].concat();
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let (now, later) = rest.split_at((1 + random.below(90)).min(rest.len()));
                client.send_raw(now);
                rest = later;
            }
            assert_eq!(client.reply(), Value::ok(), "seed {}", random.seed());
            assert_eq!(client.reply(), Value::Bulk(value), "seed {}", random.seed());
        }
    }

    fn each_client_sees_its_own_writes_in_order_on_all_slots(setup) {
        let proxy = setup.proxy();
        let mut random = Random::new();
        let mut clients: Vec<_> = (0..8).map(|_| proxy.client()).collect();
        let mut counts = vec![[0_i64; 5]; clients.len()];
        for _ in 0..20 {
            for (number, client) in clients.iter_mut().enumerate() {
                let picks: Vec<usize> = (0..50).map(|_| random.below(5)).collect();
                let key = |pick: usize| setup.key(format!("own:{number}:{pick}"));
                let bytes: Vec<u8> = picks.iter().flat_map(|&pick| encode(&["INCR", &key(pick)])).collect();
                client.send_raw(&bytes);
                for pick in picks {
                    counts[number][pick] += 1;
                    let reply = client.reply();
                    assert_eq!(reply, Value::Integer(counts[number][pick]), "seed {}", random.seed());
                }
            }
        }
    }

    fn binary_keys_and_values_pass_unchanged(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        let all: Vec<u8> = (0..=255).collect();
        for key in [
            &all[..],
            b"",
            b"\r\n",
            b"$5\r\nhello\r\n",
            b"\0",
            b"{",
            b"{}",
            b"}{",
            "schl\u{fc}ssel".as_bytes(),
        ] {
            let value = [key, &all].concat();
            assert_eq!(client.request(&[&b"SET"[..], key, &value]), Value::ok(), "{}", key.escape_ascii());
            assert_eq!(client.request(&[&b"GET"[..], key]), Value::Bulk(value), "{}", key.escape_ascii());
        }
    }
}

with_1_and_4_workers! {
    fn a_reply_does_not_wait_for_a_node_that_hangs(threads) {
        let cluster = FakeCluster::start(2);
        let (quick, slow) = ("foo", "bar");
        assert_ne!(cluster.owner(quick), cluster.owner(slow));
        let proxy = Proxy::before(&cluster.seeds(), threads, &["--backend-timeout", "0"]);
        let gate = Gate::new();
        cluster.on(cluster.owner(slow), "GET", Act::Hold(gate.clone()));
        let mut client = proxy.client();
        let pipeline = ["GET", "GET", "ECHO"].map(|name| encode(&[name, quick]));
        client.send_raw(&[&pipeline[0][..], &encode(&["GET", slow]), &pipeline[1], &pipeline[2]].concat());
        assert_eq!(client.reply(), Value::Nil, "it is there before the other");
        gate.open();
        assert_eq!([client.reply(), client.reply()], [Value::Nil, Value::Nil]);
        assert_eq!(client.reply(), Value::bulk(quick));
    }

    fn little_waits_for_a_busy_node_until_it_answers(threads) {
        let cluster = FakeCluster::start(1);
        let proxy = Proxy::before(&cluster.seeds(), threads, &["--backend-timeout", "0"]);
        let mut client = seasoned(&proxy);
        let (first, second) = (Gate::new(), Gate::new());
        cluster.on(0, "GET a", Act::Hold(first.clone()));
        cluster.on(0, "GET a", Act::Hold(second.clone()));
        let node = format!("127.0.0.1:{}", cluster.port(0));
        let in_flight = || proxy.metric(&format!("slotway_backend_in_flight{{node=\"{node}\"}}"));
        let becomes = |count: usize| {
            eventually(&format!("{count} in flight"), || (in_flight() == count as f64).then_some(()));
        };
        client.send_raw(&encode(&["GET", "a"]).repeat(OWED));
        becomes(OWED);
        client.send(&["GET", "b"]);
        eventually("the last request is read", || {
            let list = proxy.client().run("CLIENT LIST");
            list.text().contains(&format!("tot-net-in={}", (2 * OWED + 1) * GET)).then_some(())
        });
        assert_eq!(in_flight(), OWED as f64, "it waits");
        first.open();
        assert_eq!(client.reply(), Value::Nil);
        becomes(OWED);
        second.open();
        for n in 1..=OWED {
            assert_eq!(client.reply(), Value::Nil, "{n}");
        }
    }
}
