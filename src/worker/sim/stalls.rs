//! Nodes that hesitate: that stop for a while, all their connections with them, and go on where they were, also with
//! what came over connections that were given up meanwhile; dials that are refused, or answered late or never; half
//! replies.

use std::{cell::Cell, io, rc::Rc, time::Duration};

use tokio::{
    io::{AsyncWriteExt, DuplexStream},
    time::{Instant, sleep, sleep_until},
};

use super::cluster::{Cluster, NODES};

/// The worker gives a node up after this.
const TIMEOUT: u64 = 300;

/// Until when each node does not run, and refuses to be dialled.
pub(super) struct Stalls {
    frozen: [Cell<Instant>; 2 * NODES],
    refuses: [Cell<Instant>; 2 * NODES],
}

impl Stalls {
    pub(super) fn new() -> Self {
        let now = || Cell::new(Instant::now());
        Self { frozen: std::array::from_fn(|_| now()), refuses: std::array::from_fn(|_| now()) }
    }
}

impl Cluster {
    /// Stops nodes for ever new random times.
    pub(super) async fn hesitate(self: Rc<Self>) {
        if !self.trouble.stalls {
            return;
        }
        loop {
            sleep(Duration::from_millis(self.random(0..500))).await;
            let node = usize::try_from(self.random(0..NODES as u64)).expect("a small number");
            let node = node + NODES * usize::from(self.trouble.replicas);
            let until = Instant::now() + self.span();
            let stalls = &self.stalls;
            match self.random(0..4) {
                0 => stalls.refuses[node].set(until),
                _ => stalls.frozen[node].set(until),
            }
        }
    }

    /// Seldom longer than the worker waits for a node, more seldom longer than it tries at all.
    fn span(&self) -> Duration {
        let longest = match self.random(0..16) {
            0..10 => TIMEOUT,
            10..14 => 3 * TIMEOUT,
            _ => 10 * TIMEOUT,
        };
        Duration::from_millis(self.random(0..longest))
    }

    pub(super) fn is_frozen(&self, node: usize) -> bool {
        Instant::now() < self.stalls.frozen[node].get()
    }

    /// Between two moves of a slot: an ASK may be followed late, and must not find a node to which it moves again.
    pub(super) async fn rest(&self) {
        if self.trouble.stalls {
            sleep(Duration::from_millis(4 * TIMEOUT)).await;
        }
    }

    /// Waits while the node does not run.
    pub(super) async fn thaw(&self, node: usize) {
        while self.is_frozen(node) {
            sleep_until(self.stalls.frozen[node].get()).await;
        }
    }

    /// Whether the node cannot be dialled now.
    pub(super) fn refuses(&self, node: usize) -> bool {
        Instant::now() < self.stalls.refuses[node].get()
    }

    /// Whether the node stops at times. A primary that has a replica does not: what may have run would run late, be
    /// seen, and then not be seen where its replica is behind.
    fn hesitates(&self, node: usize) -> bool {
        self.trouble.stalls && (node >= NODES || !self.trouble.replicas)
    }

    /// Before a new connection to the node is served: seldom late, or never.
    pub(super) async fn hesitate_to_greet(&self, node: usize) {
        match self.hesitates(node).then(|| self.random(0..16)) {
            Some(0) => sleep(self.span()).await,
            Some(1) => sleep(Duration::from_secs(3600)).await,
            _ => {}
        }
    }

    /// Writes a reply, seldom in two halves.
    pub(super) async fn write(&self, stream: &mut DuplexStream, reply: &[u8]) -> io::Result<()> {
        if !self.trouble.stalls || self.random(0..100) > 0 {
            return stream.write_all(reply).await;
        }
        let (half, rest) = reply.split_at(reply.len() / 2);
        stream.write_all(half).await?;
        sleep(self.span()).await;
        stream.write_all(rest).await
    }
}
