//! Three scripted nodes that share the keys of a few slots out among them, and move slots as Redis does.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    ops::Range,
    rc::Rc,
    time::Duration,
};

use tokio::io::{AsyncReadExt, DuplexStream};

use super::{replicas::Past, stalls::Stalls};
use crate::{
    cluster::{NodeAddr, SLOTS, Slot, SlotTable, TableBuilder},
    resp::{Limits, RequestParser, Scanned},
};

pub(super) const NODES: usize = 3;
/// The hash tags of all keys.
pub(super) const TAGS: [&str; 3] = ["a", "b", "c"];

/// What goes wrong.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trouble {
    /// Slots move key by key.
    pub(super) moves: bool,
    /// Of keys of which some have moved, the source says ASK, as before Redis 7, not TRYAGAIN.
    pub(super) old_rules: bool,
    /// Nodes refuse requests now and then.
    pub(super) errors: bool,
    /// Nodes close connections, with or without having run the request at hand.
    pub(super) breaks: bool,
    /// Nodes stop for a while, and connections to them are made late or never.
    pub(super) stalls: bool,
    /// Workers share connections.
    pub(super) shared: bool,
    /// Each node has a replica, which answers reads; only replicas hesitate.
    pub(super) replicas: bool,
    /// Clients move between two workers.
    pub(super) restless: bool,
}

pub(super) struct Cluster {
    random: RefCell<fastrand::Rng>,
    pub(super) trouble: Trouble,
    /// Per tag: who has it, and who it is moving to.
    owners: RefCell<[(usize, Option<usize>); TAGS.len()]>,
    /// Per node: its keys.
    keys: [RefCell<BTreeMap<String, String>>; NODES],
    broken: Cell<u64>,
    pub(super) stalls: Stalls,
    pub(super) past: Past,
}

/// What a connection remembers from one request to the next.
#[derive(Default)]
pub(super) struct Connection {
    pub(super) readonly: bool,
    asking: bool,
    queued: Option<Vec<Vec<String>>>,
    dirty: bool,
}

/// Behind the primaries come their replicas.
pub(super) fn addr(node: usize) -> NodeAddr {
    NodeAddr::new(&format!("n{node}"), 1)
}

pub(super) fn tag_of(key: &str) -> usize {
    TAGS.iter().position(|tag| key.starts_with(&format!("{{{tag}}}"))).expect("a key with a tag")
}

pub(super) fn slot_of(tag: usize) -> Slot {
    Slot::of(TAGS[tag].as_bytes())
}

impl Cluster {
    pub(super) fn new(seed: u64, trouble: Trouble) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        Self {
            past: Past::new(&mut random),
            random: RefCell::new(random),
            trouble,
            owners: RefCell::new([(0, None), (1, None), (2, None)]),
            keys: Default::default(),
            broken: Cell::new(0),
            stalls: Stalls::new(),
        }
    }

    pub(super) fn random(&self, range: Range<u64>) -> u64 {
        self.random.borrow_mut().u64(range)
    }

    /// What a node tells of the slots.
    pub(super) fn table(&self, epoch: u64) -> SlotTable {
        let mut table = TableBuilder::default();
        let last = Slot::new(SLOTS as u64 - 1).unwrap();
        for node in 0..NODES {
            let first = if node == 0 { Slot::new(0).unwrap() } else { last };
            let primary = table.own(first, last, &addr(node)).expect("room for it");
            if self.trouble.replicas {
                table.replicate(&addr(NODES + node), primary);
            }
        }
        for (tag, (owner, _)) in self.owners.borrow().iter().enumerate() {
            table.own(slot_of(tag), slot_of(tag), &addr(*owner));
        }
        table.build(epoch)
    }

    /// The value of `key`, wherever it is; it must not be in two places.
    pub(super) fn value(&self, key: &str) -> Option<String> {
        let mut found = self.keys.iter().filter_map(|keys| keys.borrow().get(key).cloned());
        let value = found.next();
        assert_eq!(found.next(), None, "{key} is on two nodes");
        value
    }

    /// Moves slots from node to node for ever.
    pub(super) async fn shuffle(self: Rc<Self>) {
        if !self.trouble.moves {
            return;
        }
        loop {
            let pause = self.random(0..20);
            tokio::time::sleep(Duration::from_millis(pause)).await;
            let tag = usize::try_from(self.random(0..TAGS.len() as u64)).unwrap();
            let (owner, target) = self.owners.borrow()[tag];
            if self.is_frozen(owner) || target.is_some_and(|target| self.is_frozen(target)) {
                continue;
            }
            let Some(target) = target else {
                let other = usize::try_from(self.random(1..NODES as u64)).unwrap();
                self.owners.borrow_mut()[tag].1 = Some((owner + other) % NODES);
                continue;
            };
            let left: Vec<String> =
                self.keys[owner].borrow().keys().filter(|key| tag_of(key) == tag).cloned().collect();
            if left.is_empty() {
                self.owners.borrow_mut()[tag] = (target, None);
                self.rest().await;
                continue;
            }
            let key = &left[usize::try_from(self.random(0..left.len() as u64)).unwrap()];
            let value = self.keys[owner].borrow_mut().remove(key).expect("it was there");
            self.keys[target].borrow_mut().insert(key.clone(), value);
        }
    }

    /// Accepts a connection to the node at `to`, or refuses it.
    pub(super) fn accept(self: &Rc<Self>, to: &NodeAddr, stream: DuplexStream) -> bool {
        let node = (0..2 * NODES).find(|node| addr(*node) == *to).expect("one of the nodes");
        let accepts = !self.refuses(node);
        if accepts {
            tokio::task::spawn_local(Rc::clone(self).serve(node, stream));
        }
        accepts
    }

    /// Serves one connection to a node until it breaks.
    async fn serve(self: Rc<Self>, node: usize, mut stream: DuplexStream) {
        self.hesitate_to_greet(node).await;
        let limits = Limits { max_bulk: usize::MAX, max_frame: u32::MAX as usize, authenticated: true };
        let (mut bytes, mut parser, mut connection) =
            (Vec::new(), RequestParser::default(), Connection::default());
        loop {
            self.thaw(node).await;
            match parser.scan(&bytes, &limits).expect("a request") {
                Scanned::Request(len) => {
                    let request = parser.request(&bytes, len);
                    let args: Vec<String> = (0..request.argc())
                        .map(|n| String::from_utf8_lossy(request.arg(n).unwrap_or_default()).into_owned())
                        .collect();
                    bytes.drain(..len);
                    if self.random(0..4) == 0 {
                        tokio::time::sleep(Duration::from_millis(self.random(0..8))).await;
                        self.thaw(node).await;
                    }
                    let breaks = self.trouble.breaks && self.random(0..150) == 0;
                    if breaks && self.random(0..2) == 0 {
                        return self.broken.update(|n| n + 1);
                    }
                    let reply = match node.checked_sub(NODES) {
                        Some(primary) => self.answer_as_replica(primary, &args, &mut connection),
                        None => self.answer(node, args, &mut connection),
                    };
                    if breaks || self.write(&mut stream, reply.as_bytes()).await.is_err() {
                        return self.broken.update(|n| n + 1);
                    }
                }
                _ => match stream.read_buf(&mut bytes).await {
                    Ok(1..) => {}
                    _ => return,
                },
            }
        }
    }

    fn answer(&self, node: usize, args: Vec<String>, connection: &mut Connection) -> String {
        let name = args[0].to_uppercase();
        let asking = connection.asking;
        if connection.queued.is_none() {
            connection.asking = false;
        }
        match name.as_str() {
            "ASKING" => {
                connection.asking = true;
                "+OK\r\n".to_owned()
            }
            "MULTI" => {
                (connection.queued, connection.dirty) = (Some(Vec::new()), false);
                connection.asking = asking;
                "+OK\r\n".to_owned()
            }
            "EXEC" => self.exec(node, connection),
            _ => {
                let refusal = self.refusal(node, &[&args], asking);
                match (&mut connection.queued, refusal) {
                    (Some(_), Some(error)) => {
                        connection.dirty = true;
                        error
                    }
                    (None, Some(error)) => error,
                    (Some(queued), None) => {
                        queued.push(args);
                        "+QUEUED\r\n".to_owned()
                    }
                    (None, None) => self.execute(node, &args),
                }
            }
        }
    }

    fn exec(&self, node: usize, connection: &mut Connection) -> String {
        let asking = std::mem::take(&mut connection.asking);
        let queued = connection.queued.take().expect("EXEC behind MULTI");
        if connection.dirty {
            return "-EXECABORT Transaction discarded because of previous errors.\r\n".to_owned();
        }
        let all: Vec<&Vec<String>> = queued.iter().collect();
        if let Some(error) = self.refusal(node, &all, asking) {
            return error;
        }
        let replies: String = queued.iter().map(|args| self.execute(node, args)).collect();
        format!("*{}\r\n{replies}", queued.len())
    }

    pub(super) fn random_error(&self) -> Option<String> {
        let fails = self.trouble.errors && self.random(0..40) == 0;
        fails.then(|| "-LOADING Redis is loading the dataset in memory\r\n".to_owned())
    }

    /// As redis cluster.c `getNodeByQuery`.
    fn refusal(&self, node: usize, requests: &[&Vec<String>], asking: bool) -> Option<String> {
        let keys: Vec<&str> = requests.iter().flat_map(|args| keys_of(args)).collect();
        if let Some(error) = self.random_error() {
            return Some(error);
        }
        let tag = tag_of(keys.first()?);
        let (owner, target) = self.owners.borrow()[tag];
        let here = keys.iter().filter(|key| self.keys[node].borrow().contains_key(**key)).count();
        let slot = slot_of(tag);
        let many = keys.iter().any(|key| key != &keys[0]);
        let try_again = || Some("-TRYAGAIN Multiple keys request during rehashing of slot\r\n".to_owned());
        match target {
            _ if owner != node && !(asking && target == Some(node)) => {
                Some(format!("-MOVED {slot} {}\r\n", addr(owner)))
            }
            Some(target) if owner == node && here < keys.len() => {
                if here > 0 && !self.trouble.old_rules {
                    return try_again();
                }
                Some(format!("-ASK {slot} {}\r\n", addr(target)))
            }
            Some(_) if owner != node && many && here < keys.len() => try_again(),
            _ => None,
        }
    }

    fn execute(&self, node: usize, args: &[String]) -> String {
        let mut keys = self.keys[node].borrow_mut();
        let mut append = |key: &str, text: &str| {
            let value = keys.entry(key.to_owned()).or_default();
            value.push_str(text);
            self.past.note(key, value);
            value.len()
        };
        match args[0].to_uppercase().as_str() {
            "APPEND" => format!(":{}\r\n", append(&args[1], &args[2])),
            "EVAL" => {
                let lens: Vec<usize> =
                    keys_of(args).iter().map(|key| append(key, &args[args.len() - 1])).collect();
                format!(":{}\r\n", lens[0])
            }
            "MSET" => {
                for pair in args[1..].chunks(2) {
                    self.past.note(&pair[0], &pair[1]);
                    keys.insert(pair[0].clone(), pair[1].clone());
                }
                "+OK\r\n".to_owned()
            }
            "PING" => "+PONG\r\n".to_owned(),
            "GET" => bulk(keys.get(&args[1])),
            "MGET" => {
                let values: String = args[1..].iter().map(|key| bulk(keys.get(key))).collect();
                format!("*{}\r\n{values}", args.len() - 1)
            }
            name => format!("-ERR unknown command '{name}'\r\n"),
        }
    }
}

pub(super) fn bulk(value: Option<&String>) -> String {
    value.map_or_else(|| "$-1\r\n".to_owned(), |value| format!("${}\r\n{value}\r\n", value.len()))
}

pub(super) fn keys_of(args: &[String]) -> Vec<&str> {
    let keys: Vec<&String> = match args[0].to_uppercase().as_str() {
        "EVAL" => args[3..].iter().take(args[2].parse().expect("a number")).collect(),
        "MSET" => args[1..].iter().step_by(2).collect(),
        "MGET" => args[1..].iter().collect(),
        _ => args.get(1).into_iter().collect(),
    };
    keys.into_iter().map(String::as_str).collect()
}
