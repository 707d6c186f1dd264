//! Replies keep the shape that the node gave them, in either protocol version.

use crate::support::{
    Act, FakeCluster, Kind, Proxy, Setup, Value, everywhere, server::Server, with_1_and_4_workers,
};

const FILL: &[&str] = &[
    "HSET {shape}h a 1 b 2",
    "ZADD {shape}z 1.5 one 2 two",
    "SADD {shape}s x",
    "RPUSH {shape}l 1 2",
    "SET {shape}t text",
    "XADD {shape}x 1-1 f v",
    "GEOADD {shape}g 13.361389 38.115556 Palermo",
];

const ASK: &[&str] = &[
    "HGETALL {shape}h",
    "HGETALL {shape}none",
    "HMGET {shape}h a none",
    "HRANDFIELD {shape}none",
    "HRANDFIELD {shape}h 9 WITHVALUES",
    "ZRANGE {shape}z 0 -1 WITHSCORES",
    "ZSCORE {shape}z one",
    "ZSCORE {shape}z none",
    "ZMSCORE {shape}z one none",
    "ZADD {shape}z INCR 1 three",
    "ZRANK {shape}z none",
    "ZPOPMAX {shape}none",
    "ZRANDMEMBER {shape}z 9 WITHSCORES",
    "SMEMBERS {shape}s",
    "SMEMBERS {shape}none",
    "SISMEMBER {shape}s x",
    "SPOP {shape}none",
    "LPOP {shape}none",
    "LPOP {shape}none 2",
    "LRANGE {shape}l 0 -1",
    "GET {shape}none",
    "GET {shape}t",
    "GET {shape}h",
    "XRANGE {shape}x - +",
    "XREAD STREAMS {shape}x 0",
    "XINFO STREAM {shape}x",
    "GEOPOS {shape}g Palermo none",
    "GEODIST {shape}g Palermo Palermo",
    "INCRBYFLOAT {shape}f 0.5",
    "EVAL return({double=1.5}) 1 {shape}",
    "LCS {shape}t {shape}t IDX",
    "OBJECT FREQ {shape}t",
    "SORT {shape}l DESC",
    "EVAL redis.setresp(3)return(redis.call('hgetall',KEYS[1])) 1 {shape}h",
];

fn shapes_match(setup: Setup, hello: Option<&str>) {
    let (proxy, server) = (setup.proxy(), Server::single(setup.kind));
    let (mut proxied, mut direct) = (proxy.client(), server.client());
    for client in [&mut proxied, &mut direct] {
        hello.map(|hello| client.run(hello));
        client.run("DEL {shape}h {shape}z {shape}s {shape}l {shape}t {shape}x {shape}g {shape}f");
        assert!(client.pipeline(FILL).iter().all(|reply| !reply.is_error()));
    }
    for line in ASK {
        assert_eq!(proxied.run(line).sorted(), direct.run(line).sorted(), "{line}");
    }
}

// One test after another: they share their keys.
everywhere! {
    fn shapes_are_those_of_a_node(setup) {
        static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        shapes_match(setup, None);
        shapes_match(setup, Some("HELLO 3"));
        shapes_match(setup, Some("HELLO 2"));
        drop(turn);
    }

    fn clients_of_both_versions_side_by_side_keep_theirs(setup) {
        let proxy = setup.proxy();
        let (mut old, mut new) = (proxy.client(), proxy.client3());
        let key = setup.key("sides");
        old.run(&format!("HSET {key} a 1"));
        let pair = vec![Value::bulk("a"), Value::bulk("1")];
        for _ in 0..50 {
            assert_eq!(old.run(&format!("HGETALL {key}")), Value::Array(pair.clone()));
            assert_eq!(new.run(&format!("HGETALL {key}")), Value::Map(pair.clone()));
            assert_eq!(old.run("GET sides:none"), Value::Nil);
            assert_eq!(new.run("GET sides:none"), Value::Null);
        }
    }

    fn merged_replies_have_the_shape_of_their_version(setup) {
        let proxy = setup.proxy();
        let absent = ["MGET", "shape:a", "shape:b", "shape:c"];
        assert_eq!(proxy.client().request(&absent), Value::Array(vec![Value::Nil; 3]));
        assert_eq!(proxy.client3().request(&absent), Value::Array(vec![Value::Null; 3]));
    }
}

with_1_and_4_workers! {
    fn every_type_a_node_can_utter_passes_byte_for_byte(threads) {
        let cluster = FakeCluster::start(1);
        let proxy = Proxy::before(&cluster.seeds(), threads, &[]);
        let mut client = proxy.client3();
        let frames: &[&[u8]] = &[
            b"(3492890328409238509324850943850943825024385\r\n",
            b"=15\r\ntxt:Some string\r\n",
            b"!11\r\nERR\r\nbinary\r\n",
            b",inf\r\n",
            b",nan\r\n",
            b",-1.5e10\r\n",
            b"#t\r\n",
            b"#f\r\n",
            b"_\r\n",
            b"*0\r\n",
            b"%0\r\n",
            b"~0\r\n",
            b"*2\r\n%1\r\n+k\r\n~2\r\n:1\r\n*1\r\n_\r\n$0\r\n\r\n",
            b"$-1\r\n",
            b"*-1\r\n",
            b":-9223372036854775808\r\n",
            b"%1\r\n*1\r\n:1\r\n=4\r\ntxt:\r\n",
            b"|1\r\n+ttl\r\n:3600\r\n$5\r\nvalue\r\n",
            b"*2\r\n:1\r\n|1\r\n+a\r\n+b\r\n:2\r\n",
        ];
        for frame in frames {
            cluster.on(0, "GET odd", Act::Reply(frame.to_vec()));
            client.send(&["GET", "odd"]);
            let mut got = client.raw_reply();
            if got.starts_with(b"|") {
                got.extend(client.raw_reply());
            }
            assert_eq!(got.escape_ascii().to_string(), frame.escape_ascii().to_string());
        }
        assert_eq!(client.run("SET odd 1"), Value::ok());
    }

    fn a_push_is_no_reply(threads) {
        let cluster = FakeCluster::start(1);
        let proxy = Proxy::before(&cluster.seeds(), threads, &[]);
        let mut client = proxy.client3();
        client.run("SET a 1");
        cluster.on(0, "GET a", Act::Reply(b">2\r\n+invalidate\r\n*1\r\n$1\r\na\r\n$1\r\n1\r\n".to_vec()));
        client.send(&["GET", "a"]);
        client.send(&["GET", "a"]);
        let mut replies = Vec::new();
        while replies.len() < 2 {
            let reply = client.reply();
            if !matches!(reply, Value::Push(_)) {
                replies.push(reply);
            }
        }
        assert_eq!(replies, [Value::bulk("1"), Value::bulk("1")]);
        assert_eq!(client.run("PING").text(), "PONG");
    }
}
