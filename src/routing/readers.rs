//! Whom reads may go to, where replicas are read (`--read-from`).
//!
//! Must not know connections. Invariant: nodes of slotway's own zone come first, replicas that are too far behind
//! never come, and a primary comes only where reads are shared with it.

use crate::{
    cluster::{NodeIndex, Reads, Role, SlotTable},
    config::ReadFrom,
};

/// Whom the reads of one shard may go to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readers {
    /// Those of slotway's zone before the others.
    nodes: Vec<NodeIndex>,
    /// How many are of slotway's zone.
    near: usize,
}

impl Readers {
    /// The readers of each shard, at the place of its primary in `table`; nobody's where only primaries are read.
    pub fn of_all(table: &SlotTable, from: ReadFrom) -> Vec<Self> {
        if from == ReadFrom::Primary {
            return Vec::new();
        }
        let mut all = vec![Self::default(); table.nodes().len()];
        for wanted in [Reads::Near, Reads::Far] {
            for (node, place) in table.nodes().iter().zip(table.places()) {
                let primary = match node.role {
                    Role::Replica(primary) => primary,
                    Role::Primary if from == ReadFrom::Any => place,
                    Role::Primary => continue,
                };
                if node.reads == wanted {
                    all[primary.index()].add(place, wanted);
                }
            }
        }
        all
    }

    fn add(&mut self, node: NodeIndex, reads: Reads) {
        self.nodes.push(node);
        self.near += usize::from(reads == Reads::Near);
    }

    /// The nodes to try, one after the other, for the client numbered `id`: for each client in its own order, and
    /// always in the same.
    pub fn in_turn(&self, id: u64) -> impl Iterator<Item = NodeIndex> {
        let (near, far) = self.nodes.split_at(self.near);
        [near, far].into_iter().flat_map(move |nodes| {
            let first = usize::try_from(id).unwrap_or_default().checked_rem(nodes.len()).unwrap_or_default();
            nodes[first..].iter().chain(&nodes[..first]).copied()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{NodeAddr, Slot, TableBuilder};

    /// A primary at port 1 with replicas at 2, 3 and 4, and one at 5 without any.
    fn table(judge: impl Fn(u16) -> Reads) -> SlotTable {
        let (slot, addr) = (|n| Slot::new(n).unwrap(), |port| NodeAddr::new("h", port));
        let mut builder = TableBuilder::default();
        let primary = builder.own(slot(0), slot(99), &addr(1)).unwrap();
        (2..5).for_each(|port| builder.replicate(&addr(port), primary));
        builder.own(slot(100), slot(199), &addr(5));
        builder.judge(|addr| judge(addr.port()));
        builder.build(1)
    }

    fn ports(table: &SlotTable, from: ReadFrom, slot: u64, id: u64) -> Vec<u16> {
        let owner = table.owner(Slot::new(slot).unwrap()).unwrap();
        let readers = Readers::of_all(table, from);
        readers[owner.index()].in_turn(id).map(|place| table.node(place).addr.port()).collect()
    }

    #[test]
    fn clients_begin_at_different_nodes_and_keep_their_order() {
        let table = table(|_| Reads::Far);
        assert_eq!(ports(&table, ReadFrom::PreferReplica, 7, 0), [2, 3, 4]);
        assert_eq!(ports(&table, ReadFrom::Replica, 7, 4), [3, 4, 2]);
        assert_eq!(ports(&table, ReadFrom::Any, 7, 4), [1, 2, 3, 4]);
        assert_eq!(ports(&table, ReadFrom::Any, 7, 5), [2, 3, 4, 1]);
    }

    #[test]
    fn a_shard_without_replicas_has_its_primary_or_nobody() {
        let table = table(|_| Reads::Far);
        assert!(ports(&table, ReadFrom::PreferReplica, 100, 3).is_empty());
        assert_eq!(ports(&table, ReadFrom::Any, 100, 3), [5]);
        assert_eq!(Readers::of_all(&table, ReadFrom::Primary), []);
    }

    #[test]
    fn nodes_of_the_zone_come_first_and_stale_ones_not_at_all() {
        let table = table(|port| match port {
            2 => Reads::Stale,
            4 => Reads::Near,
            _ => Reads::Far,
        });
        for id in 0..3 {
            assert_eq!(ports(&table, ReadFrom::PreferReplica, 7, id), [4, 3]);
        }
        assert_eq!(ports(&table, ReadFrom::Any, 7, 1), [4, 3, 1]);
    }
}
