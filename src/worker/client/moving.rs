//! A client that goes on with another worker.
//!
//! It moves between two requests: it reads no more, waits for its replies, and takes along what it is by itself. Who
//! has anything that belongs to its worker (subscriptions, a transaction, keys it watches, ...) does not move.
//! Invariant: nobody has anything for a client that moves, and no request or reply of it is lost, sent twice or
//! passed by another.

use std::{cell::Cell, io, rc::Rc};

use super::{Arrival, Client, Mute, Names, input::Input};
use crate::{
    command::Command,
    metrics::CloseReason,
    resp::Protocol,
    worker::{Worker, line::Line, profile::Whose, stream::Detached},
};

/// How a client's time with its worker ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::worker) enum End {
    /// It is closed, for this reason.
    Close(CloseReason),
    /// It goes on with the worker of this number.
    Move(usize),
}

/// A client on its way from one worker to another.
pub struct Moved {
    id: u64,
    socket: Detached,
    peer: Box<str>,
    local: Box<str>,
    input: Input,
    line: Line,
    held: bool,
    stays: Option<usize>,
    protocol: Protocol,
    authenticated: bool,
    mute: Mute,
    names: Names,
    since: u64,
    active: u64,
    last_command: Option<&'static Command>,
    wrote: u64,
    wrote_at: u64,
    bytes_in: u64,
    bytes_out: u64,
    no_evict: bool,
    no_touch: bool,
}

impl Moved {
    /// The worker that counts it among those that stay.
    pub(in crate::worker) fn stays(&self) -> Option<usize> {
        self.stays
    }
}

impl Client {
    /// Has it move to worker `to` as soon as all that it asked is answered. Returns false if it can't move.
    pub(in crate::worker) fn move_to(&self, to: usize) -> bool {
        let moves = self.ending.get().is_none() && self.is_portable(to);
        if moves {
            self.ending.set(Some(End::Move(to)));
            self.wake();
        }
        moves
    }

    /// Has it stay with a worker from now on, for what it asks takes of what each worker has a share of (connections to
    /// nodes for it alone) or lasts (subscriptions); where clients move, with the worker that has the fewest who stay.
    /// False if that is another and it is on its way: what it asks must wait until it is there.
    pub(in crate::worker) fn settles(&self) -> bool {
        if let Some(End::Move(_)) = self.ending.get() {
            return false;
        }
        if self.stays.get().is_some() {
            return true;
        }
        let here = self.worker.index;
        let may_move = self.worker.config.spread_at > 0 && self.is_portable(here) && !self.is_closing();
        let place = self.worker.mailboxes.settle(here, may_move);
        self.stays.set(Some(place));
        place == here || !self.move_to(place)
    }

    /// Has it stay here, since other clients mean it by its worker.
    pub(in crate::worker) fn stay(&self) {
        self.remain();
        self.stay_if(|place| place.is_none());
    }

    /// Whether it can go to worker `to` now. Where something keeps it here it does not move after all, also when it
    /// does not read its replies: it may wait for slotway to read first.
    pub(super) fn can_leave(&self, to: usize) -> bool {
        if !self.is_portable(to) || self.stuck.get() {
            self.remain();
            return false;
        }
        self.line.borrow().is_empty()
    }

    /// Does not move after all. What it was held back for goes on.
    fn remain(&self) {
        if let Some(End::Move(_)) = self.ending.get() {
            self.ending.set(None);
            self.wake();
            self.stay_if(|place| place.is_some_and(|place| place != self.worker.index));
        }
    }

    /// Is counted here among those that stay if `so`, of where it is counted now.
    fn stay_if(&self, so: impl Fn(Option<usize>) -> bool) {
        let (mailboxes, before) = (&self.worker.mailboxes, self.stays.get());
        if so(before) {
            before.into_iter().for_each(|place| mailboxes.unsettle(place));
            self.stays.set(Some(mailboxes.settle(self.worker.index, false)));
        }
    }

    /// Whether it is on its way to worker `to`.
    pub(in crate::worker) fn moves_to(&self, to: usize) -> bool {
        self.ending.get() == Some(End::Move(to))
    }

    /// Whether it has nothing that belongs to its worker.
    fn is_portable(&self, to: usize) -> bool {
        !self.listens.get()
            && self.stays.get().is_none_or(|place| place == to)
            && self.uses.get() == Whose::Everyone
            && self.database.get() == 0
            && self.apart.is_empty()
    }

    /// Takes it off its worker, when its task has ended to [`End::Move`].
    ///
    /// # Errors
    /// When the runtime does not give its socket back.
    pub(in crate::worker) fn pack(&self) -> io::Result<Moved> {
        let stream = self.stream.take().ok_or(io::ErrorKind::NotConnected)?;
        Ok(Moved {
            id: self.id,
            socket: stream.detach()?,
            peer: self.peer.clone(),
            local: self.local.clone(),
            input: self.input.take(),
            line: self.line.take(),
            held: self.held.get(),
            stays: self.stays.take(),
            protocol: self.protocol.get(),
            authenticated: self.authenticated.get(),
            mute: self.mute.get(),
            names: self.names.take(),
            since: self.since,
            active: self.active.get(),
            last_command: self.last_command.get(),
            wrote: self.wrote.bits(),
            wrote_at: self.wrote_at.get(),
            bytes_in: self.bytes_in.get(),
            bytes_out: self.bytes_out.get(),
            no_evict: self.no_evict.get(),
            no_touch: self.no_touch.get(),
        })
    }

    /// Takes it on at `worker`.
    ///
    /// # Errors
    /// When the runtime does not take its socket.
    pub(in crate::worker) fn unpack(worker: &Rc<Worker>, moved: Moved) -> io::Result<Rc<Self>> {
        let Moved { id, peer, local, .. } = moved;
        let arrival = Arrival { id, stream: moved.socket.attach()?, peer, local };
        Ok(Rc::new(Self {
            input: moved.input.into(),
            line: moved.line.into(),
            held: Cell::new(moved.held),
            stays: Cell::new(moved.stays),
            protocol: Cell::new(moved.protocol),
            authenticated: Cell::new(moved.authenticated),
            mute: Cell::new(moved.mute),
            names: moved.names.into(),
            since: moved.since,
            active: Cell::new(moved.active),
            last_command: Cell::new(moved.last_command),
            wrote: moved.wrote.into(),
            wrote_at: Cell::new(moved.wrote_at),
            bytes_in: Cell::new(moved.bytes_in),
            bytes_out: Cell::new(moved.bytes_out),
            no_evict: Cell::new(moved.no_evict),
            no_touch: Cell::new(moved.no_touch),
            ..Self::begin(worker, arrival)
        }))
    }
}
