//! Where a request goes.

use crate::{
    cluster::Slot,
    command::{Broadcast, Command, Handling, KeyError, Keys, Local, SplitKind},
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
}

/// Why a request goes nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Its keys are of different slots.
    CrossSlot,
    /// Slotway does not serve the command.
    Unsupported,
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
        Handling::Channel => request.arg(1).map_or(Ok(Route::Any), |name| Ok(Route::Owner(Slot::of(name)))),
        Handling::Split(kind) => Ok(split(kind, request)),
        Handling::Broadcast(kind) => Ok(Route::Broadcast(kind)),
        Handling::Admin(kind) => Ok(Route::Admin(kind)),
        Handling::Local(local) => Ok(Route::Local(local)),
        Handling::Refuse => Err(Refusal::Unsupported),
    }
}

fn by_keys(command: &Command, request: Request<'_>, keys: &mut Keys) -> Result<Route, Refusal> {
    if command.is_blocking(&request) {
        return Err(Refusal::Unsupported);
    }
    command.keys(&request, keys).map_err(Refusal::Keys)?;
    let mut slots = keys.iter().filter_map(|index| request.arg(index)).map(Slot::of);
    let Some(first) = slots.next() else { return Ok(Route::Any) };
    if slots.all(|slot| slot == first) { Ok(Route::Owner(first)) } else { Err(Refusal::CrossSlot) }
}

/// One slot is the common case and needs no parts.
fn split(kind: SplitKind, request: Request<'_>) -> Route {
    let mut parts = super::parts(kind, request);
    match (parts.next(), parts.next()) {
        (Some(only), None) => Route::Owner(only.slot),
        _ => Route::Split(kind),
    }
}
