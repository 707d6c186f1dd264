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
/// Once it has answered, a node is asked for about so many bytes of replies at a time, and always for [`BUSY`] replies:
/// they stay in the processors' caches, and neither it nor slotway piles up what clients could not take yet.
const WINDOW: usize = if cfg!(any(test, fuzzing)) { 64 } else { 512 * 1024 };
/// A node that is far away is asked for more, where that is more: a byte for so many nanoseconds that its fastest reply
/// took. Fast links bring a gigabyte a second.
const NANOS_PER_BYTE: u64 = if cfg!(any(test, fuzzing)) { 1_000_000 } else { 1 };

/// What was given to a backend and is not answered.
///
/// Invariant: the first `sent` flights, of `sent_bytes` bytes, were written to their last byte.
#[derive(Default)]
pub(super) struct Queue {
    pub(super) outbox: Outbox,
    pub(super) flights: VecDeque<Flight>,
    pub(super) sent: usize,
    sent_bytes: usize,
    /// What the next reply may have, in bytes: the largest seen, slowly forgotten.
    expected: usize,
    /// What the fastest reply took, in nanoseconds; 0 as long as there is none.
    fastest: u64,
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

    /// Notes how long a reply was, and how many nanoseconds it took.
    #[inline]
    pub(super) fn learn(&mut self, len: usize, took: u64) {
        self.expected = len.max(self.expected - self.expected / 8);
        if took < self.fastest || self.fastest == 0 {
            self.fastest = took;
        }
    }

    /// Whether what is not written had better wait for more, or for the node's next reply.
    #[inline]
    pub(super) fn gathers(&self) -> bool {
        let is_little = self.flights.len() - self.sent < GATHERED && self.outbox.unwritten() < GATHERED_BYTES;
        self.sent >= BUSY && (is_little || self.sent >= self.window())
    }

    /// How many of the bytes that are not written may be now: those of so many requests as the node may be asked at a
    /// time.
    #[inline]
    pub(super) fn allowance(&self) -> usize {
        let window = self.window();
        if self.flights.len() <= window {
            return self.outbox.unwritten();
        }
        let allowed = self.flights.iter().skip(self.sent).take(window.saturating_sub(self.sent));
        // Of the first a part may be written.
        let written = self.outbox.written() - self.sent_bytes;
        allowed.map(|flight| flight.len).sum::<usize>().saturating_sub(written)
    }

    /// How many requests the node may be asked at a time.
    #[inline]
    fn window(&self) -> usize {
        let owed = self.flights.len() * self.expected;
        if owed <= WINDOW {
            return self.flights.len();
        }
        let on_its_way = usize::try_from(self.fastest / NANOS_PER_BYTE).unwrap_or(usize::MAX);
        BUSY.max(WINDOW.max(on_its_way) / self.expected)
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

    /// What the node may be asked now, in requests of 10 bytes, once replies of `expected` bytes came.
    fn allowed(mut queue: Queue, expected: usize) -> usize {
        queue.learn(expected, 1);
        queue.allowance().div_ceil(10)
    }

    #[test]
    fn a_node_is_asked_for_so_many_bytes_of_replies_at_a_time() {
        let asked = |count| {
            let mut queue = Queue::default();
            queue.take(count, 10);
            queue
        };
        assert_eq!(allowed(asked(WINDOW), 1), WINDOW, "all of them");
        assert_eq!(allowed(asked(WINDOW), 2), WINDOW / 2);
        assert_eq!(allowed(asked(WINDOW), WINDOW), BUSY, "few large ones");
        assert_eq!(allowed(asked(BUSY), 1 << 40), BUSY);
        let mut far = asked(4 * WINDOW);
        for (took, bytes) in [(3 * WINDOW, 3 * WINDOW), (4 * WINDOW, 3 * WINDOW), (9, WINDOW)] {
            far.learn(1, took as u64 * NANOS_PER_BYTE);
            assert_eq!(far.allowance(), 10 * bytes, "as many as come while the fastest is on its way");
        }
    }

    #[test]
    fn what_a_node_owes_counts_to_the_byte() {
        let mut queue = Queue::default();
        queue.take(2 * BUSY, 10);
        queue.learn(WINDOW, 1);
        let write = |queue: &mut Queue, len: usize| {
            let written = queue.outbox.write_most(len, |_| Poll::Ready(Ok(len)));
            assert!(matches!(written, Poll::Ready(Ok(n)) if n == len));
            queue.sent = queue.outbox.written() / 10;
            queue.sent_bytes = 10 * queue.sent;
        };
        write(&mut queue, 13);
        assert_eq!(queue.allowance(), 10 * BUSY - 13, "the rest of the second, and those behind it");
        write(&mut queue, 10 * BUSY - 13);
        assert_eq!((queue.allowance(), queue.gathers()), (0, true));
        queue.pop();
        queue.outbox.release(10);
        assert_eq!((queue.allowance(), queue.gathers()), (10, false), "one more may be asked");
        for _ in 0..80 {
            queue.learn(1, 1);
        }
        assert_eq!(queue.allowance(), queue.outbox.unwritten(), "large replies are forgotten");
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
