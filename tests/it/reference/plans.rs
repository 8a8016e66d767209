//! The schedule over time: which regimen plans which slot, and what an edit does to the day on which it is made.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;

use super::life::{Happened, Item, Rule, Slot, Spec};
use super::model::{Model, Occurrence};

/// One version of an item.
#[derive(Clone, Debug)]
pub(super) struct Regimen {
    pub(super) spec: Spec,
    pub(super) opened: Timestamp,
    pub(super) closed: Option<Timestamp>,
    /// Whether the item left the schedule then.
    pub(super) was_removed: bool,
    /// The day that intervals and cycles are counted from, and the instant for elapsed time.
    pub(super) anchor: Date,
    pub(super) anchored: Timestamp,
    /// From when on it plans; earlier than it was opened where `from` lies in the past.
    pub(super) begins: Timestamp,
    /// What it does not plan, as something that stands has its place.
    pub(super) left_out: BTreeSet<Slot>,
    /// What it plans although its time was over when it was opened.
    pub(super) moved_up: BTreeSet<Slot>,
}

impl Regimen {
    /// Whether it lasted for any time: a clock that was ahead may have been set back before it began.
    pub(super) fn has_held(&self) -> bool {
        self.closed.is_none_or(|closed| self.begins <= closed)
    }

    pub(super) fn plans(&self, slot: Slot, at: Timestamp) -> bool {
        let is_late = self.closed.is_some_and(|closed| closed < at);
        (self.begins <= at || self.moved_up.contains(&slot)) && !is_late && !self.left_out.contains(&slot)
    }
}

fn period(spec: &Spec) -> String {
    match &spec.rule {
        Rule::Times { every, cycle, .. } => {
            format!("{:?} {cycle:?}", every.unwrap_or((1, super::life::Unit::Days)))
        }
        Rule::Cron { .. } => "cron".to_owned(),
        Rule::Elapsed { minutes } => format!("elapsed {minutes}"),
        Rule::AfterLast { months, .. } => format!("after last {months}"),
        Rule::AsNeeded => "as needed".to_owned(),
    }
}

impl Model {
    /// Whether the schedule has the item now.
    pub(super) fn current(&self, item: Item) -> Option<&Spec> {
        self.regimens
            .get(&item)?
            .last()
            .filter(|regimen| regimen.closed.is_none())
            .map(|regimen| &regimen.spec)
    }

    /// The schedule has the item like this from now on: that ends whatever it had before, also what the clock showed later times for.
    pub(super) fn edit(&mut self, item: Item, spec: Option<Spec>) {
        let now = self.now;
        let regimens = self.regimens.entry(item).or_default();
        let last = regimens.last().cloned();
        for regimen in &mut *regimens {
            if regimen.closed.is_none_or(|closed| now < closed) {
                (regimen.closed, regimen.was_removed) = (Some(now), false);
            }
        }
        regimens.sort_by_key(Regimen::has_held);
        let Some(spec) = spec else {
            regimens.last_mut().unwrap().was_removed = true;
            return;
        };
        let today = self.zones.date_for(&spec, now);
        let same = last.as_ref().filter(|last| period(&last.spec) == period(&spec) && last.anchored <= now);
        let anchor = spec.from.unwrap_or_else(|| same.map_or(today, |last| last.anchor));
        let mut regimen = Regimen {
            opened: now,
            closed: None,
            was_removed: false,
            anchor,
            anchored: same.map_or(now, |last| last.anchored),
            begins: now,
            left_out: BTreeSet::new(),
            moved_up: BTreeSet::new(),
            spec,
        };
        if last.is_some() {
            let midnight =
                self.zones.instant_for(&regimen.spec, today.to_datetime(jiff::civil::Time::midnight()));
            let before = self.regimens[&item].last().unwrap();
            let has_left = before.closed.is_some_and(|left| left < midnight);
            if before.has_held() && !has_left {
                self.compare_day(item, today, &mut regimen);
            }
        } else if let Some(from) = regimen.spec.from.filter(|from| *from <= today) {
            let midnight = from.to_datetime(jiff::civil::Time::midnight());
            regimen.begins = self.zones.instant_for(&regimen.spec, midnight).min(now);
        }
        self.regimens.get_mut(&item).unwrap().push(regimen);
    }

    /// What was read while the clock was ahead is read again when that is noticed: else it would not hold before that time comes.
    pub(super) fn read_again(&mut self) {
        let (since, zone) = *self.zones.0.last().unwrap();
        if self.now < since {
            self.write(0, Happened::Travel(zone));
        }
        let ahead = self.regimens.iter().filter_map(|(item, regimens)| {
            let last = regimens.last().unwrap();
            let read = last.closed.unwrap_or(last.opened);
            let spec = Some(last.spec.clone()).filter(|_| last.closed.is_none());
            (self.now < read).then_some((*item, spec))
        });
        for (item, spec) in ahead.collect::<Vec<_>>() {
            self.write(0, Happened::Edit(item, spec));
        }
    }

    /// Pairs the slots of the day of an edit.
    fn compare_day(&self, item: Item, today: Date, new: &mut Regimen) {
        let now = self.now;
        let (place, old) = self.regimens[&item].iter().enumerate().next_back().unwrap();
        let mut olds = self.slots_on(&old.spec, old.anchor, today);
        let mut news = self.slots_on(&new.spec, new.anchor, today);
        let mut pairs = Vec::new();
        olds.retain(|old| {
            let same = news.iter().position(|new| new.0 == old.0);
            pairs.extend(same.map(|same| (Some(*old), Some(news.remove(same)))));
            same.is_none()
        });
        for i in 0..olds.len().max(news.len()) {
            pairs.push((olds.get(i).copied(), news.get(i).copied()));
        }
        for pair in pairs {
            let (before, Some(after)) = pair else { continue };
            // While the item was not in the schedule nothing came.
            let has_come = before.is_some_and(|(_, at)| old.closed.is_none_or(|ended| at <= ended));
            let stands = before.is_some_and(|(slot, at)| {
                let occurrence = Occurrence { slot, at, regimen: place };
                old.left_out.contains(&slot)
                    || self.answer_of(item, slot).is_some()
                    || (old.plans(slot, at) && self.is_open(item, &occurrence))
            });
            let is_same = before.is_some_and(|(slot, _)| slot == after.0);
            if stands {
                if !is_same || old.left_out.contains(&after.0) {
                    new.left_out.insert(after.0);
                }
            } else if before.is_some() && !has_come && after.1 < now {
                new.moved_up.insert(after.0);
            }
        }
    }

    /// Whether an occurrence can be answered now, or could if its item came back.
    fn is_open(&self, item: Item, occurrence: &Occurrence) -> bool {
        let is_waiting = self.now < self.closes_at(item, occurrence) && !self.is_paused(item, occurrence.at);
        occurrence.at <= self.now && is_waiting && self.answer_of(item, occurrence.slot).is_none()
    }

    /// When an item left the schedule before an occurrence of it had closed, and did not come back in time.
    pub(super) fn dropped_at(
        &self,
        item: Item,
        occurrence: &Occurrence,
        closes: Timestamp,
    ) -> Option<Timestamp> {
        let regimens = &self.regimens[&item];
        let gone =
            regimens.iter().enumerate().filter(|(_, regimen)| regimen.was_removed && regimen.has_held());
        let dropped = gone.filter_map(|(place, regimen)| {
            let closed = regimen.closed?;
            let back = regimens.get(place + 1).map(|next| next.opened);
            let is_back = back.is_some_and(|back| back < closes && back <= self.now);
            (occurrence.regimen <= place && closed < closes && !is_back).then_some(closed)
        });
        dropped.min()
    }
}
