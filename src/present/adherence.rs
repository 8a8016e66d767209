//! Adherence as text, and the calendar of one item.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;

use super::text::{Cell, FAINT, GOOD, LOST, PLAIN, WAITS, cell, count, footer, percent, table};
use crate::protocol::{Adherence, DayCoverage, DayState, TargetProgress};

/// Shows what was taken of what was planned, an item a block.
#[must_use]
pub fn adherence(found: &[Adherence], pictures: bool) -> String {
    let mut text = String::new();
    for row in found {
        text.push_str(&format!(
            "{WAITS}{}{WAITS:#}  {FAINT}{} until {}{FAINT:#}\n",
            row.name, row.from, row.until
        ));
        text.push_str(&table(&lines(row)));
        if pictures {
            for line in calendar(row.days.as_deref().unwrap_or_default(), usize::MAX) {
                for (part, style) in line {
                    text.push_str(&format!("{style}{part}{style:#}"));
                }
                text.push('\n');
            }
        }
        text.push('\n');
    }
    text.push_str(&footer());
    text
}

/// The width of the names of the weekdays to the left of a calendar.
const WEEKDAYS_WIDTH: usize = 6;

/// Draws a calendar, line by line: the months, a row for each weekday with a column for each week, and what the
/// marks mean. Where it would be wider than `width`, the oldest weeks are left out.
#[must_use]
pub fn calendar(days: &[DayCoverage], width: usize) -> Vec<Vec<Cell>> {
    let states: BTreeMap<Date, DayState> = days.iter().map(|day| (day.date, day.state)).collect();
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
    weeks.drain(..weeks.len().saturating_sub(width.saturating_sub(WEEKDAYS_WIDTH)));
    let mut lines = vec![vec![cell(format!("      {}", months_above(&weeks)), FAINT)]];
    for (weekday, name) in (0..).zip(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]) {
        let mut line = vec![cell(format!("  {name} "), FAINT)];
        line.extend(weeks.iter().map(|monday| {
            let date = monday.saturating_add(ToSpan::days(weekday));
            let (mark, style) = match states.get(&date) {
                Some(DayState::All) => ("█", GOOD),
                Some(DayState::Some) => ("▄", WAITS),
                Some(DayState::None) => ("·", LOST),
                Some(DayState::Unknown) => ("?", FAINT),
                Some(DayState::Excused) => ("-", FAINT),
                Some(DayState::Open) => ("○", PLAIN),
                None => (" ", PLAIN),
            };
            cell(mark, style)
        }));
        lines.push(line);
    }
    lines.push(vec![cell("      █ all  ▄ some  · none  ? not asked  - paused  ○ open", FAINT)]);
    lines
}

/// Names the months above the weeks in which they start.
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

fn lines(row: &Adherence) -> Vec<Vec<Cell>> {
    let line = |name: &str, text: String| vec![cell(format!("  {name}"), FAINT), cell(text, PLAIN)];
    let aim = row.target.as_ref().map(|target| line("aim", describe_target(target)));
    if row.as_needed {
        let logged = line("logged", count(row.extra, "time"));
        return [Some(logged), aim].into_iter().flatten().collect();
    }
    if row.eligible == 0 {
        return vec![line("doses", "nothing was due".to_owned())];
    }
    let range = |[low, high]: [f64; 2]| (percent(low), percent(high));
    let mut doses = format!("{} of {}", row.taken, row.eligible);
    doses.extend(row.doses_taken_share.map(|share| format!(", {}", percent(share))));
    if let Some((low, high)) = row.interval.map(range) {
        doses.push_str(&format!(" (95 % interval {low} to {high})"));
    }
    let mut lines = vec![line("doses", doses)];
    if row.unknown > 0 {
        let bounds = row.bounds.map(range).map(|(low, high)| format!(": between {low} and {high}"));
        let unknown = count(row.unknown, "dose");
        lines.push(line(
            "unknown",
            format!("{unknown} could not be asked about{}", bounds.unwrap_or_default()),
        ));
    }
    let breakdown = breakdown(row);
    if !breakdown.is_empty() {
        lines.push(line("other", breakdown));
    }
    let [covered, of] = row.of_the_last;
    lines.push(line(
        "days",
        format!("{} in a row, longest {}; {covered} of the last {of}", row.streak, row.longest_streak),
    ));
    lines.extend(row.timing_share.map(|share| {
        line("on time", format!("{} within {} min", percent(share), row.timing_window_minutes))
    }));
    lines.extend(aim);
    let months: Vec<String> = row
        .months
        .iter()
        .filter_map(|month| Some(format!("{} {}", month.month, percent(month.share?))))
        .collect();
    if months.len() > 1 {
        lines.push(line("by month", months.join(", ")));
    }
    lines
}

/// Returns what the other doses came to.
fn breakdown(row: &Adherence) -> String {
    let counts = [
        (row.partial, "partial"),
        (row.late, "late"),
        (row.skipped, "skipped"),
        (row.missed, "missed"),
        (row.excused, "excused"),
        (row.extra, "extra"),
    ];
    let counts = counts.into_iter().filter(|(number, _)| *number > 0);
    counts.map(|(number, name)| format!("{number} {name}")).collect::<Vec<_>>().join(", ")
}

/// Returns how much of a habit's aim was reached.
fn describe_target(target: &TargetProgress) -> String {
    let period = if target.aim.ends_with("week") { "week" } else { "day" };
    let mut text = match target.share {
        Some(share) => format!(
            "{}: reached in {} of {}; counting part of it as part, {}",
            target.aim,
            target.reached,
            count(target.periods, period),
            percent(share)
        ),
        None => format!("{}: no whole {period} yet", target.aim),
    };
    text.extend(target.total.as_ref().map(|total| format!("; {total} in all")));
    let left_out = [(target.unmeasured, "without an amount"), (target.unknown, "unknown")];
    let left_out = left_out.into_iter().filter(|(number, _)| *number > 0);
    text.extend(left_out.map(|(number, why)| format!("; {} {why}", count(number, period))));
    text
}
