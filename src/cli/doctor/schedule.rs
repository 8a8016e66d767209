//! Examines the schedule: the file, its items, and the secrets that its channels name.

use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Finding;
use crate::adapters::config::{self, ConfigError};
use crate::core::schedule::{NoHistory, Plan, Schedule, ZoneHistory};
use crate::present;

pub(super) fn check_schedule(path: &Path, findings: &mut Vec<Finding>) -> Option<Schedule> {
    match config::load(path) {
        Ok(schedule) => {
            findings.push(Finding::good("schedule", present::count(schedule.items.len() as u64, "item")));
            Some(schedule)
        }
        Err(error) => {
            let help = match &error {
                ConfigError::Invalid { .. } => "`dosed check` shows each error with its line",
                _ if path.symlink_metadata().is_err() => {
                    "restore it; where nothing is recorded yet, `dosed daemon` writes a first one"
                }
                ConfigError::TooLarge { .. } => "give dosed the path of the schedule with `--schedule`",
                ConfigError::Read { .. } => "make it a file that you can read",
            };
            findings.push(Finding::bad("schedule", error.to_string(), help));
            None
        }
    }
}

/// Looks for items that have times and never fire.
pub(super) fn check_items(schedule: &Schedule, zone: TimeZone, now: Timestamp) -> Finding {
    let mut plan = Plan::new(ZoneHistory::fixed(zone));
    for (item, _) in &schedule.items {
        plan.open(item.clone(), now);
    }
    let never: Vec<&str> = schedule
        .items
        .iter()
        .map(|(item, _)| item)
        .filter(|item| item.rule.has_slots() && plan.next_after(&item.id, &NoHistory, now).is_none())
        .map(|item| item.id.as_str())
        .collect();
    if never.is_empty() {
        return Finding::good("items", "every item with times has a next occurrence");
    }
    Finding::bad(
        "items",
        format!("never due again: {}", never.join(", ")),
        "check `until` and `cron`, or remove them from the schedule",
    )
}
