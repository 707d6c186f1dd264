//! This same program as the proxy in front of the sandbox's cluster.

use std::{
    env,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    process::Command,
    time::Duration,
};

use super::{Failure, Options, cluster::Cluster, peer, port, stage::Stage};

/// The running proxy.
pub(super) struct Proxy {
    /// Where clients connect.
    pub(super) address: SocketAddr,
    /// Where its metrics are.
    pub(super) metrics: SocketAddr,
}

/// The port unless another is asked for or it is taken.
const PORT: u16 = 7777;
/// How long the proxy may take to learn the cluster; a second is usual.
const START: Duration = Duration::from_secs(20);

impl Proxy {
    /// Starts the proxy in front of `cluster` and waits until it is ready.
    pub(super) fn start(cluster: &Cluster, options: &Options, stage: &Stage) -> Result<Self, Failure> {
        let port = options.port.map_or_else(|| port::at(options.listen, PORT), Ok)?;
        let metrics = port::local(port::at(port::local(0).ip(), 0)?);
        let mut command = command()?;
        command.args(cluster.primaries().iter().map(ToString::to_string));
        command.arg("--bind").arg(options.listen.to_string());
        command.arg("--port").arg(port.to_string());
        command.arg("--metrics-addr").arg(metrics.to_string());
        command.arg("--loglevel").arg("warn");
        stage.litter.start("slotway", &mut command)?;
        let proxy = Self { address: SocketAddr::new(reachable(options.listen), port), metrics };
        stage.until("slotway was ready", START, || Ok(proxy.ready()))?;
        Ok(proxy)
    }

    fn ready(&self) -> bool {
        peer::get(self.metrics, "/readyz").is_ok_and(|(status, _)| status == 200)
    }
}

/// This program, free of settings that were meant for another proxy.
fn command() -> Result<Command, Failure> {
    let program =
        env::current_exe().map_err(|e| Failure::Io("cannot find this program's file".to_owned(), e))?;
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("SLOTWAY_") {
            command.env_remove(name);
        }
    }
    Ok(command)
}

/// An address that a listener on `listen` can be reached at from here.
fn reachable(listen: IpAddr) -> IpAddr {
    match listen {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}
