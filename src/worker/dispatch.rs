//! What happens to one request: the data path on one screen.

use std::rc::Rc;

use super::{
    Worker, answers, apart,
    backend::Backend,
    block, broadcast,
    client::Client,
    cross,
    flight::{Flight, Ticket},
    transaction, wait, watch,
};
use crate::{
    cluster::Slot,
    command::{self, Command, CommandError, SplitKind},
    local,
    resp::{ReplyWriter, Request},
    routing::{self, Merge, Refusal, Route},
};

/// Requests of so many bytes are handed on without a copy. Shorter ones are read into the scratch room, which stays in the
/// cache, and copied to those that wait for the same node: that costs less.
pub(super) const LONG: usize = 32 * 1024;

/// What the client's input loop does with the request.
pub(super) enum Step {
    /// Nothing: it is on its way or answered.
    Done,
    /// Keeps it until the client is woken.
    Hold,
    /// Sends its bytes there, which are so many that who owns them had better hand them on.
    Send(Rc<Backend>, Box<Flight>),
}

/// Decides on `request` of `client`.
#[inline]
pub(super) fn dispatch(client: &Rc<Client>, request: Request<'_>) -> Step {
    if client.apart.is_on() {
        return apart::dispatch(client, request);
    }
    plainly(client, request)
}

/// As [`dispatch`], for a client that has nothing apart.
#[inline]
pub(super) fn plainly(client: &Rc<Client>, request: Request<'_>) -> Step {
    let worker = &client.worker;
    let command = match command::resolve(&request) {
        Ok(command) => command,
        Err(error) => return unresolved(client, request, error),
    };
    if !client.authenticated.get() && !answers::needs_no_password(command) {
        return refuse(client, Some(command), NO_PASSWORD);
    }
    if client.listens.get() && answers::forbids(client, command) {
        return answers::refuse_forbidden(client, command);
    }
    client.last_command.set(Some(command));
    let route = routing::route(command, request, &mut worker.keys.borrow_mut());
    match route {
        Ok(Route::Owner(slot)) => forward(client, command, slot, request),
        Ok(Route::Local(local)) => answers::answer(client, command, local, request),
        Ok(Route::Admin(_)) if !worker.config.admin_commands => no_admin(client, command),
        Ok(Route::Broadcast(kind) | Route::Admin(kind)) => {
            broadcast::broadcast(client, command, kind, request)
        }
        Ok(Route::Split(kind)) => split(client, command, kind, request),
        Ok(Route::Any) => anywhere(client, command, request),
        Ok(Route::Transaction(act)) => transaction::act(client, command, act),
        Ok(Route::Watch(slot)) => watch::watch(client, command, slot, request),
        Ok(Route::Block(slot)) => block::block(client, command, slot, request),
        Ok(Route::Wait) => wait::wait(client, command, request),
        Ok(Route::Eval(slot)) => eval(client, command, slot, request),
        Err(Refusal::CrossSlot) if worker.config.cross_slot => cross::cross(client, command, request),
        Err(refusal) => refused(client, command, refusal),
    }
}

/// To the owner of `slot`.
#[inline]
fn forward(client: &Rc<Client>, command: &'static Command, slot: Slot, request: Request<'_>) -> Step {
    let worker = &client.worker;
    if !may_send(client, slot) {
        return Step::Hold;
    }
    let (backend, spread) = target(client, command, slot);
    let Some(backend) = backend else {
        return no_owner(client, command, Some(slot), spread, request.frame());
    };
    if backend.refuses(client) {
        return Step::Hold;
    }
    let ticket = client.ticket(Some(command));
    if !command.first_only {
        worker.mind_many_keys(client);
    }
    let mut flight = Flight::new(ticket, command, Some(slot), worker.now());
    worker.aim(&mut flight, &backend, spread);
    send(backend, flight, request)
}

/// Sends `request` to `backend`, unless it is [`LONG`].
#[inline(always)]
pub(super) fn send(backend: Rc<Backend>, flight: Flight, request: Request<'_>) -> Step {
    if request.frame().len() >= LONG {
        return Step::Send(backend, Box::new(flight));
    }
    backend.send(request.frame(), flight);
    Step::Done
}

/// Where `command` for `slot` goes, and whether a replica may answer it.
#[inline]
fn target(client: &Client, command: &Command, slot: Slot) -> (Option<Rc<Backend>>, bool) {
    let worker = &client.worker;
    if worker.may_spread(client, command, slot) {
        return (worker.reader(client.id, slot, client.profile()), true);
    }
    (worker.owner(slot, client.profile()), false)
}

/// Whether a request for `slot` would run behind all others of its client for that slot.
#[inline]
pub(super) fn may_send(client: &Rc<Client>, slot: Slot) -> bool {
    let worker = &client.worker;
    client.settled(worker.epoch()) && !(worker.is_unsettled(slot) && client.waits())
}

/// To any primary.
fn anywhere(client: &Rc<Client>, command: &'static Command, request: Request<'_>) -> Step {
    let worker = &client.worker;
    if !client.settled(worker.epoch()) {
        return Step::Hold;
    }
    let Some(backend) = worker.any_primary(client.profile()) else {
        return no_owner(client, command, None, false, request.frame());
    };
    if backend.refuses(client) {
        return Step::Hold;
    }
    let ticket = client.ticket(Some(command));
    send(backend, Flight::new(ticket, command, None, worker.now()), request)
}

/// To the owner of `slot`, or any primary, with a script.
fn eval(client: &Rc<Client>, command: &'static Command, slot: Option<Slot>, request: Request<'_>) -> Step {
    client.worker.note_eval(request);
    match slot {
        Some(slot) => forward(client, command, slot, request),
        None => anywhere(client, command, request),
    }
}

/// In parts, to the owners of many slots.
fn split(client: &Rc<Client>, command: &'static Command, kind: SplitKind, request: Request<'_>) -> Step {
    let worker = &client.worker;
    if kind == SplitKind::Mset && request.argc().is_multiple_of(2) {
        return refuse_with(client, request, CommandError::Arity(command.name));
    }
    let parts = routing::parts(kind, request);
    for part in parts.clone() {
        if !may_send(client, part.slot) {
            return Step::Hold;
        }
        if target(client, command, part.slot).0.is_some_and(|backend| backend.refuses(client)) {
            return Step::Hold;
        }
    }
    if !worker.knows_cluster() {
        return refuse(client, Some(command), NO_CLUSTER);
    }
    let (now, mute) = (worker.now(), client.next_is_mute());
    let keys = parts.clone().map(|part| part.keys(kind));
    let first = client.line().borrow_mut().join_split(command, now, mute, Merge::from(kind), keys);
    for (number, part) in (first..).zip(parts) {
        let flight = Flight::new(Ticket::new(Rc::clone(client), number), command, Some(part.slot), now);
        send_part(client, command, flight, part, request);
    }
    worker.mind_many_keys(client);
    Step::Done
}

fn send_part(
    client: &Rc<Client>,
    command: &Command,
    mut flight: Flight,
    part: routing::Part,
    request: Request<'_>,
) {
    let worker = &client.worker;
    let (backend, spread) = target(client, command, part.slot);
    match backend {
        Some(backend) => {
            worker.aim(&mut flight, &backend, spread);
            backend.send_with(part.size(request), flight, |block| {
                part.encode(request, block);
            });
        }
        None => {
            flight.spread = spread;
            let mut bytes = Vec::new();
            part.encode(request, &mut bytes);
            worker.await_owner(client, flight, bytes);
        }
    }
}

const NO_PASSWORD: &str = "NOAUTH Authentication required.";
pub(super) const NO_CLUSTER: &str = "CLUSTERDOWN no node of the cluster has answered yet";

/// The slot has no owner now; before anything is known of the cluster, waiting would not help.
#[cold]
fn no_owner(
    client: &Rc<Client>,
    command: &'static Command,
    slot: Option<Slot>,
    spread: bool,
    request: &[u8],
) -> Step {
    let worker = &client.worker;
    if !worker.knows_cluster() {
        return refuse(client, Some(command), NO_CLUSTER);
    }
    let mut flight = Flight::new(client.ticket(Some(command)), command, slot, worker.now());
    flight.spread = spread;
    worker.await_owner(client, flight, request.to_vec());
    Step::Done
}

#[cold]
pub(super) fn refused(client: &Rc<Client>, command: &'static Command, refusal: Refusal) -> Step {
    match refusal {
        Refusal::CrossSlot => {
            refuse(client, Some(command), "CROSSSLOT Keys in request don't hash to the same slot")
        }
        Refusal::InTransaction => {
            refuse(client, Some(command), "ERR Command not allowed inside a transaction")
        }
        Refusal::Keys(error) => refuse(client, Some(command), &error.to_string()),
        Refusal::Unsupported => {
            let mut reply = Vec::new();
            local::not_served(command.name, &mut ReplyWriter::new(&mut reply, client.protocol.get()));
            client.reply(Some(command), &reply);
            Step::Done
        }
    }
}

#[cold]
pub(super) fn no_admin(client: &Rc<Client>, command: &'static Command) -> Step {
    let name = command.name.replace('|', " ").to_uppercase();
    refuse(client, Some(command), &format!("NOPERM {name} is off: slotway runs without --admin-commands"))
}

/// Answers with the error `text`.
#[cold]
pub(super) fn refuse(client: &Rc<Client>, command: Option<&'static Command>, text: &str) -> Step {
    client.reply(command, answers::error(text).as_bytes());
    Step::Done
}

/// No command of the table, or the wrong number of arguments.
#[cold]
pub(super) fn unresolved(client: &Rc<Client>, request: Request<'_>, error: CommandError) -> Step {
    if !client.authenticated.get() {
        return refuse(client, None, NO_PASSWORD);
    }
    if error == CommandError::Unasked && Worker::discover(client, request.name()) {
        return Step::Hold;
    }
    refuse_with(client, request, error)
}

/// Answers with the text of `error`.
#[cold]
fn refuse_with(client: &Rc<Client>, request: Request<'_>, error: CommandError) -> Step {
    let mut reply = Vec::new();
    error.write(&request, &mut ReplyWriter::new(&mut reply, client.protocol.get()));
    client.reply(command::lookup(request.name()), &reply);
    Step::Done
}
