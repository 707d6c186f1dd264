//! One request carried over a dedicated connection until it is answered: redirects followed, passing errors
//! waited out, as for shared requests (see [`super::redirect`] and [`super::retry`]).
//!
//! Knows no command. Invariant: sent a second time only if it surely did not run, or only reads.

use std::{rc::Rc, time::Duration};

use tokio::time::Instant;

use super::{
    Worker,
    bundle::Bundle,
    client::Client,
    dedicated::{Broken, Dedicated, NoConnection},
    profile::Profile,
    redirect::{MAX_HOPS, MAY_HAVE_RUN, NOT_SERVED, TOO_MANY_REDIRECTS},
    retry::pause,
};
use crate::{
    cluster::{NodeAddr, Slot},
    command::BlockTime,
    metrics::RetryReason,
    resp::{ASKING, Limits, Request, RequestParser, Scanned},
    routing::{Redirect, RetryAfter, Verdict},
    topology::Signal,
};

pub(super) const FULL: &[u8] =
    b"-ERR all dedicated connections to the node are in use: see dedicated-connections\r\n";
pub(super) const TOO_LONG: &[u8] =
    b"-ERR a key's value is too large to be brought to the node of another\r\n";

/// What a request gets that would block while slotway drains: the same as one that blocks already, as in redis
/// networking.c `clientCommand`.
pub(super) const LET_GO: &[u8] = b"-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n";

/// A request for a dedicated connection.
pub(super) struct Errand {
    pub(super) client: Rc<Client>,
    pub(super) slot: Slot,
    pub(super) request: Vec<u8>,
    pub(super) read_only: bool,
    /// Of which database; its client's, unless it is for another.
    pub(super) database: u16,
    /// For how long it may block; nothing if it never does.
    pub(super) block: Block,
    /// If the request is a whole transaction: of how many commands, MULTI and EXEC not counted. Its reply is
    /// that to EXEC.
    pub(super) commands: Option<u32>,
    /// Longest reply in bytes that is read.
    pub(super) most: usize,
}

/// Whether a request blocks, and how long.
#[derive(Clone, Copy)]
pub(super) enum Block {
    /// Not at all.
    Never,
    /// As long as it says; where that can't be told, until the node answers.
    For(Option<BlockTime>),
}

/// A request that a node answered.
pub(super) struct Answered {
    pub(super) reply: Vec<u8>,
    pub(super) connection: Dedicated,
    /// Whether it had to be asked for.
    pub(super) asking: bool,
}

/// What to do next about an errand that was not answered.
enum Next {
    /// Go where it was sent.
    Follow(NodeAddr, bool),
    /// Wait a little; if time is up, this is the answer.
    Pause(Vec<u8>),
    /// This is the answer.
    Fail(Vec<u8>),
}

/// How long an errand has had trouble without a break.
#[derive(Default)]
pub(super) struct Trouble {
    since: Option<Instant>,
    attempts: u32,
}

impl Trouble {
    /// Waits before the next try; false when time is up.
    pub(super) async fn pause(&mut self, worker: &Worker) -> bool {
        let since = *self.since.get_or_insert_with(Instant::now);
        if since.elapsed() >= worker.config.retry_deadline {
            return false;
        }
        self.attempts += 1;
        tokio::time::sleep(pause(self.attempts)).await;
        worker.tick_clock();
        worker.follow_topology();
        true
    }

    /// A try that began at `start` has ended: if it lasted longer than any retry, the trouble before it is over.
    fn forget_before(&mut self, start: Instant, worker: &Worker) {
        if start.elapsed() >= worker.config.retry_deadline {
            *self = Self::default();
        }
    }
}

impl Errand {
    /// One that does not block and is no transaction.
    pub(super) fn new(client: &Rc<Client>, slot: Slot, request: Vec<u8>, read_only: bool) -> Self {
        if !read_only {
            client.wrote.note(Some(slot));
        }
        let (client, database) = (Rc::clone(client), client.database.get());
        Self {
            client,
            slot,
            request,
            read_only,
            database,
            block: Block::Never,
            commands: None,
            most: usize::MAX,
        }
    }

    /// Sees the request through. What it is to be answered with if no node answered is the error.
    pub(super) async fn run(self) -> Result<Answered, Vec<u8>> {
        let worker = &self.client.worker;
        let (begin, mut trouble, mut hops) = (Instant::now(), Trouble::default(), 0);
        let (mut place, mut begun) = (None, None);
        loop {
            let next = match place.take().or_else(|| Some((worker.owner_addr(self.slot)?, false))) {
                Some((addr, asking)) => {
                    let tried = self.attempt(&addr, asking, begun, &mut trouble).await;
                    begun = Some(begin);
                    match tried {
                        Ok(answered) => return Ok(answered),
                        Err(next) => next,
                    }
                }
                None => {
                    worker.topology.signal(Signal::Unassigned);
                    Next::Pause(NOT_SERVED.to_vec())
                }
            };
            let last = match next {
                Next::Fail(error) => return Err(error),
                Next::Pause(last) => last,
                Next::Follow(addr, asking) if hops < MAX_HOPS => {
                    hops += 1;
                    place = Some((addr, asking));
                    continue;
                }
                Next::Follow(..) => TOO_MANY_REDIRECTS.to_vec(),
            };
            hops = 0;
            if !trouble.pause(worker).await {
                return Err(last);
            }
        }
    }

    async fn attempt(
        &self,
        addr: &NodeAddr,
        asking: bool,
        begun: Option<Instant>,
        trouble: &mut Trouble,
    ) -> Result<Answered, Next> {
        let worker = &self.client.worker;
        let profile = Profile { database: self.database, ..self.client.profile() };
        let mut connection = match worker.check_out(addr, profile).await {
            Ok(connection) => connection,
            Err(NoConnection::Full) => return Err(Next::Fail(FULL.to_vec())),
            Err(NoConnection::Unreachable) => return Err(self.unreachable(addr)),
        };
        if matches!(self.block, Block::For(_)) && self.client.drains() {
            return Err(Next::Fail(LET_GO.to_vec()));
        }
        let (request, limit) = self.request_now(begun);
        let prefix = if asking { ASKING } else { &[] };
        let start = Instant::now();
        let bundle = self.commands.map(|commands| Bundle::new(commands, self.read_only));
        let replies = bundle.as_ref().map_or(1, Bundle::replies) + usize::from(asking);
        self.client.apart.arrive(&connection);
        connection.most = self.most;
        let done = connection.exchange(&[prefix, &request].concat(), replies, limit).await;
        self.client.apart.depart();
        worker.tick_clock();
        // A node that was silent until its time was up is the same trouble still.
        if done.is_ok() || limit.is_none() {
            trouble.forget_before(start, worker);
        }
        match done {
            Ok(replies) => self.judge(replies, bundle, connection, asking),
            Err(_) if connection.is_overlong() => Err(Next::Fail(TOO_LONG.to_vec())),
            Err(Broken { sent: true }) if !self.read_only => {
                worker.topology.signal(Signal::Lost);
                Err(Next::Fail(MAY_HAVE_RUN.to_vec()))
            }
            Err(Broken { .. }) => Err(self.unreachable(addr)),
        }
    }

    /// The request, with the time that is left to it if it was tried before, and how long to wait for the reply.
    fn request_now(&self, begun: Option<Instant>) -> (Vec<u8>, Option<Duration>) {
        let timeout = self.client.worker.config.backend_timeout;
        let grace = Some(timeout).filter(|timeout| !timeout.is_zero());
        let time = match self.block {
            Block::Never => return (self.request.clone(), grace),
            Block::For(time) => time.and_then(|time| Some((time, time.limit?))),
        };
        let Some((time, limit)) = time else { return (self.request.clone(), None) };
        let left = begun.map_or(limit, |begun| limit.saturating_sub(begun.elapsed()));
        let request = match begun {
            None => self.request.clone(),
            Some(_) => shortened(&self.request, &time, left),
        };
        (request, grace.map(|grace| left.saturating_add(grace)))
    }

    fn judge(
        &self,
        mut replies: Vec<Vec<u8>>,
        bundle: Option<Bundle>,
        connection: Dedicated,
        asking: bool,
    ) -> Result<Answered, Next> {
        let worker = &self.client.worker;
        let mut reply = replies.pop().unwrap_or_default();
        let verdict = match bundle {
            None => Verdict::of(&reply, &connection.addr),
            Some(mut bundle) => {
                replies.drain(usize::from(asking)..).for_each(|reply| {
                    bundle.takes(&reply);
                });
                let (verdict, error) = bundle.judge(&reply, &connection.addr);
                reply = error.unwrap_or(reply);
                verdict
            }
        };
        let verdict = match verdict {
            Verdict::Deliver if reply.starts_with(FORCED_OUT) => Verdict::Retry(RetryAfter::Readonly),
            verdict => verdict,
        };
        let next = match verdict {
            Verdict::Deliver | Verdict::Noscript | Verdict::Nofunction => {
                return Ok(Answered { reply, connection, asking });
            }
            Verdict::Retry(after) => {
                worker.note_retry(after, Some(self.slot));
                Next::Pause(reply)
            }
            Verdict::Follow(redirect) => {
                worker.note_redirect(&redirect);
                match redirect {
                    Redirect::Moved(_, addr) => Next::Follow(addr, false),
                    Redirect::Ask(_, addr) => Next::Follow(addr, true),
                }
            }
        };
        worker.pool.give_back(connection);
        Err(next)
    }

    fn unreachable(&self, addr: &NodeAddr) -> Next {
        let worker = &self.client.worker;
        worker.topology.signal(Signal::Lost);
        worker.metrics.retried(RetryReason::Lost);
        Next::Pause(format!("-CLUSTERDOWN node {addr} cannot be reached\r\n").into_bytes())
    }
}

/// What a request that blocks gets when its node becomes a replica, as in redis blocked.c
/// `disconnectAllBlockedClients`: it did not run. CLIENT UNBLOCK has another text.
const FORCED_OUT: &[u8] = b"-UNBLOCKED force unblock";

/// The request in `frame` with `left` for its time.
pub(super) fn shortened(frame: &[u8], time: &BlockTime, left: Duration) -> Vec<u8> {
    let mut parser = RequestParser::default();
    let limits = Limits { max_bulk: usize::MAX, max_frame: u32::MAX as usize, authenticated: true };
    match parser.scan(frame, &limits) {
        Ok(Scanned::Request(len)) => {
            let request: Request<'_> = parser.request(frame, len);
            time.shortened(&request, left)
        }
        _ => frame.to_vec(),
    }
}
