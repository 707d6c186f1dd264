//! The line of a client's requests: one place each, answered in any order, delivered in the order they came.
//!
//! A reply for the head of the line goes straight into the outbox; one that comes early is parked until all
//! before it are there. A request that was split has a place that gathers and behind it one for each part.
//! Knows no socket and no clock.

mod gather;

use std::collections::VecDeque;

use bytes::Bytes;

use self::gather::Gather;
use super::outbox::{LARGE, Outbox};
use crate::{command::Command, metrics::ErrorKind};

/// Requests of one client that may be unanswered before no more are taken: more than clients pipeline, and
/// their places cost about a megabyte.
const MAX_PLACES: usize = 16 * 1024;
/// Requests that a new client may have in flight, while little is known of how large its replies are.
const FIRST_WINDOW: usize = 16;
/// Replies of so many bytes do not wait for others.
const HOLD: usize = 16 * 1024;
/// The part that is none: a place without a request, for what follows all that were asked before.
const FOLLOW_UP: u32 = u32::MAX;
/// Room for parked bytes grows to this before those that are no longer needed are squeezed out of it.
const SLACK: usize = 4096;

/// A reply on its way to a client.
pub(super) enum Reply<'a> {
    /// To be copied.
    Copy(&'a [u8]),
    /// To be taken over.
    Own(Bytes),
}

impl Reply<'_> {
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Reply::Copy(bytes) => bytes,
            Reply::Own(bytes) => bytes,
        }
    }
}

/// A delivered reply, as the metrics want it. Times are in nanoseconds of the worker's clock.
pub(super) struct Delivered {
    pub(super) command: Option<&'static Command>,
    pub(super) received: u64,
    pub(super) answered: u64,
    pub(super) error: Option<ErrorKind>,
}

/// One request's place.
struct Place {
    state: State,
    command: Option<&'static Command>,
    received: u64,
    answered: u64,
    /// How many places before this one the gathering place is; 0 for a request of its own.
    part: u32,
    /// How many keys a part has.
    keys: u32,
    /// The client does not want the reply (CLIENT REPLY).
    mute: bool,
    error: Option<ErrorKind>,
}

enum State {
    Waiting,
    /// Answered early: this part of `Line::parked`.
    Parked {
        at: usize,
        len: usize,
    },
    /// Answered early with a large reply. Boxed: there are few, and every place would have room for it.
    ParkedLarge(Box<Bytes>),
    /// Waits for its parts.
    Gathering(Gather),
    /// In the outbox, or a part whose reply was counted.
    Done,
}

/// Invariants: the first `done` places are in the outbox; place `i` has the number `base + i`.
#[derive(Default)]
pub(super) struct Line {
    base: u64,
    places: VecDeque<Place>,
    done: usize,
    waiting: usize,
    /// The number of the first request of the last read.
    batch: u64,
    parked: Vec<u8>,
    /// Bytes of `parked` that are still needed.
    live: usize,
    large: usize,
    /// What the next reply may have, in bytes: the largest seen, slowly forgotten.
    expected: usize,
    pub(super) outbox: Outbox,
}

impl Line {
    /// Requests without a reply.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// Whether no request came behind that at place `number`.
    pub(super) fn is_last(&self, number: u64) -> bool {
        self.base + self.places.len() as u64 == number + 1
    }

    /// The number of the last place.
    pub(super) fn last(&self) -> u64 {
        (self.base + self.places.len() as u64).saturating_sub(1)
    }

    /// Whether the reply of place `number` is in the outbox, or was.
    pub(super) fn is_answered(&self, number: u64) -> bool {
        number < self.base + self.done as u64
    }

    /// Whether place `number` is without its reply.
    pub(super) fn awaits(&self, number: u64) -> bool {
        let index = number.checked_sub(self.base).and_then(|index| usize::try_from(index).ok());
        let place = index.and_then(|index| self.places.get(index));
        place.is_some_and(|place| matches!(place.state, State::Waiting))
    }

    /// The places without their replies.
    pub(super) fn awaited(&self) -> impl Iterator<Item = u64> + '_ {
        let waiting = |place: &Place| matches!(place.state, State::Waiting);
        (self.base..).zip(&self.places).filter(move |(_, place)| waiting(place)).map(|(number, _)| number)
    }

    /// Has `push` follow the replies to all requests so far; false if there is none to follow.
    pub(super) fn follow_up(&mut self, push: &[u8]) -> bool {
        if self.done == self.places.len() {
            return false;
        }
        self.push(State::Waiting, None, 0, false);
        self.waiting -= 1;
        let index = self.places.len() - 1;
        self.places[index].part = FOLLOW_UP;
        self.park(index, Reply::Copy(push));
        true
    }

    /// Whether every request is answered and every reply and message handed on.
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty() && self.outbox.unwritten() == 0
    }

    /// Whether a further request could make more than `limit` bytes of replies wait, as far as can be
    /// foreseen. A new client starts small: each reply delivered tells more of how large they are, and lets one
    /// request more be under way.
    #[inline]
    pub(super) fn is_full(&self, limit: usize) -> bool {
        let window = self.base + FIRST_WINDOW as u64;
        self.waiting > 0
            && (self.places.len() as u64 >= window || self.buffered() + self.waiting * self.expected >= limit)
            || self.buffered() >= limit
            || self.places.len() >= MAX_PLACES
    }

    /// Bytes of replies that wait for the client, in order or not.
    pub(super) fn buffered(&self) -> usize {
        self.outbox.len() + self.live + self.large
    }

    /// The requests from now on came in one read.
    #[inline]
    pub(super) fn begin_batch(&mut self) {
        self.batch = self.base + self.places.len() as u64;
    }

    /// Which read the last requests came in: the number of its first.
    #[inline]
    pub(super) fn batch(&self) -> u64 {
        self.batch
    }

    /// Whether the replies in the outbox had better wait for the next: it is of the same read as the last of
    /// them, and they are few bytes.
    #[inline]
    pub(super) fn holds(&self) -> bool {
        self.done < self.places.len()
            && self.base + self.done as u64 > self.batch
            && self.outbox.unwritten() < HOLD
    }

    /// The next place, for a request received at `received`. Returns its number.
    #[inline]
    pub(super) fn join(&mut self, command: Option<&'static Command>, received: u64, mute: bool) -> u64 {
        self.push(State::Waiting, command, received, mute)
    }

    #[inline]
    fn push(&mut self, state: State, command: Option<&'static Command>, received: u64, mute: bool) -> u64 {
        let number = self.base + self.places.len() as u64;
        self.waiting += 1;
        self.places.push_back(Place {
            state,
            command,
            received,
            answered: 0,
            part: 0,
            keys: 0,
            mute,
            error: None,
        });
        number
    }

    /// Answers place `number`, at `now`.
    #[inline]
    pub(super) fn answer(&mut self, number: u64, reply: Reply<'_>, now: u64) {
        let index = usize::try_from(number - self.base).unwrap_or(usize::MAX);
        let head = self.done;
        let Some(place) = self.places.get_mut(index) else { return };
        debug_assert!(matches!(place.state, State::Waiting));
        place.answered = now;
        self.waiting -= 1;
        self.expected = reply.bytes().len().max(self.expected - self.expected / 8);
        if place.part != 0 {
            self.answer_part(index, reply);
        } else if index == head {
            self.emit(index, reply);
            self.advance();
        } else {
            self.park(index, reply);
        }
    }

    /// Whether replies are in the outbox that were not told of.
    #[inline]
    pub(super) fn has_delivered(&self) -> bool {
        self.done > 0
    }

    /// Tells of each reply that is in the outbox and forgets its place: to be called when the outbox was written.
    #[inline]
    pub(super) fn delivered(&mut self, mut tell: impl FnMut(Delivered)) {
        self.base += self.done as u64;
        for _ in 0..std::mem::take(&mut self.done) {
            let Some(Place { command, received, answered, error, part: 0, .. }) = self.places.pop_front()
            else {
                continue;
            };
            tell(Delivered { command, received, answered, error });
        }
        if self.places.is_empty() {
            // The next goes to the front of the room again, which is in the cache.
            self.places.clear();
        }
    }

    /// Gives back memory that is not in use.
    pub(super) fn shrink(&mut self) {
        if self.places.is_empty() {
            self.places = VecDeque::new();
            self.parked = Vec::new();
            self.outbox.shrink();
        }
    }

    #[inline]
    fn emit(&mut self, index: usize, reply: Reply<'_>) {
        let place = &mut self.places[index];
        place.state = State::Done;
        place.error = error_of(reply.bytes());
        if place.mute {
            return;
        }
        match reply {
            Reply::Copy(bytes) => self.outbox.append(bytes),
            Reply::Own(bytes) => self.outbox.append_owned(bytes),
        }
    }

    /// Delivers what is now at the head of the line, from the place behind the one just delivered.
    #[inline]
    fn advance(&mut self) {
        self.done += 1;
        while let Some(place) = self.places.get_mut(self.done) {
            match &place.state {
                State::Waiting => return,
                State::Gathering(gather) if gather.left > 0 => return,
                State::Gathering(_) => self.emit_gathered(self.done),
                _ => self.emit_parked(self.done),
            }
            self.done += 1;
        }
    }

    fn emit_parked(&mut self, index: usize) {
        match std::mem::replace(&mut self.places[index].state, State::Done) {
            State::Parked { at, len } => {
                let parked = std::mem::take(&mut self.parked);
                self.emit(index, Reply::Copy(&parked[at..at + len]));
                self.parked = parked;
                self.unpark(len);
            }
            State::ParkedLarge(bytes) => {
                self.large -= bytes.len();
                self.emit(index, Reply::Own(*bytes));
            }
            _ => {}
        }
    }

    fn park(&mut self, index: usize, reply: Reply<'_>) {
        let state = match reply {
            Reply::Own(bytes) if bytes.len() >= LARGE => {
                self.large += bytes.len();
                State::ParkedLarge(Box::new(bytes))
            }
            reply => {
                let bytes = reply.bytes();
                self.make_room(bytes.len());
                let at = self.parked.len();
                self.parked.extend_from_slice(bytes);
                self.live += bytes.len();
                State::Parked { at, len: bytes.len() }
            }
        };
        self.places[index].state = state;
    }

    fn unpark(&mut self, len: usize) {
        self.live -= len;
        if self.live == 0 {
            self.parked.clear();
        }
    }

    /// Makes room to park `more` bytes: before the room grows, what is still needed of it is moved together, if that
    /// is less than half.
    #[inline]
    fn make_room(&mut self, more: usize) {
        let parked = self.parked.len();
        if parked + more > self.parked.capacity() && parked > SLACK && parked > 2 * self.live {
            self.squeeze(more);
        }
    }

    fn squeeze(&mut self, more: usize) {
        let mut kept = Vec::with_capacity((2 * self.live + more).max(SLACK));
        for place in &mut self.places {
            if let State::Parked { at, len } = &mut place.state {
                let start = kept.len();
                kept.extend_from_slice(&self.parked[*at..*at + *len]);
                *at = start;
            }
        }
        self.parked = kept;
    }
}

#[inline]
fn error_of(reply: &[u8]) -> Option<ErrorKind> {
    match reply {
        [b'-', line @ ..] => Some(ErrorKind::of(line)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
