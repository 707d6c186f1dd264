//! A scripted cluster: it utters any error, stalls, cuts a reply or closes, exactly when the test says so.
//!
//! Without a script its nodes behave like one small shared store, so a test scripts only what it is about.

mod node;
mod script;
mod store;

use std::sync::{Arc, Mutex};

use super::{resp::encode, slot::SLOTS, slot::slot_of, wait::eventually};
use node::Node;
pub(crate) use script::{Act, Gate};

/// Who owns what, as the nodes answer to `CLUSTER SLOTS`: first slot, last slot, node.
type Ranges = Vec<(u16, u16, usize)>;

/// What all nodes share.
pub(crate) struct Shared {
    ranges: Mutex<Ranges>,
    endpoints: Mutex<Vec<Vec<u8>>>,
    /// Replicas and their primaries.
    replicas: Mutex<Vec<(usize, usize)>>,
    password: Mutex<Option<String>>,
    store: Mutex<store::Store>,
}

/// Some nodes on loopback; gone when dropped.
pub(crate) struct FakeCluster {
    shared: Arc<Shared>,
    nodes: Vec<Node>,
}

impl FakeCluster {
    /// `count` nodes that own equal parts of the slots.
    pub(crate) fn start(count: usize) -> Self {
        let bound = |index: usize| u16::try_from(usize::from(SLOTS) * index / count).expect("a slot");
        let ranges = (0..count).map(|index| (bound(index), bound(index + 1) - 1, index)).collect();
        let shared = Arc::new(Shared {
            ranges: Mutex::new(ranges),
            endpoints: Mutex::default(),
            replicas: Mutex::default(),
            password: Mutex::default(),
            store: Mutex::default(),
        });
        let nodes: Vec<Node> = (0..count).map(|_| Node::start(Arc::clone(&shared))).collect();
        let cluster = Self { shared, nodes };
        for index in 0..count {
            cluster.announce(index, Some("127.0.0.1"));
        }
        cluster
    }

    /// One more node, which owns nothing and is announced by nobody.
    pub(crate) fn add_stranger(&mut self) -> usize {
        self.nodes.push(Node::start(Arc::clone(&self.shared)));
        self.nodes.len() - 1
    }

    /// One more node, a replica of `primary`: it answers like all others.
    pub(crate) fn add_replica(&mut self, primary: usize) -> usize {
        let index = self.add_stranger();
        self.announce(index, Some("127.0.0.1"));
        self.shared.replicas.lock().expect("not poisoned").push((index, primary));
        index
    }

    /// How node `index` is called in `CLUSTER SLOTS`; `None` is the nil endpoint.
    pub(crate) fn announce(&self, index: usize, host: Option<&str>) {
        let mut endpoints = self.shared.endpoints.lock().expect("not poisoned");
        endpoints.resize_with(self.nodes.len(), Vec::new);
        let host = host.map_or_else(|| b"$-1\r\n".to_vec(), |host| encode(&[host])[4..].to_vec());
        let id = format!("{index:040}");
        endpoints[index] =
            [b"*3\r\n", &host[..], format!(":{}\r\n$40\r\n{id}\r\n", self.port(index)).as_bytes()].concat();
    }

    /// Gives the slots from `first` to `last` to `owner`; `None` leaves them to nobody.
    pub(crate) fn give(&self, first: u16, last: u16, owner: Option<usize>) {
        let mut ranges = self.shared.ranges.lock().expect("not poisoned");
        let mut kept = Ranges::new();
        for &(from, to, node) in ranges.iter() {
            if from < first {
                kept.push((from, to.min(first - 1), node));
            }
            if to > last {
                kept.push((from.max(last + 1), to, node));
            }
        }
        kept.extend(owner.map(|node| (first, last, node)));
        *ranges = kept;
    }

    /// Nodes ask this password from now on.
    pub(crate) fn require_password(&self, password: &str) {
        *self.shared.password.lock().expect("not poisoned") = Some(password.to_owned());
    }

    /// The node that `CLUSTER SLOTS` names for `key`.
    pub(crate) fn owner(&self, key: &str) -> usize {
        let slot = slot_of(key.as_bytes());
        let ranges = self.shared.ranges.lock().expect("not poisoned");
        ranges.iter().find(|range| range.0 <= slot && slot <= range.1).expect("an owner").2
    }

    /// The addresses to give to a proxy.
    pub(crate) fn seeds(&self) -> Vec<String> {
        self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port())).collect()
    }

    /// The port of node `index`.
    pub(crate) fn port(&self, index: usize) -> u16 {
        self.nodes[index].port()
    }

    /// The text of a redirect that points to node `index`: `kind` is MOVED or ASK.
    pub(crate) fn redirect(&self, kind: &str, key: &str, index: usize) -> Act {
        Act::reply(&format!("-{kind} {} 127.0.0.1:{}", slot_of(key.as_bytes()), self.port(index)))
    }

    /// From now on, the next request at node `index` that starts with `line` gets `act`; repeated calls queue up.
    pub(crate) fn on(&self, index: usize, line: &str, act: Act) {
        self.nodes[index].script().once(line, act);
    }

    /// Every request at node `index` that starts with `line` gets `act`.
    pub(crate) fn always(&self, index: usize, line: &str, act: Act) {
        self.nodes[index].script().always(line, act);
    }

    /// Node `index` behaves again.
    pub(crate) fn forget_script(&self, index: usize) {
        self.nodes[index].script().clear();
    }

    /// The client requests that node `index` has received, in order; greetings and questions about the cluster left out.
    pub(crate) fn seen(&self, index: usize) -> Vec<String> {
        self.everything_seen(index).into_iter().filter(|line| !is_housekeeping(line)).collect()
    }

    /// All requests that node `index` has received.
    pub(crate) fn everything_seen(&self, index: usize) -> Vec<String> {
        self.nodes[index].seen()
    }

    /// How many of the requests at node `index` start with `line`.
    pub(crate) fn count(&self, index: usize, line: &str) -> usize {
        self.everything_seen(index).iter().filter(|seen| seen.starts_with(line)).count()
    }

    /// Waits until node `index` has received `line`.
    #[track_caller]
    pub(crate) fn wait_for(&self, index: usize, line: &str) {
        eventually(&format!("node {index} receives {line}"), || (self.count(index, line) > 0).then_some(()));
    }

    /// Node `index` closes its connections and refuses new ones.
    pub(crate) fn stop(&self, index: usize) {
        self.nodes[index].stop();
    }

    /// Node `index` listens again.
    pub(crate) fn resume(&self, index: usize) {
        self.nodes[index].resume();
    }
}

fn is_housekeeping(line: &str) -> bool {
    ["CLUSTER", "HELLO", "AUTH", "PING", "CLIENT", "COMMAND", "READONLY", "INFO"]
        .iter()
        .any(|word| line.starts_with(word))
}

impl Shared {
    fn slots_reply(&self) -> Vec<u8> {
        let ranges = self.ranges.lock().expect("not poisoned");
        let endpoints = self.endpoints.lock().expect("not poisoned");
        let mut out = format!("*{}\r\n", ranges.len()).into_bytes();
        let replicas = self.replicas.lock().expect("not poisoned");
        for &(first, last, node) in ranges.iter() {
            let copies: Vec<usize> =
                replicas.iter().filter(|copy| copy.1 == node).map(|copy| copy.0).collect();
            out.extend_from_slice(format!("*{}\r\n:{first}\r\n:{last}\r\n", 3 + copies.len()).as_bytes());
            for node in [node].into_iter().chain(copies) {
                out.extend_from_slice(&endpoints[node]);
            }
        }
        out
    }
}
