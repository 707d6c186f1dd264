//! What a node sends: cut into replies, each given to the oldest request, which it belongs to. The connection's task reads
//! it when the runtime has heard of it, or else whoever looks for it before.
//!
//! Knows no connection: what ends one is said to whoever reads. Invariant: no reply is given to a request that was not
//! written whole, but for the first ones of a transaction, which say nothing yet.

use std::{
    cell::RefMut,
    io,
    task::{Context, Poll, ready},
};

use super::{Backend, Lost, queue::Queue};
use crate::{
    resp::ReplyScanner,
    routing::Verdict,
    worker::{
        flight::Flight,
        intake::{Filled, Intake},
        line::Reply,
        outbox::LARGE,
        profile::Whose,
        spare,
        stream::Stream,
    },
};

/// What has come from a node and is not understood yet.
#[derive(Default)]
pub(super) struct Replies {
    intake: Intake,
    scanner: ReplyScanner,
    /// Whether the node ever answered.
    pub(super) seen: bool,
}

impl Backend {
    /// Reads once and delivers what is whole.
    pub(super) fn poll_replies(&self, cx: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        self.read_replies(|intake, stream, scratch, needs| intake.poll_fill(cx, stream, scratch, needs))
    }

    /// Whether [`Self::try_replies`] may find something.
    pub(in crate::worker) fn can_be_read(&self) -> bool {
        let is_own = self.stream.borrow().as_ref().is_some_and(|stream| !stream.is_lane());
        is_own && self.connected.get() && !self.stuck.get() && self.lost.get().is_none() && !self.is_idle()
    }

    /// Reads what is there and delivers what is whole, for the task. Whether there was anything. For a node that owes one
    /// reply: nothing waits for it to be less busy.
    pub(in crate::worker) fn try_replies(&self) -> bool {
        let read =
            self.read_replies(|intake, stream, scratch, needs| intake.try_fill(stream, scratch, needs));
        match read {
            Poll::Pending => return false,
            Poll::Ready(Ok(())) if !self.retired.get() => return true,
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(lost)) => self.lost.set(Some(lost)),
        }
        self.wakeup.wake();
        true
    }

    #[inline]
    fn read_replies(
        &self,
        read: impl FnOnce(&mut Intake, &mut Stream, &mut [u8], usize) -> Poll<io::Result<(Filled, usize)>>,
    ) -> Poll<Result<(), Lost>> {
        let replies = &mut *self.replies.borrow_mut();
        let mut scratch = self.worker.scratch.borrow_mut();
        let needs = replies.scanner.needs();
        let filled = match &mut *self.stream.borrow_mut() {
            Some(stream) => ready!(read(&mut replies.intake, stream, &mut scratch, needs)),
            None => return Poll::Pending,
        };
        let Ok((filled, n)) = filled else { return Poll::Ready(Err(Lost::Closed)) };
        self.progress.set(self.worker.tick_clock());
        self.worker.metrics.backend_in.add(n as u64);
        let result = match filled {
            Filled::End => Err(Lost::Closed),
            Filled::Scratch(len) => self.take_replies(&scratch[..len], replies).map(|consumed| {
                replies.intake.keep(&scratch[consumed..len]);
            }),
            Filled::Part => Ok(()),
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

    /// As [`Self::take_replies`], of what was read where it stays: long replies are handed on.
    fn take_kept(&self, replies: &mut Replies) -> Result<(), Lost> {
        let mut bytes = replies.intake.take();
        let whole = bytes.len();
        while let Some(reply) = replies.scanner.scan(&bytes).map_err(|_| Lost::Garbage)? {
            let taken = bytes.split_to(reply.len);
            if reply.kind == b'>' {
                self.hear(&taken);
                continue;
            }
            replies.seen = true;
            let shares = taken.len() >= LARGE && spare::may_share(taken.len(), whole);
            self.deliver(if shares { Reply::Own(taken) } else { Reply::Copy(&taken) })?;
        }
        replies.intake.put_back(bytes);
        Ok(())
    }

    /// Takes what the node says unasked: news for the client that the connection is for, else for nobody.
    #[cold]
    fn hear(&self, push: &[u8]) {
        if let Whose::Tracker(number) = self.profile.whose {
            self.worker.own_heard(number, push);
        }
    }

    /// Gives `reply` to the oldest request.
    #[inline]
    fn deliver(&self, reply: Reply<'_>) -> Result<(), Lost> {
        let mut queue = self.queue.borrow_mut();
        if self.profile.whose != Whose::Everyone
            && queue.flights.front().is_some_and(|flight| flight.bundle.is_some())
        {
            drop(queue);
            return self.deliver_bundled(reply);
        }
        let Some(flight) = queue.pop() else { return Err(Lost::Garbage) };
        self.note_reply(&mut queue, flight.written, reply.bytes().len());
        let verdict = Verdict::of(reply.bytes(), &self.addr);
        self.settle(queue, flight, verdict, reply);
        Ok(())
    }

    /// Counts a reply of `len` bytes to a request that was `written` then. To be given the whole flight would cost a copy.
    #[inline]
    fn note_reply(&self, queue: &mut Queue, written: u64, len: usize) {
        let took = self.worker.now().saturating_sub(written);
        queue.learn(len, took);
        self.metrics.in_flight.sub(1);
        self.worker.traffic.end(1);
        self.metrics.duration.record(took);
    }

    /// Gives `reply` to the oldest request, a transaction; its first replies may come before it is written whole.
    #[cold]
    fn deliver_bundled(&self, reply: Reply<'_>) -> Result<(), Lost> {
        let mut queue = self.queue.borrow_mut();
        if queue.outbox.written() == 0 {
            return Err(Lost::Garbage);
        }
        let first = queue.flights.front_mut().and_then(|flight| flight.bundle.as_mut());
        if first.is_some_and(|bundle| bundle.takes(reply.bytes())) {
            return Ok(());
        }
        let Some(flight) = queue.pop() else { return Err(Lost::Garbage) };
        self.note_reply(&mut queue, flight.written, reply.bytes().len());
        let judged = flight.bundle.as_ref().map(|bundle| bundle.judge(reply.bytes(), &self.addr));
        let (verdict, error) = judged.unwrap_or((Verdict::Deliver, None));
        let reply = error.map_or(reply, |error| Reply::Own(error.into()));
        self.settle(queue, flight, verdict, reply);
        Ok(())
    }

    /// Gives `reply` to the request of `flight`, the first that `queue` still holds, if `verdict` is so.
    #[inline(always)]
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
}
