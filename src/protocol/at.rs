//! Points in time as people give them.

use std::str::FromStr;

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::{SignedDuration, Timestamp};

use crate::core::schedule::{Length, Weekdays, parse_clock_time};

/// A point in time as people give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// An instant.
    Instant(Timestamp),
    /// A local date and time.
    Local(DateTime),
    /// A local date.
    Date(Date),
    /// A time of the day: the last one of what has happened, that of today of what is planned.
    Time(Time),
    /// So long after now, or before it where it is negative.
    FromNow(SignedDuration),
    /// So many days after today, or before it, at a time of the day or at none.
    Day(i32, Option<Time>),
    /// The last such weekday of what has happened, the next of what is planned.
    Weekday(Weekday, Option<Time>),
}

impl FromStr for At {
    type Err = ParseAtError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let exact = || {
            if let Ok(at) = text.parse() {
                return Some(Self::Instant(at));
            }
            if text.len() == 10 {
                return text.parse().ok().map(Self::Date);
            }
            (text.len() > 10).then(|| text.parse().ok().map(Self::Local)).flatten()
        };
        exact()
            .or_else(|| in_words(&text.to_lowercase()))
            .ok_or_else(|| ParseAtError { text: text.to_owned() })
    }
}

/// Reads what people say: `20 min ago`, `yesterday 22:00`, `mon 8am`.
fn in_words(text: &str) -> Option<At> {
    if text == "now" {
        return Some(At::FromNow(SignedDuration::ZERO));
    }
    if let Some(length) = text.strip_suffix(" ago") {
        return from_now(length, -1);
    }
    if let Some(length) = text.strip_prefix("in ") {
        return from_now(length, 1);
    }
    if let Some(time) = clock_time(text) {
        return Some(At::Time(time));
    }
    if let Some(day) = day(text, None) {
        return Some(day);
    }
    let (first, rest) = text.split_once(' ')?;
    if let Some(time) = clock_time(rest.trim().trim_start_matches("at ")) {
        return day(first, Some(time));
    }
    let (rest, last) = text.rsplit_once(' ')?;
    day(last, Some(clock_time(rest.trim())?))
}

fn from_now(length: &str, sign: i32) -> Option<At> {
    match length.trim().parse().ok()? {
        Length::Exact(exact) => Some(At::FromNow(exact.checked_mul(sign)?)),
        Length::Days(days) => Some(At::Day(i32::try_from(days).ok()?.checked_mul(sign)?, None)),
        Length::Months(_) => None,
    }
}

/// Reads a time of the day: `08:10`, `8:10`, `8am`, `8:10 pm`, `noon`.
fn clock_time(text: &str) -> Option<Time> {
    if text == "noon" {
        return Some(Time::constant(12, 0, 0, 0));
    }
    let half =
        text.strip_suffix("am").map(|clock| (clock, 0)).or(text.strip_suffix("pm").map(|clock| (clock, 12)));
    if let Some((clock, hours)) = half {
        let clock = clock.trim_end();
        let (hour, minute) = clock.split_once(':').unwrap_or((clock, "00"));
        let hour = hour.parse::<i8>().ok().filter(|hour| (1..=12).contains(hour))?;
        let minute = minute.parse().ok().filter(|_| minute.len() == 2)?;
        return Time::new(hour % 12 + hours, minute, 0, 0).ok();
    }
    // A leading zero may be left out.
    let padded = if text.find(':') == Some(1) { format!("0{text}") } else { text.to_owned() };
    parse_clock_time(&padded)
}

fn day(word: &str, time: Option<Time>) -> Option<At> {
    match word {
        "yesterday" => return Some(At::Day(-1, time)),
        "today" => return Some(At::Day(0, time)),
        "tomorrow" => return Some(At::Day(1, time)),
        _ => {}
    }
    let named: Weekdays = word.chars().all(char::is_alphabetic).then(|| word.parse().ok())??;
    Some(At::Weekday(Weekday::Monday.cycle_forward().take(7).find(|day| named.contains(*day))?, time))
}

/// A text that is no point in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a time: write it as `08:30`, `8am`, `20 min ago`, `yesterday 22:00`, `mon 8:00`, `2026-11-23`, `2026-11-23T08:30` or `2026-11-23T08:30:00+01:00`"
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
            ("8:30", "Time(08:30:00)"),
            ("8am", "Time(08:00:00)"),
            ("8 AM", "Time(08:00:00)"),
            ("8:05pm", "Time(20:05:00)"),
            ("12am", "Time(00:00:00)"),
            ("12 pm", "Time(12:00:00)"),
            ("noon", "Time(12:00:00)"),
            ("now", "FromNow(0s)"),
            ("20 min ago", "FromNow(20m ago)"),
            ("1h 30m ago", "FromNow(1h 30m ago)"),
            ("in 2 hours", "FromNow(2h)"),
            ("2 days ago", "Day(-2, None)"),
            ("yesterday", "Day(-1, None)"),
            ("Yesterday 22:00", "Day(-1, Some(22:00:00))"),
            ("yesterday at 10pm", "Day(-1, Some(22:00:00))"),
            ("10 pm yesterday", "Day(-1, Some(22:00:00))"),
            ("today 8:00", "Day(0, Some(08:00:00))"),
            ("tomorrow", "Day(1, None)"),
            ("mon 8:00", "Weekday(Monday, Some(08:00:00))"),
            ("Friday 9am", "Weekday(Friday, Some(09:00:00))"),
            ("sun", "Weekday(Sunday, None)"),
        ] {
            assert_eq!(format!("{:?}", text.parse::<At>().unwrap()), expected);
        }
        for bad in [
            "",
            "2026-11-31",
            "25:00",
            "8",
            "2026-11-23T",
            "13pm",
            "0am",
            "8:5pm",
            "8:60",
            "ago",
            "3 months ago",
            "mon..fri",
            "daily",
            "yesterday 25:00",
            "someday 8:00",
            "yesterday tomorrow",
        ] {
            assert!(bad.parse::<At>().is_err(), "{bad}");
        }
    }
}
