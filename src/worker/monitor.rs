//! MONITOR: what the primaries take, as each tells it, shown to the clients that monitor.
//!
//! While any client of a worker monitors, the worker monitors every primary over one connection to each, and
//! hands the nodes' lines on as they are. Must not know what a line says. Invariant: a client that monitors gets
//! every line that came, those of one node in their order, or is closed.

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use super::{
    Worker,
    client::Client,
    primaries::{Primaries, Subject},
};
use crate::metrics::CloseReason;

/// Longest line of a node: as much as may wait for a subscriber. At a longer one those who monitor are closed.
const MAX_LINE: usize = 32 * 1024 * 1024;

/// What the clients of one worker that monitor share.
#[derive(Default)]
pub(super) struct Monitoring {
    clients: RefCell<HashMap<u64, Rc<Client>>>,
    primaries: Primaries,
}

/// Every request that they take.
static SUBJECT: Subject = Subject {
    request: &["MONITOR"],
    take: |worker, ear| {
        let taken = ear.lines(MAX_LINE, |lines| worker.show(lines));
        if taken.is_none() {
            worker.close_monitors();
        }
        taken
    },
    changed: |worker| worker.monitoring.primaries.look_again(),
};

impl Worker {
    /// Waits until every primary that can be had is monitored, not for longer than a request is retried. False if
    /// none is.
    pub(super) async fn monitor_primaries(self: Rc<Self>) -> bool {
        let primaries = &self.monitoring.primaries;
        let limit = self.config.retry_deadline;
        primaries.wait(limit, || self.tend_monitoring(), || primaries.are_tried()).await;
        primaries.is_any_live()
    }

    /// Shows `client` everything from now on.
    pub(super) fn monitor(&self, client: &Rc<Client>) {
        client.start_monitoring();
        self.monitoring.clients.borrow_mut().insert(client.id, Rc::clone(client));
    }

    /// Shows `client` nothing any more.
    pub(super) fn stop_monitoring(&self, client: &Client) {
        self.monitoring.clients.borrow_mut().remove(&client.id);
    }

    /// Monitors each primary while anybody wants that.
    pub(super) fn tend_monitoring(self: &Rc<Self>) {
        let Monitoring { clients, primaries } = &self.monitoring;
        if clients.borrow().is_empty() && !primaries.are_awaited() {
            primaries.leave();
            return;
        }
        primaries.follow(self, &self.topology.table().load(), &SUBJECT);
        primaries.look_again();
    }

    /// Shows the lines that a node sent.
    fn show(&self, lines: &[u8]) {
        for lines in shown(lines) {
            for client in self.monitoring.clients.borrow().values() {
                client.hand(lines, &[]);
            }
        }
    }

    /// Closes those who monitor: there is something that they cannot be shown.
    fn close_monitors(&self) {
        tracing::warn!("closing clients that monitor: a node's line is too long");
        for client in self.monitoring.clients.borrow().values() {
            client.end(CloseReason::OutputLimit, true);
        }
    }
}

/// Of whole `lines` that a node sent, those that show a request, in as few pieces as there are. Between them stand
/// its replies to PING, by which slotway asks for a sign of life.
fn shown(mut lines: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let skipped = run(lines, false);
        let piece = &lines[skipped..][..run(&lines[skipped..], true)];
        lines = &lines[skipped + piece.len()..];
        (!piece.is_empty()).then_some(piece)
    })
}

/// How many bytes the lines have that `lines` begins with and that show requests, or do not. A line begins with
/// the time, as in redis replication.c `replicationFeedMonitors`.
fn run(lines: &[u8], shows: bool) -> usize {
    let mut at = 0;
    while let Some([kind, next, ..]) = lines.get(at..)
        && (*kind == b'+' && next.is_ascii_digit()) == shows
        && let Some(end) = memchr::memchr(b'\n', &lines[at..])
    {
        at += end + 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_shown_in_one_piece_but_for_replies_between_them() {
        let of = |lines: &str| {
            shown(lines.as_bytes())
                .map(|piece| String::from_utf8(piece.to_vec()).unwrap())
                .collect::<Vec<_>>()
        };
        let [one, two] = ["+1.000001 [0 h:1] \"GET\" \"a\"\r\n", "+2.000001 [0 lua] \"+PONG\"\r\n"];
        assert_eq!(of(&format!("{one}{two}")), [format!("{one}{two}")]);
        assert_eq!(of(&format!("{one}+PONG\r\n{two}")), [one, two]);
        assert_eq!(of(&format!("+PONG\r\n-MISCONF no\r\n{one}{two}+PONG\r\n")), [format!("{one}{two}")]);
        assert!(of("+PONG\r\n").is_empty() && of("").is_empty() && of("\n\r\n+\r\n").is_empty());
    }
}
