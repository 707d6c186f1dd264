//! Hash slots: CRC16 XMODEM of the key's hash tag, mod 16384, as the cluster specification has it.

use std::{fmt, sync::LazyLock};

use crc16::{State, XMODEM};

/// How many slots a cluster has.
pub const SLOTS: usize = COUNT as usize;

const COUNT: u16 = 16384;

/// A hash slot. Invariant: below [`SLOTS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(u16);

impl Slot {
    /// The slot of `key`.
    pub fn of(key: &[u8]) -> Self {
        Self(crc(hash_tag(key)) % COUNT)
    }

    /// Slot `number`, if a cluster has that one.
    pub fn new(number: u64) -> Option<Self> {
        u16::try_from(number).ok().filter(|&n| usize::from(n) < SLOTS).map(Self)
    }

    /// Its number, 0 to 16383, as an index.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Bytes whose shares of a checksum are looked up side by side.
const SLICE: usize = 8;

/// The checksum of each byte with so many zeros behind it.
static SHARES: LazyLock<[[u16; 256]; SLICE]> = LazyLock::new(|| {
    let mut shares = [[0; 256]; SLICE];
    for (zeros, share) in shares.iter_mut().enumerate() {
        for (byte, share) in (0..=u8::MAX).zip(share) {
            let mut bytes = [0; SLICE];
            bytes[0] = byte;
            *share = State::<XMODEM>::calculate(&bytes[..=zeros]);
        }
    }
    shares
});

/// The checksum of `bytes`. It starts from 0, so noughts in front change nothing, and it is the sum of what each byte alone
/// adds to it: those of a slice are looked up side by side, where `State::calculate` waits for each byte before the next.
#[inline]
fn crc(bytes: &[u8]) -> u16 {
    let shares = &*SHARES;
    let share = |slice: u64| {
        let bytes = slice.to_be_bytes();
        (0..SLICE).fold(0, |sum, at| sum ^ shares[SLICE - 1 - at][usize::from(bytes[at])])
    };
    let (rest, slices) = bytes.as_rchunks();
    let first = if rest.is_empty() { 0 } else { share(padded(bytes, rest.len())) };
    slices.iter().fold(first, |before, slice| {
        share(u64::from_be_bytes(*slice) ^ u64::from(before) << (u64::BITS - u16::BITS))
    })
}

/// The first `len` of `bytes`, 1 to 7, behind noughts.
#[inline]
fn padded(bytes: &[u8], len: usize) -> u64 {
    match bytes.first_chunk() {
        Some(&first) => u64::from_be_bytes(first) >> (8 * (SLICE - len)),
        None => bytes.iter().fold(0, |slice, &byte| slice << 8 | u64::from(byte)),
    }
}

/// Bytes that are looked through in one step.
const WORD: usize = size_of::<u64>();

/// `memchr` looks through less than this byte by byte, and two steps look through it all.
const SHORT: usize = 2 * WORD;

/// The part of `key` that is hashed: what stands between the first `{` and the first `}` after it
/// unless that is empty, else the whole key.
#[inline]
pub fn hash_tag(key: &[u8]) -> &[u8] {
    if key.len() < SHORT && !has_brace(key) {
        return key;
    }
    let Some(open) = memchr::memchr(b'{', key) else { return key };
    let inside = &key[open + 1..];
    match memchr::memchr(b'}', inside) {
        None | Some(0) => key,
        Some(close) => &inside[..close],
    }
}

/// Whether `key`, shorter than [`SHORT`], holds a `{`.
#[inline]
fn has_brace(key: &[u8]) -> bool {
    match (key.first_chunk(), key.last_chunk()) {
        (Some(&first), Some(&last)) => word_has_brace(first) || word_has_brace(last),
        _ => key.contains(&b'{'),
    }
}

/// Whether one of its bytes is `{`, so that it differs from it by nought: less one, a nought has its highest bit set,
/// which it had not before. A byte above may then seem to be one too: this tells whether, not where.
#[inline]
fn word_has_brace(word: [u8; WORD]) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; WORD]);
    let difference = u64::from_ne_bytes(word) ^ (ONES * b'{' as u64);
    difference.wrapping_sub(ONES) & !difference & (ONES << 7) != 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_specification_s_examples_hold() {
        assert_eq!(Slot::of(b"name").index(), 5798);
        assert_eq!(Slot::of(b"123456789").index(), 0x31C3 % SLOTS);
        assert_eq!(Slot::of(b"").index(), 0);
    }

    #[test]
    fn only_the_first_non_empty_tag_counts() {
        for (key, tag) in [
            (&b"{user1000}.following"[..], &b"user1000"[..]),
            (b"foo{}{bar}", b"foo{}{bar}"),
            (b"foo{{bar}}zap", b"{bar"),
            (b"foo{bar}{zap}", b"bar"),
            (b"foo{bar", b"foo{bar"),
            (b"foo}bar{", b"foo}bar{"),
            (b"}{a}", b"a"),
            (b"\xff{\x00\xfe}\r\n", b"\x00\xfe"),
        ] {
            assert_eq!(hash_tag(key), tag);
        }
    }

    proptest! {
        #[test]
        fn a_tag_is_found_wherever_it_is(key in prop::collection::vec(prop::sample::select(b"\x00z{|}\xfb\xff".to_vec()), 0..40)) {
            for len in 0..=key.len() {
                let key = &key[..len];
                let inside = key.iter().position(|&byte| byte == b'{').map(|open| &key[open + 1..]);
                let close = inside.and_then(|inside| inside.iter().position(|&byte| byte == b'}'));
                let tag = inside.zip(close).map(|(inside, close)| &inside[..close]).filter(|tag| !tag.is_empty());
                prop_assert_eq!(hash_tag(key), tag.unwrap_or(key));
            }
        }

        #[test]
        fn slices_sum_up_to_the_crate_s_checksum(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            for len in 0..=bytes.len() {
                prop_assert_eq!(crc(&bytes[..len]), State::<XMODEM>::calculate(&bytes[..len]));
            }
        }
    }
}
