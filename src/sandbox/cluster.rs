//! A real cluster of local servers: started with a configuration file each, then formed by commands.
//!
//! Knows nothing of the proxy. Invariant: once started, every node says `cluster_state:ok` and knows every
//! replica.

use std::{
    env, fs,
    net::SocketAddr,
    ops::Range,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use super::{Failure, peer::Peer, port, stage::Stage};
use crate::{cluster::SLOTS, resp::Value};

/// A running cluster.
pub(super) struct Cluster {
    /// All nodes, the primaries first.
    pub(super) nodes: Vec<SocketAddr>,
    primaries: usize,
}

/// Consecutive slots with their owner.
pub(super) struct Share {
    /// First and last slot.
    pub(super) slots: (i64, i64),
    /// The owner.
    pub(super) primary: String,
    /// Its replicas.
    pub(super) replicas: Vec<String>,
}

/// How long a server may take to start, and the cluster to agree; seconds are usual.
const START: Duration = Duration::from_secs(30);
/// Slots named in one ADDSLOTS where ADDSLOTSRANGE (Redis 7) is unknown.
const CHUNK: usize = 1024;

impl Cluster {
    /// Starts and forms a cluster of `primaries` with `replicas` each, all of `server`.
    pub(super) fn start(
        server: &Path,
        primaries: u16,
        replicas: u16,
        stage: &Stage,
    ) -> Result<Self, Failure> {
        let ports = port::for_nodes(primaries * (1 + replicas))?;
        for &port in &ports {
            start_node(server, port, stage)?;
        }
        let nodes: Vec<_> = ports.into_iter().map(port::local).collect();
        for &node in &nodes {
            stage.until(&format!("{node} answered"), START, || Ok(answers(node)))?;
        }
        let cluster = Self { nodes, primaries: usize::from(primaries) };
        cluster.form(stage)?;
        Ok(cluster)
    }

    /// The nodes that were started as primaries.
    pub(super) fn primaries(&self) -> &[SocketAddr] {
        &self.nodes[..self.primaries]
    }

    /// Who owns which slots, as the first node tells it.
    pub(super) fn shares(&self) -> Result<Vec<Share>, Failure> {
        shares(&Peer::connect(self.nodes[0])?.order(&["CLUSTER", "SLOTS"])?)
    }

    fn form(&self, stage: &Stage) -> Result<(), Failure> {
        for (index, &node) in self.nodes.iter().enumerate() {
            // Distinct epochs spare the nodes an election about who is right.
            Peer::connect(node)?.order(&["CLUSTER", "SET-CONFIG-EPOCH", &(index + 1).to_string()])?;
        }
        for (index, &node) in self.primaries().iter().enumerate() {
            let first = |i: usize| i * SLOTS / self.primaries;
            assign(&mut Peer::connect(node)?, first(index)..first(index + 1))?;
        }
        self.introduce()?;
        stage
            .until("the nodes knew each other", START, || self.every(|peer| knows(peer, self.nodes.len())))?;
        self.replicate(stage)?;
        let owners = self.primaries;
        let copies = self.nodes.len() / owners;
        stage.until("the cluster was ok", START, || self.every(|peer| whole(peer, owners, copies)))
    }

    /// Each to all before it: left to gossip, acquaintance takes seconds more.
    fn introduce(&self) -> Result<(), Failure> {
        for (index, &node) in self.nodes.iter().enumerate() {
            let mut peer = Peer::connect(node)?;
            for known in &self.nodes[..index] {
                peer.order(&["CLUSTER", "MEET", &known.ip().to_string(), &known.port().to_string()])?;
            }
        }
        Ok(())
    }

    fn replicate(&self, stage: &Stage) -> Result<(), Failure> {
        for (index, &node) in self.nodes[self.primaries..].iter().enumerate() {
            let id = Peer::connect(self.nodes[index % self.primaries])?.order(&["CLUSTER", "MYID"])?;
            let id = id.as_str().ok_or_else(|| Failure::Answer("CLUSTER MYID".to_owned(), id.clone()))?;
            // Refused until the node has heard of its primary's role.
            stage.until("a replica found its primary", START, || {
                Ok(Peer::connect(node)?.ask(&["CLUSTER", "REPLICATE", id])?.as_error().is_none())
            })?;
        }
        Ok(())
    }

    fn every(&self, mut holds: impl FnMut(&mut Peer) -> Result<bool, Failure>) -> Result<bool, Failure> {
        for &node in &self.nodes {
            if !holds(&mut Peer::connect(node)?)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The server to start: `wanted`, or what PATH has.
pub(super) fn server(wanted: Option<&Path>) -> Result<PathBuf, Failure> {
    match wanted {
        Some(path) => Ok(path.to_owned()),
        None => on_path("redis-server").or_else(|| on_path("valkey-server")).ok_or(Failure::NoServer),
    }
}

/// The program `name` in a directory of PATH.
pub(super) fn on_path(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|dir| dir.join(name)).find(|path| path.is_file())
}

fn start_node(server: &Path, port: u16, stage: &Stage) -> Result<(), Failure> {
    let dir = stage.litter.dir().join(port.to_string());
    let file = dir.join("node.conf");
    let written = fs::create_dir(&dir).and_then(|()| fs::write(&file, configuration(&dir, port)));
    written.map_err(|e| Failure::Io(format!("cannot write {}", file.display()), e))?;
    let name = format!("{} on port {port}", server.display());
    stage.litter.start(&name, Command::new(server).arg(&file).stderr(Stdio::null()))
}

/// A node's configuration as an administrator writes it; the last two lines spare the sandbox ten seconds, since
/// a replica is not listed before it has replicated something.
fn configuration(dir: &Path, port: u16) -> String {
    let dir = dir.display();
    format!(
        "port {port}\n\
         bind 127.0.0.1\n\
         daemonize no\n\
         dir \"{dir}\"\n\
         pidfile \"{dir}/node.pid\"\n\
         logfile \"{dir}/node.log\"\n\
         cluster-enabled yes\n\
         cluster-config-file nodes.conf\n\
         cluster-node-timeout 2000\n\
         appendonly yes\n\
         repl-diskless-sync-delay 0\n\
         repl-ping-replica-period 1\n"
    )
}

fn answers(node: SocketAddr) -> bool {
    Peer::connect(node).and_then(|mut peer| peer.order(&["PING"])).is_ok()
}

fn assign(peer: &mut Peer, slots: Range<usize>) -> Result<(), Failure> {
    let (first, last) = (slots.start.to_string(), (slots.end - 1).to_string());
    if peer.ask(&["CLUSTER", "ADDSLOTSRANGE", &first, &last])?.as_error().is_none() {
        return Ok(());
    }
    let names: Vec<String> = slots.map(|slot| slot.to_string()).collect();
    for chunk in names.chunks(CHUNK) {
        let mut request = vec!["CLUSTER", "ADDSLOTS"];
        request.extend(chunk.iter().map(String::as_str));
        peer.order(&request)?;
    }
    Ok(())
}

/// Whether a node has met `count` nodes, itself included.
fn knows(peer: &mut Peer, count: usize) -> Result<bool, Failure> {
    let nodes = peer.order(&["CLUSTER", "NODES"])?;
    let nodes = nodes.as_str().unwrap_or_default();
    Ok(nodes.lines().count() == count && !nodes.contains("handshake"))
}

/// Whether a node sees every slot served, by `owners` nodes with `copies` each.
fn whole(peer: &mut Peer, owners: usize, copies: usize) -> Result<bool, Failure> {
    let state = peer.order(&["CLUSTER", "INFO"])?;
    let shares = shares(&peer.order(&["CLUSTER", "SLOTS"])?)?;
    let complete = shares.len() == owners && shares.iter().all(|share| 1 + share.replicas.len() == copies);
    Ok(complete && state.as_str().is_some_and(|text| text.contains("cluster_state:ok")))
}

/// Reads a CLUSTER SLOTS reply.
fn shares(reply: &Value) -> Result<Vec<Share>, Failure> {
    let read = || {
        let mut shares: Vec<_> = reply.as_array()?.iter().map(share).collect::<Option<_>>()?;
        shares.sort_by_key(|share: &Share| share.slots);
        Some(shares)
    };
    read().ok_or_else(|| Failure::Answer("CLUSTER SLOTS".to_owned(), reply.clone()))
}

fn share(entry: &Value) -> Option<Share> {
    let [first, last, primary, replicas @ ..] = entry.as_array()? else { return None };
    Some(Share {
        slots: (first.as_integer()?, last.as_integer()?),
        primary: node(primary)?,
        replicas: replicas.iter().map(node).collect::<Option<_>>()?,
    })
}

fn node(entry: &Value) -> Option<String> {
    let [host, port, ..] = entry.as_array()? else { return None };
    Some(format!("{}:{}", host.as_str()?, port.as_integer()?))
}
