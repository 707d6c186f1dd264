//! The scripts that slotway has seen, so that a node that lacks one can be given it: one that joined later, was
//! promoted, or was restarted.
//!
//! Those of SCRIPT LOAD and those of EVAL, which as in servers make no room for each other. Shared by all
//! threads, behind locks: only loads, scripts that are new, flushes and `NOSCRIPT` errors come here. Invariant:
//! at most [`MAX_SCRIPTS`] loaded scripts of together at most [`MAX_BYTES`], and at most [`MAX_SEEN`] others of
//! at most [`MAX_SEEN_BYTES`].

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// Most loaded scripts that are remembered: programs have a few dozen.
pub const MAX_SCRIPTS: usize = 1024;
/// Most bytes of loaded scripts that are remembered.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;
/// Most scripts of EVAL that are remembered, as many as in redis eval.c (`LRU_LIST_LENGTH`): programs that make
/// one up for each request need not have all kept.
pub const MAX_SEEN: usize = 500;
/// Most bytes of scripts of EVAL that are remembered.
pub const MAX_SEEN_BYTES: usize = 4 * 1024 * 1024;

/// What EVALSHA calls a script by.
type Sha = [u8; 20];

/// Scripts by their SHA1.
#[derive(Debug, Default)]
pub struct Scripts {
    loaded: Mutex<Kept<MAX_SCRIPTS, MAX_BYTES>>,
    seen: Mutex<Kept<MAX_SEEN, MAX_SEEN_BYTES>>,
    losses: AtomicU64,
}

/// At most so many scripts of so many bytes.
#[derive(Debug, Default)]
struct Kept<const SCRIPTS: usize, const BYTES: usize> {
    bodies: HashMap<Sha, Arc<[u8]>>,
    /// Oldest first.
    order: VecDeque<Sha>,
    bytes: usize,
}

impl Scripts {
    /// Remembers a script of SCRIPT LOAD, for the oldest where there is no room.
    pub fn remember(&self, body: &[u8]) {
        lock(&self.loaded).add(body);
    }

    /// Remembers a script of EVAL, for the oldest where there is no room.
    pub fn note(&self, body: &[u8]) {
        if lock(&self.seen).add(body) {
            self.losses.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often a script of EVAL was forgotten: while this stays the same, what was noted need not be noted
    /// again.
    pub fn losses(&self) -> u64 {
        self.losses.load(Ordering::Relaxed)
    }

    /// The script that `hex` names, in any case.
    pub fn find(&self, hex: &[u8]) -> Option<Arc<[u8]>> {
        let sha = sha(hex)?;
        let loaded = lock(&self.loaded).bodies.get(&sha).cloned();
        loaded.or_else(|| lock(&self.seen).bodies.get(&sha).cloned())
    }

    /// Forgets all.
    pub fn clear(&self) {
        *lock(&self.loaded) = Kept::default();
        *lock(&self.seen) = Kept::default();
        self.losses.fetch_add(1, Ordering::Relaxed);
    }
}

fn lock<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<const SCRIPTS: usize, const BYTES: usize> Kept<SCRIPTS, BYTES> {
    /// Adds a script. Returns whether another was forgotten for it.
    fn add(&mut self, body: &[u8]) -> bool {
        let sha = sha1_smol::Sha1::from(body).digest().bytes();
        if body.len() > BYTES || self.bodies.contains_key(&sha) {
            return false;
        }
        let before = self.order.len();
        while self.order.len() >= SCRIPTS || self.bytes + body.len() > BYTES {
            self.forget_oldest();
        }
        let forgot = self.order.len() < before;
        self.bytes += body.len();
        self.order.push_back(sha);
        self.bodies.insert(sha, body.into());
        forgot
    }

    fn forget_oldest(&mut self) {
        if let Some(body) = self.order.pop_front().and_then(|sha| self.bodies.remove(&sha)) {
            self.bytes -= body.len();
        }
    }
}

fn sha(hex: &[u8]) -> Option<Sha> {
    let mut sha = Sha::default();
    let (pairs, rest) = hex.as_chunks::<2>();
    if pairs.len() != sha.len() || !rest.is_empty() {
        return None;
    }
    for (byte, pair) in sha.iter_mut().zip(pairs) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(sha)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_found_by_what_servers_call_it() {
        let scripts = Scripts::default();
        scripts.remember(b"return 1");
        let name = b"e0e1f9fabfc9d4800c877a703b823ac0578ff8db";
        assert_eq!(scripts.find(name).as_deref(), Some(&b"return 1"[..]));
        assert_eq!(scripts.find(&name.to_ascii_uppercase()).as_deref(), Some(&b"return 1"[..]));
        for other in [&b""[..], b"e0", &name[1..], &[b'x'; 40], &[b'0'; 40], "é".repeat(20).as_bytes()] {
            assert_eq!(scripts.find(other), None);
        }
        scripts.clear();
        assert_eq!(scripts.find(name), None);
    }

    /// How many loaded scripts there are, and their bytes.
    fn kept(scripts: &Scripts) -> (usize, usize) {
        let kept = lock(&scripts.loaded);
        assert_eq!(kept.order.len(), kept.bodies.len());
        (kept.order.len(), kept.bytes)
    }

    #[test]
    fn the_oldest_makes_room() {
        let scripts = Scripts::default();
        (0..=MAX_SCRIPTS).for_each(|n| scripts.remember(n.to_string().as_bytes()));
        assert_eq!(kept(&scripts).0, MAX_SCRIPTS);
        scripts.remember(&vec![0; MAX_BYTES]);
        assert_eq!(kept(&scripts), (1, MAX_BYTES));
        scripts.remember(&vec![0; MAX_BYTES + 1]);
        assert_eq!(kept(&scripts), (1, MAX_BYTES));
        scripts.remember(b"small");
        assert_eq!(kept(&scripts), (1, 5));
    }

    #[test]
    fn scripts_of_eval_leave_loaded_ones_alone_and_tell_when_one_is_lost() {
        let scripts = Scripts::default();
        scripts.remember(b"return 1");
        (0..MAX_SEEN).for_each(|n| scripts.note(n.to_string().as_bytes()));
        scripts.note(b"0");
        assert_eq!(scripts.losses(), 0);
        scripts.note(b"one more");
        assert_eq!((scripts.losses(), lock(&scripts.seen).order.len()), (1, MAX_SEEN));
        assert!(scripts.find(b"e0e1f9fabfc9d4800c877a703b823ac0578ff8db").is_some());
        scripts.clear();
        assert_eq!((scripts.losses(), kept(&scripts), lock(&scripts.seen).bytes), (2, (0, 0), 0));
    }
}
