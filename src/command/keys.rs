//! Which arguments of a request are keys.
//!
//! Must not know slots. Invariant: every index in [`Keys`] is below the request's number of arguments.
//! What cannot be read as its key specs say has no keys here: any node then answers it with the right
//! error, and none can run it on keys that it does not own.

use super::{
    Begin, Command, Find, Flags, KeyFlags, KeySpec,
    blocking::{block_option, first_stream},
};
use crate::resp::Request;

/// Indexes of arguments that are keys; a buffer to use again and again.
#[derive(Clone, Debug, Default)]
pub struct Keys(Vec<u32>);

impl Keys {
    /// The indexes, in the order the command gives its keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = usize> + '_ {
        self.0.iter().map(|&index| index as usize)
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn push(&mut self, index: usize) {
        // Requests have at most 1,048,576 arguments.
        self.0.extend(u32::try_from(index));
    }
}

/// Why the keys of a request cannot be told. The texts are those of redis eval.c `evalGenericCommand`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The number of keys is not a number.
    #[error("ERR value is not an integer or out of range")]
    NotAnInteger,
    /// The number of keys is below zero.
    #[error("ERR Number of keys can't be negative")]
    Negative,
    /// There are fewer arguments than keys.
    #[error("ERR Number of keys can't be greater than number of args")]
    TooMany,
}

/// The arguments do not fit the key specs.
pub(super) struct Misfit;

impl Command {
    /// Fills `keys` with the indexes of the arguments of `request` that are keys, none if they cannot be
    /// told: any node then says what is wrong.
    ///
    /// # Errors
    /// When the number of keys is wrong and the text that every server answers is known.
    pub fn keys(&self, request: &Request<'_>, keys: &mut Keys) -> Result<(), KeyError> {
        if self.try_keys(request, keys).is_err() {
            keys.0.clear();
            if matches!(self.name, "eval" | "eval_ro") {
                return Err(script_error(request));
            }
        }
        Ok(())
    }

    /// The same; an error when the arguments do not fit.
    pub(super) fn try_keys(&self, request: &Request<'_>, keys: &mut Keys) -> Result<(), Misfit> {
        keys.0.clear();
        match self.name {
            "sort" => sort(request, keys),
            "migrate" => migrate(request, keys),
            "xread" | "xreadgroup" => streams(request, keys)?,
            _ => self.key_specs.iter().try_for_each(|spec| by_spec(spec, request, keys))?,
        }
        Ok(())
    }

    /// The keys as `COMMAND GETKEYS` lists them.
    ///
    /// # Errors
    /// With Redis's text (server.c `getKeysSubcommandImpl`) when there are none.
    pub fn listed_keys(&self, request: &Request<'_>, keys: &mut Keys) -> Result<(), &'static str> {
        if !self.spec.has_keys() {
            return Err("ERR The command has no key arguments");
        }
        if !self.spec.accepts(request.argc()) {
            return Err("ERR Invalid number of arguments specified for command");
        }
        let fits = self.try_keys(request, keys).is_ok() && !keys.is_empty();
        if !fits {
            keys.0.clear();
        }
        if fits || self.flags.has(Flags::NO_MANDATORY_KEYS) {
            Ok(())
        } else {
            Err("ERR Invalid arguments specified for command")
        }
    }

    /// What `request` does to each of its `keys`, as [`Self::listed_keys`] found them: by its key specs, or by its
    /// arguments where these decide, as in redis db.c `setGetKeys`, `bitfieldGetKeys`, `sortGetKeys` and
    /// `migrateGetKeys`.
    pub fn key_flags(&self, request: &Request<'_>, keys: &Keys) -> Vec<KeyFlags> {
        let says = |words: &[&str]| {
            let is = |arg: &[u8]| words.iter().any(|word| arg.eq_ignore_ascii_case(word.as_bytes()));
            request.args_from(2).any(is)
        };
        let reads = KeyFlags::new(KeyFlags::RO | KeyFlags::ACCESS);
        let stores = KeyFlags::new(KeyFlags::OW | KeyFlags::UPDATE);
        let changes = KeyFlags::new(KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::UPDATE);
        match self.name {
            "set" if says(&["get"]) => vec![changes; keys.len()],
            "set" => vec![stores; keys.len()],
            "bitfield" if !says(&["set", "incrby"]) => vec![reads; keys.len()],
            "migrate" => {
                vec![KeyFlags::new(KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::DELETE); keys.len()]
            }
            "sort" => [reads, stores].into_iter().take(keys.len()).collect(),
            _ => self.flags_by_specs(request),
        }
    }

    fn flags_by_specs(&self, request: &Request<'_>) -> Vec<KeyFlags> {
        let (mut found, mut flags) = (Keys::default(), Vec::new());
        for spec in self.key_specs {
            // They fit: the keys were found.
            let _ = by_spec(spec, request, &mut found);
            flags.resize(found.len(), spec.flags.without(KeyFlags::VARIABLE_FLAGS | KeyFlags::INCOMPLETE));
        }
        flags
    }

    /// Whether `request` may wait on its node for something to happen.
    pub fn is_blocking(&self, request: &Request<'_>) -> bool {
        if !self.flags.has(Flags::BLOCKING) {
            return false;
        }
        if !matches!(self.name, "xread" | "xreadgroup") {
            return true;
        }
        block_option(request).is_some()
    }
}

fn script_error(request: &Request<'_>) -> KeyError {
    match request.arg(2).and_then(integer) {
        None => KeyError::NotAnInteger,
        Some(count) if count < 0 => KeyError::Negative,
        Some(_) => KeyError::TooMany,
    }
}

/// As in redis db.c `getKeysUsingKeySpecs`.
fn by_spec(spec: &KeySpec, request: &Request<'_>, keys: &mut Keys) -> Result<(), Misfit> {
    if spec.flags.has(KeyFlags::NOT_KEY) {
        return Ok(());
    }
    let Some(begin) = begin(spec.begin, request) else { return Ok(()) };
    let (first, count, step) = match spec.find {
        Find::Range { last, step, limit } => (begin, range(begin, last, step, limit, request)?, step),
        Find::Keynum { count_at, first, step } => {
            (at(begin, first)?, keynum(at(begin, count_at)?, request)?, step)
        }
        Find::Unknown => return Ok(()),
    };
    let step = usize::try_from(step).ok().filter(|&s| s > 0).ok_or(Misfit)?;
    let rest = request.argc().saturating_sub(first);
    if count > 0 && (count - 1).saturating_mul(step) >= rest {
        return Err(Misfit);
    }
    (0..count).for_each(|i| keys.push(first + i * step));
    Ok(())
}

/// Where the keys begin; nowhere when a keyword is not there or the server did not say.
fn begin(begin: Begin, request: &Request<'_>) -> Option<usize> {
    match begin {
        Begin::Index(index) => usize::try_from(index).ok(),
        Begin::Keyword(word, from) => keyword(word, from, request),
        Begin::Unknown => None,
    }
}

fn keyword(word: &str, from: i16, request: &Request<'_>) -> Option<usize> {
    let is_word =
        |&index: &usize| request.arg(index).is_some_and(|a| a.eq_ignore_ascii_case(word.as_bytes()));
    let found = match usize::try_from(from) {
        Ok(from) => (from..request.argc()).find(is_word),
        Err(_) => {
            let start = request.argc().checked_sub(usize::from(from.unsigned_abs()))?;
            (1..=start).rev().find(is_word)
        }
    };
    found.map(|index| index + 1)
}

/// How many keys a range has.
fn range(begin: usize, last: i16, step: i16, limit: i16, request: &Request<'_>) -> Result<usize, Misfit> {
    let step = usize::try_from(step).ok().filter(|&s| s > 0).ok_or(Misfit)?;
    let rest = request.argc().checked_sub(begin).filter(|&rest| rest > 0).ok_or(Misfit)?;
    // One past the last key, counted from the first.
    let end = match (usize::try_from(last), usize::try_from(limit)) {
        (Ok(last), _) => last + 1,
        (Err(_), Ok(limit)) if limit > 1 => rest / limit,
        (Err(_), _) => (rest + 1).checked_sub(usize::from(last.unsigned_abs())).ok_or(Misfit)?,
    };
    if end == 0 || end > rest { Err(Misfit) } else { Ok(end.div_ceil(step)) }
}

/// How many keys the argument at `index` announces.
fn keynum(index: usize, request: &Request<'_>) -> Result<usize, Misfit> {
    let count = request.arg(index).and_then(integer).ok_or(Misfit)?;
    usize::try_from(count).map_err(|_| Misfit)
}

fn at(begin: usize, distance: i16) -> Result<usize, Misfit> {
    begin.checked_add_signed(isize::from(distance)).ok_or(Misfit)
}

/// As strict as Redis's `string2ll`: no sign `+`, no leading zero.
fn integer(arg: &[u8]) -> Option<i64> {
    let value: i64 = std::str::from_utf8(arg).ok()?.parse().ok()?;
    (itoa::Buffer::new().format(value).as_bytes() == arg).then_some(value)
}

/// `SORT key [...] [STORE key]`, whose STORE stands anywhere and last wins: redis db.c `sortGetKeys`.
fn sort(request: &Request<'_>, keys: &mut Keys) {
    keys.push(1);
    let (mut index, mut store) = (2, None);
    while let Some(arg) = request.arg(index) {
        let skip = |word: &str, by: usize| arg.eq_ignore_ascii_case(word.as_bytes()).then_some(by);
        if skip("store", 1).is_some() && index + 1 < request.argc() {
            store = Some(index + 1);
        }
        let skipped = skip("limit", 2).or_else(|| skip("get", 1)).or_else(|| skip("by", 1));
        index += 1 + skipped.or_else(|| skip("store", 1)).unwrap_or(0);
    }
    store.into_iter().for_each(|index| keys.push(index));
}

/// `XREADGROUP [...] STREAMS key ... id ...`, where a group may be called as the keyword: redis `t_stream.c`,
/// `xreadGetKeys`.
fn streams(request: &Request<'_>, keys: &mut Keys) -> Result<(), Misfit> {
    let Some(first) = first_stream(request) else { return Ok(()) };
    let count = range(first, -1, 1, 2, request)?;
    (first..first + count).for_each(|index| keys.push(index));
    Ok(())
}

/// `MIGRATE host port key|"" db timeout [...] [KEYS key ...]`: redis db.c `migrateGetKeys`.
fn migrate(request: &Request<'_>, keys: &mut Keys) {
    let mut index = 6;
    while let Some(arg) = request.arg(index) {
        if arg.eq_ignore_ascii_case(b"keys") && request.arg(3).is_some_and(<[u8]>::is_empty) {
            return (index + 1..request.argc()).for_each(|index| keys.push(index));
        }
        let password = [(&b"auth"[..], 1), (b"auth2", 2)];
        let skipped = password.iter().find(|(word, _)| arg.eq_ignore_ascii_case(word)).map_or(0, |&(_, n)| n);
        index += 1 + skipped;
    }
    keys.push(3);
}

#[cfg(test)]
mod tests {
    use super::super::{resolve, tests::Owned};
    use super::*;

    fn keys(line: &str) -> Result<Vec<String>, KeyError> {
        let owned = Owned::new(line);
        let mut keys = Keys::default();
        resolve(&owned.request()).unwrap().keys(&owned.request(), &mut keys)?;
        Ok(keys
            .iter()
            .map(|i| String::from_utf8(owned.request().arg(i).unwrap().to_vec()).unwrap())
            .collect())
    }

    #[test]
    fn keys_are_found_where_the_command_has_them() {
        for (line, expected) in [
            ("GET k", "k"),
            ("MSET a 1 b 2", "a b"),
            ("PING", ""),
            ("OBJECT ENCODING k", "k"),
            ("BITOP AND d a b", "d a b"),
            ("ZUNIONSTORE d 2 a b WEIGHTS 1 2", "d a b"),
            ("XREAD COUNT 1 STREAMS a b 0 0", "a b"),
            ("XREADGROUP GROUP streams c STREAMS a b > >", "a b"),
            ("XREADGROUP NOACK BLOCK 0 GROUP streams streams streams a b > >", "a b"),
            ("XREADGROUP COUNT 1 NOACK GROUP g streams STREAMS a >", "a"),
            ("XREAD COUNT 1 BLOCK", ""),
            ("EVAL s 2 a b c", "a b"),
            ("EVAL s 0 a", ""),
            ("SORT k STORE x LIMIT STORE 2 STORE d", "k d"),
            ("MIGRATE h 1 k 0 5", "k"),
            ("MIGRATE h 1 \"\" 0 5 COPY AUTH keys KEYS a b", "a b"),
            ("GEORADIUS k 1 1 1 m STORE d", "k d"),
            ("GEORADIUS k 1 1 1 m", "k"),
            ("MSETEX 2 a 1 b 2 EX 5", "a b"),
            ("LMPOP 1 a LEFT", "a"),
            ("ZUNION 3 a b", ""),
            ("ZUNION x a b", ""),
            ("ZUNION -1 a b", ""),
            ("ZUNION 9223372036854775807 a b", ""),
            ("ZUNION 02 a b", ""),
        ] {
            let expected: Vec<String> = expected.split_whitespace().map(String::from).collect();
            assert_eq!(keys(line), Ok(expected), "{line}");
        }
    }

    #[test]
    fn a_script_with_a_wrong_number_of_keys_is_told_so() {
        assert_eq!(keys("EVAL s x"), Err(KeyError::NotAnInteger));
        assert_eq!(keys("EVAL s -1"), Err(KeyError::Negative));
        assert_eq!(keys("eval s 2 a"), Err(KeyError::TooMany));
    }

    #[test]
    fn only_a_request_that_says_so_blocks() {
        let blocks = |line: &str| {
            let owned = Owned::new(line);
            resolve(&owned.request()).unwrap().is_blocking(&owned.request())
        };
        assert!(blocks("BLPOP k 0"));
        assert!(blocks("XREAD COUNT 1 BLOCK 0 STREAMS k $"));
        assert!(blocks("XREADGROUP GROUP g c block 0 STREAMS k >"));
        assert!(blocks("XREADGROUP BLOCK 0 GROUP g c STREAMS k >"));
        assert!(blocks("XREADGROUP NOACK BLOCK 0 COUNT 1 GROUP block block STREAMS k >"));
        assert!(!blocks("XREADGROUP COUNT 1 GROUP g block STREAMS k >"));
        assert!(!blocks("XREAD COUNT 1 STREAMS block $"));
        assert!(!blocks("XREADGROUP GROUP block c STREAMS k >"));
        assert!(!blocks("GET block"));
    }
}
