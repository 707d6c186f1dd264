//! CLIENT: what a client says of itself. Texts as in redis networking.c `clientCommand`.

use std::cell::Cell;

use super::{Ask, clients, tracking};
use crate::{
    command::lookup,
    local,
    resp::{Protocol, ReplyWriter},
    worker::{
        client::{Client, Mute},
        dispatch::Step,
        tracking::Mode,
    },
};

pub(super) const BAD_NAME: &str = "ERR Client names cannot contain spaces, newlines or special characters.";
pub(super) const SYNTAX: &str = "ERR syntax error";
const SERVED: &[&str] = &[
    "caching",
    "getname",
    "getredir",
    "help",
    "id",
    "info",
    "kill",
    "list",
    "no-evict",
    "no-touch",
    "pause",
    "reply",
    "setinfo",
    "setname",
    "tracking",
    "trackinginfo",
    "unblock",
    "unpause",
];

pub(super) fn answer(ask: &Ask<'_>) -> Step {
    let client = ask.client;
    match ask.subcommand() {
        "id" => ask.write(|w| w.integer(i64::try_from(client.id).unwrap_or(i64::MAX))),
        "getname" => ask.write(|w| bulk_or_null(w, &client.names.borrow().name)),
        "setname" => set_name(ask),
        "setinfo" => set_info(ask),
        "info" => ask.write(|w| w.verbatim(&line(client))),
        "list" => clients::list(ask),
        "kill" => clients::kill(ask),
        "pause" => clients::pause(ask),
        "unpause" => clients::unpause(ask),
        "unblock" => clients::unblock(ask),
        "no-evict" => switch(ask, &client.no_evict),
        "no-touch" => switch(ask, &client.no_touch),
        "reply" => reply(ask),
        "tracking" => tracking::set(ask),
        "trackinginfo" => tracking::tell(ask),
        "caching" => tracking::caching(ask),
        "getredir" => ask.write(|w| w.integer(tracking::redirection(client))),
        "help" => ask.write(|w| lookup(b"client").into_iter().for_each(|c| local::help(c, SERVED, w))),
        _ => ask.write(|w| local::not_served(ask.command.name, w)),
    }
}

pub(super) fn lower(word: &[u8]) -> Vec<u8> {
    word.to_ascii_lowercase()
}

fn bulk_or_null(w: &mut ReplyWriter<'_>, bytes: &[u8]) {
    if bytes.is_empty() { w.null() } else { w.bulk(bytes) }
}

/// Whether `name` may stand in CLIENT LIST: printable, without space.
pub(super) fn valid_name(name: &[u8]) -> bool {
    name.iter().all(|byte| (b'!'..=b'~').contains(byte))
}

fn set_name(ask: &Ask<'_>) -> Step {
    if !valid_name(ask.arg(2)) {
        return ask.refuse(BAD_NAME);
    }
    ask.client.names.borrow_mut().name = ask.arg(2).into();
    ask.ok()
}

fn set_info(ask: &Ask<'_>) -> Step {
    let (option, value) = (lower(ask.arg(2)), ask.arg(3));
    let mut names = ask.client.names.borrow_mut();
    let field = match option.as_slice() {
        b"lib-name" => &mut names.lib_name,
        b"lib-ver" => &mut names.lib_version,
        _ => {
            drop(names);
            let option = String::from_utf8_lossy(ask.arg(2));
            return ask.refuse(&format!("ERR Unrecognized option '{option}'"));
        }
    };
    if !valid_name(value) {
        drop(names);
        let option = String::from_utf8_lossy(&option);
        return ask.refuse(&format!("ERR {option} cannot contain spaces, newlines or special characters."));
    }
    *field = value.into();
    drop(names);
    ask.ok()
}

fn switch(ask: &Ask<'_>, mark: &Cell<bool>) -> Step {
    match lower(ask.arg(2)).as_slice() {
        b"on" => mark.set(true),
        b"off" => mark.set(false),
        _ => return ask.refuse(SYNTAX),
    }
    ask.ok()
}

fn reply(ask: &Ask<'_>) -> Step {
    match lower(ask.arg(2)).as_slice() {
        b"on" => {
            ask.client.mute.set(Mute::No);
            return ask.ok();
        }
        b"off" => ask.client.mute.set(Mute::All),
        // Redis lets SKIP change nothing while replies are off.
        b"skip" if ask.client.mute.get() == Mute::No => ask.client.mute.set(Mute::Next),
        b"skip" => {}
        _ => return ask.refuse(SYNTAX),
    }
    Step::Done
}

/// A line about `client`, with the fields of Redis that mean something here, as in redis networking.c
/// `catClientInfoString`.
pub(super) fn line(client: &Client) -> String {
    let names = client.names.borrow();
    let shown = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let (age, idle) = (client.worker.age(client.since), client.worker.age(client.active.get()));
    let [sub, psub, ssub] = client.listens_to_counts();
    let held = client.held_bytes();
    let fields = [
        ("id", client.id.to_string()),
        ("addr", client.peer.to_string()),
        ("laddr", client.local.to_string()),
        ("fd", client.descriptor().to_string()),
        ("name", shown(&names.name)),
        ("age", age.as_secs().to_string()),
        ("idle", idle.as_secs().to_string()),
        ("flags", flags(client)),
        ("db", client.database.get().to_string()),
        ("sub", sub.to_string()),
        ("psub", psub.to_string()),
        ("ssub", ssub.to_string()),
        (
            "multi",
            client.apart.look(|a| a.queued.as_ref().map(|q| q.commands)).map_or(-1, i64::from).to_string(),
        ),
        ("watch", client.apart.look(|a| a.watched.as_ref().map_or(0, |w| w.keys)).to_string()),
        ("qbuf", held.input.to_string()),
        ("qbuf-free", "0".to_owned()),
        ("argv-mem", "0".to_owned()),
        ("multi-mem", held.queued.to_string()),
        ("obl", held.unwritten.to_string()),
        ("oll", client.line().borrow().waiting().to_string()),
        ("omem", held.replies.to_string()),
        ("tot-mem", (held.all() + size_of::<Client>()).to_string()),
        ("events", if held.unwritten > 0 { "rw" } else { "r" }.to_owned()),
        ("cmd", client.last_command.get().map_or("NULL", |command| command.name).to_owned()),
        ("user", "default".to_owned()),
        ("redir", tracking::redirection(client).to_string()),
        ("resp", if client.protocol.get() == Protocol::Resp3 { "3" } else { "2" }.to_owned()),
        ("lib-name", shown(&names.lib_name)),
        ("lib-ver", shown(&names.lib_version)),
        ("tot-net-in", client.bytes_in.get().to_string()),
        ("tot-net-out", client.bytes_out.get().to_string()),
    ];
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    fields.join(" ") + "\n"
}

/// As in redis networking.c `catClientInfoString`.
fn flags(client: &Client) -> String {
    let marks = [
        ('O', client.monitors()),
        ('P', client.listens_to_counts() != [0; 3]),
        ('x', client.apart.queues()),
        ('b', client.apart.on_errand()),
        ('t', client.apart.look(|affairs| affairs.tracked.is_some())),
        ('R', client.apart.look_at_tracked(|tracked| tracked.redirection.broken)),
        ('B', client.apart.look_at_tracked(|tracked| matches!(tracked.mode, Mode::Broadcast(_)))),
        ('e', client.no_evict.get()),
        ('T', client.no_touch.get()),
    ];
    let flags: String = marks.iter().filter(|(_, set)| *set).map(|(mark, _)| mark).collect();
    if flags.is_empty() { "N".to_owned() } else { flags }
}
