//! What slotway does with each command: the one place where commands are named by hand.
//!
//! Must not know where keys are or what a reply looks like. Invariant: a command that is not named here is
//! forwarded.

use super::Spec;

/// What slotway does with a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handling {
    /// It goes to the owner of its keys' slot, or to any primary if it has none.
    Forward,
    /// As [`Self::Forward`]; it brings a script, which is remembered.
    Eval,
    /// As [`Self::Forward`] for keys of one slot; for keys of many it is cut into parts.
    Split(SplitKind),
    /// It goes to the owner of its first argument's slot, though that is no key.
    Channel,
    /// It goes to every primary, and the replies become one.
    Broadcast(Broadcast),
    /// As [`Self::Broadcast`], where the administrator allows it.
    Admin(Broadcast),
    /// It is answered here.
    Local(Local),
    /// It begins, ends or guards a transaction.
    Transaction(Transaction),
    /// It waits for replicas, or for disks, of all primaries to which its client wrote.
    Wait,
    /// It is not served.
    Refuse,
}

/// The commands around a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the command of the same name")]
pub enum Transaction {
    Multi,
    Exec,
    Discard,
    Watch,
    Unwatch,
}

/// How a command over many slots is cut and its replies merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SplitKind {
    /// One value per key.
    Mget,
    /// Keys and values in turn.
    Mset,
    /// A count per key.
    Sum,
}

/// What goes to every primary, and how the replies become one. A node's error is the error of the whole
/// where nothing else is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broadcast {
    /// The first reply.
    First,
    /// The first reply that is no error.
    One,
    /// As [`Self::One`], sent beside the shared connections: those are held up by what it ends.
    Kill,
    /// Integers added up.
    Sum,
    /// The least integer.
    Min,
    /// Arrays of 0 and 1, each element 1 where all have 1.
    And,
    /// Arrays strung together.
    Arrays,
    /// Texts strung together.
    Texts,
    /// One key, of each node as often as its share of the keys (RANDOMKEY).
    RandomKey,
    /// Keys of one node at a time, the cursor tells of which (SCAN).
    Scan,
    /// The reply of a node that runs a function, or else the first (FUNCTION STATS).
    Running,
    /// Figures of memory, added up (MEMORY STATS).
    Memory,
}

/// Commands that are answered here; subcommands too go by their container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the command of the same name, or of its kind")]
pub enum Local {
    Ping,
    Echo,
    Quit,
    Reset,
    Hello,
    Auth,
    Select,
    Command,
    Client,
    Readonly,
    Readwrite,
    Asking,
    Config,
    Time,
    Lolwut,
    Cluster,
    Info,
    Subscribe,
    Unsubscribe,
    Pubsub,
    Whoami,
    Slowlog,
    Monitor,
    LatencyHistogram,
    Role,
    Commandlog,
}

impl Handling {
    /// What is done with the command of this spec; a subcommand does what its container does unless it is
    /// named itself.
    pub fn of(spec: &Spec, container: Option<Self>) -> Self {
        split(spec.name)
            .or_else(|| channel(spec.name))
            .or_else(|| matches!(spec.name, "eval" | "eval_ro").then_some(Self::Eval))
            .or_else(|| local(spec.name))
            .or_else(|| broadcast(spec))
            .or_else(|| transaction(spec.name))
            .or_else(|| refused(spec.name))
            .or(container)
            .unwrap_or(Self::Forward)
    }
}

/// The commands that act on a connection's transaction, and those that wait for what it wrote.
fn transaction(name: &str) -> Option<Handling> {
    Some(Handling::Transaction(match name {
        "multi" => Transaction::Multi,
        "exec" => Transaction::Exec,
        "discard" => Transaction::Discard,
        "watch" => Transaction::Watch,
        "unwatch" => Transaction::Unwatch,
        "wait" | "waitaof" => return Some(Handling::Wait),
        _ => return None,
    }))
}

/// The commands whose parts make sense by themselves and whose replies merge into one.
fn split(name: &str) -> Option<Handling> {
    Some(Handling::Split(match name {
        "mget" => SplitKind::Mget,
        "mset" => SplitKind::Mset,
        "del" | "unlink" | "exists" | "touch" => SplitKind::Sum,
        _ => return None,
    }))
}

/// The commands whose first argument is a channel: all that is published on one goes through one node, which
/// keeps its order.
fn channel(name: &str) -> Option<Handling> {
    matches!(name, "publish" | "spublish").then_some(Handling::Channel)
}

/// The commands that speak of the connection or the server the client sees, which is slotway.
fn local(name: &str) -> Option<Handling> {
    Some(Handling::Local(match name {
        "ping" => Local::Ping,
        "echo" => Local::Echo,
        "quit" => Local::Quit,
        "reset" => Local::Reset,
        "hello" => Local::Hello,
        "auth" => Local::Auth,
        "select" => Local::Select,
        "command" => Local::Command,
        "client" => Local::Client,
        "readonly" => Local::Readonly,
        "readwrite" => Local::Readwrite,
        "asking" => Local::Asking,
        "config" => Local::Config,
        "time" => Local::Time,
        "lolwut" => Local::Lolwut,
        "cluster" => Local::Cluster,
        "info" => Local::Info,
        "subscribe" | "psubscribe" | "ssubscribe" => Local::Subscribe,
        "unsubscribe" | "punsubscribe" | "sunsubscribe" => Local::Unsubscribe,
        "pubsub" => Local::Pubsub,
        "acl|whoami" => Local::Whoami,
        "slowlog" => Local::Slowlog,
        "monitor" => Local::Monitor,
        "latency|histogram" => Local::LatencyHistogram,
        "role" => Local::Role,
        "commandlog" => Local::Commandlog,
        _ => return None,
    }))
}

/// What speaks of the whole key space, or must be the same on every node.
const BROADCAST: &[&str] = &[
    "dbsize",
    "flushall",
    "flushdb",
    "function|delete",
    "function|flush",
    "function|kill",
    "function|load",
    "function|restore",
    "function|stats",
    "keys",
    "lastsave",
    "memory|doctor",
    "memory|malloc-stats",
    "memory|purge",
    "memory|stats",
    "randomkey",
    "scan",
    "script|exists",
    "script|flush",
    "script|kill",
    "script|load",
    "script|show",
];

/// What changes every server, or tells of it what is its administrator's.
const ADMIN: &[&str] = &[
    "acl",
    "bgrewriteaof",
    "bgsave",
    "config|resetstat",
    "config|rewrite",
    "config|set",
    "debug",
    "latency|doctor",
    "latency|history",
    "latency|latest",
    "latency|reset",
    "save",
];

fn broadcast(spec: &Spec) -> Option<Handling> {
    if BROADCAST.contains(&spec.name) {
        return Some(Handling::Broadcast(replies_of(spec)));
    }
    ADMIN.contains(&spec.name).then(|| Handling::Admin(replies_of(spec)))
}

/// How the nodes' replies become one: by the command's response policy, as servers tell it.
fn replies_of(spec: &Spec) -> Broadcast {
    match spec.name {
        "scan" => Broadcast::Scan,
        "randomkey" => Broadcast::RandomKey,
        "keys" | "latency|history" | "latency|latest" => Broadcast::Arrays,
        "script|kill" | "function|kill" => Broadcast::Kill,
        "function|stats" => Broadcast::Running,
        "memory|stats" => Broadcast::Memory,
        // All have been saved since the oldest was.
        "lastsave" => Broadcast::Min,
        "memory|doctor" | "memory|malloc-stats" | "latency|doctor" => Broadcast::Texts,
        // Only the owner of a key knows it.
        "debug" | "script|show" => Broadcast::One,
        _ => by_policy(spec.tips),
    }
}

fn by_policy(tips: &[&str]) -> Broadcast {
    match tips.iter().find_map(|tip| tip.strip_prefix("response_policy:")) {
        Some("agg_sum") => Broadcast::Sum,
        Some("agg_min") => Broadcast::Min,
        Some("agg_logical_and") => Broadcast::And,
        Some("one_succeeded") => Broadcast::One,
        _ => Broadcast::First,
    }
}

/// What is not served, each group with its reason, as clients and the documents are told it.
const REFUSED: &[(&[&str], &str)] = &[
    (&["script"], "it is a dialogue with one node"),
    (&["clusterscan"], "its cursor is for clients that know the nodes; SCAN sees all keys"),
    (&["swapdb"], "nodes would swap at different times"),
    (&["sync", "psync", "replconf"], "it turns the connection to a node into a stream"),
    (
        &["shutdown", "replicaof", "slaveof", "failover", "module"],
        "it changes one server: connect to that server",
    ),
    (&["latency", "memory", "pfselftest"], "it reports on one server or tests it: connect to that server"),
    (&["client|capa"], "slotway follows redirects itself"),
    (&["client|import-source"], "it is for tools that fill one server"),
    (
        &[
            "cluster|addslots",
            "cluster|addslotsrange",
            "cluster|bumpepoch",
            "cluster|cancelslotmigrations",
            "cluster|count-failure-reports",
            "cluster|delslots",
            "cluster|delslotsrange",
            "cluster|failover",
            "cluster|flushslot",
            "cluster|flushslots",
            "cluster|forget",
            "cluster|getslotmigrations",
            "cluster|links",
            "cluster|meet",
            "cluster|migrateslots",
            "cluster|replicas",
            "cluster|replicate",
            "cluster|reset",
            "cluster|saveconfig",
            "cluster|set-config-epoch",
            "cluster|setslot",
            "cluster|slaves",
            "cluster|slot-stats",
            "cluster|syncslots",
        ],
        "slotway shows one node that owns every slot: connect to a node",
    ),
];

/// Subcommands that are served although their container is not: they have a key, or any node can tell.
const FORWARDED: &[&str] = &["memory|usage", "memory|help", "script|help", "latency|help"];

fn refused(name: &str) -> Option<Handling> {
    if FORWARDED.contains(&name) {
        return Some(Handling::Forward);
    }
    reason(name).map(|_| Handling::Refuse)
}

fn reason(name: &str) -> Option<&'static str> {
    REFUSED.iter().find(|(group, _)| group.contains(&name)).map(|(_, reason)| *reason)
}

/// Why the command of this name is not served; a subcommand for its own reason or its container's.
pub fn why_refused(name: &str) -> Option<&'static str> {
    reason(name).or_else(|| reason(name.split_once('|')?.0))
}

#[cfg(test)]
mod tests {
    use super::super::{COUNT, by_index, resolve, tests::Owned};
    use super::*;

    #[test]
    fn every_command_named_here_is_in_the_table() {
        let known = |name: &str| (0..COUNT).any(|at| by_index(at).is_some_and(|c| c.name == name));
        let refused = REFUSED.iter().flat_map(|(group, _)| group.iter().copied()).collect::<Vec<_>>();
        for name in [FORWARDED, BROADCAST, ADMIN, &refused].concat() {
            let subcommand = || {
                super::super::lookup(name.split('|').next()?.as_bytes())?
                    .subcommands
                    .iter()
                    .find(|c| c.name == name)
            };
            assert!(known(name) || subcommand().is_some(), "{name}");
        }
    }

    #[test]
    fn a_command_without_keys_that_is_forwarded_was_thought_of() {
        let keyless: Vec<_> = (0..COUNT)
            .filter_map(by_index)
            .filter(|c| c.handling == Handling::Forward && c.subcommands.is_empty() && c.key_specs.is_empty())
            .map(|c| c.name)
            .collect();
        assert!(keyless.is_empty(), "{keyless:?}");
    }

    #[test]
    fn replies_become_one_as_servers_say() {
        let handling = |line: &str| resolve(&Owned::new(line).request()).unwrap().handling;
        assert_eq!(handling("DBSIZE"), Handling::Broadcast(Broadcast::Sum));
        assert_eq!(handling("FLUSHALL"), Handling::Broadcast(Broadcast::First));
        assert_eq!(handling("SCRIPT EXISTS x"), Handling::Broadcast(Broadcast::And));
        assert_eq!(handling("SCRIPT DEBUG YES"), Handling::Refuse);
        assert_eq!(handling("FUNCTION LIST"), Handling::Forward);
        assert_eq!(handling("CONFIG SET a b"), Handling::Admin(Broadcast::First));
        assert_eq!(handling("CONFIG GET a"), Handling::Local(Local::Config));
        assert_eq!(handling("ACL LIST"), Handling::Admin(Broadcast::First));
        assert_eq!(handling("ACL WHOAMI"), Handling::Local(Local::Whoami));
        assert_eq!(handling("LATENCY RESET"), Handling::Admin(Broadcast::Sum));
    }

    #[test]
    fn subcommands_do_what_their_container_does_unless_they_have_a_key() {
        let handling = |name: &str| {
            let container = super::super::lookup(name.split('|').next().unwrap().as_bytes()).unwrap();
            container.subcommands.iter().find(|c| c.name == name).unwrap().handling
        };
        assert_eq!(handling("memory|usage"), Handling::Forward);
        assert_eq!(handling("memory|stats"), Handling::Broadcast(Broadcast::Memory));
        assert_eq!(handling("config|get"), Handling::Local(Local::Config));
        assert_eq!(handling("object|encoding"), Handling::Forward);
    }
}
