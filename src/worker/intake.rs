//! Bytes on their way in: read into the worker's scratch room, and kept only while a frame is incomplete.
//!
//! A long frame is read where it stays, and so is what follows it: each can be handed on without a copy.

use std::{
    io,
    task::{Context, Poll, ready},
};

use bytes::Bytes;

use super::{
    spare::{self, BLOCK},
    stream::Stream,
};

/// What each worker reads into.
pub(super) const SCRATCH: usize = 64 * 1024;
/// A frame that needs more than this is read where it stays.
const IN_PLACE: usize = 16 * 1024;
/// Room made at once for a frame of more than a block, or as much again as is there: a length alone must not cost memory.
const STEP: usize = 1024 * 1024;

/// The bytes of a connection that are not understood yet.
#[derive(Debug, Default)]
pub(super) struct Intake {
    kept: Vec<u8>,
}

/// Where the bytes lie after a read.
pub(super) enum Filled {
    /// The first so many of the scratch room; what is not consumed must be [kept](Intake::keep).
    Scratch(usize),
    /// In [`Intake::kept`], and the frame at the start may be whole.
    Kept,
    /// In [`Intake::kept`], and that frame goes on.
    Part,
    /// The peer sends no more.
    End,
}

impl Intake {
    /// Bytes that wait.
    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    /// Reads once. `needs` is how long the frame at the start is at least.
    pub(super) fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut Stream,
        scratch: &mut [u8],
        needs: usize,
    ) -> Poll<io::Result<(Filled, usize)>> {
        let have = self.kept.len();
        if needs > IN_PLACE || have > IN_PLACE {
            let most = self.make_room(needs);
            let n = ready!(stream.poll_read_into(cx, &mut self.kept, most))?;
            let filled = match self.kept.len() {
                _ if n == 0 => Filled::End,
                len if len < needs => Filled::Part,
                _ => Filled::Kept,
            };
            return Poll::Ready(Ok((filled, n)));
        }
        self.fill_scratch(scratch, |room| stream.poll_read(cx, room))
    }

    /// Reads once what is there, unless a long frame goes on.
    #[inline]
    pub(super) fn try_fill(
        &mut self,
        stream: &Stream,
        scratch: &mut [u8],
        needs: usize,
    ) -> Poll<io::Result<(Filled, usize)>> {
        if needs > IN_PLACE || self.kept.len() > IN_PLACE {
            return Poll::Pending;
        }
        self.fill_scratch(scratch, |room| stream.try_read(room))
    }

    #[inline]
    fn fill_scratch(
        &mut self,
        scratch: &mut [u8],
        read: impl FnOnce(&mut [u8]) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<(Filled, usize)>> {
        let have = self.kept.len();
        let n = ready!(read(&mut scratch[have..]))?;
        if n == 0 {
            return Poll::Ready(Ok((Filled::End, 0)));
        }
        if have > 0 {
            scratch[..have].copy_from_slice(&self.kept);
            self.kept.clear();
        }
        Poll::Ready(Ok((Filled::Scratch(have + n), n)))
    }

    /// Makes room for a long frame that `needs` so many bytes at least: a block, where that is enough. Returns how many
    /// bytes to read.
    fn make_room(&mut self, needs: usize) -> usize {
        let have = self.kept.len();
        if needs <= BLOCK && have < BLOCK {
            if self.kept.capacity() != BLOCK {
                let mut block = spare::block();
                block.extend_from_slice(&self.kept);
                self.kept = block;
            }
            return BLOCK - have;
        }
        let most = needs.saturating_sub(have).clamp(IN_PLACE.max(have / 4), STEP.max(have));
        self.kept.reserve_exact(most);
        most
    }

    /// Keeps what of the scratch room was not consumed.
    pub(super) fn keep(&mut self, rest: &[u8]) {
        self.kept.extend_from_slice(rest);
    }

    /// Takes the kept bytes out, to consume some; [`Self::put_back`] the rest.
    pub(super) fn take(&mut self) -> Bytes {
        spare::share(std::mem::take(&mut self.kept))
    }

    /// Keeps what of the taken bytes was not consumed; copies it out of a block, and where others have a part.
    pub(super) fn put_back(&mut self, rest: Bytes) {
        self.kept = rest.into();
        if !spare::may_share(self.kept.len(), self.kept.capacity()) {
            // What room a frame needed that is gone.
            self.kept.shrink_to_fit();
        }
    }

    /// Gives memory back if nothing waits.
    pub(super) fn shrink(&mut self) {
        if self.kept.is_empty() {
            self.kept = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::net::UnixStream;

    use super::*;

    const FRAME: usize = IN_PLACE + 1;

    fn pair() -> (UnixStream, Stream) {
        let (there, here) = UnixStream::pair().unwrap();
        (there, Stream::Unix(here))
    }

    async fn fill(intake: &mut Intake, here: &mut Stream, needs: usize) -> (Filled, usize) {
        poll_fn(|cx| intake.poll_fill(cx, here, &mut [], needs)).await.unwrap()
    }

    #[tokio::test]
    async fn one_read_brings_several_long_frames_into_one_block() {
        let (there, mut here) = pair();
        assert_eq!(there.try_write(&[7; 3 * FRAME]).unwrap(), 3 * FRAME);
        let mut intake = Intake::default();
        intake.keep(&[7; 9]);
        assert!(matches!(fill(&mut intake, &mut here, FRAME).await, (Filled::Kept, n) if n == 3 * FRAME));
        assert_eq!(intake.kept.capacity(), BLOCK);
        let mut bytes = intake.take();
        let (first, second) = (bytes.split_to(FRAME), bytes.split_to(FRAME));
        intake.put_back(bytes);
        assert_eq!((first.len(), second.len(), intake.len()), (FRAME, FRAME, FRAME + 9));
        assert_eq!(first.as_ptr().wrapping_add(FRAME), second.as_ptr(), "no copies");
        assert!(intake.kept.capacity() < BLOCK, "what goes on is not kept beside what others have");
    }

    #[test]
    fn what_is_there_of_a_long_frame_is_left() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let _entered = runtime.enter();
        let (mut there, here) = std::os::unix::net::UnixStream::pair().unwrap();
        here.set_nonblocking(true).unwrap();
        let here = Stream::Unix(UnixStream::from_std(here).unwrap());
        io::Write::write_all(&mut there, b"def").unwrap();
        let (mut intake, mut scratch) = (Intake::default(), [0; 9]);
        intake.keep(b"abc");
        assert!(intake.try_fill(&here, &mut scratch, FRAME).is_pending());
        assert!(matches!(intake.try_fill(&here, &mut scratch, 6), Poll::Ready(Ok((Filled::Scratch(6), 3)))));
        assert_eq!((&scratch[..6], intake.len()), (&b"abcdef"[..], 0));
        assert!(intake.try_fill(&here, &mut scratch, 6).is_pending());
        io::Write::write_all(&mut there, b"g").unwrap();
        intake.keep(&[7; FRAME]);
        assert!(intake.try_fill(&here, &mut scratch, 6).is_pending());
    }

    #[tokio::test]
    async fn a_frame_that_goes_on_stays_where_it_is() {
        let (there, mut here) = pair();
        let mut intake = Intake::default();
        intake.keep(&[7; 9]);
        let mut rooms = Vec::new();
        for _ in 0..3 {
            assert_eq!(there.try_write(&[7; FRAME]).unwrap(), FRAME);
            assert!(matches!(fill(&mut intake, &mut here, BLOCK).await, (Filled::Part, FRAME)));
            rooms.push(intake.kept.as_ptr());
        }
        assert!(rooms.iter().all(|&room| room == rooms[0]));
        assert_eq!(there.try_write(&[7; BLOCK]).unwrap(), BLOCK);
        let missing = BLOCK - 3 * FRAME - 9;
        assert!(matches!(fill(&mut intake, &mut here, BLOCK).await, (Filled::Kept, n) if n == missing));
        assert_eq!(intake.take().len(), BLOCK);
    }

    #[tokio::test]
    async fn room_for_a_huge_frame_grows_with_what_came() {
        let (there, mut here) = pair();
        let mut intake = Intake::default();
        intake.keep(&[7; FRAME]);
        assert_eq!(there.try_write(&[7; 9]).unwrap(), 9);
        assert!(matches!(fill(&mut intake, &mut here, 1 << 40).await, (Filled::Part, 9)));
        assert!(intake.kept.capacity() <= FRAME + STEP);
        let bytes = intake.take();
        let room = bytes.as_ptr();
        intake.put_back(bytes);
        assert_eq!((intake.kept.as_ptr(), intake.len()), (room, FRAME + 9), "not copied");
        let mut bytes = intake.take();
        drop(bytes.split_to(FRAME));
        intake.put_back(bytes);
        assert_eq!((intake.len(), intake.kept.capacity()), (9, 9), "its room is not kept");
    }
}
