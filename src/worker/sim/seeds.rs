//! What the order of replies, redirects, moves, refreshes, broken connections and nodes that hesitate does to clients,
//! for thousands of seeds.
//!
//! A run is made by its seed, and a failure comes again with it: `SLOTWAY_SIM_SEED=n cargo test --lib sim`.
//! `SLOTWAY_SIM_SEEDS=n` runs that many.

use std::{cell::RefCell, rc::Rc, sync::Arc, time::Duration};

use tokio::sync::mpsc;

use super::{
    Node, World,
    client::{self, Outcome},
    cluster::{Cluster, Trouble},
    in_virtual_time,
    ledger::Ledger,
    replicas::WINDOW,
};
use crate::{
    topology::{Signal, Topology},
    worker::Mailboxes,
};

/// Clients at one time.
const CLIENTS: u64 = 3;
/// Requests end soon, so that this is tried too; `stalls` knows how long nodes may be silent.
const FLAGS: &str = "--retry-deadline 2s --backend-timeout 300ms";
/// Seeds that an ordinary test run tries for each kind of trouble.
const SEEDS: u64 = 30;
/// Requests of which a share can be told: with fewer, one unlucky seed weighs too much.
const MANY: u64 = 50_000;

/// Does with signals what control does, and refreshes at random moments.
async fn control(mut signals: mpsc::Receiver<Signal>, topology: Arc<Topology>, cluster: Rc<Cluster>) {
    loop {
        let pause = Duration::from_millis(cluster.random(1..200));
        let table = topology.table().load_full();
        match tokio::time::timeout(pause, signals.recv()).await {
            Ok(Some(Signal::Moved(slot, owner))) => topology.store(table.with_moved(slot, &owner)),
            Ok(Some(_)) => {}
            Ok(None) => return,
            Err(_) => {
                let fresh = cluster.table(table.epoch() + 1);
                if !fresh.same_as(&table) {
                    topology.store(fresh);
                }
            }
        }
    }
}

/// Moves a client or more from one worker to the other at random moments.
async fn unrest(mailboxes: Arc<Mailboxes>, cluster: Rc<Cluster>) {
    loop {
        tokio::time::sleep(Duration::from_millis(cluster.random(1..10))).await;
        let from = usize::from(cluster.random(0..2) == 0);
        let count = usize::try_from(cluster.random(1..CLIENTS + 1)).expect("few");
        mailboxes.move_clients(from, 1 - from, count);
    }
}

fn flags(seed: u64, trouble: Trouble) -> String {
    let workers = match (trouble.shared, trouble.restless) {
        (true, _) => "2 --backend-connections-per-node 1",
        (false, true) => "2",
        (false, false) => "1",
    };
    // Few connections for transactions, so that clients wait for them, or enough.
    let dedicated = 1 + seed % 4;
    let mut flags = format!("{FLAGS} --threads {workers} --dedicated-connections {dedicated}");
    if trouble.replicas {
        let from = if seed.is_multiple_of(2) { "prefer-replica" } else { "any" };
        flags += &format!(" --read-from {from} --read-after-write-primary {WINDOW}ms");
    }
    flags
}

/// What `seed` comes to under `trouble`.
fn run(seed: u64, trouble: Trouble) -> Outcome {
    in_virtual_time(seed, async {
        let cluster = Rc::new(Cluster::new(seed, trouble));
        let nodes = Rc::clone(&cluster);
        let node: Node = Rc::new(move |addr, stream| nodes.accept(addr, stream));
        let (world, signals) = World::new(cluster.table(1), node, &flags(seed, trouble));
        tokio::task::spawn_local(control(signals, world.topology(), Rc::clone(&cluster)));
        let outcome = Rc::new(RefCell::new(Outcome::default()));
        let mut clients = tokio::task::JoinSet::new();
        for id in 0..CLIENTS {
            let stream = world.client(id + 1);
            clients.spawn_local(client::work(
                id,
                seed,
                stream,
                Ledger::new(trouble.replicas),
                Rc::clone(&outcome),
            ));
        }
        let moving = tokio::task::spawn_local(Rc::clone(&cluster).shuffle());
        tokio::task::spawn_local(Rc::clone(&cluster).hesitate());
        if trouble.restless {
            tokio::task::spawn_local(unrest(Arc::clone(&world.workers[0].mailboxes), Rc::clone(&cluster)));
        }
        let mut ledgers = Vec::new();
        while let Some(ledger) = clients.join_next().await {
            ledgers.push(ledger.unwrap_or_else(|_| panic!("see above; {}", world.dump())));
        }
        moving.abort();
        for ledger in ledgers {
            ledger.compare(&cluster);
        }
        let outcome = outcome.take();
        let moves = world.workers.iter().map(|worker| worker.metrics.moved_in.get()).sum();
        Outcome { by_replicas: cluster.past.read.get(), moves, ..outcome }
    })
}

#[expect(clippy::print_stderr, reason = "seeds must be seen")]
/// Tries many seeds of one kind of trouble, or the one that the environment names.
fn try_seeds(trouble: Trouble) -> Outcome {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let first = number("SLOTWAY_SIM_SEED");
    let count = if first.is_some() { 1 } else { number("SLOTWAY_SIM_SEEDS").unwrap_or(SEEDS) };
    let first = first.unwrap_or_else(|| fastrand::u64(..1 << 40));
    let mut all = Outcome::default();
    for seed in (first..).take(usize::try_from(count).unwrap()) {
        let outcome = std::panic::catch_unwind(|| run(seed, trouble));
        let Ok(outcome) = outcome else { panic!("seed {seed} with {trouble:?}: see above") };
        all.add(outcome);
    }
    eprintln!("{count} seeds from {first} with {trouble:?}: {all:?}");
    all
}

const NONE: Trouble = Trouble {
    moves: false,
    old_rules: false,
    errors: false,
    breaks: false,
    stalls: false,
    shared: false,
    replicas: false,
    restless: false,
};

#[test]
fn a_run_is_made_by_its_seed_alone() {
    for seed in 0..10 {
        let trouble = Trouble { moves: true, errors: true, breaks: true, stalls: true, ..NONE };
        assert_eq!(run(seed, trouble), run(seed, trouble), "seed {seed}");
    }
}

#[test]
fn in_quiet_times_no_client_sees_an_error() {
    let all = try_seeds(NONE);
    assert!(all.requests > 0 && all.errors.is_empty(), "{all:?}");
}

#[test]
fn slots_that_move_do_not_change_the_order() {
    for old_rules in [false, true] {
        let all = try_seeds(Trouble { moves: true, old_rules, ..NONE });
        // Only requests that a later one of their keys passed when the slot was first met half moved.
        let errors: u64 = all.errors.values().sum();
        assert!(all.requests < MANY || errors * 50 < all.requests, "{all:?}");
        assert!(!all.errors.contains_key("ERR"), "{all:?}");
    }
}

#[test]
fn nodes_that_cannot_run_a_request_do_not_change_the_order() {
    let all = try_seeds(Trouble { errors: true, ..NONE });
    assert!(!all.errors.contains_key("ERR"), "{all:?}");
}

#[test]
fn broken_connections_lose_and_double_nothing() {
    try_seeds(Trouble { breaks: true, ..NONE });
}

#[test]
fn nodes_that_hesitate_leave_no_client_without_a_reply() {
    for shared in [false, true] {
        try_seeds(Trouble { stalls: true, shared, ..NONE });
    }
}

#[test]
fn replicas_that_lag_or_hesitate_do_not_hide_a_clients_own_writes() {
    for shared in [false, true] {
        let all =
            try_seeds(Trouble { errors: true, breaks: true, stalls: true, shared, replicas: true, ..NONE });
        assert!(all.by_replicas > 0, "{all:?}");
    }
}

#[test]
fn clients_that_move_between_workers_see_nothing_of_it() {
    let all = try_seeds(Trouble { restless: true, ..NONE });
    assert!(all.moves > 0 && all.errors.is_empty(), "{all:?}");
    for (replicas, shared) in [(false, false), (true, false), (false, true)] {
        let all = Trouble { moves: !replicas, errors: true, breaks: true, stalls: true, ..NONE };
        try_seeds(Trouble { restless: true, replicas, shared, ..all });
    }
}

#[test]
fn all_at_once_lose_and_double_nothing() {
    for (old_rules, stalls, shared) in
        [(false, false, false), (true, true, false), (false, true, true), (true, false, true)]
    {
        let all = Trouble { moves: true, errors: true, breaks: true, ..NONE };
        try_seeds(Trouble { old_rules, stalls, shared, ..all });
    }
}
