//! L4: assembles control, workers and listeners, runs them, and drains.

use crate::config::Config;

/// Why the proxy ended other than by a drain.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Something it needs of this machine was refused, such as a port.
    #[error("{0}")]
    Start(String),
    /// `--require-cluster` ran out.
    #[error("no seed told the cluster's slots within {0:?}")]
    NoCluster(std::time::Duration),
}

impl Failure {
    /// The process's exit code: 1, or 69 (service unavailable, as in sysexits.h).
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Start(_) => 1,
            Self::NoCluster(_) => 69,
        }
    }
}

/// Serves until a signal asks for a drain.
pub fn run(_config: Config) -> Result<(), Failure> {
    Ok(())
}
