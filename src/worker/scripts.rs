//! Scripts that a node does not have: it is given what was loaded through slotway.
//!
//! Off the common path. Invariant: a request is sent again only if the node said that it did not run.

use std::rc::Rc;

use super::{
    Worker,
    client::Client,
    flight::{Flight, Ticket},
    line::Reply,
    retry::{Delayed, delay},
};
use crate::{
    cluster::NodeAddr,
    command::Command,
    resp::{Limits, Request, RequestParser, Scanned, encode_request},
};

/// Times that one request is sent again behind its script: more than a slot changes its owner.
const MAX_LOADS: u32 = 3;

impl Worker {
    /// Remembers what was loaded, for nodes that will lack it.
    pub(super) fn note_scripts(&self, command: &Command, request: Request<'_>) {
        match (command.name, request.arg(2)) {
            ("script|load", Some(body)) => self.scripts.remember(body),
            ("script|flush", _) => self.scripts.clear(),
            _ => {}
        }
    }

    /// The request that gives a node the script that EVALSHA calls `name`, if it was loaded through slotway.
    pub(super) fn loading(&self, name: &[u8]) -> Option<Vec<u8>> {
        self.scripts.find(name).map(|script| load(&script))
    }

    /// The node at `from` does not have the script that `request` runs: it is given it, if it was loaded
    /// through slotway, and the request is sent again.
    pub(super) fn load_script(
        self: &Rc<Self>,
        client: &Rc<Client>,
        mut flight: Flight,
        request: Vec<u8>,
        reply: &[u8],
        from: &NodeAddr,
    ) {
        let script = script_name(&request).and_then(|name| self.scripts.find(&name));
        let loads = flight.hops.saturating_add(flight.attempts);
        let (Some(script), true) = (script, loads < MAX_LOADS) else {
            return flight.answer(Reply::Copy(reply));
        };
        let backend = self.backend(from, flight.profile);
        backend.send_owned(load(&script), Flight::asking(flight.received));
        let number = flight.ticket.as_ref().map_or(0, Ticket::number);
        // Others of its client may run before it does: then it keeps its error.
        if flight.slot.is_some() && !client.line().borrow().is_last(number) {
            return delay(client, Delayed { flight, request, last: reply.to_vec() });
        }
        flight.hops += 1;
        backend.send_owned(request, flight);
    }
}

fn load(script: &[u8]) -> Vec<u8> {
    let mut request = Vec::new();
    encode_request(&mut request, &[&b"SCRIPT"[..], b"LOAD", script]);
    request
}

/// What an EVALSHA calls its script.
fn script_name(request: &[u8]) -> Option<Vec<u8>> {
    let mut parser = RequestParser::default();
    let limits = Limits { max_bulk: usize::MAX, max_frame: u32::MAX as usize, authenticated: true };
    let Ok(Scanned::Request(len)) = parser.scan(request, &limits) else { return None };
    let request = parser.request(request, len);
    let runs = request.name().get(..7)?.eq_ignore_ascii_case(b"evalsha");
    runs.then_some(request.arg(1)?.to_vec())
}
