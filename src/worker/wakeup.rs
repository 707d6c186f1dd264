//! Has a task's poll function run again.
//!
//! Invariant: however often it is woken between two polls, the runtime is told once.

use std::{
    cell::{Cell, RefCell},
    task::{Context, Waker},
};

/// How to wake a task, from its first poll on.
#[derive(Default)]
pub(super) struct Wakeup {
    waker: RefCell<Option<Waker>>,
    woken: Cell<bool>,
}

impl Wakeup {
    /// Has the task polled again soon.
    #[inline]
    pub(super) fn wake(&self) {
        if !self.woken.replace(true)
            && let Some(waker) = &*self.waker.borrow()
        {
            waker.wake_by_ref();
        }
    }

    /// To be called when the task is polled, before it looks what there is to do.
    #[inline]
    pub(super) fn arm(&self, cx: &Context<'_>) {
        self.woken.set(false);
        let mut waker = self.waker.borrow_mut();
        if !waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
    }

    /// Whether it was woken and not polled since.
    #[cfg(test)]
    pub(super) fn is_woken(&self) -> bool {
        self.woken.get()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering::Relaxed},
        },
        task::Wake,
    };

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    #[test]
    fn the_runtime_is_told_once_for_each_poll() {
        let (wakeup, one, other) =
            (Wakeup::default(), Arc::new(Count::default()), Arc::new(Count::default()));
        wakeup.wake();
        for (count, polls) in [(&one, 2), (&other, 1)] {
            let waker = Waker::from(Arc::clone(count));
            for _ in 0..polls {
                wakeup.arm(&Context::from_waker(&waker));
                assert!(!wakeup.is_woken());
                (0..3).for_each(|_| wakeup.wake());
            }
        }
        assert_eq!((one.0.load(Relaxed), other.0.load(Relaxed)), (2, 1));
    }
}
