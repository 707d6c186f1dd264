//! A client of the simulation: sends pipelines of random requests on keys of its own, and knows what each reply
//! must be, since nobody else touches these keys.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::cluster::{Cluster, TAGS};
use crate::resp::{Value, encode_request, parse};

/// Keys of each tag, and most requests in a pipeline.
const KEYS: u64 = 2;
const DEPTH: u64 = 9;

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) requests: u64,
    /// Error replies by their first words.
    pub(super) errors: BTreeMap<String, u64>,
}

impl Outcome {
    pub(super) fn add(&mut self, other: Self) {
        self.requests += other.requests;
        for (error, count) in other.errors {
            *self.errors.entry(error).or_default() += count;
        }
    }
}

/// A text that was appended, and whether that is sure.
type Text = (String, bool);

/// What a client knows of its keys.
#[derive(Default)]
pub(super) struct Ledger {
    keys: BTreeMap<String, Vec<Text>>,
}

/// One request, and what it does.
enum Act {
    /// Appends this to these keys, all or none.
    Append(Vec<String>, String),
    /// Sets these keys to this, each or not.
    Set(Vec<String>, String),
    /// Reads these keys.
    Read(Vec<String>),
}

/// Sends so many `pipelines` and checks every reply.
pub(super) async fn work(
    id: u64,
    seed: u64,
    mut stream: DuplexStream,
    pipelines: usize,
    outcome: Rc<RefCell<Outcome>>,
) -> Ledger {
    let mut random = fastrand::Rng::with_seed(seed ^ (id + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let (mut ledger, mut bytes, mut serial) = (Ledger::default(), Vec::new(), 0);
    for _ in 0..pipelines {
        let mut requests = Vec::new();
        let mut acts = Vec::new();
        for _ in 0..random.u64(1..=DEPTH) {
            serial += 1;
            acts.push(act(id, serial, &mut random, &mut requests));
        }
        stream.write_all(&requests).await.expect("the proxy reads");
        for (act, skipped) in acts {
            let mut reply = next(&mut stream, &mut bytes).await;
            for _ in 0..skipped {
                reply = next(&mut stream, &mut bytes).await;
            }
            outcome.borrow_mut().requests += 1;
            if let Value::Error(text) = &reply {
                let word = text.split(' ').next().unwrap_or_default().to_owned();
                *outcome.borrow_mut().errors.entry(word).or_default() += 1;
            }
            ledger.note(&act, &reply);
        }
    }
    ledger
}

async fn next(stream: &mut DuplexStream, bytes: &mut Vec<u8>) -> Value {
    loop {
        if let Some((value, len)) = parse(bytes).expect("a reply") {
            bytes.drain(..len);
            return value;
        }
        assert_ne!(stream.read_buf(bytes).await.expect("the proxy writes"), 0, "closed");
    }
}

/// A random request, appended to `requests`; with the number of replies that come before its own.
fn act(id: u64, serial: u64, random: &mut fastrand::Rng, requests: &mut Vec<u8>) -> (Act, usize) {
    let mut send =
        |line: &str| encode_request(requests, &line.split(' ').map(str::as_bytes).collect::<Vec<_>>());
    let tag = TAGS[random.usize(..TAGS.len())];
    let key = |tag: &str, n: u64| format!("{{{tag}}}:{id}:{n}");
    let (one, both) = (key(tag, random.u64(..KEYS)), (0..KEYS).map(|n| key(tag, n)).collect::<Vec<_>>());
    let set: Vec<String> = TAGS.iter().map(|tag| format!("{{{tag}}}:{id}:set")).collect();
    let text = format!("{serial},");
    match random.u32(..9) {
        0..=2 => {
            send(&format!("APPEND {one} {text}"));
            (Act::Append(vec![one], text), 0)
        }
        3 => {
            send(&format!("EVAL x 2 {} {text}", both.join(" ")));
            (Act::Append(both, text), 0)
        }
        4 => {
            send("MULTI");
            both.iter().for_each(|key| send(&format!("APPEND {key} {text}")));
            send("EXEC");
            (Act::Append(both, text), 3)
        }
        5 => {
            send(&format!("GET {one}"));
            (Act::Read(vec![one]), 0)
        }
        6 => {
            send(&format!("MGET {}", both.join(" ")));
            (Act::Read(both), 0)
        }
        7 => {
            let pairs: Vec<String> = set.iter().map(|key| format!("{key} {text}")).collect();
            send(&format!("MSET {}", pairs.join(" ")));
            (Act::Set(set, text), 0)
        }
        _ => {
            send(&format!("MGET {}", set.join(" ")));
            (Act::Read(set), 0)
        }
    }
}

impl Ledger {
    fn note(&mut self, act: &Act, reply: &Value) {
        let error = reply.as_error();
        let may_have_run = error.is_some_and(|text| text.contains("may have been executed"));
        match act {
            Act::Append(keys, text) => {
                if let Some(len) = length(reply) {
                    let key = self.keys.get(&keys[0]).map_or(0, |texts| least(texts)) + text.len();
                    assert!(len >= key, "{text} to {keys:?}: {len} bytes where {key} must be");
                } else {
                    assert!(error.is_some(), "{text} to {keys:?}: {reply:?}");
                }
                if error.is_none() || may_have_run {
                    for key in keys {
                        self.keys.entry(key.clone()).or_default().push((text.clone(), !may_have_run));
                    }
                }
            }
            Act::Set(keys, text) => {
                for key in keys {
                    let texts = self.keys.entry(key.clone()).or_default();
                    // An error may be that of one part only.
                    if error.is_none() {
                        texts.clear();
                    }
                    texts.push((text.clone(), error.is_none()));
                }
            }
            Act::Read(_) if error.is_some() => {}
            Act::Read(keys) => {
                let values = reply.as_array().map_or_else(|| vec![reply.clone()], <[Value]>::to_vec);
                assert_eq!(values.len(), keys.len(), "{keys:?}: {reply:?}");
                for (key, value) in keys.iter().zip(values) {
                    self.seen(key, value.as_str().unwrap_or_default());
                }
            }
        }
    }

    /// Compares `value` of `key` with what is known; what was unsure is sure now.
    fn seen(&mut self, key: &str, value: &str) {
        let texts = self.keys.entry(key.to_owned()).or_default();
        if key.ends_with("set") {
            let sure = texts.iter().rposition(|(_, sure)| *sure).unwrap_or(0);
            let possible = &texts[sure..];
            let known = possible.iter().any(|(text, _)| text == value);
            let nothing = value.is_empty() && !possible.first().is_some_and(|(_, sure)| *sure);
            assert!(known || nothing, "{key} is {value:?}, not one of {possible:?}");
            // A part that failed may not come later: what was read stays.
            *texts = vec![(value.to_owned(), !value.is_empty())];
            return;
        }
        let mut rest = value;
        texts.retain_mut(|(text, sure)| match rest.strip_prefix(text.as_str()) {
            Some(behind) => {
                (rest, *sure) = (behind, true);
                true
            }
            None => {
                assert!(!*sure, "{key} is {value:?} without {text}");
                false
            }
        });
        assert_eq!(rest, "", "{key} is {value:?}, not {texts:?}");
    }

    /// Compares all keys with what the nodes have.
    pub(super) fn compare(mut self, cluster: &Cluster) {
        let keys: Vec<String> = self.keys.keys().cloned().collect();
        for key in keys {
            self.seen(&key, &cluster.value(&key).unwrap_or_default());
        }
    }
}

/// How long the first key is by now, as the reply to an append says.
fn length(reply: &Value) -> Option<usize> {
    let first = reply.as_array().map_or(Some(reply), <[Value]>::first)?;
    usize::try_from(first.as_integer()?).ok()
}

fn least(texts: &[Text]) -> usize {
    texts.iter().filter(|(_, sure)| *sure).map(|(text, _)| text.len()).sum()
}
