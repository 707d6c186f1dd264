//! Reads that replicas may answer (`--read-from`): which they are, whom they go to, and what becomes of them when
//! a node does not answer.
//!
//! Nothing here runs while reads go to primaries. A client keeps to one node of each shard as long as that is fit,
//! so what it reads does not go back in time. A read that a node did not answer goes to the next, at once; it has
//! no place in the order of its client's requests, which only primaries keep. Invariant: it tries at most
//! [`MAX_HOPS`] nodes before it waits, as every request that could not run does.

use std::rc::Rc;

use super::{
    Worker,
    backend::Backend,
    client::Client,
    flight::Flight,
    line::Reply,
    profile::Profile,
    redirect::{MAX_HOPS, reason, unreachable},
    retry::{Delayed, delay},
};
use crate::{
    cluster::{NodeAddr, Slot},
    command::{Command, Handling},
    config::ReadFrom,
    metrics::RetryReason,
    routing::{Redirect, RetryAfter, Verdict},
    topology::Signal,
};

/// Reads that are the primaries' all the same: scripts, which replicas need not have; pages, whose cursors mean
/// something else on each node; and what is to be noticed where keys are evicted.
const PRIMARIES: [&str; 6] = ["evalsha_ro", "fcall_ro", "hscan", "sscan", "zscan", "touch"];

pub(super) const NO_REPLICA: &[u8] = b"-CLUSTERDOWN no replica of the slot can be read\r\n";

impl Client {
    /// It wrote, or is told so, right now: primaries answer its reads for a while.
    #[inline]
    pub(super) fn note_written(&self) {
        if self.worker.read_own_writes != 0 {
            self.wrote_at.set(self.worker.now());
        }
    }

    /// A write of it is sent.
    #[inline]
    pub(super) fn note_write_sent(&self) {
        if self.worker.read_own_writes != 0 {
            self.note_written();
            self.writes_due.update(|due| due + 1);
        }
    }

    /// A write of it is answered.
    pub(super) fn note_write_answered(&self) {
        self.note_written();
        self.writes_due.update(|due| due.saturating_sub(1));
    }

    /// Whether a primary has to answer its reads, lest they miss what it wrote.
    fn reads_own_writes(&self) -> bool {
        let within = self.worker.read_own_writes;
        let wrote = self.wrote_at.get();
        let is_recent = || self.worker.now().saturating_sub(wrote) < within;
        within != 0 && wrote != 0 && (self.writes_due.get() > 0 || self.retries.any() || is_recent())
    }
}

impl Worker {
    /// Whether a replica may answer `command` of `client`, for `slot`.
    #[inline]
    pub(super) fn may_spread(&self, client: &Client, command: &Command, slot: Slot) -> bool {
        self.spreads && self.is_spread(client, command, slot)
    }

    /// Scripts are with primaries. Who tracks keys hears of them from primaries, before replicas have them.
    fn is_spread(&self, client: &Client, command: &Command, slot: Slot) -> bool {
        let reads = command.read_only() && matches!(command.handling, Handling::Forward | Handling::Split(_));
        // Replicas of older servers do not know that a slot is moving: keys that went ahead are not there.
        let settled = self.config.read_from == ReadFrom::Replica || !self.is_moving(slot);
        reads
            && settled
            && !PRIMARIES.contains(&command.name)
            && !client.apart.is_on()
            && !client.reads_own_writes()
    }

    /// The connection to a node that answers reads of `slot` for the client numbered `id`: while none can, to
    /// the primary, unless that must not.
    pub(super) fn reader(self: &Rc<Self>, id: u64, slot: Slot, profile: Profile) -> Option<Rc<Backend>> {
        self.fit_reader(slot, id, profile).or_else(|| {
            let may = self.config.read_from != ReadFrom::Replica;
            may.then(|| self.owner(slot, Profile { replica: false, ..profile })).flatten()
        })
    }

    /// Notes that the read of `flight` goes to `backend`; `spread` tells whether a replica may answer it.
    #[inline]
    pub(super) fn aim(&self, flight: &mut Flight, backend: &Backend, spread: bool) {
        if self.spreads && flight.read_only() {
            flight.spread = spread;
            flight.profile.replica = backend.profile.replica;
            self.metrics.reads[usize::from(backend.profile.replica)].add(1);
        }
    }

    /// Does what `verdict` says about a read that the node at `from` answered with `reply`: a replica, or a primary
    /// that cannot run anything.
    pub(super) fn reader_said(
        self: &Rc<Self>,
        client: &Rc<Client>,
        mut flight: Flight,
        request: Vec<u8>,
        verdict: &Verdict,
        reply: &[u8],
        from: &NodeAddr,
    ) {
        match verdict {
            // What strays need not be looked at: its order is not kept.
            Verdict::Deliver | Verdict::Noscript | Verdict::Nofunction => {
                return flight.answer(Reply::Copy(reply));
            }
            // The slot is moving: its owner knows where to.
            Verdict::Follow(Redirect::Ask(..)) | Verdict::Retry(RetryAfter::Tryagain) => {
                flight.spread = self.config.read_from == ReadFrom::Replica;
                flight.hops = MAX_HOPS * u32::from(flight.spread);
            }
            Verdict::Follow(Redirect::Moved(slot, owner)) => {
                self.rest(from, flight.profile);
                self.metrics.moved.add(1);
                // A replica hears of a move later than others: it is no reason to change the table, only to look.
                if self.owner_addr(*slot).as_ref() != Some(owner) {
                    self.topology.signal(Signal::Lost);
                }
            }
            Verdict::Retry(_) => self.rest(from, flight.profile),
        }
        if let Verdict::Retry(after) = verdict {
            self.metrics.retried(reason(*after));
        }
        self.read_elsewhere(client, flight, request, from, reply.to_vec());
    }

    /// The connection to a node of a read was lost.
    pub(super) fn reader_lost(
        self: &Rc<Self>,
        client: &Rc<Client>,
        flight: Flight,
        request: Vec<u8>,
        from: &NodeAddr,
    ) {
        self.metrics.retried(RetryReason::Lost);
        self.read_elsewhere(client, flight, request, from, unreachable(from));
    }

    /// Sends a read that the node at `from` did not answer to another; where there is none it waits, with `last` as
    /// its error.
    fn read_elsewhere(
        self: &Rc<Self>,
        client: &Rc<Client>,
        mut flight: Flight,
        request: Vec<u8>,
        from: &NodeAddr,
        last: Vec<u8>,
    ) {
        flight.profile.replica = false;
        flight.hops += 1;
        let other = match flight.slot.filter(|_| flight.hops <= MAX_HOPS && !client.is_closed()) {
            Some(slot) if flight.spread => self.reader(client.id, slot, flight.profile),
            Some(slot) => self.owner(slot, flight.profile),
            None => None,
        };
        match other.filter(|backend| backend.addr != *from) {
            Some(backend) => {
                let spread = flight.spread;
                self.aim(&mut flight, &backend, spread);
                self.send_prepared(&backend, request, flight, false);
            }
            None => {
                let only_replicas = flight.spread && self.config.read_from == ReadFrom::Replica;
                let last = if only_replicas { NO_REPLICA.to_vec() } else { last };
                delay(client, Delayed { flight, request, last });
            }
        }
    }

    /// Sends no reads to the replica at `addr` for a while.
    fn rest(&self, addr: &NodeAddr, profile: Profile) {
        if let Some(backend) = self.backends.borrow().get(&(addr.clone(), profile)) {
            backend.rest();
        }
    }
}
