//! Replies that wait for others of the same read, so that they leave in one write: how long at most.
//!
//! A server answers what it read at once in one write; over several nodes the replies come at different
//! times. Those that are ready wait for the rest, until the next time that the one task here wakes.

use std::{cell::RefCell, rc::Rc, time::Duration};

use tokio::sync::Notify;

use super::{Worker, client::Client};

/// Longest time that a ready reply waits for the others that were asked for in the same read, but for the
/// timer's own millisecond.
const HOLD: Duration = Duration::from_millis(1);

/// Clients that hold replies back.
#[derive(Default)]
pub(super) struct Releases {
    clients: RefCell<Vec<Rc<Client>>>,
    any: Notify,
}

/// Runs as long as the worker.
pub(super) async fn run(worker: Rc<Worker>) {
    loop {
        worker.releases.any.notified().await;
        tokio::time::sleep(HOLD).await;
        let clients = worker.releases.clients.take();
        for client in clients {
            client.release();
        }
    }
}

impl Worker {
    /// Has `client` deliver what it holds, soon.
    pub(super) fn release_soon(&self, client: &Rc<Client>) {
        let mut clients = self.releases.clients.borrow_mut();
        if clients.is_empty() {
            self.releases.any.notify_one();
        }
        clients.push(Rc::clone(client));
    }
}
