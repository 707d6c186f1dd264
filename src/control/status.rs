//! What control knows of itself, shared with whoever shows it: `/readyz`, INFO, metrics.
//!
//! Must not know how it is shown. Invariant: only control writes what is about the cluster; only the
//! proxy writes whether it listens or drains.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::{sync::watch, time::Instant};

use crate::{
    cluster::{NodeAddr, SlotTable},
    metrics::{ClusterFigures, RefreshCount, RefreshReason, RefreshResult},
};

/// Facts about slotway as a whole.
#[derive(Debug)]
pub struct Status {
    listening: AtomicBool,
    draining: AtomicBool,
    refreshes: [[AtomicU64; RefreshResult::COUNT]; RefreshReason::COUNT],
    refreshed: ArcSwapOption<Instant>,
    /// `None` until the owners were probed once.
    unreachable: ArcSwap<Option<Vec<NodeAddr>>>,
    learned: watch::Sender<bool>,
}

impl Default for Status {
    fn default() -> Self {
        Self {
            listening: AtomicBool::new(false),
            draining: AtomicBool::new(false),
            refreshes: Default::default(),
            refreshed: ArcSwapOption::empty(),
            unreachable: ArcSwap::from_pointee(None),
            learned: watch::Sender::new(false),
        }
    }
}

impl Status {
    /// The version of slotway.
    pub const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    /// Says that clients are accepted from now on, or no longer.
    pub fn set_listening(&self, listening: bool) {
        self.listening.store(listening, Relaxed);
    }

    /// Whether clients are accepted.
    pub fn listening(&self) -> bool {
        self.listening.load(Relaxed)
    }

    /// Says that slotway is about to end.
    pub fn set_draining(&self) {
        self.draining.store(true, Relaxed);
    }

    /// Whether slotway is about to end.
    pub fn draining(&self) -> bool {
        self.draining.load(Relaxed)
    }

    /// Waits until a slot table was learned; at once if one already was.
    pub async fn learned(&self) {
        // The sender lives as long as `self`, so the wait ends only by its condition.
        let _ = self.learned.subscribe().wait_for(|learned| *learned).await;
    }

    /// Whether a slot table was ever learned.
    pub fn is_learned(&self) -> bool {
        *self.learned.borrow()
    }

    /// Time since the last refresh that succeeded.
    pub fn age(&self) -> Option<Duration> {
        self.refreshed.load().as_ref().map(|at| at.elapsed())
    }

    /// How often a refresh for `reason` ended with `result`.
    pub fn refreshes(&self, reason: RefreshReason, result: RefreshResult) -> u64 {
        self.refreshes[reason.index()][result.index()].load(Relaxed)
    }

    /// Owners that did not answer their last probe; `None` before the first.
    pub fn unreachable(&self) -> Arc<Option<Vec<NodeAddr>>> {
        self.unreachable.load_full()
    }

    /// What the metrics page shows of the cluster whose slots are in `table`.
    pub fn figures(&self, table: &SlotTable) -> ClusterFigures {
        ClusterFigures { refreshes: self.counts(), age: self.age(), unassigned: table.unassigned() }
    }

    /// Notes a refresh.
    pub(super) fn refreshed(&self, reason: RefreshReason, result: RefreshResult) {
        self.refreshes[reason.index()][result.index()].fetch_add(1, Relaxed);
        if result != RefreshResult::Failed {
            self.refreshed.store(Some(Arc::new(Instant::now())));
            self.learned.send_if_modified(|learned| !std::mem::replace(learned, true));
        }
    }

    /// Notes a round of probes.
    pub(super) fn probed(&self, unreachable: Vec<NodeAddr>) {
        self.unreachable.store(Arc::new(Some(unreachable)));
    }

    fn counts(&self) -> Vec<RefreshCount> {
        let reasons = RefreshReason::ALL.iter();
        let pairs =
            reasons.flat_map(|&reason| RefreshResult::ALL.iter().map(move |&result| (reason, result)));
        pairs
            .map(|(reason, result)| RefreshCount { reason, result, count: self.refreshes(reason, result) })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_waits_for_the_cluster_is_woken_by_the_first_success() {
        let status = Arc::new(Status::default());
        let waits = Arc::clone(&status);
        let waiting = tokio::spawn(async move { waits.learned().await });
        status.refreshed(RefreshReason::Start, RefreshResult::Failed);
        assert!(!status.is_learned() && status.age().is_none());
        status.refreshed(RefreshReason::Start, RefreshResult::Changed);
        waiting.await.unwrap();
        assert!(status.is_learned() && status.age().is_some());
        let figures = status.figures(&SlotTable::empty());
        assert_eq!(figures.refreshes.iter().map(|r| r.count).sum::<u64>(), 2);
    }
}
