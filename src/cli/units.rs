//! The kinds of values that settings have, as an operator writes them: durations, sizes, modes, secrets.
//!
//! Each is read from text the same way whether it comes from a flag, the environment or a file, and is
//! written back so that it can be read again (a secret excepted). Knows no setting by name.

use std::{fmt, net::SocketAddr, str::FromStr, time::Duration};

use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A text that is not what a setting needs; says what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {0}")]
pub(super) struct Expected(pub &'static str);

/// A length of time: `250ms`, `5s`, `2m`, `1h`, `1d`; a plain number is seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Period(pub Duration);

/// A number of bytes, 1 to `MAX`: `64kb`, `32mb`, `1gb` (powers of 1024, as in redis.conf) or plain bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size<const MAX: usize>(pub usize);

/// A share of a whole, 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Percent(pub u8);

/// The mode of a file: octal digits, such as `700`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mode(pub u32);

/// An address to serve at, or `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Endpoint(pub Option<SocketAddr>);

/// What nobody may read again: shown and written as a placeholder.
#[derive(Clone, Debug)]
pub(super) struct Secret(pub SecretString);

/// Longest duration. A year is beyond every use, and no sum of such overflows a clock.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

impl Period {
    /// So many seconds.
    pub(super) const fn secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

impl FromStr for Period {
    type Err = Expected;

    fn from_str(text: &str) -> Result<Self, Expected> {
        const FORM: Expected = Expected("a duration of at most 365d, such as 250ms, 5s, 2m or 1h (0 is off)");
        let (number, unit) = number_and_unit(text).ok_or(FORM)?;
        let millis = match unit {
            "ms" => 1,
            "" | "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(FORM),
        };
        let period = number.checked_mul(millis).map(Duration::from_millis);
        period.filter(|&p| p <= LONGEST).map(Self).ok_or(FORM)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_millis() {
            millis if millis % 1000 == 0 => write!(f, "{}s", millis / 1000),
            millis => write!(f, "{millis}ms"),
        }
    }
}

impl<const MAX: usize> FromStr for Size<MAX> {
    type Err = Expected;

    fn from_str(text: &str) -> Result<Self, Expected> {
        const FORM: Expected =
            Expected("a size above 0, such as 64kb, 32mb or 1gb, within the setting's limit");
        let (number, unit) = number_and_unit(text).ok_or(FORM)?;
        let shift = match unit.to_ascii_lowercase().as_str() {
            "" | "b" => 0,
            "kb" => 10,
            "mb" => 20,
            "gb" => 30,
            _ => return Err(FORM),
        };
        let bytes = number.checked_mul(1 << shift).and_then(|b| usize::try_from(b).ok());
        bytes.filter(|b| (1..=MAX).contains(b)).map(Self).ok_or(FORM)
    }
}

impl<const MAX: usize> fmt::Display for Size<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.trailing_zeros() {
            30.. => write!(f, "{}gb", self.0 >> 30),
            20.. => write!(f, "{}mb", self.0 >> 20),
            10.. => write!(f, "{}kb", self.0 >> 10),
            _ => self.0.fmt(f),
        }
    }
}

impl Percent {
    pub(super) fn thousandths(self) -> u64 {
        u64::from(self.0) * 10
    }
}

impl FromStr for Percent {
    type Err = Expected;

    fn from_str(text: &str) -> Result<Self, Expected> {
        let number = text.parse().ok().filter(|&n| n <= 100);
        number.map(Self).ok_or(Expected("a whole number of percent, 0 to 100"))
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Mode {
    type Err = Expected;

    fn from_str(text: &str) -> Result<Self, Expected> {
        let mode = u32::from_str_radix(text, 8).ok().filter(|&m| m <= 0o777);
        mode.map(Self).ok_or(Expected("octal digits up to 777, such as \"700\""))
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:o}", self.0)
    }
}

impl FromStr for Endpoint {
    type Err = Expected;

    fn from_str(text: &str) -> Result<Self, Expected> {
        if text == "none" {
            return Ok(Self(None));
        }
        let address =
            text.parse().map_err(|_| Expected("an IP address and port such as 127.0.0.1:9127, or none"))?;
        Ok(Self(Some(address)))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(address) => address.fmt(f),
            None => f.write_str("none"),
        }
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(SecretString::from(text))
    }
}

impl FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::from(text))
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit))
}

/// Reads a value from a file's string, or from a number where the type gives plain numbers a meaning.
struct Reader<T> {
    numbers: bool,
    of: std::marker::PhantomData<T>,
}

impl<T: FromStr<Err: fmt::Display>> de::Visitor<'_> for Reader<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.numbers { "a string or a number" } else { "a string" })
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        if self.numbers {
            return self.visit_str(&number.to_string());
        }
        Err(E::invalid_type(de::Unexpected::Signed(number), &self))
    }
}

/// Gives `$type` the serde form of its text.
macro_rules! as_text {
    ($type:ty, numbers: $numbers:literal $(, $($generics:tt)+)?) => {
        impl<'de $(, $($generics)+)?> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                from.deserialize_any(Reader { numbers: $numbers, of: std::marker::PhantomData })
            }
        }

        impl $(<$($generics)+>)? Serialize for $type {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }
    };
}

as_text!(Period, numbers: true);
as_text!(Size<MAX>, numbers: true, const MAX: usize);
as_text!(Percent, numbers: true);
// Not from numbers: TOML's 0o777 is 511, which would read as another mode.
as_text!(Mode, numbers: false);
as_text!(Endpoint, numbers: false);
as_text!(Secret, numbers: false);
as_text!(super::seed::Seed, numbers: false);
as_text!(super::output_limits::OutputLimits, numbers: true);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written_back() {
        for (text, millis, shown) in [
            ("250ms", 250, "250ms"),
            ("5s", 5000, "5s"),
            ("2m", 120_000, "120s"),
            ("1h", 3_600_000, "3600s"),
            ("10", 10_000, "10s"),
            ("0", 0, "0s"),
            ("365d", 31_536_000_000, "31536000s"),
        ] {
            let period: Period = text.parse().unwrap();
            assert_eq!((period.0.as_millis(), period.to_string().as_str()), (millis, shown), "{text}");
            assert_eq!(shown.parse(), Ok(period));
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in ["", "s", "-1s", "1.5s", "5 s", "366d", "18446744073709551615s", "5sec", "٣s"] {
            assert!(text.parse::<Period>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn sizes_count_in_powers_of_1024() {
        type Any = Size<{ usize::MAX }>;
        for (text, bytes, shown) in [
            ("64kb", 65_536, "64kb"),
            ("1GB", 1 << 30, "1gb"),
            ("512mb", 512 << 20, "512mb"),
            ("1000", 1000, "1000"),
        ] {
            let size: Any = text.parse().unwrap();
            assert_eq!((size.0, size.to_string().as_str()), (bytes, shown));
        }
        for text in ["", "0", "kb", "-1", "1tb", "1.5gb", "99999999999gb"] {
            assert!(text.parse::<Any>().is_err(), "{text:?}");
        }
        assert!("4gb".parse::<Size<{ u32::MAX as usize }>>().is_err());
    }

    #[test]
    fn percentages_are_whole_numbers_up_to_a_hundred() {
        assert_eq!(("0".parse(), "100".parse()), (Ok(Percent(0)), Ok(Percent(100))));
        assert_eq!((Percent(85).to_string().as_str(), Percent(85).thousandths()), ("85", 850));
        for text in ["", "101", "-1", "0.5", "85%", "300"] {
            assert!(text.parse::<Percent>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn modes_are_octal_and_endpoints_may_be_none() {
        assert_eq!("700".parse(), Ok(Mode(0o700)));
        assert!("780".parse::<Mode>().is_err() && "7777".parse::<Mode>().is_err());
        assert_eq!("none".parse(), Ok(Endpoint(None)));
        assert_eq!("[::1]:9127".parse::<Endpoint>().unwrap().to_string(), "[::1]:9127");
        assert!("9127".parse::<Endpoint>().is_err());
    }

    #[test]
    fn a_secret_shows_nothing_of_itself() {
        let secret = Secret::from("hunter2");
        assert!(!format!("{secret} {secret:?}").contains("hunter2"));
    }
}
