//! CLIENT LIST, KILL, PAUSE and UNBLOCK: what a client asks about others, on whichever workers they are. Texts
//! as in redis networking.c `clientCommand`.
//!
//! Every worker is asked, so the replies come later.

use std::{rc::Rc, sync::Arc, time::Duration};

use super::{
    Ask,
    client::{SYNTAX, line, lower},
};
use crate::{
    metrics::CloseReason,
    resp::ReplyWriter,
    worker::{Pause, Who, Worker, apart, dispatch::Step, line::Reply},
};

/// A line about each client of `worker` that is meant.
pub(in crate::worker) fn listed(worker: &Rc<Worker>, who: &Who) -> String {
    worker.tick_clock();
    let clients = worker.clients.borrow();
    clients
        .values()
        .filter(|client| who.takes(client))
        .fold(String::new(), |text, client| text + &line(client))
}

pub(super) fn list(ask: &Ask<'_>) -> Step {
    let who = match Who::parse(&ask.request, 2, ask.client.id, false) {
        Ok(who) => who,
        Err(text) => return ask.refuse(&text),
    };
    let ticket = ask.client.ticket(Some(ask.command));
    let mailboxes = Arc::clone(&ask.worker().mailboxes);
    let protocol = ask.client.protocol.get();
    tokio::task::spawn_local(async move {
        let mut bytes = Vec::new();
        ReplyWriter::new(&mut bytes, protocol).verbatim(&mailboxes.list(who).await);
        ticket.answer(Reply::Own(bytes.into()));
    });
    Step::Done
}

/// CLIENT KILL. A client that means itself gets its reply first.
pub(super) fn kill(ask: &Ask<'_>) -> Step {
    let client = ask.client;
    // The form of old servers names an address and closes even the client that asks.
    let old = ask.request.argc() == 3;
    let who = match Who::parse(&ask.request, 2, client.id, true) {
        _ if old => Who::at(ask.arg(2)),
        Ok(who) => who,
        Err(text) => return ask.refuse(&text),
    };
    let ticket = client.ticket(Some(ask.command));
    let mailboxes = Arc::clone(&ask.worker().mailboxes);
    let itself = who.takes(client);
    if itself {
        client.end(CloseReason::Quit, true);
    }
    let others = who.but(client.id);
    tokio::task::spawn_local(async move {
        let killed = mailboxes.kill(others).await + usize::from(itself);
        ticket.answer(match (old, killed) {
            (true, 0) => Reply::Copy(b"-ERR No such client\r\n"),
            (true, _) => Reply::Copy(b"+OK\r\n"),
            (false, killed) => Reply::Own(format!(":{killed}\r\n").into_bytes().into()),
        });
    });
    Step::Done
}

/// CLIENT PAUSE, answered when every client waits.
pub(super) fn pause(ask: &Ask<'_>) -> Step {
    let all = match (ask.request.argc(), lower(ask.arg(3)).as_slice()) {
        (3, _) | (4, b"all") => true,
        (4, b"write") => false,
        (4, _) => return ask.refuse("ERR CLIENT PAUSE mode must be WRITE or ALL"),
        _ => return ask.refuse(SYNTAX),
    };
    let Some(time) = std::str::from_utf8(ask.arg(2)).ok().and_then(|text| text.parse::<i64>().ok()) else {
        return ask.refuse("ERR timeout is not an integer or out of range");
    };
    let Ok(time) = u64::try_from(time) else { return ask.refuse("ERR timeout is negative") };
    match Pause::new(Duration::from_millis(time), all) {
        Some(pause) => tell(ask, Some(pause)),
        None => ask.refuse("ERR timeout is out of range"),
    }
}

pub(super) fn unpause(ask: &Ask<'_>) -> Step {
    tell(ask, None)
}

/// Tells every worker of the pause; the client's later requests wait until all know.
fn tell(ask: &Ask<'_>, pause: Option<Pause>) -> Step {
    if ask.client.waits() {
        return Step::Hold;
    }
    let ticket = ask.client.ticket(Some(ask.command));
    let mailboxes = Arc::clone(&ask.worker().mailboxes);
    apart::send(ask.client, false, async move {
        mailboxes.pause(pause).await;
        move || ticket.answer(Reply::Copy(b"+OK\r\n"))
    });
    Step::Done
}

pub(super) fn unblock(ask: &Ask<'_>) -> Step {
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
