//! How the daemon is, and what a test of the channels gave.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::occurrences::Occurrence;
use super::times::ZonedTime;

/// How the daemon, the notification server, the journal and the database are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Status {
    /// The daemon's version.
    pub version: String,
    /// The daemon's process.
    pub pid: u32,
    /// Now.
    pub now: ZonedTime,
    /// When the daemon was started.
    pub started_at: ZonedTime,
    /// The zone that the machine's clock shows.
    pub zone: String,
    /// Why the machine's zone cannot be read; then `zone` is the last recorded one, or UTC.
    pub zone_error: Option<String>,
    /// Whether the record is a demo.
    #[serde(rename = "made_up")]
    pub is_demo: bool,
    /// The schedule that runs.
    pub schedule: ScheduleStatus,
    /// The notification server.
    pub notifications: Notifications,
    /// The channels beyond the desktop.
    pub channels: Vec<ChannelStatus>,
    /// Whether the person can see what is shown.
    pub person: Presence,
    /// The newest answer.
    pub last: Option<LastAnswer>,
    /// The next occurrence.
    pub next: Option<NextOccurrence>,
    /// The pauses that run or are planned.
    #[serde(default)]
    pub pauses: Vec<PauseStatus>,
    /// The journal of this device.
    pub journal: JournalStatus,
    /// The database.
    pub database: DatabaseStatus,
}

/// A pause that runs or is planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PauseStatus {
    /// Of which item; of all where there is none.
    pub item: Option<String>,
    /// From when on.
    pub from: ZonedTime,
    /// Until when; without an end until it is resumed.
    pub until: Option<ZonedTime>,
}

/// The schedule that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ScheduleStatus {
    /// Where it is.
    pub path: String,
    /// How many items it has.
    pub items: usize,
    /// Why the file as it is now cannot be used.
    pub error: Option<String>,
    /// When the plan that runs was last changed.
    #[serde(default)]
    pub plan_since: Option<ZonedTime>,
    /// Whether the file could not be used since the start: the plan is that of the record, which has neither channels nor
    /// quiet hours.
    #[serde(default)]
    pub from_record: bool,
}

/// The notification server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Notifications {
    /// It answers.
    Ready {
        /// Its name.
        server: String,
        /// Its version.
        version: String,
        /// Whether it shows buttons.
        buttons: bool,
        /// What it says that it can do.
        capabilities: Vec<String>,
        /// Whether reminders stay in sight until they are answered or closed, as far as is known.
        #[serde(default)]
        stays: bool,
        /// What to expect of it, where that is known and not the usual.
        #[serde(default)]
        expectation: Option<String>,
    },
    /// There is none.
    Unavailable {
        /// Why.
        reason: String,
        /// Whether one is started when a reminder is to be shown.
        #[serde(default)]
        on_demand: bool,
    },
    /// It was not asked yet.
    Unknown,
}

/// A channel beyond the desktop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ChannelStatus {
    /// Its id.
    pub channel: String,
    /// `command`, `webhook` or `ntfy`.
    pub kind: String,
    /// Whether it gets no names.
    pub private: bool,
    /// What came of the last reminder.
    pub last: Option<LastAttempt>,
    /// What came of the last attempt to hear answers; none where it was not tried yet.
    #[serde(default)]
    pub replies: Option<LastAttempt>,
}

/// What came of the last attempt to send a reminder by a channel, or to hear answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LastAttempt {
    /// When.
    pub at: ZonedTime,
    /// Why it failed; none where it did not.
    pub error: Option<String>,
}

/// Whether the person can see what is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Presence {
    /// Whether the screen is locked; none where it is not known.
    pub locked: Option<bool>,
    /// Whether nobody is at the machine; none where it is not known.
    pub idle: Option<bool>,
    /// Whether do-not-disturb is on, where the desktop tells.
    pub do_not_disturb: bool,
    /// Whether the desktop tells whether do-not-disturb is on.
    #[serde(default)]
    pub do_not_disturb_told: bool,
    /// Whether the notifications of dosed are switched off in the settings of the desktop, where it tells.
    #[serde(default)]
    pub switched_off: bool,
}

/// The newest answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LastAnswer {
    /// The id of its fact.
    pub fact: String,
    /// The occurrence that it answered.
    pub occurrence: Option<String>,
    /// The item that it is about.
    pub item: Option<String>,
    /// When it was recorded.
    pub recorded_at: ZonedTime,
}

/// The next occurrence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct NextOccurrence {
    /// The occurrence.
    #[serde(flatten)]
    pub occurrence: Occurrence,
    /// Whether notifications name it; status bars are seen by others.
    pub private: bool,
}

/// The journal of this device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct JournalStatus {
    /// Where it is.
    pub path: String,
    /// The device's name.
    pub device: String,
    /// How many of its facts the database has.
    pub facts: u64,
    /// The device of whose record this one is a copy, made on another machine.
    pub copied_from: Option<String>,
    /// What lies beside it and is not read, or not to its end.
    pub skipped: Vec<SkippedFile>,
    /// What cannot be read of items and zones as the journals have them, the first 50.
    #[serde(default)]
    pub unread: Vec<UnreadFact>,
    /// How much more cannot be read.
    #[serde(default)]
    pub unread_more: u64,
}

/// Something that cannot be read of an item or a zone as a journal has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct UnreadFact {
    /// The item; none where it is the zone of the clock.
    pub item: Option<String>,
    /// The first fact that has it so.
    pub fact: String,
    /// Since when it applies.
    pub since: ZonedTime,
    /// What cannot be read, and what is assumed instead.
    pub reason: String,
}

/// A file in the journal directory that is not read, or not to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SkippedFile {
    /// Where it is.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// The database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DatabaseStatus {
    /// Where it is.
    pub path: String,
    /// How many facts it has.
    pub facts: u64,
    /// The last fact that it has of each device; none where it cannot be read.
    pub devices: Option<BTreeMap<String, u64>>,
    /// What is wrong with it.
    pub error: Option<String>,
}

/// What a test of a channel gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ChannelTest {
    /// The channel's id; `desktop` is the notification server.
    pub channel: String,
    /// `desktop`, `command`, `webhook` or `ntfy`.
    pub kind: String,
    /// Whether it can be used.
    pub ok: bool,
    /// Why it does not.
    pub error: Option<String>,
}
