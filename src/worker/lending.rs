//! Connections to nodes that a client is lent for its transactions, from EXEC until they are answered.
//!
//! What is lent is a number. The connections of a number are backends like any other, made where they are first
//! needed and closed when nobody needed them for a while. When a client is lent a number nothing of it is in flight,
//! and while it has one it sends nothing but transactions: so its requests stay in order, and connections are handed
//! on with nothing left on them. Clients that find all numbers lent wait in line. Invariant: a number is lent to one
//! client at a time, and no more are than this worker's share of `dedicated-connections`.

use std::{
    cell::{Cell, RefCell},
    collections::{HashSet, VecDeque},
    rc::Rc,
};

use super::{Worker, client::Client, profile::Whose};

/// The numbers that are lent, and who waits for one.
#[derive(Default)]
pub(super) struct Lending {
    /// Those that nobody has; the one given back last is the next, so that the connections of others grow old.
    free: RefCell<Vec<u16>>,
    /// As many have been lent at one time; they are those below.
    most: Cell<u16>,
    /// Those of clients that are gone, while nodes may still have to answer them.
    left: RefCell<Vec<u16>>,
    line: RefCell<VecDeque<Rc<Client>>>,
}

impl Lending {
    /// A number, of `share` at most, unless others wait for one: then `client` waits behind them.
    fn lend(&self, client: &Rc<Client>, share: u16) -> Option<u16> {
        let mut line = self.line.borrow_mut();
        let is_next = line.front().is_none_or(|first| Rc::ptr_eq(first, client));
        let made = || (self.most.get() < share).then(|| self.most.replace(self.most.get() + 1));
        let number = is_next.then(|| self.free.borrow_mut().pop().or_else(made)).flatten();
        if number.is_none() {
            if !client.in_line.replace(true) {
                line.push_back(Rc::clone(client));
            }
        } else if client.in_line.take() {
            line.pop_front();
            drop(line);
            self.call_next();
        }
        number
    }

    fn take_back(&self, number: u16) {
        self.free.borrow_mut().push(number);
        self.call_next();
    }

    /// Wakes who is first in line, if there is a number for it.
    fn call_next(&self) {
        if !self.free.borrow().is_empty()
            && let Some(first) = self.line.borrow().front()
        {
            first.wake();
        }
    }
}

impl Client {
    /// Whether it may send a transaction over connections that no other client uses, lent now if need be. If not, it
    /// is woken when it may ask again.
    pub(super) fn borrow_connections(self: &Rc<Self>) -> bool {
        let lending = &self.worker.lending;
        match self.uses.get() {
            Whose::Tracker(_) => true,
            // Its transactions are under way: it may add to them unless others wait for their turn.
            Whose::Lent(_) => lending.line.borrow().is_empty(),
            Whose::Everyone if self.waits() => false,
            Whose::Everyone => {
                let number = lending.lend(self, self.worker.dedicated_share());
                number.inspect(|&number| self.use_connections(Whose::Lent(number))).is_some()
            }
        }
    }

    /// Gives back what it was lent if all that it sent is answered.
    #[inline]
    pub(super) fn give_back(&self) {
        if let Whose::Lent(number) = self.uses.get()
            && !self.waits()
        {
            self.use_connections(Whose::Everyone);
            self.worker.lending.take_back(number);
        }
    }

    fn use_connections(&self, whose: Whose) {
        self.uses.set(whose);
        // That it waited in line does not make it idle.
        self.active.set(self.worker.now());
        self.apart.transact(whose != Whose::Everyone);
    }

    /// It is gone: it waits for nothing, and what it was lent comes back when no node has to answer it any more.
    pub(super) fn leave(self: &Rc<Self>) {
        let lending = &self.worker.lending;
        if let Whose::Lent(number) = self.uses.get() {
            self.uses.set(Whose::Everyone);
            lending.left.borrow_mut().push(number);
        }
        self.leave_line();
    }

    /// It can't ask again for now: others need not wait for it.
    pub(super) fn leave_line(self: &Rc<Self>) {
        if self.in_line.take() {
            let lending = &self.worker.lending;
            lending.line.borrow_mut().retain(|other| !Rc::ptr_eq(other, self));
            lending.call_next();
        }
    }
}

impl Worker {
    /// Takes back the numbers of clients that are gone, but for those over whose connections replies are due.
    pub(super) fn take_back_left(&self) {
        let left = self.lending.left.take();
        if left.is_empty() {
            return;
        }
        let busy: HashSet<Whose> = self
            .backends
            .borrow()
            .values()
            .filter_map(|backend| (!backend.is_idle()).then_some(backend.profile.whose))
            .collect();
        for number in left {
            if busy.contains(&Whose::Lent(number)) {
                self.lending.left.borrow_mut().push(number);
            } else {
                self.lending.take_back(number);
            }
        }
    }
}

#[cfg(any(test, fuzzing))]
impl Lending {
    /// Lets go of all clients.
    pub(super) fn clear(&self) {
        self.line.take();
    }
}
