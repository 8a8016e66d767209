//! What the record shows, and what it cannot show.
//!
//! Pure. The rules and formulas are those of the project's domain page; every number can be null, which
//! says that there is nothing to count, and is never zero in its place.

mod adherence;
mod associations;
mod caveats;
mod co_occurrence;
mod form;
mod item_history;
mod scans;
mod series;
mod stats;
mod target;

pub use adherence::{Adherence, SlotResult, TIMING_WINDOW, measure, occurrences, wilson};
pub use associations::{Association, Insight, associations, composite};
pub use caveats::variance_inflation;
pub use co_occurrence::{CoOccurrence, DayOutcomes, all_done_days, co_occurrences, day_outcomes};
pub use form::{
    CHANGED, CLEAR_CHANGE, CheckInForm, FORM, HIGHEST, LANGUAGE, QUESTIONS, SCAN_QUESTIONS, SHORT_FORM,
    form_of, form_values, is_shipped, parse_check_in, parse_scan, same_series,
};
pub use item_history::{DateRange, ItemHistory, item_history};
pub use scans::{
    Change, Slope, are_comparable, compare, default_lsc, differing_fields, least_significant_change,
    precision_error, precision_error_of, slope,
};
pub use series::{Exposure, MIN_CHECK_INS, QuestionSeries};
pub use stats::{
    Method, SEED, SplitMix64, circular_shift_p, detrended, effective_n, holm, rho, tau_b, tau_b_p, theil_sen,
};
pub use target::{HabitEntry, TargetProgress, entries, target_progress};
