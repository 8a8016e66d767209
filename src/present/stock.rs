//! What is left of what is counted.

use jiff::Timestamp;

use super::text::{FAINT, PLAIN, WAITS, cell, day, table};
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
            (format!("refill at {}", level.refill_at), FAINT)
        };
        vec![
            cell(&level.item, PLAIN),
            cell(format!("{} left", level.left), if level.low { WAITS } else { PLAIN }),
            cell(runs_out, PLAIN),
            cell(refill, style),
        ]
    };
    table(&levels.iter().map(line).collect::<Vec<_>>())
}
