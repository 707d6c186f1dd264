//! Commands that take from the first of many keys that has something, and those that read many streams.
//!
//! One run of neighbouring keys of one slot is asked at a time, in the order of the keys, each in a
//! transaction of its own, where nothing blocks. A request that may wait asks again after a pause. So it never
//! waits at two nodes, which could both give it something. Invariant: what a node gave is the reply.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::time::timeout;

use super::{ODD_REPLY, ask, transact};
use crate::{
    cluster::Slot,
    resp::{encode_request, parse},
    routing::{Series, elements, is_nothing, string_together},
    worker::{client::Client, errand::Errand},
};

/// Between the first and the second time that keys are asked.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
/// Longest that a client may wait for what is already there.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// Text as in redis networking.c `clientCommand`.
const UNBLOCKED: &[u8] = b"-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n";

/// A request for something of any of its keys.
pub(super) struct Fan {
    pub(super) client: Rc<Client>,
    pub(super) series: Series,
    /// Whether every key is asked, also when one has something.
    pub(super) every: bool,
    pub(super) read_only: bool,
    /// Whether it may wait for something.
    pub(super) waits: bool,
    /// How long; nothing for ever.
    pub(super) time: Option<Duration>,
}

impl Fan {
    /// The reply.
    pub(super) async fn run(mut self) -> Vec<u8> {
        let begin = Instant::now();
        if self.waits
            && let Err(error) = self.settle_news().await
        {
            return error;
        }
        let runs = self.series.runs();
        let mut released = self.client.apart.wait_for_release();
        let mut pause = FIRST_PAUSE;
        loop {
            let reply = self.round(&runs).await;
            let left = self.time.map_or(LONGEST_PAUSE, |time| time.saturating_sub(begin.elapsed()));
            if !self.waits || !is_nothing(&reply) || left.is_zero() {
                return reply;
            }
            match timeout(pause.min(left), &mut released).await {
                Ok(Ok(true)) => return UNBLOCKED.to_vec(),
                Ok(_) => return reply,
                Err(_) => pause = LONGEST_PAUSE.min(2 * pause),
            }
        }
    }

    /// Asks for something, once.
    async fn round(&self, runs: &[(Slot, Vec<u8>)]) -> Vec<u8> {
        let (mut found, mut nothing) = (Vec::new(), ODD_REPLY.to_vec());
        for (slot, request) in runs {
            match self.ask(*slot, request).await {
                Ok(reply) if is_nothing(&reply) => nothing = reply,
                Ok(reply) if self.every => found.push(reply),
                Ok(reply) => return reply,
                // What was read is not read again by everyone.
                Err(_) if !found.is_empty() => break,
                Err(error) => return error,
            }
        }
        if found.is_empty() { nothing } else { string_together(&found).unwrap_or_else(|| ODD_REPLY.to_vec()) }
    }

    async fn ask(&self, slot: Slot, request: &[u8]) -> Result<Vec<u8>, Vec<u8>> {
        let errand = Errand::new(&self.client, slot, request.to_vec(), self.read_only);
        let all = transact(1, errand).await?;
        match elements(&all).unwrap_or_default()[..] {
            [reply] if reply.starts_with(b"-") => Err(reply.to_vec()),
            [reply] => Ok(reply.to_vec()),
            _ => Err(ODD_REPLY.to_vec()),
        }
    }

    /// Finds out where the streams end of which only what is new is wanted, as that is asked for many times.
    async fn settle_news(&mut self) -> Result<(), Vec<u8>> {
        for (at, key) in self.series.news() {
            let mut request = Vec::new();
            encode_request(&mut request, &[&b"XINFO"[..], b"STREAM", &key]);
            match ask(Errand::new(&self.client, Slot::of(&key), request, true)).await {
                Ok(reply) => {
                    let last = last_id(&reply).ok_or_else(|| ODD_REPLY.to_vec())?;
                    self.series.want_behind(at, &last);
                }
                Err(error) if error.starts_with(b"-ERR no such key") => self.series.want_behind(at, b"0-0"),
                // Reading it says the same.
                Err(error) if error.starts_with(b"-WRONGTYPE ") => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
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
