//! Subscriptions of one worker's clients: one at the nodes for each channel, however many clients listen.
//!
//! A channel or pattern is subscribed at the primary that owns the slot of its name, which spreads them; the
//! cluster brings messages there. Keyspace notifications are local to nodes, so what may match them is
//! subscribed at every primary. A request waits until the nodes confirmed what it names; messages reach its
//! client from then on. Must not know how a request is written or answered.
//!
//! Off the path of other requests: a worker without subscribers has nothing here.

mod link;
mod report;
mod subscriber;
mod topic;

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};

pub use report::{TopicQuery, TopicReport};
pub(super) use subscriber::{Subscribed, TOO_MUCH};

pub(super) use self::topic::Name;
use self::{
    link::Link,
    topic::{Pending, Topic},
};
use super::{Worker, client::Client, flight::Ticket, line::Reply};
use crate::{
    cluster::{NodeAddr, Role, Slot, SlotTable},
    routing::{ChannelKind, Reach, Redirect, Verdict},
    topology::Signal,
};

/// Subscriptions that nodes refused which are tried again in one tick, so that a cluster that is down is not
/// flooded.
const AGAIN_PER_TICK: usize = 2000;

const UNREACHED: &[u8] = b"-CLUSTERDOWN the nodes of the channels cannot be reached\r\n";

/// What the clients of one worker listen to.
#[derive(Default)]
pub(super) struct Subscriptions {
    /// By kind.
    topics: RefCell<[HashMap<Name, Topic>; 3]>,
    links: RefCell<HashMap<NodeAddr, Rc<Link>>>,
    /// Requests that wait for nodes.
    pending: RefCell<Vec<Rc<Pending>>>,
    /// What must find a node anew.
    homeless: RefCell<Vec<(ChannelKind, Name)>>,
    /// What somebody listens to and a node forbids, to be tried again in a while.
    forbidden: RefCell<Vec<(ChannelKind, Name)>>,
    /// The slot table by which all was placed; none when it must be placed anew.
    epoch: Cell<Option<u64>>,
}

impl Worker {
    /// Adds `names` to what `ticket`'s client listens to; it is answered with `reply` when nodes confirmed
    /// the new ones.
    pub(super) fn subscribe(
        self: &Rc<Self>,
        kind: ChannelKind,
        fresh: Vec<Name>,
        ticket: Ticket,
        reply: Vec<u8>,
    ) {
        let Some(pending) = Pending::new(kind, fresh, ticket, reply) else { return };
        let table = self.topology.table().load_full();
        let mut topics = self.subscriptions.topics.borrow_mut();
        for name in &pending.fresh {
            let topic = topics[kind as usize].entry(Rc::clone(name)).or_insert_with(|| {
                self.registry.topics().begin(kind as usize, name);
                Topic::default()
            });
            if topic.is_homeless() {
                self.settle(&table, kind, name, topic);
            }
            if !topic.is_heard() {
                topic.waiting.push(Rc::clone(&pending));
                pending.wait();
            }
        }
        drop(topics);
        if pending.is_ready() {
            self.complete(&pending);
        } else {
            self.subscriptions.pending.borrow_mut().push(pending);
        }
    }

    /// `client` listens to `name` no more.
    pub(super) fn unsubscribe(&self, client: &Client, kind: ChannelKind, name: &[u8]) {
        let mut topics = self.subscriptions.topics.borrow_mut();
        let Some((name, topic)) = topics[kind as usize].remove_entry(name) else { return };
        let mut topic = topic;
        topic.subscribers.remove(&client.id);
        topic.waiting.retain(|pending| pending.client.id != client.id);
        if topic.is_idle() {
            self.registry.topics().cease(kind as usize, &name);
            topic.leave(kind, &name);
        } else {
            topics[kind as usize].insert(name, topic);
        }
    }

    /// `client` listens to nothing any more, nor monitors.
    pub(super) fn unsubscribe_all(&self, client: &Client) {
        if !client.listens.get() {
            return;
        }
        self.stop_monitoring(client);
        let subscribed = client.stop_listening();
        for kind in ChannelKind::ALL {
            for name in subscribed.names(kind) {
                self.unsubscribe(client, kind, &name);
            }
        }
        self.subscriptions.pending.borrow_mut().retain(|pending| pending.client.id != client.id);
    }

    /// Gives the message in `frame`, which `link` brought for `name`, to those who listen.
    fn publish(&self, link: &Rc<Link>, kind: ChannelKind, name: &[u8], channel: &[u8], frame: &[u8]) {
        let topics = self.subscriptions.topics.borrow();
        let Some(topic) = topics[kind as usize].get(name) else { return };
        if topic.accepts(link, channel) {
            for client in topic.subscribers.values() {
                client.push(frame);
            }
        }
    }

    /// The node of `link` confirmed its request `turn`.
    fn subscribed(&self, link: &Rc<Link>, kind: ChannelKind, name: &Name, turn: u64) {
        let mut topics = self.subscriptions.topics.borrow_mut();
        let Some(topic) = topics[kind as usize].get_mut(name) else { return };
        topic.confirmed(link, turn, kind, name);
        let ready = heard(topic);
        drop(topics);
        ready.iter().for_each(|pending| self.complete(pending));
    }

    /// The node of `link` answered its request `turn` with the error `reply`.
    fn subscription_refused(&self, link: &Rc<Link>, kind: ChannelKind, name: &Name, turn: u64, reply: &[u8]) {
        let mut topics = self.subscriptions.topics.borrow_mut();
        let Some(topic) = topics[kind as usize].get_mut(name) else { return };
        if !topic.refused(link, Some(turn)) {
            return;
        }
        match Verdict::of(reply, &link.addr) {
            Verdict::Deliver => {
                tracing::warn!(node = %link.addr, "node refused a subscription");
                let waiting = std::mem::take(&mut topic.waiting);
                if !topic.subscribers.is_empty() {
                    self.subscriptions.forbidden.borrow_mut().push((kind, Rc::clone(name)));
                }
                drop(topics);
                return waiting.iter().for_each(|pending| self.give_up(pending, reply));
            }
            Verdict::Follow(Redirect::Moved(slot, addr) | Redirect::Ask(slot, addr)) => {
                self.topology.signal(Signal::Moved(slot, addr));
            }
            Verdict::Retry(_) | Verdict::Noscript | Verdict::Nofunction => {}
        }
        self.subscriptions.homeless.borrow_mut().push((kind, Rc::clone(name)));
    }

    /// The node of `link` ended the shard channel `name`: its slot has moved.
    fn subscription_ended(&self, link: &Rc<Link>, name: &[u8]) {
        let mut topics = self.subscriptions.topics.borrow_mut();
        let shards = &mut topics[ChannelKind::Shard as usize];
        if let Some((name, _)) = shards.get_key_value(name) {
            self.topology.signal(Signal::Lost);
            self.subscriptions.homeless.borrow_mut().push((ChannelKind::Shard, Rc::clone(name)));
        }
        if let Some(topic) = shards.get_mut(name) {
            topic.refused(link, None);
        }
    }

    /// The connection `link` is new: what belongs there is subscribed. If its node had been `away`, what was
    /// taken elsewhere comes back.
    fn subscribe_again(&self, link: &Rc<Link>, away: bool) {
        self.for_all_topics(|kind, name, topic| topic.renew(link, kind, name));
        if away {
            self.subscriptions.epoch.set(None);
        }
    }

    /// The connection `link` is lost: what was there is looked for elsewhere.
    fn subscriptions_lost(&self, link: &Rc<Link>) {
        self.for_all_topics(|_, _, topic| topic.lost(link));
        self.subscriptions.epoch.set(None);
    }

    /// Finds nodes for what has none, follows slots that moved, and answers requests whose time is up.
    pub(super) fn tend_subscriptions(self: &Rc<Self>, limit: u64) {
        let Subscriptions { links, pending, homeless, .. } = &self.subscriptions;
        if links.borrow().is_empty() && pending.borrow().is_empty() && homeless.borrow().is_empty() {
            return;
        }
        let table = self.topology.table().load_full();
        let mut ready = Vec::new();
        if self.subscriptions.epoch.replace(Some(table.epoch())) != Some(table.epoch()) {
            self.subscriptions.homeless.take();
            self.for_all_topics(|kind, name, topic| {
                self.settle(&table, kind, name, topic);
                ready.append(&mut heard(topic));
            });
        }
        ready.append(&mut self.settle_homeless(&table));
        ready.iter().for_each(|pending| self.complete(pending));
        self.check_pending();
        for link in self.subscriptions.links.borrow().values() {
            link.check(limit);
        }
    }

    /// Lets go of connections at which nothing is subscribed, and has what nodes forbade tried again.
    pub(super) fn sweep_links(&self) {
        self.subscriptions.homeless.borrow_mut().append(&mut self.subscriptions.forbidden.borrow_mut());
        self.subscriptions.links.borrow_mut().retain(|_, link| {
            // One is held here, one by its task, the others by topics.
            let used = Rc::strong_count(link) > 2;
            if !used {
                link.retire();
            }
            used
        });
    }

    fn for_all_topics(&self, mut each: impl FnMut(ChannelKind, &Name, &mut Topic)) {
        let mut topics = self.subscriptions.topics.borrow_mut();
        for (kind, topics) in ChannelKind::ALL.into_iter().zip(topics.iter_mut()) {
            topics.iter_mut().for_each(|(name, topic)| each(kind, name, topic));
        }
    }

    fn settle_homeless(self: &Rc<Self>, table: &SlotTable) -> Vec<Rc<Pending>> {
        let mut ready = Vec::new();
        let mut homeless = self.subscriptions.homeless.take();
        let rest = homeless.split_off(homeless.len().min(AGAIN_PER_TICK));
        self.subscriptions.homeless.borrow_mut().extend(rest);
        let mut topics = self.subscriptions.topics.borrow_mut();
        for (kind, name) in homeless {
            if let Some(topic) = topics[kind as usize].get_mut(&name) {
                self.settle(table, kind, &name, topic);
                ready.append(&mut heard(topic));
            }
        }
        ready
    }

    /// Subscribes `topic` where it belongs by `table`.
    fn settle(self: &Rc<Self>, table: &SlotTable, kind: ChannelKind, name: &Name, topic: &mut Topic) {
        let links = match kind.reach(name) {
            Reach::Everywhere => primaries(table).map(|addr| self.link(addr)).collect(),
            Reach::Owner(slot) => Vec::from_iter(self.link_of(table, kind, slot)),
        };
        if links.is_empty() {
            self.topology.signal(Signal::Unassigned);
            self.subscriptions.homeless.borrow_mut().push((kind, Rc::clone(name)));
        }
        topic.settle(kind, name, &links);
    }

    /// The connection to the owner of `slot`; where any node will do, to another while that can't be had.
    fn link_of(self: &Rc<Self>, table: &SlotTable, kind: ChannelKind, slot: Slot) -> Option<Rc<Link>> {
        let owner = table.owner(slot).map(|node| self.link(&table.node(node).addr));
        if kind == ChannelKind::Shard || owner.as_ref().is_some_and(|link| !link.is_failing()) {
            return owner;
        }
        let other = primaries(table).map(|addr| self.link(addr)).find(|link| !link.is_failing());
        other.or(owner)
    }

    fn link(self: &Rc<Self>, addr: &NodeAddr) -> Rc<Link> {
        let mut links = self.subscriptions.links.borrow_mut();
        Rc::clone(links.entry(addr.clone()).or_insert_with(|| Link::spawn(self, addr.clone())))
    }

    /// Answers requests that waited long enough: well if each channel is heard from some node.
    fn check_pending(&self) {
        let mut late = Vec::new();
        self.subscriptions.pending.borrow_mut().retain(|pending| {
            let is_late = self.age(pending.since) >= self.config.retry_deadline;
            if is_late && !pending.is_answered() {
                late.push(Rc::clone(pending));
            }
            !is_late && !pending.is_answered()
        });
        for pending in late {
            let topics = self.subscriptions.topics.borrow();
            let topic = |name| topics[pending.kind as usize].get(name);
            let heard = pending.fresh.iter().all(|name| topic(name).is_some_and(Topic::is_heard_somewhere));
            drop(topics);
            if heard { self.complete(&pending) } else { self.give_up(&pending, UNREACHED) }
        }
    }

    /// Lets the client listen, and answers it.
    fn complete(&self, pending: &Rc<Pending>) {
        let Some((ticket, reply)) = pending.take() else { return };
        let mut topics = self.subscriptions.topics.borrow_mut();
        for name in &pending.fresh {
            if let Some(topic) = topics[pending.kind as usize].get_mut(name) {
                topic.waiting.retain(|other| !Rc::ptr_eq(other, pending));
                topic.subscribers.insert(pending.client.id, Rc::clone(&pending.client));
            }
        }
        drop(topics);
        ticket.answer(Reply::Own(reply.into()));
    }

    /// Takes back what the request added, and answers it with `error`.
    fn give_up(&self, pending: &Rc<Pending>, error: &[u8]) {
        let Some((ticket, _)) = pending.take() else { return };
        for name in &pending.fresh {
            pending.client.unlisten(pending.kind, name);
            self.unsubscribe(&pending.client, pending.kind, name);
        }
        ticket.answer(Reply::Copy(error));
    }
}

fn primaries(table: &SlotTable) -> impl Iterator<Item = &NodeAddr> {
    table.nodes().iter().filter(|node| node.role == Role::Primary).map(|node| &node.addr)
}

/// The requests that wait for nothing more, if `topic` is heard.
fn heard(topic: &mut Topic) -> Vec<Rc<Pending>> {
    if topic.waiting.is_empty() || !topic.is_heard() {
        return Vec::new();
    }
    std::mem::take(&mut topic.waiting).into_iter().filter(|pending| pending.heard()).collect()
}
