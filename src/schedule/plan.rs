//! Every regimen that there has been, and what follows from them.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Item, ItemId, Occurrence, OccurrenceId, Recurrence, Regimen, Stock, ZoneHistory};

/// All regimens of all items, oldest first, and the zones that the clock has shown.
#[derive(Clone, Debug)]
pub struct Plan {
    regimens: BTreeMap<ItemId, Vec<Regimen>>,
    /// The zones of the person's clock.
    pub zones: ZoneHistory,
}

/// An occurrence with the regimen that planned it.
#[derive(Clone, Debug)]
pub struct Planned<'a> {
    /// The slot.
    pub occurrence: Occurrence,
    /// What planned it.
    pub regimen: &'a Regimen,
    /// When an edit of the schedule took the slot away, after it had come due.
    pub dropped_at: Option<Timestamp>,
}

impl Plan {
    /// Returns a plan without items.
    #[must_use]
    pub fn new(zones: ZoneHistory) -> Self {
        Self { regimens: BTreeMap::new(), zones }
    }

    /// Adds a regimen; it ends the one before it of the same item.
    pub fn open(&mut self, item: Item, opened: Timestamp) {
        let same_rule =
            self.newest(&item.id).filter(|last| last.closed.is_none() && last.item.rule == item.rule);
        let anchored = same_rule.map_or(opened, |last| last.anchored);
        self.close(&item.id, opened);
        let regimens = self.regimens.entry(item.id.clone()).or_default();
        // Most items have one: room for the next ones would be the most of what the plan takes.
        regimens.reserve_exact(1);
        regimens.push(Regimen { item, opened, closed: None, anchored });
    }

    /// Ends the open regimen of an item, if there is one.
    pub fn close(&mut self, item: &ItemId, closed: Timestamp) {
        if let Some(last) = self.regimens.get_mut(item).and_then(|regimens| regimens.last_mut()) {
            last.closed.get_or_insert(closed);
        }
    }

    /// Returns the id of every item that there has been.
    pub fn items(&self) -> impl Iterator<Item = &ItemId> {
        self.regimens.keys()
    }

    /// Returns one item, if there has been such a one, or every item where none is named.
    ///
    /// One is not looked for among all: many questions are asked of each item in turn.
    pub fn chosen(&self, item: Option<&ItemId>) -> impl Iterator<Item = &ItemId> {
        let every = item.is_none().then(|| self.items());
        let one = item.and_then(|item| self.regimens.get_key_value(item)).map(|(id, _)| id);
        one.into_iter().chain(every.into_iter().flatten())
    }

    /// Returns an item as it is planned now.
    #[must_use]
    pub fn current(&self, item: &ItemId) -> Option<&Item> {
        self.newest(item).and_then(planned_now)
    }

    /// Returns the items that are planned now.
    pub fn current_items(&self) -> impl Iterator<Item = &Item> {
        self.regimens.values().filter_map(|regimens| planned_now(regimens.last()?))
    }

    /// Returns the newest regimen of an item, closed or not.
    #[must_use]
    pub fn newest(&self, item: &ItemId) -> Option<&Regimen> {
        self.regimens.get(item).and_then(|regimens| regimens.last())
    }

    /// Returns what an item's stock was when it was last written into the schedule, and since when it
    /// stands there: an edit of anything else does not count it anew.
    #[must_use]
    pub fn stock(&self, item: &ItemId) -> Option<(Timestamp, Stock)> {
        let regimens = self.regimens(item);
        let stock = regimens.last()?.item.extras().stock?;
        let same = regimens.iter().rev().take_while(|regimen| {
            regimen.item.extras().stock.is_some_and(|before| before.have == stock.have)
        });
        Some((same.last()?.opened, stock))
    }

    /// Returns the longest grace that an item has had; zero for one that there never was.
    #[must_use]
    pub fn longest_grace(&self, item: &ItemId) -> SignedDuration {
        self.regimens(item).iter().map(|regimen| regimen.item.grace).max().unwrap_or_default()
    }

    /// Tells whether any regimen of an item counts from when it was last taken.
    #[must_use]
    pub fn counts_from_the_last(&self, item: &ItemId) -> bool {
        self.regimens(item).iter().any(|regimen| regimen.item.rule.counts_from_the_last())
    }

    /// Returns all regimens of an item, oldest first.
    #[must_use]
    pub fn regimens(&self, item: &ItemId) -> &[Regimen] {
        self.regimens.get(item).map_or(&[], Vec::as_slice)
    }

    /// Returns an item's occurrences that are due in `[from, until)`, each id once.
    #[must_use]
    pub fn occurrences(
        &self,
        item: &ItemId,
        intakes: &[Timestamp],
        from: Timestamp,
        until: Timestamp,
    ) -> Vec<Planned<'_>> {
        let regimens = self.regimens(item);
        let mut found: Vec<Planned<'_>> = Vec::new();
        for (i, regimen) in regimens.iter().enumerate() {
            for occurrence in regimen.occurrences(&self.zones, intakes, from, until) {
                let dropped_at = regimen
                    .closed
                    .filter(|_| !regimens.get(i + 1).is_some_and(|next| self.carries_on(next, &occurrence)));
                found.push(Planned { occurrence, regimen, dropped_at });
            }
        }
        if regimens.len() > 1 {
            // A changed zone can plan one name twice; the first keeps it.
            let mut seen = std::collections::BTreeSet::new();
            found.retain(|planned| seen.insert(planned.occurrence.id.clone()));
        }
        found
    }

    /// Returns one occurrence by its name, if any regimen planned it.
    #[must_use]
    pub fn find(&self, id: &OccurrenceId, intakes: &[Timestamp]) -> Option<Planned<'_>> {
        let written = jiff::tz::TimeZone::UTC.to_timestamp(id.slot.written()).ok()?;
        // A written time lies within a day of its instant, wherever it was; a flight can add one more.
        let slack = SignedDuration::from_hours(48);
        let (from, until) = (written.checked_sub(slack).ok()?, written.checked_add(slack).ok()?);
        self.occurrences(&id.item, intakes, from, until)
            .into_iter()
            .find(|planned| planned.occurrence.id == *id)
    }

    /// Returns the first occurrence of an item that is due after an instant.
    #[must_use]
    pub fn next_after(&self, item: &ItemId, intakes: &[Timestamp], after: Timestamp) -> Option<Planned<'_>> {
        let regimen = self.newest(item).filter(|regimen| regimen.closed.is_none())?;
        let occurrence = regimen.next_after(&self.zones, intakes, after)?;
        Some(Planned { occurrence, regimen, dropped_at: None })
    }

    /// Tells whether a later regimen still plans a slot that came due under the one before.
    fn carries_on(&self, next: &Regimen, occurrence: &Occurrence) -> bool {
        if matches!(next.item.rule.recurrence, Recurrence::Elapsed { .. }) {
            return true;
        }
        let mut unbounded = next.clone();
        unbounded.opened = Timestamp::MIN;
        unbounded.closed = None;
        unbounded.item.rule.from.get_or_insert(next.anchor(&self.zones));
        let Ok(until) = occurrence.at.checked_add(SignedDuration::from_nanos(1)) else { return false };
        unbounded
            .occurrences(&self.zones, &[], occurrence.at, until)
            .iter()
            .any(|planned| planned.id == occurrence.id)
    }
}

/// Returns the item of a regimen that has not ended.
fn planned_now(regimen: &Regimen) -> Option<&Item> {
    regimen.closed.is_none().then_some(&regimen.item)
}
