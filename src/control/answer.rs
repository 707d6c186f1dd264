//! Asks nodes for the slot table until one gives a good one.
//!
//! Must not touch the table in force. Invariant: it asks a bounded number of nodes, each within a deadline.

use std::{sync::Arc, time::Duration};

use tokio::{task::JoinSet, time::timeout};

use crate::{
    cluster::{NodeAddr, SlotTable, TableBuilder, TopologyError, parse_slots},
    config::Config,
    node::{AskError, Credentials, ask_all},
    resp::Value,
};

/// Longest time for one node.
const NODE_DEADLINE: Duration = Duration::from_secs(2);
/// A node that has not answered for so long need not be dead, but the next is asked as well.
const BEFORE_NEXT: Duration = Duration::from_millis(250);
/// Known nodes that are asked before the seeds get their turn.
const KNOWN_TRIES: usize = 8;
/// Answers compared when they are worse than what is known: leave more slots without an owner than the table in
/// force does, or come from a node that is cut off or behind.
const MAX_ANSWERS: usize = 3;

/// A node's view of the cluster.
#[derive(Debug)]
pub(super) struct Answer {
    /// Who said it.
    pub(super) said_by: NodeAddr,
    /// How many slots have an owner.
    pub(super) covered: usize,
    /// What the node makes of the cluster.
    pub(super) view: View,
    /// What was said.
    pub(super) table: TableBuilder,
}

/// How much a node's word counts. Ordered: what is better is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct View {
    /// Whether it finds the cluster in order: a node that is cut off from most primaries does not.
    pub(super) is_ok: bool,
    /// The newest epoch that it has heard of; a primary that was voted in has a newer one than all before. None
    /// where the node does not tell.
    pub(super) epoch: Option<u64>,
}

impl View {
    /// What a reply to CLUSTER INFO says. A node that does not tell (an ACL forbids it) is taken at its word.
    fn of(reply: &Value) -> Self {
        let text = reply.as_str().unwrap_or_default();
        let field = |name| text.lines().find_map(|line| line.strip_prefix(name));
        Self {
            is_ok: field("cluster_state:") != Some("fail"),
            epoch: field("cluster_current_epoch:").and_then(|epoch| epoch.trim().parse().ok()),
        }
    }
}

/// What an answer must have to be taken without asking other nodes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wanted {
    /// Slots with an owner.
    pub(super) covered: usize,
    /// The epoch of the table in force.
    pub(super) epoch: Option<u64>,
}

impl Wanted {
    fn is_met_by(self, answer: &Answer) -> bool {
        let is_behind = answer.view.epoch.is_some_and(|epoch| Some(epoch) < self.epoch);
        answer.covered >= self.covered.max(1) && answer.view.is_ok && !is_behind
    }
}

/// Why a node's answer could not be used.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(super) enum Unusable {
    /// None came.
    #[error("{0}")]
    Ask(#[from] AskError),
    /// It is no slot table.
    #[error("{0}")]
    Topology(#[from] TopologyError),
    /// It says that nobody owns any slot: that node is not in a cluster, or does not know it yet.
    #[error("no slot has an owner whose address is known")]
    Empty,
}

/// Whom to ask, in this order: the node that a MOVED pointed to, then known nodes, then seeds, each in
/// random order.
pub(super) fn candidates(first: Option<NodeAddr>, table: &SlotTable, seeds: &[NodeAddr]) -> Vec<NodeAddr> {
    let mut known: Vec<NodeAddr> = table.nodes().iter().map(|n| n.addr.clone()).collect();
    let mut seeds = seeds.to_vec();
    fastrand::shuffle(&mut known);
    fastrand::shuffle(&mut seeds);
    known.truncate(KNOWN_TRIES);
    let mut all: Vec<NodeAddr> = Vec::new();
    for addr in first.into_iter().chain(known).chain(seeds) {
        if !all.contains(&addr) {
            all.push(addr);
        }
    }
    all
}

/// The first answer that is as `wanted`, or else the best of the first three; where no node gave one in which any
/// slot is owned, why the last one did not.
pub(super) async fn best(
    candidates: Vec<NodeAddr>,
    credentials: &Arc<Credentials>,
    patience: Patience,
    wanted: Wanted,
) -> Result<Answer, Unusable> {
    let mut best: Result<Answer, Unusable> = Err(Unusable::Empty);
    let (mut answers, mut candidates, mut asked) = (0, candidates.into_iter(), JoinSet::new());
    while answers < MAX_ANSWERS {
        let mut pause = patience.before_next;
        match candidates.next() {
            Some(addr) => {
                asked.spawn(one(addr, Arc::clone(credentials), patience.each));
            }
            None if asked.is_empty() => break,
            None => pause = patience.each,
        }
        match timeout(pause, asked.join_next()).await {
            Ok(Some(Ok(Ok(answer)))) if wanted.is_met_by(&answer) => return Ok(answer),
            Ok(Some(Ok(Ok(answer)))) => {
                answers += 1;
                best = better(best, answer);
            }
            Ok(Some(Ok(Err(error)))) => best = best.or(Err(error)),
            _ => {}
        }
    }
    best
}

/// Whichever knows more, then whichever covers more; an answer that covers nothing is none.
fn better(best: Result<Answer, Unusable>, answer: Answer) -> Result<Answer, Unusable> {
    let worth = |answer: &Answer| (answer.covered > 0, answer.view, answer.covered);
    match best {
        Ok(best) if worth(&best) >= worth(&answer) => Ok(best),
        best if answer.covered == 0 => best.or(Err(Unusable::Empty)),
        _ => Ok(answer),
    }
}

async fn one(addr: NodeAddr, credentials: Arc<Credentials>, deadline: Duration) -> Result<Answer, Unusable> {
    let requests: [&[&[u8]]; 2] = [&[b"CLUSTER", b"SLOTS"], &[b"CLUSTER", b"INFO"]];
    let [slots, info] = ask_all(&addr, &credentials, requests, deadline).await.inspect_err(|error| {
        tracing::debug!(node = %addr, %error, "no slot table from node");
    })?;
    let table = parse_slots(&slots, &addr)?;
    Ok(Answer { said_by: addr, covered: table.owned(), view: View::of(&info), table })
}

/// How long nodes are waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Each node, at most.
    pub(super) each: Duration,
    /// Before the next is asked as well.
    pub(super) before_next: Duration,
}

impl Patience {
    pub(super) fn of(config: &Config) -> Self {
        let limit = config.backend_timeout;
        let each = if limit.is_zero() { NODE_DEADLINE } else { limit.min(NODE_DEADLINE) };
        Self { each, before_next: BEFORE_NEXT }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cluster::Slot, node::fake::FakeNode};

    const SOON: Patience = Patience { each: Duration::from_secs(10), before_next: Duration::from_secs(10) };

    /// A reply to CLUSTER SLOTS: slots 0 to `last` belong to the node that was asked.
    fn slots(last: u64) -> String {
        format!("*1\r\n*3\r\n:0\r\n:{last}\r\n*3\r\n$0\r\n\r\n:1\r\n$1\r\nx\r\n")
    }

    async fn best_of(replies: &[String], enough: usize) -> (Result<usize, Unusable>, Vec<usize>) {
        let mut nodes = Vec::new();
        for reply in replies {
            nodes.push(FakeNode::start(reply.clone()).await);
        }
        let addrs = nodes.iter().map(|n| n.addr.clone()).collect();
        let wanted = Wanted { covered: enough, epoch: None };
        let best = best(addrs, &Arc::default(), SOON, wanted).await;
        (best.map(|a| a.covered), nodes.iter().map(FakeNode::connections).collect())
    }

    #[tokio::test]
    async fn the_first_answer_that_covers_enough_is_taken() {
        let replies = ["-ERR no\r\n".to_owned(), "+what\r\n".into(), slots(99), slots(199)];
        assert_eq!(best_of(&replies, 100).await, (Ok(100), vec![1, 1, 1, 0]));
    }

    #[tokio::test]
    async fn of_answers_that_cover_too_little_the_best_of_three_is_taken() {
        let replies = [slots(9), slots(49), slots(19), slots(99)];
        assert_eq!(best_of(&replies, 100).await, (Ok(50), vec![1, 1, 1, 0]));
    }

    #[tokio::test]
    async fn nodes_that_hang_do_not_hold_up_the_next() {
        let mut addrs = Vec::new();
        let mut hanging = Vec::new();
        for _ in 0..6 {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            addrs.push(NodeAddr::new("127.0.0.1", listener.local_addr().unwrap().port()));
            hanging.push(listener);
        }
        let node = FakeNode::start(slots(99)).await;
        addrs.push(node.addr.clone());
        let patience = Patience { each: Duration::from_secs(600), before_next: Duration::from_millis(1) };
        let wanted = Wanted { covered: 100, epoch: None };
        let answer = best(addrs, &Arc::default(), patience, wanted).await.unwrap();
        assert_eq!(answer.said_by, node.addr);
    }

    fn answer(covered: usize, state: &str, epoch: &str) -> Answer {
        let info = format!("cluster_state:{state}\r\ncluster_current_epoch:{epoch}\r\n");
        let view = View::of(&Value::Bulk(info.into()));
        Answer { said_by: NodeAddr::new("h", 1), covered, view, table: TableBuilder::default() }
    }

    #[test]
    fn a_node_that_is_cut_off_or_behind_is_not_believed_before_others_are_asked() {
        let wanted = Wanted { covered: 100, epoch: Some(7) };
        assert!(wanted.is_met_by(&answer(100, "ok", "7")) && wanted.is_met_by(&answer(100, "ok", "8")));
        assert!(!wanted.is_met_by(&answer(100, "fail", "7")), "cut off");
        assert!(!wanted.is_met_by(&answer(100, "ok", "6")), "behind");
        assert!(!wanted.is_met_by(&answer(99, "ok", "7")), "covers less");
        assert!(wanted.is_met_by(&answer(100, "", "")), "a node that does not tell is taken at its word");
        let best = |one, other| better(Ok(one), other).unwrap();
        assert_eq!(best(answer(100, "fail", "7"), answer(90, "ok", "6")).covered, 90);
        assert_eq!(best(answer(100, "ok", "6"), answer(90, "ok", "7")).covered, 90);
        assert_eq!(best(answer(90, "ok", "7"), answer(100, "ok", "7")).covered, 100);
        assert_eq!(best(answer(90, "ok", "6"), answer(0, "ok", "7")).covered, 90, "nothing is no answer");
    }

    #[tokio::test]
    async fn an_empty_answer_is_none() {
        let empty = || "*0\r\n".to_owned();
        assert_eq!(best_of(&[empty(), empty()], 0).await, (Err(Unusable::Empty), vec![1, 1]));
    }

    #[tokio::test]
    async fn the_last_failure_is_told() {
        let noauth = "-NOAUTH no\r\n".to_owned();
        let refused = Err(Unusable::Topology(TopologyError::Refused("NOAUTH no".into())));
        assert_eq!(best_of(&["*0\r\n".to_owned(), noauth], 0).await, (refused, vec![1, 1]));
    }

    #[test]
    fn the_hinted_node_comes_first_and_nobody_twice() {
        let node = |port| NodeAddr::new("h", port);
        let mut builder = TableBuilder::default();
        for port in 1..=20 {
            builder.own(Slot::of(b"a"), Slot::of(b"a"), &node(port));
        }
        let table = builder.build(1);
        let all = candidates(Some(node(7)), &table, &[node(7), node(30)]);
        assert_eq!(all[0], node(7));
        assert_eq!(all.last(), Some(&node(30)));
        assert!(all.len() <= KNOWN_TRIES + 2);
        assert_eq!(all.iter().filter(|a| **a == node(7)).count(), 1);
    }
}
