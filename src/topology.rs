//! The meeting place of control and workers: the slot table that control stores and workers read,
//! and the signals by which workers say that it is out of date.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::mpsc;

use crate::cluster::{NodeAddr, Slot, SlotTable};

/// Signals that may wait for control; one more is dropped, as a refresh is then due anyway.
const SIGNALS: usize = 256;

/// Why a worker thinks that the table is out of date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// A node said that `.0` belongs to the node at `.1`.
    Moved(Slot, NodeAddr),
    /// A node that was taken for a primary refused a write.
    Readonly,
    /// A node said that the cluster is down: it may be cut off from nodes that know better.
    Clusterdown,
    /// The connection to a node was lost or could not be made.
    Lost,
    /// A slot without an owner was asked for.
    Unassigned,
}

/// The current slot table and the way to say that it is out of date.
#[derive(Debug)]
pub struct Topology {
    table: Arc<ArcSwap<SlotTable>>,
    signals: mpsc::Sender<Signal>,
}

impl Topology {
    /// An empty table, and the end at which control hears the signals.
    pub fn new() -> (Arc<Self>, mpsc::Receiver<Signal>) {
        let (signals, heard) = mpsc::channel(SIGNALS);
        (Arc::new(Self { table: Arc::new(ArcSwap::from_pointee(SlotTable::empty())), signals }), heard)
    }

    /// The table, for [`arc_swap::Cache`] and whoever reads it now and then.
    pub fn table(&self) -> &Arc<ArcSwap<SlotTable>> {
        &self.table
    }

    /// Puts `table` in force. Only control calls this.
    pub fn store(&self, table: SlotTable) {
        self.table.store(Arc::new(table));
    }

    /// Tells control; never waits.
    pub fn signal(&self, signal: Signal) {
        // A full queue means that control is already busy with signals and refreshes after them.
        let _ = self.signals.try_send(signal);
    }
}
