//! A short run of redis-benchmark through the proxy, with the proxy's own latencies beside it.

use std::{
    fs::{self, File},
    io::Write,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use super::{Failure, cluster::on_path, latency, peer, proxy::Proxy, stage::Stage, stdout};

/// How long the run may take; it is a second or two.
const LIMIT: Duration = Duration::from_secs(120);

/// Runs the benchmark if this machine has one, and prints both sides' figures.
pub(super) fn run(proxy: &Proxy, stage: &Stage, out: &mut impl Write) -> Result<(), Failure> {
    let Some(program) = on_path("redis-benchmark").or_else(|| on_path("valkey-benchmark")) else {
        return writeln!(out, "\nNo redis-benchmark on PATH: skipped.").map_err(stdout);
    };
    writeln!(out, "\nA short benchmark (20 clients, 20000 requests each of SET and GET):\n")
        .map_err(stdout)?;
    let report = measure(&program, proxy, stage)?;
    for line in lines(&report) {
        writeln!(out, "  {line}").map_err(stdout)?;
    }
    let (_, page) = peer::get(proxy.metrics, "/metrics")?;
    latency::write_summary(&page, &["set", "get"], out).map_err(stdout)
}

/// A process that does not outlive its use.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(error) = self.0.kill().and_then(|()| self.0.wait()) {
            tracing::warn!(%error, "cannot end the benchmark");
        }
    }
}

fn measure(program: &Path, proxy: &Proxy, stage: &Stage) -> Result<String, Failure> {
    let failed = |e| Failure::Io(format!("cannot run {}", program.display()), e);
    let path = stage.litter.dir().join("benchmark.txt");
    let report = File::create(&path).map_err(failed)?;
    let mut command = Command::new(program);
    command.arg("-h").arg(proxy.address.ip().to_string()).arg("-p").arg(proxy.address.port().to_string());
    command.args(["-n", "20000", "-c", "20", "-P", "1", "-t", "set,get", "-q"]);
    command.stdin(Stdio::null()).stdout(report).stderr(Stdio::null()).process_group(0);
    let mut running = Running(command.spawn().map_err(failed)?);
    stage.until("the benchmark ended", LIMIT, || {
        running.0.try_wait().map(|end| end.is_some()).map_err(failed)
    })?;
    fs::read_to_string(&path).map_err(failed)
}

/// The results: of what was overwritten on the terminal, only what stayed.
fn lines(report: &str) -> impl Iterator<Item = &str> {
    let shown = report.lines().filter_map(|line| line.trim_end().rsplit('\r').next());
    shown.map(str::trim).filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stays_on_the_terminal_is_shown() {
        let report =
            "SET: rps=0.0\rSET: rps=9.0\r   \rSET: 10 requests per second, p50=1 msec     \n\nGET: x\r\n";
        assert_eq!(lines(report).collect::<Vec<_>>(), ["SET: 10 requests per second, p50=1 msec", "GET: x"]);
    }
}
