//! MONITOR: what the primaries are asked, shown to those who may know.

use std::time::Duration;

use crate::support::{
    Act, Client, Cluster, FakeCluster, Kind, PATIENCE, Proxy, Setup, Value, crosswise, eventually,
    everywhere, slot::key_in, with_1_and_4_workers,
};

const ADMIN: &[&str] = &["--admin-commands"];
/// Too long for a line that comes at all.
const A_MOMENT: Duration = Duration::from_millis(100);

fn monitor(proxy: &Proxy) -> Client {
    let mut client = proxy.client();
    assert_eq!(client.run("MONITOR"), Value::ok());
    client
}

/// The next line that speaks of `word`; others ask the nodes too.
#[track_caller]
fn next(client: &mut Client, word: &str) -> String {
    loop {
        let line = client.reply().text();
        let (time, _) = line.split_once(" [").unwrap_or_else(|| panic!("{line}"));
        let (seconds, micros) = time.split_once('.').unwrap_or_else(|| panic!("{line}"));
        assert!(seconds.parse::<u64>().is_ok() && micros.len() == 6, "{line}");
        if line.contains(word) {
            return line;
        }
    }
}

/// A key of each of the three primaries that `cluster` began with.
fn keys(cluster: &Cluster, tag: &str) -> Vec<String> {
    (0..3).map(|index| key_in(cluster.range(index).0 + 7, tag)).collect()
}

/// How many connections monitor node `index`.
fn monitors(cluster: &Cluster, index: usize) -> usize {
    let list = cluster.client(index).run("CLIENT LIST").text();
    list.lines().filter(|line| line.contains(" flags=O ")).count()
}

// On clusters of their own: what other tests ask of the shared one would be shown too.
crosswise! {
    fn all_who_monitor_get_the_lines_of_all_primaries_as_these_write_them(setup) {
        let cluster = Cluster::start(setup.kind, 3, 0);
        let proxy = Proxy::of(&cluster, setup.threads, ADMIN);
        let mut ours: Vec<Client> = (0..5).map(|_| monitor(&proxy)).collect();
        let mut theirs: Vec<Client> = (0..3).map(|index| cluster.client(index)).collect();
        theirs.iter_mut().for_each(|node| assert_eq!(node.run("MONITOR"), Value::ok()));
        let odd: Vec<u8> = (0..=255).collect();
        for (index, key) in keys(&cluster, "lines").iter().enumerate() {
            let mut client = proxy.client();
            for n in 0..3 {
                client.request(&[b"seT", key.as_bytes(), format!("{n}").as_bytes()]);
            }
            client.request(&[b"APPEND", key.as_bytes(), &odd]);
            for verb in ["seT", "seT", "seT", "APPEND"] {
                let line = next(&mut theirs[index], key);
                assert!(line.contains(&format!("] \"{verb}\" ")), "{line}");
                ours.iter_mut().for_each(|ours| assert_eq!(next(ours, key), line));
            }
        }
    }

    fn who_monitors_may_ask_little_and_reset_ends_it(setup) {
        let cluster = Cluster::start(setup.kind, 3, 0);
        let proxy = Proxy::of(&cluster, setup.threads, ADMIN);
        for version in [2, 3] {
            let mut monitor = if version == 2 { proxy.client() } else { proxy.client3() };
            assert_eq!(monitor.run("MONITOR"), Value::ok());
            // What the nodes are asked is shown between.
            let mut says = |line: &str, wanted: &Value| {
                monitor.send(&line.split(' ').collect::<Vec<_>>());
                while monitor.reply() != *wanted {}
            };
            let refused = Value::error("ERR Replica can't interact with the keyspace");
            for line in ["GET a", "MGET a b", "MULTI", "DBSIZE", "BLPOP a 0", "WATCH a"] {
                says(line, &refused);
            }
            says("MONITOR", &Value::ok());
            says("PING", &Value::Simple(b"PONG".to_vec()));
            let list = proxy.client().run("CLIENT LIST").text();
            assert!(list.contains(" flags=O "), "{list}");
            assert!(proxy.client().run("INFO clients").text().contains("pubsub_clients:0"));
            says("RESET", &Value::Simple(b"RESET".to_vec()));
            assert_eq!(proxy.client().run("SET reset 1"), Value::ok());
            assert_eq!(monitor.run("GET reset"), Value::bulk("1"));
        }
    }
}

everywhere! {
    fn it_is_for_administrators(setup) {
        let proxy = setup.proxy();
        let text = proxy.client().run("MONITOR").text();
        assert!(text.starts_with("NOPERM MONITOR") && text.contains("--admin-commands"), "{text}");
    }
}

#[test]
fn one_that_does_not_read_is_closed_and_no_other() {
    let cluster = Cluster::start(Kind::Redis, 1, 0);
    let flags = ["--admin-commands", "--client-output-buffer-limit", "pubsub 1mb 0 0"];
    let proxy = Proxy::of(&cluster, 1, &flags);
    let (mut lazy, mut eager, mut client) = (monitor(&proxy), monitor(&proxy), proxy.client());
    let value = "x".repeat(300_000);
    let closed = "slotway_client_connections_closed_total{reason=\"output_limit\"}";
    let mut sent = 0;
    while proxy.metric(closed) < 1.0 {
        assert_eq!(client.request(&["SET", "large", &value]), Value::ok());
        assert!(next(&mut eager, "large").ends_with(&format!(" \"SET\" \"large\" \"{value}\"")));
        sent += 1;
        assert!(sent < 200, "never closed");
    }
    lazy.read_to_close();
    client.run("GET end");
    next(&mut eager, "\"GET\" \"end\"");
    assert_eq!(client.run("PING").text(), "PONG");
}

/// Sets `key` through `proxy` until one that monitors is shown that.
#[track_caller]
fn is_shown(monitor: &mut Client, proxy: &Proxy, key: &str) {
    let mut client = proxy.client();
    monitor.patience(A_MOMENT);
    eventually(&format!("{key} is shown"), || {
        client.run(&format!("SET {key} 1"));
        while let Some(line) = monitor.try_reply().ok()? {
            if line.text().contains(key) {
                return Some(());
            }
        }
        panic!("closed");
    });
}

#[test]
fn each_worker_monitors_each_primary_once_whatever_becomes_of_them() {
    let cluster = Cluster::start(Kind::Valkey, 3, 1);
    let proxy = Proxy::of(&cluster, 2, &["--admin-commands", "--topology-refresh", "500ms"]);
    let mut clients: Vec<Client> = (0..6).map(|_| monitor(&proxy)).collect();
    let are = |counts: &[(usize, usize)]| {
        eventually(&format!("{counts:?} monitor"), || {
            counts.iter().all(|&(index, count)| monitors(&cluster, index) == count).then_some(())
        });
    };
    are(&[(0, 2), (1, 2), (2, 2), (3, 0), (4, 0), (5, 0)]);
    let keys = keys(&cluster, "follow");
    let check = |clients: &mut [Client]| {
        clients.iter_mut().for_each(|client| keys.iter().for_each(|key| is_shown(client, &proxy, key)));
    };
    check(&mut clients);
    assert_eq!(cluster.client(4).run("CLUSTER FAILOVER"), Value::ok());
    cluster.wait_until_primary(4);
    check(&mut clients);
    are(&[(0, 2), (1, 0), (2, 2), (3, 0), (4, 2), (5, 0)]);
    cluster.node(2).kill();
    cluster.wait_until_primary(5);
    check(&mut clients);
    are(&[(0, 2), (1, 0), (3, 0), (4, 2), (5, 2)]);
    clients.truncate(1);
    are(&[(0, 1), (1, 0), (3, 0), (4, 1), (5, 1)]);
    clients[0].send(&["QUIT"]);
    clients[0].patience(PATIENCE);
    clients[0].read_to_close();
    are(&[(0, 0), (4, 0), (5, 0)]);
}

/// Two nodes of which each answers MONITOR so.
fn two_nodes(threads: usize, acts: [Act; 2], flags: &[&str]) -> (FakeCluster, Proxy) {
    let cluster = FakeCluster::start(2);
    for (index, act) in acts.into_iter().enumerate() {
        cluster.always(index, "MONITOR", act);
    }
    let proxy = Proxy::before(&cluster.seeds(), threads, &[ADMIN, flags].concat());
    (cluster, proxy)
}

fn line(arg: &str) -> String {
    format!("+1700000000.000001 [0 127.0.0.1:1] \"ECHO\" \"{arg}\"\r\n")
}

with_1_and_4_workers! {
    fn a_nodes_replies_are_not_shown_between_its_lines(threads) {
        let (cluster, proxy) = two_nodes(threads, [Act::reply("+OK"), Act::reply("+OK")], &[]);
        let mut monitor = monitor(&proxy);
        let said = format!("{}+PONG\r\n-MISCONF no\r\n{}", line("one"), line("two"));
        cluster.always(0, "PING", Act::Reply(said.into()));
        for arg in ["one", "two"] {
            assert_eq!(next(&mut monitor, ""), line(arg)[1..].trim_end());
        }
    }

    fn a_primary_that_cannot_be_had_is_not_waited_for(threads) {
        for act in [Act::Stall, Act::Close, Act::reply("-NOPERM no permissions")] {
            // Longer than the test is patient.
            let flags = ["--backend-timeout", "200ms", "--retry-deadline", "10m"];
            let (_cluster, proxy) = two_nodes(threads, [Act::reply("+OK"), act], &flags);
            monitor(&proxy);
        }
    }

    fn where_no_primary_can_be_had_that_is_an_error_in_time(threads) {
        let acts = [Act::reply("-NOPERM no permissions"), Act::Stall];
        let (_cluster, proxy) = two_nodes(threads, acts, &["--retry-deadline", "300ms"]);
        let mut client = proxy.client();
        assert!(client.run("MONITOR").text().starts_with("CLUSTERDOWN"));
        assert_eq!(client.run("GET a"), Value::Nil);
    }

    fn a_node_that_hangs_is_given_up_and_monitored_again(threads) {
        let acts = [Act::reply("+OK"), Act::reply("+OK")];
        let (cluster, proxy) = two_nodes(threads, acts, &["--backend-timeout", "2s"]);
        cluster.always(0, "PING", Act::Stall);
        let _monitor = monitor(&proxy);
        eventually("it is monitored again", || (cluster.count(0, "MONITOR") > 1).then_some(()));
        assert_eq!(cluster.count(1, "MONITOR"), 1);
    }
}

#[test]
fn at_a_line_that_is_too_long_those_who_monitor_are_closed() {
    let limit = ["--client-output-buffer-limit", "pubsub 0 0 0"];
    let (cluster, proxy) = two_nodes(1, [Act::reply("+OK"), Act::reply("+OK")], &limit);
    let mut monitor = monitor(&proxy);
    let long = line(&"x".repeat(2 << 20));
    let said = format!("{long}{}", long.trim_end().repeat(17));
    cluster.always(0, "PING", Act::Reply(said.into()));
    assert_eq!(monitor.reply().text().len(), long.len() - 3);
    assert_eq!(monitor.read_to_close(), b"");
    assert_eq!(proxy.client().run("GET a"), Value::Nil);
    proxy.wait_for_log("a node's line is too long");
}
