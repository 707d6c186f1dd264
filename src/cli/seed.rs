//! A node to learn the cluster from, as an operator writes it: `host:port` or a `redis://` address.
//!
//! Invariant: no error and no output repeats the text, since it may hold a password.

use std::{fmt, str::FromStr};

use clap::{
    Arg, Command,
    builder::TypedValueParser,
    error::{Error, ErrorKind},
};

use super::units::{Expected, Secret};
use crate::cluster::NodeAddr;

/// A seed node and, if its address told them, the user and password for the whole cluster.
#[derive(Clone, Debug)]
pub(super) struct Seed {
    /// Where the node is.
    pub address: NodeAddr,
    /// User of a `redis://user:password@` address.
    pub user: Option<String>,
    /// Password of a `redis://` address.
    pub password: Option<Secret>,
}

/// Port of a `redis://` address that names none.
const DEFAULT_PORT: &str = "6379";

const FORM: Expected = Expected("a seed as host:port or redis://user:password@host:port");
const TLS: Expected = Expected("a seed without TLS, as host:port or redis://user:password@host:port");
const DATABASE: Expected = Expected("database 0 in a seed's address: clients select theirs");
const ESCAPE: Expected =
    Expected("two hexadecimal digits after each % of a seed's user and password, in UTF-8");

impl FromStr for Seed {
    type Err = Expected;

    fn from_str(text: &str) -> Result<Self, Expected> {
        if text.starts_with("rediss://") || text.starts_with("valkeys://") {
            return Err(TLS);
        }
        let scheme = text.strip_prefix("redis://").or_else(|| text.strip_prefix("valkey://"));
        match scheme {
            Some(rest) => of_url(rest),
            None => Ok(Self { address: address(text)?, user: None, password: None }),
        }
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

fn of_url(rest: &str) -> Result<Seed, Expected> {
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    if !matches!(path, "" | "0") {
        return Err(DATABASE);
    }
    let (credentials, host) = match authority.rsplit_once('@') {
        Some((credentials, host)) => (Some(credentials), host),
        None => (None, authority),
    };
    let (user, password) = match credentials {
        Some(credentials) => parted(credentials)?,
        None => (None, None),
    };
    Ok(Seed { address: with_port(host)?, user, password: password.as_deref().map(Secret::from) })
}

/// User and password of `user:password`; an empty one is none.
fn parted(credentials: &str) -> Result<(Option<String>, Option<String>), Expected> {
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let given = |part: &str| decoded(part).map(|text| Some(text).filter(|t| !t.is_empty()));
    Ok((given(user)?, given(password)?))
}

fn with_port(host: &str) -> Result<NodeAddr, Expected> {
    let ported = match host.strip_prefix('[') {
        Some(inside) => inside.contains("]:"),
        None => host.contains(':'),
    };
    if ported { address(host) } else { address(&format!("{host}:{DEFAULT_PORT}")) }
}

fn address(text: &str) -> Result<NodeAddr, Expected> {
    text.parse().ok().filter(|a: &NodeAddr| !a.host().is_empty()).ok_or(FORM)
}

/// `text` with each `%` and two hexadecimal digits replaced by their byte (RFC 3986, 2.1).
fn decoded(text: &str) -> Result<String, Expected> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2).ok_or(ESCAPE)?;
        bytes.push(hex(digits[0])? << 4 | hex(digits[1])?);
        rest = after;
    }
    String::from_utf8(bytes).map_err(|_| ESCAPE)
}

fn hex(digit: u8) -> Result<u8, Expected> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        b'A'..=b'F' => Ok(digit - b'A' + 10),
        _ => Err(ESCAPE),
    }
}

/// Reads seeds from flags; unlike the usual parser it does not repeat a refused text.
#[derive(Clone)]
pub(super) struct SeedParser;

impl TypedValueParser for SeedParser {
    type Value = Seed;

    fn parse_ref(&self, command: &Command, _: Option<&Arg>, text: &std::ffi::OsStr) -> Result<Seed, Error> {
        let seed = text.to_str().ok_or(FORM).and_then(str::parse);
        seed.map_err(|expected| command.clone().error(ErrorKind::ValueValidation, expected))
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn parts(text: &str) -> (String, Option<String>, Option<String>) {
        let seed: Seed = text.parse().unwrap();
        (seed.address.to_string(), seed.user, seed.password.map(|p| p.0.expose_secret().to_owned()))
    }

    #[test]
    fn every_form_of_a_seed_is_read() {
        let some = |text: &str| Some(text.to_owned());
        for (text, address, user, password) in [
            ("10.0.0.1:7000", "10.0.0.1:7000", None, None),
            ("[::1]:7000", "[::1]:7000", None, None),
            ("redis://node.local", "node.local:6379", None, None),
            ("redis://[::1]", "[::1]:6379", None, None),
            ("redis://[::1]:7/0", "[::1]:7", None, None),
            ("valkey://u@h:1/", "h:1", some("u"), None),
            ("redis://:p@h:1", "h:1", None, some("p")),
            ("redis://us%65r:p%40%2c:w@h:1", "h:1", some("user"), some("p@,:w")),
        ] {
            assert_eq!(parts(text), (address.to_owned(), user, password), "{text}");
        }
    }

    #[test]
    fn a_refused_seed_is_not_repeated() {
        for text in [
            "hidden",
            ":7000",
            "rediss://u:hidden@h:1",
            "redis://u:hidden@h:x",
            "redis://u:hidden%4@h:1",
            "redis://u:hidden%zz@h:1",
            "redis://u:hidden@h:1/2",
            "redis://:hidden%ff@h:1",
            "redis://u:hidden@",
        ] {
            let refused = text.parse::<Seed>().unwrap_err().to_string();
            assert!(refused.starts_with("expected ") && !refused.contains("hidden"), "{text}: {refused}");
        }
    }
}
