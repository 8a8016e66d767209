//! Points in time as people give them.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};

/// A point in time as people give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// An instant.
    Instant(Timestamp),
    /// A local date and time.
    Local(DateTime),
    /// A local date.
    Date(Date),
    /// A time of today.
    Time(Time),
}

impl FromStr for At {
    type Err = ParseAtError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let wrong = || ParseAtError { text: text.to_owned() };
        if let Ok(at) = text.parse() {
            return Ok(Self::Instant(at));
        }
        if text.len() == 10 {
            return text.parse().map(Self::Date).map_err(|_| wrong());
        }
        if text.len() <= 8 && text.contains(':') {
            return text.parse().map(Self::Time).map_err(|_| wrong());
        }
        text.parse().map(Self::Local).map_err(|_| wrong())
    }
}

/// A text that is no point in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a time: write it as `2026-11-23`, `08:30`, `2026-11-23T08:30` or `2026-11-23T08:30:00+01:00`"
)]
pub struct ParseAtError {
    text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, expected) in [
            ("2026-11-23", "Date(2026-11-23)"),
            ("08:30", "Time(08:30:00)"),
            ("08:30:15", "Time(08:30:15)"),
            ("2026-11-23T08:30", "Local(2026-11-23T08:30:00)"),
            ("2026-11-23 08:30", "Local(2026-11-23T08:30:00)"),
            ("2026-11-23T08:30:00+01:00", "Instant(2026-11-23T07:30:00Z)"),
            ("2026-11-23T08:30:00+01:00[Europe/Berlin]", "Instant(2026-11-23T07:30:00Z)"),
            ("2026-11-23T07:30:00Z", "Instant(2026-11-23T07:30:00Z)"),
        ] {
            assert_eq!(format!("{:?}", text.parse::<At>().unwrap()), expected);
        }
        for bad in ["", "yesterday", "2026-11-31", "25:00", "8", "2026-11-23T"] {
            assert!(bad.parse::<At>().is_err(), "{bad}");
        }
    }
}
