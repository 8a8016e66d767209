//! The day: what is due, answered and coming, what comes next, and what a schedule makes.

use anstyle::Style;
use jiff::civil::DateTime;
use jiff::{Timestamp, Zoned};

use super::text::{Cell, FAINT, PLAIN, WAITS, amount, cell, clock, from_now, state_style, table};
use crate::protocol::{
    ComingOccurrence, EventTime, LimitStatus, Occurrence, OccurrenceDetails, OccurrenceState, PauseStatus,
    PlannedItem,
};

/// Shows the day: what is due, answered and coming.
#[must_use]
pub fn today(occurrences: &[OccurrenceDetails], now: Timestamp) -> String {
    if occurrences.is_empty() {
        return "Nothing is scheduled for today. `dosed next` shows what comes next.\n".to_owned();
    }
    let lines: Vec<Vec<Cell>> = occurrences
        .iter()
        .map(|row| {
            let mut line = day_row(row, now);
            line.push(cell(&row.occurrence.occurrence, FAINT));
            line
        })
        .collect();
    let mut out = table(&lines);
    if let Some(due) = occurrences.iter().find(|row| row.occurrence.state == OccurrenceState::Due) {
        out.push_str(&format!(
            "\n{FAINT}To answer: `dosed answer` (one by one), or `dosed take {}`{FAINT:#}\n",
            due.occurrence.item
        ));
    }
    out
}

/// Returns what is shown of one occurrence of the day: its time, state and name, and what it is.
#[must_use]
pub fn day_row(row: &OccurrenceDetails, now: Timestamp) -> Vec<Cell> {
    let state = row.occurrence.state;
    let name_style = if state == OccurrenceState::Due { Style::new().bold() } else { PLAIN };
    vec![
        cell(clock(&row.occurrence.at.0, now), PLAIN),
        cell(describe_state(row, now), state_style(state)),
        cell(&row.occurrence.name, name_style),
        cell(what(row), PLAIN),
    ]
}

/// Shows what is taken as needed: when it was last, and what is left of its limit; empty where there is nothing of the kind.
#[must_use]
pub fn as_needed(items: &[PlannedItem], now: Timestamp) -> String {
    let line = |item: &PlannedItem| {
        let last = match &item.last {
            None => "not taken yet".to_owned(),
            Some(EventTime::Instant(at)) => format!("last {}", clock(&at.0, now)),
            Some(EventTime::Day(date)) => format!("last {date}"),
        };
        vec![
            cell(&item.name, PLAIN),
            cell(item.dose.as_deref().map(amount).unwrap_or_default(), PLAIN),
            cell(last, FAINT),
            cell(item.limit.as_ref().map(|limit| within_limit(limit, now)).unwrap_or_default(), PLAIN),
        ]
    };
    let is_shown = |item: &&PlannedItem| item.as_needed && item.ended.is_none();
    let lines: Vec<Vec<Cell>> = items.iter().filter(is_shown).map(line).collect();
    if lines.is_empty() { String::new() } else { format!("\nAs needed\n{}", table(&lines)) }
}

fn within_limit(status: &LimitStatus, now: Timestamp) -> String {
    let LimitStatus { limit, taken, left, is_next_within, next_within_at } = status;
    let left =
        left.as_deref().map_or_else(|| "nothing left".to_owned(), |left| format!("{} left", amount(left)));
    let next = match next_within_at {
        Some(at) => format!(", the next is within it {}", clock(&at.0, now)),
        None if *is_next_within => String::new(),
        None => ", the dose is more".to_owned(),
    };
    format!("{} of {limit}, {left}{next}", amount(taken))
}

/// Offers to fill in what could not be asked about; empty where everything was.
#[must_use]
pub fn not_asked(occurrences: &[OccurrenceDetails]) -> String {
    let is_unknown = |row: &&OccurrenceDetails| row.occurrence.state == OccurrenceState::Unknown;
    let unknown: Vec<&OccurrenceDetails> = occurrences.iter().filter(is_unknown).collect();
    let Some(newest) = unknown.last() else { return String::new() };
    let count = match unknown.len() {
        1 => "One reminder".to_owned(),
        n => format!("{n} reminders"),
    };
    format!(
        "\n{FAINT}{count} of the last 7 days could not be shown. To fill one in: dosed take {}{FAINT:#}\n",
        newest.occurrence.occurrence
    )
}

/// Returns the state with the time that belongs to it.
pub(super) fn describe_state(row: &OccurrenceDetails, now: Timestamp) -> String {
    let state = row.occurrence.state;
    if let Some(until) = &row.snoozed_until {
        return format!("snoozed until {}", clock(&until.0, now));
    }
    match (state, row.answered_at.as_ref().and_then(EventTime::instant)) {
        (OccurrenceState::Taken | OccurrenceState::Partial | OccurrenceState::Skipped, Some(at)) => {
            format!("{} {}", state.as_str(), clock(at, now))
        }
        (OccurrenceState::Due, _) => format!("due, until {}", clock(&row.closes.0, now)),
        _ => state.as_str().to_owned(),
    }
}

/// Returns what is to be taken or done.
fn what(row: &OccurrenceDetails) -> String {
    let mut parts = Vec::new();
    match (&row.amount, &row.occurrence.dose) {
        (Some(taken), Some(dose)) if taken != dose => {
            parts.push(format!("{} of {}", amount(taken), amount(dose)));
        }
        (taken, dose) => parts.extend(taken.as_ref().or(dose.as_ref()).map(|text| amount(text))),
    }
    parts.extend(row.with.as_ref().map(|with| format!("with {with}")));
    parts.extend(row.target.as_ref().map(|target| format!("aim: {target}")));
    parts.join(", ")
}

/// Shows what comes next.
#[must_use]
pub fn next(occurrences: &[ComingOccurrence], now: Timestamp) -> String {
    if occurrences.is_empty() {
        return "Nothing is scheduled.\n".to_owned();
    }
    let line = |ComingOccurrence { occurrence: row, snoozed_until }: &ComingOccurrence| {
        let change = match (snoozed_until, row.state) {
            (Some(until), _) => format!("postponed to {}", clock(&until.0, now)),
            (None, OccurrenceState::Upcoming) => String::new(),
            (None, state) => state.as_str().to_owned(),
        };
        vec![
            cell(clock(&row.at.0, now), PLAIN),
            cell(from_now(row.at.timestamp(), now), FAINT),
            cell(&row.name, PLAIN),
            cell(row.dose.as_deref().map(amount).unwrap_or_default(), PLAIN),
            cell(change, WAITS),
            cell(&row.occurrence, FAINT),
        ]
    };
    let mut lines: Vec<Vec<Cell>> = occurrences.iter().map(line).collect();
    if lines.iter().all(|line| line[4].0.is_empty()) {
        for line in &mut lines {
            line.remove(4);
        }
    }
    table(&lines)
}

/// Shows the pauses that run or are planned.
#[must_use]
pub fn pauses(pauses: &[PauseStatus], now: Timestamp) -> String {
    let line = |pause: &PauseStatus| {
        let what = pause.item.as_deref().unwrap_or("all reminders");
        let until = pause.until.as_ref().map(|until| format!(" until {}", clock(&until.0, now)));
        if pause.from.timestamp() <= now {
            format!("Paused: {what}{}\n", until.unwrap_or_default())
        } else {
            let from = clock(&pause.from.0, now);
            format!("Will be paused: {what} from {from}{}\n", until.unwrap_or_default())
        }
    };
    pauses.iter().map(line).collect()
}

/// Asks about one occurrence of several.
#[must_use]
pub fn question(row: &OccurrenceDetails, number: usize, of: usize, now: Timestamp) -> String {
    let Occurrence { name, dose, at, .. } = &row.occurrence;
    let dose = dose.as_ref().map(|dose| format!(", {}", amount(dose))).unwrap_or_default();
    format!("{number} of {of}: {WAITS}{name}{WAITS:#}{dose}, planned {}", clock(&at.0, now))
}

/// Returns one line of what a schedule makes: `at` is when the slot that was `planned` for a local time is due.
#[must_use]
pub fn simulated(occurrence: &str, item: &str, planned: &str, at: &Zoned, item_width: usize) -> String {
    // Where the clock shows another time than planned, both are worth seeing.
    let shifted = match planned.parse::<DateTime>() {
        Ok(planned) if at.datetime() != planned => format!("planned {}", planned.strftime("%H:%M")),
        _ => String::new(),
    };
    let due = at.strftime("%a %Y-%m-%d %H:%M");
    format!("{due}  {item:item_width$}  {WAITS}{shifted:13}{WAITS:#}  {FAINT}{occurrence}{FAINT:#}\n")
}
