//! What simulations found, told line by line.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::{Node, World, in_virtual_time};
use crate::cluster::{NodeAddr, Slot, TableBuilder};

pub(super) const FLAGS: &str = "--threads 1 --retry-deadline 2s --backend-timeout 300ms";

/// Reads what comes next.
pub(super) async fn read(stream: &mut DuplexStream) -> String {
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

/// Lets all others do what they can do without time passing.
pub(super) async fn dawdle() {
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
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
