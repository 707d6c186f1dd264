//! A connection to a node that belongs to one client at a time, and the pool where it waits for the next.
//!
//! Speaks in exchanges: some requests out, as many replies back. Knows no command. Invariant: what is in the
//! pool has no reply due and no state that a client left; of each node and protocol version there are at most
//! this worker's share of `dedicated-connections`.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    future::poll_fn,
    rc::Rc,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};

use super::{
    Worker,
    backoff::Gate,
    dial,
    profile::{Profile, Whose},
    stream::Stream,
};
use crate::{
    cluster::NodeAddr,
    metrics::NodeMetrics,
    resp::{Protocol, ReplyScanner, encode_request, parse},
};

/// A connection that nobody wanted for so long is closed.
pub(super) const IDLE_FOR: Duration = Duration::from_secs(10);
/// Longest wait for a connection to be in another database; else it is closed.
const SELECT_WITHIN: Duration = Duration::from_secs(2);
/// Room for one read; most replies fit.
const READ: usize = 16 * 1024;

/// A connection to a node that is one client's, or nobody's.
pub(super) struct Dedicated {
    pub(super) addr: NodeAddr,
    pub(super) profile: Profile,
    /// By which number the node knows it; none if the node does not tell.
    pub(super) id: Option<i64>,
    /// Whether the node was asked to unblock it, which may come late: then it serves no other client.
    pub(super) recalled: Rc<Cell<bool>>,
    /// Longest reply in bytes that is read; a longer one ends the connection.
    pub(super) most: usize,
    stream: Stream,
    bytes: Vec<u8>,
    scanner: ReplyScanner,
    metrics: Arc<NodeMetrics>,
    permit: Option<OwnedSemaphorePermit>,
}

/// An exchange that did not end; its connection is of no more use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    /// Whether the last byte of the requests was written.
    pub(super) sent: bool,
}

/// Why there is no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoConnection {
    /// All are in use.
    Full,
    /// The node cannot be reached.
    Unreachable,
}

impl Dedicated {
    /// Sends `requests` and returns the `replies` to them, within `limit` if there is one.
    pub(super) async fn exchange(
        &mut self,
        requests: &[u8],
        replies: usize,
        limit: Option<Duration>,
    ) -> Result<Vec<Vec<u8>>, Broken> {
        let mut sent = false;
        let work = async {
            dial::write_all(&mut self.stream, requests).await.ok()?;
            sent = true;
            let mut got = Vec::with_capacity(replies);
            while got.len() < replies {
                got.push(self.reply().await?);
            }
            Some(got)
        };
        let done = match limit {
            Some(limit) => timeout(limit, work).await.ok().flatten(),
            None => work.await,
        };
        done.ok_or(Broken { sent })
    }

    /// The next reply that is no push; nothing if the connection is lost.
    async fn reply(&mut self) -> Option<Vec<u8>> {
        loop {
            while let Some(found) = self.scanner.scan(&self.bytes).ok()? {
                let rest = self.bytes.split_off(found.len);
                let reply = std::mem::replace(&mut self.bytes, rest);
                if found.kind != b'>' {
                    return Some(reply);
                }
            }
            if self.is_overlong() {
                return None;
            }
            self.bytes.reserve(READ);
            let (stream, bytes) = (&mut self.stream, &mut self.bytes);
            if poll_fn(|cx| stream.poll_read_into(cx, bytes, READ)).await.ok()? == 0 {
                return None;
            }
        }
    }

    /// Whether it is in `database`, to which it is brought.
    async fn select(&mut self, database: u16) -> bool {
        if self.profile.database == database {
            return true;
        }
        let mut request = Vec::new();
        encode_request(&mut request, &["SELECT", &database.to_string()]);
        let done = self.exchange(&request, 1, Some(SELECT_WITHIN)).await;
        self.profile.database = database;
        done.is_ok_and(|replies| replies.first().is_some_and(|reply| reply.starts_with(b"+")))
    }

    /// Whether the reply under way is longer than is read.
    pub(super) fn is_overlong(&self) -> bool {
        self.scanner.needs() > self.most
    }

    /// Whether the node has neither closed it nor said something unasked.
    pub(super) async fn is_quiet(&mut self) -> bool {
        let mut room = [0];
        let stream = &mut self.stream;
        self.bytes.is_empty() && poll_fn(|cx| Poll::Ready(stream.poll_read(cx, &mut room).is_pending())).await
    }
}

impl Drop for Dedicated {
    fn drop(&mut self) {
        self.metrics.connections.sub(1);
    }
}

/// The connections that nobody has, and how many more there may be.
#[derive(Default)]
pub(super) struct Pool(RefCell<HashMap<(NodeAddr, Protocol), Rc<Shelf>>>);

/// Those of one node and protocol version.
struct Shelf {
    share: usize,
    permits: Arc<Semaphore>,
    idle: RefCell<Vec<(Instant, Dedicated)>>,
    gate: Cell<Gate>,
}

impl Shelf {
    /// Whether the node may be dialled: not by all who want it while it is away.
    fn may_dial(&self) -> bool {
        let mut gate = self.gate.get();
        let may = gate.lets_through(Instant::now());
        self.gate.set(gate);
        may
    }

    fn dialled(&self, connected: bool) {
        let mut gate = self.gate.get();
        gate.ended(connected, Instant::now());
        self.gate.set(gate);
    }
}

impl Shelf {
    /// The newest, so that the others grow old; one in `database` first.
    fn take(&self, database: u16) -> Option<Dedicated> {
        let mut idle = self.idle.borrow_mut();
        let place = idle.iter().rposition(|(_, connection)| connection.profile.database == database);
        match place {
            Some(place) => Some(idle.remove(place).1),
            None => idle.pop().map(|(_, connection)| connection),
        }
    }
}

impl Pool {
    fn shelf(&self, worker: &Worker, addr: &NodeAddr, protocol: Protocol) -> Rc<Shelf> {
        let share = usize::from(worker.dedicated_share());
        let mut shelves = self.0.borrow_mut();
        let new = || Shelf {
            share,
            permits: Arc::new(Semaphore::new(share)),
            idle: RefCell::default(),
            gate: Cell::default(),
        };
        Rc::clone(shelves.entry((addr.clone(), protocol)).or_insert_with(|| Rc::new(new())))
    }

    /// Whether a connection to `addr` for one client may be dialled now: not by all who want one while the node
    /// is away. Whoever dials tells how it ended.
    pub(super) fn lets_dial(&self, worker: &Worker, addr: &NodeAddr, protocol: Protocol) -> bool {
        self.shelf(worker, addr, protocol).may_dial()
    }

    /// A dial of `addr` has ended.
    pub(super) fn dialled(&self, worker: &Worker, addr: &NodeAddr, protocol: Protocol, connected: bool) {
        self.shelf(worker, addr, protocol).dialled(connected);
    }

    /// Takes a connection that nothing was left on.
    pub(super) fn give_back(&self, mut connection: Dedicated) {
        if connection.recalled.get() {
            return;
        }
        connection.permit = None;
        connection.most = usize::MAX;
        connection.bytes = Vec::new();
        let key = (connection.addr.clone(), connection.profile.protocol);
        if let Some(shelf) = self.0.borrow().get(&key) {
            shelf.idle.borrow_mut().push((Instant::now(), connection));
        }
    }

    /// Closes what nobody wanted for a while.
    pub(super) fn sweep(&self) {
        self.0.borrow_mut().retain(|_, shelf| {
            let mut idle = shelf.idle.borrow_mut();
            idle.retain(|(since, _)| since.elapsed() < IDLE_FOR);
            // Who waits for a connection, or has one, needs the same shelf.
            !idle.is_empty()
                || Rc::strong_count(shelf) > 1
                || shelf.permits.available_permits() < shelf.share
                || shelf.gate.get().is_shut(Instant::now())
        });
    }
}

impl Worker {
    /// How many connections to one node may be one client's each.
    pub(super) fn dedicated_share(&self) -> u16 {
        let share = self.config.dedicated_connections / self.config.threads;
        u16::try_from(share).unwrap_or(u16::MAX).max(1)
    }

    /// A connection to `addr` for one client, waited for within the retry deadline.
    pub(super) async fn check_out(
        &self,
        addr: &NodeAddr,
        profile: Profile,
    ) -> Result<Dedicated, NoConnection> {
        let profile = Profile { whose: Whose::Everyone, ..profile };
        let shelf = self.pool.shelf(self, addr, profile.protocol);
        let permit = Arc::clone(&shelf.permits).acquire_owned();
        let Ok(Ok(permit)) = timeout(self.config.retry_deadline, permit).await else {
            return Err(NoConnection::Full);
        };
        loop {
            let Some(mut connection) = shelf.take(profile.database) else { break };
            if connection.is_quiet().await && connection.select(profile.database).await {
                connection.permit = Some(permit);
                return Ok(connection);
            }
        }
        if !shelf.may_dial() {
            return Err(NoConnection::Unreachable);
        }
        let dialled = timeout(dial::timeout(&self.config), self.dial_dedicated(addr, profile)).await;
        let connection = dialled.ok().flatten();
        shelf.dialled(connection.is_some());
        let mut connection = connection.ok_or(NoConnection::Unreachable)?;
        connection.permit = Some(permit);
        Ok(connection)
    }

    async fn dial_dedicated(&self, addr: &NodeAddr, profile: Profile) -> Option<Dedicated> {
        let stream = match dial::dial(addr, profile, &self.credentials).await {
            Ok(stream) => stream,
            Err(why) => {
                tracing::warn!(node = %addr, %why, "cannot connect to node");
                return None;
            }
        };
        // A block without end learns in no other way that its node's machine is gone.
        stream.keep_alive();
        let metrics = self.node_metrics(addr);
        metrics.connections.add(1);
        let mut connection = Dedicated {
            addr: addr.clone(),
            profile,
            id: None,
            recalled: Rc::default(),
            most: usize::MAX,
            stream,
            bytes: Vec::new(),
            scanner: ReplyScanner::default(),
            metrics,
            permit: None,
        };
        let mut request = Vec::new();
        encode_request(&mut request, &["CLIENT", "ID"]);
        let replies = connection.exchange(&request, 1, None).await.ok()?;
        connection.id =
            replies.first().and_then(|reply| parse(reply).ok()?).and_then(|(id, _)| id.as_integer());
        Some(connection)
    }
}
