//! The strings of a push, seen in place.

use super::int::{Line, number_line};

/// The bulk strings that the array or push in `frame` begins with: a whole frame as it was found by a
/// [`super::ReplyScanner`]. Ends at the first value that is no string.
pub fn strings(frame: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = match (frame.first(), number_line(frame, 1)) {
        (Some(b'*' | b'>'), Line::Number(_, next)) => next,
        _ => frame.len(),
    };
    std::iter::from_fn(move || {
        let Line::Number(len, start) =
            (if frame.get(at) == Some(&b'$') { number_line(frame, at + 1) } else { Line::Bad })
        else {
            return None;
        };
        let end = start.checked_add(usize::try_from(len).ok()?)?;
        let string = frame.get(start..end)?;
        at = end + 2;
        Some(string)
    })
}

/// What a push about changed keys begins with.
const INVALIDATE: &[u8] = b">2\r\n$10\r\ninvalidate\r\n";

/// The keys that the push in `frame` says have changed: none inside means all keys may have. Nothing if it is
/// another push.
pub fn invalidated(frame: &[u8]) -> Option<Option<impl Iterator<Item = &[u8]>>> {
    let keys = frame.strip_prefix(INVALIDATE)?;
    Some(keys.starts_with(b"*").then(|| strings(keys)))
}

/// Appends a push that says that `keys` have changed, or, if there are none, that all may have.
pub fn encode_invalidation(out: &mut Vec<u8>, keys: Option<&[&[u8]]>) {
    out.extend_from_slice(INVALIDATE);
    match keys {
        Some(keys) => super::encode_request(out, keys),
        None => out.extend_from_slice(b"_\r\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(frame: &str) -> Vec<&str> {
        strings(frame.as_bytes()).map(|bytes| std::str::from_utf8(bytes).unwrap()).collect()
    }

    #[test]
    fn a_push_about_changed_keys_is_read_as_it_is_written() {
        for keys in [Some(&[&b"a"[..], b"", b"\r\n"][..]), Some(&[]), None] {
            let mut frame = Vec::new();
            encode_invalidation(&mut frame, keys);
            let read = invalidated(&frame).unwrap().map(|keys| keys.collect::<Vec<_>>());
            assert_eq!(read.as_deref(), keys);
        }
        assert!(invalidated(b">2\r\n$6\r\nothers\r\n_\r\n").is_none());
    }

    #[test]
    fn strings_are_seen_up_to_the_first_other_value() {
        assert_eq!(of("*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$0\r\n\r\n"), ["message", "c", ""]);
        assert_eq!(of(">3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n"), ["subscribe", "c"]);
        assert_eq!(of("*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n"), ["unsubscribe"]);
        assert!(of("+PONG\r\n").is_empty() && of("").is_empty() && of("*0\r\n").is_empty());
    }
}
