//! Command names as integers, so that finding one is a few instructions.
//!
//! Invariant: two names of at most 16 bytes are equal, case aside, exactly if their [`Packed`] are.

/// A name of 1 to 16 bytes, upper-case letters made lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packed {
    /// The first and the last bytes; they overlap where the length is not 2, 4, 8 or 16.
    low: u64,
    high: u64,
    len: usize,
}

impl Packed {
    /// Packs `name`, unless it is empty or too long.
    #[inline]
    pub(super) fn new(name: &[u8]) -> Option<Self> {
        let len = name.len();
        let (low, high) = if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
            (u64::from_le_bytes(*first), u64::from_le_bytes(*last))
        } else if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
            (u64::from(u32::from_le_bytes(*first)), u64::from(u32::from_le_bytes(*last)))
        } else {
            let (first, last) = (name.first()?, name.last()?);
            (u64::from(*first) | u64::from(name[len / 2]) << 8, u64::from(*last))
        };
        (len <= 16).then_some(Self { low: to_lower(low), high: to_lower(high), len })
    }

    /// A number whose upper bits depend on every byte.
    #[inline]
    pub(super) fn hash(self) -> u64 {
        (self.low ^ self.high.rotate_left(29) ^ self.len as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }
}

/// Makes the eight bytes lower-case at once: a letter's top bit is free to carry "is at least `A`" and
/// "is above `Z`", whose difference is moved to the bit that makes it lower.
#[inline]
const fn to_lower(bytes: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOP: u64 = ONES * 0x80;
    let low_bits = bytes & !TOP;
    let from_a = low_bits + ONES * (0x80 - b'A' as u64);
    let above_z = low_bits + ONES * (0x7f - b'Z' as u64);
    bytes | ((from_a ^ above_z) & !bytes & TOP) >> 2
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_byte_is_lowered_as_ascii_has_it() {
        for byte in 0..=u8::MAX {
            let lowered = u64::from_le_bytes([byte.to_ascii_lowercase(); 8]);
            assert_eq!(to_lower(u64::from_le_bytes([byte; 8])), lowered, "{byte}");
        }
    }

    #[test]
    fn only_names_of_1_to_16_bytes_are_packed() {
        for len in 0..20 {
            assert_eq!(Packed::new(&vec![b'x'; len]).is_some(), (1..=16).contains(&len), "{len}");
        }
    }

    proptest! {
        #[test]
        fn packed_names_are_equal_exactly_if_the_names_are(
            a in "[abAB@`\\[{]{1,16}",
            b in "[abAB@`\\[{]{1,16}",
        ) {
            let packed = |name: &str| Packed::new(name.as_bytes()).unwrap();
            prop_assert_eq!(packed(&a) == packed(&b), a.eq_ignore_ascii_case(&b));
            prop_assert_eq!(packed(&a).hash(), packed(&a.to_ascii_uppercase()).hash());
        }
    }
}
