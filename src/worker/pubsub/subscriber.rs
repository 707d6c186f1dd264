//! What one client listens to, and how far it may fall behind.

use std::{collections::BTreeSet, time::Duration};

use super::topic::Name;
use crate::{config::OutputLimit, metrics::CloseReason, routing::ChannelKind, worker::client::Client};

/// What the names that one client listens to may take, in bytes, each with [`PER_NAME`]: a quarter of a
/// million short ones.
const MAX_NAMES: usize = 64 * 1024 * 1024;
/// What a subscription takes beside its name, about.
const PER_NAME: usize = 256;

/// What a client hears that wants more.
pub(in crate::worker) const TOO_MUCH: &str = "ERR too many subscriptions of one client";

/// The subscriptions of one client.
#[derive(Default)]
pub(in crate::worker) struct Subscribed {
    names: [BTreeSet<Name>; 3],
    /// What they take.
    size: usize,
    /// Whether it is shown what the nodes are asked (MONITOR).
    monitors: bool,
    /// Since when more waits than its soft limit allows; 0 while that is not so.
    over_since: u64,
}

impl Subscribed {
    /// Adds `name`. Returns it if it is new.
    fn add(&mut self, kind: ChannelKind, name: &[u8]) -> Option<Name> {
        let names = &mut self.names[kind as usize];
        if names.contains(name) {
            return None;
        }
        let name = Name::from(name);
        names.insert(Name::clone(&name));
        self.size += name.len() + PER_NAME;
        Some(name)
    }

    /// Takes `name` away. Returns whether it was there.
    fn remove(&mut self, kind: ChannelKind, name: &[u8]) -> bool {
        let was_there = self.names[kind as usize].remove(name);
        if was_there {
            self.size -= name.len() + PER_NAME;
        }
        was_there
    }

    /// All names of `kind`.
    pub(super) fn names(&self, kind: ChannelKind) -> Vec<Name> {
        self.names[kind as usize].iter().cloned().collect()
    }

    /// How many channels, patterns and shard channels.
    fn counts(&self) -> [usize; 3] {
        [0, 1, 2].map(|kind| self.names[kind].len())
    }

    /// The count that a confirmation shows, as in redis pubsub.c: channels and patterns together, shard
    /// channels for themselves.
    fn count(&self, kind: ChannelKind) -> usize {
        let [channels, patterns, shards] = self.counts();
        if kind == ChannelKind::Shard { shards } else { channels + patterns }
    }

    /// Whether it listens to any channel.
    fn has_names(&self) -> bool {
        self.counts() != [0; 3]
    }

    /// Whether a client for which `waiting` bytes wait at `now` (nanoseconds), `before` of them already before
    /// the message at hand, is too far behind.
    fn is_behind(&mut self, limit: &OutputLimit, before: usize, waiting: usize, now: u64) -> bool {
        let over = |bound: usize, bytes: usize| bound != 0 && bytes >= bound;
        if !over(limit.soft, before) {
            self.over_since = 0;
        }
        if self.over_since == 0 && over(limit.soft, waiting) {
            self.over_since = now.max(1);
        }
        let lasting = Duration::from_nanos(now.saturating_sub(self.over_since));
        over(limit.hard, waiting) || (self.over_since != 0 && lasting > limit.within)
    }
}

impl Client {
    /// Adds `name` to what it listens to. Returns it if it is new.
    pub(in crate::worker) fn listen(&self, kind: ChannelKind, name: &[u8]) -> Option<Name> {
        self.change(|subscribed| subscribed.add(kind, name))
    }

    /// Takes `name` from what it listens to. Returns whether it was there.
    pub(in crate::worker) fn unlisten(&self, kind: ChannelKind, name: &[u8]) -> bool {
        self.change(|subscribed| subscribed.remove(kind, name))
    }

    /// Makes it one that monitors.
    pub(in crate::worker) fn start_monitoring(&self) {
        self.change(|subscribed| subscribed.monitors = true);
    }

    /// Whether it monitors.
    pub(in crate::worker) fn monitors(&self) -> bool {
        self.subscribed.borrow().as_ref().is_some_and(|subscribed| subscribed.monitors)
    }

    /// Takes away all that it listens to.
    pub(super) fn stop_listening(&self) -> Subscribed {
        self.change(std::mem::take)
    }

    /// Lets `change` change what it listens to, and counts it accordingly.
    fn change<T>(&self, change: impl FnOnce(&mut Subscribed) -> T) -> T {
        let mut subscribed = self.subscribed.borrow_mut();
        let now = subscribed.get_or_insert_default();
        let before = now.has_names();
        let result = change(now);
        match (before, now.has_names()) {
            (false, true) => self.worker.metrics.subscribers.add(1),
            (true, false) => self.worker.metrics.subscribers.sub(1),
            _ => {}
        }
        self.listens.set(now.has_names() || now.monitors);
        if !self.listens.get() {
            *subscribed = None;
        }
        result
    }

    /// Whether `names` more names, of so many bytes in all, would be too much.
    pub(in crate::worker) fn listens_to_too_much(&self, names: usize, bytes: usize) -> bool {
        let size = self.subscribed.borrow().as_ref().map_or(0, |subscribed| subscribed.size);
        size + bytes + names * PER_NAME > MAX_NAMES
    }

    /// The names of `kind` that it listens to.
    pub(in crate::worker) fn listens_to(&self, kind: ChannelKind) -> Vec<Name> {
        self.subscribed.borrow().as_ref().map(|subscribed| subscribed.names(kind)).unwrap_or_default()
    }

    /// How many channels, patterns and shard channels it listens to.
    pub(in crate::worker) fn listens_to_counts(&self) -> [usize; 3] {
        self.subscribed.borrow().as_ref().map(|subscribed| subscribed.counts()).unwrap_or_default()
    }

    /// The count that a confirmation for a name of `kind` shows.
    pub(in crate::worker) fn listens_to_count(&self, kind: ChannelKind) -> usize {
        self.subscribed.borrow().as_ref().map_or(0, |subscribed| subscribed.count(kind))
    }

    /// Closes it if it is too far behind: `waiting` bytes wait for it, `before` of them for longer.
    pub(in crate::worker) fn check_backlog(&self, before: usize, waiting: usize) {
        let (limit, now) = (&self.worker.config.pubsub_output_limit, self.worker.now());
        let mut subscribed = self.subscribed.borrow_mut();
        let behind = match &mut *subscribed {
            Some(subscribed) => subscribed.is_behind(limit, before, waiting, now),
            // Who only hears of changed keys may have as many replies waiting as anybody.
            None => limit.hard != 0 && waiting >= limit.hard + self.worker.config.client_output_buffer_limit,
        };
        if behind {
            tracing::warn!(client = self.id, waiting, "closing a subscriber that is too slow");
            self.end(CloseReason::OutputLimit, true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_count_once_and_shard_channels_apart() {
        let mut subscribed = Subscribed::default();
        assert!(subscribed.add(ChannelKind::Channel, b"a").is_some());
        assert!(subscribed.add(ChannelKind::Channel, b"a").is_none());
        subscribed.add(ChannelKind::Pattern, b"a");
        subscribed.add(ChannelKind::Shard, b"a");
        let count = |kind| subscribed.count(kind);
        assert_eq!(ChannelKind::ALL.map(count), [2, 2, 1]);
        assert!(subscribed.remove(ChannelKind::Shard, b"a") && !subscribed.remove(ChannelKind::Shard, b"a"));
        subscribed.remove(ChannelKind::Channel, b"a");
        subscribed.remove(ChannelKind::Pattern, b"a");
        assert!(!subscribed.has_names() && subscribed.size == 0);
    }

    #[test]
    fn the_hard_limit_counts_at_once_and_the_soft_one_after_its_time() {
        let limit = OutputLimit { hard: 100, soft: 10, within: Duration::from_nanos(50) };
        let mut subscribed = Subscribed::default();
        assert!(subscribed.is_behind(&limit, 0, 100, 1));
        for (before, waiting, now, behind) in [
            (0, 9, 10, false),
            (9, 10, 20, false),
            (10, 99, 70, false),
            (5, 5, 80, false),
            (5, 10, 90, false),
            // It had caught up before this message.
            (0, 20, 150, false),
            (20, 20, 200, false),
            (20, 20, 201, true),
        ] {
            assert_eq!(subscribed.is_behind(&limit, before, waiting, now), behind, "{waiting} at {now}");
        }
        let none = OutputLimit { hard: 0, soft: 0, within: Duration::ZERO };
        assert!(!Subscribed::default().is_behind(&none, usize::MAX, usize::MAX, u64::MAX));
    }
}
