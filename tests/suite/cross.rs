//! Commands on keys of many slots with `--cross-slot`, compared with one server without a cluster.

use std::thread;

use crate::support::{
    Act, FakeCluster, Kind, Proxy, Random, Setup, Value, crosswise, everywhere, server::Server,
    with_1_and_4_workers,
};

const FLAG: &[&str] = &["--cross-slot"];

/// What is compared line by line; `%` stands before each key.
const DIALOGUE: &[&str] = &[
    "SADD %s1 a b c",
    "SADD %s2 b c d",
    "SADD %s3 c 1",
    "ZADD %z1 1 a 2.5 b -inf c",
    "ZADD %z2 3 b 0.1 c 17179869184.5 d",
    "SET %str abc",
    "SET %str2 xyzw",
    "RPUSH %l 3 1 2",
    "SUNION %s1 %s2 %s3",
    "SINTER %s1 %s2 %s3",
    "SDIFF %s1 %s2 %none",
    "SDIFF %none %s1",
    "SUNION %none %none2",
    "SINTERCARD 2 %s1 %s2",
    "SINTERCARD 2 %s1 %s2 LIMIT 1",
    "SINTERCARD 2 %s1 %s2 LIMIT -1",
    "SUNION %s1 %str",
    "SUNION %str %s1",
    "SUNION %s1 %z1",
    "SUNIONSTORE %d %s1 %s2",
    "SMEMBERS %d",
    "SINTERSTORE %d %d %s3",
    "SMEMBERS %d",
    "SDIFFSTORE %d %none %s1",
    "EXISTS %d",
    "SUNIONSTORE %str %s1 %s2",
    "TYPE %str",
    "SET %str abc",
    "SUNIONSTORE %d %s1 %str",
    "EXISTS %d",
    "ZUNION 2 %z1 %z2",
    "ZUNION 2 %z1 %z2 WITHSCORES",
    "ZUNION 3 %z1 %z2 %s1 WEIGHTS 2 0.5 10 AGGREGATE MAX WITHSCORES",
    "ZINTER 2 %z1 %s1 WITHSCORES",
    "ZINTER 2 %z1 %z2 AGGREGATE MIN WITHSCORES",
    "ZDIFF 2 %z2 %z1 WITHSCORES",
    "ZDIFF 2 %z2 %z1",
    "ZINTERCARD 2 %z1 %z2",
    "ZUNION 2 %z1 %str",
    "ZUNION 2 %z1 %z2 WEIGHTS 1",
    "ZUNION 2 %z1 %z2 FOO",
    "ZUNIONSTORE %zd 2 %z1 %z2 WEIGHTS 1 3",
    "ZRANGE %zd 0 -1 WITHSCORES",
    "ZINTERSTORE %zd 2 %z1 %none",
    "EXISTS %zd",
    "ZDIFFSTORE %zd 2 %z1 %z2",
    "ZRANGESTORE %zd %z1 0 -1",
    "ZRANGE %zd 0 -1 WITHSCORES",
    "PFADD %h1 a b c",
    "PFADD %h2 c d",
    "PFCOUNT %h1 %h2 %none",
    "PFMERGE %h3 %h1 %h2",
    "PFCOUNT %h3",
    "PFCOUNT %h1 %str",
    "PFMERGE %h1 %h2",
    "PFCOUNT %h1",
    "BITOP AND %bits %str %str2",
    "GET %bits",
    "BITOP XOR %bits %str %none %str2",
    "BITOP NOT %bits %str",
    "GET %bits",
    "BITOP NOT %bits %str %str2",
    "BITOP OR %bits %str %l",
    "GET %bits",
    "LCS %str %str2 IDX",
    "SORT %l STORE %sorted",
    "LRANGE %sorted 0 -1",
    "GEOADD %geo 13.36 38.11 p 15.08 37.5 c",
    "GEOSEARCHSTORE %near %geo FROMLONLAT 15 37 BYRADIUS 100 km",
    "ZRANGE %near 0 -1",
    "GEORADIUS %geo 15 37 200 km STORE %near",
    "ZRANGE %near 0 -1",
    "SET %ttl v PX 100000000",
    "COPY %ttl %copy",
    "COPY %ttl %copy",
    "COPY %z1 %copy",
    "COPY %z1 %copy REPLACE DB 0",
    "ZRANGE %copy 0 -1 WITHSCORES",
    "COPY %ttl %copy REPLACE",
    "EXPIRETIME %copy",
    "COPY %none %copy REPLACE",
    "GET %copy",
    "COPY %ttl %copy DB 99",
    "COPY %ttl %copy FOO",
    "RENAME %none %copy",
    "RENAME %z1 %renamed",
    "EXISTS %z1",
    "ZRANGE %renamed 0 -1 WITHSCORES",
    "RENAME %ttl %renamed",
    "EXPIRETIME %renamed",
    "TTL %ttl",
    "LMPOP 3 %none %l %str LEFT COUNT 2",
    "LMPOP 2 %none %none2 LEFT",
    "LMPOP 2 %none %str LEFT",
    "ZMPOP 2 %none %z2 MAX",
    "RPUSH %l 1 2 3 4 5",
    "BLPOP %none %l 0",
    "BRPOP %none %l 1",
    "BLPOP %none %none2 0.02",
    "BLPOP %none %str %l 0",
    "BLPOP %none %l x",
    "BLPOP %none %l -1",
    "BLMPOP 0 2 %none %l LEFT COUNT 2",
    "BLMPOP 0.02 2 %none %none2 LEFT",
    "BZPOPMIN %none %z2 0",
    "BZPOPMAX %none %z2 0",
    "BZPOPMAX %none %z2 0.02",
    "ZADD %z2 1 a 2 b 3 c",
    "BZMPOP 0 2 %none %z2 MIN COUNT 2",
    "XADD %x1 1-1 f v",
    "XADD %x1 1-2 f v",
    "XADD %x2 2-1 g w",
    "XREAD STREAMS %x1 %x2 %none 0 0 0",
    "XREAD COUNT 1 STREAMS %x1 %x2 0 5",
    "XREAD COUNT 1 BLOCK 0 STREAMS %none %x1 %x2 0 0 0",
    "XREAD STREAMS %x1 %x2 $ $",
    "XREAD BLOCK 20 STREAMS %x1 %x2 %none $ $ $",
    "XREAD BLOCK 20 STREAMS %str %x1 $ $",
    "XREAD STREAMS %none %str 0 0",
    "XREAD BLOCK x STREAMS %x1 %x2 0 0",
    "XGROUP CREATE %x1 g 0",
    "XGROUP CREATE %x2 g 0",
    "XREADGROUP GROUP g c COUNT 1 STREAMS %x1 %x2 > >",
    "XREADGROUP GROUP g c STREAMS %x1 %x2 > >",
    "XREADGROUP GROUP g c BLOCK 20 STREAMS %x1 %x2 > >",
    "XREADGROUP GROUP g c STREAMS %x1 %x2 0 0",
    "SUNION %s1",
    "SUNION",
];

/// Replies without an order of their own have none.
fn same(line: &str, got: Value, wanted: Value) -> bool {
    let unordered = ["SUNION", "SINTER", "SDIFF", "SMEMBERS"].iter().any(|name| line.starts_with(name));
    let sorted = |value: Value| match value {
        Value::Array(mut items) if unordered => {
            items.sort();
            Value::Array(items)
        }
        other => other.sorted(),
    };
    sorted(got) == sorted(wanted)
}

fn pairs(setup: Setup) -> (Proxy, Server) {
    (setup.proxy_with(FLAG), Server::single(setup.kind))
}

everywhere! {
    fn a_dialogue_is_that_of_a_single_server(setup) {
        let (proxy, server) = pairs(setup);
        for version in ["2", "3"] {
            let (mut proxied, mut direct) = (proxy.client(), server.client());
            let greeting = format!("HELLO {version}");
            assert!(!proxied.run(&greeting).is_error() && !direct.run(&greeting).is_error());
            for template in DIALOGUE {
                let line = template.replace('%', &setup.key(format!("cross{version}:")));
                let (got, wanted) = (proxied.run(&line), direct.run(&line));
                assert!(same(&line, got.clone(), wanted.clone()), "{line}\n got {got:?}\nwant {wanted:?}");
            }
        }
    }

    fn a_stream_in_error_hides_no_entries(setup) {
        let proxy = setup.proxy_with(FLAG);
        let mut client = proxy.client();
        let key = setup.key("hides:");
        client.run(&format!("XADD {key}x 1-1 f v"));
        client.run(&format!("SET {key}str s"));
        assert_eq!(client.run(&format!("XREAD STREAMS {key}x {key}str 0 0")).items().len(), 1);
        assert!(client.run(&format!("XREAD STREAMS {key}str {key}x 0 0")).text().starts_with("WRONGTYPE "));
    }

    fn nothing_is_left_behind(setup) {
        let proxy = setup.proxy_with(FLAG);
        let mut client = proxy.client();
        let key = setup.key("left:");
        client.run(&format!("SADD {key}a 1 2"));
        client.run(&format!("SADD {key}b 2 3"));
        assert_eq!(client.run(&format!("SUNIONSTORE {key}c {key}a {key}b")).integer(), 3);
        assert_eq!(client.run(&format!("RENAME {key}a {key}d")), Value::ok());
        assert_eq!(client.run("KEYS slotway:copy:*").items(), []);
        assert_eq!(client.run(&format!("KEYS {key}*")).items().len(), 3);
    }

    fn what_comes_before_and_behind_keeps_its_order(setup) {
        let proxy = setup.proxy_with(FLAG);
        let mut client = proxy.client();
        let key = setup.key("order:");
        for round in 0..20 {
            let lines = [
                format!("DEL {key}a {key}b {key}c"), format!("SADD {key}a {round}"), format!("SADD {key}b x"),
                format!("SUNIONSTORE {key}c {key}a {key}b"), format!("SCARD {key}c"), format!("SREM {key}c x"),
                format!("RENAME {key}c {key}a"), format!("SMEMBERS {key}a"),
            ];
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let replies = client.pipeline(&lines);
            let wanted = format!("[:1, :1, :2, :2, :1, +OK, *[${round}]]");
            assert_eq!(format!("{:?}", &replies[1..]), wanted);
        }
    }

    fn what_promises_too_much_is_refused_by_name(setup) {
        let proxy = setup.proxy_with(FLAG);
        let mut client = proxy.client();
        for line in ["MSETNX a 1 b 2", "RENAMENX a b", "SMOVE a b x", "LMOVE a b LEFT LEFT", "RPOPLPUSH a b",
            "BLMOVE a b LEFT LEFT 0", "BRPOPLPUSH a b 0"]
        {
            let name = line.split(' ').next().unwrap();
            let text = client.run(line).text();
            assert!(text.starts_with(&format!("CROSSSLOT {name} is not served")), "{text}");
        }
        for line in ["EVAL return(1) 2 a b", "WATCH a b"] {
            assert_eq!(client.run(line), Value::error("CROSSSLOT Keys in request don't hash to the same slot"));
        }
        let replies = client.pipeline(&["MULTI", "SET a 1", "SUNION a b", "EXEC"]);
        assert!(replies[2].text().starts_with("CROSSSLOT ") && replies[3].text().starts_with("EXECABORT "));
    }

    fn a_copy_that_failed_is_read_by_no_command(setup) {
        let server = Server::single(setup.kind);
        let mut client = server.client();
        client.run("SET str s");
        client.run("SADD set s");
        client.run("ZADD zset 1 s");
        client.run("PFADD hll s");
        client.run("GEOADD geo 1 1 s");
        client.run("HSET decoy 0 0");
        for line in ["SUNION set %", "SINTER set %", "SDIFF set %", "SINTERCARD 2 set %", "SUNIONSTORE set set %",
            "SINTERSTORE set set %", "SDIFFSTORE set set %", "ZUNION 2 zset %", "ZINTER 2 zset %", "ZDIFF 2 zset %",
            "ZINTERCARD 2 zset %", "ZUNIONSTORE zset 2 zset %", "ZINTERSTORE zset 2 zset %",
            "ZDIFFSTORE zset 2 zset %", "ZRANGESTORE zset % 0 -1", "PFCOUNT hll %", "PFMERGE hll %",
            "BITOP OR str str %", "LCS str %", "SORT % STORE set", "GEORADIUS % 1 1 1 km STORE zset",
            "GEORADIUSBYMEMBER % s 1 km STORE zset", "GEOSEARCHSTORE zset % FROMMEMBER s BYRADIUS 1 km"]
        {
            let reply = client.run(&line.replace('%', "decoy"));
            assert!(reply.is_error(), "{line}: {reply:?}");
        }
        assert_eq!(client.run("SMEMBERS set").items(), [Value::bulk("s")]);
        assert_eq!(client.run("ZRANGE zset 0 -1").items(), [Value::bulk("s")]);
    }

    fn no_write_is_lost_by_a_rename(setup) {
        const WRITES: i64 = 300;
        let proxy = setup.proxy_with(FLAG);
        let key = setup.key("rename:");
        let (mut writer, source) = (proxy.client(), format!("{key}from"));
        writer.run(&format!("INCR {source}"));
        let writing = {
            let line = format!("INCR {source}");
            thread::spawn(move || (1..WRITES).for_each(|_| assert!(!writer.run(&line).is_error())))
        };
        let mut client = proxy.client();
        let mut moved = 0;
        while !writing.is_finished() {
            let reply = client.run(&format!("RENAME {source} {key}to"));
            if reply == Value::ok() {
                moved += client.run(&format!("GETDEL {key}to")).text().parse::<i64>().unwrap();
            } else {
                assert_eq!(reply, Value::error("ERR no such key"));
            }
        }
        writing.join().unwrap();
        let rest = client.run(&format!("GET {source}"));
        let rest = if rest == Value::Nil { 0 } else { rest.text().parse().unwrap() };
        assert_eq!(moved + rest, WRITES);
    }
}

/// Random commands; `K` is a key of any type, `S` a set, `Z` a sorted set, `D` a key that is written.
const TEMPLATES: &[&str] = &[
    "SADD S V V",
    "SREM S V",
    "ZADD Z N V N V",
    "ZREM Z V",
    "SET D V",
    "DEL D",
    "PFADD P V V",
    "RPUSH L V V",
    "SUNION S S S",
    "SINTER S S K",
    "SDIFF S S S",
    "SINTERCARD 2 S S LIMIT N",
    "SUNIONSTORE D S S",
    "SINTERSTORE D S K",
    "SDIFFSTORE D S S",
    "ZUNION 2 Z Z WITHSCORES",
    "ZUNION 3 Z Z S WEIGHTS N 0.1 -2 AGGREGATE MIN WITHSCORES",
    "ZINTER 2 Z Z WITHSCORES",
    "ZDIFF 2 Z Z WITHSCORES",
    "ZINTERCARD 2 Z K",
    "ZUNIONSTORE D 2 Z Z",
    "ZINTERSTORE D 2 Z S AGGREGATE MAX",
    "ZDIFFSTORE D 2 Z K",
    "ZRANGESTORE D Z 0 N",
    "PFCOUNT P P P",
    "PFMERGE P P",
    "BITOP XOR D D D",
    "COPY K D",
    "COPY K D REPLACE",
    "RENAME K D",
    "TYPE D",
    "SMEMBERS D",
    "ZRANGE D 0 -1 WITHSCORES",
    "GET D",
    "LMPOP 3 L K L LEFT",
    "ZMPOP 2 Z Z MIN COUNT 2",
    "BLPOP L L L 0.001",
    "LLEN L",
];

fn random_line(random: &mut Random, prefix: &str) -> String {
    let template = random.pick(TEMPLATES);
    let mut word = |word: &str| {
        let any = ["s", "z", "d", "p", "l"][random.below(5)];
        let kind = match word {
            "K" => any,
            "S" => "s",
            "Z" => "z",
            "D" => "d",
            "P" => "p",
            "L" => "l",
            "V" => return ["a", "b", "c", "1", "22", "-3"][random.below(6)].to_owned(),
            "N" => return random.below(4).to_string(),
            other => return other.to_owned(),
        };
        format!("{prefix}{kind}{}", random.below(4))
    };
    template.split(' ').map(&mut word).collect::<Vec<_>>().join(" ")
}

crosswise! {
    fn random_commands_are_answered_as_by_one_server(setup) {
        let (proxy, server) = pairs(setup);
        for version in ["2", "3"] {
            let (mut proxied, mut direct, mut random) = (proxy.client(), server.client(), Random::new());
            proxied.run(&format!("HELLO {version}"));
            direct.run(&format!("HELLO {version}"));
            let prefix = format!("{}{version}:", random.seed());
            for _ in 0..500 {
                let line = random_line(&mut random, &prefix);
                let (got, wanted) = (proxied.run(&line), direct.run(&line));
                let same = same(&line, got.clone(), wanted.clone());
                assert!(same, "seed {}: {line}\n got {got:?}\nwant {wanted:?}", random.seed());
            }
        }
    }
}

/// Two keys of different nodes of two.
fn two_keys(cluster: &FakeCluster) -> [String; 2] {
    [0, 1].map(|node| (0..).map(|n| format!("key:{n}")).find(|key| cluster.owner(key) == node).unwrap())
}

with_1_and_4_workers! {
    fn what_is_too_large_is_not_brought(threads) {
        let cluster = FakeCluster::start(2);
        let proxy = Proxy::before(&cluster.seeds(), threads, FLAG);
        let mut client = proxy.client();
        let [a, b] = two_keys(&cluster);
        cluster.always(1, "DUMP", Act::reply("$67109000"));
        for line in [format!("SUNION {a} {b}"), format!("RENAME {b} {a}")] {
            let text = client.run(&line).text();
            assert!(text.contains("too large"), "{text}");
        }
        assert_eq!(client.run(&format!("SET {b} 1")), Value::ok());
    }

    fn a_request_without_its_copies_has_their_error(threads) {
        let cluster = FakeCluster::start(2);
        let proxy = Proxy::before(&cluster.seeds(), threads, FLAG);
        let mut client = proxy.client();
        let [a, b] = two_keys(&cluster);
        let odd = "-ERR DUMP payload version or checksum are wrong";
        cluster.always(1, "DUMP", Act::reply("$1\r\nx"));
        cluster.on(0, "EXEC", Act::reply(&format!("*4\r\n:1\r\n{odd}\r\n-WRONGTYPE x\r\n:1")));
        assert_eq!(client.run(&format!("SUNION {a} {b}")), Value::error(&odd[1..]));
        cluster.on(0, "EXEC", Act::reply("-EXECABORT Transaction discarded because of previous errors."));
        cluster.on(0, "RESTORE", Act::reply("-OOM command not allowed"));
        assert!(client.run(&format!("SUNION {a} {b}")).text().contains("OOM command not allowed"));
    }

    fn a_write_that_may_have_run_is_told_of_and_a_read_is_sent_again(threads) {
        let cluster = FakeCluster::start(2);
        let proxy = Proxy::before(&cluster.seeds(), threads, FLAG);
        let mut client = proxy.client();
        let [a, b] = two_keys(&cluster);
        cluster.always(1, "DUMP", Act::reply("$-1"));
        cluster.on(0, "EXEC", Act::Close);
        assert!(client.run(&format!("SUNIONSTORE {a} {b}")).text().contains("may have been executed"));
        cluster.on(0, "EXEC", Act::Close);
        cluster.always(0, "EXEC", Act::reply("*1\r\n*0"));
        assert_eq!(client.run(&format!("SUNION {a} {b}")).items(), []);
    }

    fn a_rename_is_done_again_if_its_source_changed_meanwhile(threads) {
        let cluster = FakeCluster::start(2);
        let proxy = Proxy::before(&cluster.seeds(), threads, &["--cross-slot", "--retry-deadline", "300ms"]);
        let mut client = proxy.client();
        let [a, b] = two_keys(&cluster);
        cluster.always(1, "DUMP", Act::reply("$1\r\nx"));
        cluster.always(1, "PEXPIRETIME", Act::reply(":-1"));
        cluster.on(1, "EXEC", Act::reply("*-1"));
        cluster.on(1, "EXEC", Act::reply("*1\r\n:1"));
        assert_eq!(client.run(&format!("RENAME {b} {a}")), Value::ok());
        assert_eq!(cluster.count(0, "RESTORE"), 2);
        cluster.on(0, "RESTORE", Act::reply("-OOM x"));
        assert_eq!(client.run(&format!("RENAME {b} {a}")), Value::error("OOM x"));
        cluster.always(1, "EXEC", Act::reply("*-1"));
        assert!(client.run(&format!("RENAME {b} {a}")).text().contains("kept changing"));
    }
}
