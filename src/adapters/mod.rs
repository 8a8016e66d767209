//! One technology each; no adapter knows another but for the clock.

pub mod agenda;
pub mod channels;
pub mod clock;
pub mod config;
pub mod desktop;
pub mod file_watch;
pub mod http;
pub mod presence;
pub mod service_manager;
pub mod store;
pub mod terminal;
