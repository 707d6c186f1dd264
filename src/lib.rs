//! Slotway: one plain-RESP address in front of a whole Redis or Valkey Cluster.

pub mod cluster;
pub mod command;
pub mod config;
pub mod control;
pub mod metrics;
pub mod node;
pub mod resp;
pub mod topology;
