//! What the record shows: adherence, check-ins, scans, and what goes with what.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::Value;

use super::{
    Cell, FAINT, GOOD, LOST, NO_COMPARISON, PLAIN, WAITS, beyond_error, cell, day, percent, questions, rows,
    site, table, text,
};

/// What stands below everything that shows results.
pub const FOOTER: &str = "for information only, not medical advice";

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
            for line in calendar(&row["days"], usize::MAX) {
                for (said, style) in line {
                    text.push_str(&format!("{style}{said}{style:#}"));
                }
                text.push('\n');
            }
        }
        text.push('\n');
    }
    text.push_str(&format!("{FAINT}{FOOTER}{FAINT:#}\n"));
    text
}

/// What stands to the left of a calendar's weeks is this wide.
const BESIDE_WEEKS: usize = 6;

/// Draws a calendar, line by line: the months, a row for each weekday with a column for each week, and what the
/// marks say. Where it would be wider than `width`, the oldest weeks are left out.
#[must_use]
pub fn calendar(days: &Value, width: usize) -> Vec<Vec<Cell>> {
    let days = rows(days).iter();
    let dated = days.filter_map(|day| Some((text(day, "date").parse::<Date>().ok()?, text(day, "state"))));
    let states: BTreeMap<Date, &str> = dated.collect();
    let (Some((first, _)), Some((last, _))) = (states.first_key_value(), states.last_key_value()) else {
        return Vec::new();
    };
    let monday = |date: Date| date.saturating_sub(i64::from(date.weekday().to_monday_zero_offset()).days());
    let mut weeks = Vec::new();
    let mut week = monday(*first);
    while week <= *last {
        weeks.push(week);
        week = week.saturating_add(1.week());
    }
    weeks.drain(..weeks.len().saturating_sub(width.saturating_sub(BESIDE_WEEKS)));
    let mut lines = vec![vec![cell(format!("      {}", months_above(&weeks)), FAINT)]];
    for (weekday, name) in (0..).zip(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]) {
        let mut line = vec![cell(format!("  {name} "), FAINT)];
        line.extend(weeks.iter().map(|monday| {
            let date = monday.saturating_add(ToSpan::days(weekday));
            let (mark, style) = match states.get(&date).copied() {
                Some("all") => ("█", GOOD),
                Some("some") => ("▄", WAITS),
                Some("none") => ("·", LOST),
                Some("unknown") => ("?", FAINT),
                Some("excused") => ("-", FAINT),
                Some(_) => ("○", PLAIN),
                None => (" ", PLAIN),
            };
            cell(mark, style)
        }));
        lines.push(line);
    }
    lines.push(vec![cell("      █ all  ▄ some  · none  ? not asked  - paused  ○ open", FAINT)]);
    lines
}

/// Names the months above the weeks in which they begin.
fn months_above(mondays: &[Date]) -> String {
    let mut names = String::new();
    for (column, monday) in mondays.iter().enumerate() {
        let sunday = monday.saturating_add(6.days());
        if sunday.day() <= 7 && names.len() <= column {
            names = format!("{names:column$}{} ", sunday.strftime("%b"));
        }
    }
    names.trim_end().to_owned()
}

fn adherence_lines(row: &Value) -> Vec<Vec<Cell>> {
    let number = |name: &str| row[name].as_u64().unwrap_or(0);
    let line = |name: &str, said: String| vec![cell(format!("  {name}"), FAINT), cell(said, PLAIN)];
    let aim = target_words(&row["target"]).map(|said| line("aim", said));
    if row["as_needed"] == true {
        let logged = line("logged", format!("{} times", number("extra")));
        return [Some(logged), aim].into_iter().flatten().collect();
    }
    if number("eligible") == 0 {
        return vec![line("doses", "nothing was due".to_owned())];
    }
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
    let told_apart = ["partial", "late", "skipped", "missed", "excused", "extra"];
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
    lines.extend(aim);
    let months: Vec<String> = rows(&row["months"])
        .iter()
        .filter_map(|month| Some(format!("{} {}", text(month, "month"), percent(&month["share"])?)))
        .collect();
    if months.len() > 1 {
        lines.push(line("by month", months.join(", ")));
    }
    lines
}

/// Says how much of a habit's target was reached; nothing where there is none.
fn target_words(target: &Value) -> Option<String> {
    let aim = target["aim"].as_str()?;
    let periods = if aim.ends_with("week") { "weeks" } else { "days" };
    let number = |name: &str| target[name].as_u64().unwrap_or(0);
    let mut said = match percent(&target["share"]) {
        Some(share) => format!(
            "{aim}: reached in {} of {} {periods}; with part of it as part, {share}",
            number("reached"),
            number("periods")
        ),
        None => format!("{aim}: no whole {} to tell of yet", &periods[..periods.len() - 1]),
    };
    said.extend(target["total"].as_str().map(|total| format!("; {total} in all")));
    let left_out = [("unmeasured", "without an amount"), ("unknown", "not known")];
    let left_out = left_out.into_iter().filter(|(name, _)| number(name) > 0);
    said.extend(left_out.map(|(name, why)| format!("; {} {periods} {why}", number(name))));
    Some(said)
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
    let lines: Vec<Vec<Cell>> = questions(check_ins)
        .into_iter()
        .map(|key| {
            let bar = |row: &Value| {
                // From 0 to 10 in eight steps.
                let step = row["answers"][key].as_u64().map(|answer| answer.min(10) * 7 / 10);
                step.and_then(|step| BARS.get(usize::try_from(step).ok()?)).copied().unwrap_or(' ')
            };
            vec![cell(key, FAINT), cell(check_ins.iter().map(bar).collect::<String>(), PLAIN)]
        })
        .collect();
    format!("\n{}", table(&lines))
}

fn rated(answer: &Value) -> String {
    answer.as_u64().map_or_else(|| "-".to_owned(), |answer| answer.to_string())
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
pub fn scans(found: &Value, pictures: bool) -> String {
    let rows = rows(found);
    if rows.is_empty() {
        return "No scan was recorded yet: dosed scan add\n".to_owned();
    }
    let line = |row: &Value| {
        let scores = [("T", "t_score"), ("Z", "z_score")].into_iter();
        let scores: Vec<String> =
            scores.filter_map(|(name, key)| Some(format!("{name} {}", row[key].as_str()?))).collect();
        vec![
            cell(day(text(row, "at")), FAINT),
            cell(site(row), PLAIN),
            cell(format!("{:.3} g/cm2", row["bmd"].as_f64().unwrap_or_default()), PLAIN),
            cell(scores.join(", "), FAINT),
            cell(scan_change(row), PLAIN),
        ]
    };
    let table = table(&rows.iter().map(line).collect::<Vec<_>>());
    let bands = if pictures { bands(rows) } else { String::new() };
    let slopes = rows.iter().rev().find_map(|row| {
        let [slope, low, high] = ["slope", "slope_low", "slope_high"].map(|name| row[name].as_f64());
        let region = text(row, "region");
        Some(format!("{region}: {:+.4} g/cm2 a year, 95 % interval {:+.4} to {:+.4}\n", slope?, low?, high?))
    });
    format!(
        "{table}{bands}{}A difference below the least significant change cannot be told from the error of measuring. The mean \
         difference between groups in the studies that this is about, 0.010 g/cm2, is about a fifth of it: one person's scans \
         cannot show it. Ask whether a scan is due; scans are not set beside habits here.\n{FAINT}{FOOTER}{FAINT:#}\n",
        slopes.unwrap_or_default()
    )
}

/// Draws the scans of each site under one another, each in the band in which it cannot be told from another.
fn bands(scans: &[Value]) -> String {
    const CELLS: usize = 48;
    let mut sites: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for scan in scans {
        sites.entry(site(scan)).or_default().push(scan);
    }
    let mut picture = String::new();
    for (name, scans) in sites.into_iter().filter(|(_, scans)| scans.len() > 1) {
        let lsc = scans.iter().rev().find_map(|scan| scan["lsc"].as_f64()).unwrap_or_default();
        let values: Vec<f64> = scans.iter().filter_map(|scan| scan["bmd"].as_f64()).collect();
        let low = values.iter().copied().fold(f64::INFINITY, f64::min) - lsc;
        let high = values.iter().copied().fold(0.0, f64::max) + lsc;
        let place = |value: f64| {
            let part = if high > low { (value - low) / (high - low) } else { 0.5 };
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a cell of a line"
            )]
            let cell = (part * (CELLS - 1) as f64).round() as usize;
            cell.min(CELLS - 1)
        };
        picture.push_str(&format!("\n  {name}, each within its least significant change\n"));
        for (scan, value) in scans.iter().zip(values) {
            let (from, at, until) = (place(value - lsc), place(value), place(value + lsc));
            let mark = |cell: usize| match cell {
                _ if cell == at => '●',
                _ if cell == from => '├',
                _ if cell == until => '┤',
                _ if from < cell && cell < until => '─',
                _ => ' ',
            };
            let line: String = (0..CELLS).map(mark).collect();
            let date = day(text(scan, "at"));
            picture.push_str(&format!(
                "  {FAINT}{date}{FAINT:#}  {value:.3}  {GOOD}{}{GOOD:#}\n",
                line.trim_end()
            ));
        }
    }
    if picture.is_empty() { picture } else { format!("{picture}\n") }
}

fn scan_change(row: &Value) -> String {
    let Some(change) = row["change"].as_f64() else { return NO_COMPARISON.to_owned() };
    let percent = row["change_percent"].as_f64().unwrap_or_default();
    let lsc = row["lsc"].as_f64().map(|lsc| {
        let default = if row["lsc_is_default"] == true { ", a default" } else { "" };
        format!(" (least significant change {lsc:.3}{default})")
    });
    format!("{change:+.3} ({percent:+.1} %), {}{}", beyond_error(row), lsc.unwrap_or_default())
}

/// The most pairs that are named; the others are counted.
const MAX_PAIRS: usize = 10;

/// Says how often things happened on one day.
fn on_one_day(found: &Value) -> String {
    let pairs = rows(&found["pairs"]);
    if pairs.is_empty() {
        return String::new();
    }
    let mut said = format!(
        "On {} of {} days everything that was planned was done. On one day:\n",
        found["all"], found["days"]
    );
    let line = |pair: &Value| {
        let names = format!("  {} and {}", text(pair, "a"), text(pair, "b"));
        vec![cell(names, PLAIN), cell(format!("{} of {} days", pair["both"], pair["days"]), FAINT)]
    };
    said.push_str(&table(&pairs.iter().take(MAX_PAIRS).map(line).collect::<Vec<_>>()));
    if pairs.len() > MAX_PAIRS {
        said.push_str(&format!(
            "  {FAINT}and {} more pairs, with --json{FAINT:#}\n",
            pairs.len() - MAX_PAIRS
        ));
    }
    said
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
        let dropped = pair["dropped"].as_u64().filter(|dropped| *dropped > 0);
        let dropped =
            dropped.map(|dropped| format!("  {FAINT}{dropped} left out{FAINT:#}")).unwrap_or_default();
        text.push_str(&format!("  {primary}{}{dropped}\n", self::text(pair, "sentence")));
    }
    if rows(&found["pairs"]).iter().any(|pair| pair["dropped"] != 0) {
        text.push_str("  Left out are check-ins at which an answer, or more than four in ten of the days before, are not known.\n");
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
    text.push_str(&on_one_day(&found["together"]));
    text.push_str(&format!(
        "{} pairs compared, seed {}. With the 4 check-ins of one year the smallest p there can be is 0.083: one year can never \
         show anything. Which set of habits goes best together is not ranked: with so few check-ins chance alone makes one \
         look perfect.\n{FAINT}{FOOTER}{FAINT:#}\n",
        found["comparisons"], found["seed"]
    ));
    text
}
