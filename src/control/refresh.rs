//! Keeps the slot table right: patches a slot at once when a MOVED says so, and asks the cluster at start,
//! now and then, and when a worker signals.
//!
//! Must not know the workers. Invariants: this is the only place that stores a table; signals are heard
//! while nodes are asked; a table that says nothing new is not stored, so its epoch stays.

use std::sync::Arc;

use tokio::{
    sync::{Notify, mpsc},
    time::{Instant, sleep_until},
};

use super::{
    Status,
    answer::{Answer, Patience, Unusable, Wanted, best, candidates},
    pace::Pace,
    patches::Patches,
    survey::Judgements,
};
use crate::{
    cluster::{NodeAddr, Reads, SLOTS, Slot, SlotTable},
    config::Config,
    metrics::{Metrics, RefreshReason, RefreshResult},
    node::Credentials,
    topology::{Signal, Topology},
};

/// The sole writer of the slot table.
pub(super) struct Refresher {
    config: Arc<Config>,
    credentials: Arc<Credentials>,
    topology: Arc<Topology>,
    metrics: Arc<Metrics>,
    status: Arc<Status>,
    /// Told after each refresh: owners may have changed, or died.
    refreshed: Arc<Notify>,
    /// What the survey says of nodes, whenever it has something to say, and what it said last.
    survey: mpsc::Receiver<Judgements>,
    judged: Judgements,
    patches: Patches,
    pace: Pace,
    /// What a signal asked for and was not done yet.
    wanted: Option<RefreshReason>,
    /// The node that the last MOVED pointed to: it knows best.
    hint: Option<NodeAddr>,
    /// The epoch that the node knew which the table in force is from.
    epoch: Option<u64>,
}

impl Refresher {
    pub(super) fn new(
        config: Arc<Config>,
        credentials: Arc<Credentials>,
        topology: Arc<Topology>,
        metrics: Arc<Metrics>,
        status: Arc<Status>,
        refreshed: Arc<Notify>,
        survey: mpsc::Receiver<Judgements>,
    ) -> Self {
        let pace = Pace::new(config.topology_refresh, Instant::now());
        Self {
            config,
            credentials,
            topology,
            metrics,
            status,
            refreshed,
            survey,
            judged: Judgements::default(),
            patches: Patches::default(),
            pace,
            wanted: None,
            hint: None,
            epoch: None,
        }
    }

    /// Never ends.
    pub(super) async fn run(mut self, mut signals: mpsc::Receiver<Signal>) {
        loop {
            let reason = self.next_reason(&mut signals).await;
            self.pace.started(Instant::now());
            let answer = self.ask(&mut signals).await;
            let result = self.settle(answer);
            self.status.refreshed(reason, result);
            tracing::debug!(reason = reason.as_str(), result = result.as_str(), "refreshed");
        }
    }

    /// Waits until a refresh is due, hearing signals meanwhile.
    async fn next_reason(&mut self, signals: &mut mpsc::Receiver<Signal>) -> RefreshReason {
        loop {
            let (reason, at) = self.next();
            tokio::select! {
                Some(signal) = signals.recv() => self.hear(signal),
                Some(judged) = self.survey.recv() => self.judge(judged),
                () = sleep_until_some(at) => {
                    self.wanted = None;
                    return reason;
                }
            }
        }
    }

    /// Why and when the next refresh is, as things stand. Before the first success nothing can be wanted
    /// that the backoff does not try anyway.
    fn next(&self) -> (RefreshReason, Option<Instant>) {
        let due = self.pace.due();
        match self.wanted {
            _ if !self.status.is_learned() => (RefreshReason::Start, due),
            None => (RefreshReason::Interval, due),
            Some(reason) => (reason, Some(self.pace.earliest())),
        }
    }

    /// Asks nodes, hearing signals meanwhile.
    async fn ask(&mut self, signals: &mut mpsc::Receiver<Signal>) -> Result<Answer, Unusable> {
        let table = self.topology.table().load_full();
        let asked = candidates(self.hint.take(), &table, &self.config.seeds);
        let credentials = Arc::clone(&self.credentials);
        let wanted = Wanted { covered: SLOTS - table.unassigned(), epoch: self.epoch };
        let asking = best(asked, &credentials, Patience::of(&self.config), wanted);
        tokio::pin!(asking);
        loop {
            tokio::select! {
                answer = &mut asking => return answer,
                Some(signal) = signals.recv() => self.hear(signal),
            }
        }
    }

    fn hear(&mut self, signal: Signal) {
        match signal {
            Signal::Moved(slot, owner) => self.moved(slot, owner),
            Signal::Readonly => self.want(RefreshReason::Readonly),
            Signal::Clusterdown => self.want(RefreshReason::Clusterdown),
            Signal::Lost => self.want(RefreshReason::Lost),
            Signal::Unassigned => self.want(RefreshReason::Unassigned),
        }
    }

    /// The first reason since the last refresh is the one that counts.
    fn want(&mut self, reason: RefreshReason) {
        self.wanted.get_or_insert(reason);
    }

    /// Patches `slot`, unless another worker's MOVED already did.
    fn moved(&mut self, slot: Slot, owner: NodeAddr) {
        let table = self.topology.table().load_full();
        if table.owner(slot).is_some_and(|place| table.node(place).addr == owner) {
            return;
        }
        if self.wanted.is_none() {
            self.pace.put_off(Instant::now());
        }
        self.want(RefreshReason::Moved);
        tracing::debug!(%slot, %owner, "slot moved");
        self.patches.add(slot, owner.clone(), Instant::now());
        self.topology.store(table.with_moved(slot, &owner));
        self.hint = Some(owner);
    }

    /// Puts in force what the survey says, if it is anything new.
    fn judge(&mut self, judged: Judgements) {
        self.judged = judged;
        let current = self.topology.table().load_full();
        if let Some(table) = current.with_reads(|addr| self.judgement(addr)) {
            tracing::info!(stale = table.stale(), "nodes are read differently");
            self.topology.store(table);
        }
    }

    fn judgement(&self, addr: &NodeAddr) -> Reads {
        self.judged.get(addr).copied().unwrap_or_default()
    }

    /// Puts an answer in force, if it says anything new.
    fn settle(&mut self, answer: Result<Answer, Unusable>) -> RefreshResult {
        let now = Instant::now();
        self.refreshed.notify_one();
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return self.failed(now, &error),
        };
        if self.pace.succeeded(now) && self.status.is_learned() {
            tracing::info!(node = %answer.said_by, "the cluster answers again");
        }
        self.store(answer, now)
    }

    fn store(&mut self, answer: Answer, now: Instant) -> RefreshResult {
        let Answer { said_by, mut table, view, .. } = answer;
        self.epoch = view.epoch;
        self.patches.expire(now);
        self.patches.apply(&mut table, &said_by);
        table.judge(|addr| self.judgement(addr));
        let current = self.topology.table().load_full();
        let table = table.build(current.epoch() + 1);
        if table.same_as(&current) {
            return RefreshResult::Unchanged;
        }
        log_change(&table, &said_by);
        self.metrics.forget_nodes(|addr| table.find(addr).is_some());
        self.topology.store(table);
        RefreshResult::Changed
    }

    fn failed(&mut self, now: Instant, error: &Unusable) -> RefreshResult {
        if self.pace.failed(now) {
            if self.status.is_learned() {
                tracing::warn!(%error, "no node tells the slots; going on with what was known, trying again");
            } else {
                let seeds: Vec<String> = self.config.seeds.iter().map(ToString::to_string).collect();
                let seeds = seeds.join(" ");
                tracing::warn!(%error, seeds, "no seed tells the slots yet; trying again until one does");
            }
        }
        RefreshResult::Failed
    }
}

fn log_change(table: &SlotTable, said_by: &NodeAddr) {
    tracing::info!(
        epoch = table.epoch(),
        nodes = table.nodes().len(),
        unassigned = table.unassigned(),
        node = %said_by,
        "new slot table"
    );
}

async fn sleep_until_some(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::{path::PathBuf, time::Duration};

    use super::*;
    use crate::{
        config::{LogFormat, LogLevel},
        control,
        node::fake::FakeNode,
    };

    fn config(seeds: Vec<NodeAddr>, topology_refresh: Duration) -> Config {
        let second = Duration::from_secs(1);
        Config {
            seeds,
            cluster_user: None,
            cluster_password: None,
            bind: Vec::new(),
            port: 0,
            unixsocket: None::<PathBuf>,
            unixsocketperm: None,
            threads: 1,
            spread_at: 0,
            busy_poll: Duration::ZERO,
            maxclients: 1,
            tcp_backlog: 1,
            tcp_keepalive: second,
            timeout: second,
            loglevel: LogLevel::Info,
            log_format: LogFormat::Text,
            topology_refresh,
            backend_timeout: 5 * second,
            backend_connections_per_node: 0,
            read_from: crate::config::ReadFrom::Primary,
            zone: None,
            replica_max_lag: Duration::ZERO,
            read_after_write_primary: Duration::ZERO,
            retry_deadline: second,
            dedicated_connections: 1,
            drain_timeout: second,
            require_cluster: None,
            proto_max_bulk_len: 1,
            client_query_buffer_limit: 1,
            client_output_buffer_limit: 1,
            pubsub_output_limit: crate::config::OutputLimit { hard: 0, soft: 0, within: Duration::ZERO },
            admin_commands: false,
            cross_slot: false,
            slowlog_log_slower_than: -1,
            slowlog_max_len: 0,
            requirepass: None,
            metrics_addr: None,
        }
    }

    /// Control, running, and what it shares.
    struct Running {
        topology: Arc<Topology>,
        status: Arc<Status>,
    }

    impl Running {
        fn start(seeds: &[&FakeNode], interval: Duration) -> Self {
            let config = Arc::new(config(seeds.iter().map(|n| n.addr.clone()).collect(), interval));
            let (topology, signals) = Topology::new();
            let (metrics, status) = (Arc::new(Metrics::new(Vec::new(), 1)), Arc::<Status>::default());
            let (shared, shown) = (Arc::clone(&topology), Arc::clone(&status));
            tokio::spawn(control::run(config, shared, signals, metrics, shown, None));
            Self { topology, status }
        }

        fn epoch(&self) -> u64 {
            self.topology.table().load().epoch()
        }

        fn owner(&self, slot: u64) -> Option<NodeAddr> {
            let table = self.topology.table().load();
            table.owner(Slot::new(slot).unwrap()).map(|place| table.node(place).addr.clone())
        }

        fn count(&self, reason: RefreshReason, result: RefreshResult) -> u64 {
            self.status.refreshes(reason, result)
        }

        async fn until(&self, condition: impl Fn(&Self) -> bool) {
            let end = Instant::now() + Duration::from_secs(20);
            while !condition(self) {
                assert!(Instant::now() < end, "{:?} {:?}", self.status, self.topology.table().load().epoch());
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }

    const OFF: Duration = Duration::ZERO;

    /// A reply to CLUSTER SLOTS in which `owner` has the slots 0 to `last`.
    fn slots(last: u64, owner: &NodeAddr) -> String {
        let (host, port) = (owner.host(), owner.port());
        format!("*1\r\n*3\r\n:0\r\n:{last}\r\n*2\r\n${}\r\n{host}\r\n:{port}\r\n", host.len())
    }

    async fn owner_of_all() -> FakeNode {
        let node = FakeNode::start("").await;
        node.say(slots(16383, &node.addr));
        node
    }

    fn times_asked(node: &FakeNode) -> usize {
        node.requests.lock().unwrap().iter().filter(|r| *r == "CLUSTER SLOTS").count()
    }

    #[tokio::test]
    async fn seeds_are_tried_until_one_answers() {
        let seed = FakeNode::start("-LOADING\r\n").await;
        let running = Running::start(&[&seed], OFF);
        running.until(|r| r.count(RefreshReason::Start, RefreshResult::Failed) >= 2).await;
        assert!(!running.status.is_learned());
        seed.say(slots(16383, &seed.addr));
        running.status.learned().await;
        assert_eq!((running.epoch(), running.owner(16383)), (1, Some(seed.addr.clone())));
    }

    #[tokio::test]
    async fn an_equal_answer_leaves_the_epoch_alone_and_another_moves_it_by_one() {
        let seed = owner_of_all().await;
        let running = Running::start(&[&seed], Duration::from_millis(10));
        running.until(|r| r.count(RefreshReason::Interval, RefreshResult::Unchanged) >= 3).await;
        assert_eq!(running.epoch(), 1);
        seed.say(slots(99, &seed.addr));
        running.until(|r| r.epoch() == 2).await;
        assert_eq!(running.owner(100), None);
    }

    #[tokio::test]
    async fn a_moved_slot_is_patched_at_once_and_the_node_it_moved_to_is_asked() {
        let seed = owner_of_all().await;
        let target = FakeNode::start("").await;
        target.say(slots(16383, &target.addr));
        let running = Running::start(&[&seed], OFF);
        running.status.learned().await;
        running.topology.signal(Signal::Moved(Slot::new(7).unwrap(), target.addr.clone()));
        running.until(|r| r.owner(7).as_ref() == Some(&target.addr)).await;
        assert_eq!(running.owner(8), Some(seed.addr.clone()));
        running.until(|r| r.owner(8).as_ref() == Some(&target.addr)).await;
        assert_eq!(running.count(RefreshReason::Moved, RefreshResult::Changed), 1);
        assert_eq!((times_asked(&seed), times_asked(&target)), (1, 1));
    }

    #[tokio::test]
    async fn an_answer_of_a_node_that_has_not_heard_of_the_move_does_not_undo_it() {
        let seed = owner_of_all().await;
        let gone = NodeAddr::new("127.0.0.1", 1);
        let running = Running::start(&[&seed], OFF);
        running.status.learned().await;
        running.topology.signal(Signal::Moved(Slot::new(7).unwrap(), gone.clone()));
        running.until(|r| r.count(RefreshReason::Moved, RefreshResult::Unchanged) == 1).await;
        assert_eq!((running.owner(7), running.owner(8)), (Some(gone), Some(seed.addr.clone())));
    }

    #[tokio::test]
    async fn many_signals_make_few_refreshes() {
        let seed = owner_of_all().await;
        let running = Running::start(&[&seed], OFF);
        running.status.learned().await;
        for _ in 0..100 {
            running.topology.signal(Signal::Lost);
        }
        running.topology.signal(Signal::Readonly);
        running.until(|r| r.count(RefreshReason::Lost, RefreshResult::Unchanged) >= 1).await;
        assert!(times_asked(&seed) <= 3);
    }

    #[tokio::test]
    async fn an_empty_answer_or_none_leaves_the_table_as_it_is() {
        let seed = owner_of_all().await;
        let running = Running::start(&[&seed], Duration::from_millis(10));
        running.status.learned().await;
        seed.say("*0\r\n");
        running.until(|r| r.count(RefreshReason::Interval, RefreshResult::Failed) >= 1).await;
        assert_eq!((running.epoch(), running.owner(0)), (1, Some(seed.addr.clone())));
    }

    #[tokio::test]
    async fn readiness_follows_the_owners() {
        let seed = owner_of_all().await;
        let running = Running::start(&[&seed], OFF);
        running.status.set_listening(true);
        let missing = |r: &Running| control::missing(&r.status, &r.topology.table().load());
        running.until(|r| missing(r).is_empty()).await;
        running.topology.signal(Signal::Moved(Slot::new(7).unwrap(), NodeAddr::new("127.0.0.1", 1)));
        running.until(|r| missing(r) == ["owner 127.0.0.1:1 of 1 slots does not answer"]).await;
    }
}
