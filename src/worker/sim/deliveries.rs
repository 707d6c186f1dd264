//! When requests leave for nodes and replies for clients, told line by line.

use std::{
    cell::{Cell, RefCell},
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    sync::Notify,
    time::Instant,
};

use super::{
    Node, WIRE, World, in_virtual_time,
    scenes::{FLAGS, dawdle, read},
};
use crate::{
    cluster::{NodeAddr, Slot, SlotTable, TableBuilder},
    worker::{client::LONG, deliver::GATHER, line::Reply},
};

/// 1. One client waits for a node that says nothing.
/// 2. Another asks two nodes in one write; the first reply waits for the second, which comes before its time is up.
/// 3. It asks the two again. The first reply waits again, while the worker looks after those of the first read.
/// 4. The second node says nothing more: the first reply must leave all the same.
#[test]
fn a_reply_that_waits_while_an_earlier_read_is_looked_after_leaves_in_time() {
    in_virtual_time(0, async {
        let (world, _signals) = World::new(three_keys(), Rc::new(prompt_late_and_silent), FLAGS);
        let (mut other, mut client) = (world.client(1), world.client(2));
        other.write_all(b"GET baz\r\n").await.unwrap();
        let mut answer = async |expected: &str| {
            client.write_all(b"GET bar\r\nGET foo\r\n").await.unwrap();
            let reply = tokio::time::timeout(Duration::from_millis(10), read(&mut client)).await;
            assert_eq!(reply.as_deref(), Ok(expected));
        };
        answer("$-1\r\n$-1\r\n").await;
        answer("$-1\r\n").await;
    });
}

/// 1. Only one client asks for anything, of two nodes in one write.
/// 2. The second is late: the first reply must not wait for its.
#[test]
fn replies_of_who_is_alone_do_not_wait_for_each_other() {
    in_virtual_time(0, async {
        let (world, _signals) = World::new(three_keys(), Rc::new(prompt_late_and_silent), FLAGS);
        let mut client = world.client(1);
        client.write_all(b"GET bar\r\nGET foo\r\n").await.unwrap();
        for _ in 0..2 {
            let reply = tokio::time::timeout(Duration::from_micros(1), read(&mut client)).await;
            assert_eq!(reply.as_deref(), Ok("$-1\r\n"));
        }
    });
}

/// 1. A client waits for one node. In the moment in which its reply comes another asks a second node.
/// 2. On its reply the first client asks the second node too.
/// 3. The second node must get both requests in one write.
#[test]
fn what_clients_ask_on_their_replies_shares_a_write_with_what_others_ask() {
    in_virtual_time(0, async {
        let (answer_late, seen) = (Rc::new(Notify::new()), Rc::new(RefCell::new(Vec::new())));
        let (go, by_prompt) = (Rc::clone(&answer_late), Rc::clone(&seen));
        let node: Node = Rc::new(move |to, stream| {
            let seen = (to.host() == "prompt").then(|| Rc::clone(&by_prompt));
            tokio::task::spawn_local(counts(seen, Rc::clone(&go), stream));
            true
        });
        let (world, _signals) = World::new(three_keys(), node, FLAGS);
        let (mut one, mut other) = (world.client(1), world.client(2));
        other.write_all(b"GET bar\r\n").await.unwrap();
        assert_eq!(read(&mut other).await, "$-1\r\n");
        one.write_all(b"GET foo\r\n").await.unwrap();
        dawdle().await;
        answer_late.notify_one();
        other.write_all(b"GET bar\r\n").await.unwrap();
        let goes_on = tokio::task::spawn_local(async move {
            assert_eq!(read(&mut one).await, "$-1\r\n");
            one.write_all(b"GET bar\r\n").await.unwrap();
            read(&mut one).await
        });
        assert_eq!(read(&mut other).await, "$-1\r\n");
        assert_eq!(goes_on.await.unwrap(), "$-1\r\n");
        assert_eq!(*seen.borrow(), [1, 2]);
    });
}

/// 1. Many clients wait for one node, which answers the next as soon as one has its reply: there is always one to write.
/// 2. Another client asks a second node: its request must not wait until all those are served.
#[test]
fn requests_wait_for_a_bounded_number_of_replies() {
    in_virtual_time(0, async {
        let (next, served) = (Rc::new(Notify::new()), Rc::<Served>::default());
        let (go, known) = (Rc::clone(&next), Rc::clone(&served));
        let node: Node = Rc::new(move |to, stream| {
            let served = (to.host() == "prompt").then(|| Rc::clone(&known));
            tokio::task::spawn_local(answers_one_by_one(served, Rc::clone(&go), stream));
            true
        });
        let (world, _signals) = World::new(three_keys(), node, FLAGS);
        let mut other = world.client(1);
        other.write_all(b"GET bar\r\n").await.unwrap();
        read(&mut other).await;
        for id in 2..1000 {
            let (mut client, next, served) = (world.client(id), Rc::clone(&next), Rc::clone(&served));
            client.write_all(b"GET foo\r\n").await.unwrap();
            tokio::task::spawn_local(async move {
                read(&mut client).await;
                served.now.update(|served| served + 1);
                next.notify_one();
            });
        }
        dawdle().await;
        next.notify_one();
        other.write_all(b"GET bar\r\n").await.unwrap();
        read(&mut other).await;
        assert_eq!(served.before.get(), GATHER);
    });
}

/// How many of those clients were served so far, and how many before the second node was asked.
#[derive(Default)]
struct Served {
    now: Cell<usize>,
    before: Cell<usize>,
}

/// The nodes of that scene: one notes how many were served before it is asked, the other answers one request each time
/// that it is told to.
async fn answers_one_by_one(served: Option<Rc<Served>>, go: Rc<Notify>, mut stream: DuplexStream) {
    loop {
        let requests = read(&mut stream).await;
        if requests.is_empty() {
            return;
        }
        for request in requests.split('*').skip(1) {
            match &served {
                Some(served) => served.before.set(served.now.get()),
                None if request.contains("GET") => go.notified().await,
                None => {}
            }
            let reply = if request.contains("GET") { "$-1\r\n" } else { "+PONG\r\n" };
            stream.write_all(reply.as_bytes()).await.unwrap();
        }
    }
}

/// The nodes of that scene: one notes how many requests each read brings, the others answer when they are told to.
async fn counts(seen: Option<Rc<RefCell<Vec<usize>>>>, go: Rc<Notify>, mut stream: DuplexStream) {
    loop {
        let requests = read(&mut stream).await;
        let gets = requests.matches("GET").count();
        if requests.is_empty() {
            return;
        }
        match &seen {
            Some(seen) if gets > 0 => seen.borrow_mut().push(gets),
            None if gets > 0 => go.notified().await,
            _ => {}
        }
        let replies = if gets > 0 { "$-1\r\n".repeat(gets) } else { "+PONG\r\n".to_owned() };
        stream.write_all(replies.as_bytes()).await.unwrap();
    }
}

/// Each of three nodes owns the slot of one of the keys `bar`, `foo` and `baz`.
fn three_keys() -> SlotTable {
    let mut table = TableBuilder::default();
    for (key, node) in [(b"baz", "silent"), (b"bar", "prompt"), (b"foo", "late")] {
        table.own(Slot::of(key), Slot::of(key), &NodeAddr::new(node, 1));
    }
    table.build(1)
}

/// The nodes of these scenes: the late one answers GET a while later, and but once.
fn prompt_late_and_silent(to: &NodeAddr, mut stream: DuplexStream) -> bool {
    let (late, mut silent) = (to.host() == "late", to.host() == "silent");
    tokio::task::spawn_local(async move {
        loop {
            let requests = read(&mut stream).await;
            let gets = requests.matches("GET").count();
            if requests.is_empty() || silent && gets > 0 {
                return std::future::pending().await;
            }
            if late && gets > 0 {
                silent = true;
                dawdle().await;
            }
            let reply = if gets > 0 { "$-1\r\n" } else { "+PONG\r\n" };
            stream.write_all(reply.as_bytes()).await.unwrap();
        }
    });
    true
}

/// 1. A client asks for more than fits between it and slotway, and in the same write for what is answered much later.
/// 2. It reads only a while later: then all that was ready must come at once, by no timer.
#[test]
fn who_reads_late_gets_at_once_what_did_not_fit() {
    in_virtual_time(0, async {
        let (world, _signals) = World::new(three_keys(), Rc::new(prompt_late_and_silent), FLAGS);
        let mut client = world.client(1);
        let text = "x".repeat(WIRE + 1000);
        let echo = format!("*2\r\n$4\r\nECHO\r\n${}\r\n{text}\r\nGET nobodys\r\n", text.len());
        client.write_all(echo.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let (begin, mut got) = (Instant::now(), String::new());
        while got.len() < text.len() {
            got += &read(&mut client).await;
        }
        assert_eq!(begin.elapsed(), Duration::ZERO);
    });
}

/// 1. Replies come to a client that waits for nothing else.
/// 2. One that is long is with it before anything else happens, another at the end of the turn.
/// 3. A short one, a long one and a short one come in one turn: the last must leave too.
#[test]
fn a_long_reply_leaves_at_once() {
    in_virtual_time(0, async {
        let (world, _signals) = World::new(three_keys(), Rc::new(prompt_late_and_silent), FLAGS);
        let mut far = world.client(1);
        dawdle().await;
        let client = Rc::clone(&world.workers[0].clients.borrow()[&1]);
        for (len, at_once) in [(LONG, true), (LONG - 1, false), (2 * LONG, true)] {
            client.ticket(None).answer(Reply::Copy(&vec![b'x'; len]));
            assert_eq!(arrived(&mut far), if at_once { len } else { 0 });
            dawdle().await;
            assert_eq!(arrived(&mut far), if at_once { 0 } else { len });
        }
        for (len, now) in [(LONG - 1, 0), (LONG, 2 * LONG - 1), (LONG - 1, 0)] {
            client.ticket(None).answer(Reply::Copy(&vec![b'x'; len]));
            assert_eq!(arrived(&mut far), now, "what comes before a long one leaves with it");
        }
        dawdle().await;
        assert_eq!(arrived(&mut far), LONG - 1, "what comes behind it leaves too");
    });
}

/// How many bytes are there to be read.
fn arrived(stream: &mut DuplexStream) -> usize {
    let mut room = [0; 4 * LONG];
    match pin!(stream.read(&mut room)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(len) => len.unwrap(),
        Poll::Pending => 0,
    }
}
