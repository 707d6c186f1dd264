//! Waiting for a condition, never for a span of time.

use std::{
    thread,
    time::{Duration, Instant},
};

/// How long anything local may take before the test calls it broken: far beyond what a loaded machine needs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The pause between two looks at a condition.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// What `probe` finds, asked again and again until it finds something; fails the test after `PATIENCE`.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, probe: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, what, probe)
}

/// The same with its own limit.
#[track_caller]
pub(crate) fn within<T>(limit: Duration, what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + limit;
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(Instant::now() < end, "not within {limit:?}: {what}");
        thread::sleep(LOOK_AGAIN);
    }
}
