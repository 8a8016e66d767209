//! Cells, tables, times and numbers as people read them.

use anstyle::{AnsiColor, Style};
use jiff::civil::Date;
use jiff::{Timestamp, Zoned};
use unicode_width::UnicodeWidthStr;

use crate::core::schedule::Amount;
use crate::protocol::OccurrenceState;

pub(super) const FAINT: Style = Style::new().dimmed();
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const WAITS: Style = AnsiColor::Yellow.on_default().bold();
pub(super) const LOST: Style = AnsiColor::Red.on_default();
pub(super) const PLAIN: Style = Style::new();

/// Stands below everything that shows results.
pub const FOOTER: &str = "For information only, not medical advice.";

/// A cell of a table: its text and its style.
pub type Cell = (String, Style);

pub(super) fn cell(text: impl Into<String>, style: Style) -> Cell {
    (text.into(), style)
}

/// Returns an amount for people: as it was written, with a plural where the number asks for one.
#[must_use]
pub fn amount(text: &str) -> String {
    Amount::from_record(text).map_or_else(|_| text.to_owned(), |amount| amount.for_people())
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
pub(super) fn table(rows: &[Vec<Cell>]) -> String {
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

/// Returns the footer as a line.
pub(super) fn footer() -> String {
    format!("{FAINT}{FOOTER}{FAINT:#}\n")
}

/// Returns a share as whole percent.
pub(super) fn percent(share: f64) -> String {
    // Adding zero turns a negative zero into a plain one.
    format!("{:.0} %", (share * 100.0).round() + 0.0)
}

/// Returns a number with its noun, in the plural where it asks for one.
#[must_use]
pub fn count(number: impl Into<u64>, noun: &str) -> String {
    match number.into() {
        1 => format!("1 {noun}"),
        number => format!("{number} {noun}s"),
    }
}

/// Returns a clock time, with its day when that is not `today`, and its year when that is not this one.
pub(super) fn clock(at: &Zoned, now: Timestamp) -> String {
    let today = now.to_zoned(at.time_zone().clone()).date();
    let format = match at.date() {
        date if date == today => "%H:%M",
        date if date.year() == today.year() => "%a %-d %b %H:%M",
        _ => "%a %-d %b %Y %H:%M",
    };
    let seconds = if at.second() == 0 { "" } else { ":%S" };
    at.strftime(&format!("{format}{seconds}")).to_string()
}

/// Returns a day, with its year when that is not this one.
pub(super) fn day(date: Date, today: Date) -> String {
    let format = if date.year() == today.year() { "%a %-d %b" } else { "%a %-d %b %Y" };
    date.strftime(format).to_string()
}

/// Returns how far away an instant is.
pub(super) fn from_now(at: Timestamp, now: Timestamp) -> String {
    let ahead = at.duration_since(now);
    let minutes = (ahead.abs().as_secs() + 30) / 60;
    let length = match minutes {
        0 => return "now".to_owned(),
        1..60 => format!("{minutes} min"),
        60..2880 => format!("{} h {:02} min", minutes / 60, minutes % 60),
        _ => format!("{} days", minutes / 1440),
    };
    if ahead.is_negative() { format!("{length} ago") } else { format!("in {length}") }
}

pub(super) fn state_style(state: OccurrenceState) -> Style {
    match state {
        OccurrenceState::Taken => GOOD,
        OccurrenceState::Due => WAITS,
        OccurrenceState::Missed => LOST,
        OccurrenceState::Partial => AnsiColor::Yellow.on_default(),
        _ => FAINT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_show_what_is_not_obvious() {
        let now: Timestamp = "2026-11-27T12:00:00Z".parse().unwrap();
        for (at, expected) in [
            ("2026-11-27T08:00:00+00:00[UTC]", "08:00"),
            ("2026-11-27T08:00:05+00:00[UTC]", "08:00:05"),
            ("2026-11-28T08:00:00+00:00[UTC]", "Sat 28 Nov 08:00"),
            ("2027-01-02T08:00:00+00:00[UTC]", "Sat 2 Jan 2027 08:00"),
        ] {
            assert_eq!(clock(&at.parse().unwrap(), now), expected);
        }
    }

    #[test]
    fn numbers_are_plain() {
        assert_eq!(
            (percent(0.0), percent(-0.0), percent(-0.001)),
            ("0 %".into(), "0 %".into(), "0 %".into())
        );
        assert_eq!((percent(0.996), percent(0.125)), ("100 %".into(), "13 %".into()));
        assert_eq!(
            (count(1_u32, "item"), count(0_u32, "item"), count(2_u32, "item")),
            ("1 item".into(), "0 items".into(), "2 items".into())
        );
    }
}
