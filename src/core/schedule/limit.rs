//! The most that is to be taken within a time, `4 g / 24 h`.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;

use super::{Amount, Length, ParseError};

/// The most that is to be taken within a time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Limit {
    /// How much; one number with its unit.
    pub amount: Amount,
    /// Within which time, whenever that begins.
    pub within: SignedDuration,
}

impl Limit {
    /// The longest time of a limit.
    const MAX: SignedDuration = SignedDuration::from_hours(24 * 31);
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} / {}", self.amount, Length::Exact(self.within))
    }
}

impl FromStr for Limit {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseError::new(format!("`{text}` is not a limit"), "write it as `4 g / 24 h`");
        // From the right: `1/2 tablet / 24 h`.
        let (amount, within) = text.rsplit_once('/').ok_or_else(wrong)?;
        let within = match within.trim() {
            "day" => SignedDuration::from_hours(24),
            length => length.parse::<Length>()?.elapsed().ok_or_else(wrong)?,
        };
        let amount: Amount = amount.parse()?;
        if amount.is_range() || amount.quantities().count() > 1 {
            return Err(wrong());
        }
        if !within.is_positive() || within > Self::MAX {
            let message = format!("`{text}` is not a limit of at most 31 days");
            return Err(ParseError::new(message, "write it as `4 g / 24 h`"));
        }
        Ok(Self { amount, within })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read() {
        for (text, shown) in [
            ("4 g / 24 h", "4 g / 24h"),
            ("8 tablets/day", "8 tablets / 24h"),
            ("1/2 tablet / 90 min", "1/2 tablet / 1h 30m"),
            ("3 doses / 7 days", "3 doses / 168h"),
        ] {
            assert_eq!(text.parse::<Limit>().unwrap().to_string(), shown);
        }
        for bad in
            ["4 g", "4 g / 0 h", "4 g / 32 days", "4 g / 1 month", "1-2 g / day", "4 g + 1 IU / day", "/ day"]
        {
            assert!(bad.parse::<Limit>().is_err(), "{bad}");
        }
    }
}
