//! Learning who owns what, in every form that nodes say it.

use std::net::TcpListener;

use crate::support::{Act, FakeCluster, Proxy, Value, eventually, with_1_and_4_workers};

/// Sets and gets keys all over the slots.
fn works_everywhere(proxy: &Proxy) {
    let mut client = proxy.client();
    for n in 0..30 {
        let (key, value) = (format!("key:{n}"), n.to_string());
        assert_eq!(client.request(&["SET", &key, &value]), Value::ok());
        assert_eq!(client.request(&["GET", &key]), Value::bulk(&value));
    }
}

fn announced_as(threads: usize, host: Option<&str>) {
    let cluster = FakeCluster::start(2);
    for index in 0..2 {
        cluster.announce(index, host);
    }
    let proxy = Proxy::before(&cluster.seeds(), threads, &[]);
    works_everywhere(&proxy);
    assert!(!cluster.seen(0).is_empty() && !cluster.seen(1).is_empty());
}

with_1_and_4_workers! {
    fn a_hostname_is_resolved(threads) {
        announced_as(threads, Some("localhost"));
    }

    fn a_nil_endpoint_is_the_host_that_was_asked(threads) {
        announced_as(threads, None);
    }

    fn an_empty_endpoint_is_the_host_that_was_asked(threads) {
        announced_as(threads, Some(""));
    }

    fn an_ipv6_address_is_dialled(threads) {
        if TcpListener::bind("[::1]:0").is_ok() {
            announced_as(threads, Some("::1"));
        }
    }

    fn one_living_seed_is_enough(threads) {
        let cluster = FakeCluster::start(3);
        cluster.announce(0, Some("127.0.0.1"));
        let dead = format!("127.0.0.1:{}", crate::support::ports::free_port());
        let seeds = [dead.clone(), cluster.seeds()[1].clone(), dead];
        works_everywhere(&Proxy::before(&seeds, threads, &[]));
    }

    fn seeds_may_be_listed_with_a_flag(threads) {
        let cluster = FakeCluster::start(2);
        let list = cluster.seeds().join(",");
        works_everywhere(&Proxy::before(&[], threads, &["--cluster", &list]));
    }

    fn changes_are_learned_within_the_refresh_interval(threads) {
        let cluster = FakeCluster::start(2);
        let proxy = Proxy::before(&cluster.seeds(), threads, &["--topology-refresh", "200ms"]);
        let mut client = proxy.client();
        let (from, to) = (cluster.owner("a"), 1 - cluster.owner("a"));
        cluster.give(0, 16383, Some(to));
        eventually("requests go to the new owner", || {
            client.run("GET a");
            (cluster.count(to, "GET a") > 0).then_some(())
        });
        let left = cluster.count(from, "GET a");
        for _ in 0..20 {
            client.run("GET a");
        }
        assert_eq!(cluster.count(from, "GET a"), left);
        assert!(proxy.metrics().contains("slotway_topology_refreshes_total{"));
    }

    fn an_empty_answer_does_not_wipe_what_is_known(threads) {
        let cluster = FakeCluster::start(2);
        let proxy = Proxy::before(&cluster.seeds(), threads, &["--topology-refresh", "100ms"]);
        let asked = || cluster.count(0, "CLUSTER") + cluster.count(1, "CLUSTER");
        for index in 0..2 {
            cluster.always(index, "CLUSTER", Act::reply("*0"));
        }
        let before = asked();
        eventually("it asks some more", || (asked() > before + 4).then_some(()));
        works_everywhere(&proxy);
    }

    fn answers_that_make_no_sense_are_not_believed(threads) {
        let cluster = FakeCluster::start(2);
        let proxy = Proxy::before(&cluster.seeds(), threads, &["--topology-refresh", "100ms"]);
        for answer in [
            "-ERR no",
            "+OK",
            "*1\r\n*3\r\n:5\r\n:1\r\n*2\r\n$1\r\nx\r\n:1",
            "*1\r\n*2\r\n:0\r\n:99999",
            "*1\r\n$-1",
            "%1\r\n:1\r\n:2",
        ] {
            let asked = || cluster.count(0, "CLUSTER") + cluster.count(1, "CLUSTER");
            for index in 0..2 {
                cluster.forget_script(index);
                cluster.always(index, "CLUSTER", Act::reply(answer));
            }
            let before = asked();
            eventually("it asks again", || (asked() > before + 1).then_some(()));
            works_everywhere(&proxy);
        }
    }

    fn many_redirects_make_few_refreshes(threads) {
        let cluster = FakeCluster::start(2);
        let proxy = Proxy::before(&cluster.seeds(), threads, &["--topology-refresh", "60s"]);
        let before = cluster.count(0, "CLUSTER") + cluster.count(1, "CLUSTER");
        let start = std::time::Instant::now();
        let mut client = proxy.client();
        for n in 0..500 {
            let key = format!("key:{n}");
            let from = cluster.owner(&key);
            cluster.on(from, &format!("SET {key} "), cluster.redirect("MOVED", &key, 1 - from));
            assert_eq!(client.request(&["SET", &key, "1"]), Value::ok());
        }
        let asked = cluster.count(0, "CLUSTER") + cluster.count(1, "CLUSTER") - before;
        let allowed = 4 * (usize::try_from(start.elapsed().as_millis()).unwrap() / 100 + 2);
        assert!((1..=allowed).contains(&asked), "{asked} questions, {allowed} allowed");
    }
}
