//! Whether slotway can do its job, and what is missing if not. Pure.

use std::collections::BTreeMap;

use super::Status;
use crate::cluster::{NodeAddr, SLOTS, Slot, SlotTable};

/// What keeps slotway from serving every slot, one line each; empty when it is ready.
pub fn missing(status: &Status, table: &SlotTable) -> Vec<String> {
    let mut lines = Vec::new();
    if !status.listening() {
        lines.push("not listening".to_owned());
    }
    if status.draining() {
        lines.push("draining".to_owned());
    }
    if status.is_learned() {
        slots(status, table, &mut lines);
    } else {
        lines.push("no seed has answered yet".to_owned());
    }
    lines
}

fn slots(status: &Status, table: &SlotTable, lines: &mut Vec<String>) {
    if table.unassigned() > 0 {
        lines.push(format!("{} slots have no owner", table.unassigned()));
    }
    match status.unreachable().as_ref() {
        None => lines.push("owners are not probed yet".to_owned()),
        Some(unreachable) => {
            let owned = owned(table).into_iter().filter(|(addr, _)| unreachable.contains(addr));
            lines.extend(owned.map(|(addr, slots)| format!("owner {addr} of {slots} slots does not answer")));
        }
    }
}

/// The owners, and how many slots each has.
pub(super) fn owned(table: &SlotTable) -> BTreeMap<&NodeAddr, usize> {
    let mut owned = BTreeMap::new();
    let slots = (0..SLOTS as u64).filter_map(Slot::new);
    for place in slots.filter_map(|slot| table.owner(slot)) {
        *owned.entry(&table.node(place).addr).or_default() += 1;
    }
    owned
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cluster::TableBuilder,
        metrics::{RefreshReason, RefreshResult},
    };

    fn table(last: u64) -> SlotTable {
        let mut builder = TableBuilder::default();
        let slot = |n| Slot::new(n).unwrap();
        builder.own(slot(0), slot(9), &NodeAddr::new("a", 1));
        builder.own(slot(10), slot(last), &NodeAddr::new("b", 1));
        builder.build(1)
    }

    #[test]
    fn everything_missing_has_its_line() {
        let status = Status::default();
        assert_eq!(missing(&status, &SlotTable::empty()), ["not listening", "no seed has answered yet"]);
        status.set_listening(true);
        status.refreshed(RefreshReason::Start, RefreshResult::Changed);
        assert_eq!(missing(&status, &table(SLOTS as u64 - 1)), ["owners are not probed yet"]);
        status.probed(vec![NodeAddr::new("a", 1), NodeAddr::new("former", 1)]);
        assert_eq!(
            missing(&status, &table(99)),
            ["16284 slots have no owner", "owner a:1 of 10 slots does not answer"]
        );
        status.probed(vec![]);
        assert!(missing(&status, &table(SLOTS as u64 - 1)).is_empty());
        status.set_draining();
        assert_eq!(missing(&status, &table(SLOTS as u64 - 1)), ["draining"]);
    }
}
