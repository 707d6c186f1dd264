//! One node's pipelined connection, which clients of one profile share: the requests of many go out in one write,
//! replies come back in the order of the requests.
//!
//! Opened when first needed, re-opened with backoff. Knows nothing of slots: what a reply means is
//! [`Verdict`](crate::routing::Verdict)'s, what to do then is [`super::redirect`]'s business.

mod queue;
mod replies;
mod requests;

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::poll_fn,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, ready},
};

use self::{queue::Queue, replies::Replies};
use super::{
    Worker,
    backoff::Backoff,
    client::Client,
    dial,
    flight::{Flight, Ticket},
    pipe,
    profile::{Profile, Whose},
    stream::Stream,
    wakeup::Wakeup,
};
use crate::{
    cluster::{NodeAddr, Slot},
    config::ReadFrom,
    metrics::NodeMetrics,
    topology::Signal,
};

/// Requests that one connection holds before clients that want it are no longer read, in bytes: enough to
/// fill any link for a second, little enough for one machine and hundreds of nodes.
const MAX_QUEUE: usize = 64 * 1024 * 1024;
/// Reads of one connection before the worker's others get their turn.
const READS_PER_TURN: usize = 8;

/// A replica that could not answer a read is asked no more for so long, in nanoseconds.
const REST: u64 = 1_000_000_000;
/// A node that said nothing for so long is asked whether it is still there, in nanoseconds.
const SILENCE: u64 = 1_000_000_000;
/// So many requests in flight are looked at to find a certain one; among more it is taken to be.
const MOST_SEARCHED: usize = 1024;
const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";

/// The connection of one worker to one node for clients of one profile.
pub(super) struct Backend {
    pub(super) addr: NodeAddr,
    pub(super) profile: Profile,
    worker: Rc<Worker>,
    queue: RefCell<Queue>,
    /// What came over the connection that there is.
    replies: RefCell<Replies>,
    wakeup: Wakeup,
    stream: RefCell<Option<Stream>>,
    connected: Cell<bool>,
    /// Whether the worker will write what is queued at the end of this turn.
    due: Cell<bool>,
    /// Whether the task writes what is queued: the socket is new, or took no more at the last try.
    stuck: Cell<bool>,
    /// When the node last did something for the request that it is due to answer.
    progress: Cell<u64>,
    /// Why the task must give the connection up.
    lost: Cell<Option<Lost>>,
    /// Not needed any more: the task ends when nothing is in flight.
    retired: Cell<bool>,
    /// Until when reads go elsewhere, if they can: the node said that it cannot answer them.
    rests_until: Cell<u64>,
    waiters: RefCell<Vec<Rc<Client>>>,
    metrics: Arc<NodeMetrics>,
}

/// Why a connection is of no more use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lost {
    /// The node closed it, or the kernel did.
    Closed,
    /// The node left a request unanswered for too long.
    Timeout,
    /// The node sent what is no reply.
    Garbage,
}

impl Backend {
    /// The connection to `addr`, not made yet; its task runs on `worker`.
    pub(super) fn spawn(worker: &Rc<Worker>, addr: NodeAddr, profile: Profile) -> Rc<Self> {
        let metrics = worker.node_metrics(&addr);
        let backend = Rc::new(Self {
            addr,
            profile,
            worker: Rc::clone(worker),
            queue: RefCell::default(),
            replies: RefCell::default(),
            wakeup: Wakeup::default(),
            stream: RefCell::default(),
            connected: Cell::new(false),
            due: Cell::new(false),
            stuck: Cell::new(false),
            progress: Cell::new(0),
            lost: Cell::new(None),
            retired: Cell::new(false),
            rests_until: Cell::new(0),
            waiters: RefCell::default(),
            metrics,
        });
        tokio::task::spawn_local(Rc::clone(&backend).run());
        backend
    }

    /// Whether `client` must wait before it sends more here; it is woken then. Who comes while others wait
    /// waits too.
    #[inline]
    pub(super) fn refuses(&self, client: &Rc<Client>) -> bool {
        let queued = self.queue.borrow().outbox.len();
        if queued < MAX_QUEUE / 2 {
            return false;
        }
        let mut waiters = self.waiters.borrow_mut();
        let refused = queued >= MAX_QUEUE || !waiters.is_empty();
        if refused && !waiters.iter().any(|waiter| Rc::ptr_eq(waiter, client)) {
            waiters.push(Rc::clone(client));
        }
        refused
    }

    /// Gives up on a node that has neither taken nor answered anything since `limit`, a time of the worker's
    /// clock, though requests are due.
    pub(super) fn check_timeout(&self, limit: u64) {
        if self.connected.get() && !self.is_idle() && self.progress.get() < limit {
            self.lost.set(Some(Lost::Timeout));
            self.wakeup.wake();
        }
    }

    /// Asks a silent node for a sign of life, where it is to be heard without being asked anything.
    pub(super) fn check_silence(self: &Rc<Self>) {
        let silent = self.is_live() && self.is_idle() && self.progress.get() + SILENCE < self.worker.now();
        if self.is_kept() && silent {
            self.send(PING, Flight::asking(self.worker.now()));
        }
    }

    /// Whether there is to be a connection though nothing is to be sent: to hear what the node says unasked, or to
    /// know whether it can be read.
    fn is_kept(&self) -> bool {
        match self.profile.whose {
            Whose::Everyone => self.profile.replica || self.worker.config.read_from == ReadFrom::Any,
            Whose::Tracker(_) => true,
            Whose::Lent(_) => false,
        }
    }

    /// Whether it answers reads, as far as can be told: it is connected, did not say that it cannot, and leaves
    /// nothing unanswered for long.
    pub(super) fn is_fit(&self) -> bool {
        let now = self.worker.now();
        let moves = self.progress.get() + SILENCE > now || self.is_idle();
        self.is_live() && self.rests_until.get() <= now && moves
    }

    /// Is not fit for a while.
    pub(super) fn rest(&self) {
        self.rests_until.set(self.worker.now() + REST);
    }

    /// Whether there is a connection.
    pub(super) fn is_live(&self) -> bool {
        self.connected.get()
    }

    /// When it last did something that it was asked for, by the worker's clock.
    pub(super) fn last_used(&self) -> u64 {
        self.progress.get()
    }

    /// Whether nothing is queued or in flight.
    pub(super) fn is_idle(&self) -> bool {
        self.queue.borrow().flights.is_empty()
    }

    /// Whether a request of `client` for `slot` may be in flight.
    pub(super) fn may_carry(&self, client: &Rc<Client>, slot: Option<Slot>) -> bool {
        let flights = &self.queue.borrow().flights;
        let is_its = |flight: &Flight| {
            let whose = flight.ticket.as_ref().and_then(Ticket::client);
            flight.slot == slot && whose.is_some_and(|other| Rc::ptr_eq(other, client))
        };
        flights.len() > MOST_SEARCHED || flights.iter().any(is_its)
    }

    /// Ends the task once nothing is in flight.
    pub(super) fn retire(&self) {
        self.retired.set(true);
        self.wakeup.wake();
    }

    /// Gives memory back if nothing is in flight.
    pub(super) fn shrink(&self) {
        let mut queue = self.queue.borrow_mut();
        if queue.flights.is_empty() {
            queue.outbox.shrink();
            queue.flights = VecDeque::new();
        }
    }

    /// What it waits for, in words.
    #[cfg(test)]
    pub(super) fn dump(&self) -> String {
        let queue = self.queue.borrow();
        let number = |flight: &Flight| flight.ticket.as_ref().map(Ticket::number);
        let flights: Vec<_> = queue.flights.iter().map(number).collect();
        let flags = [&self.connected, &self.due, &self.stuck, &self.retired].map(Cell::get);
        let woken = self.wakeup.is_woken();
        format!(
            "backend {} {:?}: {} sent of {flights:?}, {} B unwritten; progress at {} ms; \
             connected, due, stuck, retired: {flags:?}; woken: {woken}",
            self.addr,
            self.profile,
            queue.sent,
            queue.outbox.unwritten(),
            self.progress.get() / 1_000_000
        )
    }

    /// The task: waits until it is needed, connects, pumps, and begins again when the connection is lost.
    async fn run(self: Rc<Self>) {
        let mut backoff = Backoff::default();
        while self.wanted().await {
            if !self.may_dial() {
                self.turn_away();
                tokio::time::sleep(Backoff::default().next()).await;
                continue;
            }
            let Some(stream) = self.dial().await else {
                self.fail(Lost::Closed);
                tokio::time::sleep(backoff.next()).await;
                continue;
            };
            // The worker that owns a shared connection counts it.
            let own = u64::from(!stream.is_lane());
            self.stream.replace(Some(stream));
            self.metrics.connections.add(own);
            self.progress.set(self.worker.tick_clock());
            self.connected.set(true);
            self.stuck.set(true);
            self.tell_tracker();
            let lost = poll_fn(|cx| self.poll_pump(cx)).await;
            self.connected.set(false);
            if !self.retired.get() && self.tell_tracker() {
                self.worker.topology.signal(Signal::Lost);
            }
            self.metrics.connections.sub(own);
            self.stream.take();
            if self.replies.take().seen {
                backoff = Backoff::default();
            } else {
                tokio::time::sleep(backoff.next()).await;
            }
            self.fail(lost);
        }
    }

    /// Whoever hears over it what changes must know that it was made or lost. Returns whether there is one.
    fn tell_tracker(&self) -> bool {
        let Whose::Tracker(number) = self.profile.whose else { return false };
        self.worker.own_broke(number);
        true
    }

    /// Waits for a request; false when none will come.
    async fn wanted(&self) -> bool {
        poll_fn(|cx| {
            self.wakeup.arm(cx);
            match (self.is_idle(), self.retired.get()) {
                (false, _) => Poll::Ready(true),
                (true, true) => Poll::Ready(false),
                (true, false) if self.is_kept() => Poll::Ready(true),
                (true, false) => Poll::Pending,
            }
        })
        .await
    }

    fn is_lent(&self) -> bool {
        matches!(self.profile.whose, Whose::Lent(_))
    }

    /// Whether the node may be dialled: not over each of many connections while it is away.
    fn may_dial(&self) -> bool {
        !self.is_lent() || self.worker.pool.lets_dial(&self.worker, &self.addr, self.profile.protocol)
    }

    async fn dial(&self) -> Option<Stream> {
        let dialled = self.dial_now().await;
        if self.is_lent() {
            let (worker, protocol) = (&self.worker, self.profile.protocol);
            worker.pool.dialled(worker, &self.addr, protocol, dialled.is_some());
        }
        dialled
    }

    async fn dial_now(&self) -> Option<Stream> {
        let dialling = pipe::connect(&self.worker, &self.addr, self.profile);
        let why = match tokio::time::timeout(dial::timeout(&self.worker.config), dialling).await {
            Ok(Ok(stream)) => return Some(stream),
            Ok(Err(why)) => why.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        if self.is_idle() {
            tracing::debug!(node = %self.addr, why, "cannot connect to node");
        } else {
            tracing::warn!(node = %self.addr, why, "cannot connect to node");
        }
        None
    }

    /// Reads what has come; ready when the connection is lost.
    fn poll_pump(self: &Rc<Self>, cx: &mut Context<'_>) -> Poll<Lost> {
        self.wakeup.arm(cx);
        for _ in 0..READS_PER_TURN {
            if let Some(lost) = self.lost.take() {
                return Poll::Ready(lost);
            }
            if self.stuck.get() && self.write(|stream, slices| stream.poll_write(cx, slices)).is_err() {
                return Poll::Ready(Lost::Closed);
            }
            if self.retired.get() && self.is_idle() {
                return Poll::Ready(Lost::Closed);
            }
            if let Err(lost) = ready!(self.poll_replies(cx)) {
                return Poll::Ready(lost);
            }
            self.flush_waiting();
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn wake_waiters(&self) {
        if !self.waiters.borrow().is_empty() && self.queue.borrow().outbox.len() < MAX_QUEUE / 2 {
            for client in self.waiters.take() {
                client.wake();
            }
        }
    }

    /// Notes that the node was lost, and settles everything in flight.
    fn fail(&self, lost: Lost) {
        let in_flight = self.queue.borrow().flights.len();
        if in_flight > 0 || lost != Lost::Closed {
            tracing::warn!(node = %self.addr, in_flight, ?lost, "lost node");
            self.worker.topology.signal(Signal::Lost);
        }
        self.lost.set(None);
        self.turn_away();
    }

    /// Settles everything in flight: what surely did not run, or may run twice, is tried again.
    fn turn_away(&self) {
        let mut queue = self.queue.take();
        self.metrics.in_flight.sub(queue.sent as u64);
        self.worker.traffic.end(queue.flights.len());
        for (place, flight) in std::mem::take(&mut queue.flights).into_iter().enumerate() {
            let request = queue.outbox.front(flight.len).to_vec();
            queue.outbox.release(flight.len);
            self.worker.lost(flight, request, place < queue.sent, &self.addr);
        }
        self.wake_waiters();
    }
}
