//! What became of an item over a range of local dates, month by month: months that are over are read once.

use std::sync::Arc;

use futures_util::{Stream, StreamExt, stream};
use jiff::ToSpan;
use jiff::civil::Date;

use super::query::{Failure, Scene};
use crate::insight::{Past, Stretch, past};
use crate::ledger::{Ledger, longest_open};
use crate::schedule::ItemId;

/// How many months are read at a time: few enough that their facts fit into a processor's caches, and that a
/// question about ten years leaves no more room taken than one about this year.
const READ_AT_ONCE: usize = 6;

/// Of how many items facts are read ahead, with the one that is looked at: enough that neither thread often waits
/// for the other, and few enough to be held.
const READ_AHEAD: usize = 8;

/// The months of a range.
pub(super) struct Months<'a> {
    scene: &'a Scene,
    stretches: Vec<Stretch>,
}

/// Months that are remembered, or some that are not.
enum Piece<'a> {
    Remembered(Vec<Arc<Past>>),
    Missing(&'a [Stretch]),
}

impl<'a> Months<'a> {
    /// Cuts the local dates `[since, until)` into months.
    pub(super) fn of(scene: &'a Scene, since: Date, until: Date) -> Result<Self, Failure> {
        Ok(Self { scene, stretches: stretches(scene, since, until)? })
    }

    /// Returns what became of items over all of the range, one after the other, and remembers the months that are over.
    pub(super) fn pasts<'b>(
        &'b self,
        items: &'b [&ItemId],
    ) -> impl Stream<Item = Result<Past, Failure>> + 'b {
        let mut pasts = Vec::with_capacity(items.len());
        for item in items {
            pasts.push(self.past(item));
        }
        stream::iter(pasts).buffered(READ_AHEAD)
    }

    async fn past(&self, item: &ItemId) -> Result<Past, Failure> {
        let Scene { plan, memory, moment, now, .. } = self.scene;
        if plan.counts_from_the_last(item) {
            // No month of such an item stands for itself.
            let ledger = self.ledger(item, &self.stretches).await?;
            let all = whole(&self.stretches);
            return Ok(past(plan, &ledger, item, all.as_slice(), *now).pop().unwrap_or_default());
        }
        let mut months = Vec::with_capacity(self.stretches.len());
        for piece in self.pieces(item) {
            let stretches = match piece {
                Piece::Remembered(known) => {
                    months.extend(known);
                    continue;
                }
                Piece::Missing(stretches) => stretches,
            };
            let ledger = self.ledger(item, stretches).await?;
            for (stretch, past) in stretches.iter().zip(past(plan, &ledger, item, stretches, *now)) {
                let month = Arc::new(past);
                if is_over(self.scene, item, stretch) {
                    memory.keep_month(moment, item, *stretch, month.clone());
                }
                months.push(month);
            }
        }
        Ok(Past::joined(&months))
    }

    /// Reads the facts about an item that stretches can be about.
    async fn ledger(&self, item: &ItemId, stretches: &[Stretch]) -> Result<Ledger, Failure> {
        let Some(all) = whole(stretches) else { return Ok(Ledger::default()) };
        Ok(self.scene.ledger(all.from, all.to, Some(item)).await?)
    }

    /// Tells what is remembered of an item, and what has to be read, in the order of time.
    fn pieces(&self, item: &ItemId) -> Vec<Piece<'_>> {
        let Scene { memory, moment, .. } = self.scene;
        let month = |stretch| {
            is_over(self.scene, item, stretch).then(|| memory.month(moment, item, stretch)).flatten()
        };
        let known: Vec<Option<Arc<Past>>> = self.stretches.iter().map(month).collect();
        let mut pieces = Vec::new();
        let mut rest = &self.stretches[..];
        for run in known.chunk_by(|a, b| a.is_some() == b.is_some()) {
            let (stretches, after) = rest.split_at(run.len());
            rest = after;
            if run.contains(&None) {
                pieces.extend(stretches.chunks(READ_AT_ONCE).map(Piece::Missing));
            } else {
                pieces.push(Piece::Remembered(run.iter().flatten().cloned().collect()));
            }
        }
        pieces
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
