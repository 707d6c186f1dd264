//! Requests that wait for any of many keys of many slots, with `--cross-slot`.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::support::{
    Act, Client, Cluster, FakeCluster, Kind, Proxy, Setup, Value, crosswise, eventually, everywhere,
    slot::key_in, with_1_and_4_workers,
};

const FLAG: &[&str] = &["--cross-slot"];

everywhere! {
    fn who_waits_for_many_keys_is_given_what_comes(setup) {
        let proxy = setup.proxy_with(FLAG);
        let (mut waiting, mut other) = (proxy.client(), proxy.client());
        let key = setup.key("waits:");
        for n in 0..5 {
            waiting.send_raw(format!("BLPOP {key}a {key}b {key}c 0\r\nSET {key}after {n}\r\n").as_bytes());
            assert_eq!(other.run(&format!("EXISTS {key}a")).integer(), 0);
            other.run(&format!("RPUSH {key}{} {n}", ["a", "b", "c"][n % 3]));
            let wanted = [format!("{key}{}", ["a", "b", "c"][n % 3]), n.to_string()].map(Value::bulk);
            assert_eq!(waiting.reply().items(), wanted);
            assert_eq!(waiting.reply(), Value::ok());
        }
        other.run(&format!("XADD {key}x 5-5 f v"));
        let mut reader = proxy.client3();
        let id = reader.run("CLIENT ID").integer();
        reader.send_raw(format!("XREAD BLOCK 0 STREAMS {key}x {key}y $ $\r\n").as_bytes());
        wait_until_waiting(&mut other, id);
        // Whether the streams' ends were looked at already cannot be seen from here, so entries go on coming.
        let mut n = 5;
        reader.patience(Duration::from_millis(20));
        let reply = eventually("news", || {
            n += 1;
            other.run(&format!("XADD {key}y {n}-1 f v"));
            reader.try_reply().ok().flatten()
        });
        assert_eq!(reply.items()[0].text(), format!("{key}y"));
        assert_eq!(reply.items().len(), 2, "the first stream has no news: {reply:?}");
    }

    fn client_unblock_lets_go_of_who_waits_for_many_keys(setup) {
        let proxy = setup.proxy_with(FLAG);
        let (mut waiting, mut other) = (proxy.client(), proxy.client());
        let key = setup.key("unblock:");
        let id = waiting.run("CLIENT ID").integer();
        for (how, wanted) in [("TIMEOUT", Value::NilArray),
            ("ERROR", Value::error("UNBLOCKED client unblocked via CLIENT UNBLOCK"))]
        {
            waiting.send_raw(format!("BLPOP {key}a {key}b 0\r\n").as_bytes());
            wait_until_waiting(&mut other, id);
            eventually("it rests between two tries", || {
                (other.run(&format!("CLIENT UNBLOCK {id} {how}")).integer() == 1).then_some(())
            });
            assert_eq!(waiting.reply(), wanted);
        }
        assert_eq!(waiting.run("PING").text(), "PONG");
    }

    fn each_element_is_given_to_one_client(setup) {
        const CLIENTS: usize = 6;
        const EACH: usize = 10;
        let proxy = setup.proxy_with(FLAG);
        let key = setup.key("share:");
        let taking: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let (mut client, line) = (proxy.client(), format!("BLPOP {key}a {key}b {key}c 0"));
                thread::spawn(move || (0..EACH).map(|_| client.run(&line).items()[1].text()).collect::<Vec<_>>())
            })
            .collect();
        let mut other = proxy.client();
        for n in 0..CLIENTS * EACH {
            other.run(&format!("RPUSH {key}{} {n:03}", ["a", "b", "c"][n % 3]));
        }
        let mut taken: Vec<String> = taking.into_iter().flat_map(|client| client.join().unwrap()).collect();
        taken.sort();
        assert_eq!(taken, (0..CLIENTS * EACH).map(|n| format!("{n:03}")).collect::<Vec<_>>());
    }
}

/// How many keys the nodes of `cluster` are to tell of.
fn listened(nodes: &mut [Client]) -> i64 {
    let count = |node: &mut Client| {
        let stats = node.run("INFO stats").text();
        let line = stats.lines().find_map(|line| line.strip_prefix("tracking_total_keys:"));
        line.expect("a count").parse::<i64>().expect("a number")
    };
    nodes.iter_mut().map(count).sum()
}

crosswise! {
    fn nodes_tell_those_who_wait_of_what_comes(setup) {
        let cluster = Cluster::start(setup.kind, 2, 0);
        let proxy = Proxy::of(&cluster, setup.threads, FLAG);
        let mut nodes = [cluster.client(0), cluster.client(1)];
        let keys = [100, 16_000].map(|slot| key_in(slot, "wake"));
        let mut waiting = [proxy.client(), proxy.client()];
        for client in &mut waiting {
            client.send(&["BLPOP", &keys[0], &keys[1], "0"]);
        }
        eventually("the nodes tell", || (listened(&mut nodes) == 2).then_some(()));
        let mut other = proxy.client();
        assert_eq!(other.run(&format!("RPUSH {} one two", keys[1])), Value::Integer(2));
        let mut given: Vec<String> = waiting.iter_mut().map(|client| client.reply().items()[1].text()).collect();
        given.sort();
        assert_eq!(given, ["one", "two"]);
    }

    fn a_key_that_moves_while_it_is_waited_for_is_heard_of(setup) {
        let cluster = Cluster::start(setup.kind, 2, 0);
        let proxy = Proxy::of(&cluster, setup.threads, &["--cross-slot", "--topology-refresh", "100ms"]);
        let mut nodes = [cluster.client(0), cluster.client(1)];
        let keys = [100, 16_000].map(|slot| key_in(slot, "moves"));
        let mut waiting = proxy.client();
        waiting.send(&["BLPOP", &keys[0], &keys[1], "0"]);
        eventually("the nodes tell", || (listened(&mut nodes) == 2).then_some(()));
        cluster.migrate(100, 0, 1);
        let mut other = proxy.client();
        assert_eq!(other.run(&format!("RPUSH {} one", keys[0])), Value::Integer(1));
        assert_eq!(waiting.reply().items()[1].text(), "one");
    }
}

with_1_and_4_workers! {
    fn a_node_is_asked_twice_and_once_more_at_the_end(threads) {
        let cluster = FakeCluster::start(2);
        let proxy = Proxy::before(&cluster.seeds(), threads, FLAG);
        (0..2).for_each(|node| cluster.always(node, "EXEC", Act::reply("*1\r\n*-1")));
        let [a, b] = [0, 16_000].map(|slot| key_in(slot, "twice"));
        assert_eq!(proxy.client().run(&format!("BLPOP {a} {b} 0.5")), Value::NilArray);
        for node in 0..2 {
            assert_eq!((cluster.count(node, "EXISTS"), cluster.count(node, "EXEC")), (1, 3));
        }
    }

    fn a_node_that_tells_nothing_is_asked_again_and_again(threads) {
        let cluster = FakeCluster::start(2);
        let proxy = Proxy::before(&cluster.seeds(), threads, FLAG);
        cluster.always(1, "CLIENT TRACKING", Act::reply("-NOPERM no"));
        (0..6).for_each(|_| cluster.on(1, "EXEC", Act::reply("*1\r\n*-1")));
        cluster.always(0, "EXEC", Act::reply("*1\r\n*-1"));
        cluster.always(1, "EXEC", Act::reply("*1\r\n*2\r\n$1\r\nb\r\n$1\r\nx"));
        let [a, b] = [0, 16_000].map(|slot| key_in(slot, "again"));
        assert_eq!(proxy.client().run(&format!("BLPOP {a} {b} 0")).items()[1].text(), "x");
    }

    fn news_are_what_came_since_the_request_also_when_it_is_sent_again(threads) {
        let cluster = FakeCluster::start(1);
        let proxy = Proxy::before(&cluster.seeds(), threads, &[]);
        cluster.always(0, "XINFO STREAM", Act::reply("*2\r\n$17\r\nlast-generated-id\r\n$3\r\n5-1"));
        cluster.on(0, "XREAD", Act::Close);
        assert_eq!(proxy.client().run("XREAD BLOCK 0 STREAMS a $"), Value::ok());
        assert_eq!(cluster.count(0, "XREAD BLOCK 0 STREAMS a 5-1"), 2);
        cluster.always(0, "XINFO STREAM", Act::reply("-ERR no such key"));
        cluster.forget_script(0);
        cluster.on(0, "XINFO STREAM", Act::reply("-NOPERM no"));
        assert_eq!(proxy.client().run("XREAD BLOCK 0 STREAMS a $"), Value::ok());
        assert_eq!(cluster.count(0, "XREAD BLOCK 0 STREAMS a $"), 1);
    }
}

/// Waits until the request of client `id` that may block was taken.
fn wait_until_waiting(other: &mut Client, id: i64) {
    eventually("the request is taken", || {
        let list = other.run("CLIENT LIST").text();
        let line = list.lines().find(|line| line.starts_with(&format!("id={id} ")))?.to_owned();
        (line.contains("cmd=blpop") || line.contains("cmd=xread")).then_some(())
    });
}

/// Less than the second after which one that waits looks again unasked.
const QUICK: Duration = Duration::from_millis(400);
/// Waits of which one at least is quick, also on a machine that is busy.
const WAITS: usize = 20;

/// Whether the second of two clients is ever given quickly what `give` gives to it and not to the first. Each
/// client is prepared by its line of `setups`, and sends its line of `waits`.
fn is_given_quickly(cluster: &Cluster, setups: [&str; 2], waits: [&str; 2], give: &[&str]) -> bool {
    let proxy = Proxy::of(cluster, 1, FLAG);
    let mut node = cluster.client(0);
    let mut wait = || {
        let mut clients = setups.map(|line| (proxy.client(), line));
        clients.iter_mut().for_each(|(client, line)| assert!(!client.run(line).is_error()));
        for ((client, _), line) in clients.iter_mut().zip(waits) {
            let before = transactions(&mut node);
            client.send_raw(format!("{line}\r\n").as_bytes());
            // Two keys are looked at, and once more when they are heard of.
            eventually("it rests", || (transactions(&mut node) >= before + 4).then_some(()));
        }
        let (mut giver, begin) = (cluster.client(0), Instant::now());
        assert!(giver.pipeline(give).iter().all(|reply| !reply.is_error()));
        assert!(!clients[1].0.reply().is_error());
        begin.elapsed()
    };
    (0..WAITS).any(|_| wait() < QUICK)
}

/// How many transactions the node has run.
fn transactions(node: &mut Client) -> u64 {
    let stats = node.run("INFO commandstats").text();
    let calls = stats.lines().find_map(|line| line.strip_prefix("cmdstat_exec:calls=")?.split(',').next());
    calls.map_or(0, |calls| calls.parse().expect("a number"))
}

#[test]
fn each_group_of_a_stream_hears_of_its_entries() {
    // 1. Two clients wait for entries of two streams, for different groups.
    // 2. An entry comes that the first one's group has been given elsewhere when it looks.
    // 3. It rests again, and the second is not woken: it looked a second later.
    let cluster = Cluster::start(Kind::Redis, 1, 0);
    let mut node = cluster.client(0);
    for line in ["a g", "a h", "b g", "b h"].map(|what| format!("XGROUP CREATE {what} $ MKSTREAM")) {
        node.run(&line);
    }
    let waits = ["g", "h"].map(|group| format!("XREADGROUP GROUP {group} c BLOCK 0 STREAMS a b > >"));
    let give = ["MULTI", "XADD a * f v", "XREADGROUP GROUP g other STREAMS a >", "EXEC"];
    assert!(is_given_quickly(&cluster, ["PING"; 2], [&waits[0], &waits[1]], &give));
}

#[test]
fn who_waits_in_one_database_does_not_delay_another() {
    // 1. Two clients wait for keys of the same names in different databases.
    // 2. The key of the second comes: the first is woken, finds nothing and rests again.
    // 3. The second is not woken: it looked a second later.
    let cluster = Cluster::start_with(Kind::Valkey, 1, 0, &["--cluster-databases", "4"]);
    assert!(is_given_quickly(
        &cluster,
        ["SELECT 0", "SELECT 2"],
        ["BLPOP a b 0"; 2],
        &["SELECT 2", "RPUSH a x"]
    ));
}

#[test]
fn a_silent_node_is_given_up_though_it_is_asked_all_the_time() {
    // 1. The connection over which a node tells of changed keys says nothing any more.
    // 2. Clients go on asking over it, more often than once a second.
    // 3. Each question began the node's time anew, so that it was never given up.
    let cluster = FakeCluster::start(2);
    let proxy = Proxy::before(&cluster.seeds(), 1, &["--cross-slot", "--backend-timeout", "300ms"]);
    (0..2).for_each(|node| cluster.always(node, "EXEC", Act::reply("*1\r\n*-1")));
    cluster.on(1, "EXISTS", Act::Stall);
    let [a, b] = [0, 16_000].map(|slot| key_in(slot, "silent"));
    let mut client = proxy.client();
    eventually("the connection is made anew", || {
        assert_eq!(client.run(&format!("BLPOP {a} {b} 0.1")), Value::NilArray);
        (cluster.count(1, "CLIENT TRACKING") == 2).then_some(())
    });
}

#[test]
fn a_silent_node_does_not_keep_what_another_has() {
    // 1. A client waits for keys of two nodes, one of which does not say whether it will tell.
    // 2. The other node's key comes.
    // 3. The client still waited for the first node's word.
    let cluster = FakeCluster::start(2);
    let proxy = Proxy::before(&cluster.seeds(), 1, &["--cross-slot", "--backend-timeout", "0"]);
    cluster.on(0, "EXEC", Act::reply("*1\r\n*-1"));
    cluster.always(0, "EXEC", Act::reply("*1\r\n*2\r\n$1\r\na\r\n$1\r\nx"));
    cluster.always(1, "EXEC", Act::reply("*1\r\n*-1"));
    cluster.on(1, "EXISTS", Act::Stall);
    let [a, b] = [0, 16_000].map(|slot| key_in(slot, "kept"));
    assert_eq!(proxy.client().run(&format!("BLPOP {a} {b} 0")).items()[1].text(), "x");
}
