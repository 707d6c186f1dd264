//! What a client is sent: replies in the order of its requests, and pushes between them.
//!
//! Replies leave at the end of a turn, and those that were asked for in one read wait for each other for a short while:
//! see [`deliver`](crate::worker::deliver). Long ones leave at once. Invariant: whoever made a reply ready has it written,
//! or the client's task does before it waits.

use std::{
    io::{self, IoSlice},
    rc::Rc,
    task::{Context, Poll},
};

use super::Client;
use crate::{
    resp::Protocol,
    worker::{line::Reply, stream::Stream},
};

/// A reply of so many bytes that comes in its turn is written at once: the processors' caches still hold it, and the next
/// may use its memory. Simulations, whose replies are short, try that too.
pub(in crate::worker) const LONG: usize = if cfg!(any(test, fuzzing)) { 16 } else { 64 * 1024 };

impl Client {
    /// Answers place `number` of its line.
    #[inline]
    pub(in crate::worker) fn answer(self: &Rc<Self>, number: u64, reply: Reply<'_>) {
        if self.closed.get() {
            return;
        }
        let long = reply.bytes().len() >= LONG;
        let mut line = self.line.borrow_mut();
        line.answer(number, reply, self.worker.now());
        let at_once = long && self.reads.get() && line.outbox.unwritten() >= LONG;
        // Who is alone gains nothing by waiting, nor does anybody else.
        let alone = line.waiting() >= self.worker.traffic.owed();
        let holds = line.holds() && !alone;
        drop(line);
        if at_once {
            self.write_ready();
        } else if holds && self.reads.get() {
            self.hold_back();
        } else if !self.runs.get() {
            self.deliver_soon();
        }
    }

    /// Lets the replies that are ready wait for others for a while.
    fn hold_back(self: &Rc<Self>) {
        if self.holding.get().is_none() {
            self.holding.set(Some(self.line.borrow().batch()));
            self.worker.hold_for(self);
        }
    }

    /// Delivers the replies that the worker looks after. Those to a later read have only begun to wait: next time.
    pub(in crate::worker) fn release(self: &Rc<Self>) {
        let line = self.line.borrow();
        let waiting = (line.outbox.unwritten() > 0).then_some(line.batch());
        drop(line);
        let looked_after = self.holding.take();
        if waiting.is_none() {
            return;
        }
        if waiting == looked_after {
            return self.deliver_soon();
        }
        self.holding.set(waiting);
        self.worker.hold_for(self);
    }

    /// Writes the replies that are ready, whatever they wait for: its turn has come.
    pub(in crate::worker) fn deliver(&self) {
        self.due.set(false);
        self.write_ready();
    }

    /// Writes the replies that are ready. What else there is to do now is its task's.
    fn write_ready(&self) {
        self.give_back();
        let all = self.flush(|stream, slices| stream.try_write(slices));
        if !(all.is_ok_and(|all| all) && self.reads.get()) {
            self.wake();
        }
    }

    /// Hands it `message`, an array, between replies.
    pub(in crate::worker) fn push(self: &Rc<Self>, message: &[u8]) {
        let kind = if self.protocol.get() == Protocol::Resp3 { b'>' } else { b'*' };
        self.worker.metrics.messages.add(1);
        self.hand(&[kind], message.get(1..).unwrap_or_default());
    }

    /// Hands it a frame, `head` and `rest`, between replies.
    pub(in crate::worker) fn hand(self: &Rc<Self>, head: &[u8], rest: &[u8]) {
        if self.closed.get() || self.is_closing() {
            return;
        }
        let mut line = self.line.borrow_mut();
        let before = line.outbox.len();
        line.outbox.append_with(head.len() + rest.len(), |block| {
            block.extend_from_slice(head);
            block.extend_from_slice(rest);
        });
        let waiting = line.outbox.len();
        drop(line);
        self.check_backlog(before, waiting);
        self.deliver_soon();
    }

    /// Has what is ready written at the end of this turn.
    #[inline]
    fn deliver_soon(self: &Rc<Self>) {
        if !self.due.replace(true) {
            self.worker.deliver_to(self);
        }
    }

    /// Writes the replies that are ready, unless they had better wait for others.
    #[inline]
    pub(super) fn poll_flush(self: &Rc<Self>, cx: &mut Context<'_>) -> io::Result<()> {
        let line = self.line.borrow();
        let holds = line.outbox.unwritten() > 0 && line.holds();
        drop(line);
        // Who waits for room in its socket is woken by that, and so is who ends when all is written.
        if holds && !self.stuck.get() && self.ending.get().is_none() {
            self.hold_back();
            return Ok(());
        }
        self.flush(|stream, slices| stream.poll_write(cx, slices)).map(drop)
    }

    /// Writes the replies that are ready by `write`, as far as the socket takes them. Whether all are written.
    #[inline]
    fn flush(
        &self,
        mut write: impl FnMut(&mut Stream, &[IoSlice<'_>]) -> Poll<io::Result<usize>>,
    ) -> io::Result<bool> {
        let mut line = self.line.borrow_mut();
        if line.outbox.unwritten() == 0 && !line.has_delivered() {
            return Ok(true);
        }
        let mut stream = self.stream.borrow_mut();
        let Some(stream) = &mut *stream else { return Ok(true) };
        self.stuck.set(false);
        while line.outbox.unwritten() > 0 {
            let Poll::Ready(written) = line.outbox.write(|slices| write(stream, slices)) else {
                self.stuck.set(true);
                return Ok(false);
            };
            let written = written?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            line.outbox.release(written);
            self.worker.metrics.client_out.add(written as u64);
            self.bytes_out.update(|bytes| bytes + written as u64);
        }
        self.worker.delivered(&mut line);
        Ok(true)
    }
}
