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
        _ => longer_number(rest, at),
    }
}

/// A number of more than two digits, or what is none. Not part of [`number_line`], so that this is short.
#[inline(never)]
fn longer_number(rest: &[u8], at: usize) -> Line {
    match rest.first_chunk().and_then(|&word| number_in_word(word)) {
        Some((value, digits)) => Line::Number(value, at + digits + 2),
        None => any_number(rest, at),
    }
}

/// The number of up to six digits that `word` begins with, if CRLF follows, and how many digits these are.
#[inline]
fn number_in_word(word: [u8; 8]) -> Option<(i64, usize)> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const TOP: u64 = ONES << 7;
    const LINE_END: u64 = u16::from_le_bytes(*b"\r\n") as u64;
    let word = u64::from_le_bytes(word);
    let values = word ^ (ONES * u64::from(b'0'));
    // Whatever is no digit has its highest bit here.
    let others = (((values & !TOP) + ONES * (0x7f - 9)) | values) & TOP;
    let bits = others.trailing_zeros() & !7;
    let opens_with_nought = values & 0xff == 0;
    if opens_with_nought || !(8..=48).contains(&bits) || word >> bits & 0xffff != LINE_END {
        return None;
    }
    // Neighbours are joined: digits to pairs, these to fours, these to all.
    let digits = values << (u64::BITS - bits);
    let pairs = digits.wrapping_mul(10 << 8 | 1) >> 8 & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100 << 16 | 1) >> 16 & 0x0000_ffff_0000_ffff;
    let all = fours.wrapping_mul(10_000 << 32 | 1) >> 32;
    Some((all.cast_signed(), bits as usize / 8))
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
    use proptest::prelude::*;

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
            "123\rx000",
            "12:4\r\n00",
            "12/4\r\n00",
            "012\r\n000",
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

    proptest! {
        #[test]
        fn a_number_is_the_same_whole_or_digit_by_digit(
            line in prop::string::bytes_regex(r"-?[0-9]{0,5}(?-u:[0-9/:\xb0])?[0-9]{0,3}(\r\n|\r\n|\r0|0\n)[$0-9]{0,6}")
                .expect("a regex"),
        ) {
            for len in 0..=line.len() {
                let bytes = &line[..len];
                prop_assert_eq!(number_line(bytes, 0), any_number(bytes, 0), "{:?}", bytes);
            }
        }
    }
}
