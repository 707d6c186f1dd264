//! Pauses between tries to connect to a node that is away.
//!
//! Invariant: each is between half of [`MIN`] and [`MAX`], and random, so that workers and proxies that lost a node
//! together do not dial it together.

use std::time::Duration;

use tokio::time::Instant;

/// The first pause, or half of it; doubles with each further failure up to [`MAX`].
const MIN: Duration = Duration::from_millis(20);
const MAX: Duration = Duration::from_secs(1);

/// How long to wait before the next dial.
#[derive(Clone, Copy)]
pub(super) struct Backoff {
    pause: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { pause: MIN }
    }
}

impl Backoff {
    /// The pause after one more failure.
    pub(super) fn next(&mut self) -> Duration {
        let pause = self.pause;
        self.pause = (pause * 2).min(MAX);
        pause.mul_f64(0.5 + 0.5 * fastrand::f64())
    }
}

/// Keeps many that want a node from dialling it all when it is away: after a failure one at a time tries, and only
/// after a pause.
#[derive(Clone, Copy, Default)]
pub(super) struct Gate {
    shut: Option<(Instant, Backoff)>,
}

impl Gate {
    /// Whether a dial may begin; if the node was away, it is the one that tries.
    pub(super) fn lets_through(&mut self, now: Instant) -> bool {
        match self.shut {
            Some((until, _)) if now < until => return false,
            Some((_, mut backoff)) => self.shut = Some((now + backoff.next(), backoff)),
            None => {}
        }
        true
    }

    /// Whether the node was away just now.
    pub(super) fn is_shut(&self, now: Instant) -> bool {
        self.shut.is_some_and(|(until, _)| now < until + MAX)
    }

    /// Notes how a dial ended. Those that began together fail together: they count once.
    pub(super) fn ended(&mut self, connected: bool, now: Instant) {
        match self.shut {
            _ if connected => self.shut = None,
            Some(_) => {}
            None => {
                let mut backoff = Backoff::default();
                self.shut = Some((now + backoff.next(), backoff));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_to_a_bound_and_are_random() {
        let mut backoff = Backoff::default();
        let mut most = MIN;
        for _ in 0..20 {
            let pause = backoff.next();
            assert!((most / 2..=most).contains(&pause), "{pause:?} of {most:?}");
            most = (most * 2).min(MAX);
        }
        let pauses: Vec<_> = (0..9).map(|_| backoff.next()).collect();
        assert!(pauses.iter().any(|pause| *pause != pauses[0]));
    }

    #[test]
    fn who_wants_a_node_that_is_away_waits_for_one_that_tries() {
        let (mut gate, now) = (Gate::default(), Instant::now());
        assert!(gate.lets_through(now) && gate.lets_through(now), "nothing is known against it");
        gate.ended(false, now);
        gate.ended(false, now);
        assert!(!gate.lets_through(now));
        let later = now + MIN;
        assert!(gate.lets_through(later), "one tries");
        assert!(!gate.lets_through(later), "and no other");
        gate.ended(false, later);
        assert!(!gate.lets_through(later) && gate.is_shut(later));
        assert!(gate.lets_through(later + MAX));
        gate.ended(true, later + MAX);
        assert!(gate.lets_through(later + MAX) && gate.lets_through(later + MAX));
        assert!(!gate.is_shut(later + MAX));
    }
}
