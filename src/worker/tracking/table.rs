//! Which clients read which keys since these last changed.
//!
//! Pure. Invariant: takes at most [`MAX_TABLE`] bytes, as it counts them.

use std::{collections::HashMap, rc::Rc};

/// A key, shared with the clients that read it.
pub(in crate::worker) type Key = Rc<[u8]>;

/// What the table of one worker may take, in bytes: about a million short keys, as many as Redis's
/// `tracking-table-max-keys`.
const MAX_TABLE: usize = 128 * 1024 * 1024;
/// What a key takes beside its bytes, about.
const PER_KEY: usize = 96;
/// What each client that read it takes.
const PER_CLIENT: usize = size_of::<u64>();
/// When there is no room one key in so many makes it.
const EVICTED: usize = 8;

/// Clients by the keys that they read.
#[derive(Default)]
pub(super) struct Table {
    /// Sorted ids of clients; some may be gone.
    readers: HashMap<Key, Vec<u64>>,
    size: usize,
}

impl Table {
    /// Client `id` reads `key`.
    pub(super) fn add(&mut self, key: &Key, id: u64) {
        let readers = self.readers.entry(Rc::clone(key)).or_insert_with(|| {
            self.size += key.len() + PER_KEY;
            Vec::new()
        });
        if let Err(place) = readers.binary_search(&id) {
            readers.insert(place, id);
            self.size += PER_CLIENT;
        }
    }

    /// Takes out who read `key`.
    pub(super) fn take(&mut self, key: &[u8]) -> Vec<u64> {
        let Some(readers) = self.readers.remove(key) else { return Vec::new() };
        self.size -= key.len() + PER_KEY + readers.len() * PER_CLIENT;
        readers
    }

    /// Keys that must go to make room, if there is none.
    pub(super) fn excess(&self) -> Vec<Key> {
        self.excess_over(MAX_TABLE)
    }

    fn excess_over(&self, most: usize) -> Vec<Key> {
        if self.size <= most {
            return Vec::new();
        }
        self.readers.keys().take(self.readers.len().div_ceil(EVICTED)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reader_is_told_once() {
        let mut table = Table::default();
        let key = Key::from(&b"a"[..]);
        for id in [7, 3, 7] {
            table.add(&key, id);
        }
        assert_eq!(table.take(b"a"), [3, 7]);
        assert!(table.take(b"a").is_empty());
        assert_eq!(table.size, 0);
    }

    #[test]
    fn a_full_table_names_keys_that_make_room() {
        let mut table = Table::default();
        for n in 0..80_u8 {
            table.add(&Key::from(&[n][..]), 1);
        }
        assert!(table.excess().is_empty());
        let excess = table.excess_over(table.size - 1);
        assert_eq!(excess.len(), 10);
        let before = table.size;
        excess.iter().for_each(|key| assert_eq!(table.take(key), [1]));
        assert_eq!(before - table.size, 10 * (1 + PER_KEY + PER_CLIENT));
    }
}
