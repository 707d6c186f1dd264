//! On which workers clients are: on as few as their load needs.

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
};

use crate::support::{Client, Cluster, Kind, Proxy, Value, eventually};

/// Clients of each of two workers.
fn places(proxy: &Proxy) -> [f64; 2] {
    [0, 1].map(|worker| proxy.metric(&format!("slotway_worker_clients{{worker=\"{worker}\"}}")))
}

/// Counts on and on, many requests at a time, until it is enough; every reply must be the next number.
fn count(client: &mut Client, key: &str, enough: &AtomicBool) -> i64 {
    const DEPTH: i64 = 50;
    let mut counted = 0;
    while !enough.load(Relaxed) {
        (0..DEPTH).for_each(|_| client.send(&["INCR", key]));
        for _ in 0..DEPTH {
            counted += 1;
            assert_eq!(client.reply(), Value::Integer(counted), "{key}");
        }
    }
    counted
}

const COUNTERS: usize = 8;

/// 1. Eight clients do nothing, one tracks for another: they are all with the first worker.
/// 2. The eight count, which keeps it busier than it may be: some go on with the second worker, and all count on.
///    Who is told of changes must not.
/// 3. They do nothing again: after a while all are back, and know who they are.
#[test]
fn clients_spread_when_their_worker_is_busy_and_return_when_it_is_calm() {
    let cluster = Cluster::start(Kind::Redis, 3, 0);
    let proxy = Proxy::of(&cluster, 2, &["--spread-at", "5"]);
    // The oldest would be the first to move.
    let (mut told, mut tracker) = (proxy.client3(), proxy.client3());
    let id = told.run("CLIENT ID").integer();
    assert_eq!(tracker.run(&format!("CLIENT TRACKING ON REDIRECT {id}")), Value::ok());
    let mut counters: Vec<Client> = (0..COUNTERS).map(|_| proxy.client3()).collect();
    let mut ids = Vec::new();
    for (number, client) in counters.iter_mut().enumerate() {
        assert_eq!(client.run(&format!("CLIENT SETNAME counter-{number}")), Value::ok());
        ids.push(client.run("CLIENT ID"));
    }
    let all = counters.len() + 2;
    assert_eq!(places(&proxy), [all as f64, 0.0]);

    let enough = AtomicBool::new(false);
    let counts: Vec<i64> = thread::scope(|scope| {
        let enough = &enough;
        let counts =
            |(number, client)| scope.spawn(move || count(client, &format!("count-{number}"), enough));
        let threads: Vec<_> = counters.iter_mut().enumerate().map(counts).collect();
        eventually("clients spread", || (places(&proxy)[1] >= 3.0).then_some(()));
        enough.store(true, Relaxed);
        threads.into_iter().map(|thread| thread.join().expect("a counter")).collect()
    });
    assert_eq!(tracker.run("GET watched"), Value::Null);
    assert_eq!(counters[0].run("SET watched 1"), Value::ok());
    assert!(matches!(told.reply(), Value::Push(_)));

    eventually("clients return", || (places(&proxy) == [all as f64, 0.0]).then_some(()));
    assert!(proxy.metric("slotway_client_moves_total") >= 6.0);
    for (number, client) in counters.iter_mut().enumerate() {
        assert_eq!(client.run(&format!("INCR count-{number}")), Value::Integer(counts[number] + 1));
        assert_eq!(client.run("CLIENT GETNAME").text(), format!("counter-{number}"));
        assert_eq!(client.run("CLIENT ID"), ids[number]);
        assert_eq!(client.run("GET none"), Value::Null, "still RESP3");
    }
    assert_eq!(told.run("CLIENT LIST").text().lines().count(), all);
}

/// 1. Clients subscribe, in a pipeline with other requests: every other goes to the second worker for that.
/// 2. All hear what is published, and what they asked for behind it is answered.
/// 3. One is told of keys that change, wherever it is.
#[test]
fn who_listens_is_shared_among_all_workers() {
    const LISTENERS: usize = 6;
    let cluster = Cluster::start(Kind::Valkey, 3, 0);
    let proxy = Proxy::of(&cluster, 2, &["--spread-at", "85"]);
    let mut listeners: Vec<Client> = (0..LISTENERS).map(|_| proxy.client3()).collect();
    for client in &mut listeners {
        let heard = client.pipeline(&["PING", "SUBSCRIBE news", "PING", "GET k"]);
        assert_eq!(heard[0].text(), "PONG");
        assert!(matches!(&heard[1], Value::Push(items) if items[1].text() == "news"), "{heard:?}");
        assert_eq!((heard[2].text().as_str(), &heard[3]), ("PONG", &Value::Null));
    }
    assert_eq!(places(&proxy), [3.0, 3.0]);
    let mut publisher = proxy.client();
    // A node counts connections, and each worker has one.
    assert_eq!(publisher.run("PUBLISH news now").integer(), 2);
    for client in &mut listeners {
        assert!(matches!(client.reply(), Value::Push(items) if items[2].text() == "now"));
    }
    let mut trackers: Vec<Client> = (0..2).map(|_| proxy.client3()).collect();
    for client in &mut trackers {
        assert_eq!(client.run("CLIENT TRACKING ON"), Value::ok());
        assert_eq!(client.run("GET k"), Value::Null);
    }
    assert_eq!(places(&proxy), [5.0, 4.0]);
    assert_eq!(publisher.run("SET k 1"), Value::ok());
    for client in &mut trackers {
        assert!(matches!(client.reply(), Value::Push(items) if items[0].text() == "invalidate"));
    }
    drop(listeners);
    eventually("they are gone", || (places(&proxy) == [2.0, 1.0]).then_some(()));
}

/// 1. Each worker may have two connections to a node that serve one client each. There is little to do.
/// 2. Four clients wait for the same list, and two others watch keys of that node before that: all workers' shares are used.
/// 3. Each of the four gets an element.
#[test]
fn who_blocks_or_watches_is_shared_among_all_workers() {
    let cluster = Cluster::start(Kind::Redis, 3, 0);
    let proxy = Proxy::of(&cluster, 2, &["--spread-at", "85", "--dedicated-connections", "4"]);
    let mut watchers: Vec<Client> = (0..2).map(|_| proxy.client()).collect();
    for client in &mut watchers {
        assert_eq!(client.run("WATCH list"), Value::ok());
    }
    assert_eq!(places(&proxy), [1.0, 1.0]);
    assert!(watchers.iter_mut().all(|client| client.run("UNWATCH") == Value::ok()));
    let mut waiting: Vec<Client> = (0..4).map(|_| proxy.client()).collect();
    waiting.iter_mut().for_each(|client| client.send(&["BLPOP", "list", "0"]));
    let mut other = proxy.client();
    eventually("all wait", || {
        other.run("INFO clients").text().contains("blocked_clients:4\r\n").then_some(())
    });
    assert_eq!(places(&proxy), [4.0, 3.0]);
    assert_eq!(other.run("RPUSH list a b c d"), Value::Integer(4));
    let mut got: Vec<String> = waiting.iter_mut().map(|client| client.reply().items()[1].text()).collect();
    got.sort();
    assert_eq!(got, ["a", "b", "c", "d"]);
}
