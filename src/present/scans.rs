//! Bone density scans as text, each in the band in which it cannot be distinguished from another.

use std::collections::BTreeMap;

use super::text::{FAINT, GOOD, PLAIN, cell, footer, table};
use crate::protocol::Scan;

/// Says why there is no difference to show.
pub(super) fn no_comparison(scan: &Scan) -> String {
    let fields = &scan.comparison.differs_in;
    if fields.is_empty() {
        return "nothing to compare it with".to_owned();
    }
    let verbs = if fields.len() == 1 { "differs or is missing" } else { "differ or are missing" };
    format!("not compared with the one before: {} {verbs}", fields.join(" and "))
}

/// Returns where a scan was made: region, side and vertebrae.
pub(super) fn site(scan: &Scan) -> String {
    let parts = [Some(&scan.region), scan.side.as_ref(), scan.vertebrae.as_ref()];
    parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// Says whether a difference between two scans is more than measuring alone may give.
pub(super) fn beyond_error(scan: &Scan) -> &'static str {
    match scan.comparison.detectable {
        Some(true) => "beyond the measurement error",
        Some(false) => "within the measurement error",
        None => "measurement error unknown",
    }
}

/// Shows the scans, and what one person's scans can and cannot show.
#[must_use]
pub fn scans(found: &[Scan], pictures: bool) -> String {
    if found.is_empty() {
        return "No scan has been recorded yet: dosed scan add\n".to_owned();
    }
    let line = |scan: &Scan| {
        let scores = [("T", &scan.t_score), ("Z", &scan.z_score)].into_iter();
        let scores: Vec<String> =
            scores.filter_map(|(name, score)| Some(format!("{name} {}", score.as_ref()?))).collect();
        vec![
            cell(scan.at.date().to_string(), FAINT),
            cell(site(scan), PLAIN),
            cell(format!("{:.3} g/cm2", scan.bmd), PLAIN),
            cell(scores.join(", "), FAINT),
            cell(change(scan), PLAIN),
        ]
    };
    let table = table(&found.iter().map(line).collect::<Vec<_>>());
    let bands = if pictures { bands(found) } else { String::new() };
    let slope = found.iter().rev().find_map(|scan| {
        let comparison = &scan.comparison;
        let (slope, low, high) = (comparison.slope?, comparison.slope_low?, comparison.slope_high?);
        let region = &scan.region;
        Some(format!("{region}: {slope:+.4} g/cm2 a year, 95 % interval {low:+.4} to {high:+.4}\n"))
    });
    format!(
        "{table}{bands}{}A difference below the least significant change cannot be distinguished from measurement error. The \
         mean difference between groups in the studies, 0.010 g/cm2, is about a fifth of it: one person's scans cannot show it. \
         Ask whether a scan is due; scans are not compared with habits here.\n{}",
        slope.unwrap_or_default(),
        footer()
    )
}

/// Draws the scans of each site below one another, each within its least significant change.
fn bands(scans: &[Scan]) -> String {
    let mut sites: BTreeMap<String, Vec<&Scan>> = BTreeMap::new();
    for scan in scans {
        sites.entry(site(scan)).or_default().push(scan);
    }
    let mut picture = String::new();
    for (name, scans) in sites.into_iter().filter(|(_, scans)| scans.len() > 1) {
        picture.push_str(&format!("\n  {name}, each within its least significant change\n"));
        picture.push_str(&band(&scans));
    }
    if picture.is_empty() { picture } else { format!("{picture}\n") }
}

fn band(scans: &[&Scan]) -> String {
    const CELLS: usize = 48;
    let lsc = scans.iter().rev().find_map(|scan| scan.comparison.lsc).unwrap_or_default();
    let low = scans.iter().map(|scan| scan.bmd).fold(f64::INFINITY, f64::min) - lsc;
    let high = scans.iter().map(|scan| scan.bmd).fold(0.0, f64::max) + lsc;
    let column = |value: f64| {
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
    let line = |scan: &&Scan| {
        let value = scan.bmd;
        let (from, at, until) = (column(value - lsc), column(value), column(value + lsc));
        let mark = |cell: usize| match cell {
            _ if cell == at => '●',
            _ if cell == from => '├',
            _ if cell == until => '┤',
            _ if from < cell && cell < until => '─',
            _ => ' ',
        };
        let line: String = (0..CELLS).map(mark).collect();
        format!("  {FAINT}{}{FAINT:#}  {value:.3}  {GOOD}{}{GOOD:#}\n", scan.at.date(), line.trim_end())
    };
    scans.iter().map(line).collect()
}

fn change(scan: &Scan) -> String {
    let comparison = &scan.comparison;
    let (Some(change), Some(percent)) = (comparison.change, comparison.change_percent) else {
        return no_comparison(scan);
    };
    let lsc = comparison.lsc.map(|lsc| {
        let default = if comparison.lsc_is_default == Some(true) { ", a default" } else { "" };
        format!(" (least significant change {lsc:.3}{default})")
    });
    format!("{change:+.3} ({percent:+.1} %), {}{}", beyond_error(scan), lsc.unwrap_or_default())
}
