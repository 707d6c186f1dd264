//! One worker's connection to one node that tells of the next change of keys.
//!
//! Knows keys, not who waits for them. Invariant: each key that is asked for is answered, or its asker told that
//! it will not be.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
};

use tokio::sync::{Notify, oneshot};

use super::Key;
use crate::{
    cluster::NodeAddr,
    resp,
    topology::Signal,
    worker::{Worker, backoff::Backoff, ear::Ear},
};

/// The connection.
pub(super) struct Lookout {
    addr: NodeAddr,
    asks: RefCell<Vec<Ask>>,
    more: Notify,
    /// Whether the last connection was lost or could not be made.
    failing: Cell<bool>,
}

/// A key whose next change is to be heard of; who asked is told when it is.
struct Ask {
    key: Key,
    heard: oneshot::Sender<()>,
}

impl Lookout {
    /// The connection to `addr`, which its task makes at once.
    pub(super) fn spawn(worker: &Rc<Worker>, addr: NodeAddr) -> Rc<Self> {
        let (asks, more, failing) = (RefCell::default(), Notify::new(), Cell::new(false));
        let lookout = Rc::new(Self { addr, asks, more, failing });
        tokio::task::spawn_local(Rc::clone(&lookout).run(Rc::clone(worker)));
        lookout
    }

    /// Asks for the next change of `key`. Answers when it will be heard of; an error if it will not.
    pub(super) fn ask(&self, key: &Key) -> oneshot::Receiver<()> {
        let (heard, answer) = oneshot::channel();
        if !self.failing.get() {
            self.asks.borrow_mut().push(Ask { key: Rc::clone(key), heard });
            self.more.notify_one();
        }
        answer
    }

    /// The task: it ends when nobody has waited for anything for a while.
    async fn run(self: Rc<Self>, worker: Rc<Worker>) {
        let mut backoff = Backoff::default();
        while !self.is_done(&worker) {
            if let Some(ear) = Ear::open(&worker, &self.addr, &["CLIENT", "TRACKING", "ON"]).await {
                backoff = Backoff::default();
                self.failing.set(false);
                let served = self.serve(&worker, ear).await;
                worker.lookouts.lost(&self.addr);
                if served.is_some() {
                    break;
                }
                worker.topology.signal(Signal::Lost);
            }
            self.failing.set(true);
            self.asks.take();
            tokio::time::sleep(backoff.next()).await;
        }
        worker.lookouts.links.borrow_mut().remove(&self.addr);
        self.asks.take();
    }

    fn is_done(&self, worker: &Worker) -> bool {
        worker.lookouts.is_idle() || !worker.knows(&self.addr)
    }

    /// Until it is needed no more, or the connection is lost: then there is nothing.
    async fn serve(&self, worker: &Worker, mut ear: Ear) -> Option<()> {
        let mut due = VecDeque::new();
        loop {
            for ask in self.asks.take() {
                ear.say(&[&b"EXISTS"[..], &ask.key]);
                due.push_back(ask);
            }
            let came = tokio::select! {
                biased;
                () = self.more.notified() => continue,
                came = ear.hear(worker) => came?,
            };
            ear.frames(|frame| self.take(worker, &mut due, frame))?;
            if !came && self.is_done(worker) {
                return Some(());
            }
        }
    }

    fn take(&self, worker: &Worker, due: &mut VecDeque<Ask>, frame: &[u8]) {
        match frame.first() {
            Some(b'>') => {
                if let Some(keys) = resp::invalidated(frame) {
                    worker.lookouts.changed(&self.addr, keys);
                }
            }
            // The sign of life that it was asked for.
            Some(b'+') => {}
            kind => {
                if let Some(Ask { key, heard }) = due.pop_front()
                    && kind == Some(&b':')
                {
                    worker.lookouts.heard(&key, &self.addr);
                    // Who asked may be gone.
                    let _ = heard.send(());
                }
            }
        }
    }
}
