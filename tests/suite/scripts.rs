//! Scripts and functions: on every node, also on those that come later.

use crate::support::{
    Act, Client, Cluster, FakeCluster, Kind, Proxy, Setup, Value, crosswise, everywhere, server::Server,
    slot::key_in, with_1_and_4_workers,
};

const SCRIPT: &str = "return redis.call('incr',KEYS[1])";
const NOSCRIPT: &str = "NOSCRIPT No matching script. Please use EVAL.";

/// One key on each of three nodes.
fn keys(setup: Setup, name: &str) -> Vec<String> {
    [100, 8_000, 16_000].map(|slot| format!("{{{}}}:{}", key_in(slot, "s"), setup.key(name))).to_vec()
}

fn load(client: &mut Client, body: &str) -> String {
    client.request(&["SCRIPT", "LOAD", body]).text()
}

everywhere! {
    fn a_script_that_was_loaded_runs_everywhere(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        let body = format!("-- {}\n{SCRIPT}", setup.key("load"));
        let sha = load(&mut client, &body);
        assert_eq!(sha.len(), 40);
        assert_eq!(client.run(&format!("SCRIPT EXISTS {sha} {}", "0".repeat(40))), Value::Array(vec![Value::Integer(1), Value::Integer(0)]));
        for key in keys(setup, "load") {
            client.run(&format!("DEL {key}"));
            assert_eq!(client.run(&format!("EVALSHA {sha} 1 {key}")), Value::Integer(1));
        }
        let lines: Vec<String> = keys(setup, "load").iter().map(|key| format!("EVALSHA {sha} 1 {key}")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        assert_eq!(client.pipeline(&lines), vec![Value::Integer(2); 3]);
    }

    fn wrong_scripts_get_the_texts_of_a_node(setup) {
        let (proxy, server) = (setup.proxy(), Server::single(setup.kind));
        let (mut proxied, mut direct) = (proxy.client(), server.client());
        for line in [
            "SCRIPT LOAD return(", "SCRIPT LOAD", "SCRIPT EXISTS", "SCRIPT NOSUCH", "SCRIPT KILL", "FUNCTION KILL",
            "EVALSHA ffffffffffffffffffffffffffffffffffffffff 0", "EVALSHA short 0", "FCALL nosuch 0",
            "FUNCTION LOAD nonsense", "FUNCTION DELETE nosuch", "FUNCTION RESTORE x", "SCRIPT FLUSH BADLY",
        ] {
            assert_eq!(proxied.run(line), direct.run(line), "{line}");
        }
    }
}

crosswise! {
    fn a_script_comes_back_after_one_node_lost_it(setup) {
        let cluster = Cluster::start(setup.kind, 3, 0);
        let proxy = Proxy::of(&cluster, setup.threads, &[]);
        let mut client = proxy.client();
        let sha = load(&mut client, SCRIPT);
        let keys = keys(setup, "lost");
        for node in 0..3 {
            assert_eq!(cluster.client(node).run("SCRIPT FLUSH"), Value::ok());
        }
        assert_eq!(client.run(&format!("SCRIPT EXISTS {sha}")), Value::Array(vec![Value::Integer(0)]));
        for key in &keys {
            assert_eq!(proxy.client().run(&format!("EVALSHA {sha} 1 {key}")), Value::Integer(1));
        }
        assert_eq!(client.run(&format!("SCRIPT EXISTS {sha}")), Value::Array(vec![Value::Integer(1)]));
        let other = load(&mut client, "return 7");
        (0..3).for_each(|node| drop(cluster.client(node).run("SCRIPT FLUSH")));
        for _ in 0..6 {
            assert_eq!(client.run(&format!("EVALSHA {other} 0")), Value::Integer(7));
        }
        assert_eq!(client.run("SCRIPT FLUSH"), Value::ok());
        assert!(client.run(&format!("EVALSHA {sha} 1 {}", keys[0])).text().starts_with("NOSCRIPT "));
    }

    fn a_transaction_brings_its_scripts(setup) {
        let cluster = Cluster::start(setup.kind, 3, 0);
        let proxy = Proxy::of(&cluster, setup.threads, &[]);
        let mut client = proxy.client();
        let sha = load(&mut client, SCRIPT);
        for (n, key) in keys(setup, "inside").iter().enumerate() {
            for node in 0..3 {
                assert_eq!(cluster.client(node).run("SCRIPT FLUSH"), Value::ok());
            }
            if n == 1 {
                client.run(&format!("WATCH {key}"));
            }
            let run = format!("EVALSHA {sha} 1 {key}");
            let replies = client.pipeline(&["MULTI", &run, &run, "EXEC"]);
            assert_eq!(replies[3], Value::Array(vec![Value::Integer(1), Value::Integer(2)]));
        }
    }

    fn a_script_reaches_a_node_that_joined_later(setup) {
        let cluster = Cluster::start(setup.kind, 2, 1);
        let proxy = Proxy::of(&cluster, setup.threads, &["--retry-deadline", "10m"]);
        let mut client = proxy.client();
        let sha = load(&mut client, SCRIPT);
        let key = key_in(100, "later");
        assert_eq!(client.run(&format!("EVALSHA {sha} 1 {key}")), Value::Integer(1));
        // The replica never saw the script; it becomes the owner.
        assert_eq!(cluster.client(2).run("CLUSTER FAILOVER TAKEOVER"), Value::ok());
        crate::support::eventually("the new owner has the script", || {
            let reply = client.run(&format!("EVALSHA {sha} 1 {key}"));
            assert!(!reply.is_error(), "{reply:?}");
            (cluster.client(2).run(&format!("SCRIPT EXISTS {sha}")) == Value::Array(vec![Value::Integer(1)])).then_some(())
        });
    }

    fn functions_are_on_every_node(setup) {
        let cluster = Cluster::start(setup.kind, 3, 0);
        let proxy = Proxy::of(&cluster, setup.threads, &[]);
        let server = Server::single(setup.kind);
        let (mut proxied, mut direct) = (proxy.client(), server.client());
        let library = "#!lua name=lib\nredis.register_function('add', function(keys) return redis.call('incr', keys[1]) end)";
        for client in [&mut proxied, &mut direct] {
            assert_eq!(client.request(&["FUNCTION", "LOAD", library]).text(), "lib");
        }
        for key in keys(setup, "function") {
            assert_eq!(proxied.run(&format!("FCALL add 1 {key}")), Value::Integer(1));
        }
        for line in ["FUNCTION LIST", "FUNCTION STATS", "FUNCTION DUMP"] {
            assert_eq!(proxied.run(line), direct.run(line), "{line}");
        }
        let dump = proxied.run("FUNCTION DUMP");
        let Value::Bulk(dump) = dump else { panic!("{dump:?}") };
        assert_eq!(proxied.run("FUNCTION FLUSH"), Value::ok());
        assert!(proxied.run(&format!("FCALL add 1 {}", keys(setup, "function")[0])).is_error());
        assert_eq!(proxied.request(&[&b"FUNCTION"[..], b"RESTORE", &dump]), Value::ok());
        for key in keys(setup, "function") {
            assert_eq!(proxied.run(&format!("FCALL add 1 {key}")), Value::Integer(2));
        }
        assert_eq!(proxied.run("FUNCTION DELETE lib"), Value::ok());
        assert!(proxied.run("FUNCTION DELETE lib").is_error());
    }

    fn a_script_that_was_run_once_is_known_on_every_node(setup) {
        let cluster = Cluster::start(setup.kind, 3, 0);
        let proxy = Proxy::of(&cluster, setup.threads, &[]);
        let mut client = proxy.client();
        let keys = keys(setup, "eval");
        for (n, lines) in [&["EVAL"][..], &["MULTI", "EVAL", "EXEC"]].into_iter().enumerate() {
            let body = format!("{SCRIPT}+{n}");
            let sha = cluster.client(0).request(&["SCRIPT", "LOAD", &body]).text();
            (0..3).for_each(|node| drop(cluster.client(node).run("SCRIPT FLUSH")));
            for line in lines {
                let request: &[&str] = if *line == "EVAL" { &["EVAL", &body, "1", &keys[0]] } else { &[line] };
                assert!(!client.request(request).is_error());
            }
            for key in &keys {
                let reply = proxy.client().run(&format!("EVALSHA {sha} 1 {key}"));
                assert!(matches!(reply, Value::Integer(_)), "{reply:?}");
            }
            assert_eq!(client.run("SCRIPT FLUSH"), Value::ok());
            assert!(client.run(&format!("EVALSHA {sha} 1 {}", keys[1])).text().starts_with("NOSCRIPT "));
            // What was forgotten is remembered when it is run again.
            client.request(&["EVAL", &body, "1", &keys[0]]);
            assert!(!client.run(&format!("EVALSHA {sha} 1 {}", keys[1])).is_error());
        }
    }

    fn a_node_that_lacks_a_function_is_given_its_library(setup) {
        let cluster = Cluster::start(setup.kind, 3, 0);
        let proxy = Proxy::of(&cluster, setup.threads, &[]);
        let mut client = proxy.client();
        let library = "#!lua name=lib\nredis.register_function('add', function(keys) return redis.call('incr', keys[1]) end)";
        assert_eq!(client.request(&["FUNCTION", "LOAD", library]).text(), "lib");
        (1..3).for_each(|node| assert_eq!(cluster.client(node).run("FUNCTION FLUSH"), Value::ok()));
        let keys = keys(setup, "given");
        let mut others: Vec<Client> = (0..4).map(|_| proxy.client()).collect();
        for key in &keys {
            others.iter_mut().for_each(|other| other.send(&["FCALL", "ADD", "1", key]));
            let mut counts: Vec<i64> = others.iter_mut().map(|other| other.reply().integer()).collect();
            counts.sort_unstable();
            assert_eq!(counts, [1, 2, 3, 4]);
        }
        assert_eq!(client.run(&format!("FCALL nosuch 1 {}", keys[0])), Value::error("ERR Function not found"));
        // A library of the same name that lacks the function is left alone.
        let mut node = cluster.client(1);
        let other = library.replace("'add'", "'other'");
        assert_eq!(node.request(&["FUNCTION", "LOAD", "REPLACE", &other]).text(), "lib");
        crate::support::eventually("it was looked for and not loaded", || {
            let reply = client.run(&format!("FCALL add 1 {}", keys[1]));
            assert_eq!(reply, Value::error("ERR Function not found"));
            let stats = node.run("INFO commandstats").text();
            let loads = stats.lines().find(|line| line.starts_with("cmdstat_function|load:"))?.to_owned();
            (!loads.contains("failed_calls=0")).then_some(())
        });
        assert_eq!(node.run(&format!("FCALL other 1 {}", keys[1])), Value::Integer(5));
    }

    fn a_script_that_does_not_end_is_killed(setup) {
        let cluster = Cluster::start_with(setup.kind, 3, 0, &["--lua-time-limit", "50"]);
        let proxy = Proxy::of(&cluster, setup.threads, &["--backend-timeout", "0"]);
        let mut client = proxy.client();
        client.send(&["EVAL", "while true do end", "1", "a"]);
        let mut other = proxy.client();
        crate::support::eventually("the script is killed", || (other.run("SCRIPT KILL") == Value::ok()).then_some(()));
        assert!(client.reply().text().contains("killed"));
        assert!(other.run("SCRIPT KILL").text().starts_with("NOTBUSY "));
    }
}

with_1_and_4_workers! {
    fn a_request_behind_a_missing_script_is_not_overtaken_by_it(threads) {
        let cluster = FakeCluster::start(1);
        let proxy = Proxy::before(&cluster.seeds(), threads, &[]);
        let mut client = proxy.client();
        cluster.always(0, "SCRIPT LOAD", Act::reply("$40\r\ne0e1f9fabfc9d4800c877a703b823ac0578ff8db"));
        client.request(&["SCRIPT", "LOAD", "return 1"]);
        cluster.on(0, "EVALSHA", Act::reply(&format!("-{NOSCRIPT}")));
        let replies = client.pipeline(&["EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 1 a", "SET a 2", "GET a"]);
        // The later write ran: the script must not run behind it.
        assert_eq!(replies, [Value::error(NOSCRIPT), Value::ok(), Value::bulk("2")]);
        assert_eq!(cluster.count(0, "EVALSHA"), 1);
        assert_eq!(client.run("EVALSHA E0E1F9FABFC9D4800C877A703B823AC0578FF8DB 1 a"), Value::ok());
    }

    fn a_redirected_transaction_brings_its_scripts_where_it_goes(threads) {
        let cluster = FakeCluster::start(2);
        let proxy = Proxy::before(&cluster.seeds(), threads, &[]);
        let mut client = proxy.client();
        let sha = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db";
        client.request(&["EVAL", "return 1", "0"]);
        let key = key_in(100, "to");
        let run = format!("EVALSHA {sha} 1 {key}");
        for kind in ["ASK", "MOVED"] {
            let before = cluster.seen(1).len();
            cluster.on(0, &run, cluster.redirect(kind, &key, 1));
            cluster.on(0, "EXEC", Act::reply("-EXECABORT Transaction discarded because of previous errors."));
            cluster.on(1, "EXEC", Act::reply("*1\r\n:1"));
            assert_eq!(client.pipeline(&["MULTI", &run, "EXEC"])[2], Value::Array(vec![Value::Integer(1)]));
            let seen: Vec<String> = cluster.seen(1).split_off(before);
            let asking = if kind == "ASK" { &["ASKING"][..] } else { &[] };
            let wanted = [&["SCRIPT LOAD return 1"], asking, &["MULTI", &run, "EXEC"]].concat();
            assert_eq!(seen, wanted);
        }
    }

    fn a_node_that_never_takes_the_script_is_not_asked_for_ever(threads) {
        let cluster = FakeCluster::start(1);
        let proxy = Proxy::before(&cluster.seeds(), threads, &[]);
        let mut client = proxy.client();
        cluster.always(0, "SCRIPT LOAD", Act::reply("-ERR no"));
        client.request(&["SCRIPT", "LOAD", "return 1"]);
        cluster.always(0, "EVALSHA", Act::reply(&format!("-{NOSCRIPT}")));
        let line = "EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 1 a";
        assert_eq!(client.run(line), Value::error(NOSCRIPT));
        assert!(cluster.count(0, "EVALSHA") <= 4);
        // What was never loaded is the client's to load.
        let asked = cluster.count(0, "SCRIPT LOAD");
        assert_eq!(client.run("EVALSHA 0000000000000000000000000000000000000000 1 a"), Value::error(NOSCRIPT));
        assert_eq!(cluster.count(0, "SCRIPT LOAD"), asked);
    }
}
