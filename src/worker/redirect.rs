//! What to do with a request that a node did not run: follow the redirect, try again later, or tell the client.

use std::rc::Rc;

use super::{
    Worker,
    backend::Backend,
    client::Client,
    flight::{Flight, Ticket},
    line::Reply,
    reads::NO_REPLICA,
    retry::{Delayed, arrive, delay, others_fly, stray},
};
use crate::{
    cluster::{NodeAddr, Slot},
    config::ReadFrom,
    metrics::RetryReason,
    routing::{Redirect, RetryAfter, Touched, Verdict},
    topology::Signal,
};

/// Redirects that a request follows at once, as many as cluster clients do; then it waits before the next.
pub(super) const MAX_HOPS: u32 = 5;

pub(super) const MAY_HAVE_RUN: &[u8] =
    b"-ERR the connection to the node was lost after the command was sent: it may have been executed\r\n";
pub(super) const NOT_SERVED: &[u8] = b"-CLUSTERDOWN Hash slot not served\r\n";
pub(super) const OTHERS_WAIT: &[u8] =
    b"-CLUSTERDOWN other requests of this connection still wait for their nodes\r\n";
pub(super) const OVERTAKEN: &[u8] =
    b"-TRYAGAIN a later request of this connection ran first while the slot moved\r\n";
const SHARDS_CHANGED: &[u8] = b"-CLUSTERDOWN slots moved while a node could not be reached\r\n";
pub(super) const TOO_MANY_REDIRECTS: &[u8] = b"-CLUSTERDOWN the nodes redirect the request in a circle\r\n";

impl Worker {
    /// Does what `verdict` says about `request`, which the node at `from` answered with `reply`.
    #[cold]
    pub(super) fn redirect(
        self: &Rc<Self>,
        mut flight: Flight,
        request: Vec<u8>,
        verdict: Verdict,
        reply: &[u8],
        from: &NodeAddr,
    ) {
        let Some(client) = flight.ticket.as_ref().and_then(|t| t.client().cloned()) else { return };
        let cannot_run = matches!(
            verdict,
            Verdict::Retry(RetryAfter::Loading | RetryAfter::Clusterdown | RetryAfter::Masterdown)
        );
        if flight.profile.replica || flight.spread && cannot_run {
            return self.reader_said(&client, flight, request, &verdict, reply, from);
        }
        if verdict == Verdict::Deliver || is_made_up(&flight, &verdict, reply) {
            return arrive(&client, flight, request, Reply::Copy(reply));
        }
        stray(&client, &flight, &request);
        match verdict {
            Verdict::Deliver => {}
            Verdict::Noscript => self.load_script(&client, flight, request, reply, from),
            Verdict::Nofunction => self.load_function(&client, flight, request, reply, from),
            Verdict::Follow(Redirect::Moved(_, addr) | Redirect::Ask(_, addr))
                if runs_script(&flight) && !self.knows(&addr) =>
            {
                // A script can utter any address; only control may find out whether it is a node's.
                self.topology.signal(Signal::Lost);
                delay(&client, Delayed { flight, request, last: TOO_MANY_REDIRECTS.to_vec() });
            }
            Verdict::Retry(after) => {
                self.note_retry(after, flight.slot);
                delay(&client, Delayed { flight, request, last: reply.to_vec() });
            }
            Verdict::Follow(redirect) => {
                client.unsettle();
                self.note_redirect(&redirect);
                flight.hops += 1;
                match self.must_wait(&client, &flight, &request, from) {
                    Some((reason, last)) => {
                        self.metrics.retried(reason);
                        delay(&client, Delayed { flight, request, last: last.to_vec() });
                    }
                    None => self.follow(redirect, flight, request),
                }
            }
        }
    }

    /// Settles a request whose connection to `addr` was lost. `sent` tells whether its last byte was written.
    pub(super) fn lost(self: &Rc<Self>, flight: Flight, request: Vec<u8>, sent: bool, addr: &NodeAddr) {
        let Some(client) = flight.ticket.as_ref().and_then(|t| t.client().cloned()) else { return };
        if sent && !flight.read_only() {
            client.retries.failed();
            self.note_slow(&flight, &request, Some(addr));
            return arrive(&client, flight, request, Reply::Copy(MAY_HAVE_RUN));
        }
        if flight.spread {
            return self.reader_lost(&client, flight, request, addr);
        }
        self.metrics.retried(RetryReason::Lost);
        stray(&client, &flight, &request);
        delay(&client, Delayed { flight, request, last: unreachable(addr) });
    }

    /// Lets a request wait for an owner of its slot.
    #[cold]
    pub(super) fn await_owner(&self, client: &Rc<Client>, flight: Flight, request: Vec<u8>) {
        if flight.slot.is_none_or(|slot| self.owner_addr(slot).is_none()) {
            self.topology.signal(Signal::Unassigned);
        }
        self.metrics.retried(RetryReason::Unassigned);
        let only_replicas = flight.spread && self.config.read_from == ReadFrom::Replica;
        let last = if only_replicas { NO_REPLICA } else { NOT_SERVED };
        delay(client, Delayed { flight, request, last: last.to_vec() });
    }

    /// Sends a delayed request to where it belongs by now.
    pub(super) fn send_again(self: &Rc<Self>, client: &Rc<Client>, delayed: Delayed) {
        if self.age(delayed.flight.received) >= self.config.retry_deadline {
            return delay(client, delayed);
        }
        self.follow_topology();
        let Delayed { mut flight, request, .. } = delayed;
        let backend = match flight.slot {
            // To ask one shard twice and another not at all would be worse than to ask none.
            Some(slot) if flight.is_broadcast() && !self.is_shard(slot) => {
                client.retries.failed();
                return flight.answer(Reply::Copy(SHARDS_CHANGED));
            }
            Some(slot) if flight.spread => self.reader(client.id, slot, flight.profile),
            Some(slot) => self.owner(slot, flight.profile),
            None => self.any_primary(flight.profile),
        };
        match backend {
            Some(backend) => {
                let spread = flight.spread;
                self.aim(&mut flight, &backend, spread);
                self.send_prepared(&backend, request, flight, false);
            }
            None => self.await_owner(client, flight, request),
        }
    }

    /// Why a request that the node at `from` redirected may not follow at once, if so, and the error that it then gets
    /// when its time is up.
    fn must_wait(
        &self,
        client: &Rc<Client>,
        flight: &Flight,
        request: &[u8],
        from: &NodeAddr,
    ) -> Option<(RetryReason, &'static [u8])> {
        let number = flight.ticket.as_ref().map_or(0, Ticket::number);
        // At the node that redirected it those sent along with it may find some of its keys.
        let many_keys = || flight.bundle.is_some() || Touched::by(request).len() > 1;
        let passed = || self.may_be_passed(client, flight, number, from);
        if flight.hops > MAX_HOPS || client.is_closed() {
            Some((RetryReason::Redirects, TOO_MANY_REDIRECTS))
        } else if client.retries.any() && !flight.serial {
            Some((RetryReason::Order, OTHERS_WAIT))
        } else if client.retries.strays.is_overtaken(number)
            || (many_keys() || passed()) && others_fly(client, Some(number))
        {
            Some((RetryReason::Order, OVERTAKEN))
        } else {
            None
        }
    }

    /// Whether later requests of the client for the same slot are still at the node that redirected this one: the
    /// slot may return before they run.
    fn may_be_passed(&self, client: &Rc<Client>, flight: &Flight, number: u64, from: &NodeAddr) -> bool {
        let backends = self.backends.borrow();
        let backend = backends.get(&(from.clone(), flight.profile));
        !client.line().borrow().is_last(number)
            && backend.is_some_and(|backend| backend.may_carry(client, flight.slot))
    }

    fn follow(self: &Rc<Self>, redirect: Redirect, flight: Flight, request: Vec<u8>) {
        let (Redirect::Moved(_, addr) | Redirect::Ask(_, addr)) = &redirect;
        let backend: Rc<Backend> = self.backend(addr, flight.profile);
        self.send_prepared(&backend, request, flight, matches!(redirect, Redirect::Ask(..)));
    }

    pub(super) fn note_redirect(&self, redirect: &Redirect) {
        match redirect {
            Redirect::Moved(slot, addr) => {
                self.metrics.moved.add(1);
                self.topology.signal(Signal::Moved(*slot, addr.clone()));
            }
            Redirect::Ask(slot, _) => {
                self.metrics.ask.add(1);
                self.unsettle_slot(*slot, true);
            }
        }
    }

    pub(super) fn note_retry(&self, after: RetryAfter, slot: Option<Slot>) {
        self.metrics.retried(reason(after));
        match after {
            RetryAfter::Readonly => self.topology.signal(Signal::Readonly),
            RetryAfter::Clusterdown => self.topology.signal(Signal::Clusterdown),
            RetryAfter::Tryagain | RetryAfter::Loading | RetryAfter::Masterdown => {}
        }
        if let Some(slot) = slot {
            self.unsettle_slot(slot, after == RetryAfter::Tryagain);
        }
    }
}

/// As it is counted.
pub(super) fn reason(after: RetryAfter) -> RetryReason {
    match after {
        RetryAfter::Tryagain => RetryReason::Tryagain,
        RetryAfter::Clusterdown => RetryReason::Clusterdown,
        RetryAfter::Loading => RetryReason::Loading,
        RetryAfter::Masterdown => RetryReason::Masterdown,
        RetryAfter::Readonly => RetryReason::Readonly,
    }
}

pub(super) fn unreachable(addr: &NodeAddr) -> Vec<u8> {
    format!("-CLUSTERDOWN node {addr} cannot be reached\r\n").into_bytes()
}

/// Whether the request runs a script, which may reply with any error it likes.
fn runs_script(flight: &Flight) -> bool {
    flight.command.is_some_and(|c| ["eval", "evalsha", "fcall"].iter().any(|name| c.name.starts_with(name)))
}

/// Whether the error is not the node's own: of another slot than the request's, or a script's word that looks
/// like a node's. A script may have run before it said so.
fn is_made_up(flight: &Flight, verdict: &Verdict, reply: &[u8]) -> bool {
    match verdict {
        Verdict::Deliver | Verdict::Noscript => false,
        Verdict::Nofunction => flight.command.is_none_or(|command| !command.name.starts_with("fcall")),
        Verdict::Follow(Redirect::Moved(slot, _) | Redirect::Ask(slot, _)) => {
            flight.slot.is_some_and(|own| own != *slot)
        }
        Verdict::Retry(_) => {
            let own = NODES_OWN.iter().any(|text| reply.get(1..).is_some_and(|line| line.starts_with(text)));
            runs_script(flight) && !flight.read_only() && !own
        }
    }
}

/// What nodes say before they run a script, as in redis server.c and cluster.c.
const NODES_OWN: [&[u8]; 7] = [
    b"TRYAGAIN Multiple keys request during rehashing of slot",
    b"CLUSTERDOWN The cluster is down",
    b"CLUSTERDOWN Hash slot not served",
    b"LOADING Redis is loading",
    b"LOADING Valkey is loading",
    b"MASTERDOWN Link with MASTER is down",
    b"READONLY You can't write against a read only replica",
];
