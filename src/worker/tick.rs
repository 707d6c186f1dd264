//! What a worker does by the clock: nodes that leave requests unanswered, idle clients, memory given back.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};

use super::{
    Worker,
    backend::Backend,
    client::{Client, MAX_HELD},
    dedicated::IDLE_FOR,
    profile::Whose,
};
use crate::metrics::CloseReason;

/// How often nodes are looked at.
const TICK: Duration = Duration::from_millis(100);
/// Clients are looked at every so many ticks.
const SWEEP: u32 = 10;
/// A client that sent nothing for so long gives its buffers back.
const QUIET: Duration = Duration::from_secs(1);

/// Runs as long as the worker.
pub(super) async fn run(worker: Rc<Worker>) {
    let mut usage = Usage::new();
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for count in 0_u32.. {
        ticks.tick().await;
        worker.tick_clock();
        let busy = usage.lately(worker.busy_poll.spent());
        worker.metrics.busy.set(busy);
        // Over connections that workers share, others would wait too.
        let shares = worker.config.backend_connections_per_node > 0;
        worker.moderation.end_tick(worker.now(), if shares { 0 } else { busy });
        worker.follow_topology();
        worker.check_nodes();
        worker.settle_slots();
        worker.budgets.refill();
        worker.take_back_left();
        worker.tend_subscriptions(worker.answer_limit());
        worker.tend_tracking();
        worker.tend_monitoring();
        if count % SWEEP == 0 {
            worker.sweep_clients();
            worker.sweep_backends();
            worker.sweep_databases();
            worker.pipes.borrow().values().for_each(|pipe| pipe.tidy());
            worker.sweep_links();
            worker.pool.sweep();
        }
    }
}

/// How much of this thread's time went into computing.
struct Usage {
    seen: Instant,
    cpu: Duration,
}

impl Usage {
    fn new() -> Self {
        Self { seen: Instant::now(), cpu: cpu_time() }
    }

    /// Thousandths of the time since it was last asked. That it `polled` in vain is no sign that there is much to do.
    fn lately(&mut self, polled: Duration) -> u64 {
        let now = Self::new();
        let (span, computed) = (now.seen - self.seen, now.cpu.saturating_sub(self.cpu + polled));
        *self = now;
        nanos(computed).saturating_mul(1000) / nanos(span).max(1)
    }
}

/// CPU time of this thread.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

impl Worker {
    fn check_nodes(&self) {
        let limit = self.answer_limit();
        for backend in self.backends.borrow().values() {
            backend.check_timeout(limit);
            backend.check_silence();
        }
        for pipe in self.pipes.borrow().values() {
            pipe.check_timeout(limit);
        }
    }

    /// A node that owes an answer and said nothing since this time counts as lost.
    fn answer_limit(&self) -> u64 {
        match self.config.backend_timeout {
            Duration::ZERO => 0,
            timeout => self.now().saturating_sub(nanos(timeout)),
        }
    }

    fn sweep_clients(&self) {
        let mut buffered = 0;
        for client in self.clients.borrow().values() {
            let held = client.held_bytes();
            buffered += held.all();
            if held.input >= MAX_HELD && client.apart.blocks() {
                // It is not read any more: it looks whether it was hung up.
                client.wake();
            }
            let idle = self.age(client.active.get());
            if idle >= QUIET {
                client.shrink();
            }
            if client.listens.get() {
                let waiting = client.line().borrow().outbox.len();
                client.check_backlog(waiting, waiting);
            } else if self.is_overdue(client, idle) {
                client.end(CloseReason::Timeout, true);
            }
        }
        self.metrics.buffered.set(buffered as u64);
    }

    fn is_overdue(&self, client: &Client, idle: Duration) -> bool {
        let timeout = self.config.timeout;
        !timeout.is_zero() && idle >= timeout && !client.waits() && !client.in_line.get()
    }

    /// Whether the connection is still somebody's.
    fn is_used(&self, backend: &Backend) -> bool {
        match backend.profile.whose {
            Whose::Everyone => true,
            Whose::Tracker(number) => self.is_owned(number, backend.profile),
            Whose::Lent(_) => self.age(backend.last_used()) < IDLE_FOR,
        }
    }

    /// Lets go of connections to nodes that are no longer of the cluster, of databases and owners that are gone, and
    /// of those that are lent but were not needed for a while.
    fn sweep_backends(&self) {
        let mut backends = self.backends.borrow_mut();
        backends.retain(|(addr, profile), backend| {
            let used = self.databases.uses(profile.database) && self.is_used(backend);
            let reads = !profile.replica || self.knows_replica(addr);
            let wanted = used && reads && self.knows(addr);
            let keep = wanted || !backend.is_idle();
            if keep {
                backend.shrink();
            } else {
                backend.retire();
            }
            keep
        });
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
