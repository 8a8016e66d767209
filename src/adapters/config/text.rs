//! Values of the schedule file that are written as text, read by the core's own parsers.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

use super::report::to_serde;
use crate::core::schedule::{
    Amount, ChannelId, CronRule, HabitTarget, ItemId, Length, Limit, ParseError, Quiet, QuietHours, RefillAt,
    Weekdays, parse_clock_time,
};

/// A value that the file has as a string.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Text<T>(pub(super) T);

/// The description of such a string for people and editors.
#[cfg_attr(not(test), allow(dead_code, reason = "the JSON Schema is made in a test"))]
pub(super) trait Described {
    const NAME: &'static str;
    const PATTERN: &'static str;
    const EXAMPLE: &'static str;
}

macro_rules! described {
    ($($type:ty: $name:literal, $pattern:literal, $example:literal;)*) => {
        $(impl Described for $type {
            const NAME: &'static str = $name;
            const PATTERN: &'static str = $pattern;
            const EXAMPLE: &'static str = $example;
        })*
    };
}

described! {
    ItemId: "ItemId", "^[a-z0-9-]{1,64}$", "probiotic";
    ChannelId: "ChannelId", "^[a-z0-9-]{1,64}$", "phone";
    Amount: "Amount", r"^[0-9\u00bc-\u00be].*\S$", "500 mg";
    HabitTarget: "Target", r"^.+ ?/ ?(day|week)$", "150 min / week";
    Limit: "Limit", r"^.+ ?/ ?.+$", "4 g / 24 h";
    Length: "Length", r"^([0-9]+ ?[a-z]+ ?)+$", "4h";
    Quiet: "Quiet", r"^[0-9:]+\.\.[0-9:]+$", "22:00..07:00";
    CronRule: "Cron", r"^\S+ \S+ \S+ \S+ \S+$", "30 8 * * 1-5";
}

impl<T: fmt::Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de, T> Deserialize<'de> for Text<T>
where
    T: FromStr<Err = ParseError> + Described,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor<T>(std::marker::PhantomData<T>);
        impl<T: FromStr<Err = ParseError> + Described> Visitor<'_> for TextVisitor<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a string such as \"{}\"", T::EXAMPLE)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
                text.parse().map_err(to_serde)
            }
        }
        deserializer.deserialize_str(TextVisitor(std::marker::PhantomData)).map(Self)
    }
}

/// A time of day, `08:00` or `08:00:30`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ClockTime(pub(super) Time);

impl FromStr for ClockTime {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong =
            || ParseError::new(format!("`{text}` is not a time of day"), "write it as `08:00` or `08:00:30`");
        parse_clock_time(text).map(Self).ok_or_else(wrong)
    }
}

impl fmt::Display for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0.hour(), self.0.minute())?;
        if self.0.second() != 0 {
            write!(f, ":{:02}", self.0.second())?;
        }
        Ok(())
    }
}

described! {
    ClockTime: "Time", "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$", "08:00";
    ZoneName: "Zone", r"^\S+$", "Europe/Berlin";
}

/// `local`, or an IANA name that this machine knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ZoneName(pub(super) String);

impl ZoneName {
    pub(super) const LOCAL: &'static str = "local";
}

impl FromStr for ZoneName {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text != Self::LOCAL {
            zone(text)?;
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for ZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Looks a zone up by its IANA name.
///
/// # Errors
///
/// The name is not in the time zone database.
#[expect(clippy::disallowed_methods, reason = "the zones that a schedule names are looked up here")]
pub fn zone(name: &str) -> Result<TimeZone, ParseError> {
    TimeZone::get(name).map_err(|_| {
        ParseError::new(
            format!("`{name}` is not a time zone"),
            "use `local` or an IANA name such as `Europe/Berlin`",
        )
    })
}

/// A date: TOML's own, or the same as a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Day(pub(super) Date);

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DayVisitor;
        impl<'de> Visitor<'de> for DayVisitor {
            type Value = Day;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a date such as 2026-12-01")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Day, E> {
                let day = || Some(text).filter(|text| text.len() == 10)?.parse().ok();
                let wrong = || ParseError::new(format!("`{text}` is not a date"), "write it as 2026-12-01");
                day().map(Day).ok_or_else(|| to_serde(wrong()))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Day, A::Error> {
                // TOML's dates come as a map with one private key; their own type reads it.
                let at = toml::value::Datetime::deserialize(de::value::MapAccessDeserializer::new(map))?;
                self.visit_str(&at.to_string())
            }
        }
        deserializer.deserialize_any(DayVisitor)
    }
}

/// Weekdays: one string, or a list of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Days(pub(super) Weekdays);

impl Serialize for Days {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Days {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DaysVisitor;
        impl<'de> Visitor<'de> for DaysVisitor {
            type Value = Days;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("weekdays such as \"Mon..Fri\" or [\"Mon\", \"Thu\"]")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Days, E> {
                text.parse().map(Days).map_err(to_serde)
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Days, A::Error> {
                let mut days: Option<Weekdays> = None;
                while let Some(part) = seq.next_element::<String>()? {
                    let part: Weekdays = part.parse().map_err(to_serde::<A::Error>)?;
                    days = Some(days.map_or(part, |days| days.union(part)));
                }
                days.map(Days).ok_or_else(|| {
                    to_serde(ParseError::new("there is no weekday", "name at least one, as in `[\"Mon\"]`"))
                })
            }
        }
        deserializer.deserialize_any(DaysVisitor)
    }
}

/// A dose: one amount, or a list of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DoseToml(pub(super) Amount);

impl Serialize for DoseToml {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for DoseToml {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DoseVisitor;
        impl<'de> Visitor<'de> for DoseVisitor {
            type Value = DoseToml;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount such as \"500 mg\", or a list such as [\"600 mg\", \"400 IU\"]")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<DoseToml, E> {
                text.parse().map(DoseToml).map_err(to_serde)
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<DoseToml, A::Error> {
                let mut amounts = Vec::new();
                while let Some(text) = seq.next_element::<String>()? {
                    amounts.push(text.parse::<Amount>().map_err(to_serde)?);
                }
                Amount::join(&amounts).map(DoseToml).map_err(to_serde)
            }
        }
        deserializer.deserialize_any(DoseVisitor)
    }
}

/// When a refill is due: a number, or days ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RefillAtToml(pub(super) RefillAt);

impl Serialize for RefillAtToml {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            RefillAt::Left(few) => serializer.serialize_u32(few),
            RefillAt::Days(days) => serializer.collect_str(&Length::Days(days)),
        }
    }
}

impl<'de> Deserialize<'de> for RefillAtToml {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RefillAtVisitor;
        impl Visitor<'_> for RefillAtVisitor {
            type Value = RefillAtToml;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number such as 10, or days ahead such as \"10 days\"")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<RefillAtToml, E> {
                let few = u32::try_from(number)
                    .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(number), &self))?;
                Ok(RefillAtToml(RefillAt::Left(few)))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<RefillAtToml, E> {
                let few = u64::try_from(number)
                    .map_err(|_| E::invalid_value(de::Unexpected::Signed(number), &self))?;
                self.visit_u64(few)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<RefillAtToml, E> {
                let days = match text.parse() {
                    Ok(Length::Days(days)) => Some(days),
                    _ => None,
                };
                let wrong = || {
                    ParseError::new(
                        format!("`{text}` is not a number of days"),
                        "write `10` or `\"10 days\"`",
                    )
                };
                days.map(|days| RefillAtToml(RefillAt::Days(days))).ok_or_else(|| to_serde(wrong()))
            }
        }
        deserializer.deserialize_any(RefillAtVisitor)
    }
}

/// Quiet hours of an item, or `false` for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct QuietToml(pub(super) QuietHours);

impl Serialize for QuietToml {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            QuietHours::Own(quiet) => serializer.collect_str(&quiet),
            QuietHours::OfSchedule | QuietHours::Never => serializer.serialize_bool(false),
        }
    }
}

impl<'de> Deserialize<'de> for QuietToml {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct QuietVisitor;
        impl Visitor<'_> for QuietVisitor {
            type Value = QuietToml;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`false`, or hours such as \"22:00..07:00\"")
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<QuietToml, E> {
                if value {
                    return Err(E::invalid_value(de::Unexpected::Bool(true), &self));
                }
                Ok(QuietToml(QuietHours::Never))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<QuietToml, E> {
                text.parse().map(|quiet| QuietToml(QuietHours::Own(quiet))).map_err(to_serde)
            }
        }
        deserializer.deserialize_any(QuietVisitor)
    }
}
