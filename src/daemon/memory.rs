//! What questions found out and nothing has changed since: an answer until something happens, and the months
//! that are over.
//!
//! It holds for one plan. Whatever is recorded ends every answer, and the months that it may be about.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::insight::Past;
use crate::ledger::{Record, When};
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
    /// How much has been recorded.
    recorded: u64,
    answers: HashMap<Asked, Answer>,
    /// By item and the first day of the month.
    months: BTreeMap<(ItemId, Date), Arc<Past>>,
    occurrences: usize,
}

/// What holds from an instant until another.
#[derive(Debug)]
struct Answer {
    from: Timestamp,
    until: Timestamp,
    json: Arc<str>,
}

/// How much was recorded when a question was asked: what it finds out is remembered only where nothing comes between.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment(u64);

impl Memory {
    fn open(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn about(&self, plan: &Arc<Plan>) -> MutexGuard<'_, Remembered> {
        let mut remembered = self.open();
        if !std::ptr::eq(remembered.plan.as_ptr(), Arc::as_ptr(plan)) {
            let recorded = remembered.recorded;
            *remembered = Remembered { plan: Arc::downgrade(plan), recorded, ..Remembered::default() };
        }
        remembered
    }

    /// Returns the present moment.
    pub(super) fn moment(&self) -> Moment {
        Moment(self.open().recorded)
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
    pub(super) fn answer(&self, plan: &Arc<Plan>, asked: Asked, now: Timestamp) -> Option<Arc<str>> {
        let remembered = self.about(plan);
        let answer = remembered.answers.get(&asked);
        answer.filter(|answer| answer.from <= now && now < answer.until).map(|answer| answer.json.clone())
    }

    /// Remembers an answer that holds over `[from, until)` where nothing is recorded.
    pub(super) fn keep_answer(
        &self,
        plan: &Arc<Plan>,
        moment: Moment,
        asked: Asked,
        (from, until): (Timestamp, Timestamp),
        json: Arc<str>,
    ) {
        let mut remembered = self.about(plan);
        if remembered.recorded == moment.0 {
            remembered.answers.insert(asked, Answer { from, until, json });
        }
    }

    /// Returns what became of an item in a month that is over.
    pub(super) fn month(&self, plan: &Arc<Plan>, item: &ItemId, first_day: Date) -> Option<Arc<Past>> {
        self.about(plan).months.get(&(item.clone(), first_day)).cloned()
    }

    /// Remembers what became of an item in a month that is over, while there is room.
    pub(super) fn keep_month(
        &self,
        plan: &Arc<Plan>,
        moment: Moment,
        item: &ItemId,
        first_day: Date,
        past: Past,
    ) {
        let mut remembered = self.about(plan);
        let (month, occurrences) = ((item.clone(), first_day), remembered.occurrences + size(&past));
        let is_new = remembered.recorded == moment.0 && !remembered.months.contains_key(&month);
        if is_new && occurrences <= MAX_OCCURRENCES {
            remembered.occurrences = occurrences;
            remembered.months.insert(month, Arc::new(past));
        }
    }
}

impl Remembered {
    fn forget_months(&mut self, item: &ItemId, from: Date) {
        let first = (item.clone(), from.first_of_month());
        let gone: Vec<_> = self.months.range(first..).map(|(key, _)| key.clone()).collect();
        for key in gone.into_iter().take_while(|(of, _)| of == item) {
            let past = self.months.remove(&key);
            self.occurrences -= past.map_or(0, |past| size(&past));
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
    let utc = |at| TimeZone::UTC.to_datetime(at).date();
    let written = match (record.fact.occurrence(), record.fact.at()) {
        (Some(occurrence), _) => occurrence.slot.written().date(),
        (None, When::Instant(at)) => utc(at),
        (None, When::Date(date)) => date,
    };
    written.saturating_sub(SLACK_DAYS.days())
}
