//! One page to take to an appointment: self-contained HTML without scripts, made for two sheets of A4.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::check_ins::{questions, score};
use super::scans::{beyond_error, no_comparison, site};
use super::text::{FOOTER, count, percent};
use crate::protocol::{Adherence, CheckIn, FactBody, HistoryFact, Kind, Product, Scan};

/// What the page is made of.
#[derive(Clone, Debug)]
pub struct Material {
    /// The first day.
    pub since: Date,
    /// The day after the last.
    pub until: Date,
    /// The day on which it is made.
    pub made: Date,
    /// What was taken of what was planned.
    pub adherence: Vec<Adherence>,
    /// The check-ins.
    pub check_ins: Vec<CheckIn>,
    /// The scans.
    pub scans: Vec<Scan>,
    /// The facts, for their notes.
    pub facts: Vec<HistoryFact>,
    /// Whether the record is a demo.
    pub is_demo: bool,
}

/// The most check-ins and notes of one page: the newest.
const MAX_CHECK_INS: usize = 12;
const MAX_NOTES: usize = 12;

/// A cell shorter than this is not broken into lines, in bytes.
const SHORT_BYTES: usize = 20;

const STYLE: &str = "
@page { size: A4; margin: 16mm; }
body { font: 10.5pt/1.4 'DejaVu Sans', 'Noto Sans', sans-serif; color: #1d2521; max-width: 178mm; margin: 0 auto; padding: 6mm 0; }
h1 { font-size: 16pt; margin: 0; } h2 { font-size: 12pt; margin: 6mm 0 1.5mm; border-bottom: 1px solid #9db3a4; break-after: avoid; }
p { margin: 1mm 0; } .faint { color: #5d6a62; }
table { border-collapse: collapse; width: 100%; font-size: 9.5pt; break-inside: avoid; }
th, td { text-align: left; padding: 0.8mm 2mm 0.8mm 0; border-bottom: 1px solid #e1e8e3; vertical-align: top; }
th { font-weight: 600; color: #3c4a42; } td { font-variant-numeric: tabular-nums; } td.n { white-space: nowrap; }
@media print { body { max-width: none; padding: 0; } }
.bar { display: inline-block; width: 18mm; height: 2.4mm; background: #e6ede8; } .bar i { display: block; height: 100%; background: #5a7d5a; }
.mark { border: 2px solid #a33; color: #a33; padding: 1mm 3mm; display: inline-block; font-weight: 600; }
footer { margin-top: 6mm; border-top: 1px solid #9db3a4; padding-top: 1.5mm; font-size: 9pt; color: #5d6a62; }
";

/// Makes the page.
#[must_use]
pub fn page(material: &Material) -> String {
    let Material { since, until, made, .. } = material;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { "Record from " (since) " until " (until) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "What I took and how it was" }
                p.faint { (since) " until " (until) ", made on " (made) " from my own record" }
                @if material.is_demo { p.mark { "This record is made up: dosed demo" } }
                (planned(&material.adherence))
                (check_ins(material))
                (scans(&material.scans))
                (notes(&material.facts))
                h2 { "What this cannot show" }
                p {
                    "The shares are of what I recorded as taken. Times at which I could not be asked count as unknown; the two bounds                      say what the share would be if nothing, or everything, of that had been taken."
                }
                p {
                    "A difference between two scans below the least significant change cannot be distinguished from measurement error.                      Whether habits and check-ins go together is not shown here: with few check-ins it can well be chance."
                }
                footer { (FOOTER) " Made by dosed from answers that one person gave; dosed measured nothing itself." }
            }
        }
    };
    page.into_string()
}

fn table(head: &[&str], lines: &[Vec<Markup>]) -> Markup {
    html! {
        table {
            tr { @for name in head { th { (name) } } }
            @for line in lines {
                tr {
                    @for cell in line {
                        // Short ones stay on a line; what is longer may use several.
                        td.n[cell.0.len() < SHORT_BYTES] { (cell) }
                    }
                }
            }
        }
    }
}

fn text(text: impl AsRef<str>) -> Markup {
    html! { (text.as_ref()) }
}

fn planned(adherence: &[Adherence]) -> Markup {
    let is_taken = |row: &&Adherence| matches!(row.kind, Some(Kind::Supplement | Kind::Habit));
    let lines: Vec<Vec<Markup>> = adherence
        .iter()
        .filter(is_taken)
        .filter_map(|row| Some(planned_line(row, row.doses_taken_share?)))
        .collect();
    let logged: Vec<String> = adherence
        .iter()
        .filter(|row| row.as_needed && row.extra > 0)
        .map(|row| format!("{}, {}", row.name, count(row.extra, "time")))
        .collect();
    let head = ["", "taken", "share", "bounds", "not taken", "within 2 h"];
    html! {
        @if lines.is_empty() {
            h2 { "What was planned" }
            p { "Nothing was due." }
        } @else {
            h2 { "What was planned, and taken" }
            (table(&head, &lines))
        }
        @if !logged.is_empty() { p { "As needed: " (logged.join("; ")) "." } }
    }
}

fn planned_line(row: &Adherence, share: f64) -> Vec<Markup> {
    let share = percent(share);
    let bounds = match row.bounds.map(|bounds| bounds.map(percent)) {
        Some([low, high]) if low != high => format!("{low} to {high}"),
        _ => String::new(),
    };
    vec![
        html! { (row.name) (row.product.as_ref().map(product).unwrap_or_default()) },
        text(format!("{} of {}", row.taken, row.eligible)),
        html! {
            span.bar { i style={ "width: " (share.replace(' ', "")) } {} }
            (PreEscaped("&nbsp;")) (share.replace(' ', "\u{a0}"))
        },
        text(bounds),
        text(format!("{} skipped, {} missed, {} unknown", row.skipped, row.missed, row.unknown)),
        text(row.timing_share.map(percent).unwrap_or_default()),
    ]
}

/// Returns which product it is, as small print below its name.
fn product(product: &Product) -> Markup {
    let batch = product.batch.as_ref().map(|batch| format!("batch {batch}"));
    let known = [&product.brand, &product.strain, &product.form, &batch];
    let known: Vec<&str> = known.into_iter().flatten().map(String::as_str).collect();
    html! { @if !known.is_empty() { br; span.faint { (known.join(", ")) } } }
}

/// Shows the check-ins of the shipped questions, then those of the person's own, a table for each wording.
fn check_ins(material: &Material) -> Markup {
    let in_range = |row: &&CheckIn| (material.since..material.until).contains(&row.at.date());
    let (shipped, own): (Vec<&CheckIn>, Vec<&CheckIn>) =
        material.check_ins.iter().filter(in_range).partition(|row| row.form.starts_with("dosed "));
    let mut forms: BTreeMap<&str, Vec<&CheckIn>> = BTreeMap::new();
    for row in own {
        forms.entry(&row.form).or_default().push(row);
    }
    html! {
        @if !shipped.is_empty() {
            (answers("Check-ins", "Of the 7 days before, from 0 to 10; bloating and discomfort: 0 is none.", &shipped))
        }
        @for rows in forms.values() {
            (answers(&format!("Check-ins: {}", rows[0].item), "From 0 to 10.", rows))
        }
    }
}

fn answers(title: &str, scale: &str, found: &[&CheckIn]) -> Markup {
    let keys = questions(found.iter().copied());
    let measured: BTreeSet<&str> =
        found.iter().flat_map(|row| row.values.keys().map(String::as_str)).collect();
    let left_out = found.len().saturating_sub(MAX_CHECK_INS);
    let line = |row: &&CheckIn| {
        let remarks = [&row.changed, &row.note].into_iter().flatten().map(String::as_str);
        let remarks = text(remarks.collect::<Vec<_>>().join("; "));
        let scores = keys.iter().map(|key| text(score(row.answers.get(*key).copied().flatten())));
        let values = measured
            .iter()
            .map(|key| text(row.values.get(*key).cloned().flatten().unwrap_or_else(|| score(None))));
        std::iter::once(text(row.at.date().to_string()))
            .chain(scores)
            .chain(values)
            .chain([remarks])
            .collect()
    };
    let lines: Vec<Vec<Markup>> = found.iter().skip(left_out).map(line).collect();
    let asked = keys.iter().chain(&measured).copied();
    let head: Vec<&str> = [""].into_iter().chain(asked).chain(["changed"]).collect();
    html! {
        h2 { (title) }
        p.faint { (scale) @if left_out > 0 { " " (count(left_out as u64, "earlier check-in")) " not shown." } }
        (table(&head, &lines))
    }
}

fn scans(found: &[Scan]) -> Markup {
    let line = |scan: &Scan| {
        let change = scan.comparison.change.map_or_else(
            || no_comparison(scan),
            |change| {
                let lsc = scan.comparison.lsc.map(|lsc| format!(", LSC {lsc:.3}")).unwrap_or_default();
                format!("{change:+.3}, {}{lsc}", beyond_error(scan))
            },
        );
        vec![
            text(scan.at.date().to_string()),
            text(site(scan)),
            text(format!("{:.3}", scan.bmd)),
            text(scan.t_score.as_deref().unwrap_or_default()),
            text(scan.z_score.as_deref().unwrap_or_default()),
            text(change),
        ]
    };
    let head = ["", "site", "g/cm2", "T", "Z", "since the last comparable one"];
    html! {
        @if !found.is_empty() {
            h2 { "Bone density scans" }
            (table(&head, &found.iter().map(line).collect::<Vec<_>>()))
        }
    }
}

fn notes(facts: &[HistoryFact]) -> Markup {
    let line = |row: &HistoryFact| {
        let fact = Some(&row.fact).filter(|_| row.effective)?;
        let reason = matches!(fact.fact, FactBody::Skip { .. }).then(|| fact.fact.reason()).flatten();
        let note = fact.fact.note().or(reason)?;
        let item = fact.fact.subject()?.split('@').next()?;
        Some(vec![text(fact.fact.at()?.date().to_string()), text(item), text(note)])
    };
    let mut lines: Vec<Vec<Markup>> = facts.iter().rev().filter_map(line).collect();
    let left_out = lines.len().saturating_sub(MAX_NOTES);
    lines.truncate(MAX_NOTES);
    html! {
        @if !lines.is_empty() {
            h2 { "Notes" }
            @if left_out > 0 { p.faint { (count(left_out as u64, "earlier note")) " not shown." } }
            (table(&["", "", ""], &lines))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::present::tests::{adherence, check_in, fact, scan};

    const EVIL: &str = "<script>alert(\"x\")</script>";

    fn material() -> Material {
        let evil = || Some(EVIL.to_owned());
        let mut row = adherence(EVIL);
        row.product = Some(Product { brand: evil(), batch: Some("7".to_owned()), ..Product::default() });
        let mut own = check_in("sleep 1", "2026-01-02", EVIL, 3);
        own.item = "sleep".to_owned();
        let mut shipped = check_in("dosed check-in v1", "2026-02-01", "energy", 3);
        (shipped.changed, shipped.note) = (evil(), evil());
        let mut site = scan("2026-02-01", 0.9);
        (site.region, site.t_score) = (EVIL.to_owned(), evil());
        Material {
            since: "2026-01-01".parse().unwrap(),
            until: "2027-01-01".parse().unwrap(),
            made: "2027-01-01".parse().unwrap(),
            adherence: vec![row],
            check_ins: vec![own, shipped],
            scans: vec![site],
            facts: vec![HistoryFact {
                fact: fact("a", "2026-02-01", EVIL),
                effective: true,
                superseded_by: None,
                beyond_slot: false,
            }],
            is_demo: false,
        }
    }

    #[test]
    fn what_a_person_wrote_cannot_become_markup() {
        let page = page(&material());
        assert!(!page.contains("<script"), "{page}");
        assert_eq!(page.matches("&lt;script&gt;").count(), 8, "{page}");
    }

    #[test]
    fn the_page_stands_alone_and_says_what_there_is() {
        let page = page(&material());
        for text in [
            "1 of 2",
            "50\u{a0}%",
            "not medical advice",
            "Check-ins",
            "Bone density scans",
            "Notes",
            "batch 7",
        ] {
            assert!(page.contains(text), "{text}: {page}");
        }
        // Nothing is loaded from anywhere.
        for outside in ["http:", "https:", "src=", "url(", "@import", "<link"] {
            assert!(!page.contains(outside), "{outside}");
        }
        let empty = Material {
            adherence: Vec::new(),
            check_ins: Vec::new(),
            scans: Vec::new(),
            facts: Vec::new(),
            is_demo: true,
            ..material()
        };
        let page = super::page(&empty);
        assert!(page.contains("Nothing was due") && page.contains("made up"), "{page}");
    }
}
