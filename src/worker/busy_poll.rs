//! Busy polling: a worker that has just asked for the only reply that nodes owe it looks for it for a moment, rather than
//! sleep until it is there.
//!
//! To sleep and to be woken takes as long as a node on the same machine needs to answer, and a lone client waits for all of
//! it. So the worker reads from that connection again and again, and lets others have its core first each time, since the
//! node may be on it. What others send to the worker waits meanwhile, so it polls once until it looks at them all again.
//! Where the reply often takes longer, as over a network, or somebody else computes on that core, it is left for a while.

use std::{
    cell::Cell,
    thread,
    time::{Duration, Instant},
};

use super::{Worker, backend::Backend, patience::Patience};

/// A worker that others kept off its core for so long stops at once, for a while.
const TOO_LONG: Duration = Duration::from_millis(1);

/// What a worker knows of its busy polling.
#[derive(Default)]
pub(super) struct BusyPoll {
    patience: Patience,
    /// Whether it polled since it last looked at all its sockets.
    polled: Cell<bool>,
    /// How long it looked in vain since it was last asked.
    spent: Cell<Duration>,
}

impl BusyPoll {
    /// The worker is about to look at all its sockets, so that it may poll once more.
    pub(super) fn rearm(&self) {
        self.polled.set(false);
    }

    /// How long it looked in vain since this was last called.
    pub(super) fn spent(&self) -> Duration {
        self.spent.take()
    }

    /// Calls `look` until it has found something, for about as long as `limit` at most. Whether it has; nothing if it is
    /// left for a while, or others come first.
    fn poll(&self, limit: Duration, mut look: impl FnMut() -> bool) -> Option<bool> {
        let begun = Instant::now();
        if !self.patience.lasts(begun) || self.polled.replace(true) {
            return None;
        }
        loop {
            thread::yield_now();
            let looked = Instant::now();
            let found = look();
            let now = Instant::now();
            if found || now - begun >= limit {
                self.learn(now - begun, limit, now);
                return Some(found);
            }
            self.spent.update(|spent| spent + (now - looked));
        }
    }

    /// A poll `took` so long, until `now`.
    fn learn(&self, took: Duration, limit: Duration, now: Instant) {
        if took >= limit + TOO_LONG {
            self.patience.lose(now);
        } else {
            self.patience.learn(took >= limit, now);
        }
    }
}

impl Worker {
    /// Delivers the reply that `backend`, which was just written to, owes, if it comes soon and no other reply is due.
    pub(super) fn busy_poll(&self, backend: &Backend) {
        let limit = self.config.busy_poll;
        if limit.is_zero() || self.traffic.owed() != 1 || !backend.can_be_read() {
            return;
        }
        if let Some(found) = self.busy_poll.poll(limit, || backend.try_replies()) {
            self.metrics.busy_polls[usize::from(found)].add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn it_looks_until_it_finds_something_or_time_is_up() {
        let busy_poll = BusyPoll::default();
        let mut looks = 0;
        let third = || {
            looks += 1;
            looks == 3
        };
        assert_eq!(busy_poll.poll(LONG, third), Some(true));
        assert_eq!(looks, 3);
        busy_poll.rearm();
        let limit = Duration::from_millis(2);
        assert_eq!(busy_poll.poll(limit, || false), Some(false));
        let spent = busy_poll.spent();
        assert!(Duration::ZERO < spent && spent < LONG);
        assert_eq!(busy_poll.spent(), Duration::ZERO, "told once");
    }

    #[test]
    fn it_is_left_when_it_often_takes_long_to_find_something_or_nothing() {
        for found in [true, false] {
            let busy_poll = BusyPoll::default();
            let poll = |_| {
                busy_poll.rearm();
                busy_poll.poll(Duration::ZERO, || found)
            };
            let polls: Vec<_> = (0..5).map(poll).collect();
            assert_eq!((polls[0], polls[4]), (Some(found), None), "{polls:?}");
        }
        let busy_poll = BusyPoll::default();
        for _ in 0..100 {
            busy_poll.rearm();
            assert_eq!(busy_poll.poll(LONG, || true), Some(true));
        }
        let now = Instant::now();
        busy_poll.learn(TOO_LONG, Duration::ZERO, now);
        assert!(!busy_poll.patience.lasts(now), "others have the core");
    }

    #[test]
    fn it_polls_once_between_two_looks_at_all_sockets() {
        let busy_poll = BusyPoll::default();
        let polls = || busy_poll.poll(LONG, || true).is_some();
        assert_eq!([polls(), polls()], [true, false]);
        busy_poll.rearm();
        assert_eq!([polls(), polls()], [true, false]);
    }
}
