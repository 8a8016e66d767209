//! The state of each occurrence, derived.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::aim::reached_at;
use super::fold::{ends, snooze_of, was_asked};
use super::{Fact, Ledger, Record};
use crate::core::schedule::{Amount, ItemId, Occurrence, Plan, Planned, ZoneHistory};

/// The longest time after its grace until which a snooze can hold an occurrence open.
pub const MAX_SNOOZE_PAST_GRACE: SignedDuration = SignedDuration::from_hours(24);

/// The longest time after the end of a snooze in which a slot can still be answered as itself.
const MAX_GRACE_AFTER_SNOOZE: SignedDuration = SignedDuration::from_hours(1);

/// Returns how long after its time an occurrence can be open: its grace, snoozed to the last.
#[must_use]
pub fn longest_open(grace: SignedDuration) -> SignedDuration {
    grace + MAX_SNOOZE_PAST_GRACE + MAX_GRACE_AFTER_SNOOZE
}

/// What has become of an occurrence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Its time has not come.
    Upcoming,
    /// It can be answered.
    Due,
    /// Taken as planned.
    Taken,
    /// Less was taken than planned.
    Partial,
    /// The person decided not to.
    Skipped,
    /// The person was asked and did not answer.
    Missed,
    /// The person could not be asked.
    Unknown,
    /// It was paused, the aim of the day was reached, or the schedule was changed before it could be answered.
    Excused,
}

impl State {
    /// Returns the state's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Upcoming => "upcoming",
            Self::Due => "due",
            Self::Taken => "taken",
            Self::Partial => "partial",
            Self::Skipped => "skipped",
            Self::Missed => "missed",
            Self::Unknown => "unknown",
            Self::Excused => "excused",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The status of an occurrence at an instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// Its state.
    pub state: State,
    /// The answer that resolves it.
    pub answer: Option<Arc<Record>>,
    /// When a snooze ends, while one runs.
    pub snoozed_until: Option<Timestamp>,
    /// When it can no longer be answered without naming it.
    pub closes_at: Timestamp,
}

/// Derives the status of an occurrence.
#[must_use]
pub fn status_of(planned: &Planned<'_>, ledger: &Ledger, now: Timestamp) -> Status {
    let Occurrence { id, at } = &planned.occurrence;
    let item = &planned.regimen.item;
    // Looked up once: this is done for each slot of years.
    let facts = ledger.facts_for(id);
    let snoozed_until = snooze_of(&facts).and_then(ends);
    let closes_at = closes_at(*at, item.grace, snoozed_until);
    let answer = ledger.answer_among(&facts);
    let state = match answer.map(|record| &record.fact) {
        Some(Fact::Intake { .. }) if item.ask_amount => State::Taken,
        Some(Fact::Intake { amount, planned, .. }) => taken(amount.as_ref(), planned.as_ref()),
        Some(_) => State::Skipped,
        None if ledger.is_paused(&item.id, *at) => State::Excused,
        None if planned.removed.is_some_and(|removal| removal.takes(closes_at, now)) => State::Excused,
        // It had not closed when the aim was reached.
        None if reached_at(item, ledger, &planned.occurrence).is_some_and(|reached| reached < closes_at) => {
            State::Excused
        }
        None if now < *at => State::Upcoming,
        None if now < closes_at => State::Due,
        None if was_asked(&facts, *at) => State::Missed,
        None => State::Unknown,
    };
    Status {
        state,
        answer: answer.cloned(),
        snoozed_until: snoozed_until
            .filter(|until| matches!(state, State::Due | State::Upcoming) && now < *until),
        closes_at,
    }
}

fn taken(amount: Option<&Amount>, planned: Option<&Amount>) -> State {
    match (amount, planned) {
        (Some(amount), Some(planned)) if amount.is_part_of(planned) => State::Partial,
        _ => State::Taken,
    }
}

/// Returns when an occurrence closes: after its grace, or a while after a snooze that ends later.
pub(super) fn closes_at(at: Timestamp, grace: SignedDuration, snoozed_until: Option<Timestamp>) -> Timestamp {
    let end = at.checked_add(grace).unwrap_or(Timestamp::MAX);
    let after_snooze = snoozed_until
        .and_then(|until| until.checked_add(grace.min(MAX_GRACE_AFTER_SNOOZE)).ok())
        .unwrap_or(Timestamp::MIN);
    end.max(after_snooze)
}

/// One occurrence with its status.
#[derive(Clone, Debug)]
pub struct OccurrenceStatus<'a> {
    /// What was planned, and by what.
    pub planned: Planned<'a>,
    /// Its status.
    pub status: Status,
}

impl OccurrenceStatus<'_> {
    /// Tells which of two comes first.
    #[must_use]
    pub fn by_time(&self, other: &Self) -> Ordering {
        self.planned.occurrence.cmp(&other.planned.occurrence)
    }

    /// Returns the dose that was planned.
    #[must_use]
    pub fn dose(&self, zones: &ZoneHistory) -> Option<&Amount> {
        self.planned.dose(zones)
    }
}

/// Returns the occurrences that are due in `[from, until)` with their states, by time; `item` narrows.
#[must_use]
pub fn timeline<'a>(
    plan: &'a Plan,
    ledger: &Ledger,
    item: Option<&ItemId>,
    from: Timestamp,
    until: Timestamp,
    now: Timestamp,
) -> Vec<OccurrenceStatus<'a>> {
    let mut lines: Vec<_> = plan
        .select(item)
        .flat_map(|id| plan.occurrences(id, ledger, from, until))
        .map(|planned| OccurrenceStatus { status: status_of(&planned, ledger, now), planned })
        .collect();
    lines.sort_by(OccurrenceStatus::by_time);
    lines
}
