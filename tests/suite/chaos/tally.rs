//! What one client or all of them saw: how much, how often an error, and what must never be.

use std::{collections::BTreeMap, time::Duration};

use crate::support::Value;

/// Examples of errors and faults that are kept, to be read when a test fails.
const EXAMPLES: usize = 8;

/// What is due to a request by its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// No reply yet.
    Unknown,
    /// It ran.
    Done,
    /// It may have run, as its error said.
    Maybe,
    /// It did not run, as its error said.
    Refused,
}

/// What must not be seen, or only where replication loses what a primary acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    /// It was acknowledged and is not there.
    Lost,
    /// It is there twice.
    Doubled,
    /// It stands before what was sent first.
    Reordered,
    /// A reply that does not belong to its request, or a refused request that ran.
    Wrong,
}

/// Counts of all that was seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// Replies.
    pub(super) replies: u64,
    /// Error replies by their kind.
    pub(super) errors: BTreeMap<String, u64>,
    faults: BTreeMap<Fault, u64>,
    /// The longest time without any reply.
    pub(super) silence: Duration,
    /// Some errors, and some of the faults in words.
    pub(super) examples: Vec<String>,
}

impl Tally {
    /// What became of a request, by its reply, which is counted if it is an error.
    pub(super) fn fate(&mut self, reply: &Value) -> Fate {
        if !reply.is_error() {
            return Fate::Done;
        }
        let text = reply.text();
        let maybe = text.contains("may have been executed");
        let kind = if maybe { "may have run" } else { text.split(' ').next().unwrap_or_default() };
        *self.errors.entry(kind.to_owned()).or_default() += 1;
        self.example(|| text.clone());
        if maybe { Fate::Maybe } else { Fate::Refused }
    }

    /// Counts `fault`, told by `what`.
    pub(super) fn fault(&mut self, fault: Fault, what: impl FnOnce() -> String) {
        *self.faults.entry(fault).or_default() += 1;
        self.example(|| format!("{fault:?}: {}", what()));
    }

    fn example(&mut self, what: impl FnOnce() -> String) {
        if self.examples.len() < EXAMPLES {
            let example = what();
            if !self.examples.contains(&example) {
                self.examples.push(example);
            }
        }
    }

    /// How often `fault` was seen.
    pub(super) fn faults(&self, fault: Fault) -> u64 {
        self.faults.get(&fault).copied().unwrap_or(0)
    }

    /// Adds what another client saw.
    pub(super) fn add(&mut self, other: Self) {
        self.replies += other.replies;
        self.silence = self.silence.max(other.silence);
        other.errors.into_iter().for_each(|(kind, count)| *self.errors.entry(kind).or_default() += count);
        other.faults.into_iter().for_each(|(fault, count)| *self.faults.entry(fault).or_default() += count);
        other.examples.into_iter().for_each(|example| self.example(|| example));
    }
}
