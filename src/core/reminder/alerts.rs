//! Alerts: puts what is due on the screen, takes down what needs no answer, and handles what happens to it there.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::Reminder;
use super::answer::snooze_end;
use super::messages::Action;
use super::notice::{AlertId, AlertLine, Button, DesktopTraits, Notice};
use super::screen::{self, Showing};
use super::wording::{NoticeLine, Room, Wording};
use crate::core::ledger::{Channel, CloseReason, Fact, NotificationHandle, When};
use crate::core::schedule::{ItemId, OccurrenceId};

impl Reminder {
    /// Puts what is due on the screen: with the alert that already asks about it, with the alert of
    /// the same minute, with another one where the desktop keeps few, or all together on a new one.
    pub(super) fn show(&mut self, due: Vec<AlertLine>, now: Timestamp, actions: &mut Vec<Action>) {
        let mut fresh = None;
        let (unseen, most_alerts) = (self.presence.away, self.presence.desktop.most_alerts);
        let showing = Showing { now, unseen, most_alerts };
        let changed: BTreeSet<AlertId> =
            due.into_iter().map(|line| self.screen.put(line, &mut fresh, &mut self.ids, showing)).collect();
        actions.extend(changed.into_iter().map(|id| Action::Show(self.alert_notice(id, now))));
    }

    /// Takes lines off alerts that need no answer any more.
    pub(super) fn tidy_alerts(
        &mut self,
        checked: &BTreeSet<ItemId>,
        askable: &BTreeSet<OccurrenceId>,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        let changes = self
            .screen
            .retain(|id| !checked.contains(self.plan.current_id(&id.item)) || askable.contains(id));
        actions.extend(changes.into_iter().map(|change| match change {
            screen::Change::Emptied(id) => Action::Withdraw(id),
            screen::Change::Reduced(id) => Action::Show(self.alert_notice(id, now)),
        }));
    }

    /// Adopts what an earlier run left on the screen: it is asked about in its place, and what needs
    /// no answer any more is taken down. Returns what is to be shown in its place, see [`Reminder::refresh_adopted`].
    pub(super) fn adopt_alerts(&mut self, now: Timestamp, actions: &mut Vec<Action>) -> Vec<AlertId> {
        let mut adopted = Vec::new();
        for (handle, lines) in self.left_on_screen(now) {
            let id = AlertId(self.ids.next());
            actions.push(Action::Adopt(id, handle.clone()));
            if lines.is_empty() {
                actions.push(Action::Withdraw(id));
            } else {
                self.screen.adopt(id, handle, lines);
                adopted.push(id);
            }
        }
        adopted
    }

    /// Returns the notifications that an earlier run has left, each with the lines that may still be asked about.
    fn left_on_screen(
        &self,
        now: Timestamp,
    ) -> BTreeMap<NotificationHandle, BTreeMap<OccurrenceId, AlertLine>> {
        let open = self.ledger.open_notifications();
        let open: Vec<_> = open.into_iter().filter(|(_, handle)| handle.server.is_some()).collect();
        let items: BTreeSet<&ItemId> = open.iter().map(|(occurrence, _)| &occurrence.item).collect();
        let askable: BTreeMap<OccurrenceId, AlertLine> = items
            .into_iter()
            .flat_map(|item| self.askable_lines(item, now))
            .map(|line| (line.occurrence.id.clone(), line))
            .collect();
        let mut left: BTreeMap<NotificationHandle, BTreeMap<OccurrenceId, AlertLine>> = BTreeMap::new();
        for (occurrence, handle) in open {
            let lines = left.entry(handle.clone()).or_default();
            lines.extend(askable.get_key_value(occurrence).map(|(id, line)| (id.clone(), line.clone())));
        }
        left
    }

    /// Shows what was adopted, where nothing of it was shown meanwhile: the buttons on the screen belong to a process
    /// that is gone, and some of its lines may be closed.
    pub(super) fn refresh_adopted(&self, adopted: Vec<AlertId>, now: Timestamp, actions: &mut Vec<Action>) {
        let is_shown =
            |id| actions.iter().any(|action| matches!(action, Action::Show(notice) if notice.alert == id));
        let rest = adopted.into_iter().filter(|id| self.screen.contains(*id) && !is_shown(*id));
        let notices: Vec<Action> = rest.map(|id| Action::Show(self.alert_notice(id, now))).collect();
        actions.extend(notices);
    }

    /// Records the deliveries of an alert that the server shows.
    pub(super) fn on_shown(
        &mut self,
        now: Timestamp,
        id: AlertId,
        handle: NotificationHandle,
        actions: &mut Vec<Action>,
    ) {
        let Some(delivered) = self.screen.on_shown(id, &handle) else {
            // It was no longer wanted when it reached the screen.
            actions.push(Action::Withdraw(id));
            return;
        };
        for occurrence in delivered {
            let channel = Channel::Desktop(handle.clone());
            let away = self.presence.away;
            self.record(Fact::Delivered { occurrence, at: now, channel, away, nonce: None }, actions);
        }
    }

    /// Records once that no server shows an alert, and announces it another way; it is tried again later.
    pub(super) fn on_not_shown(
        &mut self,
        now: Timestamp,
        id: AlertId,
        reason: &str,
        actions: &mut Vec<Action>,
    ) {
        let notice = self.alert_notice(id, now);
        let mut is_news = false;
        for (occurrence, is_first) in self.screen.on_not_shown(id, now) {
            if is_first && !self.ledger.has_desktop_failure(&occurrence) {
                is_news = true;
                let reason = reason.to_owned();
                self.record(Fact::Undelivered { occurrence, at: now, channel: None, reason }, actions);
            }
        }
        if is_news {
            actions.push(Action::Announce(notice));
        }
    }

    /// Records that a notification is gone and nobody answered: that is no answer. Where the server closed it by itself, it
    /// keeps none in sight.
    pub(super) fn on_closed(
        &mut self,
        now: Timestamp,
        id: AlertId,
        reason: CloseReason,
        actions: &mut Vec<Action>,
    ) {
        let lines = self.screen.on_closed(id, now);
        if reason == CloseReason::Expired && !lines.is_empty() {
            self.on_desktop(now, DesktopTraits { keeps_in_sight: false, ..self.presence.desktop });
        }
        for line in lines {
            self.record(Fact::Closed { occurrence: line.occurrence.id, at: now, reason }, actions);
        }
    }

    /// Handles a button: it is the answer to every line of the alert.
    pub(super) fn on_pressed(
        &mut self,
        now: Timestamp,
        id: AlertId,
        button: Button,
        actions: &mut Vec<Action>,
    ) {
        if button == Button::Open {
            // It is as it was: whether it stays on the screen is the server's business.
            actions.extend(self.screen.open(id, now).then_some(Action::OpenTerminal));
            return;
        }
        let Some(lines) = self.screen.remove(id) else { return };
        actions.push(Action::Withdraw(id));
        for line in lines.into_iter().filter(|line| !line.lead) {
            let occurrence = line.occurrence.id;
            let item = &occurrence.item;
            let is_too_much = || {
                self.too_soon_after(item, now).is_some() || self.over_limit(item, now, None, now).is_some()
            };
            if button == Button::Taken && is_too_much() && self.screen.confirm(&occurrence) {
                // It is asked once more, with the reason.
                self.schedule_check(&occurrence.item, now);
            } else {
                self.press(now, &occurrence, button, actions);
            }
        }
    }

    /// Answers one occurrence as a button says, unless it is answered.
    fn press(&mut self, now: Timestamp, id: &OccurrenceId, button: Button, actions: &mut Vec<Action>) {
        let fact = self.press_fact(now, id, button, now, None);
        if let Some(fact) = fact {
            self.record_from_button(fact, actions);
        }
    }

    /// Returns the fact that a button makes which was pressed `at` an instant, unless the occurrence is answered.
    pub(super) fn press_fact(
        &self,
        now: Timestamp,
        id: &OccurrenceId,
        button: Button,
        at: Timestamp,
        key: Option<String>,
    ) -> Option<Fact> {
        if self.ledger.answer(id).is_some() || self.pending.has_answer_to(id) {
            return None;
        }
        let (occurrence, when) = (id.clone(), When::Instant(at));
        match button {
            Button::Taken => {
                let mut fact = self.intake(&id.item, Some(id), when);
                if let Fact::Intake { key: of, .. } = &mut fact {
                    *of = key;
                }
                Some(fact)
            }
            Button::Skip => {
                Some(Fact::Skip { occurrence, at: when, reason: None, note: None, corrects: None, key })
            }
            Button::Open => None,
            Button::Snooze => {
                let planned = self.plan.find(id, &self.ledger)?;
                let until = snooze_end(&planned, at, self.settings.snooze);
                (until > now).then(|| Fact::Snooze { occurrence, at, until, key })
            }
        }
    }

    /// Shows what waits, and again what an earlier server showed: a server is there.
    pub(super) fn on_server_appeared(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        self.screen.on_server_appeared();
        actions.extend(self.screen.alerts().into_iter().map(|id| Action::Show(self.alert_notice(id, now))));
        self.schedule_all_checks(now);
    }

    fn alert_notice(&self, id: AlertId, now: Timestamp) -> Notice {
        let wording = Wording {
            now,
            snooze: self.settings.snooze,
            private: false,
            can_open: self.presence.can_open,
            room: Room::notification(self.presence.desktop.lines),
        };
        let notice = self.notice(id, self.screen.lines(id), &wording);
        Notice { sound: self.settings.sound, ..notice }
    }

    /// Writes what goes out by a channel; `private` leaves out what its lines are.
    pub(super) fn message<'a>(
        &self,
        id: AlertId,
        lines: impl Iterator<Item = &'a AlertLine>,
        private: bool,
        now: Timestamp,
    ) -> Notice {
        let snooze = self.settings.snooze;
        self.notice(id, lines, &Wording { now, snooze, private, can_open: false, room: Room::MESSAGE })
    }

    fn notice<'a>(
        &self,
        id: AlertId,
        lines: impl Iterator<Item = &'a AlertLine>,
        wording: &Wording,
    ) -> Notice {
        let now = wording.now;
        let described = |line: &'a AlertLine| {
            let item = &self.plan.newest(&line.occurrence.id.item)?.item;
            let zone = item.zone.as_ref().unwrap_or_else(|| self.plan.zones.zone_at(now));
            let warnings = self.warnings(&line.occurrence.id, now);
            let dose = item.dose_at(line.occurrence.id.slot, &self.plan.zones);
            Some(NoticeLine { line, item, dose, zone, warnings })
        };
        let lines: Vec<NoticeLine<'_>> = lines.filter_map(described).collect();
        wording.notice(id, &lines)
    }
}
