//! What every question has at hand: the plan, the database, and the time.

use std::sync::Arc;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan, Zoned};

use crate::adapters::store::{MAX_FACTS, Query, Range, Reader, StoreError};
use crate::core::ledger::{Ledger, NEWEST_INTAKES, Record, When};
use crate::core::reminder::CLOCKS_DISAGREE;
use crate::core::schedule::{ItemId, Plan, Planned};
use crate::protocol::{At, EventTime, Problem, ZonedTime};

/// A time of the day that is still to come means the day before where that is no longer ago.
const EVENING_BEFORE: SignedDuration = SignedDuration::from_hours(12);

/// Where a question is asked: what is planned, what is paused, and when.
#[derive(Clone, Debug)]
pub(in crate::daemon) struct QueryContext {
    pub(in crate::daemon) plan: Arc<Plan>,
    pub(in crate::daemon) pauses: Vec<Arc<Record>>,
    pub(in crate::daemon) reader: Reader,
    pub(in crate::daemon) now: Timestamp,
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub(in crate::daemon) enum QueryError {
    /// The question makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// What it is about does not exist.
    #[error("{0}")]
    NotFound(String),
    /// The answer would be larger than the limit that is named.
    #[error("{0}")]
    TooLarge(String),
    /// The record cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        let status = match error {
            QueryError::Invalid(_) => 400,
            QueryError::NotFound(_) => 404,
            // Nothing is left out without a word.
            QueryError::TooLarge(_) | QueryError::Store(StoreError::TooManyFacts { .. }) => 422,
            QueryError::Store(_) => 503,
        };
        Self::new(status, error.to_string())
    }
}

impl QueryContext {
    pub(super) fn zone(&self) -> &TimeZone {
        self.plan.zones.zone_at(self.now)
    }

    pub(super) fn today(&self) -> Date {
        self.plan.day_of(self.zone().to_datetime(self.now))
    }

    /// Returns when a day begins.
    pub(super) fn midnight(&self, date: Date) -> Result<Timestamp, QueryError> {
        instant(At::Local(date.to_datetime(self.plan.day_starts)), self.zone(), self.now)
            .map_err(QueryError::Invalid)
    }

    /// Returns the first day of an item in the schedule; of one that never was in it, today.
    pub(super) fn first_day(&self, item: &ItemId) -> Date {
        let opened = self.plan.regimens(item).first().map_or(self.now, |regimen| regimen.plans_from);
        self.plan.day_of(self.zone().to_datetime(opened))
    }

    /// Reads the facts that occurrences of a range can be about.
    pub(super) async fn ledger(
        &self,
        from: Timestamp,
        until: Timestamp,
        item: Option<&ItemId>,
    ) -> Result<Ledger, StoreError> {
        let items = item.map(|item| self.plan.names(item));
        let range = Range { from, until, items, most: MAX_FACTS };
        let mut records = self.reader.records(Query::About(range)).await?;
        records.extend(chain_facts(&self.reader, &self.plan, item, (from, until)).await?);
        records.extend(self.pauses.iter().cloned());
        Ok(records.into_iter().collect())
    }

    /// Returns when a fact happened.
    pub(super) fn time_of(&self, record: &Record) -> EventTime {
        event_time(record.fact.at(), self.zone())
    }
}

/// Reads what relative rules need beside the facts of a range, of one item or of all: intakes before it, and the facts about slots on
/// either side of it that can be the turn of one in it.
pub(in crate::daemon) async fn chain_facts(
    reader: &Reader,
    plan: &Plan,
    item: Option<&ItemId>,
    (from, until): (Timestamp, Timestamp),
) -> Result<Vec<Arc<Record>>, StoreError> {
    let mut records = Vec::new();
    for id in plan.select(item) {
        let Some(half) = plan.half_step(id) else { continue };
        let names = plan.names(id);
        for item in names.iter().cloned() {
            let intakes = Query::Intakes { item, newest: NEWEST_INTAKES, before: from };
            records.extend(reader.records(intakes).await?);
        }
        let before = from.checked_sub(half).unwrap_or(Timestamp::MIN);
        let after = until.checked_add(half).unwrap_or(Timestamp::MAX);
        records.extend(reader.facts_for(before, from, Some(names.clone())).await?);
        records.extend(reader.facts_for(until, after, Some(names)).await?);
    }
    Ok(records)
}

/// Returns the instant that somebody means; a date is its midnight.
pub(in crate::daemon) fn instant(at: At, zone: &TimeZone, now: Timestamp) -> Result<Timestamp, String> {
    let today = zone.to_datetime(now).date();
    let local = |date: Date, time: Option<Time>| {
        let local = date.to_datetime(time.unwrap_or(Time::midnight()));
        zone.to_timestamp(local).map_err(|error| error.to_string())
    };
    match at {
        At::Instant(at) => Ok(at),
        At::Local(at) => local(at.date(), Some(at.time())),
        At::Date(date) => local(date, None),
        At::Time(time) => local(today, Some(time)),
        At::FromNow(length) => now.checked_add(length).map_err(|error| error.to_string()),
        At::Day(days, time) => local(days_from(today, days)?, time),
        At::Weekday(weekday, time) => {
            let days = today.weekday().until(weekday);
            local(days_from(today, if days == 0 { 7 } else { days.into() })?, time)
        }
    }
}

fn days_from(date: Date, days: i32) -> Result<Date, String> {
    date.checked_add(i64::from(days).days()).map_err(|error| error.to_string())
}

/// Returns when something happened, as exactly as it was given.
pub(in crate::daemon) fn when(at: At, plan: &Plan, now: Timestamp) -> Result<When, String> {
    let zone = plan.zones.zone_at(now);
    let today = plan.day_of(zone.to_datetime(now));
    match at {
        At::Date(date) => Ok(When::Date(date)),
        At::Day(days, None) => days_from(today, days).map(When::Date),
        At::Time(time) => {
            let of_today = instant(at, zone, now)?;
            if of_today.duration_since(now) <= CLOCKS_DISAGREE {
                return Ok(When::Instant(of_today));
            }
            // Late in the evening, said soon after midnight; else it is refused as one that is still to come.
            let of_yesterday = instant(At::Day(-1, Some(time)), zone, now)?;
            let is_recent = now.duration_since(of_yesterday) <= EVENING_BEFORE;
            Ok(When::Instant(if is_recent { of_yesterday } else { of_today }))
        }
        At::Weekday(weekday, None) if weekday == today.weekday() => {
            Err("that weekday is today: write `today`, or a date".to_owned())
        }
        At::Weekday(weekday, time) => {
            let back = i32::from(today.weekday().since(weekday));
            match time {
                None => days_from(today, -back).map(When::Date),
                Some(_) => {
                    let newest = instant(At::Day(-back, time), zone, now)?;
                    let is_to_come = newest.duration_since(now) > CLOCKS_DISAGREE;
                    let last = if is_to_come { instant(At::Day(-7, time), zone, now)? } else { newest };
                    Ok(When::Instant(last))
                }
            }
        }
        At::FromNow(_) => {
            // To the second: nobody means more.
            let at = instant(at, zone, now)?;
            Ok(When::Instant(Timestamp::from_second(at.as_second()).unwrap_or(at)))
        }
        At::Instant(_) | At::Local(_) | At::Day(_, Some(_)) => instant(at, zone, now).map(When::Instant),
    }
}

/// Returns an instant as responses write it.
pub(super) fn zoned(at: Timestamp, zone: &TimeZone) -> ZonedTime {
    Zoned::new(at, zone.clone()).into()
}

/// Returns when something happened as responses write it.
pub(super) fn event_time(at: When, zone: &TimeZone) -> EventTime {
    match at {
        When::Instant(at) => EventTime::Instant(zoned(at, zone)),
        When::Date(date) => EventTime::Day(date),
    }
}

/// Returns the zone in which an occurrence is shown: its own, or the clock's at that time.
pub(super) fn zone_of<'a>(planned: &'a Planned<'_>, plan: &'a Plan) -> &'a TimeZone {
    planned.regimen.item.zone.as_ref().unwrap_or_else(|| plan.zones.zone_at(planned.occurrence.at))
}
