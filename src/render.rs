//! From answers of the daemon to text for people: aligned, coloured where a terminal shows it; and to a page.

use std::collections::{BTreeMap, BTreeSet};

use anstyle::{AnsiColor, Style};
use jiff::civil::DateTime;
use jiff::{Timestamp, Zoned};
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

pub mod bar;
mod condition;
pub mod report;
mod results;

pub use condition::{findings, status, tried};
pub use results::{FOOTER, adherence, calendar, check_ins, insight, scans, since_the_last};

const FAINT: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const WAITS: Style = AnsiColor::Yellow.on_default().bold();
const LOST: Style = AnsiColor::Red.on_default();
const PLAIN: Style = Style::new();

/// A cell of a table: its text and how it looks.
pub type Cell = (String, Style);

fn cell(text: impl Into<String>, style: Style) -> Cell {
    (text.into(), style)
}

/// Returns how wide each column of a table is.
#[must_use]
pub fn widths(rows: &[Vec<Cell>]) -> Vec<usize> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    (0..columns)
        .map(|i| rows.iter().filter_map(|row| row.get(i)).map(|(text, _)| text.width()).max().unwrap_or(0))
        .collect()
}

/// Aligns rows in columns, two spaces apart.
fn table(rows: &[Vec<Cell>]) -> String {
    let widths = widths(rows);
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (i, (text, style)) in row.iter().enumerate() {
            let pad = widths[i].saturating_sub(text.width()) + 2;
            line.push_str(&format!("{style}{text}{style:#}{}", " ".repeat(pad)));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn rows(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Returns the date of a time, which may be a date alone.
fn day(at: &str) -> &str {
    at.get(..10).unwrap_or(at)
}

fn percent(value: &Value) -> Option<String> {
    value.as_f64().map(|share| format!("{:.0} %", share * 100.0))
}

/// Returns the questions that check-ins answer or leave out.
fn questions<'a>(check_ins: impl IntoIterator<Item = &'a Value>) -> BTreeSet<&'a str> {
    let answers = check_ins.into_iter().filter_map(|row| row["answers"].as_object());
    answers.flat_map(|answers| answers.keys().map(String::as_str)).collect()
}

/// Returns where a scan was made: region, side and vertebrae.
fn site(scan: &Value) -> String {
    let parts = ["region", "side", "vertebrae"].into_iter().filter_map(|name| scan[name].as_str());
    parts.collect::<Vec<_>>().join(" ")
}

/// Says whether a difference between two scans is more than the measuring itself may give.
fn beyond_error(scan: &Value) -> &'static str {
    match scan["detectable"].as_bool() {
        Some(true) => "beyond the error of measuring",
        Some(false) => "within the error of measuring",
        None => "the error of measuring is not known",
    }
}

/// Said in place of a difference.
const NO_COMPARISON: &str = "nothing to compare it with";

fn zoned(text: &str) -> Option<Zoned> {
    text.parse().ok()
}

/// Returns a clock time, with its day when that is not `today`.
fn clock(at: &Zoned, now: Timestamp) -> String {
    let today = now.to_zoned(at.time_zone().clone()).date();
    let format = if at.date() == today { "%H:%M" } else { "%a %-d %b %H:%M" };
    let seconds = if at.second() == 0 { "" } else { ":%S" };
    at.strftime(&format!("{format}{seconds}")).to_string()
}

fn state_style(state: &str) -> Style {
    match state {
        "taken" => GOOD,
        "due" => WAITS,
        "missed" => LOST,
        "partial" => AnsiColor::Yellow.on_default(),
        _ => FAINT,
    }
}

/// Shows the day: what is due, answered and coming.
#[must_use]
pub fn today(occurrences: &Value, now: Timestamp) -> String {
    let rows = rows(occurrences);
    if rows.is_empty() {
        return "Nothing is planned for today. `dosed next` shows what comes.\n".to_owned();
    }
    let lines: Vec<Vec<Cell>> = rows
        .iter()
        .map(|row| {
            let mut line = of_the_day(row, now);
            line.push(cell(text(row, "occurrence"), FAINT));
            line
        })
        .collect();
    let mut out = table(&lines);
    if let Some(due) = rows.iter().find(|row| text(row, "state") == "due") {
        out.push_str(&format!(
            "\n{FAINT}to answer: dosed answer, one by one; or dosed take {}{FAINT:#}\n",
            text(due, "item")
        ));
    }
    out
}

/// Returns what is to be seen of one occurrence of the day: its time, state and name, and what it is.
#[must_use]
pub fn of_the_day(row: &Value, now: Timestamp) -> Vec<Cell> {
    let state = text(row, "state");
    let at = zoned(text(row, "at")).map(|at| clock(&at, now)).unwrap_or_default();
    let name_style = if state == "due" { Style::new().bold() } else { PLAIN };
    vec![
        cell(at, PLAIN),
        cell(state_words(row, now), state_style(state)),
        cell(text(row, "name"), name_style),
        cell(what(row), PLAIN),
    ]
}

/// Offers to fill in what could not be asked; nothing where all was.
#[must_use]
pub fn unasked(occurrences: &Value) -> String {
    let unasked: Vec<&Value> =
        rows(occurrences).iter().filter(|row| text(row, "state") == "unknown").collect();
    let Some(newest) = unasked.last() else { return String::new() };
    let count = match unasked.len() {
        1 => "One reminder".to_owned(),
        n => format!("{n} reminders"),
    };
    let occurrence = text(newest, "occurrence");
    format!(
        "\n{FAINT}{count} of the last 7 days could not be shown. To fill one in: dosed take {occurrence}{FAINT:#}\n"
    )
}

/// Returns the state with the time that belongs to it.
fn state_words(row: &Value, now: Timestamp) -> String {
    let state = text(row, "state");
    if let Some(until) = zoned(text(row, "snoozed_until")) {
        return format!("snoozed until {}", clock(&until, now));
    }
    match (state, zoned(text(row, "answered_at"))) {
        ("taken" | "partial" | "skipped", Some(at)) => format!("{state} {}", clock(&at, now)),
        ("due", _) => match zoned(text(row, "closes")) {
            Some(closes) => format!("due, until {}", clock(&closes, now)),
            None => state.to_owned(),
        },
        _ => state.to_owned(),
    }
}

/// Returns what is to be taken or done.
fn what(row: &Value) -> String {
    let mut parts = Vec::new();
    match (row["amount"].as_str(), row["dose"].as_str()) {
        (Some(amount), Some(dose)) if amount != dose => parts.push(format!("{amount} of {dose}")),
        (amount, dose) => parts.extend(amount.or(dose).map(ToOwned::to_owned)),
    }
    parts.extend(row["with"].as_str().map(|with| format!("with {with}")));
    parts.extend(row["target"].as_str().map(|target| format!("aim: {target}")));
    parts.join(", ")
}

/// Shows what comes next.
#[must_use]
pub fn next(occurrences: &Value, now: Timestamp) -> String {
    let rows = rows(occurrences);
    if rows.is_empty() {
        return "Nothing is planned.\n".to_owned();
    }
    let lines: Vec<Vec<Cell>> = rows
        .iter()
        .map(|row| {
            let at = zoned(text(row, "at"));
            vec![
                cell(at.as_ref().map(|at| clock(at, now)).unwrap_or_default(), PLAIN),
                cell(at.map(|at| from_now(at.timestamp(), now)).unwrap_or_default(), FAINT),
                cell(text(row, "name"), PLAIN),
                cell(text(row, "dose"), PLAIN),
                cell(text(row, "occurrence"), FAINT),
            ]
        })
        .collect();
    table(&lines)
}

/// Returns how far away an instant is, in words.
fn from_now(at: Timestamp, now: Timestamp) -> String {
    let ahead = at.duration_since(now);
    let minutes = (ahead.abs().as_secs() + 30) / 60;
    let words = match minutes {
        0 => return "now".to_owned(),
        1..60 => format!("{minutes} min"),
        60..2880 => format!("{} h {:02} min", minutes / 60, minutes % 60),
        _ => format!("{} days", minutes / 1440),
    };
    if ahead.is_negative() { format!("{words} ago") } else { format!("in {words}") }
}

/// Shows the occurrences that a schedule makes.
#[must_use]
pub fn simulation(occurrences: &Value) -> String {
    let rows = rows(occurrences);
    if rows.is_empty() {
        return "Nothing is planned in that time.\n".to_owned();
    }
    let lines: Vec<Vec<Cell>> = rows
        .iter()
        .map(|row| {
            let planned = text(row, "planned");
            let at = zoned(text(row, "at"));
            // Where the clock shows another time than planned, both are worth seeing.
            let shown =
                at.as_ref().map(|at| at.strftime("%a %Y-%m-%d %H:%M").to_string()).unwrap_or_default();
            let shifted = match (planned.parse::<DateTime>(), &at) {
                (Ok(planned), Some(at)) if at.datetime() != planned => {
                    format!("planned {}", planned.strftime("%H:%M"))
                }
                _ => String::new(),
            };
            vec![
                cell(shown, PLAIN),
                cell(text(row, "item"), PLAIN),
                cell(shifted, WAITS),
                cell(text(row, "occurrence"), FAINT),
            ]
        })
        .collect();
    table(&lines)
}

/// Returns the earlier fact that does not hold any more because of this one.
#[must_use]
pub fn replaces(fact: &Value) -> Option<&str> {
    [&fact["fact"]["retracts"], &fact["fact"]["corrects"]].into_iter().find_map(Value::as_str)
}

/// Returns the person's last answer that still stands.
#[must_use]
pub fn last_answer(facts: &Value) -> Option<&Value> {
    let facts = rows(facts);
    let replaced: BTreeSet<&str> = facts.iter().filter_map(replaces).collect();
    let mut answers = facts
        .iter()
        .rev()
        .filter(|fact| matches!(fact["fact"]["type"].as_str(), Some("intake" | "skip" | "snooze")));
    answers.find(|fact| fact["id"].as_str().is_some_and(|id| !replaced.contains(id)))
}

/// A chain of facts that take back one another is followed so far; people make one or two.
const MAX_TAKEN_BACK: usize = 16;

/// Shows what was recorded.
#[must_use]
pub fn history(facts: &Value) -> String {
    let facts = rows(facts);
    let replaced: BTreeMap<&str, &str> = facts
        .iter()
        .filter_map(|fact| {
            let done = if fact["fact"]["corrects"].is_string() { "corrected" } else { "taken back" };
            Some((replaces(fact)?, done))
        })
        .collect();
    let by_id: BTreeMap<&str, &Value> = facts.iter().map(|fact| (text(fact, "id"), fact)).collect();
    let lines: Vec<Vec<Cell>> = facts
        .iter()
        .filter_map(|fact| {
            let (words, style) = fact_words(fact)?;
            let id = text(fact, "id");
            let (words, style) = match replaced.get(id) {
                Some(done) => (format!("{words} ({done})"), FAINT.strikethrough()),
                None => (words, style),
            };
            let at = zoned(text(fact, "recorded_at"));
            Some(vec![
                cell(at.map(|at| at.strftime("%Y-%m-%d %H:%M").to_string()).unwrap_or_default(), PLAIN),
                cell(words, style),
                cell(about_of_all(fact, &by_id), PLAIN),
                cell(id, FAINT),
            ])
        })
        .collect();
    if lines.is_empty() { "Nothing is recorded for that time.\n".to_owned() } else { table(&lines) }
}

/// Returns the occurrence or the item that a fact names.
fn named(fact: &Value) -> Option<&str> {
    fact["fact"]["occurrence"].as_str().or(fact["fact"]["item"].as_str())
}

/// Returns what a fact is about.
fn about(fact: &Value) -> String {
    let unnamed = if text(&fact["fact"], "type") == "retraction" { "an entry" } else { "everything" };
    named(fact).unwrap_or(unnamed).to_owned()
}

/// Returns what a fact of a history is about; one that takes back another need not name it, but the other does.
fn about_of_all(fact: &Value, by_id: &BTreeMap<&str, &Value>) -> String {
    let earlier = |fact: &&Value| by_id.get(replaces(fact)?).copied();
    let mut chain = std::iter::successors(Some(fact), earlier).take(MAX_TAKEN_BACK);
    chain.find_map(named).map_or_else(|| about(fact), ToOwned::to_owned)
}

/// Returns what a fact says; `None` for what only shapes the plan.
fn fact_words(fact: &Value) -> Option<(String, Style)> {
    let recorded = zoned(text(fact, "recorded_at"));
    let fact = &fact["fact"];
    let mut words = Vec::new();
    let (verb, style) = match text(fact, "type") {
        "intake" if fact["check_in"].is_object() => ("answered", GOOD),
        "intake" if fact["scan"].is_object() => ("recorded", GOOD),
        "intake" if fact["occurrence"].is_null() => ("logged beside the plan", GOOD),
        "intake" => ("taken", GOOD),
        "skip" => ("skipped", PLAIN),
        "snooze" => ("snoozed", PLAIN),
        "delivered" => ("reminded", FAINT),
        "undelivered" if fact["channel"].is_string() => ("could not be sent", LOST),
        "undelivered" => ("could not be shown", LOST),
        "stock" if fact["count"].is_number() => ("counted", PLAIN),
        "stock" => ("stock changed by", PLAIN),
        "closed" => ("closed unanswered", FAINT),
        "pause" => ("paused", PLAIN),
        "resume" => ("resumed", PLAIN),
        "retraction" => ("took back", PLAIN),
        _ => return None,
    };
    words.push(verb.to_owned());
    words.extend(fact["retracts"].as_str().map(ToOwned::to_owned));
    words.extend(fact["amount"].as_str().map(ToOwned::to_owned));
    words.extend([&fact["add"], &fact["count"]].into_iter().find(|n| n.is_number()).map(ToString::to_string));
    let channel = fact["channel"].as_str().filter(|channel| *channel != "desktop");
    words.extend(channel.map(|channel| format!("by {channel}")));
    if let Some(until) = zoned(text(fact, "until")) {
        words.push(format!(
            "until {}",
            clock(&until, recorded.as_ref().map_or(until.timestamp(), Zoned::timestamp))
        ));
    }
    // When it happened, where that is not when it was recorded.
    match (text(fact, "at"), recorded) {
        (date, _) if date.len() == 10 => words.push(format!("on {date}")),
        (at, Some(recorded)) => {
            if let Some(at) =
                zoned(at).filter(|at| (at.timestamp() - recorded.timestamp()).get_seconds().abs() >= 60)
            {
                words.push(format!("at {}", clock(&at, recorded.timestamp())));
            }
        }
        _ => {}
    }
    for name in ["reason", "note"] {
        words.extend(fact[name].as_str().map(|said| format!("\"{said}\"")));
    }
    Some((words.join(" "), style))
}

/// Tells everything that made an occurrence what it is.
#[must_use]
pub fn why(occurrence: &Value, now: Timestamp) -> String {
    let at = zoned(text(occurrence, "at"));
    let regimen = &occurrence["regimen"];
    let instant = |text: &str| zoned(text).map(|at| clock(&at, now)).unwrap_or_default();
    let closed = regimen["closed"].as_str().map(|closed| format!(" until {}", instant(closed)));
    let mut lines = vec![
        vec![
            cell("state", FAINT),
            cell(state_words(occurrence, now), state_style(text(occurrence, "state"))),
        ],
        vec![cell("planned", FAINT), cell(text(occurrence, "planned"), PLAIN)],
        vec![cell("due", FAINT), cell(at.map(|at| at.to_string()).unwrap_or_default(), PLAIN)],
        vec![cell("zone", FAINT), cell(text(occurrence, "zone_decision"), PLAIN)],
        vec![
            cell("regimen", FAINT),
            cell(format!("since {}{}", instant(text(regimen, "opened")), closed.unwrap_or_default()), PLAIN),
        ],
        vec![cell("rule", FAINT), cell(regimen["definition"].to_string(), PLAIN)],
    ];
    for fact in rows(&occurrence["facts"]) {
        let Some((words, style)) = fact_words(fact) else { continue };
        let recorded = zoned(text(fact, "recorded_at")).map(|at| clock(&at, now)).unwrap_or_default();
        lines.push(vec![
            cell(recorded, FAINT),
            cell(format!("{words}, on {}", text(fact, "device")), style),
            cell(text(fact, "id"), FAINT),
        ]);
    }
    lines.push(vec![cell("next", FAINT), cell(text(occurrence, "next"), PLAIN)]);
    table(&lines)
}

/// Says what was recorded just now.
#[must_use]
pub fn recorded(fact: &Value, repeated: bool) -> String {
    let again = if repeated { " (already recorded)" } else { "" };
    let id = text(fact, "id");
    // Without a name, the last answer is taken back.
    let undo = match text(&fact["fact"], "type") {
        "intake" | "skip" | "snooze" if !repeated => ", dosed undo takes it back".to_owned(),
        "intake" | "skip" | "snooze" | "stock" | "retraction" => format!(", dosed undo {id} takes it back"),
        _ => String::new(),
    };
    format!("{}{again}  {FAINT}{id}{undo}{FAINT:#}\n", in_words(fact))
}

/// Returns what a fact is about and says, in plain words.
#[must_use]
pub fn in_words(fact: &Value) -> String {
    let words = fact_words(fact).map_or_else(|| "recorded".to_owned(), |(words, _)| words);
    format!("{}: {words}", about(fact))
}

/// Asks about one occurrence of several.
#[must_use]
pub fn question(occurrence: &Value, number: usize, of: usize, now: Timestamp) -> String {
    let dose = occurrence["dose"].as_str().map(|dose| format!(", {dose}")).unwrap_or_default();
    let at = zoned(text(occurrence, "at")).map(|at| clock(&at, now)).unwrap_or_default();
    format!("{number} of {of}: {WAITS}{}{WAITS:#}{dose}, planned {at}", text(occurrence, "name"))
}

/// Shows what is left of what is counted.
#[must_use]
pub fn stock(rows_of_stock: &Value, now: Timestamp) -> String {
    if rows(rows_of_stock).is_empty() {
        return "Nothing is counted: add `stock = { have = 60, refill-at = 10 }` to an item.\n".to_owned();
    }
    let line = |row: &Value| {
        let left = format!("{} left", row["left"]);
        let until = zoned(text(row, "runs_out"))
            .map_or_else(|| "lasts".to_owned(), |at| format!("none for {}", clock(&at, now)));
        let is_low = row["low"] == true;
        let refill =
            if is_low { "time to refill".to_owned() } else { format!("refill at {}", row["refill_at"]) };
        vec![
            cell(text(row, "item"), PLAIN),
            cell(left, if is_low { WAITS } else { PLAIN }),
            cell(until, PLAIN),
            cell(refill, if is_low { WAITS } else { FAINT }),
        ]
    };
    table(&rows(rows_of_stock).iter().map(line).collect::<Vec<_>>())
}
