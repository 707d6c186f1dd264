//! What the tests stand on: processes that die with the test, real and scripted clusters, a raw client.

pub(crate) mod client;
pub(crate) mod cluster;
pub(crate) mod fake;
pub(crate) mod hosts;
pub(crate) mod http;
pub(crate) mod ports;
pub(crate) mod process;
pub(crate) mod programs;
pub(crate) mod proxy;
pub(crate) mod random;
pub(crate) mod resp;
pub(crate) mod server;
pub(crate) mod sharing;
pub(crate) mod slot;
pub(crate) mod templates;
pub(crate) mod wait;

pub(crate) use client::Client;
pub(crate) use cluster::Cluster;
pub(crate) use fake::{Act, FakeCluster, Gate};
pub(crate) use programs::python_environment;
pub(crate) use proxy::Proxy;
pub(crate) use random::Random;
pub(crate) use resp::{Value, encode};
pub(crate) use server::Kind;
pub(crate) use sharing::sharing;
pub(crate) use wait::{PATIENCE, eventually};

/// One way to run a test: which servers, how many workers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub(crate) kind: Kind,
    pub(crate) threads: usize,
}

impl Setup {
    /// A proxy in front of the shared cluster of this kind.
    pub(crate) fn proxy(self) -> Proxy {
        self.proxy_with(&[])
    }

    /// A key that no other run of the same test uses.
    pub(crate) fn key(self, rest: impl std::fmt::Display) -> String {
        let shared = if sharing::shared() { "s" } else { "" };
        format!("{:?}{}{shared}:{rest}", self.kind, self.threads)
    }

    /// The same with more flags.
    pub(crate) fn proxy_with(self, flags: &[&str]) -> Proxy {
        Proxy::of(Cluster::shared(self.kind), self.threads, flags)
    }

    /// Says `lines` on one connection through a proxy and on one to a single server, in RESP2 and in RESP3; the
    /// replies must be the same.
    pub(crate) fn talks_like_one_server(self, lines: &[&str]) {
        let (proxy, single) = (self.proxy(), server::Server::single(self.kind));
        for version in ["HELLO 2", "HELLO 3"] {
            let (mut proxied, mut direct) = (proxy.client(), single.client());
            proxied.run(version);
            direct.run(version);
            for line in lines {
                assert_eq!(proxied.run(line).sorted(), direct.run(line).sorted(), "{version} {line}");
            }
        }
    }
}

/// Runs each function on Redis and on Valkey, with 1 worker and with 4, and once with 4 workers that share
/// connections to the nodes.
macro_rules! everywhere {
    ($($(#[$meta:meta])* fn $name:ident($setup:ident) $body:block)*) => { $(
        mod $name {
            use super::*;
            $(#[$meta])*
            fn attempt($setup: Setup) $body
            #[test] fn on_redis_with_1_worker() { attempt(Setup { kind: Kind::Redis, threads: 1 }); }
            #[test] fn on_redis_with_4_workers() { attempt(Setup { kind: Kind::Redis, threads: 4 }); }
            #[test] fn on_valkey_with_1_worker() { attempt(Setup { kind: Kind::Valkey, threads: 1 }); }
            #[test] fn on_valkey_with_4_workers() { attempt(Setup { kind: Kind::Valkey, threads: 4 }); }
            #[test] fn on_redis_with_4_workers_that_share() {
                crate::support::sharing(|| attempt(Setup { kind: Kind::Redis, threads: 4 }));
            }
        }
    )* };
}

/// Runs each function once on Redis with 1 worker, once on Valkey with 4, and once on Redis with 4 that share
/// connections to the nodes: for what takes long.
macro_rules! crosswise {
    ($($(#[$meta:meta])* fn $name:ident($setup:ident) $body:block)*) => { $(
        mod $name {
            use super::*;
            $(#[$meta])*
            fn attempt($setup: Setup) $body
            #[test] fn on_redis_with_1_worker() { attempt(Setup { kind: Kind::Redis, threads: 1 }); }
            #[test] fn on_valkey_with_4_workers() { attempt(Setup { kind: Kind::Valkey, threads: 4 }); }
            #[test] fn on_redis_with_4_workers_that_share() {
                crate::support::sharing(|| attempt(Setup { kind: Kind::Redis, threads: 4 }));
            }
        }
    )* };
}

/// Runs each function with 1 worker, with 4, and with 4 that share connections to the nodes: for scripted
/// clusters.
macro_rules! with_1_and_4_workers {
    ($($(#[$meta:meta])* fn $name:ident($threads:ident) $body:block)*) => { $(
        mod $name {
            use super::*;
            $(#[$meta])*
            fn attempt($threads: usize) $body
            #[test] fn with_1_worker() { attempt(1); }
            #[test] fn with_4_workers() { attempt(4); }
            #[test] fn with_4_workers_that_share() { crate::support::sharing(|| attempt(4)); }
        }
    )* };
}

pub(crate) use {crosswise, everywhere, with_1_and_4_workers};
