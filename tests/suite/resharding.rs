//! Slots that move between real nodes while clients read and write.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use crate::support::{
    Client, Cluster, Kind, Proxy, Setup, Value, crosswise, eventually, resp::encode, slot::key_in,
};

/// Slots that move, keys in each, and requests per client and turn.
const MOVING: [u16; 4] = [7, 99, 1000, 5000];
const KEYS: usize = 3;
const TURN: usize = 24;

/// What one client did: how often it appended to each of its keys.
struct Written {
    keys: Vec<String>,
    counts: Vec<usize>,
}

fn keys_of(client: usize) -> Vec<String> {
    let tags = MOVING.map(|slot| key_in(slot, "move"));
    tags.iter().flat_map(|tag| (0..KEYS).map(move |n| format!("{{{tag}}}:{client}:{n}"))).collect()
}

/// Appends to and reads its keys in pipelines until told to stop; every reply is checked.
fn work(mut client: Client, number: usize, turns: &AtomicUsize, stop: &AtomicBool) -> Written {
    let keys = keys_of(number);
    let mut counts = vec![0_usize; keys.len()];
    while !stop.load(Ordering::Relaxed) {
        let mut bytes = Vec::new();
        for step in 0..TURN {
            let key = &keys[step % keys.len()];
            bytes.extend(encode(&["APPEND", key, "x"]));
            bytes.extend(encode(&["STRLEN", key]));
        }
        bytes.extend(encode(&[&["MGET"], &keys.iter().map(String::as_str).collect::<Vec<_>>()[..]].concat()));
        client.send_raw(&bytes);
        for step in 0..TURN {
            let count = &mut counts[step % keys.len()];
            *count += 1;
            let wanted = Value::Integer(i64::try_from(*count).expect("small"));
            assert_eq!(client.reply(), wanted, "APPEND {}", keys[step % keys.len()]);
            assert_eq!(client.reply(), wanted, "STRLEN {}", keys[step % keys.len()]);
        }
        let values = client.reply();
        let lengths: Vec<usize> = values.items().iter().map(|value| value.text().len()).collect();
        assert_eq!(lengths, counts);
        turns.fetch_add(1, Ordering::Relaxed);
    }
    Written { keys, counts }
}

crosswise! {
    fn clients_notice_nothing_while_slots_move(setup) {
        let cluster = Cluster::start(setup.kind, 3, 0);
        let proxy = Proxy::of(&cluster, setup.threads, &[]);
        let (turns, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        thread::scope(|scope| {
            let clients: Vec<_> = (0..4)
                .map(|number| {
                    let (client, turns, stop) = (proxy.client(), &turns, &stop);
                    scope.spawn(move || work(client, number, turns, stop))
                })
                .collect();
            let mover = scope.spawn(|| {
                for target in [1, 2, 0] {
                    for slot in MOVING {
                        // Each move happens while the clients are at work.
                        let before = turns.load(Ordering::Relaxed);
                        eventually("the clients work", || (turns.load(Ordering::Relaxed) > before + 4).then_some(()));
                        cluster.migrate(slot, [2, 0, 1][target], target);
                    }
                }
            });
            let moved = mover.join();
            stop.store(true, Ordering::Relaxed);
            let mut reader = proxy.client();
            for client in clients {
                let written = client.join().expect("no client saw an error");
                for (key, count) in written.keys.iter().zip(written.counts) {
                    assert!(count > 0);
                    assert_eq!(reader.request(&["STRLEN", key]), Value::Integer(i64::try_from(count).expect("small")));
                }
            }
            moved.expect("the slots moved");
        });
        assert!(proxy.metric("slotway_redirects_total{kind=\"moved\"}") > 0.0);
    }

    fn a_request_of_two_keys_waits_until_both_have_moved(setup) {
        let cluster = Cluster::start(setup.kind, 2, 0);
        let proxy = Proxy::of(&cluster, setup.threads, &["--retry-deadline", "10s"]);
        let mut client = proxy.client();
        client.run("MSET {a}1 x {a}2 y");
        let from = cluster.first_owner("{a}");
        let slot = crate::support::slot::slot_of(b"a");
        let ids: Vec<String> = (0..2).map(|index| cluster.client(index).run("CLUSTER MYID").text()).collect();
        let (mut old, mut new) = (cluster.client(from), cluster.client(1 - from));
        new.run(&format!("CLUSTER SETSLOT {slot} IMPORTING {}", ids[from]));
        old.run(&format!("CLUSTER SETSLOT {slot} MIGRATING {}", ids[1 - from]));
        let port = cluster.port(1 - from).to_string();
        old.request(&["MIGRATE", "127.0.0.1", &port, "{a}1", "0", "1000"]);
        client.send(&["MGET", "{a}1", "{a}2"]);
        eventually("it was told to try again", || {
            (proxy.metric("slotway_retries_total{reason=\"tryagain\"}") > 0.0).then_some(())
        });
        old.request(&["MIGRATE", "127.0.0.1", &port, "{a}2", "0", "1000"]);
        assert_eq!(client.reply(), Value::Array(vec![Value::bulk("x"), Value::bulk("y")]));
    }
}
