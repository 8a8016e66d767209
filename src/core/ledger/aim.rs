//! When the aim of a day was reached, after which an item can stop asking.

use jiff::{SignedDuration, Timestamp};

use super::{Fact, Ledger, Record, When};
use crate::core::schedule::{Decimal, Item, Occurrence, Quantity, Slot};

/// Returns when the aim of the day of a slot was reached, of an item that stops asking then.
///
/// What names a slot counts on that slot's day, all else on the day on which it happened.
pub(super) fn reached_at(item: &Item, ledger: &Ledger, occurrence: &Occurrence) -> Option<Timestamp> {
    let target = item.target.as_ref().filter(|target| item.until_reached && target.days == 1)?;
    let Slot::Civil(local) = occurrence.id.slot else { return None };
    let since_midnight = local.duration_since(local.date().to_datetime(jiff::civil::Time::midnight()));
    let begins = occurrence.at.checked_sub(since_midnight).ok()?;
    let ends = begins.checked_add(SignedDuration::from_hours(24)).ok()?;
    let aim = target.amount.first();
    let entry = |record: &Record| {
        let Fact::Intake { occurrence, at, amount, planned, .. } = &record.fact else { return None };
        let (at, is_of_day) = match at {
            When::Instant(at) => (*at, begins <= *at && *at < ends),
            // Some time of the day.
            When::Date(date) => (begins, *date == local.date()),
        };
        let is_of_day = match occurrence.as_ref().map(|occurrence| occurrence.slot) {
            Some(Slot::Civil(slot)) => slot.date() == local.date(),
            _ => is_of_day,
        };
        let amount = amount.as_ref().or(planned.as_ref()).or(item.dose.as_ref());
        let quantity = match amount {
            Some(amount) => amount.measured_in(&aim.unit)?.clone(),
            None if aim.unit.is_times() => Quantity { value: Decimal::from(1), ..aim.clone() },
            None => return None,
        };
        is_of_day.then_some((at, quantity))
    };
    let mut entries: Vec<(Timestamp, Quantity)> = ledger.intake_records(&item.id).filter_map(entry).collect();
    entries.sort_by_key(|(at, _)| *at);
    (1..=entries.len()).find_map(|n| {
        let sum = Quantity::sum(entries[..n].iter().map(|(_, quantity)| quantity), &aim.unit)?;
        let (sum, aim) = sum.in_common(aim)?;
        (sum >= aim).then(|| entries[n - 1].0)
    })
}
