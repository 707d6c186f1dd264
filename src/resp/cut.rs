//! Finds where a stream of well-formed requests may be cut, so that streams can be woven into one.
//!
//! For requests that [`super::RequestParser`] has seen already: knows neither limits nor arguments. Holds no
//! bytes, so a request of any length passes in pieces. Invariant: a cut lies between two requests, or in one
//! that is too long to be held until it is whole; never between an ASKING and the request it speaks of. It sees no
//! transactions: streams that hold some are not woven.

use super::int::{Line, number_line};

/// The request that speaks of the one behind it, as slotway writes it.
pub const ASKING: &[u8] = b"*1\r\n$6\r\nASKING\r\n";
/// A request that goes on beyond so many bytes is passed on before it is whole.
pub const HELD: usize = 16 * 1024;

/// The bytes are no requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no request where one must begin")]
pub struct CutError;

/// What of some bytes may go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cut {
    /// So many bytes from the start.
    pub len: usize,
    /// Requests that end within them.
    pub requests: usize,
}

/// Cuts one stream of requests.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cutter {
    /// Arguments of the request whose headers are still to come.
    args: u64,
    /// Bytes that follow unseen: the rest of an argument.
    body: usize,
}

impl Cutter {
    /// Whether the last cut lies in a request.
    pub fn is_open(&self) -> bool {
        self.args > 0 || self.body > 0
    }

    /// Looks at what follows the last cut; what is not cut off must be given again with more behind it.
    ///
    /// # Errors
    /// When the bytes are no requests.
    pub fn cut(&mut self, bytes: &[u8]) -> Result<Cut, CutError> {
        let (mut walk, mut within) = (*self, self.is_open());
        let (mut at, mut begin, mut requests, mut cut) = (0, 0, 0, Cut::default());
        while let Some(next) = walk.step(bytes, at)? {
            at = next;
            if !walk.is_open() {
                requests += 1;
                // The rest of one that was cut may read like any other.
                let request = if std::mem::take(&mut within) { &[] } else { &bytes[begin..at] };
                if request != ASKING {
                    cut = Cut { len: at, requests };
                    *self = walk;
                }
                begin = at;
            }
        }
        if walk.is_open() && (within || at - begin >= HELD) {
            cut = Cut { len: at, requests };
            *self = walk;
        }
        Ok(cut)
    }

    /// Steps over a header or over what is there of an argument. Returns where that ends, or nothing when
    /// more bytes are needed.
    fn step(&mut self, bytes: &[u8], at: usize) -> Result<Option<usize>, CutError> {
        let Some(&kind) = bytes.get(at) else { return Ok(None) };
        if self.body > 0 {
            let there = self.body.min(bytes.len() - at);
            self.body -= there;
            return Ok(Some(at + there));
        }
        if kind != if self.args > 0 { b'$' } else { b'*' } {
            return Err(CutError);
        }
        let (number, next) = match number_line(bytes, at + 1) {
            Line::Incomplete => return Ok(None),
            Line::Bad => return Err(CutError),
            Line::Number(number, next) => (number, next),
        };
        if self.args > 0 {
            self.args -= 1;
            self.body = usize::try_from(number).map_err(|_| CutError)?.checked_add(2).ok_or(CutError)?;
        } else {
            self.args = u64::try_from(number).ok().filter(|&args| args > 0).ok_or(CutError)?;
        }
        Ok(Some(next))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::resp::encode_request;

    /// The pieces that a cutter passes on of `stream`, given `step` bytes more at a time.
    fn pieces(stream: &[u8], step: usize) -> Vec<(Vec<u8>, usize)> {
        let (mut cutter, mut kept, mut found) = (Cutter::default(), Vec::new(), Vec::new());
        for chunk in stream.chunks(step) {
            kept.extend_from_slice(chunk);
            let cut = cutter.cut(&kept).unwrap();
            if cut.len > 0 {
                found.push((kept.drain(..cut.len).collect(), cut.requests));
            }
            // An ASKING is held with the request behind it, and so is a header that is not whole.
            let most = HELD + ASKING.len() + "$18446744073709551615\r\n".len() + step;
            assert!(kept.len() < most, "{} bytes are held", kept.len());
        }
        assert!(kept.is_empty() && !cutter.is_open());
        found
    }

    fn encoded(args: &[&str]) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode_request(&mut bytes, args);
        bytes
    }

    #[test]
    fn short_requests_pass_whole() {
        let get = encoded(&["GET", "k"]);
        let stream = get.repeat(3);
        assert_eq!(pieces(&stream, stream.len()), [(stream.clone(), 3)]);
        assert_eq!(pieces(&stream, 1), vec![(get, 1); 3]);
    }

    #[test]
    fn asking_passes_with_what_it_speaks_of() {
        let pair = [ASKING, &encoded(&["GET", "k"])].concat();
        for step in 1..=pair.len() {
            assert_eq!(pieces(&pair, step), [(pair.clone(), 2)], "{step} bytes at a time");
        }
        let other = encoded(&["DBSIZE"]);
        assert_eq!(pieces(&other, other.len()), [(other.clone(), 1)]);
    }

    #[test]
    fn the_rest_of_a_long_request_is_not_taken_for_a_request() {
        // 1. A long value ends in what reads like ASKING.
        // 2. Its request passes in two pieces, the second of which is just that end.
        // 3. It was held for ever.
        let value = "v".repeat(HELD) + std::str::from_utf8(ASKING).unwrap().trim_end();
        let request = encoded(&["SET", "k", &value]);
        let (first, rest) = request.split_at(request.len() - ASKING.len());
        assert_eq!(rest, ASKING);
        let mut cutter = Cutter::default();
        assert_eq!(cutter.cut(first), Ok(Cut { len: first.len(), requests: 0 }));
        assert!(cutter.is_open());
        assert_eq!(cutter.cut(rest), Ok(Cut { len: rest.len(), requests: 1 }));
        assert!(!cutter.is_open());
    }

    #[test]
    fn a_long_request_passes_in_pieces_and_asking_with_its_first() {
        let long = encoded(&["SET", "k", &"v".repeat(10 * HELD)]);
        let stream = [ASKING, &long, ASKING, &encoded(&["GET", "k"])].concat();
        let found = pieces(&stream, 1000);
        assert!(found[0].0.starts_with(ASKING) && found[0].0.len() > ASKING.len());
        assert_eq!(found[0].1, 1, "the ASKING");
        assert!(found.len() > 100);
        assert_eq!(found.iter().map(|(_, requests)| requests).sum::<usize>(), 4);
    }

    #[test]
    fn what_is_no_request_is_an_error() {
        for bytes in ["PING\r\n", "*0\r\n", "*-1\r\n", "*x\r\n", "*1\r\n:1\r\n", "*1\r\n$-1\r\n"] {
            assert_eq!(Cutter::default().cut(bytes.as_bytes()), Err(CutError), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn all_bytes_pass_in_order_at_any_step(
            sizes in prop::collection::vec((0_usize..4, prop::sample::select(vec![0, 1, 9, HELD - 40, HELD, 3 * HELD])), 1..8),
            step in 1_usize..(2 * HELD),
        ) {
            let (mut stream, mut count) = (Vec::new(), 0);
            for (kind, size) in sizes {
                if kind == 0 {
                    stream.extend_from_slice(ASKING);
                    count += 1;
                }
                stream.extend(encoded(&["SET", &"k".repeat(kind), &"v".repeat(size)]));
                count += 1;
            }
            let found = pieces(&stream, step);
            prop_assert_eq!(found.iter().map(|(_, requests)| requests).sum::<usize>(), count);
            prop_assert_eq!(found.into_iter().flat_map(|(bytes, _)| bytes).collect::<Vec<_>>(), stream);
        }
    }
}
