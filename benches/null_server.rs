//! The floor of the benchmarks: one epoll loop that reads each request and writes a fixed answer.
//!
//! `null_server PORT` serves on loopback until it is killed. It counts complete RESP arrays and answers
//! `$3` to a command that begins with `G` and `+OK` to every other one; it stores nothing, knows no
//! cluster and asks nobody. What a proxy costs above this is what its own work costs.
//! Invariant: one answer per complete request, all answers of one read in one write.

use std::io::{ErrorKind, Read, Write};
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use anyhow::{Context as _, Result};
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::io::Errno;

/// The listener's mark in an event; clients are marked with their place in the list.
const LISTENER: u64 = u64::MAX;
/// As large as a proxy's: what one read can take in.
const READ_BYTES: usize = 64 * 1024;
/// Events per wait, so that a turn with a thousand ready clients is one call.
const EVENTS: usize = 1024;
/// Deep enough for 5,000 clients that all connect at once.
const BACKLOG: i32 = 4096;

/// A connected client: the start of a request that is not complete yet, and answers not yet written.
struct Client {
    stream: TcpStream,
    pending: Vec<u8>,
    output: Vec<u8>,
}

impl Client {
    /// Reads what is there, answers what is complete; whether the client is still there.
    fn turn(&mut self, scratch: &mut [u8]) -> bool {
        loop {
            match self.stream.read(scratch) {
                Ok(0) => return false,
                // A short read emptied the socket, which spares the read that would only say so.
                Ok(read) if read < scratch.len() => {
                    self.take(&scratch[..read]);
                    return self.flush();
                }
                Ok(_) => self.take(scratch),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return self.flush(),
                Err(_) => return false,
            }
        }
    }

    /// Answers every complete request of what was pending and `input`, keeps the rest.
    fn take(&mut self, input: &[u8]) {
        if self.pending.is_empty() {
            let used = answer(input, &mut self.output);
            self.pending.extend_from_slice(&input[used..]);
        } else {
            self.pending.extend_from_slice(input);
            let used = answer(&self.pending, &mut self.output);
            self.pending.drain(..used);
        }
    }

    /// Writes what the socket takes; what it does not take waits for the next turn.
    fn flush(&mut self) -> bool {
        if self.output.is_empty() {
            return true;
        }
        match self.stream.write(&self.output) {
            Ok(written) => drop(self.output.drain(..written)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return false,
        }
        true
    }
}

/// Appends one answer per complete request of `input`; how many bytes those took.
fn answer(input: &[u8], output: &mut Vec<u8>) -> usize {
    let mut used = 0;
    while let Some((length, first)) = request(&input[used..]) {
        used += length;
        output.extend_from_slice(if first == b'G' { b"$3\r\nabc\r\n" } else { b"+OK\r\n" });
    }
    used
}

/// The length of the request that `input` begins with, and the first letter of its command.
fn request(input: &[u8]) -> Option<(usize, u8)> {
    let (arguments, mut at) = number(input, 0)?;
    let mut first = 0;
    for argument in 0..arguments {
        let (length, start) = number(input, at)?;
        if argument == 0 {
            first = input.get(start)?.to_ascii_uppercase();
        }
        at = start.saturating_add(length).saturating_add(2);
    }
    (at <= input.len()).then_some((at, first))
}

/// The number in the line at `at`, after its type byte, and where the next line begins.
fn number(input: &[u8], at: usize) -> Option<(usize, usize)> {
    let line = input.get(at + 1..)?;
    let end = memchr::memchr(b'\r', line)?;
    let value = line[..end]
        .iter()
        .fold(0usize, |sum, digit| sum.wrapping_mul(10).wrapping_add(usize::from(digit & 0x0f)));
    (line.len() > end + 1).then_some((value, at + end + 3))
}

fn main() -> Result<()> {
    let port = std::env::args().nth(1).context("usage: null_server PORT")?.parse()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    rustix::net::listen(&listener, BACKLOG)?;
    listener.set_nonblocking(true)?;
    let poll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&poll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;

    let mut clients: Vec<Option<Client>> = Vec::new();
    let mut scratch = vec![0; READ_BYTES];
    let mut events = vec![MaybeUninit::uninit(); EVENTS];
    loop {
        let ready = match epoll::wait(&poll, events.as_mut_slice(), None) {
            Ok((ready, _)) => ready,
            Err(Errno::INTR) => continue, // A tracer that attaches does that.
            Err(error) => return Err(error.into()),
        };
        for event in ready {
            let mark = event.data.u64();
            if mark == LISTENER {
                accept(&listener, &poll, &mut clients)?;
            } else if let Some(place) = clients.get_mut(usize::try_from(mark)?)
                && let Some(client) = place
                && !client.turn(&mut scratch)
            {
                *place = None;
            }
        }
    }
}

/// Takes in every client that waits, each in a free place of the list.
fn accept(
    listener: &TcpListener,
    poll: &rustix::fd::OwnedFd,
    clients: &mut Vec<Option<Client>>,
) -> Result<()> {
    while let Ok((stream, _)) = listener.accept() {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        let place = clients.iter().position(Option::is_none).unwrap_or(clients.len());
        // Edge-triggered with room to write: a client whose answers did not fit is told when they do.
        let interest = EventFlags::IN | EventFlags::OUT | EventFlags::ET;
        epoll::add(poll, &stream, EventData::new_u64(u64::try_from(place)?), interest)?;
        let client = Some(Client { stream, pending: Vec::new(), output: Vec::new() });
        if place == clients.len() {
            clients.push(client);
        } else {
            clients[place] = client;
        }
    }
    Ok(())
}
