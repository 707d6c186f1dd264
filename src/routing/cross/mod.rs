//! Requests over many slots that no merging of parts can answer: how each is done where that is allowed.
//!
//! Pure: names, keys and frames. Invariant: a command that is not named here is refused.

mod gather;
mod series;

pub use self::{gather::Gather, series::Series};
use crate::{command::Command, resp::ReplyScanner};

/// How a command is done on keys of many slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cross {
    /// Where the only key is that it writes, or its first if it writes none, beside copies of the others.
    Copies,
    /// The value is written under its new name, then the old name is deleted if its value is still the same.
    Rename,
    /// The value is read, then written.
    Copy,
    /// One run of keys of one slot after another, until one has something.
    First,
    /// Every run of keys of one slot; what they have is strung together.
    Every,
}

/// Commands that write one key at most and read all others.
const COPIES: [&str; 23] = [
    "bitop",
    "geosearchstore",
    "lcs",
    "pfcount",
    "pfmerge",
    "sdiff",
    "sdiffstore",
    "sinter",
    "sintercard",
    "sinterstore",
    "sort",
    "sunion",
    "sunionstore",
    "zdiff",
    "zdiffstore",
    "zinter",
    "zintercard",
    "zinterstore",
    "zrangestore",
    "zunion",
    "zunionstore",
    "georadius",
    "georadiusbymember",
];

/// Commands that write keys of many slots and promise more than can be kept, with what that is.
const REFUSED: [(&str, &str); 8] = [
    ("msetnx", NOT_AT_ONCE),
    ("msetex", NOT_AT_ONCE),
    ("renamenx", "the new name cannot be kept free until the old one is gone"),
    ("smove", LOST_OR_DOUBLED),
    ("lmove", LOST_OR_DOUBLED),
    ("rpoplpush", LOST_OR_DOUBLED),
    ("blmove", LOST_OR_DOUBLED),
    ("brpoplpush", LOST_OR_DOUBLED),
];
const NOT_AT_ONCE: &str = "all keys or none cannot be promised across nodes";
const LOST_OR_DOUBLED: &str = "the element could be lost or be in both places when a node fails in between";

impl Cross {
    /// How `command` is done; else why it cannot be, if there is more to say than that it has many slots.
    ///
    /// # Errors
    /// When it cannot be done.
    pub fn of(command: &Command) -> Result<Self, Option<&'static str>> {
        match command.name {
            name if COPIES.contains(&name) => Ok(Self::Copies),
            "rename" => Ok(Self::Rename),
            "copy" => Ok(Self::Copy),
            "blpop" | "brpop" | "bzpopmin" | "bzpopmax" => Ok(Self::First),
            "xread" | "xreadgroup" => Ok(Self::Every),
            name if has_count(name) => Ok(Self::First),
            name => Err(REFUSED.iter().find(|(refused, _)| *refused == name).map(|(_, why)| *why)),
        }
    }
}

/// Whether the number of keys stands before them.
fn has_count(name: &str) -> bool {
    matches!(name, "lmpop" | "zmpop" | "blmpop" | "bzmpop")
}

/// The values in the array, set or map `frame`, which is whole; nothing if it is none.
pub fn elements(frame: &[u8]) -> Option<Vec<&[u8]>> {
    if !matches!(frame.first(), Some(b'*' | b'%' | b'~')) || is_nothing(frame) {
        return None;
    }
    let mut rest = frame.get(memchr::memchr(b'\n', frame)? + 1..)?;
    let mut all = Vec::new();
    while !rest.is_empty() {
        let (one, others) = rest.split_at_checked(ReplyScanner::default().scan(rest).ok()??.len)?;
        all.push(one);
        rest = others;
    }
    Some(all)
}

/// Whether `reply` says that there is nothing.
pub fn is_nothing(reply: &[u8]) -> bool {
    matches!(reply, b"*-1\r\n" | b"$-1\r\n" | b"_\r\n")
}

/// The arrays, or maps, `replies` strung together.
pub fn string_together(replies: &[Vec<u8>]) -> Option<Vec<u8>> {
    let kind = *replies.first()?.first()?;
    let values: Option<Vec<_>> = replies.iter().map(|reply| elements(reply)).collect();
    let values = values?.concat();
    let count = if kind == b'%' { values.len() / 2 } else { values.len() };
    Some([&[kind], count.to_string().as_bytes(), b"\r\n", &values.concat()].concat())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::command::{self, COUNT, Keys, by_index, tests::Owned};

    pub(super) fn keys(owned: &Owned) -> (&'static Command, Keys) {
        let (command, mut keys) = (command::resolve(&owned.request()).unwrap(), Keys::default());
        command.keys(&owned.request(), &mut keys).unwrap();
        (command, keys)
    }

    pub(super) fn words(request: &[u8]) -> String {
        let words: Vec<_> = elements(request).unwrap();
        let word =
            |w: &&[u8]| String::from_utf8(w[w.iter().position(|&b| b == b'\n').unwrap() + 1..].to_vec());
        let words: Vec<_> = words.iter().map(|w| word(w).unwrap().trim_end().to_owned()).collect();
        words.join(" ")
    }

    #[test]
    fn every_command_named_here_is_in_the_table() {
        let known = |name: &str| (0..COUNT).any(|at| by_index(at).is_some_and(|c| c.name == name));
        for name in COPIES.into_iter().chain(REFUSED.map(|(name, _)| name)) {
            assert!(known(name), "{name}");
        }
    }

    #[test]
    fn what_streams_have_is_strung_together() {
        let two = [b"*1\r\n*2\r\n$1\r\na\r\n*0\r\n".to_vec(), b"*1\r\n*2\r\n$1\r\nb\r\n*0\r\n".to_vec()];
        let wanted = b"*2\r\n*2\r\n$1\r\na\r\n*0\r\n*2\r\n$1\r\nb\r\n*0\r\n".to_vec();
        assert_eq!(string_together(&two), Some(wanted));
        let maps = [b"%1\r\n$1\r\na\r\n*0\r\n".to_vec(), b"%1\r\n$1\r\nb\r\n*0\r\n".to_vec()];
        assert_eq!(string_together(&maps), Some(b"%2\r\n$1\r\na\r\n*0\r\n$1\r\nb\r\n*0\r\n".to_vec()));
        for odd in ["+OK\r\n", "*-1\r\n", "", "*2\r\n:1\r\n:"] {
            assert_eq!(string_together(&[odd.as_bytes().to_vec()]), None, "{odd}");
        }
    }

    #[test]
    fn what_promises_too_much_is_refused_by_name() {
        let of = |line: &str| Cross::of(command::resolve(&Owned::new(line).request()).unwrap());
        assert!(of("MSETNX a 1 b 2").unwrap_err().unwrap().contains("all keys or none"));
        assert!(of("LMOVE a b LEFT LEFT").unwrap_err().is_some());
        assert_eq!(of("EVAL x 2 a b"), Err(None));
        assert_eq!(of("WATCH a b"), Err(None));
        assert_eq!(of("RENAME a b"), Ok(Cross::Rename));
        assert_eq!(of("XREAD STREAMS a b 0 0"), Ok(Cross::Every));
    }
}
