//! What went out by channels beyond the desktop, and whether an answer that comes back from there still counts.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Channel, Fact, Ledger};
use crate::core::schedule::{ChannelId, OccurrenceId};

/// A delivery whose answers can be told from those of any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery<'a> {
    /// Of which slot.
    pub occurrence: &'a OccurrenceId,
    /// What its answers are bound to.
    pub nonce: &'a str,
    /// When it went out.
    pub at: Timestamp,
}

impl Ledger {
    /// Returns the channels by which a slot's reminder went out, each with the first instant.
    #[must_use]
    pub fn sent_by(&self, occurrence: &OccurrenceId) -> BTreeMap<&ChannelId, Timestamp> {
        let mut sent = BTreeMap::new();
        for record in self.facts_for(occurrence) {
            if let Fact::Delivered { at, channel: Channel::Named(name), .. } = &record.fact {
                sent.entry(name).or_insert(*at);
            }
        }
        sent
    }

    /// Returns the deliveries by a channel that can be answered and whose slots have no answer.
    pub fn unanswered_deliveries<'a>(&'a self, by: &'a ChannelId) -> impl Iterator<Item = Delivery<'a>> {
        let records = self.by_slot.values().flat_map(BTreeMap::values).flatten();
        let delivery =
            move |fact: &'a Fact| match fact {
                Fact::Delivered {
                    occurrence, at, channel: Channel::Named(name), nonce: Some(nonce), ..
                } if name == by => Some(Delivery { occurrence, nonce, at: *at }),
                _ => None,
            };
        let deliveries = records.filter_map(move |record| delivery(&record.fact));
        deliveries.filter(|delivery| self.answer(delivery.occurrence).is_none())
    }

    /// Returns when somebody last answered, corrected or took back something about a slot, whether it still counts or not.
    #[must_use]
    pub fn last_word(&self, occurrence: &OccurrenceId) -> Option<Timestamp> {
        let is_word = |fact: &Fact| fact.is_answer() || matches!(fact, Fact::Retraction { .. });
        let words = self.records_about(occurrence).iter().filter(|record| is_word(&record.fact));
        words.map(|record| record.recorded_at).max()
    }
}
