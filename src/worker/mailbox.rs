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

use super::{
    News, Pause, TargetGone, TopicQuery, TopicReport, Who, client::Arrival, pipe::LaneWish, stream::Stream,
};

/// What a worker is told.
pub enum Mail {
    /// A client was accepted.
    Arrived(Arrived),
    /// One of its clients is gone, or the last of all.
    Left,
    /// A client was turned away as there were too many.
    Refused,
    /// A worker wants to use one of its connections.
    Lane(LaneWish),
    /// What a client of another worker read has changed, for one of its clients.
    News(News),
    /// There was such news for a client that is gone.
    TargetGone(TargetGone),
    /// A client of any worker wants something of it.
    Ask(Question),
    /// Answer what is in flight and end.
    Drain,
}

/// What a client wants of every worker, and where the answer goes.
pub enum Question {
    /// A line about each of these clients (CLIENT LIST).
    List(Arc<Who>, oneshot::Sender<String>),
    /// To close these clients (CLIENT KILL), and how many there were.
    Kill(Arc<Who>, oneshot::Sender<usize>),
    /// To have all clients wait (CLIENT PAUSE), or no longer.
    Pause(Option<Pause>, oneshot::Sender<()>),
    /// Its number, if it has this client.
    Find(u64, oneshot::Sender<Option<usize>>),
    /// What it knows of topics (PUBSUB).
    Topics(Arc<TopicQuery>, oneshot::Sender<Vec<TopicReport>>),
    /// That this client, if it is blocked, goes on (CLIENT UNBLOCK), with an error or without, and whether it
    /// was blocked.
    Unblock(u64, bool, oneshot::Sender<bool>),
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

    /// The answers of all workers to what `question` makes.
    async fn ask<T>(&self, question: impl Fn(oneshot::Sender<T>) -> Question) -> Vec<T> {
        let mut answers = Vec::new();
        for (sender, _) in &self.boxes {
            let (reply, answered) = oneshot::channel();
            if sender.send(Mail::Ask(question(reply))).is_ok() {
                answers.extend(answered.await);
            }
        }
        answers
    }

    /// The lines of all workers about these clients, oldest client first.
    pub(super) async fn list(&self, who: Who) -> String {
        let who = Arc::new(who);
        let texts = self.ask(|reply| Question::List(Arc::clone(&who), reply)).await;
        let mut lines: Vec<&str> = texts.iter().flat_map(|text| text.lines()).collect();
        lines.sort_by_key(|line| line.split([' ', '=']).nth(1).and_then(|n| n.parse::<u64>().ok()));
        lines.iter().fold(String::new(), |text, line| text + line + "\n")
    }

    /// Closes these clients. Returns how many they were.
    pub(super) async fn kill(&self, who: Who) -> usize {
        let who = Arc::new(who);
        self.ask(|reply| Question::Kill(Arc::clone(&who), reply)).await.into_iter().sum()
    }

    /// Has all clients wait, or no longer.
    pub(super) async fn pause(&self, pause: Option<Pause>) {
        self.ask(|reply| Question::Pause(pause, reply)).await;
    }

    /// Sends `mail` to worker `index`. One that is gone drops it: it grants no lane, and has no client.
    pub(super) fn send(&self, index: usize, mail: Mail) {
        if let Some((sender, _)) = self.boxes.get(index) {
            let _ = sender.send(mail);
        }
    }

    /// Which worker has client `id`.
    pub(super) async fn find(&self, id: u64) -> Option<usize> {
        self.ask(|reply| Question::Find(id, reply)).await.into_iter().flatten().next()
    }

    /// What all workers have of the topics in question.
    pub(super) async fn topics(&self, query: TopicQuery) -> Vec<TopicReport> {
        let query = Arc::new(query);
        self.ask(|reply| Question::Topics(Arc::clone(&query), reply)).await.concat()
    }

    /// Lets client `id`, whichever worker has it, go on if it is blocked, and says whether it was.
    pub(super) async fn unblock(&self, id: u64, with_error: bool) -> bool {
        self.ask(|reply| Question::Unblock(id, with_error, reply)).await.contains(&true)
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
