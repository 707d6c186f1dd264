//! How many channels and patterns are listened to, each counted once however many workers have it.
//!
//! Must not know what a topic is. Invariant: the lock is taken when a worker begins or ceases to listen to
//! one, and when somebody asks.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Topics of three kinds, by how many workers have each. Names are told apart by their hashes, which is good
/// enough for a count.
#[derive(Debug, Default)]
pub struct Topics(Mutex<[HashMap<u64, u32>; 3]>);

impl Topics {
    /// A worker has `name` of `kind` from now on.
    pub fn begin(&self, kind: usize, name: &[u8]) {
        *self.lock()[kind].entry(hash(name)).or_default() += 1;
    }

    /// A worker that had `name` of `kind` has it no more.
    pub fn cease(&self, kind: usize, name: &[u8]) {
        if let Entry::Occupied(mut workers) = self.lock()[kind].entry(hash(name)) {
            *workers.get_mut() -= 1;
            if *workers.get() == 0 {
                workers.remove();
            }
        }
    }

    /// How many there are of each kind.
    pub fn counts(&self) -> [usize; 3] {
        let topics = self.lock();
        std::array::from_fn(|kind| topics[kind].len())
    }

    fn lock(&self) -> MutexGuard<'_, [HashMap<u64, u32>; 3]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// With fixed keys: all workers must come to the same.
fn hash(name: &[u8]) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_counts_once_until_the_last_worker_leaves_it() {
        let topics = Topics::default();
        topics.begin(0, b"a");
        topics.begin(0, b"a");
        topics.begin(2, b"a");
        topics.cease(1, b"a");
        assert_eq!(topics.counts(), [1, 0, 1]);
        topics.cease(0, b"a");
        assert_eq!(topics.counts(), [1, 0, 1]);
        topics.cease(0, b"a");
        assert_eq!(topics.counts(), [0, 0, 1]);
    }
}
