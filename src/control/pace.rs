//! When the next refresh is due, and how often failures are logged.
//!
//! Must not know what a refresh does. Invariant: refreshes start at least [`GAP`] apart.

use std::time::Duration;

use tokio::time::Instant;

/// Least time between two refreshes, whatever asks for them.
pub(super) const GAP: Duration = Duration::from_millis(100);
/// Pause after the first failure; doubled with each further one.
const BACKOFF: Duration = Duration::from_millis(50);
/// Longest pause after a failure.
const MAX_BACKOFF: Duration = Duration::from_secs(2);
/// Time between two log lines about failures that go on.
const REMIND: Duration = Duration::from_secs(30);

/// The times of refreshes.
#[derive(Debug)]
pub(super) struct Pace {
    /// Zero means that only signals cause refreshes.
    interval: Duration,
    failures: u32,
    due: Option<Instant>,
    earliest: Instant,
    reminded: Option<Instant>,
}

impl Pace {
    /// Due at once, then every `interval`.
    pub(super) fn new(interval: Duration, now: Instant) -> Self {
        Self { interval, failures: 0, due: Some(now), earliest: now, reminded: None }
    }

    /// When a refresh that nobody asked for is due, if ever.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// When a refresh that a signal asks for may start.
    pub(super) fn earliest(&self) -> Instant {
        self.earliest
    }

    /// Puts the next off for a random part of [`GAP`], so that proxies that learn of the same move together do not
    /// ask together.
    pub(super) fn put_off(&mut self, now: Instant) {
        self.earliest = self.earliest.max(now + GAP.mul_f64(fastrand::f64()));
    }

    /// Notes that one starts.
    pub(super) fn started(&mut self, now: Instant) {
        self.earliest = now + GAP;
    }

    /// Notes that one succeeded; says whether the one before had failed.
    pub(super) fn succeeded(&mut self, now: Instant) -> bool {
        let failed_before = self.failures > 0;
        self.failures = 0;
        self.reminded = None;
        self.due = (!self.interval.is_zero()).then(|| now + jittered(self.interval));
        failed_before
    }

    /// Notes that one failed; says whether it is time to log that.
    pub(super) fn failed(&mut self, now: Instant) -> bool {
        let pause = BACKOFF.saturating_mul(1 << self.failures.min(10)).min(MAX_BACKOFF);
        self.failures = self.failures.saturating_add(1);
        self.due = Some(now + jittered(pause));
        let remind = self.reminded.is_none_or(|at| now.duration_since(at) >= REMIND);
        if remind {
            self.reminded = Some(now);
        }
        remind
    }
}

/// `duration`, give or take a fifth, so that proxies started together do not ask together.
fn jittered(duration: Duration) -> Duration {
    duration.mul_f64(0.8 + 0.4 * fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(pace: &Pace, now: Instant) -> Duration {
        pace.due().unwrap() - now
    }

    #[test]
    fn pauses_double_to_a_bound_and_failures_are_logged_now_and_then() {
        let now = Instant::now();
        let mut pace = Pace::new(Duration::from_secs(10), now);
        assert!(pace.failed(now));
        assert!(wait(&pace, now) <= BACKOFF.mul_f64(1.21));
        assert!(!pace.failed(now));
        assert!(wait(&pace, now) >= BACKOFF.mul_f64(1.59));
        for _ in 0..100 {
            pace.failed(now);
        }
        assert!(
            wait(&pace, now) >= MAX_BACKOFF.mul_f64(0.79) && wait(&pace, now) <= MAX_BACKOFF.mul_f64(1.21)
        );
        assert!(pace.failed(now + REMIND));
        assert!(pace.succeeded(now));
        assert!(!pace.succeeded(now));
    }

    #[test]
    fn what_is_put_off_comes_at_a_random_moment_within_the_gap() {
        let now = Instant::now();
        let moments: Vec<_> = (0..9)
            .map(|_| {
                let mut pace = Pace::new(Duration::ZERO, now);
                pace.put_off(now);
                pace.earliest()
            })
            .collect();
        assert!(moments.iter().all(|moment| (now..=now + GAP).contains(moment)));
        assert!(moments.iter().any(|moment| *moment != moments[0]));
    }

    #[test]
    fn the_interval_is_jittered_by_a_fifth_and_may_be_off() {
        let now = Instant::now();
        let mut pace = Pace::new(Duration::from_secs(10), now);
        pace.succeeded(now);
        assert!((7_999..=12_001).contains(&wait(&pace, now).as_millis()));
        let mut off = Pace::new(Duration::ZERO, now);
        off.succeeded(now);
        assert_eq!(off.due(), None);
    }
}
