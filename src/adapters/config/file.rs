//! The schedule file as it is written, and how all of its errors of form are found in one run.

use std::ops::Range;

#[cfg(test)]
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::again::AgainToml;
use super::bounds;
use super::channel_file::ChannelToml;
use super::report::{Problem, missing_key};
use super::text::{ClockTime, Day, Days, DoseToml, QuietToml, RefillAtToml, Text, ZoneName};
use crate::core::schedule::{ChannelId, CronRule, HabitTarget, ItemId, Length, Limit, Quiet};

/// A dosed schedule.
#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct FileToml {
    /// The zone of every item without one of its own: `local` follows the clock of the machine.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Option<Text<ZoneName>>"))]
    pub(super) zone: Option<Spanned<Text<ZoneName>>>,
    /// Keeps every name and dose out of notifications and logs.
    #[serde(default)]
    pub(super) private: bool,
    /// Daily hours without reminders; what comes due waits, at most for half of its grace.
    pub(super) quiet: Option<Text<Quiet>>,
    /// How long the *Snooze* button postpones a reminder; 15 minutes by default.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Option<Text<Length>>"))]
    pub(super) snooze: Option<Spanned<Text<Length>>>,
    /// When a day begins in what is counted by days, for people who are up after midnight; midnight by default.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Option<Text<ClockTime>>"))]
    pub(super) day_starts: Option<Spanned<Text<ClockTime>>>,
    /// Asks the desktop for a sound with each reminder.
    #[serde(default)]
    pub(super) sound: bool,
    /// What is taken.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<ItemToml>"))]
    pub(super) supplement: Vec<Spanned<ItemToml>>,
    /// What is done.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<ItemToml>"))]
    pub(super) habit: Vec<Spanned<ItemToml>>,
    /// Questions to answer.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<ItemToml>"))]
    pub(super) check_in: Vec<Spanned<ItemToml>>,
    /// Appointments for a scan.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<ItemToml>"))]
    pub(super) scan: Vec<Spanned<ItemToml>>,
    /// Channels beyond the desktop; an item refers to them in `then`.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<ChannelToml>"))]
    pub(super) channel: Vec<Spanned<ChannelToml>>,
}

/// One item of the schedule.
#[expect(clippy::struct_excessive_bools, reason = "they are the keys of the file")]
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ItemToml {
    /// Its id: 1 to 64 of a-z, 0-9 and `-`.
    pub(super) id: Text<ItemId>,
    /// The id that it had before; its record goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) formerly: Option<Text<ItemId>>,
    /// Display name; the id by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    /// A note shown on the reminder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,
    /// Amount of one dose. (supplement, habit)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dose: Option<DoseToml>,
    /// Whether the amount is decided each time. (supplement, habit)
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) ask_amount: bool,
    /// The strain of a probiotic. (supplement)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) strain: Option<String>,
    /// Form, such as a capsule. (supplement)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) form: Option<String>,
    /// Brand. (supplement)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) brand: Option<String>,
    /// Batch in use. (supplement)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) batch: Option<String>,
    /// Group of the item; `dosed adherence --groups` evaluates each group as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) group: Option<String>,
    /// What to take it with, such as food. (supplement)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) with: Option<String>,
    /// Amount to aim for. (habit)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) target: Option<Text<HabitTarget>>,
    /// Whether it stops asking once the aim of the day is reached. (habit)
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) until_reached: bool,
    /// Asks only three of the five questions, for monthly check-ins. (check-in)
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) short: bool,
    /// Custom questions, replacing the default ones. (check-in)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) questions: Option<Vec<QuestionToml>>,
    /// Times of day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) times: Option<Vec<Text<ClockTime>>>,
    /// Weekdays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) days: Option<Days>,
    /// Interval: days, weeks, months and years on the calendar, hours and minutes as elapsed time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) every: Option<Text<Length>>,
    /// Five-field cron pattern in local time, instead of `times`, `days` and `every`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cron: Option<Text<CronRule>>,
    /// Start date, and anchor of `every` and `cycle`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<Day>,
    /// End date (inclusive).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<Day>,
    /// No planned times: logged when it happens.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) as_needed: bool,
    /// Repeating cycle of days on and days off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cycle: Option<CycleToml>,
    /// Doses that change on given dates. (supplement)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) taper: Option<Vec<TaperToml>>,
    /// Doses in turn, one for each planned day. (supplement)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) turns: Option<Vec<DoseToml>>,
    /// Several steps, each with its own times and dose, instead of `times`, `days`, `every` and `cron`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) plan: Option<Vec<StepPlanToml>>,
    /// Time zone of its times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) zone: Option<Text<ZoneName>>,
    /// How long after its time it can still be answered, from 1m to 366d.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) grace: Option<Text<Length>>,
    /// Repetition of an unanswered reminder; `false` for none, also on a desktop that hides reminders after seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) again: Option<AgainToml>,
    /// Quiet hours of its own, or `false` for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) quiet: Option<QuietToml>,
    /// Escalation to other channels while there is no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) then: Option<Vec<StepToml>>,
    /// What to do with a reminder that is late, for example after suspend.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) late: Option<LateToml>,
    /// How long in advance to announce it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) lead: Option<Vec<Text<Length>>>,
    /// The next one is counted from the last recorded one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) after_last: bool,
    /// Keeps its name and dose out of notifications and logs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) private: bool,
    /// Minimum time between two intakes; an earlier one must be confirmed. (supplement)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gap: Option<Text<Length>>,
    /// The most within a time, as in `4 g / 24 h`; what would exceed it must be confirmed. (supplement)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) limit: Option<Text<Limit>>,
    /// Items to keep it apart from. (supplement)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) apart: Option<Vec<ApartToml>>,
    /// Stock at hand. (supplement)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stock: Option<StockToml>,
}

/// A question answered with 0 to 10, or with a number and its unit.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct QuestionToml {
    /// Its key in answers, as in `rest=7`.
    pub(super) key: Text<ItemId>,
    /// Text of the question.
    pub(super) text: String,
    /// Meaning of 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) low: Option<String>,
    /// Meaning of 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) high: Option<String>,
    /// What is measured, in place of 0 to 10, such as `mmHg`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unit: Option<String>,
    /// The lowest number that can be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) min: Option<f64>,
    /// The highest number that can be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max: Option<f64>,
}

/// Days on and days off.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct CycleToml {
    /// Days on.
    pub(super) on: u32,
    /// Days off.
    pub(super) off: u32,
}

/// One step of a plan.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct StepPlanToml {
    /// Times of day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) times: Option<Vec<Text<ClockTime>>>,
    /// Weekdays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) days: Option<Days>,
    /// Interval in days, weeks, months or years, counted from `from`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) every: Option<Text<Length>>,
    /// Five-field cron pattern in local time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cron: Option<Text<CronRule>>,
    /// Start date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<Day>,
    /// End date (inclusive).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<Day>,
    /// Repeating cycle of days on and days off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cycle: Option<CycleToml>,
    /// Amount of one dose of this step; that of the item by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dose: Option<DoseToml>,
}

/// A dose from a given date on.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct TaperToml {
    /// Start date of this dose.
    pub(super) from: Day,
    /// The dose.
    pub(super) dose: DoseToml,
}

/// Repetition of an unanswered reminder.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RepetitionToml {
    /// Time between two reminders.
    pub(super) every: Text<Length>,
    /// Number of repetitions after the first reminder.
    pub(super) at_most: u32,
}

/// One step of the escalation.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct StepToml {
    /// How long after the planned time.
    pub(super) after: Text<Length>,
    /// Id of the channel.
    pub(super) channel: Text<ChannelId>,
}

/// What to do with a reminder that is late.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(super) enum LateToml {
    /// Remind within the grace.
    Remind,
    /// Count it as missed.
    Miss,
}

/// An item to keep apart from.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ApartToml {
    /// Id of the other item.
    pub(super) from: Text<ItemId>,
    /// Minimum time between the two.
    pub(super) by: Text<Length>,
}

/// Stock at hand.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct StockToml {
    /// How many are at hand.
    pub(super) have: u32,
    /// How few are left, or how many days ahead it runs out, when a refill is due: `10`, or `"10 days"`.
    pub(super) refill_at: RefillAtToml,
    /// What is counted, such as tablets; by default, tablets and the like as the dose has them, else doses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unit: Option<String>,
    /// How much one of them has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) each: Option<DoseToml>,
    /// The last day on which it can be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expires: Option<Day>,
}

/// A file with more errors than this reports only the first.
pub(super) const MAX_PROBLEMS: usize = 100;

/// Replaces a missing `id`, so that the rest of its item is read too.
const PLACEHOLDER: &str = "missing-id";

/// Reads the file's form: syntax, keys and types, with every error that there is.
pub(super) fn read(text: &str) -> Result<FileToml, Vec<Problem>> {
    let (mut document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(sorted(errors.iter().map(|error| Problem::from_toml(error, text)).collect()));
    }
    let mut problems = bounds::control_characters(document.get_ref());
    let mut kinds = ["supplement", "habit", "check-in", "scan"].map(|kind| {
        let tables = remove_tables(document.get_mut(), kind);
        tables.into_iter().filter_map(|table| read_table(table, text, &mut problems)).collect::<Vec<_>>()
    });
    let channels = remove_tables(document.get_mut(), "channel");
    let channels: Vec<_> =
        channels.into_iter().filter_map(|table| read_table(table, text, &mut problems)).collect();
    let file: Option<FileToml> = read_table(document, text, &mut problems);
    match file {
        Some(mut file) if problems.is_empty() => {
            file.channel = channels;
            [&mut file.supplement, &mut file.habit, &mut file.check_in, &mut file.scan]
                .into_iter()
                .zip(&mut kinds)
                .for_each(|(empty, items)| std::mem::swap(empty, items));
            Ok(file)
        }
        _ => Err(sorted(problems)),
    }
}

/// Sorts problems by position, and keeps the first of them where there are too many.
pub(super) fn sorted(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by_key(|problem| problem.span.start);
    problems.truncate(MAX_PROBLEMS);
    problems
}

/// Removes an array of tables from a document; anything else stays, for serde to refuse.
fn remove_tables<'i>(document: &mut DeTable<'i>, key: &str) -> Vec<Spanned<DeTable<'i>>> {
    let is_tables = |value: &DeValue<'_>| {
        value.as_array().is_some_and(|array| array.iter().all(|entry| entry.get_ref().is_table()))
    };
    if !document.get(key).is_some_and(|value| is_tables(value.get_ref())) {
        return Vec::new();
    }
    let Some(DeValue::Array(array)) = document.remove(key).map(Spanned::into_inner) else {
        return Vec::new();
    };
    array
        .into_iter()
        .filter_map(|entry| {
            let span = entry.span();
            match entry.into_inner() {
                DeValue::Table(table) => Some(Spanned::new(span, table)),
                _ => None,
            }
        })
        .collect()
}

/// Reads one table.
///
/// serde stops at its first error. So after each, the entry that it names is removed and the rest
/// is read again, until nothing is wrong; a missing `id` is filled in instead.
fn read_table<T: DeserializeOwned>(
    mut table: Spanned<DeTable<'_>>,
    text: &str,
    problems: &mut Vec<Problem>,
) -> Option<T> {
    let whole = table.span();
    let mut refused: Vec<String> = Vec::new();
    loop {
        let error = match T::deserialize(toml::de::Deserializer::from(table.clone())) {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        if missing_key(&error).is_some_and(|key| refused.iter().any(|refused| refused == key)) {
            // It was there and was refused; serde looks for missing keys last.
            return None;
        }
        problems.push(Problem::from_toml(&error, text));
        if problems.len() >= MAX_PROBLEMS {
            // Each error costs a reading of the whole table.
            return None;
        }
        let entries = table.get_mut();
        let fill_in_id = |entries: &mut DeTable<'_>| {
            let at = whole.start..whole.start;
            let id = DeValue::String(PLACEHOLDER.into());
            entries.insert(Spanned::new(at.clone(), "id".into()), Spanned::new(at, id));
        };
        if missing_key(&error) == Some("id") && !entries.contains_key("id") {
            fill_in_id(entries);
            continue;
        }
        let span = error.span()?;
        let covers = |outer: Range<usize>| outer.start <= span.start && span.end <= outer.end;
        let (key, _) = entries.iter().find(|(key, value)| covers(key.span()) || covers(value.span()))?;
        let key = key.clone();
        entries.remove(&key);
        if key.get_ref() == "id" {
            // Reported as wrong: it is not missing as well.
            fill_in_id(entries);
        }
        refused.push(key.get_ref().to_string());
    }
}
