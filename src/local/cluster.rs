//! `CLUSTER`: slotway shown as a cluster of one node that owns every slot, so that clients that know
//! clusters work through it as well.
//!
//! Must not know the real cluster. Shapes as in redis cluster.c `clusterCommand`.

use super::{help, not_served, subcommand};
use crate::{
    cluster::{SLOTS, Slot},
    command::lookup,
    resp::{ReplyWriter, Request},
};

/// What is served here; the keys in a slot, which need the real cluster, are answered elsewhere.
const SERVED: &[&str] = &[
    "countkeysinslot",
    "getkeysinslot",
    "help",
    "info",
    "keyslot",
    "myid",
    "myshardid",
    "nodes",
    "shards",
    "slots",
];

const LAST_SLOT: i64 = SLOTS as i64 - 1;

/// The node as which slotway shows itself.
#[derive(Clone, Copy, Debug)]
pub struct OneNode<'a> {
    /// Its id: 40 hexadecimal digits.
    pub id: [u8; 40],
    /// The host at which the client reached it.
    pub host: &'a str,
    /// The port at which the client reached it.
    pub port: u16,
}

/// Replies to a `CLUSTER` request other than `COUNTKEYSINSLOT` and `GETKEYSINSLOT`.
pub fn reply(request: &Request<'_>, node: &OneNode<'_>, reply: &mut ReplyWriter<'_>) {
    match subcommand(request).as_str() {
        "info" => reply.verbatim(&state()),
        "myid" | "myshardid" => reply.bulk(&node.id),
        "slots" => slots(node, reply),
        "shards" => shards(node, reply),
        "nodes" => reply.verbatim(&lines(node)),
        "keyslot" => reply.integer(Slot::of(request.arg(2).unwrap_or_default()).index() as i64),
        "help" => lookup(b"cluster").into_iter().for_each(|c| help(c, SERVED, reply)),
        other => not_served(&format!("cluster|{other}"), reply),
    }
}

fn state() -> String {
    let facts: [(&str, &dyn std::fmt::Display); 11] = [
        ("state", &"ok"),
        ("slots_assigned", &SLOTS),
        ("slots_ok", &SLOTS),
        ("slots_pfail", &0),
        ("slots_fail", &0),
        ("known_nodes", &1),
        ("size", &1),
        ("current_epoch", &1),
        ("my_epoch", &1),
        ("stats_messages_sent", &0),
        ("stats_messages_received", &0),
    ];
    facts.iter().map(|(name, value)| format!("cluster_{name}:{value}\r\n")).collect()
}

fn slots(node: &OneNode<'_>, reply: &mut ReplyWriter<'_>) {
    reply.array(1);
    reply.array(3);
    reply.integer(0);
    reply.integer(LAST_SLOT);
    reply.array(4);
    reply.bulk(node.host.as_bytes());
    reply.integer(i64::from(node.port));
    reply.bulk(&node.id);
    reply.map(0);
}

fn shards(node: &OneNode<'_>, reply: &mut ReplyWriter<'_>) {
    reply.array(1);
    reply.map(2);
    reply.bulk(b"slots");
    reply.array(2);
    reply.integer(0);
    reply.integer(LAST_SLOT);
    reply.bulk(b"nodes");
    reply.array(1);
    reply.map(7);
    reply.bulk(b"id");
    reply.bulk(&node.id);
    reply.bulk(b"port");
    reply.integer(i64::from(node.port));
    for (name, value) in [("ip", node.host), ("endpoint", node.host), ("role", "master")] {
        reply.bulk(name.as_bytes());
        reply.bulk(value.as_bytes());
    }
    reply.bulk(b"replication-offset");
    reply.integer(0);
    reply.bulk(b"health");
    reply.bulk(b"online");
}

/// The node as CLUSTER NODES tells it: in two halves at one address, as redis-benchmark takes a cluster of
/// one node for broken.
fn lines(node: &OneNode<'_>) -> String {
    let (host, port) = (node.host, node.port);
    let bus = u32::from(port) + 10_000;
    let mut other = node.id;
    other.reverse();
    let half = |id: [u8; 40], flags: &str, first: i64, last: i64| {
        let id = String::from_utf8_lossy(&id).into_owned();
        format!("{id} {host}:{port}@{bus} {flags} - 0 0 1 connected {first}-{last}\n")
    };
    let middle = LAST_SLOT / 2;
    half(node.id, "myself,master", 0, middle) + &half(other, "master", middle + 1, LAST_SLOT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        local::tests::reply_to,
        resp::{Protocol, Value},
    };

    const ID: [u8; 40] = *b"0123456789abcdef0123456789abcdef01234567";

    fn ask(line: &str) -> Value {
        let node = OneNode { id: ID, host: "127.0.0.1", port: 7777 };
        reply_to(line, Protocol::Resp3, |request, out| reply(request, &node, out))
    }

    #[test]
    fn one_node_owns_every_slot() {
        let slots = ask("CLUSTER SLOTS");
        let range = slots.as_array().unwrap()[0].as_array().unwrap();
        assert_eq!(range[..2], [Value::Integer(0), Value::Integer(16383)]);
        assert_eq!(
            range[2].as_array().unwrap()[..2],
            [Value::Bulk(b"127.0.0.1".into()), Value::Integer(7777)]
        );
        let shards = ask("cluster shards");
        let node = &shards.as_array().unwrap()[0].get("nodes").unwrap().as_array().unwrap()[0];
        assert_eq!(node.get("port"), Some(&Value::Integer(7777)));
        let id = String::from_utf8_lossy(&ID).into_owned();
        let nodes = ask("CLUSTER NODES");
        let lines: Vec<&str> = nodes.as_str().unwrap().lines().collect();
        assert_eq!(lines[0], format!("{id} 127.0.0.1:7777@17777 myself,master - 0 0 1 connected 0-8191"));
        assert!(lines[1].ends_with(" 127.0.0.1:7777@17777 master - 0 0 1 connected 8192-16383"));
        assert_ne!(lines[0][..40], lines[1][..40]);
        assert_eq!(ask("CLUSTER MYID").as_str(), Some(id.as_str()));
        assert!(ask("CLUSTER INFO").as_str().unwrap().starts_with("cluster_state:ok\r\n"));
    }

    #[test]
    fn slots_of_keys_are_told_and_the_rest_is_refused() {
        assert_eq!(ask("CLUSTER KEYSLOT name"), Value::Integer(5798));
        let refused = ask("CLUSTER FORGET x").as_error().unwrap().to_owned();
        assert!(refused.starts_with("ERR CLUSTER FORGET is not served by slotway: "), "{refused}");
        assert_eq!(ask("CLUSTER HELP").as_array().map(<[_]>::len), Some(1 + 2 * SERVED.len()));
    }
}
