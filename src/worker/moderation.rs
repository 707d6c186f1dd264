//! Moderation: a busy worker that found little when it looked at its sockets waits a moment before it looks again, as
//! network cards moderate their interrupts.
//!
//! Nodes and clients on other cores go on meanwhile, so that one wake-up and one write serve more of their requests.
//! Else a worker that is quick enough is busy with looking for the next one: its own CPU, that of the nodes and that of
//! the clients go into waking each other, and what they then have left bounds the throughput. Who is not busy, and who
//! has few clients at a time, looks at once.

use std::{
    cell::Cell,
    thread,
    time::{Duration, Instant},
};

use super::{flight::Traffic, patience::Patience};

/// How long it waits; the kernel makes up to 50 µs more of it (its timer slack).
const WAIT: Duration = Duration::from_micros(30);
/// Kernels and neighbours that make so much of it are left alone.
const TOO_LONG: Duration = Duration::from_millis(1);
/// Busy: who computed for more than so many thousandths of the last tick; and as long as it is more than this, since
/// waiting saves CPU.
const BUSY: u64 = 500;
const STILL_BUSY: u64 = 350;
/// Little: fewer requests than a third of the clients beyond so many, and than `ENOUGH`. Only so many clients count as
/// ever waited for nodes at a time.
const FEW: usize = 16;
const ENOUGH: usize = 24;
/// What took so long since the last look was not little: large values, messages for many, or the worker slept.
const MUCH: Duration = Duration::from_micros(200);

/// How much there was to do lately.
#[derive(Default)]
pub(super) struct Moderation {
    /// Requests taken from clients; it wraps around.
    taken: Cell<usize>,
    /// `taken` and the replies of nodes when the worker looked last, and when that was.
    seen: Cell<usize>,
    looked: Cell<Option<Instant>>,
    /// When the tick began, in nanoseconds of the worker's clock; the clients that asked something since, and how many
    /// requests nodes owed at most.
    began: Cell<u64>,
    heard: Cell<usize>,
    owed: Cell<usize>,
    /// Fewer requests than these are little.
    little: Cell<usize>,
    patience: Patience,
}

impl Moderation {
    /// A client asks something, as it did at `before` for the last time.
    #[inline]
    pub(super) fn note_heard(&self, before: u64) {
        if before < self.began.get() {
            self.heard.update(|heard| heard + 1);
        }
    }

    /// So many requests were taken from a client.
    #[inline]
    pub(super) fn note_taken(&self, count: usize) {
        self.taken.update(|taken| taken.wrapping_add(count));
    }

    /// A tick ends at `now`, of which the worker computed for so many thousandths.
    pub(super) fn end_tick(&self, now: u64, busy: u64) {
        let clients = self.heard.replace(0).min(self.owed.replace(0));
        self.began.set(now);
        let is_busy = busy > if self.little.get() > 0 { STILL_BUSY } else { BUSY };
        self.little.set(if is_busy { little(clients) } else { 0 });
    }

    /// Waits if there was little to do since this was last called. Whether it did.
    pub(super) fn wait_for_more(&self, traffic: &Traffic) -> bool {
        let found_little = self.found_little(traffic);
        if self.little.get() == 0 {
            return false;
        }
        let now = Instant::now();
        let waits = found_little && self.was_short(now) && self.patience.lasts(now);
        if waits {
            thread::sleep(WAIT);
            let woken = Instant::now();
            self.patience.learn(woken - now >= TOO_LONG, woken);
            self.looked.set(Some(woken));
        } else {
            self.looked.set(Some(now));
        }
        waits
    }

    /// Whether few requests came since this was last called. One counts half when it is taken, and half when a node has
    /// answered it.
    fn found_little(&self, traffic: &Traffic) -> bool {
        self.owed.update(|owed| owed.max(traffic.owed()));
        let moved = self.taken.get().wrapping_add(traffic.ended());
        moved.wrapping_sub(self.seen.replace(moved)) < 2 * self.little.get()
    }

    /// Whether the last look was not long before `now`.
    fn was_short(&self, now: Instant) -> bool {
        self.looked.get().is_some_and(|looked| now - looked < MUCH)
    }
}

/// Fewer requests than these are little where so many clients wait at a time.
fn little(clients: usize) -> usize {
    ENOUGH.min(clients.saturating_sub(FEW) / 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After a tick in which so many `clients` asked, so many requests were `owed` at a time, and the worker was `busy`.
    fn after(clients: usize, owed: usize, busy: u64) -> (Moderation, Traffic) {
        let (moderation, traffic) = (Moderation::default(), Traffic::default());
        moderation.end_tick(100, 0);
        // Each twice.
        (0..clients).for_each(|_| moderation.note_heard(99));
        (0..clients).for_each(|_| moderation.note_heard(100));
        (0..owed).for_each(|_| traffic.begin());
        moderation.found_little(&traffic);
        traffic.end(owed);
        moderation.found_little(&traffic);
        moderation.end_tick(200, busy);
        (moderation, traffic)
    }

    /// Whether each of `turns`, of so many requests taken and answered, is little.
    fn little_of<const N: usize>(
        (moderation, traffic): &(Moderation, Traffic),
        turns: [usize; N],
    ) -> [bool; N] {
        turns.map(|requests| {
            moderation.note_taken(requests);
            (0..requests).for_each(|_| traffic.begin());
            traffic.end(requests);
            moderation.found_little(traffic)
        })
    }

    #[test]
    fn what_a_busy_worker_finds_is_little_for_so_many_clients() {
        assert_eq!(little_of(&after(50, 50, 501), [0, 10, 11, 500]), [true, true, false, false]);
        assert_eq!(little_of(&after(5000, 5000, 1000), [23, 24]), [true, false]);
    }

    #[test]
    fn nothing_is_little_for_few_clients_or_who_is_not_busy() {
        assert_eq!(little_of(&after(5000, 5000, 500), [0, 1]), [false, false]);
        assert_eq!(little_of(&after(FEW + 2, 1000, 1000), [0, 1]), [false, false], "one may pipeline");
        assert_eq!(little_of(&after(1000, FEW + 2, 1000), [0, 1]), [false, false], "most ask seldom");
    }

    #[test]
    fn a_request_that_no_node_has_answered_yet_is_half_of_one() {
        let after = after(22, 22, 1000);
        let (moderation, traffic) = &after;
        moderation.note_taken(3);
        assert_eq!((little_of(&after, [0]), moderation.found_little(traffic)), ([true], true));
        moderation.note_taken(4);
        assert!(!moderation.found_little(traffic));
    }

    #[test]
    fn who_waits_is_busy_for_less() {
        let (moderation, traffic) = after(500, 500, BUSY + 1);
        let mut next = |busy| {
            (0..500).for_each(|_| moderation.note_heard(0));
            (0..500).for_each(|_| traffic.begin());
            moderation.found_little(&traffic);
            traffic.end(500);
            moderation.end_tick(300, busy);
            moderation.little.get() > 0
        };
        assert_eq!(
            [BUSY, STILL_BUSY + 1, STILL_BUSY, BUSY, BUSY + 1].map(&mut next),
            [true, true, false, false, true]
        );
    }

    #[test]
    fn it_waits_unless_the_turn_was_long_or_waits_are() {
        let (moderation, traffic) = after(500, 500, 1000);
        assert!(!moderation.wait_for_more(&traffic), "how long the turn was is not known");
        moderation.looked.set(Some(Instant::now() + Duration::from_secs(1)));
        let begun = Instant::now();
        assert!(moderation.wait_for_more(&traffic));
        assert!(begun.elapsed() >= WAIT);
        moderation.looked.set(Instant::now().checked_sub(MUCH));
        assert!(!moderation.wait_for_more(&traffic));
        moderation.looked.set(Some(Instant::now() + Duration::from_secs(1)));
        (0..5).for_each(|_| moderation.patience.learn(true, Instant::now()));
        assert!(!moderation.wait_for_more(&traffic));
    }
}
