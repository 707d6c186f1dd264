//! MONITOR: what clients ask, shown to those who may know.

use std::time::Duration;

use crate::support::{Client, Kind, Proxy, Setup, Value, crosswise, everywhere, server::Server};

const ADMIN: &[&str] = &["--admin-commands"];

fn monitor(proxy: &Proxy) -> Client {
    let mut client = proxy.client();
    assert_eq!(client.run("MONITOR"), Value::ok());
    client
}

/// The address and the command of the next line.
#[track_caller]
fn next(client: &mut Client) -> (String, String) {
    let line = client.reply().text();
    let (time, rest) = line.split_once(" [0 ").unwrap_or_else(|| panic!("{line}"));
    let (seconds, micros) = time.split_once('.').unwrap();
    assert!(seconds.parse::<u64>().unwrap() > 1_700_000_000 && micros.len() == 6, "{line}");
    let (address, command) = rest.split_once("] ").unwrap();
    (address.to_owned(), command.to_owned())
}

/// The command of the next line.
#[track_caller]
fn command(client: &mut Client) -> String {
    next(client).1
}

everywhere! {
    fn all_clients_of_all_workers_are_shown_with_their_addresses(setup) {
        let proxy = setup.proxy_with(ADMIN);
        let mut monitors: Vec<Client> = (0..3).map(|_| monitor(&proxy)).collect();
        for n in 0..8 {
            let mut client = proxy.client();
            let address = client.run("CLIENT INFO").text();
            let address = address.split(' ').find_map(|field| field.strip_prefix("addr=")).unwrap();
            client.run(&format!("SET {} {n}", setup.key("monitor")));
            for monitor in &mut monitors {
                assert_eq!(next(monitor), (address.to_owned(), "\"CLIENT\" \"INFO\"".to_owned()));
                let set = format!("\"SET\" \"{}\" \"{n}\"", setup.key("monitor"));
                assert_eq!(next(monitor), (address.to_owned(), set));
            }
        }
    }

    fn lines_are_those_of_a_server(setup) {
        let (proxy, server) = (setup.proxy_with(ADMIN), Server::single(setup.kind));
        let (mut ours, mut theirs) = (monitor(&proxy), server.client());
        theirs.run("MONITOR");
        let (mut proxied, mut direct) = (proxy.client(), server.client());
        let odd: Vec<u8> = (0..=255).collect();
        let key = setup.key("lines").into_bytes();
        let requests: &[&[&[u8]]] = &[&[b"seT", &key, &odd], &[b"GET", &key], &[b"PING"], &[b"CONFIG", b"GET", b"save"],
            &[b"EVAL", b"return 1", b"1", &key], &[b"HSET", &key, b"a", b""], &[b"NOSUCH"], &[b"GET"],
            &[b"ECHO", b"end"]];
        for request in requests {
            proxied.request(request);
            direct.request(request);
        }
        loop {
            let (our, their) = (command(&mut ours), command(&mut theirs));
            assert_eq!(our, their);
            if our == "\"ECHO\" \"end\"" {
                break;
            }
        }
    }

    fn transactions_and_inline_requests_are_shown(setup) {
        let proxy = setup.proxy_with(ADMIN);
        let (mut monitor, mut client, key) = (monitor(&proxy), proxy.client(), setup.key("multi"));
        client.pipeline(&["MULTI", &format!("SET {key} 1"), "EXEC"]);
        client.send_raw(format!("  get   {key}\r\n").as_bytes());
        client.reply();
        client.run(&format!("MGET {key} other"));
        let shown: Vec<String> = (0..5).map(|_| command(&mut monitor)).collect();
        let wanted = ["\"MULTI\"", &format!("\"SET\" \"{key}\" \"1\""), "\"EXEC\"", &format!("\"get\" \"{key}\""),
            &format!("\"MGET\" \"{key}\" \"other\"")];
        assert_eq!(shown, wanted);
    }

    fn passwords_are_not_shown(setup) {
        let proxy = setup.proxy_with(&["--admin-commands", "--requirepass", "secret"]);
        let mut monitor = proxy.client();
        assert!(monitor.run("MONITOR").text().starts_with("NOAUTH"));
        monitor.run("AUTH secret");
        assert_eq!(monitor.run("MONITOR"), Value::ok());
        let mut client = proxy.client();
        client.run("GET before");
        client.run("AUTH secret");
        client.run("HELLO 3 AUTH default secret");
        client.run("ECHO end");
        assert_eq!(command(&mut monitor), "\"AUTH\" \"(redacted)\"");
        assert_eq!(command(&mut monitor), "\"HELLO\" \"3\" \"(redacted)\" \"(redacted)\" \"(redacted)\"");
        assert_eq!(command(&mut monitor), "\"ECHO\" \"end\"");
    }

    fn who_monitors_may_ask_little_and_reset_ends_it(setup) {
        let proxy = setup.proxy_with(ADMIN);
        for version in [2, 3] {
            let mut monitor = if version == 2 { proxy.client() } else { proxy.client3() };
            assert_eq!(monitor.run("MONITOR"), Value::ok());
            let refused = Value::error("ERR Replica can't interact with the keyspace");
            for line in ["GET a", "MGET a b", "MULTI", "DBSIZE", "BLPOP a 0", "WATCH a"] {
                assert_eq!(monitor.run(line), refused, "{line}");
            }
            monitor.send(&["PING"]);
            // It is shown what it asks as well.
            let replies = [monitor.reply(), monitor.reply()];
            assert!(replies.iter().any(|reply| reply.text() == "PONG"), "{replies:?}");
            let list = proxy.client().run("CLIENT LIST").text();
            assert!(list.contains(" flags=O "), "{list}");
            assert!(proxy.client().run("INFO clients").text().contains("pubsub_clients:0"));
            assert_eq!(command(&mut monitor), "\"INFO\" \"clients\"");
            assert_eq!(monitor.run("RESET").text(), "RESET");
            assert!(!monitor.run(&format!("GET {}", setup.key("reset"))).is_error());
            proxy.client().run("PING");
            assert_eq!(monitor.run("ECHO last").text(), "last");
        }
    }

    fn it_is_for_administrators(setup) {
        let proxy = setup.proxy();
        let text = proxy.client().run("MONITOR").text();
        assert!(text.starts_with("NOPERM MONITOR") && text.contains("--admin-commands"), "{text}");
    }
}

crosswise! {
    fn one_that_does_not_read_is_closed_and_no_other(setup) {
        let flags = ["--admin-commands", "--client-output-buffer-limit", "pubsub 1mb 0 0"];
        let proxy = setup.proxy_with(&flags);
        let (lazy, mut eager) = (monitor(&proxy), monitor(&proxy));
        let (mut client, key) = (proxy.client(), setup.key("large"));
        let value = "x".repeat(300_000);
        let closed = "slotway_client_connections_closed_total{reason=\"output_limit\"}";
        let mut sent = 0;
        while proxy.metric(closed) < 1.0 {
            assert_eq!(client.request(&["SET", &key, &value]), Value::ok());
            assert_eq!(command(&mut eager).len(), 300_000 + key.len() + 11);
            sent += 1;
            assert!(sent < 200, "never closed");
        }
        drop(lazy);
        client.run("ECHO end");
        assert_eq!(command(&mut eager), "\"ECHO\" \"end\"");
    }

    fn one_that_leaves_costs_nothing_more(setup) {
        let proxy = setup.proxy_with(ADMIN);
        for _ in 0..20 {
            let mut gone = monitor(&proxy);
            proxy.client().run("PING");
            assert_eq!(command(&mut gone), "\"PING\"");
        }
        let mut left = monitor(&proxy);
        left.patience(Duration::from_secs(10));
        proxy.client().run("ECHO x");
        assert_eq!(command(&mut left), "\"ECHO\" \"x\"");
        assert_eq!(left.run("QUIT"), Value::ok());
        assert!(left.read_to_close().is_empty());
    }
}
