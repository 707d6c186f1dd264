//! The slot table: which node owns which slot. Dense, immutable once built, swapped whole.
//!
//! Slots lie in blocks. Most have one owner, and the list of those is so short that it stays in the processor's cache,
//! which the whole table does not.

use std::{array, sync::Arc};

use super::{NodeAddr, SLOTS, Slot};

/// A node's place in [`SlotTable::nodes`]; means nothing outside its own table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeIndex(u16);

impl NodeIndex {
    /// As an index into [`SlotTable::nodes`].
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// What a node is to its slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Owns slots and takes writes.
    Primary,
    /// Copies the primary at this place in the table.
    Replica(NodeIndex),
}

/// What is known of a node that matters to reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reads {
    /// It is in slotway's own availability zone.
    Near,
    /// It is elsewhere, or nobody says where.
    #[default]
    Far,
    /// It is a replica that is too far behind.
    Stale,
}

/// One node of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Where it answers.
    pub addr: NodeAddr,
    /// What it is to its slots.
    pub role: Role,
    /// What is known of it that matters to reads.
    pub reads: Reads,
}

/// Marks a slot without an owner.
const NOBODY: u16 = u16::MAX;
/// Marks a block whose slots have different owners.
const SEVERAL: u16 = u16::MAX - 1;
/// Slots of a block.
const BLOCK: usize = 64;

/// Owners of all slots at one moment.
///
/// Invariants: each owner is `NOBODY` or an index into `nodes`; each of `blocks` is the owner of all its slots, or
/// `SEVERAL`.
#[derive(Clone, Debug)]
pub struct SlotTable {
    epoch: u64,
    blocks: [u16; SLOTS / BLOCK],
    owners: Box<[u16; SLOTS]>,
    nodes: Arc<[Node]>,
}

impl SlotTable {
    /// The table before anything was learned: no nodes, no owners, epoch 0.
    pub fn empty() -> Self {
        TableBuilder::default().build(0)
    }

    /// Grows by one with each stored table whose owners differ from the last: a worker compares
    /// it to see that owners changed.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The primary that owns `slot`, if any does.
    #[inline]
    pub fn owner(&self, slot: Slot) -> Option<NodeIndex> {
        let owner = match self.blocks[slot.index() / BLOCK] {
            SEVERAL => self.owners[slot.index()],
            owner => owner,
        };
        (owner != NOBODY).then_some(NodeIndex(owner))
    }

    /// All nodes, primaries and replicas.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node at `index`, which must be of this table.
    pub fn node(&self, index: NodeIndex) -> &Node {
        &self.nodes[index.index()]
    }

    /// The places of all nodes, in the order of [`Self::nodes`].
    pub fn places(&self) -> impl Iterator<Item = NodeIndex> {
        (0..NOBODY).map(NodeIndex).take(self.nodes.len())
    }

    /// The place of the node at `addr`.
    pub fn find(&self, addr: &NodeAddr) -> Option<NodeIndex> {
        let place = self.nodes.iter().position(|n| n.addr == *addr)?;
        u16::try_from(place).ok().map(NodeIndex)
    }

    /// How many slots have no owner.
    pub fn unassigned(&self) -> usize {
        self.owners.iter().filter(|&&o| o == NOBODY).count()
    }

    /// How many replicas are too far behind to be read.
    pub fn stale(&self) -> usize {
        self.nodes.iter().filter(|node| node.reads == Reads::Stale).count()
    }

    /// The lowest slot of each node that owns any, lowest first: the shards, in an order that outlives
    /// failovers.
    pub fn shards(&self) -> Vec<Slot> {
        let mut known = vec![false; self.nodes.len()];
        let mut is_new = |owner: u16| match known.get_mut(usize::from(owner)) {
            Some(known) => !std::mem::replace(known, true),
            None => false,
        };
        (0..)
            .zip(&self.owners[..])
            .filter(|&(_, &owner)| is_new(owner))
            .filter_map(|(n, _)| Slot::new(n))
            .collect()
    }

    /// A copy in which `slot` belongs to the node at `addr`, known before or not.
    pub fn with_moved(&self, slot: Slot, addr: &NodeAddr) -> Self {
        let mut changed = TableBuilder { owners: self.owners.clone(), nodes: self.nodes.to_vec() };
        changed.own(slot, slot, addr);
        changed.build(self.epoch + 1)
    }

    /// A copy in which nodes are as `judge` says, if that is not what they are. Owners, and so the epoch, stay.
    pub fn with_reads(&self, judge: impl Fn(&NodeAddr) -> Reads) -> Option<Self> {
        let mut changed = TableBuilder { owners: self.owners.clone(), nodes: self.nodes.to_vec() };
        changed.judge(judge);
        let changed = changed.build(self.epoch);
        (!changed.same_as(self)).then_some(changed)
    }

    /// Whether both say the same of nodes and owners, whatever their epochs.
    pub fn same_as(&self, other: &Self) -> bool {
        self.nodes == other.nodes && self.owners == other.owners
    }
}

/// Collects what a reply to CLUSTER SLOTS says into a [`SlotTable`].
#[derive(Debug)]
pub struct TableBuilder {
    owners: Box<[u16; SLOTS]>,
    nodes: Vec<Node>,
}

impl Default for TableBuilder {
    fn default() -> Self {
        Self { owners: Box::new([NOBODY; SLOTS]), nodes: Vec::new() }
    }
}

impl TableBuilder {
    /// Gives the slots `first..=last` to the primary at `addr`; returns its place, or nothing where
    /// the table is full (65,534 nodes: more than a cluster has slots).
    pub fn own(&mut self, first: Slot, last: Slot, addr: &NodeAddr) -> Option<NodeIndex> {
        let place = self.place(addr, Role::Primary)?;
        self.nodes[place.index()].role = Role::Primary;
        if first <= last {
            self.owners[first.index()..=last.index()].fill(place.0);
        }
        Some(place)
    }

    /// Notes the replica at `addr` of `primary`.
    pub fn replicate(&mut self, addr: &NodeAddr, primary: NodeIndex) {
        self.place(addr, Role::Replica(primary));
    }

    /// Takes from `judge` what is known of the nodes that matters to reads.
    pub fn judge(&mut self, judge: impl Fn(&NodeAddr) -> Reads) {
        for node in &mut self.nodes {
            node.reads = judge(&node.addr);
        }
    }

    /// How many slots have an owner so far.
    pub fn owned(&self) -> usize {
        self.owners.iter().filter(|&&o| o != NOBODY).count()
    }

    /// The finished table, numbered `epoch`.
    pub fn build(self, epoch: u64) -> SlotTable {
        let blocks = array::from_fn(|block| {
            let slots = &self.owners[block * BLOCK..][..BLOCK];
            if slots.iter().all(|owner| *owner == slots[0]) { slots[0] } else { SEVERAL }
        });
        SlotTable { epoch, blocks, owners: self.owners, nodes: self.nodes.into() }
    }

    fn place(&mut self, addr: &NodeAddr, role: Role) -> Option<NodeIndex> {
        let known = self.nodes.iter().position(|n| n.addr == *addr);
        let place = u16::try_from(known.unwrap_or(self.nodes.len())).ok().filter(|&p| p < SEVERAL)?;
        if known.is_none() {
            self.nodes.push(Node { addr: addr.clone(), role, reads: Reads::default() });
        }
        Some(NodeIndex(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(n: u64) -> Slot {
        Slot::new(n).unwrap()
    }

    fn addr(port: u16) -> NodeAddr {
        NodeAddr::new("127.0.0.1", port)
    }

    #[test]
    fn slots_without_owner_are_counted() {
        let mut builder = TableBuilder::default();
        let primary = builder.own(slot(0), slot(99), &addr(1)).unwrap();
        builder.replicate(&addr(2), primary);
        let table = builder.build(7);
        assert_eq!(table.unassigned(), SLOTS - 100);
        assert_eq!(table.owner(slot(99)), Some(primary));
        assert_eq!(table.owner(slot(100)), None);
        assert_eq!(table.nodes()[1].role, Role::Replica(primary));
    }

    #[test]
    fn a_slot_is_its_owner_s_whoever_owns_the_rest_of_its_block() {
        let mut builder = TableBuilder::default();
        let expected = |n: u64| match n {
            // A border inside a block, one slot in a block, whole blocks, one between blocks.
            0..=9 | 256..=300 => Some(addr(1)),
            10..=63 => Some(addr(2)),
            70 => Some(addr(3)),
            128..=255 => Some(addr(4)),
            _ => None,
        };
        for n in 0..SLOTS as u64 {
            if let Some(owner) = expected(n) {
                builder.own(slot(n), slot(n), &owner);
            }
        }
        let table = builder.build(1);
        for n in 0..SLOTS as u64 {
            let owner = table.owner(slot(n)).map(|place| table.node(place).addr.clone());
            assert_eq!(owner, expected(n), "slot {n}");
        }
    }

    #[test]
    fn a_shard_is_known_by_its_lowest_slot() {
        let mut builder = TableBuilder::default();
        builder.own(slot(10), slot(99), &addr(2));
        builder.own(slot(100), slot(199), &addr(1));
        builder.own(slot(200), slot(200), &addr(2));
        assert_eq!(builder.build(1).shards(), [slot(10), slot(100)]);
        assert_eq!(SlotTable::empty().shards(), []);
    }

    #[test]
    fn what_is_known_of_nodes_changes_a_copy_but_not_its_epoch() {
        let mut builder = TableBuilder::default();
        let primary = builder.own(slot(0), slot(99), &addr(1)).unwrap();
        builder.replicate(&addr(2), primary);
        let table = builder.build(7);
        let judge = |node: &NodeAddr| if node.port() == 2 { Reads::Stale } else { Reads::Far };
        let judged = table.with_reads(judge).unwrap();
        let reads: Vec<Reads> = judged.nodes().iter().map(|node| node.reads).collect();
        assert_eq!((judged.epoch(), reads), (7, vec![Reads::Far, Reads::Stale]));
        assert!(judged.with_reads(judge).is_none());
    }

    #[test]
    fn a_moved_slot_changes_a_copy_and_its_epoch_only() {
        let mut builder = TableBuilder::default();
        builder.own(slot(0), slot(SLOTS as u64 - 1), &addr(1));
        let before = builder.build(1);
        let after = before.with_moved(slot(5), &addr(9));
        assert_eq!(before.node(before.owner(slot(5)).unwrap()).addr, addr(1));
        assert_eq!(after.node(after.owner(slot(5)).unwrap()).addr, addr(9));
        assert_eq!(after.node(after.owner(slot(6)).unwrap()).addr, addr(1));
        assert_eq!((before.epoch(), after.epoch()), (1, 2));
        assert!(!before.same_as(&after));
    }
}
