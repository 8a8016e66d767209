//! Alerts: what is on the screen. At most one open alert asks about an occurrence.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::notice::{Button, Notice, Wording};
use super::{Action, RETRY_FIRST, Reminder};
use crate::ledger::{Channel, CloseReason, Fact, Place, When};
use crate::schedule::{ItemId, Occurrence, OccurrenceId, Planned};

/// Names an alert for as long as the daemon runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertId(pub u64);

/// One occurrence on an alert.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shown {
    pub(super) occurrence: Occurrence,
    /// The point in time that made it show: its time, the end of a snooze, a repetition, a lead.
    pub(super) due: Timestamp,
    /// Whether it only announces what is still to come.
    pub(super) lead: bool,
}

impl Shown {
    pub(super) fn new(planned: &Planned<'_>, due: Timestamp, lead: bool) -> Self {
        Self { occurrence: planned.occurrence.clone(), due, lead }
    }
}

/// What is on the screen, or on its way there.
#[derive(Clone, Debug)]
pub(super) struct Alert {
    pub(super) lines: BTreeMap<OccurrenceId, Shown>,
    /// The lines whose delivery is still to be recorded.
    undelivered: BTreeSet<OccurrenceId>,
    /// Where it is, as far as that is recorded.
    place: Option<Place>,
}

impl Reminder {
    /// Puts what is due on the screen: with the alert that already asks about it, with the alert of
    /// the same minute, or all together on a new one.
    pub(super) fn show(&mut self, due: Vec<Shown>, now: Timestamp, actions: &mut Vec<Action>) {
        let mut changed = BTreeSet::new();
        let mut fresh = None;
        for line in due {
            let id = line.occurrence.id.clone();
            let same_minute = |alert: &Alert| {
                alert.lines.values().any(|other| minute(other.occurrence.at) == minute(line.occurrence.at))
            };
            let name = self
                .alerts
                .iter()
                .find(|(_, alert)| alert.lines.contains_key(&id))
                .or_else(|| self.alerts.iter().find(|(_, alert)| same_minute(alert)))
                .map(|(name, _)| *name)
                .or(fresh);
            let name = name.unwrap_or_else(|| {
                let name = AlertId(self.next_id());
                fresh = Some(name);
                name
            });
            let alert = self.alerts.entry(name).or_insert_with(|| Alert {
                lines: BTreeMap::new(),
                undelivered: BTreeSet::new(),
                place: None,
            });
            alert.undelivered.insert(id.clone());
            alert.lines.insert(id.clone(), line);
            self.ask_again.remove(&id);
            self.shown.insert(id, now);
            changed.insert(name);
        }
        for name in changed {
            actions.push(Action::Show(self.notice(name, now)));
        }
    }

    /// Takes lines off alerts that need no answer any more.
    pub(super) fn tidy_alerts(
        &mut self,
        looked: &BTreeSet<ItemId>,
        askable: &BTreeSet<OccurrenceId>,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        let mut changed = Vec::new();
        for (name, alert) in &mut self.alerts {
            let before = alert.lines.len();
            alert.lines.retain(|id, _| !looked.contains(&id.item) || askable.contains(id));
            if alert.lines.len() != before {
                alert.undelivered.retain(|id| alert.lines.contains_key(id));
                changed.push((*name, alert.lines.is_empty()));
            }
        }
        for (name, is_empty) in changed {
            if is_empty {
                self.alerts.remove(&name);
                actions.push(Action::Withdraw(name));
            } else {
                actions.push(Action::Show(self.notice(name, now)));
            }
        }
    }

    /// Takes over what an earlier run left on the screen: it is asked about in its place, and what needs
    /// no answer any more is taken down. Returns what is to be shown in its place, see [`Reminder::replace`].
    pub(super) fn take_over(&mut self, now: Timestamp, actions: &mut Vec<Action>) -> Vec<AlertId> {
        let places = self.ledger.places();
        let left: Vec<_> = places.into_iter().filter(|(_, place)| place.server.is_some()).collect();
        let items: BTreeSet<&ItemId> = left.iter().map(|(occurrence, _)| &occurrence.item).collect();
        let askable: BTreeMap<OccurrenceId, Shown> = items
            .into_iter()
            .flat_map(|item| self.askable_lines(item, now))
            .map(|line| (line.occurrence.id.clone(), line))
            .collect();
        let mut screen: BTreeMap<Place, BTreeMap<OccurrenceId, Shown>> = BTreeMap::new();
        for (occurrence, place) in left {
            let lines = screen.entry(place.clone()).or_default();
            lines.extend(askable.get_key_value(occurrence).map(|(id, line)| (id.clone(), line.clone())));
        }
        let mut taken_over = Vec::new();
        for (place, lines) in screen {
            let name = AlertId(self.next_id());
            actions.push(Action::Adopt(name, place.clone()));
            if lines.is_empty() {
                actions.push(Action::Withdraw(name));
                continue;
            }
            self.alerts.insert(name, Alert { lines, undelivered: BTreeSet::new(), place: Some(place) });
            taken_over.push(name);
        }
        taken_over
    }

    /// Shows what was taken over, where nothing of it was shown anew: the buttons on the screen spoke to a process
    /// that is no more, and some of its lines may be closed.
    pub(super) fn replace(&self, taken_over: Vec<AlertId>, now: Timestamp, actions: &mut Vec<Action>) {
        let is_shown = |name| {
            actions.iter().any(|action| matches!(action, Action::Show(notice) if notice.alert == name))
        };
        let rest = taken_over.into_iter().filter(|name| self.alerts.contains_key(name) && !is_shown(*name));
        let notices: Vec<Action> = rest.map(|name| Action::Show(self.notice(name, now))).collect();
        actions.extend(notices);
    }

    /// The server showed it: that is a delivery for every line that was new, and for all of them where it
    /// was shown at another place than before.
    pub(super) fn take_shown(
        &mut self,
        now: Timestamp,
        name: AlertId,
        place: Place,
        actions: &mut Vec<Action>,
    ) {
        self.retry_after = RETRY_FIRST;
        let Some(alert) = self.alerts.get_mut(&name) else {
            // It was let go while it was on its way to the screen.
            actions.push(Action::Withdraw(name));
            return;
        };
        if alert.place.as_ref() != Some(&place) {
            alert.place = Some(place.clone());
            alert.undelivered.extend(alert.lines.keys().cloned());
        }
        for occurrence in std::mem::take(&mut alert.undelivered) {
            let channel = Channel::Desktop(place.clone());
            let fact = Fact::Delivered { occurrence, at: now, channel };
            self.record(fact, Vec::new(), false, actions);
        }
    }

    /// No server showed it: write that down once, tell the person another way, try again later.
    pub(super) fn take_not_shown(
        &mut self,
        now: Timestamp,
        name: AlertId,
        reason: &str,
        actions: &mut Vec<Action>,
    ) {
        if !self.alerts.contains_key(&name) {
            return;
        }
        let notice = self.notice(name, now);
        let Some(alert) = self.alerts.remove(&name) else { return };
        let mut is_news = false;
        for id in alert.lines.into_keys() {
            self.shown.remove(&id);
            self.held.insert(id.clone());
            if !alert.undelivered.contains(&id) {
                // It was on the screen, and a change of its alert took it down.
                self.ask_again.insert(id.clone());
            }
            if self.announced.insert(id.clone()) && !self.ledger.is_known_undelivered(&id) {
                is_news = true;
                let fact =
                    Fact::Undelivered { occurrence: id, at: now, channel: None, reason: reason.to_owned() };
                self.record(fact, Vec::new(), false, actions);
            }
        }
        if is_news {
            actions.push(Action::Announce(notice));
        }
        self.hold_back(now);
    }

    /// The notification is gone and nobody answered: that is no answer.
    pub(super) fn take_closed(
        &mut self,
        now: Timestamp,
        name: AlertId,
        reason: CloseReason,
        actions: &mut Vec<Action>,
    ) {
        let Some(alert) = self.alerts.remove(&name) else { return };
        for occurrence in alert.lines.into_keys() {
            self.record(Fact::Closed { occurrence, at: now, reason }, Vec::new(), false, actions);
        }
    }

    /// A button was pressed: the answer for every line of the alert.
    pub(super) fn take_pressed(
        &mut self,
        now: Timestamp,
        name: AlertId,
        button: Button,
        actions: &mut Vec<Action>,
    ) {
        if button == Button::Open {
            // It is as it was: whether it stays on the screen is the server's business.
            actions.extend(self.alerts.contains_key(&name).then_some(Action::Open));
            return;
        }
        let Some(alert) = self.alerts.remove(&name) else { return };
        actions.push(Action::Withdraw(name));
        for line in alert.lines.into_values().filter(|line| !line.lead) {
            let id = line.occurrence.id;
            let is_too_soon = button == Button::Taken && self.too_soon_after(&id.item, now).is_some();
            if is_too_soon && self.confirming.insert(id.clone()) {
                // It is asked once more, with the reason.
                self.expect(&id.item.clone(), now);
                self.ask_again.insert(id);
                continue;
            }
            self.press(now, &id, button, actions);
        }
    }

    /// Answers one occurrence as a button says, unless it is answered.
    pub(super) fn press(
        &mut self,
        now: Timestamp,
        id: &OccurrenceId,
        button: Button,
        actions: &mut Vec<Action>,
    ) {
        let is_under_way =
            self.pending.values().any(|other| other.fact.is_answer() && other.fact.occurrence() == Some(id));
        if self.ledger.answer(id).is_some() || is_under_way {
            return;
        }
        let (occurrence, at) = (id.clone(), When::Instant(now));
        let fact = match button {
            Button::Taken => self.intake(&id.item, Some(id), at),
            Button::Skip => {
                Fact::Skip { occurrence, at, reason: None, note: None, corrects: None, key: None }
            }
            Button::Open => return,
            Button::Snooze => {
                let until = now.checked_add(self.settings.snooze).unwrap_or(Timestamp::MAX);
                Fact::Snooze { occurrence, at: now, until, key: None }
            }
        };
        self.record(fact, Vec::new(), true, actions);
    }

    /// A server is there: what waits is shown at once, and what an earlier server showed, again.
    pub(super) fn take_server(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        self.retry_after = RETRY_FIRST;
        self.retry_at = None;
        self.held.clear();
        let names: Vec<AlertId> = self.alerts.keys().copied().collect();
        for name in names {
            actions.push(Action::Show(self.notice(name, now)));
        }
        self.expect_all(now);
    }

    fn notice(&self, name: AlertId, now: Timestamp) -> Notice {
        let lines = self.alerts.get(&name).map(|alert| &alert.lines);
        let lines = lines.into_iter().flat_map(BTreeMap::values);
        let wording = Wording { reminder: self, now, private: false, can_open: self.can_open };
        Notice::new(name, lines, &wording)
    }
}

fn minute(at: Timestamp) -> i64 {
    at.as_second().div_euclid(60)
}
