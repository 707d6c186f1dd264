//! Letting others go first: before a worker looks at its sockets while nodes owe it replies it gives its core up once.
//!
//! Where nodes or clients share the core they get to answer or ask on, so that more is ready when the worker looks
//! again, and larger turns cost less for each request; else they would wake it one by one. Where nobody waits for the
//! core it costs a system call. Where somebody computes without end the worker would wait for that one's time slice:
//! that shows, and then it looks without ado for a while.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::patience::Patience;

/// Nodes and clients are done with what they have in less than this, and as much more for each reply that nodes owe; a
/// kernel's time slice is longer.
const LONG: Duration = Duration::from_millis(1);
const LONG_EACH: Duration = Duration::from_micros(2);

/// What a worker knows of those with whom it shares its core.
#[derive(Default)]
pub(super) struct Courtesy {
    patience: Patience,
}

impl Courtesy {
    /// Lets others have this thread's core, unless they kept it too long, while nodes owe so many replies; who waits for
    /// none has nothing to gain, nor who waits for one only.
    pub(super) fn give_way(&self, owed: usize) {
        let begun = Instant::now();
        if self.is_due(owed, begun) {
            thread::yield_now();
            let now = Instant::now();
            self.patience.learn(is_long(now - begun, owed), now);
        }
    }

    fn is_due(&self, owed: usize, now: Instant) -> bool {
        owed > 1 && self.patience.lasts(now)
    }
}

/// Whether those who were let go first kept the core longer than nodes would that owe so many replies.
fn is_long(took: Duration, owed: usize) -> bool {
    took >= LONG + LONG_EACH.saturating_mul(u32::try_from(owed).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_keeps_the_core_is_no_longer_let_go_first_and_who_waits_for_one_reply_looks_at_once() {
        let (courtesy, now) = (Courtesy::default(), Instant::now());
        assert_eq!([0, 1, 2].map(|owed| courtesy.is_due(owed, now)), [false, false, true]);
        (0..4).for_each(|_| courtesy.patience.learn(true, now));
        assert!(!courtesy.is_due(2, now));
    }

    #[test]
    fn nodes_that_owe_much_may_take_longer() {
        let long = |micros, owed| is_long(Duration::from_micros(micros), owed);
        assert_eq!(
            [long(1001, 1), long(1002, 1), long(1600, 400), long(1800, 400)],
            [false, true, false, true]
        );
    }
}
