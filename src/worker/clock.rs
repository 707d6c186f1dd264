//! What time it is for a worker. In its tests that is tokio's time, which a simulation lets pass.

#[cfg(not(any(test, fuzzing)))]
pub(super) use self::real::Clock;
#[cfg(any(test, fuzzing))]
pub(super) use self::simulated::Clock;

#[cfg(not(any(test, fuzzing)))]
mod real {
    /// The processor's own.
    pub(in crate::worker) struct Clock(quanta::Clock);

    impl Clock {
        pub(in crate::worker) fn new() -> Self {
            Self(quanta::Clock::new())
        }

        /// Nanoseconds since some moment long ago.
        #[inline]
        pub(in crate::worker) fn read(&self) -> u64 {
            self.0.delta_as_nanos(0, self.0.raw())
        }
    }
}

#[cfg(any(test, fuzzing))]
mod simulated {
    use std::time::Duration;

    use tokio::time::Instant;

    /// What it shows at first: as of a machine that has run for a while.
    const UPTIME: Duration = Duration::from_secs(3600);

    /// The runtime's.
    pub(in crate::worker) struct Clock(Instant);

    impl Clock {
        pub(in crate::worker) fn new() -> Self {
            Self(Instant::now())
        }

        /// Nanoseconds since some moment long ago.
        pub(in crate::worker) fn read(&self) -> u64 {
            u64::try_from((UPTIME + self.0.elapsed()).as_nanos()).unwrap_or(u64::MAX)
        }
    }
}
