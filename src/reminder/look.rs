//! Looks at items whose time has come: what to show, what to take down, when to look again.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp, ToSpan};

use super::alert::Shown;
use super::reach::steps;
use super::{Action, Reminder};
use crate::ledger::{State, longest_open, standing};
use crate::schedule::{ChannelId, ItemId, Late, Length, Occurrence, OccurrenceId, Planned};

/// A slot with `late = "miss"` that is noticed later than this is let go.
const LATE_TOLERANCE: SignedDuration = SignedDuration::from_secs(60);

/// Most items have their next slot within this time; the others are searched for further on.
const LOOK_AHEAD: SignedDuration = SignedDuration::from_hours(26);

/// An item that cannot fire for the next years is looked at again after this time.
const FAR: SignedDuration = SignedDuration::from_hours(24 * 365);

/// What one look at an item found.
struct Look {
    show: Vec<Shown>,
    send: Vec<(ChannelId, Shown)>,
    next: Option<Timestamp>,
}

impl Reminder {
    /// Puts an item in the queue, to be looked at now.
    pub(super) fn expect(&mut self, item: &ItemId, now: Timestamp) {
        self.set_deadline(item.clone(), Some(now));
    }

    /// Puts every item in the queue.
    pub(super) fn expect_all(&mut self, now: Timestamp) {
        let items: Vec<ItemId> = self.plan.items().cloned().collect();
        for item in items {
            self.expect(&item, now);
        }
    }

    fn set_deadline(&mut self, item: ItemId, deadline: Option<Timestamp>) {
        let old = match deadline {
            Some(at) => self.deadlines.insert(item.clone(), at),
            None => self.deadlines.remove(&item),
        };
        if old == deadline {
            return;
        }
        if let Some(old) = old {
            self.queue.remove(&(old, item.clone()));
        }
        if let Some(at) = deadline {
            self.queue.insert((at, item.clone()));
        }
        self.changed.insert(item);
    }

    /// Looks at every item whose deadline has come, and brings the alerts in line.
    pub(super) fn look(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
            self.held.clear();
            self.expect_all(now);
        }
        let (mut show, mut send) = (Vec::new(), Vec::new());
        let mut looked = BTreeSet::new();
        while let Some((at, item)) = self.queue.first().cloned() {
            if at > now {
                break;
            }
            let found = self.look_at(&item, now);
            show.extend(found.show);
            send.extend(found.send);
            self.set_deadline(item.clone(), found.next);
            looked.insert(item);
        }
        if !looked.is_empty() {
            let askable = self.askable_of(&looked, now);
            self.tidy_alerts(&looked, &askable, now, actions);
            self.show(show, now, actions);
            self.tidy_sendings(&looked, &askable, now, actions);
            self.send(send, now, actions);
        }
    }

    /// Returns what may still be asked about, of the items that were looked at and are asked about anywhere.
    fn askable_of(&self, looked: &BTreeSet<ItemId>, now: Timestamp) -> BTreeSet<OccurrenceId> {
        let shown = self.alerts.values().flat_map(|alert| alert.lines.keys());
        let concerned: BTreeSet<&ItemId> =
            shown.chain(self.sent_lines()).map(|id| &id.item).filter(|item| looked.contains(*item)).collect();
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
        let intakes = self.ledger.counted_from(&self.plan, item);
        let from = self.looks_back_to(item, now);
        let until = now.checked_add(LOOK_AHEAD).unwrap_or(Timestamp::MAX);
        let mut found = self.plan.occurrences(item, &intakes, from, until);
        match found.iter().position(|planned| planned.occurrence.at > now) {
            Some(next) => found.truncate(next + 1),
            None => found.extend(self.plan.next_after(item, &intakes, now)),
        }
        found
    }

    /// Returns the lines of an item that an alert may still show.
    pub(super) fn askable_lines(&self, item: &ItemId, now: Timestamp) -> Vec<Shown> {
        let line = |planned: Planned<'_>| {
            let lead = planned.occurrence.at > now;
            let snoozed_until = self.ledger.snoozed_until(&planned.occurrence.id);
            let points = if lead { leads(&planned) } else { reminders(&planned, snoozed_until) };
            let due = latest_and_next(&points, now).0?;
            Some(Shown::new(&planned, due, lead))
        };
        self.askable(item, now).into_iter().filter_map(line).collect()
    }

    fn look_at(&self, item: &ItemId, now: Timestamp) -> Look {
        let mut look = Look { show: Vec::new(), send: Vec::new(), next: None };
        for planned in self.near(item, now) {
            let standing = standing(&planned, &self.ledger, now);
            let id = &planned.occurrence.id;
            match standing.state {
                State::Upcoming => {
                    look.wake(planned.occurrence.at);
                    let (due, next) = latest_and_next(&leads(&planned), now);
                    look.wake_at(next);
                    if let Some(due) = due.filter(|due| self.wants(id, *due)) {
                        match self.withheld_until(due, planned.occurrence.at, now, self.away) {
                            Some(until) => look.wake(until),
                            None => look.show.push(Shown::new(&planned, due, true)),
                        }
                    }
                }
                State::Due => {
                    look.wake(standing.closes);
                    let points = reminders(&planned, self.ledger.snoozed_until(id));
                    let (due, next) = latest_and_next(&points, now);
                    look.wake_at(next);
                    if let Some(due) =
                        due.filter(|due| self.wants(id, *due) && !self.lets_go(&planned, *due, now))
                    {
                        match self.withheld_until(points[0], standing.closes, now, self.away) {
                            Some(until) => look.wake(until),
                            None => look.show.push(Shown::new(&planned, due, false)),
                        }
                    }
                    for (channel, points) in steps(&planned, points[0]) {
                        let (due, next) = latest_and_next(&points, now);
                        look.wake_at(next);
                        let due = due.filter(|due| self.wants_sent(id, channel, *due));
                        let Some(due) = due.filter(|due| !self.lets_go(&planned, *due, now)) else {
                            continue;
                        };
                        // Whoever is away is who it is for.
                        match self.withheld_until(due, standing.closes, now, false) {
                            Some(until) => look.wake(until),
                            None => look.send.push((channel.clone(), Shown::new(&planned, due, false))),
                        }
                    }
                }
                // Answered ahead of its time, or paused: the one after it is looked for then.
                _ if planned.occurrence.at > now => look.wake(planned.occurrence.at),
                _ => {}
            }
        }
        if look.next.is_none() && self.plan.current(item).is_some_and(|item| item.rule.has_slots()) {
            look.next = now.checked_add(FAR).ok();
        }
        look
    }

    /// Tells whether a reminder that was due at an instant has not been on the screen since.
    pub(super) fn wants(&self, id: &OccurrenceId, due: Timestamp) -> bool {
        if self.held.contains(id) {
            return false;
        }
        if self.ask_again.contains(id) {
            return true;
        }
        let recorded = self.ledger.shown_since_snooze(id);
        recorded.max(self.shown.get(id).copied()).is_none_or(|last| last < due)
    }

    /// Returns when to look again at what is due and waits, as it is a quiet hour or the person `is_away`.
    ///
    /// It waits for half of the time in which it can be answered, from `first` to `closes`, and no longer:
    /// a reminder that nobody sees is better than one that never was.
    fn withheld_until(
        &self,
        first: Timestamp,
        closes: Timestamp,
        now: Timestamp,
        is_away: bool,
    ) -> Option<Timestamp> {
        let latest = first.checked_add(closes.duration_since(first) / 2).unwrap_or(closes);
        let quiet = self.settings.quiet.and_then(|quiet| quiet.ends(now, self.plan.zones.zone_at(now)));
        // Their return is an input of its own.
        let until = if is_away { latest } else { quiet?.min(latest) };
        Some(until).filter(|until| now < *until)
    }

    /// Returns until when a due occurrence is held back, if it is.
    #[must_use]
    pub fn held_back_until(&self, id: &OccurrenceId, now: Timestamp) -> Option<Timestamp> {
        let planned = self.near(&id.item, now).into_iter().find(|planned| planned.occurrence.id == *id)?;
        let standing = standing(&planned, &self.ledger, now);
        let points = reminders(&planned, self.ledger.snoozed_until(id));
        let due = latest_and_next(&points, now).0.filter(|due| self.wants(id, *due))?;
        let is_due = standing.state == State::Due && !self.lets_go(&planned, due, now);
        is_due.then(|| self.withheld_until(points[0], standing.closes, now, self.away)).flatten()
    }

    /// Tells whether a slot was slept through and is to be let go for that.
    fn lets_go(&self, planned: &Planned<'_>, due: Timestamp, now: Timestamp) -> bool {
        let id = &planned.occurrence.id;
        let known = self.shown.contains_key(id)
            || !self.ledger.deliveries(id).is_empty()
            || self.ledger.snooze(id).is_some();
        let noticed_late = now.duration_since(if known { due } else { planned.occurrence.at });
        planned.regimen.item.late == Late::Miss && noticed_late > LATE_TOLERANCE
    }

    /// Returns the occurrences that an alert may still ask about.
    pub(super) fn askable(&self, item: &ItemId, now: Timestamp) -> Vec<Planned<'_>> {
        self.near(item, now)
            .into_iter()
            .filter(|planned| {
                let standing = standing(planned, &self.ledger, now);
                match standing.state {
                    State::Due => standing.snoozed_until.is_none(),
                    // Announced ahead; or its time has come once already, before the clock was set back.
                    State::Upcoming => {
                        !planned.regimen.item.extras().lead.is_empty()
                            || self.shown.contains_key(&planned.occurrence.id)
                    }
                    _ => false,
                }
            })
            .collect()
    }
}

impl Look {
    fn wake_at(&mut self, at: Option<Timestamp>) {
        if let Some(at) = at {
            self.wake(at);
        }
    }

    fn wake(&mut self, at: Timestamp) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }
}

/// Returns the newest point that has come and the first that has not.
fn latest_and_next(points: &[Timestamp], now: Timestamp) -> (Option<Timestamp>, Option<Timestamp>) {
    let latest = points.iter().copied().filter(|point| *point <= now).max();
    let next = points.iter().copied().filter(|point| *point > now).min();
    (latest, next)
}

/// Returns when a due occurrence is to be reminded of, never nothing: at its time or after its snooze,
/// and again.
fn reminders(planned: &Planned<'_>, snoozed_until: Option<Timestamp>) -> Vec<Timestamp> {
    let first = snoozed_until.unwrap_or(planned.occurrence.at);
    let again = planned.regimen.item.extras().again;
    let times = again.map_or(0, |again| i64::from(again.at_most));
    let every = again.map_or(SignedDuration::ZERO, |again| again.every);
    (0..=times)
        .filter_map(|k| first.checked_add(SignedDuration::from_secs(every.as_secs().checked_mul(k)?)).ok())
        .collect()
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
        .extras()
        .lead
        .iter()
        .filter_map(ahead)
        // A regimen that begins inside a lead does not look back at it.
        .filter(|point| *point >= planned.regimen.opened)
        .collect()
}
