//! L1: what a command is: its name, arity, flags, where its keys are, and what slotway does with it.
//!
//! Pure; must not know slots, nodes or connections. `generated` holds what servers say, written by
//! `generate.py`; `handling` what slotway does about it; `table` finds a command by name; `resolve` finds
//! the command of a request; `keys` its keys; `blocking` how long it may wait; `discovered` remembers what a
//! cluster says of commands that are in no table; `page` writes `docs/commands.md`.

mod blocking;
pub mod discovered;
mod flags;
mod generated;
mod handling;
mod keys;
mod name;
#[cfg(test)]
mod page;
mod resolve;
mod secrets;
mod spec;
mod table;

pub use blocking::BlockTime;
pub use flags::{Categories, Flags, KeyFlags};
pub use generated::COUNT;
pub use handling::{Broadcast, Handling, Local, SplitKind, Transaction, why_refused};
pub use keys::{KeyError, Keys};
pub use resolve::{CommandError, resolve};
pub use secrets::REDACTED;
pub use spec::{Begin, Find, KeySpec, Spec};
pub use table::{Command, OTHER, all, by_index, lookup};

#[cfg(test)]
pub(crate) mod tests {
    use crate::resp::{Request, Span, encode_request};

    /// A request made for a test.
    pub(crate) struct Owned {
        frame: Vec<u8>,
        args: Vec<Span>,
    }

    impl Owned {
        /// The words of `line`; `""` is an empty one.
        pub(crate) fn new(line: &str) -> Self {
            Self::of(&line.split(' ').map(|w| if w == "\"\"" { "" } else { w }).collect::<Vec<_>>())
        }

        pub(crate) fn of(words: &[impl AsRef<[u8]>]) -> Self {
            let (mut frame, mut args) = (Vec::new(), Vec::new());
            encode_request(&mut frame, words);
            let mut at = 3 + words.len().to_string().len();
            for word in words.iter().map(AsRef::as_ref) {
                at += 3 + word.len().to_string().len();
                args.push(Span { start: at.try_into().unwrap(), len: word.len().try_into().unwrap() });
                at += word.len() + 2;
            }
            Self { frame, args }
        }

        pub(crate) fn request(&self) -> Request<'_> {
            Request::new(&self.frame, &self.args)
        }
    }
}
