//! Which backend serves which slot: the worker's view of the slot table, followed once per read.

use std::{rc::Rc, sync::Arc};

use arc_swap::{ArcSwap, Cache};

use super::{Worker, backend::Backend, client::Client, profile::Profile};
use crate::{
    cluster::{NodeAddr, NodeIndex, Role, Slot, SlotTable},
    config::ReadFrom,
    routing::Readers,
    topology::Topology,
};

/// A slot counts as unsettled for so long after a node could not run what was asked for it, in nanoseconds.
const UNSETTLED_FOR: u64 = 1_000_000_000;
/// Other slots are expected to move too for so long after that, in nanoseconds.
const RESHARDING_FOR: u64 = 60_000_000_000;

/// Until when a slot counts as unsettled, and as moving, in nanoseconds of the worker's clock.
#[derive(Default)]
pub(super) struct Unsettled {
    until: u64,
    moving_until: u64,
}

/// The table in use and the backends of its nodes.
pub(super) struct Routes {
    cache: Cache<Arc<ArcSwap<SlotTable>>, Arc<SlotTable>>,
    table: Arc<SlotTable>,
    /// Per protocol version, shared and for database 0, at each node's index in `table`; none before it is first needed.
    backends: [Vec<Option<Rc<Backend>>>; 2],
    /// Who answers reads, at the place of each primary in `table`; empty while only primaries do.
    readers: Vec<Readers>,
    read_from: ReadFrom,
    /// Which primary the next request without key goes to.
    next: usize,
}

impl Routes {
    pub(super) fn new(topology: &Topology, read_from: ReadFrom) -> Self {
        let mut cache = Cache::new(Arc::clone(topology.table()));
        let table = Arc::clone(cache.load());
        let backends = none_needed_yet(&table);
        let readers = Readers::of_all(&table, read_from);
        Self { cache, table, backends, readers, read_from, next: 0 }
    }

    /// Takes over the current table. True if it is another.
    #[inline]
    fn follow(&mut self) -> bool {
        let current = self.cache.load();
        if Arc::ptr_eq(current, &self.table) {
            return false;
        }
        self.table = Arc::clone(current);
        self.backends = none_needed_yet(&self.table);
        self.readers = Readers::of_all(&self.table, self.read_from);
        true
    }
}

/// A place for each node of `table`: the first table may be there before the worker is.
fn none_needed_yet(table: &SlotTable) -> [Vec<Option<Rc<Backend>>>; 2] {
    let nodes = table.nodes().len();
    [vec![None; nodes], vec![None; nodes]]
}

impl Worker {
    /// Looks whether there is a new slot table, and uses it from now on.
    #[inline]
    pub(super) fn follow_topology(&self) {
        self.routes.borrow_mut().follow();
    }

    /// The epoch of the table in use.
    #[inline]
    pub(super) fn epoch(&self) -> u64 {
        self.routes.borrow().table.epoch()
    }

    /// Whether any node of the cluster is known.
    pub(super) fn knows_cluster(&self) -> bool {
        !self.routes.borrow().table.nodes().is_empty()
    }

    /// Whether the node at `addr` is of the table in use.
    pub(super) fn knows(&self, addr: &NodeAddr) -> bool {
        self.routes.borrow().table.find(addr).is_some()
    }

    /// Whether the node at `addr` is a replica by the table in use.
    pub(super) fn knows_replica(&self, addr: &NodeAddr) -> bool {
        let table = &self.routes.borrow().table;
        table.find(addr).is_some_and(|place| table.node(place).role != Role::Primary)
    }

    /// The lowest slot of each primary that owns any, lowest first.
    pub(super) fn shards(&self) -> Vec<Slot> {
        self.routes.borrow().table.shards()
    }

    /// Whether `slot` is the lowest of its owner.
    pub(super) fn is_shard(&self, slot: Slot) -> bool {
        self.shards().contains(&slot)
    }

    /// Where the owner of `slot` is, if it has one.
    pub(super) fn owner_addr(&self, slot: Slot) -> Option<NodeAddr> {
        let table = &self.routes.borrow().table;
        Some(table.node(table.owner(slot)?).addr.clone())
    }

    /// The connection to the owner of `slot`, if it has one.
    #[inline]
    pub(super) fn owner(self: &Rc<Self>, slot: Slot, profile: Profile) -> Option<Rc<Backend>> {
        let mut routes = self.routes.borrow_mut();
        let Routes { table, backends, .. } = &mut *routes;
        let node = table.owner(slot)?;
        Some(self.connection(table, backends, node, profile))
    }

    /// The connection to the first node that answers reads of `slot`, in the order of the client numbered `id`.
    pub(super) fn fit_reader(self: &Rc<Self>, slot: Slot, id: u64, profile: Profile) -> Option<Rc<Backend>> {
        let mut routes = self.routes.borrow_mut();
        let Routes { table, backends, readers, .. } = &mut *routes;
        let owner = table.owner(slot)?;
        readers.get(owner.index())?.in_turn(id).find_map(|node| {
            let profile = Profile { replica: node != owner, ..profile };
            let backend = self.connection(table, backends, node, profile);
            backend.is_fit().then_some(backend)
        })
    }

    /// The connection to `node` of `table`, remembered in `backends` if it is plain.
    #[inline]
    fn connection(
        self: &Rc<Self>,
        table: &SlotTable,
        backends: &mut [Vec<Option<Rc<Backend>>>; 2],
        node: NodeIndex,
        profile: Profile,
    ) -> Rc<Backend> {
        let addr = &table.node(node).addr;
        if !profile.is_plain() {
            return self.backend(addr, profile);
        }
        // A replica is only ever reached by the profile for replicas, a primary by the other.
        let place = &mut backends[profile.protocol as usize][node.index()];
        Rc::clone(place.get_or_insert_with(|| self.backend(addr, profile)))
    }

    /// The connection to some primary, each in turn.
    pub(super) fn any_primary(self: &Rc<Self>, profile: Profile) -> Option<Rc<Backend>> {
        let mut routes = self.routes.borrow_mut();
        routes.next = routes.next.wrapping_add(1);
        let primaries = || routes.table.nodes().iter().filter(|node| node.role == Role::Primary);
        let count = primaries().count();
        let addr = primaries().nth(routes.next.checked_rem(count)?)?.addr.clone();
        drop(routes);
        Some(self.backend(&addr, profile))
    }

    /// The connection to the node at `addr`, known or not.
    pub(super) fn backend(self: &Rc<Self>, addr: &NodeAddr, profile: Profile) -> Rc<Backend> {
        let mut backends = self.backends.borrow_mut();
        let backend = backends
            .entry((addr.clone(), profile))
            .or_insert_with(|| Backend::spawn(self, addr.clone(), profile));
        Rc::clone(backend)
    }

    /// Notes that a node could not run what was asked for `slot`; `moving` tells whether because some of its keys are
    /// here, some there.
    pub(super) fn unsettle_slot(&self, slot: Slot, moving: bool) {
        let until = self.now() + UNSETTLED_FOR;
        let mut unsettled = self.unsettled.borrow_mut();
        let times = unsettled.entry(slot).or_default();
        times.until = until;
        self.any_unsettled.set(true);
        if moving {
            times.moving_until = until;
            self.resharding_until.set(self.now() + RESHARDING_FOR);
        }
    }

    /// Has `client` send nothing behind a request of many keys while slots move: the node may have some of the
    /// keys only, and then what is behind it would run first.
    #[inline]
    pub(super) fn mind_many_keys(&self, client: &Client) {
        if self.now() < self.resharding_until.get() {
            client.unsettle();
        }
    }

    /// Whether `slot` was moving just now.
    pub(super) fn is_moving(&self, slot: Slot) -> bool {
        let now = self.now();
        self.any_unsettled.get()
            && self.unsettled.borrow().get(&slot).is_some_and(|times| times.moving_until > now)
    }

    /// Whether a node could not run what was asked for `slot` just now.
    #[inline]
    pub(super) fn is_unsettled(&self, slot: Slot) -> bool {
        self.any_unsettled.get() && self.unsettled.borrow().contains_key(&slot)
    }

    /// Forgets slots that have stopped moving.
    pub(super) fn settle_slots(&self) {
        let now = self.now();
        let mut unsettled = self.unsettled.borrow_mut();
        unsettled.retain(|_, times| times.until > now);
        self.any_unsettled.set(!unsettled.is_empty());
    }
}
