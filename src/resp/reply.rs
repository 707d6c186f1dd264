//! Finds where replies end in what a node sent: all RESP2 and RESP3 types, nested, attributes and pushes
//! included. Builds no tree: nesting is one count of values still to come.

use super::int::{Line, number_line};

/// Longest simple string, error, number or verbatim line: nodes write a few hundred bytes.
const MAX_LINE: usize = 1024 * 1024;

/// Most values of one array, map or set: as many as a Redis list can hold.
const MAX_VALUES: u64 = u32::MAX as u64;

/// What a node sent is no RESP; its connection is of no more use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the node's bytes are no RESP reply")]
pub struct ReplyError;

/// A reply that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Its length in bytes, attributes before it included.
    pub len: usize,
    /// Its type byte: that of the value behind any attributes.
    pub kind: u8,
}

/// Scans one reply at a time, from its first byte; resumable at any cut.
#[derive(Debug)]
pub struct ReplyScanner {
    /// First byte not yet understood; may lie past the bytes seen, when a long string is awaited.
    at: usize,
    /// Values still to come before the reply ends.
    pending: u64,
    /// Type byte of the reply, 0 until it is seen.
    kind: u8,
}

impl Default for ReplyScanner {
    fn default() -> Self {
        Self { at: 0, pending: 1, kind: 0 }
    }
}

impl ReplyScanner {
    /// Looks for one reply at the start of `bytes`: nothing while it goes on, and then the next call must
    /// give the same bytes with more behind them.
    ///
    /// # Errors
    /// When the bytes are no RESP.
    #[inline]
    pub fn scan(&mut self, bytes: &[u8]) -> Result<Option<Reply>, ReplyError> {
        while self.pending > 0 {
            if self.at > bytes.len() {
                return Ok(None);
            }
            if !self.value(bytes)? {
                return Ok(None);
            }
        }
        if self.at > bytes.len() {
            return Ok(None);
        }
        let found = Reply { len: self.at, kind: self.kind };
        *self = Self::default();
        Ok(Some(found))
    }

    /// How many of the `seen` bytes, for which [`Self::scan`] found no end, need not be given again: they are
    /// understood, and of a reply whose [`Self::kind`] is known. They may go on before the reply is whole, and
    /// count no more towards its length.
    pub fn pass(&mut self, seen: usize) -> usize {
        let understood = if self.kind == 0 { 0 } else { self.at.min(seen) };
        self.at -= understood;
        understood
    }

    /// The type byte of the reply under way; 0 before it was seen.
    pub fn kind(&self) -> u8 {
        self.kind
    }

    /// How long the reply is at least: more than was seen where a long string is awaited.
    pub fn needs(&self) -> usize {
        self.at + usize::from(self.pending > 0)
    }

    /// Steps over one value, or over the header of one that holds others. False when its line goes on.
    #[inline]
    fn value(&mut self, bytes: &[u8]) -> Result<bool, ReplyError> {
        let Some(&kind) = bytes.get(self.at) else { return Ok(false) };
        let next = match kind {
            b'+' | b'-' | b':' | b'_' | b',' | b'#' | b'(' => {
                line_end(bytes, self.at + 1)?.map(|end| (end, 0))
            }
            b'$' | b'=' | b'!' => string_end(bytes, self.at + 1)?.map(|end| (end, 0)),
            b'*' | b'~' | b'>' => count(bytes, self.at + 1, 1)?,
            b'%' => count(bytes, self.at + 1, 2)?,
            // An attribute stands before the value it speaks of and is not a value itself.
            b'|' => count(bytes, self.at + 1, 2)?.map(|(end, values)| (end, values + 1)),
            _ => return Err(ReplyError),
        };
        let Some((end, values)) = next else { return Ok(false) };
        if self.kind == 0 && self.pending == 1 && kind != b'|' {
            self.kind = kind;
        }
        self.at = end;
        self.pending = (self.pending - 1).checked_add(values).ok_or(ReplyError)?;
        Ok(true)
    }
}

/// The end of the line at `at`, its CRLF included.
#[inline]
fn line_end(bytes: &[u8], at: usize) -> Result<Option<usize>, ReplyError> {
    let rest = bytes.get(at..).unwrap_or_default();
    match memchr::memchr(b'\r', rest) {
        None if rest.len() > MAX_LINE => Err(ReplyError),
        None => Ok(None),
        Some(cr) => match rest.get(cr + 1) {
            None => Ok(None),
            Some(b'\n') => Ok(Some(at + cr + 2)),
            Some(_) => Err(ReplyError),
        },
    }
}

/// The end of the string whose length is at `at`; a null (`-1`) ends with its line.
#[inline]
fn string_end(bytes: &[u8], at: usize) -> Result<Option<usize>, ReplyError> {
    match number_line(bytes, at) {
        Line::Incomplete => Ok(None),
        Line::Number(-1, next) => Ok(Some(next)),
        Line::Number(len, next) => {
            let len = usize::try_from(len).map_err(|_| ReplyError)?;
            next.checked_add(len).and_then(|end| end.checked_add(2)).map(Some).ok_or(ReplyError)
        }
        Line::Bad => Err(ReplyError),
    }
}

/// The end of the header at `at` and how many values it announces, `each` to one of its count.
#[inline]
fn count(bytes: &[u8], at: usize, each: u64) -> Result<Option<(usize, u64)>, ReplyError> {
    match number_line(bytes, at) {
        Line::Incomplete => Ok(None),
        Line::Number(-1, next) => Ok(Some((next, 0))),
        Line::Number(count, next) => {
            let count = u64::try_from(count).ok().filter(|&n| n <= MAX_VALUES).ok_or(ReplyError)?;
            Ok(Some((next, count * each)))
        }
        Line::Bad => Err(ReplyError),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(stream: &[u8], step: usize) -> Result<Vec<Reply>, ReplyError> {
        let (mut scanner, mut found, mut begin, mut seen) = (ReplyScanner::default(), Vec::new(), 0, 0);
        while seen < stream.len() {
            seen = (seen + step).min(stream.len());
            while let Some(reply) = scanner.scan(&stream[begin..seen])? {
                begin += reply.len;
                found.push(reply);
            }
        }
        Ok(found)
    }

    #[test]
    fn every_type_ends_where_it_ends_however_it_is_cut() {
        let replies: [(&[u8], u8); 19] = [
            (b"+OK\r\n", b'+'),
            (b"-ERR no\r\n", b'-'),
            (b":-12\r\n", b':'),
            (b"$-1\r\n", b'$'),
            (b"$0\r\n\r\n", b'$'),
            (b"$4\r\n\r\n\r\n\r\n", b'$'),
            (b"*-1\r\n", b'*'),
            (b"*0\r\n", b'*'),
            (b"*2\r\n*1\r\n$1\r\na\r\n:1\r\n", b'*'),
            (b"_\r\n", b'_'),
            (b",1.5e3\r\n", b','),
            (b"#t\r\n", b'#'),
            (b"(123456789012345678901234567890\r\n", b'('),
            (b"!5\r\nERR x\r\n", b'!'),
            (b"=7\r\ntxt:abc\r\n", b'='),
            (b"%2\r\n+a\r\n:1\r\n+b\r\n~1\r\n#f\r\n", b'%'),
            (b">2\r\n+message\r\n$1\r\nx\r\n", b'>'),
            (b"|1\r\n+ttl\r\n*1\r\n:9\r\n$1\r\na\r\n", b'$'),
            (b"*2\r\n|1\r\n+k\r\n+v\r\n:1\r\n:2\r\n", b'*'),
        ];
        let stream: Vec<u8> = replies.iter().flat_map(|(bytes, _)| bytes.iter().copied()).collect();
        let expected: Vec<Reply> = replies.iter().map(|&(b, kind)| Reply { len: b.len(), kind }).collect();
        for step in 1..=stream.len() {
            assert_eq!(all(&stream, step).unwrap(), expected, "{step} bytes at a time");
        }
    }

    #[test]
    fn what_is_no_reply_is_an_error() {
        for bytes in [
            "?1\r\n",
            "$x\r\n",
            "$-2\r\n",
            "*-2\r\n",
            "+a\rb",
            "%4294967296\r\n",
            "*18446744073709551616\r\n",
        ] {
            assert_eq!(all(bytes.as_bytes(), bytes.len()), Err(ReplyError), "{bytes:?}");
        }
        assert_eq!(all(&[b"+".as_slice(), &vec![b'a'; MAX_LINE + 1]].concat(), 1 << 24), Err(ReplyError));
    }

    #[test]
    fn a_reply_passes_in_pieces_before_it_is_whole() {
        let reply: &[u8] = b"|1\r\n+a\r\n+b\r\n*2\r\n$10\r\n0123456789\r\n:1\r\n";
        for step in 1..=reply.len() {
            let (mut scanner, mut kept, mut passed) = (ReplyScanner::default(), Vec::new(), 0);
            for chunk in reply.chunks(step) {
                kept.extend_from_slice(chunk);
                let found = scanner.scan(&kept).unwrap();
                let len = found.map_or_else(|| scanner.pass(kept.len()), |reply| reply.len);
                assert!(len == 0 || found.map_or_else(|| scanner.kind(), |reply| reply.kind) == b'*');
                kept.drain(..len);
                passed += len;
                assert_eq!(found.is_some(), passed == reply.len(), "{step} bytes at a time");
            }
            assert_eq!(passed, reply.len());
        }
    }

    #[test]
    fn a_long_string_says_how_much_room_it_needs() {
        let mut scanner = ReplyScanner::default();
        assert_eq!(scanner.scan(b"*2\r\n+a\r\n$1000000\r\nabc"), Ok(None));
        assert_eq!(scanner.needs(), 18 + 1_000_002);
    }

    #[test]
    fn a_million_levels_of_nesting_need_no_more_than_a_count() {
        let stream = [b"*1\r\n".repeat(1_000_000), b":1\r\n".to_vec()].concat();
        assert_eq!(all(&stream, stream.len()).unwrap(), [Reply { len: stream.len(), kind: b'*' }]);
    }

    proptest! {
        #[test]
        fn garbage_means_the_same_at_any_cut(bytes in prop::collection::vec(prop::sample::select(b"*$%|>+-:_0123\r\nab".to_vec()), 0..60)) {
            prop_assert_eq!(all(&bytes, 1), all(&bytes, bytes.len().max(1)));
        }
    }
}
