//! The program under test, as its users start it.

use std::{path::Path, thread};

use super::{
    client::Client,
    cluster::Cluster,
    http,
    ports::free_port,
    process::{Process, directory},
    sharing,
    wait::{PATIENCE, eventually, within},
};

/// A running proxy on ports of its own; ended when dropped, its log shown when the test failed.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    pub(crate) metrics_port: u16,
    pub(crate) process: Process,
}

impl Proxy {
    /// In front of `cluster`, ready for requests.
    #[track_caller]
    pub(crate) fn of(cluster: &Cluster, threads: usize, flags: &[&str]) -> Self {
        Self::before(&cluster.seeds(), threads, flags)
    }

    /// In front of these seeds, ready for requests.
    #[track_caller]
    pub(crate) fn before(seeds: &[String], threads: usize, flags: &[&str]) -> Self {
        let mut proxy = Self::start(seeds, threads, flags);
        proxy.wait_until("/readyz", 200);
        proxy
    }

    /// In front of these seeds, ready or not.
    pub(crate) fn start(seeds: &[String], threads: usize, flags: &[&str]) -> Self {
        let (port, metrics_port) = (free_port(), free_port());
        let mut args: Vec<String> = seeds.to_vec();
        let own = [("--port", port.to_string()), ("--threads", threads.to_string())];
        let metrics = ("--metrics-addr", format!("127.0.0.1:{metrics_port}"));
        for (flag, value) in own.into_iter().chain([metrics]) {
            args.extend([flag.to_owned(), value]);
        }
        // Tests are to see several workers at work, however little there is to do.
        let spread: &[&str] = if flags.contains(&"--spread-at") { &[] } else { &["--spread-at", "0"] };
        args.extend(sharing::flags().iter().chain(spread).chain(flags).map(|&flag| flag.to_owned()));
        let process = start_program(&args, &[]);
        Self { port, metrics_port, process }
    }

    /// Waits until `path` answers with `status`.
    #[track_caller]
    pub(crate) fn wait_until(&mut self, path: &str, status: u16) -> String {
        within(PATIENCE, &format!("{path} answers {status}"), || {
            if let Some(ended) = self.process.ended() {
                panic!("the proxy ended: {ended}");
            }
            let (found, body) = http::get(self.metrics_port, path).ok()?;
            (found == status).then_some(body)
        })
    }

    /// A new client.
    #[track_caller]
    pub(crate) fn client(&self) -> Client {
        Client::connect(self.port)
    }

    /// A new client that speaks RESP3.
    #[track_caller]
    pub(crate) fn client3(&self) -> Client {
        let mut client = self.client();
        let greeting = client.run("HELLO 3");
        assert_eq!(greeting.field("proto").integer(), 3);
        client
    }

    /// The page of metrics.
    #[track_caller]
    pub(crate) fn metrics(&self) -> String {
        let (status, body) = http::get(self.metrics_port, "/metrics").expect("/metrics");
        assert_eq!(status, 200);
        body
    }

    /// The value of the metric written exactly as `name`, labels included; 0 when it isn't there.
    #[track_caller]
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let page = self.metrics();
        let value = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.map_or(0.0, |value| value.parse().expect("a number"))
    }

    /// Waits until the metric is at least `least`: counts may trail the replies that they count by a turn.
    #[track_caller]
    pub(crate) fn reaches(&self, name: &str, least: f64) {
        eventually(&format!("{name} reaches {least}"), || (self.metric(name) >= least).then_some(()));
    }

    /// Asks it to drain, as a service manager does, and waits for its exit code.
    #[track_caller]
    pub(crate) fn terminate(&mut self) -> Option<i32> {
        self.process.signal("TERM");
        self.process.exit_code()
    }

    /// Waits until its log holds `text`.
    #[track_caller]
    pub(crate) fn wait_for_log(&self, text: &str) {
        eventually(&format!("the log says {text:?}"), || self.process.log().contains(text).then_some(()));
    }
}

impl Drop for Proxy {
    #[expect(clippy::print_stderr, reason = "the log belongs to the failed test's output")]
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("--- log of the proxy on port {}:\n{}---", self.port, self.process.log());
        }
    }
}

/// Starts the program with exactly these arguments.
pub(crate) fn start_program(args: &[String], env: &[(&str, &str)]) -> Process {
    let log = directory("proxy").join("log");
    Process::start_with(Path::new(env!("CARGO_BIN_EXE_slotway")), args, env, &log)
}
