//! What a client has apart from the shared way of requests: a transaction that it queues, keys that it watches
//! or hears of, and the errand, a request that a task of its own carries over a dedicated connection.
//!
//! Most clients have none of it, so it costs them two flags and a pointer. Invariant: while an errand runs its
//! client sends nothing else, and nothing else of it is in flight.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
};

use tokio::{sync::oneshot, task::AbortHandle};

use super::{
    client::Client,
    dedicated::Dedicated,
    dispatch::{self, Step},
    profile::Whose,
    tracking::{self, Tracked},
    transaction::{self, Queued},
    watch::Watched,
};
use crate::{
    cluster::NodeAddr,
    command::{self, Handling, Transaction},
    metrics::WorkerMetrics,
    resp::Request,
};

/// A client's own affairs.
#[derive(Default)]
pub(super) struct Apart {
    /// Whether requests are to be looked at more closely: all that an ordinary request looks at.
    on: Cell<bool>,
    /// Whether requests of all clients may have to wait.
    paused: Cell<bool>,
    /// Whether it was lent connections for transactions.
    transacts: Cell<bool>,
    affairs: RefCell<Option<Box<Affairs>>>,
}

#[derive(Default)]
pub(super) struct Affairs {
    pub(super) queued: Option<Queued>,
    pub(super) watched: Option<Watched>,
    pub(super) tracked: Option<Tracked>,
    errand: Option<AbortHandle>,
    /// Whether the errand may wait for something to happen.
    blocks: bool,
    /// Where the errand waits.
    waits_at: Vec<Place>,
    /// Lets an errand go on that waits at no node; with an error or as after its time.
    release: Option<oneshot::Sender<bool>>,
}

impl Affairs {
    fn concern_requests(&self) -> bool {
        self.queued.is_some() || self.errand.is_some() || self.tracked.is_some()
    }
}

/// Where an errand waits.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) addr: NodeAddr,
    /// By which number the node knows the connection.
    pub(super) number: i64,
    /// To be set before the node is asked to let it go.
    pub(super) recalled: Rc<Cell<bool>>,
}

impl Apart {
    /// Whether requests are to be looked at more closely.
    #[inline]
    pub(super) fn is_on(&self) -> bool {
        self.on.get()
    }

    /// Whether a request of the client is under way over a connection of its own.
    pub(super) fn on_errand(&self) -> bool {
        self.look(|affairs| affairs.errand.is_some())
    }

    /// Whether such a request may wait for something to happen, which is in vain if the client is gone.
    pub(super) fn blocks(&self) -> bool {
        self.on.get() && self.look(|affairs| affairs.errand.is_some() && affairs.blocks)
    }

    /// Whether there is nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.affairs.borrow().is_none()
    }

    /// Whether the client queues a transaction.
    pub(super) fn queues(&self) -> bool {
        self.look(|affairs| affairs.queued.is_some())
    }

    /// What `look` sees in its tracking, or the default while that is off.
    pub(super) fn look_at_tracked<T: Default>(&self, look: impl FnOnce(&Tracked) -> T) -> T {
        self.look(|affairs| affairs.tracked.as_ref().map(look).unwrap_or_default())
    }

    /// What `look` sees, or the default if there is nothing to see.
    pub(super) fn look<T: Default>(&self, look: impl FnOnce(&Affairs) -> T) -> T {
        self.affairs.borrow().as_deref().map(look).unwrap_or_default()
    }

    /// Lets `change` change what there is.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Affairs) -> T) -> T {
        let mut affairs = self.affairs.borrow_mut();
        let changed = affairs.get_or_insert_default();
        let result = change(changed);
        if !changed.concern_requests() && changed.watched.is_none() {
            *affairs = None;
        }
        drop(affairs);
        self.look_again();
        result
    }

    /// Requests of all clients may have to wait from now on, or no longer.
    pub(super) fn pause(&self, paused: bool) {
        self.paused.set(paused);
        self.look_again();
    }

    /// It was lent connections for transactions, or gave them back.
    pub(super) fn transact(&self, transacts: bool) {
        self.transacts.set(transacts);
        self.look_again();
    }

    fn look_again(&self) {
        let concerned = self.look(Affairs::concern_requests);
        self.on.set(concerned || self.paused.get() || self.transacts.get());
    }

    /// Ends everything: the client is gone. What a node does for it ends with the connection.
    pub(super) fn clear(&self) {
        let affairs = self.affairs.take();
        self.on.set(false);
        if let Some(errand) = affairs.and_then(|affairs| affairs.errand) {
            errand.abort();
        }
    }

    /// Where the errand waits.
    pub(super) fn waits_at(&self) -> Vec<Place> {
        self.look(|affairs| affairs.waits_at.clone())
    }

    /// The errand waits at the other end of `connection` from now on.
    pub(super) fn arrive(&self, connection: &Dedicated) {
        if let Some(number) = connection.id {
            let (addr, recalled) = (connection.addr.clone(), Rc::clone(&connection.recalled));
            self.change(|affairs| affairs.waits_at.push(Place { addr, number, recalled }));
        }
    }

    /// The errand waits here, until it is told with this to go on.
    pub(super) fn wait_for_release(&self) -> oneshot::Receiver<bool> {
        let (sender, receiver) = oneshot::channel();
        self.change(|affairs| affairs.release = Some(sender));
        receiver
    }

    /// Lets an errand go on that waits here. Returns whether there is one.
    pub(super) fn release(&self, with_error: bool) -> bool {
        let release = self.change(|affairs| affairs.release.take());
        release.is_some_and(|release| release.send(with_error).is_ok())
    }

    /// The errand waits nowhere.
    pub(super) fn depart(&self) {
        self.change(|affairs| affairs.waits_at.clear());
    }
}

/// Decides on `request` of a client that has something apart.
#[cold]
pub(super) fn dispatch(client: &Rc<Client>, request: Request<'_>) -> Step {
    client.give_back();
    if is_paused(client, &request) {
        client.leave_line();
        return Step::Hold;
    }
    if client.apart.on_errand() || is_behind_transactions(client, &request) {
        return Step::Hold;
    }
    let step = match client.apart.queues() {
        true => transaction::dispatch(client, request),
        false => dispatch::plainly(client, request),
    };
    if !matches!(step, Step::Hold) && client.apart.look(|affairs| affairs.tracked.is_some()) {
        tracking::note(client, &request);
    }
    step
}

fn is_paused(client: &Client, request: &Request<'_>) -> bool {
    let Some(pause) = client.worker.paused() else { return false };
    command::resolve(request).is_ok_and(|command| pause.holds(client, command))
}

/// Whether `request` must wait for the transactions of its client that are under way: it takes another way.
fn is_behind_transactions(client: &Client, request: &Request<'_>) -> bool {
    let begins_another = || {
        let command = command::resolve(request);
        command.is_ok_and(|command| command.handling == Handling::Transaction(Transaction::Multi))
    };
    matches!(client.uses.get(), Whose::Lent(_)) && !client.apart.queues() && !begins_another()
}

/// Counts a client whose request waits for something to happen.
struct Blocked(Arc<WorkerMetrics>);

impl Blocked {
    fn new(client: &Client) -> Self {
        let metrics = Arc::clone(&client.worker.metrics);
        metrics.blocked.add(1);
        Self(metrics)
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        self.0.blocked.sub(1);
    }
}

/// Lets a task carry a request of `client`, which sends nothing more until `errand` is done. What it returns
/// is called last: it answers the request. `blocks` tells whether it may wait for something to happen.
pub(super) fn send<A: FnOnce() + 'static>(
    client: &Rc<Client>,
    blocks: bool,
    errand: impl Future<Output = A> + 'static,
) {
    let weak = Rc::downgrade(client);
    let blocked = blocks.then(|| Blocked::new(client));
    let task = tokio::task::spawn_local(async move {
        let answer = errand.await;
        drop(blocked);
        if let Some(client) = weak.upgrade() {
            client.apart.change(|affairs| {
                affairs.errand = None;
                affairs.waits_at.clear();
                affairs.release = None;
            });
            client.note_written();
        }
        answer();
    });
    client.apart.change(|affairs| {
        affairs.errand = Some(task.abort_handle());
        affairs.blocks = blocks;
    });
}
