//! What the record shows of habits and check-ins together.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// What the record shows of habits and check-ins together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Insight {
    /// How many check-ins there are.
    pub check_ins: usize,
    /// How many a first look needs.
    pub needed: usize,
    /// How many pairs are compared.
    pub comparisons: usize,
    /// The seed of the permutations.
    pub seed: u64,
    /// The pair that was chosen before anything was answered.
    pub primary: PrimaryPair,
    /// Each item with each question.
    pub pairs: Vec<Pair>,
    /// What was left out, and why.
    pub notes: Vec<String>,
    /// When something had changed.
    pub changed: Vec<ChangeNote>,
    /// The mean share of all items in the last days.
    pub composite: Option<f64>,
    /// How often things happened on the same day.
    pub together: CoOccurrence,
    /// How many days before a check-in count.
    pub window_days: i32,
    /// The day on which, by the schedule, there are enough check-ins.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub first_answer: Option<Date>,
}

/// The pair that was chosen beforehand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PrimaryPair {
    /// The item.
    pub exposure: String,
    /// The question.
    pub outcome: String,
}

/// One item's adherence and one question's answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Pair {
    /// The item.
    pub exposure: String,
    /// The question.
    pub outcome: String,
    /// Whether it was chosen beforehand.
    pub primary: bool,
    /// How many check-ins count.
    pub n: usize,
    /// How many were left out.
    pub dropped: usize,
    /// Kendall's tau-b without the trends.
    pub tau_b: Option<f64>,
    /// Kendall's tau-b.
    pub tau_b_raw: Option<f64>,
    /// The p-value.
    pub p: Option<f64>,
    /// The p-value adjusted for the number of pairs.
    pub p_adjusted: Option<f64>,
    /// How the p-value was found.
    pub method: Option<String>,
    /// The Theil-Sen slope.
    pub slope: Option<f64>,
    /// The lower end of its interval.
    pub slope_low: Option<f64>,
    /// The upper end of its interval.
    pub slope_high: Option<f64>,
    /// Whether the two are unlikely to have gone together by chance alone.
    #[serde(default)]
    pub stands_out: bool,
    /// All of it as a sentence.
    pub sentence: String,
}

/// What the person noted as changed at a check-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ChangeNote {
    /// The day of the check-in.
    #[cfg_attr(test, schemars(with = "String"))]
    pub date: Date,
    /// What had changed.
    #[serde(rename = "said")]
    pub text: String,
}

/// How often things happened on the same day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CoOccurrence {
    /// Days on which everything was done.
    pub all: u32,
    /// Days that count.
    pub days: u32,
    /// Each two items.
    pub pairs: Vec<ItemPair>,
}

/// Two items and the days on which both were done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ItemPair {
    /// One item.
    pub a: Option<String>,
    /// The other.
    pub b: Option<String>,
    /// Days on which both were done.
    pub both: u32,
    /// Days that count.
    pub days: u32,
}
