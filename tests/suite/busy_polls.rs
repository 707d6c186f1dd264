//! A worker that waits for a single reply looks for it itself before it sleeps, for `--busy-poll` microseconds at most.

use crate::support::{
    Act, FakeCluster, Gate, Proxy, Value, eventually, sharing::shared, with_1_and_4_workers,
};

/// Long enough for any reply that is on its way.
const LONG: &[&str] = &["--busy-poll", "60000"];
const FOUND: &str = "slotway_busy_polls_total{result=\"reply\"}";
const IN_VAIN: &str = "slotway_busy_polls_total{result=\"nothing\"}";

with_1_and_4_workers! {
    fn a_lone_reply_is_found_unless_workers_share_connections(threads) {
        let cluster = FakeCluster::start(2);
        let proxy = Proxy::before(&cluster.seeds(), threads, LONG);
        let mut client = proxy.client();
        assert_eq!(client.run("SET a 1").text(), "OK");
        if shared() {
            (0..10).for_each(|_| assert_eq!(client.run("GET a").text(), "1"));
            assert!(proxy.metric(FOUND) + proxy.metric(IN_VAIN) < 0.5);
        } else {
            eventually("replies are found", || {
                assert_eq!(client.run("GET a").text(), "1");
                (proxy.metric(FOUND) >= 5.0).then_some(())
            });
        }
    }

    fn nobody_looks_where_that_is_off(threads) {
        let cluster = FakeCluster::start(2);
        let proxy = Proxy::before(&cluster.seeds(), threads, &["--busy-poll", "0"]);
        let mut client = proxy.client();
        assert_eq!(client.run("SET a 1").text(), "OK");
        (0..10).for_each(|_| assert_eq!(client.run("GET a").text(), "1"));
        proxy.reaches("slotway_commands_total{command=\"get\"}", 10.0);
        assert!(proxy.metric(FOUND) + proxy.metric(IN_VAIN) < 0.5);
    }

    fn a_node_that_takes_longer_is_soon_left_alone(threads) {
        let cluster = FakeCluster::start(1);
        let proxy = Proxy::before(&cluster.seeds(), threads, &["--busy-poll", "1"]);
        let mut client = proxy.client();
        for _ in 0..50 {
            let gate = Gate::new();
            cluster.on(0, "GET a", Act::Hold(gate.clone()));
            client.send(&["GET", "a"]);
            cluster.wait_for(0, "GET a");
            gate.open();
            assert_eq!(client.reply(), Value::Nil);
        }
        let polls = proxy.metric(FOUND) + proxy.metric(IN_VAIN);
        assert!(polls < 25.0, "{polls} of 50");
        assert!(shared() || polls >= 1.0, "{polls} of 50");
    }

    fn what_comes_in_pieces_is_put_together(threads) {
        let cluster = FakeCluster::start(1);
        let proxy = Proxy::before(&cluster.seeds(), threads, LONG);
        let mut client = proxy.client();
        let long = "x".repeat(100_000);
        assert_eq!(client.request(&["SET", "a", &long]).text(), "OK");
        assert_eq!(client.run("SET b 2").text(), "OK");
        for _ in 0..20 {
            assert_eq!(client.run("GET a").text(), long);
            assert_eq!(client.run("GET b").text(), "2");
        }
    }

    /// 1. A client's request is the only one that a worker waits for, so it looks for the reply itself.
    /// 2. The node closes the connection instead, in the middle of a reply or before it, or sends what is no reply.
    /// 3. The connection's task, which was not told by its socket, must know of that: the read is tried again, and the next
    ///    requests are served.
    fn a_connection_that_ends_while_it_is_looked_at_is_made_anew(threads) {
        let cluster = FakeCluster::start(1);
        // Nothing else ends a connection that is of no more use.
        let proxy = Proxy::before(&cluster.seeds(), threads, &[LONG, &["--backend-timeout", "0"]].concat());
        let mut client = proxy.client();
        assert_eq!(client.run("SET a 1").text(), "OK");
        for end in [Act::Close, Act::Cut(b"$5\r\nab".to_vec()), Act::Cut(Vec::new()), Act::reply("garbage")] {
            cluster.on(0, "GET a", end);
            assert_eq!(client.run("GET a").text(), "1");
            assert_eq!(client.run("GET a").text(), "1");
        }
        cluster.on(0, "APPEND a", Act::Close);
        assert!(client.run("APPEND a 2").text().contains("may have been executed"));
    }

    fn an_error_that_is_found_is_followed(threads) {
        let cluster = FakeCluster::start(2);
        let proxy = Proxy::before(&cluster.seeds(), threads, LONG);
        let mut client = proxy.client();
        assert_eq!(client.run("SET a 1").text(), "OK");
        let (owner, other) = (cluster.owner("a"), 1 - cluster.owner("a"));
        cluster.on(owner, "GET a", Act::reply("-TRYAGAIN later"));
        assert_eq!(client.run("GET a").text(), "1");
        cluster.on(owner, "GET a", Act::reply("-WRONGTYPE no"));
        assert_eq!(client.run("GET a").text(), "WRONGTYPE no");
        for kind in ["ASK", "MOVED"] {
            cluster.on(owner, "GET a", cluster.redirect(kind, "a", other));
            assert_eq!(client.run("GET a").text(), "1");
        }
    }
}
