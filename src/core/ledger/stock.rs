//! What is in the cupboard: counted down by intakes, from what the schedule says or the person counted.

use jiff::{SignedDuration, Timestamp};

use super::{Fact, Ledger, Record, StockChange};
use crate::core::schedule::{Amount, ItemId, Plan};

/// How far ahead the end of a stock is looked for.
const LOOK_AHEAD: SignedDuration = SignedDuration::from_hours(24 * 366 * 3);

/// How much of that is expanded at once.
const PIECE: SignedDuration = SignedDuration::from_hours(24 * 61);

/// Returns how many doses of an item are at hand: what the schedule says there was, less what was taken
/// since, with what was added and counted. `facts` holds all of the item's intakes and counts since then.
///
/// An amount counts as the doses that it opens: part of a dose is one. `None` where nothing is counted.
#[must_use]
pub fn doses_left(plan: &Plan, facts: &Ledger, item: &ItemId) -> Option<u32> {
    let (since, stock) = plan.stock(item)?;
    let names = plan.names(item);
    let mut changes: Vec<(Timestamp, &Record)> = facts
        .effective()
        .filter(|record| record.fact.item().is_some_and(|item| names.contains(item)))
        .map(|record| (record.latest_instant(&plan.zones), record))
        .filter(|(at, _)| *at >= since)
        .collect();
    changes.sort_by_key(|(at, record)| (*at, record.recorded_at, record.id.seq));
    let dose = plan.newest(item).and_then(|regimen| regimen.item.dose.as_ref());
    let mut left = i64::from(stock.have);
    for (_, record) in changes {
        match &record.fact {
            // What was not scheduled is measured by the current dose.
            Fact::Intake { amount, planned, .. } => {
                left = left.saturating_sub(doses(amount.as_ref(), planned.as_ref().or(dose)));
            }
            Fact::Stock { change: StockChange::Add(more), .. } => {
                left = left.saturating_add(i64::from(*more));
            }
            Fact::Stock { change: StockChange::Count(counted), .. } => left = i64::from(*counted),
            _ => {}
        }
    }
    Some(u32::try_from(left.max(0)).unwrap_or(u32::MAX))
}

/// Returns the first time for which no dose is left, if the schedule tells; what is still open needs one too.
#[must_use]
pub fn runs_out(plan: &Plan, facts: &Ledger, item: &ItemId, left: u32, now: Timestamp) -> Option<Timestamp> {
    let mut left = left;
    let end = now.checked_add(LOOK_AHEAD).ok()?;
    let mut from = now.checked_sub(plan.newest(item)?.item.grace).ok()?;
    while from < end {
        let until = from.checked_add(PIECE).ok()?;
        for planned in plan.occurrences(item, facts, from, until) {
            if planned.removed.is_some() || facts.answer(&planned.occurrence.id).is_some() {
                continue;
            }
            if left == 0 {
                return Some(planned.occurrence.at);
            }
            left -= 1;
        }
        from = until;
    }
    None
}

fn doses(amount: Option<&Amount>, dose: Option<&Amount>) -> i64 {
    let (Some(amount), Some(dose)) = (amount, dose) else { return 1 };
    amount.doses_of(dose).map_or(1, |doses| i64::try_from(doses).unwrap_or(i64::MAX))
}
