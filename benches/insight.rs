//! Times what `dosed adherence` and `dosed insight` compute, over ten years, without the database.
//!
//! Use: cargo bench --bench insight

use std::hint::black_box;
use std::time::Instant;

use dosed::insight::{Answers, Exposure, Lot, TIMING_WINDOW, associations, measure, record};
use dosed::ledger::{Fact, FactId, Ledger, Record, When};
use dosed::schedule::{Plan, ZoneHistory};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

const YEARS: i64 = 10;
const ROUNDS: usize = 21;

fn main() {
    let zone = TimeZone::get("Europe/Berlin").expect("the zone is known");
    let begun: Timestamp = "2016-11-25T00:00:00Z".parse().expect("a time");
    let now = begun + SignedDuration::from_hours(24 * 365 * YEARS);
    let schedule: String =
        ["a", "b", "c"].map(|id| format!("[[supplement]]\nid = \"{id}\"\ntimes = [\"08:00\"]\n")).concat();
    let mut plan = Plan::new(ZoneHistory::fixed(zone));
    for (item, _) in dosed::config::parse(&schedule).expect("the schedule is right").items {
        plan.open(item, begun);
    }
    let ledger = taken(&plan, begun, now);
    told("adherence, ten years of three items a day", || {
        for item in plan.items() {
            let (occurrences, extra) = record(&plan, &ledger, item, begun, now, now);
            black_box(measure(&occurrences, extra, TIMING_WINDOW));
        }
    });
    let mut lot = Lot(7);
    let mut draw = |n: usize, scale: usize| -> Vec<Option<f64>> {
        (0..n).map(|_| Some(f64::from(u32::try_from(lot.below(scale)).expect("small")))).collect()
    };
    let months = 12 * usize::try_from(YEARS).expect("few");
    let times: Vec<f64> = (0..u32::try_from(months).expect("few")).map(f64::from).collect();
    let exposures: Vec<Exposure> = (0..6)
        .map(|i| Exposure { item: i.to_string(), name: i.to_string(), shares: draw(months, 101) })
        .collect();
    let outcomes: Vec<Answers> = (0..5)
        .map(|i| Answers { key: i.to_string(), text: i.to_string(), answers: draw(months, 11) })
        .collect();
    told("insight, ten years of monthly check-ins and six habits", || {
        black_box(associations(&times, &exposures, &outcomes, ("0", "0")));
    });
}

/// Makes a record in which nine of ten were taken.
fn taken(plan: &Plan, from: Timestamp, until: Timestamp) -> Ledger {
    let mut ledger = Ledger::default();
    let mut seq = 0;
    for item in plan.items() {
        for (n, planned) in plan.occurrences(item, &[], from, until).into_iter().enumerate() {
            if n % 10 == 9 {
                continue;
            }
            seq += 1;
            let at = planned.occurrence.at;
            let fact = Fact::Intake {
                item: item.clone(),
                occurrence: Some(planned.occurrence.id),
                at: When::Instant(at),
                amount: None,
                planned: None,
                product: None,
                details: None,
                note: None,
                corrects: None,
                key: None,
            };
            ledger.fold(Record { id: FactId { device: "desk".into(), seq }, recorded_at: at, fact });
        }
    }
    ledger
}

fn told(what: &str, mut round: impl FnMut()) {
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            round();
            begun.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let (median, most) = (times[ROUNDS / 2], times[ROUNDS - 1]);
    #[expect(clippy::print_stdout, reason = "this is what a measurement is for")]
    {
        println!("{what}: median {median:.1} ms, maximum {most:.1} ms of {ROUNDS} rounds");
    }
}
