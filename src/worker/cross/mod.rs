//! Commands on keys of many slots, where the administrator allows them: see [`Cross`] for the ways.
//!
//! Each is an errand: it begins when all before it is answered, and its client's later requests wait. Nothing
//! here is atomic across slots. Invariant: what a command removes somewhere it has delivered or written
//! elsewhere before, or it is the reply.

mod carry;
mod fan;
mod gather;

use std::rc::Rc;

use super::{
    apart,
    bundle::{EXEC, MULTI},
    client::Client,
    dispatch::{self, Step, refuse},
    errand::{Answered, Errand},
    line::Reply,
};
use crate::{
    command::Command,
    resp::Request,
    routing::{Cross, Gather, Refusal, Series, elements},
};

/// Most bytes of values that are brought from other nodes for one request: what a worker holds at once for it.
const MAX_GATHERED: usize = 64 * 1024 * 1024;
/// Most bytes that a reply has besides the one value in it.
const FRAMING: usize = 64;

pub(super) const ODD_REPLY: &[u8] = b"-ERR unexpected reply to a part of the command\r\n";

/// Does `command`, whose keys are of many slots.
pub(super) fn cross(client: &Rc<Client>, command: &'static Command, request: Request<'_>) -> Step {
    let cross = match Cross::of(command) {
        Ok(cross) => cross,
        Err(None) => return dispatch::refused(client, command, Refusal::CrossSlot),
        Err(Some(why)) => return refused(client, command, why),
    };
    if client.waits() {
        return Step::Hold;
    }
    match cross {
        Cross::Copies => copies(client, command, request),
        Cross::Rename | Cross::Copy => carry(client, command, cross, request),
        Cross::First | Cross::Every => fan(client, command, cross, request),
    }
}

fn refused(client: &Rc<Client>, command: &'static Command, why: &str) -> Step {
    let name = command.name.to_uppercase();
    refuse(client, Some(command), &format!("CROSSSLOT {name} is not served for keys of many slots: {why}"))
}

fn copies(client: &Rc<Client>, command: &'static Command, request: Request<'_>) -> Step {
    let gather = Gather::of(command, request, &client.worker.keys.borrow());
    let Some(gather) = gather else { return dispatch::refused(client, command, Refusal::CrossSlot) };
    send(client, command, false, gather::gather(Rc::clone(client), gather, command.read_only()))
}

fn carry(client: &Rc<Client>, command: &'static Command, cross: Cross, request: Request<'_>) -> Step {
    let (replace, database) = match cross {
        Cross::Copy => match carry::copy_options(request) {
            Ok(options) => options,
            Err(text) => return refuse(client, Some(command), text),
        },
        _ => (true, None),
    };
    let key = |at| request.arg(at).unwrap_or_default().to_vec();
    let carry = carry::Carry::new(client, key(1), key(2), replace).into_database(database);
    match cross {
        Cross::Copy => send(client, command, false, carry.copy()),
        _ => send(client, command, false, carry.rename()),
    }
}

fn fan(client: &Rc<Client>, command: &'static Command, cross: Cross, request: Request<'_>) -> Step {
    let waits = command.is_blocking(&request);
    let fan = fan::Fan {
        client: Rc::clone(client),
        series: Series::of(command, request, &client.worker.keys.borrow()),
        every: cross == Cross::Every,
        read_only: command.read_only(),
        waits,
        time: command.block_time(&request).and_then(|time| time.limit),
    };
    send(client, command, waits, fan.run())
}

/// Lets `work` make the reply.
fn send(
    client: &Rc<Client>,
    command: &'static Command,
    blocks: bool,
    work: impl Future<Output = Vec<u8>> + 'static,
) -> Step {
    let ticket = client.ticket(Some(command));
    apart::send(client, blocks, async move {
        let reply = work.await;
        move || ticket.answer(Reply::Own(reply.into()))
    });
    Step::Done
}

/// What the node of `errand` replies; an error reply too is an error.
pub(super) async fn ask(errand: Errand) -> Result<Vec<u8>, Vec<u8>> {
    let client = Rc::clone(&errand.client);
    let Answered { reply, connection, .. } = errand.run().await?;
    client.worker.pool.give_back(connection);
    if reply.starts_with(b"-") { Err(reply) } else { Ok(reply) }
}

/// The reply to the `commands` in the request of `errand`, which run as one transaction: an array of theirs.
async fn transact(commands: usize, errand: Errand) -> Result<Vec<u8>, Vec<u8>> {
    let request = [MULTI, &errand.request, EXEC].concat();
    let reply = ask(Errand { request, commands: u32::try_from(commands).ok(), ..errand }).await?;
    if elements(&reply).is_some() { Ok(reply) } else { Err(ODD_REPLY.to_vec()) }
}
