//! From facts to the plan: which regimens there have been.

use super::{Fact, Ledger, Record, When};
use crate::core::schedule::{Item, Plan, ZoneHistory};

/// Opens and closes regimens as they were recorded. `read` reads a definition back; where it cannot, the
/// regimen before it ends and none follows.
pub fn replay(
    ledger: &Ledger,
    zones: ZoneHistory,
    mut read: impl FnMut(&Record, &str) -> Option<Item>,
) -> Plan {
    let mut plan = Plan::new(zones);
    for record in ledger.plan_records() {
        let (Fact::Regimen { item, definition, .. }, When::Instant(at)) = (&record.fact, record.fact.at())
        else {
            continue;
        };
        match definition.as_deref().and_then(|definition| read(record, definition)) {
            Some(item) => plan.open(item, at),
            None => plan.close(item, at),
        }
    }
    plan
}
