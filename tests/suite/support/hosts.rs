//! Hosts of their own on this machine: network namespaces with addresses, joined by a bridge.
//!
//! All that runs in them ends with them, daemons too: a shell that waits for the end of its standard input kills
//! what is in the namespaces and removes them, so it does that also when the test process is killed.

use std::{
    path::PathBuf,
    process::{self, Child, Command, Output, Stdio},
};

use super::process::{Process, directory};

/// The hosts by name; the first one's namespace has the bridge.
const HOSTS: [(&str, &str); 3] =
    [("host-c", "198.18.0.1"), ("host-a", "198.18.0.2"), ("host-b", "198.18.0.3")];

/// What the shell does at the end; the namespaces are its arguments.
const END: &str = "trap '' INT TERM; cat >/dev/null; for host; do \
    ip netns pids \"$host\" | xargs -r kill -KILL; ip netns del \"$host\"; done";

/// Three hosts that reach each other, and nothing else.
pub(crate) struct Hosts {
    end: Child,
    /// Where the hosts' directories are.
    root: PathBuf,
    /// Directories that come first on their PATH.
    path: String,
}

impl Hosts {
    /// The hosts, or why this machine can't have them.
    pub(crate) fn start(programs: &[PathBuf]) -> Result<Self, String> {
        let path = std::env::var("PATH").unwrap_or_default();
        let path = programs.iter().rev().fold(path, |path, more| format!("{}:{path}", more.display()));
        let namespaces = HOSTS.map(|(name, _)| namespace(name));
        let end = Command::new("sh")
            .args(["-c", END, "sh"])
            .args(&namespaces)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh");
        let hosts = Self { end, root: directory("hosts"), path };
        namespaces.iter().try_for_each(|namespace| ip(&["netns", "add", namespace]))?;
        hosts.join()?;
        Ok(hosts)
    }

    /// Gives each its address and a way to the others.
    fn join(&self) -> Result<(), String> {
        let middle = namespace(HOSTS[0].0);
        ip(&["-n", &middle, "link", "add", "eth0", "type", "bridge"])?;
        for (name, address) in HOSTS {
            let host = namespace(name);
            if host != middle {
                ip(&[
                    "-n", &middle, "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns",
                    &host,
                ])?;
                ip(&["-n", &middle, "link", "set", name, "master", "eth0", "up"])?;
            }
            ip(&["-n", &host, "addr", "add", &format!("{address}/24"), "dev", "eth0"])?;
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
        let namespace = namespace(host);
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
        ip(&["-n", &namespace(host), "link", "set", "eth0", "down"]).expect("a host that is on");
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        drop(self.end.stdin.take());
        drop(self.end.wait());
    }
}

fn namespace(host: &str) -> String {
    format!("slotway-{}-{host}", process::id())
}

fn ip(args: &[&str]) -> Result<(), String> {
    let output = Command::new("ip").args(args).output().map_err(|error| format!("ip (iproute2): {error}"))?;
    let said = || format!("ip {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    output.status.success().then_some(()).ok_or_else(said)
}
