//! The connections to nodes that clients are lent for their transactions: whose they are, how many there are, and when
//! they are given back.

use std::sync::Arc;

use crate::support::{
    Act, Client, FakeCluster, Gate, Proxy, Value, encode, eventually, with_1_and_4_workers,
};

/// A worker with room for the transactions of one client at a time.
const ONE: &[&str] = &["--dedicated-connections", "1"];

fn one_node(threads: usize, flags: &[&str]) -> (FakeCluster, Proxy) {
    let cluster = FakeCluster::start(1);
    let proxy = Proxy::before(&cluster.seeds(), threads, flags);
    (cluster, proxy)
}

/// Sends `lines` in one write.
fn send(client: &mut Client, lines: &[&str]) {
    let bytes: Vec<u8> = lines.iter().flat_map(|line| encode(&line.split(' ').collect::<Vec<_>>())).collect();
    client.send_raw(&bytes);
}

/// Sends a transaction with one command.
fn begin(client: &mut Client, line: &str) {
    send(client, &["MULTI", line, "EXEC"]);
}

/// What came of it.
fn end(client: &mut Client) -> Value {
    assert_eq!((client.reply(), client.reply().text()), (Value::ok(), "QUEUED".to_owned()));
    client.reply()
}

fn ran(number: i64) -> Value {
    Value::Array(vec![Value::Integer(number)])
}

/// Has a transaction of `client` under way until the gate is open.
fn occupy(cluster: &FakeCluster, client: &mut Client) -> Arc<Gate> {
    let gate = Gate::new();
    cluster.on(0, "INCR gate", Act::Hold(gate.clone()));
    begin(client, "INCR gate");
    cluster.wait_for(0, "INCR gate");
    gate
}

with_1_and_4_workers! {
    fn a_transaction_does_not_wait_for_what_others_sent(threads) {
        let (cluster, proxy) = one_node(threads, &[]);
        let gate = Gate::new();
        cluster.always(0, "INCR gate", Act::Hold(gate.clone()));
        let mut others: Vec<_> = (0..threads).map(|_| proxy.client()).collect();
        others.iter_mut().for_each(|other| other.send(&["INCR", "gate"]));
        cluster.wait_for(0, "INCR gate");
        let mut client = proxy.client();
        begin(&mut client, "INCR a");
        assert_eq!(end(&mut client), ran(1));
        gate.open();
        others.iter_mut().for_each(|other| assert!(other.reply().integer() > 0));
    }

    fn nobody_waits_for_a_transaction(threads) {
        let (cluster, proxy) = one_node(threads, &[]);
        let mut client = proxy.client();
        let gate = occupy(&cluster, &mut client);
        let mut others: Vec<_> = (0..threads).map(|_| proxy.client()).collect();
        for other in &mut others {
            assert!(other.run("INCR a").integer() > 0);
            begin(other, "GET a");
            assert_eq!(end(other).items().len(), 1);
        }
        gate.open();
        assert_eq!(end(&mut client), ran(1));
    }

    fn one_client_after_the_other_uses_the_same_connection(threads) {
        let (cluster, proxy) = one_node(threads, &[]);
        let mut clients: Vec<_> = (0..4 * threads).map(|_| proxy.client()).collect();
        clients.iter_mut().for_each(|client| assert!(!client.run("HELLO 3").is_error()));
        for _ in 0..5 {
            for client in &mut clients {
                begin(client, "INCR a");
                assert_eq!(end(client).items().len(), 1);
            }
        }
        assert_eq!(cluster.count(0, "HELLO 3"), threads, "one for each worker");
    }

    fn transactions_sent_together_cost_one_round_trip(threads) {
        let (cluster, proxy) = one_node(threads, &[]);
        let mut client = proxy.client();
        cluster.on(0, "MULTI", Act::Stall);
        let sent = ["MULTI", "INCR a", "EXEC"].repeat(3);
        send(&mut client, &sent);
        eventually("all is sent", || (cluster.seen(0) == sent).then_some(()));
    }

    fn what_is_sent_behind_a_transaction_waits_for_it(threads) {
        let (cluster, proxy) = one_node(threads, &[]);
        let behind = ["ECHO x", "EXISTS x y", "CLIENT UNPAUSE", "HELLO 3", "CLIENT TRACKING ON"];
        for (other, number) in behind.into_iter().zip(1..) {
            let mut client = proxy.client();
            let gate = occupy(&cluster, &mut client);
            send(&mut client, &[other, "GET gate"]);
            // Each worker has looked at what its clients sent before this.
            let mut others: Vec<_> = (0..threads).map(|_| proxy.client()).collect();
            others.iter_mut().for_each(|client| assert_eq!(client.run("PING").text(), "PONG"));
            assert_eq!(cluster.count(0, "GET gate") + 1, number, "{other}");
            gate.open();
            assert_eq!(end(&mut client), ran(i64::try_from(number).expect("few")), "{other}");
            assert!(!client.reply().is_error(), "{other}");
            assert_eq!(client.reply().text(), number.to_string(), "{other}");
        }
    }

    fn all_are_served_by_a_node_that_was_away(threads) {
        let (cluster, proxy) = one_node(threads, &["--retry-deadline", "10m"]);
        let mut clients: Vec<_> = (0..20).map(|_| proxy.client()).collect();
        cluster.stop(0);
        clients.iter_mut().for_each(|client| begin(client, "INCR a"));
        for client in &mut clients {
            assert_eq!((client.reply(), client.reply().text()), (Value::ok(), "QUEUED".to_owned()));
        }
        cluster.resume(0);
        let mut got: Vec<i64> = clients.iter_mut().map(|client| client.reply().items()[0].integer()).collect();
        got.sort_unstable();
        assert_eq!(got, (1..=20).collect::<Vec<_>>());
    }

    fn many_share_what_few_can_be_lent(threads) {
        let (cluster, proxy) = one_node(threads, ONE);
        let mut clients: Vec<_> = (0..10 * threads).map(|_| proxy.client()).collect();
        clients.iter_mut().for_each(|client| assert!(!client.run("HELLO 3").is_error()));
        for round in 0..10 {
            clients.iter_mut().for_each(|client| begin(client, "INCR a"));
            let most = i64::try_from(clients.len()).expect("few") * (round + 1);
            let got: i64 = clients.iter_mut().map(|client| end(client).items()[0].integer()).max().expect("some");
            assert_eq!(got, most);
        }
        assert_eq!(cluster.count(0, "HELLO 3"), threads, "one for each worker");
    }
}

#[test]
fn who_finds_all_lent_waits_for_its_turn() {
    let (cluster, proxy) = one_node(1, ONE);
    let mut first = proxy.client();
    let gate = occupy(&cluster, &mut first);
    let mut others: Vec<_> = (0..3).map(|_| proxy.client()).collect();
    for other in &mut others {
        begin(other, "INCR a");
        assert_eq!((other.reply(), other.reply().text()), (Value::ok(), "QUEUED".to_owned()));
        // It has read EXEC along with the rest, and looks at it before it answers others.
        assert_eq!(proxy.client().run("PING").text(), "PONG");
    }
    assert_eq!(cluster.count(0, "INCR a"), 0);
    gate.open();
    assert_eq!(end(&mut first), ran(1));
    for (other, number) in others.iter_mut().zip(1..) {
        assert_eq!(other.reply(), ran(number), "in the order in which they came");
    }
}

#[test]
fn what_the_dead_were_lent_goes_to_the_living() {
    // 1. A client is killed while its transaction is under way, which runs all the same.
    // 2. Another, which waits for what the first was lent, is killed too.
    // 3. A third gets it when the node has answered the first.
    let (cluster, proxy) = one_node(1, ONE);
    let (mut first, mut second, mut third) = (proxy.client(), proxy.client(), proxy.client());
    let ids = [first.run("CLIENT ID").integer(), second.run("CLIENT ID").integer()];
    let gate = occupy(&cluster, &mut first);
    for client in [&mut second, &mut third] {
        begin(client, "INCR a");
        assert_eq!((client.reply(), client.reply().text()), (Value::ok(), "QUEUED".to_owned()));
    }
    for id in ids {
        assert_eq!(proxy.client().run(&format!("CLIENT KILL ID {id}")), Value::Integer(1));
    }
    let list = || proxy.client().run("CLIENT LIST").text();
    eventually("both are gone", || ids.iter().all(|id| !list().contains(&format!("id={id} "))).then_some(()));
    assert_eq!(cluster.count(0, "INCR a"), 0);
    gate.open();
    assert_eq!(third.reply(), ran(1));
    assert_eq!(third.run("GET gate"), Value::bulk("1"));
}

#[test]
fn who_blocks_behind_a_transaction_gives_back_what_it_was_lent() {
    let (cluster, proxy) = one_node(1, ONE);
    cluster.on(0, "BLPOP", Act::Stall);
    let (mut first, mut second) = (proxy.client(), proxy.client());
    send(&mut first, &["MULTI", "INCR a", "EXEC", "BLPOP q 0"]);
    cluster.wait_for(0, "BLPOP");
    begin(&mut second, "INCR a");
    assert_eq!((end(&mut first), end(&mut second)), (ran(1), ran(2)));
}

#[test]
fn who_has_the_only_connection_lets_others_have_their_turn() {
    // 1. A transaction of one client is under way, and another client waits for its turn.
    // 2. The first sends another transaction: it must not have the next turn too.
    let (cluster, proxy) = one_node(1, ONE);
    let (mut first, mut second) = (proxy.client(), proxy.client());
    let gate = occupy(&cluster, &mut first);
    for (client, line) in [(&mut second, "APPEND a 2"), (&mut first, "APPEND a 1")] {
        begin(client, line);
        assert_eq!(proxy.client().run("PING").text(), "PONG");
    }
    gate.open();
    assert_eq!((end(&mut first), end(&mut first), end(&mut second)), (ran(1), ran(2), ran(1)));
    assert_eq!(first.run("GET a"), Value::bulk("21"));
}

#[test]
fn who_hears_no_replies_gives_back_what_it_was_lent() {
    let (cluster, proxy) = one_node(1, ONE);
    let (mut mute, mut client) = (proxy.client(), proxy.client());
    send(&mut mute, &["CLIENT REPLY OFF", "MULTI", "INCR a", "EXEC"]);
    cluster.wait_for(0, "EXEC");
    begin(&mut client, "INCR a");
    assert_eq!(end(&mut client), ran(2));
}

#[test]
fn who_waits_for_its_turn_is_not_idle() {
    let (cluster, proxy) = one_node(1, &[ONE, &["--timeout", "1s", "--backend-timeout", "10m"]].concat());
    let (mut first, mut second, mut idle) = (proxy.client(), proxy.client(), proxy.client());
    let gate = occupy(&cluster, &mut first);
    begin(&mut second, "INCR a");
    assert_eq!(idle.run("PING").text(), "PONG");
    assert!(idle.read_to_close().is_empty(), "it was idle");
    gate.open();
    assert_eq!(end(&mut second), ran(1));
}

#[test]
fn who_must_not_go_on_holds_up_nobody_in_line() {
    // 1. A transaction is under way, and one that writes is next in line when writes are paused.
    // 2. The first ends. One that only reads may run during the pause: it must not wait for the one that may not.
    let (cluster, proxy) = one_node(1, ONE);
    let (mut first, mut second, mut third) = (proxy.client(), proxy.client(), proxy.client());
    let gate = occupy(&cluster, &mut first);
    begin(&mut second, "INCR a");
    assert_eq!((second.reply(), second.reply().text()), (Value::ok(), "QUEUED".to_owned()));
    assert_eq!(proxy.client().run("CLIENT PAUSE 600000 WRITE"), Value::ok());
    begin(&mut third, "GET gate");
    gate.open();
    assert_eq!((end(&mut first), end(&mut third)), (ran(1), Value::Array(vec![Value::bulk("1")])));
    assert_eq!((proxy.client().run("CLIENT UNPAUSE"), second.reply()), (Value::ok(), ran(1)));
}
