//! What was taken of what was planned: each item over a range of local dates, and month by month.

use std::collections::BTreeMap;
use std::pin::pin;

use futures_util::StreamExt;
use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::months::Months;
use super::query::{Failure, Scene};
use crate::api::MAX_RANGE_DAYS;
use crate::insight::{Adherence, Past, TIMING_WINDOW, Taken, measure, reached};
use crate::schedule::{Item, ItemId, Kind, Product, Quantity, Recurrence};

/// How many days are looked back when nobody says.
const DEFAULT_DAYS: i64 = 90;

/// Tells every measure of each item that has times, or of each group; what is taken as needed has only a count.
pub(super) async fn adherence(
    scene: &Scene,
    since: Option<Date>,
    until: Option<Date>,
    item: Option<&ItemId>,
    by_group: bool,
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
    let items: Vec<&ItemId> = scene.plan.chosen(item).collect();
    let months = Months::of(scene, since, until)?;
    let days = (since, until, scene.today());
    let mut rows = Vec::new();
    let mut groups: BTreeMap<&str, Group> = BTreeMap::new();
    let mut pasts = pin!(months.pasts(&items));
    for id in &items {
        let Some(past) = pasts.next().await.transpose()? else { break };
        let Some(regimen) = scene.plan.newest(id) else { continue };
        if past.occurrences.is_empty() && past.extra == 0 && regimen.closed.is_some() {
            // Long out of the schedule.
            continue;
        }
        if by_group {
            groups.entry(group_of(&regimen.item)).or_default().add(id, past);
        } else {
            rows.push(of_item(scene, &regimen.item, &past, days, item.is_some()));
        }
        tokio::task::yield_now().await;
    }
    rows.extend(groups.into_iter().map(|(name, group)| of_group(name, group, days)));
    Ok(Value::Array(rows).to_string())
}

/// Several items, looked at as one.
#[derive(Default)]
struct Group {
    items: Vec<String>,
    occurrences: Vec<Taken>,
    extra: u32,
}

impl Group {
    fn add(&mut self, item: &ItemId, past: Past) {
        self.items.push(item.to_string());
        self.occurrences.extend(past.occurrences);
        self.extra += past.extra;
    }
}

/// Returns the group of an item: the one that the schedule names, else all of its kind.
fn group_of(item: &Item) -> &str {
    item.extras().group.as_deref().unwrap_or(match item.kind {
        Kind::Supplement => "supplements",
        Kind::Habit => "habits",
        Kind::CheckIn => "check-ins",
        Kind::Scan => "scans",
    })
}

fn of_group(name: &str, mut group: Group, (since, until, _): (Date, Date, Date)) -> Value {
    group.occurrences.sort_by_key(|taken| taken.date);
    let mut row = measures(&group.occurrences, group.extra, since, until);
    row["group"] = name.into();
    row["name"] = name.into();
    row["items"] = group.items.into();
    row["as_needed"] = false.into();
    row
}

fn of_item(
    scene: &Scene,
    item: &Item,
    Past { occurrences, extra, entries }: &Past,
    (since, until, today): (Date, Date, Date),
    with_days: bool,
) -> Value {
    let mut row = measures(occurrences, *extra, since, until);
    row["item"] = item.id.as_str().into();
    row["kind"] = item.kind.as_str().into();
    row["name"] = item.name.clone().into();
    row["group"] = group_of(item).into();
    row["product"] = item.product.as_deref().map(product).into();
    row["as_needed"] = matches!(item.rule.recurrence, Recurrence::AsNeeded).into();
    row["target"] = match item.extras().target {
        Some(target) => {
            let since = since.max(scene.first_day(&item.id));
            let reached = reached(target, entries, occurrences, since, until, today);
            json!({
                "aim": target.to_string(),
                "periods": reached.periods,
                "reached": reached.reached,
                "unmeasured": reached.unmeasured,
                "unknown": reached.unknown,
                "share": reached.share,
                "total": reached.total.map(|value| Quantity { value, unit: target.amount.unit }.to_string()),
            })
        }
        None => Value::Null,
    };
    if with_days {
        row["days"] = days(occurrences);
    }
    row
}

fn product(product: &Product) -> Value {
    json!({ "strain": product.strain, "form": product.form, "brand": product.brand, "batch": product.batch })
}

fn measures(occurrences: &[Taken], extra: u32, since: Date, until: Date) -> Value {
    let mut row = row(&measure(occurrences, extra, TIMING_WINDOW));
    row["from"] = since.to_string().into();
    row["until"] = until.to_string().into();
    row["timing_window_minutes"] = TIMING_WINDOW.as_mins().into();
    row["months"] = months(occurrences);
    row
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
        "late": measured.late,
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
