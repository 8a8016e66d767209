//! What was taken of what was planned: each item over a range of local dates, and month by month.

use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::query::{Failure, Scene, instant};
use crate::api::{At, MAX_RANGE_DAYS};
use crate::insight::{Adherence, TIMING_WINDOW, Taken, measure, record};
use crate::schedule::{ItemId, Recurrence};

/// How many days are looked back when nobody says.
const DEFAULT_DAYS: i64 = 90;

/// Tells every measure of each item that has times; what is taken as needed has only a count.
pub(super) async fn adherence(
    scene: &Scene,
    since: Option<Date>,
    until: Option<Date>,
    item: Option<&ItemId>,
) -> Result<String, Failure> {
    if let Some(item) = item.filter(|item| scene.plan.regimens(item).is_empty()) {
        return Err(Failure::Unknown(format!("there is no item `{item}` in the schedule")));
    }
    // Today, too: what is still open in it does not count.
    let until = until.unwrap_or_else(|| scene.today().saturating_add(1.day()));
    let since = since.unwrap_or_else(|| until.saturating_sub(DEFAULT_DAYS.days()));
    if until <= since {
        return Err(Failure::Asked(format!("there is no day from {since} until {until}, itself left out")));
    }
    if since.until(until).map_or(i64::MAX, |days| i64::from(days.get_days())) > MAX_RANGE_DAYS {
        return Err(Failure::Asked(format!("the range is wider than {MAX_RANGE_DAYS} days")));
    }
    let at = |date| instant(At::Date(date), scene.zone(), scene.now).map_err(Failure::Asked);
    // What lies further ahead is open, and there is no end of it.
    let (from, to) = (at(since)?, at(until.min(scene.today().saturating_add(1.day())).max(since))?);
    let ledger = scene.ledger(from, to, item).await?;
    let mut rows = Vec::new();
    for id in scene.plan.items().filter(|id| item.is_none_or(|item| item == *id)) {
        let Some(regimen) = scene.plan.newest(id) else { continue };
        let (occurrences, extra) = record(&scene.plan, &ledger, id, from, to, scene.now);
        if occurrences.is_empty() && extra == 0 && regimen.closed.is_some() {
            // Long out of the schedule.
            continue;
        }
        let measured = measure(&occurrences, extra, TIMING_WINDOW);
        let mut row = row(&measured);
        row["item"] = id.as_str().into();
        row["kind"] = regimen.item.kind.as_str().into();
        row["name"] = regimen.item.name.clone().into();
        row["from"] = since.to_string().into();
        row["until"] = until.to_string().into();
        row["as_needed"] = matches!(regimen.item.rule.recurrence, Recurrence::AsNeeded).into();
        row["timing_window_minutes"] = TIMING_WINDOW.as_mins().into();
        row["months"] = months(&occurrences);
        if item.is_some() {
            row["days"] = days(&occurrences);
        }
        rows.push(row);
        tokio::task::yield_now().await;
    }
    Ok(Value::Array(rows).to_string())
}

fn row(measured: &Adherence) -> Value {
    json!({
        "planned": measured.planned,
        "eligible": measured.eligible,
        "taken": measured.taken,
        "partial": measured.partial,
        "skipped": measured.skipped,
        "missed": measured.missed,
        "unknown": measured.unknown,
        "excused": measured.excused,
        "extra": measured.extra,
        "doses_taken_share": measured.doses_taken_share,
        "taking_raw": measured.taking_raw,
        "days_fully_covered": measured.days_fully_covered,
        "days_any_dose": measured.days_any_dose,
        "days_covered_fraction": measured.days_covered_fraction,
        "timing_share": measured.timing_share,
        "bounds": measured.bounds,
        "interval": measured.interval,
        "streak": measured.streak,
        "longest_streak": measured.longest_streak,
        "of_the_last": measured.of_the_last,
    })
}

/// Tells each day on which something was planned: all of it, some or none taken, open, or not known.
fn days(occurrences: &[Taken]) -> Value {
    let by_day = occurrences.chunk_by(|a, b| a.date == b.date);
    let day = |of: &[Taken]| {
        let measured = measure(of, 0, TIMING_WINDOW);
        let state = match measured {
            _ if of.iter().any(Taken::is_open) => "open",
            Adherence { eligible: 0, .. } => "excused",
            Adherence { taken, eligible, .. } if taken == eligible => "all",
            Adherence { taken: 0, partial: 0, unknown: 1.., .. } => "unknown",
            Adherence { taken: 0, partial: 0, .. } => "none",
            _ => "some",
        };
        json!({ "date": of.first().map(|taken| taken.date.to_string()), "state": state })
    };
    Value::Array(by_day.map(day).collect())
}

/// Tells each month's share, oldest first.
fn months(occurrences: &[Taken]) -> Value {
    let by_month = occurrences.chunk_by(|a, b| a.date.first_of_month() == b.date.first_of_month());
    let month = |of: &[Taken]| {
        let measured = measure(of, 0, TIMING_WINDOW);
        let name = of.first().map(|taken| taken.date.strftime("%Y-%m").to_string());
        json!({
            "month": name,
            "eligible": measured.eligible,
            "taken": measured.taken,
            "share": measured.doses_taken_share,
        })
    };
    Value::Array(by_month.map(month).collect())
}
