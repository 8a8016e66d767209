//! The integration tests, in one binary: most drive the real program.
//!
//! `cargo test` runs what needs nothing but cargo. A test that needs a program which not every machine has, or root, is
//! marked `#[ignore = "needs dunst Xvfb"]`: `tests/run` reads these words, and runs it where there is all of them. A new
//! word belongs into the table of `tests/run`.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::struct_excessive_bools,
    clippy::cast_precision_loss,
    clippy::unused_self,
    clippy::format_collect,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "a test may panic, and its numbers are small"
)]

mod answers;
mod architecture;
mod channels;
mod commands;
mod compatibility;
mod crash;
mod desktop;
mod doctor;
mod editing;
mod faults;
mod fuzz;
mod gnome;
mod history;
mod journals;
mod limits;
mod lives;
mod mako;
mod ntfy;
mod oracle;
mod peer;
mod phone;
mod presence;
mod reference;
mod restart;
mod routine;
mod schedule_file;
mod servers;
mod service;
mod simulation;
mod socket;
mod statistics;
mod support;
mod texts;
mod texts_snapshots;
mod tui;
mod zone;
