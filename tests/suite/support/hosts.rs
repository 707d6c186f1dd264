//! Hosts of their own on this machine: network namespaces with addresses, joined by a bridge.
//!
//! All that runs in them ends with them, daemons too: a shell that waits for the end of its standard input kills
//! what is in the namespaces and removes them, so it does that also when the test process is killed.

use std::{
    path::PathBuf,
    process::{self, Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use super::process::{Process, directory};

/// A host's name and its address.
pub(crate) type Host = (&'static str, &'static str);

/// The tutorial's hosts; the first one's namespace has the bridge.
const HOSTS: [Host; 3] = [("host-c", "198.18.0.1"), ("host-a", "198.18.0.2"), ("host-b", "198.18.0.3")];

/// What the shell does at the end; the namespaces are its arguments.
const END: &str = "trap '' INT TERM; cat >/dev/null; for host; do \
    ip netns pids \"$host\" | xargs -r kill -KILL; ip netns del \"$host\"; rm -rf \"/etc/netns/$host\"; done";

/// A neighbour that nobody is: what is sent there is lost without a word.
const NOBODY: &str = "02:00:00:00:00:99";

/// Hosts that reach each other, and nothing else.
pub(crate) struct Hosts {
    all: &'static [Host],
    /// What their namespaces' names begin with.
    prefix: String,
    end: Child,
    /// Where the hosts' directories are.
    root: PathBuf,
    /// Directories that come first on their PATH.
    path: String,
}

impl Hosts {
    /// Three hosts, or why this machine can't have them.
    pub(crate) fn start(programs: &[PathBuf]) -> Result<Self, String> {
        Self::named(&HOSTS, programs)
    }

    /// These hosts, or why this machine can't have them.
    pub(crate) fn named(all: &'static [Host], programs: &[PathBuf]) -> Result<Self, String> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let prefix = format!("slotway-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::var("PATH").unwrap_or_default();
        let path = programs.iter().rev().fold(path, |path, more| format!("{}:{path}", more.display()));
        let namespaces: Vec<String> = all.iter().map(|(name, _)| format!("{prefix}-{name}")).collect();
        let end = Command::new("sh")
            .args(["-c", END, "sh"])
            .args(&namespaces)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh");
        let hosts = Self { all, prefix, end, root: directory("hosts"), path };
        namespaces.iter().try_for_each(|namespace| ip(&["netns", "add", namespace]))?;
        hosts.join()?;
        Ok(hosts)
    }

    /// Gives each its address and a way to the others.
    fn join(&self) -> Result<(), String> {
        let middle = self.namespace(self.all[0].0);
        ip(&["-n", &middle, "link", "add", "eth0", "type", "bridge"])?;
        for (name, address) in self.all {
            let host = self.namespace(name);
            if host != middle {
                ip(&[
                    "-n", &middle, "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns",
                    &host,
                ])?;
                ip(&["-n", &middle, "link", "set", name, "master", "eth0", "up"])?;
            }
            ip(&["-n", &host, "addr", "add", &format!("{address}/16"), "dev", "eth0"])?;
            ip(&["-n", &host, "link", "set", "eth0", "up"])?;
            ip(&["-n", &host, "link", "set", "lo", "up"])?;
            std::fs::create_dir_all(self.root.join(name)).expect("a directory for the host");
        }
        Ok(())
    }

    /// `program` on a host, in its directory.
    fn words(&self, host: &str, program: &[&str]) -> Vec<String> {
        let inside = self.root.join(host);
        let (inside, path) = (format!("--chdir={}", inside.display()), format!("PATH={}", self.path));
        let namespace = self.namespace(host);
        let all = [&["netns", "exec", &namespace, "env", &inside, &path], program].concat();
        all.into_iter().map(str::to_owned).collect()
    }

    /// Runs `program` to its end, which must come within a minute.
    pub(crate) fn run(&self, host: &str, program: &[&str]) -> Output {
        let limited = [&["timeout", "60"], program].concat();
        Command::new("ip").args(self.words(host, &limited)).stdin(Stdio::null()).output().expect("ip")
    }

    /// Starts `program`; it ends when dropped.
    pub(crate) fn spawn(&self, host: &str, program: &[&str]) -> Process {
        Process::start(std::path::Path::new("ip"), &self.words(host, program), &directory("host").join("log"))
    }

    /// As if its plug were pulled: nothing comes from it any more, nobody is told.
    pub(crate) fn switch_off(&self, host: &str) {
        ip(&["-n", &self.namespace(host), "link", "set", "eth0", "down"]).expect("a host that is on");
    }

    /// Loses what two hosts send each other, and nothing else.
    pub(crate) fn cut(&self, one: &str, other: &str) {
        for (from, to) in [(one, other), (other, one)] {
            let place = ["lladdr", NOBODY, "dev", "eth0", "nud", "permanent"];
            self.neighbour("replace", from, to, &place);
        }
    }

    /// Undoes [`Hosts::cut`].
    pub(crate) fn mend(&self, one: &str, other: &str) {
        for (from, to) in [(one, other), (other, one)] {
            self.neighbour("del", from, to, &["dev", "eth0"]);
        }
    }

    fn neighbour(&self, verb: &str, host: &str, other: &str, rest: &[&str]) {
        let (namespace, address) = (self.namespace(host), self.address(other));
        let words = [&["-n", &namespace, "neigh", verb, address], rest].concat();
        ip(&words).expect("a host that is on");
    }

    /// The address of a host.
    pub(crate) fn address(&self, host: &str) -> &'static str {
        self.all.iter().find(|(name, _)| *name == host).expect("a host of these").1
    }

    /// Gives a host the address `new` instead of `old`; nobody is told.
    pub(crate) fn renumber(&self, host: &str, old: &str, new: &str) {
        let host = self.namespace(host);
        ip(&["-n", &host, "addr", "del", &format!("{old}/16"), "dev", "eth0"]).expect("it had that address");
        ip(&["-n", &host, "addr", "add", &format!("{new}/16"), "dev", "eth0"]).expect("a host that is on");
    }

    /// Has a name mean an address to a host, whose programs must be started afterwards, or, if it meant
    /// another before, to them too.
    pub(crate) fn call(&self, host: &str, name: &str, address: &str) {
        let names = self.names(host);
        std::fs::create_dir_all(&names).expect("a directory for names");
        std::fs::write(names.join("hosts"), format!("{address} {name}\n")).expect("a file of names");
    }

    /// What `ip netns exec` puts over the machine's own.
    fn names(&self, host: &str) -> PathBuf {
        PathBuf::from("/etc/netns").join(self.namespace(host))
    }

    /// Where `file` of a host's directory is: files are seen from everywhere.
    pub(crate) fn file(&self, host: &str, file: &str) -> PathBuf {
        self.root.join(host).join(file)
    }

    fn namespace(&self, host: &str) -> String {
        format!("{}-{host}", self.prefix)
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        drop(self.end.stdin.take());
        drop(self.end.wait());
    }
}

fn ip(args: &[&str]) -> Result<(), String> {
    let output = Command::new("ip").args(args).output().map_err(|error| format!("ip (iproute2): {error}"))?;
    let said = || format!("ip {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    output.status.success().then_some(()).ok_or_else(said)
}
