//! What clients do: append, count, write two keys at once, write keys of many slots at once, read.

use std::collections::VecDeque;

use super::{
    ledger::{Count, List, Versions},
    tally::{Fate, Fault, Tally},
    workload::Work,
};
use crate::support::{Client, Value, encode, wait::within};

/// Elements of a list before the client looks at it and begins another: little enough to be moved at once.
const LONG: usize = 200;
/// Lists, counters and the like of one client in each slot's tag.
const EACH: usize = 2;

/// Asks until there is an answer that is no error: for the end, when the cluster is whole again.
fn settled(client: &mut Client, request: &[&str]) -> Value {
    within(crate::support::PATIENCE, "the cluster answers", || {
        let reply = client.request(request);
        (!reply.is_error()).then_some(reply)
    })
}

fn write(out: &mut Vec<u8>, request: &[&str]) {
    out.extend(encode(request));
}

/// Appends to lists of several slots in turn; looks at each when it is long, then removes it.
pub(super) struct Pusher {
    /// What the lists' names begin with.
    names: Vec<String>,
    /// All lists ever; those that were looked at are done.
    lists: Vec<List>,
    /// For each name the place of the list in use.
    current: Vec<usize>,
    turn: usize,
    /// Places of lists that were looked at and are to be removed.
    done: Vec<usize>,
    asked: VecDeque<Push>,
}

enum Push {
    Element(usize, usize),
    Look(usize),
    Remove,
}

impl Pusher {
    pub(super) fn new(tags: &[String], client: usize) -> Self {
        let names: Vec<String> = tags
            .iter()
            .flat_map(|tag| (0..EACH).map(move |n| format!("{{{tag}}}:list:{client}:{n}")))
            .collect();
        let lists = names.iter().map(|name| List::new(format!("{name}:first"))).collect();
        let current = (0..names.len()).collect();
        Self { names, lists, current, turn: 0, done: Vec::new(), asked: VecDeque::new() }
    }
}

impl Work for Pusher {
    fn ask(&mut self, out: &mut Vec<u8>) -> usize {
        if let Some(place) = self.done.pop() {
            write(out, &["UNLINK", &self.lists[place].key]);
            self.asked.push_back(Push::Remove);
            return 1;
        }
        let name = self.turn % self.names.len();
        self.turn += 1;
        let place = self.current[name];
        let list = &mut self.lists[place];
        let number = list.next();
        write(out, &["RPUSH", &list.key, &number.to_string()]);
        self.asked.push_back(Push::Element(place, number));
        if number + 1 < LONG {
            return 1;
        }
        write(out, &["LRANGE", &list.key, "0", "-1"]);
        self.asked.push_back(Push::Look(place));
        self.current[name] = self.lists.len();
        self.lists.push(List::new(format!("{}:{}", self.names[name], self.lists.len())));
        2
    }

    fn hear(&mut self, reply: Value, tally: &mut Tally) {
        let fate = tally.fate(&reply);
        match self.asked.pop_front().expect("no reply without a request") {
            Push::Element(place, number) => self.lists[place].heard(number, fate),
            Push::Look(place) if fate == Fate::Done => {
                self.lists[place].judge(reply.items(), tally);
                self.done.push(place);
            }
            Push::Look(_) | Push::Remove => {}
        }
    }

    fn judge(&mut self, client: &mut Client, tally: &mut Tally) {
        for list in self.lists.iter_mut().filter(|list| !list.is_judged()) {
            list.judge(settled(client, &["LRANGE", &list.key, "0", "-1"]).items(), tally);
        }
    }
}

/// Increments counters of several slots in turn.
pub(super) struct Counter {
    keys: Vec<String>,
    counts: Vec<Count>,
    turn: usize,
    asked: VecDeque<usize>,
}

impl Counter {
    pub(super) fn new(tags: &[String], client: usize) -> Self {
        let keys: Vec<String> = tags.iter().map(|tag| format!("{{{tag}}}:count:{client}")).collect();
        let counts = keys.iter().map(|_| Count::default()).collect();
        Self { keys, counts, turn: 0, asked: VecDeque::new() }
    }
}

impl Work for Counter {
    fn ask(&mut self, out: &mut Vec<u8>) -> usize {
        let place = self.turn % self.keys.len();
        self.turn += 1;
        write(out, &["INCR", &self.keys[place]]);
        self.asked.push_back(place);
        1
    }

    fn hear(&mut self, reply: Value, tally: &mut Tally) {
        let place = self.asked.pop_front().expect("no reply without a request");
        self.counts[place].heard(tally.fate(&reply));
    }

    fn judge(&mut self, client: &mut Client, tally: &mut Tally) {
        for (key, count) in self.keys.iter().zip(&self.counts) {
            count.judge(key, &settled(client, &["GET", key]), tally);
        }
    }
}

/// Writes groups of keys with one value at once and reads them back: the keys of a slot, which must be equal, or
/// keys of many slots, which must not be older than what was written.
pub(super) struct Setter {
    groups: Vec<Group>,
    turn: usize,
    asked: VecDeque<Set>,
}

/// Keys that are written together.
struct Group {
    keys: Vec<String>,
    versions: Versions,
    /// Whether the keys are of one slot, and so written as one.
    whole: bool,
}

enum Set {
    Write(usize, u64),
    Read(usize, u64),
}

impl Setter {
    /// Two keys in each slot.
    pub(super) fn pairs(tags: &[String], client: usize) -> Self {
        let keys = |tag: &String| ["a", "b"].map(|end| format!("{{{tag}}}:pair:{client}:{end}")).to_vec();
        Self::of(tags.iter().map(keys), true)
    }

    /// A key in each slot.
    pub(super) fn split(tags: &[String], client: usize) -> Self {
        let keys = tags.iter().map(|tag| format!("{{{tag}}}:split:{client}")).collect();
        Self::of(std::iter::once(keys), false)
    }

    fn of(groups: impl Iterator<Item = Vec<String>>, whole: bool) -> Self {
        let group = |keys| Group { keys, versions: Versions::default(), whole };
        Self { groups: groups.map(group).collect(), turn: 0, asked: VecDeque::new() }
    }
}

impl Work for Setter {
    fn ask(&mut self, out: &mut Vec<u8>) -> usize {
        let place = self.turn % self.groups.len();
        self.turn += 1;
        let Group { keys, versions, .. } = &mut self.groups[place];
        let version = versions.next();
        let value = version.to_string();
        let pairs = keys.iter().flat_map(|key| [key.as_str(), &value]);
        write(out, &std::iter::once("MSET").chain(pairs).collect::<Vec<_>>());
        write(out, &std::iter::once("MGET").chain(keys.iter().map(String::as_str)).collect::<Vec<_>>());
        self.asked.extend([Set::Write(place, version), Set::Read(place, version)]);
        2
    }

    fn hear(&mut self, reply: Value, tally: &mut Tally) {
        let fate = tally.fate(&reply);
        match self.asked.pop_front().expect("no reply without a request") {
            // A part of what was refused may be done where the keys are of many slots.
            Set::Write(place, version) => match (fate, self.groups[place].whole) {
                (Fate::Refused, false) => self.groups[place].versions.heard(version, Fate::Maybe),
                (fate, _) => self.groups[place].versions.heard(version, fate),
            },
            Set::Read(place, sent) if fate == Fate::Done => self.groups[place].judge(&reply, sent, tally),
            Set::Read(..) => {}
        }
    }

    fn judge(&mut self, client: &mut Client, tally: &mut Tally) {
        for group in &self.groups {
            let all: Vec<&str> =
                std::iter::once("MGET").chain(group.keys.iter().map(String::as_str)).collect();
            group.judge(&settled(client, &all), group.versions.sent(), tally);
        }
    }
}

impl Group {
    fn judge(&self, reply: &Value, sent: u64, tally: &mut Tally) {
        let values = reply.items();
        for (key, value) in self.keys.iter().zip(values) {
            self.versions.judge(key, value, sent, tally);
        }
        if self.whole && values.windows(2).any(|pair| pair[0] != pair[1]) {
            tally.fault(Fault::Wrong, || format!("{:?} are {values:?}", self.keys));
        }
    }
}

/// Increments two numbers of a slot in one transaction; both must always be the same.
pub(super) struct Transactor {
    keys: Vec<[String; 2]>,
    counts: Vec<Count>,
    turn: usize,
    asked: VecDeque<(usize, usize)>,
}

/// Replies to `MULTI`, two `INCR` and `EXEC`.
const TRANSACTION: usize = 4;

impl Transactor {
    pub(super) fn new(tags: &[String], client: usize) -> Self {
        let keys = tags.iter().map(|tag| ["a", "b"].map(|end| format!("{{{tag}}}:both:{client}:{end}")));
        let counts = tags.iter().map(|_| Count::default()).collect();
        Self { keys: keys.collect(), counts, turn: 0, asked: VecDeque::new() }
    }
}

impl Work for Transactor {
    fn ask(&mut self, out: &mut Vec<u8>) -> usize {
        let place = self.turn % self.keys.len();
        self.turn += 1;
        let [one, other] = &self.keys[place];
        for request in [&["MULTI"][..], &["INCR", one], &["INCR", other], &["EXEC"]] {
            write(out, request);
        }
        self.asked.extend((0..TRANSACTION).map(|step| (place, step)));
        TRANSACTION
    }

    fn hear(&mut self, reply: Value, tally: &mut Tally) {
        let (place, step) = self.asked.pop_front().expect("no reply without a request");
        let fate = tally.fate(&reply);
        if step + 1 < TRANSACTION {
            return;
        }
        self.counts[place].heard(fate);
        let differ = || reply.items().windows(2).any(|pair| pair[0] != pair[1]);
        if fate == Fate::Done && differ() {
            tally.fault(Fault::Wrong, || format!("{:?} are {reply:?}", self.keys[place]));
        }
    }

    fn judge(&mut self, client: &mut Client, tally: &mut Tally) {
        for (keys, count) in self.keys.iter().zip(&self.counts) {
            for key in keys {
                count.judge(key, &settled(client, &["GET", key]), tally);
            }
        }
    }
}

/// Reads keys that never change and that hold their own names.
pub(super) struct Reader {
    keys: Vec<String>,
    turn: usize,
    asked: VecDeque<usize>,
}

impl Reader {
    /// Of keys that `client` sets before.
    pub(super) fn new(tags: &[String], client: &mut Client) -> Self {
        let keys: Vec<String> =
            tags.iter().flat_map(|tag| (0..10).map(move |n| format!("{{{tag}}}:read:{n}"))).collect();
        for key in &keys {
            assert_eq!(client.request(&["SET", key, key]), Value::ok());
        }
        Self { keys, turn: 0, asked: VecDeque::new() }
    }
}

impl Work for Reader {
    fn ask(&mut self, out: &mut Vec<u8>) -> usize {
        let place = self.turn % self.keys.len();
        self.turn += 1;
        write(out, &["GET", &self.keys[place]]);
        self.asked.push_back(place);
        1
    }

    fn hear(&mut self, reply: Value, tally: &mut Tally) {
        let key = &self.keys[self.asked.pop_front().expect("no reply without a request")];
        if tally.fate(&reply) == Fate::Done && reply != Value::bulk(key) {
            tally.fault(Fault::Wrong, || format!("GET {key}: {reply:?}"));
        }
    }

    fn judge(&mut self, _: &mut Client, _: &mut Tally) {}
}
