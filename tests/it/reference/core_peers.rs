//! Lines of other devices as the core reads them, and its counts as the questions of the socket read them.

use std::collections::BTreeSet;
use std::sync::Arc;

use dosed::core::insight::{DateRange, SlotResult, TIMING_WINDOW, item_history, measure};
use dosed::core::ledger::{Channel, Fact, FactId, NotificationHandle, Record};
use jiff::Timestamp;
use jiff::civil::Date;

use super::core_side::Core;
use super::core_words::{core_when, form_data, item_id, milligrams};
use super::life::{Happened, Item, Line, Slot, name};
use super::measures::Measures;

impl Core {
    /// A line of another device as it is read, if it refers to nothing that is not there.
    pub(super) fn peer_record(&mut self, device: u8, line: &Line) -> Option<Arc<Record>> {
        let device: Arc<str> = format!("peer-{device}").into();
        let of = line.what.refers_to().map(|of| self.facts.get(&of).cloned());
        if of == Some(None) {
            return None;
        }
        let seq = 1 + self.disk.iter().filter(|record| record.id.device == device).count() as u64;
        let id = FactId { device, seq };
        let occurrence = |item: Item, slot: Slot| format!("{}@{slot}", name(item)).parse().unwrap();
        let (at, key) = (line.recorded, None);
        let fact = match line.what.clone() {
            Happened::Intake { item, slot, at, amount, planned, form, .. } => Fact::Intake {
                item: item_id(item),
                occurrence: slot.map(|slot| occurrence(item, slot)),
                at: core_when(at),
                amount: amount.map(milligrams),
                planned: planned.map(milligrams),
                product: None,
                form_data: form.map(form_data).map(Box::new),
                note: None,
                corrects: of.flatten(),
                key,
            },
            Happened::Skip { item, slot, at, .. } => Fact::Skip {
                occurrence: occurrence(item, slot),
                at: core_when(at),
                reason: None,
                note: None,
                corrects: of.flatten(),
                key,
            },
            Happened::Snooze { item, slot, until } => {
                Fact::Snooze { occurrence: occurrence(item, slot), at, until, key }
            }
            Happened::Shown { item, slot } => {
                let server = Some("another".into());
                let channel = Channel::Desktop(NotificationHandle { notification: 1, server });
                Fact::Delivered { occurrence: occurrence(item, slot), at, channel, away: false, nonce: None }
            }
            Happened::Undo { about, .. } => {
                let occurrence = about.map(|(item, slot)| occurrence(item, slot));
                Fact::Retraction { fact: of??, occurrence, at, reason: None, key }
            }
            Happened::Pause { item, from, until } => {
                Fact::Pause { item: item.map(item_id), at: from, until, reason: None }
            }
            Happened::Resume(item) => Fact::Resume { item: item.map(item_id), at },
            other => unreachable!("no device sends {other:?}"),
        };
        self.facts.insert(line.op, id.clone());
        self.ops.insert(id.clone(), line.op);
        let record = Arc::new(Record { id, recorded_at: line.recorded, fact });
        self.disk.push(record.clone());
        self.ledger.fold(record.clone());
        Some(record)
    }

    pub(super) fn measures(
        &self,
        item: Item,
        since: Date,
        until: Date,
        from: Timestamp,
        to: Timestamp,
    ) -> Measures {
        let range = DateRange { since, until, from, to };
        let history = item_history(self.reminder.plan(), &self.ledger, &item_id(item), range, self.now);
        let found = measure(&history.occurrences, history.extra, TIMING_WINDOW);
        let offsets: Vec<_> = history.occurrences.iter().filter_map(|slot| slot.offset).collect();
        let known = offsets.len() as u32;
        let of = |share: Option<f64>, of: u32| (share.unwrap_or_default() * f64::from(of)).round() as u32;
        // A journey can bring days out of order.
        let is_eligible =
            |slot: &&SlotResult| measure(std::slice::from_ref(*slot), 0, TIMING_WINDOW).eligible > 0;
        let dates = history.occurrences.iter().filter(is_eligible).map(|slot| slot.date);
        let days = dates.collect::<BTreeSet<Date>>().len() as u32;
        Measures {
            planned: found.planned,
            eligible: found.eligible,
            taken: found.taken,
            partial: found.partial,
            skipped: found.skipped,
            missed: found.missed,
            unknown: found.unknown,
            excused: found.excused,
            extra: found.extra,
            streak: found.streak,
            longest: found.longest_streak,
            of_the_last: found.of_the_last,
            days: [of(found.days_fully_covered, days), of(found.days_any_dose, days), days],
            timing: [of(found.timing_share, known), known],
        }
    }
}
