//! The clock and the zone of this machine: the only place that asks for the time.

#![expect(clippy::disallowed_methods, reason = "clock, zone and `TZ` are read here")]

mod zone;

use std::path::Path;

use jiff::Timestamp;

pub use zone::{SystemZone, ZoneError};

/// A source of the present time.
pub trait Clock: Send + Sync {
    /// Returns the present instant.
    fn now(&self) -> Timestamp;
}

/// The clock of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // Cut to whole milliseconds: what is recorded stays readable, and is never in the future.
        let now = Timestamp::now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }
}

/// The file that sets the zone of the machine.
pub const LOCALTIME: &str = "/etc/localtime";

/// Returns the zone of this machine, read at every call: jiff caches its own result for minutes.
///
/// # Errors
///
/// Neither `TZ` nor the files of the machine name a zone that can be read.
pub fn system_zone() -> Result<SystemZone, ZoneError> {
    zone::detect(std::env::var_os("TZ").as_deref(), Path::new("/"))
}
