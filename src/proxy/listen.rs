//! Listening sockets, and the loop that gives each new client to a worker.

use std::{
    fs, io,
    net::SocketAddr,
    os::unix::{
        fs::{FileTypeExt, PermissionsExt},
        net::UnixStream as StdUnixStream,
    },
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use socket2::{Domain, SockRef, Socket, TcpKeepalive, Type};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, UnixListener},
};

use crate::{
    config::Config,
    worker::{Arrived, Mailboxes, Socket as ClientSocket},
};

/// Pause when the kernel has no more sockets for us.
const PAUSE: Duration = Duration::from_millis(50);
const FULL: &[u8] = b"-ERR max number of clients reached\r\n";

/// The number of the last client.
static LAST_ID: AtomicU64 = AtomicU64::new(0);

/// One listening socket.
pub(super) enum Acceptor {
    Tcp(TcpListener),
    Unix(UnixListener, String),
}

/// Listens wherever `config` says.
pub(super) fn bind(config: &Config) -> Result<Vec<Acceptor>, String> {
    let mut acceptors = Vec::new();
    if config.port != 0 {
        for host in &config.bind {
            let addr = SocketAddr::new(*host, config.port);
            let listener = tcp(addr, config).map_err(|error| format!("cannot listen on {addr}: {error}"))?;
            tracing::info!(%addr, "listening");
            acceptors.push(Acceptor::Tcp(listener));
        }
    }
    if let Some(path) = &config.unixsocket {
        let shown = path.display().to_string();
        let listener = unix(path, config).map_err(|error| format!("cannot listen on {shown}: {error}"))?;
        tracing::info!(path = shown, "listening");
        acceptors.push(Acceptor::Unix(listener, shown));
    }
    Ok(acceptors)
}

fn tcp(addr: SocketAddr, config: &Config) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    if addr.is_ipv6() {
        // `--bind 0.0.0.0 --bind ::` must be two sockets on one port.
        socket.set_only_v6(true)?;
    }
    socket.bind(&addr.into())?;
    socket.listen(i32::try_from(config.tcp_backlog).unwrap_or(i32::MAX))?;
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket.into())
}

/// A socket file that nobody listens on any more is replaced.
fn unix(path: &Path, config: &Config) -> io::Result<UnixListener> {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_socket());
    if is_socket && StdUnixStream::connect(path).is_err() {
        fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    if let Some(mode) = config.unixsocketperm {
        fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    }
    Ok(listener)
}

/// Removes the socket file.
pub(super) fn clean_up(config: &Config) {
    if let Some(path) = &config.unixsocket
        && let Err(error) = fs::remove_file(path)
    {
        tracing::warn!(path = %path.display(), %error, "cannot remove the unix socket");
    }
}

impl Acceptor {
    /// Gives each client to a worker.
    pub(super) async fn run(self, config: Arc<Config>, mailboxes: Arc<Mailboxes>) {
        loop {
            match self.accept(&config).await {
                Ok(socket) if mailboxes.clients() < config.maxclients => {
                    mailboxes.place(Arrived { id: LAST_ID.fetch_add(1, Relaxed) + 1, socket });
                }
                Ok(socket) => {
                    mailboxes.refused();
                    refuse(socket).await;
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a client");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    async fn accept(&self, config: &Config) -> io::Result<ClientSocket> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                let stream = stream.into_std()?;
                stream.set_nodelay(true)?;
                if !config.tcp_keepalive.is_zero() {
                    let probe = TcpKeepalive::new().with_time(config.tcp_keepalive);
                    SockRef::from(&stream).set_tcp_keepalive(&probe)?;
                }
                Ok(ClientSocket::Tcp(stream))
            }
            Self::Unix(listener, path) => {
                let (stream, _) = listener.accept().await?;
                Ok(ClientSocket::Unix(stream.into_std()?, path.clone()))
            }
        }
    }
}

/// Says why and closes. The text fits into any new socket's buffer, so this does not wait.
async fn refuse(socket: ClientSocket) {
    // A client that is gone by now does not mind.
    let _ = match socket {
        ClientSocket::Tcp(tcp) => match tokio::net::TcpStream::from_std(tcp) {
            Ok(mut tcp) => tcp.write_all(FULL).await,
            Err(error) => Err(error),
        },
        ClientSocket::Unix(unix, _) => match tokio::net::UnixStream::from_std(unix) {
            Ok(mut unix) => unix.write_all(FULL).await,
            Err(error) => Err(error),
        },
    };
}
