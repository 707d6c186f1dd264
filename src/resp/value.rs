//! A reply as a tree, for cold paths only: topology, command lookups, the sandbox.
//!
//! The data path never builds one. Invariant: what a node sends costs memory in proportion to the bytes it
//! really sent, and nesting is bounded, so no reply can exhaust the stack.

use std::str::FromStr;

/// Deepest nesting: a `COMMAND DOCS` reply has about ten levels.
const MAX_DEPTH: usize = 32;
/// Longest string: replies on cold paths are a few hundred KiB.
const MAX_BULK: usize = 64 * 1024 * 1024;
/// Most values in one aggregate, for the same reason.
const MAX_VALUES: usize = 1024 * 1024;
/// Longest line: a simple string, an error, a big number or a header.
const MAX_LINE: usize = 64 * 1024;

/// One reply.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A simple string.
    Simple(String),
    /// An error reply, its code included; a RESP3 bulk error too.
    Error(String),
    /// An integer.
    Integer(i64),
    /// A bulk string.
    Bulk(Vec<u8>),
    /// Nothing, in any of its three spellings.
    Null,
    /// An array.
    Array(Vec<Self>),
    /// A map (RESP3).
    Map(Vec<(Self, Self)>),
    /// A set (RESP3).
    Set(Vec<Self>),
    /// A double (RESP3).
    Double(f64),
    /// A boolean (RESP3).
    Bool(bool),
    /// Text for people (RESP3), without its format.
    Verbatim(String),
    /// A number of any length (RESP3), in its digits.
    BigNumber(String),
    /// A message nobody asked for (RESP3).
    Push(Vec<Self>),
}

/// Why bytes are no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// They are not RESP.
    #[error("not a RESP reply")]
    Malformed,
    /// They nest deeper than 32 levels.
    #[error("reply nested too deep")]
    TooDeep,
    /// A string, a line or an aggregate exceeds its bound.
    #[error("reply too long")]
    TooLong,
}

impl Value {
    /// The bytes of a string of any kind.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Simple(text) | Self::Verbatim(text) | Self::BigNumber(text) => Some(text.as_bytes()),
            Self::Bulk(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// A string of any kind, if it is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(self.as_bytes()?).ok()
    }

    /// An integer.
    pub fn as_integer(&self) -> Option<i64> {
        if let Self::Integer(value) = self { Some(*value) } else { None }
    }

    /// The values of an array, a set or a push.
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(values) | Self::Set(values) | Self::Push(values) => Some(values),
            _ => None,
        }
    }

    /// The text of an error reply.
    pub fn as_error(&self) -> Option<&str> {
        if let Self::Error(text) = self { Some(text) } else { None }
    }

    /// What stands behind the string `key` in a map, or in an array that lists keys and values in turn.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let is_key = |value: &Self| value.as_bytes() == Some(key.as_bytes());
        match self {
            Self::Map(pairs) => pairs.iter().find(|(k, _)| is_key(k)).map(|(_, v)| v),
            _ => self.as_array()?.as_chunks::<2>().0.iter().find(|[k, _]| is_key(k)).map(|[_, v]| v),
        }
    }
}

/// Reads one reply from the start of `bytes`: the value and its length, or `None` when more bytes are
/// needed. Attributes in front of a value are skipped.
///
/// # Errors
/// When the bytes are no reply, or one beyond the bounds.
pub fn parse(bytes: &[u8]) -> Result<Option<(Value, usize)>, ValueError> {
    let mut cursor = Cursor { bytes, at: 0 };
    match cursor.value(0) {
        Ok(value) => Ok(Some((value, cursor.at))),
        Err(Stop::Incomplete) => Ok(None),
        Err(Stop::Bad(error)) => Err(error),
    }
}

/// Why reading stopped before the end of a value.
enum Stop {
    Incomplete,
    Bad(ValueError),
}

impl From<ValueError> for Stop {
    fn from(error: ValueError) -> Self {
        Self::Bad(error)
    }
}

/// Invariant: `at` is at most `bytes.len()`.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn value(&mut self, depth: usize) -> Result<Value, Stop> {
        if depth > MAX_DEPTH {
            return Err(ValueError::TooDeep.into());
        }
        loop {
            let line = self.line()?;
            let Some((kind, text)) = line.split_first() else { return Err(ValueError::Malformed.into()) };
            if *kind != b'|' {
                return self.typed(*kind, text, depth);
            }
            let attributes = length(text)?.unwrap_or(0) * 2;
            self.values(attributes, depth)?;
        }
    }

    fn typed(&mut self, kind: u8, text: &[u8], depth: usize) -> Result<Value, Stop> {
        Ok(match kind {
            b'+' => Value::Simple(lossy(text)),
            b'-' => Value::Error(lossy(text)),
            b'(' => Value::BigNumber(lossy(text)),
            b':' => Value::Integer(number(text)?),
            b',' => Value::Double(number(text)?),
            b'#' => Value::Bool(boolean(text)?),
            b'_' => Value::Null,
            _ => match length(text)? {
                None => Value::Null,
                Some(len) => self.sized(kind, len, depth)?,
            },
        })
    }

    fn sized(&mut self, kind: u8, len: usize, depth: usize) -> Result<Value, Stop> {
        Ok(match kind {
            b'$' => Value::Bulk(self.bulk(len)?.to_vec()),
            b'!' => Value::Error(lossy(self.bulk(len)?)),
            b'=' => Value::Verbatim(lossy(self.bulk(len)?.get(4..).ok_or(ValueError::Malformed)?)),
            b'*' => Value::Array(self.values(len, depth)?),
            b'~' => Value::Set(self.values(len, depth)?),
            b'>' => Value::Push(self.values(len, depth)?),
            b'%' => Value::Map(self.pairs(len, depth)?),
            _ => return Err(ValueError::Malformed.into()),
        })
    }

    fn values(&mut self, len: usize, depth: usize) -> Result<Vec<Value>, Stop> {
        if len > MAX_VALUES {
            return Err(ValueError::TooLong.into());
        }
        (0..len).map(|_| self.value(depth + 1)).collect()
    }

    fn pairs(&mut self, len: usize, depth: usize) -> Result<Vec<(Value, Value)>, Stop> {
        if len > MAX_VALUES {
            return Err(ValueError::TooLong.into());
        }
        (0..len).map(|_| Ok((self.value(depth + 1)?, self.value(depth + 1)?))).collect()
    }

    /// The bytes up to the next CRLF, which is left behind.
    fn line(&mut self) -> Result<&'a [u8], Stop> {
        let rest = &self.bytes[self.at..];
        let window = &rest[..rest.len().min(MAX_LINE)];
        let end = match memchr::memchr(b'\r', window) {
            Some(end) => end,
            None if rest.len() > MAX_LINE => return Err(ValueError::TooLong.into()),
            None => return Err(Stop::Incomplete),
        };
        match rest.get(end + 1) {
            None => Err(Stop::Incomplete),
            Some(b'\n') => {
                self.at += end + 2;
                Ok(&rest[..end])
            }
            Some(_) => Err(ValueError::Malformed.into()),
        }
    }

    fn bulk(&mut self, len: usize) -> Result<&'a [u8], Stop> {
        if len > MAX_BULK {
            return Err(ValueError::TooLong.into());
        }
        let rest = &self.bytes[self.at..];
        match rest.get(len..len + 2) {
            None => Err(Stop::Incomplete),
            Some(b"\r\n") => {
                self.at += len + 2;
                Ok(&rest[..len])
            }
            Some(_) => Err(ValueError::Malformed.into()),
        }
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A length; `None` for the `-1` of a null.
fn length(text: &[u8]) -> Result<Option<usize>, ValueError> {
    if text == b"-1" { Ok(None) } else { number(text).map(Some) }
}

fn number<T: FromStr>(text: &[u8]) -> Result<T, ValueError> {
    std::str::from_utf8(text).ok().and_then(|t| t.parse().ok()).ok_or(ValueError::Malformed)
}

fn boolean(text: &[u8]) -> Result<bool, ValueError> {
    match text {
        b"t" => Ok(true),
        b"f" => Ok(false),
        _ => Err(ValueError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERYTHING: &[u8] = b"*14\r\n+OK\r\n-ERR no\r\n:-5\r\n$2\r\n\r\n\r\n$-1\r\n*-1\r\n_\r\n%1\r\n+a\r\n:1\r\n~1\r\n#t\r\n,-1.5\r\n|1\r\n+ttl\r\n:9\r\n=6\r\ntxt:hi\r\n(123\r\n>1\r\n#f\r\n!3\r\nE x\r\n";

    fn everything() -> Value {
        Value::Array(vec![
            Value::Simple("OK".into()),
            Value::Error("ERR no".into()),
            Value::Integer(-5),
            Value::Bulk(b"\r\n".into()),
            Value::Null,
            Value::Null,
            Value::Null,
            Value::Map(vec![(Value::Simple("a".into()), Value::Integer(1))]),
            Value::Set(vec![Value::Bool(true)]),
            Value::Double(-1.5),
            Value::Verbatim("hi".into()),
            Value::BigNumber("123".into()),
            Value::Push(vec![Value::Bool(false)]),
            Value::Error("E x".into()),
        ])
    }

    #[test]
    fn every_type_is_read_and_attributes_are_skipped() {
        assert_eq!(parse(EVERYTHING), Ok(Some((everything(), EVERYTHING.len()))));
    }

    #[test]
    fn a_reply_cut_anywhere_needs_more() {
        for end in 0..EVERYTHING.len() {
            assert_eq!(parse(&EVERYTHING[..end]), Ok(None), "cut at {end}");
        }
    }

    #[test]
    fn only_the_first_reply_is_read() {
        assert_eq!(parse(b":1\r\n:2\r\n"), Ok(Some((Value::Integer(1), 4))));
    }

    #[test]
    fn malformed_and_unbounded_replies_are_refused() {
        for bytes in [
            &b"\r\n"[..],
            b"?1\r\n",
            b":x\r\n",
            b"+a\rb",
            b"$2\r\nabcd",
            b"#x\r\n",
            b"$-2\r\n",
            b"=2\r\nab\r\n",
        ] {
            assert_eq!(parse(bytes), Err(ValueError::Malformed), "{bytes:?}");
        }
        assert_eq!(parse(b"$999999999999\r\n"), Err(ValueError::TooLong));
        assert_eq!(parse(b"*1048577\r\n"), Err(ValueError::TooLong));
        assert_eq!(parse(&b"*1\r\n".repeat(100_000)), Err(ValueError::TooDeep));
        assert_eq!(parse(&[b'+'; MAX_LINE + 1]), Err(ValueError::TooLong));
    }

    #[test]
    fn a_flat_array_is_searched_like_a_map() {
        let (flat, _) = parse(b"*4\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n:2\r\n").unwrap().unwrap();
        let (map, _) = parse(b"%2\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n:2\r\n").unwrap().unwrap();
        assert_eq!(flat.get("b"), Some(&Value::Integer(2)));
        assert_eq!(map.get("b"), Some(&Value::Integer(2)));
        assert_eq!(map.get("c"), None);
    }
}
