//! The small functions on the data path, one round of each: what `micro` times and `instructions` counts.

use std::{cell::RefCell, hint::black_box, sync::LazyLock};

use slotway::{
    cluster::{NodeAddr, Slot},
    command::{self, Keys, SplitKind},
    metrics::Histogram,
    resp::{Limits, ReplyScanner, RequestParser, Scanned},
    routing::{self, Verdict},
};

/// A name and what one round of it does.
pub(crate) const ROUNDS: &[(&str, fn())] = &[
    ("slot_of_ten_byte_key", || slot_of(b"user:12345")),
    ("slot_of_sixteen_byte_key", || slot_of(b"key:000000012345")),
    ("slot_of_tagged_key", || slot_of(b"{user1000}.following")),
    ("scan_get", || scan(GET)),
    ("scan_set_1k", || scan(&SET_1K)),
    ("scan_mget_of_10", || scan(&MGET_10)),
    ("resolve_and_route_get", || route(GET)),
    ("resolve_and_route_mget_of_10", || route(&MGET_10)),
    ("split_mget_of_10", split),
    ("skip_status", || skip(b"+OK\r\n")),
    ("skip_bulk", || skip(b"$3\r\nxxx\r\n")),
    ("skip_array_of_100", || skip(&ARRAY_100)),
    ("verdict_of_bulk", verdict),
    ("record_duration", record),
];

const GET: &[u8] = b"*2\r\n$3\r\nGET\r\n$16\r\nkey:000000012345\r\n";

static SET_1K: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let value = "x".repeat(1024);
    format!("*3\r\n$3\r\nSET\r\n$16\r\nkey:000000012345\r\n$1024\r\n{value}\r\n").into_bytes()
});

static MGET_10: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let keys: String = (0..10).map(|n| format!("$16\r\nkey:{n:012}\r\n")).collect();
    format!("*11\r\n$4\r\nMGET\r\n{keys}").into_bytes()
});

static ARRAY_100: LazyLock<Vec<u8>> =
    LazyLock::new(|| [b"*100\r\n".to_vec(), b"$3\r\nxxx\r\n".repeat(100)].concat());

const LIMITS: Limits = Limits { max_bulk: 512 << 20, max_frame: 1 << 30, authenticated: true };

thread_local! {
    static PARSER: RefCell<RequestParser> = RefCell::default();
    static KEYS: RefCell<Keys> = RefCell::default();
    static OUT: RefCell<Vec<u8>> = RefCell::default();
    static HISTOGRAM: Histogram = Histogram::default();
}

fn slot_of(key: &[u8]) {
    black_box(Slot::of(black_box(key)));
}

fn scan(frame: &[u8]) {
    PARSER.with_borrow_mut(|parser| black_box(parser.scan(black_box(frame), &LIMITS)).is_ok());
}

fn route(frame: &[u8]) {
    PARSER.with_borrow_mut(|parser| {
        let Ok(Scanned::Request(len)) = parser.scan(black_box(frame), &LIMITS) else { return };
        let request = parser.request(frame, len);
        let Ok(command) = command::resolve(&request) else { return };
        KEYS.with_borrow_mut(|keys| black_box(routing::route(command, request, keys)).is_ok());
    });
}

fn split() {
    PARSER.with_borrow_mut(|parser| {
        let Ok(Scanned::Request(len)) = parser.scan(black_box(&MGET_10), &LIMITS) else { return };
        let request = parser.request(&MGET_10, len);
        OUT.with_borrow_mut(|out| {
            out.clear();
            for part in routing::parts(SplitKind::Mget, request) {
                part.encode(request, out);
            }
            black_box(out.len());
        });
    });
}

fn skip(reply: &[u8]) {
    black_box(ReplyScanner::default().scan(black_box(reply))).ok();
}

fn verdict() {
    static NODE: LazyLock<NodeAddr> = LazyLock::new(|| NodeAddr::new("127.0.0.1", 7000));
    black_box(Verdict::of(black_box(b"$3\r\nxxx\r\n"), &NODE));
}

fn record() {
    HISTOGRAM.with(|histogram| histogram.record(black_box(180_000)));
}
