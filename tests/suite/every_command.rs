//! Every command that the newest servers name, through the proxy and to one server: the same reply, or a
//! difference that stands here with its reason.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{Client, Cluster, Kind, Proxy, Value, server::Server};

/// Calls of every command; its head tells the form.
const SAMPLES: &str = include_str!("../every_command.txt");

/// What the proxy does with each command.
const PAGE: &str = include_str!("../../docs/commands.md");

/// How far a reply may differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Accept {
    /// In what it says, not in its type.
    Text,
    /// The proxy answers what one server refuses or answers otherwise.
    Served,
    /// The proxy, or the node, answers with an error.
    Error,
    /// Whether it is done now is the server's to say.
    Any,
}

/// Each difference with its reason; a name that ends with `*` stands for all that begin like it.
const DIFFERENT: &[(&str, Accept, &str)] = &[
    ("ACL GENPASS", Accept::Text, "it is random"),
    ("BGREWRITEAOF", Accept::Any, "one that still runs is told of"),
    ("BGSAVE", Accept::Any, "one that still runs is told of"),
    ("SAVE", Accept::Any, "a background save that still runs forbids it"),
    ("ASKING", Accept::Served, "cluster clients work through the proxy too"),
    ("CLUSTER *", Accept::Served, "the proxy shows itself as a cluster of one node"),
    ("READONLY", Accept::Served, "cluster clients work through the proxy too"),
    ("READWRITE", Accept::Served, "cluster clients work through the proxy too"),
    ("CLIENT ID", Accept::Text, "each server counts for itself"),
    ("CLIENT INFO", Accept::Text, "it tells of this connection"),
    ("CLIENT LIST", Accept::Text, "it tells of these connections"),
    ("COMMAND", Accept::Text, "the table is of both kinds of servers; its replies have a test of their own"),
    ("COMMAND COUNT", Accept::Text, "the table is of both kinds of servers"),
    ("COMMAND DOCS", Accept::Text, "arguments and history are left out"),
    ("COMMAND INFO", Accept::Text, "the table is of both kinds of servers"),
    ("COMMAND LIST", Accept::Text, "the table is of both kinds of servers"),
    ("CLIENT HELP", Accept::Text, "it lists what is served"),
    ("COMMAND HELP", Accept::Text, "it lists what is served"),
    ("COMMANDLOG GET", Accept::Text, "it is of the proxy's own clients"),
    ("COMMANDLOG HELP", Accept::Text, "it lists what is served"),
    ("COMMANDLOG LEN", Accept::Text, "it is of the proxy's own clients"),
    ("CONFIG HELP", Accept::Text, "it lists what is served"),
    ("PUBSUB HELP", Accept::Text, "it lists what is served"),
    ("HELLO", Accept::Text, "it tells of this server"),
    ("INFO", Accept::Text, "it tells of the proxy"),
    ("LASTSAVE", Accept::Text, "it is a time"),
    ("LATENCY HISTOGRAM", Accept::Text, "it is of the proxy's own figures"),
    ("LOLWUT", Accept::Text, "the picture is the proxy's"),
    ("MEMORY MALLOC-STATS", Accept::Text, "it tells of the nodes"),
    ("MEMORY STATS", Accept::Text, "it tells of the nodes"),
    ("MEMORY USAGE", Accept::Text, "a key takes other room in a cluster's tables"),
    ("MOVE", Accept::Error, "a cluster has one database unless it is told otherwise"),
    ("ROLE", Accept::Text, "the proxy replicates nothing, so its offset is 0"),
    ("SLOWLOG GET", Accept::Text, "it is of the proxy's own clients"),
    ("SLOWLOG HELP", Accept::Text, "it lists what is served"),
    ("SLOWLOG LEN", Accept::Text, "it is of the proxy's own clients"),
    ("SCAN", Accept::Text, "cursors are the proxy's own; its pages have a test of their own"),
    ("TIME", Accept::Text, "it passes"),
    ("WAITAOF", Accept::Text, "the least of all primaries, when something was written to each"),
    ("XINFO CONSUMERS", Accept::Text, "it tells for how long a consumer is idle"),
    ("VINFO", Accept::Text, "ids of vectors count all that a server ever made"),
    ("VLINKS", Accept::Text, "levels of links are random"),
];

fn accepted(name: &str) -> Option<Accept> {
    let fits =
        |pattern: &str| pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start));
    DIFFERENT.iter().find(|(pattern, ..)| fits(pattern)).map(|(_, accept, _)| *accept)
}

/// What the page says of each command: `GET` passes.
fn page() -> BTreeMap<&'static str, &'static str> {
    let rows = PAGE.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    rows.map(|(name, rest)| (name, rest.split_once(" |").map_or("", |(kind, _)| kind))).collect()
}

/// One server, a cluster of its kind, and the proxy in front.
struct Pair {
    proxy: Proxy,
    single: Server,
    _cluster: Cluster,
    /// Name and arity of each command and subcommand of the server, containers too.
    arities: BTreeMap<String, i64>,
    containers: BTreeSet<String>,
    page: BTreeMap<&'static str, &'static str>,
}

impl Pair {
    fn start(kind: Kind, threads: usize) -> Self {
        let cluster = Cluster::start(kind, 3, 0);
        let proxy = Proxy::of(&cluster, threads, &["--admin-commands"]);
        let single = Server::single(kind);
        let (arities, containers) = (BTreeMap::new(), BTreeSet::new());
        let mut pair = Self { proxy, single, _cluster: cluster, arities, containers, page: page() };
        let reply = pair.single.client().run("COMMAND");
        reply.items().iter().for_each(|entry| pair.learn(entry));
        pair
    }

    fn learn(&mut self, entry: &Value) {
        let fields = entry.items();
        let name = fields[0].text().replace('|', " ").to_uppercase();
        let subcommands = fields[9].items();
        if !subcommands.is_empty() {
            self.containers.insert(name.clone());
        }
        self.arities.insert(name, fields[1].integer());
        subcommands.iter().for_each(|entry| self.learn(entry));
    }

    /// Whether the page says that the command of this name is not served.
    fn refuses(&self, name: &str) -> bool {
        self.page.get(name) == Some(&"refused")
    }

    /// New connections to both.
    fn clients(&self, resp3: bool) -> [Client; 2] {
        let mut clients = [self.proxy.client(), self.single.client()];
        if resp3 {
            clients.iter_mut().for_each(|client| drop(client.run("HELLO 3")));
        }
        clients
    }

    fn empty(&self) {
        for mut client in self.clients(false) {
            assert_eq!(client.pipeline(&["FLUSHALL", "FUNCTION FLUSH"]), [Value::ok(), Value::ok()]);
        }
    }

    /// The command or subcommand that `words` are.
    fn name(&self, words: &[Vec<u8>]) -> String {
        let text = |word: &[u8]| String::from_utf8_lossy(word).to_uppercase();
        let first = text(&words[0]);
        match words.get(1) {
            Some(second) if self.containers.contains(&first) => format!("{first} {}", text(second)),
            _ => first,
        }
    }
}

/// The words of a request as the samples write them.
fn words(line: &str, last: &[u8]) -> Vec<Vec<u8>> {
    let word = |word: &str| match word {
        "\"\"" => Vec::new(),
        "{last}" => last.to_vec(),
        word => word.replace("\\s", " ").replace("\\n", "\n").into_bytes(),
    };
    line.split(' ').map(word).collect()
}

/// The replies to all requests of a sample.
fn replies(client: &mut Client, sample: &str) -> Vec<Value> {
    let mut last = Vec::new();
    let ask = |line| {
        let reply = client.request(&words(line, &last));
        if let Value::Bulk(text) | Value::Simple(text) = &reply {
            last.clone_from(text);
        }
        reply
    };
    sample.split(" ; ").map(ask).collect()
}

fn same(got: &Value, wanted: &Value, accept: Option<Accept>) -> bool {
    match accept {
        None => got.clone().sorted() == wanted.clone().sorted(),
        Some(Accept::Text) => {
            std::mem::discriminant(got) == std::mem::discriminant(wanted) && !got.is_error()
        }
        Some(Accept::Served) => !got.is_error(),
        Some(Accept::Error) => got.is_error(),
        Some(Accept::Any) => !got.text().contains("is not served"),
    }
}

/// What is wrong with the reply to the last request of `sample`, if anything is.
fn difference(pair: &Pair, sample: &str, resp3: bool) -> Option<String> {
    let name = pair.name(&words(sample.split(" ; ").last()?, b""));
    if !pair.arities.contains_key(&name) {
        return None;
    }
    let [mut proxied, mut single] = pair.clients(resp3);
    if pair.refuses(&name) {
        let reply = proxied.request(&words(sample, b""));
        let told = reply.is_error() && reply.text().contains(&format!("{name} is not served by slotway: "));
        return (!told).then(|| format!("{sample}: the page says refused, the reply is {reply:?}"));
    }
    pair.empty();
    let (got, wanted) = (replies(&mut proxied, sample), replies(&mut single, sample));
    let (got, wanted) = (got.last()?, wanted.last()?);
    let fits = same(got, wanted, accepted(&name));
    (!fits).then(|| format!("{sample} (RESP{})\n   got {got:?}\n  want {wanted:?}", 2 + u8::from(resp3)))
}

fn samples() -> impl Iterator<Item = &'static str> {
    SAMPLES.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[track_caller]
fn none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

fn valid_calls(kind: Kind, threads: usize) {
    let pair = Pair::start(kind, threads);
    let sampled: BTreeSet<String> =
        samples().filter_map(|sample| Some(pair.name(&words(sample.split(" ; ").last()?, b"")))).collect();
    for name in pair.arities.keys() {
        assert!(pair.page.contains_key(name.as_str()), "{name} is not in docs/commands.md");
        assert!(
            pair.containers.contains(name) || sampled.contains(name),
            "{name} is not in every_command.txt"
        );
    }
    let mut wrong = Vec::new();
    for resp3 in [false, true] {
        wrong.extend(samples().filter_map(|sample| difference(&pair, sample, resp3)));
    }
    none(&wrong);
}

/// Calls with one argument too few and one too many.
fn wrong_calls(name: &str, arity: i64) -> Vec<Vec<String>> {
    let words: Vec<String> = name.split(' ').map(str::to_owned).collect();
    let least = usize::try_from(arity.abs()).expect("a small number");
    let most = (arity > 0).then_some(least + 1);
    let lengths = [Some(least - 1), most].into_iter().flatten().filter(|&length| length >= words.len());
    lengths
        .map(|length| words.iter().cloned().chain(std::iter::repeat("x".to_owned())).take(length).collect())
        .collect()
}

fn calls_of_wrong_length(kind: Kind, threads: usize) {
    let pair = Pair::start(kind, threads);
    let mut wrong = Vec::new();
    for resp3 in [false, true] {
        let [mut proxied, mut single] = pair.clients(resp3);
        for (name, &arity) in &pair.arities {
            for call in wrong_calls(name, arity) {
                let (got, wanted) = (proxied.request(&call), single.request(&call));
                // Where the two kinds of servers want other lengths, the table takes both.
                let refused = pair.refuses(name) && got.is_error() && got.text().contains("is not served");
                if !got.is_error() || (got != wanted && !refused) {
                    wrong.push(format!("{call:?}\n   got {got:?}\n  want {wanted:?}"));
                }
            }
        }
    }
    none(&wrong);
}

#[test]
fn every_command_is_answered_as_by_one_redis() {
    valid_calls(Kind::Redis82, 1);
}

#[test]
fn every_command_is_answered_as_by_one_valkey() {
    valid_calls(Kind::Valkey, 4);
}

#[test]
fn every_command_of_the_wrong_length_is_answered_as_by_one_redis() {
    calls_of_wrong_length(Kind::Redis82, 4);
}

#[test]
fn every_command_of_the_wrong_length_is_answered_as_by_one_valkey() {
    calls_of_wrong_length(Kind::Valkey, 1);
}
