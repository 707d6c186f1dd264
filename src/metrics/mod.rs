//! What is counted and timed, and how it is shown.
//!
//! The data path only writes [`Cell`]s: plain integers with one writer each. The control thread reads
//! them when somebody scrapes.

mod cell;
mod labels;
mod process;
mod registry;
mod render;
mod text;
mod topics;
mod worker;

pub use cell::{BUCKET_BOUNDS, BUCKETS, Cell, Histogram};
pub use labels::{CloseReason, ErrorKind, RefreshReason, RefreshResult, RetryReason};
pub use process::resident_memory;
pub use registry::{CommandSum, Durations, Metrics, NodeSum, OTHER};
pub use render::{ClusterFigures, RefreshCount, render};
pub use topics::Topics;
pub use worker::{CommandMetrics, NodeMetrics, WorkerMetrics};
