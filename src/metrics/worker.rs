//! What one worker counts and times.
//!
//! Must not know who reads it. Invariant: each cell is written by its own worker only.

use super::{Cell, CloseReason, ErrorKind, Histogram, RetryReason};

/// One worker's figures; any thread may read them at any time.
#[derive(Debug)]
pub struct WorkerMetrics {
    /// By place in the command table; the last one is for commands that are not in it.
    pub commands: Box<[CommandMetrics]>,
    /// From a request's being read to its being written to a node.
    pub queue: Histogram,
    /// From a reply's arrival to its delivery: the wait behind earlier replies.
    pub reply_wait: Histogram,
    /// MOVED redirects followed.
    pub moved: Cell,
    /// ASK redirects followed.
    pub ask: Cell,
    /// Where replicas may be read: reads sent to primaries, and to replicas.
    pub reads: [Cell; 2],
    /// Requests sent again, by [`RetryReason::index`].
    pub retries: [Cell; RetryReason::COUNT],
    /// Retries that waited since too many were in vain.
    pub held: Cell,
    /// Clients connected now.
    pub clients: Cell,
    /// Clients ever accepted.
    pub clients_total: Cell,
    /// Clients that other workers handed over.
    pub moved_in: Cell,
    /// Busy polls that found nothing in time, and that found the reply.
    pub busy_polls: [Cell; 2],
    /// For how much of the last moment its thread computed, in thousandths.
    pub busy: Cell,
    /// Clients gone, by [`CloseReason::index`].
    pub clients_closed: [Cell; CloseReason::COUNT],
    /// Bytes read from clients.
    pub client_in: Cell,
    /// Bytes written to clients.
    pub client_out: Cell,
    /// Bytes read from nodes.
    pub backend_in: Cell,
    /// Bytes written to nodes.
    pub backend_out: Cell,
    /// Clients that subscribed to anything now.
    pub subscribers: Cell,
    /// Clients whose request waits for something to happen.
    pub blocked: Cell,
    /// Messages handed to subscribers.
    pub messages: Cell,
    /// Bytes that wait in buffers now.
    pub buffered: Cell,
}

/// One command's figures at one worker.
#[derive(Debug, Default)]
pub struct CommandMetrics {
    /// From a request's being fully read to its reply's being handed to the socket.
    pub duration: Histogram,
    /// Error replies, by [`ErrorKind::index`].
    pub errors: [Cell; ErrorKind::COUNT],
}

/// One node's figures at one worker.
#[derive(Debug, Default)]
pub struct NodeMetrics {
    /// From a request's being written to its being answered.
    pub duration: Histogram,
    /// Connections open now.
    pub connections: Cell,
    /// Requests written and not yet answered.
    pub in_flight: Cell,
}

impl WorkerMetrics {
    /// All at nought, for a table of `commands` commands.
    pub(super) fn new(commands: usize) -> Self {
        Self {
            commands: (0..=commands).map(|_| CommandMetrics::default()).collect(),
            queue: Histogram::default(),
            reply_wait: Histogram::default(),
            moved: Cell::default(),
            ask: Cell::default(),
            reads: Default::default(),
            retries: Default::default(),
            held: Cell::default(),
            clients: Cell::default(),
            clients_total: Cell::default(),
            moved_in: Cell::default(),
            busy_polls: Default::default(),
            busy: Cell::default(),
            clients_closed: Default::default(),
            client_in: Cell::default(),
            client_out: Cell::default(),
            backend_in: Cell::default(),
            backend_out: Cell::default(),
            subscribers: Cell::default(),
            blocked: Cell::default(),
            messages: Cell::default(),
            buffered: Cell::default(),
        }
    }

    /// The figures of the command at `index` of the table; of `other` where there is none.
    #[inline]
    pub fn command(&self, index: usize) -> &CommandMetrics {
        let last = self.commands.len() - 1;
        &self.commands[index.min(last)]
    }

    /// Counts one request sent again.
    #[inline]
    pub fn retried(&self, reason: RetryReason) {
        self.retries[reason.index()].add(1);
    }

    /// Counts one client accepted.
    pub fn client_opened(&self) {
        self.clients.add(1);
        self.clients_total.add(1);
    }

    /// Counts one client that another worker handed over.
    pub fn client_moved_in(&self) {
        self.clients.add(1);
        self.moved_in.add(1);
    }

    /// Counts one client that was handed over to another worker.
    pub fn client_moved_out(&self) {
        self.clients.sub(1);
    }

    /// Counts one client gone.
    pub fn client_closed(&self, reason: CloseReason) {
        self.clients.sub(1);
        self.clients_closed[reason.index()].add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_beyond_the_table_fold_into_one() {
        let metrics = WorkerMetrics::new(2);
        metrics.command(1).duration.record(1);
        metrics.command(2).duration.record(1);
        metrics.command(usize::MAX).duration.record(1);
        let counts: Vec<u64> = metrics.commands.iter().map(|c| c.duration.count()).collect();
        assert_eq!(counts, [0, 1, 2]);
    }

    #[test]
    fn a_client_gone_is_counted_with_its_reason() {
        let metrics = WorkerMetrics::new(0);
        metrics.client_opened();
        metrics.client_opened();
        metrics.client_closed(CloseReason::Quit);
        assert_eq!((metrics.clients.get(), metrics.clients_total.get()), (1, 2));
        assert_eq!(metrics.clients_closed[CloseReason::Quit.index()].get(), 1);
    }
}
