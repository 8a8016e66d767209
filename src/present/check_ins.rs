//! Check-ins as text, and how the newest one differs.

use std::collections::BTreeSet;

use super::text::{Cell, FAINT, PLAIN, WAITS, cell, footer, table};
use crate::protocol::CheckIn;

/// The bars of a line, lowest first.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Returns the questions that check-ins answer or leave out.
pub(super) fn questions<'a>(check_ins: impl IntoIterator<Item = &'a CheckIn>) -> BTreeSet<&'a str> {
    check_ins.into_iter().flat_map(|row| row.answers.keys().map(String::as_str)).collect()
}

/// Returns a score; a question that was left out has none.
pub(super) fn score(answer: Option<u8>) -> String {
    answer.map_or_else(|| "-".to_owned(), |answer| answer.to_string())
}

/// Shows the check-ins, a line each.
#[must_use]
pub fn check_ins(found: &[CheckIn], pictures: bool) -> String {
    if found.is_empty() {
        return "No check-in has been answered yet: dosed check-in\n".to_owned();
    }
    let line = |row: &CheckIn| {
        let scores = row.answers.iter().map(|(key, answer)| format!("{key} {}", score(*answer)));
        let values =
            row.values.iter().map(|(key, value)| format!("{key} {}", value.as_deref().unwrap_or("-")));
        let scores: Vec<String> = scores.chain(values).collect();
        let changed = row.changed.as_ref().map(|changed| format!("changed: {changed}"));
        vec![
            cell(row.at.date().to_string(), FAINT),
            cell(scores.join(", "), PLAIN),
            cell(changed.unwrap_or_default(), WAITS),
            cell(&row.fact, FAINT),
        ]
    };
    let sparklines = if pictures { sparklines(found) } else { String::new() };
    format!("{}{sparklines}{}", table(&found.iter().map(line).collect::<Vec<_>>()), footer())
}

/// Draws each question's answers as a line of bars, oldest first; a gap was left out.
fn sparklines(check_ins: &[CheckIn]) -> String {
    let measured: BTreeSet<&str> =
        check_ins.iter().flat_map(|row| row.values.keys().map(String::as_str)).collect();
    let mut lines: Vec<Vec<Cell>> = questions(check_ins)
        .into_iter()
        .map(|key| {
            let bar = |row: &CheckIn| {
                // From 0 to 10 in eight steps.
                let step = row.answers.get(key).copied().flatten().map(|answer| answer.min(10) * 7 / 10);
                step.and_then(|step| BARS.get(usize::from(step))).copied().unwrap_or(' ')
            };
            vec![cell(key, FAINT), cell(check_ins.iter().map(bar).collect::<String>(), PLAIN)]
        })
        .collect();
    lines.extend(measured.into_iter().map(|key| number_line(key, check_ins)));
    format!("\n{}", table(&lines))
}

/// Draws the numbers of a question as bars between the lowest and the highest, with both; the record has them with their unit.
fn number_line(key: &str, check_ins: &[CheckIn]) -> Vec<Cell> {
    let number = |row: &CheckIn| row.values.get(key)?.as_deref()?.split(' ').next()?.parse::<f64>().ok();
    let numbers: Vec<Option<f64>> = check_ins.iter().map(number).collect();
    let known = || numbers.iter().copied().flatten();
    let (low, high) = (known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max));
    let bar = |number: &Option<f64>| {
        let part = number.map(|number| if high > low { (number - low) / (high - low) } else { 0.5 });
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "one of eight steps")]
        part.and_then(|part| BARS.get((part * 7.0).round() as usize)).copied().unwrap_or(' ')
    };
    let range = if high > low { format!("{low} to {high}") } else { String::new() };
    vec![cell(key, FAINT), cell(numbers.iter().map(bar).collect::<String>(), PLAIN), cell(range, FAINT)]
}

/// Shows how the newest check-in differs from the one before.
#[must_use]
pub fn changes(found: &[CheckIn]) -> String {
    let Some(newest) = found.last() else { return String::new() };
    let lines: Vec<Vec<Cell>> = newest
        .since_the_last
        .iter()
        .filter_map(|(key, change)| {
            let text = match (change.change?, change.clear) {
                (by, Some(true)) => format!("{by:+} since the last one"),
                _ => "no clear change".to_owned(),
            };
            Some(vec![cell(format!("  {key}"), FAINT), cell(text, PLAIN)])
        })
        .collect();
    if lines.is_empty() {
        return "  The first check-in of its kind: nothing to compare with yet.\n".to_owned();
    }
    table(&lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::present::tests::check_in;

    #[test]
    fn numbers_have_a_line_of_their_own() {
        let with = |date: &str, value: Option<&str>| CheckIn {
            values: [("sys".to_owned(), value.map(|value| format!("{value} mmHg")))].into(),
            answers: std::collections::BTreeMap::new(),
            ..check_in("pressure 1", date, "rest", 5)
        };
        let found = [
            with("2026-11-01", Some("120")),
            with("2026-11-02", None),
            with("2026-11-03", Some("135.5")),
            with("2026-11-04", Some("151")),
        ];
        let shown = check_ins(&found, true);
        assert!(shown.contains("sys 135.5 mmHg") && shown.contains("sys -"), "{shown}");
        assert!(shown.contains("▁ ▅█") && shown.contains("120 to 151"), "{shown}");
    }
}
