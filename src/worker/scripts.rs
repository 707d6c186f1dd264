//! Scripts that a node does not have: it is given what was loaded or run through slotway.
//!
//! Off the common path. Invariant: a request is sent again only if the node said that it did not run.

use std::{
    cell::{Cell, RefCell},
    collections::HashSet,
    hash::{BuildHasher, RandomState},
    rc::Rc,
};

use super::{
    Worker,
    backend::Backend,
    bundle::Bundle,
    client::Client,
    flight::{Flight, Ticket},
    line::Reply,
    retry::{Delayed, delay},
};
use crate::{
    cluster::NodeAddr,
    command::Command,
    resp::{ASKING, Limits, Request, RequestParser, Scanned, encode_request},
};

/// Times that one request is sent again behind its script: more than a slot changes its owner.
const MAX_LOADS: u32 = 3;

/// Longest script of EVAL in bytes that is remembered: those are written by hand.
const MAX_EVAL: usize = 64 * 1024;

/// Which scripts of EVAL a worker has noted, so that each is hashed in earnest, under a lock, once only.
#[derive(Default)]
pub(super) struct Evals {
    hasher: RandomState,
    noted: RefCell<HashSet<u64>>,
    /// The losses until which nothing noted was forgotten.
    losses: Cell<u64>,
}

impl Evals {
    /// Whether `body` must be noted, as it has not been since `losses`. At most as many as are remembered by all
    /// workers are noted between two losses.
    fn lacks(&self, body: &[u8], losses: u64) -> bool {
        let mut noted = self.noted.borrow_mut();
        if self.losses.replace(losses) != losses {
            noted.clear();
        }
        noted.insert(self.hasher.hash_one(body))
    }
}

impl Worker {
    /// Remembers the script of an EVAL.
    pub(super) fn note_eval(&self, request: Request<'_>) {
        if let Some(body) = request.arg(1).filter(|body| body.len() <= MAX_EVAL)
            && self.evals.lacks(body, self.scripts.losses())
        {
            self.scripts.note(body);
        }
    }

    /// Remembers what was loaded, for nodes that will lack it.
    pub(super) fn note_scripts(&self, command: &Command, request: Request<'_>) {
        match (command.name, request.arg(2)) {
            ("script|load", Some(body)) => self.scripts.remember(body),
            ("script|flush", _) => self.scripts.clear(),
            _ => {}
        }
    }

    /// The requests that give a node the scripts that the transaction `bundle` runs: inside it would be too late.
    pub(super) fn loads(&self, bundle: &Bundle) -> Vec<Vec<u8>> {
        bundle.scripts.iter().filter_map(|name| self.scripts.find(name)).map(|script| load(&script)).collect()
    }

    /// Sends `request` behind what must come first: the scripts of a transaction, and ASKING if it has to be
    /// asked for.
    pub(super) fn send_prepared(
        &self,
        backend: &Rc<Backend>,
        request: Vec<u8>,
        flight: Flight,
        asking: bool,
    ) {
        for load in flight.bundle.iter().flat_map(|bundle| self.loads(bundle)) {
            backend.send_owned(load.into(), Flight::asking(flight.received));
        }
        if asking {
            backend.send(ASKING, Flight::asking(flight.received));
        }
        backend.send_owned(request.into(), flight);
    }

    /// The node at `from` does not have the script that `request` runs: it is given it, if slotway has seen it,
    /// and the request is sent again.
    pub(super) fn load_script(
        self: &Rc<Self>,
        client: &Rc<Client>,
        mut flight: Flight,
        request: Vec<u8>,
        reply: &[u8],
        from: &NodeAddr,
    ) {
        let script = first_argument(b"evalsha", &request).and_then(|name| self.scripts.find(&name));
        let loads = flight.hops.saturating_add(flight.attempts);
        let (Some(script), true) = (script, loads < MAX_LOADS) else {
            return flight.answer(Reply::Copy(reply));
        };
        let backend = self.backend(from, flight.profile);
        backend.send_owned(load(&script).into(), Flight::asking(flight.received));
        let number = flight.ticket.as_ref().map_or(0, Ticket::number);
        // Others of its client may run before it does: then it keeps its error.
        if flight.slot.is_some() && !client.line().borrow().is_last(number) {
            return delay(client, Delayed { flight, request, last: reply.to_vec() });
        }
        flight.hops += 1;
        backend.send_owned(request.into(), flight);
    }
}

fn load(script: &[u8]) -> Vec<u8> {
    let mut request = Vec::new();
    encode_request(&mut request, &[&b"SCRIPT"[..], b"LOAD", script]);
    request
}

/// The first argument of `request`, if its name begins with `name`: what it calls its script or function.
pub(super) fn first_argument(name: &[u8], request: &[u8]) -> Option<Vec<u8>> {
    let mut parser = RequestParser::default();
    let limits = Limits { max_bulk: usize::MAX, max_frame: u32::MAX as usize, authenticated: true };
    let Ok(Scanned::Request(len)) = parser.scan(request, &limits) else { return None };
    let request = parser.request(request, len);
    let is_that = request.name().get(..name.len())?.eq_ignore_ascii_case(name);
    is_that.then_some(request.arg(1)?.to_vec())
}
