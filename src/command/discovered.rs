//! Commands that are not in the table: modules' and newer servers'. The cluster is asked once for each.
//!
//! Knows no connection: who asks brings the reply. Shared by all threads; reading takes no lock.
//! Invariants: at most [`MAX_NAMES`] names, none longer than [`MAX_NAME`]; a command found is kept for
//! ever, so at most that many are ever leaked.

use std::{collections::HashMap, sync::LazyLock};

use arc_swap::ArcSwap;

use super::{Begin, Categories, Command, Find, Flags, KeyFlags, KeySpec, OTHER, Spec};
use crate::resp::Value;

/// Most names that are remembered. Redis with all its modules has about 250 commands more.
pub const MAX_NAMES: usize = 1024;
/// Longest name that a server is asked for; the longest known is 23.
pub const MAX_NAME: usize = 128;
/// Most key specs of one command, and most subcommands, that are believed.
const MAX_PARTS: usize = 64;

/// What is known of a name that is not in the table.
#[derive(Clone, Copy, Debug)]
pub enum Found {
    /// It is this command.
    Command(&'static Command),
    /// The cluster has no such command.
    Absent,
    /// Nobody asked yet.
    Unasked,
}

type Names = HashMap<Box<[u8]>, Option<&'static Command>>;

static NAMES: LazyLock<ArcSwap<Names>> = LazyLock::new(ArcSwap::default);

/// What is known of `name`, in any case. A name that is too long is never asked for.
pub fn find(name: &[u8]) -> Found {
    if name.len() > MAX_NAME {
        return Found::Absent;
    }
    match NAMES.load().get(name.to_ascii_lowercase().as_slice()) {
        Some(Some(command)) => Found::Command(command),
        Some(None) => Found::Absent,
        None => Found::Unasked,
    }
}

/// Remembers what the cluster replied to `COMMAND INFO name`, and returns the command if there is one.
///
/// Call it with a node's reply only, not with an error about the connection: an unknown name is
/// remembered as absent. When there are too many names the absent ones are forgotten.
pub fn store(name: &[u8], reply: &Value) -> Option<&'static Command> {
    let name: Box<[u8]> = name.to_ascii_lowercase().into();
    match find(&name) {
        Found::Command(command) => return Some(command),
        Found::Absent if name.len() > MAX_NAME => return None,
        Found::Absent | Found::Unasked => {}
    }
    let entry = match reply.as_array() {
        Some([entry]) => entry,
        _ => reply,
    };
    let is_full = |names: &Names| names.len() >= MAX_NAMES && !names.contains_key(&name);
    let has_room = NAMES.load().values().flatten().count() < MAX_NAMES;
    let command = if has_room { from_command_info(entry) } else { None };
    NAMES.rcu(|names| {
        let mut names = Names::clone(names);
        if is_full(&names) {
            names.retain(|_, command| command.is_some());
        }
        if !is_full(&names) {
            names.insert(name.clone(), command);
        }
        names
    });
    command
}

/// The command that one entry of a reply to `COMMAND INFO` describes; nothing for a null or another shape.
///
/// It lives for ever; [`store`] bounds how many there are.
pub fn from_command_info(entry: &Value) -> Option<&'static Command> {
    let spec = Box::leak(Box::new(spec(entry.as_array()?)?));
    Some(Box::leak(Box::new(Command::new(spec, OTHER, None))))
}

fn spec(fields: &[Value]) -> Option<Spec> {
    let [name, arity, flags, first, last, step, rest @ ..] = fields else { return None };
    let list = |at: usize| rest.get(at).and_then(Value::as_array).unwrap_or_default();
    let position = |value: &Value| small(value).unwrap_or(0);
    let positions = (position(first), position(last), position(step));
    let flags = Flags::from_names(names(flags.as_array()?));
    let key_specs = match list(2) {
        [] => by_positions(positions).into_iter().collect(),
        specs => specs.iter().take(MAX_PARTS).filter_map(key_spec).collect(),
    };
    let subcommands = list(3).iter().take(MAX_PARTS).filter_map(|s| spec(s.as_array()?)).collect();
    Some(Spec {
        arity: small(arity)?,
        flags,
        categories: Categories::from_names(names(list(0)).map(|n| n.strip_prefix(b"@").unwrap_or(n))),
        positions,
        key_specs: Vec::leak(key_specs),
        tips: Vec::leak(list(1).iter().take(MAX_PARTS).filter_map(text).collect()),
        subcommands: Vec::leak(subcommands),
        group: "module",
        ..Spec::new(text(name)?, 0, 0)
    })
}

/// Servers before 7.0 send no key specs.
fn by_positions((first, last, step): (i16, i16, i16)) -> Option<KeySpec> {
    let distance = if last < 0 { last } else { last.saturating_sub(first) };
    let flags = KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::UPDATE;
    (first > 0 && (last < 0 || last >= first))
        .then(|| KeySpec::new(flags, Begin::Index(first), Find::Range { last: distance, step, limit: 0 }))
}

fn key_spec(value: &Value) -> Option<KeySpec> {
    let flags = KeyFlags::from_names(names(value.get("flags")?.as_array()?));
    let (begin, find) = (value.get("begin_search")?, value.get("find_keys")?);
    let of = |part: &Value, name: &str| small(part.get("spec")?.get(name)?);
    let begin = match begin.get("type")?.as_bytes()? {
        b"index" => Begin::Index(of(begin, "index")?),
        b"keyword" => Begin::Keyword(text(begin.get("spec")?.get("keyword")?)?, of(begin, "startfrom")?),
        _ => Begin::Unknown,
    };
    let find = match find.get("type")?.as_bytes()? {
        b"range" => {
            Find::Range { last: of(find, "lastkey")?, step: of(find, "keystep")?, limit: of(find, "limit")? }
        }
        b"keynum" => Find::Keynum {
            count_at: of(find, "keynumidx")?,
            first: of(find, "firstkey")?,
            step: of(find, "keystep")?,
        },
        _ => Find::Unknown,
    };
    Some(KeySpec { flags, begin, find, notes: "" })
}

fn small(value: &Value) -> Option<i16> {
    i16::try_from(value.as_integer()?).ok().filter(|&n| n != i16::MIN)
}

fn names(values: &[Value]) -> impl Iterator<Item = &[u8]> {
    values.iter().filter_map(Value::as_bytes)
}

fn text(value: &Value) -> Option<&'static str> {
    let text = value.as_str().filter(|t| t.len() <= MAX_NAME)?;
    Some(String::leak(text.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{command::Handling, resp::parse};

    const REPLY: &[u8] = b"*1\r\n*10\r\n$8\r\nJSON.SET\r\n:-4\r\n*3\r\n+write\r\n+denyoom\r\n+module\r\n:1\r\n:1\r\n:1\r\n*1\r\n+@write\r\n*0\r\n*1\r\n*6\r\n$5\r\nflags\r\n*2\r\n+RW\r\n+update\r\n$12\r\nbegin_search\r\n*4\r\n$4\r\ntype\r\n$5\r\nindex\r\n$4\r\nspec\r\n*2\r\n$5\r\nindex\r\n:1\r\n$9\r\nfind_keys\r\n*4\r\n$4\r\ntype\r\n$5\r\nrange\r\n$4\r\nspec\r\n*6\r\n$7\r\nlastkey\r\n:0\r\n$7\r\nkeystep\r\n:1\r\n$5\r\nlimit\r\n:0\r\n*0\r\n";

    fn reply(bytes: &[u8]) -> Value {
        parse(bytes).unwrap().unwrap().0
    }

    #[test]
    fn a_command_is_asked_for_once_and_then_known_in_any_case() {
        assert!(matches!(find(b"json.set"), Found::Unasked));
        let command = store(b"JSON.set", &reply(REPLY)).unwrap();
        assert_eq!((command.name, command.spec.arity, command.index), ("json.set", -4, OTHER));
        assert!(command.first_only && command.writes() && command.handling == Handling::Forward);
        assert!(matches!(find(b"Json.Set"), Found::Command(found) if std::ptr::eq(found, command)));
    }

    #[test]
    fn a_name_the_cluster_does_not_know_is_remembered() {
        assert!(store(b"no.such", &reply(b"*1\r\n*-1\r\n")).is_none());
        assert!(matches!(find(b"NO.SUCH"), Found::Absent));
        assert!(matches!(find(&[b'x'; MAX_NAME + 1]), Found::Absent));
    }

    #[test]
    fn an_old_server_s_entry_has_its_keys_by_position() {
        let entry = reply(b"*6\r\n+mod.del\r\n:-2\r\n*1\r\n+write\r\n:1\r\n:-1\r\n:1\r\n");
        let command = from_command_info(&entry).unwrap();
        let find = Find::Range { last: -1, step: 1, limit: 0 };
        assert_eq!((command.key_specs[0].begin, command.key_specs[0].find), (Begin::Index(1), find));
    }

    #[test]
    fn what_is_no_entry_is_no_command() {
        for bytes in [&b"-ERR x\r\n"[..], b"*0\r\n", b"_\r\n", b"*6\r\n:1\r\n:1\r\n*0\r\n:0\r\n:0\r\n:0\r\n"]
        {
            assert!(from_command_info(&reply(bytes)).is_none());
        }
    }
}
