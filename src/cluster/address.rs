//! Where a node is: a host (IPv4, IPv6 or name) and a port.

use std::{fmt, str::FromStr, sync::Arc};

/// A node's address as the cluster tells it. Cheap to clone; names are resolved when dialled.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeAddr {
    host: Arc<str>,
    port: u16,
}

/// A text that is no `host:port`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected host:port, found {0:?}")]
pub struct AddressError(String);

impl NodeAddr {
    /// The address `host`:`port`; an IPv6 host stands without brackets.
    pub fn new(host: &str, port: u16) -> Self {
        Self { host: host.into(), port }
    }

    /// The host: an IP address without brackets, or a name.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for NodeAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Reads `host:port`, `[v6]:port`, and `v6:port` as MOVED writes it (the last colon parts the port).
impl FromStr for NodeAddr {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let wrong = || AddressError(text.to_owned());
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().ok().filter(|&p| p != 0).ok_or_else(wrong)?;
        let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        if bare.contains(['[', ']', '/', '@', ' ']) {
            return Err(wrong());
        }
        Ok(Self::new(bare, port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_that_nodes_write_is_read_and_written_back() {
        for (text, host, shown) in [
            ("10.0.0.1:7000", "10.0.0.1", "10.0.0.1:7000"),
            ("node-3.local:7000", "node-3.local", "node-3.local:7000"),
            ("[::1]:7000", "::1", "[::1]:7000"),
            ("2001:db8::1:7000", "2001:db8::1", "[2001:db8::1]:7000"),
            (":7000", "", ":7000"),
        ] {
            let address: NodeAddr = text.parse().unwrap();
            assert_eq!((address.host(), address.port()), (host, 7000));
            assert_eq!(address.to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["", "host", "host:", "host:0", "host:65536", "host:x", "a b:1", "u@h:1"] {
            assert!(text.parse::<NodeAddr>().is_err(), "{text:?}");
        }
    }
}
