//! What a reminder and an answer are told beside what was planned: too close to something else, too soon
//! after the last one, little left.

use jiff::{SignedDuration, Timestamp};

use super::Reminder;
use super::notice::minutes;
use crate::ledger::{Fact, When, runs_out};
use crate::schedule::{ItemId, OccurrenceId};

impl Reminder {
    /// Takes in how many doses of an item are left; `None` is not counted any more.
    pub fn know_stock(&mut self, item: ItemId, left: Option<u32>) {
        match left {
            Some(left) => self.stock.insert(item, left),
            None => self.stock.remove(&item),
        };
    }

    /// Returns the item's last intake that is nearer to an instant than its gap.
    pub(super) fn too_soon_after(&self, item: &ItemId, at: Timestamp) -> Option<Timestamp> {
        let gap = self.plan.newest(item)?.item.extras().gap?;
        self.nearest_intake(item, at).filter(|last| at.duration_since(*last).abs() < gap)
    }

    fn nearest_intake(&self, item: &ItemId, at: Timestamp) -> Option<Timestamp> {
        self.ledger.intakes(item).into_iter().min_by_key(|intake| at.duration_since(*intake).abs())
    }

    /// Returns what is to be said about a fact that was recorded just now: what it is too close to.
    #[must_use]
    pub fn remark(&self, fact: &Fact) -> Option<String> {
        let (Fact::Intake { item, .. }, When::Instant(at)) = (fact, fact.at()) else { return None };
        let remarks = self.too_close(item, at);
        (!remarks.is_empty()).then(|| remarks.join("; "))
    }

    /// Returns what is to stand on a reminder beside what was planned.
    pub(super) fn extra_lines(&self, occurrence: &OccurrenceId, now: Timestamp) -> Vec<String> {
        let item = &occurrence.item;
        let mut lines = self.too_close(item, now);
        if let Some(last) = self.too_soon_after(item, now).filter(|_| self.confirming.contains(occurrence)) {
            let ago = minutes(now.duration_since(last));
            lines.push(format!("already recorded {ago} ago: answer again if this is one more"));
        }
        lines.extend(self.little_left(item, now));
        lines
    }

    /// Returns what lies too close to an intake at an instant, in one line each.
    fn too_close(&self, item: &ItemId, at: Timestamp) -> Vec<String> {
        let line = |(other, by): (&ItemId, SignedDuration)| {
            let intake = self.nearest_intake(other, at)?;
            let distance = at.duration_since(intake);
            if distance.abs() >= by {
                return None;
            }
            let other = &self.plan.newest(other)?.item;
            let name = if other.private { "something else" } else { other.name.as_str() };
            let when = if distance.is_negative() { "later" } else { "before" };
            Some(format!(
                "{name} was {} {when}; you keep them {} apart",
                minutes(distance.abs()),
                minutes(by)
            ))
        };
        let own = self.plan.current(item).into_iter().flat_map(|item| &item.extras().apart);
        let own = own.map(|apart| (&apart.from, apart.by));
        // Whoever is to be kept apart from something is so from both sides.
        let others = self.plan.current_items().flat_map(|other| {
            other
                .extras()
                .apart
                .iter()
                .filter(|apart| apart.from == *item)
                .map(move |apart| (&other.id, apart.by))
        });
        own.chain(others).filter_map(line).collect()
    }

    /// Returns what is left, where that is little.
    fn little_left(&self, item: &ItemId, now: Timestamp) -> Option<String> {
        let (_, stock) = self.plan.stock(item)?;
        let left = self.stock.get(item).copied().filter(|left| *left <= stock.refill_at)?;
        let until = runs_out(&self.plan, &self.ledger, item, left, now);
        let zone = self.plan.zones.zone_at(now);
        let until =
            until.map(|until| format!(", none for {}", zone.to_datetime(until).strftime("%a %-d %b")));
        Some(format!("{left} left{}: time to refill", until.unwrap_or_default()))
    }
}
