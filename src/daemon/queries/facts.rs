//! The facts of a range, as the journal has them.

use jiff::Timestamp;

use super::context::{QueryContext, QueryError, instant};
use crate::adapters::http::RawJson;
use crate::adapters::store::{HistoryQuery, MAX_FACTS, Range};
use crate::core::schedule::ItemId;
use crate::protocol::{At, HistoryFact};

/// The facts of a range of local time, in the order in which they were recorded, each as the journal has it and
/// with what became of it.
pub(in crate::daemon) async fn facts(
    context: &QueryContext,
    since: Option<At>,
    until: Option<At>,
    item: Option<ItemId>,
    limit: Option<usize>,
) -> Result<RawJson<Vec<HistoryFact>>, QueryError> {
    let zone = context.zone();
    let bound = |at: Option<At>, open: Timestamp| {
        at.map_or(Ok(open), |at| instant(at, zone, context.now)).map_err(QueryError::Invalid)
    };
    let (from, to) = (bound(since, Timestamp::MIN)?, bound(until, Timestamp::MAX)?);
    let items = item.map(|item| context.plan.names(&item));
    let local = |at: Option<At>, instant| at.map(|_| zone.to_datetime(instant));
    let lines = context.reader.history(HistoryQuery {
        range: Range { from, until: to, items, most: MAX_FACTS },
        local: (local(since, from), local(until, to)),
        zone: zone.clone(),
        limit,
    });
    Ok(RawJson::new(format!("[{}]", lines.await?)))
}
