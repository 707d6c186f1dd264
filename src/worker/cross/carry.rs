//! RENAME and COPY to a key of another slot, by DUMP and RESTORE, with the time at which the value expires.
//!
//! RENAME watches the old name from before it reads the value until it deletes it, in a transaction: if
//! anything wrote there meanwhile, all is done again. Invariant: the value is under one of the names at least,
//! at every moment and whatever breaks; both are seen until the old one is gone.

use std::rc::Rc;

use super::{FRAMING, MAX_GATHERED, ODD_REPLY, ask, gather::value, transact};
use crate::{
    cluster::Slot,
    resp::{ASKING, EXEC, MULTI, Request, Value, encode_request, parse},
    routing::{Verdict, elements, is_nothing},
    topology::Signal,
    worker::{
        client::Client,
        dedicated::{Broken, Dedicated},
        errand::{Answered, Errand, TOO_LONG, Trouble},
        redirect::MAY_HAVE_RUN,
    },
};

const OK: &[u8] = b"+OK\r\n";
const UNWATCH: &[u8] = b"*1\r\n$7\r\nUNWATCH\r\n";
/// As in redis server.c `createSharedObjects`.
const NO_KEY: &[u8] = b"-ERR no such key\r\n";
const KEEPS_CHANGING: &[u8] =
    b"-ERR the value kept changing: it is still there, and a copy under the new name\r\n";

/// A value on its way from one key to another.
pub(super) struct Carry {
    client: Rc<Client>,
    from: Vec<u8>,
    to: Vec<u8>,
    replace: bool,
}

/// A value as it was read.
struct Load {
    bytes: Vec<u8>,
    /// When it expires, in milliseconds of Unix time; 0 is never.
    expires: i64,
}

/// How a round of RENAME ended.
enum Round {
    /// With this reply.
    Done(Vec<u8>),
    /// It is to be done again; if time is up, this is the reply.
    Again(&'static [u8]),
}

/// Whether the COPY `request` of a client in `database` replaces what there is.
///
/// # Errors
/// The text is that of redis db.c `copyCommand`.
pub(super) fn copy_replaces(request: Request<'_>, database: u16) -> Result<bool, &'static str> {
    let mut options = request.args_from(3);
    let mut replaces = false;
    while let Some(option) = options.next() {
        if option.eq_ignore_ascii_case(b"replace") {
            replaces = true;
        } else if option.eq_ignore_ascii_case(b"db") {
            match options.next() {
                Some(word) if word == database.to_string().as_bytes() => {}
                Some(_) => return Err("ERR COPY to another database is served for keys of one slot only"),
                None => return Err("ERR syntax error"),
            }
        } else {
            return Err("ERR syntax error");
        }
    }
    Ok(replaces)
}

impl Carry {
    pub(super) fn new(client: &Rc<Client>, from: Vec<u8>, to: Vec<u8>, replace: bool) -> Self {
        client.wrote.note(Some(Slot::of(&from)));
        Self { client: Rc::clone(client), from, to, replace }
    }

    /// The reply to COPY.
    pub(super) async fn copy(self) -> Vec<u8> {
        match self.try_copy().await {
            Ok(copied) => format!(":{}\r\n", u8::from(copied)).into_bytes(),
            Err(error) => error,
        }
    }

    async fn try_copy(&self) -> Result<bool, Vec<u8>> {
        let errand = Errand::new(&self.client, Slot::of(&self.from), self.reads().concat(), true);
        let all = transact(2, Errand { most: MAX_GATHERED + FRAMING, ..errand }).await?;
        let [dumped, expires] = elements(&all).unwrap_or_default()[..] else {
            return Err(ODD_REPLY.to_vec());
        };
        let Some(load) = load(dumped, expires)? else { return Ok(false) };
        match self.write(&load).await {
            Ok(_) => Ok(true),
            Err(error) if error.starts_with(b"-BUSYKEY ") => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The reply to RENAME.
    pub(super) async fn rename(self) -> Vec<u8> {
        let mut trouble = Trouble::default();
        loop {
            match self.round().await {
                Ok(Round::Done(reply)) | Err(reply) => return reply,
                Ok(Round::Again(last)) => {
                    if !trouble.pause(&self.client.worker).await {
                        return last.to_vec();
                    }
                }
            }
        }
    }

    async fn round(&self) -> Result<Round, Vec<u8>> {
        let worker = &self.client.worker;
        let watch = request(&[b"WATCH", &self.from]);
        let errand = Errand::new(&self.client, Slot::of(&self.from), watch, true);
        let Answered { reply, mut connection, asking } = errand.run().await?;
        if reply != OK {
            return Err(reply);
        }
        let reads = self.reads().map(|read| asked(asking, &read)).concat();
        connection.most = MAX_GATHERED + FRAMING;
        let replies = connection.exchange(&reads, 2 + 2 * usize::from(asking), worker.patience()).await;
        let replies = match replies {
            Ok(replies) => replies,
            Err(_) if connection.is_overlong() => return Err(TOO_LONG.to_vec()),
            Err(_) => return Ok(Round::Again(KEEPS_CHANGING)),
        };
        let [dumped, expires] = of_interest(&replies, asking)[..] else { return Err(ODD_REPLY.to_vec()) };
        if Verdict::of(dumped, &connection.addr) != Verdict::Deliver {
            return Ok(Round::Again(KEEPS_CHANGING));
        }
        let loaded = match load(dumped, expires) {
            Ok(Some(load)) => self.write(&load).await,
            Ok(None) => Err(NO_KEY.to_vec()),
            Err(error) => Err(error),
        };
        if let Err(error) = loaded {
            self.let_go(connection).await;
            return Err(error);
        }
        self.delete(connection, asking).await
    }

    /// Deletes the old name if nothing was written there since it is watched.
    async fn delete(&self, mut connection: Dedicated, asking: bool) -> Result<Round, Vec<u8>> {
        let worker = &self.client.worker;
        let requests = asked(asking, &[MULTI, &request(&[b"UNLINK", &self.from]), EXEC].concat());
        let done = connection.exchange(&requests, 3 + usize::from(asking), worker.patience()).await;
        let replies = match done {
            Ok(replies) => replies,
            Err(Broken { sent }) => {
                worker.topology.signal(Signal::Lost);
                return if sent { Err(MAY_HAVE_RUN.to_vec()) } else { Ok(Round::Again(KEEPS_CHANGING)) };
            }
        };
        let addr = connection.addr.clone();
        worker.pool.give_back(connection);
        let [.., queued, exec] = &replies[..] else { return Err(ODD_REPLY.to_vec()) };
        let refusal = if queued.starts_with(b"-") { queued } else { exec };
        match elements(exec) {
            Some(_) => Ok(Round::Done(OK.to_vec())),
            None if is_nothing(exec) || Verdict::of(refusal, &addr) != Verdict::Deliver => {
                Ok(Round::Again(KEEPS_CHANGING))
            }
            None => Err(refusal.clone()),
        }
    }

    /// Leaves no watch behind.
    async fn let_go(&self, mut connection: Dedicated) {
        let worker = &self.client.worker;
        if connection.exchange(UNWATCH, 1, worker.patience()).await.is_ok() {
            worker.pool.give_back(connection);
        }
    }

    fn reads(&self) -> [Vec<u8>; 2] {
        [request(&[b"DUMP", &self.from]), request(&[b"PEXPIRETIME", &self.from])]
    }

    async fn write(&self, load: &Load) -> Result<Vec<u8>, Vec<u8>> {
        let expires = load.expires.to_string();
        let mut args: Vec<&[u8]> = vec![b"RESTORE", &self.to, expires.as_bytes(), &load.bytes, b"ABSTTL"];
        args.extend(self.replace.then_some(&b"REPLACE"[..]));
        ask(Errand::new(&self.client, Slot::of(&self.to), request(&args), false)).await
    }
}

fn request(args: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    encode_request(&mut out, args);
    out
}

/// `requests` for a node that may not own the slot yet.
fn asked(asking: bool, requests: &[u8]) -> Vec<u8> {
    [if asking { ASKING } else { &[] }, requests].concat()
}

/// The replies but those to ASKING, which stands before each request.
fn of_interest(replies: &[Vec<u8>], asking: bool) -> Vec<&[u8]> {
    let step = 1 + usize::from(asking);
    replies.iter().skip(step - 1).step_by(step).map(Vec::as_slice).collect()
}

/// What was read; nothing if there is no value.
fn load(dumped: &[u8], expires: &[u8]) -> Result<Option<Load>, Vec<u8>> {
    for reply in [dumped, expires] {
        if reply.starts_with(b"-") {
            return Err(reply.to_vec());
        }
    }
    let Ok(Some((Value::Integer(expires), _))) = parse(expires) else { return Err(ODD_REPLY.to_vec()) };
    let bytes = value(dumped).ok_or_else(|| ODD_REPLY.to_vec())?;
    Ok(bytes.map(|bytes| Load { bytes, expires: expires.max(0) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::tests::Owned;

    #[test]
    fn copy_has_few_options() {
        let of = |line: &str| copy_replaces(Owned::new(line).request(), 0);
        assert_eq!(of("COPY a b"), Ok(false));
        assert_eq!(of("COPY a b replace DB 0"), Ok(true));
        assert_eq!(copy_replaces(Owned::new("COPY a b DB 3").request(), 3), Ok(false));
        assert!(of("COPY a b DB 1").is_err_and(|text| text.contains("another database")));
        assert_eq!(of("COPY a b DB"), Err("ERR syntax error"));
        assert_eq!(of("COPY a b FOO"), Err("ERR syntax error"));
    }

    #[test]
    fn a_value_comes_with_its_time() {
        let load = |dumped: &str, expires: &str| load(dumped.as_bytes(), expires.as_bytes());
        assert!(matches!(load("$1\r\nx\r\n", ":-1\r\n"), Ok(Some(Load { expires: 0, .. }))));
        assert!(matches!(load("$1\r\nx\r\n", ":99\r\n"), Ok(Some(Load { expires: 99, .. }))));
        assert!(matches!(load("_\r\n", ":-2\r\n"), Ok(None)));
        assert!(load("-NOPERM x\r\n", ":-2\r\n").is_err_and(|error| error == b"-NOPERM x\r\n"));
        assert!(load(":1\r\n", ":-2\r\n").is_err());
    }

    #[test]
    fn replies_to_asking_are_of_no_interest() {
        let replies: Vec<Vec<u8>> = ["+OK", "a", "+OK", "b"].map(|text| text.as_bytes().to_vec()).into();
        assert_eq!(of_interest(&replies, true), [b"a", b"b"]);
        assert_eq!(of_interest(&replies[..2], false), [&b"+OK"[..], b"a"]);
    }
}
