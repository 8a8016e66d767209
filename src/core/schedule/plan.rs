//! Every regimen that there has been, and what follows from them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::course::{Course, SLACK};
use super::history::History;
use super::regimen::Anchor;
use super::{Amount, Item, ItemId, Occurrence, OccurrenceId, Regimen, Stock, ZoneHistory};

/// All regimens of all items, oldest first, and the zones that the clock has shown.
#[derive(Clone, Debug)]
pub struct Plan {
    regimens: BTreeMap<ItemId, Vec<Regimen>>,
    /// What items that were renamed are called now.
    renamed: BTreeMap<ItemId, ItemId>,
    /// The zones of the person's clock.
    pub zones: ZoneHistory,
    /// When a day begins in what is counted by days, in the morning.
    pub day_starts: Time,
}

/// An occurrence with the regimen that planned it.
#[derive(Clone, Debug)]
pub struct Planned<'a> {
    /// The slot.
    pub occurrence: Occurrence,
    /// What planned it.
    pub regimen: &'a Regimen,
    /// Whether the schedule was left without it.
    pub removed: Option<Removal>,
}

impl Planned<'_> {
    /// Returns the local date for which the slot was planned, by the clock that its item follows.
    #[must_use]
    pub fn date(&self, zones: &ZoneHistory) -> Date {
        self.regimen.item.date_of(self.occurrence.id.slot, zones)
    }

    /// Returns the dose that was planned for the slot.
    #[must_use]
    pub fn dose(&self, zones: &ZoneHistory) -> Option<&Amount> {
        self.regimen.item.dose_at(self.occurrence.id.slot, zones)
    }
}

/// The time for which an item, or a slot that nobody was asked about, was not in the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removal {
    /// From when on.
    pub at: Timestamp,
    /// Until when, where it came back.
    pub back: Option<Timestamp>,
}

impl Removal {
    /// Tells whether it took away, by an instant, what would have closed at another one.
    #[must_use]
    pub fn takes(&self, closes_at: Timestamp, now: Timestamp) -> bool {
        self.at <= now && self.at < closes_at && self.back.is_none_or(|back| closes_at <= back)
    }
}

impl Plan {
    /// Returns a plan without items.
    #[must_use]
    pub fn new(zones: ZoneHistory) -> Self {
        Self { regimens: BTreeMap::new(), renamed: BTreeMap::new(), zones, day_starts: Time::midnight() }
    }

    /// Returns the day to which a local time belongs, in what is counted by days.
    #[must_use]
    pub fn day_of(&self, local: DateTime) -> Date {
        let date = local.date();
        if local.time() < self.day_starts { date.yesterday().unwrap_or(date) } else { date }
    }

    /// Returns the day to which an instant belongs.
    #[must_use]
    pub fn day_at(&self, at: Timestamp) -> Date {
        self.day_of(self.zones.zone_at(at).to_datetime(at))
    }

    /// Adds a regimen; it ends those before it of the same item, whatever the clock showed when they were read.
    pub fn open(&mut self, item: Item, opened: Timestamp) {
        self.rename(&item);
        let before = self.newest(&item.id);
        let zones = item.zones(&self.zones);
        let anchor = before.and_then(|before| self.kept_anchor(before, &item, opened));
        let anchor = anchor.unwrap_or_else(|| Anchor { at: opened, date: zones.date_at(opened) });
        // What is new can have begun before it was read.
        let began = item.rule.from.filter(|_| before.is_none()).and_then(|from| zones.midnight(from));
        let plans_from = began.map_or(opened, |began| began.min(opened));
        self.close(&item.id, opened);
        let regimens = self.regimens.entry(item.id.clone()).or_default();
        // Most items have one: room for the next ones would be the most of what the plan takes.
        regimens.reserve_exact(1);
        regimens.push(Regimen { item, opened, plans_from, closed: None, anchor });
    }

    /// Lets the newest regimen of an item count from a day on which its rule was planned first.
    pub fn count_from(&mut self, item: &ItemId, date: Date) {
        let Some(regimen) = self.regimens.get_mut(item).and_then(|regimens| regimens.last_mut()) else {
            return;
        };
        let at = regimen.item.zones(&self.zones).midnight(date);
        regimen.anchor = Anchor { at: at.unwrap_or(regimen.anchor.at), date };
    }

    /// Lets the regimens of an item's former name be those of the item, before what it has of its own.
    fn rename(&mut self, item: &Item) {
        self.renamed.remove(&item.id);
        let Some(former) = item.formerly.as_ref().map(|former| self.current_id(former).clone()) else {
            return;
        };
        let Some(mut regimens) = self.regimens.remove(&former).filter(|_| former != item.id) else { return };
        for regimen in self.regimens.remove(&item.id).unwrap_or_default() {
            let last = regimens.last();
            let anchor = last.and_then(|last| self.kept_anchor(last, &regimen.item, regimen.opened));
            regimens.push(Regimen { anchor: anchor.unwrap_or(regimen.anchor), ..regimen });
        }
        for name in self.renamed.values_mut().filter(|name| **name == former) {
            name.clone_from(&item.id);
        }
        self.renamed.insert(former, item.id.clone());
        self.regimens.insert(item.id.clone(), regimens);
    }

    /// Returns what an item is called now.
    #[must_use]
    pub fn current_id<'a>(&'a self, item: &'a ItemId) -> &'a ItemId {
        self.renamed.get(item).unwrap_or(item)
    }

    /// Returns the names that an item has had, the one of now among them.
    #[must_use]
    pub fn names(&self, item: &ItemId) -> BTreeSet<ItemId> {
        let item = self.current_id(item);
        let of_regimens = self.regimens(item).iter().map(|regimen| &regimen.item.id);
        of_regimens.chain([item]).cloned().collect()
    }

    /// Returns the anchor that an item keeps through an edit: that of a rule with the same period, but not one of a clock that ran ahead.
    fn kept_anchor(&self, before: &Regimen, item: &Item, opened: Timestamp) -> Option<Anchor> {
        if !before.item.rule.has_period_of(&item.rule) || opened < before.anchor.at {
            return None;
        }
        let first_day = before
            .item
            .rule
            .from
            .and_then(|date| Some(Anchor { at: before.item.zones(&self.zones).midnight(date)?, date }));
        Some(first_day.unwrap_or(before.anchor))
    }

    /// Ends the regimens of an item that last longer.
    pub fn close(&mut self, item: &ItemId, closed: Timestamp) {
        // One that was renamed goes on under its new name.
        let Some(regimens) = self.regimens.get_mut(item) else { return };
        for regimen in &mut *regimens {
            regimen.closed = Some(regimen.closed.map_or(closed, |before| before.min(closed)));
        }
        // What was read by a clock that was ahead never held: only what was asked about then keeps its place.
        regimens.sort_by_key(Regimen::has_held);
    }

    /// Returns the id of every item that there has been.
    pub fn items(&self) -> impl Iterator<Item = &ItemId> {
        self.regimens.keys()
    }

    /// Returns one item, if there has been such a one, or every item where none is named.
    ///
    /// One is looked up directly: many queries go through the items in turn.
    pub fn select(&self, item: Option<&ItemId>) -> impl Iterator<Item = &ItemId> {
        let every = item.is_none().then(|| self.items());
        let one = item.and_then(|item| self.regimens.get_key_value(self.current_id(item))).map(|(id, _)| id);
        one.into_iter().chain(every.into_iter().flatten())
    }

    /// Returns an item as it is planned now.
    #[must_use]
    pub fn current(&self, item: &ItemId) -> Option<&Item> {
        self.newest(item).and_then(planned_now)
    }

    /// Returns the items that are planned now.
    pub fn current_items(&self) -> impl Iterator<Item = &Item> {
        self.regimens.values().filter_map(|regimens| planned_now(regimens.last()?))
    }

    /// Returns when the plan was last changed.
    #[must_use]
    pub fn changed_at(&self) -> Option<Timestamp> {
        let regimens = self.regimens.values().flatten();
        regimens.flat_map(|regimen| [Some(regimen.opened), regimen.closed]).flatten().max()
    }

    /// Returns the newest regimen of an item, closed or not.
    #[must_use]
    pub fn newest(&self, item: &ItemId) -> Option<&Regimen> {
        self.regimens(item).last()
    }

    /// Returns what an item's stock was when it was last written into the schedule, and when: an
    /// edit of anything else does not reset it.
    #[must_use]
    pub fn stock(&self, item: &ItemId) -> Option<(Timestamp, Stock)> {
        let regimens = self.regimens(item);
        let stock = regimens.last()?.item.stock.clone()?;
        let held = regimens.iter().filter(|regimen| regimen.has_held());
        let same = held.rev().take_while(|regimen| {
            regimen.item.stock.as_ref().is_some_and(|before| before.have == stock.have)
        });
        Some((same.last()?.opened, stock))
    }

    /// Returns the longest grace that an item has had; zero for one that there never was.
    #[must_use]
    pub fn longest_grace(&self, item: &ItemId) -> SignedDuration {
        self.regimens(item).iter().map(|regimen| regimen.item.grace).max().unwrap_or_default()
    }

    /// Tells whether any regimen of an item counts from when it was last taken.
    #[must_use]
    pub fn is_relative(&self, item: &ItemId) -> bool {
        self.regimens(item).iter().any(|regimen| regimen.item.rule.is_relative())
    }

    /// Returns how far from a slot another time can lie and still be its turn, at most; `None` for an item that never had a relative rule.
    #[must_use]
    pub fn half_step(&self, item: &ItemId) -> Option<SignedDuration> {
        self.regimens(item).iter().filter_map(Regimen::half_step).max()
    }

    /// Returns all regimens of an item, oldest first.
    #[must_use]
    pub fn regimens(&self, item: &ItemId) -> &[Regimen] {
        self.regimens.get(self.current_id(item)).map_or(&[], Vec::as_slice)
    }

    /// Returns an item's occurrences that are due in `[from, until)`, each id once, in order of time: what its regimens plan, and every
    /// slot that a fact names.
    #[must_use]
    pub fn occurrences(
        &self,
        item: &ItemId,
        history: &dyn History,
        from: Timestamp,
        until: Timestamp,
    ) -> Vec<Planned<'_>> {
        Course { regimens: self.regimens(item), zones: &self.zones, history }.occurrences(from, until)
    }

    /// Returns one occurrence by its name, if any regimen planned it or any fact names it.
    #[must_use]
    pub fn find(&self, id: &OccurrenceId, history: &dyn History) -> Option<Planned<'_>> {
        let written = TimeZone::UTC.to_timestamp(id.slot.written()).ok()?;
        let (from, until) = (written.checked_sub(SLACK).ok()?, written.checked_add(SLACK).ok()?);
        self.occurrences(&id.item, history, from, until)
            .into_iter()
            .find(|planned| planned.occurrence.id == *id)
    }

    /// Returns the first occurrence of an item that is planned after an instant.
    #[must_use]
    pub fn next_after(&self, item: &ItemId, history: &dyn History, after: Timestamp) -> Option<Planned<'_>> {
        let regimen = self.newest(item).filter(|regimen| regimen.closed.is_none())?;
        // Before its first day there is nothing, wherever on earth that day begins.
        let first_day =
            regimen.item.rule.from.and_then(|from| regimen.item.zones(&self.zones).midnight(from));
        let begins = first_day.and_then(|begins| begins.checked_sub(SLACK).ok());
        let from =
            begins.unwrap_or(Timestamp::MIN).max(after.checked_add(SignedDuration::from_nanos(1)).ok()?);
        // Ever wider windows: most rules answer from the first, a rare one from the last.
        [3, 40, 400, 3_700, 36_600].into_iter().find_map(|days| {
            let until = from.checked_add(SignedDuration::from_hours(days * 24)).unwrap_or(Timestamp::MAX);
            let found = self.occurrences(item, history, from, until);
            found.into_iter().find(|planned| planned.removed.is_none())
        })
    }
}

/// Returns the item of a regimen that has not ended.
fn planned_now(regimen: &Regimen) -> Option<&Item> {
    regimen.closed.is_none().then_some(&regimen.item)
}
