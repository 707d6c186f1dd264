//! Reads a reply to CLUSTER SLOTS into a slot table.
//!
//! Must not know how it was asked for. Invariant: whatever a node says is a table or an error; equal
//! answers make equal tables, in whatever order the node listed its ranges.

use std::collections::{BTreeMap, BTreeSet};

use super::{NodeAddr, Slot, TableBuilder};
use crate::resp::Value;

/// Most nodes that one reply may name: four times what Redis Cluster is made for.
const MAX_NODES: usize = 4096;
/// Longest host: a DNS name has at most 253 bytes.
const MAX_HOST: usize = 255;

/// Why a reply is no slot table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopologyError {
    /// The node answered with this error.
    #[error("node refused: {0}")]
    Refused(String),
    /// The reply is not shaped like one to CLUSTER SLOTS.
    #[error("not a reply to CLUSTER SLOTS")]
    Shape,
    /// A range that a cluster can't have.
    #[error("slot range {0}-{1} does not exist")]
    Range(i64, i64),
    /// A slot with two owners.
    #[error("slot {0} has two owners")]
    Overlap(Slot),
    /// More nodes than 4096.
    #[error("more than {MAX_NODES} nodes")]
    TooManyNodes,
}

/// One range of slots and who serves it. Addresses that the node did not know are left out.
struct Range {
    first: Slot,
    last: Slot,
    primary: Option<NodeAddr>,
    replicas: Vec<NodeAddr>,
}

/// The table that `reply` describes; the node that gave it was reached at `asked`, which stands for a host
/// that is nil or empty. A range whose owner's address is unknown (`?`) has no owner.
///
/// # Errors
/// When the reply is an error, malformed, or contradicts itself.
pub fn parse_slots(reply: &Value, asked: &NodeAddr) -> Result<TableBuilder, TopologyError> {
    if let Some(text) = reply.as_error() {
        return Err(TopologyError::Refused(text.to_owned()));
    }
    let entries = reply.as_array().ok_or(TopologyError::Shape)?;
    let mut ranges =
        entries.iter().map(|entry| range(entry, asked)).collect::<Result<Vec<Range>, TopologyError>>()?;
    ranges.sort_unstable_by_key(|r| r.first);
    refuse_overlaps(&ranges)?;
    refuse_too_many(&ranges)?;
    Ok(table(&ranges))
}

fn refuse_overlaps(ranges: &[Range]) -> Result<(), TopologyError> {
    match ranges.array_windows().find(|[a, b]| b.first <= a.last) {
        Some([_, b]) => Err(TopologyError::Overlap(b.first)),
        None => Ok(()),
    }
}

fn refuse_too_many(ranges: &[Range]) -> Result<(), TopologyError> {
    let nodes: BTreeSet<_> = ranges.iter().flat_map(|r| r.primary.iter().chain(&r.replicas)).collect();
    if nodes.len() > MAX_NODES { Err(TopologyError::TooManyNodes) } else { Ok(()) }
}

/// Primaries by address, then replicas by address, so that the node's own order does not matter.
fn table(ranges: &[Range]) -> TableBuilder {
    let mut table = TableBuilder::default();
    let mut owned: Vec<_> = ranges.iter().filter_map(|r| r.primary.as_ref().map(|p| (p, r))).collect();
    owned.sort_by_key(|(primary, _)| *primary);
    // A replica of two primaries, which there can't be, counts for the first.
    let mut replicas = BTreeMap::new();
    for (primary, range) in owned {
        if let Some(place) = table.own(range.first, range.last, primary) {
            for replica in &range.replicas {
                replicas.entry(replica).or_insert(place);
            }
        }
    }
    replicas.into_iter().for_each(|(replica, primary)| table.replicate(replica, primary));
    table
}

fn range(entry: &Value, asked: &NodeAddr) -> Result<Range, TopologyError> {
    let [first, last, primary, replicas @ ..] = entry.as_array().ok_or(TopologyError::Shape)? else {
        return Err(TopologyError::Shape);
    };
    let (first, last) = bounds(first, last)?;
    let replicas = replicas.iter().filter_map(|replica| address(replica, asked).transpose());
    Ok(Range {
        first,
        last,
        primary: address(primary, asked)?,
        replicas: replicas.collect::<Result<_, _>>()?,
    })
}

fn bounds(first: &Value, last: &Value) -> Result<(Slot, Slot), TopologyError> {
    let first = first.as_integer().ok_or(TopologyError::Shape)?;
    let last = last.as_integer().ok_or(TopologyError::Shape)?;
    let slot = |n: i64| u64::try_from(n).ok().and_then(Slot::new);
    match (slot(first), slot(last)) {
        (Some(from), Some(to)) if from <= to => Ok((from, to)),
        _ => Err(TopologyError::Range(first, last)),
    }
}

/// The address of one node of an entry (`[endpoint, port, id, [metadata …]]`), if the node that was
/// asked knows it.
fn address(node: &Value, asked: &NodeAddr) -> Result<Option<NodeAddr>, TopologyError> {
    let [endpoint, port, rest @ ..] = node.as_array().ok_or(TopologyError::Shape)? else {
        return Err(TopologyError::Shape);
    };
    let port = port.as_integer().and_then(|p| u16::try_from(p).ok()).ok_or(TopologyError::Shape)?;
    let host = match endpoint {
        Value::Null => Some(asked.host()),
        text => match text.as_str().ok_or(TopologyError::Shape)? {
            "" => Some(asked.host()),
            "?" => rest.get(1).and_then(|metadata| metadata.get("ip")).and_then(Value::as_str),
            host => Some(host),
        },
    };
    // A node that is not fully met yet, or that serves TLS only, has port 0.
    let Some(host) = host.filter(|h| !matches!(*h, "" | "?") && port != 0) else { return Ok(None) };
    if is_host(host) { Ok(Some(NodeAddr::new(host, port))) } else { Err(TopologyError::Shape) }
}

fn is_host(text: &str) -> bool {
    text.len() <= MAX_HOST && text.bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::cluster::{Role, SLOTS, SlotTable};

    fn asked() -> NodeAddr {
        NodeAddr::new("10.9.9.9", 7000)
    }

    fn bulk(text: &str) -> Value {
        Value::Bulk(text.into())
    }

    fn node(endpoint: Value, port: i64) -> Value {
        Value::Array(vec![endpoint, Value::Integer(port), bulk("id"), Value::Array(vec![])])
    }

    fn entry(first: i64, last: i64, nodes: Vec<Value>) -> Value {
        Value::Array([vec![Value::Integer(first), Value::Integer(last)], nodes].concat())
    }

    fn read(entries: Vec<Value>) -> Result<SlotTable, TopologyError> {
        parse_slots(&Value::Array(entries), &asked()).map(|builder| builder.build(1))
    }

    fn owner(table: &SlotTable, slot: u64) -> Option<String> {
        table.owner(Slot::new(slot).unwrap()).map(|place| table.node(place).addr.to_string())
    }

    #[test]
    fn every_kind_of_endpoint_is_read() {
        let unknown = Value::Array(vec![
            bulk("?"),
            Value::Integer(7005),
            bulk("id"),
            Value::Array(vec![bulk("ip"), bulk("10.0.0.5")]),
        ]);
        let table = read(vec![
            entry(0, 0, vec![node(bulk("10.0.0.1"), 7001)]),
            entry(1, 1, vec![node(bulk("2001:db8::1"), 7002)]),
            entry(2, 2, vec![node(bulk("a.example"), 7003)]),
            entry(3, 3, vec![node(Value::Null, 7004)]),
            entry(4, 4, vec![node(bulk(""), 7006)]),
            entry(5, 5, vec![unknown]),
            entry(6, 6, vec![node(bulk("?"), 7007)]),
        ])
        .unwrap();
        let owners: Vec<_> = (0..7).map(|slot| owner(&table, slot)).collect();
        let expected = [
            Some("10.0.0.1:7001"),
            Some("[2001:db8::1]:7002"),
            Some("a.example:7003"),
            Some("10.9.9.9:7004"),
            Some("10.9.9.9:7006"),
            Some("10.0.0.5:7005"),
            None,
        ];
        assert_eq!(owners, expected.map(|o| o.map(str::to_owned)));
    }

    #[test]
    fn replicas_are_kept_with_the_primary_they_copy() {
        let replicated = vec![node(bulk("b"), 1), node(bulk("a"), 2), node(bulk("?"), 3)];
        let table = read(vec![entry(0, 99, replicated)]).unwrap();
        let [primary, replica] = table.nodes() else { panic!("{table:?}") };
        assert_eq!((primary.addr.host(), primary.role), ("b", Role::Primary));
        let copied = table.owner(Slot::new(99).unwrap()).unwrap();
        assert_eq!((replica.addr.host(), replica.role), ("a", Role::Replica(copied)));
    }

    #[test]
    fn the_order_of_ranges_and_replicas_does_not_matter() {
        let low = |swap: bool| {
            let (x, y) = (node(bulk("x"), 1), node(bulk("y"), 1));
            entry(0, 9, [vec![node(bulk("p"), 1)], if swap { vec![y, x] } else { vec![x, y] }].concat())
        };
        let high = entry(10, 19, vec![node(bulk("a"), 1)]);
        let one = read(vec![low(false), high.clone()]).unwrap();
        let other = read(vec![high, low(true)]).unwrap();
        assert!(one.same_as(&other));
    }

    #[test]
    fn overlaps_and_ranges_outside_the_cluster_are_errors() {
        let p = || vec![node(bulk("p"), 1)];
        let overlap = read(vec![entry(5, 9, p()), entry(0, 5, p())]);
        assert_eq!(overlap.unwrap_err(), TopologyError::Overlap(Slot::new(5).unwrap()));
        for (first, last) in [(0, SLOTS as i64), (-1, 3), (4, 3), (i64::MIN, i64::MAX)] {
            assert_eq!(read(vec![entry(first, last, p())]).unwrap_err(), TopologyError::Range(first, last));
        }
    }

    #[test]
    fn errors_and_other_shapes_are_errors() {
        let refused = Value::Error("ERR This instance has cluster support disabled".into());
        assert!(matches!(parse_slots(&refused, &asked()), Err(TopologyError::Refused(_))));
        for reply in [
            Value::Null,
            Value::Simple("OK".into()),
            Value::Array(vec![Value::Null]),
            Value::Array(vec![entry(0, 1, vec![])]),
            Value::Array(vec![entry(0, 1, vec![Value::Integer(1)])]),
            Value::Array(vec![entry(0, 1, vec![node(bulk("p"), 65536)])]),
            Value::Array(vec![entry(0, 1, vec![node(bulk("a b"), 1)])]),
        ] {
            assert_eq!(parse_slots(&reply, &asked()).unwrap_err(), TopologyError::Shape, "{reply:?}");
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::Integer),
            (0..20_000i64).prop_map(Value::Integer),
            prop_oneof![Just("?"), Just(""), Just("ip"), Just("10.0.0.1")].prop_map(bulk),
            any::<Vec<u8>>().prop_map(Value::Bulk),
            ".*".prop_map(Value::Error),
        ];
        leaf.prop_recursive(4, 64, 6, |inner| prop::collection::vec(inner, 0..6).prop_map(Value::Array))
    }

    proptest! {
        #[test]
        fn no_reply_panics(reply in any_value()) {
            let _ = parse_slots(&reply, &asked());
        }

        #[test]
        fn cuts_of_all_slots_make_a_full_table(cuts in prop::collection::btree_set(1..SLOTS as i64, 0..50)) {
            let firsts: Vec<i64> = [0].into_iter().chain(cuts.iter().copied()).collect();
            let lasts = cuts.iter().map(|c| c - 1).chain([SLOTS as i64 - 1]);
            let ranges: Vec<_> = firsts.iter().copied().zip(lasts).collect();
            let entries = ranges.iter().map(|&(f, l)| entry(f, l, vec![node(bulk("h"), f % 7 + 1)]));
            let table = read(entries.collect()).unwrap();
            prop_assert_eq!(table.unassigned(), 0);
            for (first, last) in ranges {
                prop_assert_eq!(owner(&table, last.cast_unsigned()), Some(format!("h:{}", first % 7 + 1)));
            }
        }
    }
}
