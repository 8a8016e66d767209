//! What happened, and what follows from it: facts, and the state of each occurrence.
//!
//! Pure. A state is always derived from facts and never stored; folding the same facts in any order,
//! any number of times, gives the same states.

mod aim;
mod fact;
mod fold;
mod forget;
mod form_data;
mod history;
mod limit;
mod pauses;
mod replay;
mod revisions;
mod sent;
mod stock;
mod timeline;

pub use fact::{
    Channel, CloseReason, Fact, FactId, NamedZone, NotificationHandle, ParseFactIdError, Record, StockChange,
    When,
};
pub use fold::{Counted, Ledger, NEWEST_INTAKES};
pub use form_data::{CheckIn, Density, FormData, ParseFormDataError, Scan, ScanRegion, parse_score};
pub use limit::LimitUse;
pub use replay::replay;
pub use sent::Delivery;
pub use stock::{StockLeft, is_low, runs_out, stock_left};
pub use timeline::{
    MAX_SNOOZE_PAST_GRACE, OccurrenceStatus, State, Status, longest_open, status_of, timeline,
};

#[cfg(test)]
mod tests;
