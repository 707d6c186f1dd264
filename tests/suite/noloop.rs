//! CLIENT TRACKING with NOLOOP: a client hears what others change, and not what it changes itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
};

use crate::support::{Client, Cluster, Kind, Proxy, Random, Setup, Value, crosswise, encode, eventually};

fn tracking(proxy: &Proxy, how: &str) -> Client {
    let mut client = proxy.client3();
    assert_eq!(client.run(&format!("CLIENT TRACKING ON NOLOOP{how}")), Value::ok());
    client
}

/// The keys that a push says have changed; all, if it names none.
fn changed(push: &Value) -> Option<BTreeSet<String>> {
    let Value::Push(items) = push else { panic!("no push: {push:?}") };
    match &items[1] {
        Value::Null => None,
        keys => Some(keys.items().iter().map(Value::text).collect()),
    }
}

/// The next reply; forgets what pushes before it say has changed.
fn take(client: &mut Client, kept: &mut BTreeMap<String, Value>) -> Value {
    loop {
        let reply = client.reply();
        if !matches!(reply, Value::Push(_)) {
            return reply;
        }
        match changed(&reply) {
            Some(keys) => kept.retain(|key, _| !keys.contains(key)),
            None => kept.clear(),
        }
    }
}

/// How many connections tell of changes at the nodes.
fn telling(cluster: &Cluster) -> usize {
    let of = |node| cluster.client(node).run("CLIENT LIST").text();
    (0..cluster.len()).map(|node| of(node).matches(" flags=tB ").count()).sum()
}

crosswise! {
    fn own_writes_are_not_told_and_those_of_others_are(setup) {
        let proxy = setup.proxy();
        let mut other = proxy.client();
        for (n, broadcast) in [false, true].into_iter().enumerate() {
            // Of one slot, so that news comes in the order of the writes.
            let key = |name: &str| format!("noloop:{{{}}}{name}", setup.key(n));
            let (own, shared) = (key("own"), key("shared"));
            let how = if broadcast { format!(" BCAST PREFIX {}", key("")) } else { String::new() };
            let mut client = tracking(&proxy, &how);
            client.run(&format!("MGET {own} {shared}"));
            client.run(&format!("SET {own} 1"));
            let done = client.pipeline(&["MULTI", &format!("INCR {own}"), "EXEC"]);
            assert_eq!(done[2].items(), [Value::Integer(2)], "{done:?}");
            other.run(&format!("SET {shared} 1"));
            assert_eq!(changed(&client.reply()), Some(BTreeSet::from([shared.clone()])), "{how}");
            assert_eq!(client.run(&format!("GET {own}")), Value::bulk("2"));
            other.run(&format!("SET {own} 9"));
            assert_eq!(changed(&client.reply()), Some(BTreeSet::from([own])), "{how}");
            assert!(client.run("CLIENT TRACKINGINFO").field("flags").items().contains(&Value::bulk("noloop")));
        }
    }

    fn who_keeps_what_it_writes_never_keeps_an_old_value(setup) {
        let proxy = setup.proxy();
        let keys: Vec<String> = (0..8).map(|n| setup.key(format!("noloop:kept{n}"))).collect();
        let (stop, mut kept) = (AtomicBool::new(false), BTreeMap::<String, Value>::new());
        let mut client = tracking(&proxy, &format!(" BCAST PREFIX {}", setup.key("noloop")));
        let mut random = Random::new();
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut writer = proxy.client();
                for n in (0..3000).take_while(|_| !stop.load(Relaxed)) {
                    writer.run(&format!("SET {} {n}", keys[n % keys.len()]));
                }
            });
            for round in 0..300 {
                let asked: Vec<(&String, Option<String>)> = (0..5)
                    .map(|n| {
                        let value = (random.below(2) == 0).then(|| format!("own{round}:{n}"));
                        (&keys[random.below(keys.len())], value)
                    })
                    .collect();
                let request = |(key, value): &(&String, Option<String>)| match value {
                    Some(value) => encode(&["SET", key, value]),
                    None => encode(&["GET", key]),
                };
                client.send_raw(&asked.iter().flat_map(request).collect::<Vec<u8>>());
                for (key, value) in asked {
                    let reply = take(&mut client, &mut kept);
                    kept.insert(key.clone(), value.map_or(reply, Value::bulk));
                }
            }
            stop.store(true, Relaxed);
        });
        let mut direct = proxy.client();
        let now: BTreeMap<&String, Value> =
            keys.iter().map(|key| (key, direct.run(&format!("GET {key}")))).collect();
        assert!(!kept.is_empty());
        eventually(&format!("nothing old is kept, seed {}", random.seed()), || {
            client.send(&["PING"]);
            take(&mut client, &mut kept);
            kept.iter().all(|(key, value)| now[key] == *value).then_some(())
        });
    }
}

#[test]
fn what_was_read_before_is_still_told_of() {
    // 1. A client that tracks reads a key.
    // 2. It asks to track with NOLOOP from now on, and another client writes the key.
    // 3. What it had read was forgotten, so that it kept the old value.
    let cluster = Cluster::start(Kind::Redis, 1, 0);
    let proxy = Proxy::of(&cluster, 1, &[]);
    for before in ["CLIENT TRACKING ON", "CLIENT TRACKING ON NOLOOP"] {
        let (mut client, mut kept) = (proxy.client3(), BTreeMap::new());
        assert_eq!(client.run(before), Value::ok());
        kept.insert("a".to_owned(), client.run("GET a"));
        client.send(&["CLIENT", "TRACKING", "ON", "NOLOOP"]);
        assert_eq!(take(&mut client, &mut kept), Value::ok());
        proxy.client().run("INCR a");
        eventually("the write is told of", || {
            client.send(&["PING"]);
            take(&mut client, &mut kept);
            kept.is_empty().then_some(())
        });
    }
}

#[test]
fn its_connections_come_and_go_with_it() {
    let cluster = Cluster::start(Kind::Redis, 2, 0);
    let proxy = Proxy::of(&cluster, 1, &["--dedicated-connections", "1"]);
    let mut client = tracking(&proxy, "");
    assert_eq!(telling(&cluster), 2);
    assert_eq!(client.run("GET a"), Value::Null);
    // A node's loss is told of, and the connection made anew.
    cluster.client(0).run("CLIENT KILL TYPE normal");
    assert_eq!(changed(&client.reply()), None);
    let mut kept = BTreeMap::new();
    eventually("another's write is heard", || {
        client.send(&["GET", "a"]);
        let value = take(&mut client, &mut kept);
        kept.insert("a".to_owned(), value);
        client.send(&["PING"]);
        take(&mut client, &mut kept);
        (!kept.is_empty()).then_some(())
    });
    proxy.client().run("SET a 1");
    assert_eq!(changed(&client.reply()), Some(BTreeSet::from(["a".to_owned()])));
    // There is room for one such client: the next hears of its own writes too.
    let mut second = tracking(&proxy, "");
    second.run("GET b");
    second.send(&["SET", "b", "1"]);
    let replies = [second.reply(), second.reply()];
    assert!(replies.iter().any(|reply| matches!(reply, Value::Push(_))), "{replies:?}");
    drop(second);
    assert_eq!(client.run("CLIENT TRACKING OFF"), Value::ok());
    eventually("the connections are closed", || (telling(&cluster) == 0).then_some(()));
    assert_eq!(client.run("GET b"), Value::bulk("1"));
}

#[test]
fn it_may_change_its_protocol_and_its_database() {
    let cluster = Cluster::start_with(Kind::Valkey, 2, 0, &["--cluster-databases", "4"]);
    let proxy = Proxy::of(&cluster, 2, &[]);
    let (mut client, mut other) = (tracking(&proxy, ""), proxy.client());
    let mut kept = BTreeMap::new();
    for line in
        ["SELECT 2", "SET a 1", "HELLO 2", "SET a 2", "HELLO 3", "SELECT 0", "CLIENT TRACKING ON NOLOOP"]
    {
        client.send(&line.split(' ').collect::<Vec<_>>());
        assert!(!take(&mut client, &mut kept).is_error(), "{line}");
    }
    client.send(&["GET", "b"]);
    take(&mut client, &mut kept);
    other.run("SET b 1");
    assert_eq!(changed(&client.reply()), Some(BTreeSet::from(["b".to_owned()])));
    other.run("SELECT 2");
    assert_eq!(other.run("GET a"), Value::bulk("2"));
}
