//! Turns settings into the [`Config`] the proxy runs with: looks passwords up, checks what only the whole can
//! show.

use std::{num::NonZeroUsize, path::Path, thread, time::Duration};

use secrecy::ExposeSecret;

use super::{
    Refusal, file,
    options::Settled,
    units::{Period, Secret},
};
use crate::config::{Config, ReadFrom};

impl Settled {
    /// The configuration these settings make.
    pub(super) fn resolve(self) -> Result<Config, Refusal> {
        self.check()?;
        let cluster_user = self.cluster_user.clone().or_else(|| self.seed_user());
        let cluster_password = self.cluster_password()?;
        let requirepass = self.requirepass()?;
        Ok(Config {
            seeds: self.cluster.into_iter().map(|seed| seed.address).collect(),
            cluster_user,
            cluster_password: cluster_password.map(|p| p.0),
            bind: self.bind,
            port: self.port,
            unixsocket: self.unixsocket,
            unixsocketperm: self.unixsocketperm.map(|mode| mode.0),
            threads: self.threads.map_or_else(cores, NonZeroUsize::get),
            spread_at: self.spread_at.thousandths(),
            busy_poll: Duration::from_micros(self.busy_poll.into()),
            maxclients: self.maxclients.get(),
            tcp_backlog: self.tcp_backlog,
            tcp_keepalive: self.tcp_keepalive.0,
            timeout: self.timeout.0,
            loglevel: self.loglevel,
            log_format: self.log_format,
            topology_refresh: self.topology_refresh.0,
            backend_timeout: self.backend_timeout.0,
            backend_connections_per_node: self.backend_connections_per_node,
            read_from: self.read_from,
            zone: self.zone,
            replica_max_lag: self.replica_max_lag.0,
            read_after_write_primary: self.read_after_write_primary.0,
            retry_deadline: self.retry_deadline.0,
            dedicated_connections: self.dedicated_connections.get(),
            drain_timeout: self.drain_timeout.0,
            require_cluster: self.require_cluster.filter(|&p| p != Period::secs(0)).map(|p| p.0),
            proto_max_bulk_len: self.proto_max_bulk_len.0,
            client_query_buffer_limit: self.client_query_buffer_limit.0,
            client_output_buffer_limit: self.client_output_buffer_limit.replies.0,
            pubsub_output_limit: self.client_output_buffer_limit.pubsub,
            admin_commands: self.admin_commands,
            cross_slot: self.cross_slot,
            slowlog_log_slower_than: self.slowlog_log_slower_than,
            slowlog_max_len: usize::try_from(self.slowlog_max_len).unwrap_or(usize::MAX),
            requirepass: requirepass.map(|p| p.0),
            metrics_addr: self.metrics_addr.0,
        })
    }

    fn check(&self) -> Result<(), Refusal> {
        if self.cluster.is_empty() {
            return Err(Refusal::usage(
                "expected at least one node of the cluster to start from, as host:port",
            ));
        }
        let tcp = self.port != 0 && !self.bind.is_empty();
        if !tcp && self.unixsocket.is_none() {
            return Err(Refusal::usage(
                "nothing to listen on: expected a port and address, or a unix socket",
            ));
        }
        if self.read_from == ReadFrom::Replica && self.read_after_write_primary != Period::secs(0) {
            return Err(Refusal::usage(
                "--read-from replica never asks a primary: expected prefer-replica or any with \
                --read-after-write-primary",
            ));
        }
        Ok(())
    }

    fn seed_user(&self) -> Option<String> {
        self.cluster.iter().find_map(|seed| seed.user.clone())
    }

    fn cluster_password(&self) -> Result<Option<Secret>, Refusal> {
        let given = password(self.cluster_password.as_ref(), self.cluster_password_file.as_deref())?;
        Ok(given.or_else(|| self.cluster.iter().find_map(|seed| seed.password.clone())))
    }

    fn requirepass(&self) -> Result<Option<Secret>, Refusal> {
        password(self.requirepass.as_ref(), self.requirepass_file.as_deref())
    }
}

/// A password as given, or else as its file has it; an empty one is none, as in redis.conf.
fn password(given: Option<&Secret>, path: Option<&Path>) -> Result<Option<Secret>, Refusal> {
    if let Some(secret) = given {
        return Ok(Some(secret.clone()).filter(|s| !s.0.expose_secret().is_empty()));
    }
    let Some(path) = path else { return Ok(None) };
    let text = file::read_password(path).map_err(Refusal::Configuration)?;
    Ok(Some(Secret::from(text.as_str())))
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}
