//! What a client sends: read, cut into requests, each dispatched; and kept while it must wait.

use std::{
    io,
    ops::Range,
    rc::Rc,
    task::{Context, Poll, ready},
};

use bytes::Buf;

use super::Client;
use crate::{
    metrics::CloseReason,
    resp::{Limits, ProtocolError, Request, RequestParser, Scanned, encode_inline},
    worker::{
        backend::Backend,
        dispatch::{self, LONG, Step},
        flight::Flight,
        intake::{Filled, Intake},
        spare,
    },
};

/// Bytes of requests that are read behind one that blocks; of a client that sent more only the kernel knows
/// whether it has hung up, which is asked from time to time.
pub(in crate::worker) const MAX_HELD: usize = 64 * 1024;

/// What was read and not taken, and the request at its start.
#[derive(Default)]
pub(super) struct Input {
    pub(super) intake: Intake,
    pub(super) parser: RequestParser,
}

impl Client {
    /// Reads once and takes the requests that are complete.
    pub(super) fn poll_requests(self: &Rc<Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut scratch = self.worker.scratch.borrow_mut();
        let mut input = self.input.borrow_mut();
        // What is shorter is copied: with what follows it, it comes into the scratch room.
        let needs = match input.parser.needs() {
            ..LONG => 0,
            long => long,
        };
        let (filled, n) = match &mut *self.stream.borrow_mut() {
            Some(stream) => ready!(input.intake.poll_fill(cx, stream, &mut scratch, needs))?,
            None => return Poll::Pending,
        };
        self.worker.metrics.client_in.add(n as u64);
        self.bytes_in.update(|bytes| bytes + n as u64);
        self.worker.moderation.note_heard(self.active.replace(self.worker.tick_clock()));
        self.worker.follow_topology();
        self.line.borrow_mut().begin_batch();
        match filled {
            // Nobody would take what a node gives to a client that hung up.
            Filled::End if self.apart.blocks() => {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            Filled::End => self.end(CloseReason::Client, false),
            Filled::Scratch(len) => {
                let bytes = &scratch[..len];
                let consumed = self.consume(bytes, &mut input.parser, |range, backend, flight| {
                    backend.send(&bytes[range], flight);
                });
                input.intake.keep(&bytes[consumed..]);
            }
            Filled::Part => {}
            Filled::Kept => {
                drop(input);
                drop(scratch);
                self.consume_kept();
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Reads on while requests wait for the one before them, up to a bound: a client that hangs up while it
    /// blocks must be noticed.
    pub(super) fn poll_while_held(&self, cx: &mut Context<'_>) -> Poll<CloseReason> {
        let mut scratch = self.worker.scratch.borrow_mut();
        let mut input = self.input.borrow_mut();
        let mut stream = self.stream.borrow_mut();
        let Some(stream) = &mut *stream else { return Poll::Pending };
        while input.intake.len() < MAX_HELD {
            match ready!(input.intake.poll_fill(cx, stream, &mut scratch, 1)) {
                Ok((Filled::Scratch(len), _)) => input.intake.keep(&scratch[..len]),
                Ok((Filled::Kept | Filled::Part, _)) => {}
                Ok((Filled::End, _)) => return Poll::Ready(CloseReason::Client),
                Err(_) => return Poll::Ready(CloseReason::Io),
            }
        }
        if stream.is_hung_up() { Poll::Ready(CloseReason::Client) } else { Poll::Pending }
    }

    /// Takes the requests that were read before. Those that are [`LONG`] go on without a copy.
    pub(super) fn consume_kept(self: &Rc<Self>) {
        self.worker.follow_topology();
        let mut input = self.input.borrow_mut();
        let input = &mut *input;
        let mut bytes = input.intake.take();
        self.held.set(false);
        let consumed = self.consume(&bytes, &mut input.parser, |range, backend, flight| {
            if spare::may_share(range.len(), bytes.len()) {
                backend.send_owned(bytes.slice(range), flight);
            } else {
                backend.send(&bytes[range], flight);
            }
        });
        bytes.advance(consumed);
        input.intake.put_back(bytes);
    }

    /// Takes requests off the start of `bytes` while that is possible; `send` is told where in them those are that are
    /// [`LONG`]. Returns how many bytes they were.
    fn consume(
        self: &Rc<Self>,
        bytes: &[u8],
        parser: &mut RequestParser,
        send: impl Fn(Range<usize>, Rc<Backend>, Flight),
    ) -> usize {
        let (mut at, mut taken) = (0, 0);
        while at < bytes.len() {
            match self.take_one(&bytes[at..], parser) {
                Taken::Nothing => break,
                Taken::Bytes(len) => at += len,
                Taken::Large(len, backend, flight) => {
                    send(at..at + len, backend, *flight);
                    at += len;
                }
            }
            taken += 1;
        }
        self.worker.moderation.note_taken(taken);
        if self.deaf.get() { bytes.len() } else { at }
    }

    /// Takes one request off the start of `bytes`, and decides on it.
    #[inline]
    fn take_one(self: &Rc<Self>, bytes: &[u8], parser: &mut RequestParser) -> Taken {
        if self.deaf.get() {
            return Taken::Nothing;
        }
        if self.is_full() {
            self.leave_line();
            self.held.set(!bytes.is_empty());
            return Taken::Nothing;
        }
        let config = &self.worker.config;
        let limits = Limits {
            max_bulk: config.proto_max_bulk_len,
            max_frame: config.client_query_buffer_limit,
            authenticated: self.authenticated.get(),
        };
        match parser.scan(bytes, &limits) {
            Ok(Scanned::Incomplete) => Taken::Nothing,
            Ok(Scanned::Nothing(len)) => Taken::Bytes(len),
            Ok(Scanned::Inline(len)) => self.take_inline(&bytes[..len]),
            Ok(Scanned::Request(len)) => self.dispatch(parser.request(bytes, len), len),
            Err(error) => self.protocol_error(error),
        }
    }

    #[inline]
    fn dispatch(self: &Rc<Self>, request: Request<'_>, len: usize) -> Taken {
        match dispatch::dispatch(self, request) {
            Step::Hold => {
                self.held.set(true);
                Taken::Nothing
            }
            Step::Done => Taken::Bytes(len),
            Step::Send(backend, flight) => Taken::Large(len, backend, flight),
        }
    }

    /// An inline request, made into an array first.
    #[cold]
    fn take_inline(self: &Rc<Self>, line: &[u8]) -> Taken {
        let mut bytes = Vec::new();
        if let Err(error) = encode_inline(line.trim_ascii_end(), &mut bytes) {
            return self.protocol_error(error);
        }
        let mut parser = RequestParser::default();
        let limits = Limits { max_bulk: usize::MAX, max_frame: u32::MAX as usize, authenticated: true };
        let Ok(Scanned::Request(len)) = parser.scan(&bytes, &limits) else { return Taken::Bytes(line.len()) };
        match self.dispatch(parser.request(&bytes, len), line.len()) {
            Taken::Large(_, backend, flight) => {
                backend.send(&bytes, *flight);
                Taken::Bytes(line.len())
            }
            taken => taken,
        }
    }

    #[cold]
    fn protocol_error(self: &Rc<Self>, error: ProtocolError) -> Taken {
        tracing::debug!(client = self.id, %error, "closing client");
        self.reply(None, &error.reply());
        self.end(CloseReason::Protocol, true);
        Taken::Nothing
    }
}

/// What was taken off the start of the input.
enum Taken {
    /// Nothing: it is incomplete, or must wait.
    Nothing,
    /// So many bytes that need no more.
    Bytes(usize),
    /// A request of so many bytes, to be sent there.
    Large(usize, Rc<Backend>, Box<Flight>),
}
