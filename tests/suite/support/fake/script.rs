//! What a node was told to do, and when.

use std::{
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};

/// One answer.
#[derive(Clone)]
pub(crate) enum Act {
    /// These bytes as they are.
    Reply(Vec<u8>),
    /// These bytes, then the end of the connection.
    Cut(Vec<u8>),
    /// The end of the connection without a byte.
    Close,
    /// Nothing, and nothing to later requests of the same connection either; it stays open.
    Stall,
    /// What the node would say by itself, once the gate is open.
    Hold(Arc<Gate>),
    /// What the node would say by itself.
    Behave,
}

impl Act {
    /// One line.
    pub(crate) fn reply(line: &str) -> Self {
        Self::Reply(format!("{line}\r\n").into_bytes())
    }
}

/// Closed until a test opens it.
#[derive(Default)]
pub(crate) struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    /// A closed gate.
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Lets everyone through, now and later.
    pub(crate) fn open(&self) {
        *self.open.lock().expect("not poisoned") = true;
        self.opened.notify_all();
    }

    /// Waits for the opening; a minute is more than any test takes.
    pub(super) fn pass(&self) {
        let open = self.open.lock().expect("not poisoned");
        drop(self.opened.wait_timeout_while(open, Duration::from_secs(60), |open| !*open));
    }
}

/// Acts by the start of the request they answer.
#[derive(Default)]
pub(super) struct Script {
    once: Vec<(String, Act)>,
    always: Vec<(String, Act)>,
}

impl Script {
    pub(super) fn once(&mut self, line: &str, act: Act) {
        self.once.push((line.to_owned(), act));
    }

    pub(super) fn always(&mut self, line: &str, act: Act) {
        self.always.push((line.to_owned(), act));
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The act for a request; single ones first, in the order they were given.
    pub(super) fn next(&mut self, line: &str) -> Act {
        if let Some(index) = self.once.iter().position(|(start, _)| line.starts_with(start.as_str())) {
            return self.once.remove(index).1;
        }
        let lasting = self.always.iter().find(|(start, _)| line.starts_with(start.as_str()));
        lasting.map_or(Act::Behave, |(_, act)| act.clone())
    }
}
