//! CLIENT TRACKING: who keeps values is told when they change.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
};

use crate::support::{
    Client, Cluster, Kind, Proxy, Random, Setup, Value, crosswise, encode, eventually, everywhere,
};

/// The keys that a push says have changed; all, if it names none.
fn changed(push: &Value) -> Option<BTreeSet<String>> {
    let Value::Push(items) = push else { panic!("no push: {push:?}") };
    assert_eq!(items[0].text(), "invalidate");
    match &items[1] {
        Value::Null => None,
        keys => Some(keys.items().iter().map(Value::text).collect()),
    }
}

/// Reads pushes until all of `keys` were named.
#[track_caller]
fn is_told(client: &mut Client, keys: &[&str]) {
    let mut missing: BTreeSet<String> = keys.iter().map(|&key| key.to_owned()).collect();
    while !missing.is_empty() {
        let told = changed(&client.reply()).expect("keys");
        assert!(told.iter().all(|key| keys.contains(&key.as_str())), "{told:?}");
        missing.retain(|key| !told.contains(key));
    }
}

/// That nothing is told up to the reply to a PING that was sent after a change came back from the node.
#[track_caller]
fn is_told_nothing(client: &mut Client) {
    assert_eq!(client.run("PING").text(), "PONG");
}

fn tracking(proxy: &Proxy, how: &str) -> Client {
    let mut client = proxy.client3();
    assert_eq!(client.run(&format!("CLIENT TRACKING ON{how}")), Value::ok());
    client
}

const TALK: &[&str] = &[
    "CLIENT TRACKINGINFO",
    "CLIENT GETREDIR",
    "CLIENT CACHING yes",
    "CLIENT CACHING foo",
    "CLIENT TRACKING foo",
    "CLIENT TRACKING off",
    "CLIENT TRACKING off foo",
    "CLIENT TRACKING on OPTIN OPTOUT",
    "CLIENT TRACKING on BCAST OPTIN",
    "CLIENT TRACKING on PREFIX a",
    "CLIENT TRACKING on BCAST PREFIX a PREFIX ab",
    "CLIENT TRACKING on BCAST PREFIX talk-a PREFIX talk-b",
    "CLIENT TRACKING on BCAST PREFIX talk-bc",
    "CLIENT TRACKING on BCAST PREFIX talk-c",
    "CLIENT TRACKING on",
    "CLIENT TRACKINGINFO",
    "CLIENT CACHING yes",
    "CLIENT CACHING no",
    "CLIENT GETREDIR",
    "CLIENT TRACKING off",
    "CLIENT TRACKING on OPTIN NOLOOP",
    "CLIENT CACHING no",
    "CLIENT CACHING foo",
    "CLIENT CACHING yes",
    "CLIENT TRACKINGINFO",
    "PING",
    "CLIENT TRACKINGINFO",
    "CLIENT TRACKING on OPTOUT",
    "CLIENT TRACKING on",
    "CLIENT TRACKINGINFO",
    "CLIENT CACHING yes",
    "CLIENT TRACKING on BCAST",
    "CLIENT TRACKING on REDIRECT abc",
    "CLIENT TRACKING on NOLOOP PREFIX",
    "CLIENT TRACKING off",
    "CLIENT TRACKING on OPTOUT",
    "CLIENT CACHING yes",
    "CLIENT CACHING no",
    "CLIENT TRACKINGINFO",
    "CLIENT TRACKING off OPTIN",
    "RESET",
    "CLIENT TRACKINGINFO",
];

everywhere! {
    fn a_client_is_told_what_a_single_server_says(setup) {
        setup.talks_like_one_server(TALK);
    }

    fn who_read_a_key_is_told_once_when_it_changes(setup) {
        let proxy = setup.proxy();
        let (mut client, mut other, mut writer) = (tracking(&proxy, ""), tracking(&proxy, ""), proxy.client());
        let keys: Vec<String> = (0..6).map(|n| setup.key(format!("read{n}"))).collect();
        let all: Vec<&str> = keys.iter().map(String::as_str).collect();
        writer.run(&format!("DEL {}", all.join(" ")));
        client.run(&format!("MGET {}", all[..5].join(" ")));
        other.run(&format!("GET {}", all[0]));
        for key in &all {
            writer.run(&format!("SET {key} 1"));
        }
        is_told(&mut client, &all[..5]);
        is_told(&mut other, &all[..1]);
        for key in &all {
            writer.run(&format!("SET {key} 2"));
        }
        is_told_nothing(&mut client);
        assert_eq!(client.run(&format!("GET {}", all[5])), Value::bulk("2"));
        // Its own write, before or behind the reply.
        client.send(&["INCR", all[5]]);
        let mut both = [client.reply(), client.reply()];
        both.sort_by_key(|reply| matches!(reply, Value::Push(_)));
        assert_eq!(both[0], Value::Integer(3));
        assert_eq!(changed(&both[1]), Some(BTreeSet::from([keys[5].clone()])));
        client.run(&format!("GET {}", all[5]));
        assert_eq!(client.run("CLIENT TRACKING OFF"), Value::ok());
        writer.run(&format!("SET {} 2", all[5]));
        is_told_nothing(&mut client);
    }

    fn broadcast_tells_of_all_keys_with_a_prefix(setup) {
        let proxy = setup.proxy();
        let [a, b, c] = ["bcast-a", "bcast-b", "bcast-c"].map(|name| setup.key(name));
        let mut client = tracking(&proxy, &format!(" BCAST PREFIX {a} PREFIX {b}"));
        let mut writer = proxy.client();
        for key in [&c, &a, &b] {
            writer.run(&format!("SET {key}:1 x"));
        }
        is_told(&mut client, &[&format!("{a}:1"), &format!("{b}:1")]);
        writer.run(&format!("SET {a}:1 x"));
        is_told(&mut client, &[&format!("{a}:1")]);
        let list = writer.run("CLIENT LIST").text();
        assert!(list.contains(" flags=tB "), "{list}");
        client.run("RESET");
        client.run("HELLO 3");
        writer.run(&format!("SET {a}:1 x"));
        is_told_nothing(&mut client);
    }

    fn only_what_was_asked_for_is_remembered(setup) {
        let proxy = setup.proxy();
        let [a, b] = ["opt-a", "opt-b"].map(|name| setup.key(name));
        for (how, word, told, untold) in [(" OPTIN", "yes", &a, &b), (" OPTOUT", "no", &b, &a)] {
            let (mut client, mut writer) = (tracking(&proxy, how), proxy.client());
            let lines = [format!("CLIENT CACHING {word}"), format!("GET {a}"), format!("GET {b}")];
            client.pipeline(&lines.iter().map(String::as_str).collect::<Vec<_>>());
            writer.run(&format!("SET {untold} 1"));
            writer.run(&format!("SET {told} 1"));
            is_told(&mut client, &[told]);
        }
    }

    fn what_a_transaction_or_a_script_reads_is_remembered(setup) {
        let proxy = setup.proxy();
        let (mut client, mut writer) = (tracking(&proxy, " OPTIN"), proxy.client());
        let (a, b) = (setup.key("{run}a"), setup.key("{run}b"));
        let lines = ["CLIENT CACHING yes".to_owned(), "MULTI".to_owned(), format!("GET {a}"), format!("GET {b}"), "EXEC".to_owned()];
        client.pipeline(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        writer.run(&format!("SET {a} 1"));
        writer.run(&format!("SET {b} 1"));
        is_told(&mut client, &[&a, &b]);
        client.run("CLIENT CACHING yes");
        client.request(&["EVAL", "return redis.call('GET',KEYS[1])", "1", &a]);
        writer.run(&format!("DEL {a}"));
        is_told(&mut client, &[&a]);
        client.pipeline(&lines[1..].iter().map(String::as_str).collect::<Vec<_>>());
        writer.run(&format!("SET {b} 2"));
        is_told_nothing(&mut client);
    }

    fn who_keeps_values_never_keeps_an_old_one(setup) {
        // 1. Clients read keys, pipelined, and keep what they read until they are told that it changed.
        // 2. Others write the same keys all the time.
        // 3. When the writes end, what is kept is what the nodes have.
        let proxy = setup.proxy();
        let keys: Vec<String> = (0..16).map(|n| setup.key(format!("kept{n}"))).collect();
        let stop = AtomicBool::new(false);
        let mut kept: BTreeMap<String, Value> = BTreeMap::new();
        let mut client = tracking(&proxy, "");
        let mut listener = tracking(&proxy, &format!(" BCAST PREFIX {}", setup.key("kept")));
        let mut listened: BTreeMap<String, Value> = BTreeMap::new();
        let mut random = Random::new();
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut writer = proxy.client();
                for n in 0..4000 {
                    writer.run(&format!("SET {} {n}", keys[n % keys.len()]));
                    if stop.load(Relaxed) {
                        return;
                    }
                }
            });
            for _ in 0..300 {
                for (client, kept) in [(&mut client, &mut kept), (&mut listener, &mut listened)] {
                    let asked: Vec<&String> = (0..5).map(|_| &keys[random.below(keys.len())]).collect();
                    client.send_raw(&asked.iter().flat_map(|key| encode(&["GET", key])).collect::<Vec<u8>>());
                    for key in asked {
                        let value = take(client, kept);
                        kept.insert(key.clone(), value);
                    }
                }
            }
            stop.store(true, Relaxed);
        });
        let mut direct = proxy.client();
        let now: BTreeMap<&String, Value> = keys.iter().map(|key| (key, direct.run(&format!("GET {key}")))).collect();
        for (client, kept) in [(&mut client, &mut kept), (&mut listener, &mut listened)] {
            assert!(!kept.is_empty());
            eventually(&format!("nothing old is kept, seed {}", random.seed()), || {
                client.send(&["PING"]);
                take(client, kept);
                kept.iter().all(|(key, value)| now[key] == *value).then_some(())
            });
        }
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

crosswise! {
    fn when_nodes_are_lost_or_flushed_all_keys_count_as_changed(setup) {
        let cluster = Cluster::start(setup.kind, 3, 0);
        let proxy = Proxy::of(&cluster, setup.threads, &[]);
        let (mut client, mut writer) = (tracking(&proxy, ""), proxy.client());
        client.run("GET a");
        writer.run("FLUSHALL");
        // Each node says so.
        for _ in 0..cluster.len() {
            assert_eq!(changed(&client.reply()), None);
        }
        client.run("GET a");
        cluster.client(0).run("CLIENT KILL TYPE normal");
        assert_eq!(changed(&client.reply()), None, "it is lost");
        // While a node cannot be heard nothing may be kept: each reply is followed by its key.
        eventually("keys are heard again", || {
            client.send(&["GET", "a"]);
            client.send(&["ECHO", "end"]);
            let mut pushes = 0;
            loop {
                match client.reply() {
                    Value::Push(_) => pushes += 1,
                    reply if reply == Value::bulk("end") => break,
                    _ => {}
                }
            }
            (pushes == 0).then_some(())
        });
        writer.run("SET a 1");
        is_told(&mut client, &["a"]);
    }

    fn keys_that_moved_are_heard_of_where_they_are(setup) {
        let cluster = Cluster::start(setup.kind, 2, 0);
        let proxy = Proxy::of(&cluster, setup.threads, &[]);
        let (mut client, mut writer) = (tracking(&proxy, ""), proxy.client());
        let slot = cluster.range(0).0 + 3;
        let key = crate::support::slot::key_in(slot, "moved");
        writer.run(&format!("SET {key} 1"));
        assert_eq!(client.run(&format!("GET {key}")), Value::bulk("1"));
        cluster.migrate(slot, 0, 1);
        let mut kept = BTreeMap::from([(key.clone(), Value::bulk("1"))]);
        writer.run(&format!("SET {key} 2"));
        eventually("the old value is forgotten", || {
            client.send(&["PING"]);
            take(&mut client, &mut kept);
            kept.is_empty().then_some(())
        });
        eventually("the new one is heard of", || {
            client.send(&["GET", &key]);
            let value = take(&mut client, &mut kept);
            kept.insert(key.clone(), value);
            client.send(&["PING"]);
            take(&mut client, &mut kept);
            (!kept.is_empty()).then_some(())
        });
        writer.run(&format!("SET {key} 3"));
        eventually("it is", || {
            client.send(&["PING"]);
            take(&mut client, &mut kept);
            kept.is_empty().then_some(())
        });
    }
}
