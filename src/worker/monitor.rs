//! MONITOR: what this slotway's clients ask, as it takes it, shown to the clients that monitor.
//!
//! Each worker has a *feed*: lines that any worker appends to while the worker has a client that monitors, and
//! that a task of the worker hands to those clients. While nobody monitors a request costs one look at a
//! count. Invariant: a client that monitors gets every line, or is closed.

use std::{
    cell::RefCell,
    collections::HashMap,
    rc::Rc,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::sync::Notify;

use super::{Worker, answers, client::Client};
use crate::{
    command::{Command, Flags, REDACTED, resolve},
    metrics::CloseReason,
    resp::Request,
};

/// Bytes of lines that wait for one worker before those who monitor there are closed: as many as may wait for
/// one subscriber.
const MAX_FEED: usize = 32 * 1024 * 1024;

/// Who monitors at which worker, and what they are to be shown.
pub struct Monitors {
    /// How many clients monitor.
    all: AtomicUsize,
    feeds: Box<[Feed]>,
}

/// What is to be shown at one worker.
#[derive(Default)]
struct Feed {
    /// How many of the worker's clients monitor.
    clients: AtomicUsize,
    lines: Mutex<Lines>,
    arrived: Notify,
}

#[derive(Default)]
struct Lines {
    bytes: Vec<u8>,
    /// Whether there were more than [`MAX_FEED`].
    overflown: bool,
}

/// The clients of one worker that monitor.
pub(super) type Monitoring = RefCell<HashMap<u64, Rc<Client>>>;

impl Monitors {
    /// Nobody, at so many workers.
    pub fn new(workers: usize) -> Self {
        Self { all: AtomicUsize::new(0), feeds: (0..workers).map(|_| Feed::default()).collect() }
    }

    /// Whether anybody monitors.
    #[inline]
    pub(super) fn any(&self) -> bool {
        self.all.load(Relaxed) > 0
    }

    fn join(&self, worker: usize) {
        self.feeds[worker].clients.fetch_add(1, Relaxed);
        self.all.fetch_add(1, Relaxed);
    }

    fn leave(&self, worker: usize) {
        self.feeds[worker].clients.fetch_sub(1, Relaxed);
        self.all.fetch_sub(1, Relaxed);
    }

    /// Shows `line` wherever somebody monitors; nothing stands for a line that is too long.
    fn show(&self, line: Option<&[u8]>) {
        for feed in self.feeds.iter().filter(|feed| feed.clients.load(Relaxed) > 0) {
            feed.add(line);
        }
    }
}

impl Feed {
    fn add(&self, line: Option<&[u8]>) {
        let mut lines = self.lock();
        match line.filter(|line| lines.bytes.len() + line.len() <= MAX_FEED) {
            Some(line) => lines.bytes.extend_from_slice(line),
            None => lines.overflown = true,
        }
        drop(lines);
        self.arrived.notify_one();
    }

    fn take(&self) -> Lines {
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows what there is to be shown, as long as the worker runs.
pub(super) async fn run(worker: Rc<Worker>) {
    let feed = &worker.monitors.feeds[worker.index];
    loop {
        feed.arrived.notified().await;
        let lines = feed.take();
        for client in worker.monitoring.borrow().values() {
            client.hand(&lines.bytes, &[]);
            if lines.overflown {
                client.end(CloseReason::OutputLimit, true);
            }
        }
    }
}

impl Worker {
    /// Shows `client` everything from now on.
    pub(super) fn monitor(&self, client: &Rc<Client>) {
        if client.start_monitoring() {
            self.monitoring.borrow_mut().insert(client.id, Rc::clone(client));
            self.monitors.join(self.index);
        }
    }

    /// Shows `client`, which monitored, nothing any more.
    pub(super) fn stop_monitoring(&self, client: &Client) {
        if self.monitoring.borrow_mut().remove(&client.id).is_some() {
            self.monitors.leave(self.index);
        }
    }

    /// Shows `request` of `client` to those who monitor.
    #[cold]
    pub(super) fn show(&self, client: &Client, request: Request<'_>) {
        let Ok(command) = resolve(&request) else { return };
        let refused =
            !client.authenticated.get() || client.listens.get() && answers::forbids(client, command);
        if !refused && is_shown(command) {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let fits = request.frame().len() <= MAX_FEED;
            let line = || line(now, (client.database.get(), &client.peer), command, request);
            self.monitors.show(fits.then(line).as_deref());
        }
    }
}

/// As in redis server.c `call`: what administers is too dangerous to be shown.
fn is_shown(command: &Command) -> bool {
    !command.flags.has(Flags::ADMIN)
}

/// As in redis replication.c `replicationFeedMonitors`.
fn line(at: Duration, (database, peer): (u16, &str), command: &Command, request: Request<'_>) -> Vec<u8> {
    let peer = match peer.strip_suffix(":0") {
        Some(path) if path.starts_with('/') => format!("unix:{path}"),
        _ => peer.to_owned(),
    };
    let mut line = format!("+{}.{:06} [{database} {peer}]", at.as_secs(), at.subsec_micros()).into_bytes();
    for (place, arg) in request.args_from(0).enumerate() {
        line.extend_from_slice(b" \"");
        quote(if place < command.secrets_from() { arg } else { REDACTED }, &mut line);
        line.push(b'"');
    }
    line.extend_from_slice(b"\r\n");
    line
}

/// As in redis sds.c `sdscatrepr`.
fn quote(arg: &[u8], line: &mut Vec<u8>) {
    for &byte in arg {
        match byte {
            b'\\' | b'"' => line.extend_from_slice(&[b'\\', byte]),
            b'\n' => line.extend_from_slice(b"\\n"),
            b'\r' => line.extend_from_slice(b"\\r"),
            b'\t' => line.extend_from_slice(b"\\t"),
            0x07 => line.extend_from_slice(b"\\a"),
            0x08 => line.extend_from_slice(b"\\b"),
            b' '..=b'~' => line.push(byte),
            _ => line.extend_from_slice(format!("\\x{byte:02x}").as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        command::lookup,
        resp::{Limits, RequestParser, Scanned, encode_request},
    };

    fn shown(peer: &str, args: &[&[u8]]) -> String {
        let (mut frame, mut parser) = (Vec::new(), RequestParser::default());
        encode_request(&mut frame, args);
        let limits = Limits { max_bulk: 1000, max_frame: 1000, authenticated: true };
        let Ok(Scanned::Request(len)) = parser.scan(&frame, &limits) else { panic!("no request") };
        let command = lookup(&args[0].to_ascii_lowercase()).unwrap();
        let line = line(Duration::from_micros(5_000_042), (0, peer), command, parser.request(&frame, len));
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn a_line_is_written_as_by_a_server() {
        assert_eq!(shown("1.2.3.4:5", &[b"get", b"a b"]), "+5.000042 [0 1.2.3.4:5] \"get\" \"a b\"\r\n");
        assert_eq!(
            shown("/run/x:0", &[b"SET", b"\"\\\r\n\t\x07\x08", b"\x00\xff~"]),
            "+5.000042 [0 unix:/run/x] \"SET\" \"\\\"\\\\\\r\\n\\t\\a\\b\" \"\\x00\\xff~\"\r\n"
        );
        assert!(
            shown("h:1", &[b"AUTH", b"me", b"x"]).ends_with("\"AUTH\" \"(redacted)\" \"(redacted)\"\r\n")
        );
    }

    #[test]
    fn a_feed_that_is_full_says_so() {
        let feed = Feed::default();
        feed.add(Some(&vec![b'x'; MAX_FEED]));
        assert!(!feed.lock().overflown);
        feed.add(Some(b"y"));
        let lines = feed.take();
        assert!(lines.overflown && lines.bytes.len() == MAX_FEED);
        assert!(!feed.lock().overflown && feed.lock().bytes.is_empty());
        feed.add(None);
        assert!(feed.lock().overflown);
    }

    #[test]
    fn lines_go_where_somebody_monitors() {
        let monitors = Monitors::new(2);
        assert!(!monitors.any());
        monitors.join(1);
        monitors.show(Some(b"x"));
        assert!(monitors.any() && monitors.feeds[0].take().bytes.is_empty());
        assert_eq!(monitors.feeds[1].take().bytes, b"x");
        monitors.leave(1);
        assert!(!monitors.any());
    }
}
