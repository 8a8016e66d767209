//! What is in the cupboard: counted down by intakes, from what the schedule says or the person counted.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::{Fact, Ledger, Record, StockChange};
use crate::core::schedule::{Amount, Item, ItemId, Plan, Quantity, RefillAt};

/// How far ahead the end of a stock is looked for.
const LOOK_AHEAD: SignedDuration = SignedDuration::from_hours(24 * 366 * 3);

/// How much of that is expanded at once.
const PIECE: SignedDuration = SignedDuration::from_hours(24 * 61);

/// How much is left, in what the stock is counted in, exact to a billionth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StockLeft(u128);

impl StockLeft {
    const ONE: u128 = 1_000_000_000;

    /// Returns a whole number.
    #[must_use]
    pub fn of(number: u32) -> Self {
        Self(u128::from(number) * Self::ONE)
    }

    /// Returns the whole ones.
    #[must_use]
    pub fn whole(self) -> u32 {
        u32::try_from(self.0 / Self::ONE).unwrap_or(u32::MAX)
    }
}

impl fmt::Display for StockLeft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:09}", self.0 / Self::ONE, self.0 % Self::ONE);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// Returns how much of an item is at hand: what the schedule says there was, less what was taken
/// since, with what was added and counted. `facts` holds all of the item's intakes and counts since then.
///
/// It is counted in the unit of the stock, else in doses, where an amount counts as those that it opens: part of a dose is one. `None`
/// where nothing is counted.
#[must_use]
pub fn stock_left(plan: &Plan, facts: &Ledger, item: &ItemId) -> Option<StockLeft> {
    let (since, stock) = plan.stock(item)?;
    let names = plan.names(item);
    let mut changes: Vec<(Timestamp, &Record)> = facts
        .effective()
        .filter(|record| record.fact.item().is_some_and(|item| names.contains(item)))
        .map(|record| (record.latest_instant(&plan.zones), record))
        .filter(|(at, _)| *at >= since)
        .collect();
    changes.sort_by_key(|(at, record)| (*at, record.recorded_at, record.id.seq));
    let newest = &plan.newest(item)?.item;
    let whole = |number: u32| StockLeft::of(number).0.cast_signed();
    let mut left = whole(stock.have);
    for (at, record) in changes {
        match &record.fact {
            // What was not scheduled is measured by the current dose.
            Fact::Intake { amount, planned, .. } => {
                let planned = planned.as_ref().or_else(|| newest.dose_on(plan.zones.date_at(at)));
                left = left.saturating_sub(used(newest, amount.as_ref(), planned).cast_signed());
            }
            Fact::Stock { change: StockChange::Add(more), .. } => {
                let more_or_less = whole(more.unsigned_abs()) * i128::from(more.signum());
                left = left.saturating_add(more_or_less);
            }
            Fact::Stock { change: StockChange::Count(counted), .. } => left = whole(*counted),
            _ => {}
        }
    }
    Some(StockLeft(left.max(0).cast_unsigned()))
}

/// Returns the first time for which too little is left, if the schedule tells; what is still open needs a dose too.
#[must_use]
pub fn runs_out(
    plan: &Plan,
    facts: &Ledger,
    item: &ItemId,
    left: StockLeft,
    now: Timestamp,
) -> Option<Timestamp> {
    let newest = &plan.newest(item)?.item;
    let mut left = left.0;
    let end = now.checked_add(LOOK_AHEAD).ok()?;
    let mut from = now.checked_sub(newest.grace).ok()?;
    while from < end {
        let until = from.checked_add(PIECE).ok()?;
        for planned in plan.occurrences(item, facts, from, until) {
            if planned.removed.is_some() || facts.answer(&planned.occurrence.id).is_some() {
                continue;
            }
            match left.checked_sub(used(newest, None, planned.dose(&plan.zones))) {
                Some(rest) => left = rest,
                None => return Some(planned.occurrence.at),
            }
        }
        from = until;
    }
    None
}

/// Tells whether it is time to refill: so little is left, or so few days ahead it runs out.
#[must_use]
pub fn is_low(refill_at: RefillAt, left: StockLeft, runs_out: Option<Timestamp>, now: Timestamp) -> bool {
    match refill_at {
        RefillAt::Left(few) => left <= StockLeft::of(few),
        RefillAt::Days(days) => {
            let ahead = now.checked_add(SignedDuration::from_hours(24 * i64::from(days)));
            runs_out.is_some_and(|at| ahead.map_or(true, |ahead| at <= ahead))
        }
    }
}

/// Returns what an intake takes out of the stock, in billionths of what that is counted in.
fn used(item: &Item, amount: Option<&Amount>, planned: Option<&Amount>) -> u128 {
    let one_dose = StockLeft::ONE;
    let Some(taken) = amount.or(planned) else { return one_dose };
    if let Some(unit) = item.stock_unit() {
        let of_unit = taken.measured_in(&unit).and_then(|quantity| {
            // Of a range, the most: rather too early than too late.
            let most = quantity.most.unwrap_or(quantity.value);
            let (mine, theirs) = quantity.unit.ratio(&unit)?;
            most.checked_mul(mine.into())?.ratio_in_billionths(theirs.into())
        });
        let each = item.stock.as_ref().and_then(|stock| stock.each.as_ref());
        let of_each = || {
            let each = each?.first();
            let quantity = taken.measured_in(&each.unit)?;
            let most = Quantity { value: quantity.most.unwrap_or(quantity.value), ..quantity.clone() };
            let (all, one) = most.in_common(each)?;
            all.ratio_in_billionths(one)
        };
        return of_unit.or_else(of_each).unwrap_or(one_dose);
    }
    let doses = planned.and_then(|planned| taken.doses_of(planned)).unwrap_or(1);
    doses.saturating_mul(StockLeft::ONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What one intake takes out of the stock.
    #[track_caller]
    fn check(keys: &str, amount: Option<&str>, planned: &str, expected: &str) {
        let text = format!(
            "[[supplement]]\nid = \"a\"\ndose = \"{planned}\"\ntimes = [\"08:00\"]\nstock = {{ have = 80, refill-at = 5{keys} }}\n"
        );
        let item = crate::adapters::config::parse(&text).unwrap().items.remove(0).0;
        let amount: Option<Amount> = amount.map(|amount| amount.parse().unwrap());
        let used = used(&item, amount.as_ref(), item.dose.as_ref());
        assert_eq!(StockLeft(used).to_string(), expected, "{keys} {amount:?} of {planned}");
    }

    #[test]
    fn a_stock_is_counted_in_what_the_box_holds() {
        // In doses, where the dose is measured: part of one opens one.
        check("", None, "500 mg", "1");
        check("", Some("250 mg"), "500 mg", "1");
        check("", Some("1 g"), "500 mg", "2");
        // In tablets, where the dose is counted in them.
        check("", None, "2 tablets", "2");
        check("", None, "1/2 tablet", "0.5");
        check("", Some("1 tablet"), "2 tablets", "1");
        check("", None, "1-2 tablets", "2");
        // By what each tablet has.
        let each = ", unit = \"tablet\", each = \"250 mg\"";
        check(each, None, "500 mg", "2");
        check(each, Some("125 mg"), "500 mg", "0.5");
        check(each, Some("0.25 g"), "500 mg", "1");
        check(each, Some("1 tablet"), "500 mg", "1");
        check(each, None, "250-500 mg", "2");
        // A third of one is rounded up.
        check(", unit = \"tablet\", each = \"3 mg\"", None, "1 mg", "0.333333334");
        check(", unit = \"ml\"", None, "0.1 l", "100");
        check(", unit = \"pen\", each = \"300 units\"", None, "12 units", "0.04");
        check(", unit = \"tablet\"", None, "500 mg", "1");
    }

    #[test]
    fn a_refill_is_due_by_number_or_by_days() {
        let now: Timestamp = "2026-11-25T08:00:00Z".parse().unwrap();
        let day = |n: i64| now + SignedDuration::from_hours(24 * n);
        for (refill_at, left, out, low) in [
            (RefillAt::Left(5), 6, None, false),
            (RefillAt::Left(5), 5, None, true),
            (RefillAt::Days(10), 1, None, false),
            (RefillAt::Days(10), 100, Some(day(10)), true),
            (RefillAt::Days(10), 1, Some(day(11)), false),
        ] {
            assert_eq!(is_low(refill_at, StockLeft::of(left), out, now), low, "{refill_at:?} {left} {out:?}");
        }
    }
}
