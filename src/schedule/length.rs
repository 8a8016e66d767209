//! Lengths of time as people write them: `15m`, `4h`, `30 days`, `3 months`.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;

/// A length of time: exact, or counted on the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Length {
    /// Hours, minutes and seconds, as they pass.
    Exact(SignedDuration),
    /// Whole days (a week is seven).
    Days(u32),
    /// Whole months (a year is twelve).
    Months(u32),
}

impl Length {
    /// The longest length, in days.
    pub const MAX_DAYS: u32 = 36_525;

    /// Returns the length as elapsed time, a day as 24 hours; `None` for months, which have no fixed length.
    #[must_use]
    pub fn elapsed(self) -> Option<SignedDuration> {
        match self {
            Self::Exact(exact) => Some(exact),
            Self::Days(days) => Some(SignedDuration::from_hours(i64::from(days) * 24)),
            Self::Months(_) => None,
        }
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |n: u32| if n == 1 { "" } else { "s" };
        match *self {
            Self::Exact(exact) => {
                let seconds = exact.as_secs();
                let (h, m, s) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
                let mut parts = Vec::new();
                for (n, unit) in [(h, "h"), (m, "m"), (s, "s")] {
                    if n != 0 {
                        parts.push(format!("{n}{unit}"));
                    }
                }
                f.write_str(if parts.is_empty() { "0s" } else { "" })?;
                f.write_str(&parts.join(" "))
            }
            Self::Days(n) => write!(f, "{n} day{}", plural(n)),
            Self::Months(n) if n % 12 == 0 => write!(f, "{} year{}", n / 12, plural(n / 12)),
            Self::Months(n) => write!(f, "{n} month{}", plural(n)),
        }
    }
}

impl FromStr for Length {
    type Err = ParseLengthError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseLengthError { text: text.to_owned() };
        let mut exact = SignedDuration::ZERO;
        let mut calendar = None;
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(wrong());
        }
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, tail) = rest.split_at(digits);
            let number: u32 = number.parse().map_err(|_| wrong())?;
            let tail = tail.trim_start();
            let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
            let (unit, tail) = tail.split_at(letters);
            rest = tail.trim_start();
            let seconds = match unit {
                "s" | "sec" | "second" | "seconds" => 1,
                "m" | "min" | "minute" | "minutes" => 60,
                "h" | "hour" | "hours" => 3600,
                _ => 0,
            };
            if seconds > 0 {
                exact += SignedDuration::from_secs(i64::from(number) * seconds);
                continue;
            }
            let counted = match unit {
                "d" | "day" | "days" => Self::Days(number),
                "w" | "week" | "weeks" => Self::Days(number.checked_mul(7).ok_or_else(wrong)?),
                "month" | "months" => Self::Months(number),
                "y" | "year" | "years" => Self::Months(number.checked_mul(12).ok_or_else(wrong)?),
                _ => return Err(wrong()),
            };
            if calendar.replace(counted).is_some() {
                return Err(wrong());
            }
        }
        let length = match calendar {
            None => Self::Exact(exact),
            Some(counted) if exact.is_zero() => counted,
            Some(_) => return Err(wrong()),
        };
        let days = match length {
            Self::Exact(exact) => u32::try_from(exact.as_hours() / 24).map_err(|_| wrong())?,
            Self::Days(days) => days,
            Self::Months(months) => months.checked_mul(31).ok_or_else(wrong)?,
        };
        if days > Self::MAX_DAYS { Err(wrong()) } else { Ok(length) }
    }
}

/// A text that is not a length of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a length of time: write it as `15m`, `4h`, `1h 30m`, `2 days`, `3 months` or `1 year`"
)]
pub struct ParseLengthError {
    text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_as_people_write_them() {
        for (read, written) in [
            ("15m", "15m"),
            ("90 min", "1h 30m"),
            ("1h30m", "1h 30m"),
            ("8 hours", "8h"),
            ("2 days", "2 days"),
            ("2 weeks", "14 days"),
            ("3 months", "3 months"),
            ("1 year", "1 year"),
            ("0s", "0s"),
        ] {
            let length: Length = read.parse().unwrap();
            assert_eq!(length.to_string(), written, "{read}");
            assert_eq!(written.parse::<Length>().unwrap(), length);
        }
        for bad in
            ["", "4", "h", "4 parsecs", "1 day 2h", "1 month 1 day", "-3h", "4294967295 years", "200 years"]
        {
            assert!(bad.parse::<Length>().is_err(), "{bad}");
        }
    }
}
