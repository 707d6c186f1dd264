//! MULTI, EXEC, DISCARD, WATCH and UNWATCH. Texts as in redis multi.c.
//!
//! A transaction is queued here and goes out whole at EXEC, over connections that the client is lent (see
//! [`super::lending`]): no node holds one open, so one that is redirected is sent again like any request. Keys
//! are watched over a connection of another kind: see [`super::watch`].
//! Invariant: what EXEC sends is what was answered with QUEUED, no more and no less.

use std::{collections::BTreeSet, rc::Rc};

use super::{
    answers,
    bundle::{Bundle, EXEC, MULTI},
    client::Client,
    dispatch::{self, Step, may_send, refuse},
    flight::Flight,
    watch,
};
use crate::{
    cluster::Slot,
    command::{self, Command, CommandError, Handling, Local, Transaction},
    resp::Request,
    routing::{self, Refusal},
};

const ABORTED: &str = "EXECABORT Transaction discarded because of previous errors.";

/// A transaction that is not executed yet.
pub(super) struct Queued {
    /// MULTI and the commands, as they are sent.
    bytes: Vec<u8>,
    pub(super) commands: u32,
    slot: Option<Slot>,
    read_only: bool,
    /// What it calls the scripts that it runs.
    scripts: BTreeSet<Vec<u8>>,
    /// Whether a command could not be queued: EXEC then refuses all.
    aborted: bool,
}

impl Queued {
    /// Whether none of its commands may change anything.
    pub(super) fn read_only(&self) -> bool {
        self.read_only
    }

    /// Bytes that it holds.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }
}

/// Does what the command asks of a client that queues nothing.
pub(super) fn act(client: &Rc<Client>, command: &'static Command, act: Transaction) -> Step {
    match act {
        Transaction::Multi => multi(client, command),
        Transaction::Exec => refuse(client, Some(command), "ERR EXEC without MULTI"),
        Transaction::Discard => refuse(client, Some(command), "ERR DISCARD without MULTI"),
        Transaction::Watch | Transaction::Unwatch => {
            watch::unwatch(client);
            ok(client, command)
        }
    }
}

fn ok(client: &Rc<Client>, command: &'static Command) -> Step {
    client.reply(Some(command), b"+OK\r\n");
    Step::Done
}

fn multi(client: &Rc<Client>, command: &'static Command) -> Step {
    client.apart.change(|affairs| {
        let slot = affairs.watched.as_ref().map(|watched| watched.slot);
        let bytes = MULTI.to_vec();
        affairs.queued = Some(Queued {
            bytes,
            commands: 0,
            slot,
            read_only: true,
            scripts: BTreeSet::new(),
            aborted: false,
        });
    });
    ok(client, command)
}

/// Decides on `request` of a client that queues a transaction.
pub(super) fn dispatch(client: &Rc<Client>, request: Request<'_>) -> Step {
    let command = match command::resolve(&request) {
        Ok(command) => command,
        Err(error) => {
            let step = dispatch::unresolved(client, request, error);
            match error {
                CommandError::Arity("exec") => discard(client),
                _ if matches!(step, Step::Hold) => {}
                _ => abort(client),
            }
            return step;
        }
    };
    client.last_command.set(Some(command));
    match command.handling {
        Handling::Transaction(Transaction::Multi) => {
            refuse(client, Some(command), "ERR MULTI calls can not be nested")
        }
        Handling::Transaction(Transaction::Watch) => {
            refuse(client, Some(command), "ERR WATCH inside MULTI is not allowed")
        }
        Handling::Transaction(Transaction::Exec) => exec(client, command),
        Handling::Transaction(Transaction::Discard) => {
            discard(client);
            ok(client, command)
        }
        Handling::Local(local @ (Local::Quit | Local::Reset)) => {
            answers::answer(client, command, local, request)
        }
        _ => queue(client, command, request),
    }
}

/// Forgets the transaction and its watches.
fn discard(client: &Rc<Client>) {
    client.apart.change(|affairs| affairs.queued = None);
    watch::unwatch(client);
}

/// Puts `request` into the transaction, or says why it can't be there.
fn queue(client: &Rc<Client>, command: &'static Command, request: Request<'_>) -> Step {
    let routed = routing::route_queued(command, request, &mut client.worker.keys.borrow_mut());
    let most = client.worker.config.client_query_buffer_limit;
    let queued = client.apart.change(|affairs| {
        let queued = affairs.queued.as_mut();
        queued.map_or(Ok(()), |queued| queued.add(command, request, routed, most))
    });
    match queued {
        Ok(()) => {
            if command.handling == Handling::Eval {
                client.worker.note_eval(request);
            }
            client.reply(Some(command), b"+QUEUED\r\n");
            Step::Done
        }
        Err(Excluded::Refused(refusal)) => {
            abort(client);
            dispatch::refused(client, command, refusal)
        }
        Err(Excluded::TooLarge) => {
            abort(client);
            refuse(client, Some(command), "ERR the transaction exceeds client-query-buffer-limit")
        }
    }
}

/// Why a request is not in the transaction.
enum Excluded {
    Refused(Refusal),
    TooLarge,
}

impl Queued {
    fn add(
        &mut self,
        command: &Command,
        request: Request<'_>,
        routed: Result<Option<Slot>, Refusal>,
        most: usize,
    ) -> Result<(), Excluded> {
        let slot = routed.map_err(Excluded::Refused)?.or(self.slot);
        if self.slot.is_some() && slot != self.slot {
            return Err(Excluded::Refused(Refusal::CrossSlot));
        }
        if self.aborted {
            return Ok(());
        }
        if self.bytes.len() + request.frame().len() > most {
            return Err(Excluded::TooLarge);
        }
        self.slot = slot;
        self.read_only &= command.read_only();
        self.commands += 1;
        if let ("evalsha" | "evalsha_ro", Some(name)) = (command.name, request.arg(1)) {
            self.scripts.insert(name.to_vec());
        }
        self.bytes.extend_from_slice(request.frame());
        Ok(())
    }
}

/// The transaction will not run.
fn abort(client: &Client) {
    client.apart.change(|affairs| {
        if let Some(queued) = &mut affairs.queued {
            queued.aborted = true;
            queued.bytes = Vec::new();
            queued.scripts.clear();
        }
    });
}

/// EXEC: over connections that the client is lent, or where keys are watched.
fn exec(client: &Rc<Client>, command: &'static Command) -> Step {
    if client.apart.look(|affairs| affairs.queued.as_ref().is_some_and(|queued| queued.aborted)) {
        client.apart.change(|affairs| affairs.queued = None);
        watch::unwatch(client);
        return refuse(client, Some(command), ABORTED);
    }
    if client.apart.look(|affairs| affairs.watched.is_some()) {
        return watch::exec(client, command);
    }
    run(client, command)
}

fn run(client: &Rc<Client>, command: &'static Command) -> Step {
    let worker = &client.worker;
    let (slot, commands) = client
        .apart
        .look(|affairs| affairs.queued.as_ref().map(|queued| (queued.slot, queued.commands)))
        .unwrap_or_default();
    if commands == 0 {
        client.apart.change(|affairs| affairs.queued = None);
        client.reply(Some(command), b"*0\r\n");
        return Step::Done;
    }
    let may_send = slot.map_or_else(|| client.settled(worker.epoch()), |slot| may_send(client, slot));
    if !may_send || !client.borrow_connections() {
        return Step::Hold;
    }
    let profile = client.profile();
    let backend = match slot {
        Some(slot) => worker.owner(slot, profile),
        None => worker.any_primary(profile),
    };
    if backend.as_ref().is_some_and(|backend| backend.refuses(client)) {
        return Step::Hold;
    }
    let Some((bytes, bundle)) = take_queued(client) else { return Step::Done };
    if backend.is_none() && !worker.knows_cluster() {
        return refuse(client, Some(command), dispatch::NO_CLUSTER);
    }
    let mut flight = Flight::new(client.ticket(Some(command)), command, slot, worker.now());
    flight.bundle = Some(Box::new(bundle));
    match backend {
        Some(backend) => {
            worker.send_prepared(&backend, bytes, flight, false);
            worker.mind_many_keys(client);
        }
        None => worker.await_owner(client, flight, bytes),
    }
    Step::Done
}

/// The transaction as it is sent. The client queues nothing from here on.
pub(super) fn take_queued(client: &Client) -> Option<(Vec<u8>, Bundle)> {
    let Queued { mut bytes, commands, read_only, scripts, .. } =
        client.apart.change(|affairs| affairs.queued.take())?;
    bytes.extend_from_slice(EXEC);
    let mut bundle = Bundle::new(commands, read_only);
    bundle.scripts = scripts;
    Some((bytes, bundle))
}

/// Forgets the transaction and what is watched.
pub(super) fn reset(client: &Client) {
    client.apart.change(|affairs| affairs.queued = None);
    watch::unwatch(client);
}
