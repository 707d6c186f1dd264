//! Streams of which a client wants only what is new (`$`): where they end, so that a request that is sent
//! again, or many times, misses nothing.
//!
//! Invariant: what comes after the request was taken is not old.

use std::rc::Rc;

use super::{
    client::Client,
    cross::{ODD_REPLY, ask},
    errand::Errand,
};
use crate::{
    cluster::Slot,
    resp::{encode_request, parse},
    routing::Series,
};

/// Puts the last id of its stream in the place of each `$` of `series`.
///
/// # Errors
/// What the client is to be answered where that can't be found out.
pub(super) async fn settle(client: &Rc<Client>, series: &mut Series) -> Result<(), Vec<u8>> {
    for (at, key) in series.news() {
        let mut request = Vec::new();
        encode_request(&mut request, &[&b"XINFO"[..], b"STREAM", &key]);
        match ask(Errand::new(client, Slot::of(&key), request, true)).await {
            Ok(reply) => {
                let last = last_id(&reply).ok_or_else(|| ODD_REPLY.to_vec())?;
                series.want_behind(at, &last);
            }
            Err(error) if error.starts_with(b"-ERR no such key") => series.want_behind(at, b"0-0"),
            // Reading it says the same.
            Err(error) if error.starts_with(b"-WRONGTYPE ") => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The last id that a stream gave, by what XINFO STREAM says.
fn last_id(reply: &[u8]) -> Option<Vec<u8>> {
    let (stream, _) = parse(reply).ok()??;
    Some(stream.get("last-generated-id")?.as_bytes()?.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_tells_its_last_id_in_both_versions() {
        let fields = "$6\r\nlength\r\n:1\r\n$17\r\nlast-generated-id\r\n$3\r\n1-5\r\n";
        for head in ["*4", "%2"] {
            assert_eq!(last_id(format!("{head}\r\n{fields}").as_bytes()), Some(b"1-5".to_vec()));
        }
        for odd in ["*0\r\n", "+OK\r\n", "", "*2\r\n$17\r\nlast-generated-id\r\n:1\r\n"] {
            assert_eq!(last_id(odd.as_bytes()), None);
        }
    }
}
