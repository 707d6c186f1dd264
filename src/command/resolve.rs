//! Which command a request is, and the errors for one that is none.
//!
//! The texts are those of redis server.c `commandCheckExistence` and `commandCheckArity`.

use super::{Command, discovered, discovered::Found, lookup};
use crate::resp::{ReplyWriter, Request};

/// Longest part of a client's own words in an error.
const ECHO_LIMIT: usize = 128;

/// Why a request is no command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandError {
    /// Not in the table, and the cluster was not asked yet: ask it, [`discovered::store`] its answer, and
    /// resolve again. Where that cannot be done the answer is that of [`Self::Unknown`].
    Unasked,
    /// There is no such command.
    Unknown,
    /// The container of this name has no such subcommand.
    UnknownSubcommand(&'static str),
    /// The command of this name wants another number of arguments.
    Arity(&'static str),
}

/// The command that `request` is, its number of arguments checked; a container's subcommand where there is
/// one.
///
/// # Errors
/// When there is no such command, or it wants another number of arguments.
#[inline]
pub fn resolve(request: &Request<'_>) -> Result<&'static Command, CommandError> {
    let command = match lookup(request.name()) {
        Some(command) => command,
        None => not_in_table(request.name())?,
    };
    let command = if command.subcommands.is_empty() { command } else { subcommand(command, request)? };
    if command.spec.accepts(request.argc()) { Ok(command) } else { Err(CommandError::Arity(command.name)) }
}

#[cold]
fn not_in_table(name: &[u8]) -> Result<&'static Command, CommandError> {
    match discovered::find(name) {
        Found::Command(command) => Ok(command),
        Found::Absent => Err(CommandError::Unknown),
        Found::Unasked => Err(CommandError::Unasked),
    }
}

fn subcommand(container: &'static Command, request: &Request<'_>) -> Result<&'static Command, CommandError> {
    match request.arg(1) {
        None => Ok(container),
        Some(name) => container.subcommand(name).ok_or(CommandError::UnknownSubcommand(container.name)),
    }
}

impl CommandError {
    /// Writes the error reply to `request`.
    #[cold]
    pub fn write(self, request: &Request<'_>, reply: &mut ReplyWriter<'_>) {
        match self {
            Self::Unasked | Self::Unknown => reply.error(unknown(request)),
            Self::UnknownSubcommand(container) => {
                let name = echo(request.arg(1).unwrap_or_default(), ECHO_LIMIT);
                let help = format!("'. Try {} HELP.", container.to_uppercase());
                reply.error([b"ERR unknown subcommand '", name, help.as_bytes()].concat());
            }
            // As in redis multi.c, execCommandAbort: EXEC ends the transaction also when it is wrong itself.
            Self::Arity(name @ "exec") => reply.error(format!(
                "EXECABORT Transaction discarded because of: wrong number of arguments for '{name}' command"
            )),
            Self::Arity(name) => {
                reply.error(format!("ERR wrong number of arguments for '{name}' command"));
            }
        }
    }
}

fn unknown(request: &Request<'_>) -> Vec<u8> {
    let mut args = Vec::new();
    for arg in request.args_from(1) {
        if args.len() >= ECHO_LIMIT {
            break;
        }
        args.extend([b"'", echo(arg, ECHO_LIMIT - args.len()), b"' "].concat());
    }
    let name = echo(request.name(), ECHO_LIMIT);
    [b"ERR unknown command '", name, b"', with args beginning with: ", &args].concat()
}

/// What C prints of a string: up to `limit` bytes and the first NUL.
fn echo(arg: &[u8], limit: usize) -> &[u8] {
    arg[..arg.len().min(limit)].split(|&b| b == 0).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::tests::Owned;
    use super::*;
    use crate::resp::Protocol;

    fn error(args: &[impl AsRef<[u8]>]) -> String {
        String::from_utf8(error_bytes(args)).unwrap().trim_end_matches("\r\n").to_owned()
    }

    fn error_bytes(args: &[impl AsRef<[u8]>]) -> Vec<u8> {
        let owned = Owned::of(args);
        let mut out = Vec::new();
        let error = resolve(&owned.request()).unwrap_err();
        error.write(&owned.request(), &mut ReplyWriter::new(&mut out, Protocol::Resp2));
        out
    }

    #[test]
    fn subcommands_are_resolved_in_any_case() {
        let name = |line: &str| resolve(&Owned::new(line).request()).map(|c| c.name);
        assert_eq!(name("get k"), Ok("get"));
        assert_eq!(name("CONFIG GET x"), Ok("config|get"));
        assert_eq!(name("Object Encoding k"), Ok("object|encoding"));
        assert_eq!(name("COMMAND"), Ok("command"));
        assert_eq!(name("NoSuchCommand"), Err(CommandError::Unasked));
    }

    #[test]
    fn errors_say_what_redis_says() {
        assert_eq!(error(&["GET"]), "-ERR wrong number of arguments for 'get' command");
        assert_eq!(error(&["config", "get"]), "-ERR wrong number of arguments for 'config|get' command");
        assert_eq!(error(&["config"]), "-ERR wrong number of arguments for 'config' command");
        assert_eq!(error(&["config", "Foo"]), "-ERR unknown subcommand 'Foo'. Try CONFIG HELP.");
        assert_eq!(error(&["foo"]), "-ERR unknown command 'foo', with args beginning with: ");
        assert_eq!(
            error(&["foo", "a\r\n", "b\0c"]),
            "-ERR unknown command 'foo', with args beginning with: 'a  ' 'b' "
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_said_as_they_came() {
        let unknown = b"-ERR unknown command 'f\xff', with args beginning with: '\xc3(' \r\n";
        assert_eq!(error_bytes(&[&b"f\xff"[..], b"\xc3("]), unknown);
        let unknown = b"-ERR unknown subcommand '\xfe'. Try CONFIG HELP.\r\n";
        assert_eq!(error_bytes(&[&b"config"[..], b"\xfe"]), unknown);
    }

    #[test]
    fn a_client_s_words_are_cut_at_128_bytes() {
        let (long, x) = ("y".repeat(200), "x".repeat(100));
        assert_eq!(
            error(&[&long, &x, &x, "z"]),
            format!(
                "-ERR unknown command '{}', with args beginning with: '{x}' '{}' ",
                &long[..128],
                &x[..128 - 103]
            )
        );
    }
}
