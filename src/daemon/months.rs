//! What became of each item over a range of local dates, month by month: months that are over are read once.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use jiff::ToSpan;
use jiff::civil::Date;

use super::query::{Failure, Scene};
use crate::insight::{Past, Stretch, past};
use crate::ledger::{Ledger, longest_open};
use crate::schedule::ItemId;

/// What is remembered, and the facts that are needed for the rest.
pub(super) struct Months<'a> {
    scene: &'a Scene,
    stretches: Vec<Stretch>,
    /// By item and stretch. It is held from the beginning: what is forgotten meanwhile is not missing here.
    remembered: HashMap<(&'a ItemId, usize), Arc<Past>>,
    /// For items that count from when they were last taken: no month of theirs stands for itself.
    whole: Option<Ledger>,
    /// All stretches, run by run: with the facts about them, or without where every item's are remembered.
    runs: Vec<(Range<usize>, Option<Ledger>)>,
}

impl<'a> Months<'a> {
    /// Reads what is not remembered of items over the local dates `[since, until)`.
    pub(super) async fn read(
        scene: &'a Scene,
        items: &[&'a ItemId],
        since: Date,
        until: Date,
    ) -> Result<Self, Failure> {
        let stretches = stretches(scene, since, until)?;
        let (counting, plain): (Vec<&ItemId>, Vec<&ItemId>) =
            items.iter().partition(|item| scene.plan.counts_from_the_last(item));
        let mut remembered = HashMap::new();
        let mut missing = vec![false; stretches.len()];
        for item in &plain {
            for ((place, stretch), missing) in stretches.iter().enumerate().zip(&mut missing) {
                let month = || scene.memory.month(&scene.moment, item, stretch);
                let known = is_over(scene, item, stretch).then(month).flatten();
                *missing |= known.is_none();
                remembered.extend(known.map(|past| ((*item, place), past)));
            }
        }
        let mut months = Self { scene, stretches, remembered, whole: None, runs: Vec::new() };
        if !counting.is_empty() {
            months.whole = months.ledger(0..months.stretches.len(), &counting).await?;
        }
        let mut begins = 0;
        for run in missing.chunk_by(|a, b| a == b) {
            let places = begins..begins + run.len();
            begins = places.end;
            let is_missing = run.contains(&true);
            let ledger = if is_missing { months.ledger(places.clone(), &plain).await? } else { None };
            months.runs.push((places, ledger));
        }
        Ok(months)
    }

    /// Reads the facts about some of the stretches; of one item, where it is only that.
    async fn ledger(&self, places: Range<usize>, items: &[&ItemId]) -> Result<Option<Ledger>, Failure> {
        let Some(all) = whole(&self.stretches[places]) else { return Ok(None) };
        let only = if let [item] = items { Some(*item) } else { None };
        Ok(Some(self.scene.ledger(all.from, all.to, only).await?))
    }

    /// Returns what became of an item over all of the range, and remembers the months that are over.
    pub(super) fn past(&self, item: &ItemId) -> Past {
        let Scene { plan, memory, moment, now, .. } = self.scene;
        if plan.counts_from_the_last(item) {
            let (Some(ledger), Some(all)) = (&self.whole, whole(&self.stretches)) else {
                return Past::default();
            };
            return past(plan, ledger, item, &[all], *now).pop().unwrap_or_default();
        }
        let mut found = Past::default();
        for (places, ledger) in &self.runs {
            let Some(ledger) = ledger else {
                for past in places.clone().filter_map(|place| self.remembered.get(&(item, place))) {
                    found.add(past);
                }
                continue;
            };
            let stretches = &self.stretches[places.clone()];
            for (stretch, past) in stretches.iter().zip(past(plan, ledger, item, stretches, *now)) {
                found.add(&past);
                if is_over(self.scene, item, stretch) {
                    memory.keep_month(moment, item, *stretch, past);
                }
            }
        }
        found
    }
}

/// Returns stretches, each of which begins where the one before ends, as one.
fn whole(stretches: &[Stretch]) -> Option<Stretch> {
    let (first, last) = (stretches.first()?, stretches.last()?);
    Some(Stretch { until: last.until, to: last.to, ..*first })
}

/// Tells whether a stretch is a whole month of which nothing can change by itself any more.
fn is_over(scene: &Scene, item: &ItemId, stretch: &Stretch) -> bool {
    let reach = longest_open(scene.plan.longest_grace(item));
    let is_month = stretch.since.day() == 1 && stretch.since.saturating_add(1.month()) == stretch.until;
    is_month && stretch.to.checked_add(reach).is_ok_and(|closed| closed <= scene.now)
}

/// Cuts the local dates `[since, until)` where months begin, up to the end of today.
///
/// What lies further ahead is open, and there is no end of it; but what was entered for it ahead of its time
/// belongs to the range, and so to its last stretch.
fn stretches(scene: &Scene, since: Date, until: Date) -> Result<Vec<Stretch>, Failure> {
    let end = until.min(scene.today().saturating_add(1.day()));
    let mut found: Vec<Stretch> = Vec::new();
    let (mut since, mut from) = (since, scene.midnight(since)?);
    while since < end {
        let ends = since.last_of_month().saturating_add(1.day()).min(end);
        let to = scene.midnight(ends)?;
        found.push(Stretch { since, until: ends, from, to });
        // The last day that there is has none after it.
        if ends <= since {
            break;
        }
        (since, from) = (ends, to);
    }
    if let Some(last) = found.last_mut() {
        last.until = last.until.max(until);
    }
    Ok(found)
}
