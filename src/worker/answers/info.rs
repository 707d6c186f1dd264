//! INFO in Redis's sections and field names, where slotway has something to say in them.

use std::fmt::Write;

use super::{Ask, hello::SERVER_VERSION};
use crate::{
    metrics::{ErrorKind, resident_memory},
    worker::{Worker, broadcast, dispatch::Step},
};

/// A section's name, whether it is shown unasked, and what writes it.
type Section = (&'static str, bool, fn(&Worker, &mut String));

/// In the order in which they are shown.
const SECTIONS: [Section; 10] = [
    ("server", true, server),
    ("clients", true, clients),
    ("memory", true, memory),
    ("stats", true, stats),
    ("replication", true, replication),
    ("commandstats", false, command_stats),
    ("errorstats", true, error_stats),
    ("latencystats", false, latency_stats),
    ("cluster", true, cluster),
    ("keyspace", true, |_, _| {}),
];

pub(super) fn answer(ask: &Ask<'_>) -> Step {
    let wanted: Vec<Vec<u8>> = ask.request.args_from(1).map(<[u8]>::to_ascii_lowercase).collect();
    let asked = |name: &str| wanted.iter().any(|w| w == name.as_bytes());
    let everything = asked("all") || asked("everything");
    let default = wanted.is_empty() || asked("default");
    let mut text = String::new();
    for (name, by_default, write) in SECTIONS {
        if everything || asked(name) || (default && by_default) {
            if !text.is_empty() {
                text.push_str("\r\n");
            }
            let title = name[..1].to_uppercase() + &name[1..];
            line(&mut text, &format!("# {title}"));
            write(ask.worker(), &mut text);
        }
    }
    // Shown last, so that what the nodes say can be appended.
    if everything || asked("keyspace") || default {
        return broadcast::keyspace(ask.client, ask.command, &text);
    }
    ask.write(|w| w.verbatim(&text))
}

fn line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push_str("\r\n");
}

fn server(worker: &Worker, text: &mut String) {
    let uptime = worker.identity.uptime().as_secs();
    line(text, &format!("redis_version:{SERVER_VERSION}"));
    line(text, &format!("slotway_version:{}", env!("CARGO_PKG_VERSION")));
    line(text, "redis_mode:standalone");
    line(text, &format!("os:{}", std::env::consts::OS));
    line(text, &format!("arch_bits:{}", usize::BITS));
    line(text, &format!("process_id:{}", std::process::id()));
    line(text, &format!("run_id:{}", String::from_utf8_lossy(&worker.identity.id())));
    line(text, &format!("tcp_port:{}", worker.config.port));
    line(text, &format!("uptime_in_seconds:{uptime}"));
    line(text, &format!("uptime_in_days:{}", uptime / 86_400));
    line(text, &format!("io_threads_active:{}", worker.config.threads));
}

fn clients(worker: &Worker, text: &mut String) {
    line(text, &format!("connected_clients:{}", worker.registry.total(|w| &w.clients)));
    line(text, &format!("maxclients:{}", worker.config.maxclients));
    line(text, &format!("pubsub_clients:{}", worker.registry.total(|w| &w.subscribers)));
    line(text, &format!("blocked_clients:{}", worker.registry.total(|w| &w.blocked)));
}

/// Slotway's own: what the nodes hold is theirs to tell.
fn memory(_: &Worker, text: &mut String) {
    let bytes = resident_memory();
    // Tenths of a mebibyte.
    let tenths = bytes * 10 / (1 << 20);
    line(text, &format!("used_memory:{bytes}"));
    line(text, &format!("used_memory_human:{}.{}M", tenths / 10, tenths % 10));
    line(text, &format!("used_memory_rss:{bytes}"));
    line(text, "maxmemory:0");
}

/// Clients that look for the server to write to find it here.
fn replication(worker: &Worker, text: &mut String) {
    line(text, "role:master");
    line(text, "connected_slaves:0");
    line(text, &format!("master_replid:{}", String::from_utf8_lossy(&worker.identity.id())));
    line(text, "master_repl_offset:0");
}

fn stats(worker: &Worker, text: &mut String) {
    let total =
        |cell: fn(&crate::metrics::WorkerMetrics) -> &crate::metrics::Cell| worker.registry.total(cell);
    let commands: u64 = worker.registry.command_sums().map(|sum| sum.durations.count()).sum();
    let errors: u64 = worker.registry.command_sums().flat_map(|sum| sum.errors).sum();
    line(text, &format!("total_connections_received:{}", total(|w| &w.clients_total)));
    line(text, &format!("total_commands_processed:{commands}"));
    line(text, &format!("total_net_input_bytes:{}", total(|w| &w.client_in)));
    line(text, &format!("total_net_output_bytes:{}", total(|w| &w.client_out)));
    let [channels, patterns, shard_channels] = worker.registry.topics().counts();
    line(text, &format!("pubsub_channels:{channels}"));
    line(text, &format!("pubsub_patterns:{patterns}"));
    line(text, &format!("pubsubshard_channels:{shard_channels}"));
    line(text, &format!("total_error_replies:{errors}"));
    line(text, &format!("slotway_redirects_moved:{}", total(|w| &w.moved)));
    line(text, &format!("slotway_redirects_ask:{}", total(|w| &w.ask)));
}

fn command_stats(worker: &Worker, text: &mut String) {
    for sum in worker.registry.command_sums() {
        let (calls, usec) = (sum.durations.count(), sum.durations.sum / 1000);
        let failed: u64 = sum.errors.iter().sum();
        // In hundredths, as Redis shows them.
        let each = (usec * 100).checked_div(calls).unwrap_or(0);
        let (each, rest) = (each / 100, each % 100);
        let mut fields = format!("cmdstat_{}:calls={calls},usec={usec},", sum.name);
        // Writing to a string does not fail.
        let _ = write!(fields, "usec_per_call={each}.{rest:02},rejected_calls=0,failed_calls={failed}");
        line(text, &fields);
    }
}

/// Error replies by their first word.
fn error_stats(worker: &Worker, text: &mut String) {
    let sums: Vec<_> = worker.registry.command_sums().map(|sum| sum.errors).collect();
    for kind in ErrorKind::ALL {
        let count: u64 = sums.iter().map(|errors| errors[kind.index()]).sum();
        if count > 0 {
            line(text, &format!("errorstat_{}:count={count}", kind.as_str()));
        }
    }
}

fn latency_stats(worker: &Worker, text: &mut String) {
    for sum in worker.registry.command_sums() {
        let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|p| sum.durations.quantile(p) / 1000);
        line(text, &format!("latency_percentiles_usec_{}:p50={p50},p99={p99},p99.9={p999}", sum.name));
    }
}

fn cluster(worker: &Worker, text: &mut String) {
    let table = worker.topology.table().load();
    line(text, "cluster_enabled:0");
    line(text, &format!("slotway_cluster_nodes:{}", table.nodes().len()));
    line(text, &format!("slotway_cluster_slots_unassigned:{}", table.unassigned()));
}
