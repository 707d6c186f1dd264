//! What is counted and timed, and how it is shown.
//!
//! The data path only writes [`Cell`]s: plain integers with one writer each. The control thread reads
//! them when somebody scrapes.

mod cell;

pub use cell::{BUCKET_BOUNDS, BUCKETS, Cell, Histogram};
