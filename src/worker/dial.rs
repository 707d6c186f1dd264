//! Makes a connection to a node ready for requests of one profile.

use std::{future::poll_fn, io, time::Duration};

use secrecy::ExposeSecret;
use socket2::SockRef;
use tokio::net::TcpStream;

use super::{
    profile::{Profile, Whose},
    stream::Stream,
};
use crate::{
    cluster::NodeAddr,
    config::Config,
    node::Credentials,
    resp::{Protocol, ReplyScanner, encode_request},
};

/// Longest time to wait for a connection to be made.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Most bytes that the answers to the greeting may have.
const MAX_GREETING: usize = 64 * 1024;

/// Why a node could not be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum DialError {
    /// The socket failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The node refused the greeting.
    #[error("the node answered: {0}")]
    Refused(String),
    /// The node answered with something else than RESP.
    #[error("the node does not speak RESP")]
    Garbage,
    /// The worker that owns the connection could not make it.
    #[error("the shared connection could not be made")]
    Shared,
}

/// How long a dial may take.
pub(super) fn timeout(config: &Config) -> Duration {
    let configured = config.backend_timeout;
    if configured.is_zero() { TIMEOUT } else { configured.min(TIMEOUT) }
}

/// Connects to `addr`, gives the credentials and chooses the protocol and the database.
pub(super) async fn dial(
    addr: &NodeAddr,
    profile: impl Into<Profile>,
    credentials: &Credentials,
) -> Result<Stream, DialError> {
    let mut stream = connect(addr).await?;
    let (greeting, replies) = greeting(profile.into(), credentials);
    write_all(&mut stream, &greeting).await?;
    read_replies(&mut stream, replies).await?;
    Ok(stream)
}

/// A connection on which nothing was said yet.
async fn connect(addr: &NodeAddr) -> io::Result<Stream> {
    #[cfg(any(test, fuzzing))]
    if let Some(connected) = super::sim::connect(addr) {
        return connected;
    }
    let tcp = TcpStream::connect((addr.host(), addr.port())).await?;
    tcp.set_nodelay(true)?;
    // What was given up must not reach the node later: the kernel forgets at once what it could not send.
    SockRef::from(&tcp).set_linger(Some(Duration::ZERO))?;
    Ok(Stream::Tcp(tcp))
}

/// What is sent first, and how many replies are due for it.
fn greeting(profile: Profile, credentials: &Credentials) -> (Vec<u8>, usize) {
    let (mut bytes, mut replies) = (Vec::new(), 0);
    if let Some(password) = &credentials.password {
        let user = credentials.user.as_deref();
        let auth = [Some("AUTH"), user, Some(password.expose_secret())];
        encode_request(&mut bytes, &auth.into_iter().flatten().collect::<Vec<_>>());
        replies += 1;
    }
    if profile.database != 0 {
        encode_request(&mut bytes, &["SELECT", &profile.database.to_string()]);
        replies += 1;
    }
    match profile.protocol {
        Protocol::Resp3 => encode_request(&mut bytes, &["HELLO", "3"]),
        // A node that turns connections away says so unasked; a reply to this tells that it does not.
        Protocol::Resp2 => encode_request(&mut bytes, &["PING"]),
    }
    if profile.replica {
        encode_request(&mut bytes, &["READONLY"]);
        replies += 1;
    }
    if matches!(profile.whose, Whose::Tracker(_)) {
        encode_request(&mut bytes, &["CLIENT", "TRACKING", "ON", "BCAST", "NOLOOP"]);
        replies += 1;
    }
    (bytes, replies + 1)
}

pub(super) async fn write_all(stream: &mut Stream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let n = poll_fn(|cx| stream.poll_write(cx, &[io::IoSlice::new(bytes)])).await?;
        bytes = &bytes[n..];
    }
    Ok(())
}

/// Reads `due` replies, none of which may be an error.
async fn read_replies(stream: &mut Stream, mut due: usize) -> Result<(), DialError> {
    let (mut scanner, mut bytes) = (ReplyScanner::default(), Vec::new());
    while due > 0 {
        let room = MAX_GREETING.saturating_sub(bytes.len());
        if room == 0 || poll_fn(|cx| stream.poll_read_into(cx, &mut bytes, room)).await? == 0 {
            return Err(DialError::Io(io::ErrorKind::UnexpectedEof.into()));
        }
        while let Some(reply) = scanner.scan(&bytes).map_err(|_| DialError::Garbage)? {
            if reply.kind == b'-' {
                // No more than its first word: a node that does not know AUTH echoes the password.
                let word = bytes[1..reply.len].split(u8::is_ascii_whitespace).next().unwrap_or_default();
                return Err(DialError::Refused(String::from_utf8_lossy(word).into_owned()));
            }
            bytes.drain(..reply.len);
            if reply.kind != b'>' {
                due = due.checked_sub(1).ok_or(DialError::Garbage)?;
            }
        }
    }
    Ok(())
}
