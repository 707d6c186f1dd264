//! L1: what the cluster says of itself. Pure: no I/O, no clock.

mod address;
mod slot;
mod slots_reply;
mod table;

pub use address::{AddressError, NodeAddr};
pub use slot::{SLOTS, Slot, hash_tag};
pub use slots_reply::{TopologyError, parse_slots};
pub use table::{Node, NodeIndex, Reads, Role, SlotTable, TableBuilder};
