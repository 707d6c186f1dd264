//! Which keys requests touch, to tell whether one may run before another.

use std::collections::BTreeSet;

use crate::{
    command::{self, Keys},
    resp::{Limits, RequestParser, Scanned},
};

/// The keys that requests touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched(BTreeSet<Box<[u8]>>);

impl Touched {
    /// Those of `requests`, whole requests one behind the other.
    pub fn by(requests: &[u8]) -> Self {
        let limits = Limits { max_bulk: usize::MAX, max_frame: u32::MAX as usize, authenticated: true };
        let (mut touched, mut keys, mut rest) = (BTreeSet::new(), Keys::default(), requests);
        let mut parser = RequestParser::default();
        while let Ok(Scanned::Request(len)) = parser.scan(rest, &limits) {
            let request = parser.request(rest, len);
            if let Ok(command) = command::resolve(&request)
                && command.keys(&request, &mut keys).is_ok()
            {
                touched.extend(keys.iter().filter_map(|index| request.arg(index)).map(Box::from));
            }
            rest = &rest[len..];
        }
        Self(touched)
    }

    /// How many keys.
    #[expect(clippy::len_without_is_empty, reason = "nobody asks")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether a key is among both, so that their order matters.
    pub fn meets(&self, other: &Self) -> bool {
        !self.0.is_disjoint(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::encode_request;

    fn by(lines: &[&str]) -> Touched {
        let mut bytes = Vec::new();
        for line in lines {
            encode_request(&mut bytes, &line.split(' ').map(str::as_bytes).collect::<Vec<_>>());
        }
        Touched::by(&bytes)
    }

    #[test]
    fn requests_meet_at_any_key_of_theirs() {
        let transaction = by(&["MULTI", "INCR a", "MSET b 1 c 2", "EXEC"]);
        for meeting in ["GET a", "GET c", "MGET x y b", "EVALSHA f 2 x a y", "COPY x b"] {
            assert!(transaction.meets(&by(&[meeting])), "{meeting}");
        }
        for other in ["GET d", "SET 1 a", "EVALSHA f 1 x a", "PING"] {
            assert!(!transaction.meets(&by(&[other])), "{other}");
        }
    }

    #[test]
    fn what_is_cut_or_no_request_touches_nothing_more() {
        assert_eq!(Touched::by(b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n*2\r\n$3\r\nGET\r\n$1\r\nb"), by(&["GET a"]));
        assert_eq!(Touched::by(b"\xff\x00"), Touched::default());
    }
}
