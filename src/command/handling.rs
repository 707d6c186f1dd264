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
    /// As [`Self::Forward`] for keys of one slot; for keys of many it is cut into parts.
    Split(SplitKind),
    /// It is answered here.
    Local(Local),
    /// It begins, ends or guards a transaction.
    Transaction(Transaction),
    /// It waits for replicas, or for disks, of every primary.
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

/// Commands that are answered here; subcommands too go by their container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the command of the same name")]
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
}

impl Handling {
    /// What is done with the command of this spec; a subcommand does what its container does unless it is
    /// named itself.
    pub fn of(spec: &Spec, container: Option<Self>) -> Self {
        split(spec.name)
            .or_else(|| local(spec.name))
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
        _ => return None,
    }))
}

/// The commands that a shared connection to one node cannot serve, each group with its reason.
const REFUSED: &[&[&str]] = &[
    // Messages come unasked, and reach only the subscribers of one node or shard.
    &["subscribe", "unsubscribe", "psubscribe", "punsubscribe", "ssubscribe", "sunsubscribe"],
    &["publish", "spublish", "pubsub"],
    // Scripts and functions must be on every node before their calls may go to any.
    &["script", "function"],
    // They speak of the whole key space, of which each node has a part.
    &["scan", "clusterscan", "keys", "dbsize", "randomkey", "flushall", "flushdb"],
    // Clients have one database each, and none may change under the others.
    &["swapdb"],
    // They turn the connection into a stream.
    &["monitor", "sync", "psync", "replconf"],
    // They stop or change one server, and which one is for its administrator to say.
    &["shutdown", "replicaof", "slaveof", "failover", "debug", "module", "acl"],
    &["save", "bgsave", "bgrewriteaof"],
    // They report on one server or test it.
    &["role", "lastsave", "latency", "slowlog", "commandlog", "memory", "pfselftest"],
];

/// Subcommands that are served although their container is not: they have a key.
const FORWARDED: &[&str] = &["memory|usage"];

fn refused(name: &str) -> Option<Handling> {
    if FORWARDED.contains(&name) {
        return Some(Handling::Forward);
    }
    REFUSED.iter().any(|group| group.contains(&name)).then_some(Handling::Refuse)
}

#[cfg(test)]
mod tests {
    use super::super::{COUNT, by_index};
    use super::*;

    #[test]
    fn every_command_named_here_is_in_the_table() {
        let known = |name: &str| (0..COUNT).any(|at| by_index(at).is_some_and(|c| c.name == name));
        for name in REFUSED.iter().copied().flatten() {
            assert!(known(name), "{name}");
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
    fn subcommands_do_what_their_container_does_unless_they_have_a_key() {
        let handling = |name: &str| {
            let container = super::super::lookup(name.split('|').next().unwrap().as_bytes()).unwrap();
            container.subcommands.iter().find(|c| c.name == name).unwrap().handling
        };
        assert_eq!(handling("memory|usage"), Handling::Forward);
        assert_eq!(handling("memory|stats"), Handling::Refuse);
        assert_eq!(handling("config|set"), Handling::Local(Local::Config));
        assert_eq!(handling("object|encoding"), Handling::Forward);
        assert_eq!(handling("script|load"), Handling::Refuse);
    }
}
