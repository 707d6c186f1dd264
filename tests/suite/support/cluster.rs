//! A real cluster on loopback: formed, resharded, broken and mended by plain commands.

use std::{
    sync::{
        LazyLock, Mutex, MutexGuard,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use super::{
    client::Client,
    ports::free_port,
    resp::Value,
    server::{Kind, Server},
    slot::{SLOTS, add_slots, slot_of},
    wait::{eventually, within},
};

/// Forming a cluster takes seconds of gossip.
const FORMED: Duration = Duration::from_secs(120);

/// Nodes in order: primaries first, then their replicas. Processes end when this is dropped.
pub(crate) struct Cluster {
    nodes: Vec<Mutex<Server>>,
    ports: Vec<AtomicU16>,
    primaries: usize,
}

impl Cluster {
    /// Three primaries that all tests of this process share: use keys of your own, break nothing.
    pub(crate) fn shared(kind: Kind) -> &'static Self {
        static REDIS: LazyLock<Cluster> = LazyLock::new(|| Cluster::start(Kind::Redis, 3, 0));
        static VALKEY: LazyLock<Cluster> = LazyLock::new(|| Cluster::start(Kind::Valkey, 3, 0));
        match kind {
            Kind::Redis => &REDIS,
            Kind::Valkey => &VALKEY,
            _ => panic!("no test shares a cluster of {kind:?}"),
        }
    }

    /// Three primaries with a replica each, shared as above.
    pub(crate) fn replicated(kind: Kind) -> &'static Self {
        static REDIS: LazyLock<Cluster> = LazyLock::new(|| Cluster::start(Kind::Redis, 3, 1));
        static VALKEY: LazyLock<Cluster> = LazyLock::new(|| Cluster::start(Kind::Valkey, 3, 1));
        match kind {
            Kind::Redis => &REDIS,
            Kind::Valkey => &VALKEY,
            _ => panic!("no test shares a cluster of {kind:?}"),
        }
    }

    /// A cluster of its own: `replicas` for each of `primaries`.
    pub(crate) fn start(kind: Kind, primaries: usize, replicas: usize) -> Self {
        Self::start_with(kind, primaries, replicas, &[])
    }

    /// The same with more server flags.
    pub(crate) fn start_with(kind: Kind, primaries: usize, replicas: usize, flags: &[&str]) -> Self {
        let nodes: Vec<Server> = (0..primaries * (1 + replicas)).map(|_| Server::node(kind, flags)).collect();
        nodes.iter().for_each(Server::wait_until_up);
        let ports = nodes.iter().map(|node| AtomicU16::new(node.port)).collect();
        let cluster = Self { nodes: nodes.into_iter().map(Mutex::new).collect(), ports, primaries };
        cluster.form();
        cluster
    }

    fn form(&self) {
        for index in 0..self.primaries {
            let (first, last) = self.range(index);
            assert_eq!(self.client(index).run(&add_slots(first..=last)), Value::ok());
        }
        for index in 0..self.ports.len() {
            self.client(index).run(&format!("CLUSTER SET-CONFIG-EPOCH {}", index + 1));
            self.client(0).run(&format!("CLUSTER MEET 127.0.0.1 {}", self.port(index)));
        }
        self.wait_for("all nodes know each other", |client| known_nodes(client) == self.ports.len());
        for index in self.primaries..self.ports.len() {
            let id = self.id(index % self.primaries);
            assert_eq!(self.client(index).run(&format!("CLUSTER REPLICATE {id}")), Value::ok());
        }
        self.wait_until_whole();
    }

    /// Waits until every node sees every slot served and every replica linked.
    pub(crate) fn wait_until_whole(&self) {
        let replicas = self.ports.len() - self.primaries;
        self.wait_for("the cluster is whole", |client| {
            let ok = client.run("CLUSTER INFO").text().contains("cluster_state:ok");
            let info = client.run("INFO replication").text();
            let roles = client.run("CLUSTER SLOTS");
            let listed: usize = roles.items().iter().map(|range| range.items().len() - 3).sum();
            ok && listed >= replicas && !info.contains("link_status:down")
        });
    }

    /// Whether node `index` is a primary, as it says itself.
    pub(crate) fn is_primary(&self, index: usize) -> bool {
        self.client(index).run("INFO replication").text().contains("role:master")
    }

    /// Waits until node `index` is a primary.
    #[track_caller]
    pub(crate) fn wait_until_primary(&self, index: usize) {
        eventually(&format!("node {index} is primary"), || self.is_primary(index).then_some(()));
    }

    /// Waits until `holds` of each node.
    pub(crate) fn wait_for(&self, what: &str, holds: impl Fn(&mut Client) -> bool) {
        for index in 0..self.len() {
            let mut client = self.client(index);
            within(FORMED, what, || holds(&mut client).then_some(()));
        }
    }

    /// The slots that primary `index` starts with.
    pub(crate) fn range(&self, index: usize) -> (u16, u16) {
        let bound =
            |index: usize| u16::try_from(usize::from(SLOTS) * index / self.primaries).expect("a slot");
        (bound(index), bound(index + 1) - 1)
    }

    /// How many nodes there are.
    pub(crate) fn len(&self) -> usize {
        self.ports.len()
    }

    /// The addresses to give to a proxy.
    pub(crate) fn seeds(&self) -> Vec<String> {
        (0..self.len()).map(|index| format!("127.0.0.1:{}", self.port(index))).collect()
    }

    /// The port of node `index`.
    pub(crate) fn port(&self, index: usize) -> u16 {
        self.ports[index].load(Ordering::Relaxed)
    }

    /// Starts node `index`, which was killed, on another port.
    pub(crate) fn restart_elsewhere(&self, index: usize) {
        let mut node = self.node(index);
        node.port = free_port();
        node.restart();
        self.ports[index].store(node.port, Ordering::Relaxed);
    }

    /// The node itself, to break it.
    pub(crate) fn node(&self, index: usize) -> MutexGuard<'_, Server> {
        self.nodes[index].lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// A client of node `index`, past the proxy.
    #[track_caller]
    pub(crate) fn client(&self, index: usize) -> Client {
        Client::connect(self.port(index))
    }

    /// The primary that owned the slot of `key` when the cluster was formed.
    pub(crate) fn first_owner(&self, key: &str) -> usize {
        let slot = slot_of(key.as_bytes());
        (0..self.primaries).find(|&index| slot <= self.range(index).1).expect("every slot is owned")
    }

    /// The name by which other nodes know node `index`.
    pub(crate) fn id(&self, index: usize) -> String {
        self.client(index).run("CLUSTER MYID").text()
    }

    /// Moves `slot` as administrators do, keys in small batches, so that clients meet ASK, TRYAGAIN and MOVED.
    pub(crate) fn migrate(&self, slot: u16, from: usize, to: usize) {
        let (source, target) = (self.id(from), self.id(to));
        let (mut old, mut new) = (self.client(from), self.client(to));
        assert_eq!(new.run(&format!("CLUSTER SETSLOT {slot} IMPORTING {source}")), Value::ok());
        assert_eq!(old.run(&format!("CLUSTER SETSLOT {slot} MIGRATING {target}")), Value::ok());
        while move_some_keys(&mut old, slot, self.port(to)) {}
        // The target first, so that at no moment nobody owns the slot; then the source, then the others.
        for index in [to, from].into_iter().chain(0..self.primaries) {
            let reply = self.client(index).run(&format!("CLUSTER SETSLOT {slot} NODE {target}"));
            // The source heard of it from the target, and is a replica since this was its last slot.
            let knows = index == from && reply.text().contains("SETSLOT only with");
            assert!(reply == Value::ok() || knows, "{reply:?}");
        }
    }
}

fn known_nodes(client: &mut Client) -> usize {
    let nodes = client.run("CLUSTER NODES").text();
    nodes.lines().filter(|line| !line.contains("handshake") && line.contains(" connected")).count()
}

/// Moves up to ten keys of `slot`; false when none was left.
fn move_some_keys(old: &mut Client, slot: u16, port: u16) -> bool {
    let keys = old.run(&format!("CLUSTER GETKEYSINSLOT {slot} 10"));
    if keys.items().is_empty() {
        return false;
    }
    let mut migrate: Vec<Vec<u8>> = Vec::new();
    let port = port.to_string();
    for word in ["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS"] {
        migrate.push(word.as_bytes().to_vec());
    }
    migrate.extend(keys.items().iter().map(|key| key.text().into_bytes()));
    let reply = eventually("the keys move", || Some(old.request(&migrate)));
    assert!(!reply.is_error(), "MIGRATE: {reply:?}");
    true
}
