//! The schedule file as it is written, and how all of its errors of form are found in one run.

use std::ops::Range;

#[cfg(test)]
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::report::Problem;
use super::text::{ClockTime, Day, Days, Text, ZoneName};
use crate::schedule::{ChannelId, CronRule, ItemId, Length, Quantity, Quiet, Target};

/// A dosed schedule.
#[derive(Debug, Default, Deserialize)]
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
    /// Hours in which nothing sounds or shows; what comes due waits, at most for half of its grace.
    pub(super) quiet: Option<Text<Quiet>>,
    /// How long *Snooze* lasts when nobody says.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Option<Text<Length>>"))]
    pub(super) snooze: Option<Spanned<Text<Length>>>,
    /// Things that are taken.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<ItemToml>"))]
    pub(super) supplement: Vec<Spanned<ItemToml>>,
    /// Things that are done.
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
    /// Ways to reach a person beyond the desktop; an item names them in `then`.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<ChannelToml>"))]
    pub(super) channel: Vec<Spanned<ChannelToml>>,
}

/// A way to reach a person beyond the desktop.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ChannelToml {
    /// Its name, as `then` calls it.
    pub(super) id: Text<ChannelId>,
    /// How it is reached.
    pub(super) kind: WayToml,
    /// Whether names and doses stay on this machine; `false` lets them out.
    #[serde(default = "yes")]
    pub(super) private: bool,
    /// The program and its arguments; it gets one JSON object on its standard input. (command)
    pub(super) command: Option<Vec<String>>,
    /// How long the program may run. (command)
    pub(super) timeout: Option<Text<Length>>,
    /// Where one JSON object is posted to. (webhook)
    pub(super) url: Option<String>,
    /// Where the address is read from, if it is a secret. (webhook)
    pub(super) url_from: Option<SourceToml>,
    /// The server's address, such as `https://ntfy.sh`. (ntfy)
    pub(super) server: Option<String>,
    /// Where reminders are published. (ntfy)
    pub(super) topic: Option<String>,
    /// Where the topic is read from: whoever knows it can read along. (ntfy)
    pub(super) topic_from: Option<SourceToml>,
    /// The topic on which the phone answers. (ntfy)
    pub(super) replies: Option<String>,
    /// Where that topic is read from. (ntfy)
    pub(super) replies_from: Option<SourceToml>,
    /// Where the access token is read from. (webhook, ntfy)
    pub(super) token_from: Option<SourceToml>,
    /// From 1 to 5. (ntfy)
    pub(super) priority: Option<u8>,
    /// Tags, shown as symbols. (ntfy)
    pub(super) tags: Option<Vec<String>>,
}

fn yes() -> bool {
    true
}

/// How a channel is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(super) enum WayToml {
    /// A program of this machine.
    Command,
    /// A server that JSON is posted to.
    Webhook,
    /// An ntfy server.
    Ntfy,
}

/// Where a secret is read from, one of the two.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct SourceToml {
    /// A file, beginning with `/` or `~/`.
    pub(super) file: Option<String>,
    /// A credential that systemd hands to the service.
    pub(super) credential: Option<String>,
}

/// One item of the schedule.
#[expect(clippy::struct_excessive_bools, reason = "they are the keys of the file")]
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ItemToml {
    /// Its name for machines: 1 to 64 of a-z, 0-9 and `-`.
    pub(super) id: Text<ItemId>,
    /// Its name for people; without one, the id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    /// A note that stands on the reminder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,
    /// How much at a time. (supplement)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dose: Option<Text<Quantity>>,
    /// The strain of a probiotic. (supplement)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) strain: Option<String>,
    /// What it comes as, such as a capsule. (supplement)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) form: Option<String>,
    /// Who makes it. (supplement)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) brand: Option<String>,
    /// The batch that is being used. (supplement)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) batch: Option<String>,
    /// What it belongs to: `dosed adherence --groups` looks at a group as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) group: Option<String>,
    /// What to take it with, such as food. (supplement)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) with: Option<String>,
    /// How much of it a person aims at. (habit)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) target: Option<Text<Target>>,
    /// Asks three of the five questions: made for every month. (check-in)
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) short: bool,
    /// Questions of your own, in place of the shipped ones. (check-in)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) questions: Option<Vec<QuestionToml>>,
    /// The times of the day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) times: Option<Vec<Text<ClockTime>>>,
    /// The weekdays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) days: Option<Days>,
    /// From one to the next: days, weeks, months and years on the calendar, hours as elapsed time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) every: Option<Text<Length>>,
    /// A five-field cron pattern in local time, in place of `times`, `days` and `every`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cron: Option<Text<CronRule>>,
    /// The first day, and the anchor of `every` and `cycle`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<Day>,
    /// The last day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<Day>,
    /// It has no times and is logged when it happens.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) as_needed: bool,
    /// Days on and days off, over and over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cycle: Option<CycleToml>,
    /// Doses that hold from a date on. (supplement)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) taper: Option<Vec<TaperToml>>,
    /// The zone of its times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) zone: Option<Text<ZoneName>>,
    /// How long after its time it can still be answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) grace: Option<Text<Length>>,
    /// How often to ask again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) again: Option<AgainToml>,
    /// What else to try while there is no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) then: Option<Vec<StepToml>>,
    /// What to do with a slot that is noticed late, after suspend say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) late: Option<LateToml>,
    /// How long ahead to announce it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) lead: Option<Vec<Text<Length>>>,
    /// The next one counts from the last that was recorded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) after_last: bool,
    /// Keeps its name and dose out of notifications and logs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) private: bool,
    /// How long after one the next would be too soon: it is asked once more. (supplement)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gap: Option<Text<Length>>,
    /// What to keep it apart from. (supplement)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) apart: Option<Vec<ApartToml>>,
    /// What is in the cupboard. (supplement)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stock: Option<StockToml>,
}

/// A question that is answered with 0 to 10.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct QuestionToml {
    /// Its name in answers, as in `rest=7`.
    pub(super) key: Text<ItemId>,
    /// What is asked.
    pub(super) text: String,
    /// What 0 means.
    pub(super) low: String,
    /// What 10 means.
    pub(super) high: String,
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

/// A dose that holds from a date on.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct TaperToml {
    /// The first day of this dose.
    pub(super) from: Day,
    /// The dose.
    pub(super) dose: Text<Quantity>,
}

/// How often to ask again.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct AgainToml {
    /// The time between two reminders.
    pub(super) every: Text<Length>,
    /// How many times after the first.
    pub(super) at_most: u32,
}

/// Another way to try while there is no answer.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct StepToml {
    /// How long after the time.
    pub(super) after: Text<Length>,
    /// The channel's id.
    pub(super) channel: Text<ChannelId>,
}

/// What to do with a slot that is noticed late.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(super) enum LateToml {
    /// Remind while the grace lasts.
    Remind,
    /// Let it go.
    Miss,
}

/// What to keep an item apart from.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ApartToml {
    /// The other item's id.
    pub(super) from: Text<ItemId>,
    /// The least time between the two.
    pub(super) by: Text<Length>,
}

/// What is in the cupboard.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct StockToml {
    /// Doses at hand.
    pub(super) have: u32,
    /// The number of doses at which a refill is due.
    pub(super) refill_at: u32,
}

/// A file with more errors than this tells only the first.
const MAX_PROBLEMS: usize = 100;

/// What a missing `id` is filled in with, so that the rest of its item is read too.
const PLACEHOLDER: &str = "missing-id";

/// Reads the file's form: syntax, keys and types, with every error that there is.
pub(super) fn read(text: &str) -> Result<FileToml, Vec<Problem>> {
    let (mut document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(in_order(errors.iter().map(|error| Problem::from_toml(error, text)).collect()));
    }
    let mut problems = Vec::new();
    let mut kinds = ["supplement", "habit", "check-in", "scan"].map(|kind| {
        let tables = take_tables(document.get_mut(), kind);
        tables.into_iter().filter_map(|table| read_table(table, text, &mut problems)).collect::<Vec<_>>()
    });
    let channels = take_tables(document.get_mut(), "channel");
    let channels: Vec<_> =
        channels.into_iter().filter_map(|table| read_table(table, text, &mut problems)).collect();
    let file: Option<FileToml> = read_table(document, text, &mut problems);
    match file {
        Some(mut file) if problems.is_empty() => {
            file.channel = channels;
            [&mut file.supplement, &mut file.habit, &mut file.check_in, &mut file.scan]
                .into_iter()
                .zip(&mut kinds)
                .for_each(|(place, items)| std::mem::swap(place, items));
            Ok(file)
        }
        _ => Err(in_order(problems)),
    }
}

/// Puts problems in the order of their place, the first of them where there are too many.
pub(super) fn in_order(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by_key(|problem| problem.span.start);
    problems.truncate(MAX_PROBLEMS);
    problems
}

/// Takes an array of tables out of a document; anything else stays, for serde to refuse.
fn take_tables<'i>(document: &mut DeTable<'i>, key: &str) -> Vec<Spanned<DeTable<'i>>> {
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
/// serde stops at its first error. So after each, the entry that it names is taken out and the rest
/// is read again, until nothing is wrong; a missing `id` is filled in instead.
fn read_table<T: DeserializeOwned>(
    mut table: Spanned<DeTable<'_>>,
    text: &str,
    problems: &mut Vec<Problem>,
) -> Option<T> {
    let whole = table.span();
    loop {
        let error = match T::deserialize(toml::de::Deserializer::from(table.clone())) {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
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
        if error.message().starts_with("missing field `id`") && !entries.contains_key("id") {
            fill_in_id(entries);
            continue;
        }
        let span = error.span()?;
        let covers = |outer: Range<usize>| outer.start <= span.start && span.end <= outer.end;
        let (key, _) = entries.iter().find(|(key, value)| covers(key.span()) || covers(value.span()))?;
        let key = key.clone();
        entries.remove(&key);
        if key.get_ref() == "id" {
            // A bad one has been told; that there is none then has not to be.
            fill_in_id(entries);
        }
    }
}
