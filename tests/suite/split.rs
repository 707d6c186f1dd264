//! One request over many slots: parts in parallel, one reply.

use crate::support::{Act, FakeCluster, Kind, Proxy, Setup, Value, everywhere, with_1_and_4_workers};

/// Redis's text; every server version uses it.
const CROSSSLOT: &str = "CROSSSLOT Keys in request don't hash to the same slot";

fn keys(setup: Setup, name: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| setup.key(format!("split:{name}:{n}"))).collect()
}

fn with_keys<'a>(name: &'a str, keys: &'a [String]) -> Vec<&'a str> {
    std::iter::once(name).chain(keys.iter().map(String::as_str)).collect()
}

everywhere! {
    fn many_keys_come_back_in_their_order(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        let keys = keys(setup, "order", 500);
        let pairs: Vec<&str> = keys.iter().flat_map(|key| [key.as_str(), key.as_str()]).collect();
        assert_eq!(client.request(&[&["MSET"], &pairs[..]].concat()), Value::ok());
        let values: Vec<Value> = keys.iter().map(Value::bulk).collect();
        assert_eq!(client.request(&with_keys("MGET", &keys)), Value::Array(values));
        for (name, count) in [("EXISTS", 500), ("TOUCH", 500), ("DEL", 500), ("UNLINK", 0), ("EXISTS", 0)] {
            assert_eq!(client.request(&with_keys(name, &keys)), Value::Integer(count), "{name}");
        }
        assert_eq!(client.request(&with_keys("MGET", &keys)), Value::Array(vec![Value::Nil; 500]));
    }

    fn repeated_and_absent_keys_count_as_on_one_node(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        let keys = keys(setup, "twice", 3);
        let (a, b, none) = (&keys[0], &keys[1], &keys[2]);
        client.request(&["MSET", a, "1", b, "2", a, "3"]);
        assert_eq!(client.request(&["EXISTS", a, b, a, none]), Value::Integer(3));
        let found = [Value::bulk("3"), Value::Nil, Value::bulk("2"), Value::bulk("3")];
        assert_eq!(client.request(&["MGET", a, none, b, a]), Value::Array(found.to_vec()));
        assert_eq!(client.request(&["UNLINK", a, b, a, none]), Value::Integer(2));
    }

    fn a_key_of_another_type_is_nil_as_on_one_node(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        let keys = keys(setup, "type", 2);
        client.request(&["DEL", &keys[0]]);
        client.request(&["LPUSH", &keys[0], "x"]);
        client.request(&["SET", &keys[1], "y"]);
        assert_eq!(
            client.request(&with_keys("MGET", &keys)),
            Value::Array(vec![Value::Nil, Value::bulk("y")])
        );
    }

    fn wrong_arity_is_refused_as_on_one_node(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        for (line, name) in [
            ("MGET", "mget"),
            ("DEL", "del"),
            ("MSET a", "mset"),
            ("MSET a 1 b", "mset"),
            ("MSET a 1 zz 2 b", "mset"),
        ] {
            let text = format!("ERR wrong number of arguments for '{name}' command");
            assert_eq!(client.run(line), Value::error(&text), "{line}");
        }
        assert_eq!(client.run("PING").text(), "PONG");
    }

    fn what_cannot_be_split_is_refused(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        for line in [
            "RENAME a b",
            "SINTER a b",
            "MSETNX a 1 b 2",
            "ZUNION 2 a b",
            "EVAL return(1) 2 a b",
            "LMOVE a b LEFT LEFT",
            "SORT a STORE b",
            "PFMERGE a b",
            "COPY a b",
        ] {
            assert_eq!(client.run(line), Value::error(CROSSSLOT), "{line}");
        }
        assert!(!client.run("SINTER {x}a {x}b").is_error());
    }

    fn split_requests_keep_their_place_in_a_pipeline(setup) {
        let proxy = setup.proxy();
        let mut client = proxy.client();
        let keys = keys(setup, "place", 4);
        for round in 0..100 {
            let value = round.to_string();
            client.send(&["MSET", &keys[0], &value, &keys[1], &value, &keys[2], &value]);
            client.send(&["GET", &keys[1]]);
            client.send(&with_keys("MGET", &keys));
            client.send(&with_keys("DEL", &keys));
            client.send(&["ECHO", &value]);
            assert_eq!(client.reply(), Value::ok());
            assert_eq!(client.reply(), Value::bulk(&value));
            let three = vec![Value::bulk(&value); 3];
            assert_eq!(client.reply(), Value::Array([three, vec![Value::Nil]].concat()));
            assert_eq!(client.reply(), Value::Integer(3));
            assert_eq!(client.reply(), Value::bulk(&value));
        }
    }
}

with_1_and_4_workers! {
    fn an_error_in_one_part_is_the_error_of_the_whole(threads) {
        let cluster = FakeCluster::start(3);
        let proxy = Proxy::before(&cluster.seeds(), threads, &[]);
        let mut client = proxy.client();
        let keys: Vec<String> = (0..3)
            .map(|node| (0..).map(|n| format!("k{n}")).find(|key| cluster.owner(key) == node).unwrap())
            .collect();
        for (name, oom) in [("MGET", "-OOM no memory"), ("DEL", "-NOPERM not yours"), ("EXISTS", "-ERR odd")]
        {
            cluster.on(1, name, Act::reply(oom));
            assert_eq!(client.request(&with_keys(name, &keys)), Value::error(&oom[1..]), "{name}");
            assert!(!client.request(&with_keys(name, &keys)).is_error(), "{name} again");
        }
        cluster.on(2, "MSET", Act::reply("-MISCONF disk"));
        let reply = client.request(&["MSET", &keys[0], "1", &keys[1], "2", &keys[2], "3"]);
        assert_eq!(reply, Value::error("MISCONF disk"));
    }

    fn a_redirected_part_finds_its_way(threads) {
        let cluster = FakeCluster::start(3);
        let proxy = Proxy::before(&cluster.seeds(), threads, &[]);
        let mut client = proxy.client();
        let keys: Vec<String> = (0..6).map(|n| format!("part:{n}")).collect();
        let pairs: Vec<&str> = keys.iter().flat_map(|key| [key.as_str(), key.as_str()]).collect();
        client.request(&[&["MSET"], &pairs[..]].concat());
        let (from, to) = (cluster.owner(&keys[0]), (cluster.owner(&keys[0]) + 1) % 3);
        cluster.on(from, "MGET", cluster.redirect("ASK", &keys[0], to));
        let values: Vec<Value> = keys.iter().map(Value::bulk).collect();
        assert_eq!(client.request(&with_keys("MGET", &keys)), Value::Array(values));
        assert!(cluster.seen(to).iter().any(|line| line == "ASKING"));
    }

    fn a_part_that_answers_oddly_harms_nobody(threads) {
        let cluster = FakeCluster::start(3);
        let proxy = Proxy::before(&cluster.seeds(), threads, &[]);
        let mut client = proxy.client();
        let keys: Vec<String> = (0..9).map(|n| format!("odd:{n}")).collect();
        let own = keys.iter().filter(|key| cluster.owner(key) == 1).count();
        let more = format!("*{}{}", own + 1, "\r\n:7".repeat(own + 1));
        for frame in ["*0", "+OK", ":1", "$-1", "*-1", &more] {
            cluster.on(1, "MGET", Act::reply(frame));
            let reply = client.request(&with_keys("MGET", &keys));
            assert!(reply.is_error(), "{frame}: {reply:?}");
        }
        assert!(!client.request(&with_keys("MGET", &keys)).is_error());
    }
}
