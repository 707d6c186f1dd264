//! The list of settings: each stands here once, with its meaning and default, and is thereby a flag, an
//! environment variable, a key of the file, a line of `--help` and a line of `--check-config`.
//!
//! Knows how settings are given, not what they do.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    num::NonZeroUsize,
    path::PathBuf,
};

use serde::{Deserialize, Serialize};

use super::{
    output_limits::OutputLimits,
    seed::{Seed, SeedParser},
    units::{Endpoint, Mode, Percent, Period, Secret, Size},
};
use crate::config::{LogFormat, LogLevel, ReadFrom};

/// Requests are measured in 32 bits.
type RequestSize = Size<{ u32::MAX as usize }>;

/// As Redis's own default.
const MAXCLIENTS: NonZeroUsize = NonZeroUsize::new(10_000).expect("not 0");
/// Each client that blocks or watches needs one; a tenth of what a node takes by default.
const DEDICATED_CONNECTIONS: NonZeroUsize = NonZeroUsize::new(1_000).expect("not 0");

/// Makes [`Options`] (as given, all optional) and [`Settled`] (with defaults) of one list. What stands in
/// brackets before a name is for its flag alone.
macro_rules! options {
    (
        lists { $($(#[doc = $l:literal])* $([$($la:tt)*])? $list:ident: $item:ty = $items:expr,)* }
        values { $($(#[doc = $v:literal])* $([$($va:tt)*])? $value:ident: $type:ty = $default:expr,)* }
        optional { $($(#[doc = $o:literal])* $([$($oa:tt)*])? $option:ident: $kind:ty,)* }
    ) => {
        /// Settings as one source gave them.
        #[derive(Clone, Debug, Default, clap::Args, Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        pub(super) struct Options {
            $($(#[doc = $l])* #[arg(long, value_delimiter = ',' $(, $($la)*)?)] pub $list: Option<Vec<$item>>,)*
            $($(#[doc = $v])* #[arg(long $(, $($va)*)?)] pub $value: Option<$type>,)*
            $($(#[doc = $o])* #[arg(long $(, $($oa)*)?)] pub $option: Option<$kind>,)*
        }

        /// Settings from all sources, defaults filled in.
        #[derive(Clone, Debug, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub(super) struct Settled {
            $($(#[doc = $l])* pub $list: Vec<$item>,)*
            $($(#[doc = $v])* pub $value: $type,)*
            $($(#[doc = $o])* pub $option: Option<$kind>,)*
        }

        impl Options {
            /// These, and where they say nothing, those of `below`.
            #[must_use]
            pub(super) fn over(self, below: Self) -> Self {
                Self {
                    $($list: self.$list.or(below.$list),)*
                    $($value: self.$value.or(below.$value),)*
                    $($option: self.$option.or(below.$option),)*
                }
            }

            /// These, and where they say nothing, the defaults.
            pub(super) fn settle(self) -> Settled {
                Settled {
                    $($list: self.$list.unwrap_or_else(|| $items),)*
                    $($value: self.$value.unwrap_or_else(|| $default),)*
                    $($option: self.$option,)*
                }
            }
        }
    };
}

options! {
    lists {
        /// Nodes to learn the cluster from: host:port or redis://user:password@host:port
        [value_name = "SEED", value_parser = SeedParser]
        cluster: Seed = Vec::new(),
        /// IP addresses to listen on
        [value_name = "IP"]
        bind: IpAddr = vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
    }
    values {
        /// TCP port to listen on; 0 is none
        [short = 'p']
        port: u16 = 7777,
        /// Most clients at one time
        [value_name = "N"]
        maxclients: NonZeroUsize = MAXCLIENTS,
        /// Length of the kernel's queue of connections not yet accepted
        [value_name = "N"]
        tcp_backlog: u32 = 511,
        /// Idle time after which the kernel probes a client; 0 is off
        [value_name = "DURATION"]
        tcp_keepalive: Period = Period::secs(300),
        /// Idle time after which a client is closed; 0 is off
        [value_name = "DURATION"]
        timeout: Period = Period::secs(0),
        /// How much is logged; `RUST_LOG` overrides it
        [value_name = "error|warn|info|debug", hide_possible_values = true]
        loglevel: LogLevel = LogLevel::Info,
        /// Form of a log line
        [value_name = "text|json", hide_possible_values = true]
        log_format: LogFormat = LogFormat::Text,
        /// How busy a worker may be, in percent of a core, before more workers share its clients; 0: all workers always do
        [value_name = "PERCENT"]
        spread_at: Percent = Percent(85),
        /// Microseconds for which a worker looks for a reply, if it waits for no other, before it sleeps; 0 is off
        [value_name = "MICROSECONDS"]
        busy_poll: u16 = 50,
        /// How often the slot table is refreshed when nothing asks for it sooner
        [value_name = "DURATION"]
        topology_refresh: Period = Period::secs(10),
        /// How long a node may leave a request unanswered before it counts as lost; 0 is off
        [value_name = "DURATION"]
        backend_timeout: Period = Period::secs(5),
        /// Connections to each node that all workers share; 0 is one for each worker
        [value_name = "N"]
        backend_connections_per_node: usize = 0,
        /// Who answers reads: primaries, or replicas, whose data may be older
        [value_name = "primary|prefer-replica|replica|any", hide_possible_values = true]
        read_from: ReadFrom = ReadFrom::Primary,
        /// How far a replica may be behind its primary and still be read; 0 is off
        [value_name = "DURATION"]
        replica_max_lag: Period = Period::secs(10),
        /// For how long after a client's write primaries answer its reads
        [value_name = "DURATION"]
        read_after_write_primary: Period = Period::secs(0),
        /// How long one request is retried before its last error reaches the client
        [value_name = "DURATION"]
        retry_deadline: Period = Period::secs(5),
        /// Most connections to a node, of each protocol version, that serve one client each (blocking commands, WATCH; as many for transactions)
        [value_name = "N"]
        dedicated_connections: NonZeroUsize = DEDICATED_CONNECTIONS,
        /// How long a drain may take
        [value_name = "DURATION"]
        drain_timeout: Period = Period::secs(10),
        /// Longest bulk string a client may send, below 4gb
        [value_name = "SIZE"]
        proto_max_bulk_len: RequestSize = Size(512 << 20),
        /// Longest unfinished request a client may have, below 4gb
        [value_name = "SIZE"]
        client_query_buffer_limit: RequestSize = Size(1 << 30),
        /// Replies that may wait for one client before its requests are no longer read; and for subscribers,
        /// `pubsub HARD SOFT SECONDS`: what may wait before they are closed, at once or when it lasts; 0 is off
        [value_name = "LIMITS"]
        client_output_buffer_limit: OutputLimits = OutputLimits::DEFAULT,
        /// Let clients administer the nodes: CONFIG SET, DEBUG, BGSAVE and the like go to every primary
        [value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true]
        admin_commands: bool = false,
        /// Serve commands on keys of many slots that are not atomic then: SUNION, RENAME, BLPOP and the like
        [value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true]
        cross_slot: bool = false,
        /// Microseconds from which on a request is put into the slow log (SLOWLOG); -1 is off
        [value_name = "MICROSECONDS", allow_negative_numbers = true]
        slowlog_log_slower_than: i64 = 10_000,
        /// Requests that the slow log holds, of up to 5 KiB each
        [value_name = "N"]
        slowlog_max_len: u32 = 128,
        /// Where /metrics, /livez and /readyz are served; none is off
        [value_name = "IP:PORT"]
        metrics_addr: Endpoint = Endpoint(Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9127))),
    }
    optional {
        /// Workers [default: as many as cores]
        [value_name = "N"]
        threads: NonZeroUsize,
        /// Availability zone whose nodes answer reads before all others, as the nodes call it
        [value_name = "NAME"]
        zone: String,
        /// Unix socket to listen on as well
        [value_name = "PATH"]
        unixsocket: PathBuf,
        /// Mode of the unix socket in octal, such as 700 [default: by the umask]
        [value_name = "MODE"]
        unixsocketperm: Mode,
        /// Exit with 69 when the cluster is not learned within this time [default: keep trying]
        [value_name = "DURATION"]
        require_cluster: Period,
        /// User towards the cluster [default: Redis's user default]
        [value_name = "USER"]
        cluster_user: String,
        /// Password towards the cluster
        [value_name = "PASSWORD"]
        cluster_password: Secret,
        /// File that holds the password towards the cluster
        [value_name = "PATH"]
        cluster_password_file: PathBuf,
        /// Password that clients must give
        [value_name = "PASSWORD"]
        requirepass: Secret,
        /// File that holds the password that clients must give
        [value_name = "PATH"]
        requirepass_file: PathBuf,
    }
}

impl Options {
    /// Drops from `self` each password, given or in a file, that `above` gives in either way.
    #[must_use]
    pub(super) fn without_passwords_of(mut self, above: &Self) -> Self {
        if above.cluster_password.is_some() || above.cluster_password_file.is_some() {
            (self.cluster_password, self.cluster_password_file) = (None, None);
        }
        if above.requirepass.is_some() || above.requirepass_file.is_some() {
            (self.requirepass, self.requirepass_file) = (None, None);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_above_wins_and_the_default_comes_last() {
        let given = |port, threads: Option<usize>| Options {
            port,
            threads: threads.and_then(NonZeroUsize::new),
            ..Options::default()
        };
        let settled = given(Some(1), None).over(given(Some(2), Some(3))).settle();
        assert_eq!((settled.port, settled.threads.map(NonZeroUsize::get)), (1, Some(3)));
        assert_eq!(settled.maxclients.get(), 10_000);
    }

    #[test]
    fn a_password_given_above_hides_both_forms_below() {
        let below = Options {
            requirepass: Some(Secret::from("x")),
            cluster_password_file: Some("file".into()),
            ..Options::default()
        };
        let above = Options { requirepass_file: Some("other".into()), ..Options::default() };
        let left = below.without_passwords_of(&above);
        assert!(left.requirepass.is_none() && left.cluster_password_file.is_some());
    }
}
