//! What clients must have in common to share a connection to a node, and SELECT, which changes it.
//!
//! A connection is of one profile from its greeting on. Database 0 is the plain case. Others exist in Valkey
//! clusters that have `cluster-databases`; their connections are made when first used and closed when no client
//! is in the database any more. A client that tracks with NOLOOP has a profile that no other has, and so has one
//! whose transactions are under way. Where replicas are read, connections to them are of profiles of their own.
//! Invariant: the clients of one worker are in at most [`MAX_DATABASES`] others.

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use super::{
    Worker, apart,
    client::Client,
    dispatch::{NO_CLUSTER, Step, refuse},
    errand::{Answered, Errand},
    line::Reply,
    watch,
};
use crate::{
    cluster::Slot,
    command::Command,
    resp::{Protocol, encode_request},
};

/// Databases beside 0 that one worker has connections for at one time, to each node and for each protocol
/// version: more than servers have by default.
const MAX_DATABASES: usize = 32;

pub(super) const OUT_OF_RANGE: &[u8] = b"-ERR DB index is out of range\r\n";
const TOO_MANY: &[u8] = b"-ERR clients of slotway are in too many databases at this moment\r\n";

/// What clients must have in common to share a connection to a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Profile {
    pub(super) protocol: Protocol,
    pub(super) database: u16,
    pub(super) whose: Whose,
    /// Whether replicas answer reads on it.
    pub(super) replica: bool,
}

/// Whose the connections of a profile are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Whose {
    /// Every client's that has the profile.
    #[default]
    Everyone,
    /// One client's that does not hear of its own writes, by its number: see [`super::tracking`].
    Tracker(u16),
    /// One client's while its transactions are under way, by the number that it was lent: see
    /// [`super::lending`].
    Lent(u16),
}

impl Profile {
    /// Whether it is one of the two that most clients have.
    #[inline]
    pub(super) fn is_plain(self) -> bool {
        self.database == 0 && self.whose == Whose::Everyone
    }
}

impl From<Protocol> for Profile {
    fn from(protocol: Protocol) -> Self {
        Self { protocol, ..Self::default() }
    }
}

/// The databases beside 0 of one worker.
#[derive(Default)]
pub(super) struct Databases(RefCell<HashMap<u16, Database>>);

#[derive(Default)]
struct Database {
    /// How many clients are in it.
    clients: usize,
    /// The epoch of the slot table whose nodes said that they have it.
    known_at: u64,
}

impl Databases {
    /// Whether a client is in `database`, or its connections are still there.
    pub(super) fn uses(&self, database: u16) -> bool {
        database == 0 || self.0.borrow().get(&database).is_some_and(|database| database.clients > 0)
    }

    fn is_known(&self, database: u16, epoch: u64) -> bool {
        database == 0 || self.0.borrow().get(&database).is_some_and(|found| found.known_at == epoch)
    }

    /// There is `database`, as nodes of `epoch` say. False if there is no room for one more.
    fn learn(&self, database: u16, epoch: u64) -> bool {
        let mut all = self.0.borrow_mut();
        let full = all.len() >= MAX_DATABASES;
        if full && !all.contains_key(&database) {
            return false;
        }
        all.entry(database).or_default().known_at = epoch;
        true
    }

    /// A client goes from one database to another, which is known.
    fn change(&self, from: u16, to: u16) {
        let mut all = self.0.borrow_mut();
        if let Some(database) = all.get_mut(&from) {
            database.clients = database.clients.saturating_sub(1);
        }
        if to != 0 {
            all.entry(to).or_default().clients += 1;
        }
    }

    /// Forgets those that no client is in, but for those with `connections`.
    pub(super) fn sweep(&self, connections: impl Fn(u16) -> bool) {
        self.0.borrow_mut().retain(|&number, database| database.clients > 0 || connections(number));
    }
}

impl Client {
    /// By which its requests travel.
    #[inline]
    pub(super) fn profile(&self) -> Profile {
        Profile {
            protocol: self.protocol.get(),
            database: self.database.get(),
            whose: self.uses.get(),
            replica: false,
        }
    }

    /// Requests for one database and those for another travel on different connections: the first must be
    /// answered before the second go.
    pub(super) fn enter(&self, database: u16) {
        let before = self.database.replace(database);
        if before != database {
            self.worker.databases.change(before, database);
            self.unsettle();
            watch::lose(self);
        }
    }
}

/// SELECT of a `number`, which is none of a database for certain.
pub(super) fn select(client: &Rc<Client>, command: &'static Command, number: i32) -> Step {
    let worker = &client.worker;
    let database = u16::try_from(number).ok();
    if let Some(known) = database.filter(|&database| worker.databases.is_known(database, worker.epoch())) {
        client.enter(known);
        client.reply(Some(command), b"+OK\r\n");
        return Step::Done;
    }
    let Some(shard) = worker.shards().first().copied() else {
        return refuse(client, Some(command), NO_CLUSTER);
    };
    if client.waits() {
        return Step::Hold;
    }
    let (ticket, selects) = (client.ticket(Some(command)), Rc::clone(client));
    apart::send(client, false, async move {
        let epoch = selects.worker.epoch();
        let found = find(&selects, shard, number).await;
        move || {
            let reply = found.map_or_else(|error| error, |found| entered(&selects, found, epoch));
            ticket.answer(Reply::Own(reply.into()));
        }
    });
    Step::Done
}

/// What SELECT is answered with when nodes of `epoch` have `database`, into which `client` goes.
fn entered(client: &Rc<Client>, database: u16, epoch: u64) -> Vec<u8> {
    if client.is_closed() || !client.worker.databases.learn(database, epoch) {
        return TOO_MANY.to_vec();
    }
    client.enter(database);
    b"+OK\r\n".to_vec()
}

/// Whether the owner of `slot` has the database `number`; if not, or if there is none of that number, what it says
/// to SELECT.
pub(super) async fn find(client: &Rc<Client>, slot: Slot, number: i32) -> Result<u16, Vec<u8>> {
    let mut request = Vec::new();
    encode_request(&mut request, &["SELECT", &number.to_string()]);
    let Answered { reply, mut connection, .. } = Errand::new(client, slot, request, true).run().await?;
    if reply.starts_with(b"+") {
        let database = u16::try_from(number).map_err(|_| OUT_OF_RANGE)?;
        connection.profile.database = database;
        client.worker.pool.give_back(connection);
        return Ok(database);
    }
    client.worker.pool.give_back(connection);
    Err(reply)
}

impl Worker {
    /// Lets go of the databases that no client is in.
    pub(super) fn sweep_databases(&self) {
        let backends = self.backends.borrow();
        self.databases.sweep(|database| backends.keys().any(|(_, profile)| profile.database == database));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_there_as_long_as_clients_or_connections_are() {
        let databases = Databases::default();
        assert!(databases.uses(0) && databases.is_known(0, 7) && !databases.is_known(3, 7));
        assert!(databases.learn(3, 7) && databases.is_known(3, 7) && !databases.is_known(3, 8));
        databases.change(0, 3);
        databases.sweep(|_| false);
        assert!(databases.uses(3) && databases.is_known(3, 7));
        databases.change(3, 0);
        databases.sweep(|database| database == 3);
        assert!(!databases.uses(3) && databases.is_known(3, 7));
        databases.sweep(|_| false);
        assert!(!databases.is_known(3, 7));
    }

    #[test]
    fn databases_are_bounded() {
        let databases = Databases::default();
        let most = u16::try_from(MAX_DATABASES).unwrap();
        assert!((1..=most).all(|database| databases.learn(database, 1)));
        assert!(!databases.learn(most + 1, 1) && databases.learn(most, 2));
        databases.sweep(|_| false);
        assert!(databases.learn(most + 1, 1));
    }
}
