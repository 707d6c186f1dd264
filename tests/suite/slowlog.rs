//! SLOWLOG: what took long, who asked, which node it was.

use std::{thread, time::Duration};

use crate::support::{
    Act, Client, FakeCluster, Gate, Kind, Proxy, Setup, Value, everywhere, server::Server,
    with_1_and_4_workers,
};

/// Everything counts as slow.
const ALL: &[&str] = &["--slowlog-log-slower-than", "0"];

/// The arguments of each entry, newest first.
fn commands(client: &mut Client) -> Vec<String> {
    let entries = client.run("SLOWLOG GET -1");
    entries.items().iter().map(|entry| words(&entry.items()[3])).collect()
}

fn words(array: &Value) -> String {
    array.items().iter().map(Value::text).collect::<Vec<_>>().join(" ")
}

/// The entry of the request `line`; on a busy machine others may be slow too.
#[track_caller]
fn entry_of(client: &mut Client, line: &str) -> Value {
    let log = client.run("SLOWLOG GET -1");
    let found = log.items().iter().find(|entry| words(&entry.items()[3]) == line);
    found.unwrap_or_else(|| panic!("no {line} in {log:?}")).clone()
}

/// What stands behind `name=` in the last element of `entry`.
fn fact(entry: &Value, name: &str) -> String {
    let facts = entry.items()[5].text();
    let found = facts.split(' ').find_map(|fact| fact.strip_prefix(name)?.strip_prefix('='));
    found.unwrap_or_else(|| panic!("no {name} in {facts}")).to_owned()
}

#[test]
fn commandlog_is_valkeys_name_for_it() {
    let setup = Setup { kind: Kind::Valkey, threads: 4 };
    let (proxy, server) = (setup.proxy_with(ALL), Server::single(setup.kind));
    let (mut proxied, mut direct) = (proxy.client(), server.client());
    proxied.run("COMMANDLOG RESET slow");
    proxied.run(&format!("GET {}", setup.key("twin")));
    let entries = proxied.run("COMMANDLOG GET -1 slow");
    assert_eq!(entries.items().len(), 1);
    assert_eq!(entries, proxied.run("SLOWLOG GET"));
    assert_eq!(proxied.run("COMMANDLOG LEN SLOW"), Value::Integer(1));
    for line in [
        "COMMANDLOG RESET slow",
        "COMMANDLOG GET 1 large-request",
        "COMMANDLOG LEN large-reply",
        "COMMANDLOG RESET large-reply",
        "COMMANDLOG GET -2 slow",
        "COMMANDLOG GET x slow",
        "COMMANDLOG GET 1 x",
        "COMMANDLOG LEN x",
        "COMMANDLOG LEN",
        "COMMANDLOG GET slow",
    ] {
        assert_eq!(proxied.run(line), direct.run(line), "{line}");
    }
}

everywhere! {
    fn what_clients_of_all_workers_asked_is_there(setup) {
        let proxy = setup.proxy_with(ALL);
        let mut asking = proxy.client();
        for n in 0..8 {
            let mut client = proxy.client();
            client.run(&format!("CLIENT SETNAME number-{n}"));
            client.run(&format!("SET {} {n}", setup.key("slowlog")));
        }
        assert_eq!(asking.run("SLOWLOG LEN"), Value::Integer(8));
        let entries = asking.run("SLOWLOG GET 3");
        for (n, entry) in [7, 6, 5].into_iter().zip(entries.items()) {
            assert_eq!(entry.items().len(), 6, "some clients read just these");
            assert_eq!(entry.items()[0], Value::Integer(n));
            assert!(entry.items()[1].integer() > 1_700_000_000);
            assert_eq!(words(&entry.items()[3]), format!("SET {} {n}", setup.key("slowlog")));
            assert!(entry.items()[4].text().starts_with("127.0.0.1:"));
            assert!(entry.items()[5].text().starts_with(&format!("number-{n} node=127.0.0.1:")));
            let (node, own): (i64, i64) =
                (fact(entry, "node-usec").parse().unwrap(), fact(entry, "own-usec").parse().unwrap());
            assert!((node + own - entry.items()[2].integer()).abs() <= 1, "{entry:?}");
        }
        assert_eq!(asking.run("SLOWLOG RESET"), Value::ok());
        assert_eq!(asking.run("SLOWLOG LEN"), Value::Integer(0));
        asking.run(&format!("GET {}", setup.key("slowlog")));
        assert_eq!(asking.run("SLOWLOG GET").items()[0].items()[0], Value::Integer(8), "numbers go on");
    }

    fn wrong_requests_are_answered_as_by_a_server(setup) {
        let (proxy, server) = (setup.proxy(), Server::single(setup.kind));
        for (mut proxied, mut direct) in
            [(proxy.client(), server.client()), (proxy.client3(), server.client())]
        {
            for line in ["SLOWLOG GET", "SLOWLOG GET 0", "SLOWLOG GET -2", "SLOWLOG GET x", "SLOWLOG LEN",
                "SLOWLOG RESET", "SLOWLOG LEN x", "SLOWLOG RESET x", "SLOWLOG"]
            {
                assert_eq!(proxied.run(line), direct.run(line), "{line}");
            }
            for line in ["SLOWLOG NOSUCH", "SLOWLOG GET 1 2"] {
                assert!(proxied.run(line).is_error() && direct.run(line).is_error(), "{line}");
            }
            assert!(proxied.run("SLOWLOG HELP").items().len() > 4);
        }
    }

    fn long_requests_are_cut_as_by_a_server(setup) {
        let (proxy, server) = (setup.proxy_with(ALL), Server::single(setup.kind));
        let (mut proxied, mut direct) = (proxy.client(), server.client());
        direct.run("CONFIG SET slowlog-log-slower-than 0");
        let (key, long) = (setup.key("cut"), "x".repeat(1000));
        let many = vec!["y"; 100].join(" ");
        for line in [format!("SET {key} {long}"), format!("DEL {key}"), format!("RPUSH {key} {many}"),
            format!("DEL {key}"), format!("RPUSH {key} {}", vec!["z"; 30].join(" "))]
        {
            proxied.run(&line);
            direct.run(&line);
            let (ours, theirs) = (proxied.run("SLOWLOG GET 1"), direct.run("SLOWLOG GET 1"));
            assert_eq!(words(&ours.items()[0].items()[3]), words(&theirs.items()[0].items()[3]));
        }
    }

    fn a_transaction_is_one_entry_and_the_parts_of_a_request_are_several(setup) {
        let proxy = setup.proxy_with(ALL);
        let (mut client, key) = (proxy.client(), setup.key("{parts}"));
        client.pipeline(&["MULTI", &format!("SET {key} 1"), "EXEC"]);
        client.run(&format!("WATCH {key}"));
        client.pipeline(&["MULTI", &format!("SET {key} 2"), "EXEC"]);
        assert_eq!(commands(&mut client), [2, 1].map(|n| format!("MULTI SET {key} {n} EXEC")));
        client.run("SLOWLOG RESET");
        let keys = ["a", "b", "c"].map(|key| setup.key(key));
        client.run(&format!("MGET {}", keys.join(" ")));
        let mut parts = commands(&mut client);
        parts.sort();
        let mut wanted = keys.map(|key| format!("MGET {key}"));
        wanted.sort();
        assert_eq!(parts, wanted);
    }

    fn settings_are_shown_and_minus_one_is_off(setup) {
        let proxy = setup.proxy_with(&["--slowlog-log-slower-than", "-1", "--slowlog-max-len", "7"]);
        let mut client = proxy.client();
        let settings = client.run("CONFIG GET slowlog-*");
        assert_eq!(settings.field("slowlog-log-slower-than").text(), "-1");
        assert_eq!(settings.field("slowlog-max-len").text(), "7");
        client.run(&format!("GET {}", setup.key("off")));
        assert_eq!(client.run("SLOWLOG LEN"), Value::Integer(0));
        let proxy = setup.proxy_with(&["--slowlog-log-slower-than", "0", "--slowlog-max-len", "2"]);
        let mut client = proxy.client();
        for n in 0..5 {
            client.run(&format!("GET {}", setup.key(n)));
        }
        assert_eq!(commands(&mut client), [4, 3].map(|n| format!("GET {}", setup.key(n))));
    }

    fn an_administrator_sees_the_settings_of_this_slow_log_and_the_nodes_others(setup) {
        let proxy = setup.proxy_with(&["--admin-commands", "--slowlog-max-len", "77"]);
        for mut client in [proxy.client(), proxy.client3()] {
            let all = client.run("CONFIG GET *");
            assert_eq!(all.field("slowlog-max-len").text(), "77");
            assert_eq!(all.field("cluster-enabled").text(), "yes");
            assert_eq!(client.run("CONFIG GET slowlog-max-*").field("slowlog-max-len").text(), "77");
            assert!(!client.run("CONFIG GET maxmemory").field("maxmemory").text().is_empty());
        }
    }

    fn passwords_are_not_shown(setup) {
        let proxy = setup.proxy_with(&["--admin-commands", "--slowlog-log-slower-than", "0"]);
        let mut client = proxy.client();
        client.run("AUTH secret");
        client.run("ACL SETUSER slow-tester >secret");
        client.run("ACL DELUSER slow-tester");
        let shown = commands(&mut client);
        assert!(shown.contains(&"ACL SETUSER (redacted) (redacted)".to_owned()), "{shown:?}");
        assert!(!shown.join(" ").contains("secret"));
    }
}

with_1_and_4_workers! {
    fn the_time_of_a_slow_node_is_told_from_slotways_own(threads) {
        let cluster = FakeCluster::start(3);
        let proxy = Proxy::before(&cluster.seeds(), threads, &["--slowlog-log-slower-than", "100000"]);
        let mut client = proxy.client();
        client.run("SET fast 1");
        let (gate, owner) = (Gate::new(), cluster.owner("slow"));
        cluster.on(owner, "GET slow", Act::Hold(gate.clone()));
        client.send(&["GET", "slow"]);
        cluster.wait_for(owner, "GET slow");
        // What is measured, not waited for.
        thread::sleep(Duration::from_millis(150));
        gate.open();
        client.reply();
        let entry = &entry_of(&mut client, "GET slow");
        assert_eq!(fact(entry, "node"), format!("127.0.0.1:{}", cluster.port(owner)));
        assert!(fact(entry, "node-usec").parse::<i64>().unwrap() > 100_000, "{entry:?}");
    }

    fn what_no_node_answered_is_there_too(threads) {
        let cluster = FakeCluster::start(3);
        let proxy = Proxy::before(&cluster.seeds(), threads, &["--retry-deadline", "100ms"]);
        let mut client = proxy.client();
        (0..3).for_each(|node| cluster.always(node, "GET lost", Act::reply("-LOADING x")));
        assert!(client.run("GET lost").is_error());
        assert_eq!(fact(&entry_of(&mut client, "GET lost"), "node"), "none");
    }
}
