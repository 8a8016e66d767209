//! The screen of the simulation.

use std::collections::{BTreeMap, BTreeSet};

use dosed::core::ledger::NotificationHandle;
use dosed::core::reminder::AlertId;
use dosed::core::schedule::OccurrenceId;

/// A notification server and what stands on its screen; it outlives the daemon.
#[derive(Default)]
pub(super) struct Screen {
    /// Which run of the server this is.
    pub(super) run: u32,
    pub(super) last_number: u32,
    pub(super) notifications: BTreeMap<u32, Vec<OccurrenceId>>,
    /// What the running daemon knows of it.
    pub(super) numbers: BTreeMap<AlertId, u32>,
    /// Shown, and nothing of it could be written down: after the next start nobody can find these again.
    pub(super) orphans: BTreeSet<u32>,
}

impl Screen {
    pub(super) fn place(&self, notification: u32) -> NotificationHandle {
        NotificationHandle { notification, server: Some(format!("peer/{}", self.run).into()) }
    }

    pub(super) fn adopt(&mut self, alert: AlertId, place: &NotificationHandle) {
        if *place == self.place(place.notification) {
            self.numbers.insert(alert, place.notification);
        }
    }

    pub(super) fn show(&mut self, alert: AlertId, occurrences: Vec<OccurrenceId>) -> NotificationHandle {
        let number = *self.numbers.entry(alert).or_insert_with(|| {
            self.last_number += 1;
            self.last_number
        });
        self.notifications.insert(number, occurrences);
        self.place(number)
    }

    /// Takes an alert off the screen, and returns its lines.
    pub(super) fn take_down(&mut self, alert: AlertId) -> Vec<OccurrenceId> {
        let number = self.numbers.remove(&alert);
        number.and_then(|number| self.notifications.remove(&number)).unwrap_or_default()
    }

    /// The server ends, and another one comes.
    pub(super) fn restart(&mut self) {
        *self = Self { run: self.run + 1, ..Self::default() };
    }

    /// The alerts that can be pressed or closed.
    pub(super) fn alerts(&self) -> Vec<AlertId> {
        let shown = |number: &u32| self.notifications.contains_key(number);
        self.numbers.iter().filter(|(_, number)| shown(number)).map(|(alert, _)| *alert).collect()
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = &OccurrenceId> {
        let known = self.notifications.iter().filter(|(number, _)| !self.orphans.contains(number));
        known.flat_map(|(_, lines)| lines)
    }
}
