//! `COMMAND`: what slotway knows of commands, in the shapes of redis server.c `commandCommand`.

use super::{glob, help, not_served, subcommand};
use crate::{
    command::{Begin, COUNT, Command, Find, KeySpec, Keys, Spec, all, discovered, lookup},
    resp::{ReplyWriter, Request},
};

const SERVED: &[&str] = &["count", "docs", "getkeys", "getkeysandflags", "help", "info", "list"];

/// Replies to a `COMMAND` request. `keys` is scratch.
pub fn reply(request: &Request<'_>, keys: &mut Keys, reply: &mut ReplyWriter<'_>) {
    match subcommand(request).as_str() {
        "" => everything(reply),
        "count" => reply.integer(i64::try_from(COUNT).unwrap_or_default()),
        "info" if request.argc() == 2 => everything(reply),
        "info" => info(request, reply),
        "docs" => docs(request, reply),
        "list" => list(request, reply),
        "getkeys" => getkeys(request, keys, false, reply),
        "getkeysandflags" => getkeys(request, keys, true, reply),
        "help" => lookup(b"command").into_iter().for_each(|c| help(c, SERVED, reply)),
        other => not_served(&format!("command|{other}"), reply),
    }
}

/// The command or `container|subcommand` of this name, in any case.
fn find(name: &[u8]) -> Option<&'static Command> {
    let mut parts = name.splitn(2, |&b| b == b'|');
    let command = by_name(parts.next()?)?;
    match parts.next() {
        None => Some(command),
        Some(subcommand) => command.subcommand(subcommand),
    }
}

fn by_name(name: &[u8]) -> Option<&'static Command> {
    lookup(name).or_else(|| match discovered::find(name) {
        discovered::Found::Command(command) => Some(command),
        _ => None,
    })
}

fn everything(reply: &mut ReplyWriter<'_>) {
    reply.array(COUNT);
    all().iter().for_each(|command| entry(command.spec, reply));
}

fn info(request: &Request<'_>, reply: &mut ReplyWriter<'_>) {
    let names = request.args_from(2);
    reply.array(names.len());
    for name in names {
        match find(name) {
            Some(command) => entry(command.spec, reply),
            None => reply.null(),
        }
    }
}

fn entry(spec: &Spec, reply: &mut ReplyWriter<'_>) {
    reply.array(10);
    reply.bulk(spec.name.as_bytes());
    reply.integer(i64::from(spec.arity));
    marks(spec.flags.names(), "", reply);
    let (first, last, step) = spec.positions;
    [first, last, step].into_iter().for_each(|position| reply.integer(i64::from(position)));
    marks(spec.categories.names(), "@", reply);
    reply.set(spec.tips.len());
    spec.tips.iter().for_each(|tip| reply.bulk(tip.as_bytes()));
    reply.set(spec.key_specs.len());
    spec.key_specs.iter().for_each(|spec| key_spec(spec, reply));
    reply.array(spec.subcommands.len());
    spec.subcommands.iter().for_each(|subcommand| entry(subcommand, reply));
}

fn marks(names: impl Iterator<Item = &'static str> + Clone, prefix: &str, reply: &mut ReplyWriter<'_>) {
    reply.set(names.clone().count());
    names.for_each(|name| reply.simple(&format!("{prefix}{name}")));
}

fn key_spec(spec: &KeySpec, reply: &mut ReplyWriter<'_>) {
    reply.map(3 + usize::from(!spec.notes.is_empty()));
    if !spec.notes.is_empty() {
        text("notes", spec.notes, reply);
    }
    reply.bulk(b"flags");
    marks(spec.flags.names(), "", reply);
    reply.bulk(b"begin_search");
    match spec.begin {
        Begin::Index(index) => numbers("index", &[("index", index)], reply),
        Begin::Keyword(word, from) => {
            typed("keyword", 2, reply);
            text("keyword", word, reply);
            number("startfrom", from, reply);
        }
        Begin::Unknown => numbers("unknown", &[], reply),
    }
    reply.bulk(b"find_keys");
    match spec.find {
        Find::Range { last, step, limit } => {
            numbers("range", &[("lastkey", last), ("keystep", step), ("limit", limit)], reply);
        }
        Find::Keynum { count_at, first, step } => {
            numbers("keynum", &[("keynumidx", count_at), ("firstkey", first), ("keystep", step)], reply);
        }
        Find::Unknown => numbers("unknown", &[], reply),
    }
}

/// The header of `{type, spec: {..}}`; as many pairs of the inner map follow.
fn typed(kind: &str, pairs: usize, reply: &mut ReplyWriter<'_>) {
    reply.map(2);
    text("type", kind, reply);
    reply.bulk(b"spec");
    reply.map(pairs);
}

fn numbers(kind: &str, fields: &[(&str, i16)], reply: &mut ReplyWriter<'_>) {
    typed(kind, fields.len(), reply);
    fields.iter().for_each(|(name, value)| number(name, *value, reply));
}

fn number(name: &str, value: i16, reply: &mut ReplyWriter<'_>) {
    reply.bulk(name.as_bytes());
    reply.integer(i64::from(value));
}

fn text(name: &str, value: &str, reply: &mut ReplyWriter<'_>) {
    reply.bulk(name.as_bytes());
    reply.bulk(value.as_bytes());
}

fn docs(request: &Request<'_>, reply: &mut ReplyWriter<'_>) {
    if request.argc() == 2 {
        reply.map(COUNT);
        return all().iter().for_each(|command| doc(command.spec, reply));
    }
    let found = request.args_from(2).filter_map(find);
    reply.map(found.count());
    request.args_from(2).filter_map(find).for_each(|command| doc(command.spec, reply));
}

fn doc(spec: &Spec, reply: &mut ReplyWriter<'_>) {
    let fields = [
        ("summary", spec.summary),
        ("since", spec.since),
        ("group", spec.group),
        ("complexity", spec.complexity),
    ];
    let known = fields.into_iter().filter(|(_, value)| !value.is_empty());
    reply.bulk(spec.name.as_bytes());
    reply.map(known.clone().count() + usize::from(!spec.subcommands.is_empty()));
    known.for_each(|(name, value)| text(name, value, reply));
    if !spec.subcommands.is_empty() {
        reply.bulk(b"subcommands");
        reply.map(spec.subcommands.len());
        spec.subcommands.iter().for_each(|subcommand| doc(subcommand, reply));
    }
}

fn list(request: &Request<'_>, reply: &mut ReplyWriter<'_>) {
    let filter = (request.arg(2), request.arg(3), request.arg(4));
    let is = |word: &[u8], wanted: &str| word.eq_ignore_ascii_case(wanted.as_bytes());
    match filter {
        (None, ..) => names(reply, |_| true),
        (Some(filterby), Some(kind), Some(wanted)) if is(filterby, "filterby") && request.argc() == 5 => {
            if is(kind, "module") {
                // Which module a command is of no server tells.
                reply.array(0);
            } else if is(kind, "aclcat") {
                names(reply, |spec| spec.categories.names().any(|name| is(wanted, name)));
            } else if is(kind, "pattern") {
                names(reply, |spec| glob::matches(wanted, spec.name.as_bytes()));
            } else {
                reply.error("ERR syntax error");
            }
        }
        _ => reply.error("ERR syntax error"),
    }
}

/// The names of the commands and subcommands that are `wanted`.
fn names(reply: &mut ReplyWriter<'_>, wanted: impl Fn(&Spec) -> bool) {
    let with_subcommands = |c: &'static Command| std::iter::once(c.spec).chain(c.spec.subcommands);
    let found: Vec<&Spec> = all().iter().flat_map(with_subcommands).filter(|spec| wanted(spec)).collect();
    reply.array(found.len());
    found.iter().for_each(|spec| reply.bulk(spec.name.as_bytes()));
}

fn getkeys(request: &Request<'_>, keys: &mut Keys, with_flags: bool, reply: &mut ReplyWriter<'_>) {
    let inner = request.tail(2).and_then(|inner| Some((inner, inner_command(&inner)?)));
    let Some((inner, command)) = inner else { return reply.error("ERR Invalid command specified") };
    match command.listed_keys(&inner, keys) {
        Err(text) => reply.error(text),
        Ok(()) if with_flags => {
            reply.array(keys.len());
            for (index, flags) in keys.iter().zip(command.key_flags(&inner, keys)) {
                reply.array(2);
                reply.bulk(inner.arg(index).unwrap_or_default());
                marks(flags.names(), "", reply);
            }
        }
        Ok(()) => {
            reply.array(keys.len());
            keys.iter().for_each(|index| reply.bulk(inner.arg(index).unwrap_or_default()));
        }
    }
}

/// The command of a request inside a request; its number of arguments is checked later.
fn inner_command(inner: &Request<'_>) -> Option<&'static Command> {
    let command = by_name(inner.name())?;
    match inner.arg(1) {
        Some(name) if !command.subcommands.is_empty() => command.subcommand(name),
        _ => Some(command),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        local::tests::reply_to,
        resp::{Protocol, Value},
    };

    fn ask(line: &str) -> Value {
        reply_to(line, Protocol::Resp3, |request, out| reply(request, &mut Keys::default(), out))
    }

    fn strings(value: &Value) -> Vec<&str> {
        value.as_array().unwrap().iter().filter_map(Value::as_str).collect()
    }

    #[test]
    fn every_reply_is_whole_in_both_versions() {
        for protocol in [Protocol::Resp2, Protocol::Resp3] {
            for line in
                ["COMMAND", "COMMAND INFO", "COMMAND DOCS", "COMMAND LIST", "COMMAND HELP", "COMMAND COUNT"]
            {
                let value =
                    reply_to(line, protocol, |request, out| reply(request, &mut Keys::default(), out));
                assert!(value.as_error().is_none(), "{line}");
            }
        }
    }

    #[test]
    fn names_that_are_not_known_are_null_in_info_and_left_out_in_docs() {
        let infos = ask("COMMAND INFO GET nosuch config|get get|x");
        let infos = infos.as_array().unwrap();
        let name = |at: usize| infos[at].as_array().map(|fields| fields[0].as_str().unwrap());
        assert_eq!([name(0), name(1), name(2), name(3)], [Some("get"), None, Some("config|get"), None]);
        let Value::Map(docs) = ask("COMMAND DOCS GET nosuch") else { panic!("not a map") };
        assert_eq!(docs.len(), 1);
        assert_eq!(docs[0].1.get("since").and_then(Value::as_str), Some("1.0.0"));
    }

    #[test]
    fn lists_are_filtered() {
        assert_eq!(strings(&ask("COMMAND LIST FILTERBY PATTERN zad*")), ["zadd"]);
        assert_eq!(strings(&ask("COMMAND LIST FILTERBY PATTERN CONFIG|G*")), ["config|get"]);
        assert!(strings(&ask("COMMAND LIST FILTERBY ACLCAT GEO")).contains(&"geoadd"));
        assert_eq!(ask("COMMAND LIST FILTERBY MODULE json"), Value::Array(vec![]));
        for line in ["COMMAND LIST x", "COMMAND LIST FILTERBY", "COMMAND LIST FILTERBY x y"] {
            assert_eq!(ask(line).as_error(), Some("ERR syntax error"), "{line}");
        }
    }

    #[test]
    fn what_is_done_to_each_key_may_be_told_by_the_arguments() {
        let flags = |line: &str| {
            let keys = ask(&format!("COMMAND GETKEYSANDFLAGS {line}"));
            let keys = keys.as_array().unwrap().iter().map(|key| key.as_array().unwrap());
            let of = |key: &[Value]| format!("{}:{}", key[0].as_str().unwrap(), strings(&key[1]).join(","));
            keys.map(of).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(flags("GET k"), "k:RO,access");
        assert_eq!(flags("SET k v EX 9"), "k:OW,update");
        assert_eq!(flags("SET k v get"), "k:RW,access,update");
        assert_eq!(flags("BITFIELD k GET u8 0"), "k:RO,access");
        assert_eq!(flags("BITFIELD k INCRBY u8 0 1"), "k:RW,access,update");
        assert_eq!(flags("SORT k STORE d"), "k:RO,access d:OW,update");
        assert_eq!(flags("LMOVE a b LEFT LEFT"), "a:RW,access,delete b:RW,insert");
        assert_eq!(
            ask("COMMAND GETKEYSANDFLAGS PING").as_error(),
            Some("ERR The command has no key arguments")
        );
    }

    #[test]
    fn keys_of_a_request_are_listed() {
        assert_eq!(strings(&ask("COMMAND GETKEYS MSET a 1 b 2")), ["a", "b"]);
        assert_eq!(strings(&ask("COMMAND GETKEYS OBJECT ENCODING k")), ["k"]);
        assert!(strings(&ask("COMMAND GETKEYS EVAL s 0")).is_empty());
        for (line, error) in [
            ("COMMAND GETKEYS PING", "ERR The command has no key arguments"),
            ("COMMAND GETKEYS SPUBLISH c m", "ERR The command has no key arguments"),
            ("COMMAND GETKEYS GET", "ERR Invalid number of arguments specified for command"),
            ("COMMAND GETKEYS nosuch k", "ERR Invalid command specified"),
            ("COMMAND GETKEYS CONFIG nosuch", "ERR Invalid command specified"),
            ("COMMAND GETKEYS ZUNION x k", "ERR Invalid arguments specified for command"),
        ] {
            assert_eq!(ask(line).as_error(), Some(error), "{line}");
        }
    }
}
