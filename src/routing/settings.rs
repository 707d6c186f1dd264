//! How a node's reply to CONFIG GET becomes slotway's: with slotway's own settings in the place of the node's.
//!
//! Pure. Must not know which these are. Invariant: a setting is told of once.

use crate::resp::{Protocol, ReplyWriter, Value, parse};

/// The reply of the first node, with the settings of ours, the first of `replies`, in it.
pub(super) fn settings(replies: &[&[u8]]) -> Option<Vec<u8>> {
    let [ours, node, ..] = replies else { return None };
    let (ours, nodes) = (pairs(ours)?, pairs(node)?);
    let is_ours = |name: &[u8]| ours.iter().any(|(own, _)| own == name);
    let rest = nodes.iter().filter(|(name, _)| !is_ours(name));
    let all: Vec<_> = ours.iter().chain(rest).collect();
    let protocol = if node.starts_with(b"%") { Protocol::Resp3 } else { Protocol::Resp2 };
    let mut reply = Vec::new();
    let mut w = ReplyWriter::new(&mut reply, protocol);
    w.map(all.len());
    for (name, value) in all {
        w.bulk(name);
        w.bulk(value);
    }
    Some(reply)
}

fn pairs(reply: &[u8]) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let pair = |name: &Value, value: &Value| Some((name.as_bytes()?.to_vec(), value.as_bytes()?.to_vec()));
    match parse(reply).ok()??.0 {
        Value::Map(pairs) => pairs.iter().map(|(name, value)| pair(name, value)).collect(),
        other => other.as_array()?.as_chunks::<2>().0.iter().map(|[name, value]| pair(name, value)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(replies: &[&str]) -> Option<String> {
        let replies: Vec<&[u8]> = replies.iter().map(|reply| reply.as_bytes()).collect();
        settings(&replies).map(|reply| String::from_utf8(reply).unwrap())
    }

    #[test]
    fn ours_stand_for_the_node_s() {
        let node = "$1\r\nb\r\n$1\r\n2\r\n$1\r\na\r\n$1\r\n1\r\n";
        let (ours, both) = ("*2\r\n$1\r\na\r\n$1\r\n9\r\n", "$1\r\na\r\n$1\r\n9\r\n$1\r\nb\r\n$1\r\n2\r\n");
        assert_eq!(of(&[ours, &format!("*4\r\n{node}"), "*0\r\n"]), Some(format!("*4\r\n{both}")));
        assert_eq!(of(&[ours, &format!("%2\r\n{node}")]), Some(format!("%2\r\n{both}")));
        assert_eq!(of(&[ours, ":1\r\n"]), None);
        assert_eq!(of(&[ours]), None);
    }
}
