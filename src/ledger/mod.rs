//! What happened, and what follows from it: facts, and the state of each occurrence.
//!
//! Pure. A state is always derived from facts and never stored; folding the same facts in any order,
//! any number of times, gives the same states.

mod details;
mod fact;
mod fold;
mod replay;
mod stock;
mod timeline;

pub use details::{CheckIn, Density, Details, ParseDetailsError, Region, Scan};
pub use fact::{Channel, CloseReason, Fact, FactId, ParseFactIdError, Place, Record, StockChange, When};
pub use fold::{Ledger, NEWEST_INTAKES};
pub use replay::replay;
pub use stock::{doses_left, runs_out};
pub use timeline::{Line, MAX_SNOOZE_PAST_GRACE, Standing, State, longest_open, standing, timeline};
