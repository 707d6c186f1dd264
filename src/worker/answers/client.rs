//! CLIENT: what a client says of itself and asks about others. Texts as in redis networking.c `clientCommand`.

use std::{fmt::Write, rc::Rc, sync::Arc};

use super::Ask;
use crate::{
    local,
    resp::{Protocol, ReplyWriter},
    worker::{
        Worker,
        client::{Client, Mute},
        dispatch::Step,
        line::Reply,
    },
};

pub(super) const BAD_NAME: &str = "ERR Client names cannot contain spaces, newlines or special characters.";
const SYNTAX: &str = "ERR syntax error";

pub(super) fn answer(ask: &Ask<'_>) -> Step {
    let client = ask.client;
    match ask.subcommand() {
        "id" => ask.write(|w| w.integer(i64::try_from(client.id).unwrap_or(i64::MAX))),
        "getname" => ask.write(|w| bulk_or_null(w, &client.names.borrow().name)),
        "setname" => set_name(ask),
        "setinfo" => set_info(ask),
        "info" => ask.write(|w| w.verbatim(&line(client))),
        "list" => list_all(ask),
        "no-evict" | "no-touch" => match lower(ask.arg(2)).as_slice() {
            b"on" | b"off" => ask.ok(),
            _ => ask.refuse(SYNTAX),
        },
        "reply" => reply(ask),
        "unblock" => unblock(ask),
        "getredir" => ask.write(|w| w.integer(-1)),
        _ => ask.write(|w| local::not_served(ask.command.name, w)),
    }
}

fn lower(word: &[u8]) -> Vec<u8> {
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

/// CLIENT LIST asks every worker, so its reply comes later.
fn list_all(ask: &Ask<'_>) -> Step {
    let wanted = match wanted(ask) {
        Ok(wanted) => wanted,
        Err(text) => return ask.refuse(&text),
    };
    let ticket = ask.client.ticket(Some(ask.command));
    let mailboxes = Arc::clone(&ask.worker().mailboxes);
    let protocol = ask.client.protocol.get();
    tokio::task::spawn_local(async move {
        let all = mailboxes.list().await;
        let text: String =
            all.lines().filter(|line| wanted.takes(line)).flat_map(|line| [line, "\n"]).collect();
        let mut bytes = Vec::new();
        ReplyWriter::new(&mut bytes, protocol).verbatim(&text);
        ticket.answer(Reply::Own(bytes));
    });
    Step::Done
}

/// CLIENT UNBLOCK asks every worker for the client.
fn unblock(ask: &Ask<'_>) -> Step {
    let Some(id) = std::str::from_utf8(ask.arg(2)).ok().and_then(|id| id.parse::<i64>().ok()) else {
        return ask.refuse("ERR value is not an integer or out of range");
    };
    let with_error = match (ask.request.argc(), lower(ask.arg(3)).as_slice()) {
        (3, _) | (4, b"timeout") => false,
        (4, b"error") => true,
        (4, _) => return ask.refuse("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"),
        _ => return ask.refuse(SYNTAX),
    };
    let ticket = ask.client.ticket(Some(ask.command));
    let mailboxes = Arc::clone(&ask.worker().mailboxes);
    tokio::task::spawn_local(async move {
        let known = u64::try_from(id).ok();
        let unblocked = match known {
            Some(id) => mailboxes.unblock(id, with_error).await,
            None => false,
        };
        ticket.answer(Reply::Copy(if unblocked { b":1\r\n" } else { b":0\r\n" }));
    });
    Step::Done
}

/// Which clients CLIENT LIST shows.
enum Wanted {
    All,
    Nobody,
    /// Those that subscribed, or those that did not.
    Listening(bool),
    Ids(Vec<u64>),
}

impl Wanted {
    fn takes(&self, line: &str) -> bool {
        match self {
            Self::All => true,
            Self::Nobody => false,
            Self::Listening(listening) => line.contains(" flags=P") == *listening,
            Self::Ids(ids) => ids.iter().any(|id| line.starts_with(&format!("id={id} "))),
        }
    }
}

fn wanted(ask: &Ask<'_>) -> Result<Wanted, String> {
    let argc = ask.request.argc();
    match (lower(ask.arg(2)).as_slice(), argc) {
        (_, 2) => Ok(Wanted::All),
        (b"type", 4) => match lower(ask.arg(3)).as_slice() {
            b"normal" => Ok(Wanted::Listening(false)),
            b"pubsub" => Ok(Wanted::Listening(true)),
            b"master" | b"replica" | b"slave" => Ok(Wanted::Nobody),
            _ => Err(format!("ERR Unknown client type '{}'", String::from_utf8_lossy(ask.arg(3)))),
        },
        (b"id", 4..) => ask
            .request
            .args_from(3)
            .map(|id| std::str::from_utf8(id).ok().and_then(|id| id.parse().ok()))
            .collect::<Option<_>>()
            .map(Wanted::Ids)
            .ok_or_else(|| "ERR Invalid client ID".to_owned()),
        _ => Err(SYNTAX.to_owned()),
    }
}

/// A line about each client of `worker`.
pub(in crate::worker) fn list(worker: &Rc<Worker>) -> String {
    worker.tick_clock();
    let clients = worker.clients.borrow();
    clients.values().fold(String::new(), |text, client| text + &line(client))
}

/// A line about `client`, with the fields of Redis that mean something here.
fn line(client: &Client) -> String {
    let names = client.names.borrow();
    let (name, lib, version) = (
        String::from_utf8_lossy(&names.name),
        String::from_utf8_lossy(&names.lib_name),
        String::from_utf8_lossy(&names.lib_version),
    );
    let (age, idle) = (client.worker.age(client.since), client.worker.age(client.active.get()));
    let resp = if client.protocol.get() == Protocol::Resp3 { 3 } else { 2 };
    let [sub, psub, ssub] = client.listens_to_counts();
    let command = client.last_command.get().map_or("NULL", |command| command.name);
    let mut line = String::new();
    // Writing to a string does not fail.
    let _ = writeln!(
        line,
        "id={} addr={} laddr={} name={name} age={} idle={} flags={} db=0 sub={sub} psub={psub} ssub={ssub} multi={} \
         watch={} tot-mem={} cmd={command} user=default redir=-1 resp={resp} lib-name={lib} lib-ver={version}",
        client.id,
        client.peer,
        client.local,
        age.as_secs(),
        idle.as_secs(),
        flags(client),
        client.apart.look(|a| a.queued.as_ref().map(|q| q.commands)).map_or(-1, i64::from),
        client.apart.look(|a| a.watched.as_ref().map_or(0, |w| w.keys)),
        client.line().borrow().buffered(),
    );
    line
}

/// As in redis networking.c `catClientInfoString`.
fn flags(client: &Client) -> &'static str {
    if client.monitors() {
        return "O";
    }
    match (client.listens.get(), client.apart.queues(), client.apart.on_errand()) {
        (true, true, _) => "Px",
        (true, false, _) => "P",
        (false, true, _) => "x",
        (false, false, true) => "b",
        (false, false, false) => "N",
    }
}
