//! Requests to every primary: they speak of the whole key space, or must be the same everywhere.
//!
//! A barrier in their client's line: they are sent when all before them are answered, and what comes behind
//! them is sent when they are. So what a client flushes, loads or counts is what it sees. Each part is bound
//! to its shard, named by its lowest slot: when that fails over the new primary is asked, and when slots
//! moved meanwhile the answer is an error.

use std::{rc::Rc, time::Duration};

use super::{
    backend::Backend,
    client::Client,
    dispatch::{NO_CLUSTER, Step, refuse},
    flight::{Flight, NO_RETRY, Ticket},
    line::Reply,
};
use crate::{
    cluster::{NodeAddr, Slot},
    command::{Broadcast, Command},
    node,
    resp::{ReplyWriter, Request, Value, encode_request},
    routing::{Cursor, Fold, Merge, ScanPlace},
};

/// Longest that a node is asked beside the shared connections.
const DEADLINE: Duration = Duration::from_secs(2);

/// Sends `request` to every primary, or where else its kind says.
pub(super) fn broadcast(
    client: &Rc<Client>,
    command: &'static Command,
    kind: Broadcast,
    request: Request<'_>,
) -> Step {
    let fold = match kind {
        Broadcast::Scan => return scan(client, command, request),
        Broadcast::RandomKey => return random_key(client, command, request),
        Broadcast::Kill => return kill(client, command, request),
        Broadcast::Sum => Merge::Sum,
        Broadcast::Arrays => Merge::Chain,
        Broadcast::First => Merge::Fold(Fold::First),
        Broadcast::One => Merge::Fold(Fold::One),
        Broadcast::Min => Merge::Fold(Fold::Min),
        Broadcast::And => Merge::Fold(Fold::And),
        Broadcast::Texts => Merge::Fold(Fold::Texts),
        Broadcast::Running => Merge::Fold(Fold::Running),
        Broadcast::Memory => Merge::Fold(Fold::Memory),
    };
    let requests = [request.frame()];
    let parts = Parts::new(client.worker.shards(), &requests);
    let step = parts.send(client, command, fold);
    if matches!(step, Step::Done) {
        client.worker.note_scripts(command, request);
    }
    step
}

/// Each node's share of the keys, and one of them.
fn random_key(client: &Rc<Client>, command: &'static Command, request: Request<'_>) -> Step {
    let requests: [&[u8]; 2] = [b"*1\r\n$6\r\nDBSIZE\r\n", request.frame()];
    let parts = Parts::new(client.worker.shards(), &requests);
    parts.send(client, command, Merge::Fold(Fold::RandomKey(fastrand::u32(..))))
}

/// To the one node that the cursor names. A cursor of another node than the shard's owner begins that shard
/// anew: keys may come twice, but none is left out.
fn scan(client: &Rc<Client>, command: &'static Command, request: Request<'_>) -> Step {
    let worker = &client.worker;
    let Some(cursor) = request.arg(1).and_then(Cursor::parse) else {
        return refuse(client, Some(command), "ERR invalid cursor");
    };
    let shards = worker.shards();
    let owned = |slot: &Slot| worker.owner_addr(*slot).is_some();
    let above = || shards.iter().copied().find(|&slot| slot > cursor.shard);
    let Some(shard) = Some(cursor.shard).filter(owned).or_else(above) else {
        return refuse(client, Some(command), NO_CLUSTER);
    };
    let tag = worker.owner_addr(shard).map_or(0, |addr| Cursor::tag_of(&addr));
    let node = if shard == cursor.shard && tag == cursor.tag { cursor.node } else { 0 };
    let next = shards.iter().copied().find(|&slot| slot > shard).unwrap_or(shard);
    let place = ScanPlace { shard, next, tag, goes_on: node != 0 };
    let node = node.to_string();
    let args: Vec<&[u8]> =
        [request.name(), node.as_bytes()].into_iter().chain(request.args_from(2)).collect();
    let mut bytes = Vec::new();
    encode_request(&mut bytes, &args);
    let requests = [bytes.as_slice()];
    let parts = Parts { retries: !place.goes_on, ..Parts::new(vec![shard], &requests) };
    parts.send(client, command, Merge::Fold(Fold::Scan(place)))
}

/// INFO: `text` of ours, and behind it the key spaces of the nodes that can tell at once.
pub(super) fn keyspace(client: &Rc<Client>, command: &'static Command, text: &str) -> Step {
    let mut first = Vec::new();
    ReplyWriter::new(&mut first, client.protocol.get()).verbatim(text);
    let shards = client.worker.shards();
    if shards.is_empty() {
        client.reply(Some(command), &first);
        return Step::Done;
    }
    let requests: [&[u8]; 1] = [b"*2\r\n$4\r\nINFO\r\n$8\r\nkeyspace\r\n"];
    let parts = Parts { first: Some(first), retries: false, ..Parts::new(shards, &requests) };
    parts.send(client, command, Merge::Fold(Fold::Keyspace))
}

/// CONFIG GET: the nodes' settings, but those in `ours`, a reply to the same request, as they are here.
pub(super) fn settings(
    client: &Rc<Client>,
    command: &'static Command,
    ours: Vec<u8>,
    request: Request<'_>,
) -> Step {
    let requests = [request.frame()];
    let parts = Parts { first: Some(ours), ..Parts::new(client.worker.shards(), &requests) };
    parts.send(client, command, Merge::Fold(Fold::Settings))
}

/// What goes out.
struct Parts<'a> {
    /// Whom to ask.
    shards: Vec<Slot>,
    /// What each is asked.
    requests: &'a [&'a [u8]],
    /// A first part that is answered here.
    first: Option<Vec<u8>>,
    /// Whether nodes that cannot answer now are asked again.
    retries: bool,
}

impl<'a> Parts<'a> {
    fn new(shards: Vec<Slot>, requests: &'a [&'a [u8]]) -> Self {
        Self { shards, requests, first: None, retries: true }
    }

    fn send(self, client: &Rc<Client>, command: &'static Command, merge: Merge) -> Step {
        let worker = &client.worker;
        if self.shards.is_empty() {
            return refuse(client, Some(command), NO_CLUSTER);
        }
        if client.waits() {
            return Step::Hold;
        }
        let owners: Vec<Option<Rc<Backend>>> =
            self.shards.iter().map(|&shard| worker.owner(shard, client.profile())).collect();
        if owners.iter().flatten().any(|backend| backend.refuses(client)) {
            return Step::Hold;
        }
        let (now, mute) = (worker.now(), client.next_is_mute());
        let count = self.shards.len() * self.requests.len() + usize::from(self.first.is_some());
        let keys = std::iter::repeat_n(0, count);
        let first = client.line().borrow_mut().join_split(command, now, mute, merge, keys);
        let mut tickets = (first..).map(|number| Ticket::new(Rc::clone(client), number));
        let attempts = if self.retries { 0 } else { NO_RETRY };
        if let Some(text) = self.first
            && let Some(ticket) = tickets.next()
        {
            ticket.answer(Reply::Own(text.into()));
        }
        client.unsettle();
        for (&shard, owner) in self.shards.iter().zip(owners) {
            for (&request, ticket) in self.requests.iter().zip(&mut tickets) {
                let flight = Flight { attempts, ..Flight::new(ticket, command, Some(shard), now) };
                match &owner {
                    Some(backend) => backend.send(request, flight),
                    None => worker.await_owner(client, flight, request.to_vec()),
                }
            }
        }
        Step::Done
    }
}

/// What it ends holds up the shared connections, so it goes over connections of its own.
fn kill(client: &Rc<Client>, command: &'static Command, request: Request<'_>) -> Step {
    let worker = Rc::clone(&client.worker);
    let nodes: Vec<NodeAddr> =
        worker.shards().into_iter().filter_map(|shard| worker.owner_addr(shard)).collect();
    if nodes.is_empty() {
        return refuse(client, Some(command), NO_CLUSTER);
    }
    let args: Vec<Vec<u8>> = request.args_from(0).map(<[u8]>::to_vec).collect();
    let ticket = client.ticket(Some(command));
    tokio::task::spawn_local(async move {
        let args: Vec<&[u8]> = args.iter().map(Vec::as_slice).collect();
        let mut replies = Vec::new();
        for addr in &nodes {
            let reply = node::ask(addr, &worker.credentials, &args, DEADLINE).await;
            replies.push(match reply {
                Ok(Value::Error(text)) => format!("-{text}\r\n"),
                Ok(_) => "+OK\r\n".to_owned(),
                Err(_) => format!("-CLUSTERDOWN node {addr} cannot be reached\r\n"),
            });
        }
        let replies: Vec<&[u8]> = replies.iter().map(String::as_bytes).collect();
        worker.tick_clock();
        ticket.answer(Reply::Own(Fold::One.of(&replies).into()));
    });
    Step::Done
}
