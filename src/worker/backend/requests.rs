//! What a node is sent: the requests that clients queued in one turn, in one write.
//!
//! Whoever queues one has the worker write for this backend at the end of the turn ([`deliver`](crate::worker::deliver)).
//! Invariant: what is not written is due to be, or waits for a busy node's next reply, or is the task's to write, which
//! knows when the socket takes it.

use std::{
    io::{self, IoSlice},
    rc::Rc,
    task::Poll,
};

use bytes::Bytes;

use super::{Backend, Lost, queue::Queue};
use crate::worker::{flight::Flight, profile::Whose, stream::Stream};

impl Backend {
    /// Sends `request` behind all others.
    #[inline(always)]
    pub(in crate::worker) fn send(self: &Rc<Self>, request: &[u8], flight: Flight) {
        self.send_with(request.len(), flight, |block| block.extend_from_slice(request));
    }

    /// Sends the request that `write` makes, of at most `most` bytes.
    ///
    /// Inlined with its callers' `flight`, whose fields then are stored where they stay: a copy of what was just written
    /// in pieces waits for the processor's store buffer.
    #[inline(always)]
    pub(in crate::worker) fn send_with(
        self: &Rc<Self>,
        most: usize,
        flight: Flight,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        let mut queue = self.queue.borrow_mut();
        self.expect_progress(&queue);
        let len = queue.outbox.append_with(most, write);
        queue.flights.push_back(Flight { len, ..flight });
        self.note_queued(&queue);
    }

    /// Sends `request` without copying it if it is large.
    pub(in crate::worker) fn send_owned(self: &Rc<Self>, request: Bytes, mut flight: Flight) {
        let mut queue = self.queue.borrow_mut();
        self.expect_progress(&queue);
        if let Some(bundle) = &mut flight.bundle {
            debug_assert_ne!(self.profile.whose, Whose::Everyone, "a transaction among requests of others");
            bundle.begin();
        }
        flight.len = request.len();
        queue.outbox.append_owned(request);
        queue.flights.push_back(flight);
        self.note_queued(&queue);
    }

    /// Counts the request that was queued last, and has it written at the end of this turn unless it had better wait for
    /// a busy node.
    #[inline]
    fn note_queued(self: &Rc<Self>, queue: &Queue) {
        self.worker.traffic.begin();
        if !queue.gathers() && !self.due.replace(true) {
            self.worker.flush_to(self);
        }
    }

    /// The node is busy from now on, if it was not.
    #[inline]
    fn expect_progress(&self, queue: &Queue) {
        if queue.flights.is_empty() {
            self.progress.set(self.worker.now());
        }
    }

    /// What waited for the node's next reply waits no more.
    pub(super) fn flush_waiting(self: &Rc<Self>) {
        let waits = !self.stuck.get() && self.queue.borrow().outbox.unwritten() > 0;
        if waits && !self.due.replace(true) {
            self.worker.flush_to(self);
        }
    }

    /// Writes what is queued, as far as the socket takes it at once. What else there is to do is the task's.
    pub(in crate::worker) fn flush(&self) {
        self.due.set(false);
        let is_tasks = self.connected.get() && self.stuck.get();
        if is_tasks || self.lost.get().is_some() {
            return;
        }
        match self.write(|stream, slices| stream.try_write(slices)) {
            Ok(true) => return,
            Ok(false) => {}
            Err(_) => self.lost.set(Some(Lost::Closed)),
        }
        self.wakeup.wake();
    }

    /// Writes what is queued by `write`, as far as the socket takes it and the node may be asked at a time. Whether there
    /// is nothing to write now.
    pub(super) fn write(
        &self,
        mut write: impl FnMut(&mut Stream, &[IoSlice<'_>]) -> Poll<io::Result<usize>>,
    ) -> io::Result<bool> {
        let mut stream = self.stream.borrow_mut();
        let Some(stream) = &mut *stream else { return Ok(false) };
        let mut queue = self.queue.borrow_mut();
        self.stuck.set(false);
        loop {
            let most = queue.allowance();
            if most == 0 {
                return Ok(true);
            }
            let Poll::Ready(written) = queue.outbox.write_most(most, |slices| write(stream, slices)) else {
                self.stuck.set(true);
                return Ok(false);
            };
            let written = written?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            if queue.sent == 0 {
                self.progress.set(self.worker.tick_clock());
            }
            self.worker.metrics.backend_out.add(written as u64);
            queue.stamp(&self.worker, &self.metrics);
        }
    }
}
