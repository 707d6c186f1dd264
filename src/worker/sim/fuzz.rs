//! A worker whose client and nodes say anything.

use std::{cell::RefCell, rc::Rc, time::Duration};

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::{Node, World, in_virtual_time};
use crate::cluster::{NodeAddr, Slot, TableBuilder};

/// Virtual time after which a client that is still there hangs up.
const PATIENCE: Duration = Duration::from_secs(5);
/// Connections to nodes that get any answer; later ones are closed at once.
const CONNECTIONS: usize = 16;
/// Nodes may be silent: only the client gives up.
const FLAGS: &str = "--retry-deadline 60s --backend-timeout 0s";
/// What ends a piece: it is sent only when what it may answer has come.
const CUT: &[u8] = b"\xff\xff";

/// A client that sends pieces of `bytes`, and nodes that answer with other pieces of it: the first byte says how
/// many of the pieces are the client's. Nothing may panic, and the client's task must end when it hangs up.
pub fn fuzz(bytes: &[u8]) {
    let Some((share, bytes)) = bytes.split_first() else { return };
    let pieces: Vec<Vec<u8>> = split(bytes);
    let (client, nodes) = pieces.split_at(usize::from(*share).min(pieces.len()));
    let (client, mut nodes) = (client.to_vec(), nodes.to_vec());
    nodes.reverse();
    in_virtual_time(0, async move {
        let said = Rc::new(RefCell::new((nodes, CONNECTIONS)));
        let node: Node = Rc::new(move |_, stream| {
            tokio::task::spawn_local(answer(Rc::clone(&said), stream));
            true
        });
        let mut table = TableBuilder::default();
        let (first, last) = (Slot::of(b"0"), Slot::of(b"a"));
        table.own(first.min(last), first.max(last), &addr(1));
        table.own(Slot::of(b"b"), Slot::of(b"b"), &addr(2));
        let (world, _signals) = World::new(table.build(1), node, FLAGS);
        let mut stream = world.client(1);
        let talk = async {
            for piece in &client {
                let mut room = [0; 4096];
                if stream.write_all(piece).await.is_err() {
                    break;
                }
                let _ = tokio::time::timeout(Duration::from_millis(20), stream.read(&mut room)).await;
            }
        };
        let _ = tokio::time::timeout(PATIENCE, talk).await;
        drop(stream);
        tokio::time::sleep(PATIENCE).await;
    });
}

/// Where nobody listens: connections that do not come from a stand-in are refused.
fn addr(port: u16) -> NodeAddr {
    NodeAddr::new("127.0.0.1", port)
}

fn split(bytes: &[u8]) -> Vec<Vec<u8>> {
    let (mut pieces, mut rest) = (Vec::new(), bytes);
    while let Some(at) = memchr::memmem::find(rest, CUT) {
        pieces.push(rest[..at].to_vec());
        rest = &rest[at + CUT.len()..];
    }
    pieces.push(rest.to_vec());
    pieces
}

/// Answers the greeting, then each read with a piece, until there is none.
async fn answer(said: Rc<RefCell<(Vec<Vec<u8>>, usize)>>, mut stream: DuplexStream) {
    {
        let mut said = said.borrow_mut();
        let Some(left) = said.1.checked_sub(1) else { return };
        said.1 = left;
    }
    let mut room = [0; 4096];
    let Ok(greeting) = stream.read(&mut room).await else { return };
    let greetings = memchr::memchr_iter(b'*', &room[..greeting]).count();
    if stream.write_all(&b"+OK\r\n".repeat(greetings)).await.is_err() {
        return;
    }
    while let Ok(1..) = stream.read(&mut room).await {
        let Some(piece) = said.borrow_mut().0.pop() else { return };
        if stream.write_all(&piece).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Pieces that get further than random bytes do.
    fn piece() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            prop::collection::vec(any::<u8>(), 0..40),
            prop::sample::select(vec![
                "*2\r\n$3\r\nGET\r\n$1\r\na\r\n",
                "*3\r\n$4\r\nMGET\r\n$1\r\na\r\n$1\r\nb\r\n",
                "MULTI\r\nSET a 1\r\nEXEC\r\nGET a\r\n",
                "HELLO 3\r\nSUBSCRIBE a\r\n",
                "BLPOP a 0\r\n",
                "CLIENT TRACKING ON\r\nGET a\r\n",
                "SCAN 0\r\nKEYS *\r\nDBSIZE\r\n",
                "+OK\r\n",
                ":1\r\n",
                "$1\r\nx\r\n",
                "*1\r\n$-1\r\n",
                "-MOVED 15495 127.0.0.1:2\r\n",
                "-ASK 15495 127.0.0.1:2\r\n",
                "-TRYAGAIN x\r\n",
                "-ASK 1 :0\r\n",
                ">2\r\n+a\r\n+b\r\n",
                "%1\r\n+a\r\n:1\r\n",
                "+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n",
            ])
            .prop_map(|text| text.as_bytes().to_vec()),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn whatever_is_said_nothing_panics(share in 0_u8..8, pieces in prop::collection::vec(piece(), 0..16)) {
            fuzz(&[vec![share], pieces.join(CUT)].concat());
        }
    }
}
