//! Sets of weekdays: `Mon..Fri`, `Sat`, `daily`.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Weekday;

use super::ParseError;

/// A set of weekdays, never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Weekdays(u8);

const NAMES: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

fn bit(weekday: Weekday) -> u8 {
    1 << weekday.to_monday_zero_offset()
}

impl Weekdays {
    /// Every day of the week.
    pub const ALL: Self = Self(0x7f);

    /// Tells whether the set holds this weekday.
    #[must_use]
    pub fn contains(self, weekday: Weekday) -> bool {
        self.0 & bit(weekday) != 0
    }

    /// Returns the days that are in either set.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Display for Weekdays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = (0..7).filter(|i| self.0 & (1 << i) != 0).map(|i| NAMES[i]).collect();
        f.write_str(&names.join(","))
    }
}

impl FromStr for Weekdays {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let day = |name: &str| {
            let name = name.trim();
            let long = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
            let lower = name.to_ascii_lowercase();
            (0..7).find(|&i| lower == long[i] || lower == NAMES[i].to_ascii_lowercase()).ok_or_else(|| {
                ParseError::new(
                    format!("`{name}` is not a weekday"),
                    "write `Mon`, `Mon..Fri` or `[\"Mon\", \"Thu\"]`",
                )
            })
        };
        let mut days = 0u8;
        for part in text.split(',') {
            match part.split_once("..") {
                Some((first, last)) => {
                    let (first, last) = (day(first)?, day(last)?);
                    // `Sat..Tue` wraps round the end of the week, as people mean it.
                    let span = (last + 7 - first) % 7;
                    for i in 0..=span {
                        days |= 1 << ((first + i) % 7);
                    }
                }
                None => days |= 1 << day(part)?,
            }
        }
        Ok(Self(days))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weekdays_are_read_and_written() {
        for (read, written) in [
            ("Mon..Fri", "Mon,Tue,Wed,Thu,Fri"),
            ("Sat..Tue", "Mon,Tue,Sat,Sun"),
            ("mon, Thursday", "Mon,Thu"),
            ("Sun", "Sun"),
            ("Mon..Mon", "Mon"),
        ] {
            assert_eq!(read.parse::<Weekdays>().unwrap().to_string(), written);
        }
        for bad in ["", "Mo", "Mon..", "Funday", "Mon-Fri"] {
            assert!(bad.parse::<Weekdays>().is_err(), "{bad}");
        }
    }
}
