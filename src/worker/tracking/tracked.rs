//! What one client wants to hear of changed keys (CLIENT TRACKING). Texts as in redis networking.c
//! `clientCommand` and tracking.c.

use std::{
    collections::{BTreeSet, HashMap},
    ops::Bound,
};

use super::{own::Own, redirected::Redirection, table::Key};
use crate::resp::Request;

/// What the prefixes of one client may take, in bytes, each with [`PER_PREFIX`].
const MAX_PREFIXES: usize = 1024 * 1024;
const PER_PREFIX: usize = 64;
/// Keys whose reads may be answered by now are looked through when there are more than so many.
const FEW: usize = 64;

/// A client's tracking, while it is on.
#[derive(Default)]
pub(in crate::worker) struct Tracked {
    pub(in crate::worker) mode: Mode,
    pub(in crate::worker) noloop: bool,
    /// Who hears instead of it.
    pub(in crate::worker) redirection: Redirection,
    /// Whether CLIENT CACHING speaks of the next request.
    pub(in crate::worker) caching: bool,
    /// What is heard over connections of its own.
    pub(super) own: Own,
    /// Keys of a transaction that is not executed yet.
    pub(super) queued: Vec<Key>,
    /// Keys whose reads may not be answered yet: the place in line of the last.
    reading: HashMap<Key, u64>,
}

/// Of which keys a client hears.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::worker) enum Mode {
    /// Those that it read.
    #[default]
    All,
    /// Those that it read where it said so before.
    OptIn,
    /// Those that it read, but where it said otherwise before.
    OptOut,
    /// Those with these prefixes, none of which begins with another.
    Broadcast(BTreeSet<Vec<u8>>),
}

impl Tracked {
    /// Whether the keys of the request at hand are to be remembered.
    pub(super) fn wants(&self) -> bool {
        match self.mode {
            Mode::OptIn => self.caching,
            Mode::OptOut => !self.caching,
            Mode::All | Mode::Broadcast(_) => true,
        }
    }

    /// Whether it hears of `key` though it did not read it.
    pub(super) fn matches(&self, key: &[u8]) -> bool {
        let Mode::Broadcast(prefixes) = &self.mode else { return false };
        let below = prefixes.range::<[u8], _>((Bound::Unbounded, Bound::Included(key))).next_back();
        below.is_some_and(|prefix| key.starts_with(prefix))
    }

    /// A read of `key` is under way: the request at place `number`. `is_answered` tells of places.
    pub(super) fn reads(&mut self, key: Key, number: u64, waiting: usize, is_answered: impl Fn(u64) -> bool) {
        if self.reading.len() > FEW.max(2 * waiting) {
            self.reading.retain(|_, number| !is_answered(*number));
        }
        self.reading.insert(key, number);
    }

    /// Whether a read of `key` is still to be answered; it counts as answered from now on.
    pub(super) fn ends_read(&mut self, key: &[u8], is_answered: impl Fn(u64) -> bool) -> bool {
        self.reading.remove(key).is_some_and(|number| !is_answered(number))
    }

    /// The same for all keys.
    pub(super) fn ends_reads(&mut self, is_answered: impl Fn(u64) -> bool) -> bool {
        self.reading.drain().any(|(_, number)| !is_answered(number))
    }
}

/// What CLIENT TRACKING asks for.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::worker) enum Change {
    Off,
    On(Wish),
}

/// How a client wants to track.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::worker) struct Wish {
    pub(in crate::worker) mode: Mode,
    pub(in crate::worker) noloop: bool,
    /// Which client is to hear instead of it.
    pub(in crate::worker) redirect: Option<i64>,
}

/// What `request` asks of a client that has `now`. The error is a text.
pub(in crate::worker) fn change(request: &Request<'_>, now: Option<&Mode>) -> Result<Change, String> {
    const SYNTAX: &str = "ERR syntax error";
    let (mut bcast, mut optin, mut optout, mut noloop, mut redirect) = (false, false, false, false, None);
    let mut prefixes = Vec::new();
    let mut args = request.args_from(3);
    while let Some(option) = args.next() {
        match option.to_ascii_lowercase().as_slice() {
            b"bcast" => bcast = true,
            b"optin" => optin = true,
            b"optout" => optout = true,
            b"noloop" => noloop = true,
            b"redirect" if redirect.is_some() => {
                return Err("ERR A client can only redirect to a single other client".to_owned());
            }
            b"redirect" => redirect = Some(id(args.next().ok_or(SYNTAX)?)?),
            b"prefix" => prefixes.push(args.next().ok_or(SYNTAX)?),
            _ => return Err(SYNTAX.to_owned()),
        }
    }
    match request.arg(2).unwrap_or_default().to_ascii_lowercase().as_slice() {
        b"off" => return Ok(Change::Off),
        b"on" => {}
        _ => return Err(SYNTAX.to_owned()),
    }
    if !bcast && !prefixes.is_empty() {
        return Err("ERR PREFIX option requires BCAST mode to be enabled".to_owned());
    }
    if now.is_some_and(|now| matches!(now, Mode::Broadcast(_)) != bcast) {
        return Err(switch("BCAST mode on/off"));
    }
    let on = |mode| Ok(Change::On(Wish { mode, noloop, redirect }));
    match (bcast, optin, optout) {
        (true, true, _) | (true, _, true) => {
            Err("ERR OPTIN and OPTOUT are not compatible with BCAST".to_owned())
        }
        (true, ..) => on(Mode::Broadcast(together(now, &prefixes)?)),
        (_, true, true) => Err("ERR You can't specify both OPTIN mode and OPTOUT mode".to_owned()),
        (_, true, _) if now == Some(&Mode::OptOut) => Err(switch("OPTIN/OPTOUT mode")),
        (_, _, true) if now == Some(&Mode::OptIn) => Err(switch("OPTIN/OPTOUT mode")),
        (_, true, _) => on(Mode::OptIn),
        (_, _, true) => on(Mode::OptOut),
        _ => on(Mode::All),
    }
}

fn id(text: &[u8]) -> Result<i64, String> {
    let id = std::str::from_utf8(text).ok().and_then(|text| text.parse::<i64>().ok());
    id.ok_or_else(|| "ERR value is not an integer or out of range".to_owned())
}

fn switch(what: &str) -> String {
    format!(
        "ERR You can't switch {what} before disabling tracking for this client, and then re-enabling it with a \
         different mode."
    )
}

/// The prefixes that the client has and `more`; without any it hears of all keys.
fn together(now: Option<&Mode>, more: &[&[u8]]) -> Result<BTreeSet<Vec<u8>>, String> {
    let mut all = match now {
        Some(Mode::Broadcast(prefixes)) => prefixes.clone(),
        _ => BTreeSet::new(),
    };
    for (at, prefix) in more.iter().enumerate() {
        if let Some(other) = all.iter().find(|other| overlap(prefix, other)) {
            return Err(overlaps(prefix, "an existing", other));
        }
        if let Some(other) = more[at + 1..].iter().find(|other| overlap(prefix, other)) {
            return Err(overlaps(prefix, "another provided", other));
        }
    }
    all.extend(more.iter().map(|prefix| prefix.to_vec()));
    if more.is_empty() {
        all.insert(Vec::new());
    }
    if all.iter().map(|prefix| prefix.len() + PER_PREFIX).sum::<usize>() > MAX_PREFIXES {
        return Err("ERR too many prefixes of one client".to_owned());
    }
    Ok(all)
}

fn overlap(a: &[u8], b: &[u8]) -> bool {
    a.starts_with(b) || b.starts_with(a)
}

fn overlaps(prefix: &[u8], whose: &str, other: &[u8]) -> String {
    let [prefix, other] = [prefix, other].map(String::from_utf8_lossy);
    format!(
        "ERR Prefix '{prefix}' overlaps with {whose} prefix '{other}'. Prefixes for a single client must not overlap."
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::tests::Owned;

    fn broadcast(prefixes: &[&str]) -> Mode {
        Mode::Broadcast(prefixes.iter().map(|prefix| prefix.as_bytes().to_vec()).collect())
    }

    #[test]
    fn a_key_matches_the_prefix_that_it_begins_with() {
        let tracked = Tracked { mode: broadcast(&["a", "bc", "be"]), ..Tracked::default() };
        for (key, matches) in
            [("a", true), ("az", true), ("b", false), ("bc1", true), ("bd", false), ("c", false)]
        {
            assert_eq!(tracked.matches(key.as_bytes()), matches, "{key}");
        }
        assert!(Tracked { mode: broadcast(&[""]), ..Tracked::default() }.matches(b""));
    }

    #[test]
    fn a_read_is_under_way_until_its_place_is_answered() {
        let mut tracked = Tracked::default();
        let key = Key::from(&b"a"[..]);
        tracked.reads(Key::clone(&key), 5, 1, |_| false);
        assert!(!tracked.ends_read(b"b", |_| false));
        assert!(tracked.ends_read(b"a", |number| number < 5));
        assert!(!tracked.ends_read(b"a", |_| false), "it is told once");
        tracked.reads(key, 6, 1, |_| false);
        assert!(!tracked.ends_reads(|_| true));
        for n in 0..1000_u64 {
            tracked.reads(Key::from(&n.to_le_bytes()[..]), n, 10, |number| number + 10 < n);
        }
        assert!(tracked.reading.len() <= FEW + 1);
    }

    #[test]
    fn prefixes_are_bounded() {
        let long = "x".repeat(MAX_PREFIXES);
        let owned = Owned::of(&["CLIENT", "TRACKING", "on", "BCAST", "PREFIX", &long]);
        assert_eq!(change(&owned.request(), None), Err("ERR too many prefixes of one client".to_owned()));
        let owned = Owned::new("CLIENT TRACKING on BCAST PREFIX b");
        let both = Change::On(Wish { mode: broadcast(&["a", "b"]), noloop: false, redirect: None });
        assert_eq!(change(&owned.request(), Some(&broadcast(&["a"]))), Ok(both));
    }
}
