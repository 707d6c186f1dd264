//! SCAN over all nodes: every key, any instance, while slots move and nodes fail.

use std::{collections::BTreeSet, process::Command};

use crate::support::{
    Act, Client, Cluster, FakeCluster, Kind, Proxy, Setup, Value, crosswise, eventually, everywhere,
    programs::on_path, with_1_and_4_workers,
};

/// Pages after which a scan counts as endless.
const ENDLESS: usize = 10_000;

/// All keys that a scan with these options yields.
fn scan(client: &mut Client, options: &str) -> Vec<String> {
    let (mut cursor, mut keys) = ("0".to_owned(), Vec::new());
    for _ in 0..ENDLESS {
        (cursor, keys) = page(client, &cursor, options, keys);
        if cursor == "0" {
            return keys;
        }
    }
    panic!("the scan does not end");
}

fn page(client: &mut Client, cursor: &str, options: &str, mut keys: Vec<String>) -> (String, Vec<String>) {
    let reply = client.run(format!("SCAN {cursor} {options}").trim_end());
    assert!(!reply.is_error(), "{reply:?}");
    keys.extend(reply.items()[1].items().iter().map(Value::text));
    (reply.items()[0].text(), keys)
}

fn write(client: &mut Client, keys: &[String]) {
    let lines: Vec<String> = keys.iter().map(|key| format!("SET {key} 1")).collect();
    for lines in lines.chunks(500) {
        let replies = client.pipeline(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(replies.iter().all(|reply| *reply == Value::ok()));
    }
}

fn names(setup: Setup, name: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| setup.key(format!("scan:{name}:{n}"))).collect()
}

fn set(keys: &[String]) -> BTreeSet<String> {
    keys.iter().cloned().collect()
}

everywhere! {
    fn a_scan_finds_every_key(setup) {
        let proxy = setup.proxy();
        let keys = names(setup, "all", 2_000);
        write(&mut proxy.client(), &keys);
        let pattern = setup.key("scan:all:*");
        for (options, mut client) in [("COUNT 7", proxy.client()), ("COUNT 1000", proxy.client3()), ("", proxy.client())] {
            let found = scan(&mut client, &format!("MATCH {pattern} {options}"));
            assert_eq!(set(&found), set(&keys), "{options}");
        }
    }

    fn a_scan_of_a_type_finds_that(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        let keys = names(setup, "type", 50);
        write(&mut client, &keys);
        let list = setup.key("scan:type:list");
        client.run(&format!("RPUSH {list} 1"));
        let pattern = setup.key("scan:type:*");
        assert_eq!(set(&scan(&mut client, &format!("MATCH {pattern} TYPE list"))), set(&[list]));
        assert_eq!(set(&scan(&mut client, &format!("TYPE string MATCH {pattern} COUNT 33"))), set(&keys));
    }

    fn another_instance_goes_on_with_a_cursor(setup) {
        let proxies = [setup.proxy(), setup.proxy()];
        let keys = names(setup, "two", 500);
        let mut clients: Vec<Client> = (0..5).map(|n| proxies[n % 2].client()).collect();
        write(&mut clients[0], &keys);
        let options = format!("MATCH {} COUNT 11", setup.key("scan:two:*"));
        let (mut cursor, mut found) = ("0".to_owned(), Vec::new());
        for turn in 0..ENDLESS {
            (cursor, found) = page(&mut clients[turn % 5], &cursor, &options, found);
            if cursor == "0" {
                break;
            }
        }
        assert_eq!((set(&found), cursor.as_str()), (set(&keys), "0"));
    }

    fn the_cli_scans(setup) {
        let proxy = setup.proxy();
        let keys = names(setup, "cli", 300);
        write(&mut proxy.client(), &keys);
        assert!(on_path("redis-cli").is_some(), "no redis-cli here; `make test` installs what the tests need");
        let cli = |args: &[&str]| {
            let output = Command::new("timeout").args(["60", "redis-cli", "-p", &proxy.port.to_string()]).args(args).output();
            let output = output.expect("the tool runs");
            assert!(output.status.success(), "{args:?}");
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        let said = cli(&["--scan", "--pattern", &setup.key("scan:cli:*")]);
        assert_eq!(said.lines().map(str::to_owned).collect::<BTreeSet<_>>(), set(&keys));
        for tool in ["--bigkeys", "--memkeys"] {
            let said = cli(&[tool]);
            assert!(said.contains("Biggest") && said.contains("strings with") && !said.contains("Error"), "{tool}: {said}");
        }
    }
}

crosswise! {
    fn keys_that_stay_are_found_while_slots_move(setup) {
        let cluster = Cluster::start(setup.kind, 3, 0);
        let proxy = Proxy::of(&cluster, setup.threads, &[]);
        let mut client = proxy.client();
        let keys: Vec<String> = (0..1_500).map(|n| format!("key:{n}")).collect();
        write(&mut client, &keys);
        let (mut cursor, mut found) = ("0".to_owned(), Vec::new());
        // From a node that was scanned to one that will be: what moves comes twice, but nothing is left out.
        let mut slots = 0..100_u16;
        for turn in 0..ENDLESS {
            (cursor, found) = page(&mut client, &cursor, "COUNT 20", found);
            if cursor == "0" {
                break;
            }
            if turn % 2 == 1
                && let Some(slot) = slots.next()
            {
                cluster.migrate(slot, 0, 2);
            }
        }
        assert_eq!((set(&found), cursor.as_str()), (set(&keys), "0"));
    }

    fn a_shard_that_fails_over_begins_anew(setup) {
        let cluster = Cluster::start(setup.kind, 3, 1);
        let proxy = Proxy::of(&cluster, setup.threads, &["--retry-deadline", "10m"]);
        let mut client = proxy.client();
        let keys: Vec<String> = (0..600).map(|n| format!("key:{n}")).collect();
        write(&mut client, &keys);
        for node in 0..3 {
            eventually("the replica has it all", || (cluster.client(node).run("WAIT 1 100").integer() == 1).then_some(()));
        }
        let (mut cursor, mut found) = ("0".to_owned(), Vec::new());
        for turn in 0..ENDLESS {
            if turn == 3 {
                cluster.node(0).kill();
            }
            (cursor, found) = page(&mut client, &cursor, "COUNT 20", found);
            if cursor == "0" {
                break;
            }
        }
        assert_eq!((set(&found), cursor.as_str()), (set(&keys), "0"));
    }
}

with_1_and_4_workers! {
    fn any_number_is_a_cursor(threads) {
        let cluster = FakeCluster::start(3);
        (0..3).for_each(|node| cluster.always(node, "SCAN", Act::reply("*2\r\n$1\r\n0\r\n*0")));
        let proxy = Proxy::before(&cluster.seeds(), threads, &[]);
        let mut client = proxy.client();
        for cursor in ["1", "16383", "18446744073709551615", "5461", "99999999"] {
            let reply = client.run(&format!("SCAN {cursor}"));
            assert!(!reply.is_error(), "{cursor}: {reply:?}");
        }
        for cursor in ["x", "18446744073709551616", "-1"] {
            assert_eq!(client.run(&format!("SCAN {cursor}")), Value::error("ERR invalid cursor"));
        }
    }

    fn a_shard_is_gone_through_before_the_next(threads) {
        let cluster = FakeCluster::start(3);
        let proxy = Proxy::before(&cluster.seeds(), threads, &[]);
        let largest = (1_u64 << 42) - 1;
        let cursors = [largest.to_string(), "17".to_owned(), "0".to_owned()];
        for node in 0..3 {
            for (n, cursor) in cursors.iter().enumerate() {
                let key = format!("{node}{n}");
                cluster.on(node, "SCAN", Act::reply(&format!("*2\r\n${}\r\n{cursor}\r\n*1\r\n$2\r\n{key}", cursor.len())));
            }
        }
        let found = scan(&mut proxy.client(), "COUNT 5");
        assert_eq!(found, ["00", "01", "02", "10", "11", "12", "20", "21", "22"]);
        let asked: Vec<String> = cluster.seen(1).into_iter().filter(|line| line.starts_with("SCAN")).collect();
        assert_eq!(asked, ["SCAN 0 COUNT 5".to_owned(), format!("SCAN {largest} COUNT 5"), "SCAN 17 COUNT 5".to_owned()]);
    }
}
