//! What was recorded: the history, one fact in words, and everything that made one occurrence what it is.

use std::collections::BTreeMap;

use anstyle::Style;
use jiff::{Timestamp, Zoned};

use super::day::describe_state;
use super::text::{Cell, FAINT, GOOD, LOST, PLAIN, amount, cell, clock, day, state_style, table};
use crate::protocol::{EventTime, Fact, FactBody, HistoryFact, Why};

/// A chain of facts that undo one another is followed so far; people make one or two.
const MAX_CHAIN: usize = 16;

/// Shows what was recorded.
#[must_use]
pub fn history(facts: &[HistoryFact]) -> String {
    let by_id: BTreeMap<&str, &Fact> = facts.iter().map(|row| (row.fact.id.as_str(), &row.fact)).collect();
    let lines: Vec<Vec<Cell>> = facts
        .iter()
        .filter_map(|row| {
            let fact = &row.fact;
            let (text, style) = describe_outcome(row, &by_id)?;
            Some(vec![
                cell(fact.recorded_at.0.strftime("%Y-%m-%d %H:%M").to_string(), PLAIN),
                cell(text, style),
                cell(subject_in(fact, &by_id), PLAIN),
                cell(&fact.id, FAINT),
            ])
        })
        .collect();
    if lines.is_empty() { "Nothing is recorded for that time.\n".to_owned() } else { table(&lines) }
}

/// Returns what a fact says and what became of it.
fn describe_outcome(row: &HistoryFact, by_id: &BTreeMap<&str, &Fact>) -> Option<(String, Style)> {
    let (text, style) = describe_fact(&row.fact)?;
    let Some(by) = &row.superseded_by else {
        let extra = if row.beyond_slot { " (extra: another answer counts for this slot)" } else { "" };
        return Some((format!("{text}{extra}"), style));
    };
    let how = match by_id.get(by.as_str()).map(|by| &by.fact) {
        Some(FactBody::Retraction { .. }) => "undone",
        Some(_) => "corrected",
        // It lies outside of what is shown.
        None => "superseded",
    };
    Some((format!("{text} ({how})"), FAINT.strikethrough()))
}

/// Returns what a fact is about.
#[must_use]
pub fn subject(fact: &Fact) -> String {
    match (fact.fact.subject(), &fact.fact) {
        (Some(subject), _) => subject.to_owned(),
        (None, FactBody::Retraction { retracts, .. }) => retracts.clone(),
        (None, _) => "all reminders".to_owned(),
    }
}

/// Returns what a fact of a history is about; one that undoes another need not name it, but the other does.
fn subject_in(fact: &Fact, by_id: &BTreeMap<&str, &Fact>) -> String {
    let earlier = |fact: &&Fact| by_id.get(fact.fact.supersedes()?).copied();
    let mut chain = std::iter::successors(Some(fact), earlier).take(MAX_CHAIN);
    chain.find_map(|fact| fact.fact.subject()).map_or_else(|| subject(fact), ToOwned::to_owned)
}

/// Returns what a fact says; `None` for what only shapes the plan.
fn describe_fact(fact: &Fact) -> Option<(String, Style)> {
    let (verb, style) = match &fact.fact {
        FactBody::Intake { check_in: Some(_), .. } => ("answered", GOOD),
        FactBody::Intake { scan: Some(_), .. } => ("recorded", GOOD),
        FactBody::Intake { occurrence: None, .. } => ("logged (not scheduled)", GOOD),
        FactBody::Intake { .. } => ("taken", GOOD),
        FactBody::Skip { .. } => ("skipped", PLAIN),
        FactBody::Snooze { .. } => ("snoozed", PLAIN),
        FactBody::Delivered { .. } => ("reminded", FAINT),
        FactBody::Undelivered { channel: Some(_), .. } => ("could not be sent", LOST),
        FactBody::Undelivered { .. } => ("could not be shown", LOST),
        FactBody::Stock { count: Some(_), .. } => ("counted", PLAIN),
        FactBody::Stock { .. } => ("stock changed by", PLAIN),
        FactBody::Closed { reason, .. } if reason == "expired" => ("expired", FAINT),
        FactBody::Closed { .. } => ("dismissed", FAINT),
        FactBody::Pause { .. } => ("paused", PLAIN),
        FactBody::Resume { .. } => ("resumed", PLAIN),
        FactBody::Retraction { .. } => ("undone:", PLAIN),
        FactBody::Regimen { .. } | FactBody::Zone { .. } | FactBody::Other => return None,
    };
    let mut parts = vec![verb.to_owned()];
    parts.extend(values(fact));
    parts.extend(happened(fact));
    let remarks = [fact.fact.reason(), fact.fact.note()].into_iter().flatten();
    parts.extend(remarks.map(|text| format!("\"{text}\"")));
    if let FactBody::Undelivered { reason, .. } = &fact.fact {
        parts.push(format!("\"{reason}\""));
    }
    Some((parts.join(" "), style))
}

/// Returns how much, through which channel, until when.
fn values(fact: &Fact) -> Vec<String> {
    match &fact.fact {
        FactBody::Intake { amount: taken, .. } => taken.iter().map(|text| amount(text)).collect(),
        FactBody::Retraction { retracts, .. } => vec![retracts.clone()],
        FactBody::Stock { count: Some(count), .. } => vec![count.to_string()],
        FactBody::Stock { add: Some(add), .. } => vec![format!("{add:+}")],
        FactBody::Delivered { channel, .. } if channel != "desktop" => vec![format!("by {channel}")],
        FactBody::Undelivered { channel: Some(channel), .. } => vec![format!("by {channel}")],
        FactBody::Snooze { until, .. } | FactBody::Pause { until: Some(until), .. } => {
            vec![format!("until {}", clock(&until.0, fact.recorded_at.timestamp()))]
        }
        _ => Vec::new(),
    }
}

/// Returns when it happened, where that is not when it was recorded.
fn happened(fact: &Fact) -> Option<String> {
    let recorded = fact.recorded_at.timestamp();
    match fact.fact.at()? {
        EventTime::Day(date) => Some(format!("on {}", day(date, fact.recorded_at.0.date()))),
        EventTime::Instant(at) => {
            let is_other = at.timestamp().duration_since(recorded).abs().as_secs() >= 60;
            let word = if matches!(fact.fact, FactBody::Pause { .. }) { "from" } else { "at" };
            is_other.then(|| format!("{word} {}", clock(&at.0, recorded)))
        }
    }
}

/// Shows what was just recorded, and how to undo it.
#[must_use]
pub fn recorded(fact: &Fact, is_repeat: bool) -> String {
    let repeat = if is_repeat { " (already recorded)" } else { "" };
    let id = &fact.id;
    let undo = match &fact.fact {
        // Without an id, the last act is undone.
        body if body.is_act() && !is_repeat => ", to undo: dosed undo".to_owned(),
        FactBody::Stock { .. } | FactBody::Retraction { .. } => format!(", to undo: dosed undo {id}"),
        body if body.is_act() => format!(", to undo: dosed undo {id}"),
        _ => String::new(),
    };
    format!("{}{repeat}  {FAINT}{id}{undo}{FAINT:#}\n", describe(fact))
}

/// Returns what a fact is about and says.
#[must_use]
pub fn describe(fact: &Fact) -> String {
    match &fact.fact {
        FactBody::Retraction { .. } => format!("undone: {}", subject(fact)),
        body => {
            let text = describe_fact(fact).map_or_else(|| "recorded".to_owned(), |(text, _)| text);
            match body {
                FactBody::Pause { item: None, .. } | FactBody::Resume { item: None, .. } => {
                    format!("All reminders {text}")
                }
                _ => format!("{}: {text}", subject(fact)),
            }
        }
    }
}

/// Shows everything that made an occurrence what it is.
#[must_use]
pub fn why(why: &Why, now: Timestamp) -> String {
    let instant = |at: &Zoned| clock(at, now);
    let row = &why.occurrence;
    let regimen = &why.regimen;
    let closed = regimen.closed.as_ref().map(|closed| format!(" until {}", instant(&closed.0)));
    let rule = regimen.definition.as_ref().map(ToString::to_string);
    let line = |name: &str, text: String| vec![cell(name, FAINT), cell(text, PLAIN)];
    let mut lines = vec![
        vec![cell("state", FAINT), cell(describe_state(row, now), state_style(row.occurrence.state))],
        line("planned", row.planned.clone()),
        line("due", row.occurrence.at.to_string()),
        line("zone", why.zone_decision.clone()),
        line("regimen", format!("since {}{}", instant(&regimen.opened.0), closed.unwrap_or_default())),
        line("rule", rule.unwrap_or_else(|| "not known".to_owned())),
    ];
    let by_id: BTreeMap<&str, &Fact> =
        why.facts.iter().map(|row| (row.fact.id.as_str(), &row.fact)).collect();
    for row in &why.facts {
        let fact = &row.fact;
        let Some((text, style)) = describe_outcome(row, &by_id) else { continue };
        lines.push(vec![
            cell(instant(&fact.recorded_at.0), FAINT),
            cell(format!("{text}, on {}", fact.device), style),
            cell(&fact.id, FAINT),
        ]);
    }
    lines.push(line("next", why.next.clone()));
    table(&lines)
}
