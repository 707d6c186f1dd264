//! Many clients, and clients that leave in odd ways.

use std::{net::TcpStream, thread};

use crate::support::{
    Act, Client, FakeCluster, Gate, Kind, Proxy, Setup, Value, crosswise, eventually, everywhere,
    resp::encode, sharing::shared, with_1_and_4_workers,
};

const CROWD: usize = 1_000;

crosswise! {
    fn a_thousand_clients_each_get_their_own_replies(setup) {
        let proxy = setup.proxy();
        let mut clients: Vec<_> = (0..CROWD).map(|_| proxy.client()).collect();
        for round in 0..3 {
            for (number, client) in clients.iter_mut().enumerate() {
                let (key, value) = (setup.key(format!("crowd:{number}")), format!("{number}:{round}"));
                client.send_raw(&[encode(&["SET", &key, &value]), encode(&["GET", &key])].concat());
            }
            for (number, client) in clients.iter_mut().enumerate() {
                assert_eq!(client.reply(), Value::ok());
                assert_eq!(client.reply(), Value::bulk(format!("{number}:{round}")));
            }
        }
        proxy.reaches("slotway_client_connections", 1_000.0);
        drop(clients);
        eventually("all are gone", || (proxy.metric("slotway_client_connections") == 0.0).then_some(()));
    }

    fn clients_come_and_go(setup) {
        let proxy = setup.proxy();
        thread::scope(|scope| {
            for part in 0..4 {
                let (proxy, key) = (&proxy, setup.key(format!("visit:{part}")));
                scope.spawn(move || {
                    for n in 1..=200 {
                        assert_eq!(proxy.client().request(&["INCR", &key]), Value::Integer(n));
                    }
                });
            }
        });
        eventually("all are gone", || (proxy.metric("slotway_client_connections") == 0.0).then_some(()));
        proxy.reaches("slotway_client_connections_total", 800.0);
    }
}

everywhere! {
    fn a_half_closed_client_gets_all_its_replies(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        let key = setup.key("half");
        client.run(&format!("DEL {key}"));
        client.send_raw(&encode(&["INCR", &key]).repeat(1_000));
        client.finish_sending();
        let wanted: String = (1..=1_000).map(|n| format!(":{n}\r\n")).collect();
        assert_eq!(String::from_utf8(client.read_to_close()).unwrap(), wanted);
    }

    fn clients_that_vanish_in_mid_request_leave_nothing_behind(setup) {
        let proxy = setup.proxy();
        let key = setup.key("vanish");
        let (whole, mut stays) = (encode(&["SET", &key, &"x".repeat(5_000)]), proxy.client());
        for cut in (0..whole.len()).step_by(97) {
            proxy.client().send_raw(&whole[..cut]);
            assert_eq!(stays.run("PING").text(), "PONG");
        }
        assert_eq!(stays.request(&["EXISTS", &key]), Value::Integer(0));
        eventually("all are gone", || (proxy.metric("slotway_client_connections") == 1.0).then_some(()));
    }

    fn clients_that_vanish_before_their_replies_leave_nothing_behind(setup) {
        let proxy = setup.proxy();
        let (key, mut stays) = (setup.key("gone"), proxy.client());
        stays.request(&["SET", &key, &"x".repeat(100_000)]);
        for _ in 0..30 {
            proxy.client().send_raw(&encode(&["GET", &key]).repeat(50));
            assert_eq!(stays.request(&["STRLEN", &key]), Value::Integer(100_000));
        }
        eventually("all are gone", || (proxy.metric("slotway_client_connections") == 1.0).then_some(()));
        eventually("so are their buffers", || {
            (proxy.metric("slotway_buffered_bytes") < 300_000.0).then_some(())
        });
    }

    fn beyond_maxclients_the_door_is_shut_with_a_word(setup) {
        let proxy = setup.proxy_with(&["--maxclients", "5"]);
        let mut inside: Vec<_> = (0..5).map(|_| proxy.client()).collect();
        assert!(inside.iter_mut().all(|client| client.run("PING").text() == "PONG"));
        assert_eq!(proxy.client().read_to_close(), b"-ERR max number of clients reached\r\n");
        inside.pop();
        eventually("there is room again", || {
            let mut client = proxy.client();
            client.try_send_raw(b"PING\r\n").ok()?;
            (client.try_reply().ok()??.text() == "PONG").then_some(())
        });
        assert_eq!(inside[0].run("PING").text(), "PONG");
    }

    fn an_idle_client_is_closed_after_the_timeout(setup) {
        let proxy = setup.proxy_with(&["--timeout", "3"]);
        let mut idle = proxy.client();
        assert_eq!(idle.run("PING").text(), "PONG");
        assert_eq!(idle.read_to_close(), b"");
        proxy.reaches("slotway_client_connections_closed_total{reason=\"timeout\"}", 1.0);
    }
}

with_1_and_4_workers! {
    fn a_client_that_waits_for_a_node_is_not_idle(threads) {
        let cluster = FakeCluster::start(1);
        let proxy = Proxy::before(&cluster.seeds(), threads, &["--timeout", "3", "--backend-timeout", "0"]);
        let gate = Gate::new();
        cluster.on(0, "GET a", Act::Hold(gate.clone()));
        let (mut waits, mut idle) = (proxy.client(), proxy.client());
        waits.send(&["GET", "a"]);
        assert_eq!(idle.read_to_close(), b"", "the idle one is closed meanwhile");
        gate.open();
        assert_eq!(waits.reply(), Value::Nil);
    }

    fn a_waiting_client_that_vanishes_does_not_disturb_its_neighbours(threads) {
        let cluster = FakeCluster::start(1);
        let proxy = Proxy::before(&cluster.seeds(), threads, &[]);
        let mut stays: Vec<_> = (0..4).map(|_| proxy.client()).collect();
        for round in 0..10 {
            let gate = Gate::new();
            let name = format!("GET gone:{round}");
            cluster.on(0, &name, Act::Hold(gate.clone()));
            let mut leaves = proxy.client();
            leaves.run("PING");
            leaves.send_raw(&encode(&["GET", &format!("gone:{round}")]).repeat(20));
            cluster.wait_for(0, &name);
            for (number, client) in stays.iter_mut().enumerate() {
                client.send(&["SET", &format!("s{number}"), &round.to_string()]);
                client.send(&["GET", &format!("s{number}")]);
            }
            drop(leaves);
            gate.open();
            for client in &mut stays {
                assert_eq!(client.reply(), Value::ok());
                assert_eq!(client.reply(), Value::bulk(round.to_string()));
            }
        }
    }

    fn clients_are_spread_over_the_workers(threads) {
        let cluster = FakeCluster::start(1);
        let proxy = Proxy::before(&cluster.seeds(), threads, &[]);
        let mut clients: Vec<Client> = (0..threads * 3).map(|_| proxy.client()).collect();
        for client in &mut clients {
            assert_eq!(client.run("GET a"), Value::Nil);
        }
        let name = format!("slotway_backend_connections{{node=\"127.0.0.1:{}\"}}", cluster.port(0));
        let connections = if shared() { 1.0 } else { f64::from(u32::try_from(threads).unwrap()) };
        proxy.reaches(&name, connections);
        assert!(proxy.metric(&name) < connections + 0.5, "one for each worker, or one for all");
        assert!(TcpStream::connect(("127.0.0.1", proxy.port)).is_ok());
    }
}
