//! A request on its way: its ticket, and what is needed to send it again; and how many there are.

use std::{cell::Cell, rc::Rc};

use super::{bundle::Bundle, client::Client, line::Reply, profile::Profile};
use crate::{
    cluster::Slot,
    command::{Command, Handling},
};

/// A request's place in its client's reply order: the promise of exactly one reply.
///
/// Dropped unanswered it answers itself with an error, so that no client waits forever.
pub(super) struct Ticket {
    client: Option<Rc<Client>>,
    number: u64,
}

impl Ticket {
    /// For place `number` of `client`.
    pub(super) fn new(client: Rc<Client>, number: u64) -> Self {
        Self { client: Some(client), number }
    }

    /// Keeps the promise.
    #[inline]
    pub(super) fn answer(mut self, reply: Reply<'_>) {
        if let Some(client) = self.client.take() {
            client.answer(self.number, reply);
        }
    }

    /// Its place in the line.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Whose it is; nobody's once answered.
    pub(super) fn client(&self) -> Option<&Rc<Client>> {
        self.client.as_ref()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            client.answer(self.number, Reply::Copy(b"-ERR the request was dropped unanswered\r\n"));
        }
    }
}

/// How many requests a worker gave to nodes, and how many of them are over: answered, or their connection lost.
#[derive(Default)]
pub(super) struct Traffic {
    begun: Cell<usize>,
    ended: Cell<usize>,
}

impl Traffic {
    /// A node is given a request.
    #[inline]
    pub(super) fn begin(&self) {
        self.begun.update(|begun| begun.wrapping_add(1));
    }

    /// So many are over.
    #[inline]
    pub(super) fn end(&self, count: usize) {
        debug_assert!(count <= self.owed(), "more are over than were begun");
        self.ended.update(|ended| ended.wrapping_add(count));
    }

    /// Requests that nodes are to answer.
    #[inline]
    pub(super) fn owed(&self) -> usize {
        self.begun.get().wrapping_sub(self.ended.get())
    }

    /// How many are over so far; it wraps around.
    pub(super) fn ended(&self) -> usize {
        self.ended.get()
    }
}

/// The attempts of a request that is answered with an error rather than delayed.
pub(super) const NO_RETRY: u32 = u32::MAX;

/// A request that was given to a backend.
pub(super) struct Flight {
    /// Nobody's for an ASKING that goes ahead of a request.
    pub(super) ticket: Option<Ticket>,
    pub(super) command: Option<&'static Command>,
    /// What its owner is told by; none for a request without key.
    pub(super) slot: Option<Slot>,
    /// Its bytes in the backend's outbox.
    pub(super) len: usize,
    /// When it was read, in nanoseconds of the worker's clock.
    pub(super) received: u64,
    /// When its last byte was written; 0 before.
    pub(super) written: u64,
    /// Redirects it followed since it was last delayed.
    pub(super) hops: u32,
    /// How its client wants it done and answered.
    pub(super) profile: Profile,
    /// Times that it was delayed, or [`NO_RETRY`].
    pub(super) attempts: u32,
    /// Whether a replica may answer it.
    pub(super) spread: bool,
    /// Whether its client's other delayed requests wait for it.
    pub(super) serial: bool,
    /// What its many replies amount to, if it is a transaction.
    pub(super) bundle: Option<Box<Bundle>>,
}

impl Flight {
    /// A request of `ticket`'s client, for the owner of `slot`.
    #[inline]
    pub(super) fn new(ticket: Ticket, command: &'static Command, slot: Option<Slot>, received: u64) -> Self {
        let profile = ticket.client().map_or_else(Profile::default, |client| {
            if command.writes() {
                client.wrote.note(slot);
                client.note_write_sent();
            }
            client.profile()
        });
        Self { ticket: Some(ticket), command: Some(command), slot, profile, ..Self::asking(received) }
    }

    /// The ASKING ahead of a redirected request.
    #[inline]
    pub(super) fn asking(received: u64) -> Self {
        Self {
            ticket: None,
            command: None,
            slot: None,
            len: 0,
            received,
            written: 0,
            hops: 0,
            profile: Profile::default(),
            attempts: 0,
            spread: false,
            serial: false,
            bundle: None,
        }
    }

    /// Whether requests of its client stray which it may have passed.
    #[inline]
    pub(super) fn is_among_strays(&self) -> bool {
        self.ticket.as_ref().and_then(Ticket::client).is_some_and(|client| client.retries.strays.any())
    }

    /// Whether running it twice is the same as running it once.
    pub(super) fn read_only(&self) -> bool {
        match &self.bundle {
            Some(bundle) => bundle.read_only,
            None => self.command.is_none_or(Command::read_only),
        }
    }

    /// Whether it is one of those that go to every primary.
    pub(super) fn is_broadcast(&self) -> bool {
        let handling = self.command.map(|command| command.handling);
        matches!(handling, Some(Handling::Broadcast(_) | Handling::Admin(_)))
    }

    /// Gives the client `reply`.
    #[inline(always)]
    pub(super) fn answer(self, reply: Reply<'_>) {
        let Some(ticket) = self.ticket else { return };
        if let Some(client) = ticket.client()
            && client.worker.read_own_writes != 0
            && self.command.is_some_and(Command::writes)
        {
            client.note_write_answered();
        }
        if self.serial
            && let Some(client) = ticket.client().cloned()
        {
            ticket.answer(reply);
            client.retries.landed();
        } else {
            ticket.answer(reply);
        }
    }
}
