//! What slotway was told to do, checked and complete. Made once at start by [`crate::cli`].

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use secrecy::SecretString;

use crate::cluster::NodeAddr;

/// Every setting, resolved: flag beats environment beats file beats default.
///
/// A zero [`Duration`] turns the thing it bounds off.
#[derive(Clone, Debug)]
pub struct Config {
    /// Nodes to learn the cluster from.
    pub seeds: Vec<NodeAddr>,
    /// Who slotway is to the cluster; `None` is Redis's `default` user.
    pub cluster_user: Option<String>,
    /// Password towards the cluster.
    pub cluster_password: Option<SecretString>,
    /// Addresses to listen on, hosts as the user wrote them (IPv4, IPv6).
    pub bind: Vec<std::net::IpAddr>,
    /// TCP port of every bound address; 0 listens on no TCP port.
    pub port: u16,
    /// Unix socket to listen on.
    pub unixsocket: Option<PathBuf>,
    /// Mode of the unix socket, such as `0o700`.
    pub unixsocketperm: Option<u32>,
    /// Workers, at least 1.
    pub threads: usize,
    /// For how many thousandths of the time a worker may compute before others take clients off it; at 0 all have
    /// as many from the start.
    pub spread_at: u64,
    /// For how long a worker looks for the only reply that is due before it sleeps; zero is off.
    pub busy_poll: Duration,
    /// Clients at one time, over all workers.
    pub maxclients: usize,
    /// Length of the kernel's queue of connections not yet accepted.
    pub tcp_backlog: u32,
    /// Idle time after which the kernel probes a client.
    pub tcp_keepalive: Duration,
    /// Idle time after which a client is closed.
    pub timeout: Duration,
    /// Log level and form.
    pub loglevel: LogLevel,
    /// Log form.
    pub log_format: LogFormat,
    /// How often the slot table is refreshed when nothing asks for it sooner.
    pub topology_refresh: Duration,
    /// How long a node may leave a request unanswered before it counts as lost.
    pub backend_timeout: Duration,
    /// Connections to each node for each profile, which workers share; 0 is one for each worker.
    pub backend_connections_per_node: usize,
    /// Connections to one node, of one protocol version and over all workers, that may belong to one client each.
    /// As many clients may track changed keys with NOLOOP, over connections that are theirs as long as they do.
    pub dedicated_connections: usize,
    /// Who answers reads.
    pub read_from: ReadFrom,
    /// The availability zone whose nodes answer reads before all others.
    pub zone: Option<String>,
    /// How far a replica may be behind its primary and still be read.
    pub replica_max_lag: Duration,
    /// For how long after a client's write primaries answer its reads.
    pub read_after_write_primary: Duration,
    /// How long one request is tried before its last error reaches the client.
    pub retry_deadline: Duration,
    /// How long a drain may take.
    pub drain_timeout: Duration,
    /// Exit with 69 when the cluster is not learned within this time.
    pub require_cluster: Option<Duration>,
    /// Longest bulk string a client may send, in bytes.
    pub proto_max_bulk_len: usize,
    /// Longest unfinished request a client may have, in bytes; below 4 GiB.
    pub client_query_buffer_limit: usize,
    /// Replies that may wait for one client, in bytes, before its requests are no longer read.
    pub client_output_buffer_limit: usize,
    /// What may wait for a client that subscribed before it is closed.
    pub pubsub_output_limit: OutputLimit,
    /// Whether clients may change and inspect the nodes themselves (CONFIG SET, DEBUG, BGSAVE and the like).
    pub admin_commands: bool,
    /// Whether commands on keys of many slots are done where that takes more than cutting and merging.
    pub cross_slot: bool,
    /// Microseconds from which on a request is put into the slow log; below 0 none is.
    pub slowlog_log_slower_than: i64,
    /// Requests that the slow log holds.
    pub slowlog_max_len: usize,
    /// Password that clients must give.
    pub requirepass: Option<SecretString>,
    /// Where `/metrics`, `/livez` and `/readyz` are served.
    pub metrics_addr: Option<SocketAddr>,
}

impl Config {
    /// Nanoseconds from which on a request is put into the slow log.
    pub fn slow_from(&self) -> u64 {
        match u64::try_from(self.slowlog_log_slower_than) {
            Ok(micros) if self.slowlog_max_len > 0 => micros.saturating_mul(1000),
            _ => u64::MAX,
        }
    }

    /// Nanoseconds after a client's write for which primaries answer its reads; 0 where they always do, or never.
    pub fn read_own_writes(&self) -> u64 {
        match self.read_from {
            ReadFrom::Primary => 0,
            _ => u64::try_from(self.read_after_write_primary.as_nanos()).unwrap_or(u64::MAX),
        }
    }

    /// How many workers take clients on before it is known how busy they are.
    pub fn workers_at_first(&self) -> usize {
        if self.spread_at == 0 { self.threads } else { 1 }
    }

    /// How many connections to each node the workers share; none where each has its own.
    pub fn pipes_per_node(&self) -> Option<usize> {
        let pipes = self.backend_connections_per_node;
        (1..self.threads).contains(&pipes).then_some(pipes)
    }
}

/// How many bytes may wait for a client before it is closed; a bound of 0 is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputLimit {
    /// At this it is closed at once.
    pub hard: usize,
    /// At this it is closed when it lasts.
    pub soft: usize,
    /// How long that may last.
    pub within: Duration,
}

/// Who answers reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReadFrom {
    /// The primary.
    Primary,
    /// A replica while there is one that can, else the primary.
    PreferReplica,
    /// A replica, never the primary.
    Replica,
    /// The primary and its replicas, as they share the clients among them.
    Any,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogLevel {
    /// Only failures.
    Error,
    /// And what an operator should look at.
    Warn,
    /// And what changes.
    Info,
    /// And each decision.
    Debug,
}

impl LogLevel {
    /// Its name, as a log filter knows it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}
