//! The scripts that were loaded through slotway, so that a node that lacks one can be given it: one that
//! joined later, was promoted, or was restarted.
//!
//! Shared by all threads, behind a lock: only loads, flushes and `NOSCRIPT` errors come here. Invariant: at
//! most [`MAX_SCRIPTS`] scripts of together at most [`MAX_BYTES`].

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Most scripts that are remembered: programs have a few dozen; those that make one up for each request need
/// not have all kept.
pub const MAX_SCRIPTS: usize = 1024;
/// Most bytes of scripts that are remembered.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;

/// What EVALSHA calls a script by.
type Sha = [u8; 20];

/// Scripts by their SHA1.
#[derive(Debug, Default)]
pub struct Scripts(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    bodies: HashMap<Sha, Arc<[u8]>>,
    /// Oldest first.
    order: VecDeque<Sha>,
    bytes: usize,
}

impl Scripts {
    /// Remembers a script, for the oldest where there is no room.
    pub fn remember(&self, body: &[u8]) {
        let sha = sha1_smol::Sha1::from(body).digest().bytes();
        let mut kept = self.lock();
        if body.len() > MAX_BYTES || kept.bodies.contains_key(&sha) {
            return;
        }
        while kept.order.len() >= MAX_SCRIPTS || kept.bytes + body.len() > MAX_BYTES {
            kept.forget_oldest();
        }
        kept.bytes += body.len();
        kept.order.push_back(sha);
        kept.bodies.insert(sha, body.into());
    }

    /// The script that `hex` names, in any case.
    pub fn find(&self, hex: &[u8]) -> Option<Arc<[u8]>> {
        self.lock().bodies.get(&sha(hex)?).cloned()
    }

    /// Forgets all.
    pub fn clear(&self) {
        *self.lock() = Kept::default();
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
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

    /// How many scripts there are, and their bytes.
    fn kept(scripts: &Scripts) -> (usize, usize) {
        let kept = scripts.lock();
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
}
