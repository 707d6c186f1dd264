//! Requests on their way to nodes and replies on their way to clients: each peer's in one write, and the replies of
//! one read together.
//!
//! Whom something is for is noted here; one task, woken once, runs behind all that are ready and writes for each. A
//! server answers what it read at once in one write; over several nodes the replies come at different times, so those
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

/// Who is to be written to.
#[derive(Default)]
pub(super) struct Deliveries {
    /// At the end of this turn.
    backends: RefCell<Vec<Rc<Backend>>>,
    clients: RefCell<Vec<Rc<Client>>>,
    waker: Cell<Option<Waker>>,
    /// When others of their replies are there, or time is up.
    held: RefCell<Vec<Rc<Client>>>,
    any_held: Notify,
}

/// Delivers as long as the worker runs.
pub(super) async fn run(worker: Rc<Worker>) {
    let mut turn = Vec::new();
    poll_fn(|cx| worker.deliver(cx, &mut turn)).await;
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

    /// The end of one turn: nodes have work before clients have replies. `turn` is room that is used again.
    fn deliver(&self, cx: &Context<'_>, turn: &mut Vec<Rc<Client>>) -> Poll<()> {
        let Deliveries { backends, clients, waker, .. } = &self.deliveries;
        waker.set(Some(cx.waker().clone()));
        for backend in backends.borrow_mut().drain(..) {
            backend.flush();
        }
        std::mem::swap(&mut *clients.borrow_mut(), turn);
        for client in turn.drain(..) {
            client.deliver();
        }
        Poll::Pending
    }
}
