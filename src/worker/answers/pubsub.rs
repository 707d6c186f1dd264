//! SUBSCRIBE and its kin, and PUBSUB. Shapes and texts as in redis pubsub.c.
//!
//! A change of subscriptions waits until all earlier requests of its client are answered, and later ones wait
//! until it is: so a client hears nothing of a channel before its confirmation, and all that it publishes
//! after.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    time::Duration,
};

use super::Ask;
use crate::{
    cluster::{NodeAddr, Role},
    command::{Command, Handling},
    local, node,
    resp::{Protocol, ReplyWriter, Value},
    routing::ChannelKind,
    worker::{
        TopicQuery, TopicReport, Worker,
        client::Client,
        dispatch::{Step, refuse},
        line::Reply,
        pubsub::TOO_MUCH,
    },
};

/// Longest that a node may take to answer PUBSUB.
const DEADLINE: Duration = Duration::from_secs(2);

/// What a client that listens may send in RESP2.
const ALLOWED: &[&str] = &[
    "ping",
    "subscribe",
    "unsubscribe",
    "psubscribe",
    "punsubscribe",
    "ssubscribe",
    "sunsubscribe",
    "quit",
    "reset",
];

/// Whether `client`, which listens, may not send `command` now.
pub(in crate::worker) fn forbids(client: &Client, command: &Command) -> bool {
    let monitors = client.monitors() && !matches!(command.handling, Handling::Local(_));
    monitors || subscribes2(client) && !ALLOWED.contains(&command.name)
}

/// Whether `client` listens to channels in RESP2, where messages and replies look alike.
pub(super) fn subscribes2(client: &Client) -> bool {
    client.protocol.get() == Protocol::Resp2 && client.listens_to_counts() != [0; 3]
}

/// Refuses what [`forbids`] says. Texts as in redis server.c `processCommand`.
#[cold]
pub(in crate::worker) fn refuse_forbidden(client: &Rc<Client>, command: &'static Command) -> Step {
    if !subscribes2(client) {
        return refuse(client, Some(command), "ERR Replica can't interact with the keyspace");
    }
    let text = format!(
        "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in \
         this context",
        command.name
    );
    refuse(client, Some(command), &text)
}

fn kind(name: &str) -> ChannelKind {
    match name.as_bytes().first() {
        Some(b'p') => ChannelKind::Pattern,
        // SUBSCRIBE has a shorter name than SSUBSCRIBE.
        Some(b's') if name.starts_with("ss") || name.starts_with("sun") => ChannelKind::Shard,
        _ => ChannelKind::Channel,
    }
}

/// SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE.
pub(super) fn subscribe(ask: &Ask<'_>) -> Step {
    let client = ask.client;
    if client.waits() || !client.settles() {
        return Step::Hold;
    }
    let names = ask.request.args_from(1);
    if client.listens_to_too_much(names.len(), ask.request.frame().len()) {
        return ask.refuse(TOO_MUCH);
    }
    let (kind, mut fresh, mut reply) = (kind(ask.command.name), Vec::new(), Vec::new());
    for name in names {
        fresh.extend(client.listen(kind, name));
        confirm(ask, kind, Some(name), &mut reply);
    }
    let ticket = client.loud_ticket(ask.command);
    client.unsettle();
    ask.worker().subscribe(kind, fresh, ticket, reply);
    Step::Done
}

/// UNSUBSCRIBE, PUNSUBSCRIBE, SUNSUBSCRIBE; without names from all.
pub(super) fn unsubscribe(ask: &Ask<'_>) -> Step {
    let client = ask.client;
    if client.waits() {
        return Step::Hold;
    }
    let (kind, mut reply) = (kind(ask.command.name), Vec::new());
    let mut end = |name: &[u8]| {
        if client.unlisten(kind, name) {
            ask.worker().unsubscribe(client, kind, name);
        }
        confirm(ask, kind, Some(name), &mut reply);
    };
    if ask.request.argc() > 1 {
        ask.request.args_from(1).for_each(&mut end);
    } else {
        client.listens_to(kind).iter().for_each(|name| end(name));
    }
    if reply.is_empty() {
        confirm(ask, kind, None, &mut reply);
    }
    client.loud_ticket(ask.command).answer(Reply::Own(reply.into()));
    Step::Done
}

/// Appends the confirmation for `name`.
fn confirm(ask: &Ask<'_>, kind: ChannelKind, name: Option<&[u8]>, reply: &mut Vec<u8>) {
    let mut w = ReplyWriter::new(reply, ask.client.protocol.get());
    w.push(3);
    w.bulk(ask.command.name.as_bytes());
    match name {
        Some(name) => w.bulk(name),
        None => w.null(),
    }
    w.integer(integer(ask.client.listens_to_count(kind)));
}

fn integer(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// PUBSUB asks the nodes and the other workers, so its reply comes later.
pub(super) fn answer(ask: &Ask<'_>) -> Step {
    let question = match (ask.subcommand(), ask.request.argc()) {
        ("channels" | "shardchannels", ..=3) => Question::Names,
        ("numsub", _) => Question::Subscribers(ChannelKind::Channel),
        ("shardnumsub", _) => Question::Subscribers(ChannelKind::Shard),
        ("numpat", _) => Question::Patterns,
        ("help", _) => {
            return ask.write(|w| {
                let container = crate::command::lookup(b"pubsub");
                container.into_iter().for_each(|c| local::help(c, SERVED, w));
            });
        }
        _ => {
            let name = String::from_utf8_lossy(ask.arg(1));
            return ask.refuse(&format!(
                "ERR unknown subcommand or wrong number of arguments for '{name}'. Try PUBSUB HELP."
            ));
        }
    };
    let words: Vec<Vec<u8>> = (0..ask.request.argc()).map(|index| ask.arg(index).to_vec()).collect();
    let (ticket, protocol) = (ask.client.ticket(Some(ask.command)), ask.client.protocol.get());
    let worker = Rc::clone(ask.worker());
    tokio::task::spawn_local(async move {
        let mut reply = Vec::new();
        question.answer(&worker, words, &mut ReplyWriter::new(&mut reply, protocol)).await;
        ticket.answer(Reply::Own(reply.into()));
    });
    Step::Done
}

const SERVED: &[&str] = &["channels", "help", "numpat", "numsub", "shardchannels", "shardnumsub"];

/// What PUBSUB asks.
#[derive(Clone, Copy)]
enum Question {
    Names,
    Subscribers(ChannelKind),
    Patterns,
}

impl Question {
    async fn answer(self, worker: &Rc<Worker>, words: Vec<Vec<u8>>, w: &mut ReplyWriter<'_>) {
        let names: Vec<Vec<u8>> = words.get(2..).unwrap_or_default().to_vec();
        let replies = match ask_primaries(worker, words).await {
            Ok(replies) => replies,
            Err(error) => return w.error(&error),
        };
        match self {
            Self::Names => write_names(&replies, w),
            Self::Subscribers(kind) => {
                let query = TopicQuery { kind, names: Some(names.clone()) };
                let reports = worker.mailboxes.topics(query).await;
                let counts = Counts::new(&replies, &reports);
                w.array(names.len() * 2);
                for name in &names {
                    w.bulk(name);
                    w.integer(counts.of(name));
                }
            }
            Self::Patterns => {
                let query = TopicQuery { kind: ChannelKind::Pattern, names: None };
                let reports = worker.mailboxes.topics(query).await;
                w.integer(patterns(&replies, &reports));
            }
        }
    }
}

/// The replies of all primaries to the request `words`, or an error if one gave that or did not answer.
async fn ask_primaries(worker: &Rc<Worker>, words: Vec<Vec<u8>>) -> Result<Vec<Value>, String> {
    let table = worker.topology.table().load_full();
    let primaries = table.nodes().iter().filter(|node| node.role == Role::Primary);
    let words: Rc<[Vec<u8>]> = words.into();
    let asked: Vec<_> = primaries
        .map(|node| {
            let (addr, words, worker) = (node.addr.clone(), Rc::clone(&words), Rc::clone(worker));
            tokio::task::spawn_local(async move {
                let request: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
                node::ask(&addr, &worker.credentials, &request, DEADLINE).await.ok()
            })
        })
        .collect();
    let mut replies = Vec::new();
    for reply in asked {
        match reply.await.ok().flatten() {
            Some(Value::Error(error)) => return Err(error),
            Some(reply) => replies.push(reply),
            None => return Err(UNREACHABLE.to_owned()),
        }
    }
    if replies.is_empty() { Err(UNREACHABLE.to_owned()) } else { Ok(replies) }
}

const UNREACHABLE: &str = "CLUSTERDOWN a node of the cluster cannot be reached";

fn write_names(replies: &[Value], w: &mut ReplyWriter<'_>) {
    let lists = replies.iter().filter_map(Value::as_array);
    let names: BTreeSet<&[u8]> = lists.flatten().filter_map(Value::as_bytes).collect();
    w.array(names.len());
    names.into_iter().for_each(|name| w.bulk(name));
}

/// Subscribers by channel: as the nodes count them, but slotway's own clients where they count slotway.
struct Counts<'a>(BTreeMap<&'a [u8], i64>);

impl<'a> Counts<'a> {
    fn new(replies: &'a [Value], reports: &'a [TopicReport]) -> Self {
        let mut counts = BTreeMap::new();
        for pairs in replies.iter().filter_map(Value::as_array) {
            for [name, count] in pairs.as_chunks::<2>().0 {
                let count = count.as_integer().unwrap_or(0);
                *counts.entry(name.as_bytes().unwrap_or_default()).or_default() += count;
            }
        }
        for report in reports {
            *counts.entry(&report.name).or_default() += integer(report.clients) - integer(report.nodes.len());
        }
        Self(counts)
    }

    fn of(&self, name: &[u8]) -> i64 {
        self.0.get(name).copied().unwrap_or(0).max(0)
    }
}

/// How many patterns are subscribed to: each node counts its own, and a pattern of slotway's that several
/// nodes count is one.
fn patterns(replies: &[Value], reports: &[TopicReport]) -> i64 {
    let at_nodes: i64 = replies.iter().filter_map(Value::as_integer).sum();
    let names: BTreeSet<&[u8]> = reports.iter().map(|report| &report.name[..]).collect();
    let places: BTreeSet<(&[u8], &NodeAddr)> =
        reports.iter().flat_map(|report| report.nodes.iter().map(|addr| (&report.name[..], addr))).collect();
    (at_nodes - integer(places.len()) + integer(names.len())).max(0)
}
