//! A worker by itself, in virtual time, for tests: its nodes and clients are tasks beside its own, the streams
//! between them are in memory, and time passes when nothing else can happen.

#[cfg(test)]
mod client;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod dump;
mod fuzz;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod seeds;
#[cfg(test)]
mod stalls;

pub use fuzz::fuzz;

use std::{
    cell::Cell,
    ffi::OsString,
    rc::Rc,
    sync::{Arc, Once},
};

use tokio::{io::DuplexStream, sync::mpsc};

use super::{
    Equipment, Mail, Wish, Worker,
    client::{Arrival, Client},
    deliver,
    routes::Routes,
    stream::Stream,
    tick,
};
use crate::{
    cli,
    cluster::SlotTable,
    config::Config,
    topology::{Signal, Topology},
};

/// Bytes in each direction between the worker and a peer.
const WIRE: usize = 64 * 1024;

/// What `flags` say, given to a worker whose connections a stand-in can give it: lanes, not sockets.
fn config(flags: &str) -> Config {
    let words = format!("slotway n0:1 --threads 2 --backend-connections-per-node 1 {flags}");
    match cli::parse(words.split(' ').map(OsString::from)) {
        Ok(cli::Wish::Run(config)) => *config,
        _ => panic!("these are settings"),
    }
}

/// Does with the worker's wish for a connection what the node that it names does.
type Node = Rc<dyn Fn(Wish)>;

/// One worker, and the ways to all that it talks to.
struct World {
    worker: Rc<Worker>,
}

impl World {
    /// A worker with the settings in `flags` that begins with `table`; with what it signals.
    fn new(table: SlotTable, node: &Node, flags: &str) -> (Self, mpsc::Receiver<Signal>) {
        let config = Arc::new(config(flags));
        let (topology, signals) = Topology::new();
        topology.store(table);
        let (equipment, mail) = Equipment::new(config, topology);
        let worker = Rc::new(Worker::new(0, equipment));
        tokio::task::spawn_local(tick::run(Rc::clone(&worker)));
        tokio::task::spawn_local(deliver::run(Rc::clone(&worker)));
        tokio::task::spawn_local(deliver::release(Rc::clone(&worker)));
        for mail in mail {
            tokio::task::spawn_local(connect(mail, Rc::clone(node)));
        }
        (Self { worker }, signals)
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

/// A worker and what it has hold each other, as they do until the process ends.
impl Drop for World {
    fn drop(&mut self) {
        self.worker.clients.take();
        self.worker.backends.take();
        self.worker.pipes.take();
        self.worker.routes.replace(Routes::new(&self.worker.topology, self.worker.config.read_from));
    }
}

/// Hands on the worker's wishes for connections.
async fn connect(mut mail: mpsc::UnboundedReceiver<Mail>, node: Node) {
    while let Some(mail) = mail.recv().await {
        if let Mail::Lane(wish) = mail {
            node(wish);
        }
    }
}

/// Grants the wish: the node's end of the connection.
fn grant(wish: Wish) -> DuplexStream {
    let (near, far) = tokio::io::duplex(WIRE);
    wish.grant(near);
    far
}

thread_local! {
    /// Panics on this thread: those of tasks end nothing but the task.
    static PANICS: Cell<u32> = const { Cell::new(0) };
}

/// Runs `life` in virtual time; no task may panic meanwhile.
fn in_virtual_time<T>(seed: u64, life: impl Future<Output = T>) -> T {
    static COUNTING: Once = Once::new();
    COUNTING.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICS.set(PANICS.get() + 1);
            before(panic);
        }));
    });
    PANICS.set(0);
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build_local(tokio::runtime::LocalOptions::default())
        .expect("a runtime");
    let end = runtime.block_on(life);
    assert_eq!(PANICS.get(), 0, "a task panicked: see above");
    end
}
