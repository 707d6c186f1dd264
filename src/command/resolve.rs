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
            Self::Unasked | Self::Unknown => reply.error(&unknown(request)),
            Self::UnknownSubcommand(container) => {
                let name = echo(request.arg(1).unwrap_or_default(), ECHO_LIMIT);
                reply.error(&format!(
                    "ERR unknown subcommand '{name}'. Try {} HELP.",
                    container.to_uppercase()
                ));
            }
            // As in redis multi.c, execCommandAbort: EXEC ends the transaction also when it is wrong itself.
            Self::Arity(name @ "exec") => reply.error(&format!(
                "EXECABORT Transaction discarded because of: wrong number of arguments for '{name}' command"
            )),
            Self::Arity(name) => {
                reply.error(&format!("ERR wrong number of arguments for '{name}' command"));
            }
        }
    }
}

fn unknown(request: &Request<'_>) -> String {
    let mut args = String::new();
    for arg in request.args_from(1) {
        if args.len() >= ECHO_LIMIT {
            break;
        }
        args.push_str(&format!("'{}' ", echo(arg, ECHO_LIMIT - args.len())));
    }
    let name = echo(request.name(), ECHO_LIMIT);
    format!("ERR unknown command '{name}', with args beginning with: {args}")
}

/// What C prints of a string: up to `limit` bytes and the first NUL. Bytes that are no UTF-8 become U+FFFD.
fn echo(arg: &[u8], limit: usize) -> String {
    let shown = arg[..arg.len().min(limit)].split(|&b| b == 0).next().unwrap_or_default();
    String::from_utf8_lossy(shown).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::tests::Owned;
    use super::*;
    use crate::resp::Protocol;

    fn error(args: &[&str]) -> String {
        let owned = Owned::of(args);
        let mut out = Vec::new();
        let error = resolve(&owned.request()).unwrap_err();
        error.write(&owned.request(), &mut ReplyWriter::new(&mut out, Protocol::Resp2));
        String::from_utf8(out).unwrap().trim_end_matches("\r\n").to_owned()
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
