//! How workers are reached from other threads: per connection, never per request.

use std::sync::{
    Arc,
    atomic::{
        AtomicUsize,
        Ordering::{Relaxed, SeqCst},
    },
};

use tokio::{
    net::{TcpStream, UnixStream},
    sync::{mpsc, oneshot},
};

use super::{TopicQuery, TopicReport, client::Arrival, pipe::Wish, stream::Stream};

/// What a worker is told.
pub enum Mail {
    /// A client was accepted.
    Arrived(Arrived),
    /// One of its clients is gone, or the last of all.
    Left,
    /// A client was turned away as there were too many.
    Refused,
    /// Somebody wants a line about each client (CLIENT LIST).
    List(oneshot::Sender<String>),
    /// A worker wants to use one of its connections.
    Lane(Wish),
    /// Somebody wants to know of the worker's topics (PUBSUB).
    Topics(Arc<TopicQuery>, oneshot::Sender<Vec<TopicReport>>),
    /// Somebody wants this client, if it is blocked, to go on (CLIENT UNBLOCK), with an error or without; says
    /// whether it was blocked.
    Unblock(u64, bool, oneshot::Sender<bool>),
    /// Answer what is in flight and end.
    Drain,
}

/// An accepted connection; non-blocking.
pub struct Arrived {
    /// Its number, never used again.
    pub id: u64,
    /// The socket.
    pub socket: Socket,
}

/// An accepted socket.
pub enum Socket {
    /// Over TCP.
    Tcp(std::net::TcpStream),
    /// Over a unix socket at this path.
    Unix(std::os::unix::net::UnixStream, String),
}

/// All workers, and how many clients each has.
pub struct Mailboxes {
    boxes: Vec<(mpsc::UnboundedSender<Mail>, AtomicUsize)>,
}

impl Mailboxes {
    /// One box for each of `workers`, and where they are emptied.
    pub fn new(workers: usize) -> (Self, Vec<mpsc::UnboundedReceiver<Mail>>) {
        let (boxes, ends) = (0..workers)
            .map(|_| {
                let (sender, receiver) = mpsc::unbounded_channel();
                ((sender, AtomicUsize::new(0)), receiver)
            })
            .unzip();
        (Self { boxes }, ends)
    }

    /// Clients at the moment.
    pub fn clients(&self) -> usize {
        self.boxes.iter().map(|(_, clients)| clients.load(SeqCst)).sum()
    }

    /// Gives a client to the worker that has the fewest.
    pub fn place(&self, arrived: Arrived) {
        if let Some((sender, clients)) = self.boxes.iter().min_by_key(|(_, clients)| clients.load(Relaxed)) {
            clients.fetch_add(1, Relaxed);
            // A worker that is gone has drained: the connection closes with the message.
            let _ = sender.send(Mail::Arrived(arrived));
        }
    }

    /// Lets a worker count a client that was turned away.
    pub fn refused(&self) {
        if let Some((sender, _)) = self.boxes.first() {
            let _ = sender.send(Mail::Refused);
        }
    }

    /// Tells every worker to drain.
    pub fn drain(&self) {
        for (sender, _) in &self.boxes {
            let _ = sender.send(Mail::Drain);
        }
    }

    /// The lines of all workers about their clients, oldest client first.
    pub(super) async fn list(&self) -> String {
        let mut lines = Vec::new();
        for (sender, _) in &self.boxes {
            let (reply, listed) = oneshot::channel();
            if sender.send(Mail::List(reply)).is_ok()
                && let Ok(text) = listed.await
            {
                lines.extend(text.lines().map(str::to_owned));
            }
        }
        let id = |line: &String| line.split([' ', '=']).nth(1).and_then(|n| n.parse::<u64>().ok());
        lines.sort_by_key(id);
        lines.iter().fold(String::new(), |text, line| text + line + "\n")
    }

    /// Asks worker `owner` for a lane.
    pub(super) fn wish(&self, owner: usize, wish: Wish) {
        if let Some((sender, _)) = self.boxes.get(owner) {
            // One that is gone grants nothing: the wish is dropped.
            let _ = sender.send(Mail::Lane(wish));
        }
    }

    /// What all workers have of the topics in question.
    pub(super) async fn topics(&self, query: TopicQuery) -> Vec<TopicReport> {
        let (query, mut reports) = (Arc::new(query), Vec::new());
        for (sender, _) in &self.boxes {
            let (reply, reported) = oneshot::channel();
            if sender.send(Mail::Topics(Arc::clone(&query), reply)).is_ok() {
                reports.extend(reported.await.unwrap_or_default());
            }
        }
        reports
    }

    /// Lets client `id`, whichever worker has it, go on if it is blocked, and says whether it was.
    pub(super) async fn unblock(&self, id: u64, with_error: bool) -> bool {
        for (sender, _) in &self.boxes {
            let (reply, done) = oneshot::channel();
            if sender.send(Mail::Unblock(id, with_error, reply)).is_ok() && done.await == Ok(true) {
                return true;
            }
        }
        false
    }

    /// Worker `index` lost a client; if it was the last of all, this wakes the workers, whose drain may wait
    /// for it.
    pub(super) fn left(&self, index: usize) {
        if let Some((_, clients)) = self.boxes.get(index) {
            clients.fetch_sub(1, SeqCst);
        }
        if self.clients() == 0 {
            for (sender, _) in &self.boxes {
                let _ = sender.send(Mail::Left);
            }
        }
    }
}

/// Registers the socket with this worker's runtime.
impl TryFrom<Arrived> for Arrival {
    type Error = std::io::Error;

    fn try_from(arrived: Arrived) -> std::io::Result<Self> {
        let id = arrived.id;
        match arrived.socket {
            Socket::Tcp(tcp) => {
                let (peer, local) = (tcp.peer_addr()?.to_string(), tcp.local_addr()?.to_string());
                let stream = Stream::Tcp(TcpStream::from_std(tcp)?);
                Ok(Self { id, stream, peer: peer.into(), local: local.into() })
            }
            Socket::Unix(unix, path) => {
                let stream = Stream::Unix(UnixStream::from_std(unix)?);
                let name = format!("{path}:0").into_boxed_str();
                Ok(Self { id, stream, peer: name.clone(), local: name })
            }
        }
    }
}
