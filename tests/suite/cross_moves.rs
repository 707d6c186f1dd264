//! Commands on keys of many slots, with `--cross-slot`, while those slots move between real nodes.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use crate::support::{Client, Cluster, Kind, Proxy, Setup, Value, crosswise, eventually, slot::key_in};

/// Slots that move, and the nodes that have them at first.
const MOVING: [(u16, usize); 3] = [(100, 0), (8_000, 1), (16_000, 2)];

/// Keys `name` of each client in each slot.
fn keys(client: usize, name: &str) -> [String; 3] {
    MOVING.map(|(slot, _)| format!("{{{}}}:{client}:{name}", key_in(slot, "m")))
}

/// One turn: each reply is what one server would say.
fn turn(client: &mut Client, number: usize, n: i64) {
    let mut run = |line: String| client.run(&line);
    let ([a, b, c], [x, y, z], [l, m, _]) = (keys(number, "s"), keys(number, "v"), keys(number, "l"));
    assert_eq!(run(format!("SADD {a} {n}")), Value::Integer(1));
    assert_eq!(run(format!("SADD {b} -{n}")), Value::Integer(1));
    assert_eq!(run(format!("SUNIONSTORE {c} {a} {b}")), Value::Integer(2 * n));
    assert_eq!(run(format!("SCARD {c}")), Value::Integer(2 * n));
    assert_eq!(run(format!("SINTERCARD 3 {a} {b} {c}")), Value::Integer(0));
    assert_eq!(run(format!("SET {x} {n} EX 1000")), Value::ok());
    assert_eq!(run(format!("COPY {x} {y} REPLACE")), Value::Integer(1));
    assert_eq!(run(format!("RENAME {y} {z}")), Value::ok());
    assert_eq!(run(format!("EXISTS {x} {y} {z}")), Value::Integer(2));
    assert_eq!(run(format!("GET {z}")).text(), n.to_string());
    assert!((900..=1000).contains(&run(format!("TTL {z}")).integer()));
    assert_eq!(run(format!("RPUSH {m} {n}")), Value::Integer(1));
    assert_eq!(run(format!("LMOVE {m} {m}2 LEFT RIGHT")).text(), n.to_string());
    assert_eq!(run(format!("BLPOP {l} {m}2 0")).items()[1].text(), n.to_string());
}

crosswise! {
    fn clients_notice_nothing_while_slots_move(setup) {
        let cluster = Cluster::start(setup.kind, 3, 0);
        let proxy = Proxy::of(&cluster, setup.threads, &["--cross-slot", "--retry-deadline", "10m"]);
        let (turns, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        thread::scope(|scope| {
            let work = |number| {
                let (mut client, turns, stop) = (proxy.client(), &turns, &stop);
                move || {
                    for n in (1..).take_while(|_| !stop.load(Ordering::Relaxed)) {
                        turn(&mut client, number, n);
                        turns.fetch_add(1, Ordering::Relaxed);
                    }
                }
            };
            let clients: Vec<_> = (0..3).map(|number| scope.spawn(work(number))).collect();
            let mover = scope.spawn(|| {
                for step in [1, 2] {
                    for (slot, first) in MOVING {
                        // Each move happens while the clients are at work.
                        let before = turns.load(Ordering::Relaxed);
                        eventually("the clients work", || (turns.load(Ordering::Relaxed) > before + 3).then_some(()));
                        cluster.migrate(slot, (first + step - 1) % 3, (first + step) % 3);
                    }
                }
            });
            let moved = mover.join();
            stop.store(true, Ordering::Relaxed);
            clients.into_iter().for_each(|client| client.join().expect("no client saw an error"));
            moved.expect("the slots moved");
        });
        assert_eq!(proxy.client().run("KEYS slotway:copy:*").items(), []);
    }
}
