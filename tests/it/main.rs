//! The integration tests, in one binary: most drive the real program.

mod architecture;
mod commands;
mod crash;
mod desktop;
mod service;
mod socket;
mod support;
