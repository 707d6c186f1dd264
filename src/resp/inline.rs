//! Inline requests: a line of words, quoted as in redis sds.c `sdssplitargs`, made into a RESP array.

use super::ProtocolError;

/// Writes the words of `line` (without its line end) to `out` as one RESP array; nothing for no words.
///
/// # Errors
/// When quotes do not match or a closing quote is not followed by a space.
pub fn encode_inline(line: &[u8], out: &mut Vec<u8>) -> Result<(), ProtocolError> {
    let words = words(line)?;
    if !words.is_empty() {
        super::encode_request(out, &words);
    }
    Ok(())
}

fn words(line: &[u8]) -> Result<Vec<Vec<u8>>, ProtocolError> {
    let mut words = Vec::new();
    let mut rest = line.trim_ascii_start();
    while !rest.is_empty() {
        let (word, behind) = word(rest)?;
        words.push(word);
        rest = behind.trim_ascii_start();
    }
    Ok(words)
}

/// The first word, and what is behind it.
fn word(mut rest: &[u8]) -> Result<(Vec<u8>, &[u8]), ProtocolError> {
    let mut word = Vec::new();
    loop {
        match rest {
            [] => return Ok((word, rest)),
            [byte, ..] if byte.is_ascii_whitespace() || *byte == 0 => return Ok((word, &rest[1..])),
            [b'"', behind @ ..] => rest = double_quoted(behind, &mut word)?,
            [b'\'', behind @ ..] => rest = single_quoted(behind, &mut word)?,
            [byte, behind @ ..] => {
                word.push(*byte);
                rest = behind;
                continue;
            }
        }
        return if rest.first().is_none_or(u8::is_ascii_whitespace) {
            Ok((word, rest))
        } else {
            Err(ProtocolError::UnbalancedQuotes)
        };
    }
}

fn double_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], ProtocolError> {
    loop {
        let (byte, behind) = match rest {
            [] => return Err(ProtocolError::UnbalancedQuotes),
            [b'"', behind @ ..] => return Ok(behind),
            [b'\\', b'x', high, low, behind @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                (hex(*high) << 4 | hex(*low), behind)
            }
            [b'\\', escaped, behind @ ..] => (unescape(*escaped), behind),
            [byte, behind @ ..] => (*byte, behind),
        };
        word.push(byte);
        rest = behind;
    }
}

fn single_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], ProtocolError> {
    loop {
        let (byte, behind) = match rest {
            [] => return Err(ProtocolError::UnbalancedQuotes),
            [b'\'', behind @ ..] => return Ok(behind),
            [b'\\', b'\'', behind @ ..] => (b'\'', behind),
            [byte, behind @ ..] => (*byte, behind),
        };
        word.push(byte);
        rest = behind;
    }
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => digit.to_ascii_lowercase() - b'a' + 10,
    }
}

fn unescape(escaped: u8) -> u8 {
    match escaped {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'a' => 7,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_as_redis_quotes_them() {
        let split = |line: &str| words(line.as_bytes()).unwrap();
        assert_eq!(split("set  k\tv\r"), [b"set", b"k" as &[u8], b"v"]);
        assert_eq!(split(r#"set "a b\n\x41\"" 'it\'s \n'"#), [&b"set"[..], b"a b\nA\"", b"it's \\n"]);
        assert_eq!(split(r#"set """#), [&b"set"[..], b""]);
        assert!(split(" \t ").is_empty());
    }

    #[test]
    fn quotes_that_do_not_match_are_an_error() {
        for line in [r#"set "a"#, "set 'a", r#"set "a"b"#, r"set 'a'b", r#"set "a\"#] {
            assert_eq!(words(line.as_bytes()), Err(ProtocolError::UnbalancedQuotes), "{line}");
        }
    }
}
