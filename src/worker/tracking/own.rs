//! CLIENT TRACKING with NOLOOP: a client that does not hear of its own writes.
//!
//! Only a node can tell who wrote, and it tells by connection. So such a client has connections of its own, to
//! every primary: its requests go there, and each tells of all changes but those that came over it (mode BCAST
//! with NOLOOP). A client for which there is no room among `dedicated-connections`, or that speaks RESP2, hears
//! as without NOLOOP. Invariant: news that others cause is never left out.

use std::{collections::HashSet, rc::Rc};

use tokio::time::timeout;

use super::{
    table::Key,
    tracked::{Mode, Tracked},
};
use crate::{
    cluster::Role,
    resp::{self, Protocol},
    worker::{
        Worker,
        client::Client,
        profile::{Profile, Whose},
    },
};

/// What the keys that are remembered for one such client may take, in bytes, each with [`PER_KEY`]; when they
/// would take more, all keys are told of instead.
const MAX_KEPT: usize = 8 * 1024 * 1024;
const PER_KEY: usize = 64;

/// What is heard for one client over connections of its own.
#[derive(Default)]
pub(super) struct Own {
    /// The epoch of the slot table all of whose primaries are heard, and the profile of these connections.
    heard: Option<(u64, Profile)>,
    read: Read,
}

/// Keys that it read since these last changed.
#[derive(Default)]
struct Read {
    keys: HashSet<Key>,
    bytes: usize,
}

impl Read {
    /// False if there was no room: then nothing is left.
    fn add(&mut self, key: &Key) -> bool {
        if self.keys.insert(Key::clone(key)) {
            self.bytes += key.len() + PER_KEY;
        }
        let fits = self.bytes <= MAX_KEPT;
        if !fits {
            *self = Self::default();
        }
        fits
    }

    fn take(&mut self, key: &[u8]) -> bool {
        let found = self.keys.remove(key);
        if found {
            self.bytes -= key.len() + PER_KEY;
        }
        found
    }
}

impl Worker {
    /// Has `client` use connections of its own from now on. False if there is no room for one more.
    fn give_own(&self, client: &Rc<Client>) -> bool {
        if client.is_tracker() {
            return true;
        }
        let room = usize::from(self.dedicated_share());
        let mut owners = self.tracking.owners.borrow_mut();
        if client.protocol.get() != Protocol::Resp3 || owners.len() >= room {
            return false;
        }
        let mut number = self.tracking.last_own.get().wrapping_add(1);
        // As many are in use as there is room for, at most.
        while owners.contains_key(&number) {
            number = number.wrapping_add(1);
        }
        self.tracking.last_own.set(number);
        owners.insert(number, Rc::clone(client));
        client.uses.set(Whose::Tracker(number));
        client.unsettle();
        true
    }

    /// Has `client`, which may have connections of its own, share connections again, and hear over these.
    pub(in crate::worker) fn share_again(&self, client: &Rc<Client>) {
        if self.take_own(client) {
            let how =
                |tracked: &Tracked| Some((tracked.mode.clone(), tracked.noloop, tracked.redirection.target));
            if let Some((mode, noloop, target)) = client.apart.look_at_tracked(how) {
                self.track(client, mode, noloop, target);
                if client.apart.look_at_tracked(Tracked::may_keep) {
                    client.tell_of_all();
                }
            }
        }
    }

    /// Has `client` share connections again. Returns whether it had some of its own.
    pub(super) fn take_own(&self, client: &Client) -> bool {
        let Whose::Tracker(number) = client.uses.get() else { return false };
        client.uses.set(Whose::Everyone);
        self.tracking.owners.borrow_mut().remove(&number);
        client.unsettle();
        true
    }

    /// Whether connections of `profile` are still those of its owner `number`.
    pub(in crate::worker) fn is_owned(&self, number: u16, profile: Profile) -> bool {
        self.owner_of(number).is_some_and(|client| client.profile() == profile)
    }

    fn owner_of(&self, own: u16) -> Option<Rc<Client>> {
        self.tracking.owners.borrow().get(&own).cloned()
    }

    /// A connection of owner `own` was made or lost: changes may have gone unheard.
    pub(in crate::worker) fn own_broke(self: &Rc<Self>, own: u16) {
        if let Some(client) = self.owner_of(own) {
            self.tend_owner(&client, true);
        }
    }

    /// A node said `push` over a connection of owner `own`.
    pub(in crate::worker) fn own_heard(&self, own: u16, push: &[u8]) {
        let (Some(client), Some(keys)) = (self.owner_of(own), resp::invalidated(push)) else { return };
        let Some(keys) = keys else { return client.tell_of_all() };
        let mut told: Vec<&[u8]> = Vec::new();
        client.change_tracked(|tracked, _| {
            told.extend(keys.filter(|key| tracked.own.read.take(key) || tracked.matches(key)));
        });
        client.tell(&told);
    }

    /// Gives `client` connections of its own and waits until changes are heard over them from every primary, not
    /// for longer than a request is retried. False if that cannot be: then it shares connections as before.
    pub(in crate::worker) async fn hear_for_owner(self: Rc<Self>, client: &Rc<Client>) -> bool {
        if !self.give_own(client) {
            return false;
        }
        let heard = async {
            while self.heard_for(client).is_none() {
                self.tracking.owners_changed.notified().await;
            }
        };
        let heard = timeout(self.config.retry_deadline, heard).await.is_ok();
        if !heard {
            self.share_again(client);
        }
        heard
    }

    /// By which table and profile all primaries are heard for `client`, to each of which it has a connection from
    /// now on.
    fn heard_for(self: &Rc<Self>, client: &Client) -> Option<(u64, Profile)> {
        let (table, profile) = (self.topology.table().load_full(), client.profile());
        let primaries = table.nodes().iter().filter(|node| node.role == Role::Primary);
        let live: Vec<bool> = primaries.map(|node| self.backend(&node.addr, profile).is_live()).collect();
        (!live.is_empty() && live.iter().all(|live| *live)).then(|| (table.epoch(), profile))
    }

    /// Keeps a connection of every owner to every primary.
    pub(super) fn tend_owners(self: &Rc<Self>) {
        let owners: Vec<_> = self.tracking.owners.borrow().values().cloned().collect();
        for client in owners {
            self.tend_owner(&client, false);
            client.tell_late();
        }
    }

    /// The same for `client`, which is told of all keys where what is heard has changed, or `anyway`.
    fn tend_owner(self: &Rc<Self>, client: &Rc<Client>, anyway: bool) {
        let heard = self.heard_for(client);
        self.tracking.owners_changed.notify_waiters();
        if anyway || client.apart.look_at_tracked(|tracked| tracked.own.heard) != heard {
            self.follow_topology();
            client.change_tracked(|tracked, _| tracked.own = Own { heard, read: Read::default() });
            if client.apart.look(|affairs| affairs.tracked.is_some()) {
                client.tell_of_all();
            }
        }
    }
}

impl Tracked {
    /// Whether its client may have kept something since it has connections of its own.
    fn may_keep(&self) -> bool {
        matches!(self.mode, Mode::Broadcast(_)) || !self.own.read.keys.is_empty()
    }
}

impl Client {
    /// Whether it hears over connections of its own.
    pub(super) fn is_tracker(&self) -> bool {
        matches!(self.uses.get(), Whose::Tracker(_))
    }

    /// Whether all that changes is heard for it.
    pub(super) fn hears(&self) -> bool {
        if !self.is_tracker() {
            return self.worker.hears_all();
        }
        let heard = self.apart.look_at_tracked(|tracked| tracked.own.heard);
        heard == Some((self.worker.epoch(), self.profile()))
    }

    /// It tracks from now on, over connections of its own.
    pub(super) fn begin_own(self: &Rc<Self>) {
        let heard = self.worker.heard_for(self);
        self.change_tracked(|tracked, _| tracked.own = Own { heard, read: Read::default() });
    }

    /// Notes that it reads `keys`.
    pub(super) fn note_own(self: &Rc<Self>, keys: &[Key]) {
        let mut fit = true;
        self.change_tracked(|tracked, _| {
            for key in keys {
                fit &= tracked.own.read.add(key);
            }
        });
        if !fit {
            self.tell_of_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_told_of_once() {
        let (mut read, key) = (Read::default(), Key::from(&b"a"[..]));
        assert!(read.add(&key) && read.add(&key) && read.take(b"a") && !read.take(b"a"));
        assert_eq!(read.bytes, 0);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (mut read, long) = (Read::default(), Key::from(vec![b'x'; MAX_KEPT]));
        assert!(read.add(&Key::from(&b"a"[..])) && !read.add(&long));
        assert!(!read.take(b"a") && read.bytes == 0);
    }
}
