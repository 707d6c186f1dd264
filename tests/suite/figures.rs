//! What clients can ask of figures: LATENCY HISTOGRAM, MEMORY STATS, INFO.

use std::{path::Path, process::Command};

use crate::support::{
    Cluster, Kind, Proxy, Setup, Value, crosswise, eventually, everywhere, python_environment, server::Server,
};

/// The names in a map, or in an array of names and values in turn.
fn names(map: &Value) -> Vec<String> {
    map.items().iter().step_by(2).map(Value::text).collect()
}

/// The number behind `name:` in INFO.
fn figure(info: &str, name: &str) -> i64 {
    let found = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    found.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no {name} in {info}"))
}

everywhere! {
    fn histograms_have_the_form_of_a_server(setup) {
        let (proxy, server) = (setup.proxy(), Server::single(setup.kind));
        for (mut proxied, mut direct) in
            [(proxy.client(), server.client()), (proxy.client3(), { let mut c = server.client(); c.run("HELLO 3"); c })]
        {
            let line = format!("SET {} 1", setup.key("histogram"));
            proxied.run(&line);
            direct.run(&line);
            let of_set = eventually("SET is counted", || {
                let reply = proxied.run("LATENCY HISTOGRAM SET nosuch");
                (!reply.items().is_empty()).then_some(reply)
            });
            let theirs = direct.run("LATENCY HISTOGRAM SET nosuch");
            assert_eq!(names(&of_set), names(&theirs));
            for reply in [of_set.field("set"), theirs.field("set")] {
                assert_eq!(names(reply), ["calls", "histogram_usec"]);
                let samples = reply.field("histogram_usec").items();
                assert_eq!(samples.last(), Some(reply.field("calls")), "the last holds all");
                assert!(samples.iter().all(|sample| sample.integer() > 0));
            }
            assert_eq!(
                std::mem::discriminant(of_set.field("set").field("histogram_usec")),
                std::mem::discriminant(theirs.field("set").field("histogram_usec"))
            );
            assert_eq!(proxied.run("LATENCY HISTOGRAM nosuch"), direct.run("LATENCY HISTOGRAM nosuch"));
            assert!(names(&proxied.run("LATENCY HISTOGRAM")).contains(&"set".to_owned()));
        }
    }

    fn channels_count_once_whichever_worker_listens(setup) {
        let proxy = setup.proxy();
        let mut listeners: Vec<_> = (0..6).map(|_| proxy.client3()).collect();
        let [a, b] = ["a", "b"].map(|name| setup.key(name));
        for listener in &mut listeners {
            listener.run(&format!("SUBSCRIBE {a}"));
            listener.run(&format!("PSUBSCRIBE {a}*"));
        }
        listeners[0].run(&format!("SUBSCRIBE {b}"));
        listeners[1].run(&format!("SSUBSCRIBE {b}"));
        let mut asking = proxy.client();
        let mut counts = || {
            let info = asking.run("INFO stats").text();
            ["pubsub_channels", "pubsub_patterns", "pubsubshard_channels"].map(|name| figure(&info, name))
        };
        assert_eq!(counts(), [2, 1, 1]);
        listeners[0].run(&format!("UNSUBSCRIBE {b}"));
        assert_eq!(counts(), [1, 1, 1]);
        drop(listeners);
        eventually("all are gone", || (counts() == [0, 0, 0]).then_some(()));
    }

    fn commands_and_errors_are_in_the_form_of_a_server(setup) {
        let proxy = setup.proxy();
        let (mut client, key) = (proxy.client(), setup.key("stats"));
        client.run(&format!("SET {key} x"));
        client.run(&format!("LPUSH {key} y"));
        let fields = ["calls=", "usec=", "usec_per_call=", "rejected_calls=", "failed_calls="];
        eventually("LPUSH is counted", || {
            let info = client.run("INFO commandstats").text();
            let line = info.lines().find_map(|line| line.strip_prefix("cmdstat_lpush:"))?.to_owned();
            let right = line.split(',').zip(fields).all(|(field, name)| field.starts_with(name));
            (right && line.contains("calls=1,") && line.ends_with("failed_calls=1")).then_some(())
        });
        assert!(client.run("INFO errorstats").text().contains("errorstat_WRONGTYPE:count=1\r\n"));
    }
}

crosswise! {
    fn redis_py_reads_them(setup) {
        // What other tests ask of the shared cluster would be shown too.
        let cluster = Cluster::start(setup.kind, 3, 0);
        let proxy = Proxy::of(&cluster, setup.threads, &["--admin-commands", "--slowlog-log-slower-than", "0"]);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/python_figures.py");
        for protocol in ["2", "3"] {
            let output = Command::new("timeout")
                .arg("300")
                .arg(python_environment().join("bin/python"))
                .arg(&script)
                .args([proxy.port.to_string(), setup.key("py"), protocol.to_owned()])
                .output()
                .expect("timeout");
            let said = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned();
            assert!(output.status.success() && said.ends_with("ok\n"), "{said}");
        }
    }

    fn the_memory_of_all_primaries_is_added_up(setup) {
        let cluster = Cluster::start(setup.kind, 3, 0);
        let proxy = Proxy::of(&cluster, setup.threads, &[]);
        for n in 0..60 {
            proxy.client().run(&format!("SET key:{n} {n}"));
        }
        for version in ["2", "3"] {
            let (mut client, mut node) = (proxy.client(), cluster.client(0));
            client.run(&format!("HELLO {version}"));
            node.run(&format!("HELLO {version}"));
            let (ours, theirs) = (client.run("MEMORY STATS"), node.run("MEMORY STATS"));
            assert_eq!(names(&ours), names(&theirs));
            for (our, their) in ours.items().iter().zip(theirs.items()) {
                assert_eq!(std::mem::discriminant(our), std::mem::discriminant(their), "{our:?}, {their:?}");
            }
            assert_eq!(ours.field("keys.count"), &Value::Integer(60));
            let least = 2 * theirs.field("startup.allocated").integer();
            assert!(ours.field("startup.allocated").integer() > least);
            let each = ours.field("total.allocated").integer() - ours.field("startup.allocated").integer();
            assert_eq!(ours.field("keys.bytes-per-key").integer(), each / 60);
        }
    }
}
