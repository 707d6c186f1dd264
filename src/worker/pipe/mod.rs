//! Connections to nodes that workers share (`--backend-connections-per-node`).
//!
//! A *pipe* is a connection that one worker owns and dials; each worker that uses it has a *lane*: a pair of
//! bounded byte queues in this process that its [`Backend`](super::backend::Backend) reads and writes like a
//! socket. So what is queued, redirected and tried again stays each worker's own; the pipe sees whole
//! requests and replies and knows nothing of what they mean.
//!
//! What was written to a lane counts as sent, though the pipe may still hold it when the connection is lost.
//! Lanes are handed over by [`Mail`], once per connection.

mod joint;

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    rc::Rc,
    task::{Context, Poll},
};

use tokio::{io::DuplexStream, sync::oneshot};

use self::joint::{Ended, Joint};
use super::{
    Mail, Worker,
    dial::{self, DialError},
    profile::{Profile, Whose},
    stream::Stream,
    wakeup::Wakeup,
};
use crate::cluster::NodeAddr;

/// Bytes that wait in each direction of a lane before its writer waits: a full read.
const LANE: usize = 64 * 1024;
/// Rounds over lanes and node before the worker's other tasks get their turn.
const ROUNDS_PER_TURN: usize = 8;

/// Which of the connections that workers share.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct PipeId {
    addr: NodeAddr,
    profile: Profile,
    /// Its number among those of its node and profile.
    number: usize,
}

/// A worker's wish for a lane.
pub struct LaneWish {
    id: PipeId,
    /// Dropped when the node cannot be had.
    lane: oneshot::Sender<DuplexStream>,
}

/// A connection to `addr` for `worker`: its own, or a lane of one that it shares.
pub(super) async fn connect(worker: &Worker, addr: &NodeAddr, profile: Profile) -> Result<Stream, DialError> {
    let Some(pipes) = worker.config.pipes_per_node().filter(|_| profile.whose == Whose::Everyone) else {
        return dial::dial(addr, profile, &worker.credentials).await;
    };
    let id = PipeId { addr: addr.clone(), profile, number: worker.index % pipes };
    let (lane, wished) = oneshot::channel();
    worker.mailboxes.send(id.owner(worker.config.threads, pipes), Mail::Lane(LaneWish { id, lane }));
    wished.await.map(Stream::Lane).map_err(|_| DialError::Shared)
}

impl PipeId {
    /// The worker that owns it: one of those that use it, so that pipes spread over workers.
    fn owner(&self, threads: usize, pipes: usize) -> usize {
        let users = (threads - self.number).div_ceil(pipes);
        // With fixed keys: all workers must come to the same.
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(self);
        let users = u64::try_from(users).unwrap_or(u64::MAX);
        self.number + pipes * usize::try_from(hash % users).unwrap_or(0)
    }
}

/// A connection that this worker owns.
pub(super) struct Pipe {
    id: PipeId,
    worker: Rc<Worker>,
    /// Who wants a lane and has none yet: at most one wish of each worker that uses the pipe.
    wishes: RefCell<Vec<LaneWish>>,
    wakeup: Wakeup,
    /// When the node last did something for the request that it is due to answer; 0 when none is.
    progress: Cell<u64>,
    /// The node has left a reply due for too long.
    stuck: Cell<bool>,
    /// Memory that is not used now may be given back.
    untidy: Cell<bool>,
}

impl Worker {
    /// Grants `wish`, now or when the node is connected.
    pub(super) fn grant(self: &Rc<Self>, wish: LaneWish) {
        let mut pipes = self.pipes.borrow_mut();
        let pipe = pipes.entry(wish.id.clone()).or_insert_with(|| Pipe::spawn(self, wish.id.clone()));
        pipe.wishes.borrow_mut().push(wish);
        pipe.wakeup.wake();
    }
}

impl Pipe {
    fn spawn(worker: &Rc<Worker>, id: PipeId) -> Rc<Self> {
        let pipe = Rc::new(Self {
            id,
            worker: Rc::clone(worker),
            wishes: RefCell::default(),
            wakeup: Wakeup::default(),
            progress: Cell::new(0),
            stuck: Cell::new(false),
            untidy: Cell::new(false),
        });
        tokio::task::spawn_local(Rc::clone(&pipe).run());
        pipe
    }

    /// Gives up on a node that has neither taken nor answered anything since `limit`, a time of the worker's
    /// clock, though replies are due.
    pub(super) fn check_timeout(&self, limit: u64) {
        if (1..limit).contains(&self.progress.get()) {
            self.stuck.set(true);
            self.wakeup.wake();
        }
    }

    /// Lets it give memory back.
    pub(super) fn tidy(&self) {
        self.untidy.set(true);
        self.wakeup.wake();
    }

    /// The task: as long as lanes are wished for, connects and pumps until the connection is lost or nobody
    /// uses it. Workers that lost their lanes come again in their own time.
    async fn run(self: Rc<Self>) {
        while !self.wishes.borrow().is_empty() {
            let Some(node) = self.dial().await else {
                self.wishes.take();
                continue;
            };
            let metrics = self.worker.node_metrics(&self.id.addr);
            metrics.connections.add(1);
            self.stuck.set(false);
            let mut joint = Joint::new(node);
            poll_fn(|cx| self.poll_pump(cx, &mut joint)).await;
            drop(joint);
            self.progress.set(0);
            metrics.connections.sub(1);
        }
        self.worker.pipes.borrow_mut().remove(&self.id);
    }

    async fn dial(&self) -> Option<Stream> {
        let PipeId { addr, profile, .. } = &self.id;
        let dialling = dial::dial(addr, *profile, &self.worker.credentials);
        let limit = dial::timeout(&self.worker.config);
        match tokio::time::timeout(limit, dialling).await {
            Ok(Ok(stream)) => return Some(stream),
            Ok(Err(why)) => tracing::warn!(node = %addr, %why, "cannot make a shared connection to node"),
            Err(_) => {}
        }
        None
    }

    /// Moves requests and replies; ready when the connection is lost or not used any more.
    fn poll_pump(&self, cx: &mut Context<'_>, joint: &mut Joint) -> Poll<()> {
        self.wakeup.arm(cx);
        for _ in 0..ROUNDS_PER_TURN {
            self.admit(joint);
            if self.stuck.get() || joint.is_unused() {
                return Poll::Ready(());
            }
            match self.round(cx, joint) {
                Ok(true) => {}
                Ok(false) => return Poll::Pending,
                Err(Ended) => return Poll::Ready(()),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Gives a lane to each worker that wants one.
    fn admit(&self, joint: &mut Joint) {
        for wish in self.wishes.take() {
            let (theirs, ours) = tokio::io::duplex(LANE);
            if wish.lane.send(theirs).is_ok() {
                joint.add(Stream::Lane(ours));
            }
        }
    }

    /// Moves what is there. True if there may be more.
    fn round(&self, cx: &mut Context<'_>, joint: &mut Joint) -> Result<bool, Ended> {
        let mut scratch = self.worker.scratch.borrow_mut();
        if self.untidy.take() {
            joint.shrink();
        }
        let waited = joint.waits();
        let written = joint.write(cx, &mut scratch)?;
        let read = joint.read(cx, &mut scratch)?;
        if !joint.waits() {
            self.progress.set(0);
        } else if read || !waited {
            self.progress.set(self.worker.tick_clock());
        }
        Ok(written || read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of 4,000 pipes each of `threads` workers owns.
    fn owned(threads: usize, pipes: usize) -> Vec<usize> {
        let mut owned = vec![0; threads];
        for port in 0..4_000 {
            let id = PipeId {
                addr: NodeAddr::new("10.0.0.1", port),
                profile: Profile::default(),
                number: usize::from(port) % pipes,
            };
            let owner = id.owner(threads, pipes);
            assert_eq!(owner % pipes, id.number, "the owner is one of those that use it");
            owned[owner] += 1;
        }
        owned
    }

    #[test]
    fn pipes_spread_over_the_workers_that_use_them() {
        for (threads, pipes) in [(2, 1), (4, 1), (8, 1), (8, 2), (8, 4)] {
            let fair = 4_000 / threads;
            for count in owned(threads, pipes) {
                assert!((fair * 8 / 10..fair * 12 / 10).contains(&count), "{count} of {fair}");
            }
        }
        assert!(owned(5, 3).iter().all(|&count| count > 0));
    }
}
