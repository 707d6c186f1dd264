//! `LOLWUT`: which version runs, as every server tells it.

use crate::resp::ReplyWriter;

/// Replies a small picture, sixteen slots on their way, and the version.
pub fn reply(reply: &mut ReplyWriter<'_>) {
    let picture = "  client ---+--- 0 1 2 3 4 5\n            +--- 6 7 8 9 a b\n            +--- c d e f";
    reply.verbatim(&format!("{picture}\n\nslotway ver. {}\n", env!("CARGO_PKG_VERSION")));
}

#[cfg(test)]
mod tests {
    use crate::{local::tests::reply_to, resp::Protocol};

    #[test]
    fn the_version_is_told() {
        for protocol in [Protocol::Resp2, Protocol::Resp3] {
            let value = reply_to("LOLWUT", protocol, |_, reply| super::reply(reply));
            let text = value.as_str().unwrap();
            assert!(text.contains(env!("CARGO_PKG_VERSION")));
        }
    }
}
