//! How the replies of all nodes to one request become one reply.
//!
//! Pure: frames in, a frame out. Must not know where they came from. Invariant: a node's error is the error
//! of the whole unless the [`Fold`] says otherwise, and nothing a node replies makes it panic.

use std::collections::BTreeMap;

use super::{Cursor, memory::memory, settings::settings};
use crate::{
    cluster::Slot,
    resp::{Value, parse},
};

/// What is made of all replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// The first.
    First,
    /// The first that is no error.
    One,
    /// The least integer.
    Min,
    /// Arrays of 0 and 1, element by element.
    And,
    /// Texts strung together.
    Texts,
    /// A count and a key of each node in turn: one key, each node's by its count. With a number at random.
    RandomKey(u32),
    /// A text of ours, and behind it the nodes' key spaces added up.
    Keyspace,
    /// The first that tells of a running function.
    Running,
    /// Figures of memory, added up.
    Memory,
    /// Settings of ours, and behind them the first node's others.
    Settings,
    /// One reply to SCAN, with the cursor made ours.
    Scan(ScanPlace),
}

/// Where the node's cursor in a reply to SCAN belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanPlace {
    /// The shard that was asked.
    pub shard: Slot,
    /// The next one; the last names itself.
    pub next: Slot,
    /// The node's [`Cursor::tag_of`].
    pub tag: u8,
    /// Whether it was asked to go on: then its cursor is lost with it.
    pub goes_on: bool,
}

const UNEXPECTED: &[u8] = b"-ERR unexpected reply to a part of the command\r\n";

impl Fold {
    /// One reply of `replies`, which are whole frames in the order of the shards.
    pub fn of(self, replies: &[&[u8]]) -> Vec<u8> {
        let error = replies.iter().find(|reply| is_error(reply));
        let folded = match (self, error) {
            (Self::One, Some(_)) => one(replies).map(<[u8]>::to_vec),
            (Self::Keyspace, _) => keyspace(replies),
            (Self::Scan(place), Some(error)) if place.goes_on && is_lost(error) => Some(anew(place)),
            (_, Some(error)) => Some(error.to_vec()),
            (Self::First | Self::One, None) => replies.first().map(|first| first.to_vec()),
            (Self::Min, None) => min(replies),
            (Self::And, None) => and(replies),
            (Self::Texts, None) => texts(replies),
            (Self::RandomKey(at), None) => random_key(replies, at).map(<[u8]>::to_vec),
            (Self::Memory, None) => memory(replies),
            (Self::Settings, None) => settings(replies),
            (Self::Running, None) => running(replies).map(<[u8]>::to_vec),
            (Self::Scan(place), None) => replies.first().and_then(|reply| scan(reply, place)),
        };
        folded.unwrap_or_else(|| UNEXPECTED.to_vec())
    }
}

fn is_error(reply: &[u8]) -> bool {
    matches!(reply, [b'-' | b'!', ..])
}

/// The first that is no error, or else the error that says most: nodes with nothing to end, or without the
/// key, say only that.
fn one<'a>(replies: &[&'a [u8]]) -> Option<&'a [u8]> {
    let says_little = |reply: &[u8]| reply.starts_with(b"-NOTBUSY") || reply.starts_with(b"-ERR no such key");
    let mut worst = replies.iter().copied();
    let success = replies.iter().copied().find(|reply| !is_error(reply));
    success.or_else(|| worst.find(|reply| !says_little(reply))).or_else(|| replies.first().copied())
}

fn values(replies: &[&[u8]]) -> Option<Vec<Value>> {
    replies.iter().map(|reply| Some(parse(reply).ok()??.0)).collect()
}

fn integer(n: i64) -> Vec<u8> {
    format!(":{n}\r\n").into_bytes()
}

fn min(replies: &[&[u8]]) -> Option<Vec<u8>> {
    let numbers: Option<Vec<i64>> = values(replies)?.iter().map(Value::as_integer).collect();
    numbers?.into_iter().min().map(integer)
}

fn and(replies: &[&[u8]]) -> Option<Vec<u8>> {
    let values = values(replies)?;
    let arrays: Option<Vec<_>> = values.iter().map(Value::as_array).collect();
    let arrays = arrays?;
    let len = arrays.first()?.len();
    if arrays.iter().any(|array| array.len() != len) {
        return None;
    }
    let all = |at: usize| arrays.iter().all(|array| array[at].as_integer() == Some(1));
    let elements = (0..len).map(|at| integer(i64::from(all(at))));
    Some([format!("*{len}\r\n").into_bytes()].into_iter().chain(elements).flatten().collect())
}

/// A text like the first: verbatim where that is.
fn text_like(first: &[u8], text: &str) -> Vec<u8> {
    match first {
        [b'=', ..] => format!("={}\r\ntxt:{text}\r\n", text.len() + 4).into_bytes(),
        _ => format!("${}\r\n{text}\r\n", text.len()).into_bytes(),
    }
}

fn texts(replies: &[&[u8]]) -> Option<Vec<u8>> {
    let values = values(replies)?;
    let lines: Option<Vec<&str>> = values.iter().map(Value::as_str).collect();
    let lines = lines?;
    // Nodes that say the same say it once.
    let mut different: Vec<&str> = Vec::new();
    for line in lines {
        if !different.contains(&line) {
            different.push(line);
        }
    }
    Some(text_like(replies.first()?, &different.join("\n")))
}

/// `at` is a point on a line on which each node that has a key has a length: its count.
fn random_key<'a>(replies: &[&'a [u8]], at: u32) -> Option<&'a [u8]> {
    let mut found = Vec::new();
    for pair in replies.as_chunks::<2>().0 {
        let size = u128::try_from(values(&pair[..1])?[0].as_integer()?).ok()?;
        if values(&pair[1..])?[0] != Value::Null {
            // A key may have come between count and key.
            found.push((size.max(1), pair[1]));
        }
    }
    let all: u128 = found.iter().map(|(size, _)| size).sum();
    let mut point = (all * u128::from(at)) >> 32;
    for (size, key) in &found {
        if point < *size {
            return Some(key);
        }
        point -= size;
    }
    // All are empty: whichever nil.
    replies.get(1).copied()
}

fn running<'a>(replies: &[&'a [u8]]) -> Option<&'a [u8]> {
    let is_running = |value: &Value| value.get("running_script").is_some_and(|script| *script != Value::Null);
    let at = values(replies)?.iter().position(is_running).unwrap_or(0);
    replies.get(at).copied()
}

/// Whether the node cannot be asked now.
fn is_lost(error: &[u8]) -> bool {
    [&b"-CLUSTERDOWN"[..], b"-LOADING", b"-MASTERDOWN"].iter().any(|word| error.starts_with(word))
}

/// No keys, and a cursor that begins the shard anew; a tag keeps it from being 0.
fn anew(place: ScanPlace) -> Vec<u8> {
    page(Cursor { tag: 1, ..Cursor::start_of(place.shard) }.number(), b"\r\n*0\r\n")
}

/// A reply to SCAN: a cursor, and from the end of its text on the `rest`.
fn page(number: Option<u64>, rest: &[u8]) -> Vec<u8> {
    let Some(number) = number else {
        return b"-ERR the cursor of the node does not fit into one for all nodes\r\n".to_vec();
    };
    let number = number.to_string();
    [format!("*2\r\n${}\r\n{number}", number.len()).as_bytes(), rest].concat()
}

fn scan(reply: &[u8], place: ScanPlace) -> Option<Vec<u8>> {
    let rest = reply.strip_prefix(b"*2\r\n$")?;
    let end = memchr::memchr(b'\r', rest)?;
    let len: usize = std::str::from_utf8(&rest[..end]).ok()?.parse().ok()?;
    let text = rest.get(end + 2..)?.get(..len)?;
    let node: u64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    let number = match node {
        0 if place.next == place.shard => Some(0),
        0 => Cursor::start_of(place.next).number(),
        _ => Cursor { shard: place.shard, node, tag: place.tag }.number(),
    };
    Some(page(number, &rest[end + 2 + len..]))
}

/// The fields of one database: name and sum. `avg_ttl` is kept as the sum over keys that expire.
type Database = Vec<(String, u64)>;

/// Nodes that can't tell are left out: INFO is asked when something is wrong.
fn keyspace(replies: &[&[u8]]) -> Option<Vec<u8>> {
    let (ours, nodes) = replies.split_first()?;
    let mut databases: BTreeMap<String, Database> = BTreeMap::new();
    for value in nodes.iter().filter_map(|reply| parse(reply).ok()?).map(|(value, _)| value) {
        for line in value.as_str().unwrap_or_default().lines().filter(|line| line.starts_with("db")) {
            if let Some((name, fields)) = line.split_once(':') {
                add(databases.entry(name.to_owned()).or_default(), fields);
            }
        }
    }
    let ours = values(&[ours])?;
    let mut text = ours[0].as_str()?.to_owned();
    for (name, fields) in &databases {
        text.push_str(&shown(name, fields));
    }
    Some(text_like(replies[0], &text))
}

/// Adds `fields`, such as `keys=1,expires=0,avg_ttl=0`.
fn add(database: &mut Database, fields: &str) {
    let numbers = || {
        fields
            .split(',')
            .filter_map(|f| f.split_once('='))
            .filter_map(|(n, v)| Some((n, v.parse::<u64>().ok()?)))
    };
    let expires = numbers().find(|(name, _)| *name == "expires").map_or(0, |(_, n)| n);
    for (name, n) in numbers() {
        let n = if name == "avg_ttl" { n.saturating_mul(expires) } else { n };
        match database.iter_mut().find(|(known, _)| known == name) {
            Some((_, sum)) => *sum = sum.saturating_add(n),
            None => database.push((name.to_owned(), n)),
        }
    }
}

fn shown(name: &str, database: &Database) -> String {
    let expires = database.iter().find(|(name, _)| name == "expires").map_or(0, |(_, n)| *n);
    let value = |name: &str, n: u64| if name == "avg_ttl" { n.checked_div(expires).unwrap_or(0) } else { n };
    let fields: Vec<String> =
        database.iter().map(|(name, n)| format!("{name}={}", value(name, *n))).collect();
    format!("{name}:{}\r\n", fields.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fold(fold: Fold, replies: &[&str]) -> String {
        let replies: Vec<&[u8]> = replies.iter().map(|reply| reply.as_bytes()).collect();
        String::from_utf8(fold.of(&replies)).unwrap()
    }

    const UNEXPECTED: &str = "-ERR unexpected reply to a part of the command\r\n";

    #[test]
    fn all_must_succeed_unless_one_is_enough() {
        assert_eq!(fold(Fold::First, &["+OK\r\n", "-ERR x\r\n", "-ERR y\r\n"]), "-ERR x\r\n");
        assert_eq!(fold(Fold::First, &["+OK\r\n", "+no\r\n"]), "+OK\r\n");
        assert_eq!(fold(Fold::One, &["-NOTBUSY x\r\n", "+OK\r\n"]), "+OK\r\n");
        assert_eq!(fold(Fold::One, &["-NOTBUSY x\r\n", "-UNKILLABLE y\r\n"]), "-UNKILLABLE y\r\n");
        assert_eq!(fold(Fold::One, &["-NOTBUSY x\r\n", "-NOTBUSY x\r\n"]), "-NOTBUSY x\r\n");
    }

    #[test]
    fn numbers_are_compared_and_elements_joined() {
        assert_eq!(fold(Fold::Min, &[":7\r\n", ":3\r\n"]), ":3\r\n");
        assert_eq!(fold(Fold::And, &["*2\r\n:1\r\n:1\r\n", "*2\r\n:0\r\n:1\r\n"]), "*2\r\n:0\r\n:1\r\n");
        for odd in ["*1\r\n:1\r\n", ":1\r\n", "*-1\r\n"] {
            assert_eq!(fold(Fold::And, &["*2\r\n:1\r\n:1\r\n", odd]), UNEXPECTED, "{odd}");
        }
        assert_eq!(fold(Fold::Min, &["+x\r\n"]), UNEXPECTED);
    }

    #[test]
    fn a_text_that_all_say_is_said_once() {
        assert_eq!(fold(Fold::Texts, &["$1\r\na\r\n", "$1\r\nb\r\n", "$1\r\na\r\n"]), "$3\r\na\nb\r\n");
        assert_eq!(fold(Fold::Texts, &["=5\r\ntxt:a\r\n", "=5\r\ntxt:a\r\n"]), "=5\r\ntxt:a\r\n");
    }

    #[test]
    fn a_random_key_is_of_a_node_with_keys_by_their_share() {
        let replies = [":1\r\n", "$1\r\na\r\n", ":0\r\n", "$-1\r\n", ":3\r\n", "$1\r\nc\r\n"];
        let of_a =
            (0..100_u32).filter(|n| fold(Fold::RandomKey(n * (u32::MAX / 100)), &replies) == replies[1]);
        assert_eq!(of_a.count(), 26);
        assert_eq!(fold(Fold::RandomKey(u32::MAX), &replies), replies[5]);
        let most = format!(":{}\r\n", i64::MAX);
        let replies = [most.as_str(), "$1\r\na\r\n"].repeat(3);
        assert_eq!(fold(Fold::RandomKey(u32::MAX), &replies), "$1\r\na\r\n", "no sum is too large");
        assert_eq!(fold(Fold::RandomKey(7), &[":0\r\n", "_\r\n", ":0\r\n", "_\r\n"]), "_\r\n");
        assert_eq!(fold(Fold::RandomKey(7), &[":0\r\n", "$1\r\nx\r\n"]), "$1\r\nx\r\n");
    }

    #[test]
    fn a_node_s_cursor_becomes_ours() {
        let place = ScanPlace {
            shard: Slot::new(5461).unwrap(),
            next: Slot::new(9000).unwrap(),
            tag: 3,
            goes_on: false,
        };
        let reply = |cursor: &str| {
            fold(Fold::Scan(place), &[&format!("*2\r\n${}\r\n{cursor}\r\n*1\r\n$1\r\nk\r\n", cursor.len())])
        };
        assert_eq!(reply("0"), "*2\r\n$4\r\n9000\r\n*1\r\n$1\r\nk\r\n");
        let number = Cursor { shard: place.shard, node: 17, tag: 3 }.number().unwrap().to_string();
        assert_eq!(reply("17"), format!("*2\r\n${}\r\n{number}\r\n*1\r\n$1\r\nk\r\n", number.len()));
        assert!(reply("18446744073709551615").starts_with("-ERR the cursor"));
        let last = ScanPlace { next: place.shard, ..place };
        assert_eq!(fold(Fold::Scan(last), &["*2\r\n$1\r\n0\r\n*0\r\n"]), "*2\r\n$1\r\n0\r\n*0\r\n");
        for odd in ["+OK\r\n", "*2\r\n$9\r\n0\r\n", "*2\r\n$1\r\nx\r\n*0\r\n", "*2\r\n$-1\r\n*0\r\n"] {
            assert_eq!(fold(Fold::Scan(last), &[odd]), UNEXPECTED, "{odd}");
        }
    }

    #[test]
    fn a_shard_whose_node_is_lost_begins_anew() {
        let first = Slot::new(0).unwrap();
        let place = ScanPlace { shard: first, next: first, tag: 3, goes_on: true };
        assert_eq!(fold(Fold::Scan(place), &["-CLUSTERDOWN x\r\n"]), "*2\r\n$5\r\n16384\r\n*0\r\n");
        assert_eq!(fold(Fold::Scan(place), &["-ERR syntax\r\n"]), "-ERR syntax\r\n");
        let place = ScanPlace { goes_on: false, ..place };
        assert_eq!(fold(Fold::Scan(place), &["-LOADING x\r\n"]), "-LOADING x\r\n");
    }

    #[test]
    fn key_spaces_are_added_up() {
        let text = |text: &str| format!("${}\r\n{text}\r\n", text.len());
        let replies = [
            text("# Keyspace\r\n"),
            text("# Keyspace\r\ndb0:keys=3,expires=1,avg_ttl=10\r\n"),
            "-ERR lost\r\n".to_owned(),
            text("# Keyspace\r\ndb0:keys=4,expires=3,avg_ttl=50\r\ndb1:keys=1,expires=0,avg_ttl=0\r\n"),
        ];
        let replies: Vec<&str> = replies.iter().map(String::as_str).collect();
        let sum = "# Keyspace\r\ndb0:keys=7,expires=4,avg_ttl=40\r\ndb1:keys=1,expires=0,avg_ttl=0\r\n";
        assert_eq!(fold(Fold::Keyspace, &replies), text(sum));
    }

    #[test]
    fn the_node_that_runs_a_function_is_heard() {
        let idle = "*2\r\n$14\r\nrunning_script\r\n$-1\r\n";
        let busy = "*2\r\n$14\r\nrunning_script\r\n*0\r\n";
        assert_eq!(fold(Fold::Running, &[idle, busy, idle]), busy);
        assert_eq!(fold(Fold::Running, &[idle, idle]), idle);
    }
}
