//! The tools that everyone has: `redis-benchmark` and `redis-cli`.

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

use crate::support::{Cluster, Kind, Proxy, Setup, crosswise, everywhere, programs::on_path};

fn tool(name: &str, args: &[&str], port: u16, input: &str) -> Output {
    assert!(on_path(name).is_some(), "no {name} here; `make test` installs what the tests need");
    let mut command = Command::new("timeout");
    command.args(["120", name, "-p", &port.to_string()]).args(args);
    feed(command, input)
}

fn feed(mut command: Command, input: &str) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the tool starts");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("the tool reads");
    child.wait_with_output().expect("the tool ends")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

fn benchmark(proxy: &Proxy, args: &[&str]) -> String {
    let output = tool("redis-benchmark", args, proxy.port, "");
    let said = said(&output);
    assert!(output.status.success(), "{args:?}: {said}");
    let low = said.to_lowercase();
    assert!(!low.contains("error") && !low.contains("warning"), "{args:?}: {said}");
    said
}

crosswise! {
    fn every_default_benchmark_runs(setup) {
        let proxy = setup.proxy();
        // No -t: all the default tests.
        let said = benchmark(&proxy, &["-n", "600", "-c", "10", "-q"]);
        for name in [
            "PING_INLINE",
            "PING_MBULK",
            "SET",
            "GET",
            "INCR",
            "LPUSH",
            "RPUSH",
            "LPOP",
            "RPOP",
            "SADD",
            "HSET",
            "SPOP",
            "ZADD",
            "ZPOPMIN",
            "LRANGE_100",
            "LRANGE_600",
            "MSET",
        ] {
            assert!(
                said.contains(&format!("{name}: ")) || said.contains(&format!("{name} (")),
                "{name}: {said}"
            );
        }
    }

    fn the_benchmark_pipelines_and_picks_random_keys(setup) {
        let proxy = setup.proxy();
        benchmark(
            &proxy,
            &["-n", "4000", "-c", "20", "-P", "16", "-r", "1000", "-q", "-t", "set,get,incr,mset,sadd"],
        );
        benchmark(&proxy, &["-n", "2000", "-c", "20", "-P", "100", "-d", "3000", "-q", "-t", "set,get"]);
    }

    fn the_benchmark_speaks_resp3(setup) {
        let proxy = setup.proxy();
        benchmark(&proxy, &["-3", "-n", "600", "-c", "10", "-q", "-t", "set,get,zadd,spop,lrange"]);
    }

    fn the_benchmark_in_cluster_mode_sees_only_the_proxy(setup) {
        let proxy = setup.proxy();
        let said =
            benchmark(&proxy, &["--cluster", "-n", "1000", "-c", "10", "-q", "-t", "set,get,incr,mset"]);
        let nodes: Vec<&str> = said.lines().filter(|line| line.contains(" 127.0.0.1:")).collect();
        let proxied = format!(" 127.0.0.1:{}", proxy.port);
        assert!(!nodes.is_empty() && nodes.iter().all(|line| line.contains(&proxied)), "{said}");
    }
}

everywhere! {
    fn the_cli_is_piped(setup) {
        let proxy = setup.proxy();
        let key = setup.key("piped");
        let lines = format!("SET {key} \"a b\"\nGET {key}\nLPUSH {key}\nDEL {key}\nGET {key}\n");
        let output = tool("redis-cli", &[], proxy.port, &lines);
        assert_eq!(said(&output), "OK\na b\nERR wrong number of arguments for 'lpush' command\n\n1\n\n");
    }

    fn the_cli_loads_in_bulk(setup) {
        let proxy = setup.proxy();
        let lines: String =
            (0..5_000).map(|n| format!("SET {} {n}\r\n", setup.key(format!("bulk:{n}")))).collect();
        let output = tool("redis-cli", &["--pipe"], proxy.port, &lines);
        assert!(said(&output).contains("errors: 0, replies: 5000"), "{}", said(&output));
    }

    fn the_cli_in_cluster_mode_and_in_resp3_works(setup) {
        let proxy = setup.proxy();
        let key = setup.key("modes");
        assert_eq!(said(&tool("redis-cli", &["-c", "SET", &key, "1"], proxy.port, "")), "OK\n");
        let got = said(&tool("redis-cli", &["-3", "GET", &key], proxy.port, ""));
        assert_eq!(got.trim().trim_matches('"'), "1");
    }

    fn the_cli_is_used_by_hand(setup) {
        let proxy = setup.proxy();
        let key = setup.key("hand");
        assert!(on_path("script").is_some(), "no script here; `make test` installs what the tests need");
        let mut command = Command::new("timeout");
        command
            .args(["60", "script", "-qec", &format!("redis-cli -p {}", proxy.port), "/dev/null"])
            .env("TERM", "dumb");
        let shown = said(&feed(command, &format!("set {key} by-hand\nget {key}\nquit\n")));
        assert!(shown.contains("\"by-hand\""), "{shown}");
        assert!(!shown.contains("Error") && !shown.contains("not connected"), "{shown}");
    }
}

/// What `RedisInsight` asks when it connects and lists keys, in its own names.
const INSIGHT: &[&str] = &[
    "CLIENT SETNAME redisinsight-browser",
    "CLIENT SETINFO LIB-NAME redisinsight",
    "INFO",
    "INFO server",
    "INFO memory",
    "INFO stats",
    "INFO replication",
    "INFO keyspace",
    "CLUSTER INFO",
    "CLUSTER NODES",
    "COMMAND",
    "COMMAND DOCS get",
    "DBSIZE",
    "CONFIG GET databases",
    "CLIENT LIST",
    "ACL WHOAMI",
];

crosswise! {
    fn the_cli_finds_the_biggest_keys(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        for (command, name) in [("RPUSH", "big:list"), ("SADD", "big:set")] {
            assert!(!client.run(&format!("{command} {} a b c", setup.key(name))).is_error());
        }
        for (option, end) in [("--bigkeys", "lists with"), ("--memkeys", "lists with")] {
            let output = tool("redis-cli", &[option], proxy.port, "");
            let said = said(&output);
            assert!(output.status.success() && said.contains(end) && !said.contains("ERR"), "{option}: {said}");
        }
        let keys = said(&tool("redis-cli", &["--scan", "--pattern", &setup.key("big:*")], proxy.port, ""));
        assert_eq!(keys.lines().count(), 2, "{keys}");
    }

    fn the_cli_measures_latency(setup) {
        let proxy = setup.proxy();
        // Where its output is no terminal it measures for the given second and ends.
        let output = tool("redis-cli", &["--raw", "-i", "1", "--latency"], proxy.port, "");
        let figures = said(&output);
        assert!(output.status.success() && figures.split_whitespace().count() >= 4, "{figures}");
    }

    fn the_cli_shows_the_load(setup) {
        let proxy = setup.proxy();
        // Lines as they come, until there are enough.
        let stat = format!("timeout 300 stdbuf -oL redis-cli -p {} -i 0.1 --stat | head -n 4", proxy.port);
        let mut command = Command::new("sh");
        command.args(["-c", &stat]);
        let shown = said(&feed(command, ""));
        assert!(shown.lines().count() == 4 && !shown.contains("-9223"), "{shown}");
    }

    fn the_benchmark_has_threads(setup) {
        let proxy = setup.proxy();
        let common = ["-n", "1000", "-c", "10", "-q", "-t", "set,get,mset", "--threads", "2"];
        benchmark(&proxy, &common);
        benchmark(&proxy, &[&common[..], &["--cluster"]].concat());
    }

    fn redisinsight_connects_and_lists_keys(setup) {
        let proxy = setup.proxy();
        let key = setup.key("insight");
        for mut client in [proxy.client(), proxy.client3()] {
            assert_eq!(client.run(&format!("SET {key} v")).text(), "OK");
            for (line, reply) in INSIGHT.iter().zip(client.pipeline(INSIGHT)) {
                assert!(!reply.is_error(), "{line}: {reply:?}");
            }
            let (mut cursor, mut found) = ("0".to_owned(), false);
            // Bounded by what all tests together may have written.
            for _ in 0..10_000 {
                let page = client.run(&format!("SCAN {cursor} MATCH {key} COUNT 10000"));
                found |= !page.items()[1].items().is_empty();
                cursor = page.items()[0].text();
                if cursor == "0" {
                    break;
                }
            }
            assert!(found && cursor == "0");
            let about = [format!("TYPE {key}"), format!("TTL {key}"), format!("MEMORY USAGE {key}")];
            let replies = client.pipeline(&about.each_ref().map(String::as_str));
            assert_eq!((replies[0].text(), replies[1].integer()), ("string".to_owned(), -1));
            assert!(replies[2].integer() > 0);
        }
    }

    fn a_telnet_user_types_lines(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        let key = setup.key("typed");
        client.send_raw(
            format!("set {key} \"a \\x41 b\"\r\n\r\nget '{key}'\nINCR\r\nget \"open\r\n").as_bytes(),
        );
        assert_eq!(client.reply().text(), "OK");
        assert_eq!(client.reply().text(), "a A b");
        assert_eq!(client.reply().text(), "ERR wrong number of arguments for 'incr' command");
        assert_eq!(client.reply().text(), "ERR Protocol error: unbalanced quotes in request");
        assert_eq!(client.read_to_close(), b"");
    }
}

#[test]
fn the_cli_finds_the_hottest_keys_where_the_nodes_count_them() {
    let cluster = Cluster::start_with(Kind::Redis, 2, 0, &["--maxmemory-policy", "allkeys-lfu"]);
    let proxy = Proxy::of(&cluster, 1, &[]);
    let mut client = proxy.client();
    for key in ["hot", "warm"] {
        assert_eq!(client.run(&format!("SET {key} 1")).text(), "OK");
    }
    let output = tool("redis-cli", &["--hotkeys"], proxy.port, "");
    let said = said(&output);
    assert!(output.status.success() && said.contains("hot key found with counter"), "{said}");
}
