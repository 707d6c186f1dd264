//! What a client of the simulation knows of its keys, which nobody else touches: so it knows what each reply must be.

use std::collections::BTreeMap;

use super::cluster::Cluster;
use crate::resp::Value;

/// A text that was appended or set, and whether that is sure.
type Text = (String, bool);

/// What a client knows of its keys. What may have run may still run later: the node that has it may hang.
#[derive(Default)]
pub(super) struct Ledger {
    /// Of each key the texts, in the order of the requests.
    keys: BTreeMap<String, Vec<Text>>,
    /// The number of the request whose reply came last.
    answered: u64,
    /// Reads may see what was sent behind them: replicas answer them.
    pub(super) sees_ahead: bool,
}

/// One request, and what it does. A text begins with the request's number and ends with a comma.
pub(super) enum Act {
    /// Appends this to these keys, all or none.
    Append(Vec<String>, String),
    /// Sets these keys to this, each or not.
    Set(Vec<String>, String),
    /// Reads these keys.
    Read(Vec<String>),
}

impl Ledger {
    pub(super) fn new(sees_ahead: bool) -> Self {
        Self { sees_ahead, ..Self::default() }
    }

    /// Takes the reply to the oldest request that has none.
    pub(super) fn note(&mut self, act: &Act, reply: &Value) {
        self.answered += 1;
        let error = reply.as_error();
        match act {
            Act::Append(keys, text) => {
                let may_have_run = error.is_some_and(|text| text.contains("may have been executed"));
                if let Some(len) = length(reply) {
                    let least = self.keys.get(&keys[0]).map_or(0, |texts| least(texts)) + text.len();
                    assert!(len >= least, "{text} to {keys:?}: {len} bytes where {least} must be");
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
                        texts.retain(|(_, sure)| !sure);
                    }
                    texts.push((text.clone(), error.is_none()));
                }
            }
            Act::Read(_) if error.is_some() => {}
            Act::Read(keys) => {
                let values = reply.as_array().map_or_else(|| vec![reply.clone()], <[Value]>::to_vec);
                assert_eq!(values.len(), keys.len(), "{keys:?}: {reply:?}");
                for (key, value) in keys.iter().zip(values) {
                    if let Some(value) = self.until_now(key, value.as_str().unwrap_or_default()) {
                        self.seen(key, value);
                    }
                }
            }
        }
    }

    /// What of `value` of `key` was sent before the request at hand; nothing if it hides that.
    fn until_now<'a>(&self, key: &str, value: &'a str) -> Option<&'a str> {
        let number =
            |text: &str| text.trim_end_matches([',', 'x']).parse::<u64>().expect("a request's number");
        let mut texts = value.split_inclusive(',');
        let Some(first) = texts.find(|text| self.sees_ahead && number(text) > self.answered) else {
            return Some(value);
        };
        let len = value.len() - first.len() - texts.map(str::len).sum::<usize>();
        (!key.ends_with("set")).then_some(&value[..len])
    }

    /// Compares all keys with what the nodes have.
    pub(super) fn compare(mut self, cluster: &Cluster) {
        let keys: Vec<String> = self.keys.keys().cloned().collect();
        for key in keys {
            self.seen(&key, &cluster.value(&key).unwrap_or_default());
        }
    }

    /// Compares `value` of `key` with what is known; what was unsure is sure now.
    fn seen(&mut self, key: &str, value: &str) {
        let texts = self.keys.entry(key.to_owned()).or_default();
        let known = std::mem::take(texts);
        *texts = if key.ends_with("set") { last(key, value, known) } else { all(key, value, known) };
    }
}

/// What is known of `key`, to which `known` was set, when it is `value`.
fn last(key: &str, value: &str, mut known: Vec<Text>) -> Vec<Text> {
    if value.is_empty() {
        assert!(!known.iter().any(|(_, sure)| *sure), "{key} is gone, not one of {known:?}");
        return known;
    }
    let place = known.iter().position(|(text, _)| text == value);
    let place = place.unwrap_or_else(|| panic!("{key} is {value:?}, not one of {known:?}"));
    known.remove(place);
    known.retain(|(_, sure)| !sure);
    known.push((value.to_owned(), true));
    known
}

/// What is known of `key`, to which `known` was appended, when it is `value`: the sure ones in their order, and
/// nothing before what is sure to have run first.
fn all(key: &str, value: &str, mut known: Vec<Text>) -> Vec<Text> {
    let mut there = Vec::new();
    for text in value.split_inclusive(',') {
        let place = known.iter().position(|(other, _)| other == text);
        let place =
            place.unwrap_or_else(|| panic!("{key} is {value:?}: {text} behind {there:?}, not {known:?}"));
        let too_early = known[..place].iter().any(|(_, sure)| *sure);
        assert!(!too_early, "{key} is {value:?}: {text} before others of {known:?}");
        known.remove(place);
        there.push((text.to_owned(), true));
    }
    let missing = known.iter().any(|(_, sure)| *sure);
    assert!(!missing, "{key} is {value:?} without all of {known:?}");
    there.append(&mut known);
    there
}

/// How long the first key is by now, as the reply to an append says.
fn length(reply: &Value) -> Option<usize> {
    let first = reply.as_array().map_or(Some(reply), <[Value]>::first)?;
    usize::try_from(first.as_integer()?).ok()
}

fn least(texts: &[Text]) -> usize {
    texts.iter().filter(|(_, sure)| *sure).map(|(text, _)| text.len()).sum()
}
