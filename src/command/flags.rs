//! Sets of named marks as servers write them in a `COMMAND` reply, each a bit of an integer.
//!
//! Invariant: a name that is not listed is left out when a reply is read; newer servers may have more.

/// A type of marks: `const`s for the bits, names in bit order.
macro_rules! marks {
    ($(#[$doc:meta])* $kind:ident { $($bit:ident = $at:literal $name:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $kind(u32);

        impl $kind {
            $(#[doc = concat!("`", $name, "`")] pub const $bit: u32 = 1 << $at;)*
            const NAMES: &'static [&'static str] = &[$($name),*];

            /// The marks whose bits are set.
            pub const fn new(bits: u32) -> Self {
                Self(bits)
            }

            /// Whether any of these bits is set.
            #[inline]
            pub const fn has(self, bits: u32) -> bool {
                self.0 & bits != 0
            }

            /// The same without these bits.
            pub const fn without(self, bits: u32) -> Self {
                Self(self.0 & !bits)
            }

            /// The names of the marks that are set.
            pub fn names(self) -> impl Iterator<Item = &'static str> + Clone {
                Self::NAMES.iter().enumerate().filter(move |(at, _)| self.has(1 << at)).map(|(_, name)| *name)
            }

            /// The marks with these names, in any case.
            pub fn from_names<'a>(names: impl IntoIterator<Item = &'a [u8]>) -> Self {
                let bit = |name: &[u8]| Self::NAMES.iter().position(|n| n.as_bytes().eq_ignore_ascii_case(name));
                Self(names.into_iter().filter_map(bit).fold(0, |bits, at| bits | 1 << at))
            }
        }
    };
}

marks! {
    /// What a command does, and when a server allows it.
    Flags {
        WRITE = 0 "write",
        READONLY = 1 "readonly",
        DENYOOM = 2 "denyoom",
        ADMIN = 3 "admin",
        PUBSUB = 4 "pubsub",
        NOSCRIPT = 5 "noscript",
        BLOCKING = 6 "blocking",
        LOADING = 7 "loading",
        STALE = 8 "stale",
        SKIP_MONITOR = 9 "skip_monitor",
        SKIP_SLOWLOG = 10 "skip_slowlog",
        SKIP_COMMANDLOG = 11 "skip_commandlog",
        ASKING = 12 "asking",
        FAST = 13 "fast",
        NO_AUTH = 14 "no_auth",
        MOVABLEKEYS = 15 "movablekeys",
        NO_MANDATORY_KEYS = 16 "no_mandatory_keys",
        NO_ASYNC_LOADING = 17 "no_async_loading",
        NO_MULTI = 18 "no_multi",
        ALLOW_BUSY = 19 "allow_busy",
        MODULE = 20 "module",
    }
}

marks! {
    /// ACL categories, without their `@`.
    Categories {
        KEYSPACE = 0 "keyspace",
        READ = 1 "read",
        WRITE = 2 "write",
        SET = 3 "set",
        SORTEDSET = 4 "sortedset",
        LIST = 5 "list",
        HASH = 6 "hash",
        STRING = 7 "string",
        BITMAP = 8 "bitmap",
        HYPERLOGLOG = 9 "hyperloglog",
        GEO = 10 "geo",
        STREAM = 11 "stream",
        PUBSUB = 12 "pubsub",
        ADMIN = 13 "admin",
        FAST = 14 "fast",
        SLOW = 15 "slow",
        BLOCKING = 16 "blocking",
        DANGEROUS = 17 "dangerous",
        CONNECTION = 18 "connection",
        TRANSACTION = 19 "transaction",
        SCRIPTING = 20 "scripting",
    }
}

marks! {
    /// What a command does to the keys of one key spec.
    KeyFlags {
        RO = 0 "RO",
        RW = 1 "RW",
        OW = 2 "OW",
        RM = 3 "RM",
        ACCESS = 4 "access",
        UPDATE = 5 "update",
        INSERT = 6 "insert",
        DELETE = 7 "delete",
        NOT_KEY = 8 "not_key",
        INCOMPLETE = 9 "incomplete",
        VARIABLE_FLAGS = 10 "variable_flags",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_their_names_are_the_same_thing() {
        let flags = Flags::new(Flags::WRITE | Flags::MODULE | Flags::FAST);
        let names: Vec<_> = flags.names().collect();
        assert_eq!(names, ["write", "fast", "module"]);
        assert_eq!(Flags::from_names(names.iter().map(|n| n.as_bytes())), flags);
        assert!(flags.has(Flags::WRITE) && !flags.has(Flags::READONLY));
        assert_eq!(KeyFlags::from_names([&b"ow"[..], b"of tomorrow"]), KeyFlags::new(KeyFlags::OW));
    }
}
