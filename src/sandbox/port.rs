//! Free TCP ports of the loopback address.
//!
//! A port found free may be taken before its server binds it; that server then ends and the sandbox says so.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};

use super::Failure;

/// How far above its port a node's cluster bus listens (Redis's fixed offset).
const BUS: u16 = 10_000;
/// Nodes' ports stay below, so that their bus ports are ports too.
const HIGHEST: u16 = 55_000;
/// Ports looked at before giving up.
const LOOKS: usize = 10_000;

/// `count` free ports for nodes, each with its bus port free too.
pub(super) fn for_nodes(count: u16) -> Result<Vec<u16>, Failure> {
    let mut ports = Vec::new();
    // Held until all are chosen, so that none is chosen twice.
    let mut held = Vec::new();
    for _ in 0..LOOKS {
        if ports.len() == usize::from(count) {
            return Ok(ports);
        }
        let Some((port, listener)) = bind(local(0)) else { continue };
        if let Some((_, bus)) =
            port.checked_add(BUS).filter(|_| port < HIGHEST).and_then(|bus| bind(local(bus)))
        {
            ports.push(port);
            held.push(bus);
        }
        held.push(listener);
    }
    Err(Failure::NoPort)
}

/// `wanted` at `ip` if that is free, else a free one.
pub(super) fn at(ip: IpAddr, wanted: u16) -> Result<u16, Failure> {
    let found = bind(SocketAddr::new(ip, wanted)).or_else(|| bind(SocketAddr::new(ip, 0)));
    found.map(|(port, _)| port).ok_or(Failure::NoPort)
}

/// The loopback address with `port`.
pub(super) fn local(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

fn bind(address: SocketAddr) -> Option<(u16, TcpListener)> {
    let listener = TcpListener::bind(address).ok()?;
    Some((listener.local_addr().ok()?.port(), listener))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_of_nodes_are_distinct_and_so_are_their_bus_ports() {
        let ports = for_nodes(12).unwrap();
        let mut all: Vec<_> = ports.iter().flat_map(|&p| [p, p + BUS]).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!((ports.len(), all.len()), (12, 24));
    }

    #[test]
    fn a_taken_port_is_replaced() {
        let (taken, _held) = bind(local(0)).unwrap();
        assert_ne!(at(local(0).ip(), taken).unwrap(), taken);
    }
}
