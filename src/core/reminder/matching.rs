//! Which occurrence an answer means that names only its item.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::Reminder;
use super::answer::Verb;
use crate::core::ledger::{State, When, longest_open, status_of};
use crate::core::schedule::{Item, ItemId, Kind, Planned, Recurrence};

/// How long before its time an occurrence can be answered without being named, at most its grace.
const EARLY: SignedDuration = SignedDuration::from_hours(2);

/// Returns how long before its time an occurrence can be answered without being named.
fn early_window(item: &Item) -> SignedDuration {
    let window = EARLY.min(item.grace);
    match item.rule.recurrence {
        // Nearer to the slot than to the one before.
        Recurrence::Elapsed { every, .. } => window.min(every / 2),
        _ => window,
    }
}

impl Reminder {
    /// Finds the occurrence that an answer to an item means: the newest that is open at the given
    /// time, else the nearest of the one answered last and the next. (So pressing twice is not taking
    /// twice: the second time finds the answered one.)
    pub(super) fn meant(&self, item: &ItemId, when: When, verb: Verb, now: Timestamp) -> Option<Planned<'_>> {
        let is_supplement =
            self.plan.newest(item).is_some_and(|regimen| regimen.item.kind == Kind::Supplement);
        if verb == Verb::Log && is_supplement {
            return None;
        }
        let at = match when {
            When::Instant(at) => at,
            When::Date(date) => return self.meant_on(item, date, verb, now),
        };
        let mut open = None;
        let mut answered = None;
        for planned in self.near(item, at).into_iter().filter(|planned| planned.occurrence.at <= at) {
            let status = status_of(&planned, &self.ledger, at);
            match status.answer {
                None if status.state == State::Due => open = Some(planned),
                Some(_) if at < status.closes_at => answered = Some(planned),
                _ => {}
            }
        }
        if open.is_some() {
            return open;
        }
        let early = self.plan.next_after(item, &self.ledger, at).filter(|next| {
            verb != Verb::Snooze && next.occurrence.at.duration_since(at) <= early_window(&next.regimen.item)
        });
        let nearest = match (answered, early) {
            (Some(done), Some(next))
                if next.occurrence.at.duration_since(at) < at.duration_since(done.occurrence.at) =>
            {
                Some(next)
            }
            (done, next) => done.or(next),
        };
        // A second entry of the same habit is another one, not the first again.
        let nearest = nearest
            .filter(|planned| verb != Verb::Log || self.ledger.answer(&planned.occurrence.id).is_none());
        nearest.or_else(|| self.turn_of(item, at, now))
    }

    /// Finds the open slot of a relative rule whose turn an earlier time is, entered late: the next one counts from there.
    fn turn_of(&self, item: &ItemId, at: Timestamp, now: Timestamp) -> Option<Planned<'_>> {
        self.near(item, now).into_iter().find(|planned| {
            let ahead = planned.occurrence.at.duration_since(at);
            let half = planned.regimen.half_step();
            let is_turn = half.is_some_and(|half| ahead.is_positive() && ahead < half);
            is_turn && status_of(planned, &self.ledger, now).state == State::Due
        })
    }

    /// Finds the first unanswered occurrence of a local date, else the last answered one; of a date without any, the newest that
    /// was open on it.
    fn meant_on(&self, item: &ItemId, date: Date, verb: Verb, now: Timestamp) -> Option<Planned<'_>> {
        let zones = &self.plan.zones;
        let (begins, ends) = (zones.midnight(date)?, zones.midnight(date.tomorrow().ok()?)?);
        let day = SignedDuration::from_hours(24);
        let from = begins.checked_sub(longest_open(self.plan.longest_grace(item)) + day).ok()?;
        let mut found = self.plan.occurrences(item, &self.ledger, from, ends.checked_add(day).ok()?);
        found.retain(|planned| planned.occurrence.at <= now);
        let is_unanswered = |planned: &&Planned<'_>| self.ledger.answer(&planned.occurrence.id).is_none();
        let is_on_date = |planned: &&Planned<'_>| planned.date(zones) == date;
        let was_open = |planned: &&Planned<'_>| {
            let status = status_of(planned, &self.ledger, now);
            planned.occurrence.at < ends && begins < status.closes_at && status.state != State::Excused
        };
        if found.iter().any(|planned| is_on_date(&planned)) {
            let mut on_date = found.iter().filter(is_on_date);
            let first = on_date.clone().find(is_unanswered);
            return first.or_else(|| on_date.next_back().filter(|_| verb != Verb::Log)).cloned();
        }
        let open = found.iter().rev().find(|planned| is_unanswered(planned) && was_open(planned));
        open.cloned().or_else(|| self.turn_of(item, begins, now))
    }
}
