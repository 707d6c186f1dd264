//! A connected socket, TCP or unix.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::BufMut;
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, UnixStream},
};

/// A connected socket.
///
/// Read and written through tokio's `poll_read` and `poll_write`: these take a short transfer for the end of
/// readiness, which saves the call that would only say so.
#[derive(Debug)]
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// A peer that says nothing for so long is asked by the kernel whether it is there, and again every so often.
const KEEPALIVE: Duration = Duration::from_secs(15);
const KEEPALIVE_AGAIN: Duration = Duration::from_secs(5);

impl Stream {
    /// Lets the kernel find out when the other machine is gone.
    pub(super) fn keep_alive(&self) {
        let every = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE_AGAIN).with_retries(3);
        if let Self::Tcp(tcp) = self
            && let Err(error) = SockRef::from(tcp).set_tcp_keepalive(&every)
        {
            tracing::debug!(%error, "no keepalive");
        }
    }

    /// Reads into `room`, after the bytes that it has.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(room);
        let poll = match self {
            Self::Tcp(tcp) => Pin::new(tcp).poll_read(cx, &mut buffer),
            Self::Unix(unix) => Pin::new(unix).poll_read(cx, &mut buffer),
        };
        poll.map_ok(|()| buffer.filled().len())
    }

    /// Reads at most `most` bytes to the end of `bytes`, which has room for them.
    pub(super) fn poll_read_into(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &mut Vec<u8>,
        most: usize,
    ) -> Poll<io::Result<usize>> {
        use tokio::io::AsyncReadExt;
        let mut room = bytes.limit(most);
        match self {
            Self::Tcp(tcp) => std::pin::pin!(tcp.read_buf(&mut room)).poll(cx),
            Self::Unix(unix) => std::pin::pin!(unix.read_buf(&mut room)).poll(cx),
        }
    }

    /// Writes from `slices`, at least one.
    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match (self, slices) {
            (Self::Tcp(tcp), [one]) => Pin::new(tcp).poll_write(cx, one),
            (Self::Tcp(tcp), many) => Pin::new(tcp).poll_write_vectored(cx, many),
            (Self::Unix(unix), [one]) => Pin::new(unix).poll_write(cx, one),
            (Self::Unix(unix), many) => Pin::new(unix).poll_write_vectored(cx, many),
        }
    }
}
