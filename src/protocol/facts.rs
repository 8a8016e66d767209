//! Recorded facts, as a line of a journal has them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::times::{EventTime, ZonedTime};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Fact {
    /// The version of the line's format.
    pub v: u32,
    /// Its id: the device and the number.
    pub id: String,
    /// Its number among the device's facts, from 1.
    pub seq: u64,
    /// The device that recorded it.
    pub device: String,
    /// When it was recorded.
    pub recorded_at: ZonedTime,
    /// What happened.
    pub fact: FactBody,
    /// The checksum of the line, CRC-32 in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc: Option<String>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum FactBody {
    /// Something was taken, done, answered or measured.
    Intake {
        /// Of which item.
        item: String,
        /// The planned slot that it answers; none for what was not scheduled.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        occurrence: Option<String>,
        /// When it happened.
        at: EventTime,
        /// How much, where it is not the planned dose.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        amount: Option<String>,
        /// The planned dose.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        planned: Option<String>,
        /// What the label says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        product: Option<Box<RecordedProduct>>,
        /// The answers of a check-in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        check_in: Option<Box<CheckInAnswers>>,
        /// One site of a scan.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scan: Option<Box<ScanValues>>,
        /// A note.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        /// The answer that it corrects.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        corrects: Option<String>,
        /// The idempotency key of its request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
    },
    /// An occurrence was deliberately left out.
    Skip {
        /// Which one.
        occurrence: String,
        /// When it was decided.
        at: EventTime,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// A note.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        /// The answer that it corrects.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        corrects: Option<String>,
        /// The idempotency key of its request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
    },
    /// An occurrence is asked about later.
    Snooze {
        /// Which one.
        occurrence: String,
        /// When it was decided.
        at: ZonedTime,
        /// Until when.
        until: ZonedTime,
        /// The idempotency key of its request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
    },
    /// A reminder was shown or sent.
    Delivered {
        /// Of which occurrence.
        occurrence: String,
        /// When.
        at: ZonedTime,
        /// Through which channel; `desktop` is the notification server.
        channel: String,
        /// The notification's number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        notification: Option<u32>,
        /// The notification server's name on the bus.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        server: Option<String>,
        /// Whether the person was away from the screen, or did not want to be disturbed: nobody may have seen it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        away: bool,
        /// What the answers of this delivery are bound to, where its channel can carry answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nonce: Option<String>,
    },
    /// A reminder could not be shown or sent.
    Undelivered {
        /// Of which occurrence.
        occurrence: String,
        /// When.
        at: ZonedTime,
        /// Through which channel; none for the desktop.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channel: Option<String>,
        /// Why.
        reason: String,
    },
    /// A notification left the screen without an answer.
    Closed {
        /// Of which occurrence.
        occurrence: String,
        /// When.
        at: ZonedTime,
        /// `expired`, `dismissed` or `undefined`.
        reason: String,
    },
    /// Doses were bought or counted.
    Stock {
        /// Of which item.
        item: String,
        /// When.
        at: ZonedTime,
        /// How many more, in doses.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        add: Option<i32>,
        /// How many there are, in doses.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        count: Option<u32>,
        /// The idempotency key of its request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
    },
    /// An item of the schedule was added, changed or removed.
    Regimen {
        /// Which item.
        item: String,
        /// From when on.
        at: ZonedTime,
        /// The item as the schedule has it; none where it was removed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        definition: Option<Value>,
        /// The form of the definition; the first where it is missing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        definition_version: Option<u32>,
    },
    /// The machine's clock shows another zone.
    Zone {
        /// From when on.
        at: ZonedTime,
        /// The zone's IANA name.
        zone: String,
    },
    /// Reminders were paused.
    Pause {
        /// Of which item; none for all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item: Option<String>,
        /// From when on.
        at: ZonedTime,
        /// Until when; none for a pause without end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<ZonedTime>,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Reminders were resumed.
    Resume {
        /// Of which item; none for all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        item: Option<String>,
        /// From when on.
        at: ZonedTime,
    },
    /// A fact was taken back.
    Retraction {
        /// Which fact.
        retracts: String,
        /// The occurrence that the fact was about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        occurrence: Option<String>,
        /// When.
        at: ZonedTime,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// The idempotency key of its request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
    },
    /// A type that this version does not know.
    #[serde(other)]
    Other,
}

impl FactBody {
    /// Returns the occurrence that it names.
    #[must_use]
    pub fn occurrence(&self) -> Option<&str> {
        match self {
            Self::Intake { occurrence, .. } | Self::Retraction { occurrence, .. } => occurrence.as_deref(),
            Self::Skip { occurrence, .. }
            | Self::Snooze { occurrence, .. }
            | Self::Delivered { occurrence, .. }
            | Self::Undelivered { occurrence, .. }
            | Self::Closed { occurrence, .. } => Some(occurrence),
            _ => None,
        }
    }

    /// Returns the item that it names.
    #[must_use]
    pub fn item(&self) -> Option<&str> {
        match self {
            Self::Intake { item, .. } | Self::Stock { item, .. } | Self::Regimen { item, .. } => Some(item),
            Self::Pause { item, .. } | Self::Resume { item, .. } => item.as_deref(),
            _ => None,
        }
    }

    /// Returns the occurrence or else the item that it names.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.occurrence().or_else(|| self.item())
    }

    /// Returns when it happened.
    #[must_use]
    pub fn at(&self) -> Option<EventTime> {
        match self {
            Self::Intake { at, .. } | Self::Skip { at, .. } => Some(at.clone()),
            Self::Snooze { at, .. }
            | Self::Delivered { at, .. }
            | Self::Undelivered { at, .. }
            | Self::Closed { at, .. }
            | Self::Stock { at, .. }
            | Self::Regimen { at, .. }
            | Self::Zone { at, .. }
            | Self::Pause { at, .. }
            | Self::Resume { at, .. }
            | Self::Retraction { at, .. } => Some(EventTime::Instant(at.clone())),
            Self::Other => None,
        }
    }

    /// Returns the note of an answer.
    #[must_use]
    pub fn note(&self) -> Option<&str> {
        match self {
            Self::Intake { note, .. } | Self::Skip { note, .. } => note.as_deref(),
            _ => None,
        }
    }

    /// Returns the reason that the person gave.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Skip { reason, .. } | Self::Pause { reason, .. } | Self::Retraction { reason, .. } => {
                reason.as_deref()
            }
            _ => None,
        }
    }

    /// Returns the answer that it corrects.
    #[must_use]
    pub fn corrects(&self) -> Option<&str> {
        match self {
            Self::Intake { corrects, .. } | Self::Skip { corrects, .. } => corrects.as_deref(),
            _ => None,
        }
    }

    /// Returns the earlier fact that no longer holds because of this one.
    #[must_use]
    pub fn supersedes(&self) -> Option<&str> {
        match self {
            Self::Retraction { retracts, .. } => Some(retracts),
            _ => self.corrects(),
        }
    }

    /// Tells whether it is an answer to a reminder: an intake, a skip or a snooze.
    #[must_use]
    pub fn is_answer(&self) -> bool {
        matches!(self, Self::Intake { .. } | Self::Skip { .. } | Self::Snooze { .. })
    }

    /// Tells whether it is what an undo without a name undoes: what a person answered or paused.
    #[must_use]
    pub fn is_act(&self) -> bool {
        self.is_answer() || matches!(self, Self::Pause { .. } | Self::Resume { .. })
    }
}

/// What the label of a product said; a member that is not known is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RecordedProduct {
    /// The strain of a probiotic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strain: Option<String>,
    /// Tablet, drops, and the like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
    /// The brand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// The batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<String>,
}

/// The answers of a check-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CheckInAnswers {
    /// Which form it was, with its version.
    pub form: String,
    /// The language of its questions.
    pub language: String,
    /// From 0 to 10 by question; null where it was left out.
    pub answers: BTreeMap<String, Option<u8>>,
    /// Numbers with their unit by question; null where one was left out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, Option<String>>,
    /// What had changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<String>,
}

/// One site of a scan, as the report prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ScanValues {
    /// The region.
    pub region: String,
    /// The bone mineral density in g/cm2.
    pub bmd: String,
    /// Where it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facility: Option<String>,
    /// The make of the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Which device it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<String>,
    /// Left or right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<String>,
    /// Which vertebrae.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vertebrae: Option<String>,
    /// The T-score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub t_score: Option<String>,
    /// The Z-score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub z_score: Option<String>,
    /// The least significant change in g/cm2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lsc: Option<String>,
}

/// The response to a recorded answer: the fact, and what to look out for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Recorded {
    /// The fact.
    #[serde(flatten)]
    pub fact: Fact,
    /// What to look out for, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// A fact with what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HistoryFact {
    /// The fact.
    #[serde(flatten)]
    pub fact: Fact,
    /// Whether it counts: it was not undone, and it is the newest revision of an answer that was not undone.
    pub effective: bool,
    /// The id of the fact that superseded it: the undo of it, its next revision, or the undo of its answer.
    pub superseded_by: Option<String>,
    /// Whether it names a slot that another answer resolves, so that it counts as one more dose.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub beyond_slot: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every line that a journal has ever held can be read by clients, and loses no member.
    #[test]
    fn journal_lines_are_facts_of_the_contract() {
        let lines = include_str!("../../tests/samples/journal-v1.jsonl");
        for line in lines.lines() {
            let fact: Fact = serde_json::from_str(line).unwrap();
            assert_ne!(fact.fact, FactBody::Other, "{line}");
            let written = serde_json::to_value(&fact).unwrap();
            assert_eq!(written, serde_json::from_str::<Value>(line).unwrap());
        }
    }

    #[test]
    fn facts_of_later_versions_are_read_as_such() {
        let line = r#"{"v":1,"id":"a.1","seq":1,"device":"a","recorded_at":"2026-11-23T08:00:00+00:00[UTC]","fact":{"type":"dream","of":"sheep"}}"#;
        assert_eq!(serde_json::from_str::<Fact>(line).unwrap().fact, FactBody::Other);
    }
}
