//! The load of a lone client: one request after another over one connection, the clock read before and behind each.
//!
//! `lone_client WHERE COUNT get|set PREFIX KEYS SIZE` asks the server at a port of loopback, or a unix socket, `COUNT` times
//! for any of the `KEYS` keys from `PREFIX000000000000` on, whose values are `SIZE` times `x`. It prints requests per second
//! and the p50, p99 and p99.9 in milliseconds; redis-benchmark tells these in steps of 8 µs.
//! Invariant: every reply is the right one, else the run ends.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    os::unix::net::UnixStream,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};

const USAGE: &str = "usage: lone_client PORT|PATH COUNT get|set PREFIX KEYS SIZE";
/// A server that takes longer is none to measure.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is asked for, and what is right to answer.
struct Load {
    command: String,
    prefix: String,
    keys: u64,
    value: String,
    right: Vec<u8>,
}

impl Load {
    fn new(command: &str, prefix: &str, keys: u64, size: usize) -> Result<Self> {
        ensure!(keys > 0, "no keys");
        let value = "x".repeat(size);
        let (command, right) = match command {
            "get" => ("GET", format!("${size}\r\n{value}\r\n")),
            "set" => ("SET", "+OK\r\n".to_owned()),
            _ => bail!(USAGE),
        };
        Ok(Self { command: command.into(), prefix: prefix.into(), keys, value, right: right.into() })
    }

    /// One request, on any of the keys.
    fn request(&self) -> Vec<u8> {
        let key = format!("{}{:012}", self.prefix, fastrand::u64(..self.keys));
        let words = [&self.command, &key, &self.value];
        let words = if self.command == "GET" { &words[..2] } else { &words[..] };
        let lines = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len()));
        format!("*{}\r\n{}", words.len(), lines.collect::<String>()).into()
    }
}

trait Server: Read + Write {}
impl<T: Read + Write> Server for T {}

fn connect(place: &str) -> Result<Box<dyn Server>> {
    if let Ok(port) = place.parse() {
        let server = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        server.set_nodelay(true)?;
        server.set_read_timeout(Some(PATIENCE))?;
        return Ok(Box::new(server));
    }
    let server = UnixStream::connect(place)?;
    server.set_read_timeout(Some(PATIENCE))?;
    Ok(Box::new(server))
}

/// Asks once. How long the reply took.
fn ask(server: &mut dyn Server, load: &Load, reply: &mut [u8]) -> Result<Duration> {
    let request = load.request();
    let begun = Instant::now();
    server.write_all(&request)?;
    let mut got = 0;
    while got < load.right.len() {
        let n = server.read(&mut reply[got..])?;
        got += n;
        let is_right = n > 0 && load.right.starts_with(&reply[..got]);
        ensure!(is_right, "answers {:?}", String::from_utf8_lossy(&reply[..got.min(80)]));
    }
    Ok(begun.elapsed())
}

#[expect(clippy::print_stdout, reason = "its figures are what it is run for")]
fn main() -> Result<()> {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let [place, count, command, prefix, keys, size] = &words[..] else { bail!(USAGE) };
    let load = Load::new(command, prefix, keys.parse()?, size.parse()?)?;
    let count: usize = count.parse()?;
    let mut server = connect(place)?;
    // One byte more than is right, so that more than that is seen.
    let mut reply = vec![0; load.right.len() + 1];

    let begun = Instant::now();
    let mut took = (0..count).map(|_| ask(&mut *server, &load, &mut reply)).collect::<Result<Vec<_>>>()?;
    let rate = count as f64 / begun.elapsed().as_secs_f64();
    took.sort_unstable();
    let share = |thousandths| took.get(count * thousandths / 1000).context("no requests");
    let [p50, p99, p999] = [share(500)?, share(990)?, share(999)?].map(|took| took.as_secs_f64() * 1e3);
    println!("{rate:.1} {p50:.4} {p99:.4} {p999:.4}");
    Ok(())
}
