//! Who waits for keys of many slots, and is told when one of them changes.
//!
//! A node tells a connection once that a key has changed which was read over it (CLIENT TRACKING). So for each
//! key that anybody waits for its node is asked whether it exists, over one connection to each node for all
//! clients of the worker; who is told looks for itself what there is. Of those that take something away the one
//! of each database that has waited longest is woken, and when it is done the next: nodes do not tell in which
//! database a key has changed. Knows no command and takes nothing.
//!
//! Invariant: of each key that is waited for, the next change is heard of, or somebody who waits for it has
//! been woken since the last and not rested, or was told that it is not heard.

mod link;

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeSet, HashMap},
    rc::Rc,
};

use tokio::sync::Notify;

use self::link::Lookout;
use super::{Worker, client::Client};
use crate::cluster::{NodeAddr, Slot};

/// A key that somebody waits for.
type Key = Rc<[u8]>;

/// What the clients of one worker wait for.
#[derive(Default)]
pub(super) struct Lookouts {
    keys: RefCell<HashMap<Key, Wanted>>,
    links: RefCell<HashMap<NodeAddr, Rc<Lookout>>>,
    /// Goes up with each key that is heard of from now on.
    turn: Cell<u64>,
}

/// One key.
#[derive(Default)]
struct Wanted {
    /// Who waits for it, longest first.
    by: Vec<Rc<Sleeper>>,
    /// Where its next change is heard of, and since which turn.
    heard: Option<(NodeAddr, u64)>,
}

/// One that waits.
struct Sleeper {
    /// Whether it takes away what it waits for.
    takes: bool,
    database: u16,
    woken: Notify,
}

impl Wanted {
    /// It changed, or is not heard of any more.
    fn wake(&mut self) {
        self.heard = None;
        self.by.iter().filter(|sleeper| !sleeper.takes).for_each(|sleeper| sleeper.woken.notify_one());
        self.wake_next();
    }

    /// Wakes the one of each database that has waited longest of those that take something.
    fn wake_next(&self) {
        let mut seen = Vec::new();
        for sleeper in self.by.iter().filter(|sleeper| sleeper.takes) {
            if !seen.contains(&sleeper.database) {
                seen.push(sleeper.database);
                sleeper.woken.notify_one();
            }
        }
    }
}

/// What of its keys is heard by one that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// All that happened since it looked.
    All,
    /// All that happens from now on: it must look once more.
    FromNow,
    /// Not all: it must look from time to time.
    Deaf,
}

/// The wait of one client for any of some keys; ends when dropped.
pub(super) struct Wait {
    worker: Rc<Worker>,
    keys: BTreeSet<Key>,
    sleeper: Rc<Sleeper>,
    /// The turn at which it last looked.
    looked: Cell<u64>,
}

impl Wait {
    /// Has `client` wait for `keys` from now on, behind all that do already. `takes` tells whether it will take
    /// something away.
    pub(super) fn new<'a>(client: &Client, keys: impl Iterator<Item = &'a [u8]>, takes: bool) -> Self {
        let (worker, database) = (&client.worker, client.database.get());
        let keys: BTreeSet<Key> = keys.map(Key::from).collect();
        let sleeper = Rc::new(Sleeper { takes, database, woken: Notify::new() });
        let mut wanted = worker.lookouts.keys.borrow_mut();
        for key in &keys {
            wanted.entry(Rc::clone(key)).or_default().by.push(Rc::clone(&sleeper));
        }
        drop(wanted);
        Self { worker: Rc::clone(worker), keys, sleeper, looked: Cell::new(0) }
    }

    /// It looks what there is: what is heard of from later on is not enough.
    pub(super) fn look(&self) {
        self.looked.set(self.worker.lookouts.turn.get());
    }

    /// Has the keys' nodes tell of the next change of each, where they do not yet.
    pub(super) async fn listen(&self) -> Heard {
        let (mut answers, mut worst) = (Vec::new(), Heard::All);
        for key in &self.keys {
            let owner = self.worker.owner_addr(Slot::of(key));
            match owner.map(|addr| (self.worker.lookouts.heard_since(key, &addr), addr)) {
                Some((Some(turn), _)) if turn <= self.looked.get() => {}
                Some((Some(_), _)) => worst = Heard::FromNow,
                Some((None, addr)) => answers.push(self.worker.lookout(addr).ask(key)),
                None => return Heard::Deaf,
            }
        }
        for answer in answers {
            match answer.await {
                Ok(()) => worst = Heard::FromNow,
                Err(_) => return Heard::Deaf,
            }
        }
        worst
    }

    /// Rests until it is woken.
    pub(super) async fn woken(&self) {
        self.sleeper.woken.notified().await;
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let mut wanted = self.worker.lookouts.keys.borrow_mut();
        for key in &self.keys {
            let Some(one) = wanted.get_mut(key) else { continue };
            one.by.retain(|sleeper| !Rc::ptr_eq(sleeper, &self.sleeper));
            if one.by.is_empty() {
                wanted.remove(key);
            } else if one.heard.is_none() {
                // It may have been the one that was woken.
                one.wake_next();
            }
        }
    }
}

impl Lookouts {
    /// Since which turn the next change of `key` is heard of from `addr`.
    fn heard_since(&self, key: &Key, addr: &NodeAddr) -> Option<u64> {
        let keys = self.keys.borrow();
        let (from, turn) = keys.get(key)?.heard.as_ref()?;
        (from == addr).then_some(*turn)
    }

    /// The next change of `key` is heard of from `addr`, from now on.
    fn heard(&self, key: &Key, addr: &NodeAddr) {
        if let Some(wanted) = self.keys.borrow_mut().get_mut(key) {
            self.turn.update(|turn| turn + 1);
            wanted.heard = Some((addr.clone(), self.turn.get()));
        }
    }

    /// The node at `addr` said that `keys` have changed.
    fn changed<'a>(&self, addr: &NodeAddr, keys: Option<impl Iterator<Item = &'a [u8]>>) {
        let Some(keys) = keys else { return self.lost(addr) };
        let mut wanted = self.keys.borrow_mut();
        for key in keys {
            if let Some(one) = wanted.get_mut(key) {
                one.wake();
            }
        }
    }

    /// Any key of the node at `addr` may have changed.
    fn lost(&self, addr: &NodeAddr) {
        for one in self.keys.borrow_mut().values_mut() {
            if one.heard.as_ref().is_some_and(|(from, _)| from == addr) {
                one.wake();
            }
        }
    }

    /// Whether nobody waits.
    fn is_idle(&self) -> bool {
        self.keys.borrow().is_empty()
    }
}

impl Worker {
    fn lookout(self: &Rc<Self>, addr: NodeAddr) -> Rc<Lookout> {
        let mut links = self.lookouts.links.borrow_mut();
        let link = links.entry(addr).or_insert_with_key(|addr| Lookout::spawn(self, addr.clone()));
        Rc::clone(link)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper(wanted: &mut Wanted, takes: bool, database: u16) -> Rc<Sleeper> {
        let sleeper = Rc::new(Sleeper { takes, database, woken: Notify::new() });
        wanted.by.push(Rc::clone(&sleeper));
        sleeper
    }

    /// Whether it was woken since this was last asked.
    async fn is_woken(sleeper: &Sleeper) -> bool {
        let mut woken = std::pin::pin!(sleeper.woken.notified());
        std::future::poll_fn(|cx| std::task::Poll::Ready(woken.as_mut().poll(cx).is_ready())).await
    }

    #[tokio::test]
    async fn a_change_wakes_all_who_read_and_the_first_who_takes() {
        let mut wanted = Wanted::default();
        let [first, second] = [true, true].map(|takes| sleeper(&mut wanted, takes, 0));
        let [reader, other] = [false, false].map(|takes| sleeper(&mut wanted, takes, 0));
        wanted.wake();
        assert!(is_woken(&first).await && !is_woken(&second).await);
        assert!(is_woken(&reader).await && is_woken(&other).await);
        wanted.by.remove(0);
        wanted.wake_next();
        assert!(is_woken(&second).await && !is_woken(&first).await && !is_woken(&reader).await);
    }

    #[tokio::test]
    async fn a_change_wakes_the_first_who_takes_of_each_database() {
        let mut wanted = Wanted::default();
        let [first, second, other] = [0, 0, 3].map(|database| sleeper(&mut wanted, true, database));
        wanted.wake();
        assert!(is_woken(&first).await && !is_woken(&second).await && is_woken(&other).await);
    }

    #[test]
    fn what_is_heard_is_that_of_one_node_and_only_once() {
        let (lookouts, key) = (Lookouts::default(), Key::from(&b"k"[..]));
        let [here, there] = [1, 2].map(|port| NodeAddr::new("h", port));
        lookouts.heard(&key, &here);
        assert_eq!(lookouts.heard_since(&key, &here), None, "nobody waits");
        lookouts.keys.borrow_mut().entry(Rc::clone(&key)).or_default();
        lookouts.heard(&key, &here);
        assert_eq!((lookouts.heard_since(&key, &here), lookouts.heard_since(&key, &there)), (Some(1), None));
        lookouts.lost(&there);
        assert_eq!(lookouts.heard_since(&key, &here), Some(1));
        lookouts.changed(&here, Some([&b"other"[..], b"k"].into_iter()));
        assert_eq!(lookouts.heard_since(&key, &here), None);
        lookouts.heard(&key, &here);
        lookouts.changed(&here, None::<std::iter::Empty<&[u8]>>);
        assert_eq!(lookouts.heard_since(&key, &here), None);
    }
}
