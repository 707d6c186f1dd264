//! `docs/commands.md`: what slotway does with every command, written from the table.
//!
//! Only for tests. Invariant: the page is what [`page`] says, or a test fails and tells how to renew it.

use std::collections::BTreeMap;

use super::{Broadcast, Command, Flags, Handling, KeyFlags, Local, SplitKind, Transaction, all, why_refused};

const HEAD: &str = "\
# Every command

What slotway does with each command and subcommand that Redis 8.2 and Valkey 9.1 name in `COMMAND`. This page is
written from slotway's own table (`src/command/page.rs`), and a test sends each of them through slotway and to a
single server and compares the replies (`tests/suite/every_command.rs`, where each difference has its reason). The
README tells more about [each kind](../README.md#commands).

- **passes**: goes as it is to one primary; keys of several slots get `-CROSSSLOT`.
- **split**: as before for keys of one slot; for keys of several it is cut into parts, and their replies are merged.
- **broadcast**: goes to every primary, and one reply is made of theirs.
- **local**: slotway answers itself.
- **dedicated**: uses a connection to the node that is the client's own meanwhile.
- **refused**: gets an error that names the command and the reason.

";

/// Redis ships vector sets as a module, whose commands are in no table of slotway's.
const FOOT: &str = "\
## module

Commands of modules and of newer servers are in no table: slotway asks the cluster once what they are, and they pass
by what it says. Redis 8.2 has these of its own.

| command | slotway | how |
|---|---|---|
";

const VECTOR_SETS: [&str; 12] = [
    "VADD",
    "VCARD",
    "VDIM",
    "VEMB",
    "VGETATTR",
    "VINFO",
    "VISMEMBER",
    "VLINKS",
    "VRANDMEMBER",
    "VREM",
    "VSETATTR",
    "VSIM",
];

/// The whole page.
fn page() -> String {
    let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for command in all() {
        let rows = groups.entry(command.spec.group).or_default();
        rows.push(row(command));
        rows.extend(command.subcommands.iter().map(row));
    }
    let groups = groups.iter().map(|(group, rows)| {
        format!("## {group}\n\n| command | slotway | how |\n|---|---|---|\n{}\n", rows.concat())
    });
    let modules = VECTOR_SETS.map(|name| format!("| `{name}` | passes | to the owner of its key's slot |\n"));
    HEAD.to_owned() + &groups.collect::<String>() + FOOT + &modules.concat()
}

fn row(command: &Command) -> String {
    let name = command.name.replace('|', " ").to_uppercase();
    let (kind, how) =
        if command.subcommands.is_empty() { deed(command) } else { ("", "by its subcommand".to_owned()) };
    format!("| `{name}` | {kind} | {how} |\n")
}

/// What is done with a command, in a word and in a sentence.
fn deed(command: &Command) -> (&'static str, String) {
    let (kind, how) = match command.handling {
        Handling::Forward | Handling::Eval => return forwarded(command),
        Handling::Split(kind) => ("split", merged(kind)),
        Handling::Channel => ("passes", "to the owner of its channel's slot"),
        Handling::Broadcast(kind) => ("broadcast", made_one(kind)),
        Handling::Admin(kind) => {
            return ("broadcast", format!("{}; with `--admin-commands` only", made_one(kind)));
        }
        Handling::Local(local) => ("local", answered(local)),
        Handling::Transaction(Transaction::Watch) => {
            ("dedicated", "keys of one slot, until `EXEC`, `DISCARD` or `UNWATCH`")
        }
        Handling::Transaction(Transaction::Exec) => {
            ("dedicated", "the transaction goes whole to the owner of its keys' slot")
        }
        Handling::Transaction(Transaction::Multi | Transaction::Discard) => {
            ("local", "commands are queued in slotway until `EXEC`")
        }
        Handling::Transaction(Transaction::Unwatch) => ("local", "gives the connection of `WATCH` back"),
        Handling::Wait => ("dedicated", "asks the primaries to which the client wrote, the least count"),
        Handling::Refuse => ("refused", why_refused(command.name).unwrap_or_default()),
    };
    (kind, how.to_owned())
}

fn forwarded(command: &Command) -> (&'static str, String) {
    let has_key = command.key_specs.iter().any(|spec| !spec.flags.has(KeyFlags::NOT_KEY));
    let to = if has_key { "to the owner of its keys' slot" } else { "to any primary" };
    if !command.flags.has(Flags::BLOCKING) {
        return ("passes", to.to_owned());
    }
    let only = if command.spec.group == "stream" { "; passes without `BLOCK`" } else { "" };
    ("dedicated", format!("{to}{only}"))
}

fn merged(kind: SplitKind) -> &'static str {
    match kind {
        SplitKind::Mget => "values in the order of the keys",
        SplitKind::Mset => "`OK` when all parts are done; not atomic across slots",
        SplitKind::Sum => "the sum; not atomic across slots",
    }
}

fn made_one(kind: Broadcast) -> &'static str {
    match kind {
        Broadcast::First => "the first node's reply when all did it",
        Broadcast::One => "the reply of a node that could",
        Broadcast::Kill => "`OK` when one node had something to end",
        Broadcast::Sum => "the sum",
        Broadcast::Min => "the least",
        Broadcast::And => "1 where all nodes say 1",
        Broadcast::Arrays => "all elements",
        Broadcast::Texts => "each text once",
        Broadcast::RandomKey => "a key of a node drawn by its share",
        Broadcast::Scan => "one node's page at a time",
        Broadcast::Running => "of the node that runs a function, else the first",
        Broadcast::Memory => "the sum of each figure",
    }
}

fn answered(local: Local) -> &'static str {
    match local {
        Local::Subscribe => "each worker subscribes once at the nodes for all its clients",
        Local::Unsubscribe => "ends the client's subscription",
        Local::Pubsub => "of this slotway's clients and of all primaries",
        Local::Client => "of slotway's clients",
        Local::Cluster => "of slotway as one node that owns every slot",
        Local::Command => "from the table",
        Local::Config => "slotway's own settings; the nodes' with `--admin-commands`",
        Local::Info => "slotway's own, and the key space of all primaries",
        Local::Select => "the numbered databases that the nodes have",
        Local::Role => "a primary without replicas",
        Local::Commandlog => "the slow log; those of large requests and replies are empty",
        Local::Slowlog => "slotway's own: slow requests of all workers",
        Local::Monitor => "what all primaries are asked; with `--admin-commands` only",
        Local::LatencyHistogram => "of slotway's own figures",
        Local::Hello | Local::Auth => "user `default`",
        Local::Readonly | Local::Readwrite | Local::Asking => "`OK`, no effect",
        Local::Ping
        | Local::Echo
        | Local::Quit
        | Local::Reset
        | Local::Time
        | Local::Lolwut
        | Local::Whoami => "",
    }
}

#[test]
fn the_page_of_all_commands_is_what_the_table_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/commands.md");
    if std::env::var_os("SLOTWAY_RENEW").is_some() {
        return std::fs::write(path, page()).unwrap();
    }
    let there = std::fs::read_to_string(path).unwrap_or_default();
    let renew = "renew it with SLOTWAY_RENEW=1 cargo test --lib page_of_all_commands";
    let (mut there, said) = (there.lines(), page());
    for line in said.lines() {
        assert_eq!(there.next(), Some(line), "docs/commands.md is out of date: {renew}");
    }
    assert_eq!(there.next(), None, "docs/commands.md has lines too many: {renew}");
}
