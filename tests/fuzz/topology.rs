//! What nodes say of the cluster: a table that owns what was said, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use slotway::{
    cluster::{NodeAddr, SLOTS, Slot, parse_slots},
    resp::parse,
};

fuzz_target!(|bytes: &[u8]| {
    let Ok(Some((reply, _))) = parse(bytes) else { return };
    let Ok(table) = parse_slots(&reply, &NodeAddr::new("10.0.0.1", 7000)) else { return };
    let table = table.build(1);
    let owned = (0..SLOTS as u64).filter_map(Slot::new).filter_map(|slot| table.owner(slot));
    assert_eq!(owned.map(|place| table.node(place)).count(), SLOTS - table.unassigned());
});
