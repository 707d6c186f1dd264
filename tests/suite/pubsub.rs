//! Publish and subscribe: what clients see, and what the nodes see of slotway.

use crate::support::{
    Client, Cluster, Kind, Proxy, Setup, Value, crosswise, eventually, everywhere, server::Server,
};

/// A message as RESP2 has it.
fn message(words: &[&str]) -> Value {
    Value::Array(words.iter().map(Value::bulk).collect())
}

/// A message as RESP3 has it.
fn push(words: &[&str]) -> Value {
    Value::Push(words.iter().map(Value::bulk).collect())
}

/// Subscribes with `line`, and reads its confirmations.
#[track_caller]
fn subscribe(client: &mut Client, line: &str) {
    client.send_raw(&crate::support::encode(&line.split(' ').collect::<Vec<_>>()));
    for _ in line.split(' ').skip(1) {
        let reply = client.reply();
        assert!(reply.items()[0].text().ends_with("subscribe"), "{reply:?}");
    }
}

/// How many subscriptions of `channel` the nodes of the shared cluster count.
fn at_nodes(cluster: &Cluster, command: &str, channel: &str) -> i64 {
    (0..cluster.len())
        .map(|n| cluster.client(n).run(&format!("{command} {channel}")).items()[1].integer())
        .sum()
}

/// All that comes in answer to `lines`, up to the answer to a last PING.
fn answers(client: &mut Client, lines: &[&str]) -> Vec<Value> {
    let mut bytes = Vec::new();
    for line in lines {
        bytes.extend(crate::support::encode(&line.split(' ').collect::<Vec<_>>()));
    }
    bytes.extend(crate::support::encode(&["PING", "the end"]));
    client.send_raw(&bytes);
    let mut replies = Vec::new();
    loop {
        let reply = client.reply();
        let is_end = format!("{reply:?}").contains("the end");
        replies.push(reply);
        if is_end {
            return replies;
        }
    }
}

/// Without messages: all that a subscriber may and may not do.
const TALK: &[&[&str]] = &[
    &["UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE", "UNSUBSCRIBE x y"],
    &["SUBSCRIBE a b a", "PING", "PING hello", "SUBSCRIBE a"],
    &["GET a", "SUBSCRIBE", "NOSUCH", "PUBLISH elsewhere b", "HELLO", "CLIENT ID", "PSUBSCRIBE p* q*"],
    &["SSUBSCRIBE s t u", "UNSUBSCRIBE b zz", "PUNSUBSCRIBE q*", "SUNSUBSCRIBE t"],
    &["UNSUBSCRIBE a", "UNSUBSCRIBE", "GET a", "PUNSUBSCRIBE", "GET a", "SUNSUBSCRIBE s u", "GET a", "PING"],
    &["SUBSCRIBE c", "RESET", "GET a", "UNSUBSCRIBE", "PING x"],
    &[
        "PUBSUB CHANNELS a b",
        "PUBSUB NOSUCH",
        "PUBSUB NUMSUB",
        "PUBSUB SHARDNUMSUB",
        "PUBSUB NUMPAT x",
        "PUBSUB",
    ],
];

everywhere! {
    fn a_subscriber_hears_what_a_single_server_says(setup) {
        // The words are those of the newest servers.
        let (proxy, server) = (setup.proxy(), Server::single(Kind::Valkey));
        for version in ["HELLO 2", "HELLO 3"] {
            let (mut proxied, mut direct) = (proxy.client(), server.client());
            for client in [&mut proxied, &mut direct] {
                client.run(version);
            }
            for lines in TALK {
                let told = lines.contains(&"HELLO") || lines.contains(&"CLIENT ID");
                let differs = |value: &Value| told && version == "HELLO 3" && !matches!(value, Value::Push(_));
                let (ours, theirs) = (answers(&mut proxied, lines), answers(&mut direct, lines));
                assert_eq!(ours.len(), theirs.len(), "{lines:?}: {ours:?} {theirs:?}");
                for (ours, theirs) in ours.iter().zip(&theirs).filter(|(ours, _)| !differs(ours)) {
                    assert_eq!(ours, theirs, "{version} {lines:?}");
                }
            }
        }
    }

    fn messages_reach_all_who_listen_in_their_protocol(setup) {
        let proxy = setup.proxy();
        let [channel, shard] = ["news", "shard"].map(|name| setup.key(name));
        let pattern = setup.key("ne*");
        let (mut two, mut three, mut publisher) = (proxy.client(), proxy.client3(), proxy.client());
        for client in [&mut two, &mut three] {
            subscribe(client, &format!("SUBSCRIBE {channel}"));
            subscribe(client, &format!("PSUBSCRIBE {pattern}"));
            subscribe(client, &format!("SSUBSCRIBE {shard}"));
        }
        for (n, command) in [(1, "PUBLISH"), (2, "SPUBLISH")] {
            let name = if n == 1 { &channel } else { &shard };
            assert!(publisher.run(&format!("{command} {name} hello")).integer() >= 1);
        }
        let expected = [
            vec!["message", &channel, "hello"],
            vec!["pmessage", &pattern, &channel, "hello"],
            vec!["smessage", &shard, "hello"],
        ];
        let heard = |client: &mut Client| {
            let mut heard: Vec<Value> = (0..3).map(|_| client.reply()).collect();
            heard.sort();
            heard
        };
        let sorted = |mut values: Vec<Value>| { values.sort(); values };
        assert_eq!(heard(&mut two), sorted(expected.iter().map(|words| message(words)).collect()));
        assert_eq!(heard(&mut three), sorted(expected.iter().map(|words| push(words)).collect()));
        assert_eq!(three.run("PING").text(), "PONG");
    }

    fn many_clients_are_one_subscription_of_each_worker(setup) {
        let (proxy, cluster) = (setup.proxy(), Cluster::shared(setup.kind));
        let workers = i64::try_from(setup.threads).unwrap();
        for (command, count, name) in
            [("SUBSCRIBE", "PUBSUB NUMSUB", "many"), ("SSUBSCRIBE", "PUBSUB SHARDNUMSUB", "shards")]
        {
            let name = setup.key(name);
            let mut clients: Vec<Client> = (0..12).map(|_| proxy.client()).collect();
            clients.iter_mut().for_each(|client| subscribe(client, &format!("{command} {name}")));
            assert_eq!(at_nodes(cluster, count, &name), workers);
            let mut asks = proxy.client();
            assert_eq!(asks.run(&format!("{count} {name} none")), Value::Array(vec![
                Value::bulk(&name), Value::Integer(12), Value::bulk("none"), Value::Integer(0),
            ]));
            drop(clients);
            eventually("the nodes are told", || (at_nodes(cluster, count, &name) == 0).then_some(()));
        }
    }

    fn messages_of_a_channel_come_in_the_order_in_which_they_were_published(setup) {
        let proxy = setup.proxy();
        let names: Vec<String> = (0..5).map(|n| setup.key(format!("order{n}"))).collect();
        let mut clients: Vec<Client> = (0..6).map(|n| if n % 2 == 0 { proxy.client() } else { proxy.client3() }).collect();
        for client in &mut clients {
            subscribe(client, &format!("SUBSCRIBE {}", names.join(" ")));
        }
        let mut publisher = proxy.client();
        let lines: Vec<String> = (0..2000).map(|n| format!("PUBLISH {} {n}", names[n % names.len()])).collect();
        for reply in publisher.pipeline(&lines.iter().map(String::as_str).collect::<Vec<_>>()) {
            assert!(reply.integer() >= 1);
        }
        for client in &mut clients {
            let mut next: Vec<usize> = (0..names.len()).collect();
            for _ in 0..lines.len() {
                let reply = client.reply();
                let [_, name, payload] = reply.items() else { panic!("{reply:?}") };
                let at = names.iter().position(|other| *other == name.text()).unwrap();
                assert_eq!(payload.text(), next[at].to_string());
                next[at] += names.len();
            }
        }
    }

    fn replies_and_messages_share_a_connection_in_resp3(setup) {
        let proxy = setup.proxy();
        let (mut client, name, key) = (proxy.client3(), setup.key("mixed"), setup.key("value"));
        subscribe(&mut client, &format!("SUBSCRIBE {name}"));
        let (mut heard, mut answered) = (0, 0);
        let mut bytes = Vec::new();
        for n in 0..300 {
            bytes.extend(crate::support::encode(&["PUBLISH", &name, &n.to_string()]));
            bytes.extend(crate::support::encode(&["SET", &key, &n.to_string()]));
            bytes.extend(crate::support::encode(&["MGET", &key, &name]));
        }
        client.send_raw(&bytes);
        while heard < 300 || answered < 900 {
            match client.reply() {
                Value::Push(items) => {
                    assert_eq!(items[2].text(), heard.to_string());
                    heard += 1;
                }
                reply => {
                    let expected = match answered % 3 {
                        0 => Value::Integer(1),
                        1 => Value::ok(),
                        _ => Value::Array(vec![Value::bulk((answered / 3).to_string()), Value::Null]),
                    };
                    assert_eq!(reply, expected);
                    answered += 1;
                }
            }
        }
    }

    fn what_follows_a_subscription_in_a_pipeline_is_heard(setup) {
        let proxy = setup.proxy();
        let name = setup.key("own");
        for round in 0..20 {
            let (mut client, name) = (proxy.client3(), format!("{name}{round}"));
            let lines = [format!("SUBSCRIBE {name}"), format!("PUBLISH {name} hi"), format!("UNSUBSCRIBE {name}")];
            let mut replies = Vec::new();
            client.send_raw(&lines.iter().flat_map(|line| {
                crate::support::encode(&line.split(' ').collect::<Vec<_>>())
            }).collect::<Vec<u8>>());
            while replies.len() < 3 || !format!("{replies:?}").contains("unsubscribe") {
                replies.push(client.reply());
            }
            assert_eq!(replies[0].items()[0].text(), "subscribe");
            assert!(replies.contains(&Value::Integer(1)), "{replies:?}");
        }
    }

    fn who_leaves_is_unsubscribed_at_the_nodes(setup) {
        let (proxy, cluster) = (setup.proxy(), Cluster::shared(setup.kind));
        let name = setup.key("leaves");
        for way in ["RESET", "QUIT", "UNSUBSCRIBE", "", "close"] {
            let mut client = proxy.client();
            subscribe(&mut client, &format!("SUBSCRIBE {name}"));
            assert_eq!(at_nodes(cluster, "PUBSUB NUMSUB", &name), 1, "{way}");
            match way {
                "" => client.send_raw(b"*x\r\n"),
                "close" => drop(client),
                way => client.send(&[way]),
            }
            eventually("it is gone", || (at_nodes(cluster, "PUBSUB NUMSUB", &name) == 0).then_some(()));
        }
    }

    fn pubsub_tells_of_all_nodes(setup) {
        let (proxy, cluster) = (setup.proxy(), Cluster::shared(setup.kind));
        let names: Vec<String> = (0..12).map(|n| setup.key(format!("tells{n:02}"))).collect();
        let (mut client, mut direct) = (proxy.client(), cluster.client(0));
        subscribe(&mut client, &format!("SUBSCRIBE {}", names[..9].join(" ")));
        subscribe(&mut client, &format!("SSUBSCRIBE {}", names.join(" ")));
        subscribe(&mut direct, &format!("SUBSCRIBE {} {}", names[8], names[9]));
        let mut asks = proxy.client();
        let listed = |value: &Value| value.items().iter().map(Value::text).collect::<Vec<_>>();
        assert_eq!(listed(&asks.run(&format!("PUBSUB CHANNELS {}", setup.key("tells*")))), names[..10]);
        assert_eq!(listed(&asks.run(&format!("PUBSUB SHARDCHANNELS {}", setup.key("tells*")))), names);
        let counts = asks.run(&format!("PUBSUB NUMSUB {}", names.join(" ")));
        let counts: Vec<i64> = counts.items().chunks(2).map(|pair| pair[1].integer()).collect();
        assert_eq!(counts, [1, 1, 1, 1, 1, 1, 1, 1, 2, 1, 0, 0]);
        assert!(listed(&asks.run("PUBSUB CHANNELS")).len() >= 10);
    }

    fn clients_show_what_they_listen_to(setup) {
        let proxy = setup.proxy();
        let (mut client, mut asks) = (proxy.client(), proxy.client());
        subscribe(&mut client, &format!("SUBSCRIBE {0}a {0}b {0}c", setup.key("shown")));
        subscribe(&mut client, &format!("PSUBSCRIBE {0}a {0}b", setup.key("shown")));
        subscribe(&mut client, &format!("SSUBSCRIBE {0}a", setup.key("shown")));
        let list = asks.run("CLIENT LIST TYPE pubsub").text();
        assert_eq!(list.lines().count(), 1);
        assert!(list.contains(" flags=P ") && list.contains(" sub=3 psub=2 ssub=1 "), "{list}");
        let list = asks.run("CLIENT LIST TYPE normal").text();
        assert!(list.contains(" flags=N ") && !list.contains(" flags=P "), "{list}");
    }

    fn a_subscriber_is_never_idle(setup) {
        let proxy = setup.proxy_with(&["--timeout", "1s"]);
        let (mut subscriber, mut idle) = (proxy.client(), proxy.client());
        let name = setup.key("idle");
        subscribe(&mut subscriber, &format!("SUBSCRIBE {name}"));
        for _ in 0..2 {
            assert_eq!(idle.read_to_close(), b"");
            idle = proxy.client();
        }
        proxy.client().run(&format!("PUBLISH {name} x"));
        assert_eq!(subscriber.reply(), message(&["message", &name, "x"]));
    }

    fn confirmations_and_messages_come_though_replies_are_off(setup) {
        let proxy = setup.proxy();
        let (mut client, name) = (proxy.client3(), setup.key("off"));
        client.send(&["CLIENT", "REPLY", "OFF"]);
        subscribe(&mut client, &format!("SUBSCRIBE {name}"));
        client.send(&["PUBLISH", &name, "x"]);
        assert_eq!(client.reply(), push(&["message", &name, "x"]));
    }
}

crosswise! {
    fn patterns_are_counted_once(setup) {
        let cluster = Cluster::start(setup.kind, 3, 0);
        let proxy = Proxy::of(&cluster, setup.threads, &[]);
        let mut clients: Vec<Client> = (0..8).map(|_| proxy.client()).collect();
        for client in &mut clients {
            subscribe(client, "PSUBSCRIBE a* b* c* *");
        }
        subscribe(&mut cluster.client(1), "PSUBSCRIBE d*");
        let mut direct = cluster.client(1);
        subscribe(&mut direct, "PSUBSCRIBE e*");
        eventually("the patterns are counted", || {
            (proxy.client().run("PUBSUB NUMPAT") == Value::Integer(5)).then_some(())
        });
    }

    fn keyspace_notifications_come_from_every_primary_and_messages_once(setup) {
        let cluster = Cluster::start_with(setup.kind, 3, 0, &["--notify-keyspace-events", "KEA"]);
        let proxy = Proxy::of(&cluster, setup.threads, &[]);
        let (mut events, mut all, mut writer) = (proxy.client(), proxy.client3(), proxy.client());
        subscribe(&mut events, "SUBSCRIBE __keyevent@0__:set");
        subscribe(&mut all, "PSUBSCRIBE *");
        let mut expected = Vec::new();
        for index in 0..3 {
            let key = crate::support::slot::key_in(cluster.range(index).0 + 7, "event");
            assert_eq!(writer.run(&format!("SET {key} 1")), Value::ok());
            expected.push(key);
        }
        let mut heard: Vec<String> = (0..3).map(|_| events.reply().items()[2].text()).collect();
        heard.sort();
        expected.sort();
        assert_eq!(heard, expected);
        writer.run("PUBLISH plain once");
        writer.run("PUBLISH plain last");
        let mut seen = Vec::new();
        while seen.len() < 8 {
            seen.push(all.reply().items()[2..].iter().map(Value::text).collect::<Vec<_>>());
        }
        assert_eq!(seen.iter().filter(|words| words[0] == "plain").count(), 2, "{seen:?}");
        assert_eq!(seen.iter().filter(|words| words[0] == "__keyevent@0__:set").count(), 3, "{seen:?}");
    }
}
