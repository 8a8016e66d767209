//! The fold: facts in any order become what is known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Channel, CloseReason, Fact, FactId, NamedZone, NotificationHandle, Record, When};
use crate::core::schedule::{ChannelId, ItemId, OccurrenceId, Slot, ZoneHistory};

/// How many intakes of an item are always known, for rules that count from the last.
pub const NEWEST_INTAKES: usize = 64;

/// Facts by what they have to do with, those of one in the order of their ids.
pub(super) type FactsBy<K> = BTreeMap<K, Vec<Arc<Record>>>;

/// Which showings of a reminder count.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    /// Those up to here: what is dated later was written by a clock that was ahead.
    pub until: Timestamp,
    /// Also those that nobody may have seen.
    pub unseen: bool,
}

/// A set of facts, indexed by what is asked about them.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Shared with what is derived from them, which is passed on without a copy.
    pub(super) records: BTreeMap<FactId, Arc<Record>>,
    /// The facts about each slot of each item: years of slots are asked about in one go.
    pub(super) by_slot: BTreeMap<ItemId, FactsBy<Slot>>,
    pub(super) intakes_by_item: FactsBy<ItemId>,
    /// The facts that retract or correct each fact.
    pub(super) superseded: FactsBy<FactId>,
    pub(super) by_key: BTreeMap<String, FactId>,
    plan_facts: BTreeSet<FactId>,
    /// Pauses and resumes in the order of writing: the later one counts, whatever the clock showed then.
    pub(super) pauses: Vec<FactId>,
}

impl Extend<Arc<Record>> for Ledger {
    /// Adds facts; those that are known already change nothing. Adding all at once is much faster than one by one.
    fn extend<I: IntoIterator<Item = Arc<Record>>>(&mut self, records: I) {
        let is_new = |record: &Arc<Record>| !self.records.contains_key(&record.id);
        let mut new: Vec<Arc<Record>> = records.into_iter().filter(is_new).collect();
        new.sort_by(|a, b| a.id.cmp(&b.id));
        new.dedup_by(|later, earlier| later.id == earlier.id);
        self.add_slots(&new);
        add(&mut self.superseded, &new, Fact::supersedes);
        add(&mut self.intakes_by_item, &new, |fact| {
            fact.item().filter(|_| matches!(fact, Fact::Intake { .. }))
        });
        for record in &new {
            if record.fact.shapes_plan() {
                self.plan_facts.insert(record.id.clone());
            }
            if let Some(key) = record.fact.key() {
                self.by_key.insert(key.to_owned(), record.id.clone());
            }
        }
        let pauses: Vec<FactId> =
            new.iter().filter(|record| is_pause(record)).map(|record| record.id.clone()).collect();
        let named = new.into_iter().map(|record| (record.id.clone(), record));
        if self.records.is_empty() {
            self.records = named.collect();
        } else {
            self.records.extend(named);
        }
        self.add_pauses(pauses);
    }
}

impl FromIterator<Arc<Record>> for Ledger {
    fn from_iter<I: IntoIterator<Item = Arc<Record>>>(records: I) -> Self {
        let mut ledger = Self::default();
        ledger.extend(records);
        ledger
    }
}

impl Ledger {
    /// Adds a fact; a fact that is known already changes nothing.
    pub fn fold(&mut self, record: impl Into<Arc<Record>>) {
        self.extend([record.into()]);
    }

    fn add_slots(&mut self, new: &[Arc<Record>]) {
        let mut of_items: BTreeMap<&ItemId, Vec<Arc<Record>>> = BTreeMap::new();
        for record in new {
            if let Some(occurrence) = record.fact.occurrence() {
                of_items.entry(&occurrence.item).or_default().push(record.clone());
            }
        }
        for (item, records) in of_items {
            let slots = self.by_slot.entry(item.clone()).or_default();
            add(slots, &records, |fact| fact.occurrence().map(|occurrence| &occurrence.slot));
        }
    }

    fn add_pauses(&mut self, new: Vec<FactId>) {
        if new.is_empty() {
            return;
        }
        self.pauses.extend(new);
        self.pauses.sort();
        let records = self.pauses.iter().filter_map(|id| self.records.get(id)).collect();
        self.pauses = in_write_order(records).into_iter().map(|record| record.id.clone()).collect();
    }

    /// Returns a fact by its name.
    #[must_use]
    pub fn get(&self, id: &FactId) -> Option<&Record> {
        self.records.get(id).map(Arc::as_ref)
    }

    /// Returns the fact that was recorded under an idempotency key.
    #[must_use]
    pub fn by_key(&self, key: &str) -> Option<&Record> {
        self.by_key.get(key).and_then(|id| self.get(id))
    }

    /// Returns the effective facts.
    pub fn effective(&self) -> impl Iterator<Item = &Record> {
        self.records.values().map(Arc::as_ref).filter(|record| self.is_effective(&record.id))
    }

    /// Returns the effective facts about a slot, oldest recorded first.
    pub(super) fn facts_for(&self, occurrence: &OccurrenceId) -> Vec<&Arc<Record>> {
        let records = self.records_about(occurrence);
        in_write_order(records.iter().filter(|record| self.is_effective(&record.id)).collect())
    }

    /// Returns all facts about a slot in the order of their ids, effective or not.
    pub(super) fn records_about(&self, occurrence: &OccurrenceId) -> &[Arc<Record>] {
        let slots = self.by_slot.get(&occurrence.item);
        slots.and_then(|slots| slots.get(&occurrence.slot)).map_or(&[], Vec::as_slice)
    }

    /// Returns the answer that resolves a slot: of the effective intakes and skips, the one that was given first.
    #[must_use]
    pub fn answer(&self, occurrence: &OccurrenceId) -> Option<&Record> {
        self.answer_among(&self.facts_for(occurrence)).map(Arc::as_ref)
    }

    /// Returns the answer among the effective facts about a slot, which are in the order of writing.
    ///
    /// Of several, as two devices can give, the one whose first version is the oldest: a correction of it changes nothing about that.
    pub(super) fn answer_among<'a>(&self, about: &[&'a Arc<Record>]) -> Option<&'a Arc<Record>> {
        let mut answers = about.iter().copied().filter(|record| record.fact.is_resolution());
        let first = answers.next()?;
        let others: Vec<_> = answers.collect();
        if others.is_empty() {
            return Some(first);
        }
        let answers = others.into_iter().chain([first]);
        let with_roots =
            answers.map(|answer| (self.records.get(self.root_of(&answer.id)).unwrap_or(answer), answer));
        let by_root: BTreeMap<&FactId, (&Arc<Record>, &Arc<Record>)> =
            with_roots.map(|(root, answer)| (&root.id, (root, answer))).collect();
        let roots = in_write_order(by_root.values().map(|(root, _)| *root).collect());
        let answer = by_root.get(&roots.first()?.id).map(|(_, answer)| &answer.id)?;
        about.iter().copied().find(|record| record.id == *answer)
    }

    /// Tells whether an effective intake names a slot that another answer resolves, so that it is one more dose.
    #[must_use]
    pub fn is_beyond_slot(&self, record: &Record) -> bool {
        let Fact::Intake { occurrence: Some(occurrence), .. } = &record.fact else { return false };
        self.records_about(occurrence).len() > 1
            && self.answer(occurrence).is_some_and(|answer| answer.id != record.id)
    }

    /// Returns the newest snooze of a slot.
    #[must_use]
    pub fn snooze(&self, occurrence: &OccurrenceId) -> Option<&Record> {
        snooze_of(&self.facts_for(occurrence))
    }

    /// Returns the time that the newest snooze of a slot ends.
    #[must_use]
    pub fn snoozed_until(&self, occurrence: &OccurrenceId) -> Option<Timestamp> {
        self.snooze(occurrence).and_then(ends)
    }

    /// Returns the instants at which a slot's reminder was delivered, in order.
    #[must_use]
    pub fn deliveries(&self, occurrence: &OccurrenceId) -> Vec<Timestamp> {
        let facts = self.facts_for(occurrence);
        let mut found: Vec<_> = facts
            .iter()
            .filter_map(|record| match record.fact {
                Fact::Delivered { at, .. } => Some(at),
                _ => None,
            })
            .collect();
        found.sort_unstable();
        found
    }

    /// Returns the last instant at which a slot's reminder was delivered on the desktop since it was last
    /// snoozed, in the order of writing: a clock that was set back must not hide the end of a snooze.
    #[must_use]
    pub fn shown_since_snooze(&self, occurrence: &OccurrenceId, counted: Counted) -> Option<Timestamp> {
        self.since_snooze(occurrence, counted.until, |fact| match fact {
            Fact::Delivered { at, channel: Channel::Desktop(_), away, .. } if counted.unseen || !away => {
                Some(*at)
            }
            _ => None,
        })
    }

    /// Returns how often the server itself has taken a slot's reminder off the screen since it was last snoozed, and when it last
    /// did; none where it is on the screen, or the person closed it.
    #[must_use]
    pub fn dropped_since_snooze(&self, occurrence: &OccurrenceId) -> Option<(u32, Timestamp)> {
        let (mut times, mut last) = (0, None);
        for record in self.facts_since_snooze(occurrence) {
            match record.fact {
                Fact::Closed { reason: CloseReason::Dismissed, .. }
                | Fact::Delivered { channel: Channel::Desktop(_), .. }
                    if last.is_none() =>
                {
                    return None;
                }
                Fact::Closed { reason: CloseReason::Expired | CloseReason::Undefined, at, .. } => {
                    times += 1;
                    last = last.or(Some(at));
                }
                _ => {}
            }
        }
        last.map(|at| (times, at))
    }

    /// Returns the last instant at which a slot's reminder went out by a channel, or was given up, since it
    /// was last snoozed; nothing that is dated after `until` counts.
    #[must_use]
    pub fn tried_since_snooze(
        &self,
        occurrence: &OccurrenceId,
        by: &ChannelId,
        until: Timestamp,
    ) -> Option<Timestamp> {
        self.since_snooze(occurrence, until, |fact| match fact {
            Fact::Delivered { at, channel, .. } if channel.name() == Some(by) => Some(*at),
            Fact::Undelivered { at, channel: Some(channel), .. } if channel == by => Some(*at),
            _ => None,
        })
    }

    fn since_snooze(
        &self,
        occurrence: &OccurrenceId,
        until: Timestamp,
        instant: impl Fn(&Fact) -> Option<Timestamp>,
    ) -> Option<Timestamp> {
        let instants = self.facts_since_snooze(occurrence).filter_map(|record| instant(&record.fact));
        instants.filter(|at| *at <= until).max()
    }

    /// Returns the facts about a slot since it was last snoozed, the newest first.
    fn facts_since_snooze(&self, occurrence: &OccurrenceId) -> impl Iterator<Item = &Arc<Record>> {
        let newest_first = self.facts_for(occurrence).into_iter().rev();
        newest_first.take_while(|record| !matches!(record.fact, Fact::Snooze { .. }))
    }

    /// Returns the notifications that may still be on a screen: those that no fact closed.
    #[must_use]
    pub fn open_notifications(&self) -> Vec<(&OccurrenceId, &NotificationHandle)> {
        let mut places = BTreeMap::new();
        for records in self.by_slot.values().flat_map(BTreeMap::values) {
            // In the order in which each device wrote them: its clock may have been set back meanwhile.
            for record in records {
                let Some(occurrence) = record.fact.occurrence() else { continue };
                let screen = (occurrence, &record.id.device);
                match &record.fact {
                    Fact::Delivered { channel: Channel::Desktop(place), .. } => {
                        places.insert(screen, place);
                    }
                    Fact::Closed { .. } => {
                        places.remove(&screen);
                    }
                    _ => {}
                }
            }
        }
        places.into_iter().map(|((occurrence, _), place)| (occurrence, place)).collect()
    }

    /// Tells whether it is already recorded that a slot's reminder could not be shown on the desktop.
    #[must_use]
    pub fn has_desktop_failure(&self, occurrence: &OccurrenceId) -> bool {
        let is_desktop = |fact: &Fact| matches!(fact, Fact::Undelivered { channel: None, .. });
        self.facts_for(occurrence).iter().any(|record| is_desktop(&record.fact))
    }

    /// Returns the effective intakes of an item.
    pub fn intake_records(&self, item: &ItemId) -> impl Iterator<Item = &Record> {
        let records = self.intakes_by_item.get(item).into_iter().flatten();
        records.map(Arc::as_ref).filter(|record| self.is_effective(&record.id))
    }

    /// Returns the instants at which an item was taken, in order; dates without a time are left out.
    #[must_use]
    pub fn intakes(&self, item: &ItemId) -> Vec<Timestamp> {
        let mut found: Vec<_> = self
            .intake_records(item)
            .filter_map(|record| match record.fact.at() {
                When::Instant(at) => Some(at),
                When::Date(_) => None,
            })
            .collect();
        found.sort_unstable();
        found
    }

    /// Returns the effective facts that shape the plan, in the order in which they apply.
    #[must_use]
    pub fn plan_records(&self) -> Vec<&Record> {
        let effective = self.plan_facts.iter().filter(|id| self.is_effective(id));
        let records = effective.filter_map(|id| self.records.get(id)).collect();
        in_write_order(records).into_iter().map(Arc::as_ref).collect()
    }

    /// Removes and returns the regimens, in the order in which they apply: once a plan is made of them, nothing reads them.
    pub fn drain_regimens(&mut self) -> Vec<Record> {
        let regimens =
            self.plan_records().into_iter().filter(|record| matches!(record.fact, Fact::Regimen { .. }));
        let ids: Vec<FactId> = regimens.map(|record| record.id.clone()).collect();
        for id in &ids {
            self.plan_facts.remove(id);
        }
        ids.iter().filter_map(|id| self.records.remove(id)).map(Arc::unwrap_or_clone).collect()
    }

    /// Returns the effective answer that a device wrote last, whatever its clock showed.
    #[must_use]
    pub fn newest_answer(&self, device: &str) -> Option<&Record> {
        self.newest(device, Fact::is_answer)
    }

    /// Returns the effective act of a person that a device wrote last, whatever its clock showed.
    #[must_use]
    pub fn newest_act(&self, device: &str) -> Option<&Record> {
        self.newest(device, Fact::is_act)
    }

    fn newest(&self, device: &str, is_wanted: fn(&Fact) -> bool) -> Option<&Record> {
        let of_device = |seq| FactId { device: device.into(), seq };
        let newest_first = self.records.range(of_device(0)..=of_device(u64::MAX)).rev();
        let mut wanted =
            newest_first.map(|(_, record)| record.as_ref()).filter(|record| is_wanted(&record.fact));
        wanted.find(|record| self.is_effective(&record.id))
    }

    /// Returns the changes of zone, in order; a name that this machine does not know is left out.
    #[must_use]
    pub fn zones(&self) -> Vec<(Timestamp, TimeZone)> {
        self.plan_records()
            .into_iter()
            .filter_map(|record| match &record.fact {
                Fact::Zone { at, zone } => Some((*at, zone.rules.clone()?)),
                _ => None,
            })
            .collect()
    }

    /// Returns the newest recorded zone that this machine knows.
    #[must_use]
    pub fn last_zone(&self) -> Option<NamedZone> {
        self.plan_records().into_iter().rev().find_map(|record| match &record.fact {
            Fact::Zone { zone, .. } if zone.rules.is_some() => Some(zone.clone()),
            _ => None,
        })
    }

    /// Returns what the clock has shown; `unknown` is the zone before everything that is recorded.
    #[must_use]
    pub fn zone_history(&self, unknown: &TimeZone) -> ZoneHistory {
        let changes = self.zones();
        let before = changes.first().map_or(unknown, |(_, first)| first).clone();
        ZoneHistory::new(before, changes)
    }
}

/// Adds facts to an index; they are in the order of their ids.
fn add<'a, K: Ord + Clone + 'a>(
    index: &mut FactsBy<K>,
    records: &'a [Arc<Record>],
    key: impl Fn(&'a Fact) -> Option<&'a K>,
) {
    let mut keyed: Vec<(&K, &Arc<Record>)> = Vec::with_capacity(records.len());
    keyed.extend(records.iter().filter_map(|record| Some((key(&record.fact)?, record))));
    // Stable: those of one key stay in the order of their ids.
    keyed.sort_by_key(|(key, _)| *key);
    let of_each = keyed
        .chunk_by(|(a, _), (b, _)| a == b)
        .map(|of| (of[0].0.clone(), of.iter().map(|(_, record)| *record)));
    if index.is_empty() {
        *index = of_each.map(|(key, records)| (key, records.cloned().collect())).collect();
        return;
    }
    for (key, records) in of_each {
        let known = index.entry(key).or_default();
        for record in records {
            // Mostly it is the last.
            known.insert(known.partition_point(|before| before.id < record.id), record.clone());
        }
    }
}

fn is_pause(record: &Record) -> bool {
    matches!(record.fact, Fact::Pause { .. } | Fact::Resume { .. })
}

/// Brings facts into the order of writing; they are given in the order of their ids.
///
/// Of one device, that is the order of their numbers, even where its clock was set back between them;
/// of several, that of their clocks.
pub(super) fn in_write_order(records: Vec<&Arc<Record>>) -> Vec<&Arc<Record>> {
    // Where no clock was set back and one device wrote, there is nothing to do.
    if records.is_sorted_by_key(|record| record.recorded_at) {
        return records;
    }
    let mut latest: Option<(&FactId, Timestamp)> = None;
    let mut dated: Vec<(Timestamp, &Arc<Record>)> = Vec::with_capacity(records.len());
    for record in records {
        let before = latest.filter(|(last, _)| last.device == record.id.device).map(|(_, at)| at);
        let at = before.map_or(record.recorded_at, |before| before.max(record.recorded_at));
        latest = Some((&record.id, at));
        dated.push((at, record));
    }
    // Stable: what has one time stays in the order of device and number.
    dated.sort_by_key(|(at, _)| *at);
    dated.into_iter().map(|(_, record)| record).collect()
}

/// Returns the newest snooze among the facts about a slot.
pub(super) fn snooze_of<'a>(about: &[&'a Arc<Record>]) -> Option<&'a Record> {
    let mut newest_first = about.iter().copied().rev();
    newest_first.find(|record| matches!(record.fact, Fact::Snooze { .. })).map(Arc::as_ref)
}

/// Returns when a snooze ends.
pub(super) fn ends(snooze: &Record) -> Option<Timestamp> {
    match snooze.fact {
        Fact::Snooze { until, .. } => Some(until),
        _ => None,
    }
}

/// Tells whether the facts about a slot show that the person was asked: an announcement ahead of its time did not ask, and neither
/// did what nobody may have seen.
pub(super) fn was_asked(about: &[&Arc<Record>], slot: Timestamp) -> bool {
    about.iter().any(|record| matches!(record.fact, Fact::Delivered { at, away: false, .. } if at >= slot))
}
