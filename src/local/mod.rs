//! L2: replies that slotway makes itself, where the client asks about the server it sees.
//!
//! Pure: the request and the facts come as arguments, the reply goes to a [`ReplyWriter`]. Must not know
//! connections, threads or the clock. Invariant: each function writes exactly one reply.

pub mod cluster;
pub mod command;
pub mod config;
mod glob;
pub mod lolwut;

pub use cluster::OneNode;

use crate::{
    command::{Command, why_refused},
    resp::{ReplyWriter, Request},
};

/// What a container's `HELP` replies: its subcommands, as far as `served`, each with what it does.
pub fn help(container: &Command, served: &[&str], reply: &mut ReplyWriter<'_>) {
    let shown = container.subcommands.iter().filter(|c| served.contains(&c.spec.last_name()));
    reply.array(1 + 2 * shown.clone().count());
    reply.simple(&format!("{} subcommands served here:", container.name.to_uppercase()));
    for subcommand in shown {
        reply.simple(&subcommand.spec.last_name().to_uppercase());
        reply.simple(&format!("    {}", subcommand.spec.summary));
    }
}

/// The error for a command that slotway does not serve, with its reason; a subcommand's name has a `|`.
pub fn not_served(name: &str, reply: &mut ReplyWriter<'_>) {
    let shown = name.replace('|', " ").to_uppercase();
    let reason = why_refused(name).map(|reason| format!(": {reason}")).unwrap_or_default();
    reply.error(format!("ERR {shown} is not served by slotway{reason}"));
}

/// The subcommand that `request` names, in lower case.
fn subcommand(request: &Request<'_>) -> String {
    String::from_utf8_lossy(request.arg(1).unwrap_or_default()).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use crate::{
        command::tests::Owned,
        resp::{Protocol, ReplyWriter, Request, Value, parse},
    };

    /// The one reply that `write` makes to `line`.
    pub(super) fn reply_to(
        line: &str,
        protocol: Protocol,
        write: impl Fn(&Request<'_>, &mut ReplyWriter<'_>),
    ) -> Value {
        let (owned, mut out) = (Owned::new(line), Vec::new());
        write(&owned.request(), &mut ReplyWriter::new(&mut out, protocol));
        let (value, len) = parse(&out).unwrap().unwrap();
        assert_eq!(len, out.len(), "more than one reply to {line}");
        value
    }
}
