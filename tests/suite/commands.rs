//! Which commands go where, and what the proxy says itself.

use redis::cluster_routing::Slot;

use crate::support::{
    Act, FakeCluster, Kind, Proxy, Setup, Value, crosswise, everywhere, server::Server, with_1_and_4_workers,
};

/// Refused for now, each naming the command.
const NOT_YET: &[&str] =
    &["SCRIPT DEBUG YES", "SWAPDB 0 1", "SHUTDOWN", "SYNC", "DEBUG SLEEP 0", "SAVE", "REPLICAOF NO ONE"];

/// Refused in the same words whether or not a node is asked.
const WRONG: &[&str] = &[
    "NOSUCH",
    "NOSUCH a b c",
    "nosuch 'x' \"y\"",
    "GET",
    "GET a b",
    "SET a",
    "CONFIG",
    "CONFIG NOSUCH",
    "CONFIG GET",
    "CLIENT",
    "CLIENT NOSUCH",
    "OBJECT",
    "OBJECT ENCODING",
    "OBJECT NOSUCH a",
    "XGROUP CREATE",
    "PING a b",
    "ECHO",
    "ECHO a b",
    "HELLO 3 x",
    "EVAL x",
    "COMMAND NOSUCH",
    "TIME x",
    "COMMAND GETKEYS GET",
    "COMMAND GETKEYS NOSUCH",
    "COMMAND GETKEYS PING",
    "CLIENT REPLY",
    "CLIENT ID x",
    "READONLY x",
    "HSET a b",
];

everywhere! {
    fn what_a_later_version_serves_is_refused_by_name(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        for line in NOT_YET {
            let (reply, name) = (client.run(line), line.split(' ').next().unwrap().to_lowercase());
            assert!(reply.is_error() && reply.text().to_lowercase().contains(&name), "{line}: {reply:?}");
        }
        assert_eq!(client.run("PING").text(), "PONG");
    }

    fn wrong_requests_get_the_texts_of_a_node(setup) {
        // The words are those of the newest servers, and differ a little in the older one.
        let (proxy, server) = (setup.proxy(), Server::single(Kind::Valkey));
        let (mut proxied, mut direct) = (proxy.client(), server.client());
        for line in WRONG {
            assert_eq!(proxied.run(line), direct.run(line), "{line}");
        }
        let long: String = "NOSUCH ".to_owned() + &"x".repeat(200) + " y " + &"z".repeat(50);
        assert_eq!(proxied.run(&long), direct.run(&long));
        let odd = [&b"NO\r\nSUCH"[..], b"a\r\nb", b"\x00\xff"];
        assert_eq!(proxied.request(&odd), direct.request(&odd));
    }

    fn keys_are_found_where_the_command_has_them(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        let tag = setup.key("where");
        for line in [
            "SET {t}s 1",
            "OBJECT ENCODING {t}s",
            "MEMORY USAGE {t}s",
            "XGROUP CREATE {t}x g $ MKSTREAM",
            "XREADGROUP GROUP g c STREAMS {t}x >",
            "XREAD COUNT 1 STREAMS {t}x 0",
            "EVAL return(KEYS[2]) 2 {t}a {t}b",
            "ZADD {t}z 1 m",
            "ZUNION 2 {t}z {t}y",
            "ZUNIONSTORE {t}u 2 {t}z {t}y",
            "GEOADD {t}g 13 38 m",
            "GEORADIUS {t}g 13 38 9 km STORE {t}v",
            "RPUSH {t}l 2 1",
            "SORT {t}l STORE {t}m",
            "LMPOP 2 {t}none {t}l LEFT",
            "BITOP AND {t}d {t}s {t}s",
            "SINTERCARD 2 {t}e {t}f",
            "LCS {t}s {t}s",
            "COPY {t}s {t}c",
            "SMOVE {t}e {t}f x",
            "EVAL return(1) 0",
            "PFMERGE {t}p {t}q",
            "ZRANGESTORE {t}r {t}z 0 -1",
            "SET {t}s 2 EX 100 GET",
            "GETEX {t}s EX 100",
            "HSET {t}h f v",
            "HSCAN {t}h 0",
            "OBJECT HELP",
            "XINFO STREAM {t}x",
        ] {
            let line = line.replace("{t}", &format!("{{{tag}}}"));
            let reply = client.run(&line);
            assert!(!reply.is_error(), "{line}: {reply:?}");
        }
    }

    fn the_proxy_presents_itself_as_one_node_with_every_slot(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        let info = client.run("CLUSTER INFO").text();
        assert!(info.contains("cluster_state:ok") && info.contains("cluster_slots_assigned:16384"), "{info}");
        let id = client.run("CLUSTER MYID").text();
        assert_eq!(id.len(), 40);
        let slots = client.run("CLUSTER SLOTS");
        let range = slots.items()[0].items();
        assert_eq!((slots.items().len(), range[0].integer(), range[1].integer()), (1, 0, 16383));
        assert_eq!(range[2].items()[1].integer(), i64::from(proxy.port));
        assert_eq!(range[2].items()[2].text(), id);
        let nodes = client.run("CLUSTER NODES").text();
        assert!(
            nodes.starts_with(&id)
                && nodes.contains("myself")
                && nodes.contains(" 0-8191\n")
                && nodes.contains(" 8192-16383\n"),
            "{nodes}"
        );
        assert_eq!(client.run("CLUSTER SHARDS").items().len(), 1);
        assert_eq!(client.run("CLUSTER KEYSLOT name"), Value::Integer(5798));
        client.run("SET {count}a 1");
        let slot = client.run("CLUSTER KEYSLOT {count}").integer();
        assert!(client.run(&format!("CLUSTER COUNTKEYSINSLOT {slot}")).integer() >= 1);
        for line in ["READONLY", "READWRITE", "ASKING"] {
            assert_eq!(client.run(line), Value::ok(), "{line}");
        }
    }

    fn keys_in_a_slot_are_told_by_its_owner(setup) {
        let (proxy, mut direct) = (setup.proxy(), crate::support::Cluster::shared(setup.kind).client(0));
        let (mut client, key) = (proxy.client(), setup.key("{inaslot}"));
        client.run(&format!("SET {key} 1"));
        let slot = client.run(&format!("CLUSTER KEYSLOT {key}")).integer();
        let keys = client.run(&format!("CLUSTER GETKEYSINSLOT {slot} 100"));
        assert!(keys.items().contains(&Value::bulk(&key)), "{keys:?}");
        for line in ["GETKEYSINSLOT -1 1", "GETKEYSINSLOT x 1", "GETKEYSINSLOT 16384 1", "GETKEYSINSLOT 1 -1",
            "GETKEYSINSLOT 1 x", "GETKEYSINSLOT 1", "COUNTKEYSINSLOT 16384", "COUNTKEYSINSLOT x"]
        {
            let line = format!("CLUSTER {line}");
            assert_eq!(client.run(&line), direct.run(&line), "{line}");
        }
    }

    fn what_is_done_to_keys_is_told_as_by_a_server(setup) {
        setup.talks_like_one_server(&["GET k", "SET k v", "SET k v GET", "SET k v EX 9 get", "BITFIELD k GET u8 0",
            "BITFIELD k SET u8 0 1", "SORT k BY x STORE d", "SORT k GET x", "LMOVE a b LEFT LEFT", "COPY a b",
            "MIGRATE h 1 k 0 9", "MIGRATE h 1  0 9 KEYS a b", "ZUNIONSTORE d 2 a b", "EVAL x 2 a b", "PING x",
            "XREAD STREAMS a b 0 0", "XADD s * a b", "MSET a 1 b 2", "OBJECT ENCODING k", "nosuch k", "GET a b",
            "GEORADIUS k 0 0 1 m STORE d"]
            .map(|line| format!("COMMAND GETKEYSANDFLAGS {line}")).each_ref().map(String::as_str));
    }

    fn slots_are_those_of_the_cluster(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        let mut node = crate::support::Cluster::shared(setup.kind).client(0);
        let mut random = crate::support::Random::new();
        let mut keys: Vec<Vec<u8>> = (0..100).map(|_| random.bytes(30)).collect();
        keys.extend(
            ["", "{}", "{}a", "a{}{b}", "{a}{b}", "a{b", "a}b{c}", "{{a}}", "a{b}c"]
                .map(|key| key.as_bytes().to_vec()),
        );
        for key in keys {
            let request = [&b"CLUSTER"[..], b"KEYSLOT", &key];
            let wanted = node.request(&request);
            assert_eq!(client.request(&request), wanted, "{}", key.escape_ascii());
            assert_eq!(wanted.integer(), i64::from(crate::support::slot::slot_of(&key)));
            let number = u16::try_from(wanted.integer()).unwrap();
            assert_eq!(Slot::new(number), Some(Slot::for_key(&key)));
        }
    }

    fn small_questions_are_answered_here(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        assert_eq!(client.run("PING").text(), "PONG");
        assert_eq!(client.run("PING hi"), Value::bulk("hi"));
        assert_eq!(client.run("ECHO hi"), Value::bulk("hi"));
        assert_eq!(client.run("TIME").items().len(), 2);
        assert!(!client.run("LOLWUT").is_error());
        assert!(client.run("COMMAND COUNT").integer() > 200);
        assert_eq!(client.run("COMMAND INFO get nosuch").items().len(), 2);
        assert_eq!(
            client.run("COMMAND GETKEYS MSET a 1 b 2"),
            Value::Array(vec![Value::bulk("a"), Value::bulk("b")])
        );
        assert!(client.run("COMMAND").items().len() > 200);
        assert!(!client.run("COMMAND DOCS get").is_error());
        assert!(client.run("COMMAND LIST").items().contains(&Value::bulk("get")));
        assert_eq!(client.run("CONFIG GET save").items().len(), 2);
        assert_eq!(client.run("CONFIG GET appendonly").items().len(), 2);
        for section in ["server", "clients", "stats", "commandstats", "errorstats", "latencystats", "cluster", "keyspace"] {
            let info = client.run(&format!("INFO {section}")).text().to_lowercase();
            assert!(info.starts_with(&format!("# {section}\r\n")), "{section}: {info}");
        }
        assert!(client.run("INFO").text().contains("redis_version:"));
    }
}

with_1_and_4_workers! {
    fn a_command_nobody_knows_is_asked_about_once(threads) {
        let cluster = FakeCluster::start(1);
        let info = b"*1\r\n*6\r\n$8\r\nmod.spin\r\n:-2\r\n*1\r\n+write\r\n:1\r\n:1\r\n:1\r\n".to_vec();
        cluster.always(0, "COMMAND INFO", Act::Reply(info));
        let proxy = Proxy::before(&cluster.seeds(), threads, &[]);
        for _ in 0..8 {
            assert_eq!(proxy.client().run("MOD.SPIN a b"), Value::ok());
            assert_eq!(proxy.client().run("mod.spin c"), Value::ok());
        }
        assert!(proxy.client().run("MOD.SPIN").text().contains("wrong number of arguments"));
        assert_eq!(cluster.count(0, "COMMAND INFO"), 1);
        assert_eq!(cluster.seen(0).len(), 16);
    }

    fn a_command_that_does_not_exist_is_asked_about_once(threads) {
        let cluster = FakeCluster::start(1);
        let proxy = Proxy::before(&cluster.seeds(), threads, &[]);
        for _ in 0..8 {
            let text = proxy.client().run("NO.SUCH a").text();
            assert_eq!(text, "ERR unknown command 'NO.SUCH', with args beginning with: 'a' ");
        }
        assert_eq!(cluster.count(0, "COMMAND INFO"), 1);
        assert!(cluster.seen(0).is_empty());
    }

    fn requests_behind_a_lookup_wait_their_turn(threads) {
        let cluster = FakeCluster::start(2);
        let proxy = Proxy::before(&cluster.seeds(), threads, &[]);
        let replies = proxy.client().pipeline(&["SET a 1", "NO.SUCH x", "GET a", "NO.SUCH y", "PING"]);
        assert_eq!((&replies[0], &replies[2]), (&Value::ok(), &Value::bulk("1")));
        assert!(replies[1].text().contains("'x'") && replies[3].text().contains("'y'"));
        assert_eq!(replies[4].text(), "PONG");
    }
}

crosswise! {
    fn blocking_is_a_matter_of_arguments(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        let key = setup.key("stream");
        assert!(!client.run(&format!("XADD {key} * f v")).is_error());
        assert!(!client.run(&format!("XREAD STREAMS {key} 0")).is_error());
        assert_eq!(client.run(&format!("XREAD BLOCK 1 STREAMS {key} $")), Value::NilArray);
    }
}
