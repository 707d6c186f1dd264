//! The protocol once more, written only for the tests: one value, whole, from bytes.

use std::fmt;

/// A reply of either protocol version. Texts stay bytes; doubles and big numbers stay as they were written.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Value {
    Simple(Vec<u8>),
    Error(Vec<u8>),
    Integer(i64),
    Bulk(Vec<u8>),
    Nil,
    NilArray,
    Null,
    Bool(bool),
    Double(Vec<u8>),
    BigNumber(Vec<u8>),
    BulkError(Vec<u8>),
    Verbatim(Vec<u8>),
    Array(Vec<Self>),
    Map(Vec<Self>),
    Set(Vec<Self>),
    Push(Vec<Self>),
    Attribute(Vec<Self>),
}

impl Value {
    /// A bulk of `text`.
    pub(crate) fn bulk(text: impl AsRef<[u8]>) -> Self {
        Self::Bulk(text.as_ref().to_vec())
    }

    /// The simple `OK`.
    pub(crate) fn ok() -> Self {
        Self::Simple(b"OK".to_vec())
    }

    /// An error of `text`.
    pub(crate) fn error(text: &str) -> Self {
        Self::Error(text.as_bytes().to_vec())
    }

    /// Whether this is an error.
    pub(crate) fn is_error(&self) -> bool {
        matches!(self, Self::Error(_) | Self::BulkError(_))
    }

    /// The text of a string, an error or a number.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Simple(text)
            | Self::Error(text)
            | Self::Bulk(text)
            | Self::Double(text)
            | Self::BigNumber(text)
            | Self::BulkError(text)
            | Self::Verbatim(text) => String::from_utf8_lossy(text).into_owned(),
            Self::Integer(number) => number.to_string(),
            other => panic!("no text in {other:?}"),
        }
    }

    /// The number of an integer.
    pub(crate) fn integer(&self) -> i64 {
        match self {
            Self::Integer(number) => *number,
            other => panic!("no integer: {other:?}"),
        }
    }

    /// The elements of anything that has elements.
    pub(crate) fn items(&self) -> &[Self] {
        match self {
            Self::Array(items) | Self::Map(items) | Self::Set(items) | Self::Push(items) => items,
            other => panic!("no elements in {other:?}"),
        }
    }

    /// The value after `name` in a map, whichever protocol version wrote it.
    pub(crate) fn field(&self, name: &str) -> &Self {
        let pair = self.items().chunks(2).find(|pair| pair[0].text() == name);
        &pair.unwrap_or_else(|| panic!("no {name} in {self:?}"))[1]
    }

    /// The same with sets and maps in a fixed order, as two servers may iterate them differently.
    pub(crate) fn sorted(self) -> Self {
        match self {
            Self::Set(mut items) => {
                items.sort();
                Self::Set(items)
            }
            Self::Map(items) => {
                let mut pairs: Vec<_> = items.chunks(2).map(<[Self]>::to_vec).collect();
                pairs.sort();
                Self::Map(pairs.concat())
            }
            other => other,
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, items) = match self {
            Self::Simple(text) => return write!(out, "+{}", text.escape_ascii()),
            Self::Error(text) => return write!(out, "-{}", text.escape_ascii()),
            Self::Integer(number) => return write!(out, ":{number}"),
            Self::Bulk(text) if text.len() > 200 => return write!(out, "${} bytes", text.len()),
            Self::Bulk(text) => return write!(out, "${}", text.escape_ascii()),
            Self::Nil => return write!(out, "$-1"),
            Self::NilArray => return write!(out, "*-1"),
            Self::Null => return write!(out, "_"),
            Self::Bool(truth) => return write!(out, "#{truth}"),
            Self::Double(text) => return write!(out, ",{}", text.escape_ascii()),
            Self::BigNumber(text) => return write!(out, "({}", text.escape_ascii()),
            Self::BulkError(text) => return write!(out, "!{}", text.escape_ascii()),
            Self::Verbatim(text) => return write!(out, "={}", text.escape_ascii()),
            Self::Array(items) => ('*', items),
            Self::Map(items) => ('%', items),
            Self::Set(items) => ('~', items),
            Self::Push(items) => ('>', items),
            Self::Attribute(items) => ('|', items),
        };
        write!(out, "{kind}")?;
        out.debug_list().entries(items).finish()
    }
}

/// The bytes of a request: an array of bulks.
pub(crate) fn encode<A: AsRef<[u8]>>(args: &[A]) -> Vec<u8> {
    let mut out = format!("*{}\r\n", args.len()).into_bytes();
    for arg in args {
        let arg = arg.as_ref();
        out.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
        out.extend_from_slice(arg);
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// The first value in `bytes` and its length; `None` while it isn't all there.
pub(crate) fn parse(bytes: &[u8]) -> Option<(Value, usize)> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    let (kind, line) = (bytes[0], &bytes[1..end]);
    let start = end + 2;
    match kind {
        b'$' | b'!' | b'=' => parse_bulk(kind, line, bytes, start),
        b'*' | b'~' | b'>' | b'%' | b'|' => parse_items(kind, line, bytes, start),
        _ => Some((parse_line(kind, line), start)),
    }
}

fn parse_line(kind: u8, line: &[u8]) -> Value {
    match kind {
        b'+' => Value::Simple(line.to_vec()),
        b'-' => Value::Error(line.to_vec()),
        b':' => Value::Integer(number(line)),
        b'_' => Value::Null,
        b'#' => Value::Bool(line == b"t"),
        b',' => Value::Double(line.to_vec()),
        b'(' => Value::BigNumber(line.to_vec()),
        other => panic!("no reply starts with {:?}", char::from(other)),
    }
}

fn parse_bulk(kind: u8, line: &[u8], bytes: &[u8], start: usize) -> Option<(Value, usize)> {
    let Ok(length) = usize::try_from(number(line)) else { return Some((Value::Nil, start)) };
    let end = start + length;
    assert_eq!(bytes.get(end..end + 2)?, b"\r\n", "a bulk ends with a line end");
    let text = bytes[start..end].to_vec();
    let value = match kind {
        b'$' => Value::Bulk(text),
        b'!' => Value::BulkError(text),
        _ => Value::Verbatim(text),
    };
    Some((value, end + 2))
}

fn parse_items(kind: u8, line: &[u8], bytes: &[u8], start: usize) -> Option<(Value, usize)> {
    let Ok(count) = usize::try_from(number(line)) else { return Some((Value::NilArray, start)) };
    let count = if matches!(kind, b'%' | b'|') { count * 2 } else { count };
    let mut items = Vec::new();
    let mut at = start;
    let mut missing = count;
    while missing > 0 {
        let (item, length) = parse(&bytes[at..])?;
        // An attribute belongs to the element behind it.
        missing -= usize::from(!matches!(item, Value::Attribute(_)));
        items.push(item);
        at += length;
    }
    let value = match kind {
        b'*' => Value::Array(items),
        b'~' => Value::Set(items),
        b'>' => Value::Push(items),
        b'|' => Value::Attribute(items),
        _ => Value::Map(items),
    };
    Some((value, at))
}

fn number(line: &[u8]) -> i64 {
    std::str::from_utf8(line).ok().and_then(|text| text.parse().ok()).expect("a number after the type")
}

#[test]
fn every_type_is_read_and_nothing_before_it_is_whole() {
    let bytes = b"*6\r\n+OK\r\n$2\r\n\r\n\r\n%1\r\n:1\r\n_\r\n*-1\r\n$-1\r\n~1\r\n,1.5\r\n";
    let (value, length) = parse(bytes).unwrap();
    assert_eq!(length, bytes.len());
    assert_eq!(value.items()[1], Value::bulk("\r\n"));
    assert!((0..length).all(|cut| parse(&bytes[..cut]).is_none()));
}
