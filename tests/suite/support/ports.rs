//! Free loopback ports, each handed out once while there are enough.

use std::{
    collections::HashSet,
    net::TcpListener,
    process,
    sync::{LazyLock, Mutex},
};

/// Where the search starts and ends. A cluster's bus port is ten thousand higher: below 32,768, where the kernel takes
/// ports for outgoing connections, and above all others.
const FIRST: u16 = 12_700;
const LAST: u16 = 22_700;
const BUS: u16 = 10_000;

static TAKEN: LazyLock<Mutex<HashSet<u16>>> = LazyLock::new(Mutex::default);

/// A port nobody listens on now, nor on its bus port. Test processes start their search in different places.
pub(crate) fn free_port() -> u16 {
    let mut taken = TAKEN.lock().expect("no one panics in here");
    let span = LAST - FIRST;
    let start = u16::try_from(process::id() * 97 % u32::from(span)).expect("below the span");
    let free = |taken: &HashSet<u16>| {
        let mut ports = (0..span).map(|step| FIRST + (start + step) % span);
        ports.find(|port| !taken.contains(port) && is_free(*port) && is_free(port + BUS))
    };
    let port = free(&taken).or_else(|| {
        // All were handed out once: those of ended tests may be again.
        taken.clear();
        free(&taken)
    });
    let port = port.expect("a free port");
    taken.insert(port);
    port
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}
