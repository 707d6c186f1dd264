//! Requests over many slots, cut into parts that each go to one slot, and how their replies become one.
//!
//! A part is a run of neighbouring keys of one slot, so parts keep the order of the keys and their
//! replies need only be strung together. Keys of one slot in two runs go to the same node in order.

use super::Fold;
use crate::{cluster::Slot, command::SplitKind, resp::Request};

/// How the replies to the parts become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// Arrays strung together (MGET).
    Concat,
    /// Integers added up (DEL, UNLINK, EXISTS, TOUCH).
    Sum,
    /// `+OK` when all are (MSET).
    Ok,
    /// Arrays of any length strung together (KEYS).
    Chain,
    /// All replies looked at together, errors too.
    Fold(Fold),
}

/// One part: the arguments `first..end` of the request, all of `slot`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Where it goes.
    pub slot: Slot,
    first: usize,
    end: usize,
}

/// The parts of `request`, in the order of its keys. Yields one part when all keys are of one slot.
pub fn parts<'a>(kind: SplitKind, request: Request<'a>) -> impl Iterator<Item = Part> + Clone + use<'a> {
    let step = step(kind);
    let slot_at = move |index| request.arg(index).map(Slot::of);
    let (mut first, mut next) = (1, None);
    std::iter::from_fn(move || {
        // The key that ended the part before begins this one: its slot is known.
        let slot = next.take().or_else(|| slot_at(first))?;
        let mut end = first + step;
        next = slot_at(end);
        while next == Some(slot) {
            end += step;
            next = slot_at(end);
        }
        let part = Part { slot, first, end: end.min(request.argc()) };
        first = end;
        Some(part)
    })
}

fn step(kind: SplitKind) -> usize {
    if kind == SplitKind::Mset { 2 } else { 1 }
}

impl Part {
    /// How many keys it has, for a command whose keys stand `step` arguments apart.
    pub fn keys(&self, kind: SplitKind) -> u32 {
        // A request has at most 1,048,576 arguments.
        u32::try_from((self.end - self.first) / step(kind)).unwrap_or(u32::MAX)
    }

    /// How long it is at most as a request of its own, in bytes.
    pub fn size(&self, request: Request<'_>) -> usize {
        request.wire(self.first, self.end).len() + request.name().len() + 64
    }

    /// Appends the part as a request of its own. Returns its length.
    pub fn encode(&self, request: Request<'_>, out: &mut Vec<u8>) -> usize {
        let before = out.len();
        let name = request.name();
        let mut digits = itoa::Buffer::new();
        out.push(b'*');
        out.extend_from_slice(digits.format(self.end - self.first + 1).as_bytes());
        out.extend_from_slice(b"\r\n$");
        out.extend_from_slice(digits.format(name.len()).as_bytes());
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(name);
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(request.wire(self.first, self.end));
        out.len() - before
    }
}

impl From<SplitKind> for Merge {
    fn from(kind: SplitKind) -> Self {
        match kind {
            SplitKind::Mget => Self::Concat,
            SplitKind::Mset => Self::Ok,
            SplitKind::Sum => Self::Sum,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::{Limits, RequestParser, Scanned, encode_request};

    fn split(kind: SplitKind, args: &[&str]) -> Vec<String> {
        let (mut bytes, mut parser) = (Vec::new(), RequestParser::default());
        encode_request(&mut bytes, args);
        let limits = Limits { max_bulk: 1 << 20, max_frame: 1 << 20, authenticated: true };
        let Ok(Scanned::Request(len)) = parser.scan(&bytes, &limits) else { panic!("not a request") };
        let request = parser.request(&bytes, len);
        parts(kind, request)
            .map(|part| {
                let mut out = Vec::new();
                assert_eq!(part.encode(request, &mut out), out.len());
                String::from_utf8(out).unwrap()
            })
            .collect()
    }

    #[test]
    fn keys_go_in_runs_of_one_slot() {
        let got = split(SplitKind::Mget, &["mget", "{a}1", "{a}2", "{b}1", "{a}3"]);
        assert_eq!(
            got,
            [
                "*3\r\n$4\r\nmget\r\n$4\r\n{a}1\r\n$4\r\n{a}2\r\n",
                "*2\r\n$4\r\nmget\r\n$4\r\n{b}1\r\n",
                "*2\r\n$4\r\nmget\r\n$4\r\n{a}3\r\n"
            ]
        );
        assert_eq!(split(SplitKind::Sum, &["DEL", "{a}1", "{a}2"]).len(), 1);
    }

    #[test]
    fn values_stay_with_their_keys() {
        let got = split(SplitKind::Mset, &["MSET", "a", "1", "b", "22"]);
        assert_eq!(
            got,
            ["*3\r\n$4\r\nMSET\r\n$1\r\na\r\n$1\r\n1\r\n", "*3\r\n$4\r\nMSET\r\n$1\r\nb\r\n$2\r\n22\r\n"]
        );
    }
}
