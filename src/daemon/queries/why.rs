//! Everything that made one occurrence what it is.

use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::context::{QueryContext, QueryError, zone_of, zoned};
use super::occurrences::details;
use crate::adapters::store::{JournalLine, MAX_FACTS, Query, Range, with_outcome};
use crate::core::ledger::{Fact, Ledger, OccurrenceStatus, State, status_of};
use crate::core::schedule::{ItemId, OccurrenceId, Planned, Slot};
use crate::protocol::{RawHistoryFact, RegimenDetails, Why};

/// How far around an occurrence its facts are looked for.
const AROUND: SignedDuration = SignedDuration::from_hours(48);

/// Everything that made an occurrence what it is: what planned it, which instant that is and why, what happened to
/// it, and what happens next.
pub(in crate::daemon) async fn why(
    context: &QueryContext,
    occurrence: &OccurrenceId,
    deferred_until: Option<Timestamp>,
) -> Result<Why<RawHistoryFact>, QueryError> {
    let written = TimeZone::UTC.to_timestamp(occurrence.slot.written()).unwrap_or(context.now);
    let (from, until) = (written.saturating_sub(AROUND), written.saturating_add(AROUND));
    let (Ok(from), Ok(until)) = (from, until) else {
        return Err(QueryError::Invalid("that time is out of range".to_owned()));
    };
    let ledger = context.ledger(from, until, Some(&occurrence.item)).await?;
    let Some(planned) = context.plan.find(occurrence, &ledger) else {
        return Err(QueryError::NotFound(format!(
            "`{occurrence}` is not in the plan: `dosed today` and `dosed next` list what is"
        )));
    };
    let row = OccurrenceStatus { status: status_of(&planned, &ledger, context.now), planned };
    let zone = zone_of(&row.planned, &context.plan);
    let regimen = row.planned.regimen;
    Ok(Why {
        occurrence: details(&row, &context.plan),
        regimen: RegimenDetails {
            opened: zoned(regimen.opened, zone),
            closed: regimen.closed.map(|closed| zoned(closed, zone)),
            definition: definition(context, &occurrence.item, regimen.opened).await?,
        },
        zone_decision: zone_decision(&row.planned, zone),
        facts: facts(context, occurrence, from, until).await?,
        next: what_next(&row, &ledger, zone, context.now, deferred_until),
    })
}

/// Returns an item as the schedule had it when a regimen was opened.
async fn definition(
    context: &QueryContext,
    wanted: &ItemId,
    opened: Timestamp,
) -> Result<Option<Value>, QueryError> {
    let plan = context.reader.lines(Query::Plan).await?;
    Ok(plan.iter().find_map(|line| match &line.record.fact {
        Fact::Regimen { item, at, definition: Some(definition) } if item == wanted && *at == opened => {
            serde_json::from_str::<Value>(definition).ok()
        }
        _ => None,
    }))
}

/// Returns the facts about an occurrence, in the order in which they were recorded.
async fn facts(
    context: &QueryContext,
    occurrence: &OccurrenceId,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<RawHistoryFact>, QueryError> {
    let items = Some([occurrence.item.clone()].into());
    let range = Range { from, until, items, most: MAX_FACTS };
    let mut lines = context.reader.lines(Query::About(range)).await?;
    let ledger: Ledger = lines.iter().map(|line| line.record.clone()).collect();
    lines.retain(|line| line.record.fact.occurrence() == Some(occurrence));
    lines.sort_by(|a, b| (a.record.recorded_at, &a.record.id).cmp(&(b.record.recorded_at, &b.record.id)));
    let with_outcome = |line: &JournalLine| {
        let superseded_by = ledger.superseded_by(&line.record.id).map(|by| by.id.clone());
        let beyond_slot = superseded_by.is_none() && ledger.is_beyond_slot(&line.record);
        RawHistoryFact::new(with_outcome(&line.text, superseded_by.as_ref(), beyond_slot).into())
    };
    Ok(lines.iter().map(with_outcome).collect())
}

/// Says how a planned local time became an instant.
fn zone_decision(planned: &Planned<'_>, zone: &TimeZone) -> String {
    let Slot::Civil(local) = planned.occurrence.id.slot else {
        return "elapsed time, named in UTC".to_owned();
    };
    let name = zone.iana_name().unwrap_or("its zone");
    let offset = zone.to_ambiguous_timestamp(local).offset();
    let clock = zone.to_datetime(planned.occurrence.at).strftime("%H:%M");
    if matches!(offset, AmbiguousOffset::Gap { .. }) {
        return format!(
            "{} does not exist on that day in {name}: shifted forward to {clock}",
            local.strftime("%H:%M")
        );
    }
    if matches!(offset, AmbiguousOffset::Fold { .. }) {
        return format!("{} comes twice on that day in {name}: the first counts", local.strftime("%H:%M"));
    }
    if zone.to_datetime(planned.occurrence.at) != local {
        return format!("the clock had changed to {name} and had passed it: due on arrival, {clock}");
    }
    let floats = if planned.regimen.item.zone.is_some() { "fixed to" } else { "floating, then in" };
    format!("{floats} {name}")
}

/// Says what would happen next to an occurrence.
fn what_next(
    row: &OccurrenceStatus<'_>,
    ledger: &Ledger,
    zone: &TimeZone,
    now: Timestamp,
    deferred_until: Option<Timestamp>,
) -> String {
    let occurrence = &row.planned.occurrence;
    let closes = zoned(row.status.closes_at, zone);
    match row.status.state {
        State::Upcoming => format!("a reminder at {}", zoned(occurrence.at, zone)),
        State::Due => match (row.status.snoozed_until, deferred_until) {
            (Some(until), _) => format!("a reminder at {}, when the snooze ends", zoned(until, zone)),
            (None, Some(until)) => {
                let until = zoned(until, zone);
                format!("a reminder when you are there and no quiet hour is, at {until} at the latest")
            }
            (None, None) if ledger.deliveries(&occurrence.id).iter().all(|at| *at < occurrence.at) => {
                format!("a reminder as soon as it can be shown; it can be answered until {closes}")
            }
            (None, None) => format!("it can be answered until {closes}"),
        },
        State::Missed | State::Unknown if now >= occurrence.at => {
            format!("nothing; `dosed take {}` fills it in", occurrence.id)
        }
        State::Excused
            if row.planned.regimen.item.until_reached
                && !ledger.is_paused(&occurrence.id.item, occurrence.at) =>
        {
            "nothing; the aim of the day was reached".to_owned()
        }
        _ => "nothing; `dosed undo` takes an answer back".to_owned(),
    }
}
