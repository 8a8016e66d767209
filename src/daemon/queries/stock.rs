//! What is left of what is counted, from the record, with the day on which it runs out.

use tracing::debug;

use super::context::{QueryContext, QueryError, zoned};
use crate::adapters::store::{Query, Reader, StoreError};
use crate::core::ledger::{Fact, Ledger, Record, StockLeft, is_low, runs_out, stock_left};
use crate::core::schedule::{ItemId, Plan, RefillAt};
use crate::daemon::Daemon;
use crate::daemon::event::Event;
use crate::protocol::StockLevel;

impl Daemon {
    /// Counts again what a fact may have changed, in tasks of their own.
    pub(in crate::daemon) fn recount(&mut self, record: &Record) {
        let items = match &record.fact {
            Fact::Intake { item, .. } | Fact::Stock { item, .. } | Fact::Regimen { item, .. } => {
                vec![item.clone()]
            }
            Fact::Retraction { .. } => self.reminder.plan().items().cloned().collect(),
            _ => return,
        };
        self.recount_items(items);
    }

    /// Counts everything again that is counted.
    pub(in crate::daemon) fn recount_all(&mut self) {
        self.recount_items(self.reminder.plan().items().cloned().collect());
    }

    fn recount_items(&mut self, items: Vec<ItemId>) {
        let plan = self.reminder.plan().clone();
        let counted =
            items.iter().map(|item| plan.current_id(item)).filter(|item| plan.stock(item).is_some());
        for item in counted.cloned() {
            let (count, events) = (self.recounts.start(), self.background.clone());
            let (plan, reader) = (plan.clone(), self.record.reader.clone());
            tokio::spawn(async move {
                match left(&reader, &plan, &item).await {
                    Ok(left) => {
                        let _ = events.send(Event::StockCounted { item, left, count });
                    }
                    Err(error) => debug!(%error, "what is left could not be counted"),
                }
            });
        }
    }
}

/// Counts how much of an item is left.
pub(in crate::daemon) async fn left(
    reader: &Reader,
    plan: &Plan,
    item: &ItemId,
) -> Result<Option<StockLeft>, StoreError> {
    Ok(stock_left(plan, &uses(reader, plan, item).await?, item))
}

async fn uses(reader: &Reader, plan: &Plan, item: &ItemId) -> Result<Ledger, StoreError> {
    let Some((from, _)) = plan.stock(item) else { return Ok(Ledger::default()) };
    reader.ledger(Query::Uses { items: plan.names(item), from }).await
}

/// What is left of each item whose stock is counted.
pub(in crate::daemon) async fn stock(context: &QueryContext) -> Result<Vec<StockLevel>, QueryError> {
    let mut levels = Vec::new();
    for item in context.plan.current_items() {
        let Some((_, stock)) = context.plan.stock(&item.id) else { continue };
        let facts = uses(&context.reader, &context.plan, &item.id).await?;
        let Some(left) = stock_left(&context.plan, &facts, &item.id) else { continue };
        let until = runs_out(&context.plan, &facts, &item.id, left, context.now);
        let unit = item.stock_unit();
        levels.push(StockLevel {
            item: item.id.to_string(),
            name: item.name.clone(),
            left: left.whole(),
            left_exactly: format!("{left} {}", unit.as_ref().map_or("doses", |unit| unit.plural())),
            unit: unit.as_ref().map(|unit| unit.as_str().to_owned()),
            refill_at: match stock.refill_at {
                RefillAt::Left(few) => few,
                RefillAt::Days(_) => 0,
            },
            refill_days: match stock.refill_at {
                RefillAt::Left(_) => None,
                RefillAt::Days(days) => Some(days),
            },
            low: is_low(stock.refill_at, left, until, context.now),
            expires: stock.expires,
            runs_out: until.map(|until| zoned(until, context.zone())),
        });
    }
    Ok(levels)
}
