//! A request beside copies of the keys of other slots.
//!
//! Pure. Invariant: the request fails where a copy could not be made.

use crate::{
    cluster::{Slot, hash_tag},
    command::{Command, Keys},
    resp::{Request, encode_request},
};

/// A request that is run beside copies of the keys of other slots than its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gather {
    /// Where it runs.
    pub slot: Slot,
    /// The request, with the copies' names for the keys of other slots.
    pub request: Vec<u8>,
    /// Each key of another slot, and the name of its copy.
    pub copies: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Gather {
    /// How `request` with its `keys`, which is [`super::Cross::Copies`], is run; nothing if that can't be told.
    pub fn of(command: &Command, request: Request<'_>, keys: &Keys) -> Option<Self> {
        let mut args: Vec<&[u8]> = request.args_from(0).collect();
        // What is stored by an option stands last.
        let own = match command.name {
            // Which of two it stores to depends on their order.
            "georadius" | "georadiusbymember" if keys.len() > 2 => None,
            "sort" | "georadius" | "georadiusbymember" => keys.iter().last(),
            _ => keys.iter().next(),
        };
        let own = *args.get(own?)?;
        let (slot, prefix) = (Slot::of(own), copy_prefix(own));
        let foreign: Vec<usize> = keys.iter().filter(|&at| Slot::of(args[at]) != slot).collect();
        let copies: Vec<_> = foreign.iter().map(|&at| (args[at].to_vec(), copy_name(&prefix, at))).collect();
        for (&at, (_, name)) in foreign.iter().zip(&copies) {
            args[at] = name;
        }
        let mut out = Vec::new();
        encode_request(&mut out, &args);
        Some(Self { slot, request: out, copies })
    }

    /// How many requests [`Self::transaction`] has, if so many keys have values.
    pub fn commands(&self, present: usize) -> usize {
        2 * present + 1 + usize::from(present > 0)
    }

    /// The requests that make the copies of `values`, run the request and delete the copies; to be run as one
    /// transaction.
    ///
    /// A copy that the node does not take leaves a hash in its place, which none of these commands reads: so
    /// the request fails rather than to run without it.
    pub fn transaction(&self, values: &[Option<Vec<u8>>]) -> Vec<u8> {
        let mut out = Vec::new();
        let made = || self.copies.iter().zip(values).filter_map(|((_, name), v)| Some((name, v.as_ref()?)));
        for (name, value) in made() {
            encode_request(&mut out, &[&b"HSET"[..], name, b"0", b"0"]);
            encode_request(&mut out, &[&b"RESTORE"[..], name, b"0", value, b"REPLACE"]);
        }
        out.extend_from_slice(&self.request);
        let names = made().map(|(name, _)| name.as_slice());
        let delete: Vec<&[u8]> = [&b"DEL"[..]].into_iter().chain(names).collect();
        if delete.len() > 1 {
            encode_request(&mut out, &delete);
        }
        out
    }

    /// The reply to the request among the `replies` to the transaction: an error of a copy first of all.
    pub fn reply<'a>(replies: &[&'a [u8]], present: usize) -> Option<&'a [u8]> {
        let copied = replies.get(..2 * present)?;
        let failed = copied.iter().skip(1).step_by(2).find(|reply| reply.starts_with(b"-"));
        failed.or_else(|| replies.get(2 * present)).copied()
    }
}

/// Numbers tried for a tag; one in so many has the slot that is looked for.
const MAX_TAGS: u32 = 1 << 20;

/// What the names of copies beside `key` begin with, so that they are of its slot.
fn copy_prefix(key: &[u8]) -> Vec<u8> {
    let of = |tag: &[u8]| [b"slotway:copy:{", tag, b"}:"].concat();
    let fits = |prefix: &Vec<u8>| Slot::of(prefix) == Slot::of(key);
    let own = of(hash_tag(key));
    if fits(&own) {
        return own;
    }
    // Braces in odd places of a key make no tag.
    (0..MAX_TAGS).map(|n| of(n.to_string().as_bytes())).find(fits).unwrap_or(own)
}

fn copy_name(prefix: &[u8], at: usize) -> Vec<u8> {
    [prefix, at.to_string().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{keys, words},
        *,
    };
    use crate::{command::tests::Owned, resp::ReplyScanner};

    fn gathered(line: &str) -> (String, Vec<String>) {
        let owned = Owned::new(line);
        let (command, keys) = keys(&owned);
        let gather = Gather::of(command, owned.request(), &keys).unwrap();
        assert!(gather.copies.iter().all(|(_, name)| Slot::of(name) == gather.slot));
        let copied = gather.copies.iter().map(|(key, _)| String::from_utf8(key.clone()).unwrap()).collect();
        (words(&gather.request), copied)
    }

    #[test]
    fn keys_of_other_slots_are_read_from_copies_beside_the_one_that_is_written() {
        let copied = |keys: &[&str]| keys.iter().map(|&key| key.to_owned()).collect::<Vec<_>>();
        assert_eq!(
            gathered("SUNION a b {a}c"),
            ("SUNION a slotway:copy:{a}:2 {a}c".to_owned(), copied(&["b"]))
        );
        assert_eq!(
            gathered("ZUNIONSTORE d 2 a b WEIGHTS 1 2"),
            (
                "ZUNIONSTORE d 2 slotway:copy:{d}:3 slotway:copy:{d}:4 WEIGHTS 1 2".to_owned(),
                copied(&["a", "b"])
            )
        );
        assert_eq!(
            gathered("SORT k ALPHA STORE d"),
            ("SORT slotway:copy:{d}:1 ALPHA STORE d".to_owned(), copied(&["k"]))
        );
        assert_eq!(gathered("BITOP NOT {t}d k").0, "BITOP NOT {t}d slotway:copy:{t}:3");
    }

    #[test]
    fn copies_are_of_the_slot_of_any_key() {
        for key in ["", "}", "a}b", "{}x", "{", "{{a}", "{a", "x{y}z"] {
            assert_eq!(
                Slot::of(&copy_name(&copy_prefix(key.as_bytes()), 7)),
                Slot::of(key.as_bytes()),
                "{key}"
            );
        }
    }

    #[test]
    fn copies_are_made_and_deleted_and_their_errors_come_first() {
        let owned = Owned::new("SUNION a b c");
        let (command, keys) = keys(&owned);
        let gather = Gather::of(command, owned.request(), &keys).unwrap();
        let sent = gather.transaction(&[Some(b"X".to_vec()), None]);
        let mut rest = sent.as_slice();
        let mut lines = Vec::new();
        while !rest.is_empty() {
            let len = ReplyScanner::default().scan(rest).unwrap().unwrap().len;
            lines.push(words(&rest[..len]));
            rest = &rest[len..];
        }
        let name = "slotway:copy:{a}:2";
        let command = "SUNION a slotway:copy:{a}:2 slotway:copy:{a}:3";
        let wanted = [
            &format!("HSET {name} 0 0"),
            &format!("RESTORE {name} 0 X REPLACE"),
            command,
            &format!("DEL {name}"),
        ];
        assert_eq!(lines, wanted);
        assert_eq!(gather.commands(1), 4);
        assert_eq!(gather.transaction(&[None, None]), gather.request);
        let reply = |replies: &[&'static str]| {
            let replies: Vec<&[u8]> = replies.iter().map(|reply| reply.as_bytes()).collect();
            Gather::reply(&replies, 1).map(|reply| std::str::from_utf8(reply).unwrap())
        };
        assert_eq!(reply(&[":1", "+OK", "*0", ":1"]), Some("*0"));
        assert_eq!(reply(&[":1", "-ERR old", "-WRONGTYPE", ":1"]), Some("-ERR old"));
        assert_eq!(reply(&[":1", "+OK", "-WRONGTYPE", ":1"]), Some("-WRONGTYPE"));
        assert_eq!(reply(&[":1"]), None);
    }
}
