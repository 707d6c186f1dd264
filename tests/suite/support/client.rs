//! A blocking client that sees every byte.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, TcpStream},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use super::{
    resp::{self, Value, encode},
    wait::PATIENCE,
};

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// One connection; every wait ends after [`PATIENCE`] by failing the test.
pub(crate) struct Client {
    stream: Stream,
    unread: Vec<u8>,
    start: usize,
}

impl Client {
    /// Connects to a loopback port.
    #[track_caller]
    pub(crate) fn connect(port: u16) -> Self {
        Self::try_connect(port).unwrap_or_else(|error| panic!("connect to port {port}: {error}"))
    }

    /// The same, when it may be refused.
    pub(crate) fn try_connect(port: u16) -> std::io::Result<Self> {
        Self::over(TcpStream::connect(("127.0.0.1", port))?)
    }

    /// Over a connected socket.
    pub(crate) fn over(stream: TcpStream) -> std::io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream: Stream::Tcp(stream), unread: Vec::new(), start: 0 })
    }

    /// Connects to a Unix socket.
    pub(crate) fn connect_unix(path: &Path) -> Self {
        let stream = UnixStream::connect(path).expect("the Unix socket");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        Self { stream: Stream::Unix(stream), unread: Vec::new(), start: 0 }
    }

    /// Shorter or longer waits for replies.
    pub(crate) fn patience(&self, limit: Duration) {
        match &self.stream {
            Stream::Tcp(stream) => stream.set_read_timeout(Some(limit)),
            Stream::Unix(stream) => stream.set_read_timeout(Some(limit)),
        }
        .expect("a timeout");
    }

    /// How long a write may wait for the other end to read.
    pub(crate) fn write_patience(&self, limit: Duration) {
        match &self.stream {
            Stream::Tcp(stream) => stream.set_write_timeout(Some(limit)),
            Stream::Unix(stream) => stream.set_write_timeout(Some(limit)),
        }
        .expect("a timeout");
    }

    /// Sends these bytes as they are.
    #[track_caller]
    pub(crate) fn send_raw(&mut self, bytes: &[u8]) {
        self.try_send_raw(bytes).expect("the proxy reads");
    }

    /// The same, when the other end may be gone.
    pub(crate) fn try_send_raw(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match &mut self.stream {
            Stream::Tcp(stream) => stream.write_all(bytes),
            Stream::Unix(stream) => stream.write_all(bytes),
        }
    }

    /// Sends one request.
    #[track_caller]
    pub(crate) fn send<A: AsRef<[u8]>>(&mut self, args: &[A]) {
        self.send_raw(&encode(args));
    }

    /// Sends one request and reads its reply.
    #[track_caller]
    pub(crate) fn request<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Value {
        self.send(args);
        self.reply()
    }

    /// A request written as one line, words parted by spaces.
    #[track_caller]
    pub(crate) fn run(&mut self, line: &str) -> Value {
        self.request(&line.split(' ').collect::<Vec<_>>())
    }

    /// Sends all lines in one write and reads all replies.
    #[track_caller]
    pub(crate) fn pipeline(&mut self, lines: &[&str]) -> Vec<Value> {
        let bytes: Vec<u8> =
            lines.iter().flat_map(|line| encode(&line.split(' ').collect::<Vec<_>>())).collect();
        self.send_raw(&bytes);
        lines.iter().map(|_| self.reply()).collect()
    }

    /// The next reply.
    #[track_caller]
    pub(crate) fn reply(&mut self) -> Value {
        match self.try_reply() {
            Ok(Some(value)) => value,
            Ok(None) => {
                panic!("closed before the reply; unread: {:?}", self.shown())
            }
            Err(error) => panic!("no reply: {error}; unread: {:?}", self.shown()),
        }
    }

    /// The next reply; `None` when the other end closed first.
    pub(crate) fn try_reply(&mut self) -> std::io::Result<Option<Value>> {
        Ok(self.try_frame()?.map(|(value, _)| value))
    }

    /// The next reply as the bytes it came in.
    #[track_caller]
    pub(crate) fn raw_reply(&mut self) -> Vec<u8> {
        self.try_frame().expect("a reply").expect("a reply before the close").1
    }

    fn shown(&self) -> String {
        let unread = &self.unread[self.start..];
        format!("{} bytes: {}", unread.len(), unread[..unread.len().min(200)].escape_ascii())
    }

    fn try_frame(&mut self) -> std::io::Result<Option<(Value, Vec<u8>)>> {
        loop {
            let bytes = &self.unread[self.start..];
            if !bytes.is_empty()
                && let Some((value, length)) = resp::parse(bytes)
            {
                let frame = bytes[..length].to_vec();
                self.consume(length);
                return Ok(Some((value, frame)));
            }
            if self.fill()? == 0 {
                return Ok(None);
            }
        }
    }

    fn consume(&mut self, length: usize) {
        self.start += length;
        if self.start == self.unread.len() {
            self.unread.clear();
            self.start = 0;
        }
    }

    /// Reads once; 0 is the end.
    fn fill(&mut self) -> std::io::Result<usize> {
        const STEP: usize = 1 << 16;
        let length = self.unread.len();
        self.unread.resize(length + STEP, 0);
        let read = loop {
            let read = match &mut self.stream {
                Stream::Tcp(stream) => stream.read(&mut self.unread[length..]),
                Stream::Unix(stream) => stream.read(&mut self.unread[length..]),
            };
            // A read with a timeout is not begun again by the kernel.
            if read.as_ref().is_err_and(|error| error.kind() == ErrorKind::Interrupted) {
                continue;
            }
            break read;
        };
        self.unread.truncate(length + read.as_ref().copied().unwrap_or(0));
        read
    }

    /// Everything up to the end of the connection.
    #[track_caller]
    pub(crate) fn read_to_close(&mut self) -> Vec<u8> {
        loop {
            match self.fill() {
                Ok(0) => return self.unread.split_off(self.start),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                    return self.unread.split_off(self.start);
                }
                Err(error) => {
                    panic!("not closed: {error}; got {:?}", self.shown())
                }
            }
        }
    }

    /// Says that nothing more will be sent; replies still arrive.
    pub(crate) fn finish_sending(&self) {
        match &self.stream {
            Stream::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Stream::Unix(stream) => stream.shutdown(Shutdown::Write),
        }
        .expect("a connected socket");
    }
}
