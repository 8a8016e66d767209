//! Check-ins as text, and how the newest one differs.

use std::collections::BTreeSet;

use super::text::{Cell, FAINT, PLAIN, WAITS, cell, footer, table};
use crate::protocol::CheckIn;

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
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let lines: Vec<Vec<Cell>> = questions(check_ins)
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
    format!("\n{}", table(&lines))
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
