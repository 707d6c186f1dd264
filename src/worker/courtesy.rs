//! Letting others go first: before a worker sleeps it gives its core up once.
//!
//! Where nodes or clients share the core they get to answer or ask on, so that more is ready when the worker looks
//! again, and larger turns cost less for each request; else they would wake it one by one. Where nobody waits for the
//! core it costs a system call. Where somebody computes without end the worker would wait for that one's time slice:
//! that shows, and then it sleeps without ado for a while.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

/// Nodes and clients are done with what they have in less than this, and as much more for each reply that nodes owe; a
/// kernel's time slice is longer.
const LONG: Duration = Duration::from_millis(1);
const LONG_EACH: Duration = Duration::from_micros(2);
/// What a long time weighs against a short one.
const WEIGHT: u32 = 8;
/// From here on it was too often too long.
const TOO_MUCH: u32 = 4 * WEIGHT;
/// How long a worker then sleeps without ado; doubles each time that it was in vain, up to [`LONGEST_PAUSE`].
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(64);

/// What a worker knows of those with whom it shares its core.
pub(super) struct Courtesy {
    /// How often it was long lately, weighed.
    weight: Cell<u32>,
    pause: Cell<Duration>,
    resume: Cell<Option<Instant>>,
}

impl Default for Courtesy {
    fn default() -> Self {
        Self { weight: Cell::new(0), pause: Cell::new(PAUSE), resume: Cell::new(None) }
    }
}

impl Courtesy {
    /// Lets others have this thread's core, unless they kept it too long, while nodes owe so many replies; who waits for
    /// none has nothing to gain, nor who waits for one only.
    pub(super) fn give_way(&self, owed: usize) {
        let begun = Instant::now();
        if self.is_due(owed, begun) {
            std::thread::yield_now();
            let now = Instant::now();
            self.learn(is_long(now - begun, owed), now);
        }
    }

    fn is_due(&self, owed: usize, now: Instant) -> bool {
        owed > 1 && self.resume.get().is_none_or(|resume| now >= resume)
    }

    /// Others had the core for a `long` time, or gave it back soon.
    fn learn(&self, long: bool, now: Instant) {
        if !long {
            let weight = self.weight.get().saturating_sub(1);
            self.weight.set(weight);
            if weight == 0 {
                self.pause.set(PAUSE);
            }
            return;
        }
        self.weight.update(|weight| weight + WEIGHT);
        if self.weight.get() >= TOO_MUCH {
            let pause = self.pause.get();
            self.resume.set(Some(now + pause));
            self.pause.set((2 * pause).min(LONGEST_PAUSE));
            // The next long time is one too many.
            self.weight.set(TOO_MUCH - WEIGHT);
        }
    }
}

/// Whether those who were let go first kept the core longer than nodes would that owe so many replies.
fn is_long(took: Duration, owed: usize) -> bool {
    took >= LONG + LONG_EACH.saturating_mul(u32::try_from(owed).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: Duration = Duration::from_micros(1);

    #[test]
    fn who_keeps_the_core_is_no_longer_let_go_first_and_tried_again_ever_more_seldom() {
        let (courtesy, mut now) = (Courtesy::default(), Instant::now());
        (0..3).for_each(|_| courtesy.learn(true, now));
        assert!(courtesy.is_due(2, now));
        courtesy.learn(true, now);
        for pause in [1, 2, 4, 8, 16, 32, 64, 64] {
            let pause = Duration::from_secs(pause);
            assert!(
                !courtesy.is_due(2, now + pause - MOMENT) && courtesy.is_due(2, now + pause),
                "{pause:?}"
            );
            now += pause;
            courtesy.learn(true, now);
        }
    }

    #[test]
    fn who_waits_for_one_reply_sleeps_at_once() {
        assert_eq!(
            [0, 1, 2].map(|owed| Courtesy::default().is_due(owed, Instant::now())),
            [false, false, true]
        );
    }

    #[test]
    fn nodes_that_owe_much_may_take_longer() {
        let long = |micros, owed| is_long(Duration::from_micros(micros), owed);
        assert_eq!(
            [long(1001, 1), long(1002, 1), long(1600, 400), long(1800, 400)],
            [false, true, false, true]
        );
    }

    #[test]
    fn a_long_time_now_and_then_does_not_matter() {
        let (courtesy, now) = (Courtesy::default(), Instant::now());
        for _ in 0..1000 {
            courtesy.learn(true, now);
            (0..WEIGHT).for_each(|_| courtesy.learn(false, now));
            assert!(courtesy.is_due(2, now));
        }
    }

    #[test]
    fn when_all_are_done_soon_again_the_next_pause_is_short() {
        let (courtesy, mut now) = (Courtesy::default(), Instant::now());
        for _ in 0..9 {
            courtesy.learn(true, now);
            now += LONGEST_PAUSE;
        }
        (0..TOO_MUCH).for_each(|_| courtesy.learn(false, now));
        (0..4).for_each(|_| courtesy.learn(true, now));
        assert!(!courtesy.is_due(2, now) && courtesy.is_due(2, now + PAUSE));
    }
}
