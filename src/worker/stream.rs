//! A connected socket, TCP or unix, or a lane of a connection that workers share.

use std::{
    io,
    os::fd::{AsFd, AsRawFd},
    pin::{Pin, pin},
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use bytes::BufMut;
use rustix::{
    io::Errno,
    net::{RecvFlags, SendFlags, recv, send},
};
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream, Interest, ReadBuf},
    net::{TcpStream, UnixStream},
};

/// A connected socket, or what stands for one.
#[derive(Debug)]
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
    /// One end of a pair in this process: see [`super::pipe`].
    Lane(DuplexStream),
}

/// A stream of no runtime.
pub(super) enum Detached {
    Tcp(std::net::TcpStream),
    Unix(std::os::unix::net::UnixStream),
    Lane(DuplexStream),
}

impl Detached {
    /// Registers it with this thread's runtime.
    pub(super) fn attach(self) -> io::Result<Stream> {
        Ok(match self {
            Self::Tcp(tcp) => Stream::Tcp(TcpStream::from_std(tcp)?),
            Self::Unix(unix) => Stream::Unix(UnixStream::from_std(unix)?),
            Self::Lane(lane) => Stream::Lane(lane),
        })
    }
}

/// A peer that says nothing for so long is asked by the kernel whether it is there, and again every so often.
const KEEPALIVE: Duration = Duration::from_secs(15);
const KEEPALIVE_AGAIN: Duration = Duration::from_secs(5);

impl Stream {
    /// Whether it is no connection of its own.
    pub(super) fn is_lane(&self) -> bool {
        matches!(self, Self::Lane(_))
    }

    /// The number of its socket in this process, if it has one.
    pub(super) fn descriptor(&self) -> Option<i32> {
        match self {
            Self::Tcp(tcp) => Some(tcp.as_raw_fd()),
            Self::Unix(unix) => Some(unix.as_raw_fd()),
            Self::Lane(_) => None,
        }
    }

    /// Takes it off this thread's runtime.
    pub(super) fn detach(self) -> io::Result<Detached> {
        Ok(match self {
            Self::Tcp(tcp) => Detached::Tcp(tcp.into_std()?),
            Self::Unix(unix) => Detached::Unix(unix.into_std()?),
            Self::Lane(lane) => Detached::Lane(lane),
        })
    }

    /// Whether the peer has hung up, as far as is known: also when not all that it sent was read.
    pub(super) fn is_hung_up(&self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        let ready = match self {
            Self::Tcp(tcp) => pin!(tcp.ready(Interest::READABLE)).poll(&mut cx),
            Self::Unix(unix) => pin!(unix.ready(Interest::READABLE)).poll(&mut cx),
            Self::Lane(_) => Poll::Pending,
        };
        matches!(ready, Poll::Ready(Ok(ready)) if ready.is_read_closed())
    }

    /// Lets the kernel find out when the other machine is gone.
    pub(super) fn keep_alive(&self) {
        let every = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE_AGAIN).with_retries(3);
        if let Self::Tcp(tcp) = self
            && let Err(error) = SockRef::from(tcp).set_tcp_keepalive(&every)
        {
            tracing::debug!(%error, "no keepalive");
        }
    }

    /// Reads into `room`.
    #[inline]
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(tcp) => poll_receive(tcp, cx, room),
            Self::Unix(unix) => poll_receive(unix, cx, room),
            Self::Lane(lane) => {
                let mut buffer = ReadBuf::new(room);
                Pin::new(lane).poll_read(cx, &mut buffer).map_ok(|()| buffer.filled().len())
            }
        }
    }

    /// Reads into `room` what is there, whether or not the runtime has heard of it; from a lane nothing.
    #[inline]
    pub(super) fn try_read(&self, room: &mut [u8]) -> Poll<io::Result<usize>> {
        let received = match self {
            Self::Tcp(tcp) => recv(tcp, room, RecvFlags::DONTWAIT),
            Self::Unix(unix) => recv(unix, room, RecvFlags::DONTWAIT),
            Self::Lane(_) => return Poll::Pending,
        };
        match received {
            Err(Errno::WOULDBLOCK) => Poll::Pending,
            received => Poll::Ready(Ok(received?.1)),
        }
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
            Self::Tcp(tcp) => pin!(tcp.read_buf(&mut room)).poll(cx),
            Self::Unix(unix) => pin!(unix.read_buf(&mut room)).poll(cx),
            Self::Lane(lane) => pin!(lane.read_buf(&mut room)).poll(cx),
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
            (Self::Lane(lane), many) => Pin::new(lane).poll_write_vectored(cx, many),
        }
    }

    /// Writes from `slices` at once or not at all: nobody is woken when there is room again.
    pub(super) fn try_write(&mut self, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let written = match (self, slices) {
            (Self::Tcp(tcp), [one]) => try_send(tcp, one),
            (Self::Tcp(tcp), many) => tcp.try_write_vectored(many),
            (Self::Unix(unix), [one]) => try_send(unix, one),
            (Self::Unix(unix), many) => unix.try_write_vectored(many),
            (Self::Lane(lane), many) => {
                let mut cx = Context::from_waker(Waker::noop());
                return Pin::new(lane).poll_write_vectored(&mut cx, many);
            }
        };
        match written {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
            written => Poll::Ready(written),
        }
    }
}

/// A socket of the runtime that is received from and sent to without libc: glibc lets threads be cancelled during these
/// calls, which costs each a locked instruction before and after.
trait Socket: AsFd {
    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    fn try_io<R>(&self, interest: Interest, call: impl FnOnce() -> io::Result<R>) -> io::Result<R>;
}

impl Socket for TcpStream {
    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_read_ready(cx)
    }

    fn try_io<R>(&self, interest: Interest, call: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        self.try_io(interest, call)
    }
}

impl Socket for UnixStream {
    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_read_ready(cx)
    }

    fn try_io<R>(&self, interest: Interest, call: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        self.try_io(interest, call)
    }
}

/// Receives into `room`. A short transfer is the end of readiness, as in tokio's own reads: it saves the call that
/// would only say so.
#[inline]
fn poll_receive(socket: &impl Socket, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
    loop {
        let mut received = None;
        let tried = socket.try_io(Interest::READABLE, || {
            let (_, n) = recv(socket, &mut *room, RecvFlags::empty())?;
            received = Some(n);
            if 0 < n && n < room.len() { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
        });
        match (received, tried) {
            (Some(n), _) => return Poll::Ready(Ok(n)),
            (None, Err(error)) if error.kind() != io::ErrorKind::WouldBlock => {
                return Poll::Ready(Err(error));
            }
            (None, _) => ready!(socket.poll_read_ready(cx))?,
        }
    }
}

/// Sends what of `bytes` the socket takes at once.
#[inline]
fn try_send(socket: &impl Socket, bytes: &[u8]) -> io::Result<usize> {
    socket.try_io(Interest::WRITABLE, || Ok(send(socket, bytes, SendFlags::NOSIGNAL)?))
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::net::TcpListener;

    use super::*;

    async fn tcp_pair() -> (Stream, Stream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (one, other) =
            tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        (Stream::Tcp(one.unwrap()), Stream::Tcp(other.unwrap().0))
    }

    fn unix_pair() -> (Stream, Stream) {
        let (one, other) = UnixStream::pair().unwrap();
        (Stream::Unix(one), Stream::Unix(other))
    }

    /// The next bytes, at most `most`.
    async fn read(stream: &mut Stream, most: usize) -> Vec<u8> {
        let mut room = vec![0; most];
        let some = poll_fn(|cx| stream.poll_read(cx, &mut room));
        let n = tokio::time::timeout(Duration::from_secs(10), some).await.expect("nothing came").unwrap();
        room.truncate(n);
        room
    }

    async fn write(stream: &mut Stream, bytes: &[u8]) {
        let written = poll_fn(|cx| stream.poll_write(cx, &[io::IoSlice::new(bytes)])).await;
        assert_eq!(written.unwrap(), bytes.len());
    }

    fn has_nothing(stream: &mut Stream) -> bool {
        stream.poll_read(&mut Context::from_waker(Waker::noop()), &mut [0; 9]).is_pending()
    }

    #[tokio::test]
    async fn every_byte_is_read_and_who_waits_for_more_is_woken() {
        for (mut here, mut there) in [tcp_pair().await, unix_pair()] {
            write(&mut there, b"abc").await;
            assert_eq!(read(&mut here, 9).await, b"abc", "less than there is room for");
            assert!(has_nothing(&mut here));
            let (got, ()) = tokio::join!(read(&mut here, 3), write(&mut there, b"defg"));
            assert_eq!(got, b"def", "as much as there is room for");
            assert_eq!(read(&mut here, 1).await, b"g");
            assert!(has_nothing(&mut here));
            write(&mut there, b"last").await;
            drop(there);
            assert_eq!((read(&mut here, 9).await, read(&mut here, 9).await), (b"last".to_vec(), vec![]));
        }
    }

    #[tokio::test]
    async fn what_is_there_is_read_before_the_runtime_has_heard_of_it() {
        let (lane, _there) = tokio::io::duplex(9);
        assert!(Stream::Lane(lane).try_read(&mut [0; 9]).is_pending());
        for (mut here, mut there) in [tcp_pair().await, unix_pair()] {
            let mut room = [0; 9];
            assert!(here.try_read(&mut room).is_pending());
            assert!(has_nothing(&mut here), "the runtime knows so");
            write(&mut there, b"abcdef").await;
            assert!(has_nothing(&mut here), "nor has it heard of these");
            let mut try_read = |most: usize| match here.try_read(&mut room[..most]) {
                Poll::Ready(n) => room[..n.unwrap()].to_vec(),
                Poll::Pending => panic!("nothing came"),
            };
            assert_eq!(try_read(4), b"abcd");
            let (got, ()) = tokio::join!(read(&mut here, 3), write(&mut there, b"g"));
            assert_eq!(got, b"efg", "who waits for more is woken");
            drop(there);
            assert!(matches!(here.try_read(&mut room), Poll::Ready(Ok(0))));
        }
    }

    #[tokio::test]
    async fn a_full_socket_takes_more_once_it_was_read_from() {
        const PIECE: [u8; 4096] = [7; 4096];
        for (mut here, mut there) in [tcp_pair().await, unix_pair()] {
            let (mut written, mut seen) = (0, 0);
            while let Poll::Ready(n) = here.try_write(&[io::IoSlice::new(&PIECE)]) {
                written += n.unwrap();
            }
            while seen < written {
                seen += read(&mut there, 1 << 20).await.len();
            }
            assert_eq!(seen, written);
            write(&mut here, b"more").await;
            assert_eq!(read(&mut there, 9).await, b"more");
        }
    }

    #[tokio::test]
    async fn a_reset_is_an_error() {
        let (mut here, mut there) = tcp_pair().await;
        write(&mut here, b"never read").await;
        let Stream::Tcp(tcp) = &there else { unreachable!() };
        tcp.readable().await.unwrap();
        assert_eq!(read(&mut there, 5).await, b"never");
        drop(there);
        let error = poll_fn(|cx| here.poll_read(cx, &mut [0; 9])).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }
}
