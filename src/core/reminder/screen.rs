//! What is on the screen, and what could not be put there: the alerts, and how each occurrence was last shown.
//!
//! Invariant: at most one alert shows an occurrence, no alert is empty, and the lines of an alert whose delivery is still to be
//! recorded are lines of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::notice::{AlertId, AlertLine};
use super::retry::Retry;
use super::{IdSequence, is_before};
use crate::core::ledger::{Counted, NotificationHandle};
use crate::core::schedule::OccurrenceId;

/// Two reports of a click on an alert that are closer together than this are one click.
const ONE_CLICK: SignedDuration = SignedDuration::from_secs(2);

/// How long after a click closed an alert it is shown once more, unless it was answered meanwhile.
const REOPEN_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// What is on the screen, or on its way there.
#[derive(Clone, Debug, Default)]
struct Alert {
    lines: BTreeMap<OccurrenceId, AlertLine>,
    /// The lines whose delivery is still to be recorded.
    unrecorded: BTreeSet<OccurrenceId>,
    /// Where it is, as far as that is recorded.
    handle: Option<NotificationHandle>,
    /// When it was last clicked to answer one by one.
    opened: Option<Timestamp>,
}

/// How an occurrence was last put on the screen.
#[derive(Clone, Copy, Debug)]
struct Shown {
    at: Timestamp,
    /// Whether nobody may have seen it.
    unseen: bool,
}

/// Under which circumstances lines are put on the screen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Showing {
    pub(super) now: Timestamp,
    /// Whether nobody may see them.
    pub(super) unseen: bool,
    /// The most alerts that may be there at once, where that is limited.
    pub(super) most_alerts: Option<usize>,
}

/// What a change of its lines means for an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It shows fewer lines.
    Reduced(AlertId),
    /// It shows none, and is gone.
    Emptied(AlertId),
}

/// The alerts, and what is known of each occurrence on them or off them.
#[derive(Debug, Default)]
pub(super) struct Screen {
    alerts: BTreeMap<AlertId, Alert>,
    /// How each occurrence was last put on the screen, recorded or not.
    shown: BTreeMap<OccurrenceId, Shown>,
    /// Occurrences that were announced without a notification server.
    announced: BTreeSet<OccurrenceId>,
    /// Occurrences that could not be shown and wait for the next try.
    undelivered: BTreeSet<OccurrenceId>,
    /// Occurrences that have left the screen without the person's doing: an answer from a button that could
    /// not be recorded, a change that the server refused.
    ask_again: BTreeSet<OccurrenceId>,
    /// Occurrences whose alert was clicked to answer one by one, and closed with that: when to show them once more.
    reopening: BTreeMap<OccurrenceId, Timestamp>,
    /// Occurrences that were taken too soon after the last one, and are asked about once more.
    confirming: BTreeSet<OccurrenceId>,
    retry: Retry,
}

impl Screen {
    /// Puts a line on the alert that already shows its occurrence, else on one of the same minute, else on the newest one where no other
    /// is to be added, else on `fresh`, a new alert for all that found none. Returns the alert.
    pub(super) fn put(
        &mut self,
        line: AlertLine,
        fresh: &mut Option<AlertId>,
        ids: &mut IdSequence,
        showing: Showing,
    ) -> AlertId {
        let Showing { now, unseen, most_alerts } = showing;
        let occurrence = line.occurrence.id.clone();
        let minute = minute(line.occurrence.at);
        let is_same_minute =
            |alert: &Alert| alert.lines.values().any(|other| self::minute(other.occurrence.at) == minute);
        let id = self
            .find(|alert| alert.lines.contains_key(&occurrence))
            .or_else(|| self.find(is_same_minute))
            .or(*fresh)
            .or_else(|| {
                let is_full = most_alerts.is_some_and(|most| self.alerts.len() >= most);
                self.alerts.last_key_value().filter(|_| is_full || line.joins).map(|(id, _)| *id)
            })
            .unwrap_or_else(|| *fresh.get_or_insert_with(|| AlertId(ids.next())));
        let alert = self.alerts.entry(id).or_default();
        alert.unrecorded.insert(occurrence.clone());
        alert.lines.insert(occurrence.clone(), line);
        self.ask_again.remove(&occurrence);
        self.reopening.remove(&occurrence);
        self.shown.insert(occurrence, Shown { at: now, unseen });
        id
    }

    fn find(&self, is_wanted: impl Fn(&Alert) -> bool) -> Option<AlertId> {
        self.alerts.iter().find(|(_, alert)| is_wanted(alert)).map(|(id, _)| *id)
    }

    /// Takes over a notification that an earlier run has left.
    pub(super) fn adopt(
        &mut self,
        id: AlertId,
        handle: NotificationHandle,
        lines: BTreeMap<OccurrenceId, AlertLine>,
    ) {
        self.alerts.insert(id, Alert { lines, handle: Some(handle), ..Alert::default() });
    }

    /// Takes lines off the alerts; what is left without any is gone.
    pub(super) fn retain(&mut self, keep: impl Fn(&OccurrenceId) -> bool) -> Vec<Change> {
        let mut changes = Vec::new();
        self.alerts.retain(|id, alert| {
            let before = alert.lines.len();
            alert.lines.retain(|occurrence, _| keep(occurrence));
            if alert.lines.len() == before {
                return true;
            }
            alert.unrecorded.retain(|occurrence| alert.lines.contains_key(occurrence));
            let is_empty = alert.lines.is_empty();
            changes.push(if is_empty { Change::Emptied(*id) } else { Change::Reduced(*id) });
            !is_empty
        });
        changes
    }

    /// Notes that the server shows an alert. Returns the occurrences whose delivery is to be recorded: the new lines, and all
    /// of them where it is shown at another place than before; `None` where the alert is gone.
    pub(super) fn on_shown(
        &mut self,
        id: AlertId,
        handle: &NotificationHandle,
    ) -> Option<BTreeSet<OccurrenceId>> {
        self.retry.on_success();
        let alert = self.alerts.get_mut(&id)?;
        if alert.handle.as_ref() != Some(handle) {
            alert.handle = Some(handle.clone());
            alert.unrecorded.extend(alert.lines.keys().cloned());
        }
        Some(std::mem::take(&mut alert.unrecorded))
    }

    /// Notes that no server shows an alert, which is gone, and schedules the next try. Returns each occurrence with whether
    /// it is the first time that it could not be shown.
    pub(super) fn on_not_shown(&mut self, id: AlertId, now: Timestamp) -> Vec<(OccurrenceId, bool)> {
        let Some(alert) = self.alerts.remove(&id) else { return Vec::new() };
        let mut failed = Vec::new();
        for occurrence in alert.lines.into_keys() {
            self.shown.remove(&occurrence);
            self.undelivered.insert(occurrence.clone());
            if !alert.unrecorded.contains(&occurrence) {
                // It was on the screen, and a change of its alert took it down.
                self.ask_again.insert(occurrence.clone());
            }
            let is_first = self.announced.insert(occurrence.clone());
            failed.push((occurrence, is_first));
        }
        self.retry.schedule(now);
        failed
    }

    /// Forgets an alert that has left the screen, and returns its lines.
    pub(super) fn remove(&mut self, id: AlertId) -> Option<Vec<AlertLine>> {
        self.alerts.remove(&id).map(|alert| alert.lines.into_values().collect())
    }

    /// Notes that an alert was clicked to answer one by one, and tells whether that is news: some servers report one click several
    /// times.
    pub(super) fn open(&mut self, id: AlertId, now: Timestamp) -> bool {
        let Some(alert) = self.alerts.get_mut(&id) else { return false };
        let before = alert.opened.replace(now);
        before.is_none_or(|before| now.duration_since(before).abs() >= ONE_CLICK)
    }

    /// Notes that an alert has left the screen without an answer, and returns its lines: after a click on it, they are shown
    /// once more.
    pub(super) fn on_closed(&mut self, id: AlertId, now: Timestamp) -> Vec<AlertLine> {
        let Some(alert) = self.alerts.remove(&id) else { return Vec::new() };
        if alert.opened.is_some() {
            let at = now.checked_add(REOPEN_AFTER).unwrap_or(Timestamp::MAX);
            self.reopening.extend(alert.lines.keys().map(|occurrence| (occurrence.clone(), at)));
        }
        alert.lines.into_values().collect()
    }

    /// Returns when an occurrence is to be shown once more, as its alert was closed with a click on it.
    pub(super) fn reopens_at(&self, occurrence: &OccurrenceId) -> Option<Timestamp> {
        self.reopening.get(occurrence).copied()
    }

    /// Notes that the server is gone with all that it showed, and lets it be shown again after a while.
    pub(super) fn on_server_vanished(&mut self, now: Timestamp) {
        let lost: Vec<OccurrenceId> = std::mem::take(&mut self.alerts)
            .into_values()
            .flat_map(|alert| alert.lines.into_keys())
            .collect();
        if lost.is_empty() {
            return;
        }
        self.undelivered.extend(lost.iter().cloned());
        self.ask_again.extend(lost);
        self.retry.schedule(now);
    }

    pub(super) fn contains(&self, id: AlertId) -> bool {
        self.alerts.contains_key(&id)
    }

    pub(super) fn alerts(&self) -> Vec<AlertId> {
        self.alerts.keys().copied().collect()
    }

    /// Returns the lines of an alert, in the order of their time.
    pub(super) fn lines(&self, id: AlertId) -> impl Iterator<Item = &AlertLine> {
        self.alerts.get(&id).into_iter().flat_map(|alert| alert.lines.values())
    }

    /// Returns the occurrences on all alerts.
    pub(super) fn occurrences(&self) -> impl Iterator<Item = &OccurrenceId> {
        self.alerts.values().flat_map(|alert| alert.lines.keys())
    }

    /// Tells whether an alert shows an occurrence.
    pub(super) fn shows(&self, occurrence: &OccurrenceId) -> bool {
        self.alerts.values().any(|alert| alert.lines.contains_key(occurrence))
    }

    /// Tells whether an occurrence whose reminder was due at an instant is to be shown; `recorded` is when it last was,
    /// as far as that is recorded.
    pub(super) fn needs_showing(
        &self,
        occurrence: &OccurrenceId,
        due: Timestamp,
        recorded: Option<Timestamp>,
        counted: Counted,
    ) -> bool {
        if self.undelivered.contains(occurrence) {
            return false;
        }
        if self.ask_again.contains(occurrence) {
            return true;
        }
        let shown = self.shown.get(occurrence);
        let shown = shown.filter(|shown| shown.at <= counted.until && (counted.unseen || !shown.unseen));
        recorded.max(shown.map(|shown| shown.at)).is_none_or(|last| last < due)
    }

    /// Tells whether an occurrence may be shown now, and does not wait for a next try.
    pub(super) fn may_show(&self, occurrence: &OccurrenceId) -> bool {
        !self.undelivered.contains(occurrence)
    }

    /// Tells whether an occurrence was put on the screen since it was last snoozed.
    pub(super) fn was_shown(&self, occurrence: &OccurrenceId) -> bool {
        self.shown.contains_key(occurrence)
    }

    /// Notes a snooze: its end is something new to show, whatever the clock says then.
    pub(super) fn on_snoozed(&mut self, occurrence: &OccurrenceId) {
        self.shown.remove(occurrence);
    }

    /// Asks about an occurrence again after a while: what the person answered could not be recorded.
    pub(super) fn ask_again_later(&mut self, occurrence: OccurrenceId, now: Timestamp) {
        self.ask_again.insert(occurrence);
        self.retry.schedule(now);
    }

    /// Asks for a confirmation of an occurrence; returns whether that is the first time.
    pub(super) fn confirm(&mut self, occurrence: &OccurrenceId) -> bool {
        let is_first = self.confirming.insert(occurrence.clone());
        if is_first {
            self.ask_again.insert(occurrence.clone());
        }
        is_first
    }

    pub(super) fn is_confirming(&self, occurrence: &OccurrenceId) -> bool {
        self.confirming.contains(occurrence)
    }

    /// Returns the instant of the next try to show what could not be shown.
    pub(super) fn retry_at(&self) -> Option<Timestamp> {
        self.retry.at()
    }

    /// Lets what could not be shown be tried again if its time has come, and tells whether it had.
    pub(super) fn start_due_retry(&mut self, now: Timestamp) -> bool {
        let is_due = self.retry.start_due(now);
        if is_due {
            self.undelivered.clear();
        }
        is_due
    }

    /// Lets all that could not be shown be tried at once: a server is there.
    pub(super) fn on_server_appeared(&mut self) {
        self.retry.reset();
        self.undelivered.clear();
    }

    /// Forgets what is older than an instant and on no alert.
    pub(super) fn forget_before(&mut self, instant: Timestamp) {
        let open: BTreeSet<&OccurrenceId> =
            self.alerts.values().flat_map(|alert| alert.lines.keys()).collect();
        self.shown.retain(|occurrence, shown| shown.at >= instant || open.contains(occurrence));
        self.reopening.retain(|_, at| *at >= instant);
        let shown = &self.shown;
        let is_recent =
            |occurrence: &OccurrenceId| shown.contains_key(occurrence) || !is_before(occurrence, instant);
        for known in [&mut self.announced, &mut self.undelivered, &mut self.ask_again, &mut self.confirming] {
            known.retain(is_recent);
        }
    }
}

fn minute(at: Timestamp) -> i64 {
    at.as_second().div_euclid(60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::reminder::tests::line;

    /// A screen with these lines, put there at one instant, and the alert of each.
    fn screen(lines: &[&str]) -> (Screen, Vec<u64>) {
        let (mut screen, mut ids, mut fresh) = (Screen::default(), IdSequence::default(), None);
        let alerts = lines.iter().map(|of| screen.put(line(of), &mut fresh, &mut ids, at_nine()).0).collect();
        (screen, alerts)
    }

    fn at(time: &str) -> Timestamp {
        format!("2026-11-25T{time}Z").parse().unwrap()
    }

    /// Every showing counts.
    const ALL: Counted = Counted { until: Timestamp::MAX, unseen: true };

    fn at_nine() -> Showing {
        Showing { now: at("09:00"), unseen: false, most_alerts: None }
    }

    fn occurrence(id: &str) -> OccurrenceId {
        line(id).occurrence.id
    }

    fn handle(notification: u32) -> NotificationHandle {
        NotificationHandle { notification, server: Some("peer".into()) }
    }

    fn names(occurrences: impl IntoIterator<Item = OccurrenceId>) -> Vec<String> {
        occurrences.into_iter().map(|id| id.to_string()).collect()
    }

    const A: &str = "a@2026-11-25T08:00";
    const B: &str = "b@2026-11-25T08:30";

    #[test]
    fn a_line_joins_its_alert_or_its_minute_or_the_new_one() {
        for (lines, alerts) in [
            // Whatever is due together is one alert.
            (&[A, B][..], &[1, 1][..]),
            (&[A, A], &[1, 1]),
            (&[A, "c@2026-11-25T08:00:30"], &[1, 1]),
        ] {
            assert_eq!(screen(lines).1, alerts, "{lines:?}");
        }
        // What comes due later is another one, unless it is of a minute that is shown.
        let (mut screen, _) = screen(&[A]);
        let mut ids = IdSequence(1);
        for (id, alert) in [(B, 2), ("c@2026-11-25T08:00:59", 1), ("d@2026-11-25T08:30", 2), (A, 1)] {
            assert_eq!(screen.put(line(id), &mut None, &mut ids, at_nine()), AlertId(alert), "{id}");
        }
    }

    #[test]
    fn what_is_taken_off_every_alert_is_gone() {
        let (mut screen, _) = screen(&[A, B]);
        let (a, b) = (occurrence(A), occurrence(B));
        assert_eq!(screen.retain(|_| true), []);
        assert_eq!(screen.retain(|id| *id != a), [Change::Reduced(AlertId(1))]);
        // Its delivery is not recorded any more.
        assert_eq!(names(screen.on_shown(AlertId(1), &handle(1)).unwrap()), [B]);
        assert_eq!(screen.retain(|id| *id != b), [Change::Emptied(AlertId(1))]);
        assert!(!screen.contains(AlertId(1)) && screen.occurrences().next().is_none());
    }

    #[test]
    fn a_delivery_is_recorded_once_for_each_place() {
        let (mut screen, _) = screen(&[A, B]);
        let shown = |screen: &mut Screen, n| screen.on_shown(AlertId(1), &handle(n)).map(names);
        assert_eq!(shown(&mut screen, 1), Some(vec![A.to_owned(), B.to_owned()]));
        assert_eq!(shown(&mut screen, 1), Some(vec![]));
        screen.put(line(A), &mut None, &mut IdSequence(1), Showing { now: at("09:10"), ..at_nine() });
        assert_eq!(shown(&mut screen, 1), Some(vec![A.to_owned()]));
        assert_eq!(shown(&mut screen, 2), Some(vec![A.to_owned(), B.to_owned()]));
        assert_eq!(screen.on_shown(AlertId(9), &handle(1)), None);
    }

    #[test]
    fn what_could_not_be_shown_waits_for_the_next_try() {
        let (mut screen, _) = screen(&[A]);
        let a = occurrence(A);
        // It was never on the screen: after the wait it is due as before.
        assert_eq!(screen.on_not_shown(AlertId(1), at("09:00")), [(a.clone(), true)]);
        assert!(!screen.needs_showing(&a, at("08:00"), None, ALL) && !screen.contains(AlertId(1)));
        assert_eq!(screen.retry_at(), Some(at("09:00:05")));
        assert!(!screen.start_due_retry(at("09:00:04")) && screen.start_due_retry(at("09:00:05")));
        assert!(screen.needs_showing(&a, at("08:00"), None, ALL));
        assert!(!screen.needs_showing(&a, at("08:00"), Some(at("08:00")), ALL));
        // It was on the screen: it is asked about again, although it was shown.
        screen.put(line(A), &mut None, &mut IdSequence(1), at_nine());
        screen.on_shown(AlertId(2), &handle(1));
        assert_eq!(screen.on_not_shown(AlertId(2), at("09:10")), [(a.clone(), false)]);
        screen.on_server_appeared();
        assert!(screen.needs_showing(&a, at("08:00"), Some(at("09:00")), ALL));
        assert_eq!(screen.on_not_shown(AlertId(9), at("09:10")), []);
    }

    #[test]
    fn each_reminder_is_shown_once() {
        let (screen, _) = screen(&[A]);
        let a = occurrence(A);
        for (due, recorded, needs) in [
            ("08:00", None, false),
            ("09:00", None, false),
            ("09:01", None, true),
            ("09:01", Some("09:01"), false),
            ("09:02", Some("09:01"), true),
        ] {
            assert_eq!(screen.needs_showing(&a, at(due), recorded.map(at), ALL), needs, "{due} {recorded:?}");
        }
    }

    #[test]
    fn what_a_clock_that_was_ahead_has_shown_does_not_count() {
        let (screen, _) = screen(&[A]);
        let a = occurrence(A);
        // Put there at 09:00, by a clock that says so only afterwards.
        for (until, recorded, needs) in [
            ("08:59", None, true),
            ("09:00", None, false),
            ("08:59", Some("08:00"), false),
            ("08:59", Some("07:59"), true),
        ] {
            let found = screen.needs_showing(
                &a,
                at("08:00"),
                recorded.map(at),
                Counted { until: at(until), unseen: true },
            );
            assert_eq!(found, needs, "{until} {recorded:?}");
        }
    }

    #[test]
    fn a_confirmation_is_asked_for_once() {
        let (mut screen, _) = screen(&[A]);
        let a = occurrence(A);
        assert!(!screen.is_confirming(&a) && screen.confirm(&a));
        assert!(screen.is_confirming(&a) && screen.needs_showing(&a, at("08:00"), None, ALL));
        assert!(!screen.confirm(&a));
    }

    #[test]
    fn what_is_old_and_on_no_alert_is_forgotten() {
        let (mut screen, _) = screen(&[A]);
        let (a, b) = (occurrence(A), occurrence(B));
        screen.put(line(B), &mut None, &mut IdSequence(1), at_nine());
        screen.remove(AlertId(2));
        screen.confirm(&b);
        let later = at("09:00") + jiff::SignedDuration::from_hours(24 * 5);
        screen.forget_before(at("09:00"));
        assert!(screen.was_shown(&a) && screen.was_shown(&b) && screen.is_confirming(&b));
        screen.forget_before(later);
        assert!(screen.was_shown(&a) && !screen.was_shown(&b) && !screen.is_confirming(&b));
    }
}
