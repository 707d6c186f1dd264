//! What is sent again, what must not be, and what the client is told.

use std::time::{Duration, Instant};

use crate::support::{Act, FakeCluster, Gate, Proxy, Value, eventually, with_1_and_4_workers};

/// Clients that wait for one node, and tries that are held back before the tries in vain are counted.
const CROWD: usize = 300;
const HELD: f64 = 700.0;

#[test]
fn a_crowd_that_waits_for_a_node_is_tried_again_in_measure_and_served() {
    let (cluster, proxy) = one_node(1, &["--retry-deadline", "10m"]);
    let mut clients: Vec<_> = (0..CROWD).map(|_| proxy.client()).collect();
    cluster.always(0, "INCR a", Act::reply("-LOADING Redis is loading the dataset in memory"));
    let begun = Instant::now();
    clients.iter_mut().for_each(|client| client.send(&["INCR", "a"]));
    proxy.reaches("slotway_retries_held_total", HELD);
    let (asked, span) = (cluster.count(0, "INCR a"), begun.elapsed());
    // The first of each, a hundred at once, and 200 a second.
    let bound = CROWD + 100 + 20 * (2 + usize::try_from(span.as_millis()).unwrap() / 100);
    assert!(asked <= bound, "{asked} requests in {span:?}, {bound} were due at most");
    cluster.forget_script(0);
    for client in &mut clients {
        assert!(!client.reply().is_error());
    }
}

/// Said of a write that was sent and not answered.
const MAY_HAVE_RUN: &str = "may have been executed";

fn one_node(threads: usize, flags: &[&str]) -> (FakeCluster, Proxy) {
    let cluster = FakeCluster::start(1);
    let proxy = Proxy::before(&cluster.seeds(), threads, flags);
    (cluster, proxy)
}

with_1_and_4_workers! {
    fn passing_errors_are_waited_out(threads) {
        let (cluster, proxy) = one_node(threads, &[]);
        let mut client = proxy.client();
        for error in [
            "-TRYAGAIN Multiple keys",
            "-CLUSTERDOWN The cluster is down",
            "-LOADING Redis is loading",
            "-MASTERDOWN Link down",
            "-READONLY You can't write",
        ] {
            cluster.on(0, "INCR a", Act::reply(error));
            cluster.on(0, "INCR a", Act::reply(error));
            cluster.on(0, "SET n", Act::reply(error));
            client.run("SET a 0");
            assert_eq!(client.run("INCR a"), Value::Integer(1), "{error}");
            assert_eq!(client.run("SET n 1"), Value::ok(), "{error}");
        }
        for reason in ["tryagain", "clusterdown", "loading", "masterdown", "readonly"] {
            proxy.reaches(&format!("slotway_retries_total{{reason=\"{reason}\"}}"), 3.0);
        }
    }

    fn an_error_that_stays_is_delivered_at_the_deadline(threads) {
        let (cluster, proxy) = one_node(threads, &["--retry-deadline", "300ms"]);
        let mut client = proxy.client();
        for error in ["TRYAGAIN still", "LOADING still", "CLUSTERDOWN still", "READONLY still"] {
            cluster.always(0, "GET a", Act::reply(&format!("-{error}")));
            let start = Instant::now();
            assert_eq!(client.run("GET a"), Value::error(error));
            assert!(start.elapsed() >= Duration::from_millis(150));
            cluster.forget_script(0);
        }
        assert_eq!(client.run("GET a"), Value::Nil);
    }

    fn other_errors_are_delivered_as_they_are(threads) {
        let (cluster, proxy) = one_node(threads, &[]);
        let mut client = proxy.client();
        for error in [
            "WRONGTYPE Operation",
            "OOM command",
            "ERR whatever",
            "NOPERM no",
            "BUSY busy",
            "MISCONF",
            "MOVEDX 1 2",
            "ASKED 1",
        ] {
            cluster.on(0, "INCR a", Act::reply(&format!("-{error}")));
            assert_eq!(client.run("INCR a"), Value::error(error));
        }
        assert_eq!(cluster.count(0, "INCR a"), 8);
    }

    fn a_write_lost_after_it_was_sent_is_not_sent_again(threads) {
        let (cluster, proxy) = one_node(threads, &[]);
        let mut client = proxy.client();
        for (round, act) in [Act::Close, Act::Cut(b":1".to_vec())].into_iter().enumerate() {
            client.run("SET n 0");
            cluster.on(0, "INCR a", act);
            let reply = client.run("INCR a");
            assert!(reply.is_error() && reply.text().contains(MAY_HAVE_RUN), "{reply:?}");
            assert_eq!(cluster.count(0, "INCR a"), round + 1);
        }
        assert_eq!(client.run("INCR b"), Value::Integer(1));
    }

    fn a_read_lost_on_the_way_is_sent_again(threads) {
        let (cluster, proxy) = one_node(threads, &[]);
        let mut client = proxy.client();
        client.run("SET a 1");
        for act in [Act::Close, Act::Cut(b"$1\r\n".to_vec()), Act::Cut(b"$".to_vec())] {
            cluster.on(0, "GET a", act);
            assert_eq!(client.run("GET a"), Value::bulk("1"));
        }
        assert_eq!(cluster.count(0, "GET a"), 6);
        proxy.reaches("slotway_retries_total{reason=\"lost\"}", 3.0);
    }

    fn a_read_whose_reply_was_cut_is_never_half_delivered(threads) {
        let (cluster, proxy) = one_node(threads, &["--retry-deadline", "500ms"]);
        let mut client = proxy.client();
        let half = [&b"$2000000\r\n"[..], &[b'x'; 1_000_000]].concat();
        cluster.always(0, "GET big", Act::Cut(half));
        client.send(&["GET", "big"]);
        if let Ok(Some(reply)) = client.try_reply() {
            assert!(reply.is_error(), "{reply:?}");
        }
        assert_eq!(proxy.client().run("PING").text(), "PONG");
    }

    fn a_write_that_was_never_sent_waits_for_the_node(threads) {
        let (cluster, proxy) = one_node(threads, &[]);
        let mut client = proxy.client();
        // No worker is connected to the node yet: over a connection just closed the write might still be sent.
        cluster.stop(0);
        client.send(&["INCR", "a"]);
        client.patience(Duration::from_millis(100));
        assert!(client.try_reply().is_err(), "nobody can have answered");
        client.patience(crate::support::PATIENCE);
        cluster.resume(0);
        assert_eq!(client.reply(), Value::Integer(1));
        assert_eq!(cluster.count(0, "INCR a"), 1);
    }

    fn a_node_that_stays_away_is_clusterdown_at_the_deadline(threads) {
        let (cluster, proxy) = one_node(threads, &["--retry-deadline", "300ms"]);
        let mut client = proxy.client();
        client.run("SET a 0");
        cluster.stop(0);
        // The read comes first: a write may still go out over the connection that was just closed.
        for line in ["GET a", "INCR a", "MGET a b c", "MSET a 1 b 2"] {
            let reply = client.run(line);
            assert!(reply.text().starts_with("CLUSTERDOWN "), "{line}: {reply:?}");
        }
        cluster.resume(0);
        eventually("the node is dialled again", || (client.run("INCR a") == Value::Integer(1)).then_some(()));
    }

    fn a_slot_that_nobody_owns_is_clusterdown_at_the_deadline(threads) {
        let (cluster, proxy) = one_node(threads, &["--retry-deadline", "300ms", "--topology-refresh", "1s"]);
        let mut client = proxy.client();
        let slot = crate::support::slot::slot_of(b"a");
        cluster.give(slot, slot, None);
        cluster.always(0, "GET a", Act::reply("-CLUSTERDOWN Hash slot not served"));
        let reply = client.run("GET a");
        assert_eq!(reply, Value::error("CLUSTERDOWN Hash slot not served"));
        assert_eq!(client.run("GET b"), Value::Nil);
    }

    fn requests_in_flight_on_a_lost_connection_are_sorted_by_kind(threads) {
        let (cluster, proxy) = one_node(threads, &[]);
        let mut client = proxy.client();
        client.run("MSET a 1 b 2");
        cluster.on(0, "GET a", Act::Close);
        let replies = client.pipeline(&["GET a", "INCR n", "GET b", "ECHO x", "INCR n", "MGET a b"]);
        assert_eq!(
            (&replies[0], &replies[2], &replies[3]),
            (&Value::bulk("1"), &Value::bulk("2"), &Value::bulk("x"))
        );
        assert_eq!(replies[5].items().len(), 2);
        for reply in [&replies[1], &replies[4]] {
            let known = matches!(reply, Value::Integer(_)) || reply.text().contains(MAY_HAVE_RUN);
            assert!(known, "{reply:?}");
        }
        let counted = cluster.count(0, "INCR n");
        assert!(counted <= 2, "{counted} for two requests");
    }

    fn a_node_that_stalls_is_treated_as_lost(threads) {
        let (cluster, proxy) = one_node(threads, &["--backend-timeout", "2s"]);
        let mut client = proxy.client();
        client.run("SET a 1");
        cluster.on(0, "GET a", Act::Stall);
        assert_eq!(client.run("GET a"), Value::bulk("1"), "read again");
        cluster.on(0, "INCR b", Act::Stall);
        let reply = client.run("INCR b");
        assert!(reply.text().contains(MAY_HAVE_RUN), "{reply:?}");
        assert_eq!(cluster.count(0, "INCR b"), 1);
    }

    fn a_slow_node_within_the_timeout_is_waited_for(threads) {
        let (cluster, proxy) = one_node(threads, &["--backend-timeout", "0"]);
        let gate = Gate::new();
        cluster.on(0, "INCR a", Act::Hold(gate.clone()));
        let mut client = proxy.client();
        client.send(&["INCR", "a"]);
        cluster.wait_for(0, "INCR a");
        assert_eq!(proxy.client().run("PING").text(), "PONG");
        gate.open();
        assert_eq!(client.reply(), Value::Integer(1));
    }

    fn a_node_that_talks_nonsense_is_lost_and_found(threads) {
        let (cluster, proxy) = one_node(threads, &[]);
        let mut client = proxy.client();
        client.run("SET a 1");
        for nonsense in ["HTTP/1.1 400 Bad Request", "$x", "*-5", "", "\0\0", "$99999999999999999999"] {
            cluster.on(0, "GET a", Act::reply(nonsense));
            let reply = client.run("GET a");
            assert!(reply == Value::bulk("1") || reply.is_error(), "{nonsense}: {reply:?}");
        }
        eventually("it is found again", || (client.run("GET a") == Value::bulk("1")).then_some(()));
        assert_eq!(proxy.client().run("PING").text(), "PONG");
    }

    fn replies_that_nobody_asked_for_do_not_shift_the_others(threads) {
        let (cluster, proxy) = one_node(threads, &[]);
        let mut client = proxy.client();
        client.run("SET a 1");
        cluster.on(0, "GET a", Act::Reply(b"$1\r\n1\r\n$6\r\nstolen\r\n".to_vec()));
        assert_eq!(client.run("GET a"), Value::bulk("1"));
        for n in 0..50 {
            let key = format!("k{n}");
            assert_ne!(client.request(&["GET", &key]), Value::bulk("stolen"));
        }
    }
}
