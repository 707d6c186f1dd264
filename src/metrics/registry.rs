//! All figures of all workers, and their sums.
//!
//! Must not know the exposition format. Invariant: the lock is taken when a backend opens and when
//! somebody scrapes, never on the path of a request.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{BUCKET_BOUNDS, BUCKETS, Cell, ErrorKind, Histogram, NodeMetrics, Topics, WorkerMetrics};
use crate::cluster::NodeAddr;

/// The name under which commands outside the table are counted.
pub const OTHER: &str = "other";

/// Every figure there is.
#[derive(Debug)]
pub struct Metrics {
    names: Vec<&'static str>,
    workers: Vec<Arc<WorkerMetrics>>,
    nodes: Mutex<Nodes>,
    topics: Topics,
}

/// One entry per node and worker.
type Nodes = BTreeMap<(NodeAddr, usize), Arc<NodeMetrics>>;

/// Histograms of several workers, added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Durations {
    /// Durations per bucket, not cumulated.
    pub buckets: [u64; BUCKETS],
    /// All durations, in nanoseconds.
    pub sum: u64,
}

/// One command's figures over all workers.
#[derive(Clone, Debug)]
pub struct CommandSum {
    /// Its name, or [`OTHER`].
    pub name: &'static str,
    /// How long it took.
    pub durations: Durations,
    /// Error replies, by [`ErrorKind::index`].
    pub errors: [u64; ErrorKind::COUNT],
}

/// One node's figures over all workers.
#[derive(Clone, Debug, Default)]
pub struct NodeSum {
    /// How long it took to answer.
    pub durations: Durations,
    /// Connections open now.
    pub connections: u64,
    /// Requests written and not yet answered.
    pub in_flight: u64,
}

impl Metrics {
    /// Figures for `workers` workers and the table of commands named `command_names`, in its order.
    pub fn new(command_names: Vec<&'static str>, workers: usize) -> Self {
        let workers = (0..workers).map(|_| Arc::new(WorkerMetrics::new(command_names.len()))).collect();
        Self { names: command_names, workers, nodes: Mutex::default(), topics: Topics::default() }
    }

    /// The figures of worker `index`, which must be one of those it was made for.
    pub fn worker(&self, index: usize) -> Arc<WorkerMetrics> {
        Arc::clone(&self.workers[index])
    }

    /// The channels and patterns that are listened to.
    pub fn topics(&self) -> &Topics {
        &self.topics
    }

    /// All workers' figures.
    pub fn workers(&self) -> &[Arc<WorkerMetrics>] {
        &self.workers
    }

    /// The figures of the node at `addr` at worker `index`: the same ones as long as somebody holds
    /// them or the cluster has that node.
    pub fn node(&self, index: usize, addr: &NodeAddr) -> Arc<NodeMetrics> {
        Arc::clone(self.nodes().entry((addr.clone(), index)).or_default())
    }

    /// Forgets the nodes that `known` denies and no worker holds: labels stay as few as nodes.
    pub fn forget_nodes(&self, known: impl Fn(&NodeAddr) -> bool) {
        self.nodes().retain(|(addr, _), node| known(addr) || Arc::strong_count(node) > 1);
    }

    /// One cell of every worker, added up.
    pub fn total(&self, cell: impl Fn(&WorkerMetrics) -> &Cell) -> u64 {
        self.workers.iter().map(|w| cell(w).get()).fold(0, u64::wrapping_add)
    }

    /// One histogram of every worker, added up.
    pub fn durations(&self, histogram: impl Fn(&WorkerMetrics) -> &Histogram) -> Durations {
        self.workers.iter().map(|w| histogram(w)).collect()
    }

    /// Every command that was seen, in the table's order.
    pub fn command_sums(&self) -> impl Iterator<Item = CommandSum> {
        let names = self.names.iter().copied().chain([OTHER]);
        names.enumerate().map(|(at, name)| self.command_sum(at, name)).filter(CommandSum::seen)
    }

    /// Every node that is known or in use.
    pub fn node_sums(&self) -> BTreeMap<NodeAddr, NodeSum> {
        let mut sums: BTreeMap<NodeAddr, NodeSum> = BTreeMap::new();
        for ((addr, _), node) in self.nodes().iter() {
            sums.entry(addr.clone()).or_default().add(node);
        }
        sums
    }

    fn command_sum(&self, at: usize, name: &'static str) -> CommandSum {
        let of = |w: &Arc<WorkerMetrics>, kind: usize| w.commands[at].errors[kind].get();
        let errors = std::array::from_fn(|kind| self.workers.iter().map(|w| of(w, kind)).sum());
        CommandSum { name, durations: self.durations(|w| &w.commands[at].duration), errors }
    }

    fn nodes(&self) -> MutexGuard<'_, Nodes> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CommandSum {
    fn seen(&self) -> bool {
        self.durations.count() > 0 || self.errors.iter().any(|&n| n > 0)
    }
}

impl NodeSum {
    fn add(&mut self, node: &NodeMetrics) {
        self.durations.add(&node.duration);
        self.connections = self.connections.wrapping_add(node.connections.get());
        self.in_flight = self.in_flight.wrapping_add(node.in_flight.get());
    }
}

impl Durations {
    /// The upper bound of the bucket that holds this share of all durations, in nanoseconds; the highest
    /// bound for those beyond it.
    pub fn quantile(&self, share: f64) -> u64 {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a count"
        )]
        let rank = (self.count() as f64 * share).ceil() as u64;
        let mut seen = 0;
        let place = self.buckets.iter().position(|n| {
            seen += n;
            seen >= rank
        });
        let last = BUCKET_BOUNDS.len() - 1;
        BUCKET_BOUNDS[place.unwrap_or(last).min(last)]
    }

    /// How many durations were counted.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    fn add(&mut self, histogram: &Histogram) {
        for (mine, theirs) in self.buckets.iter_mut().zip(histogram.buckets()) {
            *mine += theirs;
        }
        self.sum = self.sum.wrapping_add(histogram.sum());
    }
}

impl<'a> FromIterator<&'a Histogram> for Durations {
    fn from_iter<I: IntoIterator<Item = &'a Histogram>>(histograms: I) -> Self {
        let mut sum = Self::default();
        histograms.into_iter().for_each(|h| sum.add(h));
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_added_up_and_commands_never_seen_are_left_out() {
        let metrics = Metrics::new(vec!["get", "set"], 2);
        metrics.worker(0).command(1).duration.record(70_000);
        metrics.worker(1).command(1).duration.record(80_000);
        metrics.worker(1).command(9).errors[ErrorKind::Err.index()].add(1);
        let sums: Vec<_> = metrics.command_sums().map(|s| (s.name, s.durations.count())).collect();
        assert_eq!(sums, [("set", 2), (OTHER, 0)]);
    }

    #[test]
    fn a_node_is_forgotten_when_nobody_knows_or_holds_it() {
        let metrics = Metrics::new(vec![], 1);
        let [held, known, gone] = [1, 2, 3].map(|port| NodeAddr::new("127.0.0.1", port));
        let kept = metrics.node(0, &held);
        kept.in_flight.add(3);
        metrics.node(0, &known);
        metrics.node(0, &gone);
        metrics.forget_nodes(|addr| *addr == known);
        let left: Vec<_> = metrics.node_sums().into_keys().collect();
        assert_eq!(left, [held.clone(), known]);
        assert_eq!(metrics.node_sums()[&held].in_flight, 3);
    }
}
