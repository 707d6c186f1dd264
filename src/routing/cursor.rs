//! The cursor of a SCAN over all nodes: which shard, and the node's own cursor there, in one number.
//!
//! Nothing is remembered between two requests, so any slotway before the same cluster can go on with a
//! cursor. Invariant: 0 means the start, and a cursor that is not at the start is not 0.

use crate::cluster::{NodeAddr, SLOTS, Slot};

/// Bits of the slot that names a shard.
const SLOT_BITS: u32 = SLOTS.ilog2();
/// Bits that tell one node from another.
const TAG_BITS: u32 = 7;
/// Bits of the node's own cursor. Since Redis 7.4 and Valkey 8 its lowest 14 are a slot, and the rest count the
/// buckets of that slot's keys: 28 bits, some hundred million keys of one slot. Older nodes count theirs: 42
/// bits. Together 63: programs that read a cursor as a signed number do well.
const NODE_BITS: u32 = 42;

/// Where a scan is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The shard, by the lowest slot that it had when the scan came to it.
    pub shard: Slot,
    /// The node's own cursor; 0 at its start.
    pub node: u64,
    /// Which node's cursor that is.
    pub tag: u8,
}

impl Cursor {
    /// At the first key of `shard`.
    pub fn start_of(shard: Slot) -> Self {
        Self { shard, node: 0, tag: 0 }
    }

    /// The cursor that a client gave; nothing where it is no number of 64 bits.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let number: u64 = std::str::from_utf8(text).ok()?.parse().ok()?;
        let bits = |from: u32, count: u32| number >> from & ((1 << count) - 1);
        Some(Self {
            shard: Slot::new(bits(0, SLOT_BITS))?,
            tag: u8::try_from(bits(SLOT_BITS, TAG_BITS)).ok()?,
            node: number >> (SLOT_BITS + TAG_BITS),
        })
    }

    /// The number that clients are given; nothing where the node's cursor has no room in it.
    pub fn number(self) -> Option<u64> {
        let high = (self.node < 1 << NODE_BITS).then_some(self.node)? << (SLOT_BITS + TAG_BITS);
        Some(high | u64::from(self.tag) << SLOT_BITS | self.shard.index() as u64)
    }

    /// What tells the node at `addr` from others, with one mistake in 128: a cursor means nothing on another
    /// node.
    pub fn tag_of(addr: &NodeAddr) -> u8 {
        let hash = Slot::of(addr.to_string().as_bytes()).index() % (1 << TAG_BITS);
        u8::try_from(hash).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was_given() {
        for (shard, node, tag) in [(0, 0, 0), (16_383, (1 << 42) - 1, 127), (5461, 1, 0), (0, 1 << 41, 9)] {
            let cursor = Cursor { shard: Slot::new(shard).unwrap(), node, tag };
            let number = cursor.number().unwrap();
            assert!(i64::try_from(number).is_ok());
            assert_eq!(Cursor::parse(number.to_string().as_bytes()), Some(cursor));
        }
    }

    #[test]
    fn the_start_is_0_and_nothing_else_is() {
        let start = Cursor::parse(b"0").unwrap();
        assert_eq!(start, Cursor::start_of(Slot::new(0).unwrap()));
        assert_ne!(Cursor { node: 1, ..start }.number(), Some(0));
        assert_ne!(Cursor::start_of(Slot::new(1).unwrap()).number(), Some(0));
    }

    #[test]
    fn what_has_no_room_is_not_cut() {
        assert_eq!(Cursor { node: 1 << 42, ..Cursor::parse(b"0").unwrap() }.number(), None);
        for text in [&b""[..], b"x", b"-1", b"18446744073709551616", b"1 "] {
            assert_eq!(Cursor::parse(text), None);
        }
        assert!(Cursor::parse(b"18446744073709551615").is_some());
    }
}
