//! L0: bytes to frames and back. Sans-IO, resumable, bounded; knows no socket, clock or cluster.

mod cut;
mod frame;
mod inline;
mod int;
mod push;
mod reply;
mod request;
mod value;
mod write;

pub use cut::{ASKING, Cut, CutError, Cutter, HELD};
pub use frame::{Request, Span};
pub use inline::encode_inline;
pub use push::{encode_invalidation, invalidated, strings};
pub use reply::{Reply, ReplyError, ReplyScanner};
pub use request::{Limits, MAX_ARGS, MAX_INLINE, ProtocolError, RequestParser, Scanned};
pub use value::{Value, ValueError, parse};
pub use write::{Protocol, ReplyWriter, encode_request};
