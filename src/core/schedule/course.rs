//! The course of an item: what its regimens planned one after another, with what facts hold in its place.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::chain::{Chain, Turn};
use super::handover::Handover;
use super::history::{History, Standing};
use super::plan::{Planned, Removal};
use super::regimen::whole_second;
use super::{ItemId, Occurrence, OccurrenceId, Regimen, ZoneHistory};

/// How far a slot's written time can lie from its instant, wherever it was; a flight can add a day.
pub(super) const SLACK: SignedDuration = SignedDuration::from_hours(48);

/// The regimens of one item, oldest first, and what its occurrences follow from beside them.
#[derive(Clone, Copy)]
pub(super) struct Course<'a, 'h> {
    pub regimens: &'a [Regimen],
    pub zones: &'a ZoneHistory,
    pub history: &'h dyn History,
}

impl<'a> Course<'a, '_> {
    /// Returns the occurrences that are due in `[from, until)`, each id once, in order of time.
    pub(super) fn occurrences(&self, from: Timestamp, until: Timestamp) -> Vec<Planned<'a>> {
        let (chain, removals) = (self.chain(from), self.removals());
        let mut found: Vec<Planned<'a>> = Vec::new();
        for (i, (regimen, removed)) in self.regimens.iter().zip(removals.iter().copied()).enumerate() {
            let handover = self.handover(i, from, until);
            let planned = regimen.occurrences(self.zones, &chain, from, until);
            let stands = |occurrence: &Occurrence| !handover.leaves_out(occurrence.id.slot);
            let is_within = |occurrence: &&Occurrence| from <= occurrence.at && occurrence.at < until;
            let at_once = handover.at_once().filter(is_within).cloned();
            let all = planned.into_iter().filter(stands).chain(at_once);
            found.extend(all.map(|occurrence| Planned { occurrence, regimen, removed }));
        }
        self.add_named(from, until, &removals, &mut found);
        found
    }

    /// Adds the slots that facts name and no rule plans, and leaves each name once: a changed zone can plan one twice.
    fn add_named(
        &self,
        from: Timestamp,
        until: Timestamp,
        removals: &[Option<Removal>],
        found: &mut Vec<Planned<'a>>,
    ) {
        let named = self.named_slots(from, until);
        if self.regimens.len() <= 1 && named.is_empty() {
            return;
        }
        let mut seen = BTreeSet::new();
        found.retain(|planned| seen.insert(planned.occurrence.id.clone()));
        for id in named.into_iter().filter(|id| !seen.contains(id)) {
            let Some((i, at)) = self.pinned(&id) else { continue };
            if from <= at && at < until {
                let occurrence = Occurrence { at, id };
                let removed = removals[i].or_else(|| self.dropped(i, &occurrence));
                found.push(Planned { occurrence, regimen: &self.regimens[i], removed });
            }
        }
        found.sort_by(|a, b| a.occurrence.cmp(&b.occurrence));
    }

    /// Returns the slots that facts name and that can be due in `[from, until)`.
    fn named_slots(&self, from: Timestamp, until: Timestamp) -> Vec<OccurrenceId> {
        let utc = |at: Timestamp| TimeZone::UTC.to_datetime(at);
        let from = utc(from.checked_sub(SLACK).unwrap_or(Timestamp::MIN));
        let until = utc(until.checked_add(SLACK).unwrap_or(Timestamp::MAX));
        self.items().into_iter().flat_map(|item| self.history.named_slots(item, from, until)).collect()
    }

    /// Returns the names that the item has had.
    fn items(&self) -> Vec<&'a ItemId> {
        let mut items: Vec<&ItemId> = self.regimens.iter().map(|regimen| &regimen.item.id).collect();
        // Mostly they are all the same.
        items.dedup();
        items.sort_unstable();
        items.dedup();
        items
    }

    /// Returns the place of the regimen that planned a slot, and the slot's instant, if facts hold it in its place.
    ///
    /// It is the newest that had begun by then and when the slot was named first.
    fn pinned(&self, id: &OccurrenceId) -> Option<(usize, Timestamp)> {
        let naming = self.history.naming(id)?;
        let own = self.regimens.iter().enumerate().filter(|(_, regimen)| regimen.item.id == id.item);
        let mut dated = own.filter_map(|(i, regimen)| {
            Some((i, regimen.opened, regimen.item.zones(self.zones).instant_of(id.slot)?))
        });
        let newest = dated.clone().rfind(|(_, opened, at)| *opened <= (*at).min(naming.first));
        let oldest = || dated.clone().find(|(i, ..)| self.regimens[*i].has_held()).or_else(|| dated.next());
        let (i, _, at) = newest.or_else(oldest)?;
        naming.pins(at).then_some((i, at))
    }

    /// Returns for each regimen when the item was first taken out of the schedule after it began, and when it came back.
    fn removals(&self) -> Vec<Option<Removal>> {
        let mut removals = vec![None; self.regimens.len()];
        let (mut next, mut later) = (None, None);
        for (removal, regimen) in removals.iter_mut().zip(self.regimens).rev() {
            let is_followed = |closed: Timestamp| next.is_some_and(|next| next <= closed);
            if let Some(at) = regimen.closed.filter(|closed| !is_followed(*closed)) {
                later = Some(Removal { at, back: next });
            }
            (*removal, next) = (later, Some(regimen.opened));
        }
        removals
    }

    /// Returns the removal of a slot that its regimen did not last for, unless it was answered ahead of its time.
    fn dropped(&self, i: usize, occurrence: &Occurrence) -> Option<Removal> {
        let regimen = &self.regimens[i];
        let closed = regimen.closed.filter(|closed| *closed < occurrence.at)?;
        let standing = self.history.standing(occurrence, regimen.item.grace, closed);
        (standing != Standing::Answered).then_some(Removal { at: closed, back: None })
    }

    /// Returns what becomes of the slots of the day on which a regimen follows the one before, where that day can matter.
    fn handover(&self, i: usize, from: Timestamp, until: Timestamp) -> Handover {
        let opened = self.regimens[i].opened;
        let is_near = opened.duration_since(from) > -SLACK && until.duration_since(opened) > -SLACK;
        if is_near {
            Handover::of(&self.regimens[..=i], self.zones, self.history)
        } else {
            Handover::default()
        }
    }

    /// Returns what relative rules count from, from the last intake before an instant on; nothing where no regimen is relative.
    fn chain(&self, from: Timestamp) -> Chain {
        if !self.regimens.iter().any(|regimen| regimen.item.rule.is_relative()) {
            return Chain::default();
        }
        let zones = self.regimens[self.regimens.len() - 1].item.zones(self.zones);
        let doses: Vec<_> =
            self.items().into_iter().flat_map(|item| self.history.doses(item, &zones)).collect();
        let taken: BTreeMap<&OccurrenceId, Timestamp> =
            doses.iter().filter_map(|dose| Some((dose.answers.as_ref()?, whole_second(dose.at)))).collect();
        let last = doses.iter().map(|dose| dose.at).filter(|at| *at < from).max();
        let named = self.named_slots(last.unwrap_or(Timestamp::MIN), Timestamp::MAX);
        let turns = named.iter().filter_map(|id| {
            let (_, at) = self.pinned(id)?;
            Some(Turn { at, answered: taken.get(id).copied() })
        });
        let mut chain = Chain::new(doses.iter().map(|dose| whole_second(dose.at)).collect(), turns.collect());
        for pair in self.regimens.windows(2).filter(|pair| pair[1].item.rule.is_relative()) {
            for turn in self.open_turns(&pair[0], pair[1].opened, &chain) {
                chain.insert(turn);
            }
        }
        chain
    }

    /// Returns the slots of a regimen that are open when another one follows it.
    fn open_turns(&self, before: &Regimen, edited: Timestamp, chain: &Chain) -> Vec<Turn> {
        let grace = before.item.grace;
        let from = edited.checked_sub(grace).unwrap_or(Timestamp::MIN);
        let planned = before.occurrences(self.zones, chain, from, edited).into_iter();
        planned
            .filter(|occurrence| self.history.standing(occurrence, grace, edited) == Standing::Open)
            .map(|occurrence| Turn { at: occurrence.at, answered: None })
            .collect()
    }
}
