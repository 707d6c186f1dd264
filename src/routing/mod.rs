//! L2: pure decisions. A request becomes a [`Route`], a node's reply becomes a [`Verdict`], a request over
//! many slots becomes parts. No I/O, no clock.

mod route;
mod split;
mod verdict;

pub use route::{Refusal, Route, route, route_queued};
pub use split::{Merge, Part, parts};
pub use verdict::{Redirect, RetryAfter, Verdict};
