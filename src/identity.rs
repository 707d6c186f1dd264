//! Who this process is, for clients that ask: a run id as nodes have one, and the time of the start.

use std::time::{Duration, Instant};

/// One process.
#[derive(Debug)]
pub struct Identity {
    id: [u8; 40],
    since: Instant,
}

impl Identity {
    /// Of a process that starts now.
    pub fn new() -> Self {
        let id = std::array::from_fn(|_| b"0123456789abcdef"[fastrand::usize(..16)]);
        Self { id, since: Instant::now() }
    }

    /// 40 hexadecimal digits, other ones in each process.
    pub fn id(&self) -> [u8; 40] {
        self.id
    }

    /// How long it has been running.
    pub fn uptime(&self) -> Duration {
        self.since.elapsed()
    }
}

impl Default for Identity {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_id_looks_like_a_node_id() {
        let identity = Identity::new();
        assert!(identity.id().iter().all(u8::is_ascii_hexdigit));
        assert_ne!(identity.id(), Identity::new().id());
    }
}
