//! Servers that are older than those of most tests.

use crate::{
    against_single::compare_with,
    support::{Client, Cluster, Kind, Proxy, Value, eventually, server::Server},
};

/// What depends on nothing but what is said here.
const LINES: &[&str] = &[
    "HELLO 9",
    "SET a 1",
    "MSET a 1 b 2 c 3",
    "MGET a b c d",
    "MULTI",
    "INCR {t}a",
    "INCR {t}a",
    "EXEC",
    "WATCH {t}a",
    "MULTI",
    "GET {t}a",
    "EXEC",
    "SCRIPT LOAD return(7)",
    "SCRIPT EXISTS ffffffffffffffffffffffffffffffffffffffff",
    "EVAL return(redis.call('get',KEYS[1])) 1 a",
    "SCRIPT FLUSH",
    "FCALL f 0",
    "FUNCTION LIST",
    "BLPOP list 0.01",
    "RPUSH list 1 2",
    "BLPOP list other 1",
    "BLMPOP 0.01 1 list LEFT",
    "BZPOPMIN none 0.01",
    "XADD stream 1-1 f v",
    "XREAD BLOCK 10 STREAMS stream 0",
    "XGROUP CREATE stream group 0",
    "XREADGROUP GROUP group me BLOCK 10 STREAMS stream >",
    "WAIT 0 10",
    "SUBSCRIBE channel",
    "UNSUBSCRIBE channel",
    "PUBSUB NUMSUB channel",
    // Redis 6.2 has no such channels: what it says of that was told as a node that cannot be reached.
    "PUBSUB SHARDNUMSUB channel",
    "SPUBLISH channel 1",
    "KEYS nothing*",
    "DBSIZE",
    "SADD s1 a b",
    "SADD s2 b c",
    "SINTER s1 s2",
    "SUNIONSTORE s3 s1 s2",
    "ZADD z1 1 a 2 b",
    "ZRANGESTORE z2 z1 0 0",
    "PFADD p1 a",
    "PFMERGE p3 p1 p2",
    "PFCOUNT p1 p3",
    "CONFIG GET maxmemory-policy",
    "CLIENT TRACKING ON",
    "CLIENT TRACKINGINFO",
    "CLIENT TRACKING OFF",
    "MEMORY USAGE nothing",
    "OBJECT FREQ nothing",
    "ACL WHOAMI",
    "FLUSHALL",
    "DBSIZE",
    "RESET",
];

fn is_served(kind: Kind) {
    let (cluster, server) = (Cluster::start(kind, 3, 0), Server::single(kind));
    let proxy = Proxy::of(&cluster, 2, &["--cross-slot", "--admin-commands"]);
    for version in ["HELLO 2", "HELLO 3"] {
        let (mut proxied, mut direct) = (proxy.client(), server.client());
        for line in [version].iter().chain(LINES) {
            let (got, wanted) = (proxied.run(line), direct.run(line));
            assert!(
                line.starts_with("HELLO") || got.clone().sorted() == wanted.clone().sorted(),
                "{line}\n got {got:?}\nwant {wanted:?}"
            );
        }
    }
    for resp3 in [false, true] {
        compare_with(&proxy, &server, kind, resp3);
    }
    scans(&mut proxy.client());
    listens_and_tracks(&proxy);
}

fn scans(client: &mut Client) {
    client.run("FLUSHALL");
    for n in 0..300 {
        client.run(&format!("SET scanned:{n} {n}"));
    }
    let (mut cursor, mut found) = ("0".to_owned(), 0);
    for _ in 0..1_000 {
        let page = client.run(&format!("SCAN {cursor} COUNT 20"));
        (cursor, found) = (page.items()[0].text(), found + page.items()[1].items().len());
        if cursor == "0" {
            break;
        }
    }
    assert!(cursor == "0" && found >= 300, "{found} keys");
}

fn listens_and_tracks(proxy: &Proxy) {
    let (mut listens, mut tracks, mut writer) = (proxy.client(), proxy.client3(), proxy.client());
    assert!(!listens.run("SUBSCRIBE channel").is_error());
    eventually("the message goes out", || (writer.run("PUBLISH channel m").integer() > 0).then_some(()));
    assert_eq!(listens.reply().items()[2], Value::bulk("m"));
    assert_eq!(tracks.run("CLIENT TRACKING ON"), Value::ok());
    tracks.run("GET tracked");
    writer.run("SET tracked 1");
    assert_eq!(tracks.reply().items()[0], Value::bulk("invalidate"));
}

#[test]
fn redis_6_2_is_served() {
    is_served(Kind::Redis62);
}

#[test]
fn valkey_8_1_is_served() {
    is_served(Kind::Valkey81);
}
