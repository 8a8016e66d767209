//! What the record shows: adherence, check-ins, scans, stock, and what went together.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::occurrences::Kind;
use super::times::{EventTime, ZonedTime};

/// What the label of a product says; a member that is not known is null.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Product {
    /// The strain of a probiotic.
    #[serde(default)]
    pub strain: Option<String>,
    /// Tablet, drops, and the like.
    #[serde(default)]
    pub form: Option<String>,
    /// The brand.
    #[serde(default)]
    pub brand: Option<String>,
    /// The batch.
    #[serde(default)]
    pub batch: Option<String>,
}

/// What was taken of what was planned, of one item or one group, over local dates.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Adherence {
    /// The item's id; none for a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// The items of a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<String>>,
    /// The item's kind; none for a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// The name of the item or group.
    pub name: String,
    /// The group that it belongs to.
    pub group: String,
    /// What the label says.
    #[serde(default)]
    pub product: Option<Product>,
    /// Whether it has no times.
    pub as_needed: bool,
    /// How much of a habit's aim was reached.
    #[serde(default)]
    pub target: Option<TargetProgress>,
    /// First day.
    #[cfg_attr(test, schemars(with = "String"))]
    pub from: Date,
    /// Last day (exclusive).
    #[cfg_attr(test, schemars(with = "String"))]
    pub until: Date,
    /// Planned occurrences.
    pub planned: u32,
    /// Planned, less excused, less still open.
    pub eligible: u32,
    /// Taken in full.
    pub taken: u32,
    /// Taken in part.
    pub partial: u32,
    /// Deliberately not taken.
    pub skipped: u32,
    /// Asked about and not answered.
    pub missed: u32,
    /// Could not be asked about.
    pub unknown: u32,
    /// Paused.
    pub excused: u32,
    /// Intakes that were not scheduled.
    pub extra: u32,
    /// Taken outside the timing window.
    pub late: u32,
    /// `taken / eligible`, from 0 to 1.
    pub doses_taken_share: Option<f64>,
    /// `(taken + extra) / eligible`; may exceed 1.
    pub taking_raw: Option<f64>,
    /// Eligible days with everything taken, of eligible days.
    pub days_fully_covered: Option<f64>,
    /// Eligible days with at least one dose, of eligible days.
    pub days_any_dose: Option<f64>,
    /// The mean over eligible days of taken of planned.
    pub days_covered_fraction: Option<f64>,
    /// Taken within the timing window, from 0 to 1.
    pub timing_share: Option<f64>,
    /// The timing window to either side, in minutes.
    pub timing_window_minutes: i64,
    /// The share if nothing, and if everything, of what is unknown had been taken.
    pub bounds: Option<[f64; 2]>,
    /// The 95 % Wilson interval of the share, from 10 eligible occurrences on.
    pub interval: Option<[f64; 2]>,
    /// Eligible days in a row until now, all fully covered.
    pub streak: u32,
    /// The longest such run.
    pub longest_streak: u32,
    /// Of the last 30 eligible days: how many were fully covered, and how many there were.
    pub of_the_last: [u32; 2],
    /// By month, oldest first.
    pub months: Vec<MonthShare>,
    /// By day; only where one item was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<Vec<DayCoverage>>,
}

/// How much of a habit's aim was reached, by whole days or weeks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TargetProgress {
    /// The aim, `150 min / week`.
    pub aim: String,
    /// How many whole periods there were.
    pub periods: u32,
    /// In how many of them it was reached.
    pub reached: u32,
    /// Periods in which something was done without an amount.
    pub unmeasured: u32,
    /// Periods of which it is not known.
    pub unknown: u32,
    /// The mean share, each period at most 1.
    pub share: Option<f64>,
    /// How much it was in all.
    pub total: Option<String>,
}

/// A month's share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MonthShare {
    /// `2026-11`.
    pub month: String,
    /// What counts.
    pub eligible: u32,
    /// Taken in full.
    pub taken: u32,
    /// `taken / eligible`, from 0 to 1.
    pub share: Option<f64>,
}

/// What became of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum DayState {
    /// All of it was taken.
    All,
    /// Some of it was taken.
    Some,
    /// None of it was taken.
    None,
    /// Something can still be answered.
    Open,
    /// Paused.
    Excused,
    /// Could not be asked about.
    Unknown,
}

/// What became of a day on which something was planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DayCoverage {
    /// The day.
    #[cfg_attr(test, schemars(with = "String"))]
    pub date: Date,
    /// What became of it.
    pub state: DayState,
}

/// A form that can be filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Form {
    /// The item's id.
    pub item: String,
    /// The item's name.
    pub name: String,
    /// `check-in` or `scan`.
    pub kind: Kind,
    /// The form, with its version.
    pub form: String,
    /// The language of its questions.
    pub language: String,
    /// What is asked.
    pub questions: Vec<Question>,
}

/// One question of a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Question {
    /// The member of `answers` that answers it.
    pub key: String,
    /// The question.
    pub text: String,
    /// What 0 means; only of a question that is answered from 0 to 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<String>,
    /// What 10 means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<String>,
    /// How the answer is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// What it is measured in, where the answer is a number of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<NumberRange>,
}

/// The numbers that answer a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NumberRange {
    /// Of what.
    pub unit: String,
    /// The lowest that can be.
    pub min: Option<String>,
    /// The highest that can be.
    pub max: Option<String>,
}

/// How an answer differs from the last one to the same question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ScoreChange {
    /// By how many points.
    pub change: Option<i16>,
    /// Whether that is more than answers vary by themselves.
    pub clear: Option<bool>,
}

/// An answered check-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CheckIn {
    /// The id of its fact.
    pub fact: String,
    /// The item's id.
    pub item: String,
    /// When it was.
    pub at: EventTime,
    /// The form, with its version.
    pub form: String,
    /// The language of its questions.
    pub language: String,
    /// From 0 to 10 by question; null where it was left out.
    pub answers: BTreeMap<String, Option<u8>>,
    /// Numbers with their unit by question; null where one was left out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, Option<String>>,
    /// What had changed.
    pub changed: Option<String>,
    /// A note.
    pub note: Option<String>,
    /// How each answer differs from the last one.
    pub since_the_last: BTreeMap<String, ScoreChange>,
}

/// One site of a recorded scan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Scan {
    /// The id of its fact.
    pub fact: String,
    /// The item's id.
    pub item: String,
    /// When it was.
    pub at: EventTime,
    /// Where it was made.
    pub facility: Option<String>,
    /// The make of the device.
    pub device: Option<String>,
    /// Which device it was.
    pub device_id: Option<String>,
    /// The region.
    pub region: String,
    /// Left or right.
    pub side: Option<String>,
    /// Which vertebrae.
    pub vertebrae: Option<String>,
    /// The bone mineral density in g/cm2.
    pub bmd: f64,
    /// The T-score.
    pub t_score: Option<String>,
    /// The Z-score.
    pub z_score: Option<String>,
    /// A note.
    pub note: Option<String>,
    /// How it compares with the last comparable one.
    #[serde(flatten)]
    pub comparison: Comparison,
}

/// How a scan compares with those before that were made alike.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Comparison {
    /// The difference to the last comparable one, in g/cm2.
    pub change: Option<f64>,
    /// The same in percent.
    pub change_percent: Option<f64>,
    /// The least significant change, in g/cm2.
    pub lsc: Option<f64>,
    /// Whether that is a default and not the facility's own.
    pub lsc_is_default: Option<bool>,
    /// Whether the difference is beyond the measurement error.
    pub detectable: Option<bool>,
    /// The fact that it is compared with.
    pub comparable_with: Option<String>,
    /// What differs from the last one of its region, where it can be compared with none.
    #[serde(default)]
    pub differs_in: Vec<String>,
    /// The slope of all comparable ones, in g/cm2 a year.
    pub slope: Option<f64>,
    /// The lower end of the slope's 95 % interval.
    pub slope_low: Option<f64>,
    /// The upper end of the slope's 95 % interval.
    pub slope_high: Option<f64>,
}

/// An item that is in the schedule, or was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PlannedItem {
    /// The item's id.
    pub item: String,
    /// The item's name.
    pub name: String,
    /// The day from which its intervals and cycles count.
    #[cfg_attr(test, schemars(with = "String"))]
    pub counts_from: Date,
    /// Since when it is in the schedule.
    pub since: ZonedTime,
    /// When it was taken out of it.
    pub ended: Option<ZonedTime>,
    /// Its dose of today.
    #[serde(default)]
    pub dose: Option<String>,
    /// Whether the person is to say how much it is; the dose is what is proposed.
    #[serde(default)]
    pub asks_amount: bool,
    /// Whether it is taken as needed.
    #[serde(default)]
    pub as_needed: bool,
    /// When it was last taken, of one that is taken as needed or has a limit.
    #[serde(default)]
    pub last: Option<EventTime>,
    /// How its limit stands.
    #[serde(default)]
    pub limit: Option<LimitStatus>,
}

/// How the limit of an item stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LimitStatus {
    /// The limit, `4 g / 24h`.
    pub limit: String,
    /// What was taken within its time.
    pub taken: String,
    /// What is left of it; none where it is exceeded.
    pub left: Option<String>,
    /// Whether one more dose is within it.
    pub is_next_within: bool,
    /// When the next dose is within it, if not now.
    pub next_within_at: Option<ZonedTime>,
}

/// What is left of an item whose stock is counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StockLevel {
    /// The item's id.
    pub item: String,
    /// The item's name.
    pub name: String,
    /// How many are left, whole ones.
    pub left: u32,
    /// How many are left, parts included, and of what.
    #[serde(default)]
    pub left_exactly: String,
    /// What is counted; doses where there is none.
    #[serde(default)]
    pub unit: Option<String>,
    /// At how many it is time to refill.
    pub refill_at: u32,
    /// How many days ahead it is time to refill, where that is not said as a number.
    #[serde(default)]
    pub refill_days: Option<u32>,
    /// The last day on which it can be used.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub expires: Option<Date>,
    /// Whether it is.
    pub low: bool,
    /// The first dose for which there is nothing left; none where nothing planned within three years is left without.
    pub runs_out: Option<ZonedTime>,
}
