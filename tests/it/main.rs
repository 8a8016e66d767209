//! The integration tests, in one binary: most drive the real program.

#![allow(
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
mod crash;
mod desktop;
mod doctor;
mod faults;
mod fuzz;
mod memory;
mod oracle;
mod peer;
mod presence;
mod routine;
mod servers;
mod service;
mod simulation;
mod socket;
mod statistics;
mod support;
mod texts;
mod tui;
