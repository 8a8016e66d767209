//! Times the functions that everything waits for, without disk and socket, on made-up records of up to ten years.
//!
//! Use: cargo bench --bench hot [-- adherence]

#![allow(clippy::disallowed_methods, reason = "a benchmark may look up a zone")]

use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use dosed::adapters::config;
use dosed::core::insight::{
    Exposure, QuestionSeries, SplitMix64, TIMING_WINDOW, associations, measure, occurrences,
};
use dosed::core::ledger::{Fact, FactId, Ledger, Record, When, timeline};
use dosed::core::schedule::{NoHistory, Plan, ZoneHistory};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

fn main() {
    divan::main();
}

fn start() -> Timestamp {
    "2016-11-25T00:00:00Z".parse().expect("a time")
}

fn days(n: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * n)
}

/// Makes the plan of so many daily items.
fn plan(items: usize) -> Plan {
    let zone = TimeZone::get("Europe/Berlin").expect("the zone is known");
    let item = |n: usize| format!("[[supplement]]\nid = \"item-{n}\"\ntimes = [\"08:00\"]\n");
    let schedule = (0..items).map(item).collect::<Vec<_>>().concat();
    let mut plan = Plan::new(ZoneHistory::fixed(zone));
    for (item, _) in config::parse(&schedule).expect("the schedule is right").items {
        plan.open(item, start());
    }
    plan
}

/// Makes a record in which nine of ten were taken.
fn taken(plan: &Plan, until: Timestamp) -> Vec<Record> {
    let planned = plan.items().flat_map(|item| plan.occurrences(item, &NoHistory, start(), until));
    let taken = planned.enumerate().filter(|(n, _)| n % 10 != 9).zip(1..);
    taken
        .map(|((_, planned), seq)| {
            let at = planned.occurrence.at + SignedDuration::from_mins(10);
            let id = planned.occurrence.id.clone();
            let fact = Fact::intake(id.item.clone(), Some(id), When::Instant(at));
            Record { id: FactId { device: "desk".into(), seq }, recorded_at: at, fact }
        })
        .collect()
}

fn fold(records: &[Record]) -> Ledger {
    records.iter().cloned().map(Arc::new).collect()
}

/// Every measure of three items a day.
#[divan::bench(args = [1, 10])]
fn adherence(bencher: Bencher<'_, '_>, years: i64) {
    let plan = plan(3);
    let now = start() + days(365 * years);
    let ledger = fold(&taken(&plan, now));
    bencher.bench(|| {
        plan.items()
            .map(|item| {
                let (taken, extra) = occurrences(&plan, &ledger, item, start(), now, now);
                measure(&taken, extra, TIMING_WINDOW)
            })
            .collect::<Vec<_>>()
    });
}

/// Every pair of six habits and five questions, from monthly check-ins.
#[divan::bench(args = [1, 10], sample_count = 21)]
fn insight(bencher: Bencher<'_, '_>, years: usize) {
    let months = 12 * years;
    let mut lot = SplitMix64(7);
    let mut draw = |scale: usize| -> Vec<Option<f64>> {
        (0..months).map(|_| Some(f64::from(u32::try_from(lot.below(scale)).expect("small")))).collect()
    };
    let times: Vec<f64> = (0..u32::try_from(months).expect("few")).map(f64::from).collect();
    let exposures: Vec<Exposure> =
        (0..6).map(|i| Exposure { item: i.to_string(), name: i.to_string(), shares: draw(101) }).collect();
    let outcomes: Vec<QuestionSeries> = (0..5)
        .map(|i| QuestionSeries { key: i.to_string(), text: i.to_string(), answers: draw(11) })
        .collect();
    bencher.bench(|| associations(&times, &exposures, &outcomes, ("0", "0")));
}

/// A year of daily items: the slots alone.
#[divan::bench(args = [10, 1000])]
fn expansion(bencher: Bencher<'_, '_>, items: usize) {
    let plan = plan(items);
    let until = start() + days(365);
    bencher.counter(ItemsCount::new(items * 365)).bench(|| {
        plan.items().map(|item| plan.occurrences(item, &NoHistory, start(), until).len()).sum::<usize>()
    });
}

/// The states of a week.
#[divan::bench(args = [10, 1000])]
fn states(bencher: Bencher<'_, '_>, items: usize) {
    let plan = plan(items);
    let now = start() + days(7);
    let ledger = fold(&taken(&plan, now));
    bencher.counter(ItemsCount::new(items * 7)).bench(|| timeline(&plan, &ledger, None, start(), now, now));
}

/// The fold of a year's answers.
#[divan::bench(args = [10, 100])]
fn folding(bencher: Bencher<'_, '_>, items: usize) {
    let records = taken(&plan(items), start() + days(365));
    bencher.counter(ItemsCount::new(records.len())).bench(|| fold(&records));
}
