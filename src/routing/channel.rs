//! Where a channel is listened to: which nodes can have messages for it.
//!
//! Pure. Must not know who subscribed, nor which nodes there are.

use crate::cluster::Slot;

/// What a subscription names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelKind {
    /// A channel, heard by every node of the cluster.
    Channel,
    /// A pattern of such channels.
    Pattern,
    /// A shard channel, heard only by the nodes of its slot.
    Shard,
}

/// Which primaries must be listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The owner of this slot.
    Owner(Slot),
    /// Every primary: each tells of its own keys only.
    Everywhere,
}

/// What the names of keyspace notifications begin with, as in redis notify.c.
const EVENTS: [&[u8]; 2] = [b"__keyspace@", b"__keyevent@"];

impl ChannelKind {
    /// Every one, in the order of its discriminants.
    pub const ALL: [Self; 3] = [Self::Channel, Self::Pattern, Self::Shard];

    /// Where messages for `name` are to be had.
    pub fn reach(self, name: &[u8]) -> Reach {
        let everywhere = match self {
            Self::Channel => is_event(name),
            Self::Pattern => may_match_event(name),
            Self::Shard => false,
        };
        if everywhere { Reach::Everywhere } else { Reach::Owner(Slot::of(name)) }
    }
}

/// Whether `channel` is that of a keyspace notification.
pub fn is_event(channel: &[u8]) -> bool {
    EVENTS.iter().any(|event| channel.starts_with(event))
}

/// Whether `pattern` could match such a channel, judged by what stands before its first wildcard.
fn may_match_event(pattern: &[u8]) -> bool {
    let plain = pattern.iter().position(|byte| b"*?[\\".contains(byte)).unwrap_or(pattern.len());
    EVENTS.iter().any(|event| event.starts_with(&pattern[..plain]) || pattern[..plain].starts_with(event))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_bring_keyspace_notifications_is_listened_to_everywhere() {
        use ChannelKind::{Channel, Pattern, Shard};
        for (kind, name) in [
            (Channel, "__keyspace@0__:a"),
            (Channel, "__keyevent@0__:set"),
            (Pattern, "__key*__:*"),
            (Pattern, "*"),
            (Pattern, "?_keyevent@0__:set"),
            (Pattern, "__keyspace@0__:a*"),
            (Pattern, "[_]*"),
        ] {
            assert_eq!(kind.reach(name.as_bytes()), Reach::Everywhere, "{name}");
        }
        for (kind, name) in [
            (Channel, "news"),
            (Channel, "__key"),
            (Pattern, "news.*"),
            (Pattern, "__redis__:*"),
            (Shard, "__keyspace@0__:a"),
        ] {
            assert_eq!(kind.reach(name.as_bytes()), Reach::Owner(Slot::of(name.as_bytes())), "{name}");
        }
    }
}
