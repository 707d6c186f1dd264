//! RENAME and COPY to a key of another slot, by DUMP and RESTORE, with the time at which the value expires.
//!
//! RENAME watches the old name from before it reads the value until it deletes it, in a transaction: if
//! anything wrote there meanwhile, all is done again. Invariant: the value is under one of the names at least,
//! at every moment and whatever breaks; both are seen until the old one is gone.

use std::rc::Rc;

use super::{FRAMING, MAX_GATHERED, ODD_REPLY, ask, gather::value, transact};
use crate::{
    cluster::Slot,
    resp::{ASKING, Request, Value, encode_request, parse},
    routing::{Verdict, elements, is_nothing},
    topology::Signal,
    worker::{
        bundle::{EXEC, MULTI},
        client::Client,
        dedicated::{Broken, Dedicated},
        errand::{Answered, Errand, TOO_LONG, Trouble},
        profile::{self, OUT_OF_RANGE},
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
    /// In which `to` is, if that is said.
    database: Option<i32>,
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

/// Whether the COPY `request` replaces what there is, and the database into which it copies, if it says so.
///
/// # Errors
/// The text is that of redis db.c `copyCommand`.
pub(super) fn copy_options(request: Request<'_>) -> Result<(bool, Option<i32>), &'static str> {
    let mut options = request.args_from(3);
    let (mut replaces, mut database) = (false, None);
    while let Some(option) = options.next() {
        if option.eq_ignore_ascii_case(b"replace") {
            replaces = true;
        } else if option.eq_ignore_ascii_case(b"db") {
            let number = options.next().ok_or("ERR syntax error")?;
            let number = std::str::from_utf8(number).ok().and_then(|text| text.parse().ok());
            database = Some(number.ok_or("ERR value is not an integer or out of range")?);
        } else {
            return Err("ERR syntax error");
        }
    }
    Ok((replaces, database))
}

impl Carry {
    pub(super) fn new(client: &Rc<Client>, from: Vec<u8>, to: Vec<u8>, replace: bool) -> Self {
        client.wrote.note(Some(Slot::of(&from)));
        Self { client: Rc::clone(client), from, to, replace, database: None }
    }

    /// The same into database `database`, if there is one.
    pub(super) fn into_database(self, database: Option<i32>) -> Self {
        Self { database, ..self }
    }

    /// The reply to COPY.
    pub(super) async fn copy(self) -> Vec<u8> {
        match self.try_copy().await {
            Ok(copied) => format!(":{}\r\n", u8::from(copied)).into_bytes(),
            Err(error) => error,
        }
    }

    async fn try_copy(&self) -> Result<bool, Vec<u8>> {
        let database = self.find_database().await?;
        let errand = Errand::new(&self.client, Slot::of(&self.from), self.reads().concat(), true);
        let all = transact(2, Errand { most: MAX_GATHERED + FRAMING, ..errand }).await?;
        let [dumped, expires] = elements(&all).unwrap_or_default()[..] else {
            return Err(ODD_REPLY.to_vec());
        };
        let Some(load) = load(dumped, expires)? else { return Ok(false) };
        match self.write(&load, database).await {
            Ok(_) => Ok(true),
            Err(error) if error.starts_with(b"-BUSYKEY ") => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn find_database(&self) -> Result<u16, Vec<u8>> {
        let Some(number) = self.database else { return Ok(self.client.database.get()) };
        if u16::try_from(number) == Ok(self.client.database.get()) {
            return Ok(self.client.database.get());
        }
        let found = profile::find(&self.client, Slot::of(&self.to), number).await;
        found.map_err(|error| if error.starts_with(b"-ERR ") { OUT_OF_RANGE.to_vec() } else { error })
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
            Ok(Some(load)) => self.write(&load, self.client.database.get()).await,
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

    async fn write(&self, load: &Load, database: u16) -> Result<Vec<u8>, Vec<u8>> {
        let expires = load.expires.to_string();
        let mut args: Vec<&[u8]> = vec![b"RESTORE", &self.to, expires.as_bytes(), &load.bytes, b"ABSTTL"];
        args.extend(self.replace.then_some(&b"REPLACE"[..]));
        let errand = Errand::new(&self.client, Slot::of(&self.to), request(&args), false);
        ask(Errand { database, ..errand }).await
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
        let of = |line: &str| copy_options(Owned::new(line).request());
        assert_eq!(of("COPY a b"), Ok((false, None)));
        assert_eq!(of("COPY a b replace DB 3"), Ok((true, Some(3))));
        assert_eq!(of("COPY a b DB x"), Err("ERR value is not an integer or out of range"));
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
