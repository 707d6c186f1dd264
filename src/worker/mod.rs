//! L3, data plane: one thread each with its own clients and its own connections to the nodes.
//!
//! Nothing on the path of a request is shared with another thread, locked, boxed (but for requests of 32 KiB and more) or
//! awaited but sockets.
//! Never imports `control`: the two meet in [`Topology`].

mod answers;
mod apart;
mod backend;
mod backoff;
mod block;
mod broadcast;
mod budget;
mod bundle;
mod busy_poll;
mod client;
mod clock;
mod courtesy;
mod cross;
mod dedicated;
mod deliver;
mod dial;
mod discover;
mod dispatch;
mod ear;
mod errand;
mod flight;
mod functions;
mod intake;
mod lending;
mod line;
mod lookout;
mod mailbox;
mod moderation;
mod monitor;
mod news;
mod outbox;
mod park;
mod patience;
mod pause;
mod pipe;
mod primaries;
mod profile;
mod pubsub;
mod reads;
mod redirect;
mod retry;
mod routes;
mod scripts;
#[cfg(any(test, fuzzing))]
pub mod sim;
mod slow;
mod spare;
mod stray;
mod stream;
mod tick;
mod tracking;
mod transaction;
mod wait;
mod wakeup;
mod watch;
mod who;

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, HashMap},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

pub use client::Moved;
pub use mailbox::{Arrived, Mail, Mailboxes, Question, Socket};
pub use pause::Pause;
pub use pipe::LaneWish;
pub use pubsub::{TopicQuery, TopicReport};
use tokio::sync::mpsc;
pub use tracking::{News, TargetGone};
pub use who::Who;

use self::{
    backend::Backend,
    budget::Budgets,
    busy_poll::BusyPoll,
    client::{Arrival, Client, End},
    clock::Clock,
    courtesy::Courtesy,
    dedicated::Pool,
    deliver::Deliveries,
    discover::Discoveries,
    flight::Traffic,
    functions::Sought,
    lending::Lending,
    line::Line,
    lookout::Lookouts,
    moderation::Moderation,
    monitor::Monitoring,
    pipe::{Pipe, PipeId},
    profile::{Databases, Profile},
    pubsub::Subscriptions,
    routes::{Routes, Unsettled},
    scripts::Evals,
    tracking::Tracking,
};
use crate::{
    cluster::{NodeAddr, Slot},
    command::{self, Keys},
    config::{Config, ReadFrom},
    identity::Identity,
    metrics::{CloseReason, Metrics, NodeMetrics, WorkerMetrics},
    node::Credentials,
    scripts::Scripts,
    slowlog::SlowLog,
    topology::Topology,
};

/// Sockets are looked at after so many task polls: larger turns make larger writes (measured; see
/// docs/performance.md).
const EVENT_INTERVAL: u32 = 400;

/// What all workers are given.
#[derive(Clone)]
pub struct Equipment {
    /// The settings.
    pub config: Arc<Config>,
    /// Where the slot table is.
    pub topology: Arc<Topology>,
    /// Where counts are kept.
    pub metrics: Arc<Metrics>,
    /// What is known of the process.
    pub identity: Arc<Identity>,
    /// Where the other workers are reached.
    pub mailboxes: Arc<Mailboxes>,
    /// What nodes can be given when they lack it.
    pub scripts: Arc<Scripts>,
    /// Requests that took long.
    pub slowlog: Arc<SlowLog>,
}

impl Equipment {
    /// Of as many workers as `config` says; with where their mail arrives.
    pub fn new(config: Arc<Config>, topology: Arc<Topology>) -> (Self, Vec<mpsc::UnboundedReceiver<Mail>>) {
        let (mailboxes, mail) = Mailboxes::new(config.threads, config.workers_at_first());
        let names = command::all().iter().map(|command| command.name).collect();
        let equipment = Self {
            metrics: Arc::new(Metrics::new(names, config.threads)),
            identity: Arc::default(),
            scripts: Arc::default(),
            slowlog: Arc::new(SlowLog::new(config.slowlog_max_len)),
            mailboxes: Arc::new(mailboxes),
            config,
            topology,
        };
        (equipment, mail)
    }
}

/// One worker: what its clients and backends share.
struct Worker {
    index: usize,
    config: Arc<Config>,
    topology: Arc<Topology>,
    registry: Arc<Metrics>,
    identity: Arc<Identity>,
    mailboxes: Arc<Mailboxes>,
    scripts: Arc<Scripts>,
    slowlog: Arc<SlowLog>,
    monitoring: Monitoring,
    /// Nanoseconds from which on a request is noted as slow.
    slow_from: u64,
    /// Whether replicas answer reads.
    spreads: bool,
    /// Nanoseconds after a client's write for which primaries answer its reads; 0 where that makes no difference.
    read_own_writes: u64,
    credentials: Credentials,
    metrics: Arc<WorkerMetrics>,
    clock: Clock,
    /// Nanoseconds of `clock` at the last read or write.
    now: Cell<u64>,
    routes: RefCell<Routes>,
    scratch: RefCell<Box<[u8]>>,
    keys: RefCell<Keys>,
    reply: RefCell<Vec<u8>>,
    clients: RefCell<BTreeMap<u64, Rc<Client>>>,
    backends: RefCell<BTreeMap<(NodeAddr, Profile), Rc<Backend>>>,
    databases: Databases,
    /// Connections that other workers use too.
    pipes: RefCell<BTreeMap<PipeId, Rc<Pipe>>>,
    /// Slots that are moving or badly served, and until when that is assumed: their requests go one by one.
    unsettled: RefCell<HashMap<Slot, Unsettled>>,
    any_unsettled: Cell<bool>,
    /// Until when more slots are expected to move.
    resharding_until: Cell<u64>,
    /// How often it is tried in vain to have a request served, by the node; without an owner, by none.
    budgets: Budgets<Option<NodeAddr>>,
    discoveries: Discoveries,
    deliveries: Deliveries,
    traffic: Traffic,
    busy_poll: BusyPoll,
    courtesy: Courtesy,
    moderation: Moderation,
    subscriptions: Subscriptions,
    pool: Pool,
    lending: Lending,
    pause: Cell<Option<Pause>>,
    tracking: Tracking,
    lookouts: Lookouts,
    evals: Evals,
    sought: Sought,
}

/// Runs worker `index` on this thread until it has drained.
///
/// # Errors
/// When the kernel gives no runtime.
pub fn run(index: usize, equipment: Equipment, mail: mpsc::UnboundedReceiver<Mail>) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .event_interval(EVENT_INTERVAL)
        .on_thread_park(park::before_look)
        .build_local(tokio::runtime::LocalOptions::default())?;
    let worker = Rc::new(Worker::new(index, equipment));
    park::begin(&worker);
    runtime.block_on(worker.serve(mail));
    Ok(())
}

impl Worker {
    fn new(index: usize, equipment: Equipment) -> Self {
        let Equipment { config, topology, metrics, identity, mailboxes, scripts, slowlog } = equipment;
        let clock = Clock::new();
        Self {
            index,
            credentials: Credentials {
                user: config.cluster_user.clone(),
                password: config.cluster_password.clone(),
            },
            metrics: metrics.worker(index),
            now: Cell::new(clock.read()),
            clock,
            routes: RefCell::new(Routes::new(&topology, config.read_from)),
            scratch: RefCell::new(vec![0; intake::SCRATCH].into()),
            keys: RefCell::default(),
            reply: RefCell::default(),
            clients: RefCell::default(),
            backends: RefCell::default(),
            databases: Databases::default(),
            pipes: RefCell::default(),
            unsettled: RefCell::default(),
            any_unsettled: Cell::new(false),
            resharding_until: Cell::new(0),
            budgets: Budgets::default(),
            discoveries: Discoveries::default(),
            deliveries: Deliveries::default(),
            traffic: Traffic::default(),
            busy_poll: BusyPoll::default(),
            courtesy: Courtesy::default(),
            moderation: Moderation::default(),
            subscriptions: Subscriptions::default(),
            pool: Pool::default(),
            lending: Lending::default(),
            pause: Cell::new(None),
            tracking: Tracking::default(),
            lookouts: Lookouts::default(),
            evals: Evals::default(),
            sought: Sought::default(),
            slow_from: config.slow_from(),
            spreads: config.read_from != ReadFrom::Primary,
            read_own_writes: config.read_own_writes(),
            config,
            topology,
            registry: metrics,
            identity,
            mailboxes,
            scripts,
            slowlog,
            monitoring: Monitoring::default(),
        }
    }

    /// Takes clients on until it is told to drain and the last of all workers is gone: others may use its
    /// connections.
    async fn serve(self: Rc<Self>, mut mail: mpsc::UnboundedReceiver<Mail>) {
        tokio::task::spawn_local(tick::run(Rc::clone(&self)));
        tokio::task::spawn_local(deliver::run(Rc::clone(&self)));
        tokio::task::spawn_local(deliver::release(Rc::clone(&self)));
        let mut draining = false;
        while !(draining && self.mailboxes.clients() == 0) {
            match mail.recv().await {
                Some(Mail::Arrived(arrived)) if !draining => self.welcome(arrived),
                Some(Mail::Arrived(_) | Mail::Left) => {}
                Some(Mail::Moved(moved)) => self.take_over(*moved, draining),
                Some(Mail::Move(count, to)) => self.move_clients(count, to),
                Some(Mail::Refused) => self.metrics.clients_closed[CloseReason::MaxClients.index()].add(1),
                Some(Mail::Lane(wish)) => self.grant(wish),
                Some(Mail::News(news)) => self.hear_news(news),
                Some(Mail::TargetGone(gone)) => self.miss_target(&gone),
                Some(Mail::Ask(question)) => self.hear(question),
                Some(Mail::Drain) => {
                    draining = true;
                    self.drain();
                }
                None => return,
            }
        }
    }

    /// Answers another worker. The client that asked may be gone by now: then nobody hears it.
    fn hear(self: &Rc<Self>, question: Question) {
        let _: Result<(), ()> = match question {
            Question::List(who, reply) => reply.send(answers::listed(self, &who)).map_err(drop),
            Question::Kill(who, reply) => reply.send(self.kill(&who)).map_err(drop),
            Question::Pause(pause, reply) => {
                match pause {
                    Some(pause) => self.pause(pause),
                    None => self.unpause(),
                }
                reply.send(())
            }
            Question::Find(id, reply) => {
                let clients = self.clients.borrow();
                let found = clients.get(&id).map(|client| {
                    client.stay();
                    self.index
                });
                reply.send(found).map_err(drop)
            }
            Question::Topics(query, reply) => reply.send(self.report_topics(&query)).map_err(drop),
            Question::Unblock(id, with_error, reply) => {
                let worker = Rc::clone(self);
                tokio::task::spawn_local(async move {
                    let _ = reply.send(worker.unblock(id, with_error).await);
                });
                Ok(())
            }
        };
    }

    /// Closes the clients that `who` means. Returns which these are.
    fn kill(&self, who: &Who) -> Vec<u64> {
        self.tick_clock();
        let clients = self.clients.borrow();
        let meant = clients.values().filter(|client| who.takes(client));
        meant.inspect(|client| client.end(CloseReason::Killed, true)).map(|client| client.id).collect()
    }

    /// Takes no more requests; who blocks is let go.
    fn drain(self: &Rc<Self>) {
        self.unpause();
        for client in self.clients.borrow().values() {
            client.end(CloseReason::Drain, false);
            if client.apart.blocks() {
                tokio::task::spawn_local(Rc::clone(self).unblock(client.id, true));
            }
        }
    }

    fn welcome(self: &Rc<Self>, arrived: Arrived) {
        let arrival = match Arrival::try_from(arrived) {
            Ok(arrival) => arrival,
            Err(error) => {
                // It was counted when it was placed; a client that resets at once gets here.
                self.mailboxes.left(self.index);
                return tracing::debug!(%error, "client gone before it was taken on");
            }
        };
        self.metrics.client_opened();
        self.take_on(Client::new(self, arrival));
    }

    /// Goes on with a client that another worker had.
    fn take_over(self: &Rc<Self>, moved: Moved, draining: bool) {
        self.metrics.client_moved_in();
        let stays = moved.stays();
        match Client::unpack(self, moved) {
            Ok(client) => {
                if draining {
                    client.end(CloseReason::Drain, false);
                }
                self.take_on(client);
            }
            Err(error) => {
                tracing::debug!(%error, "client lost on its way between workers");
                self.gone(CloseReason::Io, stays);
            }
        }
    }

    /// Lets `count` of its clients, if it has so many that can, go on with worker `to`.
    fn move_clients(&self, count: usize, to: usize) {
        let clients = self.clients.borrow();
        let under_way = clients.values().filter(|client| client.moves_to(to)).count();
        let more = count.saturating_sub(under_way);
        let moved = clients.values().filter(|client| client.move_to(to)).take(more).count();
        tracing::debug!(worker = self.index, to, moved, "clients move");
    }

    fn take_on(self: &Rc<Self>, client: Rc<Client>) {
        client.apart.pause(self.pause.get().is_some());
        self.clients.borrow_mut().insert(client.id, Rc::clone(&client));
        tokio::task::spawn_local(Rc::clone(self).attend(client));
    }

    async fn attend(self: Rc<Self>, client: Rc<Client>) {
        let id = client.id;
        let end = Rc::clone(&client).serve().await;
        self.unsubscribe_all(&client);
        self.untrack(&client);
        client.enter(0);
        self.clients.borrow_mut().remove(&id);
        let reason = match end {
            End::Close(reason) => reason,
            End::Move(to) => match client.pack() {
                Ok(moved) => {
                    self.metrics.client_moved_out();
                    return self.mailboxes.hand_over(self.index, to, Box::new(moved));
                }
                Err(_) => CloseReason::Io,
            },
        };
        tracing::debug!(client = id, ?reason, "client closed");
        self.gone(reason, client.stays.get());
    }

    /// Counts a client that is gone; it was counted at that worker among those that stay, if at any.
    fn gone(&self, reason: CloseReason, stays: Option<usize>) {
        stays.into_iter().for_each(|place| self.mailboxes.unsettle(place));
        self.metrics.client_closed(reason);
        self.mailboxes.left(self.index);
    }

    /// The time of the last read or write, in nanoseconds: good enough within a turn.
    #[inline]
    fn now(&self) -> u64 {
        self.now.get()
    }

    /// Reads the clock.
    #[inline]
    fn tick_clock(&self) -> u64 {
        let now = self.clock.read();
        self.now.set(now);
        now
    }

    /// How long ago `then` was.
    fn age(&self, then: u64) -> Duration {
        Duration::from_nanos(self.now().saturating_sub(then))
    }

    fn node_metrics(&self, addr: &NodeAddr) -> Arc<NodeMetrics> {
        self.registry.node(self.index, addr)
    }

    /// Counts the replies that were handed to a client's socket.
    #[inline]
    fn delivered(&self, line: &mut Line) {
        if !line.has_delivered() {
            return;
        }
        let now = self.tick_clock();
        line.delivered(|reply| {
            let index = reply.command.map_or(usize::MAX, |command| usize::from(command.index));
            let metrics = self.metrics.command(index);
            metrics.duration.record(now.saturating_sub(reply.received));
            self.metrics.reply_wait.record(now.saturating_sub(reply.answered));
            if let Some(error) = reply.error {
                metrics.errors[error.index()].add(1);
            }
        });
    }
}
