//! One channel or pattern of one worker: who listens, and on which nodes.
//!
//! Knows no socket. Invariant: a client gets each message once: of the nodes that bring it, one counts.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use super::link::Link;
use crate::{
    cluster::NodeAddr,
    routing::{ChannelKind, is_event},
    worker::{client::Client, flight::Ticket},
};

/// The name of a channel or pattern.
pub(in crate::worker) type Name = Rc<[u8]>;

/// Who listens to one channel or pattern, and where.
#[derive(Default)]
pub(super) struct Topic {
    /// By their ids.
    pub(super) subscribers: BTreeMap<u64, Rc<Client>>,
    /// Requests that wait until it is subscribed.
    pub(super) waiting: Vec<Rc<Pending>>,
    homes: Vec<Home>,
}

/// A node at which it is subscribed, or will be.
struct Home {
    link: Rc<Link>,
    /// Which of the link's requests subscribed it.
    turn: u64,
    confirmed: bool,
    /// Whether it belongs there; else it stays only until it is heard where it belongs.
    wanted: bool,
}

/// A SUBSCRIBE that waits for nodes.
pub(super) struct Pending {
    pub(super) client: Rc<Client>,
    pub(super) kind: ChannelKind,
    /// What its client listens to from its answer on.
    pub(super) fresh: Vec<Name>,
    /// When it was read.
    pub(super) since: u64,
    state: RefCell<Waiting>,
}

struct Waiting {
    /// Topics that are not confirmed yet.
    left: usize,
    /// None when it is answered.
    answer: Option<(Ticket, Vec<u8>)>,
}

impl Topic {
    /// Nobody wants it.
    pub(super) fn is_idle(&self) -> bool {
        self.subscribers.is_empty() && self.waiting.is_empty()
    }

    /// No node has been asked for it, or none wants it.
    pub(super) fn is_homeless(&self) -> bool {
        self.homes.is_empty()
    }

    /// Whether its messages are heard from every node that can be reached.
    pub(super) fn is_heard(&self) -> bool {
        self.is_heard_somewhere()
            && self.homes.iter().all(|home| !home.wanted || home.confirmed || home.link.is_failing())
    }

    /// Whether its messages are heard from any node.
    pub(super) fn is_heard_somewhere(&self) -> bool {
        self.homes.iter().any(|home| home.confirmed)
    }

    /// Listens at `links`, and at others only until it is heard there.
    pub(super) fn settle(&mut self, kind: ChannelKind, name: &Name, links: &[Rc<Link>]) {
        for home in &mut self.homes {
            home.wanted = links.iter().any(|link| Rc::ptr_eq(link, &home.link));
        }
        for link in links {
            if !self.homes.iter().any(|home| Rc::ptr_eq(link, &home.link)) {
                let turn = link.subscribe(kind, name);
                self.homes.push(Home { link: Rc::clone(link), turn, confirmed: false, wanted: true });
            }
        }
        self.leave_unwanted(kind, name);
    }

    /// Listens nowhere any more.
    pub(super) fn leave(&mut self, kind: ChannelKind, name: &Name) {
        for home in self.homes.drain(..) {
            home.link.unsubscribe(kind, name);
        }
    }

    /// Subscribes anew at `link`, whose connection is new.
    pub(super) fn renew(&mut self, link: &Rc<Link>, kind: ChannelKind, name: &Name) {
        if let Some(home) = self.home(link) {
            (home.turn, home.confirmed) = (link.subscribe(kind, name), false);
        }
    }

    /// The connection `link` is lost.
    pub(super) fn lost(&mut self, link: &Rc<Link>) {
        if let Some(home) = self.home(link) {
            home.confirmed = false;
        }
    }

    /// The node of `link` confirmed the request `turn`.
    pub(super) fn confirmed(&mut self, link: &Rc<Link>, turn: u64, kind: ChannelKind, name: &Name) {
        if let Some(home) = self.home(link).filter(|home| home.turn == turn) {
            home.confirmed = true;
            self.leave_unwanted(kind, name);
        }
    }

    /// The node of `link` does not bring it: it refused the request `turn`, or took its word back (none).
    /// False if that is news of the past.
    pub(super) fn refused(&mut self, link: &Rc<Link>, turn: Option<u64>) -> bool {
        let before = self.homes.len();
        let is_that = |home: &Home| Rc::ptr_eq(&home.link, link) && turn.is_none_or(|turn| turn == home.turn);
        self.homes.retain(|home| !is_that(home));
        self.homes.len() < before
    }

    /// Whether a message on `channel` that `link` brought is for the subscribers: that of one node is, as
    /// all of them bring it, unless it speaks of the node's own keys.
    pub(super) fn accepts(&self, link: &Rc<Link>, channel: &[u8]) -> bool {
        let first = self.homes.iter().find(|home| home.confirmed);
        first.is_some_and(|home| Rc::ptr_eq(&home.link, link)) || (self.homes.len() > 1 && is_event(channel))
    }

    /// The nodes at which it is subscribed.
    pub(super) fn nodes(&self) -> impl Iterator<Item = &NodeAddr> {
        self.homes.iter().filter(|home| home.confirmed).map(|home| &home.link.addr)
    }

    fn home(&mut self, link: &Rc<Link>) -> Option<&mut Home> {
        self.homes.iter_mut().find(|home| Rc::ptr_eq(&home.link, link))
    }

    /// Leaves nodes where it does not belong once it is heard from all where it does.
    fn leave_unwanted(&mut self, kind: ChannelKind, name: &Name) {
        let mut wanted = self.homes.iter().filter(|home| home.wanted).peekable();
        let arrived = wanted.peek().is_some() && wanted.all(|home| home.confirmed);
        self.homes.retain(|home| {
            let stays = home.wanted || (home.confirmed && !arrived);
            if !stays {
                home.link.unsubscribe(kind, name);
            }
            stays
        });
    }
}

impl Pending {
    /// To be answered with `reply` when all of `fresh` is heard.
    pub(super) fn new(
        kind: ChannelKind,
        fresh: Vec<Name>,
        ticket: Ticket,
        reply: Vec<u8>,
    ) -> Option<Rc<Self>> {
        let client = Rc::clone(ticket.client()?);
        let since = client.worker.now();
        let state = RefCell::new(Waiting { left: 0, answer: Some((ticket, reply)) });
        Some(Rc::new(Self { client, kind, fresh, since, state }))
    }

    /// Waits for one topic more.
    pub(super) fn wait(&self) {
        self.state.borrow_mut().left += 1;
    }

    /// One topic is heard. True if it was the last.
    pub(super) fn heard(&self) -> bool {
        let mut state = self.state.borrow_mut();
        state.left = state.left.saturating_sub(1);
        state.left == 0
    }

    /// Whether it waits for nothing.
    pub(super) fn is_ready(&self) -> bool {
        self.state.borrow().left == 0
    }

    /// Whether its client has its answer.
    pub(super) fn is_answered(&self) -> bool {
        self.state.borrow().answer.is_none()
    }

    /// Its ticket and reply, once.
    pub(super) fn take(&self) -> Option<(Ticket, Vec<u8>)> {
        self.state.borrow_mut().answer.take()
    }
}
