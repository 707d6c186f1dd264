//! Requests on their way to one node: their bytes, and what is known of each.

use std::collections::VecDeque;

use crate::{
    metrics::NodeMetrics,
    worker::{Worker, flight::Flight, outbox::Outbox},
};

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
        self.sent -= 1;
        self.sent_bytes -= flight.len;
        Some(flight)
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
