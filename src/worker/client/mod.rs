//! One client's connection: reads requests, keeps their line, writes replies.
//!
//! Each client is one task, a poll function: flush what is ready, read, dispatch, until nothing moves. Two
//! requests of one client for the same slot stay in order because a client whose view of the owners is not
//! the current one sends nothing while it waits for replies ([`Client::settled`]).

mod input;
mod moving;
mod output;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    task::{Context, Poll},
};

use self::input::Input;
pub use self::moving::Moved;
#[cfg(test)]
pub(super) use self::output::LONG;
pub(super) use self::{input::MAX_HELD, moving::End};
use super::{
    Worker,
    apart::Apart,
    flight::Ticket,
    line::{Line, Reply},
    profile::Whose,
    pubsub::Subscribed,
    retry::Retries,
    stream::Stream,
    transaction::Queued,
    wait::Wrote,
    wakeup::Wakeup,
};
use crate::{command::Command, metrics::CloseReason, resp::Protocol};

/// Reads of one client before the worker's others get their turn.
const READS_PER_TURN: usize = 4;
/// The table epoch of a client that must wait until nothing of it is in flight.
const UNSETTLED: u64 = u64::MAX;

/// One client.
pub(super) struct Client {
    pub(super) id: u64,
    pub(super) worker: Rc<Worker>,
    stream: RefCell<Option<Stream>>,
    /// Both ends of its connection, as CLIENT LIST shows them.
    pub(super) peer: Box<str>,
    pub(super) local: Box<str>,
    wakeup: Wakeup,
    input: RefCell<Input>,
    line: RefCell<Line>,
    /// The epoch of the slot table by which everything in flight was routed.
    epoch: Cell<u64>,
    /// Whether a whole request waits in `input` for something else than bytes.
    held: Cell<bool>,
    /// Whether its task waits for nothing but bytes to read.
    reads: Cell<bool>,
    /// Whether its task is running: it writes what is ready before it waits.
    runs: Cell<bool>,
    /// Whether the worker will write what is ready, in this turn or soon.
    due: Cell<bool>,
    /// Which read the replies answer that wait for each other, if the worker is to look after them.
    holding: Cell<Option<u64>>,
    /// Whether its socket took no more at the last try.
    stuck: Cell<bool>,
    /// Reads no more; ends so when all replies are delivered.
    ending: Cell<Option<End>>,
    /// Whether what was read but not taken is dropped at the end.
    deaf: Cell<bool>,
    closed: Cell<bool>,
    /// The worker that counts it among those that stay, if it does.
    pub(super) stays: Cell<Option<usize>>,
    pub(super) retries: Retries,
    pub(super) apart: Apart,
    pub(super) protocol: Cell<Protocol>,
    pub(super) database: Cell<u16>,
    /// Whose connections to nodes it uses.
    pub(super) uses: Cell<Whose>,
    /// Whether it waits to be lent some.
    pub(super) in_line: Cell<bool>,
    pub(super) authenticated: Cell<bool>,
    pub(super) mute: Cell<Mute>,
    /// Whether it listens to any channel, or monitors: then it may send little else.
    pub(super) listens: Cell<bool>,
    pub(super) subscribed: RefCell<Option<Box<Subscribed>>>,
    pub(super) names: RefCell<Names>,
    pub(super) since: u64,
    /// When it last sent something.
    pub(super) active: Cell<u64>,
    pub(super) last_command: Cell<Option<&'static Command>>,
    /// Where it may have written, for WAIT.
    pub(super) wrote: Wrote,
    /// When it last wrote, or was told that it did; 0 if it never did, or nobody wants to know.
    pub(super) wrote_at: Cell<u64>,
    /// Its writes that are not answered; counted where somebody wants to know.
    pub(super) writes_due: Cell<u32>,
    /// Bytes that were read from it and written to it.
    pub(super) bytes_in: Cell<u64>,
    pub(super) bytes_out: Cell<u64>,
    /// What it asked for with CLIENT NO-EVICT and CLIENT NO-TOUCH: shown, but of no effect.
    pub(super) no_evict: Cell<bool>,
    pub(super) no_touch: Cell<bool>,
}

/// What the client wants to hear (CLIENT REPLY).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mute {
    /// Everything.
    #[default]
    No,
    /// Nothing.
    All,
    /// Everything but the reply to the next request.
    Next,
}

/// What the client calls itself.
#[derive(Default)]
pub(super) struct Names {
    pub(super) name: Box<[u8]>,
    pub(super) lib_name: Box<[u8]>,
    pub(super) lib_version: Box<[u8]>,
}

/// Bytes that a client makes slotway hold.
pub(super) struct HeldBytes {
    /// Requests that are not taken.
    pub(super) input: usize,
    /// The transaction that it queues.
    pub(super) queued: usize,
    /// Of the replies, those that are next to be written.
    pub(super) unwritten: usize,
    pub(super) replies: usize,
}

impl HeldBytes {
    pub(super) fn all(&self) -> usize {
        self.input + self.queued + self.replies
    }
}

/// A new connection, as a worker takes it on.
pub(super) struct Arrival {
    pub(super) id: u64,
    pub(super) stream: Stream,
    pub(super) peer: Box<str>,
    pub(super) local: Box<str>,
}

impl Client {
    pub(super) fn new(worker: &Rc<Worker>, arrival: Arrival) -> Rc<Self> {
        Rc::new(Self::begin(worker, arrival))
    }

    fn begin(worker: &Rc<Worker>, arrival: Arrival) -> Self {
        let Arrival { id, stream, peer, local } = arrival;
        let now = worker.tick_clock();
        Self {
            id,
            worker: Rc::clone(worker),
            stream: RefCell::new(Some(stream)),
            peer,
            local,
            wakeup: Wakeup::default(),
            input: RefCell::default(),
            line: RefCell::default(),
            epoch: Cell::new(0),
            held: Cell::new(false),
            reads: Cell::new(false),
            runs: Cell::new(false),
            due: Cell::new(false),
            holding: Cell::new(None),
            stuck: Cell::new(false),
            ending: Cell::new(None),
            deaf: Cell::new(false),
            closed: Cell::new(false),
            stays: Cell::new(None),
            retries: Retries::default(),
            apart: Apart::default(),
            protocol: Cell::new(Protocol::Resp2),
            database: Cell::new(0),
            uses: Cell::default(),
            in_line: Cell::new(false),
            authenticated: Cell::new(worker.config.requirepass.is_none()),
            mute: Cell::new(Mute::No),
            listens: Cell::new(false),
            subscribed: RefCell::default(),
            names: RefCell::default(),
            since: now,
            active: Cell::new(now),
            last_command: Cell::new(None),
            wrote: Wrote::default(),
            wrote_at: Cell::new(0),
            writes_due: Cell::new(0),
            bytes_in: Cell::new(0),
            bytes_out: Cell::new(0),
            no_evict: Cell::new(false),
            no_touch: Cell::new(false),
        }
    }

    /// The client's task: serves it until it is closed or moves, and says which.
    pub(super) async fn serve(self: Rc<Self>) -> End {
        let end = std::future::poll_fn(|cx| self.run(cx)).await;
        self.closed.set(true);
        self.retries.clear();
        self.leave();
        let waited = self.apart.on_errand();
        self.apart.clear();
        if waited {
            // The task that waits at a node for it ends first: who sees the client closed counts on that.
            tokio::task::yield_now().await;
        }
        if let End::Close(_) = end {
            self.stream.take();
        }
        end
    }

    /// Runs its task again soon.
    #[inline]
    pub(super) fn wake(&self) {
        self.wakeup.wake();
    }

    /// Takes the next place in line for a request of `command`.
    #[inline]
    pub(super) fn ticket(self: &Rc<Self>, command: Option<&'static Command>) -> Ticket {
        let mute = self.next_is_mute();
        let number = self.line.borrow_mut().join(command, self.worker.now(), mute);
        Ticket::new(Rc::clone(self), number)
    }

    /// As [`Self::ticket`], for a reply that the client gets whether it wants replies or not, as in redis
    /// pubsub.c (`CLIENT_PUSHING`).
    pub(super) fn loud_ticket(self: &Rc<Self>, command: &'static Command) -> Ticket {
        self.next_is_mute();
        let number = self.line.borrow_mut().join(Some(command), self.worker.now(), false);
        Ticket::new(Rc::clone(self), number)
    }

    /// The line, to take places for a split request.
    pub(super) fn line(&self) -> &RefCell<Line> {
        &self.line
    }

    /// Whether the reply to the request at hand is not wanted.
    #[inline]
    pub(super) fn next_is_mute(&self) -> bool {
        match self.mute.get() {
            Mute::No => false,
            Mute::All => true,
            Mute::Next => {
                self.mute.set(Mute::No);
                true
            }
        }
    }

    /// Answers the request at hand from here.
    pub(super) fn reply(self: &Rc<Self>, command: Option<&'static Command>, reply: &[u8]) {
        self.ticket(command).answer(Reply::Copy(reply));
    }

    /// Whether a request may be sent by the table of `epoch`: not while others are in flight that were
    /// routed by another.
    #[inline]
    pub(super) fn settled(&self, epoch: u64) -> bool {
        if self.epoch.get() == epoch {
            return true;
        }
        if self.waits() {
            return false;
        }
        self.epoch.set(epoch);
        true
    }

    /// Whether replies are due.
    pub(super) fn waits(&self) -> bool {
        self.line.borrow().waiting() > 0
    }

    /// Sends nothing more until nothing is in flight.
    pub(super) fn unsettle(&self) {
        self.epoch.set(UNSETTLED);
    }

    /// Takes no more requests and closes when the replies so far are delivered. `deaf` drops what was read
    /// and not taken yet.
    pub(super) fn end(&self, reason: CloseReason, deaf: bool) {
        if !self.is_closing() || reason == CloseReason::Killed {
            self.ending.set(Some(End::Close(reason)));
        }
        if deaf {
            self.deaf.set(true);
            self.held.set(false);
        }
        self.wake();
    }

    /// Whether it is to be let go: it may wait for nothing more.
    pub(super) fn drains(&self) -> bool {
        self.ending.get() == Some(End::Close(CloseReason::Drain))
    }

    /// Whether it is to be closed.
    fn is_closing(&self) -> bool {
        matches!(self.ending.get(), Some(End::Close(_)))
    }

    /// Whether it is gone: nobody wants its replies.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// Bytes that wait for it or from it.
    pub(super) fn held_bytes(&self) -> HeldBytes {
        let line = self.line.borrow();
        HeldBytes {
            // While its requests are taken they are no longer waiting.
            input: self.input.try_borrow().map_or(0, |input| input.intake.len()),
            queued: self.apart.look(|affairs| affairs.queued.as_ref().map_or(0, Queued::len)),
            unwritten: line.outbox.unwritten(),
            replies: line.buffered(),
        }
    }

    /// The number of its socket in this process; -1 if it has none.
    pub(super) fn descriptor(&self) -> i32 {
        self.stream.borrow().as_ref().and_then(Stream::descriptor).unwrap_or(-1)
    }

    /// Gives back memory that it does not use now.
    pub(super) fn shrink(&self) {
        self.line.borrow_mut().shrink();
        let mut input = self.input.borrow_mut();
        input.intake.shrink();
        if input.intake.len() == 0 {
            input.parser.shrink();
        }
    }

    /// What it waits for, in words.
    #[cfg(test)]
    pub(super) fn dump(&self) -> String {
        let line = self.line.borrow();
        let awaited: Vec<u64> = line.awaited().collect();
        let flags = [&self.held, &self.reads, &self.due].map(Cell::get);
        let holding = self.holding.get();
        let woken = self.wakeup.is_woken();
        let unwritten = line.outbox.unwritten();
        let (waiting, epoch, retries) = (line.waiting(), self.epoch.get(), self.retries.dump());
        format!(
            "client {}: {waiting} wait, of these places {awaited:?}; {unwritten} B unwritten; epoch {epoch}; \
             held, reads, due: {flags:?}; holding: {holding:?}; woken: {woken}; {retries}",
            self.id
        )
    }

    fn run(self: &Rc<Self>, cx: &mut Context<'_>) -> Poll<End> {
        self.runs.set(true);
        let end = self.poll(cx);
        self.runs.set(false);
        self.give_back();
        end
    }

    fn poll(self: &Rc<Self>, cx: &mut Context<'_>) -> Poll<End> {
        self.wakeup.arm(cx);
        self.reads.set(false);
        for _ in 0..READS_PER_TURN {
            if self.poll_flush(cx).is_err() {
                return Poll::Ready(End::Close(CloseReason::Io));
            }
            if self.held.get() {
                self.consume_kept();
                if self.poll_flush(cx).is_err() {
                    return Poll::Ready(End::Close(CloseReason::Io));
                }
            }
            if let Some(end) = self.ended() {
                return Poll::Ready(end);
            }
            if self.held.get() && self.apart.blocks() {
                return self.poll_while_held(cx).map(End::Close);
            }
            if self.held.get() || self.ending.get().is_some() || self.is_full() {
                return Poll::Pending;
            }
            match self.poll_requests(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(End::Close(CloseReason::Io)),
                Poll::Pending => {
                    self.reads.set(true);
                    return Poll::Pending;
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// How it ends, if everything that was asked is answered and delivered.
    fn ended(&self) -> Option<End> {
        let end = self.ending.get()?;
        let reason = match end {
            End::Close(reason) => reason,
            End::Move(to) => return self.can_leave(to).then_some(end),
        };
        // Who was idle for too long does not read either, nor who is too slow.
        let at_once = match reason {
            CloseReason::OutputLimit | CloseReason::Killed => true,
            CloseReason::Timeout => !self.waits(),
            _ => false,
        };
        if at_once {
            return Some(end);
        }
        (self.line.borrow().is_empty() && !self.held.get()).then_some(end)
    }

    /// Whether it has as much under way as it may: no more requests are taken.
    #[inline]
    fn is_full(&self) -> bool {
        self.line.borrow().is_full(self.worker.config.client_output_buffer_limit)
    }
}
