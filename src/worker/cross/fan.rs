//! Commands that take from the first of many keys that has something, and those that read many streams.
//!
//! One run of neighbouring keys of one slot is asked at a time, in the order of the keys, each in a
//! transaction of its own, where nothing blocks. A request that may wait asks again when one of its keys has
//! changed ([`lookout`](crate::worker::lookout)). So it never waits at two nodes, which could both give it
//! something. Invariant: what a node gave is the reply.

use std::{rc::Rc, time::Duration};

use tokio::time::{Instant, timeout};

use super::{ODD_REPLY, transact};
use crate::{
    cluster::Slot,
    routing::{Series, elements, is_nothing, string_together},
    worker::{
        client::Client,
        errand::{Errand, LET_GO},
        lookout::{Heard, Wait},
        news,
    },
};

/// Keys are asked again after this though no change was heard of: a slot may have moved.
const LONGEST_REST: Duration = Duration::from_secs(1);
/// While not all changes are heard of, keys are asked again after this, doubling up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

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
            && let Err(error) = news::settle(&self.client, &mut self.series).await
        {
            return error;
        }
        let runs = self.series.runs();
        let mut released = self.client.apart.wait_for_release();
        let (mut wait, mut pause) = (None, FIRST_PAUSE);
        loop {
            wait.iter().for_each(Wait::look);
            let reply = self.round(&runs).await;
            let left = self.time.map(|time| time.saturating_sub(begin.elapsed()));
            if !self.waits || !is_nothing(&reply) || left.is_some_and(|left| left.is_zero()) {
                return reply;
            }
            if self.client.drains() {
                return LET_GO.to_vec();
            }
            let wait = wait.get_or_insert_with(|| Wait::new(&self.client, self.series.keys(), self.takes()));
            tokio::select! {
                biased;
                with_error = &mut released => {
                    return if with_error == Ok(true) { LET_GO.to_vec() } else { reply };
                }
                () = rest(wait, &mut pause, left) => {}
            }
        }
    }

    /// Whether it takes away what it gets, so that of many one has to look. A group of a stream takes from no other.
    fn takes(&self) -> bool {
        !self.every
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
}

/// Rests until the keys are to be asked again, not for longer than is `left`.
async fn rest(wait: &Wait, pause: &mut Duration, left: Option<Duration>) {
    let rest = async {
        // A node that does not even say whether it will tell must not keep what another has.
        let heard = timeout(LONGEST_REST, wait.listen()).await.unwrap_or(Heard::Deaf);
        let longest = match heard {
            Heard::FromNow => return,
            Heard::All => LONGEST_REST,
            Heard::Deaf => std::mem::replace(pause, LONGEST_PAUSE.min(2 * *pause)),
        };
        // Either way it is time.
        let _ = timeout(longest, wait.woken()).await;
    };
    // So it is when the client's time is up.
    let _ = timeout(left.unwrap_or(Duration::MAX), rest).await;
}
