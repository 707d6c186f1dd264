//! Big values and clients that don't read: what the proxy may keep in memory.

use std::time::Duration;

use crate::support::{
    Act, Client, FakeCluster, Gate, Kind, Proxy, Setup, Value, crosswise, eventually, resp::encode,
    with_1_and_4_workers,
};

const MIB: usize = 1 << 20;
const BIG: usize = 100 * MIB;
/// What a proxy needs that holds nothing: code, tables, a debug build's generosity.
const BASE: u64 = 32 << 20;

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index % 251).to_le_bytes()[0]).collect()
}

fn peak_is_below(proxy: &Proxy, limit: usize) {
    let peak = proxy.process.memory("VmHWM");
    let allowed = u64::try_from(limit).expect("small") + BASE;
    assert!(peak <= allowed, "{} MiB of {} MiB", peak >> 20, allowed >> 20);
}

crosswise! {
    fn a_value_of_100_mb_passes_both_ways_in_bounded_memory(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        let (key, value) = (setup.key("big"), pattern(BIG));
        assert_eq!(client.request(&[&b"SET"[..], key.as_bytes(), &value]), Value::ok());
        peak_is_below(&proxy, BIG * 3 / 2);
        let Value::Bulk(read) = client.request(&["GET", &key]) else { panic!("a bulk") };
        assert!(read == value, "the value came back changed");
        peak_is_below(&proxy, BIG * 3 / 2);
        client.run(&format!("DEL {key}"));
    }

    fn other_clients_are_served_while_a_big_value_passes(setup) {
        let proxy = setup.proxy();
        let (mut slow, mut quick) = (proxy.client(), proxy.client());
        let (key, value) = (setup.key("slow"), pattern(20 * MIB));
        let bytes = encode(&[&b"SET"[..], key.as_bytes(), &value]);
        let (half, rest) = bytes.split_at(bytes.len() / 2);
        slow.send_raw(half);
        for n in 0..100 {
            let other = setup.key(format!("quick:{n}"));
            assert_eq!(quick.request(&["SET", &other, "1"]), Value::ok());
            assert_eq!(quick.request(&["GET", &key]), Value::Nil);
        }
        slow.send_raw(rest);
        assert_eq!(slow.reply(), Value::ok());
        slow.run(&format!("DEL {key}"));
    }

    fn values_of_every_size_around_the_buffers_pass(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        let key = setup.key("sizes");
        for power in 8..=21 {
            for size in [(1 << power) - 1, 1 << power, (1 << power) + 1] {
                let value = pattern(size);
                let bytes = [
                    encode(&[&b"SET"[..], key.as_bytes(), &value]),
                    encode(&["GET", &key]),
                    encode(&["STRLEN", &key]),
                ]
                .concat();
                client.send_raw(&bytes);
                assert_eq!(client.reply(), Value::ok());
                assert!(client.reply() == Value::Bulk(value), "{size} bytes came back changed");
                assert_eq!(client.reply(), Value::Integer(i64::try_from(size).unwrap()));
            }
        }
    }

    fn a_client_that_never_reads_is_held_back_and_harms_nobody(setup) {
        let proxy = setup.proxy_with(&["--client-output-buffer-limit", "4mb"]);
        let key = setup.key("unread");
        let mut other = proxy.client();
        other.request(&[&b"SET"[..], key.as_bytes(), &pattern(MIB)]);
        let mut deaf: Vec<Client> = (0..3).map(|_| proxy.client()).collect();
        let gets = encode(&["GET", &key]).repeat(200);
        for client in &mut deaf {
            client.send_raw(&gets);
        }
        for _ in 0..200 {
            assert_eq!(other.request(&["STRLEN", &key]), Value::Integer(1 << 20));
        }
        // Each may hold its limit, and what was on its way when the limit was reached.
        peak_is_below(&proxy, 3 * 4 * (4 * MIB));
        // Held back, not dropped: whoever reads at last gets everything.
        for client in &mut deaf {
            assert!((0..200).all(|_| matches!(client.reply(), Value::Bulk(value) if value.len() == MIB)));
        }
    }

    fn a_small_reply_does_not_let_a_thousand_large_ones_be_asked_for(setup) {
        // 1. A client's first reply is small, so the next were expected to be small too.
        // 2. Before any of those was there, a thousand requests with large replies were taken and sent.
        // 3. All their replies came, to a client that reads none: 256 MB were kept, of 1 MB allowed.
        let proxy = setup.proxy_with(&["--client-output-buffer-limit", "1mb"]);
        let mut deaf = proxy.client();
        let key = setup.key("large");
        let value = pattern(MIB / 4);
        assert_eq!(deaf.request(&[&b"SET"[..], key.as_bytes(), &value]), Value::ok());
        deaf.send_raw(&encode(&["GET", &key]).repeat(1_000));
        eventually("the first replies wait", || {
            (proxy.metric("slotway_buffered_bytes") > 1_000_000.0).then_some(())
        });
        assert_eq!(proxy.client().run(&format!("STRLEN {key}")), Value::Integer(256 << 10));
        peak_is_below(&proxy, 64 * MIB);
        for _ in 0..1_000 {
            assert!(deaf.reply() == Value::Bulk(value.clone()));
        }
    }

    fn a_small_reply_does_not_keep_the_room_of_a_large_one_before_it(setup) {
        // 1. A node answers one client with a large reply and another, right behind it, with a smaller one.
        // 2. Both are read into the room of the large one, and handed on as parts of it.
        // 3. The second client does not read: each of its replies kept several megabytes, and counted for a tenth of one.
        let proxy = setup.proxy();
        let (large, small) = (setup.key("{kept}large"), setup.key("{kept}small"));
        let (mut reads, mut deaf) = (proxy.client(), proxy.client());
        for (key, value) in [(&large, pattern(4 * MIB)), (&small, pattern(MIB / 10))] {
            assert_eq!(reads.request(&[&b"SET"[..], key.as_bytes(), &value]), Value::ok());
        }
        for _ in 0..300 {
            reads.send(&["GET", &large]);
            deaf.send(&["GET", &small]);
            assert!(matches!(reads.reply(), Value::Bulk(value) if value.len() == 4 * MIB));
        }
        peak_is_below(&proxy, 128 * MIB);
        assert!((0..300).all(|_| matches!(deaf.reply(), Value::Bulk(value) if value.len() == MIB / 10)));
    }

    fn a_client_that_sends_and_never_reads_is_not_read_either(setup) {
        let proxy = setup.proxy_with(&["--client-output-buffer-limit", "1mb"]);
        let mut deaf = proxy.client();
        let (key, value) = (setup.key("flood"), pattern(MIB / 4));
        let bytes = [encode(&[&b"SET"[..], key.as_bytes(), &value]), encode(&["GET", &key])].concat();
        let blocked = (0..2000).find_map(|_| {
            let limit = Duration::from_millis(500);
            deaf.write_patience(limit);
            deaf.try_send_raw(&bytes).err()
        });
        assert!(blocked.is_some(), "500 MB were swallowed");
        assert_eq!(proxy.client().run("PING").text(), "PONG");
        peak_is_below(&proxy, 64 * MIB);
        drop(deaf);
        eventually("its buffers are gone", || {
            (proxy.metric("slotway_buffered_bytes") < 1_000_000.0).then_some(())
        });
    }
}

with_1_and_4_workers! {
    fn a_stalled_node_does_not_make_the_proxy_hoard(threads) {
        let cluster = FakeCluster::start(1);
        let proxy = Proxy::before(
            &cluster.seeds(),
            threads,
            &["--backend-timeout", "0", "--client-query-buffer-limit", "8mb"],
        );
        let mut client = proxy.client();
        client.run("SET a 1");
        cluster.always(0, "SET", Act::Stall);
        cluster.always(0, "GET", Act::Stall);
        client.write_patience(Duration::from_millis(500));
        let bytes = encode(&[&b"SET"[..], b"a", &pattern(MIB / 4)[..]]);
        for _ in 0..1000 {
            if client.try_send_raw(&bytes).is_err() {
                break;
            }
        }
        assert_eq!(proxy.client().run("PING").text(), "PONG");
        peak_is_below(&proxy, 128 * MIB);
    }
}

#[test]
fn a_node_is_asked_for_no_more_large_replies_at_a_time_than_it_needs_to_stay_busy() {
    const CLIENTS: usize = 20;
    const EACH: usize = 16;
    let cluster = FakeCluster::start(1);
    let proxy = Proxy::before(&cluster.seeds(), 1, &[]);
    let (mut other, value) = (proxy.client(), pattern(16 << 10));
    assert_eq!(other.request(&[&b"SET"[..], b"a", &value]), Value::ok());
    for _ in 0..20 {
        assert_eq!(other.request(&["GET", "a"]), Value::Bulk(value.clone()));
    }
    let gate = Gate::new();
    cluster.on(0, "GET", Act::Hold(gate.clone()));
    let read = "slotway_client_input_bytes_total";
    let before = proxy.metric(read);
    let gets = encode(&["GET", "a"]).repeat(EACH);
    let mut clients: Vec<Client> = (0..CLIENTS).map(|_| proxy.client()).collect();
    clients.iter_mut().for_each(|client| client.send_raw(&gets));
    let all = before + f64::from(u32::try_from(CLIENTS * gets.len()).expect("few"));
    proxy.reaches(read, all);
    let in_flight = format!("slotway_backend_in_flight{{node=\"{}\"}}", cluster.seeds()[0]);
    proxy.reaches(&in_flight, 64.0);
    assert_eq!(other.run("PING").text(), "PONG");
    // More than 64 only where the fastest of all replies so far took more than a millisecond.
    assert!(proxy.metric(&in_flight) < 160.0, "{} in flight", proxy.metric(&in_flight));
    gate.open();
    for client in &mut clients {
        assert!((0..EACH).all(|_| client.reply() == Value::Bulk(value.clone())));
    }
}
