//! What happened, and what follows from it: facts, and the state of each occurrence.
//!
//! Pure. A state is always derived from facts and never stored; folding the same facts in any order,
//! any number of times, gives the same states.

mod fact;
mod fold;
mod timeline;

pub use fact::{Channel, CloseReason, Fact, FactId, ParseFactIdError, Record, When};
pub use fold::Ledger;
pub use timeline::{Line, Standing, State, standing, timeline};
