//! What the record shows, and what it cannot show.
//!
//! Pure. The rules and formulas are those of the project's domain page; every number can be null, which
//! says that there is nothing to count, and is never zero in its place.

mod adherence;

pub use adherence::{Adherence, Outcome, TIMING_WINDOW, Taken, measure, record, wilson};
