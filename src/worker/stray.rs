//! Requests of a client that a node did not run where they were sent first: redirected, or waiting for their next
//! try. Later requests of the client that were sent along with them must not pass them unseen.
//!
//! Off the common path: most clients have none. Knows no socket.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

use crate::{cluster::Slot, routing::Touched};

/// A request that ran, or strays.
pub(super) struct Trace {
    /// Its place in its client's line.
    pub(super) number: u64,
    pub(super) slot: Slot,
    pub(super) keys: Touched,
    pub(super) read_only: bool,
}

/// What became of the order of a client's requests.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Passed {
    /// Nothing: it is kept.
    Nobody,
    /// A read ran before a write that was sent first: it must be asked again.
    ReadTooEarly,
    /// A write ran before these, which must not run any more.
    Overtook(Vec<u64>),
}

/// The strays of one client, by their places in its line.
#[derive(Default)]
pub(super) struct Strays {
    any: Cell<bool>,
    /// With each, whether a later request that must not run before it did.
    list: RefCell<BTreeMap<u64, (Trace, bool)>>,
}

impl Strays {
    /// Whether there are any.
    #[inline]
    pub(super) fn any(&self) -> bool {
        self.any.get()
    }

    /// Notes that a request strays.
    pub(super) fn note(&self, trace: Trace) {
        self.any.set(true);
        self.list.borrow_mut().entry(trace.number).or_insert((trace, false));
    }

    /// Whether the stray with this `number` was overtaken.
    pub(super) fn is_overtaken(&self, number: u64) -> bool {
        self.list.borrow().get(&number).is_some_and(|(_, overtaken)| *overtaken)
    }

    /// What it means that a request ran which left `ran`. Of the strays only those count that are still
    /// unanswered, as `waits` tells.
    pub(super) fn pass(&self, ran: &Trace, waits: impl Fn(u64) -> bool) -> Passed {
        let mut list = self.list.borrow_mut();
        while list.first_entry().is_some_and(|first| !waits(*first.key())) {
            list.pop_first();
        }
        self.any.set(!list.is_empty());
        let mut overtook = Vec::new();
        for (number, (stray, overtaken)) in list.range_mut(..ran.number) {
            let order_matters = stray.slot == ran.slot && !(stray.read_only && ran.read_only);
            if *overtaken || !order_matters || !waits(*number) || !stray.keys.meets(&ran.keys) {
                continue;
            }
            if ran.read_only {
                return Passed::ReadTooEarly;
            }
            *overtaken = true;
            overtook.push(*number);
        }
        if overtook.is_empty() { Passed::Nobody } else { Passed::Overtook(overtook) }
    }

    /// Forgets all.
    pub(super) fn clear(&self) {
        self.any.set(false);
        self.list.take();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::encode_request;

    fn trace(number: u64, line: &str, read_only: bool) -> Trace {
        let mut bytes = Vec::new();
        encode_request(&mut bytes, &line.split(' ').map(str::as_bytes).collect::<Vec<_>>());
        Trace { number, slot: Slot::of(b"t"), keys: Touched::by(&bytes), read_only }
    }

    fn strays() -> Strays {
        let strays = Strays::default();
        strays.note(trace(2, "MSET {t}a 1 {t}b 2", false));
        strays.note(trace(4, "MGET {t}b {t}c", true));
        strays
    }

    #[test]
    fn a_read_must_not_pass_a_write_of_its_keys() {
        let strays = strays();
        assert_eq!(strays.pass(&trace(5, "GET {t}b", true), |_| true), Passed::ReadTooEarly);
        assert_eq!(strays.pass(&trace(5, "GET {t}c", true), |_| true), Passed::Nobody, "reads pass reads");
        assert_eq!(strays.pass(&trace(1, "GET {t}b", true), |_| true), Passed::Nobody, "it was sent first");
    }

    #[test]
    fn a_write_that_passed_what_touches_its_keys_is_told_once() {
        let strays = strays();
        assert_eq!(strays.pass(&trace(5, "SET {t}d 1", false), |_| true), Passed::Nobody);
        assert_eq!(strays.pass(&trace(5, "SET {t}b 1", false), |_| true), Passed::Overtook(vec![2, 4]));
        assert!(strays.is_overtaken(2) && strays.is_overtaken(4) && !strays.is_overtaken(3));
        assert_eq!(strays.pass(&trace(6, "SET {t}b 1", false), |_| true), Passed::Nobody);
        assert_eq!(strays.pass(&trace(7, "GET {t}b", true), |_| true), Passed::Nobody);
    }

    #[test]
    fn who_was_answered_strays_no_more() {
        let strays = strays();
        assert_eq!(strays.pass(&trace(5, "GET {t}b", true), |number| number != 2), Passed::Nobody);
        assert!(strays.any());
        assert_eq!(strays.pass(&trace(5, "GET {t}b", true), |_| false), Passed::Nobody);
        assert!(!strays.any());
    }

    #[test]
    fn another_slot_has_its_own_order() {
        let strays = strays();
        let ran = Trace { slot: Slot::of(b"x"), ..trace(5, "SET {t}b 1", false) };
        assert_eq!(strays.pass(&ran, |_| true), Passed::Nobody);
    }
}
