//! Requests on their way to nodes and replies on their way to clients: each peer's in one write, and the replies of
//! one read together.
//!
//! Whom something is for is noted here; one task, woken once, runs behind all that are ready and writes for each:
//! replies first, then requests. Clients go on while the worker still writes for others, so before nodes are written to
//! the sockets are looked at once more, as long as there are replies to write meanwhile: what came shares a write. No
//! request waits for more than [`GATHER`] clients. Who is alone has its reply looked for here too
//! ([`busy_poll`](super::busy_poll)).
//!
//! A server answers what it read at once in one write; over several nodes the replies come at different times, so those
//! that are ready wait for the rest for a short while, unless about all that nodes owe is that client's.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::sync::Notify;

use super::{Worker, backend::Backend, client::Client};

/// Ready replies wait at most so long for the others that were asked for in the same read, or twice where replies to
/// an earlier read waited just before; the timer takes up to a millisecond more each time.
const HOLD: Duration = Duration::from_millis(1);
/// Requests wait for others while replies are written for at most so many clients, and for the looks at the sockets
/// between: some 300 µs.
pub(super) const GATHER: usize = 64;

/// Who is to be written to.
#[derive(Default)]
pub(super) struct Deliveries {
    /// At the end of this turn, nodes behind clients.
    backends: RefCell<Vec<Rc<Backend>>>,
    clients: RefCell<Vec<Rc<Client>>>,
    waker: Cell<Option<Waker>>,
    /// When others of their replies are there, or time is up.
    held: RefCell<Vec<Rc<Client>>>,
    any_held: Notify,
}

/// Delivers as long as the worker runs.
pub(super) async fn run(worker: Rc<Worker>) {
    let deliveries = &worker.deliveries;
    let mut turn = Vec::new();
    loop {
        poll_fn(|cx| deliveries.poll_due(cx)).await;
        let mut left = GATHER;
        while left > 0 && deliveries.gather() {
            left -= deliveries.write_replies(left, &mut turn);
            tokio::task::yield_now().await;
        }
        let only = deliveries.write_requests();
        deliveries.write_replies(usize::MAX, &mut turn);
        if let Some(backend) = only {
            worker.busy_poll(&backend);
        }
    }
}

/// Has clients deliver what they held back for long enough, as long as the worker runs.
pub(super) async fn release(worker: Rc<Worker>) {
    loop {
        worker.deliveries.any_held.notified().await;
        tokio::time::sleep(HOLD).await;
        let clients = worker.deliveries.held.take();
        for client in clients {
            client.release();
        }
    }
}

impl Deliveries {
    /// Ready when something is to be written.
    fn poll_due(&self, cx: &Context<'_>) -> Poll<()> {
        if self.backends.borrow().is_empty() && self.clients.borrow().is_empty() {
            self.waker.set(Some(cx.waker().clone()));
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    /// Whether others may join the requests to be written while replies are: who is alone is served at once.
    fn gather(&self) -> bool {
        !self.backends.borrow().is_empty() && !self.clients.borrow().is_empty()
    }

    /// Writes to `most` of the clients that are due. Returns to how many. `turn` is room that is used again.
    fn write_replies(&self, most: usize, turn: &mut Vec<Rc<Client>>) -> usize {
        let mut clients = self.clients.borrow_mut();
        let count = clients.len().min(most);
        turn.extend(clients.drain(..count));
        drop(clients);
        for client in turn.drain(..) {
            client.deliver();
        }
        count
    }

    /// Writes to the nodes that are due. Returns the node's connection if it is only one.
    fn write_requests(&self) -> Option<Rc<Backend>> {
        let mut backends = self.backends.borrow_mut();
        for backend in &*backends {
            backend.flush();
        }
        let only = if backends.len() == 1 { backends.pop() } else { None };
        backends.clear();
        only
    }

    #[inline]
    fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Lets go of all of them.
    #[cfg(any(test, fuzzing))]
    pub(super) fn clear(&self) {
        self.backends.take();
        self.clients.take();
        self.held.take();
        self.waker.take();
    }
}

impl Worker {
    /// Has the requests that `backend` queued written at the end of this turn.
    #[inline]
    pub(super) fn flush_to(&self, backend: &Rc<Backend>) {
        self.deliveries.backends.borrow_mut().push(Rc::clone(backend));
        self.deliveries.wake();
    }

    /// Has the replies that are ready for `client` written at the end of this turn.
    #[inline]
    pub(super) fn deliver_to(&self, client: &Rc<Client>) {
        self.deliveries.clients.borrow_mut().push(Rc::clone(client));
        self.deliveries.wake();
    }

    /// Has the replies that are ready for `client` written soon.
    pub(super) fn hold_for(&self, client: &Rc<Client>) {
        let mut held = self.deliveries.held.borrow_mut();
        if held.is_empty() {
            self.deliveries.any_held.notify_one();
        }
        held.push(Rc::clone(client));
    }
}
