//! Seeded random requests, each reply compared with that of one server without a cluster.

use std::{
    env,
    time::{Duration, Instant},
};

use crate::support::{
    Client, Kind, Proxy, Random, Setup, Value, encode, everywhere,
    server::Server,
    templates::{TEMPLATES, UNORDERED},
};

/// Pipelines per test and the most steps of one.
const ROUNDS: usize = 25;
const LENGTH: usize = 120;

/// Different hash tags in use at one time.
const TAGS: usize = 6;

/// Words of what Redis 6.2 lacks, or looks at later: slotway knows it, and so it is refused at EXEC instead of when
/// it is queued, or the other way round.
const NEWER_THAN_62: &[&str] = &[
    "SINTERCARD",
    "LMPOP",
    "ZMPOP",
    "ZINTERCARD",
    "EVAL_RO",
    "EVALSHA_RO",
    "SORT_RO",
    "LCS",
    "BLMPOP",
    "EXPIREAT",
    "PEXPIREAT",
    "OBJECT",
];

type Args = Vec<Vec<u8>>;

/// A request, and whether the order of its reply's elements says nothing.
struct Asked {
    args: Args,
    unordered: bool,
}

fn arguments(random: &mut Random, tag: usize, template: &str) -> Args {
    let seed = random.seed();
    let mut word = |word: &str| match word {
        "K" => format!("{{{seed}:{tag}}}:{}", random.below(3)).into_bytes(),
        "L" => format!("{{{seed}:{tag}}}:{}", 3 + random.below(2)).into_bytes(),
        "K2" => format!("{{{seed}:{}}}:{}", random.below(6), random.below(3)).into_bytes(),
        "K3" => format!("{seed}:far:{}", random.below(50)).into_bytes(),
        // Servers sort by what the locale makes of a string up to its first NUL: none may be like another to it.
        "V" => [&b"v"[..], b"", b"two words", b"\r\n", b"\xff\x00", b"3"][random.below(6)].to_vec(),
        "N" => random.below(9).to_string().into_bytes(),
        "N-1" => format!("{}-1", random.below(1_000)).into_bytes(),
        other => other.as_bytes().to_vec(),
    };
    template.split(' ').map(&mut word).collect()
}

fn plain(line: &str) -> Asked {
    Asked { args: line.split(' ').map(|word| word.as_bytes().to_vec()).collect(), unordered: false }
}

fn one(random: &mut Random, tag: usize) -> Asked {
    let unordered = random.below(12) == 0;
    let template = random.pick(if unordered { UNORDERED } else { TEMPLATES });
    Asked { args: arguments(random, tag, template), unordered }
}

/// A transaction on keys of one slot; sometimes watched, sometimes discarded, sometimes wrong.
fn transaction(random: &mut Random, kind: Kind, requests: &mut Vec<Asked>) {
    let newer = if kind == Kind::Redis62 { NEWER_THAN_62 } else { &[] };
    let tag = random.below(TAGS);
    if random.below(4) == 0 {
        requests.push(Asked { args: arguments(random, tag, "WATCH K L"), unordered: false });
        requests.push(Asked { args: arguments(random, tag, "INCRBY K N"), unordered: false });
    }
    requests.push(plain("MULTI"));
    for _ in 0..random.below(6) {
        let template = loop {
            let template = random.pick(TEMPLATES);
            // Keys of other slots can't take part, SCRIPT is for all nodes, and what newer servers alone know is
            // refused by older ones at EXEC instead of when it is queued.
            let mut odd = ["K2", "K3", "SCRIPT", "WITHSCORE"].iter().chain(newer);
            if !odd.any(|odd| template.split(' ').any(|word| word == *odd)) {
                break template;
            }
        };
        requests.push(Asked { args: arguments(random, tag, template), unordered: false });
    }
    requests.push(plain(if random.below(8) == 0 { "DISCARD" } else { "EXEC" }));
}

fn pipeline(random: &mut Random, kind: Kind) -> Vec<Asked> {
    let mut requests = Vec::new();
    for _ in 0..=random.below(LENGTH) {
        if random.below(20) == 0 {
            transaction(random, kind, &mut requests);
        } else {
            let tag = random.below(TAGS);
            requests.push(one(random, tag));
        }
    }
    requests
}

/// Sends one random pipeline to both and compares the replies; how many there were.
fn compare_once(random: &mut Random, kind: Kind, [proxied, single]: &mut [Client; 2]) -> usize {
    let requests = pipeline(random, kind);
    let bytes: Vec<u8> = requests.iter().flat_map(|asked| encode(&asked.args)).collect();
    proxied.send_raw(&bytes);
    single.send_raw(&bytes);
    for (index, Asked { args, unordered }) in requests.iter().enumerate() {
        let (got, wanted) = (proxied.reply(), single.reply());
        let shown = |args: &Args| args.iter().map(|arg| arg.escape_ascii().to_string()).collect::<Vec<_>>();
        let before: Vec<_> = requests[..index].iter().rev().take(8).map(|asked| shown(&asked.args)).collect();
        // Where servers before 7.0 have texts of their own.
        let refused = || kind == Kind::Redis62 && got.is_error() && is_old(&wanted);
        assert!(
            same(&got, &wanted, *unordered) || refused(),
            "SLOTWAY_TEST_SEED={}: {:?}\n got {got:?}\nwant {wanted:?}\nbefore it, last first: {before:?}",
            random.seed(),
            shown(args),
        );
    }
    requests.len()
}

/// Whether it is an error in words that only servers before 7.0 use.
fn is_old(error: &Value) -> bool {
    let old =
        ["unknown command `", "Unknown subcommand or wrong number of", "wrong number of arguments for MSET"];
    old.iter().any(|old| error.text().contains(old))
}

/// Sets and maps have no order of their own, nor have the arrays that stand for them.
fn same(got: &Value, wanted: &Value, unordered: bool) -> bool {
    let plain = |value: &Value| match value {
        Value::Array(items) if unordered => Value::Set(items.clone()).sorted(),
        other => other.clone().sorted(),
    };
    plain(got) == plain(wanted)
}

/// Clients of the proxy and of one server, of the same protocol version.
fn pair(proxy: &Proxy, server: &Server, resp3: bool) -> [Client; 2] {
    let mut single = server.client();
    if !resp3 {
        return [proxy.client(), single];
    }
    single.run("HELLO 3");
    [proxy.client3(), single]
}

/// Compares the replies of `proxy` with those of `server`, which is of `kind`; how many there were.
pub(crate) fn compare_with(proxy: &Proxy, server: &Server, kind: Kind, resp3: bool) -> usize {
    // A new seed each time, and so new keys.
    let (mut clients, mut random) = (pair(proxy, server, resp3), Random::new());
    (0..ROUNDS).map(|_| compare_once(&mut random, kind, &mut clients)).sum()
}

fn compare(setup: Setup, resp3: bool) {
    compare_with(&setup.proxy(), &Server::single(setup.kind), setup.kind, resp3);
}

everywhere! {
    fn random_pipelines_are_answered_as_by_one_server(setup) {
        compare(setup, false);
    }

    fn random_pipelines_in_resp3_are_answered_as_by_one_server(setup) {
        compare(setup, true);
    }
}

/// How long `make soak` goes on: `SLOTWAY_TEST_SOAK` seconds, at most a day.
fn soak_time() -> Duration {
    let seconds = env::var("SLOTWAY_TEST_SOAK").map_or(Ok(60), |text| text.parse::<u64>());
    Duration::from_secs(seconds.expect("SLOTWAY_TEST_SOAK is a number of seconds").min(86_400))
}

#[test]
#[ignore = "as long as one wishes: make soak"]
#[expect(clippy::print_stderr, reason = "a long run tells how far it came")]
fn soak() {
    let end = Instant::now() + soak_time();
    let setups = [(Kind::Redis, 1), (Kind::Valkey, 4)].map(|(kind, threads)| Setup { kind, threads });
    let grounds = setups.map(|setup| (setup.kind, setup.proxy(), Server::single(setup.kind)));
    let mut count = 0;
    while Instant::now() < end {
        for (kind, proxy, server) in &grounds {
            for resp3 in [false, true] {
                count += compare_with(proxy, server, *kind, resp3);
            }
        }
        eprintln!("soak: {count} replies compared");
    }
}
