//! Start, sockets, drain and end of the process.

use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt, thread};

use crate::support::{
    Act, Client, Cluster, FakeCluster, Gate, Kind, Proxy, Setup, Value, eventually, everywhere, http,
    ports::free_port, process::directory, proxy::start_program, with_1_and_4_workers,
};

everywhere! {
    fn a_unix_socket_has_its_permissions_and_is_removed(setup) {
        let path = directory("socket").join("proxy.sock");
        let mut proxy =
            setup.proxy_with(&["--unixsocket", path.to_str().unwrap(), "--unixsocketperm", "770"]);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o770);
        let key = setup.key("unix");
        let mut client = Client::connect_unix(&path);
        assert_eq!(client.run(&format!("SET {key} 1")), Value::ok());
        assert_eq!(proxy.client().run(&format!("GET {key}")), Value::bulk("1"));
        client.finish_sending();
        assert_eq!(client.read_to_close(), b"");
        assert_eq!(proxy.terminate(), Some(0));
        assert!(!path.exists());
    }

    fn a_drained_proxy_exits_with_0(setup) {
        let mut proxy = setup.proxy();
        let mut idle = proxy.client();
        assert_eq!(idle.run("PING").text(), "PONG");
        assert_eq!(proxy.terminate(), Some(0));
        assert_eq!(idle.read_to_close(), b"");
        assert!(Client::try_connect(proxy.port).is_err());
    }

    fn it_listens_on_every_address_it_is_given(setup) {
        let proxy = setup.proxy_with(&["--bind", "127.0.0.1", "--bind", "127.0.0.2"]);
        for host in ["127.0.0.1", "127.0.0.2"] {
            let stream = std::net::TcpStream::connect((host, proxy.port)).unwrap();
            assert_eq!(Client::over(stream).unwrap().run("PING").text(), "PONG");
        }
    }

    fn settings_come_from_a_file_and_the_environment_too(setup) {
        let file = directory("config").join("slotway.toml");
        let seeds = Cluster::shared(setup.kind).seeds();
        fs::write(
            &file,
            format!(
                "cluster = {seeds:?}\nthreads = {}\nrequirepass = \"s3cret\"\nmetrics-addr = \"none\"\n",
                setup.threads
            ),
        )
        .unwrap();
        let port = free_port();
        let args = ["-c".to_owned(), file.to_str().unwrap().to_owned()];
        let _process = start_program(&args, &[("SLOTWAY_PORT", &port.to_string())]);
        let mut client = eventually("it listens", || Client::try_connect(port).ok());
        assert_eq!(client.run("AUTH s3cret"), Value::ok());
        assert_eq!(client.run(&format!("SET {} 1", setup.key("file"))), Value::ok());
    }
}

with_1_and_4_workers! {
    fn what_is_in_flight_is_answered_before_the_end(threads) {
        let cluster = FakeCluster::start(2);
        let mut proxy = Proxy::before(&cluster.seeds(), threads, &["--drain-timeout", "20s"]);
        let gate = Gate::new();
        let owner = cluster.owner("a");
        cluster.on(owner, "INCR a", Act::Hold(gate.clone()));
        let (mut waits, mut idle) = (proxy.client(), proxy.client());
        idle.run("PING");
        waits.send(&["INCR", "a"]);
        cluster.wait_for(owner, "INCR a");
        proxy.process.signal("TERM");
        eventually("the door is shut", || Client::try_connect(proxy.port).is_err().then_some(()));
        assert_eq!(idle.read_to_close(), b"");
        assert!(proxy.process.ended().is_none(), "it waits for the reply");
        gate.open();
        assert_eq!(waits.reply(), Value::Integer(1));
        assert_eq!(waits.read_to_close(), b"");
        assert_eq!(proxy.process.exit_code(), Some(0));
    }

    fn a_drain_ends_at_its_timeout(threads) {
        let cluster = FakeCluster::start(1);
        let mut proxy =
            Proxy::before(&cluster.seeds(), threads, &["--drain-timeout", "500ms", "--backend-timeout", "0"]);
        cluster.on(0, "INCR a", Act::Stall);
        let mut client = proxy.client();
        client.send(&["INCR", "a"]);
        cluster.wait_for(0, "INCR a");
        // It ends at all, though the reply never comes.
        assert_eq!(proxy.terminate(), Some(1));
    }

    fn a_second_signal_ends_it_at_once(threads) {
        let cluster = FakeCluster::start(1);
        let mut proxy =
            Proxy::before(&cluster.seeds(), threads, &["--drain-timeout", "10m", "--backend-timeout", "0"]);
        cluster.on(0, "INCR a", Act::Stall);
        let mut client = proxy.client();
        client.send(&["INCR", "a"]);
        cluster.wait_for(0, "INCR a");
        proxy.process.signal("INT");
        eventually("the door is shut", || Client::try_connect(proxy.port).is_err().then_some(()));
        assert!(proxy.process.ended().is_none(), "it waits for the reply");
        proxy.process.signal("TERM");
        assert_eq!(proxy.process.exit_code(), Some(1));
    }

    fn a_drain_under_load_answers_all_that_was_read(threads) {
        let cluster = FakeCluster::start(2);
        let mut proxy = Proxy::before(&cluster.seeds(), threads, &[]);
        let port = proxy.port;
        let workers: Vec<_> = (0..4)
            .map(|number| {
                thread::spawn(move || {
                    let mut client = Client::connect(port);
                    let mut last = 0;
                    while client.try_send_raw(format!("INCR load{number}\r\n").as_bytes()).is_ok() {
                        match client.try_reply() {
                            Ok(Some(reply)) => {
                                last += 1;
                                assert_eq!(reply, Value::Integer(last));
                            }
                            Ok(None) | Err(_) => break,
                        }
                    }
                    (number, last)
                })
            })
            .collect();
        eventually("they are at work", || {
            (cluster.count(0, "INCR") + cluster.count(1, "INCR") > 200).then_some(())
        });
        assert_eq!(proxy.terminate(), Some(0));
        for worker in workers {
            let (number, last) = worker.join().unwrap();
            let line = format!("INCR load{number}");
            let run = cluster.count(0, &line) + cluster.count(1, &line);
            assert_eq!(i64::try_from(run).unwrap(), last, "what ran was answered");
        }
    }

    fn a_taken_port_is_one_line_and_exit_1(threads) {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port().to_string();
        let args =
            ["127.0.0.1:1", "--port", &port, "--threads", &threads.to_string(), "--metrics-addr", "none"];
        let mut process = start_program(&args.map(str::to_owned), &[]);
        assert_eq!(process.exit_code(), Some(1));
        let log = process.log();
        assert!(log.lines().last().unwrap().contains(&port), "{log}");
        assert!(!log.contains("panicked"), "{log}");
    }

    fn a_taken_metrics_port_is_exit_1(threads) {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let metrics = taken.local_addr().unwrap().to_string();
        let args = [
            "127.0.0.1:1",
            "--port",
            &free_port().to_string(),
            "--threads",
            &threads.to_string(),
            "--metrics-addr",
            &metrics,
        ];
        let mut process = start_program(&args.map(str::to_owned), &[]);
        assert_eq!(process.exit_code(), Some(1));
        assert!(process.log().contains(&metrics), "{}", process.log());
    }

    fn without_a_seed_it_says_so_and_waits_for_one(threads) {
        let cluster = FakeCluster::start(1);
        cluster.stop(0);
        let mut proxy = Proxy::start(&cluster.seeds(), threads, &["--retry-deadline", "300ms"]);
        proxy.wait_until("/livez", 200);
        proxy.wait_until("/readyz", 503);
        let mut client = eventually("it listens", || Client::try_connect(proxy.port).ok());
        assert!(client.run("GET a").text().starts_with("CLUSTERDOWN "));
        assert_eq!(client.run("PING").text(), "PONG");
        proxy.wait_for_log("no seed");
        cluster.resume(0);
        proxy.wait_until("/readyz", 200);
        assert_eq!(client.run("SET a 1"), Value::ok());
    }

    fn a_required_cluster_that_is_missing_is_exit_69(threads) {
        let seed = format!("127.0.0.1:{}", free_port());
        let mut proxy = Proxy::start(&[seed], threads, &["--require-cluster", "1"]);
        assert_eq!(proxy.process.exit_code(), Some(69));
    }

    fn readiness_names_what_is_missing(threads) {
        let cluster = FakeCluster::start(2);
        cluster.give(100, 200, None);
        let mut proxy = Proxy::start(&cluster.seeds(), threads, &["--topology-refresh", "200ms"]);
        proxy.wait_until("/livez", 200);
        eventually("it has learned", || (proxy.metric("slotway_slots_unassigned") == 101.0).then_some(()));
        let body = proxy.wait_until("/readyz", 503);
        assert!(body.contains("101") || body.contains("100-200"), "{body}");
        assert_eq!(http::get(proxy.metrics_port, "/livez").unwrap().0, 200);
        assert_eq!(http::get(proxy.metrics_port, "/nosuch").unwrap().0, 404);
        cluster.give(100, 200, Some(1));
        proxy.wait_until("/readyz", 200);
        cluster.stop(0);
        let body = proxy.wait_until("/readyz", 503);
        assert!(body.contains(&cluster.port(0).to_string()), "{body}");
    }
}
