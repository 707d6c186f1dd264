//! One connection to a node and the lanes that share it: requests of the lanes are woven into one stream,
//! and each reply goes back to the lane whose request is the oldest. Long ones pass in pieces.
//!
//! Knows sockets only as [`Stream`]s. Invariant: `due` names, in the order of the requests written, the lane
//! of each whose reply has not come; while a lane's request is half written no other lane is read.

use std::{
    collections::VecDeque,
    io,
    task::{Context, Poll},
};

use super::super::{
    intake::{Filled, Intake},
    outbox::Outbox,
    stream::Stream,
};
use crate::resp::{Cutter, ReplyScanner};

/// Requests that wait for the socket before lanes are no longer read, in bytes: enough for a full write.
const MAX_UNWRITTEN: usize = 256 * 1024;
/// Replies that wait for one lane before the node is no longer read, in bytes. Workers always read their
/// lanes, so this much comes together only while one's thread does not run.
const MAX_BACKLOG: usize = 1024 * 1024;
/// What is needed to know of a frame's length: long ones are passed on in pieces.
const ANY: usize = 1;

/// The connection is of no more use: lost, or the node sent what is no reply, or a lane left in the middle of
/// a request.
#[derive(Debug)]
pub(super) struct Ended;

impl From<io::Error> for Ended {
    fn from(_: io::Error) -> Self {
        Self
    }
}

/// A connection to a node with its lanes.
pub(super) struct Joint {
    node: Stream,
    outbox: Outbox,
    intake: Intake,
    scanner: ReplyScanner,
    lanes: Vec<Lane>,
    due: VecDeque<Run>,
    /// The lane that is read first, each in turn.
    first: usize,
}

/// One worker's part of the connection.
#[derive(Default)]
struct Lane {
    /// None once the worker has let go of it.
    stream: Option<Stream>,
    intake: Intake,
    cutter: Cutter,
    outbox: Outbox,
    /// Replies that have not come yet.
    due: usize,
}

/// Replies to come one after the other for the same lane.
struct Run {
    lane: usize,
    count: usize,
}

impl Joint {
    pub(super) fn new(node: Stream) -> Self {
        Self {
            node,
            outbox: Outbox::default(),
            intake: Intake::default(),
            scanner: ReplyScanner::default(),
            lanes: Vec::new(),
            due: VecDeque::new(),
            first: 0,
        }
    }

    /// Takes `stream` as a lane, in a place that nobody has any more.
    pub(super) fn add(&mut self, stream: Stream) {
        let lane = Lane { stream: Some(stream), ..Lane::default() };
        match self.lanes.iter_mut().find(|lane| lane.is_over()) {
            Some(place) => *place = lane,
            None => self.lanes.push(lane),
        }
    }

    /// Whether no worker uses it.
    pub(super) fn is_unused(&self) -> bool {
        self.lanes.iter().all(|lane| lane.stream.is_none())
    }

    /// Whether the node owes a reply.
    pub(super) fn waits(&self) -> bool {
        !self.due.is_empty()
    }

    /// Gives memory back that nothing uses now.
    pub(super) fn shrink(&mut self) {
        if self.due.is_empty() {
            self.outbox.shrink();
            self.due = VecDeque::new();
        }
        self.lanes.iter_mut().for_each(|lane| lane.outbox.shrink());
    }

    /// Moves requests from the lanes to the node, as far as both sides allow. True if there may be more.
    pub(super) fn write(&mut self, cx: &mut Context<'_>, scratch: &mut [u8]) -> Result<bool, Ended> {
        let mut moved = false;
        if let Some(open) = self.lanes.iter().position(|lane| lane.cutter.is_open()) {
            moved |= self.read_lane(cx, open, scratch)?;
        } else {
            let count = self.lanes.len();
            self.first = (self.first + 1) % count.max(1);
            for place in 0..count {
                let place = (self.first + place) % count;
                moved |= self.read_lane(cx, place, scratch)?;
                if self.lanes[place].cutter.is_open() {
                    break;
                }
            }
        }
        let was_full = self.is_full();
        self.flush(cx)?;
        Ok(moved || (was_full && !self.is_full()))
    }

    fn is_full(&self) -> bool {
        self.outbox.unwritten() >= MAX_UNWRITTEN
    }

    /// Reads lane `place` once. True if something came.
    fn read_lane(&mut self, cx: &mut Context<'_>, place: usize, scratch: &mut [u8]) -> Result<bool, Ended> {
        let full = self.is_full();
        let lane = &mut self.lanes[place];
        let Some(stream) = lane.stream.as_mut().filter(|_| !full) else { return Ok(false) };
        let Poll::Ready(filled) = lane.intake.poll_fill(cx, stream, scratch, ANY) else { return Ok(false) };
        match filled?.0 {
            Filled::End if lane.cutter.is_open() => return Err(Ended),
            Filled::End => lane.leave(),
            Filled::Scratch(len) => self.weave(place, &scratch[..len])?,
            Filled::Part => {}
            Filled::Kept => {
                let bytes = lane.intake.take();
                self.weave(place, &bytes)?;
            }
        }
        Ok(true)
    }

    /// Takes of `bytes`, which lane `place` sent, what may go on now.
    fn weave(&mut self, place: usize, bytes: &[u8]) -> Result<(), Ended> {
        let lane = &mut self.lanes[place];
        let cut = lane.cutter.cut(bytes).map_err(|_| Ended)?;
        lane.intake.keep(&bytes[cut.len..]);
        lane.due += cut.requests;
        self.outbox.append(&bytes[..cut.len]);
        self.owe(place, cut.requests);
        Ok(())
    }

    /// The next replies after all others are for lane `lane`.
    fn owe(&mut self, lane: usize, count: usize) {
        match self.due.back_mut() {
            _ if count == 0 => {}
            Some(run) if run.lane == lane => run.count += count,
            _ => self.due.push_back(Run { lane, count }),
        }
    }

    fn flush(&mut self, cx: &mut Context<'_>) -> Result<(), Ended> {
        while self.outbox.unwritten() > 0 {
            let Poll::Ready(written) = self.outbox.write(|slices| self.node.poll_write(cx, slices)) else {
                break;
            };
            let written = written?;
            if written == 0 {
                return Err(Ended);
            }
            self.outbox.release(written);
        }
        Ok(())
    }

    /// Moves replies from the node to the lanes, as far as both sides allow. True if there may be more.
    pub(super) fn read(&mut self, cx: &mut Context<'_>, scratch: &mut [u8]) -> Result<bool, Ended> {
        let (mut moved, held_back) = (false, self.is_held_back());
        if !held_back && let Poll::Ready(filled) = self.intake.poll_fill(cx, &mut self.node, scratch, ANY) {
            self.sort_filled(filled?.0, scratch)?;
            moved = true;
        }
        for lane in &mut self.lanes {
            lane.flush(cx);
        }
        Ok(moved || (held_back && !self.is_held_back()))
    }

    /// Whether some lane has too much to take first.
    fn is_held_back(&self) -> bool {
        self.lanes.iter().any(|lane| lane.outbox.len() >= MAX_BACKLOG)
    }

    fn sort_filled(&mut self, filled: Filled, scratch: &[u8]) -> Result<(), Ended> {
        match filled {
            Filled::End => Err(Ended),
            Filled::Scratch(len) => self.sort(&scratch[..len]),
            Filled::Part => Ok(()),
            Filled::Kept => {
                let bytes = self.intake.take();
                self.sort(&bytes)
            }
        }
    }

    /// Gives each reply in `bytes` to its lane; of one that goes on, what is there. Keeps what is not
    /// understood yet.
    fn sort(&mut self, bytes: &[u8]) -> Result<(), Ended> {
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            let Some(reply) = self.scanner.scan(rest).map_err(|_| Ended)? else {
                let len = self.scanner.pass(rest.len());
                if len > 0 && self.scanner.kind() != b'>' {
                    self.deliver(&rest[..len])?;
                }
                at += len;
                break;
            };
            // Nobody subscribed here: a push is news for no lane.
            if reply.kind != b'>' {
                self.deliver(&rest[..reply.len])?;
                self.settle();
            }
            at += reply.len;
        }
        self.intake.keep(&bytes[at..]);
        Ok(())
    }

    /// Gives `bytes` to the lane whose request is the oldest, unless its worker has let go of it.
    fn deliver(&mut self, bytes: &[u8]) -> Result<(), Ended> {
        let lane = &mut self.lanes[self.due.front().ok_or(Ended)?.lane];
        if lane.stream.is_some() {
            lane.outbox.append(bytes);
        }
        Ok(())
    }

    /// The reply to the oldest request is whole.
    fn settle(&mut self) {
        if let Some(run) = self.due.front_mut() {
            run.count -= 1;
            self.lanes[run.lane].due -= 1;
            if run.count == 0 {
                self.due.pop_front();
            }
        }
    }
}

impl Lane {
    /// Whether it is gone and nothing more can come for it.
    fn is_over(&self) -> bool {
        self.stream.is_none() && self.due == 0
    }

    /// The worker has let go of it: replies that are due are dropped when they come.
    fn leave(&mut self) {
        self.stream = None;
        self.outbox = Outbox::default();
        self.intake = Intake::default();
    }

    fn flush(&mut self, cx: &mut Context<'_>) {
        while let Some(stream) = self.stream.as_mut().filter(|_| self.outbox.unwritten() > 0) {
            match self.outbox.write(|slices| stream.poll_write(cx, slices)) {
                Poll::Pending => break,
                Poll::Ready(Ok(written)) if written > 0 => {
                    self.outbox.release(written);
                }
                // What it has sent before is read yet; its end is seen there.
                Poll::Ready(_) => {
                    self.outbox = Outbox::default();
                    break;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
