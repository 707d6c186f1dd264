//! How long a request may wait on its node, and the same request with less time.
//!
//! Must not know where it waits. Knows the time argument of each blocking command by name; a command that is
//! not named here waits without bound.

use std::time::Duration;

use super::Command;
use crate::resp::{Request, encode_request};

/// The time argument of a blocking request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockTime {
    /// Which argument it is.
    at: usize,
    unit: Unit,
    /// How long; nothing for ever.
    pub limit: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Seconds,
    Milliseconds,
}

impl Command {
    /// How long `request` may block; nothing where that cannot be told, as then the node answers with an error.
    pub fn block_time(&self, request: &Request<'_>) -> Option<BlockTime> {
        let last = request.argc() - 1;
        let (at, unit) = match self.name {
            "blpop" | "brpop" | "blmove" | "brpoplpush" | "bzpopmin" | "bzpopmax" => (last, Unit::Seconds),
            "blmpop" | "bzmpop" => (1, Unit::Seconds),
            "wait" | "waitaof" => (last, Unit::Milliseconds),
            "xread" | "xreadgroup" => (block_option(request)?, Unit::Milliseconds),
            _ => return None,
        };
        Some(BlockTime { at, unit, limit: limit(request.arg(at)?, unit)? })
    }
}

/// Where the options of XREAD or XREADGROUP stand, up to STREAMS, behind which are keys and ids. They come in any
/// order, as in `xreadCommand` of redis.
fn stream_options<'a>(request: &'a Request<'_>) -> impl Iterator<Item = (usize, &'a [u8])> {
    let mut next = 1;
    std::iter::from_fn(move || {
        let (at, option) = (next, request.arg(next)?);
        let is = |name: &[u8]| option.eq_ignore_ascii_case(name);
        next += match () {
            () if is(b"streams") => request.argc(),
            () if is(b"group") => 3,
            () if is(b"block") || is(b"count") => 2,
            () => 1,
        };
        Some((at, option))
    })
}

/// Where the number behind BLOCK stands in XREAD or XREADGROUP. Of several the last counts.
pub(super) fn block_option(request: &Request<'_>) -> Option<usize> {
    let blocks = stream_options(request).filter(|(_, option)| option.eq_ignore_ascii_case(b"block"));
    blocks.last().map(|(at, _)| at + 1)
}

/// Where the keys of XREAD or XREADGROUP begin.
pub(super) fn first_stream(request: &Request<'_>) -> Option<usize> {
    let mut options = stream_options(request);
    options.find(|(_, option)| option.eq_ignore_ascii_case(b"streams")).map(|(at, _)| at + 1)
}

fn limit(arg: &[u8], unit: Unit) -> Option<Option<Duration>> {
    let text = std::str::from_utf8(arg).ok()?;
    let time = match unit {
        Unit::Seconds => Duration::try_from_secs_f64(text.parse().ok()?).ok()?,
        Unit::Milliseconds => Duration::from_millis(text.parse().ok()?),
    };
    Some((!time.is_zero()).then_some(time))
}

impl BlockTime {
    /// `request` with `left` for its time, at least a millisecond: nought would be for ever.
    pub fn shortened(&self, request: &Request<'_>, left: Duration) -> Vec<u8> {
        let left = left.max(Duration::from_millis(1));
        let time = match self.unit {
            Unit::Seconds => format!("{:.3}", left.as_secs_f64()),
            Unit::Milliseconds => left.as_millis().to_string(),
        };
        let mut args: Vec<&[u8]> = request.args_from(0).collect();
        args[self.at] = time.as_bytes();
        let mut out = Vec::new();
        encode_request(&mut out, &args);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::super::{resolve, tests::Owned};
    use super::*;

    fn time(line: &str) -> Option<BlockTime> {
        let owned = Owned::new(line);
        resolve(&owned.request()).unwrap().block_time(&owned.request())
    }

    #[test]
    fn each_command_has_its_time_at_its_place() {
        for line in [
            "BLPOP a b 1.5",
            "BLMOVE a b LEFT LEFT 1.5",
            "BRPOPLPUSH a b 1.5",
            "BZPOPMIN a 1.5",
            "BLMPOP 1.5 1 a LEFT",
            "BZMPOP 1.5 1 a MIN",
            "XREAD BLOCK 1500 STREAMS block 0",
            "XREADGROUP GROUP g c COUNT 1 BLOCK 1500 STREAMS a >",
            "XREADGROUP BLOCK 1500 GROUP g c STREAMS a >",
            "XREADGROUP GROUP streams block COUNT 1 BLOCK 1500 STREAMS a >",
            "WAIT 1 1500",
            "WAITAOF 1 1 1500",
        ] {
            assert_eq!(time(line).unwrap().limit, Some(Duration::from_millis(1500)), "{line}");
        }
        assert_eq!(time("BLPOP a 0").unwrap().limit, None);
        for line in ["BLPOP a x", "BLPOP a -1", "WAIT 1 -1", "XREAD STREAMS a 0", "BLPOP a nan"] {
            assert_eq!(time(line), None, "{line}");
        }
    }

    #[test]
    fn a_request_is_made_shorter_and_never_endless() {
        let shortened = |line: &str, left| {
            let owned = Owned::new(line);
            let out = time(line).unwrap().shortened(&owned.request(), Duration::from_millis(left));
            String::from_utf8(out).unwrap()
        };
        assert_eq!(shortened("BLPOP a 2", 1250), "*3\r\n$5\r\nBLPOP\r\n$1\r\na\r\n$5\r\n1.250\r\n");
        assert_eq!(shortened("BLPOP a 2", 0), "*3\r\n$5\r\nBLPOP\r\n$1\r\na\r\n$5\r\n0.001\r\n");
        assert!(shortened("XREAD BLOCK 99 STREAMS a 0", 7).contains("$5\r\nBLOCK\r\n$1\r\n7\r\n"));
    }
}
