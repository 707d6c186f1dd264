//! The commands slotway knows, and how one is found by its name.
//!
//! Invariant: a command's `index` is its place in the table, its subcommands' index too, so a list of
//! [`COUNT`] + 1 metrics has a place for each and one for all others.

use std::sync::LazyLock;

use super::{COUNT, Flags, Handling, KeySpec, Spec, generated::SPECS, name::Packed};

/// The index of every command that is not in the table.
#[expect(clippy::cast_possible_truncation, reason = "a few hundred")]
pub const OTHER: u16 = COUNT as u16;

/// A command or subcommand and what slotway does with it.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    /// Its name in lower case; a subcommand's is `container|name`.
    pub name: &'static str,
    /// Its place in the table, or [`OTHER`].
    pub index: u16,
    /// What it does and when a server allows it.
    pub flags: Flags,
    /// What slotway does with it.
    pub handling: Handling,
    /// Whether its only key is its first argument and it never blocks.
    pub first_only: bool,
    /// Where its keys are.
    pub key_specs: &'static [KeySpec],
    /// Subcommands, sorted by name.
    pub subcommands: &'static [Self],
    /// All that servers say of it.
    pub spec: &'static Spec,
}

impl Command {
    pub(super) fn new(spec: &'static Spec, index: u16, container: Option<Handling>) -> Self {
        let handling = Handling::of(spec, container);
        let subcommands = spec.subcommands.iter().map(|s| Self::new(s, index, Some(handling))).collect();
        let first_only =
            matches!(spec.key_specs, [only] if only.is_first_argument()) && !spec.flags.has(Flags::BLOCKING);
        Self {
            name: spec.name,
            index,
            flags: spec.flags,
            handling,
            first_only,
            key_specs: spec.key_specs,
            subcommands: Vec::leak(subcommands),
            spec,
        }
    }

    /// Whether it surely changes nothing, so that it may be sent twice.
    #[inline]
    pub fn read_only(&self) -> bool {
        self.flags.has(Flags::READONLY)
    }

    /// Whether it may change something.
    #[inline]
    pub fn writes(&self) -> bool {
        !self.read_only()
    }

    /// Its subcommand of this name, in any case.
    pub fn subcommand(&self, name: &[u8]) -> Option<&'static Self> {
        self.subcommands.iter().find(|c| c.spec.last_name().as_bytes().eq_ignore_ascii_case(name))
    }
}

/// Slots of the hash table: four times the commands, so that most are found at once.
const SLOTS: usize = 1024;

struct Table {
    commands: Vec<Command>,
    /// Open addressing. Invariant: mostly empty, so every search ends.
    short: Box<[Option<(Packed, u16)>; SLOTS]>,
    /// Names that cannot be packed.
    long: Vec<u16>,
}

static TABLE: LazyLock<Table> = LazyLock::new(Table::build);

impl Table {
    fn build() -> Self {
        let commands = (0..).zip(&SPECS).map(|(index, spec)| Command::new(spec, index, None)).collect();
        let mut table = Self { commands, short: Box::new([None; SLOTS]), long: Vec::new() };
        for (index, spec) in (0..).zip(&SPECS) {
            table.insert(spec.name, index);
        }
        table
    }

    fn insert(&mut self, name: &str, index: u16) {
        let Some(packed) = Packed::new(name.as_bytes()) else { return self.long.push(index) };
        let mut at = place(packed);
        while self.short[at].is_some() {
            at = (at + 1) % SLOTS;
        }
        self.short[at] = Some((packed, index));
    }

    #[inline]
    fn find(&self, name: &[u8]) -> Option<&Command> {
        let Some(packed) = Packed::new(name) else { return self.find_long(name) };
        let mut at = place(packed);
        while let Some((candidate, index)) = self.short[at] {
            if candidate == packed {
                return self.commands.get(usize::from(index));
            }
            at = (at + 1) % SLOTS;
        }
        None
    }

    #[cold]
    fn find_long(&self, name: &[u8]) -> Option<&Command> {
        let commands = self.long.iter().filter_map(|&index| self.commands.get(usize::from(index)));
        commands.into_iter().find(|c| c.name.as_bytes().eq_ignore_ascii_case(name))
    }
}

/// Where a search for a name begins.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "ten bits are left")]
fn place(packed: Packed) -> usize {
    (packed.hash() >> (64 - SLOTS.ilog2())) as usize
}

/// The command of this name, in any case; containers, not subcommands.
#[inline]
pub fn lookup(name: &[u8]) -> Option<&'static Command> {
    TABLE.find(name)
}

/// All commands, sorted by name.
pub fn all() -> &'static [Command] {
    &TABLE.commands
}

/// The command at `index` of the table.
pub fn by_index(index: usize) -> Option<&'static Command> {
    all().get(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_in_any_case() {
        for (index, command) in all().iter().enumerate() {
            assert_eq!(usize::from(command.index), index);
            let mixed: String = command
                .name
                .chars()
                .enumerate()
                .map(|(i, c)| if i % 2 == 0 { c.to_ascii_uppercase() } else { c })
                .collect();
            for name in [command.name.to_owned(), command.name.to_uppercase(), mixed] {
                assert_eq!(lookup(name.as_bytes()).map(|c| c.index), Some(command.index), "{name}");
            }
        }
    }

    #[test]
    fn near_misses_are_not_found() {
        for command in all() {
            let name = command.name.as_bytes();
            let longer = [name, b"x"].concat();
            let shorter = &name[..name.len() - 1];
            let mut other = name.to_vec();
            other[0] ^= 0x80;
            for miss in [&longer[..], shorter, &other] {
                let same = |c: &&Command| c.name.as_bytes() == miss;
                assert_eq!(
                    lookup(miss).map(|c| c.index),
                    all().iter().find(same).map(|c| c.index),
                    "{miss:?}"
                );
            }
        }
        assert!(lookup(b"").is_none() && lookup(b"config|get").is_none() && lookup(&[b'x'; 300]).is_none());
    }

    #[test]
    fn the_hot_commands_need_no_key_search() {
        for name in ["get", "set", "incr", "lpush", "hset", "zadd", "expire", "getex", "xadd"] {
            assert!(lookup(name.as_bytes()).is_some_and(|c| c.first_only), "{name}");
        }
        for name in ["mget", "sort", "georadius", "copy", "eval", "object", "ping", "xread", "spublish"] {
            assert!(lookup(name.as_bytes()).is_some_and(|c| !c.first_only), "{name}");
        }
    }
}
