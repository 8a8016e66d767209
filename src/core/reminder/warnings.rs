//! Warnings on reminders and answers: too close to something else, too soon after the last one, little left.

use jiff::{SignedDuration, Timestamp};

use super::Reminder;
use super::wording::{day, minutes};
use crate::core::ledger::{Fact, LimitUse, When, is_low, runs_out};
use crate::core::schedule::{Amount, ItemId, OccurrenceId, RefillAt};

impl Reminder {
    /// Returns the item's last intake that is nearer to an instant than its gap.
    pub(super) fn too_soon_after(&self, item: &ItemId, at: Timestamp) -> Option<Timestamp> {
        let gap = self.plan.newest(item)?.item.gap?;
        self.nearest_intake(item, at).filter(|last| at.duration_since(*last).abs() < gap)
    }

    /// Returns what to say about an amount with which the item's limit would be exceeded.
    pub(super) fn over_limit(
        &self,
        item: &ItemId,
        at: Timestamp,
        amount: Option<&Amount>,
        now: Timestamp,
    ) -> Option<String> {
        let used = LimitUse::until(&self.plan, &self.ledger, item, at)?;
        let date = self.plan.zones.date_at(at);
        let amount = amount.or_else(|| self.plan.newest(item)?.item.dose_on(date))?;
        if !used.would_exceed(amount) {
            return None;
        }
        let (taken, limit) = (&used.taken, &used.limit);
        let zone = self.plan.zones.zone_at(now);
        let (today, free) =
            (zone.to_datetime(now).date(), used.free_at(amount).map(|at| zone.to_datetime(at)));
        let next = match free {
            Some(at) if at.date() == today => at.strftime("; the next is within it at %H:%M").to_string(),
            Some(at) => {
                format!("; the next is within it {}, {}", day(at.date(), today), at.strftime("%H:%M"))
            }
            None => String::new(),
        };
        Some(format!("{taken} recorded within {}, and the limit is {limit}{next}", minutes(used.within())))
    }

    pub(super) fn nearest_intake(&self, item: &ItemId, at: Timestamp) -> Option<Timestamp> {
        let intakes = self.plan.names(item).into_iter().flat_map(|name| self.ledger.intakes(&name));
        intakes.min_by_key(|intake| at.duration_since(*intake).abs())
    }

    /// Returns the warning about a fact that was recorded just now: what it is too close to.
    #[must_use]
    pub fn warning_for(&self, fact: &Fact) -> Option<String> {
        let (Fact::Intake { item, .. }, When::Instant(at)) = (fact, fact.at()) else { return None };
        let warnings = self.too_close(item, at);
        (!warnings.is_empty()).then(|| warnings.join("; "))
    }

    /// Returns the warning about an intake beside the plan that was recorded just now: what will be asked that day all the same.
    #[must_use]
    pub fn still_asked(&self, fact: &Fact, now: Timestamp) -> Option<String> {
        let (Fact::Intake { item, occurrence: None, .. }, When::Instant(at)) = (fact, fact.at()) else {
            return None;
        };
        let zone = self.plan.zones.zone_at(now);
        let next = self.plan.next_after(item, &self.ledger, at.max(now))?;
        let due = zone.to_datetime(next.occurrence.at);
        let is_open = self.ledger.answer(&next.occurrence.id).is_none()
            && !self.ledger.is_paused(item, next.occurrence.at);
        (is_open && due.date() == zone.to_datetime(now).date()).then(|| {
            let id = &next.occurrence.id;
            format!("{} will still be asked: `dosed take {id}` answers it", due.strftime("%H:%M"))
        })
    }

    /// Returns the warnings that a reminder shows.
    pub(super) fn warnings(&self, occurrence: &OccurrenceId, now: Timestamp) -> Vec<String> {
        let item = &occurrence.item;
        let mut warnings = self.too_close(item, now);
        if self.screen.is_confirming(occurrence) {
            let repeated = |last: Timestamp| {
                let ago = minutes(now.duration_since(last));
                format!("already recorded {ago} ago: answer again if this is another dose")
            };
            warnings.extend(self.too_soon_after(item, now).map(repeated));
            warnings.extend(self.over_limit(item, now, None, now));
        }
        warnings.extend(self.little_left(item, now));
        warnings
    }

    /// Returns a warning for each item that was taken too close to an instant.
    fn too_close(&self, item: &ItemId, at: Timestamp) -> Vec<String> {
        let own = self.plan.current(item).into_iter().flat_map(|item| &item.apart);
        let own = own.map(|apart| (&apart.from, apart.by));
        // A distance holds for both items, whichever of the two it is written at.
        let others = self.plan.current_items().flat_map(|other| {
            other.apart.iter().filter(|apart| apart.from == *item).map(move |apart| (&other.id, apart.by))
        });
        own.chain(others).filter_map(|(other, by)| self.too_close_to(other, by, at)).collect()
    }

    fn too_close_to(&self, other: &ItemId, by: SignedDuration, at: Timestamp) -> Option<String> {
        let distance = at.duration_since(self.nearest_intake(other, at)?);
        if distance.abs() >= by {
            return None;
        }
        let other = &self.plan.newest(other)?.item;
        let name = if other.private { "something else" } else { other.name.as_str() };
        let order = if distance.is_negative() { "later" } else { "earlier" };
        let (distance, by) = (minutes(distance.abs()), minutes(by));
        Some(format!("{name} was recorded {distance} {order}; the schedule keeps them {by} apart"))
    }

    /// Returns how much is left, where that is little.
    fn little_left(&self, item: &ItemId, now: Timestamp) -> Option<String> {
        let (_, stock) = self.plan.stock(item)?;
        let left = self.stock.get(item)?;
        let zone = self.plan.zones.zone_at(now);
        let today = zone.to_datetime(now).date();
        if let Some(expired) = stock.expires.filter(|last| *last < today) {
            return Some(format!("expired {}: time to refill", day(expired, today)));
        }
        // Most stocks are not low, and it takes a while to find out when they are used up.
        let by_days = matches!(stock.refill_at, RefillAt::Days(_));
        if !by_days && !is_low(stock.refill_at, left, None, now) {
            return None;
        }
        let until = runs_out(&self.plan, &self.ledger, item, left, now);
        if !is_low(stock.refill_at, left, until, now) {
            return None;
        }
        let unit = self.plan.newest(item)?.item.stock_unit();
        let unit = unit.map(|unit| format!(" {}", unit.plural())).unwrap_or_default();
        let until = until.map(|until| format!(", runs out {}", day(zone.to_datetime(until).date(), today)));
        Some(format!("{left}{unit} left{}: time to refill", until.unwrap_or_default()))
    }
}
