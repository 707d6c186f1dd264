//! One plain, blocking connection to a node or the proxy, and one HTTP question.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use super::Failure;
use crate::resp::{Value, encode_request, parse};

/// A connection that sends a request and waits for its reply.
pub(super) struct Peer {
    address: SocketAddr,
    stream: TcpStream,
}

/// Longest wait for one answer: everything is on this machine.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest answer: a slot map or a metrics page of a large sandbox is well below.
const LONGEST: usize = 16 * 1024 * 1024;

impl Peer {
    /// Connects to `address`.
    pub(super) fn connect(address: SocketAddr) -> Result<Self, Failure> {
        let stream = open(address).map_err(|e| Failure::Io(format!("cannot connect to {address}"), e))?;
        Ok(Self { address, stream })
    }

    /// The reply to `request`, an error reply included.
    pub(super) fn ask(&mut self, request: &[&str]) -> Result<Value, Failure> {
        let mut bytes = Vec::new();
        encode_request(&mut bytes, request);
        let reply = self.stream.write_all(&bytes).and_then(|()| self.reply());
        reply.map_err(|e| Failure::Io(format!("{} to {} failed", request.join(" "), self.address), e))
    }

    /// The reply to `request`, which must be no error.
    pub(super) fn order(&mut self, request: &[&str]) -> Result<Value, Failure> {
        match self.ask(request)? {
            reply @ Value::Error(_) => Err(Failure::Answer(request.join(" "), reply)),
            reply => Ok(reply),
        }
    }

    fn reply(&mut self) -> io::Result<Value> {
        let mut bytes = Vec::new();
        let mut chunk = [0; 16 * 1024];
        while bytes.len() < LONGEST {
            let read = read(&mut self.stream, &mut chunk)?;
            bytes.extend_from_slice(&chunk[..read]);
            if let Some((value, _)) = parse(&bytes).map_err(io::Error::other)? {
                return Ok(value);
            }
        }
        Err(io::Error::other("reply too long"))
    }
}

/// Bytes from `stream`, at least one. A signal interrupts a read that has a deadline; the stage deals with it.
fn read(stream: &mut TcpStream, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match stream.read(into) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

/// The status and body of `path` at `address`.
pub(super) fn get(address: SocketAddr, path: &str) -> Result<(u16, String), Failure> {
    let failed = |e| Failure::Io(format!("cannot get http://{address}{path}"), e);
    let text = get_text(address, path).map_err(failed)?;
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.ok_or_else(|| failed(io::Error::other("no HTTP answer")))?;
    Ok((status, body.to_owned()))
}

fn get_text(address: SocketAddr, path: &str) -> io::Result<String> {
    let mut stream = open(address)?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut text = String::new();
    stream.take(LONGEST as u64).read_to_string(&mut text)?;
    Ok(text)
}

fn open(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}
