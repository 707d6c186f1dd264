//! One worker's connection to one node that hears of every key that changes there.
//!
//! Knows no client. Invariant: it is live only while the node has confirmed that it tells.

use std::{cell::Cell, future::poll_fn, rc::Rc, sync::Arc, time::Duration};

use tokio::{task::AbortHandle, time::timeout};

use crate::{
    cluster::NodeAddr,
    metrics::NodeMetrics,
    resp::{self, Protocol, ReplyScanner, encode_request},
    topology::Signal,
    worker::{Worker, dial, stream::Stream},
};

/// Pause after a lost connection; doubles up to [`BACKOFF_MAX`] while none can be made.
const BACKOFF_MIN: Duration = Duration::from_millis(20);
const BACKOFF_MAX: Duration = Duration::from_secs(1);
/// A node that said nothing for so long is asked whether it is still there.
const SILENCE: Duration = Duration::from_secs(1);
/// Room for one read.
const READ: usize = 64 * 1024;

/// The connection and its task, which ends with it.
pub(super) struct Link {
    live: Rc<Cell<bool>>,
    task: AbortHandle,
}

impl Link {
    /// The connection to `addr`, which its task makes at once.
    pub(super) fn spawn(worker: &Rc<Worker>, addr: NodeAddr) -> Self {
        let live = Rc::new(Cell::new(false));
        let task = tokio::task::spawn_local(run(Rc::clone(worker), addr, Rc::clone(&live)));
        Self { live, task: task.abort_handle() }
    }

    /// Whether all that changes is heard.
    pub(super) fn is_live(&self) -> bool {
        self.live.get()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(worker: Rc<Worker>, addr: NodeAddr, live: Rc<Cell<bool>>) {
    let mut backoff = BACKOFF_MIN;
    loop {
        if let Some(mut ear) = Ear::open(&worker, &addr).await {
            backoff = BACKOFF_MIN;
            live.set(true);
            worker.tend_tracking();
            while ear.hear(&worker).await.is_some() {}
            tracing::warn!(node = %addr, "lost the connection that hears of changed keys");
            live.set(false);
            worker.topology.signal(Signal::Lost);
            worker.tend_tracking();
        }
        tokio::time::sleep(backoff).await;
        backoff = (backoff * 2).min(BACKOFF_MAX);
    }
}

/// A connection on which the node tells.
struct Ear {
    stream: Stream,
    bytes: Vec<u8>,
    scanner: ReplyScanner,
    /// Whether the node owes a sign of life.
    asked: bool,
    metrics: Arc<NodeMetrics>,
}

impl Ear {
    async fn open(worker: &Rc<Worker>, addr: &NodeAddr) -> Option<Self> {
        let limit = dial::timeout(&worker.config);
        let dialled = timeout(limit, dial::dial(addr, Protocol::Resp3, &worker.credentials)).await;
        let stream = match dialled {
            Ok(Ok(stream)) => stream,
            Ok(Err(why)) => return refused(addr, &why.to_string()),
            Err(_) => return refused(addr, "no answer in time"),
        };
        let metrics = worker.node_metrics(addr);
        metrics.connections.add(1);
        let (bytes, scanner) = (Vec::new(), ReplyScanner::default());
        let mut ear = Self { stream, bytes, scanner, asked: false, metrics };
        let reply = timeout(limit, ear.ask(&["CLIENT", "TRACKING", "ON", "BCAST"])).await;
        match reply.ok().flatten() {
            Some(b'+') => Some(ear),
            Some(_) => refused(addr, "the node refused CLIENT TRACKING"),
            None => refused(addr, "no answer in time"),
        }
    }

    /// The kind of the reply to `request`.
    async fn ask(&mut self, request: &[&str]) -> Option<u8> {
        let mut bytes = Vec::new();
        encode_request(&mut bytes, request);
        dial::write_all(&mut self.stream, &bytes).await.ok()?;
        loop {
            while let Some(reply) = self.scanner.scan(&self.bytes).ok()? {
                self.bytes.drain(..reply.len);
                if reply.kind != b'>' {
                    return Some(reply.kind);
                }
            }
            self.read().await?;
        }
    }

    /// Hears what comes next, if only silence; nothing if the connection is lost.
    async fn hear(&mut self, worker: &Rc<Worker>) -> Option<()> {
        let patience = match self.asked {
            true if !worker.config.backend_timeout.is_zero() => worker.config.backend_timeout,
            _ => SILENCE,
        };
        match timeout(patience, self.read()).await {
            Ok(read) => {
                let n = read?;
                worker.tick_clock();
                worker.metrics.backend_in.add(n as u64);
                self.asked = false;
            }
            Err(_) if self.asked && !worker.config.backend_timeout.is_zero() => return None,
            Err(_) => {
                self.asked = true;
                timeout(patience, dial::write_all(&mut self.stream, b"*1\r\n$4\r\nPING\r\n"))
                    .await
                    .ok()?
                    .ok()?;
            }
        }
        let mut at = 0;
        while let Some(reply) = self.scanner.scan(&self.bytes[at..]).ok()? {
            let frame = &self.bytes[at..at + reply.len];
            if let Some(keys) = resp::invalidated(frame) {
                worker.invalidated(keys);
            }
            at += reply.len;
        }
        self.bytes.drain(..at);
        Some(())
    }

    async fn read(&mut self) -> Option<usize> {
        self.bytes.reserve(READ);
        let (stream, bytes) = (&mut self.stream, &mut self.bytes);
        poll_fn(|cx| stream.poll_read_into(cx, bytes, READ)).await.ok().filter(|&n| n > 0)
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.metrics.connections.sub(1);
    }
}

fn refused(addr: &NodeAddr, why: &str) -> Option<Ear> {
    tracing::warn!(node = %addr, why, "cannot hear of changed keys from node");
    None
}
