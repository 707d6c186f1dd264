//! Asks nodes how far replicas are behind, and in which availability zone they are, where replicas are read.
//!
//! How far a replica is behind is told in seconds by the offsets of its primary: it has all that was written up to
//! the moment at which its primary's offset was what its own is now. Must not change the slot table. Invariants: at
//! most [`AT_ONCE`] nodes are asked at one time, each within [`DEADLINE`]; of each primary at most
//! [`MAX_SAMPLES`] offsets are remembered.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::{
    cluster::{NodeAddr, Reads, Role, SlotTable},
    config::{Config, ReadFrom},
    node::{Credentials, ask},
    resp::Value,
    topology::Topology,
};

/// Nodes asked at one time: as many as are probed.
const AT_ONCE: usize = 16;
/// How long a node may take to answer.
const DEADLINE: Duration = Duration::from_secs(1);
/// Rounds in the time that a replica may be behind: so much later it may be noticed.
const ROUNDS: u32 = 4;
/// Least and most time between two rounds; more where replicas may be behind for long.
const PAUSE_MIN: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_millis(2500);
/// Time between two rounds while no node is known.
const PAUSE_UNLEARNED: Duration = Duration::from_millis(50);
/// Offsets remembered of one primary.
const MAX_SAMPLES: u32 = 32;

/// What is known of each node that told anything.
pub(super) type Judgements = HashMap<NodeAddr, Reads>;

/// What a node says of itself (INFO).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Report {
    zone: Option<String>,
    replid: String,
    /// Of what it wrote itself, or of what it took over from its primary.
    offset: u64,
    /// Whether the connection to its primary stands.
    linked: bool,
    /// Whether it is taking over all of its primary's data.
    syncs: bool,
}

/// The offsets of a primary, the oldest first.
#[derive(Debug, Default)]
struct History {
    replid: String,
    samples: VecDeque<(Instant, u64)>,
}

/// Judges the nodes now and then and tells what it finds; never ends, unless there is nothing to find out.
pub(super) async fn run(
    config: Arc<Config>,
    topology: Arc<Topology>,
    credentials: Arc<Credentials>,
    judged: mpsc::Sender<Judgements>,
) {
    let lags = !config.replica_max_lag.is_zero();
    if config.read_from == ReadFrom::Primary || !(lags || config.zone.is_some()) {
        return;
    }
    let mut histories = HashMap::new();
    // That nobody hears it means that slotway ends.
    while judged.send(round(&config, &topology, &credentials, &mut histories).await).await.is_ok() {
        let learned = !topology.table().load().nodes().is_empty();
        sleep(if learned { pause(config.replica_max_lag) } else { PAUSE_UNLEARNED }).await;
    }
}

/// How long to wait between two rounds: as many as are remembered reach back for `limit`.
fn pause(limit: Duration) -> Duration {
    let often = if limit.is_zero() { PAUSE_MAX } else { (limit / ROUNDS).clamp(PAUSE_MIN, PAUSE_MAX) };
    often.max(limit / (MAX_SAMPLES - 2))
}

/// Asks primaries first: a replica that has what they told has it late, not early.
async fn round(
    config: &Config,
    topology: &Topology,
    credentials: &Arc<Credentials>,
    histories: &mut HashMap<NodeAddr, History>,
) -> Judgements {
    let table = topology.table().load_full();
    let with_role = |primary: bool| {
        let nodes = table.nodes().iter().filter(move |node| (node.role == Role::Primary) == primary);
        nodes.map(|node| node.addr.clone()).collect()
    };
    // Before they are asked: what they tell may seem older than it is, not newer.
    let now = Instant::now();
    let mut reports = ask_all(with_role(true), credentials).await;
    histories.retain(|addr, _| table.find(addr).is_some());
    for (addr, report) in reports.iter().filter_map(|(addr, report)| Some((addr, report.as_ref()?))) {
        histories.entry(addr.clone()).or_default().note(report, now, config.replica_max_lag);
    }
    reports.extend(ask_all(with_role(false), credentials).await);
    judge(config, &table, &reports, histories, now)
}

fn judge(
    config: &Config,
    table: &SlotTable,
    reports: &Reports,
    histories: &HashMap<NodeAddr, History>,
    now: Instant,
) -> Judgements {
    let nodes = table.nodes().iter().filter_map(|node| Some((node, reports.get(&node.addr)?)));
    let judged = nodes.map(|(node, report)| {
        let primary = match node.role {
            Role::Replica(primary) if !config.replica_max_lag.is_zero() => Some(primary),
            _ => None,
        };
        let reads = match (primary, report) {
            (Some(primary), Some(report)) => {
                let history = histories.get(&table.node(primary).addr);
                let lags = lags(history, report, now, config.replica_max_lag);
                if lags { Reads::Stale } else { report.reads(config) }
            }
            // It may lag or not.
            (Some(_), None) => Reads::Stale,
            (None, Some(report)) => report.reads(config),
            (None, None) => return None,
        };
        Some((node.addr.clone(), reads))
    });
    judged.flatten().collect()
}

/// Whether it can't be told that the replica has all that was written `limit` ago.
fn lags(history: Option<&History>, replica: &Report, now: Instant, limit: Duration) -> bool {
    let oldest = history.and_then(|history| history.since(now, limit).map(|sample| (history, sample)));
    let behind = match oldest {
        // Its connection tells, while its primary does not, or did for the first time just now.
        None => !replica.linked,
        Some((_, (at, _))) if at == now && replica.linked => false,
        Some((history, (_, offset))) => history.replid != replica.replid || replica.offset < offset,
    };
    behind || replica.syncs
}

impl History {
    fn note(&mut self, primary: &Report, now: Instant, limit: Duration) {
        if self.replid != primary.replid {
            *self = Self { replid: primary.replid.clone(), samples: VecDeque::new() };
        }
        self.samples.push_back((now, primary.offset));
        // Rounds may be further apart than `limit`: the one before stays in any case.
        while self.samples.len() > 2
            && (self.samples.len() > MAX_SAMPLES as usize || self.samples[0].0 + limit < now)
        {
            self.samples.pop_front();
        }
    }

    /// The oldest sample, if the primary told anything within `limit`.
    fn since(&self, now: Instant, limit: Duration) -> Option<(Instant, u64)> {
        let newest = self.samples.back()?;
        if newest.0 + limit < now { None } else { self.samples.front().copied() }
    }
}

impl Report {
    /// Reads the reply to INFO; fields as in redis server.c `genRedisInfoString`, `availability_zone` as in valkey.
    fn parse(info: &str) -> Option<Self> {
        let field = |name: &str| {
            let mut lines = info.lines();
            lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim_end)
        };
        let offset = field("slave_repl_offset").or_else(|| field("master_repl_offset"))?;
        Some(Self {
            zone: field("availability_zone").filter(|zone| !zone.is_empty()).map(str::to_owned),
            replid: field("master_replid")?.to_owned(),
            // A replica that has nothing yet says -1.
            offset: offset.parse().unwrap_or(0),
            linked: field("master_link_status") == Some("up"),
            syncs: field("master_sync_in_progress") == Some("1"),
        })
    }

    fn reads(&self, config: &Config) -> Reads {
        if config.zone.is_some() && self.zone == config.zone { Reads::Near } else { Reads::Far }
    }
}

/// What nodes say; nothing of those that do not answer. Who may not be asked is not here.
type Reports = HashMap<NodeAddr, Option<Report>>;

/// What `nodes` say.
async fn ask_all(nodes: Vec<NodeAddr>, credentials: &Arc<Credentials>) -> Reports {
    let mut reports = HashMap::new();
    for some in nodes.chunks(AT_ONCE) {
        let mut asking = JoinSet::new();
        for addr in some.iter().cloned() {
            asking.spawn(one(addr, Arc::clone(credentials)));
        }
        reports.extend(asking.join_all().await.into_iter().flatten());
    }
    reports
}

async fn one(addr: NodeAddr, credentials: Arc<Credentials>) -> Option<(NodeAddr, Option<Report>)> {
    let Ok(reply) = ask(&addr, &credentials, &[b"INFO"], DEADLINE).await else { return Some((addr, None)) };
    let report = reply.as_str().filter(|_| !matches!(reply, Value::Error(_))).and_then(Report::parse);
    if report.is_none() {
        tracing::debug!(node = %addr, "no replication in its INFO");
    }
    Some((addr, Some(report?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    fn replica(offset: u64) -> Report {
        Report { zone: None, replid: "a".into(), offset, linked: true, syncs: false }
    }

    /// A primary that wrote 100 bytes in each of the last seconds, the last of them just now.
    fn history(seconds: u32, now: Instant) -> History {
        let mut history = History::default();
        for ago in (0..seconds).rev() {
            let primary = replica(100 * u64::from(1000 - ago));
            history.note(&primary, now - Duration::from_secs(1) * ago, LIMIT);
        }
        history
    }

    #[test]
    fn a_replica_is_behind_by_the_time_since_its_primary_was_where_it_is() {
        let now = Instant::now();
        let history = history(60, now);
        let lags = |offset| lags(Some(&history), &replica(offset), now, LIMIT);
        assert!(!lags(100_000) && !lags(99_000));
        assert!(lags(98_900) && lags(0));
    }

    #[test]
    fn its_connection_tells_while_its_primary_does_not() {
        let now = Instant::now();
        let unlinked = Report { linked: false, ..replica(5) };
        assert!(!lags(None, &replica(5), now, LIMIT) && lags(None, &unlinked, now, LIMIT));
        let young = history(1, now);
        assert!(!lags(Some(&young), &replica(5), now, LIMIT) && lags(Some(&young), &unlinked, now, LIMIT));
        let silent = history(60, now - 2 * LIMIT);
        let unlinked = Report { linked: false, ..replica(100_000) };
        assert!(lags(Some(&silent), &unlinked, now, LIMIT), "nobody knows what was written since");
        let silent = history(60, now - LIMIT / 2);
        assert!(!lags(Some(&silent), &unlinked, now, LIMIT), "it had all half the limit ago");
    }

    #[test]
    fn a_replica_of_other_data_is_behind() {
        let now = Instant::now();
        let history = history(60, now);
        let other = Report { replid: "b".into(), ..replica(100_000) };
        let syncs = Report { syncs: true, ..replica(100_000) };
        assert!(lags(Some(&history), &other, now, LIMIT) && lags(Some(&history), &syncs, now, LIMIT));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_reaches_back() {
        for seconds in [0, 1, 10, 3600, 31_536_000] {
            let limit = Duration::from_secs(seconds);
            assert!(pause(limit) >= PAUSE_MIN && pause(limit) * (MAX_SAMPLES - 1) > limit);
        }
        let now = Instant::now();
        assert_eq!(history(60, now).samples.len(), 11);
        let mut long = History::default();
        (0..1000).for_each(|n| long.note(&replica(n), now, Duration::MAX / 4));
        assert_eq!(long.samples.len(), MAX_SAMPLES as usize);
        let mut rare = History::default();
        (0..10).for_each(|n| rare.note(&replica(0), now + LIMIT * 2 * n, LIMIT));
        assert_eq!(rare.samples.len(), 2);
    }

    #[test]
    fn info_is_read() {
        let info = "# Server\r\navailability_zone:west-1\r\n# Replication\r\nrole:slave\r\nmaster_link_status:up\r\n\
            master_sync_in_progress:0\r\nslave_repl_offset:42\r\nmaster_replid:a\r\nmaster_repl_offset:41\r\n";
        let zone = Some("west-1".into());
        assert_eq!(Report::parse(info), Some(Report { zone, ..replica(42) }));
        let primary = "role:master\r\navailability_zone:\r\nmaster_replid:a\r\nmaster_repl_offset:7\r\n";
        assert_eq!(Report::parse(primary), Some(Report { linked: false, ..replica(7) }));
        assert_eq!(Report::parse("role:sentinel\r\n"), None);
    }
}
