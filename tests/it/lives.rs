//! Ten schedules as people live by them (`tests/samples/lives`), against slots that python-dateutil computed from rules that are
//! written by hand (`tests/oracles/lives.py`), and what is left of their stocks.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use dosed::adapters::config;
use dosed::core::ledger::{Fact, FactId, Ledger, Record, When, stock_left};
use dosed::core::schedule::{NoHistory, Plan, ZoneHistory};
use jiff::Timestamp;
use jiff::tz::TimeZone;

const LIVES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples/lives");
const SLOTS: &str = include_str!("../samples/lives/slots.txt");

/// Returns the plan of each sample, as it was read on the first of September.
fn plans() -> BTreeMap<String, Plan> {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let opened = "2026-08-31T22:00:00Z".parse().unwrap();
    let files = std::fs::read_dir(LIVES).unwrap().map(|entry| entry.unwrap().path());
    let schedules = files.filter(|path| path.extension().is_some_and(|extension| extension == "toml"));
    let read = |path: &Path| {
        let text = std::fs::read_to_string(path).unwrap();
        let schedule =
            config::parse(&text).unwrap_or_else(|problems| panic!("{}: {problems:?}", path.display()));
        let mut plan = Plan::new(ZoneHistory::fixed(zone.clone()));
        for (item, definition) in schedule.items {
            // As the record gives it back.
            let read = config::read_definition(&item.id, &definition.text);
            assert_eq!(read.unread, [""; 0]);
            assert_eq!(format!("{:?}", read.item), format!("{item:?}"));
            plan.open(read.item, opened);
        }
        plan
    };
    schedules.map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), read(&path))).collect()
}

/// Midnight in Berlin on the first of October and of December: clocks change in between.
fn window() -> (Timestamp, Timestamp) {
    ("2026-09-30T22:00:00Z".parse().unwrap(), "2026-11-30T23:00:00Z".parse().unwrap())
}

#[test]
fn ten_lives_have_the_slots_of_another_calendar() {
    let plans = plans();
    assert_eq!(plans.len(), 10);
    let (from, until) = window();
    let mut lines: Vec<(String, String)> = Vec::new();
    for (sample, plan) in &plans {
        for item in plan.current_items() {
            for planned in plan.occurrences(&item.id, &NoHistory, from, until) {
                let dose = planned.dose(&plan.zones).map_or("-".to_owned(), ToString::to_string);
                let slot = planned.occurrence.id.slot.written().strftime("%Y-%m-%dT%H:%M").to_string();
                lines.push((
                    format!("{sample} {slot} {}", item.id),
                    format!("{sample} {} {slot} {dose}", item.id),
                ));
            }
        }
    }
    lines.sort();
    let expected: Vec<&str> = SLOTS.lines().collect();
    let got: Vec<&str> = lines.iter().map(|(_, line)| line.as_str()).collect();
    let first = got.iter().zip(&expected).find(|(got, expected)| got != expected);
    assert_eq!((first, got.len()), (None, expected.len()));
}

#[test]
#[ignore = "needs python3 python3-dateutil"]
fn the_slots_are_those_of_dateutil() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracles/lives.py");
    let output = Command::new("/usr/bin/python3").arg(script).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), SLOTS);
}

/// What is taken is what goes, exactly: whole tablets and halves, a pen by its units.
#[test]
fn a_stock_is_what_there_was_less_what_was_taken() {
    let plans = plans();
    let (from, until) = window();
    for (sample, item, of_dose, have) in [
        ("warfarin", "warfarin", &[("5 mg", 2.0), ("2.5 mg", 1.0)][..], 80.0),
        ("contraceptive", "pill", &[("1 tablet", 1.0)], 63.0),
        ("insulin", "rapid", &[("8 units", 8.0 / 300.0)], 5.0),
    ] {
        let (plan, item) = (&plans[sample], item.parse().unwrap());
        let mut ledger = Ledger::default();
        let mut left: f64 = have;
        for (seq, planned) in (1..).zip(plan.occurrences(&item, &NoHistory, from, until)) {
            let dose = planned.dose(&plan.zones).cloned();
            let written = dose.as_ref().unwrap().to_string();
            left = (left - of_dose.iter().find(|(dose, _)| *dose == written).unwrap().1).max(0.0);
            let at = planned.occurrence.at;
            let fact = Fact::Intake {
                item: item.clone(),
                occurrence: Some(planned.occurrence.id),
                at: When::Instant(at),
                amount: None,
                planned: dose,
                product: None,
                form_data: None,
                note: None,
                corrects: None,
                key: None,
            };
            ledger.extend([Arc::new(Record {
                id: FactId { device: "d".into(), seq },
                recorded_at: at,
                fact,
            })]);
            let counted: f64 = stock_left(plan, &ledger, &item).unwrap().to_string().parse().unwrap();
            assert!((counted - left).abs() < 1e-6, "{sample} {at}: {counted}, {left}");
        }
    }
}
