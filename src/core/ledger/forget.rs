//! Forgetting: what can matter to nothing that is open leaves the ledger; the database keeps it.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::fold::{FactsBy, NEWEST_INTAKES};
use super::{Fact, FactId, Ledger, Record, When};
use crate::core::schedule::OccurrenceId;

impl Ledger {
    /// Forgets what happened before an instant and shapes nothing that is still open.
    ///
    /// The facts that shape the plan stay, and so do the newest intakes of each item and what is about slots that are kept.
    pub fn forget_before(&mut self, instant: Timestamp, is_kept: impl Fn(&OccurrenceId) -> bool) {
        let newest: BTreeSet<FactId> =
            self.intakes_by_item.values().flat_map(|of_item| self.newest_intakes(of_item)).collect();
        let mut old: BTreeSet<FactId> = self
            .records
            .values()
            .filter(|record| {
                record.recorded_at < instant
                    && !record.fact.shapes_plan()
                    && !newest.contains(&record.id)
                    && !record.fact.occurrence().is_some_and(&is_kept)
            })
            .map(|record| record.id.clone())
            .collect();
        self.keep_chains(&mut old);
        for id in old {
            self.forget(&id);
        }
    }

    /// Takes out of what is to be forgotten whatever corrects, undoes or is corrected or undone by what is kept.
    fn keep_chains(&self, old: &mut BTreeSet<FactId>) {
        let edges: Vec<(&FactId, &FactId)> = self
            .superseded
            .iter()
            .flat_map(|(earlier, by)| by.iter().map(move |by| (earlier, &by.id)))
            .filter(|(earlier, _)| self.records.contains_key(*earlier))
            .collect();
        loop {
            let split: Vec<&FactId> = edges
                .iter()
                .filter(|(earlier, by)| old.contains(*earlier) != old.contains(*by))
                .map(|(earlier, by)| if old.contains(*earlier) { *earlier } else { *by })
                .collect();
            if split.is_empty() {
                return;
            }
            for id in split {
                old.remove(id);
            }
        }
    }

    /// Returns the effective intakes that happened last, as many as relative rules use.
    fn newest_intakes(&self, of_item: &[Arc<Record>]) -> Vec<FactId> {
        let mut effective: Vec<&Arc<Record>> =
            of_item.iter().filter(|record| self.is_effective(&record.id)).collect();
        effective.sort_by_key(|record| std::cmp::Reverse(happened(record)));
        effective.truncate(NEWEST_INTAKES);
        effective.into_iter().map(|record| record.id.clone()).collect()
    }

    fn forget(&mut self, id: &FactId) {
        let Some(record) = self.records.remove(id) else { return };
        fn take<K: Ord>(index: &mut FactsBy<K>, key: &K, id: &FactId) {
            if let Some(records) = index.get_mut(key) {
                records.retain(|of| of.id != *id);
                if records.is_empty() {
                    index.remove(key);
                }
            }
        }
        if let Some(occurrence) = record.fact.occurrence() {
            if let Some(slots) = self.by_slot.get_mut(&occurrence.item) {
                take(slots, &occurrence.slot, id);
                if slots.is_empty() {
                    self.by_slot.remove(&occurrence.item);
                }
            }
        }
        if let Fact::Intake { item, .. } = &record.fact {
            take(&mut self.intakes_by_item, item, id);
        }
        if let Some(earlier) = record.fact.supersedes() {
            take(&mut self.superseded, earlier, id);
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
