//! `slotway sandbox`: a throwaway real cluster on this machine with the proxy in front.

use std::{net::IpAddr, path::PathBuf};

/// What sandbox to start.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Primaries of the cluster, at least 3 as a cluster needs for failover
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(3..=50), value_name = "N")]
    pub primaries: u16,
    /// Replicas of each primary
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(0..=5), value_name = "N")]
    pub replicas: u16,
    /// The server to start [default: redis-server, else valkey-server, from PATH]
    #[arg(long, value_name = "PATH")]
    pub server: Option<PathBuf>,
    /// The proxy's port [default: 7777, or a free one if that is taken]
    #[arg(long, short, value_name = "PORT")]
    pub port: Option<u16>,
    /// The address the proxy listens on
    #[arg(long, default_value = "127.0.0.1", value_name = "IP")]
    pub listen: IpAddr,
    /// End after the show instead of staying up
    #[arg(long)]
    pub once: bool,
}

/// Runs the sandbox.
pub fn run(_options: &Options, _out: &mut impl std::io::Write) -> std::io::Result<()> {
    Ok(())
}
