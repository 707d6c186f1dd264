//! Bytes on their way in: read into the worker's scratch room, and kept only while a frame is incomplete.
//!
//! A long frame is read where it stays, and so is what follows it: each can be handed on without a copy.

use std::{
    io,
    task::{Context, Poll, ready},
};

use bytes::Bytes;

use super::stream::Stream;

/// What each worker reads into.
pub(super) const SCRATCH: usize = 64 * 1024;
/// A frame that needs more than this is read where it stays.
const IN_PLACE: usize = 16 * 1024;
/// Room made for it is at least so much, so that one read brings several. As they share it, a frame keeps at most five
/// times its own size from being freed.
const LEAST_ROOM: usize = 64 * 1024;
/// Room made at once for a long frame, or as much again as is there: a length alone must not cost memory.
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
    /// In [`Intake::kept`].
    Kept,
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
            let most = needs.saturating_sub(have).clamp(LEAST_ROOM.max(have / 4), STEP.max(have));
            self.kept.reserve_exact(most);
            let n = ready!(stream.poll_read_into(cx, &mut self.kept, most))?;
            return Poll::Ready(Ok((if n == 0 { Filled::End } else { Filled::Kept }, n)));
        }
        let n = ready!(stream.poll_read(cx, &mut scratch[have..]))?;
        if n == 0 {
            return Poll::Ready(Ok((Filled::End, 0)));
        }
        if have > 0 {
            scratch[..have].copy_from_slice(&self.kept);
            self.kept.clear();
        }
        Poll::Ready(Ok((Filled::Scratch(have + n), n)))
    }

    /// Keeps what of the scratch room was not consumed.
    pub(super) fn keep(&mut self, rest: &[u8]) {
        self.kept.extend_from_slice(rest);
    }

    /// Takes the kept bytes out, to consume some; [`Self::put_back`] the rest.
    pub(super) fn take(&mut self) -> Bytes {
        std::mem::take(&mut self.kept).into()
    }

    /// Keeps what of the taken bytes was not consumed; copies it if what was consumed is still in use.
    pub(super) fn put_back(&mut self, rest: Bytes) {
        self.kept = rest.into();
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

    #[tokio::test]
    async fn one_read_brings_several_long_frames_in_little_more_room() {
        let (there, here) = UnixStream::pair().unwrap();
        let mut here = Stream::Unix(here);
        assert_eq!(there.try_write(&[7; 3 * FRAME]).unwrap(), 3 * FRAME);
        let mut intake = Intake::default();
        intake.keep(&[7; 9]);
        let filled = poll_fn(|cx| intake.poll_fill(cx, &mut here, &mut [], FRAME)).await.unwrap();
        assert!(matches!(filled, (Filled::Kept, n) if n == 3 * FRAME));
        assert!(intake.kept.capacity() <= 5 * FRAME, "{} bytes", intake.kept.capacity());
        let mut bytes = intake.take();
        let (first, second) = (bytes.split_to(FRAME), bytes.split_to(FRAME));
        intake.put_back(bytes);
        assert_eq!((first.len(), second.len(), intake.len()), (FRAME, FRAME, FRAME + 9));
        assert_eq!(first.as_ptr().wrapping_add(FRAME), second.as_ptr(), "no copies");
    }

    #[test]
    fn what_nobody_else_uses_is_put_back_without_a_copy() {
        let mut intake = Intake::default();
        intake.keep(&[7; 100]);
        let room = intake.kept.as_ptr();
        let mut bytes = intake.take();
        drop(bytes.split_to(60));
        intake.put_back(bytes);
        assert_eq!((intake.kept.as_ptr(), intake.len()), (room, 40));
    }
}
