//! HELLO, AUTH and RESET: who the client is and which protocol it speaks. Texts as in redis networking.c
//! `helloCommand` and acl.c `authCommand`.

use std::rc::Rc;

use secrecy::ExposeSecret;
use subtle::ConstantTimeEq;

use super::{Ask, client::valid_name};
use crate::{
    resp::Protocol,
    worker::{
        client::{Client, Mute, Names},
        dispatch::Step,
        transaction, watch,
    },
};

/// The server version that clients are told: what the command table was made for.
pub(super) const SERVER_VERSION: &str = "8.2.3";

const WRONG_PASSWORD: &str = "WRONGPASS invalid username-password pair or user is disabled.";
const NO_PASSWORD_SET: &str = "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?";
const HELLO_NOAUTH: &str = "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time";

/// What HELLO asks for.
#[derive(Default)]
struct Terms<'a> {
    protocol: Option<Protocol>,
    auth: Option<(&'a [u8], &'a [u8])>,
    name: Option<&'a [u8]>,
}

pub(super) fn hello(ask: &Ask<'_>) -> Step {
    let client = ask.client;
    let terms = match terms(ask) {
        Ok(terms) => terms,
        Err(text) => return ask.refuse(&text),
    };
    if let Some((user, password)) = terms.auth {
        if !accepts(client, user, password) {
            return ask.refuse(WRONG_PASSWORD);
        }
        client.authenticated.set(true);
    }
    if !client.authenticated.get() {
        return ask.refuse(HELLO_NOAUTH);
    }
    if let Some(name) = terms.name {
        client.names.borrow_mut().name = name.into();
    }
    if let Some(protocol) = terms.protocol {
        speak(client, protocol);
    }
    ask.write(|w| {
        w.map(7);
        w.bulk(b"server");
        w.bulk(b"redis");
        w.bulk(b"version");
        w.bulk(SERVER_VERSION.as_bytes());
        w.bulk(b"proto");
        w.integer(if client.protocol.get() == Protocol::Resp3 { 3 } else { 2 });
        w.bulk(b"id");
        w.integer(i64::try_from(client.id).unwrap_or(i64::MAX));
        w.bulk(b"mode");
        w.bulk(b"standalone");
        w.bulk(b"role");
        w.bulk(b"master");
        w.bulk(b"modules");
        w.array(0);
    })
}

fn terms<'a>(ask: &Ask<'a>) -> Result<Terms<'a>, String> {
    let mut terms = Terms::default();
    let mut args = ask.request.args_from(1);
    if let Some(version) = args.next() {
        terms.protocol = Some(match std::str::from_utf8(version).ok().and_then(|v| v.parse::<i64>().ok()) {
            Some(2) => Protocol::Resp2,
            Some(3) => Protocol::Resp3,
            Some(_) => return Err("NOPROTO unsupported protocol version".to_owned()),
            None => return Err("ERR Protocol version is not an integer or out of range".to_owned()),
        });
    }
    while let Some(option) = args.next() {
        let rest = args.len();
        if option.eq_ignore_ascii_case(b"auth") && rest >= 2 {
            terms.auth = args.next().zip(args.next());
        } else if option.eq_ignore_ascii_case(b"setname") && rest >= 1 {
            terms.name = args.next();
            if !terms.name.is_some_and(valid_name) {
                return Err(super::client::BAD_NAME.to_owned());
            }
        } else {
            return Err(format!("ERR Syntax error in HELLO option '{}'", String::from_utf8_lossy(option)));
        }
    }
    Ok(terms)
}

pub(super) fn auth(ask: &Ask<'_>) -> Step {
    let client = ask.client;
    let (user, password) = match ask.request.argc() {
        2 if client.worker.config.requirepass.is_none() => return ask.refuse(NO_PASSWORD_SET),
        2 => (&b"default"[..], ask.arg(1)),
        3 => (ask.arg(1), ask.arg(2)),
        _ => return ask.refuse("ERR syntax error"),
    };
    if !accepts(client, user, password) {
        return ask.refuse(WRONG_PASSWORD);
    }
    client.authenticated.set(true);
    ask.ok()
}

/// Whether `user` and `password` are right; the time it takes tells nothing about the password.
fn accepts(client: &Client, user: &[u8], password: &[u8]) -> bool {
    // Redis's default user without a password takes any.
    let right = client
        .worker
        .config
        .requirepass
        .as_ref()
        .is_none_or(|secret| bool::from(secret.expose_secret().as_bytes().ct_eq(password)));
    right && user == b"default"
}

/// Requests sent in one version and those sent in another travel on different connections: the first
/// must be answered before the second go.
fn speak(client: &Rc<Client>, protocol: Protocol) {
    if client.protocol.get() != protocol {
        client.worker.share_again(client);
        client.protocol.set(protocol);
        client.unsettle();
        watch::lose(client);
    }
}

/// As a connection was when it was new.
pub(super) fn reset(client: &Rc<Client>) {
    transaction::reset(client);
    client.worker.untrack(client);
    speak(client, Protocol::Resp2);
    client.enter(0);
    client.mute.set(Mute::No);
    client.authenticated.set(client.worker.config.requirepass.is_none());
    *client.names.borrow_mut() = Names::default();
    client.no_evict.set(false);
    client.no_touch.set(false);
}
