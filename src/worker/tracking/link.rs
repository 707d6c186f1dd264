//! One worker's connection to one node that hears of every key that changes there.
//!
//! Knows no client. Invariant: it is live only while the node has confirmed that it tells.

use std::{cell::Cell, rc::Rc};

use tokio::task::AbortHandle;

use crate::{
    cluster::NodeAddr,
    resp,
    topology::Signal,
    worker::{Worker, backoff::Backoff, ear::Ear},
};

/// The connection and its task, which ends with it.
pub(super) struct Link {
    live: Rc<Cell<bool>>,
    task: AbortHandle,
}

impl Link {
    /// The connection to `addr`, which its task makes at once.
    pub(super) fn spawn(worker: &Rc<Worker>, addr: NodeAddr) -> Self {
        let live = Rc::new(Cell::new(false));
        let task = tokio::task::spawn_local(run(Rc::clone(worker), addr, Rc::clone(&live)));
        Self { live, task: task.abort_handle() }
    }

    /// Whether all that changes is heard.
    pub(super) fn is_live(&self) -> bool {
        self.live.get()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(worker: Rc<Worker>, addr: NodeAddr, live: Rc<Cell<bool>>) {
    let mut backoff = Backoff::default();
    loop {
        if let Some(mut ear) = Ear::open(&worker, &addr, &["CLIENT", "TRACKING", "ON", "BCAST"]).await {
            backoff = Backoff::default();
            live.set(true);
            worker.tend_tracking();
            while hear(&mut ear, &worker).await.is_some() {}
            tracing::warn!(node = %addr, "lost the connection that hears of changed keys");
            live.set(false);
            worker.topology.signal(Signal::Lost);
            worker.tend_tracking();
        }
        tokio::time::sleep(backoff.next()).await;
    }
}

/// Hears what comes next, if only silence; nothing if the connection is lost.
async fn hear(ear: &mut Ear, worker: &Worker) -> Option<()> {
    ear.hear(worker).await?;
    ear.frames(|frame| {
        if let Some(keys) = resp::invalidated(frame) {
            worker.invalidated(keys);
        }
    })
}
