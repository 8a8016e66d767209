//! The recurrence engine against code that others wrote.
//!
//! Three oracles, none of which shares a line with the engine:
//!
//! * Python's `zoneinfo` says when every half hour round every change of every zone's clocks is due.
//!   It reads the same time zone database as jiff, so what is compared is the reading and the rule
//!   (RFC 5545: shift forward in a gap, the first in an overlap), not the data.
//! * python-dateutil's `rrule` (iCalendar's rules) expands some hundred random rules in UTC.
//! * `systemd-analyze calendar` expands calendar expressions, equal to `days`, `times` and cron patterns.
//!
//! They run as programs; where one is missing the test fails and says which package has it.
//!
//! # Where the schedule means something else
//!
//! Each line has a test below that pins both answers.
//!
//! | rule | the oracle | here | why |
//! |---|---|---|---|
//! | every month from the 31st | dateutil and systemd leave out months without a 31st | the month's last day | a check-in must not be lost |
//! | every year from 29 February | dateutil: leap years only | 28 February in common years | as above |
//! | a time in a gap | systemd leaves the day out; dateutil's zones shift it back, to before its time | shifts forward, once | RFC 5545; a supplement must not be dropped once a year |
//! | `every = "7 days"` with `days` | dateutil, `FREQ=DAILY;INTERVAL=7`: only days that are both | one week: all of `days`, every week | what is meant; the other reading is mostly empty |
//! | the first day of a week | iCalendar: `WKST`, any | Monday, `WKST=MO`, iCalendar's default | one meaning without a key for it |
//! | cron, day of the month and weekday both given | systemd: both must hold | either, as cron always did | the pattern is cron's |
//! | cron, `*/2` as the day of the month beside a weekday | Vixie cron: begins with `*`, so both must hold | either, only `*` alone leaves a field open | croner reads it so |
//! | `Sat..Tue` | systemd refuses it | goes round the end of the week | as people mean it |
//! | cron, `5/15` | systemd: from 5 on; cron: each its own way | refused: `5-59/15` says it | no two programs agree |

mod dateutil;
mod systemd;
mod zones;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use dosed::core::schedule::{Item, ItemId, NoHistory, Plan, ZoneHistory};
use jiff::civil::{Date, DateTime, Weekday, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::support::SplitMix64;
use serde_json::Value;

/// A slot: when it is due, and the local time that it is planned at.
type Due = (Timestamp, DateTime);

/// Reads one item, as the daemon would read it.
#[track_caller]
fn item(id: &str, keys: &str) -> Item {
    let text = format!("[[habit]]\nid = \"{id}\"\n{keys}\n");
    let mut items =
        dosed::adapters::config::parse(&text).unwrap_or_else(|problems| panic!("{text}{problems:?}")).items;
    items.remove(0).0
}

fn due(plan: &Plan, id: &ItemId, from: Timestamp, until: Timestamp) -> Vec<Due> {
    let planned = plan.occurrences(id, &NoHistory, from, until);
    planned.into_iter().map(|planned| (planned.occurrence.at, planned.occurrence.id.slot.written())).collect()
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn utc(local: DateTime) -> Timestamp {
    TimeZone::UTC.to_timestamp(local).unwrap()
}

/// Returns the local times in UTC that a rule plans in `[from, until)`.
#[track_caller]
fn slots(keys: &str, opened: DateTime, from: DateTime, until: DateTime) -> Vec<DateTime> {
    let item = item("oracle", keys);
    let id = item.id.clone();
    let mut plan = Plan::new(ZoneHistory::fixed(TimeZone::UTC));
    // An edit of an item that was as needed: a new item would be planned from its first day on.
    plan.open(self::item("oracle", "as-needed = true"), utc(opened) - jiff::SignedDuration::from_secs(1));
    plan.open(item, utc(opened));
    due(&plan, &id, utc(from), utc(until)).into_iter().map(|(_, local)| local).collect()
}

fn local(text: &str) -> DateTime {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn locals(texts: &[&str]) -> Vec<DateTime> {
    texts.iter().map(|text| local(text)).collect()
}

/// Fails with the first slot that only one side has.
#[track_caller]
fn compare<T: PartialEq + std::fmt::Debug>(what: impl Fn() -> String, got: &[T], expected: &[T]) {
    if got != expected {
        let i = got.iter().zip(expected).take_while(|(got, expected)| got == expected).count();
        panic!(
            "{}\nslot {i}: expected {:?}, got {:?} ({} expected, {} got)",
            what(),
            expected.get(i),
            got.get(i),
            expected.len(),
            got.len()
        );
    }
}

fn script(python: &str, name: &str) -> Command {
    let mut command = Command::new(python);
    command.arg(format!("{}/tests/oracles/{name}", env!("CARGO_MANIFEST_DIR")));
    command
}
