//! CLIENT TRACKING with REDIRECT: another client of this slotway, on whichever worker, hears what one reads. As
//! in redis tracking.c `sendTrackingMessage`.
//!
//! Replies and news travel on different connections then, so news cannot stand right behind a reply: what may be
//! older than the news is told of again when it is delivered, at the worker's next tick. Invariant: news for a
//! client that is gone comes back to the one that tracks, who is told so.

use std::rc::Rc;

use super::table::Key;
use crate::{
    resp::{Protocol, ReplyWriter, encode_invalidation},
    worker::{Mail, Worker, client::Client},
};

/// Where servers tell clients in RESP2, as in redis tracking.c.
const CHANNEL: &[u8] = b"__redis__:invalidate";
/// News that wait for replies; when there are more, all keys are told of instead.
const MAX_LATE: usize = 1024;

/// Who hears instead of the client that reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::worker) struct Target {
    pub(in crate::worker) id: u64,
    pub(in crate::worker) worker: usize,
}

/// A client's redirection.
#[derive(Default)]
pub(in crate::worker) struct Redirection {
    pub(in crate::worker) target: Option<Target>,
    /// Whether that client was gone when there was news for it.
    pub(in crate::worker) broken: bool,
    late: Vec<Late>,
}

/// News for when the reply at a place in line is delivered.
struct Late {
    place: u64,
    /// None stands for all keys.
    keys: Option<Vec<Key>>,
}

impl Redirection {
    pub(super) fn to(target: Option<Target>) -> Self {
        Self { target, ..Self::default() }
    }

    fn add_late(&mut self, place: u64, keys: Option<&[&[u8]]>) {
        let full = self.late.len() >= MAX_LATE;
        if full {
            self.late.clear();
        }
        let keys = keys.filter(|_| !full).map(|keys| keys.iter().copied().map(Key::from).collect());
        self.late.push(Late { place, keys });
    }

    /// The keys of which to tell now: each entry none for all keys.
    fn take_due(&mut self, is_answered: &dyn Fn(u64) -> bool) -> Vec<Option<Vec<Key>>> {
        let due = self.late.extract_if(.., |late| is_answered(late.place));
        due.map(|late| late.keys).collect()
    }
}

/// News on its way to a client of another worker.
pub struct News {
    to: u64,
    /// Who tracks, and where.
    by: u64,
    at: usize,
    /// None stands for all keys.
    keys: Option<Vec<Vec<u8>>>,
}

/// The client `to` is gone; `by` wanted news to go there.
pub struct TargetGone {
    by: u64,
    to: u64,
}

impl Worker {
    /// Hands over what another worker sent.
    pub(in crate::worker) fn hear_news(&self, news: News) {
        let keys = news.keys.as_ref().map(|keys| keys.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let to = self.clients.borrow().get(&news.to).cloned();
        match to {
            Some(client) => client.hear_for_other(keys.as_deref()),
            None => self.mailboxes.send(news.at, Mail::TargetGone(TargetGone { by: news.by, to: news.to })),
        }
    }

    /// Lets the client that tracks know.
    pub(in crate::worker) fn miss_target(&self, gone: &TargetGone) {
        let by = self.clients.borrow().get(&gone.by).cloned();
        if let Some(client) = by {
            client.lose_target(gone.to);
        }
    }
}

impl Client {
    /// Who hears for it.
    pub(super) fn target(&self) -> Option<Target> {
        self.apart.look_at_tracked(|tracked| tracked.redirection.target)
    }

    /// Tells `target` of `keys` now.
    pub(super) fn tell_target(self: &Rc<Self>, target: Target, keys: Option<&[&[u8]]>) {
        let worker = &self.worker;
        if target.worker != worker.index {
            let keys = keys.map(|keys| keys.iter().map(|key| key.to_vec()).collect());
            let news = News { to: target.id, by: self.id, at: worker.index, keys };
            return worker.mailboxes.send(target.worker, Mail::News(news));
        }
        let to = worker.clients.borrow().get(&target.id).cloned();
        match to {
            Some(client) => client.hear_for_other(keys),
            None => self.lose_target(target.id),
        }
    }

    /// Tells `target` of `keys` when all that this client has sent is answered.
    pub(super) fn tell_target_behind(self: &Rc<Self>, target: Target, keys: Option<&[&[u8]]>) {
        if !self.waits() {
            return self.tell_target(target, keys);
        }
        let place = self.line().borrow().last();
        self.change_tracked(|tracked, _| tracked.redirection.add_late(place, keys));
    }

    /// Tells of what waited for replies that are answered by now.
    pub(super) fn tell_late(self: &Rc<Self>) {
        let Some(target) = self.target() else { return };
        let mut due = Vec::new();
        self.change_tracked(|tracked, is_answered| due = tracked.redirection.take_due(is_answered));
        for keys in due {
            let keys = keys.as_ref().map(|keys| keys.iter().map(|key| &key[..]).collect::<Vec<_>>());
            self.tell_target(target, keys.as_deref());
        }
    }

    /// Hears that `keys` changed which another client read. In RESP2 only who is subscribed to something hears.
    fn hear_for_other(self: &Rc<Self>, keys: Option<&[&[u8]]>) {
        let mut message = Vec::new();
        if self.protocol.get() == Protocol::Resp3 {
            encode_invalidation(&mut message, keys);
        } else if self.listens_to_counts() != [0; 3] {
            let mut w = ReplyWriter::new(&mut message, Protocol::Resp2);
            w.array(3);
            w.bulk(b"message");
            w.bulk(CHANNEL);
            match keys {
                Some(keys) => {
                    w.array(keys.len());
                    keys.iter().for_each(|key| w.bulk(key));
                }
                None => w.null(),
            }
        }
        if !message.is_empty() {
            self.hand(&[], &message);
        }
    }

    /// There was news for client `id`, which is gone.
    fn lose_target(self: &Rc<Self>, id: u64) {
        if self.target().is_none_or(|target| target.id != id) {
            return;
        }
        self.change_tracked(|tracked, _| tracked.redirection.broken = true);
        if self.protocol.get() == Protocol::Resp3 {
            let mut push = Vec::new();
            let mut w = ReplyWriter::new(&mut push, Protocol::Resp3);
            w.push(2);
            w.bulk(b"tracking-redir-broken");
            w.integer(i64::try_from(id).unwrap_or(i64::MAX));
            self.hand(&[], &push);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_waits_for_its_reply() {
        let mut redirection = Redirection::default();
        redirection.add_late(1, Some(&[b"a"]));
        redirection.add_late(2, None);
        assert_eq!(redirection.take_due(&|place| place < 2), [Some(vec![Key::from(&b"a"[..])])]);
        assert_eq!(redirection.take_due(&|place| place < 2), []);
        assert_eq!(redirection.take_due(&|_| true), [None]);
    }

    #[test]
    fn too_much_news_becomes_all_keys() {
        let mut redirection = Redirection::default();
        for place in 0..=MAX_LATE as u64 {
            redirection.add_late(place, Some(&[b"a"]));
        }
        assert_eq!(redirection.take_due(&|_| true), [None]);
    }
}
