//! Moderation: a busy worker that found little when it looked at its sockets waits a moment before it looks again, as
//! network cards moderate their interrupts.
//!
//! Nodes and clients on other cores go on meanwhile, so that one wake-up and one write serve more of their requests.
//! Else a worker that is quick enough is busy with looking for the next one: its own CPU, that of the nodes and that of
//! the clients go into waking each other, and what they then have left bounds the throughput. Who is not busy, and who
//! has few clients, looks at once.

use std::{cell::Cell, thread, time::Duration};

use super::flight::Traffic;

/// How long it waits; the kernel makes up to 50 µs more of it (its timer slack).
const WAIT: Duration = Duration::from_micros(30);
/// Busy: who computed for more than so many thousandths of the last tick.
const BUSY: u64 = 500;
/// Little: fewer requests than a third of the clients that asked something lately and are more than `FEW`, and than
/// `ENOUGH`.
const FEW: usize = 16;
const ENOUGH: usize = 24;

/// How much there was to do lately.
#[derive(Default)]
pub(super) struct Moderation {
    /// What traffic there was until the last look.
    seen: Cell<usize>,
    /// When the tick began, in nanoseconds of the worker's clock; and the clients that asked something since.
    began: Cell<u64>,
    heard: Cell<usize>,
    /// Fewer requests than these are little.
    little: Cell<usize>,
}

impl Moderation {
    /// A client asks something, as it did at `before` for the last time.
    #[inline]
    pub(super) fn note_heard(&self, before: u64) {
        if before < self.began.get() {
            self.heard.update(|heard| heard + 1);
        }
    }

    /// A tick ends at `now`, of which the worker computed for so many thousandths.
    pub(super) fn end_tick(&self, now: u64, busy: u64) {
        let heard = self.heard.replace(0);
        self.began.set(now);
        self.little.set(if busy > BUSY { little(heard) } else { 0 });
    }

    /// Waits if there was little to do since this was last called. Whether it did.
    pub(super) fn wait_for_more(&self, traffic: &Traffic) -> bool {
        let waits = self.is_little(traffic);
        if waits {
            thread::sleep(WAIT);
        }
        waits
    }

    /// A request counts half when it is given to a node, and half when it is answered.
    fn is_little(&self, traffic: &Traffic) -> bool {
        let moved = traffic.moved();
        moved.wrapping_sub(self.seen.replace(moved)) < 2 * self.little.get()
    }
}

/// Fewer requests than these are little where so many clients ask.
fn little(clients: usize) -> usize {
    ENOUGH.min(clients.saturating_sub(FEW) / 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether each of `turns`, of so many requests given to nodes and answered, is followed by a wait, where so many
    /// clients asked in a tick and the worker was `busy`.
    fn waits<const N: usize>(clients: usize, busy: u64, turns: [usize; N]) -> [bool; N] {
        let (moderation, traffic) = (Moderation::default(), Traffic::default());
        moderation.end_tick(100, 0);
        // Each twice.
        (0..clients).for_each(|_| moderation.note_heard(99));
        (0..clients).for_each(|_| moderation.note_heard(100));
        moderation.end_tick(200, busy);
        turns.map(|requests| {
            (0..requests).for_each(|_| traffic.begin());
            traffic.end(requests);
            moderation.is_little(&traffic)
        })
    }

    #[test]
    fn a_busy_worker_waits_when_it_found_little_for_so_many_clients() {
        assert_eq!(waits(50, 501, [0, 10, 11, 500]), [true, true, false, false]);
        assert_eq!(waits(5000, 1000, [23, 24]), [true, false]);
    }

    #[test]
    fn who_is_not_busy_or_has_few_clients_never_waits() {
        assert_eq!(waits(5000, 500, [0, 1]), [false, false]);
        assert_eq!(waits(FEW + 2, 1000, [0, 1]), [false, false]);
    }

    #[test]
    fn clients_of_a_tick_long_ago_do_not_count() {
        let (moderation, traffic) = (Moderation::default(), Traffic::default());
        (0..500).for_each(|_| moderation.note_heard(0));
        moderation.end_tick(100, 1000);
        assert!(!moderation.is_little(&traffic), "those that asked before the first tick began");
        (0..500).for_each(|_| moderation.note_heard(99));
        moderation.end_tick(200, 1000);
        assert!(moderation.is_little(&traffic));
        moderation.end_tick(300, 1000);
        assert!(!moderation.is_little(&traffic));
    }

    #[test]
    fn what_was_asked_and_not_answered_is_half_of_it() {
        let (moderation, traffic) = (Moderation::default(), Traffic::default());
        moderation.little.set(2);
        (0..3).for_each(|_| traffic.begin());
        assert!(moderation.is_little(&traffic));
        traffic.end(3);
        traffic.begin();
        assert!(!moderation.is_little(&traffic));
    }
}
