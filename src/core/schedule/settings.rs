//! What a schedule file says: its items, and what applies to all of them.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{ChannelId, ChannelSpec, Item, ParseError};

/// A schedule as it was read.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// The items in the order of the file, each with its definition.
    pub items: Vec<(Item, Definition)>,
    /// What applies to all of them.
    pub settings: Settings,
}

/// An item as it is recorded, as JSON text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// With amounts as they are written.
    pub text: String,
    /// With amounts as the first versions recorded them, each unit in one spelling, where that is another text.
    pub first_form: Option<String>,
}

impl Definition {
    /// Tells whether a recorded text says the same.
    #[must_use]
    pub fn is(&self, recorded: &str) -> bool {
        self.text == recorded || self.first_form.as_deref() == Some(recorded)
    }
}

/// What applies to all items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The ways beyond the desktop.
    pub channels: Vec<ChannelSpec>,
    /// The hours in which nothing sounds or shows.
    pub quiet: Option<Quiet>,
    /// How long *Snooze* lasts by default.
    pub snooze: SignedDuration,
    /// Whether reminders on the desktop ask for a sound.
    pub sound: bool,
    /// When a day begins in what is counted by days, in the morning.
    pub day_starts: Time,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            channels: Vec::new(),
            quiet: None,
            snooze: SignedDuration::from_mins(15),
            sound: false,
            day_starts: Time::midnight(),
        }
    }
}

impl Settings {
    /// Returns a channel by its name.
    #[must_use]
    pub fn channel(&self, id: &ChannelId) -> Option<&ChannelSpec> {
        self.channels.iter().find(|channel| channel.id == *id)
    }
}

/// Quiet hours of every day, `22:00..07:00`: from the first on, until the second, in local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quiet {
    /// When they begin.
    pub from: Time,
    /// When they end, exclusive.
    pub until: Time,
}

impl fmt::Display for Quiet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = |time: Time| time.strftime(if time.second() == 0 { "%H:%M" } else { "%H:%M:%S" });
        write!(f, "{}..{}", clock(self.from), clock(self.until))
    }
}

impl Quiet {
    /// Returns when the quiet hours end in which an instant lies; `None` where it lies in none.
    #[must_use]
    pub fn ends(self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let local = zone.to_datetime(now);
        let clock = local.time();
        let over_midnight = self.until <= self.from;
        let is_quiet = if over_midnight {
            clock >= self.from || clock < self.until
        } else {
            self.from <= clock && clock < self.until
        };
        if !is_quiet {
            return None;
        }
        let ends_tomorrow = over_midnight && clock >= self.from;
        let date = if ends_tomorrow { local.date().tomorrow().ok()? } else { local.date() };
        let end = zone.to_timestamp(date.to_datetime(self.until)).ok()?;
        // Where clocks go back, the same local time can lie behind and ahead.
        (end > now).then_some(end)
    }
}

impl FromStr for Quiet {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || {
            ParseError::new(format!("`{text}` is not a range of quiet hours"), "write it as `22:00..07:00`")
        };
        let (from, until) = text.split_once("..").ok_or_else(wrong)?;
        let time = |text: &str| parse_clock_time(text.trim()).ok_or_else(wrong);
        let quiet = Self { from: time(from)?, until: time(until)? };
        if quiet.from == quiet.until { Err(wrong()) } else { Ok(quiet) }
    }
}

/// Reads a time of the day, `08:00` or `08:00:30`.
#[must_use]
pub fn parse_clock_time(text: &str) -> Option<Time> {
    let parts: Vec<&str> = text.split(':').collect();
    let two_digits = |part: &&str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    if !(2..=3).contains(&parts.len()) || !parts.iter().all(two_digits) {
        return None;
    }
    let number = |i: usize| parts.get(i).map_or(Some(0), |part| part.parse::<i8>().ok());
    Time::new(number(0)?, number(1)?, number(2)?, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(quiet: &str, now: &str, ends: Option<&str>) {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let now = zone.to_timestamp(now.parse().unwrap()).unwrap();
        let got = quiet.parse::<Quiet>().unwrap().ends(now, &zone);
        assert_eq!(got.map(|end| zone.to_datetime(end).to_string()).as_deref(), ends, "{quiet} {now}");
    }

    #[test]
    fn quiet_hours_end() {
        check("22:00..07:00", "2026-11-25T21:59:59", None);
        check("22:00..07:00", "2026-11-25T22:00", Some("2026-11-26T07:00:00"));
        check("22:00..07:00", "2026-11-26T06:59", Some("2026-11-26T07:00:00"));
        check("22:00..07:00", "2026-11-26T07:00", None);
        check("12:00..14:00", "2026-11-26T13:00", Some("2026-11-26T14:00:00"));
        // The end lies in the hour that the clocks leap over.
        check("22:00..02:30", "2026-03-29T01:00", Some("2026-03-29T03:30:00"));
        for bad in ["", "22:00", "22..7", "22:00..22:00", "22:00-07:00", "25:00..07:00"] {
            assert!(bad.parse::<Quiet>().is_err(), "{bad}");
        }
    }
}
