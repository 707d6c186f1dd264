//! Which arguments may be passwords: those are shown to nobody.

use super::Command;

/// What stands for an argument that may be a password, as in redis networking.c
/// `redactClientCommandArgument`.
pub const REDACTED: &[u8] = b"(redacted)";

impl Command {
    /// The argument from which on any may be a password; beyond the last where none is.
    pub fn secrets_from(&self) -> usize {
        match self.name {
            "auth" => 1,
            "hello" | "acl|setuser" | "config|set" => 2,
            // Those in front name the other server and the key.
            "migrate" => 6,
            _ => usize::MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{resolve, tests::Owned};

    #[test]
    fn passwords_are_told_from_other_arguments() {
        let secrets = |line: &str| resolve(&Owned::new(line).request()).unwrap().secrets_from();
        assert_eq!(secrets("AUTH x"), 1);
        assert_eq!(secrets("HELLO 3 AUTH a b"), 2);
        assert_eq!(secrets("CONFIG SET requirepass x"), 2);
        assert_eq!(secrets("ACL SETUSER a >b"), 2);
        assert_eq!(secrets("SET a b"), usize::MAX);
    }
}
