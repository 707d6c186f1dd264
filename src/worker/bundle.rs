//! A transaction on its way: MULTI, its commands and EXEC in one piece, answered with a reply each.
//!
//! Sent whole, so that nothing of another client comes between, and nothing is left open on the connection.
//! Knows what its replies mean together; no socket.

use std::collections::BTreeSet;

use crate::{cluster::NodeAddr, routing::Verdict};

/// The request that begins a transaction.
pub(super) const MULTI: &[u8] = b"*1\r\n$5\r\nMULTI\r\n";
/// The request that ends it.
pub(super) const EXEC: &[u8] = b"*1\r\n$4\r\nEXEC\r\n";

/// What the replies to a transaction amount to so far.
pub(super) struct Bundle {
    /// Replies that come before that to EXEC.
    before: u32,
    /// Of these, how many are still to come.
    left: u32,
    /// Whether all its commands only read.
    pub(super) read_only: bool,
    /// What it calls the scripts that it runs.
    pub(super) scripts: BTreeSet<Vec<u8>>,
    /// What the node said to MULTI, if not OK: then there was no transaction.
    unopened: Option<Vec<u8>>,
    /// The first error about a command that was to be queued: then nothing runs.
    refusal: Option<Vec<u8>>,
}

impl Bundle {
    /// Of so many `commands`, MULTI and EXEC not counted.
    pub(super) fn new(commands: u32, read_only: bool) -> Self {
        let before = commands + 1;
        let scripts = BTreeSet::new();
        Self { before, left: before, read_only, scripts, unopened: None, refusal: None }
    }

    /// It is sent, perhaps again: no reply has come.
    pub(super) fn begin(&mut self) {
        (self.left, self.unopened, self.refusal) = (self.before, None, None);
    }

    /// How many replies it gets.
    pub(super) fn replies(&self) -> usize {
        self.before as usize + 1
    }

    /// Takes `reply` if it is not that to EXEC.
    pub(super) fn takes(&mut self, reply: &[u8]) -> bool {
        if self.left == 0 {
            return false;
        }
        let error = || reply.starts_with(b"-").then(|| reply.to_vec());
        if self.left == self.before {
            self.unopened = error();
        } else if self.refusal.is_none() {
            self.refusal = error();
        }
        self.left -= 1;
        true
    }

    /// What `reply`, that to EXEC from the node at `from`, means, and the error that stands for it if it is
    /// not to be delivered as it is.
    pub(super) fn judge(&self, reply: &[u8], from: &NodeAddr) -> (Verdict, Option<Vec<u8>>) {
        if let Some(error) = &self.unopened {
            let text = [
                b"-ERR the node refused MULTI, so that the commands may have been executed one by one: ",
                text(error),
                b"\r\n",
            ];
            return (Verdict::Deliver, Some(text.concat()));
        }
        let refusal = self.refusal.clone().or_else(|| reason(reply));
        let Some(refusal) = refusal.filter(|_| reply.starts_with(ABORTED)) else {
            return (Verdict::of(reply, from), None);
        };
        // Texts as in redis multi.c `execCommandAbort`.
        let error = [b"-EXECABORT Transaction discarded because of: ", text(&refusal), b"\r\n"].concat();
        (Verdict::of(&refusal, from), Some(error))
    }
}

/// What EXEC is answered with if nothing ran.
const ABORTED: &[u8] = b"-EXECABORT ";

/// The error that EXEC itself was refused with, as in redis multi.c `execCommandAbort`.
fn reason(reply: &[u8]) -> Option<Vec<u8>> {
    let reason = reply.strip_prefix(b"-EXECABORT Transaction discarded because of: ")?;
    Some([b"-", reason].concat())
}

/// An error without its `-`, a general code and its line end.
fn text(error: &[u8]) -> &[u8] {
    let error = error.trim_ascii_end();
    let error = error.strip_prefix(b"-").unwrap_or(error);
    error.strip_prefix(b"ERR ").unwrap_or(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::{Redirect, RetryAfter};

    /// What is made of the replies to MULTI, to one command each, and to EXEC.
    fn judged(replies: &[&str]) -> (Verdict, Option<String>) {
        let commands = u32::try_from(replies.len() - 2).unwrap();
        let mut bundle = Bundle::new(commands, false);
        let (exec, before) = replies.split_last().unwrap();
        for reply in before {
            assert!(bundle.takes(format!("{reply}\r\n").as_bytes()), "{reply}");
        }
        let exec = format!("{exec}\r\n");
        assert!(!bundle.takes(exec.as_bytes()));
        let (verdict, text) = bundle.judge(exec.as_bytes(), &NodeAddr::new("h", 1));
        bundle.begin();
        assert!(bundle.takes(b"+OK\r\n") && bundle.unopened.is_none() && bundle.refusal.is_none());
        (verdict, text.map(|text| String::from_utf8(text).unwrap()))
    }

    #[test]
    fn what_exec_says_is_delivered() {
        for exec in ["*1", "*-1", "_", "-ERR x"] {
            assert_eq!(judged(&["+OK", "+QUEUED", exec]), (Verdict::Deliver, None), "{exec}");
        }
    }

    #[test]
    fn a_redirect_while_queueing_means_that_nothing_ran() {
        let (verdict, _) = judged(&["+OK", "+QUEUED", "-MOVED 1 h:2", "-ASK 1 h:3", "-EXECABORT x"]);
        assert!(matches!(verdict, Verdict::Follow(Redirect::Moved(_, addr)) if addr.port() == 2));
        let (verdict, _) = judged(&["+OK", "-TRYAGAIN x", "-EXECABORT x"]);
        assert_eq!(verdict, Verdict::Retry(RetryAfter::Tryagain));
        let (verdict, _) = judged(&["+OK", "+QUEUED", "-MOVED 1 h:2"]);
        assert!(matches!(verdict, Verdict::Follow(_)));
        let exec = "-EXECABORT Transaction discarded because of: LOADING Redis is loading";
        assert_eq!(judged(&["+OK", "+QUEUED", exec]).0, Verdict::Retry(RetryAfter::Loading));
    }

    #[test]
    fn another_error_while_queueing_is_told_at_exec() {
        let aborted = "-EXECABORT Transaction discarded because of previous errors.";
        let (verdict, text) = judged(&["+OK", "-OOM no room", "+QUEUED", aborted]);
        let wanted = "-EXECABORT Transaction discarded because of: OOM no room\r\n";
        assert_eq!((verdict, text.as_deref()), (Verdict::Deliver, Some(wanted)));
        let (_, text) = judged(&["+OK", "-ERR what", aborted]);
        assert_eq!(text.as_deref(), Some("-EXECABORT Transaction discarded because of: what\r\n"));
        assert_eq!(judged(&["+OK", "-MOVED 1 h:2", "*1"]).0, Verdict::Deliver, "it ran all the same");
    }

    #[test]
    fn a_multi_that_was_refused_is_never_taken_for_a_transaction() {
        let (verdict, text) = judged(&["-NOPERM no", "+OK", "-ERR EXEC without MULTI"]);
        assert_eq!(verdict, Verdict::Deliver);
        assert!(text.unwrap().ends_with("may have been executed one by one: NOPERM no\r\n"));
    }
}
