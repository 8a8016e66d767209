//! What the plan asks the ledger: intakes that relative rules count from, and slots that facts name.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::timeline::closes_at;
use super::{Fact, Ledger, Record, When};
use crate::core::schedule::{
    Dose, History, ItemId, Naming, Occurrence, OccurrenceId, Slot, Standing, ZoneHistory,
};

impl History for Ledger {
    fn doses(&self, item: &ItemId, zones: &ZoneHistory) -> Vec<Dose> {
        let dose = |record: &Record| Dose {
            at: latest_time(record, zones),
            answers: record.fact.occurrence().cloned(),
        };
        self.intake_records(item).map(dose).collect()
    }

    fn named_slots(&self, item: &ItemId, from: DateTime, until: DateTime) -> Vec<OccurrenceId> {
        let Some(slots) = self.by_slot.get(item) else { return Vec::new() };
        let utc = |local: DateTime, else_at| TimeZone::UTC.to_timestamp(local).unwrap_or(else_at);
        let civil = slots.range(Slot::Civil(from)..=Slot::Civil(until));
        let (from, until) = (utc(from, Timestamp::MIN), utc(until, Timestamp::MAX));
        let named = civil.chain(slots.range(Slot::Utc(from)..=Slot::Utc(until)));
        named.map(|(slot, _)| OccurrenceId { slot: *slot, item: item.clone() }).collect()
    }

    fn naming(&self, slot: &OccurrenceId) -> Option<Naming> {
        let records = self.records_about(slot);
        let first = records.iter().map(|record| record.recorded_at).min()?;
        let is_of_person = |fact: &Fact| fact.is_answer() || matches!(fact, Fact::Retraction { .. });
        let asked = records.iter().filter_map(|record| match record.fact {
            Fact::Delivered { at, .. } | Fact::Undelivered { at, .. } | Fact::Closed { at, .. } => Some(at),
            _ => None,
        });
        let by_person = records.iter().any(|record| is_of_person(&record.fact));
        Some(Naming { first, by_person, asked: asked.max() })
    }

    fn standing(&self, occurrence: &Occurrence, grace: SignedDuration, at: Timestamp) -> Standing {
        let Occurrence { id, at: due } = occurrence;
        let records = self.records_about(id);
        let held = |record: &Record| {
            let ended = self.superseded_by(&record.id).map(|by| by.recorded_at);
            record.recorded_at <= at && ended.is_none_or(|ended| at < ended)
        };
        let known = records.iter().filter(|record| held(record));
        if known.clone().any(|record| record.fact.is_resolution()) {
            return Standing::Answered;
        }
        let snoozed_until = known
            .filter_map(|record| match record.fact {
                Fact::Snooze { until, .. } => Some(until),
                _ => None,
            })
            .next_back();
        if at < *due {
            Standing::Upcoming
        } else if at < closes_at(*due, grace, snoozed_until) && !self.is_paused(&id.item, *due) {
            Standing::Open
        } else {
            Standing::Closed
        }
    }
}

/// Returns when something was taken; of a day without an hour, the time of the slot that it answers on that day, else the day's end,
/// or when it was recorded before that.
fn latest_time(record: &Record, zones: &ZoneHistory) -> Timestamp {
    let When::Date(date) = record.fact.at() else { return record.latest_instant(zones) };
    let slot = record.fact.occurrence().map(|occurrence| occurrence.slot);
    let on_date = slot.filter(|slot| zones.date_of(*slot) == date);
    on_date.and_then(|slot| zones.instant_of(slot)).unwrap_or_else(|| record.latest_instant(zones))
}
