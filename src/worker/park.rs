//! What a worker does before it looks at its sockets and sleeps if there is nothing: it waits for more, or lets others
//! have its core.

use std::{
    cell::RefCell,
    rc::{Rc, Weak},
};

use super::Worker;

thread_local! {
    /// The worker of this thread.
    static WORKER: RefCell<Weak<Worker>> = const { RefCell::new(Weak::new()) };
}

/// From now on `worker` is this thread's.
pub(super) fn begin(worker: &Rc<Worker>) {
    WORKER.set(Rc::downgrade(worker));
}

/// To be called each time before this thread's worker looks at its sockets with nothing else to do.
pub(super) fn before_look() {
    let Some(worker) = WORKER.with_borrow(Weak::upgrade) else { return };
    worker.busy_poll.rearm();
    if !worker.moderation.wait_for_more(&worker.traffic) {
        worker.courtesy.give_way(worker.traffic.owed());
    }
}
