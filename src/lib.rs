//! dosed reminds a person at dose time, records what they answered so that it cannot be lost, and shows
//! what their own record says.
//!
//! # Layout
//!
//! * Core, pure: [`schedule`] (what is planned), [`ledger`] (what happened), [`reminder`] (what to do now),
//!   [`insight`] (what the record shows).
//!   No clock, no files, no formats; `now` is an argument. They take facts and return actions.
//! * Adapters, each hiding one technology and knowing no other: [`config`] (TOML), [`clock`], [`watch`]
//!   (inotify), [`agenda`] (tokio-cron-scheduler), [`store`] (journal and sled), [`desktop`] (notifications), [`presence`] (logind), [`channel`]
//!   (programs, webhooks, phones), [`terminal`], [`api`] (HTTP).
//! * Shell: [`daemon`] owns the one task that owns everything that changes. [`client`], [`run`], [`cli`],
//!   [`answer`], [`tui`], [`form`], [`demo`], [`doctor`], [`setup`], [`paths`] and [`render`] are the side of the commands.
//!
//! `schedule <- ledger <- reminder <- daemon -> adapters`, `schedule, ledger <- insight`, never the reverse; a test reads the sources.

pub mod agenda;
mod anew;
pub mod answer;
pub mod api;
pub mod channel;
pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod demo;
pub mod desktop;
pub mod doctor;
mod failpoints;
pub mod form;
pub mod insight;
pub mod ledger;
pub mod panics;
pub mod paths;
pub mod presence;
pub mod programs;
pub mod reminder;
pub mod render;
pub mod run;
pub mod schedule;
pub mod setup;
pub mod store;
pub mod terminal;
pub mod tui;
pub mod watch;
