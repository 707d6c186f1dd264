//! What simulations found, told line by line.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::{Node, WIRE, World, in_virtual_time};
use crate::cluster::{NodeAddr, Slot, SlotTable, TableBuilder};

const FLAGS: &str = "--threads 1 --retry-deadline 2s --backend-timeout 300ms";

/// Reads what comes next.
async fn read(stream: &mut DuplexStream) -> String {
    let mut room = [0; 4096];
    let len = stream.read(&mut room).await.unwrap_or(0);
    String::from_utf8_lossy(&room[..len]).into_owned()
}

/// 1. By the slot table a slot is at node 0, but it has just moved to node 1.
/// 2. A client sends two writes to a key of it, both to node 0, which redirects the first to node 1.
/// 3. The slot moves back, and node 0 runs the second.
/// 4. Node 1 would redirect the first to node 0, where it would run behind the second: it must not run any more.
#[test]
fn a_write_does_not_run_behind_a_later_one_when_its_slot_returns() {
    in_virtual_time(0, async {
        let (first, last) = (Slot::new(0).unwrap(), Slot::new(16_383).unwrap());
        let addr = |node: usize| NodeAddr::new(&format!("n{node}"), 1);
        let ran = Rc::new(RefCell::new(Vec::new()));
        let seen = Rc::clone(&ran);
        let node: Node = Rc::new(move |to, stream| {
            tokio::task::spawn_local(returning(to.clone(), Rc::clone(&seen), stream));
            true
        });
        let mut table = TableBuilder::default();
        table.own(first, last, &addr(0));
        let (world, _signals) = World::new(table.build(1), node, FLAGS);
        let mut client = world.client(1);
        client.write_all(b"SET k first\r\nSET k second\r\n").await.unwrap();
        let mut replies = String::new();
        while replies.lines().count() < 2 {
            replies += &read(&mut client).await;
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(*ran.borrow(), ["second"], "{replies}");
        let replies: Vec<&str> = replies.lines().collect();
        assert!(replies[0].starts_with("-TRYAGAIN ") && replies[1] == "+OK", "{replies:?}");
    });
}

/// The nodes of that scene.
async fn returning(to: NodeAddr, ran: Rc<RefCell<Vec<&'static str>>>, mut stream: DuplexStream) {
    let mut redirected = false;
    loop {
        let requests = read(&mut stream).await;
        if requests.is_empty() {
            return;
        }
        for request in requests.split('*').skip(1) {
            let value = ["first", "second"].into_iter().find(|value| request.contains(value));
            let slot = Slot::of(b"k");
            let reply = match value {
                None => "+PONG\r\n".to_owned(),
                Some(_) if to.host() == "n1" => format!("-MOVED {slot} n0:1\r\n"),
                Some("first") if !redirected => {
                    redirected = true;
                    format!("-MOVED {slot} n1:1\r\n")
                }
                Some(value) => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    ran.borrow_mut().push(value);
                    "+OK\r\n".to_owned()
                }
            };
            if stream.write_all(reply.as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

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

/// Each of three nodes owns the slot of one of the keys `bar`, `foo` and `baz`.
fn three_keys() -> SlotTable {
    let mut table = TableBuilder::default();
    for (key, node) in [(b"baz", "silent"), (b"bar", "prompt"), (b"foo", "late")] {
        table.own(Slot::of(key), Slot::of(key), &NodeAddr::new(node, 1));
    }
    table.build(1)
}

/// Lets all others do what they can do without time passing.
async fn dawdle() {
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
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

/// 1. A client runs a transaction, over a connection of its own.
/// 2. Nobody runs another for long enough: the connection is closed.
/// 3. The next transaction has a new one.
#[test]
fn connections_for_transactions_are_closed_when_nobody_needs_them() {
    in_virtual_time(0, async {
        let (opened, open) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let (all, now) = (Rc::clone(&opened), Rc::clone(&open));
        let node: Node = Rc::new(move |_, stream| {
            all.update(|count| count + 1);
            now.update(|count| count + 1);
            let now = Rc::clone(&now);
            tokio::task::spawn_local(async move {
                transacts(stream).await;
                now.update(|count| count - 1);
            });
            true
        });
        let mut table = TableBuilder::default();
        table.own(Slot::of(b"k"), Slot::of(b"k"), &NodeAddr::new("n0", 1));
        let (world, _signals) = World::new(table.build(1), node, FLAGS);
        let mut client = world.client(1);
        for (dials, pause) in [(1, 8), (1, 12), (2, 12)] {
            client.write_all(b"MULTI\r\nGET k\r\nEXEC\r\n").await.unwrap();
            // What slotway answers itself goes along with what it is asked with.
            assert_eq!(read(&mut client).await, "+OK\r\n+QUEUED\r\n*1\r\n$-1\r\n");
            assert_eq!((opened.get(), open.get()), (dials, 1));
            tokio::time::sleep(Duration::from_secs(pause)).await;
            client.write_all(b"PING\r\n").await.unwrap();
            assert_eq!(read(&mut client).await, "+PONG\r\n");
        }
        assert_eq!(open.get(), 0);
    });
}

/// The node of that scene: serves one connection to its end.
async fn transacts(mut stream: DuplexStream) {
    loop {
        let requests = read(&mut stream).await;
        if requests.is_empty() {
            return;
        }
        let names = requests.lines().filter(|line| line.bytes().all(|byte| byte.is_ascii_uppercase()));
        for name in names {
            if name == "EXEC" {
                dawdle().await;
            }
            let reply = match name {
                "MULTI" => "+OK\r\n",
                "GET" => "+QUEUED\r\n",
                "EXEC" => "*1\r\n$-1\r\n",
                _ => "+PONG\r\n",
            };
            stream.write_all(reply.as_bytes()).await.unwrap();
        }
    }
}

/// 1. Nothing is known of the cluster yet; a client's transaction is refused at once.
/// 2. A node is found. Another client's transaction must have the connection that the first was lent.
#[test]
fn who_was_refused_at_once_keeps_no_connections() {
    in_virtual_time(0, async {
        let node: Node = Rc::new(|_, stream| {
            tokio::task::spawn_local(transacts(stream));
            true
        });
        let flags = format!("{FLAGS} --dedicated-connections 1");
        let (world, _signals) = World::new(TableBuilder::default().build(1), node, &flags);
        let (mut first, mut second) = (world.client(1), world.client(2));
        first.write_all(b"MULTI\r\nGET k\r\nEXEC\r\n").await.unwrap();
        let refused = read(&mut first).await;
        assert!(refused.starts_with("+OK\r\n+QUEUED\r\n-CLUSTERDOWN "), "{refused}");
        let mut table = TableBuilder::default();
        table.own(Slot::of(b"k"), Slot::of(b"k"), &NodeAddr::new("n0", 1));
        world.topology().store(table.build(2));
        second.write_all(b"MULTI\r\nGET k\r\nEXEC\r\n").await.unwrap();
        let replies = tokio::time::timeout(Duration::from_secs(1), read(&mut second)).await;
        assert_eq!(replies.as_deref(), Ok("+OK\r\n+QUEUED\r\n*1\r\n$-1\r\n"));
    });
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
        let (begin, mut got) = (tokio::time::Instant::now(), String::new());
        while got.len() < text.len() {
            got += &read(&mut client).await;
        }
        assert_eq!(begin.elapsed(), Duration::ZERO);
    });
}
