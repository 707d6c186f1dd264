//! CLIENT TRACKING: clients are told when keys change that they may have kept.
//!
//! While any client of a worker wants it, one connection to each primary hears of all keys that change there
//! (mode BCAST); which clients read which keys is remembered here. A key is noted when its read is sent, so
//! before any reply. What is heard is told at once, and once more behind the reply if a read of that key is
//! under way, since that reply may be older. While a primary cannot be heard, a key is told of right behind
//! each reply, so that nobody keeps it, and when that begins or ends all keys are told of at once.
//!
//! A client that does not want to hear of its own writes hears over connections of its own: see [`own`].
//!
//! Invariant: a client never keeps, for longer than news travel, a value that a node has changed.

mod own;
mod redirected;
mod table;
mod tracked;

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, HashMap},
    rc::Rc,
};

use tokio::sync::Notify;

pub use self::redirected::{News, TargetGone};
use self::table::{Key, Table};
pub(super) use self::{
    redirected::{Redirection, Target},
    tracked::{Change, Mode, Tracked, change},
};
use super::{
    Worker,
    client::Client,
    primaries::{Primaries, Subject},
};
use crate::{
    command::{self, Command},
    resp::{self, Protocol, Request, encode_invalidation},
};

/// What the tracking clients of one worker share.
#[derive(Default)]
pub(super) struct Tracking {
    /// Who hears of what it read.
    readers: RefCell<HashMap<u64, Rc<Client>>>,
    /// Who hears of prefixes.
    listeners: RefCell<HashMap<u64, Rc<Client>>>,
    table: RefCell<Table>,
    primaries: Primaries,
    /// Who has connections of its own, which hear for it, by its number.
    owners: RefCell<HashMap<u16, Rc<Client>>>,
    /// A connection of an owner was made or lost: those who wait for one look again.
    owners_changed: Notify,
    last_own: Cell<u16>,
    /// The epoch of the slot table all of whose primaries are heard.
    heard: Cell<Option<u64>>,
}

/// Every key that changes there.
static SUBJECT: Subject = Subject {
    request: &["CLIENT", "TRACKING", "ON", "BCAST"],
    take: |worker, ear| {
        ear.frames(|frame| {
            if let Some(keys) = resp::invalidated(frame) {
                worker.invalidated(keys);
            }
        })
    },
    changed: Worker::tend_tracking,
};

impl Worker {
    /// Waits until changes are heard from every primary, not for longer than a request is retried.
    pub(super) async fn hear_of_changes(self: Rc<Self>) {
        let limit = self.config.retry_deadline;
        // Where that takes longer, its client keeps nothing.
        self.tracking.primaries.wait(limit, || self.tend_tracking(), || self.hears_all()).await;
    }

    fn hears_all(&self) -> bool {
        self.tracking.heard.get() == Some(self.epoch())
    }

    /// `client` hears of changed keys from now on.
    pub(super) fn track(&self, client: &Rc<Client>, mode: Mode, noloop: bool, target: Option<Target>) {
        let listens = matches!(mode, Mode::Broadcast(_));
        let to = if listens { &self.tracking.listeners } else { &self.tracking.readers };
        if !client.is_tracker() {
            to.borrow_mut().insert(client.id, Rc::clone(client));
        } else {
            self.tracking.readers.borrow_mut().remove(&client.id);
            self.tracking.listeners.borrow_mut().remove(&client.id);
        }
        let may_keep = client.apart.change(|affairs| {
            let may_keep = affairs.tracked.is_some() && !listens;
            let tracked = affairs.tracked.get_or_insert_default();
            (tracked.mode, tracked.noloop) = (mode, noloop);
            tracked.redirection = Redirection::to(target);
            may_keep
        });
        if client.is_tracker() {
            client.begin_own();
            if may_keep {
                // What it read before is not remembered there.
                client.tell_of_all();
            }
        }
    }

    /// `client` hears of nothing more.
    pub(super) fn untrack(&self, client: &Client) {
        self.take_own(client);
        client.apart.change(|affairs| affairs.tracked = None);
        self.tracking.readers.borrow_mut().remove(&client.id);
        self.tracking.listeners.borrow_mut().remove(&client.id);
    }

    /// Has a connection to each primary while anybody wants it, and tells all clients when that changed.
    pub(super) fn tend_tracking(self: &Rc<Self>) {
        self.tend_owners();
        let tracking = &self.tracking;
        for clients in [&tracking.readers, &tracking.listeners] {
            clients.borrow().values().for_each(Client::tell_late);
        }
        let wanted = tracking.primaries.are_awaited()
            || !tracking.readers.borrow().is_empty()
            || !tracking.listeners.borrow().is_empty();
        if !wanted {
            if tracking.primaries.leave() {
                tracking.heard.take();
                tracking.table.take();
            }
            return;
        }
        let table = self.topology.table().load_full();
        tracking.primaries.follow(self, &table, &SUBJECT);
        let heard = tracking.primaries.are_live().then(|| table.epoch());
        if tracking.heard.replace(heard) != heard {
            self.follow_topology();
            self.tell_all();
            tracking.primaries.look_again();
        }
    }

    /// A node said that `keys` changed; without any, that all may have.
    fn invalidated<'a>(&self, keys: Option<impl Iterator<Item = &'a [u8]>>) {
        let Some(keys) = keys else { return self.tell_all() };
        let keys: Vec<&[u8]> = keys.collect();
        self.tell_readers(&keys);
        for client in self.tracking.listeners.borrow().values() {
            let matches = |key: &&&[u8]| client.apart.look_at_tracked(|tracked| tracked.matches(key));
            let matching: Vec<&[u8]> = keys.iter().filter(matches).copied().collect();
            client.tell(&matching);
        }
    }

    /// Tells who read `keys`, and forgets that.
    fn tell_readers(&self, keys: &[&[u8]]) {
        let mut told: BTreeMap<u64, Vec<&[u8]>> = BTreeMap::new();
        let mut table = self.tracking.table.borrow_mut();
        for key in keys {
            for id in table.take(key) {
                told.entry(id).or_default().push(key);
            }
        }
        drop(table);
        let readers = self.tracking.readers.borrow();
        for (id, keys) in told {
            if let Some(client) = readers.get(&id) {
                client.tell(&keys);
            }
        }
    }

    /// Tells every client that all keys may have changed.
    fn tell_all(&self) {
        self.tracking.table.take();
        for clients in [&self.tracking.readers, &self.tracking.listeners] {
            clients.borrow().values().for_each(|client| client.tell_of_all());
        }
    }
}

/// Notes the keys of `request`, which `client`, who tracks, has just sent.
pub(super) fn note(client: &Rc<Client>, request: &Request<'_>) {
    let Ok(command) = command::resolve(request) else { return };
    let (worker, queues) = (&client.worker, client.apart.queues());
    // Who does not hear of its own writes may keep what it wrote.
    let keeps = reads(command) || client.is_tracker();
    let read = if keeps { keys_of(client, command, request) } else { Vec::new() };
    let keys = client.apart.change(|affairs| {
        let Some(tracked) = &mut affairs.tracked else { return Vec::new() };
        if tracked.wants() {
            tracked.queued.extend(read);
        }
        // What a transaction reads it reads at its end, and CLIENT CACHING speaks of all of it.
        if queues {
            return Vec::new();
        }
        tracked.caching &= command.name.starts_with("client|");
        std::mem::take(&mut tracked.queued)
    });
    if keys.is_empty() {
        return;
    }
    if !client.hears() {
        let keys: Vec<&[u8]> = keys.iter().map(|key| &key[..]).collect();
        return client.tell_behind(Some(&keys));
    }
    client.note_reads(&keys);
    if client.is_tracker() {
        client.note_own(&keys);
    } else if !client.apart.look_at_tracked(|tracked| matches!(tracked.mode, Mode::Broadcast(_))) {
        let mut table = worker.tracking.table.borrow_mut();
        keys.iter().for_each(|key| table.add(key, client.id));
        let excess = table.excess();
        drop(table);
        let excess: Vec<&[u8]> = excess.iter().map(|key| &key[..]).collect();
        worker.tell_readers(&excess);
    }
}

/// Whether what `command` replies may be kept; a script may read each of its keys.
fn reads(command: &Command) -> bool {
    command.read_only() || ["eval", "evalsha", "fcall"].iter().any(|name| command.name.starts_with(name))
}

fn keys_of(client: &Client, command: &Command, request: &Request<'_>) -> Vec<Key> {
    let mut keys = client.worker.keys.borrow_mut();
    if command.keys(request, &mut keys).is_err() {
        return Vec::new();
    }
    keys.iter().filter_map(|index| request.arg(index)).map(Key::from).collect()
}

impl Client {
    /// Reads of `keys` are under way, the last request in line.
    fn note_reads(&self, keys: &[Key]) {
        let line = self.line().borrow();
        let (number, waiting) = (line.last(), line.waiting());
        self.apart.change(|affairs| {
            if let Some(tracked) = &mut affairs.tracked {
                for key in keys {
                    tracked.reads(Key::clone(key), number, waiting, |number| line.is_answered(number));
                }
            }
        });
    }

    /// Tells it that `keys` changed.
    fn tell(self: &Rc<Self>, keys: &[&[u8]]) {
        if keys.is_empty() {
            return;
        }
        let mut under_way = Vec::new();
        self.change_tracked(|tracked, is_answered| {
            under_way.extend(keys.iter().copied().filter(|key| tracked.ends_read(key, is_answered)));
        });
        self.tell_now(Some(keys));
        if !under_way.is_empty() {
            self.tell_behind(Some(&under_way));
        }
    }

    /// Tells it that all keys may have changed.
    fn tell_of_all(self: &Rc<Self>) {
        let mut under_way = false;
        self.change_tracked(|tracked, is_answered| under_way = tracked.ends_reads(is_answered));
        self.tell_now(None);
        if under_way {
            self.tell_behind(None);
        }
    }

    fn change_tracked(&self, change: impl FnOnce(&mut Tracked, &dyn Fn(u64) -> bool)) {
        let line = self.line().borrow();
        self.apart.change(|affairs| {
            if let Some(tracked) = &mut affairs.tracked {
                change(tracked, &|number| line.is_answered(number));
            }
        });
    }

    fn tell_now(self: &Rc<Self>, keys: Option<&[&[u8]]>) {
        if let Some(target) = self.target() {
            self.tell_target(target, keys);
        } else if self.protocol.get() == Protocol::Resp3 {
            let mut push = Vec::new();
            encode_invalidation(&mut push, keys);
            self.hand(&[], &push);
        }
    }

    /// Tells it behind the replies to all that it has sent.
    fn tell_behind(self: &Rc<Self>, keys: Option<&[&[u8]]>) {
        if let Some(target) = self.target() {
            self.tell_target_behind(target, keys);
        } else if self.protocol.get() == Protocol::Resp3 {
            let mut push = Vec::new();
            encode_invalidation(&mut push, keys);
            if !self.line().borrow_mut().follow_up(&push) {
                self.hand(&[], &push);
            }
        }
    }
}
