//! Replies on their way to clients: each client's in one write, those of one read together.
//!
//! Clients that replies came for are gathered here; one task, woken once, runs behind all that are ready and
//! writes for each. A server answers what it read at once in one write; over several nodes the replies come at
//! different times, so those that are ready wait for the rest for a short while.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::sync::Notify;

use super::{Worker, client::Client};

/// Ready replies wait at most so long for the others that were asked for in the same read, or twice where replies to
/// an earlier read waited just before; the timer takes up to a millisecond more each time.
const HOLD: Duration = Duration::from_millis(1);

/// Clients to deliver to.
#[derive(Default)]
pub(super) struct Deliveries {
    /// In this turn.
    due: RefCell<Vec<Rc<Client>>>,
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

#[cfg(any(test, fuzzing))]
impl Deliveries {
    /// Lets go of all clients.
    pub(super) fn clear(&self) {
        self.due.take();
        self.held.take();
        self.waker.take();
    }
}

impl Worker {
    /// Has the replies that are ready for `client` written at the end of this turn.
    #[inline]
    pub(super) fn deliver_to(&self, client: &Rc<Client>) {
        let mut due = self.deliveries.due.borrow_mut();
        due.push(Rc::clone(client));
        if due.len() == 1
            && let Some(waker) = self.deliveries.waker.take()
        {
            waker.wake();
        }
    }

    /// Has the replies that are ready for `client` written soon.
    pub(super) fn hold_for(&self, client: &Rc<Client>) {
        let mut held = self.deliveries.held.borrow_mut();
        if held.is_empty() {
            self.deliveries.any_held.notify_one();
        }
        held.push(Rc::clone(client));
    }

    /// One turn; `clients` is room that is used again.
    fn deliver(&self, cx: &Context<'_>, clients: &mut Vec<Rc<Client>>) -> Poll<()> {
        self.deliveries.waker.set(Some(cx.waker().clone()));
        std::mem::swap(&mut *self.deliveries.due.borrow_mut(), clients);
        for client in clients.drain(..) {
            client.deliver();
        }
        Poll::Pending
    }
}
