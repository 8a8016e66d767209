//! Diagnoses what could keep reminders from arriving, and says how to fix it.
//!
//! It checks what it can without the daemon, and asks the daemon for the rest. A check that cannot be made here
//! (no systemd, say) is reported as such, and is not a fault.

mod daemon;
mod desktop;
mod machine;
mod privacy;
mod record;
mod schedule;
mod service;

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use crate::adapters::clock::system_zone;
use crate::cli::paths::Paths;
use crate::cli::setup::Home;
use crate::client::Client;
use crate::present::FindingText;
use daemon::{check_channels, check_daemon};
use desktop::{check_bus, check_presence, check_server};
use machine::{check_clock, check_zone};
use privacy::{check_private, check_readable, check_secrets, check_tokens};
use record::{check_beside, check_record, check_room, check_unread};
use schedule::{check_items, check_schedule};
use service::{check_program, check_service};

/// How often, and after how long each time, what a daemon is still about is looked at again.
const CATCH_UP_TRIES: u32 = 10;
const CATCH_UP_PAUSE: Duration = Duration::from_millis(100);

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is right.
    Good,
    /// A reminder may not arrive.
    Bad,
    /// It cannot be found out here.
    Unknown,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Unknown => "unknown",
        }
    }
}

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub check: &'static str,
    /// How it is.
    pub state: State,
    /// What was found.
    pub found: String,
    /// How to fix it.
    pub help: Option<String>,
}

impl Finding {
    fn good(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, state: State::Good, found: found.into(), help: None }
    }

    fn bad(check: &'static str, found: impl Into<String>, help: impl Into<String>) -> Self {
        Self { check, state: State::Bad, found: found.into(), help: Some(help.into()) }
    }

    fn unknown(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, state: State::Unknown, found: found.into(), help: None }
    }

    /// Returns it as `doctor` shows it.
    #[must_use]
    pub fn text(&self) -> FindingText<'_> {
        let is_good = match self.state {
            State::Good => Some(true),
            State::Bad => Some(false),
            State::Unknown => None,
        };
        FindingText { check: self.check, is_good, found: &self.found, help: self.help.as_deref() }
    }
}

/// Returns findings as a JSON array of `check`, `state`, `found`, `help`.
#[must_use]
pub fn json(findings: &[Finding]) -> String {
    let row = |finding: &Finding| {
        let Finding { check, state, found, help } = finding;
        json!({ "check": check, "state": state.as_str(), "said": found, "help": help })
    };
    findings.iter().map(row).collect::<serde_json::Value>().to_string()
}

/// Checks everything.
pub async fn examine(paths: &Paths, home: Option<&Home>, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    let schedule = check_schedule(&paths.schedule, &mut findings);
    let zone = system_zone();
    if let Some(schedule) = &schedule {
        let rules = zone.as_ref().map_or(TimeZone::UTC, |zone| zone.rules.clone());
        findings.push(check_items(schedule, rules, now));
        findings.extend(check_secrets(schedule));
        findings.extend(check_tokens(schedule));
    }
    findings.push(check_bus());
    let client = Client::new(&paths.socket);
    let status = check_daemon(&client, &paths.socket, now, &mut findings).await;
    findings.push(check_zone(zone, status.as_ref()));
    let daemon = status.clone();
    if let Some(status) = status {
        findings.extend(check_program(&status).await);
        findings.extend(check_server(&status.notifications));
        findings.push(check_presence(status.person));
        findings.extend(check_beside(&status));
        findings.extend(check_unread(&status, now));
        findings.push(check_record(status, &client, &paths.data_dir).await);
        findings.extend(check_channels(&client).await);
    }
    findings.extend(check_private(paths));
    findings.extend(check_readable(&paths.schedule));
    findings.push(check_room(&paths.data_dir));
    let has_channels = schedule.is_some_and(|schedule| !schedule.settings.channels.is_empty());
    findings.extend(check_service(daemon.as_ref(), &paths.socket, home, has_channels).await);
    findings.push(check_clock().await);
    findings
}
