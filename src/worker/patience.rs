//! What should take a moment is left for a while when it took long too often.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

/// What a long time weighs against a short one.
const WEIGHT: u32 = 8;
/// From here on it was too often too long.
const TOO_MUCH: u32 = 4 * WEIGHT;
/// How long it then is left; doubles each time that it was in vain, up to [`LONGEST_PAUSE`].
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(64);

/// How it went lately.
pub(super) struct Patience {
    /// How often it was long lately, weighed.
    weight: Cell<u32>,
    pause: Cell<Duration>,
    resume: Cell<Option<Instant>>,
}

impl Default for Patience {
    fn default() -> Self {
        Self { weight: Cell::new(0), pause: Cell::new(PAUSE), resume: Cell::new(None) }
    }
}

impl Patience {
    /// Whether it may be tried at `now`.
    pub(super) fn lasts(&self, now: Instant) -> bool {
        self.resume.get().is_none_or(|resume| now >= resume)
    }

    /// It took so long, until `now`, that once is too often.
    pub(super) fn lose(&self, now: Instant) {
        self.weight.set(TOO_MUCH);
        self.learn(true, now);
    }

    /// It took a `long` time until `now`, or not.
    pub(super) fn learn(&self, long: bool, now: Instant) {
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

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: Duration = Duration::from_micros(1);

    #[test]
    fn what_takes_long_is_left_and_tried_again_ever_more_seldom() {
        let (patience, mut now) = (Patience::default(), Instant::now());
        (0..3).for_each(|_| patience.learn(true, now));
        assert!(patience.lasts(now));
        patience.learn(true, now);
        for pause in [1, 2, 4, 8, 16, 32, 64, 64] {
            let pause = Duration::from_secs(pause);
            assert!(!patience.lasts(now + pause - MOMENT) && patience.lasts(now + pause), "{pause:?}");
            now += pause;
            patience.learn(true, now);
        }
    }

    #[test]
    fn a_long_time_now_and_then_does_not_matter() {
        let (patience, now) = (Patience::default(), Instant::now());
        for _ in 0..1000 {
            patience.learn(true, now);
            (0..WEIGHT).for_each(|_| patience.learn(false, now));
            assert!(patience.lasts(now));
        }
    }

    #[test]
    fn when_it_is_short_again_the_next_pause_is_too() {
        let (patience, mut now) = (Patience::default(), Instant::now());
        for _ in 0..9 {
            patience.learn(true, now);
            now += LONGEST_PAUSE;
        }
        (0..TOO_MUCH).for_each(|_| patience.learn(false, now));
        (0..4).for_each(|_| patience.learn(true, now));
        assert!(!patience.lasts(now) && patience.lasts(now + PAUSE));
    }
}
