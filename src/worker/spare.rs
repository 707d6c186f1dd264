//! Blocks of memory that a worker uses again and again: to free them each time and ask for others costs page faults.

use std::cell::RefCell;

use bytes::Bytes;

/// Bytes of a block.
pub(super) const BLOCK: usize = 64 * 1024;
/// Empty blocks that a worker keeps: 4 MiB.
const MOST: usize = 64;
/// What is shared keeps at most so many times its size from being freed.
const MOST_KEPT: usize = 5;

thread_local! {
    /// Empty blocks of this worker.
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// An empty block.
pub(super) fn block() -> Vec<u8> {
    SPARE.with_borrow_mut(Vec::pop).unwrap_or_else(|| Vec::with_capacity(BLOCK))
}

/// Keeps the room of `bytes` if it is a block.
pub(super) fn give_back(mut bytes: Vec<u8>) {
    if bytes.capacity() == BLOCK {
        bytes.clear();
        // A thread that ends has no use for it.
        let _ = SPARE.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() < MOST {
                spare.push(bytes);
            }
        });
    }
}

/// `bytes` for several to have parts of them; if their room is a block, the last gives it back.
pub(super) fn share(bytes: Vec<u8>) -> Bytes {
    if bytes.capacity() == BLOCK { Bytes::from_owner(Shared(bytes)) } else { bytes.into() }
}

/// Whether a part of `len` bytes may be handed on as it is, though all `whole` bytes then stay as long as it does.
pub(super) fn may_share(len: usize, whole: usize) -> bool {
    len.saturating_mul(MOST_KEPT) >= whole
}

struct Shared(Vec<u8>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        give_back(std::mem::take(&mut self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_block_is_used_again_once_nobody_has_a_part_of_it() {
        let mut bytes = block();
        let room = bytes.as_ptr();
        bytes.extend_from_slice(b"one two");
        let mut all = share(bytes);
        let one = all.split_to(3);
        drop(all);
        assert_eq!((&one[..], SPARE.with_borrow(Vec::len)), (&b"one"[..], 0));
        drop(one);
        assert_eq!(SPARE.with_borrow(Vec::len), 1);
        let again = block();
        assert_eq!((again.as_ptr(), again.len(), again.capacity()), (room, 0, BLOCK));
    }

    #[test]
    fn little_does_not_keep_much() {
        assert!(may_share(BLOCK / 5 + 1, BLOCK) && may_share(usize::MAX, usize::MAX));
        assert!(!may_share(BLOCK / 5, BLOCK) && !may_share(BLOCK, 1 << 20));
    }

    #[test]
    fn a_worker_keeps_so_many_blocks_and_nothing_else() {
        let blocks: Vec<_> = (0..2 * MOST).map(|_| block()).collect();
        blocks.into_iter().for_each(give_back);
        give_back(Vec::with_capacity(BLOCK + 1));
        drop(share(vec![7; 9]));
        let kept = SPARE.take();
        assert_eq!((kept.len(), kept.iter().all(|block| block.capacity() == BLOCK)), (MOST, true));
    }
}
