//! Whether the proxies that this test starts let their workers share connections to the nodes.
//!
//! A test is one thread, so this is set once around it rather than handed through every function.

use std::cell::Cell;

thread_local! {
    static SHARED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `attempt` with proxies whose workers share one connection to each node.
pub(crate) fn sharing(attempt: impl FnOnce()) {
    SHARED.set(true);
    attempt();
}

/// Whether workers share connections.
pub(crate) fn shared() -> bool {
    SHARED.get()
}

/// The flags that say so.
pub(crate) fn flags() -> &'static [&'static str] {
    if shared() { &["--backend-connections-per-node", "1"] } else { &[] }
}
