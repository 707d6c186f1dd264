//! How many tries may be in vain: many clients that wait for one node must not keep it busy with refusing them.
//!
//! Each node that requests are tried again at has a budget at each worker. A try takes from it; one that succeeds
//! gives back more, so that a node which serves again soon serves all. Who finds none left waits in line. Knows no
//! request and no clock. Invariant: of a node that serves nobody at most [`MOST`] tries at once and
//! [`PER_REFILL`] for each refill are made, besides what successes gave.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use tokio::{sync::Semaphore, time::timeout};

/// Tries that a node is good for when there was no trouble lately.
const MOST: usize = 100;
/// Tries that each refill adds.
const PER_REFILL: usize = 20;
/// What a try that succeeds gives back.
const REWARD: usize = 2;

/// The tries left at one node.
pub(super) struct Budget(Semaphore);

impl Default for Budget {
    fn default() -> Self {
        Self(Semaphore::new(MOST))
    }
}

impl Budget {
    /// Takes one, if there is any and nobody waits for it.
    pub(super) fn take(&self) -> bool {
        self.0.try_acquire().map(tokio::sync::SemaphorePermit::forget).is_ok()
    }

    /// Waits for one in line behind others, no longer than `limit`; whether it got one.
    pub(super) async fn wait(&self, limit: Duration) -> bool {
        let taken = timeout(limit, self.0.acquire()).await;
        taken.is_ok_and(|taken| taken.map(tokio::sync::SemaphorePermit::forget).is_ok())
    }

    /// One was taken for nothing.
    pub(super) fn unused(&self) {
        self.add(1);
    }

    /// A try succeeded.
    pub(super) fn succeeded(&self) {
        self.add(REWARD);
    }

    fn add(&self, count: usize) {
        self.0.add_permits(count.min(MOST.saturating_sub(self.0.available_permits())));
    }

    fn is_full(&self) -> bool {
        self.0.available_permits() >= MOST
    }
}

/// The budgets of nodes, named by `N`, that had trouble lately.
pub(super) struct Budgets<N>(RefCell<BTreeMap<N, Rc<Budget>>>);

impl<N> Default for Budgets<N> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<N: Ord> Budgets<N> {
    /// That of `node`.
    pub(super) fn of(&self, node: N) -> Rc<Budget> {
        Rc::clone(self.0.borrow_mut().entry(node).or_default())
    }

    /// Adds to all, and forgets those that nobody took from for a while.
    pub(super) fn refill(&self) {
        self.0.borrow_mut().retain(|_, budget| {
            let idle = budget.is_full() && Rc::strong_count(budget) == 1;
            budget.add(PER_REFILL);
            !idle
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(budget: &Budget) -> usize {
        (0..10 * MOST).take_while(|_| budget.take()).count()
    }

    #[test]
    fn tries_in_vain_are_as_many_as_the_refills_allow() {
        let budgets = Budgets::default();
        let budget = budgets.of("a");
        assert_eq!(takes(&budget), MOST);
        for _ in 0..3 {
            budgets.refill();
            assert_eq!(takes(&budget), PER_REFILL);
        }
        assert_eq!(takes(&budgets.of("b")), MOST, "another node has its own");
        (0..2 * MOST / PER_REFILL).for_each(|_| budgets.refill());
        assert_eq!(takes(&budget), MOST, "never more than that");
    }

    #[test]
    fn each_success_pays_for_two_more_tries() {
        let budget = Budget::default();
        takes(&budget);
        let mut flying = 1;
        for _ in 0..5 {
            (0..flying).for_each(|_| budget.succeeded());
            assert_eq!(takes(&budget), 2 * flying);
            flying *= 2;
        }
        budget.unused();
        assert_eq!(takes(&budget), 1);
        (0..MOST).for_each(|_| budget.succeeded());
        assert_eq!(takes(&budget), MOST);
    }

    #[test]
    fn who_waits_is_served_in_line_or_gives_up() {
        let budgets = Budgets::default();
        let budget = budgets.of("a");
        takes(&budget);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(async {
            assert!(!budget.wait(Duration::from_secs(1)).await);
            let late = async {
                tokio::time::sleep(Duration::from_millis(1)).await;
                budget.succeeded();
                assert!(!budget.take(), "those in line come first");
            };
            let second = Duration::from_secs(1);
            assert_eq!(tokio::join!(budget.wait(second), budget.wait(second), late), (true, true, ()));
        });
    }

    #[test]
    fn a_node_without_trouble_is_forgotten() {
        let budgets = Budgets::default();
        let budget = budgets.of("a");
        assert!(budget.take());
        budgets.refill();
        budgets.refill();
        assert_eq!(budgets.0.borrow().len(), 1, "somebody has it");
        drop(budget);
        budgets.refill();
        assert_eq!(budgets.0.borrow().len(), 0);
    }
}
