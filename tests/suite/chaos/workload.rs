//! A client that is never idle: half of its pipeline is on the way whenever it sends the other half.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::tally::Tally;
use crate::support::{Client, Value, wait::within};

/// Replies that a client waits for at most.
const DEPTH: usize = 24;
/// Beyond any deadline of the proxy's: a client that hears nothing for so long will never hear anything.
const PATIENCE: Duration = Duration::from_secs(60);
/// Replies that each client gets between two steps of an event.
const BREATH: u64 = 100;

/// What a client asks, and what it makes of the replies.
pub(super) trait Work: Send {
    /// Appends the next request; returns how many replies are due for it.
    fn ask(&mut self, out: &mut Vec<u8>) -> usize;
    /// Takes the next reply.
    fn hear(&mut self, reply: Value, tally: &mut Tally);
    /// In the end, when all is answered: judges what the keys hold.
    fn judge(&mut self, client: &mut Client, tally: &mut Tally);
}

/// What the clients of a stage and its event tell each other.
pub(super) struct Watch {
    stop: AtomicBool,
    /// Replies of each client.
    heard: Vec<AtomicU64>,
    /// Which client lost its connection first, and how.
    closed: OnceLock<String>,
}

/// Ends the clients' work when dropped, also when the event failed.
pub(super) struct Stopper<'a>(pub(super) &'a Watch);

impl Drop for Stopper<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::Relaxed);
    }
}

impl Watch {
    pub(super) fn new(clients: usize) -> Self {
        let heard = (0..clients).map(|_| AtomicU64::new(0)).collect();
        Self { stop: AtomicBool::new(false), heard, closed: OnceLock::new() }
    }

    /// Waits until each client has had some more replies; what slotway knows of them is asked of `connect`'s client
    /// when one has not.
    #[track_caller]
    pub(super) fn all_work(&self, connect: &dyn Fn() -> Client) {
        let before: Vec<u64> = self.heard.iter().map(|heard| heard.load(Ordering::Relaxed)).collect();
        let begun = Instant::now();
        within(2 * PATIENCE, "every client gets replies", || {
            let now = self.heard.iter().map(|heard| heard.load(Ordering::Relaxed));
            let heard: Vec<u64> = before.iter().zip(now).map(|(before, now)| now - before).collect();
            let all = heard.iter().all(|&heard| heard >= BREATH);
            assert_eq!(self.closed.get(), None, "{heard:?} replies");
            if !all && begun.elapsed() > PATIENCE {
                panic!("clients heard {heard:?} replies:\n{}", connect().run("CLIENT LIST").text());
            }
            all.then_some(())
        });
    }

    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Client number `place` lost its connection: an error like any other, and it stops.
    fn closed(&self, mut tally: Tally, place: usize, why: &str) -> Tally {
        *tally.errors.entry(why.to_owned()).or_default() += 1;
        let _ = self.closed.set(format!("client {place} {why}, after {tally:?}"));
        tally
    }
}

/// Works as client number `place` until told to stop, then hears what is still due.
pub(super) fn run(mut client: Client, work: &mut dyn Work, watch: &Watch, place: usize) -> Tally {
    let (mut tally, mut due, mut bytes) = (Tally::default(), 0, Vec::new());
    client.patience(PATIENCE);
    let mut last = Instant::now();
    loop {
        bytes.clear();
        while due < DEPTH && !watch.is_over() {
            due += work.ask(&mut bytes);
        }
        if due == 0 {
            return tally;
        }
        let keep = if bytes.is_empty() { 0 } else { DEPTH / 2 };
        if client.try_send_raw(&bytes).is_err() {
            return watch.closed(tally, place, "closed when it sent");
        }
        while due > keep {
            let Ok(Some(reply)) = client.try_reply() else {
                return watch.closed(tally, place, "closed or silent");
            };
            tally.silence = tally.silence.max(last.elapsed());
            last = Instant::now();
            due -= 1;
            tally.replies += 1;
            work.hear(reply, &mut tally);
            watch.heard[place].fetch_add(1, Ordering::Relaxed);
        }
    }
}
