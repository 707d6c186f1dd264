//! A request that runs beside copies of the keys of other slots: they are dumped one by one, then restored,
//! used and deleted in one transaction, which nobody sees but replicas and keyspace notifications.
//!
//! Each value is as it was at one moment, not all at the same. Invariant: the request does not run unless
//! every copy was made.

use std::rc::Rc;

use super::{FRAMING, MAX_GATHERED, ODD_REPLY, ask, transact};
use crate::{
    cluster::Slot,
    resp::{Value, encode_request, parse},
    routing::{Gather, elements},
    worker::{client::Client, errand::Errand},
};

const TOO_MUCH: &[u8] = b"-ERR the values are too large to be brought to one node\r\n";

/// The reply to the request of `gather`.
pub(super) async fn gather(client: Rc<Client>, gather: Gather, read_only: bool) -> Vec<u8> {
    run(&client, &gather, read_only).await.unwrap_or_else(|error| error)
}

async fn run(client: &Rc<Client>, gather: &Gather, read_only: bool) -> Result<Vec<u8>, Vec<u8>> {
    let (mut values, mut left) = (Vec::new(), MAX_GATHERED);
    for (key, _) in &gather.copies {
        let value = dump(client, key, left).await?;
        left = left.checked_sub(value.as_ref().map_or(0, Vec::len)).ok_or(TOO_MUCH)?;
        values.push(value);
    }
    let present = values.iter().flatten().count();
    let errand = Errand::new(client, gather.slot, gather.transaction(&values), read_only);
    drop(values);
    let all = transact(gather.commands(present), errand).await?;
    let replies = elements(&all).unwrap_or_default();
    Gather::reply(&replies, present).map(<[u8]>::to_vec).ok_or_else(|| ODD_REPLY.to_vec())
}

/// The value of `key` as DUMP gives it, if there is one of at most `most` bytes.
async fn dump(client: &Rc<Client>, key: &[u8], most: usize) -> Result<Option<Vec<u8>>, Vec<u8>> {
    let mut request = Vec::new();
    encode_request(&mut request, &[b"DUMP", key]);
    let errand = Errand { most: most + FRAMING, ..Errand::new(client, Slot::of(key), request, true) };
    value(&ask(errand).await?).ok_or_else(|| ODD_REPLY.to_vec())
}

/// What a reply to DUMP says; nothing if it makes no sense.
pub(super) fn value(reply: &[u8]) -> Option<Option<Vec<u8>>> {
    match parse(reply).ok()??.0 {
        Value::Bulk(value) => Some(Some(value)),
        Value::Null => Some(None),
        _ => None,
    }
}
