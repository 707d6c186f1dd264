//! `CONFIG GET`: the parameters that benchmark tools and clients read.

use super::{glob, help, not_served, subcommand};
use crate::{
    command::lookup,
    resp::{ReplyWriter, Request},
};

/// Parameters that are the same for every slotway: it stores nothing, and how many databases the nodes have is asked when one is
/// selected.
const FIXED: &[(&str, &str)] = &[
    ("appendonly", "no"),
    ("cluster-enabled", "no"),
    ("cluster-require-full-coverage", "yes"),
    ("databases", "1"),
    ("maxmemory", "0"),
    ("maxmemory-policy", "noeviction"),
    ("notify-keyspace-events", ""),
    ("save", ""),
];

/// Replies to a `CONFIG` request. `settings` are the parameters that the configuration gives, such as
/// `port`, `bind`, `maxclients`, `timeout` and `proto-max-bulk-len`.
pub fn reply(request: &Request<'_>, settings: &[(&str, String)], reply: &mut ReplyWriter<'_>) {
    match subcommand(request).as_str() {
        "get" => get(request, settings, reply),
        "help" => lookup(b"config").into_iter().for_each(|c| help(c, &["get", "help"], reply)),
        other => not_served(&format!("config|{other}"), reply),
    }
}

/// All parameters, those of `settings` first.
fn parameters<'a>(settings: &'a [(&str, String)]) -> impl Iterator<Item = (&'a str, &'a str)> + Clone {
    let fixed = FIXED.iter().copied().filter(|(name, _)| settings.iter().all(|(other, _)| other != name));
    settings.iter().map(|(name, value)| (*name, value.as_str())).chain(fixed)
}

fn get(request: &Request<'_>, settings: &[(&str, String)], reply: &mut ReplyWriter<'_>) {
    write(request, parameters(settings), reply);
}

/// Replies to a `CONFIG GET` as if `settings` were all that there is.
pub fn matching(request: &Request<'_>, settings: &[(&str, String)], reply: &mut ReplyWriter<'_>) {
    write(request, settings.iter().map(|(name, value)| (*name, value.as_str())), reply);
}

fn write<'a>(
    request: &Request<'_>,
    all: impl Iterator<Item = (&'a str, &'a str)>,
    reply: &mut ReplyWriter<'_>,
) {
    let is_wanted = |name: &str| request.args_from(2).any(|p| glob::matches(p, name.as_bytes()));
    let found: Vec<_> = all.filter(|(name, _)| is_wanted(name)).collect();
    reply.map(found.len());
    for (name, value) in found {
        reply.bulk(name.as_bytes());
        reply.bulk(value.as_bytes());
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
        let settings = [("maxclients", "10000".to_owned()), ("save", "x".to_owned())];
        reply_to(line, Protocol::Resp3, |request, out| reply(request, &settings, out))
    }

    #[test]
    fn parameters_are_found_by_pattern_each_once() {
        assert_eq!(ask("CONFIG GET maxclients").get("maxclients").and_then(Value::as_str), Some("10000"));
        assert_eq!(ask("CONFIG GET save").get("save").and_then(Value::as_str), Some("x"));
        assert_eq!(ask("config get nosuch"), Value::Map(vec![]));
        let Value::Map(found) = ask("CONFIG GET MAX* maxmemory") else { panic!("not a map") };
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn help_tells_what_is_served() {
        assert!(ask("CONFIG HELP").as_array().is_some());
    }
}
