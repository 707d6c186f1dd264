//! Replies of nodes: as long whole as byte by byte, and read as values without panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use slotway::{
    cluster::NodeAddr,
    resp::{ReplyScanner, parse},
    routing::Verdict,
};

/// The lengths of the replies that `bytes` begins with; the bytes arrive in steps of `step`. The last is 0 if what
/// follows is no reply.
fn lens(bytes: &[u8], step: usize) -> Vec<usize> {
    let (mut scanner, mut found, mut at, mut seen) = (ReplyScanner::default(), Vec::new(), 0, 0);
    loop {
        match scanner.scan(&bytes[at..seen]) {
            Ok(Some(reply)) => {
                found.push(reply.len);
                at += reply.len;
            }
            Ok(None) if seen == bytes.len() => return found,
            Ok(None) => seen = bytes.len().min(seen + step),
            Err(_) => {
                found.push(0);
                return found;
            }
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let whole = lens(bytes, bytes.len().max(1));
    assert_eq!(whole, lens(bytes, 1));
    let _ = Verdict::of(bytes, &NodeAddr::new("h", 1));
    // Where both understand a reply they agree on its length.
    if let (Ok(Some((_, len))), Some(first @ 1..)) = (parse(bytes), whole.first()) {
        assert_eq!(len, *first);
    }
});
