//! What can be asked, read and checked at the border.

use std::collections::BTreeMap;
use std::str::FromStr;

use jiff::civil::{Date, DateTime, Time};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::MAX_TEXT_BYTES;
use crate::ledger::{FactId, StockChange};
use crate::reminder::{Target, Verb};
use crate::schedule::{ItemId, Length, OccurrenceId, Quantity};

/// A request that makes sense in itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// How the daemon is.
    Status,
    /// The occurrences of today.
    Today,
    /// The next occurrences.
    Next {
        /// How many.
        count: usize,
    },
    /// The occurrences of a range with their states.
    Occurrences {
        /// From when on; today by default.
        from: Option<At>,
        /// Until when, itself left out; the end of the day of `from` by default.
        until: Option<At>,
        /// Of one item only.
        item: Option<ItemId>,
    },
    /// Everything that made one occurrence what it is.
    Why {
        /// Which one.
        occurrence: OccurrenceId,
    },
    /// The facts of a range.
    Facts {
        /// From when on.
        since: Option<At>,
        /// Until when, itself left out.
        until: Option<At>,
        /// Of one item only.
        item: Option<ItemId>,
        /// The newest so many.
        limit: Option<usize>,
    },
    /// An answer.
    Answer {
        /// What.
        verb: Verb,
        /// Of what.
        target: Target,
        /// The rest.
        body: AnswerBody,
        /// The idempotency key.
        key: Option<String>,
    },
    /// Taking a fact back.
    Retract {
        /// Which fact.
        fact: FactId,
        /// Why.
        reason: Option<String>,
        /// The idempotency key.
        key: Option<String>,
    },
    /// Correcting an answer.
    Correct {
        /// Which fact.
        fact: FactId,
        /// The answers of a form that were different, by name.
        answers: BTreeMap<String, String>,
        /// What else was different.
        body: AnswerBody,
        /// The idempotency key.
        key: Option<String>,
    },
    /// Pausing reminders.
    Pause {
        /// Of one item only.
        item: Option<ItemId>,
        /// Until when.
        until: Option<At>,
        /// Why.
        reason: Option<String>,
    },
    /// What the record shows of habits and check-ins together.
    Insight,
    /// The forms that can be filled in.
    Forms,
    /// What was answered in check-ins.
    CheckIns,
    /// What was recorded of scans.
    Scans,
    /// A form is filled in.
    FillIn {
        /// Which form.
        kind: Form,
        /// Of which item.
        item: ItemId,
        /// The answers by name.
        answers: BTreeMap<String, String>,
        /// When it was.
        at: Option<At>,
        /// A note.
        note: Option<String>,
        /// The idempotency key.
        key: Option<String>,
    },
    /// What was taken of what was planned, over a range of local dates.
    Adherence {
        /// From this day on.
        since: Option<Date>,
        /// Until this day, itself left out.
        until: Option<Date>,
        /// Of one item only.
        item: Option<ItemId>,
        /// A row for each group of items in place of each item.
        by_group: bool,
    },
    /// How much is left of what is counted.
    Stock,
    /// Doses were bought or counted.
    ChangeStock {
        /// Of which item.
        item: ItemId,
        /// What it means for what is left.
        change: StockChange,
        /// The idempotency key.
        key: Option<String>,
    },
    /// Trying every channel: with a harmless reminder, or without sending anything.
    TryChannels {
        /// Whether something is sent.
        send: bool,
    },
    /// Letting reminders go on.
    Resume {
        /// Of one item only.
        item: Option<ItemId>,
    },
}

/// A form that can be filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A check-in.
    CheckIn,
    /// A scan.
    Scan,
}

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

/// The optional members of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnswerBody {
    /// When it happened.
    pub at: Option<At>,
    /// How much.
    pub amount: Option<Quantity>,
    /// A note.
    pub note: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// How long to snooze.
    pub length: Option<SignedDuration>,
    /// Whether it is meant although it comes soon after the last one.
    pub confirm: bool,
}

/// A body as it is sent.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BodyJson {
    pub(super) at: Option<String>,
    pub(super) amount: Option<String>,
    pub(super) note: Option<String>,
    pub(super) reason: Option<String>,
    #[serde(rename = "for")]
    pub(super) length: Option<String>,
    pub(super) item: Option<String>,
    pub(super) until: Option<String>,
    pub(super) confirm: Option<bool>,
    pub(super) add: Option<i32>,
    pub(super) count: Option<u32>,
    pub(super) answers: Option<BTreeMap<String, serde_json::Value>>,
}

impl BodyJson {
    /// Reads a body; an empty one is one without members.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::default());
        }
        let body: Self = serde_json::from_slice(bytes)
            .map_err(|error| format!("the body is not a JSON object as expected: {error}"))?;
        for (name, text) in [("note", &body.note), ("reason", &body.reason)] {
            if text.as_ref().is_some_and(|text| text.len() > MAX_TEXT_BYTES) {
                return Err(format!("`{name}` is longer than {MAX_TEXT_BYTES} bytes"));
            }
        }
        Ok(body)
    }

    /// Refuses members that a route does not know.
    pub(super) fn only(&self, allowed: &[&str]) -> Result<(), String> {
        let members = [
            ("at", self.at.is_some()),
            ("amount", self.amount.is_some()),
            ("note", self.note.is_some()),
            ("reason", self.reason.is_some()),
            ("for", self.length.is_some()),
            ("item", self.item.is_some()),
            ("until", self.until.is_some()),
            ("confirm", self.confirm.is_some()),
            ("add", self.add.is_some()),
            ("count", self.count.is_some()),
            ("answers", self.answers.is_some()),
        ];
        let stray = members.iter().find(|(name, given)| *given && !allowed.contains(name));
        stray.map_or(Ok(()), |(name, _)| {
            Err(format!("`{name}` has no sense here; known: {}", allowed.join(", ")))
        })
    }

    /// Returns the answers by name; null is a question that was left out.
    pub(super) fn answers(&self) -> Result<BTreeMap<String, String>, String> {
        let given = self.answers.iter().flatten();
        let given = given.filter_map(|(key, value)| match value {
            serde_json::Value::Null => None,
            serde_json::Value::String(text) => Some(Ok((key.clone(), text.clone()))),
            serde_json::Value::Number(number) => Some(Ok((key.clone(), number.to_string()))),
            _ => Some(Err(format!("`{key}` is answered with a number or a text"))),
        });
        given.collect()
    }

    pub(super) fn answer(self) -> Result<AnswerBody, String> {
        let length = parse::<Length>(self.length)?
            .map(|length| length.elapsed().ok_or("`for` takes minutes, hours or days, such as `15m`"))
            .transpose()?;
        if length.is_some_and(|length| length < SignedDuration::from_secs(1)) {
            return Err("`for` takes one second or more, such as `15m`".to_owned());
        }
        Ok(AnswerBody {
            at: parse(self.at)?,
            amount: parse(self.amount)?,
            note: self.note,
            reason: self.reason,
            length,
            confirm: self.confirm.unwrap_or(false),
        })
    }
}

/// Reads a value that may be left out.
pub(super) fn parse<T: FromStr<Err: std::fmt::Display>>(text: Option<String>) -> Result<Option<T>, String> {
    text.map(|text| text.parse().map_err(|error: T::Err| error.to_string())).transpose()
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

    #[test]
    fn bodies_are_checked() {
        assert!(BodyJson::read(b"").is_ok());
        assert!(BodyJson::read(b"{\"amount\":\"5 mg\"}").is_ok());
        assert!(BodyJson::read(b"[]").is_err());
        assert!(BodyJson::read(b"{\"amont\":\"5 mg\"}").unwrap_err().contains("amont"));
        let long = format!("{{\"note\":\"{}\"}}", "x".repeat(MAX_TEXT_BYTES + 1));
        assert!(BodyJson::read(long.as_bytes()).unwrap_err().contains("note"));
        let body = BodyJson { length: Some("3 months".to_owned()), ..BodyJson::default() };
        assert!(body.answer().is_err());
    }
}
