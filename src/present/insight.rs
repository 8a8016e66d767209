//! What went together, and what cannot be concluded from it.

use super::text::{FAINT, PLAIN, cell, count, footer, percent, table};
use crate::protocol::{CoOccurrence, Insight, ItemPair};

/// The most pairs that are named; the others are counted.
const MAX_PAIRS: usize = 10;

/// Shows what went together, and what cannot be concluded from it.
#[must_use]
pub fn insight(found: &Insight) -> String {
    let mut text =
        format!("{}; a first look needs {}", count(found.check_ins as u64, "check-in"), found.needed);
    if let Some(date) = found.first_answer {
        text.push_str(&format!("; by the schedule there will be enough on {date}"));
    }
    text.push_str(".\n");
    for pair in &found.pairs {
        let primary = if pair.primary { "chosen beforehand: " } else { "" };
        let dropped = match pair.dropped {
            0 => String::new(),
            dropped => format!("  {FAINT}{dropped} left out{FAINT:#}"),
        };
        text.push_str(&format!("  {primary}{}{dropped}\n", pair.sentence));
    }
    if found.pairs.iter().any(|pair| pair.dropped > 0) {
        text.push_str(
            "  Check-ins are left out where an answer, or more than four in ten of the days before, are unknown.\n",
        );
    }
    for note in &found.notes {
        text.push_str(&format!("  {note}\n"));
    }
    for changed in &found.changed {
        text.push_str(&format!("  {}: something had changed ({})\n", changed.date, changed.text));
    }
    if let Some(share) = found.composite {
        text.push_str(&format!(
            "Overall, {} on average in the last {} days.\n",
            percent(share),
            found.window_days
        ));
    }
    text.push_str(&same_days(&found.together));
    text.push_str(&format!(
        "{} compared, seed {}. With the 4 check-ins of one year the smallest possible p is 0.083: one year can never show \
         anything. Which set of habits does best is not ranked: with so few check-ins chance alone makes one look perfect.\n{}",
        count(found.comparisons as u64, "pair"),
        found.seed,
        footer()
    ));
    text
}

/// Shows how often things happened on the same day.
fn same_days(found: &CoOccurrence) -> String {
    if found.pairs.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "On {} of {} everything that was planned was done. On the same day:\n",
        found.all,
        count(found.days, "day")
    );
    let name = |name: &Option<String>| name.clone().unwrap_or_default();
    let line = |pair: &ItemPair| {
        let names = format!("  {} and {}", name(&pair.a), name(&pair.b));
        vec![cell(names, PLAIN), cell(format!("{} of {}", pair.both, count(pair.days, "day")), FAINT)]
    };
    text.push_str(&table(&found.pairs.iter().take(MAX_PAIRS).map(line).collect::<Vec<_>>()));
    if let Some(more) = found.pairs.len().checked_sub(MAX_PAIRS).filter(|more| *more > 0) {
        text.push_str(&format!("  {FAINT}and {} with --json{FAINT:#}\n", count(more as u64, "more pair")));
    }
    text
}
