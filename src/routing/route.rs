//! Where a request goes.

use crate::{
    cluster::Slot,
    command::{Broadcast, Command, Handling, KeyError, Keys, Local, SplitKind, Transaction},
    resp::Request,
};

/// Where a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// To the owner of a slot.
    Owner(Slot),
    /// To any primary: it has no key.
    Any,
    /// In parts, to the owners of many slots.
    Split(SplitKind),
    /// To every primary.
    Broadcast(Broadcast),
    /// To every primary, where the administrator allows it.
    Admin(Broadcast),
    /// Nowhere: it is answered here.
    Local(Local),
    /// To the owner of a slot, where it may wait for something to happen.
    Block(Slot),
    /// To the primaries to which its client wrote, where it waits for that.
    Wait,
    /// To the owner of a slot, whose connection is the client's until its transaction ends.
    Watch(Slot),
    /// Nowhere: it acts on the client's transaction.
    Transaction(Transaction),
    /// To the owner of a slot, or any primary, with a script.
    Eval(Option<Slot>),
}

/// Why a request goes nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Its keys are of different slots.
    CrossSlot,
    /// Slotway does not serve the command.
    Unsupported,
    /// Slotway does not serve the command inside a transaction.
    InTransaction,
    /// Its keys can't be told.
    Keys(KeyError),
}

/// Where `request` goes, which is `command` with the right number of arguments. `keys` is scratch.
///
/// # Errors
/// When it can go nowhere.
#[inline]
pub fn route(command: &Command, request: Request<'_>, keys: &mut Keys) -> Result<Route, Refusal> {
    match command.handling {
        Handling::Forward if command.first_only => match request.arg(1) {
            Some(key) => Ok(Route::Owner(Slot::of(key))),
            None => Ok(Route::Any),
        },
        Handling::Forward => by_keys(command, request, keys),
        Handling::Eval => one_slot(command, request, keys).map(Route::Eval),
        Handling::Channel => request.arg(1).map_or(Ok(Route::Any), |name| Ok(Route::Owner(Slot::of(name)))),
        Handling::Split(kind) => Ok(split(kind, request)),
        Handling::Broadcast(kind) => Ok(Route::Broadcast(kind)),
        Handling::Admin(kind) => Ok(Route::Admin(kind)),
        Handling::Local(local) => Ok(Route::Local(local)),
        Handling::Transaction(Transaction::Watch) => {
            one_slot(command, request, keys).map(|slot| slot.map_or(Route::Any, Route::Watch))
        }
        Handling::Transaction(act) => Ok(Route::Transaction(act)),
        Handling::Wait => Ok(Route::Wait),
        Handling::Refuse => Err(Refusal::Unsupported),
    }
}

fn by_keys(command: &Command, request: Request<'_>, keys: &mut Keys) -> Result<Route, Refusal> {
    let slot = one_slot(command, request, keys)?;
    Ok(match slot {
        None => Route::Any,
        Some(slot) if command.is_blocking(&request) => Route::Block(slot),
        Some(slot) => Route::Owner(slot),
    })
}

/// The slot that all keys of `request` are of, if it has any.
fn one_slot(command: &Command, request: Request<'_>, keys: &mut Keys) -> Result<Option<Slot>, Refusal> {
    command.keys(&request, keys).map_err(Refusal::Keys)?;
    let mut slots = keys.iter().filter_map(|index| request.arg(index)).map(Slot::of);
    let Some(first) = slots.next() else { return Ok(None) };
    if slots.all(|slot| slot == first) { Ok(Some(first)) } else { Err(Refusal::CrossSlot) }
}

/// The slot of a request inside a transaction, if it has keys. `keys` is scratch.
///
/// A transaction runs whole on one node, where nothing waits: a request that blocks is like any other there,
/// and one that is split elsewhere must be of one slot.
///
/// # Errors
/// When it can be in no transaction.
pub fn route_queued(
    command: &Command,
    request: Request<'_>,
    keys: &mut Keys,
) -> Result<Option<Slot>, Refusal> {
    match command.handling {
        _ if RUN_BY_NODES.contains(&command.name) => Ok(None),
        // The slot of a shard channel is that of its name.
        _ if command.name == "spublish" => Ok(request.arg(1).map(Slot::of)),
        Handling::Forward | Handling::Eval | Handling::Split(_) => one_slot(command, request, keys),
        Handling::Channel
        | Handling::Broadcast(_)
        | Handling::Admin(_)
        | Handling::Local(_)
        | Handling::Transaction(_)
        | Handling::Wait => Err(Refusal::InTransaction),
        Handling::Refuse => Err(Refusal::Unsupported),
    }
}

/// Commands without keys that are the node's to run inside a transaction, whatever is done with them outside.
const RUN_BY_NODES: [&str; 8] = ["ping", "echo", "time", "lolwut", "publish", "unwatch", "wait", "waitaof"];

/// One slot is the common case and needs no parts.
fn split(kind: SplitKind, request: Request<'_>) -> Route {
    let mut parts = super::parts(kind, request);
    match (parts.next(), parts.next()) {
        (Some(only), None) => Route::Owner(only.slot),
        _ => Route::Split(kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{self, tests::Owned};

    fn of(line: &str) -> Result<Route, Refusal> {
        let owned = Owned::new(line);
        route(command::resolve(&owned.request()).unwrap(), owned.request(), &mut Keys::default())
    }

    fn queued(line: &str) -> Result<Option<Slot>, Refusal> {
        let owned = Owned::new(line);
        route_queued(command::resolve(&owned.request()).unwrap(), owned.request(), &mut Keys::default())
    }

    #[test]
    fn what_may_wait_goes_apart_from_the_rest() {
        let slot = Slot::of(b"a");
        assert_eq!(of("BLPOP a 0"), Ok(Route::Block(slot)));
        assert_eq!(of("BLMPOP 0 2 a {a}b LEFT"), Ok(Route::Block(slot)));
        assert_eq!(of("XREAD BLOCK 0 STREAMS a 0"), Ok(Route::Block(slot)));
        assert_eq!(of("XREAD COUNT 1 STREAMS a 0"), Ok(Route::Owner(slot)));
        assert_eq!(of("BRPOP a b 0"), Err(Refusal::CrossSlot));
        assert_eq!(of("WAIT 1 0"), Ok(Route::Wait));
    }

    #[test]
    fn a_watch_is_of_one_slot() {
        assert_eq!(of("WATCH a {a}b"), Ok(Route::Watch(Slot::of(b"a"))));
        assert_eq!(of("WATCH a b"), Err(Refusal::CrossSlot));
        assert_eq!(of("MULTI"), Ok(Route::Transaction(Transaction::Multi)));
    }

    #[test]
    fn inside_a_transaction_all_is_of_one_slot_and_run_by_one_node() {
        let slot = Slot::of(b"a");
        assert_eq!(queued("MGET a {a}b"), Ok(Some(slot)));
        assert_eq!(queued("MGET a b"), Err(Refusal::CrossSlot));
        assert_eq!(queued("MSET a 1 {a}b 2"), Ok(Some(slot)));
        assert_eq!(queued("BLPOP a 0"), Ok(Some(slot)));
        assert_eq!(queued("SPUBLISH a x"), Ok(Some(slot)));
        for line in ["PING", "TIME", "PUBLISH c m", "UNWATCH", "WAIT 0 0"] {
            assert_eq!(queued(line), Ok(None), "{line}");
        }
        assert_eq!(queued("HELLO 3"), Err(Refusal::InTransaction));
        assert_eq!(queued("MONITOR"), Err(Refusal::InTransaction));
    }
}
