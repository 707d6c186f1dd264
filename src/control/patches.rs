//! What MOVED redirects said lately, and how that goes together with what CLUSTER SLOTS says.
//!
//! The rule: a node that sent MOVED knows that slot better than a node whose gossip may be late. So for
//! [`TRUST`] a patch wins over every answer but that of the node it points to. Pure but for the moments
//! passed in. Invariant: at most one patch per slot.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

use crate::cluster::{NodeAddr, Slot, TableBuilder};

/// How long a MOVED wins over what other nodes say: gossip reaches all nodes of a large cluster in less.
const TRUST: Duration = Duration::from_secs(2);

/// Patches not yet confirmed.
#[derive(Debug, Default)]
pub(super) struct Patches(HashMap<Slot, Patch>);

#[derive(Debug)]
struct Patch {
    owner: NodeAddr,
    at: Instant,
}

impl Patches {
    /// Notes that `slot` was said to belong to `owner`.
    pub(super) fn add(&mut self, slot: Slot, owner: NodeAddr, now: Instant) {
        self.0.insert(slot, Patch { owner, at: now });
    }

    /// Drops the patches that no longer win over anything.
    pub(super) fn expire(&mut self, now: Instant) {
        self.0.retain(|_, patch| now.duration_since(patch.at) < TRUST);
    }

    /// Puts the patches into `table`, which is what the node at `said_by` answered.
    pub(super) fn apply(&self, table: &mut TableBuilder, said_by: &NodeAddr) {
        let mut patches: Vec<_> = self.0.iter().filter(|(_, patch)| patch.owner != *said_by).collect();
        // In one order, so that equal patches make equal tables.
        patches.sort_unstable_by_key(|(slot, _)| **slot);
        for (slot, patch) in patches {
            table.own(*slot, *slot, &patch.owner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(host: &str) -> NodeAddr {
        NodeAddr::new(host, 1)
    }

    fn owner_after(patches: &Patches, said_by: &str) -> NodeAddr {
        let slot = Slot::new(7).unwrap();
        let mut builder = TableBuilder::default();
        builder.own(slot, slot, &node("old"));
        patches.apply(&mut builder, &node(said_by));
        let table = builder.build(1);
        table.node(table.owner(slot).unwrap()).addr.clone()
    }

    #[test]
    fn a_patch_wins_for_a_while_over_all_but_the_node_it_names() {
        let (mut patches, now) = (Patches::default(), Instant::now());
        patches.add(Slot::new(7).unwrap(), node("new"), now);
        assert_eq!(owner_after(&patches, "third"), node("new"));
        assert_eq!(owner_after(&patches, "new"), node("old"));
        patches.expire(now + TRUST / 2);
        assert_eq!(owner_after(&patches, "third"), node("new"));
        patches.expire(now + TRUST);
        assert_eq!(owner_after(&patches, "third"), node("old"));
    }
}
