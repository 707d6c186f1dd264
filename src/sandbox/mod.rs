//! `slotway sandbox`: a throwaway real cluster on this machine with slotway in front, shown at work.
//!
//! Blocking throughout, and used by no other module: it drives servers and the proxy as separate processes, as
//! an operator would. Invariant: every process and directory it makes is in its `Litter` and goes with it.

mod benchmark;
mod cluster;
mod latency;
mod litter;
mod peer;
mod port;
mod proxy;
mod show;
mod stage;

use std::{
    io::{self, Write},
    net::IpAddr,
    path::PathBuf,
};

use self::{cluster::Cluster, litter::Litter, proxy::Proxy, stage::Stage};
use crate::resp::Value;

/// What sandbox to start.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Primaries of the cluster, at least 3: fewer cannot agree on a failover
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(3..=50), value_name = "N")]
    pub primaries: u16,
    /// Replicas of each primary
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(0..=5), value_name = "N")]
    pub replicas: u16,
    /// The server to start [default: redis-server, else valkey-server, from PATH]
    #[arg(long, value_name = "PATH")]
    pub server: Option<PathBuf>,
    /// The proxy's port [default: 7777, or a free one if that is taken]
    #[arg(long, short, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// The address the proxy listens on
    #[arg(long, default_value = "127.0.0.1", value_name = "IP")]
    pub listen: IpAddr,
    /// End after the show instead of staying up
    #[arg(long)]
    pub once: bool,
}

/// Why a sandbox could not be started or shown.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The operating system refused something.
    #[error("{0}: {1}")]
    Io(String, io::Error),
    /// There is no server to start.
    #[error("found neither redis-server nor valkey-server on PATH; name one with --server")]
    NoServer,
    /// A process ended that should have stayed.
    #[error("{0} ended by itself ({1})")]
    Ended(String, String),
    /// Something did not happen in time.
    #[error("waited {1} s in vain until {0}")]
    Late(String, u64),
    /// A node or the proxy answered something else than it should.
    #[error("{0} was answered {1:?}")]
    Answer(String, Value),
    /// No run of ports was free.
    #[error("found no free ports on 127.0.0.1")]
    NoPort,
    /// A signal asked to stop.
    #[error("stopped")]
    Stopped,
}

/// Starts the sandbox that `options` describe, shows it on `out`, and stays until a signal, or until the show is
/// over with `--once`. Leaves nothing behind.
pub fn run(options: &Options, out: &mut impl Write) -> Result<(), Failure> {
    let stage = Stage::set(Litter::new()?)?;
    match play(options, &stage, out) {
        Err(Failure::Stopped) => {}
        ended => ended?,
    }
    stage.litter.clear();
    writeln!(out, "\nThe sandbox is gone: servers, proxy and files.").map_err(stdout)
}

fn play(options: &Options, stage: &Stage, out: &mut impl Write) -> Result<(), Failure> {
    let server = cluster::server(options.server.as_deref())?;
    let nodes = options.primaries * (1 + options.replicas);
    writeln!(out, "Starting {nodes} nodes of {} in {}", server.display(), stage.litter.dir().display())
        .map_err(stdout)?;
    let cluster = Cluster::start(&server, options.primaries, options.replicas, stage)?;
    let proxy = Proxy::start(&cluster, options, stage)?;
    show::slot_map(&cluster, out)?;
    show::what_to_type(&proxy, out).map_err(stdout)?;
    show::three_nodes(&cluster, &proxy, out)?;
    benchmark::run(&proxy, stage, out)?;
    if options.once {
        return Ok(());
    }
    writeln!(out, "\nSlotway stays up on {} until Ctrl-C.", proxy.address).map_err(stdout)?;
    stage.until_stopped()
}

fn stdout(error: io::Error) -> Failure {
    Failure::Io("cannot write to standard output".to_owned(), error)
}
