//! The proxy as its clients meet it: the real binary in front of real and scripted clusters.
//!
//! `support` holds what the tests stand on (servers, clusters, the proxy, a raw client); every other module is one theme.
//! Nothing here uses the crate under test to read or write the protocol, so a mistake there cannot hide itself.
//!
//! ```text
//! cargo test --test suite                    everything
//! cargo test --test suite redirects::        one theme
//! SLOTWAY_TEST_SEED=7 cargo test --test suite random    the same random requests again
//! ```

#[cfg(test)]
mod support;

#[cfg(test)]
mod against_single;
#[cfg(test)]
mod blocking;
#[cfg(test)]
mod broadcast;
#[cfg(test)]
mod busy_polls;
#[cfg(test)]
mod chaos;
#[cfg(test)]
mod client_control;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod cross;
#[cfg(test)]
mod cross_moves;
#[cfg(test)]
mod cross_waits;
#[cfg(test)]
mod crowds;
#[cfg(test)]
mod databases;
mod every_command;
#[cfg(test)]
mod figures;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod hello;
#[cfg(test)]
mod large;
#[cfg(test)]
mod lending;
#[cfg(test)]
mod life;
#[cfg(test)]
mod lost_nodes;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod monitor;
#[cfg(test)]
mod noloop;
#[cfg(test)]
mod pipelines;
#[cfg(test)]
mod placement;
#[cfg(test)]
mod protocol_errors;
#[cfg(test)]
mod pubsub;
#[cfg(test)]
mod pubsub_nodes;
#[cfg(test)]
mod redirection;
#[cfg(test)]
mod redirects;
#[cfg(test)]
mod regression;
#[cfg(test)]
mod replicas;
#[cfg(test)]
mod resharding;
#[cfg(test)]
mod resp3;
#[cfg(test)]
mod retries;
#[cfg(test)]
mod scan;
#[cfg(test)]
mod scripts;
#[cfg(test)]
mod slowlog;
#[cfg(test)]
mod split;
#[cfg(test)]
mod tools;
#[cfg(test)]
mod topology;
#[cfg(test)]
mod tracking;
#[cfg(test)]
mod transactions;
#[cfg(test)]
mod tutorial;
#[cfg(test)]
mod versions;
#[cfg(test)]
mod waits;
#[cfg(test)]
mod watches;
