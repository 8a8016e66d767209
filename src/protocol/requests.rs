//! What requests carry: query parameters and bodies. What is not listed here is refused.
//!
//! Times, amounts and lengths are texts as people write them; the daemon reads them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// No query parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NoParameters {}

/// No members; the body may be empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NoBody {}

/// Which of the next occurrences.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NextQuery {
    /// How many, from 1 to 1000; 5 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<u16>"))]
    pub n: Option<String>,
    /// Whether what was skipped ahead of its time is among them; it is not by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<bool>"))]
    pub skipped: Option<String>,
}

/// Which occurrences; without parameters, those of today and what is still due from before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OccurrencesQuery {
    /// Start, a date or a time; today by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// End (exclusive); the end of the day of `from` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Of this item only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
}

/// Which facts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FactsQuery {
    /// Start, a date or a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Another name of `since`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// End (exclusive).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Of this item only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// The newest so many.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<u32>"))]
    pub limit: Option<String>,
}

/// Which adherence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AdherenceQuery {
    /// First day; 90 days before `until` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Another name of `since`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Last day (exclusive); tomorrow by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Of this item only, with its days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// `item` (the default) or `group`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// It was taken, or done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TakeBody {
    /// When; now by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// How much; the planned dose by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// A note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Whether it is meant although it comes soon after the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirm: Option<bool>,
}

/// An occurrence is asked about later than planned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PostponeBody {
    /// By how long, counted from the planned time, or from now where that is past.
    #[serde(rename = "for")]
    pub length: String,
}

/// What was not scheduled was taken or done.
pub type LogBody = TakeBody;

/// An occurrence is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SkipBody {
    /// When it was decided; now by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// A note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// An occurrence is asked about later.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SnoozeBody {
    /// For how long, `15m`; what the schedule says by default.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub length: Option<String>,
}

/// A fact is taken back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RetractBody {
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// An answer was different; at least one member is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CorrectBody {
    /// When it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// How much it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// A note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Why it was skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The answers of a form that were different, by question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answers: Option<BTreeMap<String, Value>>,
}

/// A check-in or one site of a scan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CheckInBody {
    /// Numbers and texts by question; null is a question that was left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answers: Option<BTreeMap<String, Value>>,
    /// When it was; now by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// A note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Doses were bought or counted; one of the two is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StockBody {
    /// How many more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add: Option<i32>,
    /// How many there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
}

/// Reminders are paused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PauseBody {
    /// Of this item only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// From when on; now by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Until when; without end by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Reminders are resumed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ResumeBody {
    /// Of this item only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
}
