//! Evaluates items whose time has come: what to show and send, what to take down, when to evaluate again.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp, ToSpan};

use super::Reminder;
use super::escalation::steps;
use super::messages::Action;
use super::notice::AlertLine;
use crate::core::ledger::{Counted, State, Status, longest_open, status_of};
use crate::core::schedule::{
    Again, ChannelId, Item, ItemId, LatePolicy, Length, Occurrence, OccurrenceId, Planned, Repetition,
};

/// A slot with `late = "miss"` that is noticed later than this is not shown.
const LATE_TOLERANCE: SignedDuration = SignedDuration::from_secs(60);

/// A clock that is corrected by no more than this has not asked too early.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_secs(60);

/// Most items have their next slot within this time; the others are searched for further on.
const LOOK_AHEAD: SignedDuration = SignedDuration::from_hours(26);

/// How long a reminder that the server has dropped waits for its first offer; each further drop doubles it.
const FIRST_OFFER: SignedDuration = SignedDuration::from_mins(5);

/// The doublings after which the wait stays as it is: longer than any grace.
const MAX_DOUBLINGS: u32 = 17;

/// How often an item without `again` is offered again over its grace, on a desktop that does not keep reminders in sight.
const HIDDEN_OFFERS: i32 = 3;

/// The shortest time between two of these offers.
const SHORTEST_STEP: SignedDuration = SignedDuration::from_mins(1);

/// An item that cannot fire for the next years is evaluated again after this time.
const FAR: SignedDuration = SignedDuration::from_hours(24 * 365);

/// What the evaluation of an item found.
#[derive(Default)]
struct Found {
    show: Vec<AlertLine>,
    send: Vec<(ChannelId, AlertLine)>,
    /// When the item is to be evaluated next.
    next: Option<Timestamp>,
}

impl Reminder {
    /// Schedules an evaluation of an item now.
    pub(super) fn schedule_check(&mut self, item: &ItemId, now: Timestamp) {
        self.deadlines.set(self.plan.current_id(item).clone(), Some(now));
    }

    /// Schedules an evaluation of every item now.
    pub(super) fn schedule_all_checks(&mut self, now: Timestamp) {
        for item in self.plan.items() {
            self.deadlines.set(item.clone(), Some(now));
        }
    }

    /// Evaluates every item whose deadline has come, and brings what is shown and sent in line.
    pub(super) fn evaluate(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        if self.screen.start_due_retry(now) {
            self.schedule_all_checks(now);
        }
        let (mut show, mut send) = (Vec::new(), Vec::new());
        let mut checked = BTreeSet::new();
        while let Some(item) = self.deadlines.first_due(now) {
            let found = self.evaluate_item(&item, now);
            show.extend(found.show);
            send.extend(found.send);
            self.deadlines.set(item.clone(), found.next);
            checked.insert(item);
        }
        if !checked.is_empty() {
            let askable = self.askable_of(&checked, now);
            self.tidy_alerts(&checked, &askable, now, actions);
            self.show(show, now, actions);
            self.tidy_dispatches(&checked, &askable, now, actions);
            self.send(send, now, actions);
            self.update_listening(&checked, false, now, actions);
        }
    }

    /// Returns what may still be asked about, of the items that were checked and are asked about anywhere.
    fn askable_of(&self, checked: &BTreeSet<ItemId>, now: Timestamp) -> BTreeSet<OccurrenceId> {
        let asked = self.screen.occurrences().chain(self.outbox.occurrences());
        let concerned: BTreeSet<&ItemId> =
            asked.map(|id| self.plan.current_id(&id.item)).filter(|item| checked.contains(*item)).collect();
        let askable = concerned.into_iter().flat_map(|item| self.askable(item, now));
        askable.map(|planned| planned.occurrence.id).collect()
    }

    /// Returns the instant before which no fact can matter to anything that is still open.
    pub(super) fn oldest_open(&self, now: Timestamp) -> Timestamp {
        self.plan.items().map(|item| self.looks_back_to(item, now)).min().unwrap_or(now)
    }

    fn looks_back_to(&self, item: &ItemId, now: Timestamp) -> Timestamp {
        now.checked_sub(longest_open(self.plan.longest_grace(item))).unwrap_or(Timestamp::MIN)
    }

    /// Returns an item's occurrences that may be open at an instant or are announced ahead of time.
    pub(super) fn near(&self, item: &ItemId, now: Timestamp) -> Vec<Planned<'_>> {
        let from = self.looks_back_to(item, now);
        let until = now.checked_add(LOOK_AHEAD).unwrap_or(Timestamp::MAX);
        let mut found = self.plan.occurrences(item, &self.ledger, from, until);
        match found.iter().position(|planned| planned.occurrence.at > now) {
            Some(next) => found.truncate(next + 1),
            None => found.extend(self.plan.next_after(item, &self.ledger, now)),
        }
        found
    }

    /// Returns the lines of an item that an alert may still show.
    pub(super) fn askable_lines(&self, item: &ItemId, now: Timestamp) -> Vec<AlertLine> {
        let line = |planned: Planned<'_>| {
            let lead = planned.occurrence.at > now;
            let snoozed_until = self.ledger.snoozed_until(&planned.occurrence.id);
            let points = if lead { leads(&planned) } else { self.reminders(&planned, snoozed_until) };
            let due = latest_and_next(&points, now).0?;
            Some(AlertLine::new(&planned, due, lead))
        };
        self.askable(item, now).into_iter().filter_map(line).collect()
    }

    fn evaluate_item(&self, item: &ItemId, now: Timestamp) -> Found {
        let mut found = Found::default();
        for planned in self.near(item, now) {
            let status = status_of(&planned, &self.ledger, now);
            match status.state {
                State::Upcoming => self.evaluate_upcoming(&planned, now, &mut found),
                State::Due => {
                    self.evaluate_due(&planned, &status, now, &mut found);
                    self.evaluate_steps(&planned, &status, now, &mut found);
                }
                // Answered ahead of its time, or paused: the one after it is looked for then.
                _ if planned.occurrence.at > now => found.wake_at(planned.occurrence.at),
                _ => {}
            }
        }
        if found.next.is_none() && self.plan.current(item).is_some_and(|item| item.rule.has_slots()) {
            found.next = now.checked_add(FAR).ok();
        }
        found
    }

    /// Finds out whether an upcoming occurrence is to be announced ahead of its time.
    fn evaluate_upcoming(&self, planned: &Planned<'_>, now: Timestamp, found: &mut Found) {
        found.wake_at(planned.occurrence.at);
        let (due, next) = latest_and_next(&leads(planned), now);
        found.wake_at(next);
        let due = due.filter(|due| self.needs_showing(&planned.occurrence.id, *due, now));
        let Some(due) = due else { return };
        match self.deferred_until(&planned.regimen.item, due, planned.occurrence.at, now, self.presence.away)
        {
            Some(until) => found.wake_at(until),
            None => found.show.push(AlertLine::new(planned, due, true)),
        }
    }

    /// Finds out whether a due occurrence is to be shown.
    fn evaluate_due(&self, planned: &Planned<'_>, status: &Status, now: Timestamp, found: &mut Found) {
        found.wake_at(status.closes_at);
        let id = &planned.occurrence.id;
        let points = self.reminders(planned, self.ledger.snoozed_until(id));
        let (due, next) = latest_and_next(&points, now);
        found.wake_at(next);
        let Some(due) = due.filter(|due| !self.is_abandoned(planned, *due, now)) else { return };
        let offered_again_at = self.offered_again_at(id, now).filter(|_| status.snoozed_until.is_none());
        found.wake_at(offered_again_at.filter(|at| *at > now));
        let is_offered_again = offered_again_at.is_some_and(|at| at <= now);
        let is_due_again = is_offered_again && self.screen.may_show(id);
        if !is_due_again && !self.needs_showing(id, due, now) {
            return;
        }
        match self.deferred_until(&planned.regimen.item, points[0], status.closes_at, now, self.presence.away)
        {
            Some(until) => found.wake_at(until),
            None => {
                // What was shown before in the same words is a reminder of its own.
                let due = if self.screen.was_shown(id) { now } else { due };
                let mut line = AlertLine::new(planned, due, false);
                line.joins = is_offered_again;
                found.show.push(line);
            }
        }
    }

    /// Finds out by which channels a due occurrence is to go out.
    fn evaluate_steps(&self, planned: &Planned<'_>, status: &Status, now: Timestamp, found: &mut Found) {
        let id = &planned.occurrence.id;
        let first = self.ledger.snoozed_until(id).unwrap_or(planned.occurrence.at);
        for (channel, points) in steps(planned, first) {
            let (due, next) = latest_and_next(&points, now);
            found.wake_at(next);
            let due = due.filter(|due| {
                self.needs_sending(id, channel, *due, now) && !self.is_abandoned(planned, *due, now)
            });
            let Some(due) = due else { continue };
            // It is meant for a person who is away.
            match self.deferred_until(&planned.regimen.item, due, status.closes_at, now, false) {
                Some(until) => found.wake_at(until),
                None => found.send.push((channel.clone(), AlertLine::new(planned, due, false))),
            }
        }
    }

    /// Tells whether a reminder that was due at an instant has not been on the screen since.
    fn needs_showing(&self, id: &OccurrenceId, due: Timestamp, now: Timestamp) -> bool {
        // What was shown to nobody is shown once more at their return.
        let counted = Counted { until: latest_credible(now), unseen: self.presence.away };
        let recorded = self.ledger.shown_since_snooze(id, counted);
        self.screen.needs_showing(id, due, recorded, counted)
    }

    /// Returns when what is due is offered once more, although no reminder of its own is due: the server has dropped it, or a
    /// click on it has closed it.
    fn offered_again_at(&self, id: &OccurrenceId, now: Timestamp) -> Option<Timestamp> {
        if self.presence.away || self.screen.shows(id) {
            // Their return is an input of its own.
            return None;
        }
        let dropped = self.ledger.dropped_since_snooze(id).map(|(times, at)| {
            let wait = FIRST_OFFER.checked_mul(1 << (times - 1).min(MAX_DOUBLINGS)).unwrap_or(FIRST_OFFER);
            // By a clock that was ahead, it was dropped in the future.
            if at > now { now } else { at.checked_add(wait).unwrap_or(Timestamp::MAX) }
        });
        dropped.into_iter().chain(self.screen.reopens_at(id)).min()
    }

    /// Returns when a due occurrence is to be reminded of, never nothing: at its time or after its snooze, and again.
    fn reminders(&self, planned: &Planned<'_>, snoozed_until: Option<Timestamp>) -> Vec<Timestamp> {
        let item = &planned.regimen.item;
        let first = snoozed_until.unwrap_or(planned.occurrence.at);
        let is_hidden = !self.presence.desktop.keeps_in_sight && !self.presence.away;
        let (every, times) = match item.again {
            Again::Every(Repetition { every, at_most }) => (every, at_most),
            Again::WhereHidden if is_hidden => {
                ((item.grace / (HIDDEN_OFFERS + 1)).max(SHORTEST_STEP), HIDDEN_OFFERS.unsigned_abs())
            }
            Again::WhereHidden | Again::Never => (SignedDuration::ZERO, 0),
        };
        let after = |k: u32| {
            first.checked_add(SignedDuration::from_secs(every.as_secs().checked_mul(k.into())?)).ok()
        };
        (0..=times).filter_map(after).collect()
    }

    /// Returns when to evaluate again what is due and waits, as it is a quiet hour or the person `is_away`.
    ///
    /// It waits for half of the time in which it can be answered, from `first` to `closes_at`, and no longer:
    /// a reminder that nobody sees is better than one that never was.
    fn deferred_until(
        &self,
        item: &Item,
        first: Timestamp,
        closes_at: Timestamp,
        now: Timestamp,
        is_away: bool,
    ) -> Option<Timestamp> {
        let latest = first.checked_add(closes_at.duration_since(first) / 2).unwrap_or(closes_at);
        let quiet = item
            .quiet_hours(self.settings.quiet)
            .and_then(|quiet| quiet.ends(now, self.plan.zones.zone_at(now)));
        // Their return is an input of its own.
        let until = if is_away { latest } else { quiet?.min(latest) };
        Some(until).filter(|until| now < *until)
    }

    /// Returns until when a due occurrence is deferred, if it is.
    #[must_use]
    pub fn occurrence_deferred_until(&self, id: &OccurrenceId, now: Timestamp) -> Option<Timestamp> {
        let planned = self.near(&id.item, now).into_iter().find(|planned| planned.occurrence.id == *id)?;
        let status = status_of(&planned, &self.ledger, now);
        let points = self.reminders(&planned, self.ledger.snoozed_until(id));
        let due = latest_and_next(&points, now).0.filter(|due| self.needs_showing(id, *due, now))?;
        let is_due = status.state == State::Due && !self.is_abandoned(&planned, due, now);
        let item = &planned.regimen.item;
        is_due
            .then(|| self.deferred_until(item, points[0], status.closes_at, now, self.presence.away))
            .flatten()
    }

    /// Tells whether a slot was noticed too late to be shown: the machine slept, say.
    fn is_abandoned(&self, planned: &Planned<'_>, due: Timestamp, now: Timestamp) -> bool {
        let id = &planned.occurrence.id;
        let known = self.screen.was_shown(id)
            || !self.ledger.deliveries(id).is_empty()
            || self.ledger.snooze(id).is_some();
        let noticed_late = now.duration_since(if known { due } else { planned.occurrence.at });
        planned.regimen.item.late == LatePolicy::Miss && noticed_late > LATE_TOLERANCE
    }

    /// Returns the occurrences that an alert may still ask about.
    pub(super) fn askable(&self, item: &ItemId, now: Timestamp) -> Vec<Planned<'_>> {
        self.near(item, now)
            .into_iter()
            .filter(|planned| {
                let status = status_of(planned, &self.ledger, now);
                match status.state {
                    State::Due => status.snoozed_until.is_none(),
                    // Announced ahead; or its time has come once already, before the clock was set back.
                    State::Upcoming => {
                        !planned.regimen.item.lead.is_empty() || self.screen.was_shown(&planned.occurrence.id)
                    }
                    _ => false,
                }
            })
            .collect()
    }
}

impl Found {
    /// Lets the item be evaluated at an instant, unless it is earlier anyway.
    fn wake_at(&mut self, at: impl Into<Option<Timestamp>>) {
        self.next = self.next.into_iter().chain(at.into()).min();
    }
}

/// Returns the latest instant at which something can have been shown or sent: what is dated later was dated by a clock
/// that was ahead, and has not asked about a slot that is still to come.
pub(super) fn latest_credible(now: Timestamp) -> Timestamp {
    now.checked_add(CLOCK_TOLERANCE).unwrap_or(Timestamp::MAX)
}

/// Returns the newest point that has come and the first that has not.
fn latest_and_next(points: &[Timestamp], now: Timestamp) -> (Option<Timestamp>, Option<Timestamp>) {
    let latest = points.iter().copied().filter(|point| *point <= now).max();
    let next = points.iter().copied().filter(|point| *point > now).min();
    (latest, next)
}

/// Returns when an occurrence is to be announced ahead of its time.
fn leads(planned: &Planned<'_>) -> Vec<Timestamp> {
    let Occurrence { at, .. } = planned.occurrence;
    let ahead = |length: &Length| match *length {
        Length::Exact(exact) => at.checked_sub(exact).ok(),
        Length::Days(days) => at.checked_sub(SignedDuration::from_hours(i64::from(days) * 24)).ok(),
        Length::Months(months) => {
            let utc = jiff::tz::TimeZone::UTC;
            let day = utc.to_datetime(at).checked_sub(i64::from(months).months()).ok()?;
            utc.to_timestamp(day).ok()
        }
    };
    planned
        .regimen
        .item
        .lead
        .iter()
        .filter_map(ahead)
        // A regimen that begins inside a lead does not look back at it.
        .filter(|point| *point >= planned.regimen.opened)
        .collect()
}
