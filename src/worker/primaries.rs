//! A connection of one worker to each primary, over which these tell of what happens there.
//!
//! Knows no client, and not what is told. Invariant: a connection is live only while its node has confirmed that
//! it tells, and there is one for each primary of the slot table as long as somebody wants it.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
    time::Duration,
};

use tokio::{
    sync::Notify,
    task::{AbortHandle, yield_now},
    time::{sleep, timeout},
};

use super::{Worker, backoff::Backoff, ear::Ear};
use crate::{
    cluster::{NodeAddr, Role, SlotTable},
    topology::Signal,
};

/// Reads of one connection before the worker's others get their turn.
const READS_PER_TURN: u32 = 8;

/// What primaries are asked to tell.
pub(super) struct Subject {
    /// The request that asks for it.
    pub(super) request: &'static [&'static str],
    /// Takes what was told; nothing if the connection is to be given up.
    pub(super) take: fn(&Rc<Worker>, &mut Ear) -> Option<()>,
    /// A connection has become live, or has failed.
    pub(super) changed: fn(&Rc<Worker>),
}

/// The connections.
#[derive(Default)]
pub(super) struct Primaries {
    links: RefCell<HashMap<NodeAddr, Link>>,
    /// Those who wait for them look again.
    changed: Notify,
    /// How many these are.
    waiting: Cell<usize>,
}

/// One connection and its task, which ends with it.
struct Link {
    state: Rc<Cell<State>>,
    task: AbortHandle,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It is being made for the first time.
    New,
    /// What happens at the node is told.
    Live,
    /// It was lost or could not be made, and is made again.
    Failing,
}

/// Counts one who waits.
struct Waiting<'a>(&'a Cell<usize>);

impl<'a> Waiting<'a> {
    fn new(count: &'a Cell<usize>) -> Self {
        count.update(|waiting| waiting + 1);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.update(|waiting| waiting - 1);
    }
}

impl Primaries {
    /// Has a connection to each primary of `table`, and to no other node.
    pub(super) fn follow(&self, worker: &Rc<Worker>, table: &SlotTable, subject: &'static Subject) {
        let primaries =
            || table.nodes().iter().filter(|node| node.role == Role::Primary).map(|node| &node.addr);
        let mut links = self.links.borrow_mut();
        links.retain(|addr, _| primaries().any(|primary| primary == addr));
        for addr in primaries() {
            links.entry(addr.clone()).or_insert_with(|| Link::spawn(worker, addr.clone(), subject));
        }
    }

    /// Lets go of all. False if there was none.
    pub(super) fn leave(&self) -> bool {
        !std::mem::take(&mut *self.links.borrow_mut()).is_empty()
    }

    /// Waits until `done`, not for longer than `limit`; the connections are wanted meanwhile, so `tend` sees to it
    /// that they are made.
    pub(super) async fn wait(&self, limit: Duration, tend: impl FnOnce(), done: impl Fn() -> bool) {
        let _waiting = Waiting::new(&self.waiting);
        tend();
        let change = async {
            while !done() {
                self.changed.notified().await;
            }
        };
        // Whoever waits looks what there is.
        let _ = timeout(limit, change).await;
    }

    /// Those who wait look again.
    pub(super) fn look_again(&self) {
        self.changed.notify_waiters();
    }

    /// Whether somebody waits for them.
    pub(super) fn are_awaited(&self) -> bool {
        self.waiting.get() > 0
    }

    /// Whether every one is live.
    pub(super) fn are_live(&self) -> bool {
        self.is_any_live() && self.links.borrow().values().all(|link| link.state.get() == State::Live)
    }

    /// Whether any is live, and no other was not tried yet.
    pub(super) fn are_tried(&self) -> bool {
        self.is_any_live() && self.links.borrow().values().all(|link| link.state.get() != State::New)
    }

    /// Whether any is live.
    pub(super) fn is_any_live(&self) -> bool {
        self.links.borrow().values().any(|link| link.state.get() == State::Live)
    }
}

impl Link {
    /// The connection to `addr`, which its task makes at once.
    fn spawn(worker: &Rc<Worker>, addr: NodeAddr, subject: &'static Subject) -> Self {
        let state = Rc::new(Cell::new(State::New));
        let task = tokio::task::spawn_local(run(Rc::clone(worker), addr, subject, Rc::clone(&state)));
        Self { state, task: task.abort_handle() }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(worker: Rc<Worker>, addr: NodeAddr, subject: &'static Subject, state: Rc<Cell<State>>) {
    let mut backoff = Backoff::default();
    loop {
        if let Some(ear) = Ear::open(&worker, &addr, subject.request).await {
            backoff = Backoff::default();
            state.set(State::Live);
            (subject.changed)(&worker);
            hear(ear, &worker, subject).await;
            tracing::warn!(node = %addr, subject = subject.request.join(" "), "node tells no more");
            worker.topology.signal(Signal::Lost);
        }
        state.set(State::Failing);
        (subject.changed)(&worker);
        sleep(backoff.next()).await;
    }
}

/// Takes what is told until the connection is lost.
async fn hear(mut ear: Ear, worker: &Rc<Worker>, subject: &Subject) -> Option<()> {
    loop {
        for _ in 0..READS_PER_TURN {
            // What came with the confirmation is taken first.
            (subject.take)(worker, &mut ear)?;
            ear.hear(worker).await?;
        }
        yield_now().await;
    }
}
