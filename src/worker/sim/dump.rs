//! What a worker waits for, in words: for a run in which a client hears nothing any more.

use super::World;

impl World {
    /// Each client and each connection to a node that has something to do.
    pub(super) fn dump(&self) -> String {
        let mut lines = Vec::new();
        for worker in &self.workers {
            lines.push(format!("at {} ms, table {}", worker.now() / 1_000_000, worker.epoch()));
            lines.extend(worker.clients.borrow().values().map(|client| client.dump()));
            lines.extend(worker.backends.borrow().values().map(|backend| backend.dump()));
        }
        lines.join("\n")
    }
}
