//! How much of a limit has been used: `4 g / 24 h`.

use jiff::{SignedDuration, Timestamp};

use super::{Fact, Ledger, Record, When};
use crate::core::schedule::{Amount, ItemId, Limit, Plan, Quantity};

/// What was taken of an item within the time of its limit, up to an instant.
#[derive(Clone, Debug, PartialEq)]
pub struct LimitUse {
    /// The limit.
    pub limit: Limit,
    /// All of it together, in the smallest unit that occurs.
    pub taken: Quantity,
    /// When, oldest first.
    intakes: Vec<(Timestamp, Quantity)>,
}

impl LimitUse {
    /// Returns what an item's limit has been used for up to an instant; `None` where it has none, or what was taken cannot be
    /// measured by it.
    #[must_use]
    pub fn until(plan: &Plan, ledger: &Ledger, item: &ItemId, at: Timestamp) -> Option<Self> {
        let newest = &plan.newest(item)?.item;
        let limit = newest.limit.clone()?;
        let since = at.checked_sub(limit.within).unwrap_or(Timestamp::MIN);
        let unit = &limit.amount.first().unit;
        let measured = |record: &Record| {
            let Fact::Intake { at: When::Instant(taken_at), amount, planned, .. } = &record.fact else {
                return None;
            };
            let amount = amount.as_ref().or(planned.as_ref()).or(newest.dose.as_ref())?;
            (since < *taken_at && *taken_at <= at)
                .then(|| Some((*taken_at, amount.measured_in(unit)?.clone())))?
        };
        let names = plan.names(item);
        let mut intakes: Vec<(Timestamp, Quantity)> =
            names.iter().flat_map(|name| ledger.intake_records(name)).filter_map(measured).collect();
        intakes.sort_by_key(|(at, _)| *at);
        let taken = Quantity::sum(intakes.iter().map(|(_, quantity)| quantity), unit)?;
        Some(Self { limit, taken, intakes })
    }

    /// Tells whether one more amount would exceed the limit.
    #[must_use]
    pub fn would_exceed(&self, amount: &Amount) -> bool {
        exceeds(&self.limit, self.intakes.iter().map(|(_, quantity)| quantity), amount)
    }

    /// Returns from when on one more amount is within the limit, if it ever is.
    #[must_use]
    pub fn free_at(&self, amount: &Amount) -> Option<Timestamp> {
        let after = |n: usize| self.intakes[n..].iter().map(|(_, quantity)| quantity);
        let n = (1..=self.intakes.len()).find(|n| !exceeds(&self.limit, after(*n), amount))?;
        self.intakes[n - 1].0.checked_add(self.limit.within).ok()
    }

    /// Returns what is left of the limit; `None` where nothing is.
    #[must_use]
    pub fn left(&self) -> Option<Quantity> {
        let value = self.limit.amount.first().value_in(&self.taken.unit)?.checked_sub(self.taken.value)?;
        Some(Quantity { value, ..self.taken.clone() })
    }

    /// Returns the time of the limit.
    #[must_use]
    pub fn within(&self) -> SignedDuration {
        self.limit.within
    }
}

fn exceeds<'a>(limit: &'a Limit, taken: impl Iterator<Item = &'a Quantity>, amount: &'a Amount) -> bool {
    let most = limit.amount.first();
    let Some(one_more) = amount.measured_in(&most.unit) else { return false };
    let sum = Quantity::sum(taken.chain([one_more]), &most.unit);
    sum.and_then(|sum| sum.in_common(most)).is_some_and(|(sum, most)| sum > most)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::core::ledger::FactId;
    use crate::core::schedule::ZoneHistory;

    #[test]
    fn a_limit_is_that_of_any_window() {
        let at = |clock: &str| format!("2026-11-25T{clock}:00Z").parse::<Timestamp>().unwrap();
        let schedule =
            "[[supplement]]\nid = \"a\"\ndose = \"500 mg\"\nlimit = \"2 g / 6 h\"\nas-needed = true\n";
        let item = crate::adapters::config::parse(schedule).unwrap().items.remove(0).0;
        let id = item.id.clone();
        let mut plan = Plan::new(ZoneHistory::fixed(jiff::tz::TimeZone::UTC));
        plan.open(item, at("00:00"));
        let intake = |seq: u64, clock: &str, amount: Option<&str>| Record {
            id: FactId { device: "d".into(), seq },
            recorded_at: at(clock),
            fact: Fact::Intake {
                item: id.clone(),
                occurrence: None,
                at: When::Instant(at(clock)),
                amount: amount.map(|amount| amount.parse().unwrap()),
                planned: None,
                product: None,
                form_data: None,
                note: None,
                corrects: None,
                key: None,
            },
        };
        let facts = [
            intake(1, "06:00", None),
            intake(2, "08:00", Some("1 g")),
            // What is no amount of the limit's unit is not counted.
            intake(3, "09:00", Some("1 tablet")),
        ];
        let ledger: Ledger = facts.into_iter().map(Arc::new).collect();
        let read = |text: &str| text.parse::<Amount>().unwrap();
        for (clock, taken, left, more, free) in [
            ("05:00", "0 g", "2 g", "500 mg", None),
            ("06:00", "500 mg", "1500 mg", "1.5 g", None),
            ("09:00", "1500 mg", "500 mg", "500 mg", None),
            // At noon the first is six hours ago.
            ("09:00", "1500 mg", "500 mg", "501 mg", Some("12:00")),
            ("09:00", "1500 mg", "500 mg", "1.2 g", Some("14:00")),
            ("09:00", "1500 mg", "500 mg", "2.1 g", None),
            ("12:00", "1 g", "1 g", "1 g", None),
            ("14:00", "0 g", "2 g", "2 g", None),
        ] {
            let used = LimitUse::until(&plan, &ledger, &id, at(clock)).unwrap();
            assert_eq!(used.taken.to_string(), taken, "{clock}");
            assert_eq!(used.left().unwrap().to_string(), left, "{clock}");
            let exceeds = free.is_some() || more == "2.1 g";
            assert_eq!(used.would_exceed(&read(more)), exceeds, "{clock} {more}");
            if exceeds {
                assert_eq!(used.free_at(&read(more)), free.map(at), "{clock} {more}");
            }
        }
    }
}
