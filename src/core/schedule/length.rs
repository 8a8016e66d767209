//! Lengths of time as people write them: `15m`, `4h`, `30 days`, `3 months`.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;

use super::ParseError;

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

    /// Returns the most days that it can have; `None` where they cannot be counted.
    fn max_days(self) -> Option<u32> {
        match self {
            Self::Exact(exact) => u32::try_from(exact.as_hours() / 24).ok(),
            Self::Days(days) => Some(days),
            Self::Months(months) => months.checked_mul(31),
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

// Not jiff's `SpanParser`: it refuses `30m 1h`, which has always been accepted here, and accepts signs, clock times and
// mixtures of exact and calendar units, which are no lengths of a schedule.
impl FromStr for Length {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).filter(|length| length.max_days().is_some_and(|days| days <= Self::MAX_DAYS)).ok_or_else(
            || {
                ParseError::new(
                    format!("`{text}` is not a length of time"),
                    "write it as `15m`, `4h`, `1h 30m`, `2 days`, `3 months` or `1 year`",
                )
            },
        )
    }
}

/// Reads any number of exact parts, or one that is counted on the calendar.
fn parse(text: &str) -> Option<Length> {
    let mut exact = SignedDuration::ZERO;
    let mut calendar = None;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (part, tail) = parse_part(rest)?;
        rest = tail;
        match part {
            Length::Exact(part) => exact = exact.checked_add(part)?,
            counted if calendar.is_none() => calendar = Some(counted),
            _ => return None,
        }
    }
    match calendar {
        None => Some(Length::Exact(exact)),
        Some(counted) => exact.is_zero().then_some(counted),
    }
}

/// Reads one number with its unit from the beginning of a text; returns the rest, too.
fn parse_part(text: &str) -> Option<(Length, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, tail) = text.split_at(digits);
    let number: u32 = number.parse().ok()?;
    let tail = tail.trim_start();
    let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (unit, tail) = tail.split_at(letters);
    let seconds = |of_each: i64| Length::Exact(SignedDuration::from_secs(i64::from(number) * of_each));
    let length = match unit {
        "s" | "sec" | "second" | "seconds" => seconds(1),
        "m" | "min" | "minute" | "minutes" => seconds(60),
        "h" | "hour" | "hours" => seconds(3600),
        "d" | "day" | "days" => Length::Days(number),
        "w" | "week" | "weeks" => Length::Days(number.checked_mul(7)?),
        "month" | "months" => Length::Months(number),
        "y" | "year" | "years" => Length::Months(number.checked_mul(12)?),
        _ => return None,
    };
    Some((length, tail.trim_start()))
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
            ("30m 1h", "1h 30m"),
            ("1h 1h", "2h"),
            ("0h 2 days", "2 days"),
            ("36525 days", "36525 days"),
            ("876600 h", "876600h"),
        ] {
            let length: Length = read.parse().unwrap();
            assert_eq!(length.to_string(), written, "{read}");
            assert_eq!(written.parse::<Length>().unwrap(), length);
        }
        for bad in [
            "",
            "4",
            "h",
            "4 parsecs",
            "1 day 2h",
            "1 month 1 day",
            "-3h",
            "4294967295 years",
            "200 years",
            "36526 days",
            "876624 h",
            "1 day 1 day",
            "1.5h",
            "PT1H",
        ] {
            assert!(bad.parse::<Length>().is_err(), "{bad}");
        }
    }
}
