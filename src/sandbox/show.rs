//! The show: the slot map, what to type, and one plain connection that reaches three nodes.

use std::{
    io::{self, Write},
    net::SocketAddr,
};

use super::{
    Failure,
    cluster::{Cluster, Share},
    peer::Peer,
    proxy::Proxy,
    stdout,
};
use crate::{cluster::Slot, resp::Value};

/// Words to choose keys from; among few of them every third of the slots is met.
const WORDS: [&str; 12] =
    ["name", "city", "colour", "river", "fruit", "bird", "song", "month", "tree", "stone", "cloud", "boat"];
/// Nodes that the show reaches.
const NODES: usize = 3;

/// Prints which node owns which slots.
pub(super) fn slot_map(cluster: &Cluster, out: &mut impl Write) -> Result<(), Failure> {
    let shares = cluster.shares()?;
    write_map(&shares, out).map_err(stdout)
}

fn write_map(shares: &[Share], out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "\n  {:<13} {:<17} replicas", "slots", "primary")?;
    for Share { slots: (first, last), primary, replicas } in shares {
        writeln!(out, "  {:<13} {primary:<17} {}", format!("{first}-{last}"), replicas.join(" "))?;
    }
    Ok(())
}

/// Prints where the proxy is and what to try with it.
pub(super) fn what_to_type(proxy: &Proxy, out: &mut impl Write) -> io::Result<()> {
    let (at, metrics) = (proxy.address, proxy.metrics);
    let (ip, port) = (at.ip(), at.port());
    let host = if ip.is_loopback() && ip.is_ipv4() { String::new() } else { format!("-h {ip} ") };
    writeln!(out, "\nSlotway listens on {at}. In another terminal, try")?;
    writeln!(out, "\n  redis-cli {host}-p {port} set name slotway")?;
    writeln!(out, "  redis-cli {host}-p {port} mget name city colour")?;
    writeln!(out, "  redis-benchmark {host}-p {port} -q -t set,get")?;
    writeln!(out, "  curl http://{metrics}/metrics")
}

/// Sets and gets a key of each of three nodes through one plain connection, and shows what a node alone says.
pub(super) fn three_nodes(cluster: &Cluster, proxy: &Proxy, out: &mut impl Write) -> Result<(), Failure> {
    let shares = cluster.shares()?;
    let mut client = Peer::connect(proxy.address)?;
    writeln!(out, "\nOne plain connection, three nodes, no redirect:\n").map_err(stdout)?;
    for (key, share) in keys(&shares) {
        let value = format!("{key}-of-slot-{}", Slot::of(key.as_bytes()));
        exchange(&mut client, &["SET", key, &value], &Value::Simple("OK".to_owned()), &share.primary, out)?;
        exchange(&mut client, &["GET", key], &Value::Bulk(value.into_bytes()), &share.primary, out)?;
    }
    straight(cluster.primaries(), &shares, out)
}

/// One key for each of the first three shares.
fn keys(shares: &[Share]) -> impl Iterator<Item = (&'static str, &Share)> {
    shares.iter().filter_map(|share| Some((key_of(share)?, share))).take(NODES)
}

fn key_of(share: &Share) -> Option<&'static str> {
    WORDS.into_iter().find(|key| owns(share, key))
}

fn owns(share: &Share, key: &str) -> bool {
    i64::try_from(Slot::of(key.as_bytes()).index())
        .is_ok_and(|slot| (share.slots.0..=share.slots.1).contains(&slot))
}

/// Sends `request`, prints it with its slot and node, and holds the reply to `expected`.
fn exchange(
    client: &mut Peer,
    request: &[&str],
    expected: &Value,
    node: &str,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let reply = client.ask(request)?;
    let line = request.join(" ");
    let slot = Slot::of(request[1].as_bytes());
    writeln!(out, "  > {line:<32} slot {slot} on {node}\n  {}", plain(&reply)).map_err(stdout)?;
    if reply != *expected {
        return Err(Failure::Answer(line, reply));
    }
    Ok(())
}

/// Asks a node for a key of another one, as a client would without the proxy.
fn straight(primaries: &[SocketAddr], shares: &[Share], out: &mut impl Write) -> Result<(), Failure> {
    let Some((key, share)) = keys(shares).next() else { return Ok(()) };
    let Some(&other) = primaries.iter().find(|node| node.to_string() != share.primary) else { return Ok(()) };
    let reply = Peer::connect(other)?.ask(&["GET", key])?;
    writeln!(out, "\nWithout slotway, {other} says\n\n  > GET {key}\n  {}", plain(&reply)).map_err(stdout)
}

/// A reply as people read it.
fn plain(reply: &Value) -> String {
    match reply {
        Value::Error(text) => format!("(error) {text}"),
        Value::Bulk(bytes) => format!("\"{}\"", bytes.escape_ascii()),
        Value::Simple(text) => text.clone(),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(first: i64, last: i64) -> Share {
        let (primary, replicas) = (format!("127.0.0.1:{first}"), vec!["127.0.0.1:9".to_owned()]);
        Share { slots: (first, last), primary, replicas }
    }

    #[test]
    fn every_third_of_the_slots_has_a_key_to_show() {
        let shares = [share(0, 5460), share(5461, 10922), share(10923, 16383)];
        let shown: Vec<_> = keys(&shares).collect();
        assert_eq!(shown.len(), 3);
        assert!(shown.iter().all(|(key, share)| owns(share, key)));
    }

    #[test]
    fn the_slot_map_is_a_table() {
        let mut out = Vec::new();
        write_map(&[share(0, 5460)], &mut out).unwrap();
        let expected =
            "\n  slots         primary           replicas\n  0-5460        127.0.0.1:0       127.0.0.1:9\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
