//! A connection on which a node tells of what happens there, in RESP3.
//!
//! Knows no client, and not what is asked over it. Invariant: it exists only after the node has confirmed that
//! it tells; whoever waits for it may stop at any moment and lose nothing.

use std::{
    future::poll_fn,
    io::IoSlice,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, timeout, timeout_at};

use super::{Worker, dial, stream::Stream};
use crate::{
    cluster::NodeAddr,
    metrics::NodeMetrics,
    resp::{Protocol, ReplyScanner, encode_request},
};

/// A node that said nothing for so long is asked whether it is still there.
const SILENCE: Duration = Duration::from_secs(1);
/// Room for one read.
const READ: usize = 64 * 1024;

/// The connection.
pub(super) struct Ear {
    stream: Stream,
    bytes: Vec<u8>,
    /// What is to be written, but for the first `written` bytes.
    out: Vec<u8>,
    written: usize,
    scanner: ReplyScanner,
    /// Bytes that hold no line end.
    searched: usize,
    /// When the node last said something, or was asked for a sign of life.
    since: Instant,
    /// Whether it owes that sign.
    asked: bool,
    metrics: Arc<NodeMetrics>,
}

impl Ear {
    /// Connects to the node at `addr` and asks it to tell, by `request`. Why that failed is logged.
    pub(super) async fn open(worker: &Worker, addr: &NodeAddr, request: &[&str]) -> Option<Self> {
        let limit = dial::timeout(&worker.config);
        let dialled = timeout(limit, dial::dial(addr, Protocol::Resp3, &worker.credentials)).await;
        let stream = match dialled {
            Ok(Ok(stream)) => stream,
            Ok(Err(why)) => return refused(addr, request, &why.to_string()),
            Err(_) => return refused(addr, request, "no answer in time"),
        };
        let metrics = worker.node_metrics(addr);
        metrics.connections.add(1);
        let (bytes, out, scanner) = (Vec::new(), Vec::new(), ReplyScanner::default());
        let since = Instant::now();
        let mut ear =
            Self { stream, bytes, out, written: 0, scanner, searched: 0, since, asked: false, metrics };
        ear.say(request);
        match timeout(limit, ear.confirmation()).await.ok().flatten() {
            Some(b'+') => Some(ear),
            Some(_) => refused(addr, request, "the node refused"),
            None => refused(addr, request, "no answer in time"),
        }
    }

    /// Has `request` written while it is heard.
    pub(super) fn say<A: AsRef<[u8]>>(&mut self, request: &[A]) {
        encode_request(&mut self.out, request);
    }

    /// The kind of the first reply. What comes behind it is left.
    async fn confirmation(&mut self) -> Option<u8> {
        loop {
            while let Some(reply) = self.scanner.scan(&self.bytes).ok()? {
                self.bytes.drain(..reply.len);
                if reply.kind != b'>' {
                    return Some(reply.kind);
                }
            }
            poll_fn(|cx| self.poll_io(cx)).await?;
        }
    }

    /// Waits until something comes, or for a while: whether it came. Nothing if the connection is lost.
    pub(super) async fn hear(&mut self, worker: &Worker) -> Option<bool> {
        let bounded = !worker.config.backend_timeout.is_zero();
        let patience = if self.asked && bounded { worker.config.backend_timeout } else { SILENCE };
        match timeout_at(self.since + patience, poll_fn(|cx| self.poll_io(cx))).await {
            Ok(read) => {
                let n = read?;
                worker.tick_clock();
                worker.metrics.backend_in.add(n as u64);
                (self.asked, self.since) = (false, Instant::now());
                Some(true)
            }
            Err(_) if self.asked && bounded => None,
            Err(_) => {
                (self.asked, self.since) = (true, Instant::now());
                self.say(&["PING"]);
                Some(false)
            }
        }
    }

    /// Takes `each` frame that has come; nothing if it is none.
    pub(super) fn frames(&mut self, mut each: impl FnMut(&[u8])) -> Option<()> {
        let mut at = 0;
        while let Some(reply) = self.scanner.scan(&self.bytes[at..]).ok()? {
            each(&self.bytes[at..at + reply.len]);
            at += reply.len;
        }
        self.bytes.drain(..at);
        Some(())
    }

    /// Takes the whole lines that have come, in one piece; nothing if the next is longer than `most`.
    pub(super) fn lines(&mut self, most: usize, take: impl FnOnce(&[u8])) -> Option<()> {
        if let Some(end) = memchr::memrchr(b'\n', &self.bytes[self.searched..]) {
            let whole = self.searched + end + 1;
            take(&self.bytes[..whole]);
            self.bytes.drain(..whole);
            self.bytes.shrink_to(2 * READ);
        }
        self.searched = self.bytes.len();
        (self.searched <= most).then_some(())
    }

    /// Writes what there is and reads once; ready with nothing if the connection is lost.
    fn poll_io(&mut self, cx: &mut Context<'_>) -> Poll<Option<usize>> {
        while self.written < self.out.len() {
            match self.stream.poll_write(cx, &[IoSlice::new(&self.out[self.written..])]) {
                Poll::Ready(Ok(n)) if n > 0 => self.written += n,
                Poll::Ready(_) => return Poll::Ready(None),
                Poll::Pending => break,
            }
        }
        if self.written == self.out.len() {
            self.out.clear();
            self.written = 0;
        }
        self.bytes.reserve(READ);
        let read = self.stream.poll_read_into(cx, &mut self.bytes, READ);
        read.map(|read| read.ok().filter(|&n| n > 0))
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.metrics.connections.sub(1);
    }
}

fn refused(addr: &NodeAddr, request: &[&str], why: &str) -> Option<Ear> {
    tracing::warn!(node = %addr, request = request.join(" "), why, "node does not tell what it was asked to");
    None
}
