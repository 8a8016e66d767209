//! Who is asked when: what opens is shown, unless quiet hours, lateness or a server that is not there keep it back.

use jiff::{SignedDuration, Timestamp};

use super::life::{Happened, Item};
use super::model::{Model, State};

impl Model {
    /// From one reading of the clock to another, everything that opens is asked about.
    pub(super) fn ask(&mut self, from: Timestamp, to: Timestamp) {
        let items: Vec<Item> = self.regimens.keys().copied().collect();
        for item in items {
            let longest =
                self.regimens[&item].iter().map(|regimen| regimen.spec.grace_minutes).max().unwrap();
            let earliest = from - SignedDuration::from_mins(longest) - SignedDuration::from_hours(27);
            for occurrence in self.occurrences(item, earliest, to) {
                let snoozed = self.snoozed_until(item, occurrence.slot);
                let begins = snoozed.unwrap_or(occurrence.at);
                let noticed = occurrence.at.max(begins).max(from);
                let at = self.after_quiet(noticed, begins, self.closes_at(item, &occurrence));
                let was = |shown: bool| {
                    self.about(item, occurrence.slot).any(|entry| match entry.what {
                        Happened::Shown { .. } => shown && occurrence.at <= entry.recorded,
                        Happened::NotShown { .. } => !shown,
                        _ => false,
                    })
                };
                // A minute late is late, unless it was asked for once.
                let late_by = at.duration_since(if snoozed.is_some() { begins } else { occurrence.at });
                let is_late =
                    self.spec_of(item, &occurrence).late_is_missed && late_by > SignedDuration::from_mins(1);
                let is_open = at <= to
                    && self.state_at(item, &occurrence, at) == State::Due
                    && !was(true)
                    && (self.server || !was(false))
                    && !is_late;
                if is_open {
                    let slot = occurrence.slot;
                    let what = if self.server {
                        Happened::Shown { item, slot }
                    } else {
                        Happened::NotShown { item, slot }
                    };
                    self.write_at(at, 0, what);
                }
            }
        }
    }

    /// When something that is noticed at an instant is shown: after the quiet hours, or half of the time in which it can be answered.
    fn after_quiet(&self, noticed: Timestamp, begins: Timestamp, closes: Timestamp) -> Timestamp {
        let latest = begins + closes.duration_since(begins) / 2;
        let Some((from, until)) = self.quiet.filter(|_| noticed < latest) else { return noticed };
        let zone = self.zones.at(noticed);
        let is_quiet = |at: Timestamp| {
            let time = zone.to_datetime(at).time();
            if from < until { from <= time && time < until } else { from <= time || time < until }
        };
        let second = zone.to_datetime(noticed).second();
        let mut at = noticed;
        while is_quiet(at) && at < latest {
            // To the next full minute, at which the quiet hours may end.
            let whole = if at == noticed { 60 - i64::from(second) } else { 60 };
            at += SignedDuration::from_secs(whole);
        }
        at.min(latest).max(noticed)
    }
}
