//! `client-output-buffer-limit`: what may wait for clients, by their class, as in redis.conf.

use std::{fmt, str::FromStr, time::Duration};

use super::units::{Expected, Size};
use crate::config::OutputLimit;

/// A size for replies, and `pubsub HARD SOFT SECONDS` for messages; either may be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OutputLimits {
    /// What may wait for a client before it is no longer read.
    pub replies: AnySize,
    /// What may wait for a subscriber before it is closed.
    pub pubsub: OutputLimit,
}

type AnySize = Size<{ usize::MAX }>;

impl OutputLimits {
    /// For subscribers as in Redis.
    pub(super) const DEFAULT: Self = Self {
        replies: Size(32 << 20),
        pubsub: OutputLimit { hard: 32 << 20, soft: 8 << 20, within: Duration::from_secs(60) },
    };
}

impl FromStr for OutputLimits {
    type Err = Expected;

    fn from_str(text: &str) -> Result<Self, Expected> {
        const FORM: Expected = Expected(
            "a size such as 32mb, or \"pubsub HARD SOFT SECONDS\" such as \"pubsub 32mb 8mb 60\", or both",
        );
        let (mut limits, mut words) = (Self::DEFAULT, text.split_ascii_whitespace().peekable());
        words.peek().ok_or(FORM)?;
        while let Some(word) = words.next() {
            if word == "pubsub" {
                let mut bound = || words.next().and_then(bound).ok_or(FORM);
                let (hard, soft) = (bound()?, bound()?);
                let seconds = words.next().and_then(|word| word.parse::<u32>().ok()).ok_or(FORM)?;
                limits.pubsub = OutputLimit { hard, soft, within: Duration::from_secs(seconds.into()) };
            } else {
                limits.replies = word.parse().map_err(|_| FORM)?;
            }
        }
        Ok(limits)
    }
}

/// A size, or 0 for none.
fn bound(word: &str) -> Option<usize> {
    if word == "0" { Some(0) } else { word.parse::<AnySize>().ok().map(|size| size.0) }
}

impl fmt::Display for OutputLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let OutputLimit { hard, soft, within } = self.pubsub;
        let [hard, soft] =
            [hard, soft].map(|n| if n == 0 { "0".to_owned() } else { Size::<{ usize::MAX }>(n).to_string() });
        write!(f, "{} pubsub {hard} {soft} {}", self.replies, within.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_may_be_given_alone_and_all_is_written_back() {
        for (text, shown) in [
            ("8mb", "8mb pubsub 32mb 8mb 60"),
            ("pubsub 1mb 64kb 5", "32mb pubsub 1mb 64kb 5"),
            ("pubsub 0 0 0 1gb", "1gb pubsub 0 0 0"),
            ("1000 pubsub 2000 0 1", "1000 pubsub 2000 0 1"),
        ] {
            let limits: OutputLimits = text.parse().unwrap();
            assert_eq!(limits.to_string(), shown, "{text}");
            assert_eq!(shown.parse(), Ok(limits));
        }
        for text in ["", "0", "pubsub", "pubsub 1mb 1mb", "pubsub 1mb 1mb x", "normal 0 0 0", "pubsub -1 0 0"]
        {
            assert!(text.parse::<OutputLimits>().is_err(), "{text}");
        }
    }
}
