//! The items of the plan.

use super::context::{QueryContext, QueryError, zoned};
use crate::adapters::store::Query;
use crate::core::ledger::{Ledger, LimitUse, Record};
use crate::core::schedule::{Amount, Item, Recurrence};
use crate::protocol::{LimitStatus, PlannedItem};

/// The items that are in the schedule or were.
pub(in crate::daemon) async fn items(context: &QueryContext) -> Result<Vec<PlannedItem>, QueryError> {
    let plan = &context.plan;
    let mut items = Vec::new();
    for id in plan.items() {
        let (Some(first), Some(newest)) = (plan.regimens(id).first(), plan.newest(id)) else { continue };
        let item = &newest.item;
        let as_needed = matches!(item.rule.recurrence, Recurrence::AsNeeded);
        let dose = item.dose_on(context.today());
        let taken =
            if as_needed || item.limit.is_some() { taken(context, item).await? } else { Ledger::default() };
        let last = plan
            .names(id)
            .iter()
            .flat_map(|name| taken.intake_records(name))
            .max_by_key(|record| (record.latest_instant(&plan.zones), record.recorded_at));
        items.push(PlannedItem {
            item: item.id.to_string(),
            name: item.name.clone(),
            counts_from: newest.anchor_day(),
            since: zoned(first.opened, context.zone()),
            ended: newest.closed.map(|closed| zoned(closed, context.zone())),
            dose: dose.map(ToString::to_string),
            asks_amount: item.asks_amount(dose),
            as_needed,
            last: last.map(|record: &Record| context.time_of(record)),
            limit: LimitUse::until(plan, &taken, id, context.now).map(|used| limit(context, &used, dose)),
        });
    }
    Ok(items)
}

/// Reads the newest intakes of an item, and all that count towards its limit.
async fn taken(context: &QueryContext, item: &Item) -> Result<Ledger, QueryError> {
    let mut ledger = Ledger::default();
    let within = item.limit.as_ref().map(|limit| limit.within).unwrap_or_default();
    let before = context.now.checked_sub(within).unwrap_or(jiff::Timestamp::MIN);
    for item in context.plan.names(&item.id) {
        ledger.extend(context.reader.records(Query::Intakes { item, newest: 1, before }).await?);
    }
    Ok(ledger)
}

fn limit(context: &QueryContext, used: &LimitUse, dose: Option<&Amount>) -> LimitStatus {
    let exceeding = dose.filter(|dose| used.would_exceed(dose));
    LimitStatus {
        limit: used.limit.to_string(),
        taken: used.taken.to_string(),
        left: used.left().map(|left| left.to_string()),
        is_next_within: exceeding.is_none(),
        next_within_at: exceeding.and_then(|dose| used.free_at(dose)).map(|at| zoned(at, context.zone())),
    }
}
