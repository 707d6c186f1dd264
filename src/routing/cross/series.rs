//! A request for any of many keys, cut into one for each run of neighbouring keys of one slot.
//!
//! Pure. Invariant: the runs name each key once, in order.

use std::ops::Range;

use super::has_count;
use crate::{
    cluster::Slot,
    command::{Command, Keys},
    resp::{Request, encode_request},
};

/// A request that is asked of one run of neighbouring keys of one slot after another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    args: Vec<Vec<u8>>,
    keys: Range<usize>,
    counted: bool,
    /// Whether an id for each key stands behind the keys.
    streams: bool,
}

impl Series {
    /// `request` with its `keys`, which is [`super::Cross::First`] or [`super::Cross::Every`].
    pub fn of(command: &Command, request: Request<'_>, keys: &Keys) -> Self {
        let first = keys.iter().next().unwrap_or_else(|| request.argc());
        Self {
            args: request.args_from(0).map(<[u8]>::to_vec).collect(),
            keys: first..request.argc().min(first + keys.len()),
            counted: has_count(command.name),
            streams: matches!(command.name, "xread" | "xreadgroup"),
        }
    }

    /// The keys.
    pub fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.args[self.keys.clone()].iter().map(Vec::as_slice)
    }

    /// The request as it is now, for all keys.
    pub fn whole(&self) -> Vec<u8> {
        let mut out = Vec::new();
        encode_request(&mut out, &self.args);
        out
    }

    /// The streams of which only what comes from now on is wanted: where the id stands, and the key.
    pub fn news(&self) -> Vec<(usize, Vec<u8>)> {
        let ids = self.keys.clone().map(|at| (at + self.keys.len(), self.args[at].clone()));
        let is_news = |at: &usize| self.args.get(*at).is_some_and(|id| id == b"$");
        ids.filter(|(at, _)| self.streams && is_news(at)).collect()
    }

    /// Wants what comes behind `id` instead of what stands at argument `at`.
    pub fn want_behind(&mut self, at: usize, id: &[u8]) {
        if let Some(arg) = self.args.get_mut(at) {
            *arg = id.to_vec();
        }
    }

    /// What is asked, and where.
    pub fn runs(&self) -> Vec<(Slot, Vec<u8>)> {
        let mut from = self.keys.start;
        let same = |a: &Vec<u8>, b: &Vec<u8>| Slot::of(a) == Slot::of(b);
        let runs = self.args[self.keys.clone()].chunk_by(same);
        runs.map(|run| {
            let keys = from..from + run.len();
            from = keys.end;
            (Slot::of(&run[0]), self.run(keys))
        })
        .collect()
    }

    fn run(&self, keys: Range<usize>) -> Vec<u8> {
        let (count, all) = (keys.len().to_string(), self.keys.len());
        let mut args: Vec<&[u8]> = self.args[..self.keys.start].iter().map(Vec::as_slice).collect();
        if self.counted {
            args.pop();
            args.push(count.as_bytes());
        }
        let ids = if self.streams { keys.start + all..keys.end + all } else { 0..0 };
        // What is too much is told by the node.
        let rest = self.args.len().min(self.keys.end + if self.streams { all } else { 0 });
        let parts = [&self.args[keys], self.args.get(ids).unwrap_or_default(), &self.args[rest..]];
        args.extend(parts.into_iter().flatten().map(Vec::as_slice));
        let mut out = Vec::new();
        encode_request(&mut out, &args);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{keys, words},
        *,
    };
    use crate::command::tests::Owned;

    fn series(line: &str) -> Series {
        let owned = Owned::new(line);
        let (command, keys) = keys(&owned);
        Series::of(command, owned.request(), &keys)
    }

    fn parted(line: &str) -> Vec<String> {
        series(line).runs().iter().map(|(_, request)| words(request)).collect()
    }

    #[test]
    fn each_run_of_keys_is_asked_by_itself() {
        assert_eq!(parted("BLPOP a {a}b c 0.5"), ["BLPOP a {a}b 0.5", "BLPOP c 0.5"]);
        assert_eq!(
            parted("BLMPOP 0 3 a c {c}d LEFT COUNT 2"),
            ["BLMPOP 0 1 a LEFT COUNT 2", "BLMPOP 0 2 c {c}d LEFT COUNT 2"]
        );
        assert_eq!(parted("ZMPOP 2 a b MIN"), ["ZMPOP 1 a MIN", "ZMPOP 1 b MIN"]);
        assert_eq!(
            parted("XREAD COUNT 2 BLOCK 0 STREAMS a b {b}c 1 2 3"),
            ["XREAD COUNT 2 BLOCK 0 STREAMS a 1", "XREAD COUNT 2 BLOCK 0 STREAMS b {b}c 2 3"]
        );
        assert_eq!(parted("XREAD STREAMS a b 1 2 3"), ["XREAD STREAMS a 1 3", "XREAD STREAMS b 2 3"]);
    }

    #[test]
    fn news_begin_behind_what_there_was_at_first() {
        let mut series = series("XREAD BLOCK 0 STREAMS $ b $ $");
        assert_eq!(series.news(), [(6, b"$".to_vec()), (7, b"b".to_vec())]);
        series.want_behind(7, b"1-5");
        let runs: Vec<_> = series.runs().iter().map(|(_, request)| words(request)).collect();
        assert_eq!(runs, ["XREAD BLOCK 0 STREAMS $ $", "XREAD BLOCK 0 STREAMS b 1-5"]);
        assert_eq!(words(&series.whole()), "XREAD BLOCK 0 STREAMS $ b $ 1-5");
        assert_eq!(series.keys().collect::<Vec<_>>(), [b"$", b"b"]);
        assert!(self::series("BLPOP $ $ 0").news().is_empty());
    }
}
