//! What a node's reply means for its request.

use crate::cluster::{NodeAddr, Slot};

/// What to do with a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the client's.
    Deliver,
    /// The request did not run here: send it where the redirect says.
    Follow(Redirect),
    /// The request did not run: try again a little later.
    Retry(RetryAfter),
    /// The request did not run: the node does not have its script.
    Noscript,
    /// The request did not run if it calls a function: the node does not have that.
    Nofunction,
}

/// Where a node sent a request instead of running it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redirect {
    /// The slot belongs to another node from now on.
    Moved(Slot, NodeAddr),
    /// This key is already at the node that takes the slot over; only this request goes there, behind ASKING.
    Ask(Slot, NodeAddr),
}

/// Why a node could not run a request yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// Keys of one request are on both sides of a slot that is moving.
    Tryagain,
    /// The cluster or the slot has no owner at the moment.
    Clusterdown,
    /// The node reads its data set.
    Loading,
    /// A replica lost its primary.
    Masterdown,
    /// A primary became a replica.
    Readonly,
}

impl Verdict {
    /// What `reply`, a whole frame as it came from the node at `from`, means.
    ///
    /// Texts as in redis cluster.c `clusterRedirectClient` and server.c `createSharedObjects`.
    #[inline]
    pub fn of(reply: &[u8], from: &NodeAddr) -> Self {
        if reply.first() == Some(&b'-') { Self::of_error(reply, from) } else { Self::Deliver }
    }

    #[cold]
    fn of_error(reply: &[u8], from: &NodeAddr) -> Self {
        let line = reply[1..].trim_ascii_end();
        let mut words = line.split(|&b| b == b' ');
        let retry = match words.next().unwrap_or_default() {
            b"NOSCRIPT" if NOSCRIPT.contains(&line) => return Self::Noscript,
            b"ERR" if line == NOFUNCTION => return Self::Nofunction,
            b"MOVED" => return redirect(words, from, Redirect::Moved),
            b"ASK" => return redirect(words, from, Redirect::Ask),
            b"TRYAGAIN" => RetryAfter::Tryagain,
            b"CLUSTERDOWN" => RetryAfter::Clusterdown,
            b"LOADING" => RetryAfter::Loading,
            b"MASTERDOWN" => RetryAfter::Masterdown,
            b"READONLY" => RetryAfter::Readonly,
            _ => return Self::Deliver,
        };
        Self::Retry(retry)
    }
}

/// As in redis and valkey server.c `createSharedObjects`; what a script makes up is seldom the same to the
/// letter.
const NOSCRIPT: [&[u8]; 2] =
    [b"NOSCRIPT No matching script. Please use EVAL.", b"NOSCRIPT No matching script."];

/// As in redis functions.c `fcallCommandGeneric`.
const NOFUNCTION: &[u8] = b"ERR Function not found";

/// Reads `<slot> <host>:<port>`; an empty host is the host of the node that said so.
fn redirect<'a>(
    mut words: impl Iterator<Item = &'a [u8]>,
    from: &NodeAddr,
    kind: fn(Slot, NodeAddr) -> Redirect,
) -> Verdict {
    let text = |word: Option<&'a [u8]>| word.and_then(|w| std::str::from_utf8(w).ok());
    let slot = text(words.next()).and_then(|w| w.parse().ok()).and_then(Slot::new);
    let addr = text(words.next()).and_then(|w| w.parse::<NodeAddr>().ok());
    match (slot, addr) {
        (Some(slot), Some(addr)) if addr.host().is_empty() => {
            Verdict::Follow(kind(slot, NodeAddr::new(from.host(), addr.port())))
        }
        (Some(slot), Some(addr)) => Verdict::Follow(kind(slot, addr)),
        _ => Verdict::Deliver,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(reply: &str) -> Verdict {
        Verdict::of(reply.as_bytes(), &NodeAddr::new("10.0.0.9", 7000))
    }

    #[test]
    fn redirects_name_slot_and_node() {
        let (slot, addr) = (Slot::new(3999).unwrap(), NodeAddr::new("127.0.0.1", 6381));
        assert_eq!(
            of("-MOVED 3999 127.0.0.1:6381\r\n"),
            Verdict::Follow(Redirect::Moved(slot, addr.clone()))
        );
        assert_eq!(of("-ASK 3999 127.0.0.1:6381\r\n"), Verdict::Follow(Redirect::Ask(slot, addr)));
        let same_host = NodeAddr::new("10.0.0.9", 7001);
        assert_eq!(of("-MOVED 3999 :7001\r\n"), Verdict::Follow(Redirect::Moved(slot, same_host)));
        let v6 = NodeAddr::new("2001:db8::1", 7001);
        assert_eq!(of("-ASK 3999 2001:db8::1:7001\r\n"), Verdict::Follow(Redirect::Ask(slot, v6)));
    }

    #[test]
    fn a_node_that_cannot_yet_is_asked_again() {
        for (reply, after) in [
            ("-TRYAGAIN Multiple keys request during rehashing of slot\r\n", RetryAfter::Tryagain),
            ("-CLUSTERDOWN The cluster is down\r\n", RetryAfter::Clusterdown),
            ("-LOADING Redis is loading the dataset in memory\r\n", RetryAfter::Loading),
            (
                "-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.\r\n",
                RetryAfter::Masterdown,
            ),
            ("-READONLY You can't write against a read only replica.\r\n", RetryAfter::Readonly),
        ] {
            assert_eq!(of(reply), Verdict::Retry(after));
        }
    }

    #[test]
    fn a_missing_script_or_function_is_told_by_the_servers_own_words() {
        for words in ["No matching script. Please use EVAL.", "No matching script."] {
            assert_eq!(of(&format!("-NOSCRIPT {words}\r\n")), Verdict::Noscript);
        }
        assert_eq!(of("-ERR Function not found\r\n"), Verdict::Nofunction);
    }

    #[test]
    fn everything_else_is_the_client_s() {
        for reply in [
            "+OK\r\n",
            "$5\r\nMOVED\r\n",
            "-ERR x\r\n",
            "-MOVED x y\r\n",
            "-MOVED 16384 h:1\r\n",
            "-ASK\r\n",
            "-MOVEDX 1 h:1\r\n",
            "-NOSCRIPT my own\r\n",
        ] {
            assert_eq!(of(reply), Verdict::Deliver, "{reply}");
        }
    }
}
