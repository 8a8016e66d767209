//! What became of an item over a range of days.

use jiff::Timestamp;
use jiff::civil::Date;

use super::adherence::occurrences;
use super::{HabitEntry, SlotResult, entries};
use crate::core::ledger::{Fact, Ledger, Record, When};
use crate::core::schedule::{ItemId, Plan, Slot};

/// The local dates `[since, until)`, with the instants between which slots count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateRange {
    /// The first day.
    pub since: Date,
    /// The day after the last one.
    pub until: Date,
    /// When the first day begins.
    pub from: Timestamp,
    /// When the last day ends whose slots count: what lies ahead is left out.
    pub to: Timestamp,
}

/// What became of an item over a range.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ItemHistory {
    /// What was planned, in the order of its time.
    pub occurrences: Vec<SlotResult>,
    /// How often it was taken without being planned, while paused, or for a slot that another answer resolves.
    pub extra: u32,
    /// What was entered, each with its day.
    pub entries: Vec<HabitEntry>,
}

/// Returns what became of an item over a range.
#[must_use]
pub fn item_history(
    plan: &Plan,
    ledger: &Ledger,
    item: &ItemId,
    range: DateRange,
    now: Timestamp,
) -> ItemHistory {
    let (occurrences, paused) = occurrences(plan, ledger, item, range.from, range.to, now);
    let is_on = |date: Date| range.since <= date && date < range.until;
    // The slot's own day counts, as for its answer.
    let is_in_range = |fact: &Fact| {
        fact.occurrence().is_some_and(|occurrence| match occurrence.slot {
            Slot::Civil(slot) => is_on(plan.day_of(slot)),
            Slot::Utc(at) => range.from <= at && at < range.to,
        })
    };
    let is_unplanned = |fact: &Fact| match fact {
        Fact::Intake { occurrence: None, at: When::Instant(at), .. } => range.from <= *at && *at < range.to,
        Fact::Intake { occurrence: None, at: When::Date(date), .. } => is_on(*date),
        _ => false,
    };
    let is_extra = |record: &&Record| {
        is_unplanned(&record.fact) || (is_in_range(&record.fact) && ledger.is_beyond_slot(record))
    };
    let names = plan.names(item);
    let unplanned = names.iter().flat_map(|name| ledger.intake_records(name)).filter(is_extra).count();
    ItemHistory {
        occurrences,
        extra: paused.saturating_add(u32::try_from(unplanned).unwrap_or(u32::MAX)),
        entries: entries(plan, ledger, item).into_iter().filter(|(date, _)| is_on(*date)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use jiff::tz::TimeZone;

    use super::*;
    use crate::core::ledger::FactId;
    use crate::core::schedule::ZoneHistory;

    #[test]
    fn only_what_lies_in_the_range_counts() {
        let mut plan = Plan::new(ZoneHistory::fixed(TimeZone::get("Europe/Berlin").unwrap()));
        let schedule = "[[supplement]]\nid = \"a\"\ndose = \"2 mg\"\ntimes = [\"08:00\"]\n";
        for (item, _) in crate::adapters::config::parse(schedule).unwrap().items {
            plan.open(item, Timestamp::MIN);
        }
        let item: ItemId = "a".parse().unwrap();
        let midnight = |day: i8| {
            let date = jiff::civil::date(2026, 3, day);
            (date, plan.zones.instant(date.to_datetime(jiff::civil::Time::midnight())).unwrap())
        };
        let ((since, from), (until, to)) = (midnight(10), midnight(20));
        let second = SignedDuration::from_secs(1);
        let intake = |occurrence: Option<&str>, at| {
            Fact::intake(item.clone(), occurrence.map(|id| id.parse().unwrap()), at)
        };
        for (fact, taken, extra, entries) in [
            (intake(Some("a@2026-03-10T08:00"), When::Instant(from)), 1, 0, 1),
            (intake(Some("a@2026-03-20T08:00"), When::Instant(to)), 0, 0, 0),
            (intake(None, When::Instant(from - second)), 0, 0, 0),
            (intake(None, When::Instant(from)), 0, 1, 1),
            (intake(None, When::Instant(to - second)), 0, 1, 1),
            (intake(None, When::Instant(to)), 0, 0, 0),
            (intake(None, When::Date(since)), 0, 1, 1),
            (intake(None, When::Date(until)), 0, 0, 0),
        ] {
            let mut ledger = Ledger::default();
            let id = FactId { device: "desk".into(), seq: 1 };
            ledger.fold(Record { id, recorded_at: from, fact: fact.clone() });
            let history = item_history(&plan, &ledger, &item, DateRange { since, until, from, to }, to);
            let slots = history.occurrences.iter().filter(|slot| slot.offset.is_some()).count();
            assert_eq!((slots, history.extra, history.entries.len()), (taken, extra, entries), "{fact:?}");
            assert_eq!(history.occurrences.len(), 10);
        }
    }

    /// For who goes to bed at two: the night belongs to the day before.
    #[test]
    fn a_day_can_begin_after_midnight() {
        let mut plan = Plan::new(ZoneHistory::fixed(TimeZone::UTC));
        plan.day_starts = jiff::civil::time(4, 0, 0, 0);
        let schedule = "[[supplement]]\nid = \"a\"\ntimes = [\"01:00\", \"22:00\"]\n";
        for (item, _) in crate::adapters::config::parse(schedule).unwrap().items {
            plan.open(item, Timestamp::MIN);
        }
        let item: ItemId = "a".parse().unwrap();
        let at = |text: &str| format!("2026-03-{text}:00Z").parse::<Timestamp>().unwrap();
        let (since, until) = (jiff::civil::date(2026, 3, 10), jiff::civil::date(2026, 3, 11));
        let range = DateRange { since, until, from: at("10T04:00"), to: at("11T04:00") };
        let facts = [
            Fact::intake(
                item.clone(),
                Some("a@2026-03-11T01:00".parse().unwrap()),
                When::Instant(at("11T01:30")),
            ),
            Fact::intake(item.clone(), None, When::Instant(at("11T02:00"))),
            Fact::intake(item.clone(), None, When::Instant(at("11T05:00"))),
        ];
        let mut ledger = Ledger::default();
        for (seq, fact) in (1..).zip(facts) {
            let id = FactId { device: "desk".into(), seq };
            ledger.fold(Record { id, recorded_at: at("11T06:00"), fact });
        }
        let history = item_history(&plan, &ledger, &item, range, at("11T06:00"));
        let dates: Vec<Date> = history.occurrences.iter().map(|slot| slot.date).collect();
        assert_eq!((dates, history.extra), (vec![since, since], 1));
        assert_eq!(history.entries.iter().map(|(date, _)| *date).collect::<Vec<_>>(), [since, since]);
    }
}
