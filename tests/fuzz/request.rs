//! Requests of clients: the same whole and byte by byte, each with a command, keys and a route or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use slotway::{
    command::{self, Keys},
    resp::{Limits, RequestParser, Scanned, encode_inline},
    routing::{self, Touched},
};

const LIMITS: Limits = Limits { max_bulk: 1 << 20, max_frame: 1 << 20, authenticated: true };

/// What each request at the start of `bytes` is; the bytes arrive in steps of `step`.
fn all(bytes: &[u8], step: usize) -> Vec<String> {
    let (mut parser, mut found, mut at, mut seen) = (RequestParser::default(), Vec::new(), 0, 0);
    loop {
        match parser.scan(&bytes[at..seen], &LIMITS) {
            Ok(Scanned::Request(len)) => {
                let request = parser.request(&bytes[at..at + len], len);
                let route = command::resolve(&request).map(|command| {
                    let route = routing::route(command, request, &mut Keys::default());
                    (route, routing::route_queued(command, request, &mut Keys::default()))
                });
                let args: Vec<_> = (0..request.argc()).map(|n| request.arg(n)).collect();
                found.push(format!("{args:?} {route:?}"));
                at += len;
            }
            Ok(Scanned::Nothing(len)) => at += len,
            Ok(Scanned::Inline(len)) => {
                let mut request = Vec::new();
                found.push(format!("{:?} {request:?}", encode_inline(&bytes[at..at + len], &mut request)));
                at += len;
            }
            Ok(Scanned::Incomplete) if seen == bytes.len() => return found,
            Ok(Scanned::Incomplete) => seen = bytes.len().min(seen + step),
            Err(error) => {
                found.push(error.to_string());
                return found;
            }
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    assert_eq!(all(bytes, bytes.len().max(1)), all(bytes, 1));
    let _ = Touched::by(bytes);
});
