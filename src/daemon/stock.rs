//! What is left of what is counted: read from the record, told with the day on which it runs out.

use jiff::Zoned;
use serde_json::{Value, json};
use tracing::debug;

use super::Daemon;
use super::event::Event;
use super::query::{Failure, Scene};
use crate::ledger::{Fact, Ledger, Record, doses_left, runs_out};
use crate::schedule::{ItemId, Plan};
use crate::store::{Question, Reader, StoreError};

impl Daemon {
    /// Counts anew what a fact may have changed, beside the daemon's task.
    pub(super) fn recount(&mut self, record: &Record) {
        let items = match &record.fact {
            Fact::Intake { item, .. } | Fact::Stock { item, .. } | Fact::Regimen { item, .. } => {
                vec![item.clone()]
            }
            Fact::Retraction { .. } => self.reminder.plan().items().cloned().collect(),
            _ => return,
        };
        for item in items.into_iter().filter(|item| self.reminder.plan().stock(item).is_some()) {
            self.counts += 1;
            let (count, learned) = (self.counts, self.learned.clone());
            let (plan, reader) = (self.reminder.plan().clone(), self.reader.clone());
            tokio::spawn(async move {
                match left(&reader, &plan, &item).await {
                    Ok(left) => {
                        let _ = learned.send(Event::Counted { item, left, count });
                    }
                    Err(error) => debug!(%error, "what is left could not be counted"),
                }
            });
        }
    }
}

/// Counts how many doses of an item are left.
pub(super) async fn left(reader: &Reader, plan: &Plan, item: &ItemId) -> Result<Option<u32>, StoreError> {
    Ok(doses_left(plan, &uses(reader, plan, item).await?, item))
}

async fn uses(reader: &Reader, plan: &Plan, item: &ItemId) -> Result<Ledger, StoreError> {
    let Some((from, _)) = plan.stock(item) else { return Ok(Ledger::default()) };
    reader.ledger(Question::Uses { item: item.clone(), from }).await
}

/// Tells what is left of each item whose stock is counted.
pub(super) async fn stock(scene: &Scene) -> Result<String, Failure> {
    let mut rows = Vec::new();
    for item in scene.plan.current_items() {
        let Some((_, stock)) = scene.plan.stock(&item.id) else { continue };
        let facts = uses(&scene.reader, &scene.plan, &item.id).await?;
        let Some(left) = doses_left(&scene.plan, &facts, &item.id) else { continue };
        let until = runs_out(&scene.plan, &facts, &item.id, left, scene.now);
        rows.push(json!({
            "item": item.id.as_str(),
            "name": item.name,
            "left": left,
            "refill_at": stock.refill_at,
            "low": left <= stock.refill_at,
            "runs_out": until.map(|until| Zoned::new(until, scene.zone().clone()).to_string()),
        }));
    }
    Ok(Value::Array(rows).to_string())
}
