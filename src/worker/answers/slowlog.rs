//! SLOWLOG: slotway's own slow requests, of all workers. Shapes and texts as in redis slowlog.c. COMMANDLOG is
//! Valkey's, as in valkey commandlog.c.

use super::Ask;
use crate::{
    command::lookup,
    local,
    resp::ReplyWriter,
    slowlog::{Entry, SlowRequest},
    worker::dispatch::Step,
};

/// Entries that GET shows unless it is told how many.
const SHOWN: usize = 10;
const SERVED: &[&str] = &["get", "help", "len", "reset"];

pub(super) fn answer(ask: &Ask<'_>) -> Step {
    let log = &ask.worker().slowlog;
    match ask.subcommand() {
        "get" => get(ask),
        "len" => ask.write(|w| w.integer(i64::try_from(log.len()).unwrap_or(i64::MAX))),
        "reset" => {
            log.clear();
            ask.ok()
        }
        _ => help(ask),
    }
}

/// COMMANDLOG. Of large requests and replies nothing is noted here, as by a server that is told not to.
pub(super) fn answer_of_kind(ask: &Ask<'_>) -> Step {
    let subcommand = ask.subcommand();
    let kind = match subcommand {
        "help" => return help(ask),
        "get" => ask.arg(3),
        _ => ask.arg(2),
    };
    match (kind.to_ascii_lowercase().as_slice(), subcommand) {
        (b"slow", "get") => write_all(ask),
        (b"slow", _) => answer(ask),
        (b"large-request" | b"large-reply", "get") => ask.write(|w| w.array(0)),
        (b"large-request" | b"large-reply", "len") => ask.write(|w| w.integer(0)),
        (b"large-request" | b"large-reply", _) => ask.ok(),
        _ => ask.refuse("ERR type should be one of the following: slow, large-request, large-reply"),
    }
}

fn help(ask: &Ask<'_>) -> Step {
    let container = ask.command.name.split('|').next().unwrap_or_default();
    ask.write(|w| lookup(container.as_bytes()).into_iter().for_each(|c| local::help(c, SERVED, w)))
}

fn get(ask: &Ask<'_>) -> Step {
    if ask.request.argc() > 3 {
        return ask
            .refuse("ERR unknown subcommand or wrong number of arguments for 'GET'. Try SLOWLOG HELP.");
    }
    write_all(ask)
}

/// As many entries as are asked for.
fn write_all(ask: &Ask<'_>) -> Step {
    let count = match ask.request.arg(2).map(count) {
        None => SHOWN,
        Some(Some(count)) => count,
        Some(None) => return ask.refuse("ERR count should be greater than or equal to -1"),
    };
    let entries = ask.worker().slowlog.newest(count);
    ask.write(|w| {
        w.array(entries.len());
        entries.iter().for_each(|entry| write(entry, w));
    })
}

/// How many entries `text` wants; -1 is all.
fn count(text: &[u8]) -> Option<usize> {
    match std::str::from_utf8(text).ok()?.parse::<i64>().ok()? {
        -1 => Some(usize::MAX),
        count => usize::try_from(count).ok(),
    }
}

/// Six elements and no more: there are clients that read just these. So the node stands behind the name.
fn write(entry: &Entry, w: &mut ReplyWriter<'_>) {
    let request = &entry.request;
    w.array(6);
    w.integer(i64::try_from(entry.id).unwrap_or(i64::MAX));
    w.integer(i64::try_from(entry.at.as_secs()).unwrap_or(i64::MAX));
    w.integer(i64::try_from(request.took.as_micros()).unwrap_or(i64::MAX));
    w.array(request.args.len());
    request.args.iter().for_each(|arg| w.bulk(arg));
    w.bulk(request.peer.as_bytes());
    w.bulk(&name_and_node(request));
}

/// What the client calls itself, the node, its time and slotway's own, in microseconds.
fn name_and_node(request: &SlowRequest) -> Vec<u8> {
    let own = |node_took| request.took.saturating_sub(node_took).as_micros();
    let node = match &request.node {
        Some((addr, took)) => {
            format!("node={addr} node-usec={} own-usec={}", took.as_micros(), own(*took))
        }
        None => "node=none".to_owned(),
    };
    let name = Some(&request.name[..]).filter(|name| !name.is_empty());
    [name, Some(node.as_bytes())].into_iter().flatten().collect::<Vec<_>>().join(&b' ')
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cluster::NodeAddr;

    #[test]
    fn the_node_stands_behind_the_name() {
        let mut request = SlowRequest {
            took: Duration::from_micros(100),
            args: Vec::new(),
            peer: "h:1".into(),
            name: (*b"me").into(),
            node: Some((NodeAddr::new("h", 2), Duration::from_micros(70))),
        };
        assert_eq!(name_and_node(&request), b"me node=h:2 node-usec=70 own-usec=30");
        (request.name, request.node) = (Box::default(), None);
        assert_eq!(name_and_node(&request), b"node=none");
    }

    #[test]
    fn a_count_is_at_least_minus_one() {
        assert_eq!(
            ["-1", "0", "7", "-2", "x"].map(|text| count(text.as_bytes())),
            [Some(usize::MAX), Some(0), Some(7), None, None]
        );
    }
}
