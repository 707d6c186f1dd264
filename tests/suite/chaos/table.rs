//! What was seen of each event, as a table in Markdown.

use std::{env, fmt, time::Duration};

use super::{
    stage::{Event, Promise},
    tally::{Fault, Tally},
};
use crate::support::Kind;

/// The names of the columns.
pub(super) const HEAD: &str = "\
| event | servers | replies | errors | lost | doubled | reordered | wrong | longest silence | elsewhere |
|---|---|---:|---|---:|---:|---:|---:|---:|---:|";

/// What was seen of one event.
pub(super) struct Row {
    event: &'static str,
    servers: Kind,
    all: Tally,
    /// Of the client that uses the third primary alone.
    elsewhere: Tally,
}

impl Row {
    pub(super) fn of(event: &Event, all: Tally, elsewhere: Tally) -> Self {
        Self { event: event.name, servers: event.kind, all, elsewhere }
    }

    /// Panics unless what was seen is what `event` promises.
    #[track_caller]
    pub(super) fn assert_kept(&self, event: &Event) {
        let broken = self.broken(event);
        assert!(broken.is_empty(), "{broken:?}\n{HEAD}\n{self}\n{:#?}", self.all.examples);
    }

    /// What was seen that must not be.
    fn broken(&self, event: &Event) -> Vec<String> {
        let mut broken = Vec::new();
        let mut must = |holds: bool, what: String| broken.extend((!holds).then_some(what));
        for fault in [Fault::Lost, Fault::Doubled, Fault::Reordered, Fault::Wrong] {
            // Replication is asynchronous: only the servers could prevent that.
            let by_vote = fault == Fault::Lost && event.voted;
            must(by_vote || self.all.faults(fault) == 0, format!("{fault:?}"));
        }
        for kind in self.all.errors.keys() {
            let may = match event.promise {
                Promise::Unnoticed => false,
                Promise::MayHaveRun => kind == "may have run",
                Promise::Down => ["may have run", "CLUSTERDOWN", "EXECABORT"].contains(&kind.as_str()),
            };
            must(may, format!("error {kind}"));
        }
        must(self.all.silence <= slack() * event.silence, "too long a silence".into());
        if event.local {
            must(self.elsewhere.errors.is_empty(), "errors elsewhere".into());
            must(self.elsewhere.silence <= slack() * QUIET, "silence elsewhere".into());
        }
        broken
    }
}

/// By how much silences may be longer than promised: in the ordinary suite other tests keep the machine busy, a long
/// run of `SLOTWAY_TEST_CHAOS` seconds has it for itself.
fn slack() -> u32 {
    if env::var_os("SLOTWAY_TEST_CHAOS").is_some() { 1 } else { 2 }
}

/// Longest silence of a client that has nothing to do with the event: a busy machine's.
const QUIET: Duration = Duration::from_secs(2);

impl fmt::Display for Row {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errors: Vec<String> =
            self.all.errors.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        let errors = if errors.is_empty() { "none".to_owned() } else { errors.join(", ") };
        let faults = [Fault::Lost, Fault::Doubled, Fault::Reordered, Fault::Wrong];
        let faults = faults.map(|fault| self.all.faults(fault).to_string()).join(" | ");
        let (silence, elsewhere) = (seconds(self.all.silence), seconds(self.elsewhere.silence));
        let (event, replies) = (self.event, self.all.replies);
        let servers = match self.servers {
            Kind::Redis => "Redis",
            Kind::Redis82 => "Redis 8.2",
            Kind::Valkey => "Valkey",
            Kind::Redis62 => "Redis 6.2",
            Kind::Valkey81 => "Valkey 8.1",
        };
        write!(out, "| {event} | {servers} | {replies} | {errors} | {faults} | {silence} | {elsewhere} |")
    }
}

fn seconds(span: Duration) -> String {
    format!("{:.2} s", span.as_secs_f64())
}
