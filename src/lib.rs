//! Slotway: one plain-RESP address in front of a whole Redis or Valkey Cluster.

pub mod cli;
pub mod cluster;
pub mod config;
pub mod log;
pub mod metrics;
pub mod proxy;
pub mod resp;
pub mod sandbox;
pub mod topology;
