//! The values that metric labels can take: closed lists, so that no client or node can make a series.
//!
//! Must not know who counts. Invariant: `ALL[x.index()] == x`.

/// Makes an enum whose variants are indices into an array of cells and have a label each.
macro_rules! labels {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident => $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// Every one, in the order of [`Self::index`].
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// How many there are.
            pub const COUNT: usize = Self::ALL.len();

            /// Its place in an array that holds one thing for each.
            #[inline]
            pub fn index(self) -> usize {
                self as usize
            }

            /// As the label shows it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

labels! {
    /// The first word of an error reply.
    ErrorKind {
        /// Anything general.
        Err => "ERR",
        /// The key holds another type.
        Wrongtype => "WRONGTYPE",
        /// Not authenticated.
        Noauth => "NOAUTH",
        /// Wrong user or password.
        Wrongpass => "WRONGPASS",
        /// Forbidden by an ACL.
        Noperm => "NOPERM",
        /// The slot belongs to another node.
        Moved => "MOVED",
        /// The key may be at another node.
        Ask => "ASK",
        /// Keys of more than one slot.
        Crossslot => "CROSSSLOT",
        /// The cluster does not serve the slot.
        Clusterdown => "CLUSTERDOWN",
        /// The slot is on its way.
        Tryagain => "TRYAGAIN",
        /// The node reads its data.
        Loading => "LOADING",
        /// A replica refused a write.
        Readonly => "READONLY",
        /// Out of memory.
        Oom => "OOM",
        /// The script is not known.
        Noscript => "NOSCRIPT",
        /// A script runs.
        Busy => "BUSY",
        /// The consumer group exists.
        Busygroup => "BUSYGROUP",
        /// The transaction was discarded.
        Execabort => "EXECABORT",
        /// No such consumer group.
        Nogroup => "NOGROUP",
        /// The node can't persist.
        Misconf => "MISCONF",
        /// Too few good replicas.
        Noreplicas => "NOREPLICAS",
        /// The replica lost its primary.
        Masterdown => "MASTERDOWN",
        /// The script has written.
        Unkillable => "UNKILLABLE",
        /// Any other word.
        Other => "other",
    }
}

labels! {
    /// Why a request was sent again.
    RetryReason {
        /// The node answered TRYAGAIN.
        Tryagain => "tryagain",
        /// The node answered CLUSTERDOWN.
        Clusterdown => "clusterdown",
        /// The node answered LOADING.
        Loading => "loading",
        /// The node answered MASTERDOWN.
        Masterdown => "masterdown",
        /// The node answered READONLY.
        Readonly => "readonly",
        /// The connection was lost.
        Lost => "lost",
        /// The slot had no owner.
        Unassigned => "unassigned",
        /// It was redirected as often as it may be in a row.
        Redirects => "redirects",
        /// Others of its client had to run first, or ran first.
        Order => "order",
    }
}

labels! {
    /// Why a client's connection ended.
    CloseReason {
        /// The client closed it.
        Client => "client",
        /// The client sent QUIT.
        Quit => "quit",
        /// The client did not speak RESP.
        Protocol => "protocol",
        /// The client was idle for too long.
        Timeout => "timeout",
        /// There were too many clients.
        MaxClients => "max_clients",
        /// The client read what it subscribed to too slowly.
        OutputLimit => "output_limit",
        /// A client closed it (CLIENT KILL).
        Killed => "killed",
        /// The socket failed.
        Io => "io",
        /// Slotway drains.
        Drain => "drain",
    }
}

labels! {
    /// Why the slot table was refreshed.
    RefreshReason {
        /// Nothing was learned yet.
        Start => "start",
        /// It was time.
        Interval => "interval",
        /// A node answered MOVED.
        Moved => "moved",
        /// A node answered READONLY.
        Readonly => "readonly",
        /// A node answered CLUSTERDOWN.
        Clusterdown => "clusterdown",
        /// A connection was lost.
        Lost => "lost",
        /// A slot without an owner was asked for.
        Unassigned => "unassigned",
    }
}

labels! {
    /// How a refresh ended.
    RefreshResult {
        /// The table is another one now.
        Changed => "changed",
        /// The table was right.
        Unchanged => "unchanged",
        /// No node gave a usable answer.
        Failed => "failed",
    }
}

impl ErrorKind {
    /// The kind of an error reply that begins with `line`; a leading `-` is passed over.
    pub fn of(line: &[u8]) -> Self {
        let line = line.strip_prefix(b"-").unwrap_or(line);
        let end = line.iter().position(|&b| matches!(b, b' ' | b'\r' | b'\n')).unwrap_or(line.len());
        let word = &line[..end];
        Self::ALL.iter().copied().find(|k| k.as_str().as_bytes() == word).unwrap_or(Self::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_tells_the_kind() {
        for &kind in ErrorKind::ALL {
            assert_eq!(ErrorKind::of(format!("-{} and so on\r\n", kind.as_str()).as_bytes()), kind);
            assert_eq!(ErrorKind::ALL[kind.index()], kind);
        }
        assert_eq!(ErrorKind::of(b"MOVED 1 a:1"), ErrorKind::Moved);
        assert_eq!(ErrorKind::of(b"-BUSYGROUP\r\n"), ErrorKind::Busygroup);
        assert_eq!(ErrorKind::of(b"-MYMODULE no"), ErrorKind::Other);
        assert_eq!(ErrorKind::of(b""), ErrorKind::Other);
    }
}
