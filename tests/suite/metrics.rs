//! The page of metrics: every name, well formed, true.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use crate::support::{
    Act, FakeCluster, Kind, Proxy, Setup, eventually, everywhere, programs::on_path, with_1_and_4_workers,
};

/// Names and types as the documentation promises them.
const NAMES: &[(&str, &str)] = &[
    ("commands_total", "counter"),
    ("command_errors_total", "counter"),
    ("command_duration_seconds", "histogram"),
    ("backend_duration_seconds", "histogram"),
    ("queue_duration_seconds", "histogram"),
    ("reply_wait_seconds", "histogram"),
    ("redirects_total", "counter"),
    ("reads_total", "counter"),
    ("retries_total", "counter"),
    ("retries_held_total", "counter"),
    ("busy_polls_total", "counter"),
    ("topology_refreshes_total", "counter"),
    ("topology_age_seconds", "gauge"),
    ("slots_unassigned", "gauge"),
    ("client_connections", "gauge"),
    ("client_connections_total", "counter"),
    ("client_connections_closed_total", "counter"),
    ("subscribed_clients", "gauge"),
    ("messages_total", "counter"),
    ("backend_connections", "gauge"),
    ("backend_in_flight", "gauge"),
    ("client_input_bytes_total", "counter"),
    ("client_output_bytes_total", "counter"),
    ("backend_input_bytes_total", "counter"),
    ("backend_output_bytes_total", "counter"),
    ("buffered_bytes", "gauge"),
    ("build_info", "gauge"),
];

everywhere! {
    fn every_promised_name_is_there_with_help_and_type(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        client.run(&format!("SET {} 1", setup.key("metrics")));
        client.run("NOSUCH");
        client.run("SET");
        drop(proxy.client());
        proxy.reaches("slotway_command_errors_total{command=\"set\",error=\"ERR\"}", 1.0);
        let page = proxy.metrics();
        for (name, kind) in NAMES {
            assert!(page.contains(&format!("# TYPE slotway_{name} {kind}\n")), "{name}:\n{page}");
            assert!(page.contains(&format!("# HELP slotway_{name} ")), "{name}");
        }
        for name in [
            "process_cpu_seconds_total",
            "process_resident_memory_bytes",
            "process_open_fds",
            "process_start_time_seconds",
        ] {
            assert!(page.contains(&format!("# TYPE {name} ")), "{name}");
        }
    }

    fn promtool_has_nothing_to_say(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        client.run(&format!("SET {} 1", setup.key("promtool")));
        client.run("NOSUCH");
        assert!(on_path("promtool").is_some(), "no promtool here; `make test` installs what the tests need");
        let mut tool = Command::new("promtool")
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        tool.stdin.take().unwrap().write_all(proxy.metrics().as_bytes()).unwrap();
        let output = tool.wait_with_output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        assert!(output.status.success() && said.is_empty(), "{}", String::from_utf8_lossy(&said));
    }
}

fn is(proxy: &Proxy, name: &str, wanted: f64) {
    eventually(&format!("{name} is {wanted}"), || ((proxy.metric(name) - wanted).abs() < 1e-9).then_some(()));
}

with_1_and_4_workers! {
    fn requests_and_errors_are_counted_once_each(threads) {
        let cluster = FakeCluster::start(2);
        let proxy = Proxy::before(&cluster.seeds(), threads, &[]);
        let mut client = proxy.client();
        for n in 0..25 {
            client.run(&format!("SET key:{n} 1"));
            client.run(&format!("get key:{n}"));
        }
        client.run("MGET key:1 key:2 key:3");
        cluster.always(0, "LPUSH", Act::reply("-WRONGTYPE no"));
        cluster.always(1, "LPUSH", Act::reply("-WRONGTYPE no"));
        client.run("LPUSH a x");
        client.run("no.such.thing");
        client.run("no.other.thing");
        client.run("PING");
        is(&proxy, "slotway_commands_total{command=\"set\"}", 25.0);
        is(&proxy, "slotway_commands_total{command=\"get\"}", 25.0);
        is(&proxy, "slotway_commands_total{command=\"mget\"}", 1.0);
        is(&proxy, "slotway_commands_total{command=\"ping\"}", 1.0);
        is(&proxy, "slotway_commands_total{command=\"other\"}", 2.0);
        is(&proxy, "slotway_command_errors_total{command=\"lpush\",error=\"WRONGTYPE\"}", 1.0);
        is(&proxy, "slotway_command_duration_seconds_count{command=\"get\"}", 25.0);
        is(&proxy, "slotway_command_duration_seconds_bucket{command=\"get\",le=\"+Inf\"}", 25.0);
        is(&proxy, "slotway_client_connections", 1.0);
        assert!(!proxy.metrics().contains("no.such"), "no label from a client's mouth");
    }

    fn buckets_go_from_50_microseconds_to_5_seconds(threads) {
        let cluster = FakeCluster::start(1);
        let proxy = Proxy::before(&cluster.seeds(), threads, &[]);
        proxy.client().run("GET a");
        proxy.reaches("slotway_command_duration_seconds_count{command=\"get\"}", 1.0);
        let page = proxy.metrics();
        let start = "slotway_command_duration_seconds_bucket{command=\"get\",le=\"";
        let buckets: Vec<(f64, f64)> = page
            .lines()
            .filter_map(|line| line.strip_prefix(start)?.split_once("\"} "))
            .map(|(le, count)| (le.parse().unwrap_or(f64::INFINITY), count.parse().unwrap()))
            .collect();
        assert!(buckets.iter().any(|bucket| (bucket.0 - 0.000_05).abs() < 1e-9), "{buckets:?}");
        assert!(buckets.iter().any(|bucket| (bucket.0 - 5.0).abs() < 1e-9), "{buckets:?}");
        assert!(buckets.is_sorted(), "cumulative: {buckets:?}");
    }

    fn waiting_shows_where_it_happens(threads) {
        let cluster = FakeCluster::start(1);
        let proxy = Proxy::before(&cluster.seeds(), threads, &["--backend-timeout", "0"]);
        let mut client = proxy.client();
        let gate = crate::support::Gate::new();
        cluster.on(0, "GET a", Act::Hold(gate.clone()));
        client.send(&["GET", "a"]);
        cluster.wait_for(0, "GET a");
        let node = format!("127.0.0.1:{}", cluster.port(0));
        is(&proxy, &format!("slotway_backend_in_flight{{node=\"{node}\"}}"), 1.0);
        gate.open();
        client.reply();
        is(&proxy, &format!("slotway_backend_in_flight{{node=\"{node}\"}}"), 0.0);
        is(&proxy, &format!("slotway_backend_duration_seconds_count{{node=\"{node}\"}}"), 1.0);
        is(&proxy, "slotway_queue_duration_seconds_count", 1.0);
        is(&proxy, "slotway_slots_unassigned", 0.0);
        proxy.reaches("slotway_client_input_bytes_total", 20.0);
        proxy.reaches("slotway_backend_output_bytes_total", 20.0);
    }
}
