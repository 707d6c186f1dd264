//! Seeded random requests, each reply compared with that of one server without a cluster.

use crate::support::{Client, Kind, Random, Setup, Value, encode, everywhere, server::Server};

/// Pipelines per test and requests per pipeline.
const ROUNDS: usize = 25;
const LENGTH: usize = 60;

type Args = Vec<Vec<u8>>;

/// Requests whose replies depend on nothing but the keys; `K` is a key, `L` another of the same slot, `V` a value, `N` a number.
const TEMPLATES: &[&str] = &[
    "GET K",
    "SET K V",
    "SET K N",
    "SETNX K V",
    "SETEX K 1000 V",
    "GETSET K V",
    "GETDEL K",
    "APPEND K V",
    "STRLEN K",
    "SETRANGE K N V",
    "GETRANGE K 0 N",
    "INCR K",
    "INCRBY K N",
    "DECR K",
    "INCRBYFLOAT K 1.5",
    "SETBIT K N 1",
    "GETBIT K N",
    "BITCOUNT K",
    "BITPOS K 1",
    "DEL K",
    "DEL K K2",
    "UNLINK K K2",
    "EXISTS K",
    "EXISTS K K2 K",
    "TOUCH K K2",
    "TYPE K",
    "EXPIRE K 1000",
    "PERSIST K",
    "RENAME K L",
    "COPY K L REPLACE",
    "MGET K K2",
    "MGET K K2 K3",
    "MSET K V K2 V",
    "MSET K V K2 V K3 N",
    "LPUSH K V V",
    "RPUSH K V",
    "LPOP K",
    "RPOP K N",
    "LRANGE K 0 -1",
    "LLEN K",
    "LINDEX K N",
    "LSET K 0 V",
    "LINSERT K BEFORE V V",
    "LREM K 0 V",
    "LTRIM K 0 N",
    "LPOS K V",
    "RPOPLPUSH K L",
    "LMOVE K L LEFT RIGHT",
    "LMPOP 2 K L LEFT",
    "SADD K V V",
    "SREM K V",
    "SCARD K",
    "SISMEMBER K V",
    "SMISMEMBER K V N",
    "SMOVE K L V",
    "SINTERCARD 2 K L",
    "HSET K V V",
    "HGET K V",
    "HDEL K V",
    "HLEN K",
    "HEXISTS K V",
    "HMGET K V N",
    "HINCRBY K N N",
    "HSTRLEN K V",
    "ZADD K N V",
    "ZADD K INCR N V",
    "ZSCORE K V",
    "ZRANK K V",
    "ZCARD K",
    "ZRANGE K 0 -1",
    "ZRANGE K 0 -1 WITHSCORES",
    "ZCOUNT K -inf +inf",
    "ZINCRBY K N V",
    "ZREM K V",
    "ZPOPMIN K",
    "ZUNIONSTORE L 2 K L",
    "ZRANGEBYSCORE K 0 N WITHSCORES",
    "ZMSCORE K V N",
    "GEOADD K 13.3 38.1 V",
    "GEOPOS K V",
    "GEOHASH K V",
    "PFADD K V",
    "PFCOUNT K",
    "BITOP NOT L K",
    "SORT K",
    "SORT K DESC STORE L",
    "XADD K N-1 V V",
    "XLEN K",
    "XRANGE K - +",
    "XDEL K N-1",
    "XTRIM K MAXLEN N",
    "EVAL return(ARGV[1]) 1 K V",
    "EVAL return(KEYS[1]) 0",
    "EVAL return{1,{2,KEYS[1]},false} 1 K",
    "OBJECT ENCODING K",
    "OBJECT REFCOUNT K",
    "LCS K L",
    "GET",
    "GET K K",
    "SET K",
    "NOSUCH K V",
    "HSET K V",
    "OBJECT",
    "OBJECT NOSUCH K",
    "ECHO V",
    "PING V",
    "LMPOP 0 K LEFT",
    "GETEX K PERSIST",
    "XGROUP CREATE K V $ MKSTREAM",
    "XINFO GROUPS K",
    "ZADD K nan V",
    "SET K V XX GET",
    "SUBSTR K 0 N",
];

fn arguments(random: &mut Random, template: &str) -> Args {
    let tag = random.below(6);
    let seed = random.seed();
    let mut word = |word: &str| match word {
        "K" => format!("{{{seed}:{tag}}}:{}", random.below(3)).into_bytes(),
        "L" => format!("{{{seed}:{tag}}}:{}", 3 + random.below(2)).into_bytes(),
        "K2" => format!("{{{seed}:{}}}:{}", random.below(6), random.below(3)).into_bytes(),
        "K3" => format!("{seed}:far:{}", random.below(50)).into_bytes(),
        "V" => [&b"v"[..], b"", b"two words", b"\r\n", b"\x00\xff", b"3"][random.below(6)].to_vec(),
        "N" => random.below(9).to_string().into_bytes(),
        "N-1" => format!("{}-1", random.below(1_000)).into_bytes(),
        other => other.as_bytes().to_vec(),
    };
    template.split(' ').map(&mut word).collect()
}

fn pipeline(random: &mut Random) -> Vec<Args> {
    let mut requests = Vec::new();
    for _ in 0..LENGTH {
        let template = random.pick(TEMPLATES);
        requests.push(arguments(random, template));
    }
    requests
}

fn compare(random: &mut Random, proxied: &mut Client, single: &mut Client) {
    for _ in 0..ROUNDS {
        let requests = pipeline(random);
        let bytes: Vec<u8> = requests.iter().flat_map(|args| encode(args)).collect();
        proxied.send_raw(&bytes);
        single.send_raw(&bytes);
        for args in &requests {
            let (got, wanted) = (proxied.reply(), single.reply());
            let shown: Vec<_> = args.iter().map(|arg| arg.escape_ascii().to_string()).collect();
            assert!(same(&got, &wanted), "seed {}: {shown:?}\n got {got:?}\nwant {wanted:?}", random.seed());
        }
    }
}

/// Sets and maps have no order of their own.
fn same(got: &Value, wanted: &Value) -> bool {
    got.clone().sorted() == wanted.clone().sorted()
}

everywhere! {
    fn random_pipelines_are_answered_as_by_one_server(setup) {
        let (proxy, server) = (setup.proxy(), Server::single(setup.kind));
        compare(&mut Random::new(), &mut proxy.client(), &mut server.client());
    }

    fn random_pipelines_in_resp3_are_answered_as_by_one_server(setup) {
        let (proxy, server) = (setup.proxy(), Server::single(setup.kind));
        let mut single = server.client();
        single.run("HELLO 3");
        compare(&mut Random::new(), &mut proxy.client3(), &mut single);
    }
}
