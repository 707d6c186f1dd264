//! A cluster on three hosts of their own, slotway on a fourth; reached through Unix sockets, which no cut between
//! the hosts concerns.

use std::{cell::Cell, os::unix::net::UnixStream, time::Duration};

use super::stage::Event;
use crate::support::{
    Client, Value,
    hosts::{Host, Hosts},
    process::Process,
    slot::{SLOTS, add_slots},
    wait::within,
};

/// Slotway's host, and those of the nodes.
const HOSTS: [Host; 4] =
    [("proxy", "198.18.0.1"), ("one", "198.18.0.2"), ("two", "198.18.0.3"), ("three", "198.18.0.4")];
/// What slotway knows the first node by, besides its first address.
const SEED: &str = "cluster.test";
/// Primaries and replicas have a port each; no other host has them.
const PRIMARY: &str = "7000";
const REPLICA: &str = "7001";
/// Forming and mending a cluster takes seconds of gossip.
const PATIENCE: Duration = Duration::from_secs(60);
/// Servers.
const NODES: usize = 6;

/// Each host has a primary, and the replica of the primary of the host before.
pub(super) struct Network {
    hosts: Hosts,
    nodes: Vec<Process>,
    _proxy: Process,
    /// How often all addresses changed.
    numbers: Cell<u8>,
}

/// The host of node `index`: primaries first.
fn host(index: usize) -> &'static str {
    if index < 3 { HOSTS[1 + index].0 } else { HOSTS[1 + (index - 2) % 3].0 }
}

fn port(index: usize) -> &'static str {
    if index < 3 { PRIMARY } else { REPLICA }
}

impl Network {
    /// Forms the cluster and starts slotway, or says why this machine can't.
    pub(super) fn start(event: &Event) -> Result<Self, String> {
        let hosts = Hosts::named(&HOSTS, &[])?;
        let nodes = (0..NODES).map(|index| node(&hosts, event, index)).collect();
        hosts.call(HOSTS[0].0, SEED, HOSTS[1].1);
        let seeds = HOSTS.iter().skip(1).map(|(_, address)| format!("{address}:{PRIMARY}"));
        let seeds = seeds.chain([format!("{SEED}:{PRIMARY}")]);
        let mut words: Vec<String> = vec![env!("CARGO_BIN_EXE_slotway").to_owned()];
        words.extend(seeds);
        let threads = event.threads.to_string();
        let own = [
            "--port",
            "0",
            "--unixsocket",
            "proxy",
            "--metrics-addr",
            "none",
            "--spread-at",
            "0",
            "--threads",
            &threads,
        ];
        words.extend(own.iter().chain(event.flags).map(|&word| word.to_owned()));
        form(&hosts);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let proxy = hosts.spawn(HOSTS[0].0, &words);
        let network = Self { hosts, nodes, _proxy: proxy, numbers: Cell::new(0) };
        within(PATIENCE, "slotway serves", || {
            UnixStream::connect(network.hosts.file(HOSTS[0].0, "proxy")).ok()?;
            (network.client().run("DBSIZE") == Value::Integer(0)).then_some(())
        });
        Ok(network)
    }

    /// A client of slotway.
    pub(super) fn client(&self) -> Client {
        Client::connect_unix(&self.hosts.file(HOSTS[0].0, "proxy"))
    }

    /// Loses what two hosts send each other, where host 0 is slotway's.
    pub(super) fn cut(&self, one: usize, other: usize) {
        self.hosts.cut(HOSTS[one].0, HOSTS[other].0);
    }

    /// Connections that slotway let go of and whose bytes its kernel still tries to send.
    pub(super) fn undead(&self) -> String {
        let words = ["ss", "--no-header", "--tcp", "--numeric", "state", "fin-wait-1"];
        String::from_utf8_lossy(&self.hosts.run(HOSTS[0].0, &words).stdout).into_owned()
    }

    /// Undoes that.
    pub(super) fn mend(&self, one: usize, other: usize) {
        self.hosts.mend(HOSTS[one].0, HOSTS[other].0);
    }

    /// Gives the hosts of all nodes other addresses, and the seed's name the new one. The nodes are told where the
    /// next is, as an administrator does; slotway is told nothing.
    pub(super) fn renumber(&self) {
        let address = |number: u8, host: usize| match number {
            0 => HOSTS[host].1.to_owned(),
            _ => format!("198.18.{number}.{}", host + 1),
        };
        let (old, new) = (self.numbers.get(), self.numbers.get() + 1);
        self.numbers.set(new);
        for (host, (name, _)) in HOSTS.iter().enumerate().skip(1) {
            self.hosts.renumber(name, &address(old, host), &address(new, host));
        }
        self.hosts.call(HOSTS[0].0, SEED, &address(new, 1));
        let place = |index: usize| HOSTS.iter().position(|(name, _)| *name == host(index)).expect("a host");
        for index in 0..NODES {
            let next = (index + 1) % NODES;
            let meet = format!("CLUSTER MEET {} {}", address(new, place(next)), port(next));
            assert_eq!(node_client(&self.hosts, index).run(&meet), Value::ok());
        }
        within(PATIENCE, "the nodes find each other", || {
            let gone = format!("198.18.{old}.");
            let mut all = (0..NODES).map(|index| node_client(&self.hosts, index).run("CLUSTER NODES").text());
            all.all(|nodes| !nodes.contains(&gone)).then_some(())
        });
        self.wait_until_whole();
    }

    /// Whether a node says that it is this, in the servers' words.
    fn is(&self, index: usize, role: &str) -> bool {
        node_client(&self.hosts, index).run("ROLE").items()[0].text() == role
    }

    /// Waits until node `index` was voted in.
    pub(super) fn wait_until_primary(&self, index: usize) {
        within(PATIENCE, "it is voted in", || self.is(index, "master").then_some(()));
    }

    /// Waits until all nodes agree and replicas follow.
    pub(super) fn wait_until_whole(&self) {
        (0..self.nodes.len()).for_each(|index| wait_until_whole(&self.hosts, index));
    }

    /// Makes node 0 the primary of the first shard again, so that each host has one.
    pub(super) fn restore(&self) {
        self.wait_until_whole();
        assert_eq!(node_client(&self.hosts, 0).run("CLUSTER FAILOVER"), Value::ok());
        self.wait_until_primary(0);
        self.wait_until_whole();
    }
}

fn node(hosts: &Hosts, event: &Event, index: usize) -> Process {
    let (host, port) = (host(index), port(index));
    let (socket, file) = (format!("{port}.sock"), format!("{port}.conf"));
    let program = event.kind.program();
    let words = [
        program.to_str().expect("a plain path"),
        "--port",
        port,
        "--bind",
        "*",
        "--unixsocket",
        &socket,
        "--cluster-config-file",
        &file,
        "--cluster-enabled",
        "yes",
        "--cluster-node-timeout",
        "2000",
        "--save",
        "",
        "--repl-diskless-sync-delay",
        "0",
        "--protected-mode",
        "no",
    ];
    hosts.spawn(host, &[&words, event.server_flags].concat())
}

/// A client of node `index`, past slotway and the network.
fn node_client(hosts: &Hosts, index: usize) -> Client {
    Client::connect_unix(&hosts.file(host(index), &format!("{}.sock", port(index))))
}

fn form(hosts: &Hosts) {
    for index in 0..NODES {
        within(PATIENCE, "the node is up", || {
            UnixStream::connect(hosts.file(host(index), &format!("{}.sock", port(index)))).ok()
        });
        let mut client = node_client(hosts, index);
        client.run(&format!("CLUSTER SET-CONFIG-EPOCH {}", index + 1));
        if index < 3 {
            let own = (0..SLOTS).filter(|slot| usize::from(*slot) * 3 / usize::from(SLOTS) == index);
            assert_eq!(client.run(&add_slots(own)), Value::ok());
        }
    }
    for index in 1..NODES {
        let meet = format!("CLUSTER MEET {} {}", hosts.address(host(index)), port(index));
        assert_eq!(node_client(hosts, 0).run(&meet), Value::ok());
    }
    for index in 0..NODES {
        within(PATIENCE, "all know each other", || {
            let nodes = node_client(hosts, index).run("CLUSTER NODES").text();
            let known =
                nodes.lines().filter(|line| !line.contains("handshake") && line.contains(" connected"));
            (known.count() == NODES).then_some(())
        });
    }
    for index in 3..NODES {
        let id = node_client(hosts, index - 3).run("CLUSTER MYID").text();
        assert_eq!(node_client(hosts, index).run(&format!("CLUSTER REPLICATE {id}")), Value::ok());
    }
    (0..NODES).for_each(|index| wait_until_whole(hosts, index));
}

fn wait_until_whole(hosts: &Hosts, index: usize) {
    within(PATIENCE, "the cluster is whole", || {
        let mut client = node_client(hosts, index);
        let ok = client.run("CLUSTER INFO").text().contains("cluster_state:ok");
        let listed: usize =
            client.run("CLUSTER SLOTS").items().iter().map(|range| range.items().len() - 3).sum();
        let linked = !client.run("INFO replication").text().contains("link_status:down");
        (ok && listed >= 3 && linked).then_some(())
    });
}
