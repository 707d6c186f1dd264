//! Which clients CLIENT LIST shows and CLIENT KILL closes. Texts as in redis networking.c `clientKillCommand`.

use super::client::Client;
use crate::resp::Request;

const SYNTAX: &str = "ERR syntax error";

/// Clients by what they have in common; by default all.
#[derive(Debug, Default)]
pub struct Who {
    ids: Option<Vec<u64>>,
    addr: Option<Vec<u8>>,
    laddr: Option<Vec<u8>>,
    kind: Option<Kind>,
    /// In seconds.
    at_least_old: Option<u64>,
    but: Option<u64>,
}

/// The types of clients that servers know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Normal,
    Pubsub,
    /// A primary's or replica's connection: slotway has none.
    Node,
}

impl Who {
    /// The client at `addr`.
    pub(super) fn at(addr: &[u8]) -> Self {
        Self { addr: Some(addr.to_vec()), ..Self::default() }
    }

    /// The same without client `id`.
    pub(super) fn but(self, id: u64) -> Self {
        Self { but: Some(id), ..self }
    }

    /// As the arguments of `request` from `first` on say; `me` is the client that asks, left out if they say so
    /// or, where they do not say, if `skip_me`. The error is a text.
    pub(super) fn parse(request: &Request<'_>, first: usize, me: u64, skip_me: bool) -> Result<Self, String> {
        let (mut who, mut skip_me, mut at) = (Self::default(), skip_me, first);
        while let Some(option) = request.arg(at) {
            let value = request.arg(at + 1).ok_or(SYNTAX)?;
            at += 2;
            match option.to_ascii_lowercase().as_slice() {
                b"id" => {
                    let more = request.args_from(at).map_while(number).count();
                    who.ids = Some(ids(request, at - 1, more + 1)?);
                    at += more;
                }
                b"addr" => who.addr = Some(value.to_vec()),
                b"laddr" => who.laddr = Some(value.to_vec()),
                b"type" => who.kind = Some(kind(value)?),
                b"user" if value == b"default" => {}
                b"user" => return Err(format!("ERR No such user '{}'", String::from_utf8_lossy(value))),
                b"skipme" => skip_me = yes(value)?,
                b"maxage" => who.at_least_old = Some(age(value)?),
                _ => return Err(SYNTAX.to_owned()),
            }
        }
        who.but = skip_me.then_some(me);
        Ok(who)
    }

    /// Whether `client` is meant.
    pub(super) fn takes(&self, client: &Client) -> bool {
        let is = |wanted: &Option<Vec<u8>>, text: &str| wanted.as_ref().is_none_or(|w| w == text.as_bytes());
        let kind = if client.listens_to_counts() != [0; 3] { Kind::Pubsub } else { Kind::Normal };
        self.but != Some(client.id)
            && self.ids.as_ref().is_none_or(|ids| ids.contains(&client.id))
            && is(&self.addr, &client.peer)
            && is(&self.laddr, &client.local)
            && self.kind.is_none_or(|wanted| wanted == kind)
            && self.at_least_old.is_none_or(|age| client.worker.age(client.since).as_secs() >= age)
    }
}

fn number(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn ids(request: &Request<'_>, first: usize, count: usize) -> Result<Vec<u64>, String> {
    let id = |text| number(text).and_then(|id| u64::try_from(id).ok()).filter(|&id| id > 0);
    let ids: Option<Vec<u64>> = request.args_from(first).take(count).map(id).collect();
    ids.ok_or_else(|| "ERR client-id should be greater than 0".to_owned())
}

fn kind(name: &[u8]) -> Result<Kind, String> {
    match name.to_ascii_lowercase().as_slice() {
        b"normal" => Ok(Kind::Normal),
        b"pubsub" => Ok(Kind::Pubsub),
        b"master" | b"primary" | b"replica" | b"slave" => Ok(Kind::Node),
        _ => Err(format!("ERR Unknown client type '{}'", String::from_utf8_lossy(name))),
    }
}

fn yes(word: &[u8]) -> Result<bool, String> {
    match word.to_ascii_lowercase().as_slice() {
        b"yes" => Ok(true),
        b"no" => Ok(false),
        _ => Err(SYNTAX.to_owned()),
    }
}

fn age(text: &[u8]) -> Result<u64, String> {
    let age = number(text).ok_or("ERR maxage is not an integer or out of range")?;
    u64::try_from(age)
        .ok()
        .filter(|&age| age > 0)
        .ok_or_else(|| "ERR maxage should be greater than 0".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::tests::Owned;

    fn parse(line: &str) -> Result<Who, String> {
        Who::parse(&Owned::new(line).request(), 2, 7, true)
    }

    #[test]
    fn filters_add_up() {
        let who = parse("CLIENT KILL ID 1 2 3 ADDR a:1 TYPE pubsub MAXAGE 5 USER default SKIPME no").unwrap();
        assert_eq!(who.ids, Some(vec![1, 2, 3]));
        assert_eq!(who.addr.as_deref(), Some(&b"a:1"[..]));
        assert_eq!((who.kind, who.at_least_old, who.but), (Some(Kind::Pubsub), Some(5), None));
        assert_eq!(parse("CLIENT KILL ID 1").unwrap().but, Some(7));
        assert_eq!(parse("CLIENT KILL ID 1 ID 2").unwrap().ids, Some(vec![2]));
    }

    #[test]
    fn what_is_wrong_is_told_as_servers_do() {
        for (line, error) in [
            ("ID", SYNTAX),
            ("ID 0", "ERR client-id should be greater than 0"),
            ("ID x", "ERR client-id should be greater than 0"),
            ("ID 1 -5", "ERR client-id should be greater than 0"),
            ("ID 1 x", SYNTAX),
            ("FOO bar", SYNTAX),
            ("SKIPME maybe", SYNTAX),
            ("TYPE foo", "ERR Unknown client type 'foo'"),
            ("USER nobody", "ERR No such user 'nobody'"),
            ("MAXAGE x", "ERR maxage is not an integer or out of range"),
            ("MAXAGE 0", "ERR maxage should be greater than 0"),
        ] {
            assert_eq!(parse(&format!("CLIENT KILL {line}")).unwrap_err(), error, "{line}");
        }
    }
}
