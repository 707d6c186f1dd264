//! Requests that took long are put into the slow log when they are answered, as long as their bytes are there.
//!
//! An ordinary request pays one comparison. Must not know who reads the log.

use std::time::Duration;

use super::{
    Worker,
    flight::{Flight, Ticket},
};
use crate::{
    cluster::NodeAddr,
    command::{REDACTED, resolve},
    resp::{Limits, RequestParser, Scanned},
    slowlog::{Shown, SlowRequest},
};

impl Worker {
    /// Whether what was read at `received` has taken long by now.
    #[inline]
    pub(super) fn is_slow(&self, received: u64) -> bool {
        self.now().saturating_sub(received) >= self.slow_from
    }

    /// Notes `flight`, whose bytes `request` are: the node at `node` has answered it, or none will. What
    /// slotway sends by itself is not noted.
    #[cold]
    pub(super) fn note_slow(&self, flight: &Flight, request: &[u8], node: Option<&NodeAddr>) {
        if let Some(ticket) = &flight.ticket {
            let node = node.map(|addr| (addr.clone(), self.age(flight.written)));
            self.note_if_slow(ticket, request, flight.received, node);
        }
    }

    /// As [`Self::note_slow`], for a request of `ticket`'s client that was read at `received`.
    pub(super) fn note_if_slow(
        &self,
        ticket: &Ticket,
        request: &[u8],
        received: u64,
        node: Option<(NodeAddr, Duration)>,
    ) {
        if let Some(client) = ticket.client().filter(|_| self.is_slow(received)) {
            let (took, peer, name) =
                (self.age(received), client.peer.clone(), client.names.borrow().name.clone());
            self.slowlog.add(SlowRequest { took, args: words(request), peer, name, node });
        }
    }
}

/// What is shown of the requests in `frames`: a transaction is several.
fn words(frames: &[u8]) -> Vec<Vec<u8>> {
    let (mut shown, mut parser, mut at) = (Shown::default(), RequestParser::default(), 0);
    let limits = Limits { max_bulk: usize::MAX, max_frame: u32::MAX as usize, authenticated: true };
    while let Ok(Scanned::Request(len)) = parser.scan(&frames[at..], &limits) {
        let request = parser.request(&frames[at..], len);
        let secrets = resolve(&request).map_or(usize::MAX, |command| command.secrets_from());
        for (place, arg) in request.args_from(0).enumerate() {
            shown.add(if place < secrets { arg } else { REDACTED });
        }
        at += len;
    }
    shown.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::encode_request;

    fn shown(lines: &[&str]) -> String {
        let mut frames = Vec::new();
        for line in lines {
            encode_request(&mut frames, &line.split(' ').collect::<Vec<_>>());
        }
        String::from_utf8(words(&frames).join(&b' ')).unwrap()
    }

    #[test]
    fn a_transaction_is_shown_in_a_row() {
        assert_eq!(shown(&["MULTI", "SET a 1", "EXEC"]), "MULTI SET a 1 EXEC");
    }

    #[test]
    fn passwords_are_not_shown() {
        let line = "CONFIG SET requirepass secret";
        assert_eq!(shown(&[line]), "CONFIG SET (redacted) (redacted)");
    }
}
