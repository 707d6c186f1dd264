//! Clients that move from one worker to another, told line by line.

use std::{rc::Rc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::Notify,
};

use super::{
    Node, World, in_virtual_time,
    scenes::{dawdle, read},
};
use crate::{
    cluster::{NodeAddr, Slot, TableBuilder},
    worker::client::Client,
};

const FLAGS: &str = "--threads 2";

/// Two workers, before a node that nobody asks anything.
fn world() -> World {
    let mut table = TableBuilder::default();
    table.own(Slot::of(b"k"), Slot::of(b"k"), &NodeAddr::new("n0", 1));
    World::new(table.build(1), Rc::new(|_, _| false), FLAGS).0
}

impl World {
    fn clients(&self) -> [usize; 2] {
        [0, 1].map(|index| self.workers[index].clients.borrow().len())
    }

    fn tell(&self, from: usize, to: usize, count: usize) {
        self.workers[from].mailboxes.move_clients(from, to, count);
    }

    fn find(&self, id: u64) -> Rc<Client> {
        let find = |index: usize| self.workers[index].clients.borrow().get(&id).cloned();
        find(0).or_else(|| find(1)).expect("the client")
    }
}

/// 1. A client has a name, speaks RESP3 and has sent half a request.
/// 2. It is told to move, and sends the other half.
/// 3. The other worker answers, and knows what it was called.
#[test]
fn half_a_request_moves_with_its_client() {
    in_virtual_time(0, async {
        let world = world();
        let mut client = world.client(2);
        client.write_all(b"HELLO 3 SETNAME me\r\n*2\r\n$4\r\nECHO\r\n$5\r\nhe").await.unwrap();
        assert!(read(&mut client).await.starts_with('%'));
        let since = world.find(2).since;
        tokio::time::sleep(Duration::from_secs(3)).await;
        world.tell(0, 1, 1);
        dawdle().await;
        assert_eq!(world.clients(), [0, 1]);
        client.write_all(b"llo\r\nCLIENT GETNAME\r\nCLIENT GETREDIR\r\n").await.unwrap();
        assert_eq!(read(&mut client).await, "$5\r\nhello\r\n$2\r\nme\r\n:-1\r\n");
        assert_eq!(world.find(2).since, since, "it is as old as before");
        let counted = world.workers.iter().map(|worker| worker.metrics.clients.get());
        assert_eq!(counted.collect::<Vec<_>>(), [0, 1]);
        drop(client);
        dawdle().await;
        assert_eq!((world.clients(), world.workers[0].mailboxes.clients()), ([0, 0], 0));
    });
}

/// 1. A client sends far more than fits on the way and reads no reply before it has sent all.
/// 2. When its socket takes no more replies it is told to move.
/// 3. It must not wait until its replies are read: its requests are read all the same.
#[test]
fn a_client_that_reads_late_stays_where_it_is() {
    const REQUESTS: usize = 300;
    in_virtual_time(0, async {
        let world = world();
        let (mut reader, mut writer) = tokio::io::split(world.client(2));
        let request = format!("*2\r\n$4\r\nECHO\r\n$1000\r\n{}\r\n", "x".repeat(1000));
        let writes = tokio::task::spawn_local(async move {
            for _ in 0..REQUESTS {
                writer.write_all(request.as_bytes()).await.unwrap();
            }
            writer
        });
        for _ in 0..10 {
            dawdle().await;
            world.tell(0, 1, 1);
        }
        let _writer =
            tokio::time::timeout(Duration::from_secs(1), writes).await.expect("it is read").unwrap();
        let mut replies = vec![0; REQUESTS * "$1000\r\n\r\n".len() + REQUESTS * 1000];
        tokio::time::timeout(Duration::from_secs(1), reader.read_exact(&mut replies)).await.unwrap().unwrap();
        assert_eq!(world.clients(), [1, 0]);
        world.tell(0, 1, 1);
        dawdle().await;
        assert_eq!(world.clients(), [0, 1], "now it can");
    });
}

/// 1. A client asks for a long reply, and behind it to wait for a list: for that it must first have its reply.
/// 2. It is told to move. Its reply comes, and does not fit into its socket: it does not move after all.
/// 3. Nobody may forget that it wants to wait for a list.
#[test]
fn what_was_held_back_for_a_move_goes_on_without_it() {
    in_virtual_time(0, async {
        let (answer, owner) = (Rc::new(Notify::new()), NodeAddr::new("n0", 1));
        let go = Rc::clone(&answer);
        let node: Node = Rc::new(move |_, mut stream| {
            let go = Rc::clone(&go);
            tokio::task::spawn_local(async move {
                while !read(&mut stream).await.contains("GET") {
                    stream.write_all(b"+PONG\r\n").await.unwrap();
                }
                go.notified().await;
                let _ = stream.write_all(format!("$300000\r\n{}\r\n", "x".repeat(300_000)).as_bytes()).await;
            });
            true
        });
        let mut table = TableBuilder::default();
        table.own(Slot::of(b"k"), Slot::of(b"k"), &owner);
        let (world, _signals) = World::new(table.build(1), node, FLAGS);
        let mut client = world.client(2);
        client.write_all(b"GET k\r\nBLPOP k 0\r\n").await.unwrap();
        dawdle().await;
        world.tell(0, 1, 1);
        dawdle().await;
        assert!(world.find(2).moves_to(1));
        answer.notify_one();
        dawdle().await;
        let client = world.find(2);
        assert!(!client.moves_to(1), "{}", world.dump());
        assert_eq!((world.clients(), client.stays.get()), ([1, 0], Some(0)), "{}", world.dump());
    });
}

/// 1. Clients move all the time.
/// 2. One asks for a list, again and again: all must be in it, and each once.
/// 3. It has the others killed: all must be.
#[test]
fn clients_that_move_are_neither_missed_nor_seen_twice() {
    in_virtual_time(0, async {
        let world = world();
        let mut asks = world.client(100);
        let _others: Vec<_> = (1..=8).map(|id| world.client(id)).collect();
        let mailboxes = world.workers[0].mailboxes.clone();
        let moving = tokio::task::spawn_local(async move {
            loop {
                let from = fastrand::usize(..2);
                mailboxes.move_clients(from, 1 - from, fastrand::usize(1..4));
                for _ in 0..fastrand::usize(..4) {
                    tokio::task::yield_now().await;
                }
            }
        });
        let moved = || world.workers.iter().map(|worker| worker.metrics.moved_in.get()).sum::<u64>();
        for _ in 0..100 {
            asks.write_all(b"CLIENT LIST\r\n").await.unwrap();
            let list = read(&mut asks).await;
            assert_eq!(list.matches("id=").count(), 9, "{list}");
        }
        assert!(moved() > 20, "{}", moved());
        asks.write_all(b"CLIENT KILL TYPE normal\r\n").await.unwrap();
        assert_eq!(read(&mut asks).await, ":8\r\n");
        dawdle().await;
        assert_eq!(world.clients().iter().sum::<usize>(), 1);
        moving.abort();
    });
}

/// 1. A client queues a transaction and is told to move: it stays.
/// 2. It gives the transaction up, and moves.
#[test]
fn who_has_something_of_its_worker_stays() {
    in_virtual_time(0, async {
        let world = world();
        let mut queues = world.client(2);
        queues.write_all(b"MULTI\r\n").await.unwrap();
        assert_eq!(read(&mut queues).await, "+OK\r\n");
        world.tell(0, 1, 1);
        dawdle().await;
        assert_eq!(world.clients(), [1, 0]);
        queues.write_all(b"DISCARD\r\n").await.unwrap();
        assert_eq!(read(&mut queues).await, "+OK\r\n");
        dawdle().await;
        world.tell(0, 1, 1);
        dawdle().await;
        assert_eq!(world.clients(), [0, 1]);
    });
}

/// 1. A client is told to move, and in the same moment the proxy drains.
/// 2. It is closed, on whichever worker it is, and the workers end.
#[test]
fn who_moves_while_the_proxy_drains_is_let_go() {
    in_virtual_time(0, async {
        let world = world();
        let mut client = world.client(2);
        client.write_all(b"PING\r\n").await.unwrap();
        assert_eq!(read(&mut client).await, "+PONG\r\n");
        world.tell(0, 1, 1);
        // So that the other worker drains before the client comes.
        world.workers[0].mailboxes.send(1, crate::worker::Mail::Drain);
        dawdle().await;
        world.workers[0].mailboxes.send(0, crate::worker::Mail::Drain);
        dawdle().await;
        assert_eq!(read(&mut client).await, "", "closed");
        assert_eq!(world.workers[0].mailboxes.clients(), 0);
    });
}
