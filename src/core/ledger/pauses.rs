//! Pauses: when an item is not reminded of.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Fact, Ledger, Record};
use crate::core::schedule::ItemId;

impl Ledger {
    /// Tells whether an item was paused at an instant: whether a pause of it or of all holds it.
    #[must_use]
    pub fn is_paused(&self, item: &ItemId, instant: Timestamp) -> bool {
        self.latest_pause_end(item, instant).is_some()
    }

    /// Returns when the pauses in which an item is at an instant end, one running into the next; without an end, they last for ever.
    #[must_use]
    pub fn paused_until(&self, item: &ItemId, instant: Timestamp) -> Option<Timestamp> {
        let first = self.latest_pause_end(item, instant)?;
        std::iter::successors(Some(first), |end| self.latest_pause_end(item, *end)).last()
    }

    /// Returns the item's own pauses that have not ended at an instant, each with its end: those that are still to begin, too.
    #[must_use]
    pub fn pauses_after(&self, item: &ItemId, instant: Timestamp) -> Vec<(Timestamp, Timestamp)> {
        let own = self.pause_intervals(item).filter(|(fact, ..)| fact.item() == Some(item));
        own.map(|(_, at, end)| (at.max(instant), end)).filter(|(at, end)| at < end).collect()
    }

    /// Returns the pauses that have not ended at an instant, of one item or of all, each with when it begins and ends.
    #[must_use]
    pub fn all_pauses_after(
        &self,
        instant: Timestamp,
    ) -> Vec<(Option<ItemId>, Timestamp, Option<Timestamp>)> {
        // When what was written before is resumed, by what.
        let mut resumed: BTreeMap<Option<&ItemId>, Timestamp> = BTreeMap::new();
        let mut found = Vec::new();
        for id in self.pauses.iter().rev().filter(|id| self.is_effective(id)) {
            let fact = &self.records[id].fact;
            match fact {
                Fact::Resume { at, .. } => {
                    let earliest = resumed.entry(fact.item()).or_insert(Timestamp::MAX);
                    *earliest = (*earliest).min(*at);
                }
                Fact::Pause { at, until, .. } => {
                    let of_all = resumed.get(&None).copied();
                    let own = resumed.get(&fact.item()).copied();
                    let end = [*until, of_all, own].into_iter().flatten().min();
                    if end.is_none_or(|end| instant < end && *at < end) {
                        found.push((fact.item().cloned(), *at, end));
                    }
                }
                _ => {}
            }
        }
        found.sort_by_key(|(_, at, _)| *at);
        found
    }

    /// Returns the latest end of the pauses that hold an item at an instant.
    fn latest_pause_end(&self, item: &ItemId, instant: Timestamp) -> Option<Timestamp> {
        let holding = self.pause_intervals(item).filter(|(_, at, end)| *at <= instant && instant < *end);
        holding.map(|(.., end)| end).max()
    }

    /// Returns the pauses of an item and of all, the newest first, each with when it begins and ends.
    ///
    /// A pause is an interval. A resume ends those that were written before it, also such as were to begin later.
    fn pause_intervals<'a>(
        &'a self,
        item: &'a ItemId,
    ) -> impl Iterator<Item = (&'a Fact, Timestamp, Timestamp)> {
        let newest_first = self.pauses.iter().rev().filter(|id| self.is_effective(id));
        let facts = newest_first.map(|id| &self.records[id].fact);
        let about = facts.filter(move |fact| fact.item().is_none_or(|about| about == item));
        let mut resumed = Timestamp::MAX;
        about.filter_map(move |fact| match fact {
            Fact::Resume { at, .. } => {
                resumed = resumed.min(*at);
                None
            }
            Fact::Pause { at, until, .. } => Some((fact, *at, until.unwrap_or(Timestamp::MAX).min(resumed))),
            _ => None,
        })
    }

    /// Returns the effective pauses and resumes.
    #[must_use]
    pub fn pauses(&self) -> Vec<Arc<Record>> {
        let effective = self.pauses.iter().filter(|id| self.is_effective(id));
        effective.filter_map(|id| self.records.get(id)).cloned().collect()
    }
}
