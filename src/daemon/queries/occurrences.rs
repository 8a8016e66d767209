//! Planned slots and what became of them: today, the next ones, and those of a range.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, ToSpan};

use super::context::{QueryContext, QueryError, event_time, instant, zone_of, zoned};
use crate::adapters::http::{MAX_OCCURRENCES, MAX_RANGE_DAYS, RawJson};
use crate::core::ledger::{Fact, OccurrenceStatus, State, longest_open, status_of, timeline};
use crate::core::reminder::FAR_AHEAD;
use crate::core::schedule::{ItemId, Plan};
use crate::protocol::{At, ComingOccurrence, Occurrence, OccurrenceDetails};

/// The most occurrences that are passed over in the search for those that come next.
const MAX_PASSED_OVER: usize = 2_000;

/// How much of a range is looked at in one go.
const PIECE: SignedDuration = SignedDuration::from_hours(24 * 7);

/// Returns the members of an occurrence that `today` and `next` show.
fn summary(row: &OccurrenceStatus<'_>, plan: &Plan) -> Occurrence {
    let occurrence = &row.planned.occurrence;
    Occurrence {
        occurrence: occurrence.id.to_string(),
        item: occurrence.id.item.to_string(),
        name: row.planned.regimen.item.name.clone(),
        at: zoned(occurrence.at, zone_of(&row.planned, plan)),
        state: row.status.state.into(),
        dose: row.dose(&plan.zones).map(ToString::to_string),
    }
}

/// Returns all that is known of an occurrence.
pub(super) fn details(row: &OccurrenceStatus<'_>, plan: &Plan) -> OccurrenceDetails {
    let item = &row.planned.regimen.item;
    let zone = zone_of(&row.planned, plan);
    let answer = row.status.answer.as_ref();
    let amount = answer.and_then(|record| match &record.fact {
        Fact::Intake { amount, .. } => amount.as_ref().map(ToString::to_string),
        _ => None,
    });
    OccurrenceDetails {
        occurrence: summary(row, plan),
        kind: item.kind.into(),
        planned: row.planned.occurrence.id.slot.to_string(),
        strain: item.strain().map(ToOwned::to_owned),
        with: item.with.clone(),
        private: item.private,
        target: item.target.as_ref().map(ToString::to_string),
        closes: zoned(row.status.closes_at, zone),
        snoozed_until: row.status.snoozed_until.map(|until| zoned(until, zone)),
        answer: answer.map(|record| record.id.to_string()),
        answered_at: answer.map(|record| event_time(record.fact.at(), zone)),
        amount,
        asks_amount: item.asks_amount(row.dose(&plan.zones)),
    }
}

/// The occurrences of today, and earlier ones that are still due.
pub(in crate::daemon) async fn today(context: &QueryContext) -> Result<Vec<Occurrence>, QueryError> {
    Ok(day(context).await?.iter().map(|row| summary(row, &context.plan)).collect())
}

async fn day(context: &QueryContext) -> Result<Vec<OccurrenceStatus<'_>>, QueryError> {
    let midnight = context.midnight(context.today())?;
    let tomorrow = context.midnight(context.today().saturating_add(1.day()))?;
    // The day, and what most items can reach back; the few that reach further are asked for by themselves.
    let near = midnight.checked_sub(SignedDuration::from_hours(48)).unwrap_or(Timestamp::MIN);
    let shared = context.ledger(near, tomorrow, None).await?;
    let mut rows = timeline(&context.plan, &shared, None, midnight, tomorrow, context.now);
    // What is still open from before: an evening's slot after midnight, a scan for weeks.
    for item in context.plan.items() {
        let reach = longest_open(context.plan.longest_grace(item));
        let from = context.now.checked_sub(reach).unwrap_or(Timestamp::MIN);
        let own;
        let ledger = if from >= near {
            &shared
        } else {
            own = context.ledger(from, midnight, Some(item)).await?;
            &own
        };
        let open = timeline(&context.plan, ledger, Some(item), from, midnight, context.now);
        rows.extend(open.into_iter().filter(|row| row.status.state == State::Due));
    }
    rows.sort_by(OccurrenceStatus::by_time);
    Ok(rows)
}

/// The next occurrences of all items.
pub(in crate::daemon) async fn next(
    context: &QueryContext,
    count: usize,
    with_skipped: bool,
) -> Result<Vec<ComingOccurrence>, QueryError> {
    let rows = upcoming(context, count, with_skipped).await?;
    let plan = &context.plan;
    let row = |row: &OccurrenceStatus<'_>| ComingOccurrence {
        occurrence: summary(row, plan),
        snoozed_until: row.status.snoozed_until.map(|until| zoned(until, zone_of(&row.planned, plan))),
    };
    Ok(rows.iter().map(row).collect())
}

async fn upcoming(
    context: &QueryContext,
    count: usize,
    with_skipped: bool,
) -> Result<Vec<OccurrenceStatus<'_>>, QueryError> {
    let recent = context.now.checked_sub(SignedDuration::from_hours(48)).unwrap_or(Timestamp::MIN);
    // As far as something can have been answered ahead of its time.
    let far = context.now.checked_add(FAR_AHEAD).unwrap_or(Timestamp::MAX);
    let ledger = context.ledger(recent, far, None).await?;
    let following = |item: &ItemId, after: Timestamp| {
        let planned = context.plan.next_after(item, &ledger, after)?;
        let status = status_of(&planned, &ledger, context.now);
        Some(OccurrenceStatus { planned, status })
    };
    let mut queue: BTreeMap<(Timestamp, ItemId), OccurrenceStatus<'_>> = BTreeMap::new();
    let mut rows = Vec::new();
    queue.extend(
        context.plan.current_items().filter_map(|item| following(&item.id, context.now)).map(by_time),
    );
    let mut passed_over = 0;
    while rows.len() < count {
        let Some(((at, item), row)) = queue.pop_first() else { break };
        if row.status.state == State::Upcoming || (with_skipped && row.status.state == State::Skipped) {
            rows.push(row);
        } else {
            passed_over += 1;
            if passed_over > MAX_PASSED_OVER {
                return Err(QueryError::TooLarge(format!(
                    "more than {MAX_PASSED_OVER} of the next occurrences are answered or paused already, the limit of the search for open ones: ask for fewer"
                )));
            }
        }
        // A pause is passed over in one step: slot by slot, one without an end would take all day.
        let paused = ledger.paused_until(&item, at);
        let after = paused.and_then(|until| until.checked_sub(SignedDuration::from_nanos(1)).ok());
        let after = after.map_or(at, |after| after.max(at));
        queue.extend(following(&item, after).map(by_time));
    }
    Ok(rows)
}

/// Returns a row under the key that queues sort it by: its time, and its item.
fn by_time(row: OccurrenceStatus<'_>) -> ((Timestamp, ItemId), OccurrenceStatus<'_>) {
    ((row.planned.occurrence.at, row.planned.occurrence.id.item.clone()), row)
}

/// The occurrences of a range with all that is known of them; without a range, those of today.
pub(in crate::daemon) async fn occurrences(
    context: &QueryContext,
    from: Option<At>,
    until: Option<At>,
    item: Option<ItemId>,
) -> Result<RawJson<Vec<OccurrenceDetails>>, QueryError> {
    if let Some(item) = item.as_ref().filter(|item| context.plan.regimens(item).is_empty()) {
        return Err(QueryError::Invalid(format!("there is no item `{item}` in the schedule")));
    }
    if from.is_none() && until.is_none() && item.is_none() {
        let texts = day(context).await?.iter().map(|row| json(row, &context.plan)).collect();
        return Ok(array(texts));
    }
    let zone = context.zone();
    let from =
        instant(from.unwrap_or(At::Date(context.today())), zone, context.now).map_err(QueryError::Invalid)?;
    let day_after = zone.to_datetime(from).date().saturating_add(1.day());
    let until =
        instant(until.unwrap_or(At::Date(day_after)), zone, context.now).map_err(QueryError::Invalid)?;
    if until.duration_since(from) > SignedDuration::from_hours(24 * MAX_RANGE_DAYS) {
        return Err(QueryError::Invalid(format!("the range is wider than {MAX_RANGE_DAYS} days")));
    }
    let ledger = context.ledger(from, until, item.as_ref()).await?;
    // Piece by piece, each serialised at once: a wide range holds up nobody and needs little memory.
    let mut texts: Vec<String> = Vec::new();
    let mut begins = from;
    while begins < until {
        let ends = begins.checked_add(PIECE).map_or(until, |ends| ends.min(until));
        let rows = timeline(&context.plan, &ledger, item.as_ref(), begins, ends, context.now);
        if texts.len() + rows.len() > MAX_OCCURRENCES {
            // Not 422: it has always been 400.
            return Err(QueryError::Invalid(format!(
                "there are more than {MAX_OCCURRENCES} occurrences in that range, the limit of one answer: ask for a shorter time, or for one item"
            )));
        }
        texts.extend(rows.iter().map(|row| json(row, &context.plan)));
        begins = ends;
        tokio::task::yield_now().await;
    }
    Ok(array(texts))
}

fn json(row: &OccurrenceStatus<'_>, plan: &Plan) -> String {
    serde_json::to_string(&details(row, plan)).unwrap_or_default()
}

fn array(texts: Vec<String>) -> RawJson<Vec<OccurrenceDetails>> {
    RawJson::new(format!("[{}]", texts.join(",")))
}
