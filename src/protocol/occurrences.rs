//! Planned slots and what became of them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::facts::HistoryFact;
use super::times::{EventTime, ZonedTime};
use crate::core::ledger::State;
use crate::core::schedule;

/// What kind of item it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Taken.
    Supplement,
    /// Done.
    Habit,
    /// A questionnaire.
    CheckIn,
    /// A bone density scan.
    Scan,
}

impl Kind {
    /// Returns its name as the schedule writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Supplement => "supplement",
            Self::Habit => "habit",
            Self::CheckIn => "check-in",
            Self::Scan => "scan",
        }
    }
}

impl From<schedule::Kind> for Kind {
    fn from(kind: schedule::Kind) -> Self {
        match kind {
            schedule::Kind::Supplement => Self::Supplement,
            schedule::Kind::Habit => Self::Habit,
            schedule::Kind::CheckIn => Self::CheckIn,
            schedule::Kind::Scan => Self::Scan,
        }
    }
}

/// The state of an occurrence, derived from facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OccurrenceState {
    /// Its time has not come.
    Upcoming,
    /// It waits for an answer.
    Due,
    /// Taken or done.
    Taken,
    /// Taken in part.
    Partial,
    /// Deliberately not taken.
    Skipped,
    /// Asked about and not answered within its grace.
    Missed,
    /// Could not be asked about.
    Unknown,
    /// Paused.
    Excused,
}

impl OccurrenceState {
    /// Returns its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Upcoming => "upcoming",
            Self::Due => "due",
            Self::Taken => "taken",
            Self::Partial => "partial",
            Self::Skipped => "skipped",
            Self::Missed => "missed",
            Self::Unknown => "unknown",
            Self::Excused => "excused",
        }
    }
}

impl From<State> for OccurrenceState {
    fn from(state: State) -> Self {
        match state {
            State::Upcoming => Self::Upcoming,
            State::Due => Self::Due,
            State::Taken => Self::Taken,
            State::Partial => Self::Partial,
            State::Skipped => Self::Skipped,
            State::Missed => Self::Missed,
            State::Unknown => Self::Unknown,
            State::Excused => Self::Excused,
        }
    }
}

/// One planned slot of an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Occurrence {
    /// Its id: the item and the planned local time, `probiotic@2026-11-23T08:00`.
    pub occurrence: String,
    /// The item's id.
    pub item: String,
    /// The item's name.
    pub name: String,
    /// When it is due.
    pub at: ZonedTime,
    /// What became of it.
    pub state: OccurrenceState,
    /// The planned dose.
    pub dose: Option<String>,
}

/// One planned slot that is still to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ComingOccurrence {
    /// What `/v1/today` has of it.
    #[serde(flatten)]
    pub occurrence: Occurrence,
    /// Until when it is postponed, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snoozed_until: Option<ZonedTime>,
}

/// One planned slot of an item with all that is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OccurrenceDetails {
    /// What `/v1/today` has of it.
    #[serde(flatten)]
    pub occurrence: Occurrence,
    /// The kind of its item.
    pub kind: Kind,
    /// The planned local time.
    pub planned: String,
    /// The strain of a probiotic.
    pub strain: Option<String>,
    /// What it is taken with.
    pub with: Option<String>,
    /// Whether notifications name it.
    pub private: bool,
    /// What a habit aims at.
    pub target: Option<String>,
    /// Until when it can be answered as itself.
    pub closes: ZonedTime,
    /// When the snooze ends, or until when it is postponed.
    pub snoozed_until: Option<ZonedTime>,
    /// The id of the answer that counts.
    pub answer: Option<String>,
    /// When it was taken, or skipped.
    pub answered_at: Option<EventTime>,
    /// How much was taken, where that was given.
    pub amount: Option<String>,
    /// Whether the person is to say how much it is; the dose is what is proposed.
    #[serde(default)]
    pub asks_amount: bool,
}

/// The version of an item's schedule that planned an occurrence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RegimenDetails {
    /// From when on it held.
    pub opened: ZonedTime,
    /// Until when it held.
    pub closed: Option<ZonedTime>,
    /// The item as the schedule had it.
    pub definition: Option<Value>,
}

/// Everything that made an occurrence what it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Why<F = HistoryFact> {
    /// The occurrence.
    #[serde(flatten)]
    pub occurrence: OccurrenceDetails,
    /// What planned it.
    pub regimen: RegimenDetails,
    /// How its local time became an instant.
    pub zone_decision: String,
    /// The facts about it, in the order in which they were recorded.
    pub facts: Vec<F>,
    /// What happens next.
    pub next: String,
}
