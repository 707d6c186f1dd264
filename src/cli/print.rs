//! The tasks that only print: slots of keys, settings, completions, the manual page.

use std::{
    ffi::OsString,
    io::{self, Write},
    os::unix::ffi::OsStrExt,
};

use crate::cluster::{Slot, hash_tag};

/// Something to print.
#[derive(Debug)]
pub enum Print {
    /// The slot and hash tag of each key.
    Slots(Vec<OsString>),
    /// The settings in force, as a file.
    Settings(String),
    /// The completion script of a shell.
    Completions(clap_complete::Shell),
    /// The manual page.
    Man,
}

impl Print {
    /// Writes it to `out`.
    pub fn to(self, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Slots(keys) => keys.iter().try_for_each(|key| slot_line(key.as_bytes(), out)),
            Self::Settings(text) => write!(out, "# configuration ok\n{text}"),
            Self::Completions(shell) => completions(shell, out),
            Self::Man => clap_mangen::Man::new(super::command()).render(out),
        }?;
        out.flush()
    }
}

/// `key slot tag`.
fn slot_line(key: &[u8], out: &mut impl Write) -> io::Result<()> {
    out.write_all(key)?;
    write!(out, " {} ", Slot::of(key))?;
    out.write_all(hash_tag(key))?;
    out.write_all(b"\n")
}

/// Goes through a buffer: the generator panics where a write fails, such as on a closed pipe.
fn completions(shell: clap_complete::Shell, out: &mut impl Write) -> io::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut super::command(), "slotway", &mut script);
    out.write_all(&script)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_printed_with_its_slot_and_tag() {
        let mut out = Vec::new();
        let keys = vec!["name".into(), "{user1}.x".into()];
        Print::Slots(keys).to(&mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "name 5798 name\n{user1}.x 8106 user1\n");
    }
}
