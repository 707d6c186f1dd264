//! What a server says of a command: the shape of an entry of the generated table.
//!
//! Must not know what slotway does with a command. All `const`, so the table costs nothing to build.

use super::{Categories, Flags, KeyFlags};

/// One command or subcommand, as in a reply to `COMMAND` and `COMMAND DOCS`.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Its name in lower case; a subcommand's is `container|name`.
    pub name: &'static str,
    /// Number of arguments, the name included; below zero: at least as many.
    pub arity: i16,
    /// What it does and when it is allowed.
    pub flags: Flags,
    /// Its ACL categories.
    pub categories: Categories,
    /// First key, last key and step as servers before 7.0 gave them; all 0 without keys at fixed places.
    pub positions: (i16, i16, i16),
    /// Where its keys are.
    pub key_specs: &'static [KeySpec],
    /// Hints for clients and proxies.
    pub tips: &'static [&'static str],
    /// Subcommands, sorted by name.
    pub subcommands: &'static [Self],
    /// The server version that brought it.
    pub since: &'static str,
    /// The group it is documented in.
    pub group: &'static str,
    /// Its cost.
    pub complexity: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
}

impl Spec {
    /// A command without keys, subcommands and documentation.
    pub const fn new(name: &'static str, arity: i16, flags: u32) -> Self {
        Self {
            name,
            arity,
            flags: Flags::new(flags),
            categories: Categories::new(0),
            positions: (0, 0, 0),
            key_specs: &[],
            tips: &[],
            subcommands: &[],
            since: "",
            group: "",
            complexity: "",
            summary: "",
        }
    }

    pub(super) const fn acl(self, categories: u32) -> Self {
        Self { categories: Categories::new(categories), ..self }
    }

    pub(super) const fn docs(
        self,
        since: &'static str,
        group: &'static str,
        complexity: &'static str,
        summary: &'static str,
    ) -> Self {
        Self { since, group, complexity, summary, ..self }
    }

    pub(super) const fn positions(self, first: i16, last: i16, step: i16) -> Self {
        Self { positions: (first, last, step), ..self }
    }

    pub(super) const fn keys(self, key_specs: &'static [KeySpec]) -> Self {
        Self { key_specs, ..self }
    }

    pub(super) const fn tips(self, tips: &'static [&'static str]) -> Self {
        Self { tips, ..self }
    }

    pub(super) const fn subcommands(self, subcommands: &'static [Self]) -> Self {
        Self { subcommands, ..self }
    }

    /// The name after `|`, or the whole name.
    pub fn last_name(&self) -> &'static str {
        self.name.split_once('|').map_or(self.name, |(_, last)| last)
    }

    /// Whether `argc` arguments, the name included, are a right number.
    #[inline]
    pub fn accepts(&self, argc: usize) -> bool {
        let wanted = usize::from(self.arity.unsigned_abs());
        if self.arity < 0 { argc >= wanted } else { argc == wanted }
    }

    /// Whether it is documented to take keys (channels are none).
    pub fn has_keys(&self) -> bool {
        self.flags.has(Flags::MOVABLEKEYS)
            || self.key_specs.iter().any(|spec| !spec.flags.has(KeyFlags::NOT_KEY))
    }
}

/// Where some keys of a command are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySpec {
    /// What the command does to them.
    pub flags: KeyFlags,
    /// Where to begin.
    pub begin: Begin,
    /// Which arguments from there on are keys.
    pub find: Find,
    /// What else there is to say.
    pub notes: &'static str,
}

impl KeySpec {
    /// Keys found by `begin` and `find`.
    pub const fn new(flags: u32, begin: Begin, find: Find) -> Self {
        Self { flags: KeyFlags::new(flags), begin, find, notes: "" }
    }

    pub(super) const fn notes(self, notes: &'static str) -> Self {
        Self { notes, ..self }
    }

    /// Whether it names the first argument, only that, and as a key.
    pub const fn is_first_argument(&self) -> bool {
        matches!((self.begin, self.find), (Begin::Index(1), Find::Range { last: 0, .. }))
            && !self.flags.has(KeyFlags::NOT_KEY | KeyFlags::INCOMPLETE)
    }
}

/// Where keys begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// At this argument.
    Index(i16),
    /// Behind this word, looked for from this argument on; below zero: from this far before the end,
    /// backwards.
    Keyword(&'static str, i16),
    /// The server could not say.
    Unknown,
}

/// Which arguments are keys, from where they begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Find {
    /// Every `step`th up to `last` arguments further on; below zero: counted from the end, of a `limit`th
    /// part of the arguments if `limit` is above 1.
    Range {
        /// Distance of the last key from the first, or from the end.
        last: i16,
        /// Distance of neighbouring keys.
        step: i16,
        /// Which part of the rest are keys.
        limit: i16,
    },
    /// As many as an argument says.
    Keynum {
        /// Distance to the count.
        count_at: i16,
        /// Distance to the first key.
        first: i16,
        /// Distance of neighbouring keys.
        step: i16,
    },
    /// The server could not say.
    Unknown,
}
