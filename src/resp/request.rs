//! Finds requests in what a client sent: RESP arrays of bulk strings, and inline commands.
//!
//! Resumable: a frame cut anywhere is looked at once, however many reads bring it. Touches only the
//! headers; arguments stay where they are. Stricter than Redis in one point: each CRLF must be one, so that
//! no client can make a node see other frame borders than slotway saw.

use super::{
    Request, Span,
    int::{Line, number_line},
};

/// Most arguments of one request, as in redis networking.c `processMultibulkBuffer`.
pub const MAX_ARGS: i64 = 1024 * 1024;
/// Longest inline request or header line, as in redis server.h `PROTO_INLINE_MAX_SIZE`.
pub const MAX_INLINE: usize = 64 * 1024;
/// Most arguments before a needed password was given, as in redis networking.c.
const MAX_ARGS_UNAUTHENTICATED: i64 = 10;
/// Longest argument before a needed password was given, as in redis networking.c.
const MAX_BULK_UNAUTHENTICATED: i64 = 16384;

/// What a client may send.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest argument in bytes.
    pub max_bulk: usize,
    /// Longest request in bytes; below 4 GiB.
    pub max_frame: usize,
    /// Whether the client gave the password, where one is needed.
    pub authenticated: bool,
}

/// Why a client's bytes are no request. The texts are those of redis networking.c.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// `*` without a usable count.
    #[error("ERR Protocol error: invalid multibulk length")]
    MultibulkLength,
    /// `$` without a usable length.
    #[error("ERR Protocol error: invalid bulk length")]
    BulkLength,
    /// Another byte where `$` must stand.
    #[error("ERR Protocol error: expected '$', got '{}'", char::from(*.0))]
    ExpectedBulk(u8),
    /// An argument that does not end with CRLF.
    #[error("ERR Protocol error: expected CRLF after the bulk string")]
    ExpectedCrlf,
    /// No end of line within [`MAX_INLINE`].
    #[error("ERR Protocol error: too big inline request")]
    InlineTooBig,
    /// An inline request whose quotes do not match.
    #[error("ERR Protocol error: unbalanced quotes in request")]
    UnbalancedQuotes,
    /// A request longer than `client-query-buffer-limit`.
    #[error("ERR Protocol error: request exceeds client-query-buffer-limit")]
    FrameTooBig,
    /// More arguments than a client without password may send.
    #[error("ERR Protocol error: unauthenticated multibulk length")]
    UnauthenticatedMultibulk,
    /// A longer argument than a client without password may send.
    #[error("ERR Protocol error: unauthenticated bulk length")]
    UnauthenticatedBulk,
}

impl ProtocolError {
    /// The error reply, its echoed byte as it came.
    pub fn reply(self) -> Vec<u8> {
        let mut reply = b"-".to_vec();
        match self {
            Self::ExpectedBulk(byte) => {
                reply.extend_from_slice(b"ERR Protocol error: expected '$', got '");
                // A line end would end the error before its time.
                reply.push(if matches!(byte, b'\r' | b'\n') { b' ' } else { byte });
                reply.push(b'\'');
            }
            other => reply.extend_from_slice(other.to_string().as_bytes()),
        }
        reply.extend_from_slice(b"\r\n");
        reply
    }
}

/// What [`RequestParser::scan`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scanned {
    /// The frame goes on; give the same bytes and more.
    Incomplete,
    /// A request of this many bytes; [`RequestParser::request`] shows it.
    Request(usize),
    /// An inline request of this many bytes, its line end included.
    Inline(usize),
    /// Nothing to answer in this many bytes: an empty array or line.
    Nothing(usize),
}

/// Where in a request the scan stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first byte.
    Start,
    /// Before the header of an argument, this many to come.
    Header(u32),
    /// In the argument that the last span names, this many to come with it.
    Body(u32),
}

/// Scans one request at a time, from its first byte.
#[derive(Debug)]
pub struct RequestParser {
    args: Vec<Span>,
    /// First byte not yet understood. Invariant: never past the bytes seen, but in `Body`, where it is
    /// the argument's start.
    at: usize,
    state: State,
}

impl Default for RequestParser {
    fn default() -> Self {
        Self { args: Vec::new(), at: 0, state: State::Start }
    }
}

impl RequestParser {
    /// Looks for one request at the start of `bytes`. After [`Scanned::Incomplete`] the next call must give
    /// the same bytes with more behind them; after anything else it starts afresh.
    ///
    /// # Errors
    /// When the bytes are no request or exceed `limits`: the client gets the text and is closed.
    #[inline]
    pub fn scan(&mut self, bytes: &[u8], limits: &Limits) -> Result<Scanned, ProtocolError> {
        if self.state == State::Start {
            self.args.clear();
            if let Some(len) = self.scan_whole(bytes, limits) {
                return Ok(Scanned::Request(len));
            }
            self.args.clear();
            match bytes.first() {
                None => return Ok(Scanned::Incomplete),
                Some(b'*') => {}
                Some(_) => return inline(bytes),
            }
            match number_line(bytes, 1) {
                Line::Incomplete => return Ok(Scanned::Incomplete),
                Line::Bad => return Err(ProtocolError::MultibulkLength),
                Line::Number(count, next) if count <= 0 => return Ok(Scanned::Nothing(next)),
                Line::Number(count, next) => self.begin(count, next, limits)?,
            }
        }
        self.scan_args(bytes, limits)
    }

    /// The request that the last [`Self::scan`] found in `bytes`.
    #[inline]
    pub fn request<'a>(&'a self, bytes: &'a [u8], len: usize) -> Request<'a> {
        Request::new(&bytes[..len], &self.args)
    }

    /// How long the frame is at least: more than was seen where a long argument is awaited.
    pub fn needs(&self) -> usize {
        match (self.state, self.args.last()) {
            (State::Body(_), Some(span)) => span.start as usize + span.len as usize + 2,
            (State::Header(_), _) => self.at + 1,
            _ => 1,
        }
    }

    /// Gives back memory that a long request left behind.
    pub fn shrink(&mut self) {
        if self.state == State::Start {
            self.args = Vec::new();
        }
    }

    /// The common case at once: a short request that is all there and breaks no rule. Its length.
    #[inline]
    fn scan_whole(&mut self, bytes: &[u8], limits: &Limits) -> Option<usize> {
        let [b'*', count @ b'1'..=b'9', b'\r', b'\n', ..] = bytes else { return None };
        let mut at = 4;
        for _ in b'0'..*count {
            let span = header(bytes, at, limits).ok()??;
            at = body_end(bytes, span).ok()??;
            self.args.push(span);
        }
        Some(at)
    }

    #[inline]
    fn begin(&mut self, count: i64, next: usize, limits: &Limits) -> Result<(), ProtocolError> {
        if count > MAX_ARGS {
            return Err(ProtocolError::MultibulkLength);
        }
        if !limits.authenticated && count > MAX_ARGS_UNAUTHENTICATED {
            return Err(ProtocolError::UnauthenticatedMultibulk);
        }
        self.at = next;
        self.state = State::Header(u32::try_from(count).map_err(|_| ProtocolError::MultibulkLength)?);
        Ok(())
    }

    #[inline]
    fn scan_args(&mut self, bytes: &[u8], limits: &Limits) -> Result<Scanned, ProtocolError> {
        loop {
            match self.state {
                State::Header(left) => {
                    let Some(span) = header(bytes, self.at, limits)? else { return Ok(Scanned::Incomplete) };
                    self.args.push(span);
                    self.at = span.start as usize;
                    self.state = State::Body(left);
                }
                State::Body(left) => {
                    let Some(end) = body_end(bytes, self.args.last().copied().unwrap_or_default())? else {
                        return Ok(Scanned::Incomplete);
                    };
                    self.at = end;
                    if left == 1 {
                        self.state = State::Start;
                        return Ok(Scanned::Request(end));
                    }
                    self.state = State::Header(left - 1);
                }
                State::Start => return Ok(Scanned::Incomplete),
            }
        }
    }
}

/// The argument whose header is at `at`, once the header is there.
#[inline(always)]
fn header(bytes: &[u8], at: usize, limits: &Limits) -> Result<Option<Span>, ProtocolError> {
    match bytes.get(at) {
        None => return Ok(None),
        Some(b'$') => {}
        Some(&other) => return Err(ProtocolError::ExpectedBulk(other)),
    }
    let (len, start) = match number_line(bytes, at + 1) {
        Line::Incomplete => return Ok(None),
        Line::Bad => return Err(ProtocolError::BulkLength),
        Line::Number(len, start) => (len, start),
    };
    if !limits.authenticated && len > MAX_BULK_UNAUTHENTICATED {
        return Err(ProtocolError::UnauthenticatedBulk);
    }
    let size =
        usize::try_from(len).ok().filter(|&l| l <= limits.max_bulk).ok_or(ProtocolError::BulkLength)?;
    if start + size + 2 > limits.max_frame {
        return Err(ProtocolError::FrameTooBig);
    }
    match (u32::try_from(start), u32::try_from(size)) {
        (Ok(start), Ok(len)) => Ok(Some(Span { start, len })),
        _ => Err(ProtocolError::FrameTooBig),
    }
}

/// Where the argument at `span` ends, its CRLF included, once it is all there.
#[inline]
fn body_end(bytes: &[u8], span: Span) -> Result<Option<usize>, ProtocolError> {
    let end = span.start as usize + span.len as usize;
    match bytes.get(end..end + 2) {
        None => Ok(None),
        Some(b"\r\n") => Ok(Some(end + 2)),
        Some(_) => Err(ProtocolError::ExpectedCrlf),
    }
}

/// An inline request: a line of words.
#[cold]
fn inline(bytes: &[u8]) -> Result<Scanned, ProtocolError> {
    let window = &bytes[..bytes.len().min(MAX_INLINE)];
    match memchr::memchr(b'\n', window) {
        None if bytes.len() > MAX_INLINE => Err(ProtocolError::InlineTooBig),
        None => Ok(Scanned::Incomplete),
        Some(end) if bytes[..end].iter().all(u8::is_ascii_whitespace) => Ok(Scanned::Nothing(end + 1)),
        Some(end) => Ok(Scanned::Inline(end + 1)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits = Limits { max_bulk: 1 << 20, max_frame: 1 << 24, authenticated: true };

    /// What a stream holds, by a parser fed with `step` bytes more at a time.
    fn all(stream: &[u8], step: usize) -> Result<Vec<Vec<Vec<u8>>>, ProtocolError> {
        let (mut parser, mut found, mut begin, mut seen) = (RequestParser::default(), Vec::new(), 0, 0);
        while seen < stream.len() {
            seen = (seen + step).min(stream.len());
            loop {
                let bytes = &stream[begin..seen];
                let (request, len) = match parser.scan(bytes, &LIMITS)? {
                    Scanned::Incomplete => break,
                    Scanned::Nothing(len) => (vec![], len),
                    Scanned::Inline(len) => (vec![bytes[..len].to_vec()], len),
                    Scanned::Request(len) => {
                        (parser.request(bytes, len).args_from(0).map(<[u8]>::to_vec).collect(), len)
                    }
                };
                found.push(request);
                begin += len;
            }
        }
        Ok(found)
    }

    fn encode(requests: &[Vec<Vec<u8>>]) -> Vec<u8> {
        let mut out = Vec::new();
        for request in requests {
            out.extend(format!("*{}\r\n", request.len()).bytes());
            for arg in request {
                out.extend(format!("${}\r\n", arg.len()).bytes());
                out.extend(arg);
                out.extend(b"\r\n");
            }
        }
        out
    }

    #[test]
    fn a_stream_means_the_same_however_it_is_cut() {
        let stream = b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\nPING hello\r\n\r\n*0\r\n*-1\r\n*1\r\n$0\r\n\r\nPING\n*3\r\n$3\r\nSET\r\n$4\r\n\r\n\r\n\r\n$2\r\n\x00\xff\r\n";
        let whole = all(stream, stream.len()).unwrap();
        assert_eq!(whole.len(), 8);
        for step in 1..stream.len() {
            assert_eq!(all(stream, step).unwrap(), whole, "{step} bytes at a time");
        }
    }

    #[test]
    fn a_long_argument_says_how_much_room_it_needs() {
        let mut parser = RequestParser::default();
        assert_eq!(parser.scan(b"*2\r\n$3\r\nGET\r\n$100000\r\nabc", &LIMITS), Ok(Scanned::Incomplete));
        assert_eq!(parser.needs(), 22 + 100_002);
    }

    #[test]
    fn what_is_no_request_gets_redis_s_words() {
        for (bytes, error) in [
            (&b"*x\r\n"[..], ProtocolError::MultibulkLength),
            (b"*1048577\r\n", ProtocolError::MultibulkLength),
            (b"*1\r\nGET\r\n", ProtocolError::ExpectedBulk(b'G')),
            (b"*1\r\n$-1\r\n", ProtocolError::BulkLength),
            (b"*1\r\n$x\r\n", ProtocolError::BulkLength),
            (b"*1\r\n$1048577\r\n", ProtocolError::BulkLength),
            (b"*1\r\n$1\r\nabc\r\n", ProtocolError::ExpectedCrlf),
            (&[b'a'; MAX_INLINE + 1], ProtocolError::InlineTooBig),
        ] {
            assert_eq!(all(bytes, bytes.len()), Err(error));
            assert_eq!(all(bytes, 1), Err(error));
        }
        let echo = |byte| ProtocolError::ExpectedBulk(byte).reply();
        assert_eq!(echo(b'\xff'), b"-ERR Protocol error: expected '$', got '\xff'\r\n");
        assert_eq!(echo(b'\n'), b"-ERR Protocol error: expected '$', got ' '\r\n");
    }

    #[test]
    fn a_client_without_password_may_send_little() {
        let limits = Limits { authenticated: false, ..LIMITS };
        let scan = |bytes: &[u8]| RequestParser::default().scan(bytes, &limits);
        assert_eq!(scan(b"*11\r\n"), Err(ProtocolError::UnauthenticatedMultibulk));
        assert_eq!(scan(b"*1\r\n$16385\r\n"), Err(ProtocolError::UnauthenticatedBulk));
        assert_eq!(scan(b"*10\r\n$16384\r\n"), Ok(Scanned::Incomplete));
    }

    #[test]
    fn a_request_beyond_the_buffer_limit_is_refused_at_its_header() {
        let limits = Limits { max_frame: 64, ..LIMITS };
        let got = RequestParser::default().scan(b"*2\r\n$3\r\nSET\r\n$60\r\n", &limits);
        assert_eq!(got, Err(ProtocolError::FrameTooBig));
    }

    proptest! {
        #[test]
        fn any_requests_are_found_again(
            requests in prop::collection::vec(prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..6), 0..8),
            step in 1_usize..50,
        ) {
            prop_assert_eq!(all(&encode(&requests), step).unwrap(), requests);
        }

        #[test]
        fn garbage_is_an_error_or_incomplete_and_the_same_at_any_cut(bytes in prop::collection::vec(prop::sample::select(b"*$-0123456789\r\nab\"".to_vec()), 0..60)) {
            prop_assert_eq!(all(&bytes, 1), all(&bytes, bytes.len().max(1)));
        }
    }
}
