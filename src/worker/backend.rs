//! One node's shared, pipelined connection: many clients' requests go out in one write, replies come back
//! in the order of the requests.
//!
//! Opened when first needed, re-opened with backoff. Knows nothing of slots: what a reply means is
//! [`Verdict`]'s, what to do then is [`super::redirect`]'s business.

use std::{
    cell::{Cell, RefCell, RefMut},
    collections::VecDeque,
    future::poll_fn,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
};

use super::{
    Worker,
    backoff::Backoff,
    client::Client,
    dial,
    flight::{Flight, Ticket},
    intake::{Filled, Intake},
    line::Reply,
    outbox::{LARGE, Outbox},
    pipe,
    profile::Profile,
    stream::Stream,
};
use crate::{
    cluster::{NodeAddr, Slot},
    config::ReadFrom,
    metrics::NodeMetrics,
    resp::ReplyScanner,
    routing::Verdict,
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
const LOOK: usize = 1024;
const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";

/// The connection of one worker to one node for clients of one profile.
pub(super) struct Backend {
    pub(super) addr: NodeAddr,
    pub(super) profile: Profile,
    worker: Rc<Worker>,
    queue: RefCell<Queue>,
    waker: RefCell<Option<Waker>>,
    woken: Cell<bool>,
    connected: Cell<bool>,
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

/// Invariant: the first `sent` flights, of `sent_bytes` bytes, were written to their last byte.
#[derive(Default)]
struct Queue {
    outbox: Outbox,
    flights: VecDeque<Flight>,
    sent: usize,
    sent_bytes: usize,
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
            waker: RefCell::default(),
            woken: Cell::new(false),
            connected: Cell::new(false),
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

    /// Sends `request` behind all others.
    #[inline]
    pub(super) fn send(&self, request: &[u8], flight: Flight) {
        self.send_with(request.len(), flight, |block| block.extend_from_slice(request));
    }

    /// Sends the request that `write` makes, of at most `most` bytes.
    #[inline]
    pub(super) fn send_with(&self, most: usize, mut flight: Flight, write: impl FnOnce(&mut Vec<u8>)) {
        let mut queue = self.queue.borrow_mut();
        self.expect_progress(&queue);
        flight.len = queue.outbox.append_with(most, write);
        queue.flights.push_back(flight);
        drop(queue);
        self.wake();
    }

    /// Sends `request` without copying it if it is large.
    pub(super) fn send_owned(&self, request: Vec<u8>, mut flight: Flight) {
        let mut queue = self.queue.borrow_mut();
        self.expect_progress(&queue);
        if let Some(bundle) = &mut flight.bundle {
            bundle.begin();
        }
        flight.len = request.len();
        queue.outbox.append_owned(request);
        queue.flights.push_back(flight);
        drop(queue);
        self.wake();
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

    /// The node is busy from now on, if it was not.
    #[inline]
    fn expect_progress(&self, queue: &Queue) {
        if queue.flights.is_empty() {
            self.progress.set(self.worker.now());
        }
    }

    /// Gives up on a node that has neither taken nor answered anything since `limit`, a time of the worker's
    /// clock, though requests are due.
    pub(super) fn check_timeout(&self, limit: u64) {
        if self.connected.get() && !self.is_idle() && self.progress.get() < limit {
            self.lost.set(Some(Lost::Timeout));
            self.wake();
        }
    }

    /// Asks a silent node for a sign of life, where it is to be heard without being asked anything.
    pub(super) fn check_silence(&self) {
        let silent = self.is_live() && self.is_idle() && self.progress.get() + SILENCE < self.worker.now();
        if self.is_kept() && silent {
            self.send(PING, Flight::asking(self.worker.now()));
        }
    }

    /// Whether there is to be a connection though nothing is to be sent: to hear what the node says unasked, or to
    /// know whether it can be read.
    fn is_kept(&self) -> bool {
        self.profile.own != 0 || self.profile.replica || self.worker.config.read_from == ReadFrom::Any
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
        flights.len() > LOOK || flights.iter().any(is_its)
    }

    /// Ends the task once nothing is in flight.
    pub(super) fn retire(&self) {
        self.retired.set(true);
        self.wake();
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
        let flags = [&self.connected, &self.woken, &self.retired].map(Cell::get);
        format!(
            "backend {} {:?}: {} sent of {flights:?}, {} B unwritten; progress at {} ms; \
             connected, woken, retired: {flags:?}",
            self.addr,
            self.profile,
            queue.sent,
            queue.outbox.unwritten(),
            self.progress.get() / 1_000_000
        )
    }

    #[inline]
    fn wake(&self) {
        if !self.woken.replace(true)
            && let Some(waker) = &*self.waker.borrow()
        {
            waker.wake_by_ref();
        }
    }

    #[inline]
    fn arm(&self, cx: &Context<'_>) {
        self.woken.set(false);
        let mut waker = self.waker.borrow_mut();
        if !waker.as_ref().is_some_and(|w| w.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
    }

    /// The task: waits until it is needed, connects, pumps, and begins again when the connection is lost.
    async fn run(self: Rc<Self>) {
        let mut backoff = Backoff::default();
        while self.wanted().await {
            let Some(mut stream) = self.dial().await else {
                self.fail(Lost::Closed);
                tokio::time::sleep(backoff.next()).await;
                continue;
            };
            // The worker that owns a shared connection counts it.
            let own = u64::from(!stream.is_lane());
            self.metrics.connections.add(own);
            self.progress.set(self.worker.tick_clock());
            self.connected.set(true);
            self.worker.own_broke(self.profile.own);
            let mut replies = Replies::default();
            let lost = poll_fn(|cx| self.poll_pump(cx, &mut stream, &mut replies)).await;
            self.connected.set(false);
            if self.profile.own != 0 && !self.retired.get() {
                self.worker.own_broke(self.profile.own);
                self.worker.topology.signal(Signal::Lost);
            }
            self.metrics.connections.sub(own);
            drop(stream);
            if replies.seen {
                backoff = Backoff::default();
            } else {
                tokio::time::sleep(backoff.next()).await;
            }
            self.fail(lost);
        }
    }

    /// Waits for a request; false when none will come.
    async fn wanted(&self) -> bool {
        poll_fn(|cx| {
            self.arm(cx);
            match (self.is_idle(), self.retired.get()) {
                (false, _) => Poll::Ready(true),
                (true, true) => Poll::Ready(false),
                (true, false) if self.is_kept() => Poll::Ready(true),
                (true, false) => Poll::Pending,
            }
        })
        .await
    }

    async fn dial(&self) -> Option<Stream> {
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

    /// Writes what is queued and reads what has come; ready when the connection is lost.
    fn poll_pump(&self, cx: &mut Context<'_>, stream: &mut Stream, replies: &mut Replies) -> Poll<Lost> {
        self.arm(cx);
        for _ in 0..READS_PER_TURN {
            if let Some(lost) = self.lost.take() {
                return Poll::Ready(lost);
            }
            if self.flush(cx, stream).is_err() {
                return Poll::Ready(Lost::Closed);
            }
            if self.retired.get() && self.is_idle() {
                return Poll::Ready(Lost::Closed);
            }
            if let Err(lost) = ready!(self.poll_replies(cx, stream, replies)) {
                return Poll::Ready(lost);
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Writes all that is queued, as far as the socket takes it.
    fn flush(&self, cx: &mut Context<'_>, stream: &mut Stream) -> std::io::Result<()> {
        let mut queue = self.queue.borrow_mut();
        let queue = &mut *queue;
        while queue.outbox.unwritten() > 0 {
            let Poll::Ready(written) = queue.outbox.write(|slices| stream.poll_write(cx, slices)) else {
                break;
            };
            let written = written?;
            if written == 0 {
                return Err(std::io::ErrorKind::WriteZero.into());
            }
            if queue.sent == 0 {
                self.progress.set(self.worker.tick_clock());
            }
            self.worker.metrics.backend_out.add(written as u64);
            queue.stamp(&self.worker, &self.metrics);
        }
        Ok(())
    }

    fn poll_replies(
        &self,
        cx: &mut Context<'_>,
        stream: &mut Stream,
        replies: &mut Replies,
    ) -> Poll<Result<(), Lost>> {
        let mut scratch = self.worker.scratch.borrow_mut();
        let needs = replies.scanner.needs();
        let filled = ready!(replies.intake.poll_fill(cx, stream, &mut scratch, needs));
        let Ok((filled, n)) = filled else { return Poll::Ready(Err(Lost::Closed)) };
        self.progress.set(self.worker.tick_clock());
        self.worker.metrics.backend_in.add(n as u64);
        let result = match filled {
            Filled::End => Err(Lost::Closed),
            Filled::Scratch(len) => self.take_replies(&scratch[..len], replies).map(|consumed| {
                replies.intake.keep(&scratch[consumed..len]);
            }),
            Filled::Kept => {
                drop(scratch);
                self.take_kept(replies)
            }
        };
        self.wake_waiters();
        Poll::Ready(result)
    }

    /// Delivers each reply that `bytes` begins with. Returns how many bytes these were.
    fn take_replies(&self, bytes: &[u8], replies: &mut Replies) -> Result<usize, Lost> {
        let mut at = 0;
        while at < bytes.len() {
            let Some(reply) = replies.scanner.scan(&bytes[at..]).map_err(|_| Lost::Garbage)? else { break };
            if reply.kind == b'>' {
                self.hear(&bytes[at..at + reply.len]);
            } else {
                replies.seen = true;
                self.deliver(Reply::Copy(&bytes[at..at + reply.len]))?;
            }
            at += reply.len;
        }
        Ok(at)
    }

    /// As [`Self::take_replies`], for a long reply that was read where it stays and is handed on.
    fn take_kept(&self, replies: &mut Replies) -> Result<(), Lost> {
        let mut bytes = replies.intake.take();
        let Some(reply) = replies.scanner.scan(&bytes).map_err(|_| Lost::Garbage)? else {
            replies.intake.put_back(bytes, 0);
            return Ok(());
        };
        let rest = bytes.split_off(reply.len);
        replies.seen = true;
        if reply.kind == b'>' {
            self.hear(&bytes);
        } else {
            self.deliver(if bytes.len() < LARGE { Reply::Copy(&bytes) } else { Reply::Own(bytes) })?;
        }
        let consumed = self.take_replies(&rest, replies)?;
        replies.intake.put_back(rest, consumed);
        Ok(())
    }

    /// Takes what the node says unasked: news for the client that the connection is for, else for nobody.
    #[cold]
    fn hear(&self, push: &[u8]) {
        if self.profile.own != 0 {
            self.worker.own_heard(self.profile.own, push);
        }
    }

    /// Gives `reply` to the oldest request.
    #[inline]
    fn deliver(&self, reply: Reply<'_>) -> Result<(), Lost> {
        let mut queue = self.queue.borrow_mut();
        if queue.flights.front().is_some_and(|flight| flight.bundle.is_some()) {
            drop(queue);
            return self.deliver_bundled(reply);
        }
        let Some(flight) = queue.pop() else { return Err(Lost::Garbage) };
        self.metrics.in_flight.sub(1);
        self.metrics.duration.record(self.worker.now().saturating_sub(flight.written));
        let verdict = Verdict::of(reply.bytes(), &self.addr);
        self.settle(queue, flight, verdict, reply);
        Ok(())
    }

    /// Gives `reply` to the oldest request, a transaction; its first replies may come before it is written.
    #[cold]
    fn deliver_bundled(&self, reply: Reply<'_>) -> Result<(), Lost> {
        let mut queue = self.queue.borrow_mut();
        let first = queue.flights.front_mut().and_then(|flight| flight.bundle.as_mut());
        if first.is_some_and(|bundle| bundle.takes(reply.bytes())) {
            return Ok(());
        }
        let Some(flight) = queue.pop() else { return Err(Lost::Garbage) };
        self.metrics.in_flight.sub(1);
        self.metrics.duration.record(self.worker.now().saturating_sub(flight.written));
        let judged = flight.bundle.as_ref().map(|bundle| bundle.judge(reply.bytes(), &self.addr));
        let (verdict, error) = judged.unwrap_or((Verdict::Deliver, None));
        let reply = error.map_or(reply, Reply::Own);
        self.settle(queue, flight, verdict, reply);
        Ok(())
    }

    /// Gives `reply` to the request of `flight`, the first that `queue` still holds, if `verdict` is so.
    #[inline]
    fn settle(&self, mut queue: RefMut<'_, Queue>, flight: Flight, verdict: Verdict, reply: Reply<'_>) {
        if verdict == Verdict::Deliver && self.worker.is_slow(flight.received) {
            self.worker.note_slow(&flight, queue.outbox.front(flight.len), Some(&self.addr));
        }
        if flight.ticket.is_none() || (verdict == Verdict::Deliver && !flight.is_among_strays()) {
            queue.outbox.release(flight.len);
            drop(queue);
            return flight.answer(reply);
        }
        let request = queue.outbox.front(flight.len).to_vec();
        queue.outbox.release(flight.len);
        drop(queue);
        self.worker.redirect(flight, request, verdict, reply.bytes(), &self.addr);
    }

    fn wake_waiters(&self) {
        if !self.waiters.borrow().is_empty() && self.queue.borrow().outbox.len() < MAX_QUEUE / 2 {
            for client in self.waiters.take() {
                client.wake();
            }
        }
    }

    /// Settles everything in flight: what surely did not run, or may run twice, is tried again.
    fn fail(&self, lost: Lost) {
        let mut queue = self.queue.take();
        self.metrics.in_flight.sub(queue.sent as u64);
        if !queue.flights.is_empty() || lost != Lost::Closed {
            tracing::warn!(node = %self.addr, in_flight = queue.flights.len(), ?lost, "lost node");
            self.worker.topology.signal(Signal::Lost);
        }
        self.lost.set(None);
        for (place, flight) in std::mem::take(&mut queue.flights).into_iter().enumerate() {
            let request = queue.outbox.front(flight.len).to_vec();
            queue.outbox.release(flight.len);
            self.worker.lost(flight, request, place < queue.sent, &self.addr);
        }
        self.wake_waiters();
    }
}

/// What has come from a node and is not understood yet.
#[derive(Default)]
struct Replies {
    intake: Intake,
    scanner: ReplyScanner,
    /// Whether the node ever answered.
    seen: bool,
}

impl Queue {
    /// The oldest request, if it was written: else no reply can be due.
    #[inline]
    fn pop(&mut self) -> Option<Flight> {
        if self.sent == 0 {
            return None;
        }
        let flight = self.flights.pop_front()?;
        self.sent -= 1;
        self.sent_bytes -= flight.len;
        Some(flight)
    }

    /// Marks the requests whose last byte is written by now.
    #[inline]
    fn stamp(&mut self, worker: &Worker, metrics: &NodeMetrics) {
        let now = worker.tick_clock();
        let before = self.sent;
        let written = self.outbox.written();
        while let Some(flight) = self.flights.get_mut(self.sent) {
            if self.sent_bytes + flight.len > written {
                break;
            }
            flight.written = now;
            worker.metrics.queue.record(now.saturating_sub(flight.received));
            self.sent_bytes += flight.len;
            self.sent += 1;
        }
        metrics.in_flight.add((self.sent - before) as u64);
    }
}
