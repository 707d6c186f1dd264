//! The command table, the key extraction, the error texts and the `COMMAND` replies, compared with live
//! servers: the system's Redis, and the newest Redis and Valkey, of which the table was made.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::print_stdout, reason = "what is skipped must be seen")]

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command as Process, Stdio},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use slotway::{
    command::{self, Begin, Command, Find, KeyFlags, KeySpec, Keys},
    local,
    resp::{Protocol, ReplyWriter, Request, Span, Value, encode_request, parse},
};

/// Samples for `COMMAND GETKEYS`, one request a line.
#[path = "suite/support/programs.rs"]
mod programs;

const SAMPLES: &str = include_str!("command_samples.txt");

/// A server of our own and a connection to it; the server ends with it.
struct Server {
    process: Child,
    stream: TcpStream,
    version: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    /// 1. A test looks with a listener whether a port is free.
    /// 2. Another starts its server meanwhile: until that process runs the program it holds the listener too.
    /// 3. The first connects to its own server, reaches that listener, and is reset when the program runs.
    ///
    /// So they start one after another.
    fn start(program: &Path) -> Self {
        static STARTS: Mutex<()> = Mutex::new(());
        let one_at_a_time = STARTS.lock().unwrap_or_else(PoisonError::into_inner);
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let port_arg = port.to_string();
        let args = ["--port", &port_arg, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
        let process = Process::new(program)
            .args(args)
            .current_dir(std::env::temp_dir())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        drop(one_at_a_time);
        let deadline = Instant::now() + Duration::from_secs(10);
        let stream = loop {
            match TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
                Ok(stream) => break stream,
                Err(error) => assert!(Instant::now() < deadline, "{}: {error}", program.display()),
            }
            std::thread::yield_now();
        };
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut server = Self { process, stream, version: String::new() };
        let facts = server.ask(&["INFO", "server"]);
        let facts = facts.as_str().unwrap().to_owned();
        let fact = |name: &str| facts.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
        server.version = fact("valkey_version:")
            .map(|v| format!("Valkey {v}"))
            .or_else(|| fact("redis_version:").map(|v| format!("Redis {v}")))
            .unwrap();
        server
    }

    fn ask(&mut self, args: &[&str]) -> Value {
        let mut bytes = Vec::new();
        encode_request(&mut bytes, args);
        self.stream.write_all(&bytes).unwrap();
        bytes.clear();
        let mut chunk = vec![0; 1 << 20];
        loop {
            let read = self.stream.read(&mut chunk).unwrap();
            assert!(read > 0, "the server closed the connection");
            bytes.extend_from_slice(&chunk[..read]);
            if let Some((value, len)) = parse(&bytes).unwrap() {
                assert_eq!(len, bytes.len());
                return value;
            }
        }
    }

    /// Whether it is one of those whose words the table was made of.
    fn is_newest(&self) -> bool {
        self.version.starts_with("Redis 8.2.") || self.version.starts_with("Valkey 9.1.")
    }
}

fn with_each_server(test: impl Fn(&mut Server)) {
    for program in [programs::redis(), programs::valkey(), programs::redis_82()] {
        test(&mut Server::start(&program));
    }
}

struct Owned {
    frame: Vec<u8>,
    args: Vec<Span>,
}

impl Owned {
    fn new(words: &[&str]) -> Self {
        let (mut frame, mut args) = (Vec::new(), Vec::new());
        encode_request(&mut frame, words);
        let mut at = 3 + words.len().to_string().len();
        for word in words {
            at += 3 + word.len().to_string().len();
            args.push(Span { start: at.try_into().unwrap(), len: word.len().try_into().unwrap() });
            at += word.len() + 2;
        }
        Self { frame, args }
    }

    fn request(&self) -> Request<'_> {
        Request::new(&self.frame, &self.args)
    }
}

/// What slotway answers to a `COMMAND` request, or the error for a request that is no command.
fn own_answer(words: &[&str], protocol: Protocol) -> Value {
    let (owned, mut out) = (Owned::new(words), Vec::new());
    let mut reply = ReplyWriter::new(&mut out, protocol);
    match command::resolve(&owned.request()) {
        Ok(_) => local::command::reply(&owned.request(), &mut Keys::default(), &mut reply),
        Err(error) => error.write(&owned.request(), &mut reply),
    }
    parse(&out).unwrap().unwrap().0
}

/// All commands and subcommands of a reply to `COMMAND`, module commands left out.
fn entries(reply: &Value) -> Vec<Vec<Value>> {
    let mut found = Vec::new();
    for entry in reply.as_array().unwrap() {
        let fields = entry.as_array().unwrap();
        if !fields[2].as_array().unwrap().iter().any(|flag| flag.as_str() == Some("module")) {
            found.extend(entries(fields.get(9).unwrap_or(&Value::Array(vec![]))));
            found.push(fields.to_vec());
        }
    }
    found
}

fn in_table(name: &str) -> Option<&'static Command> {
    let (container, subcommand) = name.split_once('|').map_or((name, None), |(c, s)| (c, Some(s)));
    let command = command::lookup(container.as_bytes())?;
    subcommand.map_or(Some(command), |name| command.subcommand(name.as_bytes()))
}

#[test]
fn the_table_has_every_command_with_its_arity_flags_and_keys() {
    with_each_server(|server| {
        for entry in entries(&server.ask(&["COMMAND"])) {
            let name = entry[0].as_str().unwrap();
            let ours = in_table(name).unwrap_or_else(|| panic!("{}: {name} is missing", server.version));
            let arity = entry[1].as_integer().unwrap();
            for argc in 1..20_i64 {
                let accepted = if arity < 0 { argc >= -arity } else { argc == arity };
                let by_us = ours.spec.accepts(usize::try_from(argc).unwrap());
                assert!(by_us || !accepted, "{}: {name} with {argc} arguments", server.version);
            }
            if server.is_newest() {
                let flags: Vec<_> = ours.flags.names().collect();
                for flag in entry[2].as_array().unwrap() {
                    assert!(flags.contains(&flag.as_str().unwrap()), "{}: {name} {flag:?}", server.version);
                }
            }
            let places = |specs: &[KeySpec]| specs.iter().map(place).collect::<Vec<_>>();
            let theirs = command::discovered::from_command_info(&Value::Array(entry.clone())).unwrap();
            assert_eq!(places(ours.key_specs), places(theirs.key_specs), "{}: {name}", server.version);
            assert_eq!(ours.read_only(), theirs.read_only(), "{}: {name}", server.version);
        }
    });
}

/// Where keys are; keywords are compared in one case.
fn place(spec: &KeySpec) -> (Option<String>, Begin, Find, bool) {
    let not_key = spec.flags.has(KeyFlags::NOT_KEY);
    match spec.begin {
        Begin::Keyword(word, from) => {
            (Some(word.to_ascii_lowercase()), Begin::Keyword("", from), spec.find, not_key)
        }
        begin => (None, begin, spec.find, not_key),
    }
}

#[test]
fn keys_are_those_that_servers_find() {
    with_each_server(|server| {
        let mut compared = 0;
        for line in SAMPLES.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let words: Vec<&str> = line.split(' ').map(|w| if w == "\"\"" { "" } else { w }).collect();
            let getkeys = [&["COMMAND", "GETKEYS"], &words[..]].concat();
            let theirs = server.ask(&getkeys);
            // A command it does not know; or one word, which was too little before 7.2.
            let cannot = ["ERR Invalid command", "ERR wrong number of arguments for 'command|getkeys'"];
            if theirs.as_error().is_some_and(|text| cannot.iter().any(|start| text.starts_with(start))) {
                continue;
            }
            assert_eq!(own_answer(&getkeys, Protocol::Resp2), theirs, "{}: {line}", server.version);
            compared += 1;
        }
        println!("{}: {compared} requests", server.version);
        assert!(compared > 100);
    });
}

#[test]
fn what_is_no_command_gets_the_server_s_words() {
    let long = "x".repeat(100);
    with_each_server(|server| {
        for words in [
            &["GET"][..],
            &["get", "a", "b"],
            &["nosuch"],
            &["NoSuch", "a", "b\r\nc"],
            &["nosuch", &long, &long, "c"],
            &["nosuch", &long, &long[..20], "c", "d"],
            &[&long, "a"],
            &["config"],
            &["Config", "nosuch"],
            &["CONFIG", "nosuch", "x"],
            &["config", "GET"],
            &["OBJECT", "ENCODING"],
            &["XGROUP", "CREATE", "k"],
        ] {
            assert_eq!(own_answer(words, Protocol::Resp2), server.ask(words), "{}", server.version);
        }
    });
}

/// A value as text in which order does not count where servers keep none: in sets, in maps and in lists of
/// entries. Fields that slotway leaves out are left out.
fn unordered(value: &Value) -> String {
    const LEFT_OUT: [&str; 5] = ["arguments", "history", "doc_flags", "deprecated_since", "replaced_by"];
    let mut shown: Vec<String> = match value {
        Value::Set(values) | Value::Array(values) => values.iter().map(unordered).collect(),
        Value::Map(pairs) => pairs
            .iter()
            .filter(|(key, _)| !key.as_str().is_some_and(|key| LEFT_OUT.contains(&key)))
            .map(|(key, value)| format!("{}={}", unordered(key), unordered(value)))
            .collect(),
        Value::Bulk(bytes) => return String::from_utf8_lossy(bytes).into_owned(),
        other => return format!("{other:?}"),
    };
    // An empty list is a set for one kind of server and an array for the other.
    let kind = match value {
        Value::Set(values) if !values.is_empty() => "set",
        Value::Map(_) => "map",
        _ => "array",
    };
    shown.sort();
    format!("{kind}[{}]", shown.join(", "))
}

#[test]
fn command_replies_have_the_server_s_shapes() {
    with_each_server(|server| {
        if !server.is_newest() {
            return println!("{}: older than the table", server.version);
        }
        server.ask(&["HELLO", "3"]);
        for words in [
            &[
                "COMMAND",
                "INFO",
                "get",
                "zadd",
                "nosuch",
                "config|get",
                "xgroup",
                "sort",
                "xread",
                "zunionstore",
            ][..],
            &["COMMAND", "INFO", "SET", "eval", "migrate", "spublish", "acl"],
            &["COMMAND", "DOCS", "get", "nosuch", "config|get", "xgroup", "nosuch2"],
            &["COMMAND", "LIST", "FILTERBY", "PATTERN", "zad*"],
            &["COMMAND", "LIST", "FILTERBY", "MODULE", "nosuch"],
            &["COMMAND", "LIST", "FILTERBY", "x", "y"],
            &["COMMAND", "LIST", "FILTERBY"],
            &["COMMAND", "INFO"],
            &["COMMAND", "DOCS", "nosuch"],
        ] {
            let (ours, theirs) = (own_answer(words, Protocol::Resp3), server.ask(words));
            if words.len() == 2 {
                let type_of = |value: &Value| std::mem::discriminant(&value.as_array().unwrap()[0]);
                assert_eq!(type_of(&ours), type_of(&theirs));
            } else {
                assert_eq!(unordered(&ours), unordered(&theirs), "{} {words:?}", server.version);
            }
        }
        server.ask(&["HELLO", "2"]);
        for words in [
            &["COMMAND", "INFO", "nosuch"][..],
            &["COMMAND", "DOCS", "nosuch"],
            &["COMMAND", "GETKEYS", "EVAL", "s", "0"],
            &["COMMAND", "GETKEYS"],
            &["COMMAND", "nosuch"],
        ] {
            assert_eq!(own_answer(words, Protocol::Resp2), server.ask(words), "{} {words:?}", server.version);
        }
        let count = own_answer(&["COMMAND", "COUNT"], Protocol::Resp2).as_integer().unwrap();
        assert!(count >= 250, "{count}");
    });
}
