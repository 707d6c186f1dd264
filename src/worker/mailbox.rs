//! How workers are reached from other threads: per connection, never per request. And how many clients
//! each has, and which take new ones on.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{
            AtomicUsize,
            Ordering::{Relaxed, SeqCst},
        },
    },
};

use tokio::{
    net::{TcpStream, UnixStream},
    sync::{mpsc, oneshot},
};

use super::{
    Moved, News, Pause, TargetGone, TopicQuery, TopicReport, Who, client::Arrival, pipe::LaneWish,
    stream::Stream,
};

/// What a worker is told.
pub enum Mail {
    /// A client was accepted.
    Arrived(Arrived),
    /// Another worker handed a client over.
    Moved(Box<Moved>),
    /// So many of its clients go on with the worker of that number.
    Move(usize, usize),
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
    /// To close these clients (CLIENT KILL), and which they were.
    Kill(Arc<Who>, oneshot::Sender<Vec<u64>>),
    /// To have all clients wait (CLIENT PAUSE), or no longer.
    Pause(Option<Pause>, oneshot::Sender<()>),
    /// Its number, if it has this client, which stays there from now on.
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

/// Where one worker is reached, and what others may know of it.
struct Mailbox {
    sender: mpsc::UnboundedSender<Mail>,
    /// Its clients, with those on their way to it.
    clients: AtomicUsize,
    /// Those of them that stay.
    stay: AtomicUsize,
}

/// All workers, and how many clients each has.
pub struct Mailboxes {
    boxes: Vec<Mailbox>,
    /// Clients of all, with those on their way to a worker.
    clients: AtomicUsize,
    /// How many workers, the first ones, take on new clients.
    in_use: AtomicUsize,
    /// How often a client was handed over.
    moves: AtomicUsize,
}

/// Rounds in which all workers are asked for clients that move meanwhile.
const ROUNDS: u32 = 8;

impl Mailboxes {
    /// One box for each of `workers`, of which `in_use` take on clients; and where they are emptied.
    pub fn new(workers: usize, in_use: usize) -> (Self, Vec<mpsc::UnboundedReceiver<Mail>>) {
        let (boxes, ends) = (0..workers)
            .map(|_| {
                let (sender, receiver) = mpsc::unbounded_channel();
                (Mailbox { sender, clients: 0.into(), stay: 0.into() }, receiver)
            })
            .unzip();
        (Self { boxes, clients: 0.into(), in_use: in_use.into(), moves: 0.into() }, ends)
    }

    /// Clients at the moment.
    pub fn clients(&self) -> usize {
        self.clients.load(SeqCst)
    }

    /// Clients of each worker that may move to another.
    pub fn movable(&self) -> impl Iterator<Item = usize> {
        let count = |mailbox: &Mailbox| (mailbox.clients.load(Relaxed), mailbox.stay.load(Relaxed));
        self.boxes.iter().map(count).map(|(clients, stay)| clients.saturating_sub(stay))
    }

    /// Lets the first `workers` take on the clients that come from now on.
    pub fn place_on(&self, workers: usize) {
        self.in_use.store(workers, Relaxed);
    }

    /// Gives a client to the worker that has the fewest, of those that take new ones on.
    pub fn place(&self, arrived: Arrived) {
        let boxes = self.boxes.iter().take(self.in_use.load(Relaxed));
        if let Some(mailbox) = boxes.min_by_key(|mailbox| mailbox.clients.load(Relaxed)) {
            self.clients.fetch_add(1, SeqCst);
            mailbox.clients.fetch_add(1, Relaxed);
            // A worker that is gone has drained: the connection closes with the message.
            let _ = mailbox.sender.send(Mail::Arrived(arrived));
        }
    }

    /// Counts a client of worker `index` that nobody placed there.
    #[cfg(any(test, fuzzing))]
    pub(super) fn arrives(&self, index: usize) {
        self.clients.fetch_add(1, SeqCst);
        self.boxes[index].clients.fetch_add(1, Relaxed);
    }

    /// Lets `count` clients of worker `from` go on with worker `to`.
    pub fn move_clients(&self, from: usize, to: usize, count: usize) {
        self.send(from, Mail::Move(count, to));
    }

    /// Finds a client of worker `here` a worker to stay with: the one with the fewest that stay, or if it can't move,
    /// that one. Returns which; it is counted there.
    pub(super) fn settle(&self, here: usize, may_move: bool) -> usize {
        let places = self.boxes.iter().enumerate();
        let fewest = places.min_by_key(|(place, mailbox)| (mailbox.stay.load(Relaxed), *place != here));
        let place = fewest.map_or(here, |(place, _)| if may_move { place } else { here });
        if let Some(mailbox) = self.boxes.get(place) {
            mailbox.stay.fetch_add(1, Relaxed);
        }
        place
    }

    /// A client that was counted among those that stay with worker `index` is gone.
    pub(super) fn unsettle(&self, index: usize) {
        if let Some(mailbox) = self.boxes.get(index) {
            mailbox.stay.fetch_sub(1, Relaxed);
        }
    }

    /// Worker `from` hands a client over to worker `to`.
    pub(super) fn hand_over(&self, from: usize, to: usize, moved: Box<Moved>) {
        self.boxes[from].clients.fetch_sub(1, Relaxed);
        self.boxes[to].clients.fetch_add(1, Relaxed);
        // No worker ends as long as there are clients.
        let _ = self.boxes[to].sender.send(Mail::Moved(moved));
        self.moves.fetch_add(1, SeqCst);
    }

    /// Lets a worker count a client that was turned away.
    pub fn refused(&self) {
        self.send(0, Mail::Refused);
    }

    /// Tells every worker to drain.
    pub fn drain(&self) {
        (0..self.boxes.len()).for_each(|index| self.send(index, Mail::Drain));
    }

    /// The answers of all workers to what `question` makes.
    async fn ask<T>(&self, question: impl Fn(oneshot::Sender<T>) -> Question) -> Vec<T> {
        let mut answers = Vec::new();
        for mailbox in &self.boxes {
            let (reply, answered) = oneshot::channel();
            if mailbox.sender.send(Mail::Ask(question(reply))).is_ok() {
                answers.extend(answered.await);
            }
        }
        answers
    }

    /// As [`Self::ask`], for what is asked about clients: again if one moved meanwhile, who may have been missed. So
    /// the same client may be in more than one answer.
    async fn ask_of_clients<T>(&self, question: impl Fn(oneshot::Sender<T>) -> Question) -> Vec<T> {
        let mut answers = Vec::new();
        for _ in 0..ROUNDS {
            let before = self.moves.load(SeqCst);
            answers.extend(self.ask(&question).await);
            if self.moves.load(SeqCst) == before {
                break;
            }
        }
        answers
    }

    /// The lines of all workers about these clients, oldest client first.
    pub(super) async fn list(&self, who: Who) -> String {
        let who = Arc::new(who);
        let texts = self.ask_of_clients(|reply| Question::List(Arc::clone(&who), reply)).await;
        let id = |line: &str| line.split([' ', '=']).nth(1).and_then(|n| n.parse::<u64>().ok());
        let lines: BTreeMap<_, &str> =
            texts.iter().flat_map(|text| text.lines()).map(|line| (id(line), line)).collect();
        lines.values().fold(String::new(), |text, line| text + line + "\n")
    }

    /// Closes these clients. Returns how many they were.
    pub(super) async fn kill(&self, who: Who) -> usize {
        let who = Arc::new(who);
        let killed = self.ask_of_clients(|reply| Question::Kill(Arc::clone(&who), reply)).await;
        killed.into_iter().flatten().collect::<BTreeSet<u64>>().len()
    }

    /// Has all clients wait, or no longer.
    pub(super) async fn pause(&self, pause: Option<Pause>) {
        self.ask(|reply| Question::Pause(pause, reply)).await;
    }

    /// Sends `mail` to worker `index`. One that is gone drops it: it grants no lane, and has no client.
    pub(super) fn send(&self, index: usize, mail: Mail) {
        if let Some(mailbox) = self.boxes.get(index) {
            let _ = mailbox.sender.send(mail);
        }
    }

    /// Which worker has client `id`, which stays there from now on.
    pub(super) async fn find(&self, id: u64) -> Option<usize> {
        self.ask_of_clients(|reply| Question::Find(id, reply)).await.into_iter().flatten().next()
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
        if let Some(mailbox) = self.boxes.get(index) {
            mailbox.clients.fetch_sub(1, Relaxed);
        }
        if self.clients.fetch_sub(1, SeqCst) == 1 {
            (0..self.boxes.len()).for_each(|index| self.send(index, Mail::Left));
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
