//! Requests that could not run yet: each client's, tried again one after the other in the order of its line.
//!
//! Off the common path: a task sleeps here while a client has such requests.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    time::Duration,
};

use tokio::sync::Notify;

use super::{
    client::Client,
    flight::{Flight, NO_RETRY, Ticket},
    line::Reply,
};
use crate::cluster::Slot;

/// Pause before the first new try; doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_millis(200);

/// A request that waits for its next try.
pub(super) struct Delayed {
    pub(super) flight: Flight,
    pub(super) request: Vec<u8>,
    /// What the client gets when time is up.
    pub(super) last: Vec<u8>,
}

impl Delayed {
    /// Its place in its client's line.
    fn number(&self) -> u64 {
        self.flight.ticket.as_ref().map_or(0, Ticket::number)
    }
}

/// The delayed requests of one client, in the order of its line.
#[derive(Default)]
pub(super) struct Retries {
    queue: RefCell<VecDeque<Delayed>>,
    /// Whether the task is there.
    running: Cell<bool>,
    /// Whether one of them was sent and has not come back.
    flying: Cell<bool>,
    landed: Notify,
}

impl Retries {
    /// Whether any request waits or is being tried again.
    pub(super) fn any(&self) -> bool {
        self.running.get()
    }

    /// The request that was tried again is answered, or waits again.
    pub(super) fn landed(&self) {
        self.flying.set(false);
        self.landed.notify_one();
    }

    /// A request for `slot` with this number ran. Earlier ones for that slot that still wait are given up with
    /// their errors, as they would run out of order; reads may be passed by reads.
    pub(super) fn overtaken(&self, slot: Slot, number: u64, by_read: bool) {
        let passed = |d: &Delayed| {
            d.flight.slot == Some(slot) && d.number() < number && !(by_read && d.flight.read_only())
        };
        let (given_up, kept) = self.queue.take().into_iter().partition::<VecDeque<_>, _>(passed);
        self.queue.replace(kept);
        for delayed in given_up {
            delayed.flight.answer(Reply::Copy(&delayed.last));
        }
    }

    /// Forgets all: the client is gone.
    pub(super) fn clear(&self) {
        let forgotten = self.queue.take();
        drop(forgotten);
        self.landed();
    }

    fn insert(&self, delayed: Delayed) {
        let mut queue = self.queue.borrow_mut();
        let place = queue.partition_point(|other| other.number() < delayed.number());
        queue.insert(place, delayed);
    }
}

/// Lets `delayed` wait for its next try, or answers it if its time is up.
pub(super) fn delay(client: &Rc<Client>, mut delayed: Delayed) {
    let worker = &client.worker;
    client.unsettle();
    let was_flying = std::mem::replace(&mut delayed.flight.serial, false);
    let age = Duration::from_nanos(worker.now().saturating_sub(delayed.flight.received));
    let is_over = age >= worker.config.retry_deadline || delayed.flight.attempts == NO_RETRY;
    if is_over || client.is_closed() {
        worker.note_slow(&delayed.flight, &delayed.request, None);
        delayed.flight.answer(Reply::Copy(&delayed.last));
    } else {
        delayed.flight.attempts += 1;
        delayed.flight.hops = 0;
        client.retries.insert(delayed);
        if !client.retries.running.replace(true) {
            tokio::task::spawn_local(run(Rc::clone(client)));
        }
    }
    if was_flying {
        client.retries.landed();
    }
}

/// Tries the oldest again, waits until it is answered or waits again, and so on.
async fn run(client: Rc<Client>) {
    let retries = &client.retries;
    loop {
        let Some(attempts) = retries.queue.borrow().front().map(|d| d.flight.attempts) else { break };
        // The first of a row waits; those behind it follow at once when it went through.
        tokio::time::sleep(pause(attempts)).await;
        loop {
            let Some(mut delayed) = retries.queue.borrow_mut().pop_front() else { break };
            client.worker.tick_clock();
            let attempts = delayed.flight.attempts;
            retries.flying.set(true);
            delayed.flight.serial = true;
            client.worker.send_again(&client, delayed);
            while retries.flying.get() {
                retries.landed.notified().await;
            }
            if retries.queue.borrow().front().is_some_and(|d| d.flight.attempts > attempts) {
                break;
            }
        }
    }
    retries.running.set(false);
    client.wake();
}

/// How long to wait before try number `attempts`.
pub(super) fn pause(attempts: u32) -> Duration {
    (PAUSE_MIN * 2_u32.saturating_pow(attempts.saturating_sub(1).min(16))).min(PAUSE_MAX)
}
