//! What dosed knows and decides, pure: no I/O, no clock, no async, no formats; `now` is an argument.

pub mod insight;
pub mod ledger;
pub mod reminder;
pub mod schedule;
pub mod text;
