//! A worker among scripted nodes, in virtual time: what the order of replies, redirects, moves, refreshes and
//! broken connections does to its clients, for thousands of seeds.
//!
//! Nodes and clients are tasks beside the worker's own; the streams between them are in memory, and time passes
//! when nothing else can happen. So a run is made by its seed, and a failure comes again with it:
//! `SLOTWAY_SIM_SEED=n cargo test --lib sim`. `SLOTWAY_SIM_SEEDS=n` runs that many.

mod client;
mod cluster;

use std::{cell::RefCell, ffi::OsString, rc::Rc, sync::Arc, time::Duration};

use tokio::{io::DuplexStream, sync::mpsc};

use self::{
    client::Outcome,
    cluster::{Cluster, Trouble},
};
use super::{
    Equipment, Mail, Mailboxes, Monitors, Worker,
    client::{Arrival, Client},
    deliver,
    stream::Stream,
    tick,
};
use crate::{
    cli,
    cluster::NodeAddr,
    command,
    config::Config,
    metrics::Metrics,
    slowlog::SlowLog,
    topology::{Signal, Topology},
};

/// Clients at one time, and pipelines that each sends.
const CLIENTS: u64 = 3;
const PIPELINES: usize = 12;
/// Virtual time in which all must be answered: many times what any retry takes.
const DEADLINE: Duration = Duration::from_secs(120);
/// Bytes in each direction between the worker and a peer.
const WIRE: usize = 64 * 1024;
/// Seeds that an ordinary test run tries for each kind of trouble.
const SEEDS: u64 = 60;

fn config() -> Config {
    // With lanes instead of sockets, a stand-in can give the worker its connections.
    let words =
        "slotway n0:1 --threads 2 --backend-connections-per-node 1 --retry-deadline 60s --backend-timeout 0s";
    match cli::parse(words.split(' ').map(OsString::from)) {
        Ok(cli::Wish::Run(config)) => *config,
        _ => panic!("these are settings"),
    }
}

/// One worker, and the stand-ins for all that it talks to.
struct World {
    worker: Rc<Worker>,
    cluster: Rc<Cluster>,
}

impl World {
    fn new(cluster: Rc<Cluster>) -> Self {
        let config = Arc::new(config());
        let (topology, signals) = Topology::new();
        topology.store(cluster.table(1));
        let (mailboxes, mail) = Mailboxes::new(config.threads);
        let names = command::all().iter().map(|command| command.name).collect();
        let equipment = Equipment {
            metrics: Arc::new(Metrics::new(names, config.threads)),
            identity: Arc::default(),
            scripts: Arc::default(),
            monitors: Arc::new(Monitors::new(config.threads)),
            slowlog: Arc::new(SlowLog::new(config.slowlog_max_len)),
            mailboxes: Arc::new(mailboxes),
            topology: Arc::clone(&topology),
            config,
        };
        let worker = Rc::new(Worker::new(0, equipment));
        tokio::task::spawn_local(tick::run(Rc::clone(&worker)));
        tokio::task::spawn_local(deliver::run(Rc::clone(&worker)));
        tokio::task::spawn_local(deliver::release(Rc::clone(&worker)));
        for mail in mail {
            tokio::task::spawn_local(connect(mail, Rc::clone(&cluster)));
        }
        tokio::task::spawn_local(control(signals, topology, Rc::clone(&cluster)));
        Self { worker, cluster }
    }

    /// A client's end of a new connection.
    fn client(&self, id: u64) -> DuplexStream {
        let (near, far) = tokio::io::duplex(WIRE);
        let arrival = Arrival { id, stream: Stream::Lane(near), peer: "p".into(), local: "l".into() };
        let client = Client::new(&self.worker, arrival);
        self.worker.clients.borrow_mut().insert(id, Rc::clone(&client));
        tokio::task::spawn_local(client.serve());
        far
    }
}

/// Gives the worker a connection to the node that it wants.
async fn connect(mut mail: mpsc::UnboundedReceiver<Mail>, cluster: Rc<Cluster>) {
    while let Some(mail) = mail.recv().await {
        if let Mail::Lane(wish) = mail {
            let (near, far) = tokio::io::duplex(WIRE);
            let addr = wish.grant(near);
            tokio::task::spawn_local(Rc::clone(&cluster).serve(addr, far));
        }
    }
}

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

/// What `seed` comes to under `trouble`.
fn run(seed: u64, trouble: Trouble) -> Outcome {
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build_local(tokio::runtime::LocalOptions::default())
        .unwrap();
    runtime.block_on(async {
        let world = World::new(Rc::new(Cluster::new(seed, trouble)));
        let outcome = Rc::new(RefCell::new(Outcome::default()));
        let mut clients = tokio::task::JoinSet::new();
        for id in 0..CLIENTS {
            let stream = world.client(id + 1);
            clients.spawn_local(client::work(id, seed, stream, PIPELINES, Rc::clone(&outcome)));
        }
        let moving = tokio::task::spawn_local(Rc::clone(&world.cluster).shuffle());
        let done = tokio::time::timeout(DEADLINE, clients.join_all()).await;
        let ledgers = done.unwrap_or_else(|_| panic!("a request was not answered: {:?}", outcome.borrow()));
        moving.abort();
        for ledger in ledgers {
            ledger.compare(&world.cluster);
        }
        outcome.take()
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

const NONE: Trouble = Trouble { moves: false, old_rules: false, errors: false, breaks: false };

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
        assert!(errors * 500 < all.requests && !all.errors.contains_key("ERR"), "{all:?}");
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
fn all_at_once_lose_and_double_nothing() {
    for old_rules in [false, true] {
        try_seeds(Trouble { moves: true, old_rules, errors: true, breaks: true });
    }
}
