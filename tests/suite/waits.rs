//! WAIT and WAITAOF, which answer for what their client wrote, wherever that was.

use std::time::{Duration, Instant};

use crate::support::{Cluster, Kind, Proxy, Setup, Value, crosswise, everywhere};

everywhere! {
    fn wait_without_replicas_is_nought(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        client.request(&["SET", &setup.key("{wait}"), "1"]);
        assert_eq!(client.run("WAIT 0 100"), Value::Integer(0));
        assert_eq!(client.run("WAIT 1 50"), Value::Integer(0));
        assert!(client.run("WAIT x 50").is_error());
    }
}

crosswise! {
    fn wait_counts_the_replicas_that_have_the_writes(setup) {
        let cluster = Cluster::start(setup.kind, 2, 1);
        let proxy = Proxy::of(&cluster, setup.threads, &[]);
        let mut client = proxy.client();
        for n in 0..50 {
            client.send(&["SET", &format!("key{n}"), "1"]);
        }
        client.send(&["WAIT", "1", "5000"]);
        for _ in 0..50 {
            assert_eq!(client.reply(), Value::ok());
        }
        assert_eq!(client.reply(), Value::Integer(1));
        cluster.node(2).pause();
        let start = Instant::now();
        assert_eq!(client.run("SET key1 2"), Value::ok());
        assert_eq!(client.run("SET key2 2"), Value::ok());
        assert_eq!(client.run("WAIT 1 300"), Value::Integer(0), "one replica sleeps");
        // Servers count whole milliseconds.
        assert!(start.elapsed() >= Duration::from_millis(290));
        client.send(&["WAIT", "1", "0"]);
        cluster.node(2).resume();
        assert_eq!(client.reply(), Value::Integer(1));
        for index in 0..2 {
            assert!(!cluster.client(index).run("KEYS *").items().iter().any(|key| key.text().contains("marker")));
        }
    }

    fn wait_asks_where_the_client_wrote(setup) {
        let cluster = Cluster::start(setup.kind, 2, 1);
        let proxy = Proxy::of(&cluster, setup.threads, &["--cross-slot"]);
        let [here, there] = [0, 1].map(|node| {
            let key = (0..).map(|n| format!("wait{n}")).find(|key| cluster.first_owner(key) == node);
            key.expect("a key")
        });
        cluster.node(3).pause();
        let writes: [&[String]; 5] = [
            &[format!("SET {here} 1")],
            &["MULTI".to_owned(), format!("SET {here} 2"), "EXEC".to_owned()],
            &[format!("WATCH {here}"), "MULTI".to_owned(), format!("SET {here} 2"), "EXEC".to_owned()],
            &[format!("RPUSH {{{here}}}l x"), format!("BLPOP {{{here}}}l 1")],
            &[format!("GET {there}"), format!("SET {here} 1")],
        ];
        for lines in writes {
            let mut client = proxy.client();
            lines.iter().for_each(|line| assert!(!client.run(line).is_error(), "{line}"));
            assert_eq!(client.run("WAIT 1 5000"), Value::Integer(1), "{lines:?}");
        }
        let far: [&[String]; 5] = [
            &[format!("MSET {here} 1 {there} 1")],
            &["MULTI".to_owned(), format!("SET {there} 2"), "EXEC".to_owned()],
            &[format!("WATCH {there}"), "MULTI".to_owned(), format!("SET {there} 2"), "EXEC".to_owned()],
            &[format!("RPUSH {here} x"), format!("RENAME {here} {there}")],
            &["FLUSHALL".to_owned()],
        ];
        for lines in far {
            let mut client = proxy.client();
            proxy.client().run(&format!("DEL {here}"));
            lines.iter().for_each(|line| assert!(!client.run(line).is_error(), "{line}"));
            assert_eq!(client.run("WAIT 1 50"), Value::Integer(0), "{lines:?}");
        }
        assert_eq!(proxy.client().run("WAIT 1 50"), Value::Integer(0), "nothing was written");
        cluster.node(3).resume();
    }

    fn waitaof_counts_disks(setup) {
        // Redis has it since 7.2.
        let cluster = Cluster::start_with(setup.kind, 2, 0, &["--appendfsync", "always"]);
        let proxy = Proxy::of(&cluster, setup.threads, &[]);
        let mut client = proxy.client();
        client.run("SET a 1");
        let reply = client.run("WAITAOF 1 0 0");
        let known = matches!(cluster.client(0).run("COMMAND INFO waitaof").items()[0], Value::Array(_));
        if known {
            assert_eq!(reply, Value::Array(vec![Value::Integer(1), Value::Integer(0)]));
            let both = Value::Array(vec![Value::Integer(1), Value::Integer(0)]);
            assert_eq!(client.run("WAITAOF 1 1 50"), both);
        } else {
            assert!(reply.text().starts_with("ERR unknown command"), "{reply:?}");
        }
    }
}
