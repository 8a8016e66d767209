//! What became of each item over a range of local dates, month by month: months that are over are read once.

use std::ops::Range;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use super::query::{Failure, Scene, instant};
use crate::api::At;
use crate::insight::{Past, Stretch, past};
use crate::ledger::{Ledger, longest_open};
use crate::schedule::ItemId;

/// The facts that are needed for what is not remembered.
pub(super) struct Months<'a> {
    scene: &'a Scene,
    stretches: Vec<Stretch>,
    /// For items that count from when they were last taken: no month of theirs stands for itself.
    whole: Option<Ledger>,
    /// By the stretches that they are about.
    parts: Vec<(Range<usize>, Ledger)>,
}

impl<'a> Months<'a> {
    /// Reads what is not remembered of items over the local dates `[since, until)`.
    pub(super) async fn read(
        scene: &'a Scene,
        items: &[&ItemId],
        since: Date,
        until: Date,
    ) -> Result<Self, Failure> {
        let stretches = stretches(scene, since, until)?;
        let mut months = Self { scene, stretches, whole: None, parts: Vec::new() };
        let (Some(first), Some(last)) = (months.stretches.first(), months.stretches.last()) else {
            return Ok(months);
        };
        let (from, to) = (first.from, last.to);
        let only = |of: &[&ItemId]| if let [item] = of { Some((*item).clone()) } else { None };
        let (counting, plain): (Vec<&ItemId>, Vec<&ItemId>) =
            items.iter().partition(|item| scene.plan.counts_from_the_last(item));
        if !counting.is_empty() {
            months.whole = Some(scene.ledger(from, to, only(&counting).as_ref()).await?);
        }
        let is_missing =
            |stretch: &Stretch| plain.iter().any(|item| months.remembered(item, stretch).is_none());
        let missing: Vec<bool> = months.stretches.iter().map(is_missing).collect();
        let mut begins = 0;
        for run in missing.chunk_by(|a, b| a == b) {
            let places = begins..begins + run.len();
            begins = places.end;
            let (Some(true), [first, .., last] | [first @ last]) =
                (run.first(), &months.stretches[places.clone()])
            else {
                continue;
            };
            let ledger = scene.ledger(first.from, last.to, only(&plain).as_ref()).await?;
            months.parts.push((places, ledger));
        }
        Ok(months)
    }

    /// Returns what became of an item over all of the range, and remembers the months that are over.
    pub(super) fn past(&self, item: &ItemId) -> Past {
        let Scene { plan, memory, moment, now, .. } = self.scene;
        let mut found = Past::default();
        if plan.counts_from_the_last(item) {
            if let (Some(ledger), [first, .., last] | [first @ last]) = (&self.whole, &self.stretches[..]) {
                let all = Stretch { until: last.until, to: last.to, ..*first };
                for past in past(plan, ledger, item, &[all], *now) {
                    found.add(&past);
                }
            }
            return found;
        }
        let mut parts = self.parts.iter().peekable();
        let mut place = 0;
        while let Some(stretch) = self.stretches.get(place) {
            let Some((places, ledger)) = parts.next_if(|(places, _)| places.start == place) else {
                if let Some(past) = self.remembered(item, stretch) {
                    found.add(&past);
                }
                place += 1;
                continue;
            };
            let stretches = &self.stretches[places.clone()];
            for (stretch, past) in stretches.iter().zip(past(plan, ledger, item, stretches, *now)) {
                found.add(&past);
                if self.is_over(item, stretch) {
                    memory.keep_month(plan, *moment, item, stretch.since, past);
                }
            }
            place = places.end;
        }
        found
    }

    fn remembered(&self, item: &ItemId, stretch: &Stretch) -> Option<std::sync::Arc<Past>> {
        let is_over = self.is_over(item, stretch);
        is_over.then(|| self.scene.memory.month(&self.scene.plan, item, stretch.since)).flatten()
    }

    /// Tells whether a stretch is a whole month of which nothing can change by itself any more.
    fn is_over(&self, item: &ItemId, stretch: &Stretch) -> bool {
        let reach = longest_open(self.scene.plan.longest_grace(item));
        let is_month = stretch.since.day() == 1 && stretch.since.saturating_add(1.month()) == stretch.until;
        is_month && stretch.to.checked_add(reach).is_ok_and(|closed| closed <= self.scene.now)
    }
}

/// Cuts the local dates `[since, until)` where months begin.
fn stretches(scene: &Scene, since: Date, until: Date) -> Result<Vec<Stretch>, Failure> {
    let midnight = |date: Date| -> Result<Timestamp, Failure> {
        instant(At::Date(date), scene.zone(), scene.now).map_err(Failure::Asked)
    };
    let mut found = Vec::new();
    let (mut since, mut from) = (since, midnight(since)?);
    while since < until {
        let ends = since.last_of_month().saturating_add(1.day()).min(until);
        let to = midnight(ends)?;
        found.push(Stretch { since, until: ends, from, to });
        // The last day that there is has none after it.
        if ends <= since {
            break;
        }
        (since, from) = (ends, to);
    }
    Ok(found)
}
