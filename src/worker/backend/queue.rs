//! Requests on their way to one node: their bytes, and what is known of each.

use std::collections::VecDeque;

use crate::{
    metrics::NodeMetrics,
    worker::{Worker, flight::Flight, outbox::Outbox},
};

/// A node that owes so many replies has enough to do: what is little may wait for its next reply. Simulations, whose
/// clients ask for less at a time, try that too.
const BUSY: usize = if cfg!(any(test, fuzzing)) { 4 } else { 64 };
/// So many requests are not little, nor are so many bytes, about what a server reads at once.
const GATHERED: usize = if cfg!(any(test, fuzzing)) { 3 } else { 32 };
const GATHERED_BYTES: usize = 16 * 1024;

/// What was given to a backend and is not answered.
///
/// Invariant: the first `sent` flights, of `sent_bytes` bytes, were written to their last byte.
#[derive(Default)]
pub(super) struct Queue {
    pub(super) outbox: Outbox,
    pub(super) flights: VecDeque<Flight>,
    pub(super) sent: usize,
    sent_bytes: usize,
}

impl Queue {
    /// The oldest request, if it was written: else no reply can be due.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<Flight> {
        if self.sent == 0 {
            return None;
        }
        let flight = self.flights.pop_front()?;
        if self.flights.is_empty() {
            // The next goes to the front of the room again, which is in the cache.
            self.flights.clear();
        }
        self.sent -= 1;
        self.sent_bytes -= flight.len;
        Some(flight)
    }

    /// Whether what is not written had better wait for more, or for the node's next reply.
    #[inline]
    pub(super) fn gathers(&self) -> bool {
        self.sent >= BUSY
            && self.flights.len() - self.sent < GATHERED
            && self.outbox.unwritten() < GATHERED_BYTES
    }

    /// Marks the requests whose last byte is written by now.
    #[inline]
    pub(super) fn stamp(&mut self, worker: &Worker, metrics: &NodeMetrics) {
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

#[cfg(test)]
mod tests {
    use std::{io::IoSlice, task::Poll};

    use super::*;

    impl Queue {
        /// Takes `count` more requests of `len` bytes each.
        fn take(&mut self, count: usize, len: usize) {
            for _ in 0..count {
                self.outbox.append(&vec![b'x'; len]);
                self.flights.push_back(Flight { len, ..Flight::asking(0) });
            }
        }

        /// The socket takes all.
        fn write_all(&mut self) {
            while self.outbox.unwritten() > 0 {
                let take = |slices: &[IoSlice<'_>]| slices.iter().map(|slice| slice.len()).sum();
                let written = self.outbox.write(|slices| Poll::Ready(Ok(take(slices))));
                assert!(matches!(written, Poll::Ready(Ok(1..))));
            }
            self.sent = self.flights.len();
        }
    }

    #[test]
    fn little_waits_for_a_busy_node_only() {
        let mut queue = Queue::default();
        queue.take(BUSY - 1, 10);
        queue.write_all();
        queue.take(1, 10);
        assert!(!queue.gathers(), "the node owes few replies");
        queue.write_all();
        queue.take(GATHERED - 1, 10);
        assert!(queue.gathers());
        queue.take(1, 10);
        assert!(!queue.gathers(), "many requests wait");
    }

    #[test]
    fn many_bytes_wait_for_nobody() {
        let mut queue = Queue::default();
        queue.take(BUSY, 10);
        queue.write_all();
        queue.take(1, GATHERED_BYTES - 1);
        assert!(queue.gathers());
        queue.take(1, 1);
        assert!(!queue.gathers());
    }
}
