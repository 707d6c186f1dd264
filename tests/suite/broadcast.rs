//! Requests that speak of the whole key space, or must be the same on every node.

use std::collections::BTreeSet;

use crate::support::{
    Act, Client, Cluster, FakeCluster, Gate, Kind, Proxy, Setup, Value, crosswise, server::Server,
    with_1_and_4_workers,
};

/// Keys enough to be on every node.
const KEYS: usize = 60;

/// A cluster that nobody else uses, since these tests flush it, and a proxy before it.
fn own(setup: Setup, flags: &[&str]) -> (Cluster, Proxy) {
    let cluster = Cluster::start(setup.kind, 3, 0);
    let proxy = Proxy::of(&cluster, setup.threads, flags);
    (cluster, proxy)
}

fn fill(clients: &mut [&mut Client]) {
    for client in clients {
        for n in 0..KEYS {
            client.run(&format!("SET key:{n} {n}"));
        }
    }
}

fn texts(reply: &Value) -> BTreeSet<String> {
    reply.items().iter().map(Value::text).collect()
}

crosswise! {
    fn the_key_space_is_that_of_one_server(setup) {
        let (_cluster, proxy) = own(setup, &[]);
        let server = Server::single(setup.kind);
        let (mut proxied, mut direct) = (proxy.client(), server.client());
        let (mut proxied3, mut direct3) = (proxy.client3(), server.client());
        direct3.run("HELLO 3");
        fill(&mut [&mut proxied, &mut direct]);
        for line in ["KEYS *", "KEYS key:1*", "KEYS nothing"] {
            let (got, got3) = (proxied.run(line), proxied3.run(line));
            assert_eq!(texts(&got), texts(&direct.run(line)), "{line}");
            assert_eq!(texts(&got3), texts(&direct3.run(line)), "{line}");
            assert_eq!(got.items().len(), texts(&got).len(), "{line}");
        }
        let same = ["DBSIZE", "FLUSHDB", "DBSIZE", "KEYS *", "RANDOMKEY", "FLUSHALL ASYNC", "FLUSHALL X",
            "FLUSHDB A B", "KEYS", "DBSIZE x", "SCAN", "SCAN x", "SCAN 0 COUNT", "SCAN 0 COUNT 0",
            "SCAN 0 FOO", "ACL WHOAMI", "MEMORY PURGE"];
        for line in same {
            assert_eq!(proxied.run(line), direct.run(line), "{line}");
            assert_eq!(proxied3.run(line), direct3.run(line), "{line} in RESP3");
        }
    }

    fn a_pipeline_sees_what_it_flushes(setup) {
        let (_cluster, proxy) = own(setup, &[]);
        let mut client = proxy.client();
        for _ in 0..20 {
            let replies = client.pipeline(&[
                "MSET a 1 b 2 c 3", "DBSIZE", "GET a", "FLUSHALL", "GET a", "SET b 4", "DBSIZE", "KEYS *",
                "RANDOMKEY", "FLUSHDB", "DBSIZE", "PING",
            ]);
            let shown: Vec<String> = replies.iter().map(|reply| format!("{reply:?}")).collect();
            let wanted = ["+OK", ":3", "$1", "+OK", "$-1", "+OK", ":1", "*[$b]", "$b", "+OK", ":0", "+PONG"];
            assert_eq!(shown, wanted);
        }
    }

    fn random_keys_come_from_all_nodes_by_their_size(setup) {
        let (cluster, proxy) = own(setup, &[]);
        let mut client = proxy.client();
        assert_eq!(client.run("RANDOMKEY"), Value::Nil);
        assert_eq!(proxy.client3().run("RANDOMKEY"), Value::Null);
        let key_of = |node: usize, n: usize| {
            (0..).map(|i| format!("{n}:{i}")).find(|key| cluster.first_owner(key) == node).unwrap()
        };
        let only = key_of(1, 0);
        client.run(&format!("SET {only} 1"));
        for _ in 0..50 {
            assert_eq!(client.run("RANDOMKEY").text(), only);
        }
        for n in 1..20 {
            client.run(&format!("SET {} 1", key_of(2, n)));
        }
        let drawn: Vec<String> = (0..400).map(|_| client.run("RANDOMKEY").text()).collect();
        let often = drawn.iter().filter(|key| **key == only).count();
        assert!((1..100).contains(&often), "a twentieth of the keys came {often} times of 400");
    }

    fn info_adds_the_key_spaces_up(setup) {
        let (_cluster, proxy) = own(setup, &[]);
        let mut client = proxy.client();
        fill(&mut [&mut client]);
        for n in 0..20 {
            client.run(&format!("EXPIRE key:{n} 1000"));
        }
        for line in ["INFO keyspace", "INFO", "INFO everything"] {
            for client in [&mut client, &mut proxy.client3()] {
                let text = client.run(line).text();
                let db = text.lines().find(|line| line.starts_with("db0:")).unwrap();
                assert!(db.starts_with("db0:keys=60,expires=20,avg_ttl="), "{line}: {db}");
                assert_eq!(text.matches("# Keyspace").count(), 1);
            }
        }
        assert!(!client.run("INFO server").text().contains("db0:"));
    }

    fn administration_is_off_unless_allowed(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        for line in ["CONFIG SET maxmemory-samples 7", "CONFIG RESETSTAT", "DEBUG SLEEP 0", "BGSAVE", "ACL LIST"] {
            let text = client.run(line).text();
            let name = line.split(' ').next().unwrap();
            assert!(text.starts_with(&format!("NOPERM {name}")) && text.contains("--admin-commands"), "{text}");
        }
        assert_eq!(client.run("ACL WHOAMI").text(), "default");
        assert!(client.run("LASTSAVE").integer() > 0);
        assert!(!client.run("MEMORY DOCTOR").is_error());
        assert!(!client.run("MEMORY HELP").is_error());
    }

    fn administration_goes_to_every_primary_where_allowed(setup) {
        let (cluster, proxy) = own(setup, &["--admin-commands"]);
        let mut client = proxy.client();
        assert_eq!(client.run("CONFIG SET maxmemory-samples 7"), Value::ok());
        for node in 0..3 {
            let got = cluster.client(node).run("CONFIG GET maxmemory-samples");
            assert_eq!(got.field("maxmemory-samples").text(), "7", "node {node}");
        }
        assert_eq!(client.run("CONFIG GET maxmemory-samples").field("maxmemory-samples").text(), "7");
        assert_eq!(proxy.client3().run("CONFIG GET maxmemory-samples").field("maxmemory-samples").text(), "7");
        assert!(client.run("CONFIG SET nosuch 1").is_error());
        client.run("SET somewhere 1");
        for line in ["CONFIG RESETSTAT", "DEBUG SLEEP 0", "SAVE", "DEBUG OBJECT somewhere", "LATENCY LATEST",
            "LATENCY RESET", "LATENCY DOCTOR", "ACL LIST", "ACL SETUSER other on", "ACL DELUSER other", "BGSAVE"]
        {
            let reply = client.run(line);
            assert!(!reply.is_error(), "{line}: {reply:?}");
        }
        assert_eq!(client.run("DEBUG OBJECT nowhere"), Value::error("ERR no such key"));
    }
}

with_1_and_4_workers! {
    fn the_error_of_one_node_is_the_error_of_the_whole(threads) {
        let cluster = FakeCluster::start(3);
        let proxy = Proxy::before(&cluster.seeds(), threads, &[]);
        let mut client = proxy.client();
        for name in ["FLUSHALL", "KEYS", "DBSIZE", "SCRIPT LOAD"] {
            for node in 0..3 {
                let frame = if name == "KEYS" { "*0" } else { ":1" };
                cluster.always(node, name, Act::reply(frame));
            }
            cluster.on(1, name, Act::reply("-MISCONF disk"));
            cluster.on(2, name, Act::reply("-OOM memory"));
            let line = if name == "KEYS" || name == "SCRIPT LOAD" { format!("{name} x") } else { name.to_owned() };
            assert_eq!(client.run(&line), Value::error("MISCONF disk"), "{line}");
            assert!(!client.run(&line).is_error(), "{line} again");
        }
    }

    fn a_node_that_loads_is_asked_again_and_no_other_is(threads) {
        let cluster = FakeCluster::start(3);
        (0..3).for_each(|node| cluster.always(node, "DBSIZE", Act::reply(":5")));
        let proxy = Proxy::before(&cluster.seeds(), threads, &[]);
        cluster.on(1, "DBSIZE", Act::reply("-LOADING Redis is loading the dataset in memory"));
        assert_eq!(proxy.client().run("DBSIZE"), Value::Integer(15));
        let asked: Vec<usize> = (0..3).map(|node| cluster.count(node, "DBSIZE")).collect();
        assert_eq!(asked, [1, 2, 1]);
    }

    fn a_lost_node_is_asked_again_if_nothing_changes_by_it(threads) {
        let cluster = FakeCluster::start(3);
        for node in 0..3 {
            cluster.always(node, "DBSIZE", Act::reply(":5"));
            cluster.always(node, "FLUSHALL", Act::reply("+OK"));
        }
        let proxy = Proxy::before(&cluster.seeds(), threads, &[]);
        let mut client = proxy.client();
        cluster.on(2, "DBSIZE", Act::Close);
        assert_eq!(client.run("DBSIZE"), Value::Integer(15));
        cluster.on(2, "FLUSHALL", Act::Close);
        assert!(client.run("FLUSHALL").text().contains("may have been executed"));
        assert_eq!(client.run("FLUSHALL"), Value::ok());
    }

    fn a_node_that_never_comes_back_is_told_of(threads) {
        let cluster = FakeCluster::start(3);
        for node in 0..3 {
            let act = |line: &str| if node == 1 { Act::Close } else { Act::reply(line) };
            cluster.always(node, "DBSIZE", act(":5"));
            cluster.always(node, "INFO", act("$30\r\ndb0:keys=1,expires=0,avg_ttl=0"));
        }
        let proxy = Proxy::before(&cluster.seeds(), threads, &["--retry-deadline", "300ms"]);
        assert!(proxy.client().run("DBSIZE").text().starts_with("CLUSTERDOWN "));
        // INFO is for those who look what is wrong.
        assert!(proxy.client().run("INFO keyspace").text().contains("db0:keys=2,"));
    }

    fn what_a_node_says_oddly_harms_nobody(threads) {
        let cluster = FakeCluster::start(3);
        let proxy = Proxy::before(&cluster.seeds(), threads, &[]);
        let mut client = proxy.client();
        for frame in ["+OK", ":1", "$-1", "*-1", "*1\r\n*0", "$2\r\nxx", "*2\r\n$3\r\nabc\r\n*0", "*2\r\n$1\r\n5\r\n:1"] {
            for line in ["KEYS *", "DBSIZE", "RANDOMKEY", "SCAN 0", "SCRIPT EXISTS a", "FUNCTION STATS", "LASTSAVE"] {
                let name = line.trim_end_matches([' ', '*', '0']);
                (0..3).for_each(|node| cluster.on(node, name, Act::reply(frame)));
                client.run(line);
                (0..3).for_each(|node| cluster.forget_script(node));
            }
        }
        assert_eq!(client.run("SET a 1"), Value::ok());
    }

    fn clients_do_not_wait_for_each_other(threads) {
        let cluster = FakeCluster::start(3);
        (0..3).for_each(|node| cluster.always(node, "KEYS", Act::reply("*1\r\n$1\r\na")));
        let gate = Gate::new();
        cluster.on(1, "KEYS", Act::Hold(gate.clone()));
        let proxy = Proxy::before(&cluster.seeds(), threads, &[]);
        let mut client = proxy.client();
        client.send(&["KEYS", "*"]);
        client.send(&["SET", "a", "1"]);
        cluster.wait_for(1, "KEYS");
        let far = (0..).map(|n| format!("k{n}")).find(|key| cluster.owner(key) == 0).unwrap();
        assert_eq!(proxy.client().run(&format!("SET {far} 1")), Value::ok());
        gate.open();
        // The held node said what it does by itself, which is no array.
        assert!(client.reply().is_error());
        assert_eq!(client.reply(), Value::ok());
    }
}
