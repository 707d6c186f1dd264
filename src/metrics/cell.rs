//! Integers that one thread writes and another may read at any time.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A count with one writing thread: adding is a load and a store, never a locked instruction.
#[derive(Debug, Default)]
pub struct Cell(AtomicU64);

impl Cell {
    /// Adds `n`; only the owning thread may call this.
    #[inline]
    pub fn add(&self, n: u64) {
        self.0.store(self.0.load(Relaxed).wrapping_add(n), Relaxed);
    }

    /// Takes `n` off; only the owning thread may call this.
    #[inline]
    pub fn sub(&self, n: u64) {
        self.0.store(self.0.load(Relaxed).wrapping_sub(n), Relaxed);
    }

    /// Sets it; only the owning thread may call this.
    #[inline]
    pub fn set(&self, n: u64) {
        self.0.store(n, Relaxed);
    }

    /// What it says now.
    #[inline]
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// Upper bounds of the buckets in nanoseconds: 50 µs to 5 s.
pub const BUCKET_BOUNDS: [u64; 19] = [
    50_000,
    100_000,
    200_000,
    300_000,
    500_000,
    750_000,
    1_000_000,
    2_000_000,
    3_000_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
];

/// The bounded buckets and the one without bound.
pub const BUCKETS: usize = BUCKET_BOUNDS.len() + 1;

/// How often durations fell between which bounds; one writing thread.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [Cell; BUCKETS],
    sum: Cell,
}

impl Histogram {
    /// Counts one duration of `nanos`; only the owning thread may call this.
    #[inline]
    pub fn record(&self, nanos: u64) {
        self.buckets[bucket(nanos)].add(1);
        self.sum.add(nanos);
    }

    /// Durations per bucket, not cumulated.
    pub fn buckets(&self) -> [u64; BUCKETS] {
        std::array::from_fn(|i| self.buckets[i].get())
    }

    /// All durations added up, in nanoseconds.
    pub fn sum(&self) -> u64 {
        self.sum.get()
    }

    /// How many durations were counted.
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(Cell::get).sum()
    }
}

/// The bucket whose bounds hold `nanos`, found without a branch: processors can't foretell durations.
#[inline]
fn bucket(nanos: u64) -> usize {
    let Octave { first, bounds: [lower, upper] } = OCTAVES[(nanos | 1).ilog2() as usize];
    first + usize::from(nanos > lower) + usize::from(nanos > upper)
}

/// Durations from one power of two to the next.
#[derive(Clone, Copy)]
struct Octave {
    /// The bucket of the shortest.
    first: usize,
    /// The bounds of that bucket and of the next: no octave holds more.
    bounds: [u64; 2],
}

static OCTAVES: [Octave; 64] = octaves();

const fn octaves() -> [Octave; 64] {
    let mut octaves = [Octave { first: BUCKET_BOUNDS.len(), bounds: [u64::MAX; 2] }; 64];
    let (mut octave, mut at) = (0, 0);
    while at < BUCKET_BOUNDS.len() {
        if BUCKET_BOUNDS[at] < 1 << octave {
            at += 1;
            continue;
        }
        let above = if at + 1 < BUCKET_BOUNDS.len() { BUCKET_BOUNDS[at + 1] } else { u64::MAX };
        octaves[octave] = Octave { first: at, bounds: [BUCKET_BOUNDS[at], above] };
        octave += 1;
    }
    octaves
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_falls_into_the_first_bucket_that_holds_it() {
        assert_eq!(bucket(0), 0);
        assert_eq!(bucket(50_000), 0);
        assert_eq!(bucket(50_001), 1);
        assert_eq!(bucket(5_000_000_000), 18);
        assert_eq!(bucket(u64::MAX), 19);
        for (i, bound) in BUCKET_BOUNDS.into_iter().enumerate() {
            assert_eq!((bucket(bound - 1), bucket(bound), bucket(bound + 1)), (i, i, i + 1));
        }
        for power in (0..u64::BITS).map(|digits| 1 << digits) {
            for nanos in [power - 1, power] {
                let first = BUCKET_BOUNDS.iter().position(|&bound| nanos <= bound);
                assert_eq!(bucket(nanos), first.unwrap_or(BUCKET_BOUNDS.len()), "{nanos}");
            }
        }
        let histogram = Histogram::default();
        histogram.record(70_000);
        histogram.record(80_000);
        assert_eq!((histogram.buckets()[1], histogram.sum(), histogram.count()), (2, 150_000, 2));
    }
}
