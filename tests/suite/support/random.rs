//! Seeded random numbers (`SplitMix64`): the same seed makes the same test.

use std::{
    env,
    hash::{BuildHasher, RandomState},
};

/// A generator that says its seed, so that a failure can be repeated.
pub(crate) struct Random {
    seed: u64,
    state: u64,
}

impl Random {
    /// Seeded by `SLOTWAY_TEST_SEED`, else by chance.
    pub(crate) fn new() -> Self {
        let seed = match env::var("SLOTWAY_TEST_SEED") {
            Ok(text) => text.parse().expect("SLOTWAY_TEST_SEED is a number"),
            Err(_) => RandomState::new().hash_one(0),
        };
        Self { seed, state: seed }
    }

    /// The seed, for the message of a failed assertion.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).expect("below a usize")
    }

    /// One of `choices`.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// Any bytes, line ends and zeros included, up to `longest`.
    pub(crate) fn bytes(&mut self, longest: usize) -> Vec<u8> {
        let length = self.below(longest + 1);
        (0..length).map(|_| self.next().to_le_bytes()[0]).collect()
    }
}
