//! The requests that took long, for SLOWLOG: the last few of all workers.
//!
//! Shared by all threads, behind a lock: only requests that were slow, and those who ask, come here. Knows no
//! command. Invariant: at most as many entries as the settings say, each of at most `MAX_ARGS` arguments of
//! about `MAX_ARG` bytes: 5 KiB.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::cluster::NodeAddr;

/// Arguments that an entry shows, as in redis slowlog.h `SLOWLOG_ENTRY_MAX_ARGC`.
const MAX_ARGS: usize = 32;
/// Bytes of an argument that an entry shows, as in redis slowlog.h `SLOWLOG_ENTRY_MAX_STRING`.
const MAX_ARG: usize = 128;

/// The last slow requests.
#[derive(Debug, Default)]
pub struct SlowLog {
    /// Most entries.
    most: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// Newest first.
    entries: VecDeque<Entry>,
    next: u64,
}

/// A request that took long.
#[derive(Clone, Debug)]
pub struct SlowRequest {
    /// From its being read to its being answered by a node, or given up.
    pub took: Duration,
    /// Its arguments, as far as they are shown.
    pub args: Vec<Vec<u8>>,
    /// Its client's address.
    pub peer: Box<str>,
    /// What its client calls itself.
    pub name: Box<[u8]>,
    /// The node that answered, and how long that took since the request was written to it.
    pub node: Option<(NodeAddr, Duration)>,
}

/// An entry of the log.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its number, never used again.
    pub id: u64,
    /// When it was made, since the epoch.
    pub at: Duration,
    /// What took long.
    pub request: SlowRequest,
}

impl SlowLog {
    /// An empty log of at most so many entries.
    pub fn new(most: usize) -> Self {
        Self { most, kept: Mutex::default() }
    }

    /// Adds `request`, in the place of the oldest if there is no room.
    pub fn add(&self, request: SlowRequest) {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut kept = self.lock();
        let id = kept.next;
        kept.next += 1;
        kept.entries.push_front(Entry { id, at, request });
        kept.entries.truncate(self.most);
    }

    /// The newest `count` entries, newest first.
    pub fn newest(&self, count: usize) -> Vec<Entry> {
        self.lock().entries.iter().take(count).cloned().collect()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.lock().entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all; numbers go on.
    pub fn clear(&self) {
        self.lock().entries.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Arguments as an entry shows them: what is too long or too many is cut, with the words of redis slowlog.c.
#[derive(Debug, Default)]
pub struct Shown {
    args: Vec<Vec<u8>>,
    more: usize,
}

impl Shown {
    /// Adds the next argument.
    pub fn add(&mut self, arg: &[u8]) {
        if self.args.len() == MAX_ARGS {
            self.more += 1;
            return;
        }
        let mut shown = arg[..arg.len().min(MAX_ARG)].to_vec();
        if arg.len() > MAX_ARG {
            shown.extend_from_slice(format!("... ({} more bytes)", arg.len() - MAX_ARG).as_bytes());
        }
        self.args.push(shown);
    }

    /// What is shown.
    pub fn finish(mut self) -> Vec<Vec<u8>> {
        if self.more > 0
            && let Some(last) = self.args.last_mut()
        {
            *last = format!("... ({} more arguments)", self.more + 1).into_bytes();
        }
        self.args
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(micros: u64) -> SlowRequest {
        let (took, name) = (Duration::from_micros(micros), Box::default());
        SlowRequest { took, args: vec![b"GET".to_vec()], peer: "h:1".into(), name, node: None }
    }

    #[test]
    fn the_newest_come_first_and_the_oldest_go() {
        let log = SlowLog::new(2);
        (0..3).for_each(|micros| log.add(request(micros)));
        let ids: Vec<u64> = log.newest(10).iter().map(|entry| entry.id).collect();
        assert_eq!((ids, log.len()), (vec![2, 1], 2));
        assert_eq!(log.newest(1)[0].request.took, Duration::from_micros(2));
        log.clear();
        assert!(log.is_empty());
        log.add(request(1));
        assert_eq!(log.newest(1)[0].id, 3, "numbers go on");
    }

    #[test]
    fn what_is_too_long_or_too_many_is_cut() {
        let mut shown = Shown::default();
        shown.add(&[b'x'; MAX_ARG]);
        shown.add(&[b'x'; MAX_ARG + 5]);
        (2..MAX_ARGS).for_each(|_| shown.add(b"y"));
        let args = shown.finish();
        assert_eq!((args.len(), args[0].len()), (MAX_ARGS, MAX_ARG));
        assert!(args[1].ends_with(b"x... (5 more bytes)"));
        let mut shown = Shown::default();
        (0..MAX_ARGS + 2).for_each(|_| shown.add(b"y"));
        let args = shown.finish();
        assert_eq!((args.len(), &args[MAX_ARGS - 1][..]), (MAX_ARGS, &b"... (3 more arguments)"[..]));
    }
}
