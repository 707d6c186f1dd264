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
    budget::Budget,
    client::Client,
    flight::{Flight, NO_RETRY, Ticket},
    line::Reply,
    redirect::{MAY_HAVE_RUN, OTHERS_WAIT, OVERTAKEN},
    stray::{Passed, Strays, Trace},
};
use crate::{metrics::RetryReason, routing::Touched};

/// Pause before the first new try; doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_millis(200);
/// How often it is looked whether the requests sent behind a delayed one have been answered.
const LOOK: Duration = Duration::from_millis(1);

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
    /// Whether the last that was sent has come back to wait again.
    in_vain: Cell<bool>,
    landed: Notify,
    pub(super) strays: Strays,
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

    /// The request that was tried again did not succeed, though it is tried no more.
    pub(super) fn failed(&self) {
        self.in_vain.set(true);
    }

    /// Gives those with these `numbers` up with their errors: they would run behind a write that ran, or that may
    /// have run as its `reply` says. Then a read may have run too: asked again, it could see what came after it.
    fn give_up(&self, numbers: &[u64], reply: &[u8]) {
        let named = |delayed: &Delayed| numbers.contains(&delayed.number());
        let (given_up, kept) = self.queue.take().into_iter().partition::<VecDeque<_>, _>(named);
        self.queue.replace(kept);
        for delayed in given_up {
            let unsure = reply == MAY_HAVE_RUN && delayed.flight.read_only();
            delayed.flight.answer(Reply::Copy(if unsure { MAY_HAVE_RUN } else { &delayed.last }));
        }
    }

    /// Forgets all: the client is gone.
    pub(super) fn clear(&self) {
        let forgotten = self.queue.take();
        drop(forgotten);
        self.strays.clear();
        self.in_vain.set(true);
        self.landed();
    }

    /// What waits, in words.
    #[cfg(test)]
    pub(super) fn dump(&self) -> String {
        let numbers: Vec<u64> = self.queue.borrow().iter().map(Delayed::number).collect();
        let (running, flying) = (self.running.get(), self.flying.get());
        format!("delayed {numbers:?}, running: {running}, flying: {flying}")
    }

    fn insert(&self, delayed: Delayed) {
        let mut queue = self.queue.borrow_mut();
        let place = queue.partition_point(|other| other.number() < delayed.number());
        queue.insert(place, delayed);
    }
}

/// Notes that the node did not run `request`: what was sent behind it may run first.
pub(super) fn stray(client: &Client, flight: &Flight, request: &[u8]) {
    if let Some(trace) = trace(flight, request) {
        client.retries.strays.note(trace);
    }
}

/// Gives the client `reply` to `request`, which ran or may have run, unless it is a read that ran before a write
/// it was sent behind: that is asked again. Writes that were passed by a write are given up.
#[cold]
pub(super) fn arrive(client: &Rc<Client>, flight: Flight, request: Vec<u8>, reply: Reply<'_>) {
    let retries = &client.retries;
    let waits = |number| client.line().borrow().awaits(number);
    match trace(&flight, &request).map_or(Passed::Nobody, |ran| retries.strays.pass(&ran, waits)) {
        Passed::Nobody => flight.answer(reply),
        Passed::ReadTooEarly => {
            stray(client, &flight, &request);
            client.worker.metrics.retried(RetryReason::Order);
            // What it read is of no use once that write ran.
            delay(client, Delayed { flight, request, last: OVERTAKEN.to_vec() });
        }
        Passed::Overtook(numbers) => {
            retries.give_up(&numbers, reply.bytes());
            flight.answer(reply);
        }
    }
}

fn trace(flight: &Flight, request: &[u8]) -> Option<Trace> {
    let (number, slot) = (flight.ticket.as_ref()?.number(), flight.slot?);
    Some(Trace { number, slot, keys: Touched::by(request), read_only: flight.read_only() })
}

/// Lets `delayed` wait for its next try, or answers it if its time is up.
pub(super) fn delay(client: &Rc<Client>, mut delayed: Delayed) {
    let worker = &client.worker;
    client.unsettle();
    let was_flying = std::mem::replace(&mut delayed.flight.serial, false);
    let age = Duration::from_nanos(worker.now().saturating_sub(delayed.flight.received));
    let is_overtaken = client.retries.strays.is_overtaken(delayed.number());
    let is_over = age >= worker.config.retry_deadline || delayed.flight.attempts == NO_RETRY;
    if is_over || is_overtaken || client.is_closed() {
        worker.note_slow(&delayed.flight, &delayed.request, None);
        let waited = delayed.last == OVERTAKEN && !is_overtaken;
        delayed.flight.answer(Reply::Copy(if waited { OTHERS_WAIT } else { &delayed.last }));
    } else {
        delayed.flight.attempts += 1;
        delayed.flight.hops = 0;
        client.retries.insert(delayed);
        if !client.retries.running.replace(true) {
            tokio::task::spawn_local(run(Rc::clone(client)));
        }
    }
    if was_flying {
        client.retries.failed();
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
        while !client.is_closed() && others_fly(&client, None) {
            tokio::time::sleep(LOOK).await;
        }
        while let Some(budget) = may_leave(&client).await {
            let Some(mut delayed) = retries.queue.borrow_mut().pop_front() else { break };
            client.worker.tick_clock();
            let attempts = delayed.flight.attempts;
            retries.flying.set(true);
            retries.in_vain.set(false);
            delayed.flight.serial = true;
            client.worker.send_again(&client, delayed);
            while retries.flying.get() {
                retries.landed.notified().await;
            }
            if !retries.in_vain.get() {
                budget.succeeded();
            }
            if retries.queue.borrow().front().is_some_and(|d| d.flight.attempts > attempts) {
                break;
            }
        }
    }
    retries.running.set(false);
    client.wake();
}

/// Waits until the oldest may be tried again, or its time is up; nothing if there is none. What it took is given
/// back by a success.
async fn may_leave(client: &Client) -> Option<Rc<Budget>> {
    let worker = &client.worker;
    let (slot, received) =
        client.retries.queue.borrow().front().map(|d| (d.flight.slot, d.flight.received))?;
    let budget = worker.budgets.of(slot.and_then(|slot| worker.owner_addr(slot)));
    if !budget.take() {
        worker.metrics.held.add(1);
        worker.tick_clock();
        let left = worker.config.retry_deadline.saturating_sub(worker.age(received));
        if budget.wait(left).await && client.retries.queue.borrow().is_empty() {
            budget.unused();
        }
    }
    Some(budget)
}

/// Whether requests of `client` are under way that were sent along with the delayed ones and with that at place
/// `own`. What is tried again now would run behind them; when all have come back, it is known whom they passed.
pub(super) fn others_fly(client: &Client, own: Option<u64>) -> bool {
    let (queue, line) = (client.retries.queue.borrow(), client.line().borrow());
    let is_delayed = |number: &u64| queue.binary_search_by_key(number, Delayed::number).is_ok();
    line.awaited().any(|number| own != Some(number) && !is_delayed(&number))
}

/// How long to wait before try number `attempts`.
pub(super) fn pause(attempts: u32) -> Duration {
    (PAUSE_MIN * 2_u32.saturating_pow(attempts.saturating_sub(1).min(16))).min(PAUSE_MAX)
}
