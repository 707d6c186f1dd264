//! The page of `/metrics`.
//!
//! Counters and gauges go through the `metrics` facade into a recorder of their own for each scrape, so a
//! series that is gone leaves nothing behind. Histograms are written out here: the exporter would keep
//! every sample. Must not know sockets. Invariant: every name has HELP and TYPE.

use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, gauge, with_local_recorder};
use metrics_exporter_prometheus::PrometheusBuilder;

use super::{
    CloseReason, CommandSum, ErrorKind, Metrics, RefreshReason, RefreshResult, RetryReason, process::process,
    text::Page,
};

/// What control knows of the cluster.
#[derive(Clone, Debug, Default)]
pub struct ClusterFigures {
    /// How often the topology was refreshed, by reason and result.
    pub refreshes: Vec<RefreshCount>,
    /// Time since the last refresh that succeeded, if one ever did.
    pub age: Option<Duration>,
    /// Slots without an owner.
    pub unassigned: usize,
}

/// How often a refresh for one reason had one result.
#[derive(Clone, Copy, Debug)]
pub struct RefreshCount {
    /// Why it was made.
    pub reason: RefreshReason,
    /// How it ended.
    pub result: RefreshResult,
    /// How often.
    pub count: u64,
}

/// Everything in the Prometheus text format, version 0.0.4.
pub fn render(metrics: &Metrics, cluster: &ClusterFigures) -> String {
    let commands: Vec<CommandSum> = metrics.command_sums().collect();
    let recorder = PrometheusBuilder::new().build_recorder();
    with_local_recorder(&recorder, || {
        describe();
        record_commands(&commands);
        record_clients(metrics);
        record_workers(metrics);
        record_traffic(metrics);
        record_nodes(metrics);
        record_cluster(cluster);
    });
    let mut page = Page::after(recorder.handle().render());
    write_histograms(&mut page, metrics, &commands);
    process(&mut page);
    page.finish()
}

fn describe() {
    describe_counter!("slotway_commands_total", "Requests answered.");
    describe_counter!("slotway_command_errors_total", "Requests answered with an error, by its first word.");
    describe_counter!("slotway_redirects_total", "Redirects followed.");
    describe_counter!(
        "slotway_reads_total",
        "Reads sent, by what their node is, where replicas may be read."
    );
    describe_counter!("slotway_retries_total", "Requests sent again, by cause.");
    describe_counter!("slotway_retries_held_total", "Retries that waited, for too many were in vain.");
    describe_counter!("slotway_topology_refreshes_total", "Refreshes of the slot table.");
    describe_gauge!("slotway_topology_age_seconds", "Time since the last refresh that succeeded.");
    describe_gauge!("slotway_slots_unassigned", "Slots without an owner.");
    describe_gauge!("slotway_client_connections", "Clients connected now.");
    describe_counter!("slotway_client_connections_total", "Clients accepted.");
    describe_gauge!("slotway_worker_clients", "Clients of a worker now.");
    describe_gauge!(
        "slotway_worker_busy_ratio",
        "Share of the last tenth of a second that a worker computed."
    );
    describe_counter!(
        "slotway_busy_polls_total",
        "Times that a worker looked for the only reply due before it slept."
    );
    describe_counter!("slotway_client_moves_total", "Clients that moved from one worker to another.");
    describe_counter!("slotway_client_connections_closed_total", "Clients gone, by cause.");
    describe_gauge!("slotway_backend_connections", "Connections to a node.");
    describe_gauge!("slotway_backend_in_flight", "Requests that a node has not answered yet.");
    describe_counter!("slotway_client_input_bytes_total", "Bytes read from clients.");
    describe_counter!("slotway_client_output_bytes_total", "Bytes written to clients.");
    describe_counter!("slotway_backend_input_bytes_total", "Bytes read from nodes.");
    describe_counter!("slotway_backend_output_bytes_total", "Bytes written to nodes.");
    describe_gauge!("slotway_subscribed_clients", "Clients that subscribed to anything.");
    describe_counter!("slotway_messages_total", "Published messages handed to subscribers.");
    describe_gauge!("slotway_buffered_bytes", "Bytes that wait in buffers.");
    describe_gauge!("slotway_build_info", "Always 1; its labels tell the build.");
}

fn record_commands(commands: &[CommandSum]) {
    for command in commands {
        counter!("slotway_commands_total", "command" => command.name).absolute(command.durations.count());
        let errors = ErrorKind::ALL.iter().map(|&kind| (kind.as_str(), command.errors[kind.index()]));
        for (error, count) in errors.filter(|&(_, count)| count > 0) {
            counter!("slotway_command_errors_total", "command" => command.name, "error" => error)
                .absolute(count);
        }
    }
}

fn record_clients(metrics: &Metrics) {
    gauge!("slotway_client_connections").set(float(metrics.total(|w| &w.clients)));
    counter!("slotway_client_connections_total").absolute(metrics.total(|w| &w.clients_total));
    counter!("slotway_client_moves_total").absolute(metrics.total(|w| &w.moved_in));
    gauge!("slotway_subscribed_clients").set(float(metrics.total(|w| &w.subscribers)));
    counter!("slotway_messages_total").absolute(metrics.total(|w| &w.messages));
    for &reason in CloseReason::ALL {
        let count = metrics.total(|w| &w.clients_closed[reason.index()]);
        counter!("slotway_client_connections_closed_total", "reason" => reason.as_str()).absolute(count);
    }
}

fn record_workers(metrics: &Metrics) {
    for (index, worker) in metrics.workers().iter().enumerate() {
        gauge!("slotway_worker_clients", "worker" => index.to_string()).set(float(worker.clients.get()));
        gauge!("slotway_worker_busy_ratio", "worker" => index.to_string())
            .set(float(worker.busy.get()) / 1000.0);
    }
}

fn record_traffic(metrics: &Metrics) {
    counter!("slotway_redirects_total", "kind" => "moved").absolute(metrics.total(|w| &w.moved));
    counter!("slotway_redirects_total", "kind" => "ask").absolute(metrics.total(|w| &w.ask));
    for (place, from) in ["primary", "replica"].into_iter().enumerate() {
        counter!("slotway_reads_total", "from" => from).absolute(metrics.total(|w| &w.reads[place]));
    }
    for (found, result) in ["nothing", "reply"].into_iter().enumerate() {
        counter!("slotway_busy_polls_total", "result" => result)
            .absolute(metrics.total(|w| &w.busy_polls[found]));
    }
    for &reason in RetryReason::ALL {
        let count = metrics.total(|w| &w.retries[reason.index()]);
        counter!("slotway_retries_total", "reason" => reason.as_str()).absolute(count);
    }
    counter!("slotway_retries_held_total").absolute(metrics.total(|w| &w.held));
    counter!("slotway_client_input_bytes_total").absolute(metrics.total(|w| &w.client_in));
    counter!("slotway_client_output_bytes_total").absolute(metrics.total(|w| &w.client_out));
    counter!("slotway_backend_input_bytes_total").absolute(metrics.total(|w| &w.backend_in));
    counter!("slotway_backend_output_bytes_total").absolute(metrics.total(|w| &w.backend_out));
    gauge!("slotway_buffered_bytes").set(float(metrics.total(|w| &w.buffered)));
}

fn record_nodes(metrics: &Metrics) {
    for (addr, node) in metrics.node_sums() {
        gauge!("slotway_backend_connections", "node" => addr.to_string()).set(float(node.connections));
        gauge!("slotway_backend_in_flight", "node" => addr.to_string()).set(float(node.in_flight));
    }
}

fn record_cluster(cluster: &ClusterFigures) {
    for refresh in &cluster.refreshes {
        let labels = [("reason", refresh.reason.as_str()), ("result", refresh.result.as_str())];
        counter!("slotway_topology_refreshes_total", &labels).absolute(refresh.count);
    }
    if let Some(age) = cluster.age {
        gauge!("slotway_topology_age_seconds").set(age.as_secs_f64());
    }
    gauge!("slotway_slots_unassigned").set(float(cluster.unassigned as u64));
    gauge!("slotway_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
}

fn write_histograms(page: &mut Page, metrics: &Metrics, commands: &[CommandSum]) {
    let series = commands.iter().map(|c| (c.name, c.durations));
    let help = "From a request's being fully read to its reply's being handed to the socket.";
    page.histograms("slotway_command_duration_seconds", help, "command", series);

    let nodes: Vec<_> = metrics.node_sums().into_iter().map(|(a, n)| (a.to_string(), n.durations)).collect();
    let series = nodes.iter().map(|(addr, durations)| (addr.as_str(), *durations));
    let help = "From a request's being written to a node to its being answered.";
    page.histograms("slotway_backend_duration_seconds", help, "node", series);

    let help = "From a request's being read to its being written to a node.";
    page.histogram("slotway_queue_duration_seconds", help, &metrics.durations(|w| &w.queue));
    let help = "From a reply's arrival to its delivery: the wait behind earlier replies.";
    page.histogram("slotway_reply_wait_seconds", help, &metrics.durations(|w| &w.reply_wait));
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float; beyond 2^53 it is rounded")]
fn float(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        process::{Command, Stdio},
    };

    use super::*;
    use crate::cluster::NodeAddr;

    fn page() -> String {
        let metrics = Metrics::new(vec!["get", "set"], 2);
        let worker = metrics.worker(1);
        worker.client_opened();
        worker.command(0).duration.record(70_000);
        worker.command(0).errors[ErrorKind::Wrongtype.index()].add(2);
        metrics.node(0, &NodeAddr::new("::1", 7000)).in_flight.add(4);
        let refreshes =
            vec![RefreshCount { reason: RefreshReason::Start, result: RefreshResult::Changed, count: 1 }];
        let cluster = ClusterFigures { refreshes, age: Some(Duration::from_millis(1500)), unassigned: 3 };
        render(&metrics, &cluster)
    }

    #[test]
    fn what_was_counted_is_on_the_page() {
        let page = page();
        for line in [
            r#"slotway_commands_total{command="get"} 1"#,
            r#"slotway_command_errors_total{command="get",error="WRONGTYPE"} 2"#,
            r#"slotway_command_duration_seconds_bucket{command="get",le="0.0001"} 1"#,
            r#"slotway_backend_in_flight{node="[::1]:7000"} 4"#,
            r#"slotway_topology_refreshes_total{reason="start",result="changed"} 1"#,
            "slotway_topology_age_seconds 1.5",
            "slotway_slots_unassigned 3",
            "slotway_client_connections 1",
            r#"slotway_retries_total{reason="loading"} 0"#,
            "slotway_reply_wait_seconds_count 0",
        ] {
            assert!(page.lines().any(|l| l == line), "{line} is missing in\n{page}");
        }
        assert!(!page.contains(r#"command="set""#));
    }

    #[test]
    fn every_name_is_declared_once_with_help_and_type() {
        let page = page();
        let mut names: Vec<_> = page.lines().filter_map(|l| l.strip_prefix("# TYPE ")).collect();
        let helps = page.lines().filter(|l| l.starts_with("# HELP ")).count();
        assert_eq!(names.len(), helps);
        assert_eq!(names.iter().filter(|n| n.starts_with("slotway_")).count(), 30);
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), helps);
    }

    #[test]
    fn promtool_finds_nothing_to_say() {
        let promtool = Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        // Only where it is installed.
        let Ok(mut promtool) = promtool else { return };
        promtool.stdin.take().unwrap().write_all(page().as_bytes()).unwrap();
        let said = promtool.wait_with_output().unwrap();
        let words = [said.stdout, said.stderr].concat();
        assert!(said.status.success() && words.is_empty(), "{}", String::from_utf8_lossy(&words));
    }
}
