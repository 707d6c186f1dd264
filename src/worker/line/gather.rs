//! A request that was split: a place that gathers, and behind it one for each part. The parts' replies wait
//! there until all have come, then one reply is made of them.

use super::{Line, Place, Reply, State};
use crate::{command::Command, routing::Merge};

/// What the parts of a split request amount to so far.
pub(super) struct Gather {
    merge: Merge,
    keys: u32,
    parts: u32,
    pub(super) left: u32,
    /// Integers added up, or elements of arrays of any length.
    sum: i64,
    /// The first part that failed: how far behind the gathering place; 0 if none did.
    failed: u32,
}

impl Line {
    /// Places for a request in parts of so many keys each. Returns the number of the first part; the others
    /// follow.
    pub(in crate::worker) fn join_split(
        &mut self,
        command: &'static Command,
        received: u64,
        mute: bool,
        merge: Merge,
        parts: impl Iterator<Item = u32>,
    ) -> u64 {
        let gathering = self.places.len();
        let gather = Gather { merge, keys: 0, parts: 0, left: 0, sum: 0, failed: 0 };
        let first = self.push(State::Gathering(gather), Some(command), received, mute) + 1;
        for (part, keys) in (1..).zip(parts) {
            self.push(State::Waiting, None, received, false);
            let place = self.places.len() - 1;
            (self.places[place].part, self.places[place].keys) = (part, keys);
            if let Some(gather) = self.gather(gathering) {
                gather.keys += keys;
                (gather.parts, gather.left) = (part, part);
            }
        }
        first
    }

    pub(super) fn answer_part(&mut self, index: usize, reply: Reply<'_>) {
        let Place { part, keys, .. } = self.places[index];
        let gathering = index - part as usize;
        let answered = self.places[index].answered;
        let Some(merge) = self.gather(gathering).map(|g| g.merge) else { return };
        let wrong = match (merge, reply.bytes()) {
            (Merge::Concat, [b'*', count @ ..]) if number(count) == i64::from(keys) => {
                self.park(index, reply);
                false
            }
            (Merge::Sum, [b':', digits @ ..]) => {
                let n = number(digits);
                self.places[index].state = State::Done;
                if let Some(gather) = self.gather(gathering) {
                    gather.sum = gather.sum.saturating_add(n);
                }
                false
            }
            (Merge::Ok, [b'+', ..]) => {
                self.places[index].state = State::Done;
                false
            }
            (Merge::Chain, [b'*', count @ ..]) => {
                let n = number(count).max(0);
                self.park(index, reply);
                if let Some(gather) = self.gather(gathering) {
                    gather.sum = gather.sum.saturating_add(n);
                }
                false
            }
            (Merge::Fold(_), _) => {
                self.park(index, reply);
                false
            }
            (_, [b'-', ..]) => {
                self.park(index, reply);
                true
            }
            _ => {
                self.park(index, Reply::Copy(b"-ERR unexpected reply to a part of the command\r\n"));
                true
            }
        };
        self.places[gathering].answered = answered;
        let Some(gather) = self.gather(gathering) else { return };
        if wrong {
            gather.failed = if gather.failed == 0 { part } else { part.min(gather.failed) };
        }
        gather.left -= 1;
        if gather.left == 0 {
            self.waiting -= 1;
            if gathering == self.done {
                self.emit_gathered(gathering);
                self.advance();
            }
        }
    }

    fn gather(&mut self, index: usize) -> Option<&mut Gather> {
        match &mut self.places.get_mut(index)?.state {
            State::Gathering(gather) => Some(gather),
            _ => None,
        }
    }

    /// Delivers a split request, all of whose parts are there; leaves `done` at its last part but one step.
    pub(super) fn emit_gathered(&mut self, index: usize) {
        let State::Gathering(gather) = std::mem::replace(&mut self.places[index].state, State::Done) else {
            return;
        };
        let parts = gather.parts as usize;
        match (gather.failed, gather.merge) {
            (1.., _) => {
                let error = self.parked_at(index + gather.failed as usize).to_vec();
                self.emit(index, Reply::Own(error.into()));
            }
            (0, Merge::Ok) => self.emit(index, Reply::Copy(b"+OK\r\n")),
            (0, Merge::Sum) => self.emit(index, Reply::Copy(format!(":{}\r\n", gather.sum).as_bytes())),
            (0, Merge::Concat) => self.emit_array(index, parts, i64::from(gather.keys)),
            (0, Merge::Chain) => self.emit_array(index, parts, gather.sum),
            (0, Merge::Fold(fold)) => {
                let replies: Vec<&[u8]> = (1..=parts).map(|part| self.parked_at(index + part)).collect();
                let reply = fold.of(&replies);
                self.emit(index, Reply::Own(reply.into()));
            }
        }
        self.forget_parts(index, parts);
        self.done += parts;
    }

    /// Delivers one array of the `len` elements of all parts' arrays.
    fn emit_array(&mut self, index: usize, parts: usize, len: i64) {
        self.emit(index, Reply::Copy(format!("*{len}\r\n").as_bytes()));
        if self.places[index].mute {
            return;
        }
        for place in self.places.range(index + 1..=index + parts) {
            let array = match &place.state {
                State::Parked { at, len } => &self.parked[*at..*at + *len],
                State::ParkedLarge(bytes) => bytes,
                _ => continue,
            };
            let header = memchr::memchr(b'\n', array).map_or(array.len(), |end| end + 1);
            self.outbox.append(&array[header..]);
        }
    }

    fn parked_at(&self, index: usize) -> &[u8] {
        match &self.places[index].state {
            State::Parked { at, len } => &self.parked[*at..*at + *len],
            State::ParkedLarge(bytes) => bytes,
            _ => b"-ERR a part of the command failed\r\n",
        }
    }

    fn forget_parts(&mut self, index: usize, parts: usize) {
        let mut freed = 0;
        for place in self.places.range_mut(index + 1..=index + parts) {
            match std::mem::replace(&mut place.state, State::Done) {
                State::Parked { len, .. } => freed += len,
                State::ParkedLarge(bytes) => self.large -= bytes.len(),
                _ => {}
            }
        }
        self.unpark(freed);
    }
}

/// The number that the first line of `bytes` is; 0 if it is none.
fn number(bytes: &[u8]) -> i64 {
    let line = bytes.split(|&byte| byte == b'\r').next().unwrap_or_default();
    std::str::from_utf8(line).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}
