//! Lanes and nodes of the tests are byte queues, so every order of events can be had.

use std::io::IoSlice;
use std::task::Waker;

use proptest::prelude::*;

use super::*;
use crate::resp::{ASKING, encode_request};

/// A connection whose node and lanes are in the test's hands.
struct Bench {
    joint: Joint,
    node: Stream,
    lanes: Vec<Stream>,
    scratch: Vec<u8>,
}

fn pair() -> (Stream, Stream) {
    let (one, other) = tokio::io::duplex(64 * 1024);
    (Stream::Lane(one), Stream::Lane(other))
}

fn idle() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

/// What has come on `stream`.
fn taken(stream: &mut Stream) -> Vec<u8> {
    let (mut bytes, mut room) = (Vec::new(), vec![0; 64 * 1024]);
    while let Poll::Ready(Ok(n @ 1..)) = stream.poll_read(&mut idle(), &mut room) {
        bytes.extend_from_slice(&room[..n]);
    }
    bytes
}

fn put(stream: &mut Stream, bytes: &[u8]) {
    let put = stream.poll_write(&mut idle(), &[IoSlice::new(bytes)]);
    assert!(matches!(put, Poll::Ready(Ok(n)) if n == bytes.len()), "{put:?}");
}

fn request(args: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_request(&mut bytes, args);
    bytes
}

impl Bench {
    fn with(lanes: usize) -> Self {
        let (node, ours) = pair();
        let mut bench =
            Self { joint: Joint::new(ours), node, lanes: Vec::new(), scratch: vec![0; 64 * 1024] };
        for _ in 0..lanes {
            let (theirs, ours) = pair();
            bench.lanes.push(theirs);
            bench.joint.add(ours);
        }
        bench
    }

    /// Moves all that can move; false when the connection ended.
    fn run(&mut self) -> bool {
        loop {
            let written = self.joint.write(&mut idle(), &mut self.scratch);
            let read = self.joint.read(&mut idle(), &mut self.scratch);
            match (written, read) {
                (Ok(false), Ok(false)) => return true,
                (Ok(_), Ok(_)) => {}
                _ => return false,
            }
        }
    }

    /// Sends on lane `lane` and returns what the node gets.
    fn send(&mut self, lane: usize, bytes: &[u8]) -> Vec<u8> {
        put(&mut self.lanes[lane], bytes);
        assert!(self.run());
        taken(&mut self.node)
    }

    /// Lets the node answer; false when the connection ended.
    fn answer(&mut self, bytes: &[u8]) -> bool {
        put(&mut self.node, bytes);
        self.run()
    }
}

#[test]
fn each_reply_goes_to_the_lane_that_asked() {
    let mut bench = Bench::with(2);
    let get = request(&["GET", "k"]);
    assert_eq!(bench.send(0, &get), get);
    assert_eq!(bench.send(1, &get.repeat(2)), get.repeat(2));
    assert_eq!(bench.send(0, &get), get);
    assert!(bench.joint.waits());
    assert!(bench.answer(b"+a\r\n>1\r\n+push\r\n*1\r\n$1\r\nb\r\n:3\r\n$-1\r\n"));
    assert_eq!(taken(&mut bench.lanes[0]), b"+a\r\n$-1\r\n");
    assert_eq!(taken(&mut bench.lanes[1]), b"*1\r\n$1\r\nb\r\n:3\r\n");
    assert!(!bench.joint.waits());
}

#[test]
fn a_half_written_request_keeps_the_others_out() {
    let mut bench = Bench::with(2);
    let long = request(&["SET", "k", &"v".repeat(100_000)]);
    let get = request(&["GET", "k"]);
    let mut seen = bench.send(0, &long[..40_000]);
    assert_eq!(seen.len(), 40_000, "it does not wait until it is whole");
    assert_eq!(bench.send(1, &get), b"");
    for piece in long[40_000..].chunks(30_000) {
        seen.extend(bench.send(0, piece));
    }
    assert_eq!(seen, [long, get].concat());
    assert!(bench.answer(b"+OK\r\n$1\r\nv\r\n"));
    assert_eq!(taken(&mut bench.lanes[1]), b"$1\r\nv\r\n");
}

#[test]
fn nothing_comes_between_asking_and_its_request() {
    let mut bench = Bench::with(2);
    let get = request(&["GET", "k"]);
    assert_eq!(bench.send(0, ASKING), b"");
    assert_eq!(bench.send(1, &get), get);
    assert_eq!(bench.send(0, &get), [ASKING, &get].concat());
    assert!(bench.answer(b"+1\r\n+OK\r\n+0\r\n"));
    assert_eq!(taken(&mut bench.lanes[0]), b"+OK\r\n+0\r\n");
    assert_eq!(taken(&mut bench.lanes[1]), b"+1\r\n");
}

#[test]
fn a_lane_that_leaves_is_not_answered_and_its_place_is_taken_again() {
    let mut bench = Bench::with(2);
    let get = request(&["GET", "k"]);
    bench.send(0, &get);
    bench.send(1, &get);
    drop(bench.lanes.remove(0));
    assert!(bench.run() && !bench.joint.is_unused());
    let (theirs, ours) = pair();
    bench.joint.add(ours);
    bench.lanes.push(theirs);
    assert_eq!(bench.joint.lanes.len(), 3, "a reply for the first is due");
    bench.send(1, &get);
    assert!(bench.answer(b"+gone\r\n+second\r\n+third\r\n"));
    assert_eq!(taken(&mut bench.lanes[0]), b"+second\r\n");
    assert_eq!(taken(&mut bench.lanes[1]), b"+third\r\n");
    bench.joint.add(pair().1);
    assert_eq!(bench.joint.lanes.len(), 3);
}

#[test]
fn without_lanes_it_is_unused() {
    let mut bench = Bench::with(1);
    bench.lanes.clear();
    assert!(bench.run() && bench.joint.is_unused());
}

#[test]
fn a_lane_that_leaves_in_mid_request_ends_it() {
    let mut bench = Bench::with(2);
    bench.send(0, &request(&["SET", "k", &"v".repeat(50_000)])[..20_000]);
    drop(bench.lanes.remove(0));
    assert!(!bench.run());
}

#[test]
fn what_is_no_reply_or_not_asked_for_ends_it() {
    let mut bench = Bench::with(1);
    assert!(!bench.answer(b"+unasked\r\n"));
    let mut bench = Bench::with(1);
    bench.send(0, &request(&["GET", "k"]));
    assert!(!bench.answer(b"?\r\n"));
    let mut bench = Bench::with(1);
    drop(std::mem::replace(&mut bench.node, pair().0));
    assert!(!bench.run());
}

#[test]
fn a_long_reply_arrives_whole() {
    let mut bench = Bench::with(2);
    bench.send(1, &request(&["GET", "k"]));
    let reply = [b"$200000\r\n".as_slice(), &[b'v'; 200_000], b"\r\n"].concat();
    let mut seen = Vec::new();
    for piece in reply.chunks(50_000) {
        assert!(bench.answer(piece));
        seen.extend(taken(&mut bench.lanes[1]));
    }
    while bench.run() && seen.len() < reply.len() {
        seen.extend(taken(&mut bench.lanes[1]));
    }
    assert_eq!(seen, reply);
}

#[test]
fn a_lane_that_is_not_read_holds_the_node_back_in_time() {
    let mut bench = Bench::with(1);
    let reply = [b"$60000\r\n".as_slice(), &[b'v'; 60_000], b"\r\n"].concat();
    let get = request(&["GET", "k"]);
    let mut answered = 0;
    while bench.send(0, &get) == get {
        if bench.node.poll_write(&mut idle(), &[IoSlice::new(&reply)]).is_pending() {
            break;
        }
        assert!(bench.run());
        answered += 1;
        assert!(answered * reply.len() < MAX_BACKLOG + (1 << 20), "{answered} replies were taken");
    }
    assert!(answered * reply.len() > MAX_BACKLOG);
    let mut seen = 0;
    while seen < MAX_BACKLOG {
        seen += taken(&mut bench.lanes[0]).len();
        assert!(bench.run());
    }
}

#[test]
fn a_node_that_does_not_read_holds_the_lanes_back() {
    let mut bench = Bench::with(1);
    let get = request(&["GET", &"k".repeat(1000)]);
    let mut taken = 0;
    while let Poll::Ready(written) = bench.lanes[0].poll_write(&mut idle(), &[IoSlice::new(&get)]) {
        taken += written.unwrap();
        assert!(bench.run());
        // What the joint holds, and the queues of the lane and of the node.
        assert!(taken <= MAX_UNWRITTEN + 3 * 64 * 1024, "{taken} bytes were taken");
    }
    assert!(taken >= MAX_UNWRITTEN);
    let mut seen = 0;
    while seen < taken - get.len() {
        seen += self::taken(&mut bench.node).len();
        assert!(bench.run());
    }
}

proptest! {
    #[test]
    fn every_lane_gets_its_own_replies_in_order(
        moves in prop::collection::vec((0_usize..3, 1_usize..60), 1..200),
        values in prop::collection::vec(0_usize..40, 1..30),
    ) {
        let mut bench = Bench::with(3);
        let streams: Vec<Vec<u8>> = (0..3)
            .map(|lane| values.iter().enumerate().flat_map(|(n, len)| {
                request(&["ECHO", &format!("{lane}:{n}:{}", "x".repeat(*len))])
            }).collect())
            .collect();
        let (mut sent, mut got) = ([0_usize; 3], vec![Vec::new(); 3]);
        let mut unanswered = Vec::new();
        let rest = (0..3).map(|lane| (lane, usize::MAX));
        for (lane, step) in moves.into_iter().chain(rest) {
            let end = sent[lane].max(sent[lane].saturating_add(step).min(streams[lane].len()));
            unanswered.extend(bench.send(lane, &streams[lane][sent[lane]..end]));
            sent[lane] = end;
            // The node answers each request by its bytes, as one bulk string.
            while let Some(len) = whole(&unanswered) {
                let request: Vec<u8> = unanswered.drain(..len).collect();
                let reply = [format!("${len}\r\n").as_bytes(), &request, b"\r\n"].concat();
                prop_assert!(bench.answer(&reply));
            }
            for (got, lane) in got.iter_mut().zip(&mut bench.lanes) {
                got.extend(taken(lane));
            }
        }
        for (got, mut stream) in got.iter().zip(streams.iter().map(Vec::as_slice)) {
            let mut expected = Vec::new();
            while let Some(len) = whole(stream) {
                expected.extend([format!("${len}\r\n").as_bytes(), &stream[..len], b"\r\n"].concat());
                stream = &stream[len..];
            }
            prop_assert_eq!(got, &expected);
        }
    }
}

/// The length of the request that `bytes` begin with, if it is whole.
fn whole(bytes: &[u8]) -> Option<usize> {
    let limits = crate::resp::Limits { max_bulk: 1 << 20, max_frame: 1 << 20, authenticated: true };
    match crate::resp::RequestParser::default().scan(bytes, &limits) {
        Ok(crate::resp::Scanned::Request(len)) => Some(len),
        _ => None,
    }
}
