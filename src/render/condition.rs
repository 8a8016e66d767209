//! How dosed is: its status, what the doctor found, what came of a trial of the channels.

use jiff::Timestamp;
use serde_json::Value;

use super::{FAINT, GOOD, LOST, PLAIN, WAITS, cell, clock, rows, table, text, zoned};

/// Shows what was found, and how to mend it.
#[must_use]
pub fn findings(found: &Value) -> String {
    let mut lines = Vec::new();
    for finding in rows(found) {
        let (mark, style) = match text(finding, "state") {
            "good" => ("ok", GOOD),
            "bad" => ("!!", LOST),
            _ => ("?", FAINT),
        };
        lines.push(vec![
            cell(mark, style),
            cell(text(finding, "check"), FAINT),
            cell(text(finding, "said"), PLAIN),
        ]);
        if let Some(help) = finding["help"].as_str() {
            lines.push(vec![cell("", PLAIN), cell("", PLAIN), cell(format!("-> {help}"), WAITS)]);
        }
    }
    table(&lines)
}

/// Shows what came of a harmless reminder through every channel.
#[must_use]
pub fn tried(channels: &Value) -> String {
    let line = |row: &Value| {
        let outcome = match row["error"].as_str() {
            None => cell("it went out: look whether it came", GOOD),
            Some(error) => cell(error, LOST),
        };
        let kind = if text(row, "kind") == "desktop" { "" } else { text(row, "kind") };
        vec![cell(text(row, "channel"), PLAIN), cell(kind, FAINT), outcome]
    };
    table(&rows(channels).iter().map(line).collect::<Vec<_>>())
}

/// Says whether the person sees what is shown now.
fn person(person: &Value) -> String {
    let away = [("locked", "the screen is locked"), ("idle", "idle"), ("do_not_disturb", "do not disturb")];
    let away: Vec<&str> =
        away.into_iter().filter(|(name, _)| person[name] == true).map(|(_, said)| said).collect();
    if away.is_empty() {
        return "reachable".to_owned();
    }
    format!("{}: reminders wait, at most for half of their grace", away.join(", "))
}

/// Shows how dosed is.
#[must_use]
pub fn status(status: &Value, now: Timestamp) -> String {
    let notifications = &status["notifications"];
    let server = match text(notifications, "state") {
        "ready" => {
            let buttons = if notifications["buttons"] == true { "with buttons" } else { "without buttons" };
            cell(
                format!("{} {}, {buttons}", text(notifications, "server"), text(notifications, "version")),
                GOOD,
            )
        }
        "unavailable" => cell(text(notifications, "reason"), LOST),
        _ => cell("not asked yet", FAINT),
    };
    let instant =
        |value: &Value, name: &str| zoned(text(value, name)).map(|at| clock(&at, now)).unwrap_or_default();
    let last = match &status["last"] {
        Value::Null => "nothing yet".to_owned(),
        last => format!(
            "{} at {}",
            last["occurrence"].as_str().unwrap_or(text(last, "item")),
            instant(last, "recorded_at")
        ),
    };
    let next = match &status["next"] {
        Value::Null => "nothing".to_owned(),
        next => format!("{}, {}", text(next, "name"), instant(next, "at")),
    };
    let schedule = &status["schedule"];
    let (journal, database) = (&status["journal"], &status["database"]);
    let mut lines = vec![
        vec![
            cell("dosed", FAINT),
            cell(format!("{} runs as process {}", text(status, "version"), status["pid"]), GOOD),
        ],
        vec![cell("notifications", FAINT), server],
        vec![cell("person", FAINT), cell(person(&status["person"]), PLAIN)],
        vec![cell("last", FAINT), cell(last, PLAIN)],
        vec![cell("next", FAINT), cell(next, PLAIN)],
        vec![cell("zone", FAINT), cell(text(status, "zone"), PLAIN)],
        vec![
            cell("schedule", FAINT),
            cell(format!("{}, {} items", text(schedule, "path"), schedule["items"]), PLAIN),
        ],
    ];
    if let Some(error) = schedule["error"].as_str() {
        lines.push(vec![cell("", PLAIN), cell(format!("{error}; the one before goes on"), LOST)]);
    }
    lines.push(vec![
        cell("journal", FAINT),
        cell(format!("{}, {} facts", text(journal, "path"), journal["facts"].as_u64().unwrap_or(0)), PLAIN),
    ]);
    let health = match database["error"].as_str() {
        Some(error) => cell(error, LOST),
        None => cell(format!("{}, {} facts", text(database, "path"), database["facts"]), PLAIN),
    };
    lines.push(vec![cell("database", FAINT), health]);
    table(&lines)
}
