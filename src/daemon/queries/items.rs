//! The items of the plan.

use super::context::{QueryContext, zoned};
use crate::protocol::PlannedItem;

/// The items that are in the schedule or were.
pub(in crate::daemon) fn items(context: &QueryContext) -> Vec<PlannedItem> {
    let plan = &context.plan;
    let known = plan.items().filter_map(|item| Some((plan.regimens(item).first()?, plan.newest(item)?)));
    known
        .map(|(first, newest)| PlannedItem {
            item: newest.item.id.to_string(),
            name: newest.item.name.clone(),
            counts_from: newest.anchor_day(),
            since: zoned(first.opened, context.zone()),
            ended: newest.closed.map(|closed| zoned(closed, context.zone())),
        })
        .collect()
}
