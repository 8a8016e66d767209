//! From answers of the daemon to text for people: aligned, coloured where a terminal shows it.

use std::collections::BTreeMap;

use anstyle::{AnsiColor, Style};
use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, ToSpan, Zoned};
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

const FAINT: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const WAITS: Style = AnsiColor::Yellow.on_default().bold();
const LOST: Style = AnsiColor::Red.on_default();
const PLAIN: Style = Style::new();

/// A cell of a table.
type Cell = (String, Style);

fn cell(text: impl Into<String>, style: Style) -> Cell {
    (text.into(), style)
}

/// Aligns rows in columns, two spaces apart.
fn table(rows: &[Vec<Cell>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|i| rows.iter().filter_map(|row| row.get(i)).map(|(text, _)| text.width()).max().unwrap_or(0))
        .collect();
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
            let state = text(row, "state");
            let at = zoned(text(row, "at")).map(|at| clock(&at, now)).unwrap_or_default();
            let name_style = if state == "due" { Style::new().bold() } else { PLAIN };
            vec![
                cell(at, PLAIN),
                cell(state_words(row, now), state_style(state)),
                cell(text(row, "name"), name_style),
                cell(what(row), PLAIN),
                cell(text(row, "occurrence"), FAINT),
            ]
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

/// Shows what was recorded.
#[must_use]
pub fn history(facts: &Value) -> String {
    let facts = rows(facts);
    let retracted: Vec<&str> = facts.iter().filter_map(|fact| fact["fact"]["retracts"].as_str()).collect();
    let lines: Vec<Vec<Cell>> = facts
        .iter()
        .filter_map(|fact| {
            let (words, style) = fact_words(fact)?;
            let id = text(fact, "id");
            let (words, style) = if retracted.contains(&id) {
                (format!("{words} (taken back)"), FAINT.strikethrough())
            } else {
                (words, style)
            };
            let at = zoned(text(fact, "recorded_at"));
            Some(vec![
                cell(at.map(|at| at.strftime("%Y-%m-%d %H:%M").to_string()).unwrap_or_default(), PLAIN),
                cell(words, style),
                cell(about(fact), PLAIN),
                cell(id, FAINT),
            ])
        })
        .collect();
    if lines.is_empty() { "Nothing is recorded for that time.\n".to_owned() } else { table(&lines) }
}

/// Returns the occurrence or the item that a fact is about.
fn about(fact: &Value) -> String {
    let fact = &fact["fact"];
    let named = fact["occurrence"].as_str().or(fact["item"].as_str());
    let unnamed = if text(fact, "type") == "retraction" { "an entry" } else { "everything" };
    named.unwrap_or(unnamed).to_owned()
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
    let words = fact_words(fact).map_or_else(|| "recorded".to_owned(), |(words, _)| words);
    let again = if repeated { " (already recorded)" } else { "" };
    format!(
        "{}: {words}{again}  {FAINT}{}, dosed undo takes it back{FAINT:#}\n",
        about(fact),
        text(fact, "id")
    )
}

/// What stands below everything that shows results.
const FOOTER: &str = "for information only, not medical advice";

/// Shows what was taken of what was planned, an item a block.
#[must_use]
pub fn adherence(found: &Value, pictures: bool) -> String {
    let mut text = String::new();
    for row in rows(found) {
        text.push_str(&format!(
            "{WAITS}{}{WAITS:#}  {FAINT}{} until {}{FAINT:#}\n",
            self::text(row, "name"),
            self::text(row, "from"),
            self::text(row, "until")
        ));
        text.push_str(&table(&adherence_lines(row)));
        if pictures {
            text.push_str(&calendar(rows(&row["days"])));
        }
        text.push('\n');
    }
    text.push_str(&format!("{FAINT}{FOOTER}{FAINT:#}\n"));
    text
}

/// Draws a calendar: a row for each weekday, a column for each week.
fn calendar(days: &[Value]) -> String {
    let dated =
        days.iter().filter_map(|day| Some((text(day, "date").parse::<Date>().ok()?, text(day, "state"))));
    let states: BTreeMap<Date, &str> = dated.collect();
    let (Some((first, _)), Some((last, _))) = (states.first_key_value(), states.last_key_value()) else {
        return String::new();
    };
    let monday = first.saturating_sub(i64::from(first.weekday().to_monday_zero_offset()).days());
    let mut picture = String::new();
    for (weekday, name) in ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].into_iter().enumerate() {
        picture.push_str(&format!("  {FAINT}{name}{FAINT:#} "));
        let mut date = monday.saturating_add(i64::try_from(weekday).unwrap_or(0).days());
        while date <= *last {
            let (mark, style) = match states.get(&date).copied() {
                Some("all") => ("█", GOOD),
                Some("some") => ("▄", WAITS),
                Some("none") => ("·", LOST),
                Some("unknown") => ("?", FAINT),
                Some("excused") => ("-", FAINT),
                Some(_) => ("○", PLAIN),
                None => (" ", PLAIN),
            };
            picture.push_str(&format!("{style}{mark}{style:#}"));
            date = date.saturating_add(1.week());
        }
        picture.push('\n');
    }
    format!("{picture}      {FAINT}█ all  ▄ some  · none  ? not asked  - paused  ○ open{FAINT:#}\n")
}

fn adherence_lines(row: &Value) -> Vec<Vec<Cell>> {
    let number = |name: &str| row[name].as_u64().unwrap_or(0);
    let line = |name: &str, said: String| vec![cell(format!("  {name}"), FAINT), cell(said, PLAIN)];
    if row["as_needed"] == true {
        return vec![line("logged", format!("{} times", number("extra")))];
    }
    if number("eligible") == 0 {
        return vec![line("doses", "nothing was due".to_owned())];
    }
    let percent = |value: &Value| value.as_f64().map(|share| format!("{:.0} %", share * 100.0));
    let range = |value: &Value| Some(format!("{} to {}", percent(&value[0])?, percent(&value[1])?));
    let mut doses = format!("{} of {}", number("taken"), number("eligible"));
    doses.extend(percent(&row["doses_taken_share"]).map(|share| format!(", {share}")));
    doses.extend(range(&row["interval"]).map(|range| format!(" (95 % interval {range})")));
    let mut lines = vec![line("doses", doses)];
    if number("unknown") > 0 {
        let bounds = range(&row["bounds"]).unwrap_or_default();
        let n = number("unknown");
        lines.push(line("unknown", format!("{n} could not be asked about: between {bounds}")));
    }
    let told_apart = ["partial", "skipped", "missed", "excused", "extra"];
    let apart: Vec<String> = told_apart
        .into_iter()
        .filter(|name| number(name) > 0)
        .map(|name| format!("{} {name}", number(name)))
        .collect();
    if !apart.is_empty() {
        lines.push(line("beside", apart.join(", ")));
    }
    let last = &row["of_the_last"];
    lines.push(line(
        "days",
        format!(
            "{} in a row, longest {}; {} of the last {}",
            number("streak"),
            number("longest_streak"),
            last[0],
            last[1]
        ),
    ));
    lines.extend(
        percent(&row["timing_share"])
            .map(|share| line("on time", format!("{share} within {} min", row["timing_window_minutes"]))),
    );
    let months: Vec<String> = rows(&row["months"])
        .iter()
        .filter_map(|month| Some(format!("{} {}", text(month, "month"), percent(&month["share"])?)))
        .collect();
    if months.len() > 1 {
        lines.push(line("by month", months.join(", ")));
    }
    lines
}

/// Shows the check-ins, a line each.
#[must_use]
pub fn check_ins(found: &Value, pictures: bool) -> String {
    let line = |row: &Value| {
        let answers = row["answers"].as_object().into_iter().flatten();
        let said: Vec<String> = answers.map(|(key, answer)| format!("{key} {}", rated(answer))).collect();
        let changed = row["changed"].as_str().map(|changed| format!("changed: {changed}"));
        vec![
            cell(day(text(row, "at")), FAINT),
            cell(said.join(", "), PLAIN),
            cell(changed.unwrap_or_default(), WAITS),
            cell(text(row, "fact"), FAINT),
        ]
    };
    let rows = rows(found);
    if rows.is_empty() {
        return "No check-in was answered yet: dosed check-in\n".to_owned();
    }
    let lines = if pictures { sparklines(rows) } else { String::new() };
    format!("{}{lines}{FAINT}{FOOTER}{FAINT:#}\n", table(&rows.iter().map(line).collect::<Vec<_>>()))
}

/// Draws each question's answers as a line of bars, oldest first; a gap was left out.
fn sparklines(check_ins: &[Value]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let keys = check_ins.last().and_then(|newest| newest["answers"].as_object()).into_iter().flatten();
    let lines: Vec<Vec<Cell>> = keys
        .map(|(key, _)| {
            let bar = |row: &Value| {
                // From 0 to 10 in eight steps.
                let step = row["answers"][key].as_u64().map(|answer| answer.min(10) * 7 / 10);
                step.and_then(|step| BARS.get(usize::try_from(step).ok()?)).copied().unwrap_or(' ')
            };
            vec![cell(key.as_str(), FAINT), cell(check_ins.iter().map(bar).collect::<String>(), PLAIN)]
        })
        .collect();
    format!("\n{}", table(&lines))
}

fn rated(answer: &Value) -> String {
    answer.as_u64().map_or_else(|| "-".to_owned(), |answer| answer.to_string())
}

/// Returns the date of a time, which may be a date alone.
fn day(at: &str) -> String {
    at.get(..10).unwrap_or(at).to_owned()
}

/// Says how the newest check-in differs from the one before.
#[must_use]
pub fn since_the_last(found: &Value) -> String {
    let Some(newest) = rows(found).last() else { return String::new() };
    let changes = newest["since_the_last"].as_object().into_iter().flatten();
    let lines: Vec<Vec<Cell>> = changes
        .filter_map(|(key, change)| {
            let by = change["change"].as_i64()?;
            let said = if change["clear"] == true {
                format!("{by:+} since the last one")
            } else {
                "no clear change".to_owned()
            };
            Some(vec![cell(format!("  {key}"), FAINT), cell(said, PLAIN)])
        })
        .collect();
    if lines.is_empty() {
        return "  the first of its kind: there is nothing yet to compare it with\n".to_owned();
    }
    table(&lines)
}

/// Shows the scans, and what one person's scans can and cannot show.
#[must_use]
pub fn scans(found: &Value) -> String {
    let rows = rows(found);
    if rows.is_empty() {
        return "No scan was recorded yet: dosed scan add\n".to_owned();
    }
    let line = |row: &Value| {
        let site = ["region", "side", "vertebrae"].into_iter().filter_map(|name| row[name].as_str());
        let scores = [("T", "t_score"), ("Z", "z_score")].into_iter();
        let scores: Vec<String> =
            scores.filter_map(|(name, key)| Some(format!("{name} {}", row[key].as_str()?))).collect();
        vec![
            cell(day(text(row, "at")), FAINT),
            cell(site.collect::<Vec<_>>().join(" "), PLAIN),
            cell(format!("{:.3} g/cm2", row["bmd"].as_f64().unwrap_or_default()), PLAIN),
            cell(scores.join(", "), FAINT),
            cell(scan_change(row), PLAIN),
        ]
    };
    let table = table(&rows.iter().map(line).collect::<Vec<_>>());
    let slopes = rows.iter().rev().find_map(|row| {
        let [slope, low, high] = ["slope", "slope_low", "slope_high"].map(|name| row[name].as_f64());
        let region = text(row, "region");
        Some(format!("{region}: {:+.4} g/cm2 a year, 95 % interval {:+.4} to {:+.4}\n", slope?, low?, high?))
    });
    format!(
        "{table}{}A difference below the least significant change cannot be told from the error of measuring. The mean \
         difference between groups in the studies that this is about, 0.010 g/cm2, is about a fifth of it: one person's scans \
         cannot show it. Ask whether a scan is due; scans are not set beside habits here.\n{FAINT}{FOOTER}{FAINT:#}\n",
        slopes.unwrap_or_default()
    )
}

fn scan_change(row: &Value) -> String {
    let Some(change) = row["change"].as_f64() else { return "nothing to compare it with".to_owned() };
    let percent = row["change_percent"].as_f64().unwrap_or_default();
    let lsc = row["lsc"].as_f64().map(|lsc| {
        let default = if row["lsc_is_default"] == true { ", a default" } else { "" };
        format!(" (least significant change {lsc:.3}{default})")
    });
    let said = match row["detectable"].as_bool() {
        Some(true) => "beyond the error of measuring",
        Some(false) => "within the error of measuring",
        None => "the error of measuring is not known",
    };
    format!("{change:+.3} ({percent:+.1} %), {said}{}", lsc.unwrap_or_default())
}

/// Shows what goes with what, and what cannot be said.
#[must_use]
pub fn insight(found: &Value) -> String {
    let mut text = format!("{} check-ins; a first look needs {}", found["check_ins"], found["needed"]);
    if let Some(date) = found["first_answer"].as_str() {
        text.push_str(&format!("; by the schedule there are enough on {date}"));
    }
    text.push_str(".\n");
    for pair in rows(&found["pairs"]) {
        let primary = if pair["primary"] == true { "chosen beforehand: " } else { "" };
        text.push_str(&format!("  {primary}{}\n", self::text(pair, "sentence")));
        if let Some(dropped) = pair["dropped"].as_u64().filter(|dropped| *dropped > 0) {
            text.push_str(&format!("    {FAINT}{dropped} check-ins left out: an answer or the days before are not known{FAINT:#}\n"));
        }
    }
    for note in rows(&found["notes"]).iter().filter_map(Value::as_str) {
        text.push_str(&format!("  {note}\n"));
    }
    for changed in rows(&found["changed"]) {
        text.push_str(&format!(
            "  {}: something had changed ({})\n",
            self::text(changed, "date"),
            self::text(changed, "said")
        ));
    }
    if let Some(share) = found["composite"].as_f64() {
        text.push_str(&format!(
            "Of all of it, {:.0} % on average in the last {} days.\n",
            share * 100.0,
            found["window_days"]
        ));
    }
    text.push_str(&format!(
        "{} pairs compared, seed {}. With the 4 check-ins of one year the smallest p there can be is 0.083: one year can never \
         show anything. Which set of habits goes best together is not ranked: with so few check-ins chance alone makes one \
         look perfect.\n{FAINT}{FOOTER}{FAINT:#}\n",
        found["comparisons"], found["seed"]
    ));
    text
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
