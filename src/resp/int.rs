//! The line that opens a frame: a type byte, a decimal number, CRLF.

/// What stands at the start of a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A number, and where the bytes after its CRLF start.
    Number(i64, usize),
    /// The CRLF is not there yet.
    Incomplete,
    /// No number followed by CRLF; as strict as Redis's `string2ll`: no sign `+`, no leading zero, no space.
    Bad,
}

/// Longest number line: a sign, 19 digits and CRLF.
const LONGEST: usize = 22;

/// The one number whose opposite is none.
const LOWEST: &[u8] = b"-9223372036854775808\r\n";

/// Reads the number at `bytes[at..]`, its type byte already behind. Most have one digit or two, or are -1.
#[inline]
pub(super) fn number_line(bytes: &[u8], at: usize) -> Line {
    let Some(rest) = bytes.get(at..) else { return Line::Incomplete };
    match rest {
        [digit @ b'0'..=b'9', b'\r', b'\n', ..] => Line::Number(i64::from(digit - b'0'), at + 3),
        [ten @ b'1'..=b'9', one @ b'0'..=b'9', b'\r', b'\n', ..] => {
            Line::Number(i64::from(ten - b'0') * 10 + i64::from(one - b'0'), at + 4)
        }
        [b'-', b'1', b'\r', b'\n', ..] => Line::Number(-1, at + 4),
        _ => any_number(rest, at),
    }
}

fn any_number(rest: &[u8], at: usize) -> Line {
    let mut value: i64 = 0;
    for (i, &byte) in rest.iter().enumerate().take(LONGEST - 2) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return end_of_number(rest, at, i, value);
        }
        if i > 0 && value == 0 {
            return Line::Bad;
        }
        let Some(next) = value.checked_mul(10).and_then(|v| v.checked_add(i64::from(digit))) else {
            return Line::Bad;
        };
        value = next;
    }
    if rest.len() < LONGEST - 2 { Line::Incomplete } else { Line::Bad }
}

/// What the byte after `digits` digits makes of them.
#[inline]
fn end_of_number(rest: &[u8], at: usize, digits: usize, value: i64) -> Line {
    match (rest[digits], rest.get(digits + 1)) {
        (b'\r', Some(b'\n')) if digits > 0 => Line::Number(value, at + digits + 2),
        (b'\r', None) if digits > 0 => Line::Incomplete,
        (b'-', _) if digits == 0 => negative(rest, at),
        _ => Line::Bad,
    }
}

/// A number below zero: only lengths of null frames and integer replies have one.
#[cold]
fn negative(rest: &[u8], at: usize) -> Line {
    match rest.get(1) {
        None => Line::Incomplete,
        Some(b'1'..=b'9') => match number_line(rest, 1) {
            Line::Number(value, next) => Line::Number(-value, at + next),
            Line::Bad if rest.starts_with(LOWEST) => Line::Number(i64::MIN, at + LOWEST.len()),
            Line::Bad if LOWEST.starts_with(rest) => Line::Incomplete,
            other => other,
        },
        Some(_) => Line::Bad,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_strictly_as_redis_reads_them() {
        assert_eq!(number_line(b"$12\r\nab", 1), Line::Number(12, 5));
        assert_eq!(number_line(b"$0\r\n", 1), Line::Number(0, 4));
        assert_eq!(number_line(b"$-1\r\n", 1), Line::Number(-1, 5));
        assert_eq!(number_line(b"-9223372036854775808\r\n", 0), Line::Number(i64::MIN, 22));
        assert_eq!(number_line(b"-9223372036854775809\r\n", 0), Line::Bad);
        assert_eq!(number_line(b"9223372036854775807\r\n", 0), Line::Number(i64::MAX, 21));
        for bad in [
            "x\r\n",
            "+1\r\n",
            "01\r\n",
            "1x\r\n",
            "-\r\n",
            "--1\r\n",
            "-01\r\n",
            "1\rx",
            "\r\n",
            "9223372036854775808\r\n",
            "99999999999999999999999",
        ] {
            assert_eq!(number_line(bad.as_bytes(), 0), Line::Bad, "{bad:?}");
        }
        for part in
            ["", "1", "1\r", "-", "-1", "-1\r", "123456789", "-9223372036854775808", "-9223372036854775808\r"]
        {
            assert_eq!(number_line(part.as_bytes(), 0), Line::Incomplete, "{part:?}");
        }
    }
}
