//! Patterns as in redis util.c `stringmatchlen`, case ignored.
//!
//! Bounded: time grows with pattern times text, whatever the pattern.

/// Whether `text` as a whole matches `pattern`: `*`, `?`, `[a-z]`, `[^a]`, and `\` before any of these.
pub(super) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut rest, mut left) = (pattern, text);
    // Behind the last star: the pattern, and the text that it was last tried on.
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        if let [b'*', behind @ ..] = rest {
            retry = Some((behind, left));
            rest = behind;
            continue;
        }
        if rest.is_empty() && left.is_empty() {
            return true;
        }
        if let Some((behind, after)) = step(rest, left) {
            (rest, left) = (behind, after);
            continue;
        }
        let Some((behind, [_, after @ ..])) = retry else { return false };
        retry = Some((behind, after));
        (rest, left) = (behind, after);
    }
}

/// One byte of text matched by one element of the pattern: what is behind both.
fn step<'p, 't>(pattern: &'p [u8], text: &'t [u8]) -> Option<(&'p [u8], &'t [u8])> {
    let (byte, after) = text.split_first()?;
    let (matched, behind) = match pattern {
        [] => return None,
        [b'?', behind @ ..] => (true, behind),
        [b'[', b'^', class @ ..] => {
            let (matched, behind) = in_class(class, *byte);
            (!matched, behind)
        }
        [b'[', class @ ..] => in_class(class, *byte),
        [b'\\', literal, behind @ ..] | [literal, behind @ ..] => {
            (literal.eq_ignore_ascii_case(byte), behind)
        }
    };
    matched.then_some((behind, after))
}

/// Whether `byte` is in the class whose first member is `class[0]`, and what is behind its `]`.
fn in_class(mut class: &[u8], byte: u8) -> (bool, &[u8]) {
    let (mut matched, byte) = (false, byte.to_ascii_lowercase());
    loop {
        let (range, behind) = match class {
            [] => return (matched, class),
            [b']', behind @ ..] => return (matched, behind),
            [b'\\', literal, behind @ ..] => ([*literal; 2], behind),
            [from, b'-', to, behind @ ..] => ([*from, *to], behind),
            [literal, behind @ ..] => ([*literal; 2], behind),
        };
        let [from, to] = range.map(|b| b.to_ascii_lowercase());
        matched |= (from.min(to)..=from.max(to)).contains(&byte);
        class = behind;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_redis() {
        for (pattern, text) in [
            ("*", ""),
            ("max*", "maxmemory"),
            ("*memory*", "maxmemory-policy"),
            ("MAX?emory", "maxmemory"),
            ("[l-n]ax*", "maxmemory"),
            ("[^a]ax", "max"),
            (r"a\*b", "a*b"),
            ("a[b", "ab"),
            ("*a*b*c", "xaxbxbxc"),
        ] {
            assert!(matches(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        }
        for (pattern, text) in
            [("", "a"), ("a", ""), ("a?", "a"), ("[^m]ax", "max"), (r"a\*b", "axb"), ("*a", "ab"), ("[", "a")]
        {
            assert!(!matches(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_take_no_longer() {
        let pattern = "a*".repeat(2000) + "b";
        assert!(!matches(pattern.as_bytes(), "a".repeat(4000).as_bytes()));
    }
}
