//! CLIENT PAUSE: requests wait where they were read, in the clients of every worker.
//!
//! Each client is marked as having something apart, so that others look at nothing. What was sent before the
//! pause runs. Invariant: a pause ends by itself.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use super::{Worker, client::Client};
use crate::command::{Command, Flags};

/// Requests wait until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    until: Instant,
    /// Whether all requests wait; else those that may write.
    all: bool,
}

/// What may write though its flags do not say so: flag `may_replicate` in redis commands.
const MAY_REPLICATE: &[&str] = &["eval", "evalsha", "fcall", "pfcount", "publish", "spublish"];

impl Pause {
    /// For `time` from now on; nothing if that is beyond all time.
    pub(super) fn new(time: Duration, all: bool) -> Option<Self> {
        Some(Self { until: Instant::now().checked_add(time)?, all })
    }

    /// This one on top of `other`, as in redis networking.c `pauseClientsByClient`: the longer and the stricter.
    fn on_top_of(self, other: Option<Self>) -> Self {
        let Some(other) = other else { return self };
        Self { until: self.until.max(other.until), all: self.all || other.all }
    }

    /// Whether `command` of `client` waits. To end a pause is always allowed.
    pub(super) fn holds(&self, client: &Client, command: &Command) -> bool {
        let writes = || match command.name {
            "exec" => client.apart.look(|affairs| affairs.queued.as_ref().is_some_and(|q| !q.read_only())),
            name => command.flags.has(Flags::WRITE) || MAY_REPLICATE.contains(&name),
        };
        (self.all && command.name != "client|unpause") || writes()
    }
}

impl Worker {
    /// The pause, if there is one.
    pub(super) fn paused(&self) -> Option<Pause> {
        self.pause.get()
    }

    /// Has the clients of this worker wait.
    pub(super) fn pause(self: &Rc<Self>, pause: Pause) {
        let pause = pause.on_top_of(self.pause.get());
        self.pause.set(Some(pause));
        self.clients.borrow().values().for_each(|client| client.apart.pause(true));
        let worker = Rc::clone(self);
        tokio::task::spawn_local(async move {
            tokio::time::sleep_until(pause.until.into()).await;
            if worker.pause.get().is_some_and(|latest| latest.until <= pause.until) {
                worker.unpause();
            }
        });
    }

    /// Lets the clients of this worker go on.
    pub(super) fn unpause(&self) {
        if self.pause.take().is_some() {
            for client in self.clients.borrow().values() {
                client.apart.pause(false);
                client.wake();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_and_the_stricter_counts() {
        let pause = |seconds, all| Pause::new(Duration::from_secs(seconds), all).unwrap();
        let (short, long) = (pause(1, true), pause(100, false));
        let both = Pause { until: long.until, all: true };
        assert_eq!(short.on_top_of(Some(long)), both);
        assert_eq!(long.on_top_of(Some(short)), both);
        assert_eq!(long.on_top_of(None), long);
        assert_eq!(Pause::new(Duration::from_millis(u64::MAX), true).map(|pause| pause.all), Some(true));
    }
}
