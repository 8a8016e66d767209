//! What the record shows, and what it cannot show.
//!
//! Pure. The rules and formulas are those of the project's domain page; every number can be null, which
//! says that there is nothing to count, and is never zero in its place.

mod adherence;
mod associations;
mod form;
mod limits;
mod past;
mod scans;
mod stats;
mod target;
mod together;

pub use adherence::{Adherence, TIMING_WINDOW, Taken, measure, occurrences, wilson};
pub use associations::{Answers, Exposure, Insight, NEEDED, Pair, associations, composite};
pub use form::{
    CHANGED, CLEAR_CHANGE, FORM, Form, HIGHEST, LANGUAGE, QUESTIONS, SCAN_QUESTIONS, SHORT_FORM,
    are_one_series, as_given, check_in, form_of, is_shipped, scan,
};
pub use limits::variance_inflation;
pub use past::{Past, Stretch, past};
pub use scans::{
    Change, Slope, are_comparable, compare, default_lsc, least_significant_change, precision_error,
    precision_error_of, slope,
};
pub use stats::{
    Lot, Method, SEED, circular_shift_p, detrended, effective_n, holm, rho, tau_b, tau_b_p, theil_sen,
};
pub use target::{Entry, Reached, entries, reached};
pub use together::{Days, Pair as Together, all_together, decided_days, together};
