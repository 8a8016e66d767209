//! The fold: facts in any order become what is known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Channel, Fact, FactId, Place, Record, When};
use crate::schedule::{ChannelId, ItemId, OccurrenceId, Plan, ZoneHistory};

/// A chain of retractions and corrections longer than this is cut; people make one or two.
const MAX_REPLACED_DEEP: usize = 16;

/// How many intakes of an item are always known, for rules that count from the last.
pub const NEWEST_INTAKES: usize = 64;

/// Facts by what they have to do with, those of one in the order of their ids.
type Index<K> = BTreeMap<K, Vec<Arc<Record>>>;

/// A set of facts with the ways to ask them.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Shared with what is derived from them, which is passed on without a copy.
    records: BTreeMap<FactId, Arc<Record>>,
    /// With the facts themselves: years of slots are asked about in one go.
    by_occurrence: Index<OccurrenceId>,
    intakes_by_item: Index<ItemId>,
    /// The facts that are taken back or corrected, with those that say so.
    replaced: Index<FactId>,
    by_key: BTreeMap<String, FactId>,
    plan_facts: BTreeSet<FactId>,
    /// Pauses and resumes in the order of writing: the later word holds, whatever the clock said then.
    pauses: Vec<FactId>,
}

impl Extend<Arc<Record>> for Ledger {
    /// Adds facts; those that are known already change nothing. All of a question are added at once, which takes
    /// a small part of what one after the other does.
    fn extend<I: IntoIterator<Item = Arc<Record>>>(&mut self, records: I) {
        let is_new = |record: &Arc<Record>| !self.records.contains_key(&record.id);
        let mut new: Vec<Arc<Record>> = records.into_iter().filter(is_new).collect();
        new.sort_by(|a, b| a.id.cmp(&b.id));
        new.dedup_by(|later, earlier| later.id == earlier.id);
        add(&mut self.by_occurrence, &new, Fact::occurrence);
        add(&mut self.replaced, &new, Fact::replaces);
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

    fn add_pauses(&mut self, new: Vec<FactId>) {
        if new.is_empty() {
            return;
        }
        self.pauses.extend(new);
        self.pauses.sort();
        let records = self.pauses.iter().filter_map(|id| self.records.get(id)).collect();
        self.pauses = as_written(records).into_iter().map(|record| record.id.clone()).collect();
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

    /// Returns the standing fact that takes another back or corrects it.
    #[must_use]
    pub fn replacement(&self, id: &FactId) -> Option<&Record> {
        self.replaced.get(id)?.iter().map(Arc::as_ref).find(|by| self.stands(&by.id))
    }

    /// Tells whether a fact stands, that is, has been neither taken back nor corrected.
    #[must_use]
    pub fn stands(&self, id: &FactId) -> bool {
        self.stands_at_depth(id, 0)
    }

    fn stands_at_depth(&self, id: &FactId, depth: usize) -> bool {
        depth < MAX_REPLACED_DEEP
            && !self
                .replaced
                .get(id)
                .is_some_and(|by| by.iter().any(|later| self.stands_at_depth(&later.id, depth + 1)))
    }

    /// Returns the facts that stand.
    pub fn standing(&self) -> impl Iterator<Item = &Record> {
        self.records.values().map(Arc::as_ref).filter(|record| self.stands(&record.id))
    }

    /// Returns the standing facts about a slot, oldest recorded first.
    pub(super) fn about(&self, occurrence: &OccurrenceId) -> Vec<&Arc<Record>> {
        let Some(records) = self.by_occurrence.get(occurrence) else { return Vec::new() };
        as_written(records.iter().filter(|record| self.stands(&record.id)).collect())
    }

    /// Returns the answer that resolves a slot: the first intake or skip that stands.
    #[must_use]
    pub fn answer(&self, occurrence: &OccurrenceId) -> Option<&Record> {
        answer_of(&self.about(occurrence)).map(Arc::as_ref)
    }

    /// Returns the newest snooze of a slot.
    #[must_use]
    pub fn snooze(&self, occurrence: &OccurrenceId) -> Option<&Record> {
        snooze_of(&self.about(occurrence))
    }

    /// Returns the time that the newest snooze of a slot ends.
    #[must_use]
    pub fn snoozed_until(&self, occurrence: &OccurrenceId) -> Option<Timestamp> {
        self.snooze(occurrence).and_then(ends)
    }

    /// Returns the instants at which a slot's reminder was delivered, in order.
    #[must_use]
    pub fn deliveries(&self, occurrence: &OccurrenceId) -> Vec<Timestamp> {
        let mut found: Vec<_> = deliveries_of(&self.about(occurrence)).collect();
        found.sort_unstable();
        found
    }

    /// Returns the last instant at which a slot's reminder was delivered on the desktop since it was last
    /// snoozed, in the order of writing: a clock that was set back must not hide the end of a snooze.
    #[must_use]
    pub fn shown_since_snooze(&self, occurrence: &OccurrenceId) -> Option<Timestamp> {
        self.since_snooze(occurrence, |fact| match fact {
            Fact::Delivered { at, channel: Channel::Desktop(_), .. } => Some(*at),
            _ => None,
        })
    }

    /// Returns the last instant at which a slot's reminder went out by a channel, or was given up, since it
    /// was last snoozed.
    #[must_use]
    pub fn tried_since_snooze(&self, occurrence: &OccurrenceId, by: &ChannelId) -> Option<Timestamp> {
        self.since_snooze(occurrence, |fact| match fact {
            Fact::Delivered { at, channel, .. } if channel.name() == Some(by) => Some(*at),
            Fact::Undelivered { at, channel: Some(channel), .. } if channel == by => Some(*at),
            _ => None,
        })
    }

    fn since_snooze(
        &self,
        occurrence: &OccurrenceId,
        instant: impl Fn(&Fact) -> Option<Timestamp>,
    ) -> Option<Timestamp> {
        let since = self.about(occurrence).into_iter().rev();
        let since = since.take_while(|record| !matches!(record.fact, Fact::Snooze { .. }));
        since.filter_map(|record| instant(&record.fact)).max()
    }

    /// Returns the channels by which a slot's reminder went out, each with the first instant.
    #[must_use]
    pub fn sent_by(&self, occurrence: &OccurrenceId) -> BTreeMap<&ChannelId, Timestamp> {
        let mut sent = BTreeMap::new();
        for record in self.about(occurrence) {
            if let Fact::Delivered { at, channel: Channel::Named(name), .. } = &record.fact {
                sent.entry(name).or_insert(*at);
            }
        }
        sent
    }

    /// Returns where notifications may still be on a screen: those that no fact says were closed.
    #[must_use]
    pub fn places(&self) -> Vec<(&OccurrenceId, &Place)> {
        let mut places = BTreeMap::new();
        for (occurrence, records) in &self.by_occurrence {
            // In the order in which each device wrote them: its clock may have been set back meanwhile.
            for record in records {
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

    /// Tells whether it is already written down that a slot's reminder could not be shown on the desktop.
    #[must_use]
    pub fn is_known_undelivered(&self, occurrence: &OccurrenceId) -> bool {
        let is_desktop = |fact: &Fact| matches!(fact, Fact::Undelivered { channel: None, .. });
        self.about(occurrence).iter().any(|record| is_desktop(&record.fact))
    }

    /// Returns the intakes of an item that stand.
    pub fn intake_records(&self, item: &ItemId) -> impl Iterator<Item = &Record> {
        let records = self.intakes_by_item.get(item).into_iter().flatten();
        records.map(Arc::as_ref).filter(|record| self.stands(&record.id))
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

    /// Returns the intakes that an item's plan counts from: none for most rules, whatever was taken.
    #[must_use]
    pub fn counted_from(&self, plan: &Plan, item: &ItemId) -> Vec<Timestamp> {
        if plan.counts_from_the_last(item) { self.intakes(item) } else { Vec::new() }
    }

    /// Tells whether an item was paused at an instant.
    #[must_use]
    pub fn is_paused(&self, item: &ItemId, instant: Timestamp) -> bool {
        self.paused_until(item, instant).is_some()
    }

    /// Returns when the pause in which an item is at an instant ends; one without an end lasts for ever.
    #[must_use]
    pub fn paused_until(&self, item: &ItemId, instant: Timestamp) -> Option<Timestamp> {
        match self.last_pause(item, instant) {
            Some(Fact::Pause { until, .. }) => Some(until.unwrap_or(Timestamp::MAX)),
            _ => None,
        }
        .filter(|until| instant < *until)
    }

    /// Returns the newest pause or resume of an item that had come at an instant.
    fn last_pause(&self, item: &ItemId, instant: Timestamp) -> Option<&Fact> {
        self.pauses
            .iter()
            .rev()
            .filter(|id| self.stands(id))
            .map(|id| &self.records[id].fact)
            .filter(|fact| matches!(fact.at(), When::Instant(at) if at <= instant))
            .find(|fact| fact.item().is_none_or(|about| about == item))
    }

    /// Returns the facts that shape the plan and stand, in the order in which they hold.
    #[must_use]
    pub fn plan_records(&self) -> Vec<&Record> {
        let mut records: Vec<_> =
            self.plan_facts.iter().filter(|id| self.stands(id)).filter_map(|id| self.get(id)).collect();
        records.sort_by(|a, b| (happened(a), a.recorded_at, &a.id).cmp(&(happened(b), b.recorded_at, &b.id)));
        records
    }

    /// Takes the regimens out, in the order in which they hold: who has a plan made of them needs them no more.
    pub fn take_regimens(&mut self) -> Vec<Record> {
        let regimens =
            self.plan_records().into_iter().filter(|record| matches!(record.fact, Fact::Regimen { .. }));
        let ids: Vec<FactId> = regimens.map(|record| record.id.clone()).collect();
        for id in &ids {
            self.plan_facts.remove(id);
        }
        ids.iter().filter_map(|id| self.records.remove(id)).map(Arc::unwrap_or_clone).collect()
    }

    /// Returns the pauses and resumes that stand.
    #[must_use]
    pub fn pauses(&self) -> Vec<Arc<Record>> {
        let standing = self.pauses.iter().filter(|id| self.stands(id));
        standing.filter_map(|id| self.records.get(id)).cloned().collect()
    }

    /// Returns the answer that was recorded last and stands.
    #[must_use]
    pub fn newest_answer(&self) -> Option<&Record> {
        self.standing()
            .filter(|record| record.fact.is_answer())
            .max_by_key(|record| (record.recorded_at, &record.id))
    }

    /// Returns the changes of zone, in order; a name that this machine does not know is left out.
    #[must_use]
    pub fn zones(&self) -> Vec<(Timestamp, TimeZone)> {
        self.plan_records()
            .into_iter()
            .filter_map(|record| match &record.fact {
                Fact::Zone { at, zone } => Some((*at, TimeZone::get(zone).ok()?)),
                _ => None,
            })
            .collect()
    }

    /// Returns what the clock has shown; `unknown` stands for a time before all that is recorded.
    #[must_use]
    pub fn zone_history(&self, unknown: &TimeZone) -> ZoneHistory {
        let changes = self.zones();
        let before = changes.first().map_or(unknown, |(_, first)| first).clone();
        ZoneHistory::new(before, changes)
    }

    /// Lets go of what happened before an instant and shapes nothing that is still open.
    ///
    /// The facts that shape the plan stay, and so do the newest intakes of each item.
    pub fn forget_before(&mut self, instant: Timestamp) {
        let newest: BTreeSet<FactId> =
            self.intakes_by_item.values().flat_map(|of_item| self.newest_intakes(of_item)).collect();
        let old: Vec<FactId> = self
            .records
            .values()
            .filter(|record| {
                record.recorded_at < instant && !record.fact.shapes_plan() && !newest.contains(&record.id)
            })
            .map(|record| record.id.clone())
            .collect();
        for id in old {
            self.forget(&id);
        }
    }

    /// Returns the intakes that happened last and stand, as many as rules that count from them look at.
    fn newest_intakes(&self, of_item: &[Arc<Record>]) -> Vec<FactId> {
        let mut standing: Vec<&Arc<Record>> =
            of_item.iter().filter(|record| self.stands(&record.id)).collect();
        standing.sort_by_key(|record| std::cmp::Reverse(happened(record)));
        standing.truncate(NEWEST_INTAKES);
        standing.into_iter().map(|record| record.id.clone()).collect()
    }

    fn forget(&mut self, id: &FactId) {
        let Some(record) = self.records.remove(id) else { return };
        fn take<K: Ord>(index: &mut Index<K>, key: &K, id: &FactId) {
            if let Some(records) = index.get_mut(key) {
                records.retain(|of| of.id != *id);
                if records.is_empty() {
                    index.remove(key);
                }
            }
        }
        if let Some(occurrence) = record.fact.occurrence() {
            take(&mut self.by_occurrence, occurrence, id);
        }
        if let Fact::Intake { item, .. } = &record.fact {
            take(&mut self.intakes_by_item, item, id);
        }
        if let Some(earlier) = record.fact.replaces() {
            take(&mut self.replaced, earlier, id);
        }
        if let Some(key) = record.fact.key() {
            self.by_key.remove(key);
        }
    }
}

/// Returns when a fact happened; of one that is known to the day only, when it was recorded.
fn happened(record: &Record) -> Timestamp {
    match record.fact.at() {
        When::Instant(at) => at,
        When::Date(_) => record.recorded_at,
    }
}

/// Adds facts to an index; they stand in the order of their ids.
fn add<'a, K: Ord + Clone + 'a>(
    index: &mut Index<K>,
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
fn as_written(records: Vec<&Arc<Record>>) -> Vec<&Arc<Record>> {
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

/// Returns the answer among the facts about a slot: the first intake or skip.
pub(super) fn answer_of<'a>(about: &[&'a Arc<Record>]) -> Option<&'a Arc<Record>> {
    about.iter().copied().find(|record| matches!(record.fact, Fact::Intake { .. } | Fact::Skip { .. }))
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

/// Returns the deliveries among the facts about a slot.
pub(super) fn deliveries_of(about: &[&Arc<Record>]) -> impl Iterator<Item = Timestamp> {
    about.iter().filter_map(|record| match record.fact {
        Fact::Delivered { at, .. } => Some(at),
        _ => None,
    })
}
