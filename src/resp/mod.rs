//! L0: bytes to frames and back. Sans-IO, resumable, bounded; knows no socket, clock or cluster.

mod frame;
mod value;
mod write;

pub use frame::{Request, Span};
pub use value::{Value, ValueError, parse};
pub use write::{Protocol, ReplyWriter, encode_request};
