//! Points in time as responses write them.

use std::fmt;

use jiff::civil::Date;
use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An instant as RFC 3339 with its IANA zone in brackets, `2026-11-23T08:00:00+01:00[Europe/Berlin]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZonedTime(pub Zoned);

impl ZonedTime {
    /// Returns the instant.
    #[must_use]
    pub fn timestamp(&self) -> Timestamp {
        self.0.timestamp()
    }
}

impl From<Zoned> for ZonedTime {
    fn from(zoned: Zoned) -> Self {
        Self(zoned)
    }
}

impl fmt::Display for ZonedTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for ZonedTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ZonedTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
impl schemars::JsonSchema for ZonedTime {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ZonedTime".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "RFC 3339 with the IANA zone in brackets",
            "examples": ["2026-11-23T08:00:00+01:00[Europe/Berlin]"],
        })
    }
}

/// When something happened: an instant, or a local day where no time was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventTime {
    /// An instant.
    Instant(ZonedTime),
    /// A local day.
    Day(Date),
}

impl EventTime {
    /// Returns the local day.
    #[must_use]
    pub fn date(&self) -> Date {
        match self {
            Self::Instant(at) => at.0.date(),
            Self::Day(date) => *date,
        }
    }

    /// Returns the instant, if a time was given.
    #[must_use]
    pub fn instant(&self) -> Option<&Zoned> {
        match self {
            Self::Instant(at) => Some(&at.0),
            Self::Day(_) => None,
        }
    }
}

impl fmt::Display for EventTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instant(at) => at.fmt(f),
            Self::Day(date) => date.fmt(f),
        }
    }
}

impl Serialize for EventTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let parsed = match text.len() {
            10 => text.parse().map(Self::Day),
            _ => text.parse().map(|zoned| Self::Instant(ZonedTime(zoned))),
        };
        parsed.map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
impl schemars::JsonSchema for EventTime {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EventTime".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "RFC 3339 with the IANA zone in brackets, or a local date where no time was given",
            "examples": ["2026-11-23T08:00:00+01:00[Europe/Berlin]", "2026-11-23"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_they_are_read() {
        for text in [
            "\"2026-11-23T08:00:00+01:00[Europe/Berlin]\"",
            "\"2026-11-23T08:00:00.004+00:00[UTC]\"",
            "\"2026-11-23\"",
        ] {
            let read: EventTime = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), text);
        }
        assert!(serde_json::from_str::<EventTime>("\"yesterday\"").is_err());
        assert!(serde_json::from_str::<ZonedTime>("\"2026-11-23\"").is_err());
    }
}
