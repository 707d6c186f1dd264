//! Reads the configuration file. An error says file, line, column, key and what was expected.
//!
//! Invariant: no error repeats a value of the file, since it may be a password.

use std::{fs, path::Path};

use super::options::Options;

/// The settings in the file at `path`.
pub(super) fn read(path: &Path) -> Result<Options, String> {
    let name = path.display();
    let text =
        fs::read_to_string(path).map_err(|e| format!("{name}: cannot read the configuration file: {e}"))?;
    parse(&text).map_err(|wrong| format!("{name}:{wrong}"))
}

/// The settings in `text`, or `line:column: key: what is wrong`.
pub(super) fn parse(text: &str) -> Result<Options, String> {
    toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start).min(text.len());
        let before = text.get(..at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let key = key_at(text, line).map(|key| format!("{key}: ")).unwrap_or_default();
        format!("{line}:{column}: {key}{}", error.message().replace('\n', " "))
    })
}

/// The key whose value stands on `line` (from 1), or began above it.
fn key_at(text: &str, line: usize) -> Option<&str> {
    let lines: Vec<&str> = text.lines().take(line).collect();
    lines.into_iter().rev().find_map(key_of)
}

fn key_of(line: &str) -> Option<&str> {
    let (key, _) = line.split_once('=')?;
    let key = key.trim().trim_matches('"');
    let named = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    named.then_some(key)
}

/// The whole of a file that holds one password, less one newline at its end.
pub(super) fn read_password(path: &Path) -> Result<String, String> {
    let name = path.display();
    let mut text =
        fs::read_to_string(path).map_err(|e| format!("{name}: cannot read the password file: {e}"))?;
    if text.ends_with('\n') {
        text.pop();
    }
    if text.ends_with('\r') {
        text.pop();
    }
    if text.is_empty() {
        return Err(format!("{name}: expected a password, found an empty file"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_line_column_key_and_what_was_expected() {
        for (text, start, expected) in [
            ("port = 1\n\nprot = 2\n", "3:1: prot: unknown field `prot`", "`port`"),
            ("timeout = 1\ntopology-refresh = \"x\"", "2:20: topology-refresh: expected a duration", "250ms"),
            ("port = 70000", "1:8: port: invalid value", "u16"),
            ("threads = 0", "1:11: threads: invalid value", "nonzero"),
            ("bind = [\n  \"127.0.0.1\",\n  \"localhost\",\n]", "3:3: bind: ", "IP address"),
            ("loglevel = \"loud\"", "1:12: loglevel: unknown variant", "`debug`"),
            ("metrics-addr = 9127", "1:16: metrics-addr: invalid type", "a string"),
            ("unixsocketperm = 0o700", "1:18: unixsocketperm: invalid type", "a string"),
            ("maxclients = ", "1:", ""),
        ] {
            let wrong = parse(text).unwrap_err();
            assert!(wrong.starts_with(start) && wrong.contains(expected), "{text:?}: {wrong}");
        }
    }

    #[test]
    fn an_error_keeps_passwords_to_itself() {
        for text in
            ["cluster = [\"redis://u:hidden@h:x\"]", "requirepass = \"hidden", "requirepass = 'hidden' x"]
        {
            let wrong = parse(text).unwrap_err();
            assert!(!wrong.contains("hidden"), "{wrong}");
        }
    }

    #[test]
    fn a_password_file_loses_only_its_last_newline() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        for (text, password) in [("a b\n", "a b"), ("x\n\n", "x\n"), ("y", "y"), ("z\r\n", "z")] {
            fs::write(&path, text).unwrap();
            assert_eq!(read_password(&path).unwrap(), password);
        }
        fs::write(&path, "\n").unwrap();
        assert!(read_password(&path).is_err());
    }
}
