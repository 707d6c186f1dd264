//! The line: order, gathering, bounds.

use proptest::prelude::*;

use super::*;
use crate::routing::Merge;

fn out(line: &mut Line) -> String {
    let mut text = String::new();
    while line.outbox.unwritten() > 0 {
        let written = line.outbox.write(|slices| {
            text.push_str(std::str::from_utf8(&slices[0]).unwrap());
            std::task::Poll::Ready(Ok(slices[0].len()))
        });
        let std::task::Poll::Ready(Ok(n)) = written else { panic!("not written") };
        line.outbox.release(n);
    }
    line.delivered(|_| {});
    text
}

fn answer(line: &mut Line, number: u64, reply: &str) {
    line.answer(number, Reply::Copy(reply.as_bytes()), 0);
}

fn split(line: &mut Line, merge: Merge, keys: &[u32]) -> u64 {
    line.join_split(crate::command::lookup(b"mget").unwrap(), 0, false, merge, keys.iter().copied())
}

#[test]
fn replies_leave_in_the_order_of_their_requests() {
    let mut line = Line::default();
    let numbers: Vec<u64> = (0..3).map(|_| line.join(None, 0, false)).collect();
    answer(&mut line, numbers[2], "+c\r\n");
    answer(&mut line, numbers[1], "+b\r\n");
    assert_eq!((out(&mut line).as_str(), line.waiting(), line.buffered()), ("", 1, 8));
    answer(&mut line, numbers[0], "+a\r\n");
    assert_eq!(out(&mut line), "+a\r\n+b\r\n+c\r\n");
    assert_eq!((line.is_empty(), line.waiting(), line.buffered()), (true, 0, 0));
}

#[test]
fn replies_wait_for_the_others_of_their_read_only() {
    let mut line = Line::default();
    let earlier = line.join(None, 0, false);
    line.begin_batch();
    let batch: Vec<u64> = (0..3).map(|_| line.join(None, 0, false)).collect();
    answer(&mut line, earlier, "+a\r\n");
    assert!(!line.holds(), "of an earlier read");
    answer(&mut line, batch[0], "+b\r\n");
    assert!(line.holds(), "the next is of the same read");
    answer(&mut line, batch[2], "+d\r\n");
    answer(&mut line, batch[1], "+c\r\n");
    assert!(!line.holds(), "all of the read are there");
    assert_eq!(out(&mut line), "+a\r\n+b\r\n+c\r\n+d\r\n");
}

#[test]
fn much_waits_for_nothing() {
    let mut line = Line::default();
    line.begin_batch();
    let batch: Vec<u64> = (0..3).map(|_| line.join(None, 0, false)).collect();
    answer(&mut line, batch[0], "+a\r\n");
    assert!(line.holds());
    answer(&mut line, batch[1], &format!("+{}\r\n", "x".repeat(HOLD)));
    assert!(!line.holds());
}

#[test]
fn a_reply_that_is_not_wanted_holds_its_place_all_the_same() {
    let mut line = Line::default();
    let (muted, heard) = (line.join(None, 0, true), line.join(None, 0, false));
    answer(&mut line, heard, "+b\r\n");
    assert_eq!(out(&mut line), "");
    answer(&mut line, muted, "+a\r\n");
    assert_eq!(out(&mut line), "+b\r\n");
}

#[test]
fn parts_become_one_array_in_the_order_of_the_keys() {
    let mut line = Line::default();
    let before = line.join(None, 0, false);
    let first = split(&mut line, Merge::Concat, &[2, 1, 1]);
    let behind = line.join(None, 0, false);
    answer(&mut line, behind, "+z\r\n");
    answer(&mut line, first + 2, "*1\r\n$1\r\nd\r\n");
    answer(&mut line, first, "*2\r\n$1\r\na\r\n$-1\r\n");
    answer(&mut line, before, "+y\r\n");
    assert_eq!((out(&mut line).as_str(), line.waiting()), ("+y\r\n", 2));
    let large = "x".repeat(LARGE);
    line.answer(first + 1, Reply::Own(format!("*1\r\n${LARGE}\r\n{large}\r\n").into_bytes().into()), 0);
    let expected = format!("*4\r\n$1\r\na\r\n$-1\r\n${LARGE}\r\n{large}\r\n$1\r\nd\r\n+z\r\n");
    assert_eq!(out(&mut line), expected);
    assert_eq!((line.is_empty(), line.waiting(), line.buffered()), (true, 0, 0));
}

#[test]
fn numbers_add_up_and_one_error_is_the_error_of_all() {
    let mut line = Line::default();
    let first = split(&mut line, Merge::Sum, &[1, 2]);
    answer(&mut line, first + 1, ":2\r\n");
    answer(&mut line, first, ":1\r\n");
    assert_eq!(out(&mut line), ":3\r\n");
    let first = split(&mut line, Merge::Ok, &[1, 1, 1]);
    answer(&mut line, first + 2, "-OOM late\r\n");
    answer(&mut line, first + 1, "-OOM early\r\n");
    assert_eq!(line.waiting(), 3 - 2 + 1);
    answer(&mut line, first, "+OK\r\n");
    assert_eq!(out(&mut line), "-OOM early\r\n");
    for reply in [":1\r\n", "*2\r\n:1\r\n:2\r\n", "*0\r\n", "*-1\r\n"] {
        let first = split(&mut line, Merge::Concat, &[1]);
        answer(&mut line, first, reply);
        assert_eq!(out(&mut line), "-ERR unexpected reply to a part of the command\r\n");
    }
    assert_eq!((line.is_empty(), line.waiting(), line.buffered()), (true, 0, 0));
}

#[test]
fn a_client_of_large_replies_has_few_requests_in_flight() {
    let (mut line, limit) = (Line::default(), 1 << 20);
    let fill = |line: &mut Line| {
        (0..).take_while(|_| !line.is_full(limit) && line.join(None, 0, false) < 1 << 40).count()
    };
    assert_eq!(fill(&mut line), FIRST_WINDOW);
    for number in 0..FIRST_WINDOW as u64 {
        line.answer(number, Reply::Own(vec![b'x'; limit / 4].into()), 0);
    }
    assert!(line.is_full(limit));
    assert_eq!(out(&mut line).len(), FIRST_WINDOW * limit / 4);
    assert_eq!(fill(&mut line), 4);
}

#[test]
fn each_request_is_told_of_once_and_parts_are_not() {
    let mut line = Line::default();
    let first = split(&mut line, Merge::Sum, &[1, 1]);
    let single = line.join(None, 7, false);
    answer(&mut line, single, "-ERR x\r\n");
    answer(&mut line, first, ":1\r\n");
    line.answer(first + 1, Reply::Copy(b":1\r\n"), 5);
    let mut told = Vec::new();
    line.delivered(|reply| told.push((reply.received, reply.answered, reply.error.is_some())));
    assert_eq!(told, [(0, 5, false), (7, 0, true)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Parked bytes are bounded by what is needed, whatever the order of the answers.
    #[test]
    fn any_order_of_answers_gives_the_order_of_requests(order in Just((0..200_u64).collect::<Vec<_>>()).prop_shuffle(), size in 1_usize..300) {
        let mut line = Line::default();
        for _ in 0..200 {
            line.join(None, 0, false);
        }
        let mut got = String::new();
        for number in order {
            answer(&mut line, number, &format!("+{number:0size$}\r\n"));
            got += &out(&mut line);
        }
        let expected: String = (0..200).map(|number| format!("+{number:0size$}\r\n")).collect();
        prop_assert_eq!(got, expected);
    }
}

#[test]
fn replies_that_always_some_wait_for_take_no_more_room_than_needed() {
    let mut line = Line::default();
    for _ in 0..2000 {
        line.join(None, 0, false);
    }
    let reply = |number: u64| format!("+{number:0100}\r\n");
    answer(&mut line, 1, &reply(1));
    let mut got = String::new();
    for number in (0..1996).step_by(2) {
        answer(&mut line, number + 3, &reply(number + 3));
        answer(&mut line, number, &reply(number));
        got += &out(&mut line);
        assert!(line.live > 0 && line.parked.capacity() <= 2 * SLACK);
    }
    assert_eq!(got, (0..1996).map(reply).collect::<String>());
}

#[test]
fn arrays_of_any_length_become_one() {
    let mut line = Line::default();
    let first = split(&mut line, Merge::Chain, &[0, 0, 0]);
    answer(&mut line, first + 2, "*1\r\n$1\r\nc\r\n");
    answer(&mut line, first + 1, "*0\r\n");
    answer(&mut line, first, "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
    assert_eq!(out(&mut line), "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n");
    let first = split(&mut line, Merge::Chain, &[0, 0]);
    answer(&mut line, first, ":1\r\n");
    answer(&mut line, first + 1, "*0\r\n");
    assert!(out(&mut line).starts_with("-ERR unexpected"));
    assert_eq!((line.is_empty(), line.waiting(), line.buffered()), (true, 0, 0));
}

#[test]
fn a_fold_sees_all_replies_errors_too() {
    let mut line = Line::default();
    let first = split(&mut line, Merge::Fold(crate::routing::Fold::One), &[0, 0]);
    let behind = line.join(None, 0, false);
    assert!(line.is_last(behind) && !line.is_last(first));
    answer(&mut line, behind, "+z\r\n");
    answer(&mut line, first, "-NOTBUSY x\r\n");
    answer(&mut line, first + 1, "+OK\r\n");
    assert_eq!(out(&mut line), "+OK\r\n+z\r\n");
    assert_eq!((line.is_empty(), line.waiting(), line.buffered()), (true, 0, 0));
}
