//! The recorded facts that a change may be about, read before the core decides.

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::context::{QueryContext, instant};
use crate::adapters::http::Change;
use crate::adapters::store::{Query, StoreError};
use crate::core::ledger::{Fact, Record, longest_open};
use crate::core::reminder::{AnswerTarget, Reminder};
use crate::core::schedule::{ItemId, OccurrenceId};
use crate::protocol::At;

/// How far a local time, read as if it were UTC, lies from its instant at most.
const FARTHEST_ZONE: SignedDuration = SignedDuration::from_hours(14);

/// Returns the item that an answer is about, and when, to within [`FARTHEST_ZONE`].
fn answered(context: &QueryContext, change: &Change) -> Option<(ItemId, Timestamp)> {
    let given = |at: Option<At>| {
        at.and_then(|at| instant(at, context.zone(), context.now).ok()).unwrap_or(context.now)
    };
    match change {
        Change::Answer { target: AnswerTarget::Item(item), body, .. } => Some((item.clone(), given(body.at))),
        Change::Answer { target: AnswerTarget::Occurrence(occurrence), .. } => {
            Some((occurrence.item.clone(), written(occurrence, context.now)))
        }
        Change::FillIn { item, at, .. } => Some((item.clone(), given(*at))),
        _ => None,
    }
}

fn written(occurrence: &OccurrenceId, now: Timestamp) -> Timestamp {
    TimeZone::UTC.to_timestamp(occurrence.slot.written()).unwrap_or(now)
}

/// Tells whether memory has everything that a change may be about, so that nothing needs to be read first.
pub(in crate::daemon) fn is_in_memory(context: &QueryContext, change: &Change) -> bool {
    if matches!(change, Change::Pause { .. } | Change::Resume { .. }) {
        return true;
    }
    let answered = answered(context, change).filter(|_| change.key().is_none());
    let Some((item, at)) = answered else { return false };
    let reach =
        longest_open(context.plan.longest_grace(&item)).max(looks_back(context, &item)) + FARTHEST_ZONE;
    let earliest = at.checked_sub(reach).unwrap_or(Timestamp::MIN);
    // Rules that count from the last intake look further back.
    Reminder::complete_since(context.now) <= earliest && !context.plan.is_relative(&item)
}

/// Returns how far back what was taken matters to whether one more is too soon, or too much.
fn looks_back(context: &QueryContext, item: &ItemId) -> SignedDuration {
    let Some(newest) = context.plan.newest(item) else { return SignedDuration::ZERO };
    let limit = newest.item.limit.as_ref().map(|limit| limit.within);
    [newest.item.gap, limit].into_iter().flatten().max().unwrap_or_default()
}

/// Reads the recorded facts that a change may be about; `device` is this one.
pub(in crate::daemon) async fn records_for(
    context: &QueryContext,
    device: &str,
    change: &Change,
) -> Result<Vec<Arc<Record>>, StoreError> {
    let mut records = Vec::new();
    if let Some(key) = change.key() {
        records.extend(context.reader.records(Query::Key(key.clone())).await?);
    }
    let subject = if let Change::Retract { fact, .. } | Change::Correct { fact, .. } = change {
        let query = match fact {
            Some(fact) => Query::Fact(fact.clone()),
            None => {
                let is_undo = matches!(change, Change::Retract { .. });
                let is_wanted = if is_undo { Fact::is_act } else { Fact::is_answer };
                Query::Newest { device: device.to_owned(), is_wanted }
            }
        };
        let found = context.reader.records(query).await?;
        let occurrence = found.iter().find_map(|record| record.fact.occurrence().cloned());
        records.extend(found);
        occurrence.map(|occurrence| (occurrence.item.clone(), written(&occurrence, context.now)))
    } else {
        answered(context, change)
    };
    let Some((item, centre)) = subject else { return Ok(records) };
    let two_days = SignedDuration::from_hours(48);
    let back = context.plan.longest_grace(&item).max(looks_back(context, &item));
    let from = centre.checked_sub(back + two_days).unwrap_or(Timestamp::MIN);
    let until = centre.checked_add(two_days).unwrap_or(Timestamp::MAX);
    records.extend(context.reader.facts_for(from, until, Some(context.plan.names(&item))).await?);
    Ok(records)
}
