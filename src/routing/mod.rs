//! L2: pure decisions. A request becomes a [`Route`], a node's reply becomes a [`Verdict`], a request over
//! many slots becomes parts. No I/O, no clock.

mod channel;
mod cross;
mod cursor;
mod fold;
mod memory;
mod readers;
mod route;
mod settings;
mod split;
mod touched;
mod verdict;

pub use channel::{ChannelKind, Reach, is_event};
pub use cross::{Cross, Gather, Series, elements, is_nothing, string_together};
pub use cursor::Cursor;
pub use fold::{Fold, ScanPlace};
pub use readers::Readers;
pub use route::{Refusal, Route, route, route_queued};
pub use split::{Merge, Part, parts};
pub use touched::Touched;
pub use verdict::{Redirect, RetryAfter, Verdict};
