//! Bytes on their way out: appended at one end, written to a socket in the middle, released at the other.
//!
//! A client's outbox releases what was written. A backend's keeps each request until it is answered, so that
//! a redirect finds its bytes here and nothing is copied to be kept. Knows no socket.

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    ops::Deref,
    task::Poll,
};

use bytes::Bytes;

use super::spare::{self, BLOCK};

/// From this size on owned bytes are taken over instead of copied.
pub(super) const LARGE: usize = 16 * 1024;
/// Blocks given to one write.
const SLICES: usize = 32;

/// Invariants: `written <= len`; `head` lies in the first block; each piece lies in one block; no earlier block is empty.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// The blocks before the last: mostly there are none, and the last is the first.
    earlier: VecDeque<Block>,
    last: Vec<u8>,
    /// Bytes of the first block that were released.
    head: usize,
    /// Bytes appended and not released.
    len: usize,
    /// Of these, the first that were written.
    written: usize,
}

/// Bytes that nothing is appended to any more.
#[derive(Debug)]
enum Block {
    /// Copies of small pieces, in room that is used again.
    Own(Vec<u8>),
    /// A large piece that was taken over.
    Taken(Bytes),
}

impl Deref for Block {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Own(bytes) => bytes,
            Self::Taken(bytes) => bytes,
        }
    }
}

impl Outbox {
    /// Bytes held.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Bytes not yet written.
    #[inline]
    pub(super) fn unwritten(&self) -> usize {
        self.len - self.written
    }

    /// Bytes written and not released.
    pub(super) fn written(&self) -> usize {
        self.written
    }

    /// Appends a copy of `piece`.
    #[inline]
    pub(super) fn append(&mut self, piece: &[u8]) {
        self.make_room(piece.len());
        self.last.extend_from_slice(piece);
        self.len += piece.len();
    }

    /// Appends what `write` puts into the block, at most `most` bytes. Returns how many these were.
    #[inline]
    pub(super) fn append_with(&mut self, most: usize, write: impl FnOnce(&mut Vec<u8>)) -> usize {
        self.make_room(most);
        let before = self.last.len();
        write(&mut self.last);
        let added = self.last.len() - before;
        self.len += added;
        added
    }

    /// Appends `piece`, without a copy if it is [`LARGE`].
    pub(super) fn append_owned(&mut self, piece: Bytes) {
        if piece.len() < LARGE {
            return self.append(&piece);
        }
        if !self.last.is_empty() {
            self.earlier.push_back(Block::Own(std::mem::take(&mut self.last)));
        }
        self.len += piece.len();
        self.earlier.push_back(Block::Taken(piece));
    }

    /// The bytes to write next, at most `most` and as far as `slices` holds them. Returns how many slices were filled.
    fn slices<'a>(&'a self, mut most: usize, slices: &mut [IoSlice<'a>; SLICES]) -> usize {
        let mut skip = self.head + self.written;
        let mut filled = 0;
        for block in self.earlier.iter().map(Deref::deref).chain([&self.last[..]]) {
            if filled == SLICES || most == 0 {
                break;
            }
            if skip < block.len() {
                let end = block.len().min(skip.saturating_add(most));
                slices[filled] = IoSlice::new(&block[skip..end]);
                filled += 1;
                most -= end - skip;
            }
            skip = skip.saturating_sub(block.len());
        }
        filled
    }

    /// Gives `write` the bytes to write next, and notes how many it wrote.
    #[inline]
    pub(super) fn write(
        &mut self,
        write: impl FnOnce(&[IoSlice<'_>]) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        self.write_most(usize::MAX, write)
    }

    /// As [`Self::write`], at most `most` bytes.
    #[inline]
    pub(super) fn write_most(
        &mut self,
        most: usize,
        write: impl FnOnce(&[IoSlice<'_>]) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let done = if self.earlier.is_empty() {
            let next = &self.last[self.head + self.written..];
            write(&[IoSlice::new(&next[..next.len().min(most)])])
        } else {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let filled = self.slices(most, &mut slices);
            write(&slices[..filled])
        };
        if let Poll::Ready(Ok(n)) = done {
            self.wrote(n);
        }
        done
    }

    /// The socket took `n` bytes more.
    #[inline]
    fn wrote(&mut self, n: usize) {
        self.written += n;
        debug_assert!(self.written <= self.len);
    }

    /// The first `n` bytes held: a piece as it was appended.
    pub(super) fn front(&self, n: usize) -> &[u8] {
        let first = self.earlier.front().map_or(&self.last[..], Deref::deref);
        first.get(self.head..self.head + n).unwrap_or_default()
    }

    /// Lets go of the first `n` bytes, whether they were written or not.
    #[inline]
    pub(super) fn release(&mut self, n: usize) {
        debug_assert!(n <= self.len);
        self.len -= n;
        self.written = self.written.saturating_sub(n);
        self.head += n;
        self.drop_released();
    }

    /// Gives memory back if nothing is held.
    pub(super) fn shrink(&mut self) {
        if self.len == 0 {
            *self = Self::default();
        }
    }

    /// Makes room for `most` bytes in the last block.
    #[inline]
    fn make_room(&mut self, most: usize) {
        if !self.last.is_empty() && self.last.len() + most > BLOCK {
            self.begin_block();
        }
    }

    /// Begins another block. What is little stays little; what needs a second block will fill it.
    #[cold]
    fn begin_block(&mut self) {
        let full = std::mem::replace(&mut self.last, spare::block());
        self.earlier.push_back(Block::Own(full));
    }

    #[inline]
    fn drop_released(&mut self) {
        while let Some(block) = self.earlier.pop_front_if(|block| block.len() <= self.head) {
            self.head -= block.len();
            if let Block::Own(block) = block {
                spare::give_back(block);
            }
        }
        if self.earlier.is_empty() && self.head == self.last.len() {
            self.head = 0;
            self.last.clear();
            if self.last.capacity() > BLOCK {
                self.last = Vec::new();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unwritten(outbox: &Outbox) -> Vec<u8> {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let filled = outbox.slices(usize::MAX, &mut slices);
        slices[..filled].iter().map(|slice| &slice[..]).collect::<Vec<_>>().concat()
    }

    #[test]
    fn a_piece_is_found_whole_until_it_is_released() {
        let mut outbox = Outbox::default();
        outbox.append(b"first");
        outbox.append_owned(vec![7; LARGE].into());
        outbox.append(b"last");
        outbox.wrote(5 + LARGE);
        assert_eq!(unwritten(&outbox), b"last");
        assert_eq!(outbox.front(5), b"first");
        outbox.release(5);
        assert_eq!(outbox.front(LARGE), vec![7; LARGE]);
        outbox.release(LARGE);
        assert_eq!((outbox.front(4), outbox.unwritten()), (&b"last"[..], 4));
        outbox.release(4);
        assert_eq!((outbox.len(), outbox.unwritten()), (0, 0));
    }

    /// Writes at most `allowed` bytes to a socket that takes `most`: those that it took.
    fn write(outbox: &mut Outbox, allowed: usize, most: usize) -> Vec<u8> {
        let mut taken = Vec::new();
        let written = outbox.write_most(allowed, |slices| {
            taken = slices.iter().map(|slice| &slice[..]).collect::<Vec<_>>().concat();
            assert!(taken.len() <= allowed);
            taken.truncate(most);
            Poll::Ready(Ok(taken.len()))
        });
        assert!(matches!(written, Poll::Ready(Ok(n)) if n == taken.len()));
        taken
    }

    /// Nothing is held, and no more room than one outbox may keep.
    fn assert_empty(outbox: &Outbox) {
        assert_eq!((outbox.len(), outbox.unwritten(), outbox.head, outbox.earlier.len()), (0, 0, 0, 0));
        assert!(outbox.last.is_empty() && outbox.last.capacity() <= BLOCK);
    }

    #[test]
    fn little_before_a_large_piece_takes_little_room() {
        let mut outbox = Outbox::default();
        for _ in 0..3 {
            outbox.append(b"little");
            outbox.append_owned(vec![7; LARGE].into());
        }
        let room_of = |block: &Block| match block {
            Block::Own(bytes) => bytes.capacity(),
            Block::Taken(bytes) => bytes.len(),
        };
        let room = outbox.earlier.iter().map(room_of).sum::<usize>() + outbox.last.capacity();
        assert!(room < 2 * outbox.len(), "{room} bytes for {}", outbox.len());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn bytes_come_out_as_they_went_in(
            pieces in prop::collection::vec((0_usize..80_000, any::<bool>(), 0_usize..100_000), 1..60),
            keeps in any::<bool>(),
            allowed in prop_oneof![Just(usize::MAX), 1_000_usize..100_000],
        ) {
            let (mut outbox, mut expected, mut held) = (Outbox::default(), Vec::<u8>::new(), VecDeque::new());
            let mut end = vec![(0, false, usize::MAX); 4_800_000 / allowed + pieces.len()];
            let mut pieces = pieces;
            pieces.append(&mut end);
            for (i, (len, owned, most)) in pieces.into_iter().enumerate() {
                let piece = vec![b'a' + u8::try_from(i % 26).unwrap(); len];
                expected.extend_from_slice(&piece);
                held.push_back(piece.clone());
                if owned { outbox.append_owned(piece.into()) } else { outbox.append(&piece) }
                let got = write(&mut outbox, allowed, most);
                prop_assert!(!got.is_empty() || most == 0 || outbox.unwritten() == 0);
                prop_assert!(expected[..got.len()] == got);
                expected.drain(..got.len());
                // A client's outbox releases what was written, a backend's the pieces that are.
                if !keeps {
                    outbox.release(got.len());
                    continue;
                }
                while let Some(front) = held.front().filter(|piece| piece.len() <= outbox.written()) {
                    prop_assert_eq!(outbox.front(front.len()), &front[..]);
                    outbox.release(front.len());
                    held.pop_front();
                }
            }
            prop_assert_eq!(expected.len(), 0);
            assert_empty(&outbox);
        }
    }
}
