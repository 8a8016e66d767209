//! What became of an item over a range of local dates.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::context::{QueryContext, QueryError};
use crate::core::insight::{self, DateRange, ItemHistory};
use crate::core::schedule::{ItemId, Plan};

/// The most slots of one item that an answer is made of; the plan itself expands a few days more than are asked for.
const MAX_SLOTS: u64 = 1_500_000;

/// Returns what became of an item over the local dates `[since, until)`, up to the end of today.
///
/// What lies further ahead is open and has no end; but what was entered for it ahead of its time belongs to the range.
pub(super) async fn item_history(
    context: &QueryContext,
    item: &ItemId,
    since: Date,
    until: Date,
) -> Result<ItemHistory, QueryError> {
    let end = until.min(context.today().saturating_add(1.day()));
    if end <= since {
        return Ok(ItemHistory::default());
    }
    let range = DateRange { since, until, from: context.midnight(since)?, to: context.midnight(end)? };
    check_slots(context, item, range.from, range.to)?;
    let ledger = context.ledger(range.from, range.to, Some(item)).await?;
    let (plan, item, now) = (context.plan.clone(), item.clone(), context.now);
    // Years of an item that comes every quarter of an hour take their time: not where reminders wait.
    tokio::task::spawn_blocking(move || insight::item_history(&plan, &ledger, &item, range, now))
        .await
        .map_err(|error| QueryError::Invalid(error.to_string()))
}

/// Refuses a range in which an item has more slots than one answer is made of.
fn check_slots(
    context: &QueryContext,
    item: &ItemId,
    from: Timestamp,
    until: Timestamp,
) -> Result<(), QueryError> {
    let slots = most_slots(&context.plan, context.zone(), item, from, until);
    if slots <= MAX_SLOTS {
        return Ok(());
    }
    Err(QueryError::TooLarge(format!(
        "`{item}` has {slots} planned times in that range; the limit of one answer is {MAX_SLOTS}: ask for a shorter time"
    )))
}

/// Returns a number of slots of `[from, until)` that an item's regimens together do not exceed.
fn most_slots(plan: &Plan, zone: &TimeZone, item: &ItemId, from: Timestamp, until: Timestamp) -> u64 {
    let day = |at: Timestamp| zone.to_datetime(at).date();
    let regimens = plan.regimens(item).iter().map(|regimen| {
        let begins = regimen.plans_from.max(from);
        let ends = regimen.closed.map_or(until, |closed| closed.min(until));
        if begins < ends { regimen.item.rule.most_slots(day(begins), day(ends)) } else { 0 }
    });
    regimens.sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::schedule::ZoneHistory;

    #[test]
    fn the_slots_of_every_regimen_in_the_range_are_counted() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let mut plan = Plan::new(ZoneHistory::fixed(TimeZone::UTC));
        let item = |keys: &str| {
            let text = format!("[[habit]]\nid = \"a\"\n{keys}\n");
            crate::adapters::config::parse(&text).unwrap().items.remove(0).0
        };
        plan.open(item("cron = \"* * * * *\""), at("2000-01-01T00:00:00Z"));
        plan.open(item("as-needed = true"), at("2010-01-01T00:00:00Z"));
        plan.open(item("every = \"1h\""), at("2020-01-01T00:00:00Z"));
        let id = "a".parse().unwrap();
        let slots = |from: &str, until: &str| most_slots(&plan, &TimeZone::UTC, &id, at(from), at(until));
        for (from, until, least) in [
            ("2000-01-01T00:00:00Z", "2000-01-02T00:00:00Z", 1440),
            ("1999-01-01T00:00:00Z", "2000-01-02T00:00:00Z", 1440),
            ("2000-01-01T00:00:00Z", "2003-01-01T00:00:00Z", 1096 * 1440),
            ("2009-12-31T00:00:00Z", "2020-01-02T00:00:00Z", 1440 + 24),
            ("2012-01-01T00:00:00Z", "2013-01-01T00:00:00Z", 0),
        ] {
            let found = slots(from, until);
            // The last day counts whole.
            assert!(least <= found && found <= least + 2 * 1440, "{from} {until}: {found}");
        }
    }
}
