//! L0: bytes to frames and back. Sans-IO, resumable, bounded; knows no socket, clock or cluster.

mod frame;

pub use frame::{Request, Span};
