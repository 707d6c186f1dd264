//! One question to one node over a connection of its own, for cold paths: topology, probes, lookups of
//! commands.
//!
//! Must not know what is asked. Invariant: it ends within its deadline, and takes no more memory than the
//! bound on a reply.

use std::{io, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{
    cluster::NodeAddr,
    config::Config,
    resp::{Value, encode_request, parse},
};

/// Longest reply: CLUSTER SLOTS of a cluster with a range for each slot and five replicas takes 8 MiB.
const MAX_REPLY: usize = 64 * 1024 * 1024;
/// Room for one read; most replies fit.
const READ: usize = 64 * 1024;

/// Who slotway is to the cluster.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// The user; `None` is Redis's `default`.
    pub user: Option<String>,
    /// The password; without one nothing is authenticated.
    pub password: Option<SecretString>,
}

/// Why a node gave no reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// Nothing complete came within the deadline.
    #[error("no answer in time")]
    Late,
    /// The connection could not be made or broke.
    #[error("connection failed: {0}")]
    Io(io::ErrorKind),
    /// The node did not accept the credentials and said so.
    #[error("authentication refused: {0}")]
    Unauthenticated(String),
    /// What came is no reply, or one beyond the bound.
    #[error("unreadable reply")]
    Unreadable,
}

impl Credentials {
    /// What the configuration says.
    pub fn of(config: &Config) -> Self {
        Self { user: config.cluster_user.clone(), password: config.cluster_password.clone() }
    }

    /// Appends AUTH, if there is a password; says whether it did.
    fn encode(&self, out: &mut Vec<u8>) -> bool {
        let Some(password) = self.password.as_ref().map(|p| p.expose_secret().as_bytes()) else {
            return false;
        };
        match &self.user {
            Some(user) => encode_request(out, &[b"AUTH", user.as_bytes(), password]),
            None => encode_request(out, &[b"AUTH".as_slice(), password]),
        }
        true
    }
}

/// Connects to `addr`, authenticates, sends the request `args` and returns its reply, an error reply
/// included, all within `deadline`.
///
/// # Errors
/// When no reply to `args` came.
pub async fn ask(
    addr: &NodeAddr,
    credentials: &Credentials,
    args: &[&[u8]],
    deadline: Duration,
) -> Result<Value, AskError> {
    let [reply] = ask_all(addr, credentials, [args], deadline).await?;
    Ok(reply)
}

/// As [`ask`], for requests that are sent together.
///
/// # Errors
/// When not all of them got replies.
pub async fn ask_all<const N: usize>(
    addr: &NodeAddr,
    credentials: &Credentials,
    requests: [&[&[u8]]; N],
    deadline: Duration,
) -> Result<[Value; N], AskError> {
    timeout(deadline, exchange(addr, credentials, requests)).await.unwrap_or(Err(AskError::Late))
}

async fn exchange<const N: usize>(
    addr: &NodeAddr,
    credentials: &Credentials,
    all: [&[&[u8]]; N],
) -> Result<[Value; N], AskError> {
    let mut requests = Vec::new();
    let authenticates = credentials.encode(&mut requests);
    all.iter().for_each(|args| encode_request(&mut requests, args));

    let stream = TcpStream::connect((addr.host(), addr.port())).await?;
    // What is given up is not sent later: see `worker::dial`.
    SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
    let mut replies = Replies { stream, bytes: Vec::new() };
    replies.stream.write_all(&requests).await?;
    if authenticates && let Value::Error(text) = replies.next().await? {
        // No more than its first word: a node that does not know AUTH echoes the password.
        let word = text.split_whitespace().next().unwrap_or_default();
        return Err(AskError::Unauthenticated(word.to_owned()));
    }
    let mut got = [const { Value::Null }; N];
    for reply in &mut got {
        *reply = replies.next().await?;
    }
    Ok(got)
}

/// The replies on one connection, in order.
struct Replies {
    stream: TcpStream,
    bytes: Vec<u8>,
}

impl Replies {
    async fn next(&mut self) -> Result<Value, AskError> {
        while self.bytes.len() <= MAX_REPLY {
            if let Some((value, len)) = self.parsed()? {
                self.bytes.drain(..len);
                return Ok(value);
            }
            self.read().await?;
        }
        Err(AskError::Unreadable)
    }

    /// The next reply, if it is complete. Only looks when the bytes end as a reply must: parsing begins anew
    /// each time.
    fn parsed(&self) -> Result<Option<(Value, usize)>, AskError> {
        if !self.bytes.ends_with(b"\r\n") {
            return Ok(None);
        }
        parse(&self.bytes).map_err(|_| AskError::Unreadable)
    }

    async fn read(&mut self) -> Result<(), AskError> {
        self.bytes.reserve(READ);
        match self.stream.read_buf(&mut self.bytes).await? {
            0 => Err(AskError::Io(io::ErrorKind::UnexpectedEof)),
            _ => Ok(()),
        }
    }
}

impl From<io::Error> for AskError {
    fn from(error: io::Error) -> Self {
        Self::Io(error.kind())
    }
}

/// Nodes that say what a test tells them to.
#[cfg(test)]
pub(crate) mod fake {
    use std::sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    };

    use super::*;

    /// A listening node; it answers every request with the current reply, or never if that is empty.
    pub(crate) struct FakeNode {
        pub(crate) addr: NodeAddr,
        pub(crate) requests: Arc<Mutex<Vec<String>>>,
        reply: Arc<Mutex<Vec<u8>>>,
        connections: Arc<AtomicUsize>,
    }

    impl FakeNode {
        pub(crate) async fn start(reply: impl Into<Vec<u8>>) -> Self {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let addr = NodeAddr::new("127.0.0.1", listener.local_addr().unwrap().port());
            let reply = Arc::new(Mutex::new(reply.into()));
            let node = Self { addr, requests: Arc::default(), reply, connections: Arc::default() };
            let said = (Arc::clone(&node.requests), Arc::clone(&node.reply));
            tokio::spawn(accept(listener, Arc::clone(&node.connections), said));
            node
        }

        pub(crate) fn say(&self, reply: impl Into<Vec<u8>>) {
            *self.reply.lock().unwrap() = reply.into();
        }

        pub(crate) fn connections(&self) -> usize {
            self.connections.load(Relaxed)
        }
    }

    type Said = (Arc<Mutex<Vec<String>>>, Arc<Mutex<Vec<u8>>>);

    async fn accept(listener: tokio::net::TcpListener, connections: Arc<AtomicUsize>, said: Said) {
        while let Ok((stream, _)) = listener.accept().await {
            connections.fetch_add(1, Relaxed);
            tokio::spawn(serve(stream, said.clone()));
        }
    }

    async fn serve(mut stream: TcpStream, (noted, said): Said) {
        let mut bytes = Vec::new();
        while stream.read_buf(&mut bytes).await.unwrap_or(0) > 0 {
            while let Ok(Some((request, len))) = parse(&bytes) {
                bytes.drain(..len);
                let words = request.as_array().unwrap_or_default().iter().filter_map(Value::as_str);
                noted.lock().unwrap().push(words.collect::<Vec<_>>().join(" "));
                let reply = said.lock().unwrap().clone();
                let _ = stream.write_all(&reply).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{fake::FakeNode, *};

    const SOON: Duration = Duration::from_secs(10);

    async fn asked(
        node: &FakeNode,
        credentials: &Credentials,
        deadline: Duration,
    ) -> Result<Value, AskError> {
        ask(&node.addr, credentials, &[b"PING"], deadline).await
    }

    fn credentials(user: Option<&str>) -> Credentials {
        Credentials { user: user.map(str::to_owned), password: Some("secret".into()) }
    }

    #[tokio::test]
    async fn a_reply_comes_back_even_if_it_is_an_error() {
        let node = FakeNode::start("-ERR no\r\n").await;
        let reply = asked(&node, &Credentials::default(), SOON).await;
        assert_eq!(reply, Ok(Value::Error("ERR no".into())));
        assert_eq!(*node.requests.lock().unwrap(), ["PING"]);
    }

    #[tokio::test]
    async fn credentials_go_first_and_their_refusal_is_told() {
        let node = FakeNode::start("+OK\r\n").await;
        assert_eq!(asked(&node, &credentials(Some("me")), SOON).await, Ok(Value::Simple("OK".into())));
        node.say("-WRONGPASS no\r\n");
        let refused = asked(&node, &credentials(None), SOON).await;
        assert_eq!(refused, Err(AskError::Unauthenticated("WRONGPASS".into())));
        let requests = node.requests.lock().unwrap().clone();
        assert_eq!(requests[..3], ["AUTH me secret", "PING", "AUTH secret"]);
    }

    #[tokio::test]
    async fn a_silent_node_is_given_up_in_time() {
        let node = FakeNode::start("").await;
        let late = asked(&node, &Credentials::default(), Duration::from_millis(20)).await;
        assert_eq!(late, Err(AskError::Late));
    }

    #[tokio::test]
    async fn a_long_reply_is_read_whole_and_garbage_refused() {
        let long = vec![b'x'; 1_000_000];
        let node = FakeNode::start([b"$1000000\r\n".as_slice(), &long, b"\r\n"].concat()).await;
        assert_eq!(asked(&node, &Credentials::default(), SOON).await, Ok(Value::Bulk(long)));
        node.say("HTTP/1.1 400\r\n");
        assert_eq!(asked(&node, &Credentials::default(), SOON).await, Err(AskError::Unreadable));
    }

    #[tokio::test]
    async fn nobody_listening_is_told_at_once() {
        let addr = NodeAddr::new("127.0.0.1", 1);
        let refused = ask(&addr, &Credentials::default(), &[b"PING"], SOON).await;
        assert_eq!(refused, Err(AskError::Io(io::ErrorKind::ConnectionRefused)));
    }
}
