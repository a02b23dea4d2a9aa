//! How much unused data may stay.

use std::fmt;
use std::str::FromStr;

/// restic's `--max-unused`: what is tolerated after a prune.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// Of all data that is left, 0 to below 100.
    Percent(f64),
    Bytes(u64),
    /// Nothing is rewritten: only packs without any used blob go.
    Unlimited,
}

impl Default for Limit {
    /// restic's.
    fn default() -> Self {
        Self::Percent(5.0)
    }
}

impl Limit {
    /// The unused bytes that may stay beside so many used ones.
    pub(crate) fn bytes(self, used: u64) -> u64 {
        match self {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_precision_loss,
                clippy::cast_sign_loss,
                reason = "a share of bytes need not be exact"
            )]
            Self::Percent(percent) => (percent / (100.0 - percent) * used as f64) as u64,
            Self::Bytes(bytes) => bytes,
            Self::Unlimited => u64::MAX,
        }
    }
}

/// The text is no share and no size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither a share like 5%, nor a size like 500M, nor `unlimited`")]
pub struct InvalidLimit(String);

impl FromStr for Limit {
    type Err = InvalidLimit;

    fn from_str(text: &str) -> Result<Self, InvalidLimit> {
        let wrong = || InvalidLimit(text.to_owned());
        if text == "unlimited" {
            return Ok(Self::Unlimited);
        }
        if let Some(percent) = text.strip_suffix('%') {
            let percent = percent.parse().map_err(|_| wrong())?;
            return (0.0..100.0)
                .contains(&percent)
                .then_some(Self::Percent(percent))
                .ok_or_else(wrong);
        }
        parse_size(text).map(Self::Bytes).ok_or_else(wrong)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percent(percent) => write!(f, "{percent}%"),
            Self::Bytes(bytes) => write!(f, "{bytes}"),
            Self::Unlimited => f.write_str("unlimited"),
        }
    }
}

/// Bytes, or with a suffix of powers of 1024 as restic takes them: `500M`, `2G`.
pub fn parse_size(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let shift = match text[digits..].to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        _ => return None,
    };
    text[..digits].parse::<u64>().ok()?.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_as_restic_reads_them() {
        assert_eq!("5%".parse(), Ok(Limit::Percent(5.0)));
        assert_eq!("0".parse(), Ok(Limit::Bytes(0)));
        assert_eq!("3M".parse(), Ok(Limit::Bytes(3 << 20)));
        assert_eq!("unlimited".parse(), Ok(Limit::Unlimited));
        for text in [
            "",
            "%",
            "100%",
            "-1%",
            "5 %",
            "M",
            "3X",
            "99999999999T",
            "é",
        ] {
            assert!(text.parse::<Limit>().is_err(), "{text}");
        }
        // 5 % of what is left, not of what is used.
        assert_eq!(Limit::Percent(5.0).bytes(950), 50);
        assert_eq!(Limit::Percent(0.0).bytes(950), 0);
    }
}
