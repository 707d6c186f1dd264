//! What was asked of one key and what became of it: so that what the key holds can be judged.
//!
//! Order is judged among what was acknowledged: a write that may have run may also run late.

use std::collections::BTreeSet;

use super::tally::{Fate, Fault, Tally};
use crate::support::Value;

/// A list to which one client appends 0, 1, 2 and so on.
pub(super) struct List {
    pub(super) key: String,
    /// What became of each number; nothing is kept once the list was judged.
    fates: Vec<Fate>,
    judged: bool,
}

impl List {
    pub(super) fn new(key: String) -> Self {
        Self { key, fates: Vec::new(), judged: false }
    }

    /// The number to append next.
    pub(super) fn next(&mut self) -> usize {
        self.fates.push(Fate::Unknown);
        self.fates.len() - 1
    }

    /// What became of `number`.
    pub(super) fn heard(&mut self, number: usize, fate: Fate) {
        self.fates[number] = fate;
    }

    /// Whether it was judged before.
    pub(super) fn is_judged(&self) -> bool {
        self.judged
    }

    /// Judges the elements that were found, once and for all.
    pub(super) fn judge(&mut self, found: &[Value], tally: &mut Tally) {
        self.compare(found, tally);
        self.judged = true;
        self.fates = Vec::new();
    }

    fn compare(&self, found: &[Value], tally: &mut Tally) {
        let key = &self.key;
        let mut seen = vec![false; self.fates.len()];
        let mut last = None;
        for element in found {
            let number = element.text().parse::<usize>().ok().filter(|&number| number < seen.len());
            let Some(number) = number else {
                tally.fault(Fault::Wrong, || format!("{key} holds {element:?}"));
                continue;
            };
            if std::mem::replace(&mut seen[number], true) {
                tally.fault(Fault::Doubled, || format!("{key} holds {number} twice"));
            } else if self.fates[number] == Fate::Done {
                if last > Some(number) {
                    tally.fault(Fault::Reordered, || format!("{key} holds {number} behind {last:?}"));
                }
                last = last.max(Some(number));
            }
        }
        for (number, (fate, seen)) in self.fates.iter().zip(seen).enumerate() {
            match (fate, seen) {
                (Fate::Done, false) => tally.fault(Fault::Lost, || format!("{key} lacks {number}")),
                (Fate::Refused, true) => {
                    tally.fault(Fault::Wrong, || format!("{key} holds {number}, which was refused"));
                }
                _ => {}
            }
        }
    }
}

/// A value that one client overwrites with 1, 2, 3 and so on.
#[derive(Default)]
pub(super) struct Versions {
    sent: u64,
    acked: u64,
    maybe: BTreeSet<u64>,
}

impl Versions {
    /// The version to write next.
    pub(super) fn next(&mut self) -> u64 {
        self.sent += 1;
        self.sent
    }

    /// The newest version that was sent.
    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    /// What became of `version`.
    pub(super) fn heard(&mut self, version: u64, fate: Fate) {
        match fate {
            Fate::Done => self.acked = version,
            Fate::Maybe => drop(self.maybe.insert(version)),
            Fate::Unknown | Fate::Refused => {}
        }
    }

    /// Judges what a read found that was sent behind version `sent`, when all before it is answered.
    pub(super) fn judge(&self, key: &str, found: &Value, sent: u64, tally: &mut Tally) {
        let version = match found {
            Value::Nil => 0,
            other => other.text().parse().unwrap_or(u64::MAX),
        };
        if version > sent {
            tally.fault(Fault::Wrong, || format!("{key} is {found:?}, {sent} was sent"));
        } else if version < self.acked && !self.maybe.contains(&version) {
            tally.fault(Fault::Lost, || format!("{key} is {found:?}, {} was acknowledged", self.acked));
        }
    }
}

/// A number that one client increments.
#[derive(Default)]
pub(super) struct Count {
    acked: u64,
    maybe: u64,
}

impl Count {
    /// What became of one increment.
    pub(super) fn heard(&mut self, fate: Fate) {
        match fate {
            Fate::Done => self.acked += 1,
            Fate::Maybe => self.maybe += 1,
            Fate::Unknown | Fate::Refused => {}
        }
    }

    /// Judges the number that was found in the end.
    pub(super) fn judge(&self, key: &str, found: &Value, tally: &mut Tally) {
        let number: u64 = if *found == Value::Nil { 0 } else { found.text().parse().unwrap_or(u64::MAX) };
        let (least, most) = (self.acked, self.acked + self.maybe);
        for _ in number..least {
            tally.fault(Fault::Lost, || format!("{key} is {number}, at least {least} was due"));
        }
        for _ in most..number {
            tally.fault(Fault::Doubled, || format!("{key} is {number}, at most {most} was due"));
        }
    }
}

#[test]
fn a_list_is_judged_by_what_its_client_was_told() {
    let mut list = List::new("k".into());
    for fate in [Fate::Done, Fate::Maybe, Fate::Done, Fate::Refused, Fate::Done] {
        let number = list.next();
        list.heard(number, fate);
    }
    let judged = |found: &[&str]| {
        let mut tally = Tally::default();
        list.compare(&found.iter().map(Value::bulk).collect::<Vec<_>>(), &mut tally);
        [Fault::Lost, Fault::Doubled, Fault::Reordered, Fault::Wrong].map(|fault| tally.faults(fault))
    };
    assert_eq!(judged(&["0", "2", "4"]), [0, 0, 0, 0]);
    assert_eq!(judged(&["0", "2", "4", "1"]), [0, 0, 0, 0], "what may have run may run late");
    assert_eq!(judged(&["0", "4", "2"]), [0, 0, 1, 0]);
    assert_eq!(judged(&["0", "2", "2", "4"]), [0, 1, 0, 0]);
    assert_eq!(judged(&["0", "2", "3"]), [1, 0, 0, 1]);
}

#[test]
fn a_count_lies_between_what_was_acknowledged_and_what_may_have_run() {
    let mut count = Count::default();
    [Fate::Done, Fate::Maybe, Fate::Refused, Fate::Done].into_iter().for_each(|fate| count.heard(fate));
    let judged = |found: i64| {
        let mut tally = Tally::default();
        count.judge("k", &Value::Integer(found), &mut tally);
        [Fault::Lost, Fault::Doubled].map(|fault| tally.faults(fault))
    };
    assert_eq!([1, 2, 3, 4].map(judged), [[1, 0], [0, 0], [0, 0], [0, 1]]);
}
