//! Bytes on their way in: read into the worker's scratch room, and kept only while a frame is incomplete.
//!
//! A long frame is read where it stays, so that it can be handed on without a copy.

use std::{
    io,
    task::{Context, Poll, ready},
};

use super::stream::Stream;

/// What each worker reads into.
pub(super) const SCRATCH: usize = 64 * 1024;
/// A frame that needs more than this is read where it stays.
const IN_PLACE: usize = 16 * 1024;
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
            let most = needs.saturating_sub(have).clamp(IN_PLACE.max(have / 4), STEP.max(have));
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
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.kept)
    }

    /// Keeps `bytes` without the first `consumed`.
    pub(super) fn put_back(&mut self, mut bytes: Vec<u8>, consumed: usize) {
        bytes.drain(..consumed.min(bytes.len()));
        self.kept = bytes;
    }

    /// Gives memory back if nothing waits.
    pub(super) fn shrink(&mut self) {
        if self.kept.is_empty() {
            self.kept = Vec::new();
        }
    }
}
