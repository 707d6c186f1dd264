//! One node's connection for the subscriptions of one worker, in RESP2.
//!
//! Knows what was asked of the node and in which order it answers; which topic belongs where is
//! [`super::Subscriptions`]' business. While there is no connection nothing is queued: a new one is told all
//! at once.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::poll_fn,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Buf;

use super::topic::Name;
use crate::{
    cluster::NodeAddr,
    metrics::NodeMetrics,
    resp::{self, Protocol, ReplyScanner, encode_request},
    routing::ChannelKind,
    topology::Signal,
    worker::{
        Worker,
        backoff::Backoff,
        dial,
        intake::{Filled, Intake},
        outbox::Outbox,
        stream::Stream,
        wakeup::Wakeup,
    },
};

/// Reads of one connection before the worker's others get their turn.
const READS_PER_TURN: usize = 8;
/// Longest time to wait for a connection to be made.
const DIAL_TIMEOUT: Duration = Duration::from_secs(2);
/// A node that said nothing for so long, in nanoseconds, is asked whether it is still there.
const SILENCE: u64 = 1_000_000_000;

/// The connection of one worker to one node for subscriptions.
pub(super) struct Link {
    pub(super) addr: NodeAddr,
    worker: Rc<Worker>,
    queue: RefCell<Queue>,
    wakeup: Wakeup,
    connected: Cell<bool>,
    /// Whether the last connection was lost or could not be made.
    failing: Cell<bool>,
    /// When the node last said something.
    heard: Cell<u64>,
    /// The task must give the connection up.
    lost: Cell<bool>,
    /// Not needed any more: the task ends.
    retired: Cell<bool>,
    turns: Cell<u64>,
    metrics: Arc<NodeMetrics>,
}

#[derive(Default)]
struct Queue {
    outbox: Outbox,
    /// What the node is to answer, oldest first.
    due: VecDeque<Due>,
}

/// An answer that the node owes.
enum Due {
    Subscribed(ChannelKind, Name, u64),
    Unsubscribed(ChannelKind, Name),
    Pong,
}

/// The connection is of no more use.
struct Lost;

impl Link {
    /// The connection to `addr`, which its task makes at once.
    pub(super) fn spawn(worker: &Rc<Worker>, addr: NodeAddr) -> Rc<Self> {
        let metrics = worker.node_metrics(&addr);
        let link = Rc::new(Self {
            addr,
            worker: Rc::clone(worker),
            queue: RefCell::default(),
            wakeup: Wakeup::default(),
            connected: Cell::new(false),
            failing: Cell::new(false),
            heard: Cell::new(0),
            lost: Cell::new(false),
            retired: Cell::new(false),
            turns: Cell::new(0),
            metrics,
        });
        tokio::task::spawn_local(Rc::clone(&link).run());
        link
    }

    /// Whether the node cannot be reached, as far as is known.
    pub(super) fn is_failing(&self) -> bool {
        self.failing.get()
    }

    /// Asks for the messages of `name`. Returns the number of the request, by which its answer goes.
    pub(super) fn subscribe(&self, kind: ChannelKind, name: &Name) -> u64 {
        let turn = self.turns.get() + 1;
        self.turns.set(turn);
        let verb = [&b"SUBSCRIBE"[..], b"PSUBSCRIBE", b"SSUBSCRIBE"][kind as usize];
        self.ask(&[verb, name], Due::Subscribed(kind, Rc::clone(name), turn));
        turn
    }

    /// Wants no more messages of `name`.
    pub(super) fn unsubscribe(&self, kind: ChannelKind, name: &Name) {
        let verb = [&b"UNSUBSCRIBE"[..], b"PUNSUBSCRIBE", b"SUNSUBSCRIBE"][kind as usize];
        self.ask(&[verb, name], Due::Unsubscribed(kind, Rc::clone(name)));
    }

    /// Asks a silent node for a sign of life, and gives up on one that has owed an answer since `limit`, a
    /// time of the worker's clock.
    pub(super) fn check(&self, limit: u64) {
        if !self.connected.get() {
            return;
        }
        let owes = !self.queue.borrow().due.is_empty();
        if owes && self.heard.get() < limit {
            tracing::warn!(node = %self.addr, "node left a subscription unanswered");
            self.lost.set(true);
            self.wakeup.wake();
        } else if !owes && self.heard.get() + SILENCE < self.worker.now() {
            self.ask(&[b"PING"], Due::Pong);
        }
    }

    /// Closes the connection.
    pub(super) fn retire(&self) {
        self.retired.set(true);
        self.wakeup.wake();
    }

    fn ask(&self, request: &[&[u8]], due: Due) {
        if !self.connected.get() {
            return;
        }
        let mut queue = self.queue.borrow_mut();
        if queue.due.is_empty() {
            self.heard.set(self.worker.now());
        }
        let mut bytes = Vec::new();
        encode_request(&mut bytes, request);
        queue.outbox.append_owned(bytes.into());
        queue.due.push_back(due);
        drop(queue);
        self.wakeup.wake();
    }

    /// The task: connects, pumps, and begins again when the connection is lost.
    async fn run(self: Rc<Self>) {
        let mut backoff = Backoff::default();
        while !self.retired.get() {
            if let Some(stream) = self.dial().await
                && self.serve(stream).await
            {
                backoff = Backoff::default();
            }
            if self.retired.get() {
                return;
            }
            self.failing.set(true);
            self.worker.topology.signal(Signal::Lost);
            self.worker.subscriptions_lost(&self);
            tokio::time::sleep(backoff.next()).await;
        }
    }

    async fn dial(&self) -> Option<Stream> {
        let dialling = dial::dial(&self.addr, Protocol::Resp2, &self.worker.credentials);
        let why = match tokio::time::timeout(DIAL_TIMEOUT, dialling).await {
            Ok(Ok(stream)) => return Some(stream),
            Ok(Err(why)) => why.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        tracing::warn!(node = %self.addr, why, "cannot connect to node for subscriptions");
        None
    }

    /// Until the connection is lost or not needed any more. Returns whether the node ever said something.
    async fn serve(self: &Rc<Self>, mut stream: Stream) -> bool {
        self.metrics.connections.add(1);
        self.heard.set(self.worker.tick_clock());
        self.connected.set(true);
        let returned = self.failing.replace(false);
        self.worker.subscribe_again(self, returned);
        let mut said = Said::default();
        poll_fn(|cx| self.poll_pump(cx, &mut stream, &mut said)).await;
        self.connected.set(false);
        self.lost.set(false);
        self.queue.take();
        self.metrics.connections.sub(1);
        said.seen
    }

    /// Writes what is queued and hears what has come; ready when the connection is of no more use.
    fn poll_pump(self: &Rc<Self>, cx: &mut Context<'_>, stream: &mut Stream, said: &mut Said) -> Poll<()> {
        self.wakeup.arm(cx);
        for _ in 0..READS_PER_TURN {
            if self.lost.get() || self.retired.get() || self.flush(cx, stream).is_err() {
                return Poll::Ready(());
            }
            if ready!(self.poll_frames(cx, stream, said)).is_err() {
                return Poll::Ready(());
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn flush(&self, cx: &mut Context<'_>, stream: &mut Stream) -> std::io::Result<()> {
        let outbox = &mut self.queue.borrow_mut().outbox;
        while outbox.unwritten() > 0 {
            let Poll::Ready(written) = outbox.write(|slices| stream.poll_write(cx, slices)) else { break };
            let written = written?;
            if written == 0 {
                return Err(std::io::ErrorKind::WriteZero.into());
            }
            outbox.release(written);
            self.worker.metrics.backend_out.add(written as u64);
        }
        Ok(())
    }

    fn poll_frames(
        self: &Rc<Self>,
        cx: &mut Context<'_>,
        stream: &mut Stream,
        said: &mut Said,
    ) -> Poll<Result<(), Lost>> {
        let mut scratch = self.worker.scratch.borrow_mut();
        let needs = said.scanner.needs();
        let Ok((filled, n)) = ready!(said.intake.poll_fill(cx, stream, &mut scratch, needs)) else {
            return Poll::Ready(Err(Lost));
        };
        self.heard.set(self.worker.tick_clock());
        said.seen |= n > 0;
        self.worker.metrics.backend_in.add(n as u64);
        Poll::Ready(match filled {
            Filled::End => Err(Lost),
            Filled::Scratch(len) => self.hear_all(&scratch[..len], &mut said.scanner).map(|consumed| {
                said.intake.keep(&scratch[consumed..len]);
            }),
            Filled::Part => Ok(()),
            Filled::Kept => {
                let mut bytes = said.intake.take();
                self.hear_all(&bytes, &mut said.scanner).map(|consumed| {
                    bytes.advance(consumed);
                    said.intake.put_back(bytes);
                })
            }
        })
    }

    /// Hears each frame that `bytes` begins with. Returns how many bytes these were.
    fn hear_all(self: &Rc<Self>, bytes: &[u8], scanner: &mut ReplyScanner) -> Result<usize, Lost> {
        let mut at = 0;
        while at < bytes.len() {
            let Some(reply) = scanner.scan(&bytes[at..]).map_err(|_| Lost)? else { break };
            self.hear(&bytes[at..at + reply.len])?;
            at += reply.len;
        }
        Ok(at)
    }

    /// Takes a message to its subscribers, an answer to what it answers.
    fn hear(self: &Rc<Self>, frame: &[u8]) -> Result<(), Lost> {
        let worker = &self.worker;
        if frame.first() == Some(&b'-') {
            let Due::Subscribed(kind, name, turn) = self.answered()? else { return Ok(()) };
            worker.subscription_refused(self, kind, &name, turn, frame);
            return Ok(());
        }
        let mut words = resp::strings(frame);
        let (what, name) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        match what {
            b"message" => worker.publish(self, ChannelKind::Channel, name, name, frame),
            b"smessage" => worker.publish(self, ChannelKind::Shard, name, name, frame),
            b"pmessage" => {
                let channel = words.next().unwrap_or_default();
                worker.publish(self, ChannelKind::Pattern, name, channel, frame);
            }
            b"sunsubscribe" if !self.owes_end_of(name) => worker.subscription_ended(self, name),
            _ => {
                if let Due::Subscribed(kind, name, turn) = self.answered()? {
                    worker.subscribed(self, kind, &name, turn);
                }
            }
        }
        Ok(())
    }

    /// The oldest answer that is due.
    fn answered(&self) -> Result<Due, Lost> {
        self.queue.borrow_mut().due.pop_front().ok_or(Lost)
    }

    /// Whether the node was asked to end the shard channel `name`, and that is the next answer due: else it
    /// ended it by itself, as the slot has moved.
    fn owes_end_of(&self, name: &[u8]) -> bool {
        matches!(self.queue.borrow().due.front(), Some(Due::Unsubscribed(ChannelKind::Shard, due)) if **due == *name)
    }
}

/// What has come from the node and is not understood yet.
#[derive(Default)]
struct Said {
    intake: Intake,
    scanner: ReplyScanner,
    /// Whether the node said anything.
    seen: bool,
}
