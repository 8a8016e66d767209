//! What questions found out and nothing has changed since: an answer until something happens, and the months
//! that are over.
//!
//! It holds for one plan. Whatever is recorded ends every answer, and the months that it may be about.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::insight::{Past, Stretch};
use crate::ledger::Record;
use crate::schedule::{ItemId, Plan};

/// The most occurrences that are remembered: some megabytes.
const MAX_OCCURRENCES: usize = 100_000;

/// How many days before a fact the days begin that it can be about, wherever on earth it was written.
const SLACK_DAYS: i64 = 3;

/// A question whose answer is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Asked {
    /// The occurrences of today.
    Today,
    /// The next one of all items.
    Soonest,
}

/// What is remembered, shared by all who ask.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    /// The plan that it is about; an edit of it makes another one.
    plan: Weak<Plan>,
    /// How often the database was opened: each time it may hold more of other devices.
    openings: u64,
    /// How much has been recorded.
    recorded: u64,
    answers: HashMap<Asked, Answer>,
    /// By item and the first day of the month.
    months: BTreeMap<(ItemId, Date), Month>,
    occurrences: usize,
}

/// What holds from an instant until another.
#[derive(Debug)]
struct Answer {
    from: Timestamp,
    until: Timestamp,
    json: Arc<str>,
}

#[derive(Debug)]
struct Month {
    /// Another zone has other midnights.
    stretch: Stretch,
    past: Arc<Past>,
}

/// What a question begins with: what it finds out is remembered only where nothing comes between.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    plan: Arc<Plan>,
    openings: u64,
    recorded: u64,
}

impl Memory {
    fn open(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn about(&self, moment: &Moment) -> MutexGuard<'_, Remembered> {
        let mut remembered = self.open();
        let is_same_plan = std::ptr::eq(remembered.plan.as_ptr(), Arc::as_ptr(&moment.plan));
        if !is_same_plan || remembered.openings != moment.openings {
            let (plan, openings) = (Arc::downgrade(&moment.plan), moment.openings);
            let recorded = remembered.recorded;
            *remembered = Remembered { plan, openings, recorded, ..Remembered::default() };
        }
        remembered
    }

    /// Returns the present moment, for a plan and a database that was opened so often.
    pub(super) fn moment(&self, plan: Arc<Plan>, openings: u64) -> Moment {
        Moment { plan, openings, recorded: self.open().recorded }
    }

    /// Forgets what a fact changes.
    pub(super) fn forget(&self, record: &Record) {
        let mut remembered = self.open();
        remembered.recorded += 1;
        remembered.answers.clear();
        match record.fact.item() {
            // What is taken back or corrected can lie anywhere; a pause can be of everything.
            Some(item) if record.fact.replaces().is_none() && !record.fact.shapes_plan() => {
                remembered.forget_months(item, first_day_about(record));
            }
            _ => remembered.forget_all_months(),
        }
    }

    /// Returns the answer to a question where it still holds.
    pub(super) fn answer(&self, moment: &Moment, asked: Asked, now: Timestamp) -> Option<Arc<str>> {
        let remembered = self.about(moment);
        let answer = remembered.answers.get(&asked);
        answer.filter(|answer| answer.from <= now && now < answer.until).map(|answer| answer.json.clone())
    }

    /// Remembers an answer that holds over `[from, until)` where nothing is recorded.
    pub(super) fn keep_answer(
        &self,
        moment: &Moment,
        asked: Asked,
        (from, until): (Timestamp, Timestamp),
        json: Arc<str>,
    ) {
        let mut remembered = self.about(moment);
        if remembered.recorded == moment.recorded {
            remembered.answers.insert(asked, Answer { from, until, json });
        }
    }

    /// Returns what became of an item in a month that is over.
    pub(super) fn month(&self, moment: &Moment, item: &ItemId, stretch: &Stretch) -> Option<Arc<Past>> {
        let remembered = self.about(moment);
        let month = remembered.months.get(&(item.clone(), stretch.since));
        month.filter(|month| month.stretch == *stretch).map(|month| month.past.clone())
    }

    /// Remembers what became of an item in a month that is over, while there is room.
    pub(super) fn keep_month(&self, moment: &Moment, item: &ItemId, stretch: Stretch, past: Arc<Past>) {
        let mut remembered = self.about(moment);
        let occurrences = remembered.occurrences + size(&past);
        if remembered.recorded == moment.recorded && occurrences <= MAX_OCCURRENCES {
            let month = Month { stretch, past };
            let before = remembered.months.insert((item.clone(), stretch.since), month);
            remembered.occurrences = occurrences - before.map_or(0, |before| size(&before.past));
        }
    }
}

impl Remembered {
    fn forget_months(&mut self, item: &ItemId, from: Date) {
        let first = (item.clone(), from.first_of_month());
        let gone: Vec<_> = self.months.range(first..).map(|(key, _)| key.clone()).collect();
        for key in gone.into_iter().take_while(|(of, _)| of == item) {
            let month = self.months.remove(&key);
            self.occurrences -= month.map_or(0, |month| size(&month.past));
        }
    }

    fn forget_all_months(&mut self) {
        self.months.clear();
        self.occurrences = 0;
    }
}

/// Returns about how much room a month takes, in occurrences; one in which nothing was planned takes some, too.
fn size(past: &Past) -> usize {
    1 + past.occurrences.len() + past.entries.len()
}

/// Returns the first day that a fact can change anything about.
fn first_day_about(record: &Record) -> Date {
    record.about(&TimeZone::UTC).date().saturating_sub(SLACK_DAYS.days())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Fact, FactId, When};
    use crate::schedule::{OccurrenceId, ZoneHistory};

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    fn plan() -> Arc<Plan> {
        Arc::new(Plan::new(ZoneHistory::fixed(TimeZone::UTC)))
    }

    fn record(fact: Fact) -> Record {
        Record { id: FactId { device: "desk".into(), seq: 1 }, recorded_at: Timestamp::UNIX_EPOCH, fact }
    }

    fn skip(occurrence: &str) -> Record {
        record(Fact::Skip {
            occurrence: occurrence.parse::<OccurrenceId>().unwrap(),
            at: When::Instant(Timestamp::UNIX_EPOCH),
            reason: None,
            note: None,
            corrects: None,
            key: None,
        })
    }

    fn taken_back(occurrence: &str) -> Record {
        record(Fact::Retraction {
            fact: FactId { device: "desk".into(), seq: 1 },
            occurrence: Some(occurrence.parse().unwrap()),
            at: Timestamp::UNIX_EPOCH,
            reason: None,
            key: None,
        })
    }

    fn paused() -> Record {
        record(Fact::Pause { item: None, at: Timestamp::UNIX_EPOCH, until: None, reason: None })
    }

    fn month(n: i8) -> Stretch {
        let since = jiff::civil::date(2026, n, 1);
        let until = since.saturating_add(1.month());
        let midnight = |date: Date| date.to_zoned(TimeZone::UTC).unwrap().timestamp();
        Stretch { since, until, from: midnight(since), to: midnight(until) }
    }

    #[test]
    fn a_fact_ends_answers_and_the_months_that_it_can_be_about() {
        for (fact, left) in [
            (skip("a@2026-02-10T08:00"), "a1 b1 b2 b3"),
            // Wherever on earth that was.
            (skip("a@2026-03-02T08:00"), "a1 b1 b2 b3"),
            (skip("a@2026-03-20T08:00"), "a1 a2 b1 b2 b3"),
            (skip("c@2026-01-01T08:00"), "a1 a2 a3 b1 b2 b3"),
            (taken_back("a@2026-03-20T08:00"), ""),
            (paused(), ""),
        ] {
            let (memory, plan) = (Memory::default(), plan());
            let moment = memory.moment(plan.clone(), 1);
            let (from, until) = (at("2026-11-25T08:00:00Z"), at("2026-11-25T09:00:00Z"));
            memory.keep_answer(&moment, Asked::Today, (from, until), "[]".into());
            for n in 1..4 {
                for item in ["a", "b"] {
                    memory.keep_month(&moment, &item.parse().unwrap(), month(n), Arc::default());
                }
            }
            memory.forget(&fact);
            let now = memory.moment(plan, 1);
            assert_eq!(memory.answer(&now, Asked::Today, from), None);
            let known = |item: &str, n| memory.month(&now, &item.parse().unwrap(), &month(n)).is_some();
            let months = ["a", "b"].into_iter().flat_map(|item| (1..4).map(move |n| (item, n)));
            let months: Vec<String> =
                months.filter(|(item, n)| known(item, *n)).map(|(item, n)| format!("{item}{n}")).collect();
            assert_eq!(months.join(" "), left, "{fact:?}");
            assert_eq!(memory.open().occurrences, months.len());
        }
    }

    #[test]
    fn what_was_found_out_for_another_moment_is_nothing() {
        let (from, until) = (at("2026-11-25T08:00:00Z"), at("2026-11-25T09:00:00Z"));
        let item: ItemId = "a".parse().unwrap();
        let (memory, here) = (Memory::default(), plan());
        let moment = memory.moment(here.clone(), 1);
        let keep = |moment: &Moment| {
            memory.keep_answer(moment, Asked::Today, (from, until), "[]".into());
            memory.keep_month(moment, &item, month(1), Arc::default());
        };
        let knows = |moment: &Moment, now| {
            let (answer, month) =
                (memory.answer(moment, Asked::Today, now), memory.month(moment, &item, &month(1)));
            (answer.is_some(), month.is_some())
        };
        keep(&moment);
        assert_eq!(knows(&moment, from), (true, true));
        // It holds for its time, as long as the clock does not go back.
        assert_eq!(knows(&moment, until), (false, true));
        assert_eq!(knows(&moment, from - jiff::SignedDuration::from_nanos(1)), (false, true));
        assert_eq!(memory.answer(&moment, Asked::Soonest, from), None);
        // Another zone has other midnights.
        let elsewhere = Stretch { from: month(1).from - jiff::SignedDuration::from_hours(1), ..month(1) };
        assert_eq!(memory.month(&moment, &item, &elsewhere), None);
        for other in [memory.moment(plan(), 1), memory.moment(here.clone(), 2)] {
            assert_eq!(knows(&other, from), (false, false));
            keep(&moment);
        }
        // What was begun before a fact says nothing of what was after it.
        memory.forget(&skip("a@2026-01-10T08:00"));
        keep(&moment);
        assert_eq!(knows(&memory.moment(here, 1), from), (false, false));
    }
}
