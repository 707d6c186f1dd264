//! What a client may do to others, on whichever workers they are: CLIENT KILL, CLIENT PAUSE, CLIENT LIST.

use std::time::{Duration, Instant};

use crate::support::{Client, Cluster, Kind, Proxy, Setup, Value, crosswise, encode, eventually, everywhere};

fn id(client: &mut Client) -> i64 {
    client.run("CLIENT ID").integer()
}

/// The value of `field` in the line about `client`.
fn field(client: &mut Client, field: &str) -> String {
    let line = client.run("CLIENT INFO").text();
    let value = line.split_whitespace().find_map(|word| word.strip_prefix(&format!("{field}=")));
    value.unwrap_or_else(|| panic!("no {field} in {line}")).to_owned()
}

/// Without effect on other clients: what is refused, and how.
const TALK: &[&str] = &[
    "CLIENT KILL 1.2.3.4:5",
    "CLIENT KILL ID 0",
    "CLIENT KILL ID 99999",
    "CLIENT KILL ID 99999 ID 8888",
    "CLIENT KILL TYPE foo",
    "CLIENT KILL TYPE pubsub",
    "CLIENT KILL USER nobody",
    "CLIENT KILL SKIPME maybe",
    "CLIENT KILL SKIPME yes SKIPME",
    "CLIENT KILL FOO bar",
    "CLIENT KILL",
    "CLIENT KILL ADDR 1.2.3.4:5 LADDR 1.2.3.4:6",
    "CLIENT LIST ID 99999",
    "CLIENT LIST foo",
    "CLIENT LIST TYPE foo",
    "CLIENT PAUSE abc",
    "CLIENT PAUSE -1",
    "CLIENT PAUSE 1 foo",
    "CLIENT PAUSE 99999999999999999999",
    "CLIENT PAUSE 100000 WRITE",
    "GET control:none",
    "CLIENT UNPAUSE",
    "CLIENT UNPAUSE",
    "CLIENT UNPAUSE x",
    "CLIENT NO-EVICT foo",
    "CLIENT NO-EVICT on",
];

everywhere! {
    fn a_client_is_told_what_a_single_server_says(setup) {
        setup.talks_like_one_server(TALK);
    }

    fn clients_of_all_workers_are_killed_by_what_they_have_in_common(setup) {
        let proxy = setup.proxy();
        let mut killer = proxy.client();
        let mut clients: Vec<Client> = (0..6).map(|_| proxy.client()).collect();
        let ids: Vec<i64> = clients.iter_mut().map(id).collect();
        let addr = field(&mut clients[0], "addr");
        assert_eq!(killer.run(&format!("CLIENT KILL {addr}")), Value::ok());
        assert_eq!(killer.run(&format!("CLIENT KILL {addr}")), Value::error("ERR No such client"));
        assert_eq!(killer.run(&format!("CLIENT KILL ID {} TYPE pubsub", ids[1])), Value::Integer(0));
        assert_eq!(killer.run(&format!("CLIENT KILL ID {}", ids[1])), Value::Integer(1));
        let addr = field(&mut clients[2], "addr");
        assert_eq!(killer.run(&format!("CLIENT KILL ADDR {addr} MAXAGE 1000")), Value::Integer(0));
        assert_eq!(killer.run(&format!("CLIENT KILL ADDR {addr} USER default")), Value::Integer(1));
        clients[3].run("SUBSCRIBE control");
        assert_eq!(killer.run("CLIENT KILL TYPE pubsub"), Value::Integer(1));
        for client in &mut clients[..4] {
            assert_eq!(client.read_to_close(), b"");
        }
        let laddr = field(&mut killer, "laddr");
        assert_eq!(clients[4].run("PING").text(), "PONG");
        assert_eq!(killer.run(&format!("CLIENT KILL LADDR {laddr}")), Value::Integer(2));
        assert_eq!(killer.run("PING").text(), "PONG");
        assert!(clients[4].read_to_close().is_empty() && clients[5].read_to_close().is_empty());
        proxy.reaches("slotway_client_connections_closed_total{reason=\"killed\"}", 6.0);
    }

    fn a_client_that_kills_itself_gets_its_reply(setup) {
        let proxy = setup.proxy();
        for old in [true, false] {
            let (mut client, mut other) = (proxy.client(), proxy.client());
            let (id, addr) = (id(&mut client), field(&mut client, "addr"));
            let kill = if old { format!("CLIENT KILL {addr}") } else { format!("CLIENT KILL ID {id} SKIPME no") };
            let key = setup.key("suicide");
            other.run(&format!("DEL {key}"));
            let mut bytes = encode(&kill.split(' ').collect::<Vec<_>>());
            bytes.extend(encode(&["SET", &key, "1"]));
            client.send_raw(&bytes);
            assert_eq!(client.reply(), if old { Value::ok() } else { Value::Integer(1) });
            assert_eq!(client.read_to_close(), b"");
            assert_eq!(other.run(&format!("EXISTS {key}")), Value::Integer(0));
        }
    }

    fn who_does_not_read_is_killed_too(setup) {
        let proxy = setup.proxy();
        let (mut deaf, mut killer) = (proxy.client(), proxy.client());
        let large = setup.key("large");
        killer.request(&["SET", &large, &"x".repeat(1 << 20)]);
        let id = id(&mut deaf);
        for _ in 0..64 {
            deaf.send(&["GET", &large]);
        }
        assert_eq!(killer.run(&format!("CLIENT KILL ID {id}")), Value::Integer(1));
        assert!(deaf.read_to_close().len() < 64 << 20);
    }

    fn the_list_shows_what_clients_do(setup) {
        let proxy = setup.proxy();
        let (mut client, mut asks) = (proxy.client3(), proxy.client());
        let (id, key) = (id(&mut client), setup.key("listed"));
        for line in ["CLIENT NO-EVICT on", "CLIENT NO-TOUCH on", &format!("WATCH {key}"), "MULTI", &format!("SET {key} 1")] {
            client.run(line);
        }
        let line = asks.run(&format!("CLIENT LIST ID {id} TYPE normal")).text();
        for shown in [" flags=xeT ", " multi=1 ", " watch=1 ", " resp=3 ", " cmd=set ", " qbuf=0 ", " omem=0 ", " events=r "] {
            assert!(line.contains(shown), "{shown} in {line}");
        }
        let number = |name: &str| {
            let value = line.split_whitespace().find_map(|word| word.strip_prefix(&format!("{name}="))).unwrap();
            value.parse::<i64>().unwrap()
        };
        assert!(number("tot-net-in") > 100 && number("tot-net-out") > 50 && number("multi-mem") > 20, "{line}");
        assert!(number("fd") > 2 && number("tot-mem") > number("multi-mem"), "{line}");
        client.run("RESET");
        assert_eq!(field(&mut client, "flags"), "N");
    }
}

// Each has its own proxy: a pause is everybody's.
crosswise! {
    fn all_clients_wait_while_slotway_is_paused(setup) {
        let proxy = setup.proxy();
        let (key, mut pauser) = (setup.key("paused"), proxy.client());
        let mut clients: Vec<Client> = (0..8).map(|_| proxy.client()).collect();
        pauser.run(&format!("SET {key} 0"));
        let begin = Instant::now();
        assert_eq!(pauser.run("CLIENT PAUSE 600 ALL"), Value::ok());
        clients.push(proxy.client());
        for (n, client) in clients.iter_mut().enumerate() {
            client.send(&if n % 2 == 0 { vec!["PING", "x"] } else { vec!["INCR", &key] });
        }
        for client in &mut clients {
            assert!(!client.reply().is_error());
        }
        assert!(begin.elapsed() >= Duration::from_millis(600), "{:?}", begin.elapsed());
        assert_eq!(pauser.run(&format!("GET {key}")), Value::bulk("4"));
    }

    fn a_pause_of_writes_lets_reads_pass(setup) {
        let proxy = setup.proxy();
        let (key, mut pauser, mut writer, mut reader) = (setup.key("writes"), proxy.client(), proxy.client(), proxy.client());
        pauser.run(&format!("SET {key} 0"));
        assert_eq!(pauser.run("CLIENT PAUSE 60000 WRITE"), Value::ok());
        // What reads inside a transaction passes, what writes does not.
        assert_eq!(reader.pipeline(&["MULTI", &format!("GET {key}"), "EXEC"]).pop(), Some(Value::Array(vec![Value::bulk("0")])));
        writer.send_raw(&["GET", "INCR", "GET"].iter().flat_map(|verb| encode(&[*verb, &key])).collect::<Vec<u8>>());
        assert_eq!(writer.reply(), Value::bulk("0"));
        writer.patience(Duration::from_millis(300));
        assert!(writer.try_reply().is_err(), "a write waits, and what is behind it");
        assert_eq!(reader.run(&format!("GET {key}")), Value::bulk("0"));
        assert_eq!(pauser.run("CLIENT UNPAUSE"), Value::ok());
        writer.patience(crate::support::PATIENCE);
        assert_eq!((writer.reply(), writer.reply()), (Value::Integer(1), Value::bulk("1")));
    }

    fn a_pause_ends_with_unpause_and_never_outlives_a_drain(setup) {
        let mut proxy = setup.proxy();
        let (key, mut pauser, mut client) = (setup.key("drained"), proxy.client(), proxy.client());
        assert_eq!(pauser.run("CLIENT PAUSE 600000"), Value::ok());
        assert_eq!(pauser.run("CLIENT UNPAUSE"), Value::ok());
        assert_eq!(client.run(&format!("SET {key} 1")), Value::ok());
        assert_eq!(pauser.run("CLIENT PAUSE 600000 WRITE"), Value::ok());
        client.send(&["SET", &key, "2"]);
        let id = pauser.run("CLIENT ID").integer();
        eventually("it waits", || {
            let lines = pauser.run("CLIENT LIST").text();
            let other = lines.lines().find(|line| !line.starts_with(&format!("id={id} ")))?;
            (!other.contains(" qbuf=0 ")).then_some(())
        });
        assert_eq!(proxy.terminate(), Some(0));
        assert_eq!(client.reply(), Value::ok(), "what was read is answered");
    }
}

crosswise! {
    fn who_blocks_is_killed_too(setup) {
        let cluster = Cluster::start(setup.kind, 3, 0);
        let proxy = Proxy::of(&cluster, setup.threads, &[]);
        let (mut blocked, mut killer) = (proxy.client(), proxy.client());
        let blocked_at = |node: usize| {
            let info = cluster.client(node).run("INFO clients").text();
            let count = info.lines().find_map(|line| line.strip_prefix("blocked_clients:"));
            count.and_then(|count| count.parse::<usize>().ok()).expect("a count")
        };
        let block = |count: usize| {
            let all = || (0..cluster.len()).map(blocked_at).sum::<usize>();
            eventually(&format!("{count} block at the nodes"), || (all() == count).then_some(()));
        };
        let id = id(&mut blocked);
        blocked.send(&["BLPOP", "killed", "0"]);
        block(1);
        assert_eq!(killer.run(&format!("CLIENT KILL ID {id} ID {id}")), Value::Integer(1));
        assert_eq!(blocked.read_to_close(), b"");
        block(0);
        assert_eq!(killer.run("RPUSH killed a"), Value::Integer(1));
        assert_eq!(killer.run("LLEN killed"), Value::Integer(1), "nothing was popped for it");
    }
}
