//! dosed reminds a person at dose time, records what they answered so that it cannot be lost, and shows
//! what their own record says.
//!
//! # Layout
//!
//! Arrows point down this list and never up; a test reads the sources.
//!
//! * [`cli`] and [`tui`]: the person's side. They speak `protocol` and never reach into the daemon.
//! * [`daemon`]: the one task that owns everything that changes.
//! * [`client`]: the socket client that the person's side shares.
//! * [`adapters`]: one technology each, none knows another but for the clock.
//! * [`present`], pure: from protocol types to text, tables, pictures and the report.
//! * [`core`], pure: what is planned, what happened, what to do now, what the record shows.
//! * [`process`]: what a process needs and no room owns.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests may ask the clock and the environment"))]

pub mod adapters;
pub mod cli;
pub mod client;
pub mod core;
pub mod daemon;
pub mod present;
pub mod process;
pub mod protocol;
pub mod tui;
