//! Workers by themselves, in virtual time, for tests: nodes and clients are tasks beside theirs, the streams between
//! them are in memory, and time passes when nothing else can happen.

#[cfg(test)]
mod client;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod deliveries;
#[cfg(test)]
mod dump;
mod fuzz;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod moving;
#[cfg(test)]
mod replicas;
#[cfg(test)]
mod scenes;
#[cfg(test)]
mod seeds;
#[cfg(test)]
mod stalls;

pub use fuzz::fuzz;

use std::{
    cell::{Cell, RefCell},
    ffi::OsString,
    io,
    rc::Rc,
    sync::{Arc, Once},
};

use tokio::{io::DuplexStream, sync::mpsc};

use super::{
    Equipment, Worker,
    client::{Arrival, Client},
    routes::Routes,
    stream::Stream,
};
use crate::{
    cli,
    cluster::{NodeAddr, SlotTable},
    config::Config,
    topology::{Signal, Topology},
};

/// Bytes in each direction between the worker and a peer.
const WIRE: usize = 64 * 1024;

fn config(flags: &str) -> Config {
    let words = format!("slotway n0:1 {flags}");
    match cli::parse(words.split(' ').map(OsString::from)) {
        Ok(cli::Action::Run(config)) => *config,
        other => panic!("no settings: {words}: {other:?}"),
    }
}

/// Serves a connection to the node at that address; false if the node refuses it.
type Node = Rc<dyn Fn(&NodeAddr, DuplexStream) -> bool>;

thread_local! {
    /// The nodes of the simulation on this thread.
    static NODES: RefCell<Option<Node>> = const { RefCell::new(None) };
}

/// A connection to the stand-in for the node at `addr`, or why there is none; nothing where nothing is simulated.
pub(super) fn connect(addr: &NodeAddr) -> Option<io::Result<Stream>> {
    let node = NODES.with_borrow(Clone::clone)?;
    let (near, far) = tokio::io::duplex(WIRE);
    let accepted = node(addr, far);
    Some(if accepted { Ok(Stream::Lane(near)) } else { Err(io::ErrorKind::ConnectionRefused.into()) })
}

/// Workers of one proxy, and the ways to all that they talk to.
struct World {
    workers: Vec<Rc<Worker>>,
}

impl World {
    /// With the settings in `flags`, beginning with `table`; with what the workers signal.
    fn new(table: SlotTable, node: Node, flags: &str) -> (Self, mpsc::Receiver<Signal>) {
        NODES.set(Some(node));
        let (topology, signals) = Topology::new();
        topology.store(table);
        let (equipment, mail) = Equipment::new(Arc::new(config(flags)), topology);
        let work = |(index, mail)| {
            let worker = Rc::new(Worker::new(index, equipment.clone()));
            tokio::task::spawn_local(Rc::clone(&worker).serve(mail));
            worker
        };
        (Self { workers: mail.into_iter().enumerate().map(work).collect() }, signals)
    }

    /// Where the workers' slot table is.
    #[cfg(test)]
    fn topology(&self) -> Arc<Topology> {
        Arc::clone(&self.workers[0].topology)
    }

    /// A client's end of a new connection to one of the workers.
    fn client(&self, id: u64) -> DuplexStream {
        let (near, far) = tokio::io::duplex(WIRE);
        let arrival = Arrival { id, stream: Stream::Lane(near), peer: "p".into(), local: "l".into() };
        let turn = usize::try_from(id).unwrap_or_default() % self.workers.len();
        let worker = &self.workers[turn];
        worker.mailboxes.arrives(turn);
        worker.metrics.client_opened();
        worker.take_on(Client::new(worker, arrival));
        far
    }
}

/// A worker and what it has hold each other, as they do until the process ends.
impl Drop for World {
    fn drop(&mut self) {
        NODES.take();
        for worker in &self.workers {
            let clients = worker.clients.take();
            clients.values().for_each(|client| client.retries.clear());
            worker.deliveries.clear();
            worker.lending.clear();
            worker.backends.take();
            worker.pipes.take();
            worker.routes.replace(Routes::new(&worker.topology, worker.config.read_from));
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
