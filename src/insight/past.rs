//! What became of an item over one stretch of days after another: what is over can be looked at once.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use super::adherence::occurrences;
use super::{Entry, Taken, entries};
use crate::ledger::{Fact, Ledger, When};
use crate::schedule::{ItemId, Plan};

/// The local dates `[since, until)`, with the instants at which they begin and end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The first day.
    pub since: Date,
    /// The day after the last one.
    pub until: Date,
    /// When the first day begins.
    pub from: Timestamp,
    /// When the last day ends.
    pub to: Timestamp,
}

/// What became of an item over a stretch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Past {
    /// What was planned, in the order of its time.
    pub occurrences: Vec<Taken>,
    /// How often it was taken beside the plan, or while paused.
    pub extra: u32,
    /// What was entered, each with its day.
    pub entries: Vec<Entry>,
}

impl Past {
    /// Returns what became of it over several stretches, each of which begins where the one before ends.
    #[must_use]
    pub fn joined(parts: &[Arc<Self>]) -> Self {
        let occurrences: Vec<&[Taken]> = parts.iter().map(|part| &part.occurrences[..]).collect();
        let entries: Vec<&[Entry]> = parts.iter().map(|part| &part.entries[..]).collect();
        Self {
            occurrences: occurrences.concat(),
            extra: parts.iter().map(|part| part.extra).sum(),
            entries: entries.concat(),
        }
    }
}

/// Returns what became of an item over stretches, each of which begins where the one before ends.
#[must_use]
pub fn past(plan: &Plan, ledger: &Ledger, item: &ItemId, stretches: &[Stretch], now: Timestamp) -> Vec<Past> {
    let of = |stretch: &Stretch| {
        let (occurrences, extra) = occurrences(plan, ledger, item, stretch.from, stretch.to, now);
        Past { occurrences, extra, entries: Vec::new() }
    };
    let mut found: Vec<Past> = stretches.iter().map(of).collect();
    let on = |date: Date| {
        let place = stretches.partition_point(|stretch| stretch.until <= date);
        stretches.get(place).filter(|stretch| stretch.since <= date).map(|_| place)
    };
    let at = |instant: Timestamp| {
        let place = stretches.partition_point(|stretch| stretch.to <= instant);
        stretches.get(place).filter(|stretch| stretch.from <= instant).map(|_| place)
    };
    for entry in entries(plan, ledger, item) {
        if let Some(past) = on(entry.0).and_then(|place| found.get_mut(place)) {
            past.entries.push(entry);
        }
    }
    for record in ledger.intake_records(item) {
        let place = match record.fact {
            Fact::Intake { occurrence: None, at: When::Instant(instant), .. } => at(instant),
            Fact::Intake { occurrence: None, at: When::Date(date), .. } => on(date),
            _ => None,
        };
        if let Some(past) = place.and_then(|place| found.get_mut(place)) {
            past.extra += 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use jiff::{SignedDuration, ToSpan};
    use proptest::prelude::{Strategy, prop, prop_assert_eq, proptest};

    use super::*;
    use crate::ledger::{FactId, Record};
    use crate::schedule::ZoneHistory;

    const FIRST: Date = jiff::civil::date(2026, 1, 30);
    const DAYS: i64 = 65;

    fn plan() -> Plan {
        // Where clocks go forward at the end of a month, at midnight, into the next day.
        let mut plan = Plan::new(ZoneHistory::fixed(TimeZone::get("Asia/Beirut").unwrap()));
        let schedule = "[[supplement]]\nid = \"a\"\ndose = \"2 mg\"\ntimes = [\"00:00\", \"23:30\"]\n";
        for (item, _) in crate::config::parse(schedule).unwrap().items {
            plan.open(item, Timestamp::MIN);
        }
        plan
    }

    fn midnight(plan: &Plan, date: Date) -> Timestamp {
        plan.zones.instant(date.to_datetime(jiff::civil::Time::midnight())).unwrap()
    }

    /// A fact: how many minutes after the first day, whether about a slot, dated only, or a skip.
    fn facts() -> impl Strategy<Value = Vec<(i64, u8)>> {
        prop::collection::vec((0..DAYS * 24 * 60, 0u8..5), 0..60)
    }

    fn ledger(plan: &Plan, item: &ItemId, facts: &[(i64, u8)]) -> Ledger {
        let mut ledger = Ledger::default();
        let first = midnight(plan, FIRST);
        for (seq, (minutes, kind)) in (1..).zip(facts) {
            let at = first + SignedDuration::from_mins(*minutes);
            let date = plan.zones.latest().to_datetime(at).date();
            let slot = plan.next_after(item, &[], at).map(|planned| planned.occurrence.id);
            let fact = match kind {
                0 => Fact::Skip {
                    occurrence: slot.unwrap(),
                    at: When::Instant(at),
                    reason: None,
                    note: None,
                    corrects: None,
                    key: None,
                },
                kind => Fact::Intake {
                    item: item.clone(),
                    occurrence: slot.filter(|_| *kind == 1),
                    at: if *kind == 2 { When::Date(date) } else { When::Instant(at) },
                    amount: "1 mg".parse().ok().filter(|_| *kind == 3),
                    planned: None,
                    product: None,
                    details: None,
                    note: None,
                    corrects: None,
                    key: None,
                },
            };
            ledger.fold(Record { id: FactId { device: "desk".into(), seq }, recorded_at: at, fact });
        }
        ledger
    }

    proptest! {
        #[test]
        fn the_parts_are_the_whole(facts in facts(), cuts in prop::collection::btree_set(1..DAYS, 0..6)) {
            let plan = plan();
            let item: ItemId = "a".parse().unwrap();
            let ledger = ledger(&plan, &item, &facts);
            let day = |n: i64| FIRST.saturating_add(n.days());
            let ends: Vec<Date> = cuts.into_iter().chain([DAYS]).map(day).collect();
            let begins = [FIRST].into_iter().chain(ends.iter().copied());
            let stretch = |since, until| Stretch {
                since,
                until,
                from: midnight(&plan, since),
                to: midnight(&plan, until),
            };
            let parts: Vec<Stretch> = begins.zip(&ends).map(|(since, until)| stretch(since, *until)).collect();
            let now = midnight(&plan, day(DAYS - 3));
            let parts: Vec<Arc<Past>> =
                past(&plan, &ledger, &item, &parts, now).into_iter().map(Arc::new).collect();
            let mut sum = Past::joined(&parts);
            let mut whole = past(&plan, &ledger, &item, &[stretch(FIRST, day(DAYS))], now).remove(0);
            // Entries of one day keep their order; those of several days stand by the parts.
            sum.entries.sort_by_key(|(date, _)| *date);
            whole.entries.sort_by_key(|(date, _)| *date);
            prop_assert_eq!(sum, whole);
        }
    }
}
