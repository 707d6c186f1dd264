//! A worker by itself, in virtual time, for tests: its nodes and clients are tasks beside its own, the streams
//! between them are in memory, and time passes when nothing else can happen.

#[cfg(test)]
mod client;
#[cfg(test)]
mod cluster;
mod fuzz;
#[cfg(test)]
mod seeds;

pub use fuzz::fuzz;

use std::{
    cell::Cell,
    ffi::OsString,
    rc::Rc,
    sync::{Arc, Once},
};

use tokio::{io::DuplexStream, sync::mpsc};

use super::{
    Equipment, Mail, Worker,
    client::{Arrival, Client},
    deliver,
    routes::Routes,
    stream::Stream,
    tick,
};
use crate::{
    cli,
    cluster::{NodeAddr, SlotTable},
    config::Config,
    topology::{Signal, Topology},
};

/// Bytes in each direction between the worker and a peer.
const WIRE: usize = 64 * 1024;

fn config() -> Config {
    // With lanes instead of sockets, a stand-in can give the worker its connections.
    let words =
        "slotway n0:1 --threads 2 --backend-connections-per-node 1 --retry-deadline 60s --backend-timeout 0s";
    match cli::parse(words.split(' ').map(OsString::from)) {
        Ok(cli::Wish::Run(config)) => *config,
        _ => panic!("these are settings"),
    }
}

/// Serves a connection that the worker wants to the node at that address.
type Node = Rc<dyn Fn(NodeAddr, DuplexStream)>;

/// One worker, and the ways to all that it talks to.
struct World {
    worker: Rc<Worker>,
}

impl World {
    /// A worker that begins with `table`; with what it signals.
    fn new(table: SlotTable, node: &Node) -> (Self, mpsc::Receiver<Signal>) {
        let config = Arc::new(config());
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

/// Gives the worker connections to the nodes that it wants.
async fn connect(mut mail: mpsc::UnboundedReceiver<Mail>, node: Node) {
    while let Some(mail) = mail.recv().await {
        if let Mail::Lane(wish) = mail {
            let (near, far) = tokio::io::duplex(WIRE);
            node(wish.grant(near), far);
        }
    }
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
