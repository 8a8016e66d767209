//! What was taken of what was planned: each item over a range of local dates, and month by month.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;

use super::context::{QueryContext, QueryError};
use super::history::item_history;
use crate::adapters::http::MAX_RANGE_DAYS;
use crate::core::insight::{self, ItemHistory, SlotResult, TIMING_WINDOW, measure, target_progress};
use crate::core::schedule::{Item, ItemId, Kind, Product, Recurrence};
use crate::protocol::{self, Adherence, DayCoverage, DayState, MonthShare, TargetProgress};

/// How many days are looked back by default.
const DEFAULT_DAYS: i64 = 90;

/// Local dates `[since, until)`, seen from today.
#[derive(Clone, Copy)]
struct Days {
    since: Date,
    until: Date,
    today: Date,
}

/// Every measure of each item that has times, or of each group; what is taken as needed has only a count.
pub(in crate::daemon) async fn adherence(
    context: &QueryContext,
    since: Option<Date>,
    until: Option<Date>,
    item: Option<&ItemId>,
    by_group: bool,
) -> Result<Vec<Adherence>, QueryError> {
    if let Some(item) = item.filter(|item| context.plan.regimens(item).is_empty()) {
        return Err(QueryError::NotFound(format!("there is no item `{item}` in the schedule")));
    }
    let days = days_of(context, since, until)?;
    let mut rows = Vec::new();
    let mut groups: BTreeMap<&str, Group> = BTreeMap::new();
    for id in context.plan.select(item) {
        let history = item_history(context, id, days.since, days.until).await?;
        let Some(regimen) = context.plan.newest(id) else { continue };
        if history.occurrences.is_empty() && history.extra == 0 && regimen.closed.is_some() {
            // It left the schedule before the range.
            continue;
        }
        if by_group {
            groups.entry(group_of(&regimen.item)).or_default().add(id, history);
        } else {
            rows.push(of_item(context, &regimen.item, &history, days, item.is_some()));
        }
        tokio::task::yield_now().await;
    }
    rows.extend(groups.into_iter().map(|(name, group)| of_group(name, group, days)));
    Ok(rows)
}

fn days_of(context: &QueryContext, since: Option<Date>, until: Option<Date>) -> Result<Days, QueryError> {
    let today = context.today();
    // Today, too: what is still open in it does not count.
    let until = until.unwrap_or_else(|| today.saturating_add(1.day()));
    let since = since.unwrap_or_else(|| until.saturating_sub(DEFAULT_DAYS.days()));
    if until <= since {
        return Err(QueryError::Invalid(format!(
            "`until` ({until}) must be after `since` ({since}): the end is exclusive"
        )));
    }
    if since.until(until).map_or(i64::MAX, |days| i64::from(days.get_days())) > MAX_RANGE_DAYS {
        return Err(QueryError::Invalid(format!("the range is wider than {MAX_RANGE_DAYS} days")));
    }
    Ok(Days { since, until, today })
}

/// Several items, looked at as one.
#[derive(Default)]
struct Group {
    items: Vec<String>,
    occurrences: Vec<SlotResult>,
    extra: u32,
}

impl Group {
    fn add(&mut self, item: &ItemId, past: ItemHistory) {
        self.items.push(item.to_string());
        self.occurrences.extend(past.occurrences);
        self.extra += past.extra;
    }
}

/// Returns the group of an item: the one that the schedule names, else all of its kind.
fn group_of(item: &Item) -> &str {
    item.group.as_deref().unwrap_or(match item.kind {
        Kind::Supplement => "supplements",
        Kind::Habit => "habits",
        Kind::CheckIn => "check-ins",
        Kind::Scan => "scans",
    })
}

fn of_group(name: &str, mut group: Group, days: Days) -> Adherence {
    group.occurrences.sort_by_key(|result| result.date);
    Adherence {
        name: name.to_owned(),
        group: name.to_owned(),
        items: Some(group.items),
        ..measures(&group.occurrences, group.extra, days)
    }
}

fn of_item(
    context: &QueryContext,
    item: &Item,
    ItemHistory { occurrences, extra, entries }: &ItemHistory,
    days: Days,
    with_days: bool,
) -> Adherence {
    let target = item.target.as_ref().map(|target| {
        let since = days.since.max(context.first_day(&item.id));
        let progress = target_progress(target, entries, occurrences, since, days.until, days.today);
        TargetProgress {
            aim: target.to_string(),
            periods: progress.periods,
            reached: progress.reached,
            unmeasured: progress.unmeasured,
            unknown: progress.unknown,
            share: progress.share,
            total: progress.total.map(|total| total.to_string()),
        }
    });
    Adherence {
        item: Some(item.id.to_string()),
        kind: Some(item.kind.into()),
        name: item.name.clone(),
        group: group_of(item).to_owned(),
        product: item.product.non_empty().map(product),
        as_needed: matches!(item.rule.recurrence, Recurrence::AsNeeded),
        target,
        days: with_days.then(|| by_day(occurrences)),
        ..measures(occurrences, *extra, days)
    }
}

fn product(Product { strain, form, brand, batch }: &Product) -> protocol::Product {
    let [strain, form, brand, batch] = [strain, form, brand, batch].map(Clone::clone);
    protocol::Product { strain, form, brand, batch }
}

fn measures(occurrences: &[SlotResult], extra: u32, days: Days) -> Adherence {
    let measured = measure(occurrences, extra, TIMING_WINDOW);
    Adherence {
        from: days.since,
        until: days.until,
        planned: measured.planned,
        eligible: measured.eligible,
        taken: measured.taken,
        partial: measured.partial,
        skipped: measured.skipped,
        missed: measured.missed,
        unknown: measured.unknown,
        excused: measured.excused,
        extra: measured.extra,
        late: measured.late,
        doses_taken_share: measured.doses_taken_share,
        taking_raw: measured.taking_raw,
        days_fully_covered: measured.days_fully_covered,
        days_any_dose: measured.days_any_dose,
        days_covered_fraction: measured.days_covered_fraction,
        timing_share: measured.timing_share,
        timing_window_minutes: TIMING_WINDOW.as_mins(),
        bounds: measured.bounds,
        interval: measured.interval,
        streak: measured.streak,
        longest_streak: measured.longest_streak,
        of_the_last: measured.of_the_last,
        months: by_month(occurrences),
        ..Adherence::default()
    }
}

/// Returns each day on which something was planned: all of it, some or none taken, open, or not known.
fn by_day(occurrences: &[SlotResult]) -> Vec<DayCoverage> {
    let days = occurrences.chunk_by(|a, b| a.date == b.date).filter_map(|of| {
        let state = match measure(of, 0, TIMING_WINDOW) {
            _ if of.iter().any(SlotResult::is_open) => DayState::Open,
            insight::Adherence { eligible: 0, .. } => DayState::Excused,
            insight::Adherence { taken, eligible, .. } if taken == eligible => DayState::All,
            insight::Adherence { taken: 0, partial: 0, unknown: 1.., .. } => DayState::Unknown,
            insight::Adherence { taken: 0, partial: 0, .. } => DayState::None,
            _ => DayState::Some,
        };
        Some(DayCoverage { date: of.first()?.date, state })
    });
    days.collect()
}

/// Returns each month's share, oldest first.
fn by_month(occurrences: &[SlotResult]) -> Vec<MonthShare> {
    let by_month = occurrences.chunk_by(|a, b| a.date.first_of_month() == b.date.first_of_month());
    let months = by_month.filter_map(|of| {
        let measured = measure(of, 0, TIMING_WINDOW);
        Some(MonthShare {
            month: of.first()?.date.strftime("%Y-%m").to_string(),
            eligible: measured.eligible,
            taken: measured.taken,
            share: measured.doses_taken_share,
        })
    });
    months.collect()
}
