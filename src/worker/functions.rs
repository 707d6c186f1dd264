//! Functions that a node does not have, since it joined later or was restored: it is given their library as
//! another primary has it.
//!
//! Off the common path. Invariant: a request is sent again only if the node said that it did not run, and a
//! library that a node has is never replaced.

use std::{cell::RefCell, collections::HashMap, rc::Rc, time::Duration};

use tokio::time::timeout;

use super::{
    Worker,
    client::Client,
    dial,
    flight::Flight,
    line::Reply,
    retry::{Delayed, delay},
    scripts::first_argument,
};
use crate::{cluster::NodeAddr, node, resp::Value};

/// Longest time to look for a function: its client waits.
const DEADLINE: Duration = Duration::from_secs(2);
/// A function that was looked for is not looked for again for so long, in nanoseconds.
const REST: u64 = 1_000_000_000;
/// Most functions that are looked for, or were, within that time: clients may make names up.
const MAX_SOUGHT: usize = 64;

/// A function, and a node that lacked it.
type Lack = (NodeAddr, Vec<u8>);

/// The functions that nodes lacked lately: when they had been looked for, or nothing while they are.
#[derive(Default)]
pub(super) struct Sought(RefCell<HashMap<Lack, Option<u64>>>);

/// What to do about a function that a node lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Search {
    Begin,
    /// Another request looks for it, or did since this one was written.
    Again,
    InVain,
}

impl Sought {
    /// For a request that was written at `written`.
    fn begin(&self, node: &NodeAddr, name: &[u8], written: u64, now: u64) -> Search {
        let mut sought = self.0.borrow_mut();
        sought.retain(|_, done| done.is_none_or(|done| done + REST > now));
        match sought.get(&(node.clone(), name.to_vec())) {
            Some(None) => Search::Again,
            Some(Some(done)) if written < *done => Search::Again,
            Some(Some(_)) => Search::InVain,
            None if sought.len() >= MAX_SOUGHT => Search::InVain,
            None => {
                sought.insert((node.clone(), name.to_vec()), None);
                Search::Begin
            }
        }
    }

    fn end(&self, node: &NodeAddr, name: &[u8], now: u64) {
        self.0.borrow_mut().insert((node.clone(), name.to_vec()), Some(now));
    }
}

impl Worker {
    /// The node at `from` does not have the function that `request` calls: it is given it, if another primary
    /// has it, and the request is sent again.
    pub(super) fn load_function(
        self: &Rc<Self>,
        client: &Rc<Client>,
        flight: Flight,
        request: Vec<u8>,
        reply: &[u8],
        from: &NodeAddr,
    ) {
        let Some(name) = first_argument(b"fcall", &request) else {
            return flight.answer(Reply::Copy(reply));
        };
        match self.sought.begin(from, &name, flight.written, self.now()) {
            Search::InVain => return flight.answer(Reply::Copy(reply)),
            Search::Begin => {
                let (worker, from) = (Rc::clone(self), from.clone());
                tokio::task::spawn_local(async move {
                    // What came of it is seen when the request is sent again.
                    let _ = timeout(DEADLINE, worker.bring_function(&name, &from)).await;
                    worker.sought.end(&from, &name, worker.tick_clock());
                });
            }
            Search::Again => {}
        }
        delay(client, Delayed { flight, request, last: reply.to_vec() });
    }

    /// Gives the node at `to` the library of the function `name`, if another primary has it.
    async fn bring_function(&self, name: &[u8], to: &NodeAddr) {
        let primaries = self.shards().into_iter().filter_map(|shard| self.owner_addr(shard));
        for addr in primaries.filter(|addr| addr != to) {
            let list = self.question(&addr, &[b"FUNCTION", b"LIST"]).await;
            let Some(library) = list.as_ref().and_then(|list| library_of(name, list)) else { continue };
            let request: [&[u8]; 5] = [b"FUNCTION", b"LIST", b"LIBRARYNAME", library, b"WITHCODE"];
            let list = self.question(&addr, &request).await;
            let Some(code) = list.as_ref().and_then(code) else { continue };
            self.question(to, &[b"FUNCTION", b"LOAD", code]).await;
            return;
        }
    }

    async fn question(&self, addr: &NodeAddr, request: &[&[u8]]) -> Option<Value> {
        node::ask(addr, &self.credentials, request, dial::timeout(&self.config)).await.ok()
    }
}

/// The libraries in the reply to FUNCTION LIST.
fn libraries(list: &Value) -> &[Value] {
    if let Value::Array(libraries) = list { libraries } else { &[] }
}

/// The code of the only library in `list`.
fn code(list: &Value) -> Option<&[u8]> {
    libraries(list).first()?.get("library_code")?.as_bytes()
}

/// The name of the library in `list`, as FUNCTION LIST gives it, that has the function `name`. Its case does not
/// count, as in redis functions.c (`functionDictType`).
fn library_of<'a>(name: &[u8], list: &'a Value) -> Option<&'a [u8]> {
    let is_it = |function: &Value| {
        function.get("name").and_then(Value::as_bytes).is_some_and(|own| own.eq_ignore_ascii_case(name))
    };
    let has_it = |library: &&Value| matches!(library.get("functions"), Some(Value::Array(functions)) if functions.iter().any(is_it));
    libraries(list).iter().find(has_it)?.get("library_name")?.as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::parse;

    #[test]
    fn a_function_is_looked_for_once_at_a_time_and_not_too_often() {
        let (sought, node) = (Sought::default(), NodeAddr::new("h", 1));
        assert_eq!(sought.begin(&node, b"f", 1, 2), Search::Begin);
        assert_eq!(sought.begin(&node, b"f", 3, 5 * REST), Search::Again);
        sought.end(&node, b"f", 9);
        assert_eq!(sought.begin(&node, b"f", 8, 10), Search::Again);
        assert_eq!(sought.begin(&node, b"f", 10, REST), Search::InVain);
        assert_eq!(sought.begin(&NodeAddr::new("h", 2), b"f", 10, REST), Search::Begin);
        assert_eq!(sought.begin(&node, b"f", 10, REST + 9), Search::Begin);
        let before = sought.0.borrow().len();
        for n in before..MAX_SOUGHT {
            assert_eq!(sought.begin(&node, n.to_string().as_bytes(), 10, REST), Search::Begin);
        }
        assert_eq!(sought.begin(&node, b"other", 10, REST), Search::InVain);
    }

    #[test]
    fn the_library_of_a_function_is_found_in_both_versions() {
        let function = |head| format!("{head}\r\n$4\r\nname\r\n$3\r\nadd\r\n$11\r\ndescription\r\n$-1\r\n");
        let rest = "$12\r\nlibrary_name\r\n$3\r\nlib\r\n$9\r\nfunctions\r\n*1\r\n";
        for (outer, inner) in [("*4", "*4"), ("%2", "%2")] {
            let list = format!("*1\r\n{outer}\r\n{rest}{}", function(inner));
            let list = parse(list.as_bytes()).unwrap().unwrap().0;
            assert_eq!(library_of(b"ADD", &list), Some(&b"lib"[..]));
            assert_eq!(library_of(b"sub", &list), None);
        }
        assert_eq!(library_of(b"add", &Value::Error("ERR x".to_owned())), None);
    }
}
