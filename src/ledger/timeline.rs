//! The state of each occurrence, derived.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::fold::{answer_of, deliveries_of, ends, snooze_of};
use super::{Fact, Ledger, Record};
use crate::schedule::{ItemId, Occurrence, Plan, Planned, Quantity};

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
    /// It was paused, or the schedule was changed before it could be answered.
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

/// Where an occurrence stands at an instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// Its state.
    pub state: State,
    /// The answer that resolves it.
    pub answer: Option<Arc<Record>>,
    /// When a snooze ends, while one runs.
    pub snoozed_until: Option<Timestamp>,
    /// When it can no longer be answered without naming it.
    pub closes: Timestamp,
}

/// Derives where an occurrence stands.
#[must_use]
pub fn standing(planned: &Planned<'_>, ledger: &Ledger, now: Timestamp) -> Standing {
    let Occurrence { id, at } = &planned.occurrence;
    let item = &planned.regimen.item;
    // Looked up once: this is done for each slot of years.
    let about = ledger.about(id);
    let snoozed_until = snooze_of(&about).and_then(ends);
    let closes = closes(planned, snoozed_until);
    let answer = answer_of(&about);
    let state = match answer.map(|record| &record.fact) {
        Some(Fact::Intake { amount, planned, .. }) => taken(*amount, *planned),
        Some(_) => State::Skipped,
        None if ledger.is_paused(&item.id, *at) => State::Excused,
        None if now < *at => State::Upcoming,
        None if planned.dropped_at.is_some_and(|dropped| dropped < closes && dropped <= now) => {
            State::Excused
        }
        None if now < closes => State::Due,
        // An announcement ahead of time did not ask.
        None if deliveries_of(&about).all(|delivered| delivered < *at) => State::Unknown,
        None => State::Missed,
    };
    Standing {
        state,
        answer: answer.cloned(),
        snoozed_until: snoozed_until.filter(|until| state == State::Due && now < *until),
        closes,
    }
}

fn taken(amount: Option<Quantity>, planned: Option<Quantity>) -> State {
    match (amount, planned) {
        (Some(amount), Some(planned)) if amount.unit == planned.unit && amount.value < planned.value => {
            State::Partial
        }
        _ => State::Taken,
    }
}

/// Returns when an occurrence closes: after its grace, or a while after a snooze that ends later.
fn closes(planned: &Planned<'_>, snoozed_until: Option<Timestamp>) -> Timestamp {
    let grace = planned.regimen.item.grace;
    let end = planned.occurrence.at.checked_add(grace).unwrap_or(Timestamp::MAX);
    let after_snooze = snoozed_until
        .and_then(|until| until.checked_add(grace.min(MAX_GRACE_AFTER_SNOOZE)).ok())
        .unwrap_or(Timestamp::MIN);
    end.max(after_snooze)
}

/// One occurrence with all that is shown of it.
#[derive(Clone, Debug)]
pub struct Line<'a> {
    /// What was planned, and by what.
    pub planned: Planned<'a>,
    /// Where it stands.
    pub standing: Standing,
}

impl Line<'_> {
    /// Returns when its state changes by itself, if nothing is recorded until then.
    #[must_use]
    pub fn changes_at(&self, now: Timestamp) -> Option<Timestamp> {
        let dropped = self.planned.dropped_at;
        match self.standing.state {
            State::Upcoming => Some(self.planned.occurrence.at),
            State::Due => {
                let others = [self.standing.snoozed_until, dropped].into_iter().flatten();
                others.filter(|at| now < *at).chain([self.standing.closes]).min()
            }
            _ => None,
        }
    }

    /// Tells which of two comes first.
    #[must_use]
    pub fn by_time(&self, other: &Self) -> Ordering {
        self.planned.occurrence.cmp(&other.planned.occurrence)
    }

    /// Returns the dose that was planned.
    #[must_use]
    pub fn dose(&self) -> Option<Quantity> {
        self.planned.regimen.item.dose_at(self.planned.occurrence.id.slot)
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
) -> Vec<Line<'a>> {
    let mut lines: Vec<_> = plan
        .chosen(item)
        .flat_map(|id| plan.occurrences(id, &ledger.counted_from(plan, id), from, until))
        .map(|planned| Line { standing: standing(&planned, ledger, now), planned })
        .collect();
    lines.sort_by(Line::by_time);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{FactId, When};
    use crate::schedule::ZoneHistory;
    use jiff::tz::TimeZone;

    #[test]
    fn a_state_says_when_it_changes_by_itself() {
        let at = |time: &str| format!("2026-11-25T{time}Z").parse::<Timestamp>().unwrap();
        let mut plan = Plan::new(ZoneHistory::fixed(TimeZone::UTC));
        for (item, _) in
            crate::config::parse("[[supplement]]\nid = \"a\"\ntimes = [\"08:00\"]\n").unwrap().items
        {
            plan.open(item, at("00:00"));
        }
        let item: ItemId = "a".parse().unwrap();
        let occurrence: crate::schedule::OccurrenceId = "a@2026-11-25T08:00".parse().unwrap();
        let snooze =
            Fact::Snooze { occurrence: occurrence.clone(), at: at("08:10"), until: at("11:30"), key: None };
        let skip = Fact::Skip {
            occurrence,
            at: When::Instant(at("08:10")),
            reason: None,
            note: None,
            corrects: None,
            key: None,
        };
        for (facts, now, changes) in [
            (vec![], "07:00", Some("08:00")),
            (vec![], "08:00", Some("12:00")),
            (vec![snooze.clone()], "08:10", Some("11:30")),
            // The end of the snooze, and an hour to answer.
            (vec![snooze.clone()], "11:30", Some("12:30")),
            (vec![], "12:00", None),
            (vec![skip.clone()], "07:00", None),
            (vec![snooze, skip], "09:00", None),
        ] {
            let mut ledger = Ledger::default();
            for (seq, fact) in (1..).zip(facts) {
                ledger.fold(Record {
                    id: FactId { device: "desk".into(), seq },
                    recorded_at: at("08:10"),
                    fact,
                });
            }
            let state = |now| timeline(&plan, &ledger, Some(&item), at("00:00"), at("23:00"), now).remove(0);
            let line = state(at(now));
            assert_eq!(line.changes_at(at(now)), changes.map(at), "{now}");
            if let Some(changes) = line.changes_at(at(now)) {
                let before = state(changes - SignedDuration::from_nanos(1));
                assert_eq!(before.standing, line.standing, "{now}");
                assert_ne!(state(changes).standing, line.standing, "{now}");
            }
        }
    }
}
