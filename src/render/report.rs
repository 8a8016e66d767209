//! One page to take to an appointment: self-contained HTML without scripts, made for two sheets of A4.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{NO_COMPARISON, beyond_error, day, percent, questions, rows, site, text};

/// What the page is made of.
#[derive(Clone, Debug, Default)]
pub struct Material {
    /// The first day.
    pub since: String,
    /// The day after the last.
    pub until: String,
    /// The day on which it is made.
    pub made: String,
    /// What was taken of what was planned, as `/v1/adherence` tells it.
    pub adherence: Value,
    /// The check-ins, as `/v1/check-ins` tells them.
    pub check_ins: Value,
    /// The scans, as `/v1/scans` tells them.
    pub scans: Value,
    /// The facts with notes, as `/v1/facts` tells them.
    pub facts: Value,
    /// Whether all of it is made up.
    pub made_up: bool,
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
pub fn html(material: &Material) -> String {
    let mark = if material.made_up { "<p class=\"mark\">This record is made up: dosed demo</p>" } else { "" };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Record from {since} until {until}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<h1>What I took and how it was</h1>\n\
         <p class=\"faint\">{since} until {until}, made on {made} from my own record</p>\n{mark}\n{taken}{check_ins}{scans}{notes}{limits}\
         <footer>For information only, not medical advice. Made by dosed from answers that one person gave; nothing here was measured by it.</footer>\n\
         </body>\n</html>\n",
        since = escape(&material.since),
        until = escape(&material.until),
        made = escape(&material.made),
        taken = taken(&material.adherence),
        check_ins = check_ins(&material.check_ins, material),
        scans = scans(&material.scans),
        notes = notes(&material.facts),
        limits = LIMITS,
    )
}

const LIMITS: &str = "<h2>What this cannot show</h2>\n\
<p>The shares are of what I said I took. Times at which I could not be asked stand as unknown, and the two bounds say what \
the share would be if nothing, or everything, of that had been taken.</p>\n\
<p>A difference between two scans below the least significant change cannot be told from the error of measuring. What habits \
and check-ins have in common is not shown here: with few check-ins it can well be chance.</p>\n";

/// Makes text safe to stand in HTML.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn table(head: &[&str], lines: &[Vec<String>]) -> String {
    let head = format!("<th>{}</th>", head.join("</th><th>"));
    let line = |cells: &Vec<String>| {
        // Short ones stay on a line; what is longer may use several.
        let cell = |cell: &String| {
            let class = if cell.len() < SHORT_BYTES { " class=\"n\"" } else { "" };
            format!("<td{class}>{cell}</td>")
        };
        let cells: String = cells.iter().map(cell).collect();
        format!("<tr>{cells}</tr>\n")
    };
    format!("<table><tr>{head}</tr>\n{}</table>\n", lines.iter().map(line).collect::<String>())
}

fn taken(adherence: &Value) -> String {
    let line = |row: &Value| {
        let count = |name: &str| row[name].as_u64().unwrap_or(0);
        if !matches!(text(row, "kind"), "supplement" | "habit") {
            return None;
        }
        let share = percent(&row["doses_taken_share"])?;
        let bar = format!("<span class=\"bar\"><i style=\"width: {}\"></i></span>", share.replace(' ', ""));
        let bounds = match (percent(&row["bounds"][0]), percent(&row["bounds"][1])) {
            (Some(low), Some(high)) if low != high => format!("{low} to {high}"),
            _ => String::new(),
        };
        Some(vec![
            format!("{}{}", escape(text(row, "name")), product(&row["product"])),
            format!("{} of {}", count("taken"), count("eligible")),
            format!("{bar}&nbsp;{}", share.replace(' ', "&nbsp;")),
            bounds,
            format!("{} skipped, {} missed, {} unknown", count("skipped"), count("missed"), count("unknown")),
            percent(&row["timing_share"]).unwrap_or_default(),
        ])
    };
    let lines: Vec<Vec<String>> = rows(adherence).iter().filter_map(line).collect();
    let logged: Vec<String> = rows(adherence)
        .iter()
        .filter(|row| row["as_needed"] == true && row["extra"] != 0)
        .map(|row| format!("{}, {} times", escape(text(row, "name")), row["extra"]))
        .collect();
    let logged =
        if logged.is_empty() { String::new() } else { format!("<p>As needed: {}.</p>\n", logged.join("; ")) };
    if lines.is_empty() {
        return format!("<h2>What was planned</h2>\n<p>Nothing was due.</p>\n{logged}");
    }
    let head = ["", "taken", "share", "bounds", "not taken", "within 2 h"];
    format!("<h2>What was planned, and taken</h2>\n{}{logged}", table(&head, &lines))
}

/// Returns which product it is, as small print below its name.
fn product(product: &Value) -> String {
    let known = [("brand", ""), ("strain", ""), ("form", ""), ("batch", "batch ")];
    let said =
        known.into_iter().filter_map(|(key, before)| Some(format!("{before}{}", product[key].as_str()?)));
    let said = said.collect::<Vec<_>>().join(", ");
    if said.is_empty() { said } else { format!("<br><span class=\"faint\">{}</span>", escape(&said)) }
}

/// Shows the check-ins of the shipped questions, then those of the person's own, a table for each wording.
fn check_ins(found: &Value, material: &Material) -> String {
    let in_range = |row: &&Value| {
        let day = day(text(row, "at"));
        material.since.as_str() <= day && day < material.until.as_str()
    };
    let (shipped, own): (Vec<&Value>, Vec<&Value>) =
        rows(found).iter().filter(in_range).partition(|row| text(row, "form").starts_with("dosed "));
    let mut forms: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for row in own {
        forms.entry(text(row, "form")).or_default().push(row);
    }
    let explained = "Of the 7 days before, from 0 to 10; bloating and discomfort: 0 is none.";
    let mut tables =
        if shipped.is_empty() { String::new() } else { answers("Check-ins", explained, &shipped) };
    for rows in forms.into_values() {
        let item = rows.first().map(|row| text(row, "item")).unwrap_or_default();
        tables.push_str(&answers(&format!("Check-ins: {}", escape(item)), "From 0 to 10.", &rows));
    }
    tables
}

fn answers(title: &str, explained: &str, found: &[&Value]) -> String {
    let keys = questions(found.iter().copied());
    let line = |row: &&Value| {
        let answer =
            |key: &&str| row["answers"][*key].as_u64().map_or("-".to_owned(), |answer| answer.to_string());
        let day = day(text(row, "at")).to_owned();
        let said = [row["changed"].as_str(), row["note"].as_str()].into_iter().flatten();
        let said = escape(&said.collect::<Vec<_>>().join("; "));
        std::iter::once(day).chain(keys.iter().map(answer)).chain([said]).collect::<Vec<_>>()
    };
    let left_out = found.len().saturating_sub(MAX_CHECK_INS);
    let lines: Vec<Vec<String>> = found.iter().skip(left_out).map(line).collect();
    let keys: Vec<String> = keys.iter().map(|key| escape(key)).collect();
    let head: Vec<&str> =
        [""].into_iter().chain(keys.iter().map(String::as_str)).chain(["changed"]).collect();
    let earlier =
        if left_out > 0 { format!(" {left_out} earlier ones are left out.") } else { String::new() };
    format!("<h2>{title}</h2>\n<p class=\"faint\">{explained}{earlier}</p>\n{}", table(&head, &lines))
}

fn scans(found: &Value) -> String {
    let line = |row: &Value| {
        let change = row["change"].as_f64().map_or_else(
            || NO_COMPARISON.to_owned(),
            |change| {
                let lsc = row["lsc"].as_f64().map(|lsc| format!(", LSC {lsc:.3}")).unwrap_or_default();
                format!("{change:+.3}, {}{lsc}", beyond_error(row))
            },
        );
        vec![
            day(text(row, "at")).to_owned(),
            escape(&site(row)),
            format!("{:.3}", row["bmd"].as_f64().unwrap_or_default()),
            escape(text(row, "t_score")),
            escape(text(row, "z_score")),
            change,
        ]
    };
    let lines: Vec<Vec<String>> = rows(found).iter().map(line).collect();
    if lines.is_empty() {
        return String::new();
    }
    let head = ["", "site", "g/cm2", "T", "Z", "since the last comparable one"];
    format!("<h2>Bone density scans</h2>\n{}", table(&head, &lines))
}

fn notes(facts: &Value) -> String {
    let line = |fact: &Value| {
        let note = fact["fact"]["note"]
            .as_str()
            .or(fact["fact"]["reason"].as_str().filter(|_| fact["fact"]["type"] == "skip"))?;
        let about = fact["fact"]["occurrence"].as_str().or(fact["fact"]["item"].as_str())?;
        let about = about.split('@').next().unwrap_or_default();
        let day = day(text(&fact["fact"], "at")).to_owned();
        Some(vec![day, escape(about), escape(note)])
    };
    let lines: Vec<Vec<String>> = rows(facts).iter().rev().filter_map(line).take(MAX_NOTES).collect();
    if lines.is_empty() {
        return String::new();
    }
    format!("<h2>Notes</h2>\n{}", table(&["", "", ""], &lines))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_person_wrote_cannot_become_markup() {
        let evil = "<script>alert(\"x\")</script>";
        let material = Material {
            since: "2026-01-01".to_owned(),
            until: "2027-01-01".to_owned(),
            adherence: json!([{ "name": evil, "kind": "supplement", "taken": 1, "eligible": 2, "doses_taken_share": 0.5, "bounds": [0.5, 0.5], "product": { "brand": evil, "batch": "7" } }]),
            check_ins: json!([{ "at": "2026-01-02", "item": "sleep", "form": "sleep 1", "answers": { evil: 3 } }, { "form": "dosed check-in v1", "at": "2026-02-01", "answers": { "energy": 3 }, "changed": evil, "note": evil }]),
            scans: json!([{ "at": "2026-02-01", "region": evil, "bmd": 0.9, "t_score": evil }]),
            facts: json!([{ "fact": { "type": "intake", "item": "a", "at": "2026-02-01", "note": evil } }]),
            ..Material::default()
        };
        let page = html(&material);
        assert!(!page.contains("<script"), "{page}");
        assert_eq!(page.matches("&lt;script&gt;").count(), 8, "{page}");
        for said in [
            "1 of 2",
            "50&nbsp;%",
            "not medical advice",
            "Check-ins",
            "Bone density scans",
            "Notes",
            "batch 7",
        ] {
            assert!(page.contains(said), "{said}");
        }
        // Nothing is loaded from anywhere.
        for outside in ["http:", "https:", "src=", "url(", "@import", "<link"] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(html(&Material::default()).contains("Nothing was due"));
    }
}
