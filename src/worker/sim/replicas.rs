//! Replicas of the simulated nodes: each answers reads with what its primary had a fixed while ago. Slots do not move
//! among nodes that have replicas.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use tokio::time::Instant;

use super::cluster::{Cluster, Connection, NODES, addr, bulk, keys_of, slot_of, tag_of};

/// More than any replica is behind, in milliseconds: clients read what they wrote.
pub(super) const WINDOW: u64 = 100;

/// What the primaries' keys were set to, when, and how far each replica is behind.
#[derive(Default)]
pub(super) struct Past {
    writes: RefCell<Vec<(Instant, String, String)>>,
    lags: [Duration; NODES],
    /// Reads that replicas answered.
    pub(super) read: Cell<u64>,
}

impl Past {
    pub(super) fn new(random: &mut fastrand::Rng) -> Self {
        let lags = std::array::from_fn(|_| Duration::from_millis(random.u64(..WINDOW - 10)));
        Self { writes: RefCell::default(), lags, read: Cell::new(0) }
    }

    /// The primary of `key` has `value` for it from now on.
    pub(super) fn note(&self, key: &str, value: &str) {
        self.writes.borrow_mut().push((Instant::now(), key.to_owned(), value.to_owned()));
    }

    /// What the replica of `node` has for `key`.
    fn value(&self, node: usize, key: &str) -> Option<String> {
        let writes = self.writes.borrow();
        let there = |at: &Instant| at.elapsed() >= self.lags[node];
        let last = writes.iter().rev().find(|(at, name, _)| name == key && there(at));
        last.map(|(_, _, value)| value.clone())
    }
}

impl Cluster {
    /// What the replica of `node` says to a request.
    pub(super) fn answer_as_replica(
        &self,
        node: usize,
        args: &[String],
        connection: &mut Connection,
    ) -> String {
        let name = args[0].to_uppercase();
        if name == "READONLY" {
            connection.readonly = true;
            return "+OK\r\n".to_owned();
        }
        if let Some(error) = self.random_error() {
            return error;
        }
        let keys = keys_of(args);
        let Some(first) = keys.first() else { return "+PONG\r\n".to_owned() };
        self.past.read.update(|read| read + 1);
        let values: String = keys.iter().map(|key| bulk(self.past.value(node, key).as_ref())).collect();
        match name.as_str() {
            "GET" if connection.readonly => values,
            "MGET" if connection.readonly => format!("*{}\r\n{values}", keys.len()),
            _ => format!("-MOVED {} {}\r\n", slot_of(tag_of(first)), addr(node)),
        }
    }
}
