//! WAIT and WAITAOF: how many replicas have what the client wrote.
//!
//! A node answers WAIT for what the same connection wrote, and the client's writes went over shared ones. So
//! on a connection of the client's own a marker is written that nobody sees, a key set and deleted in one
//! transaction, and WAIT behind it: replicas that have the marker have all that was answered before. Asked are the
//! nodes that own now what the client may have written to, and the least counts.
//!
//! That is noted by slots, since nodes change: where slots went their keys went. For every write a bit is set,
//! one of 64 for as many neighbouring slots each. So a node too many may be asked, which answers no more than the
//! truth, and none is left out.

use std::{
    cell::Cell,
    collections::{BTreeMap, HashSet},
    rc::Rc,
    time::Duration,
};

use tokio::{task::JoinSet, time::Instant};

use super::{
    Worker, apart,
    client::Client,
    dedicated::NoConnection,
    dispatch::Step,
    errand::{LET_GO, Trouble, shortened},
    line::Reply,
    redirect::NOT_SERVED,
};
use crate::{
    cluster::{NodeAddr, NodeIndex, SLOTS, Slot},
    command::{BlockTime, Command},
    resp::{ReplyWriter, Request, Value, encode_request, parse},
    routing::Verdict,
    topology::Signal,
};

/// Names tried to find a key for each primary: each has one in so many, unless it owns next to nothing.
const MAX_NAMES: u32 = 1 << 20;
/// Replies to the marker: to MULTI, SET, DEL and EXEC.
const MARKER_REPLIES: usize = 4;

/// WAIT or WAITAOF, when all before it is answered.
pub(super) fn wait(client: &Rc<Client>, command: &'static Command, request: Request<'_>) -> Step {
    if client.waits() || !client.settles() {
        return Step::Hold;
    }
    let ticket = client.ticket(Some(command));
    let wait = Wait {
        client: Rc::clone(client),
        request: request.frame().to_vec(),
        time: command.block_time(&request),
    };
    apart::send(client, true, async move {
        let reply = wait.run().await;
        move || ticket.answer(Reply::Own(reply.into()))
    });
    Step::Done
}

/// How many neighbouring slots share a bit.
const SLOTS_PER_BIT: usize = SLOTS / u64::BITS as usize;

/// Where a client may have written.
#[derive(Default)]
pub(super) struct Wrote(Cell<u64>);

impl Wrote {
    /// A write for `slot` is sent; without one it may be anywhere.
    #[inline]
    pub(super) fn note(&self, slot: Option<Slot>) {
        self.0.set(self.0.get() | slot.map_or(u64::MAX, bit));
    }

    /// A bit for each group of neighbouring slots.
    pub(super) fn bits(&self) -> u64 {
        self.0.get()
    }

    /// Whether something was written to `slot` or its neighbours, or nothing anywhere: then all replicas count.
    fn may_be_in(&self, slot: Slot) -> bool {
        let wrote = self.0.get();
        wrote == 0 || wrote & bit(slot) != 0
    }
}

impl From<u64> for Wrote {
    fn from(bits: u64) -> Self {
        Self(Cell::new(bits))
    }
}

#[inline]
fn bit(slot: Slot) -> u64 {
    1 << (slot.index() / SLOTS_PER_BIT)
}

struct Wait {
    client: Rc<Client>,
    request: Vec<u8>,
    time: Option<BlockTime>,
}

/// What came of asking one primary.
enum Heard {
    /// One number, or two.
    Counts(Vec<i64>),
    /// Not this time; if time is up, this is the answer.
    Trouble(Vec<u8>),
    /// The node will not.
    Error(Vec<u8>),
}

impl Wait {
    async fn run(self) -> Vec<u8> {
        let worker = &self.client.worker;
        let (begin, mut trouble) = (Instant::now(), Trouble::default());
        loop {
            let heard = self.ask_all(begin).await;
            self.client.apart.depart();
            match heard {
                Heard::Counts(counts) => return self.write(&counts),
                Heard::Error(error) => return error,
                Heard::Trouble(last) => {
                    if !trouble.pause(worker).await {
                        return last;
                    }
                }
            }
        }
    }

    /// Asks all primaries in question at the same time; the least of their counts.
    async fn ask_all(&self, begin: Instant) -> Heard {
        let worker = &self.client.worker;
        let places = worker.places(&self.client.wrote);
        if places.is_empty() {
            return Heard::Trouble(NOT_SERVED.to_vec());
        }
        let mut all = JoinSet::new();
        for (addr, key) in places {
            let (requests, limit) = self.requests(&key, begin);
            all.spawn_local(ask(Rc::clone(&self.client), addr, requests, limit));
        }
        let mut least: Option<Vec<i64>> = None;
        while let Some(heard) = all.join_next().await {
            match heard {
                Ok(Heard::Counts(counts)) => {
                    let before = least.unwrap_or_else(|| counts.clone());
                    least = Some(before.into_iter().zip(counts).map(|(a, b)| a.min(b)).collect());
                }
                Ok(other) => return other,
                Err(_) => return Heard::Error(b"-ERR the request was dropped unanswered\r\n".to_vec()),
            }
        }
        Heard::Counts(least.unwrap_or_default())
    }

    /// The marker and the request behind it, with the time that is left, and how long to wait for all replies.
    fn requests(&self, key: &str, begin: Instant) -> (Vec<u8>, Option<Duration>) {
        let mut out = Vec::new();
        for args in [&["MULTI"][..], &["SET", key, ""], &["DEL", key], &["EXEC"]] {
            encode_request(&mut out, args);
        }
        let grace = Some(self.client.worker.config.backend_timeout).filter(|timeout| !timeout.is_zero());
        let Some((time, limit)) = self.time.and_then(|time| Some((time, time.limit?))) else {
            out.extend_from_slice(&self.request);
            return (out, None);
        };
        let left = limit.saturating_sub(begin.elapsed());
        out.extend_from_slice(&shortened(&self.request, &time, left));
        (out, grace.map(|grace| left.saturating_add(grace)))
    }

    fn write(&self, counts: &[i64]) -> Vec<u8> {
        let mut reply = Vec::new();
        let mut w = ReplyWriter::new(&mut reply, self.client.protocol.get());
        if counts.len() > 1 {
            w.array(counts.len());
        }
        counts.iter().for_each(|&count| w.integer(count));
        reply
    }
}

/// Asks the primary at `addr`.
async fn ask(client: Rc<Client>, addr: NodeAddr, requests: Vec<u8>, limit: Option<Duration>) -> Heard {
    let worker = &client.worker;
    let lost = || {
        worker.topology.signal(Signal::Lost);
        Heard::Trouble(format!("-CLUSTERDOWN node {addr} cannot be reached\r\n").into_bytes())
    };
    let mut connection = match worker.check_out(&addr, client.profile()).await {
        Ok(connection) => connection,
        Err(NoConnection::Full) => return Heard::Error(super::errand::FULL.to_vec()),
        Err(NoConnection::Unreachable) => return lost(),
    };
    if client.drains() {
        return Heard::Error(LET_GO.to_vec());
    }
    client.apart.arrive(&connection);
    let Ok(replies) = connection.exchange(&requests, MARKER_REPLIES + 1, limit).await else { return lost() };
    let heard = understand(&replies, &addr);
    match first_error(&replies).map(|error| Verdict::of(error, &addr)) {
        Some(Verdict::Follow(redirect)) => worker.note_redirect(&redirect),
        Some(Verdict::Retry(after)) => worker.note_retry(after, None),
        _ => {}
    }
    worker.pool.give_back(connection);
    heard
}

/// What the replies to the marker and to the request behind it mean: an error first of all.
fn understand(replies: &[Vec<u8>], addr: &NodeAddr) -> Heard {
    if let Some(error) = first_error(replies) {
        return match Verdict::of(error, addr) {
            Verdict::Deliver | Verdict::Noscript | Verdict::Nofunction => Heard::Error(error.clone()),
            Verdict::Follow(_) => Heard::Trouble(NOT_SERVED.to_vec()),
            Verdict::Retry(_) => Heard::Trouble(error.clone()),
        };
    }
    let reply = replies.last().and_then(|reply| parse(reply).ok()?).map(|(value, _)| value);
    let counts = match reply {
        Some(Value::Integer(count)) => Some(vec![count]),
        Some(Value::Array(counts)) => counts.iter().map(Value::as_integer).collect(),
        _ => None,
    };
    counts.map_or_else(|| Heard::Error(b"-ERR the node's reply makes no sense\r\n".to_vec()), Heard::Counts)
}

fn first_error(replies: &[Vec<u8>]) -> Option<&Vec<u8>> {
    replies.iter().find(|reply| reply.starts_with(b"-"))
}

impl Worker {
    /// Each primary that owns what is `wrote`, with a key for the marker that is its own.
    fn places(&self, wrote: &Wrote) -> Vec<(NodeAddr, String)> {
        let table = self.topology.table().load();
        let slots = (0..SLOTS as u64).filter_map(Slot::new).filter(|slot| wrote.may_be_in(*slot));
        let owners: HashSet<usize> =
            slots.filter_map(|slot| table.owner(slot)).map(NodeIndex::index).collect();
        let mut places: BTreeMap<usize, (NodeAddr, String)> = BTreeMap::new();
        for name in (0..MAX_NAMES).map(|n| format!("slotway:wait:marker:{n}")) {
            if places.len() >= owners.len() {
                break;
            }
            let owner = table.owner(Slot::of(name.as_bytes()));
            if let Some(owner) = owner.filter(|owner| owners.contains(&owner.index())) {
                places.entry(owner.index()).or_insert_with(|| (table.node(owner).addr.clone(), name));
            }
        }
        places.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(replies: &[&str]) -> Heard {
        let replies: Vec<Vec<u8>> = replies.iter().map(|reply| format!("{reply}\r\n").into_bytes()).collect();
        understand(&replies, &NodeAddr::new("h", 1))
    }

    #[test]
    fn the_last_reply_counts_if_the_marker_was_written() {
        let marker = ["+OK", "+QUEUED", "+QUEUED", "*2\r\n+OK\r\n:1"];
        let with = |last| [&marker[..], &[last]].concat();
        assert!(matches!(heard(&with(":2")), Heard::Counts(counts) if counts == [2]));
        assert!(matches!(heard(&with("*2\r\n:1\r\n:0")), Heard::Counts(counts) if counts == [1, 0]));
        assert!(matches!(heard(&with("-ERR no")), Heard::Error(error) if error == b"-ERR no\r\n"));
        assert!(matches!(heard(&with("+what")), Heard::Error(_)));
    }

    #[test]
    fn who_wrote_nothing_wrote_anywhere_and_who_wrote_somewhere_wrote_there() {
        let slot = |number| Slot::new(number).unwrap();
        let wrote = Wrote::default();
        assert!(wrote.may_be_in(slot(0)) && wrote.may_be_in(slot(16_383)));
        wrote.note(Some(slot(5000)));
        assert!(wrote.may_be_in(slot(5000)) && !wrote.may_be_in(slot(0)) && !wrote.may_be_in(slot(16_383)));
        wrote.note(Some(slot(16_383)));
        assert!(wrote.may_be_in(slot(16_383)) && !wrote.may_be_in(slot(0)));
        wrote.note(None);
        assert!((0..SLOTS as u64).filter_map(Slot::new).all(|slot| wrote.may_be_in(slot)));
    }

    #[test]
    fn a_marker_that_was_not_written_is_no_answer() {
        let moved = ["+OK", "-MOVED 1 h:2", "+QUEUED", "-EXECABORT x", ":2"];
        assert!(matches!(heard(&moved), Heard::Trouble(last) if last == NOT_SERVED));
        let full = ["+OK", "-OOM x", "+QUEUED", "-EXECABORT x", ":2"];
        assert!(matches!(heard(&full), Heard::Error(error) if error == b"-OOM x\r\n"));
    }
}
