//! What is left of what is counted.

use jiff::Timestamp;

use super::text::{FAINT, PLAIN, WAITS, amount, cell, day, table};
use crate::protocol::StockLevel;

/// Shows what is left, and the day on which it runs out.
#[must_use]
pub fn stock(levels: &[StockLevel], now: Timestamp) -> String {
    if levels.is_empty() {
        return "No stock is counted: add `stock = { have = 60, refill-at = 10 }` to an item.\n".to_owned();
    }
    let line = |level: &StockLevel| {
        let runs_out = level.runs_out.as_ref().map_or_else(
            || "does not run out within 3 years".to_owned(),
            |at| format!("runs out {}", day(at.0.date(), now.to_zoned(at.0.time_zone().clone()).date())),
        );
        let (refill, style) = if level.low {
            ("time to refill".to_owned(), WAITS)
        } else {
            let refill = level.refill_days.map_or_else(
                || format!("refill at {}", level.refill_at),
                |days| format!("refill {days} days ahead"),
            );
            (refill, FAINT)
        };
        vec![
            cell(&level.item, PLAIN),
            cell(format!("{} left", left(level)), if level.low { WAITS } else { PLAIN }),
            cell(runs_out, PLAIN),
            cell(refill, style),
            cell(level.expires.map(|last| format!("expires {last}")).unwrap_or_default(), FAINT),
        ]
    };
    table(&levels.iter().map(line).collect::<Vec<_>>())
}

/// Returns what is left: a number of doses, or what the box holds.
fn left(level: &StockLevel) -> String {
    match level.unit {
        Some(_) => amount(&level.left_exactly),
        None => level.left.to_string(),
    }
}
