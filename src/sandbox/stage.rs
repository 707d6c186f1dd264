//! What every step of the sandbox needs: the litter, and waiting that ends at a signal or a deadline.

use std::{
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread,
    time::{Duration, Instant},
};

use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{Signal, SignalKind, signal},
};

use super::{Failure, litter::Litter};

/// The ground a sandbox stands on.
pub(super) struct Stage {
    /// What is to be removed at the end.
    pub(super) litter: Litter,
    stop: Receiver<()>,
}

/// Pause between two looks at a condition.
const PAUSE: Duration = Duration::from_millis(20);

impl Stage {
    /// From here on SIGINT, SIGTERM and SIGHUP end the sandbox in order.
    pub(super) fn set(litter: Litter) -> Result<Self, Failure> {
        let refused = |e| Failure::Io("cannot listen to signals".to_owned(), e);
        let (send, stop) = mpsc::channel();
        let runtime = Builder::new_current_thread().enable_io().build().map_err(refused)?;
        let signals = signals(&runtime).map_err(refused)?;
        thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || runtime.block_on(forward(signals, send)))
            .map_err(refused)?;
        Ok(Self { litter, stop })
    }

    /// Looks until `condition` holds, for at most `limit`; `what` completes "waited in vain until".
    pub(super) fn until(
        &self,
        what: &str,
        limit: Duration,
        mut condition: impl FnMut() -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        let deadline = Instant::now() + limit;
        while !condition()? {
            self.litter.check()?;
            if Instant::now() >= deadline {
                return Err(Failure::Late(what.to_owned(), limit.as_secs()));
            }
            self.pause(PAUSE)?;
        }
        Ok(())
    }

    /// Stays until a signal, or until a process of the sandbox ends.
    pub(super) fn until_stopped(&self) -> Result<(), Failure> {
        loop {
            self.pause(Duration::from_millis(500))?;
            self.litter.check()?;
        }
    }

    fn pause(&self, length: Duration) -> Result<(), Failure> {
        match self.stop.recv_timeout(length) {
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Ok(()) | Err(RecvTimeoutError::Disconnected) => Err(Failure::Stopped),
        }
    }
}

fn signals(runtime: &Runtime) -> std::io::Result<[Signal; 3]> {
    let _inside = runtime.enter();
    Ok([signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?])
}

async fn forward([mut interrupt, mut terminate, mut hangup]: [Signal; 3], stop: Sender<()>) {
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
        if stop.send(()).is_err() {
            return;
        }
    }
}
