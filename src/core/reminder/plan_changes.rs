//! What changes the plan: an edited schedule opens and closes regimens, a journey changes the zone.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Action, Reminder};
use crate::core::ledger::{Fact, NamedZone};
use crate::core::schedule::{Item, ItemId, Schedule, Settings};

impl Reminder {
    /// Opens and closes regimens where the schedule differs from what was last recorded.
    pub(super) fn on_schedule(&mut self, now: Timestamp, schedule: Schedule, actions: &mut Vec<Action>) {
        let Schedule { items, settings } = schedule;
        self.set_settings(now, settings);
        let kept: BTreeSet<&ItemId> = items.iter().map(|(item, _)| &item.id).collect();
        for item in self.definitions.missing_from(&kept) {
            self.close_regimen(now, item, actions);
        }
        for (item, definition) in items {
            if self.definitions.update(&item.id, &definition) {
                self.open_regimen(now, item, definition.text, actions);
            }
        }
    }

    /// Records what is in the schedule, or no longer in it, once more where that was recorded while the clock was ahead: else it would
    /// not hold before that time comes.
    pub(super) fn on_clock_change(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        let plan = self.plan.clone();
        for regimen in plan.items().filter_map(|item| plan.newest(item)) {
            let item = &regimen.item;
            if regimen.closed.is_some_and(|closed| now < closed) {
                self.close_regimen(now, item.id.clone(), actions);
            } else if let Some(definition) = self.definitions.get(&item.id).filter(|_| now < regimen.opened) {
                let definition = definition.to_owned();
                self.open_regimen(now, item.clone(), definition, actions);
            }
        }
        self.schedule_all_checks(now);
    }

    fn set_settings(&mut self, now: Timestamp, settings: Settings) {
        if settings != self.settings {
            Arc::make_mut(&mut self.plan).day_starts = settings.day_starts;
            self.settings = settings;
            self.schedule_all_checks(now);
        }
    }

    fn close_regimen(&mut self, now: Timestamp, item: ItemId, actions: &mut Vec<Action>) {
        self.definitions.remove(&item);
        Arc::make_mut(&mut self.plan).close(&item, now);
        self.schedule_check(&item, now);
        self.record(Fact::Regimen { item, at: now, definition: None }, actions);
    }

    fn open_regimen(&mut self, now: Timestamp, item: Item, definition: String, actions: &mut Vec<Action>) {
        let id = item.id.clone();
        self.carry_pauses(now, &item, actions);
        Arc::make_mut(&mut self.plan).open(item, now);
        self.schedule_check(&id, now);
        self.record(Fact::Regimen { item: id, at: now, definition: Some(definition) }, actions);
    }

    /// Pauses an item that is renamed whenever it was to be paused under its former name.
    fn carry_pauses(&mut self, now: Timestamp, item: &Item, actions: &mut Vec<Action>) {
        let Some(former) = item.formerly.as_ref().filter(|former| self.plan.current_id(former) != &item.id)
        else {
            return;
        };
        for (at, end) in self.ledger.pauses_after(former, now) {
            if self.ledger.paused_until(&item.id, at) < Some(end) {
                let until = Some(end).filter(|end| *end < Timestamp::MAX);
                self.record(Fact::Pause { item: Some(item.id.clone()), at, until, reason: None }, actions);
            }
        }
    }

    /// Lets floating items follow the zone that the person's clock shows.
    pub(super) fn on_zone(
        &mut self,
        now: Timestamp,
        name: String,
        zone: TimeZone,
        actions: &mut Vec<Action>,
    ) {
        if self.ledger.zones().last().is_some_and(|(at, last)| *last == zone && *at <= now) {
            return;
        }
        let mut zones = self.ledger.zone_history(&zone);
        zones.change(now, zone.clone());
        Arc::make_mut(&mut self.plan).zones = zones;
        let zone = NamedZone { name, rules: Some(zone) };
        self.record(Fact::Zone { at: now, zone }, actions);
        self.schedule_all_checks(now);
    }
}
