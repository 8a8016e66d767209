//! The peer: croner, which expands cron patterns. Use: croner FROM UNTIL < PATTERNS
//! Each line of the input is a pattern; each slot between the two dates is one line of the output.

use std::io::{BufRead, Write};
use std::str::FromStr;

use jiff::civil::DateTime;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut bounds = std::env::args().skip(1).map(|date| date.parse::<jiff::civil::Date>());
    let mut bound = || bounds.next().ok_or("a date is missing");
    let (from, until) = (bound()??.at(0, 0, 0, 0), bound()??.at(0, 0, 0, 0));
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for pattern in std::io::stdin().lock().lines() {
        let slots: Vec<DateTime> = croner::Cron::from_str(&pattern?)?
            .iter_from(from, croner::Direction::Forward)
            .take_while(|slot| *slot < until)
            .collect();
        for slot in slots {
            writeln!(out, "{slot}")?;
        }
    }
    Ok(())
}
