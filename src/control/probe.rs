//! Finds out which owners answer.
//!
//! Must not change the slot table. Invariant: at most [`AT_ONCE`] probes run at one time, each round ends
//! within a bound, and rounds are at least [`GAP`] apart.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};

use super::{Status, readiness::owned};
use crate::{
    cluster::NodeAddr,
    node::{AskError, Credentials, ask},
    topology::Topology,
};

/// Probes at one time: a large cluster is probed in a few rounds of one deadline each.
const AT_ONCE: usize = 16;
/// How long an owner may take to answer.
const DEADLINE: Duration = Duration::from_secs(1);
/// Least time between rounds, and the time after which missing owners are tried again.
const GAP: Duration = Duration::from_secs(1);
/// Time after which owners that all answered are tried again without a cause.
const QUIET: Duration = Duration::from_secs(10);

/// Probes the owners whenever `wanted` says so, and now and then; never ends.
pub(super) async fn run(
    topology: Arc<Topology>,
    credentials: Arc<Credentials>,
    status: Arc<Status>,
    wanted: Arc<Notify>,
) {
    wanted.notified().await;
    loop {
        let next = Instant::now() + GAP;
        let missing = round(&topology, &credentials).await;
        let pause = if missing.is_empty() { QUIET } else { GAP };
        status.probed(missing);
        // Whether wanted or just due, what follows is the same.
        let _ = timeout(pause, wanted.notified()).await;
        sleep_until(next).await;
    }
}

/// The owners that do not answer.
async fn round(topology: &Topology, credentials: &Arc<Credentials>) -> Vec<NodeAddr> {
    let owners: Vec<NodeAddr> = owned(&topology.table().load()).into_keys().cloned().collect();
    let mut missing = Vec::new();
    for some in owners.chunks(AT_ONCE) {
        let mut probes = JoinSet::new();
        for addr in some.iter().cloned() {
            probes.spawn(probe(addr, Arc::clone(credentials)));
        }
        missing.extend(probes.join_all().await.into_iter().flatten());
    }
    missing
}

/// The address, if nobody answers there. Any answer is one, a refusal too.
async fn probe(addr: NodeAddr, credentials: Arc<Credentials>) -> Option<NodeAddr> {
    match ask(&addr, &credentials, &[b"PING"], DEADLINE).await {
        Ok(_) | Err(AskError::Unauthenticated(_)) => None,
        Err(AskError::Late | AskError::Io(_) | AskError::Unreadable) => Some(addr),
    }
}
