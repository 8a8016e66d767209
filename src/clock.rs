//! The clock and the zone of this machine: the only place that asks for the time.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Returns the present instant.
    fn now(&self) -> Timestamp;
}

/// The clock of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // Whole milliseconds, cut off: what is written down stays readable, and never lies ahead.
        let now = Timestamp::now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }
}

/// Where the zone of the machine is set.
pub const LOCALTIME: &str = "/etc/localtime";

/// Returns the name and the rules of the zone that this machine's clock shows.
///
/// Read anew at every call: jiff keeps its own answer for minutes. `TZ` comes first, then
/// `/etc/localtime`; UTC where neither can be read.
#[must_use]
pub fn system_zone() -> (String, TimeZone) {
    let from_variable = std::env::var("TZ").ok().filter(|tz| !tz.is_empty());
    let candidates = match from_variable {
        Some(tz) => vec![tz.trim_start_matches(':').to_owned()],
        None => [linked_zone(Path::new(LOCALTIME)), named_zone(Path::new("/etc/timezone"))]
            .into_iter()
            .flatten()
            .collect(),
    };
    candidates
        .into_iter()
        .find_map(|name| {
            let zone = TimeZone::get(&name).or_else(|_| TimeZone::posix(&name)).ok()?;
            Some((zone.iana_name().unwrap_or(&name).to_owned(), zone))
        })
        .unwrap_or_else(|| ("UTC".to_owned(), TimeZone::UTC))
}

/// Returns the zone that a link into a zoneinfo directory names.
fn linked_zone(link: &Path) -> Option<String> {
    let target: PathBuf = std::fs::canonicalize(link).ok()?;
    let path = std::fs::read_link(link).unwrap_or(target);
    let path = path.to_str()?;
    path.split_once("zoneinfo/").map(|(_, name)| name.to_owned())
}

fn named_zone(file: &Path) -> Option<String> {
    std::fs::read_to_string(file).ok().map(|text| text.trim().to_owned()).filter(|name| !name.is_empty())
}
