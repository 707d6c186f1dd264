//! A client of the simulation: sends random requests on keys of its own, often before all that it asked is answered.

use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    rc::Rc,
    time::Duration,
};

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::{
    cluster::TAGS,
    ledger::{Act, Ledger},
    replicas::WINDOW,
};
use crate::resp::{Value, encode_request, parse};

/// Requests of a client, or a few more.
const REQUESTS: u64 = 60;
/// Keys of each tag, and most requests that are sent together.
const KEYS: u64 = 2;
const DEPTH: u64 = 9;
/// More than the deadline of a request, a try that begins just before it, and pauses between dials.
const PATIENCE: Duration = Duration::from_secs(8);

/// What came of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) requests: u64,
    /// Of these, answered by replicas, or parts of them.
    pub(super) by_replicas: u64,
    /// Clients that moved to another worker.
    pub(super) moves: u64,
    /// Error replies by their first words.
    pub(super) errors: BTreeMap<String, u64>,
}

/// How much longer a text is than it must be: seldom so much that replies are not copied, or that a stream holds no two.
fn padding(random: &mut fastrand::Rng) -> usize {
    match random.u32(..64) {
        0..54 => 0,
        54..63 => random.usize(..1500),
        _ => random.usize(..40_000),
    }
}

impl Outcome {
    fn note(&mut self, reply: &Value) {
        self.requests += 1;
        if let Value::Error(text) = reply {
            let word = text.split(' ').next().unwrap_or_default().to_owned();
            *self.errors.entry(word).or_default() += 1;
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.by_replicas += other.by_replicas;
        self.moves += other.moves;
        for (error, count) in other.errors {
            *self.errors.entry(error).or_default() += count;
        }
    }
}

/// Sends requests and checks every reply.
pub(super) async fn work(
    id: u64,
    seed: u64,
    mut stream: DuplexStream,
    mut ledger: Ledger,
    outcome: Rc<RefCell<Outcome>>,
) -> Ledger {
    let mut random = fastrand::Rng::with_seed(seed ^ (id + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let (mut bytes, mut serial) = (Vec::new(), 0);
    // What is asked and not answered, and with how much of it the next is sent.
    let (mut due, mut rest) = (VecDeque::new(), 0);
    while serial < REQUESTS || !due.is_empty() {
        if serial < REQUESTS && due.len() <= rest {
            let only_reads = ledger.sees_ahead && random.bool();
            if only_reads {
                tokio::time::sleep(Duration::from_millis(random.u64(..3 * WINDOW))).await;
            }
            let mut pipeline = Vec::new();
            for _ in 0..random.u64(1..=DEPTH) {
                serial += 1;
                due.push_back(act(id, serial, &mut random, only_reads, &mut pipeline));
            }
            stream.write_all(&pipeline).await.expect("the proxy reads");
            rest = random.usize(..due.len());
        }
        let Some((act, skipped)) = due.pop_front() else { continue };
        for _ in 0..skipped {
            next(&mut stream, &mut bytes).await;
        }
        let reply = next(&mut stream, &mut bytes).await;
        outcome.borrow_mut().note(&reply);
        ledger.note(&act, &reply);
    }
    ledger
}

async fn next(stream: &mut DuplexStream, bytes: &mut Vec<u8>) -> Value {
    loop {
        if let Some((value, len)) = parse(bytes).expect("a reply") {
            bytes.drain(..len);
            return value;
        }
        let read = tokio::time::timeout(PATIENCE, stream.read_buf(bytes)).await;
        let read = read.unwrap_or_else(|_| panic!("nothing heard in {PATIENCE:?}"));
        assert_ne!(read.expect("the proxy writes"), 0, "closed");
    }
}

/// A random request, appended to `requests`; with the number of replies that come before its own.
fn act(
    id: u64,
    serial: u64,
    random: &mut fastrand::Rng,
    only_reads: bool,
    requests: &mut Vec<u8>,
) -> (Act, usize) {
    let mut send =
        |line: &str| encode_request(requests, &line.split(' ').map(str::as_bytes).collect::<Vec<_>>());
    let tag = TAGS[random.usize(..TAGS.len())];
    let key = |tag: &str, n: u64| format!("{{{tag}}}:{id}:{n}");
    let (one, both) = (key(tag, random.u64(..KEYS)), (0..KEYS).map(|n| key(tag, n)).collect::<Vec<_>>());
    let set: Vec<String> = TAGS.iter().map(|tag| format!("{{{tag}}}:{id}:set")).collect();
    let text = format!("{serial}{},", "x".repeat(padding(random)));
    match if only_reads { random.u32(6..9) } else { random.u32(..9) } {
        0..=2 => {
            send(&format!("APPEND {one} {text}"));
            (Act::Append(vec![one], text), 0)
        }
        3 => {
            send(&format!("EVAL x 2 {} {text}", both.join(" ")));
            (Act::Append(both, text), 0)
        }
        4 => {
            send("MULTI");
            both.iter().for_each(|key| send(&format!("APPEND {key} {text}")));
            send("EXEC");
            (Act::Append(both, text), 3)
        }
        6 => {
            send(&format!("GET {one}"));
            (Act::Read(vec![one]), 0)
        }
        7 => {
            send(&format!("MGET {}", both.join(" ")));
            (Act::Read(both), 0)
        }
        5 => {
            let pairs: Vec<String> = set.iter().map(|key| format!("{key} {text}")).collect();
            send(&format!("MSET {}", pairs.join(" ")));
            (Act::Set(set, text), 0)
        }
        _ => {
            send(&format!("MGET {}", set.join(" ")));
            (Act::Read(set), 0)
        }
    }
}
