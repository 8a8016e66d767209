//! Looks for what would keep a reminder from arriving, and says how to mend it.
//!
//! It asks what it can without a daemon by itself, and the daemon for the rest. A check that cannot be
//! made here (no systemd, say) is said to be so, and is no fault.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::client::{self, ClientError};
use crate::clock::system_zone;
use crate::config::{self, ConfigError};
use crate::paths::Paths;
use crate::schedule::{Plan, Schedule, Way, ZoneHistory};

/// How long a program that is asked has for its answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// How often, and after how long each time, what a daemon is still about is looked at again.
const CATCH_UP_TRIES: u32 = 10;
const CATCH_UP_PAUSE: Duration = Duration::from_millis(100);

/// With less room than this, in bytes, answers may soon be refused.
const LITTLE_ROOM: u64 = 64 * 1024 * 1024;

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// All is well.
    Good,
    /// A reminder may not arrive.
    Bad,
    /// It cannot be told here.
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

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub check: &'static str,
    /// How it is.
    pub state: State,
    /// What was seen.
    pub said: String,
    /// How to mend it.
    pub help: Option<String>,
}

impl Finding {
    fn good(check: &'static str, said: impl Into<String>) -> Self {
        Self { check, state: State::Good, said: said.into(), help: None }
    }

    fn bad(check: &'static str, said: impl Into<String>, help: impl Into<String>) -> Self {
        Self { check, state: State::Bad, said: said.into(), help: Some(help.into()) }
    }

    fn unknown(check: &'static str, said: impl Into<String>) -> Self {
        Self { check, state: State::Unknown, said: said.into(), help: None }
    }

    /// Returns it as JSON: `check`, `state`, `said`, `help`.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({ "check": self.check, "state": self.state.as_str(), "said": self.said, "help": self.help })
    }
}

/// Looks at everything.
pub async fn examine(paths: &Paths, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    let schedule = check_schedule(&paths.schedule, &mut findings);
    if let Some(schedule) = &schedule {
        findings.push(check_items(schedule, now));
        findings.extend(check_secrets(schedule));
    }
    findings.push(check_bus());
    let status = check_daemon(&paths.socket, &mut findings).await;
    if let Some(status) = &status {
        findings.extend(check_server(&status["notifications"]));
        findings.push(check_person(&status["person"]));
        findings.push(check_record(status, &paths.socket, &paths.data_dir).await);
        findings.extend(check_channels(&paths.socket).await);
    }
    findings.extend(check_private(paths));
    findings.push(check_room(&paths.data_dir));
    let has_channels = schedule.is_some_and(|schedule| !schedule.settings.channels.is_empty());
    findings.extend(check_service(has_channels).await);
    findings.push(check_clock().await);
    findings
}

fn check_schedule(path: &Path, findings: &mut Vec<Finding>) -> Option<Schedule> {
    match config::load(path) {
        Ok(schedule) => {
            findings.push(Finding::good("schedule", format!("{} items", schedule.items.len())));
            Some(schedule)
        }
        Err(error) => {
            let help = match &error {
                ConfigError::Invalid { .. } => "`dosed check` shows each error with its line",
                _ if !path.exists() => "`dosed daemon` writes a first one",
                _ => "make it readable for you",
            };
            findings.push(Finding::bad("schedule", error.to_string(), help));
            None
        }
    }
}

/// Looks for items that have times and never fire.
fn check_items(schedule: &Schedule, now: Timestamp) -> Finding {
    let mut plan = Plan::new(ZoneHistory::fixed(system_zone().1));
    for (item, _) in &schedule.items {
        plan.open(item.clone(), now);
    }
    let never: Vec<&str> = schedule
        .items
        .iter()
        .map(|(item, _)| item)
        .filter(|item| item.rule.has_slots() && plan.next_after(&item.id, &[], now).is_none())
        .map(|item| item.id.as_str())
        .collect();
    if never.is_empty() {
        return Finding::good("items", "each item that has times will come");
    }
    Finding::bad(
        "items",
        format!("never due any more: {}", never.join(", ")),
        "look at `until` and `cron`, or take them out of the schedule",
    )
}

/// Looks whether others can read the secrets of channels.
fn check_secrets(schedule: &Schedule) -> Option<Finding> {
    let sources = schedule.settings.channels.iter().flat_map(|channel| match &channel.way {
        Way::Command { .. } => Vec::new(),
        Way::Webhook { url, token } => [Some(url), token.as_ref()].into_iter().flatten().collect(),
        Way::Ntfy { topic, replies, token, .. } => {
            [Some(topic), replies.as_ref(), token.as_ref()].into_iter().flatten().collect()
        }
    });
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let files: Vec<_> = sources.filter_map(|source| source.file(home.as_deref())).collect();
    let open = files.iter().find(|path| mode(path).is_some_and(|mode| mode & 0o077 != 0));
    match open {
        Some(path) => Some(Finding::bad(
            "secrets",
            format!("others can read {}", path.display()),
            format!("chmod 600 {}", path.display()),
        )),
        None if files.is_empty() => None,
        None => Some(Finding::good("secrets", "only you can read them")),
    }
}

fn mode(path: &Path) -> Option<u32> {
    std::fs::metadata(path).ok().map(|found| found.permissions().mode() & 0o777)
}

fn check_bus() -> Finding {
    let set = std::env::var("DBUS_SESSION_BUS_ADDRESS").ok().filter(|address| !address.is_empty());
    let usual = std::env::var_os("XDG_RUNTIME_DIR").map(|dir| Path::new(&dir).join("bus"));
    let is_gone = |address: &str| {
        let path = address.strip_prefix("unix:path=").and_then(|path| path.split(',').next());
        path.is_some_and(|path| !Path::new(path).exists())
    };
    match set {
        Some(address) if is_gone(&address) => Finding::bad(
            "session bus",
            "DBUS_SESSION_BUS_ADDRESS names a bus that is not there",
            "log in anew, or start dosed from your desktop session",
        ),
        Some(_) => Finding::good("session bus", "there is one"),
        None if usual.is_some_and(|path| path.exists()) => Finding::good("session bus", "there is one"),
        None => Finding::bad(
            "session bus",
            "there is none",
            "start dosed from your desktop session, or install `dbus-user-session`",
        ),
    }
}

async fn check_daemon(socket: &Path, findings: &mut Vec<Finding>) -> Option<Value> {
    let answer = match client::get(socket, "/v1/status").await {
        Ok(answer) => answer,
        Err(ClientError::NotRunning { source, .. })
            if source.kind() == std::io::ErrorKind::PermissionDenied =>
        {
            let help = format!("it should be yours alone: remove {}, and start dosed anew", socket.display());
            findings.push(Finding::bad("daemon", "its socket does not let you in", help));
            return None;
        }
        Err(error) => {
            let help = "start it: `systemctl --user start dosed`, or `dosed daemon` in a terminal";
            findings.push(Finding::bad("daemon", error.to_string(), help));
            return None;
        }
    };
    let mut status: Value = serde_json::from_str(&answer.json).ok()?;
    // One that has just been started is still asking the notification server.
    for _ in 0..CATCH_UP_TRIES {
        if status["notifications"]["state"] != "unknown" {
            break;
        }
        tokio::time::sleep(CATCH_UP_PAUSE).await;
        status = client::get(socket, "/v1/status")
            .await
            .ok()
            .and_then(|answer| serde_json::from_str(&answer.json).ok())?;
    }
    findings.push(match status["schedule"]["error"].as_str() {
        None => Finding::good("daemon", format!("runs as process {}", status["pid"])),
        Some(error) => {
            let said = format!("it goes on with an older schedule: {error}");
            Finding::bad("daemon", said, "`dosed check` shows each error with its line")
        }
    });
    Some(status)
}

fn check_server(server: &Value) -> Vec<Finding> {
    let name = "notifications";
    let Some(capabilities) = server["capabilities"].as_array() else {
        let reason = server["reason"].as_str().unwrap_or("not asked yet");
        let help = "start a notification server: most desktops have one, else install `dunst`";
        return vec![Finding::bad(name, reason, help)];
    };
    let can = |what: &str| capabilities.iter().any(|capability| capability == what);
    let server = server["server"].as_str().unwrap_or_default();
    let mut findings = vec![Finding::good(name, format!("{server} shows them"))];
    if !can("actions") {
        let help = "answer with `dosed take ITEM`, or use a server with buttons, such as dunst";
        findings.push(Finding::bad(name, format!("{server} has no buttons"), help));
    }
    if !can("persistence") {
        findings.push(Finding::unknown(
            name,
            format!(
                "{server} does not say that it keeps what you have not seen; `again` and `then` ask once more"
            ),
        ));
    }
    findings
}

fn check_person(person: &Value) -> Finding {
    if person["do_not_disturb"] == true {
        let help = "switch it off, or accept that reminders wait, at most for half of their grace";
        return Finding::bad("do not disturb", "it is on", help);
    }
    Finding::good("do not disturb", "it is off, or the server does not tell")
}

/// Compares the journal with what the database has taken in.
async fn check_record(status: &Value, socket: &Path, data_dir: &Path) -> Finding {
    if let Some(error) = status["database"]["error"].as_str() {
        let help =
            format!("restart dosed: it builds {} anew from the journal", data_dir.join("db").display());
        return Finding::bad("record", error, help);
    }
    let held = |status: &Value| status["journal"]["facts"].as_u64().unwrap_or(0);
    let path = status["journal"]["path"].as_str().unwrap_or_default();
    let written = match std::fs::read_to_string(path) {
        Ok(text) => text.lines().count() as u64,
        Err(_) if held(status) == 0 => return Finding::good("record", "nothing is recorded yet"),
        Err(error) => {
            return Finding::bad(
                "record",
                format!("{path} cannot be read: {error}"),
                "restore it from a backup",
            );
        }
    };
    let mut known = held(status);
    // What has just been written is on its way.
    for _ in 0..CATCH_UP_TRIES {
        if known >= written {
            return Finding::good("record", format!("{written} facts in journal and database"));
        }
        tokio::time::sleep(CATCH_UP_PAUSE).await;
        if let Ok(answer) = client::get(socket, "/v1/status").await {
            known = held(&serde_json::from_str(&answer.json).unwrap_or_default());
        }
    }
    let said = format!("the database has {known} of the {written} facts of the journal");
    Finding::bad("record", said, "restart dosed: it brings the database up to the journal")
}

async fn check_channels(socket: &Path) -> Vec<Finding> {
    let rows = match client::post(socket, "/v1/channels/check", &json!({})).await {
        Ok(answer) => serde_json::from_str::<Value>(&answer.json).unwrap_or_default(),
        Err(error) => return vec![Finding::bad("channels", error.to_string(), "restart dosed")],
    };
    let rows = rows.as_array().cloned().unwrap_or_default();
    // The desktop has checks of its own.
    rows.iter()
        .filter(|row| row["kind"] != "desktop")
        .map(|row| {
            let channel = row["channel"].as_str().unwrap_or_default();
            match row["error"].as_str() {
                None => Finding::good("channels", format!("{channel} answers")),
                Some(error) => {
                    let help = "look at the channel in the schedule; `dosed test` sends a harmless reminder";
                    Finding::bad("channels", format!("{channel}: {error}"), help)
                }
            }
        })
        .collect()
}

/// Looks whether others can get at the record or the socket.
fn check_private(paths: &Paths) -> Vec<Finding> {
    let uid = rustix::process::getuid().as_raw();
    let places = [("record", paths.data_dir.as_path()), ("socket", paths.socket.as_path())];
    places
        .into_iter()
        .filter_map(|(check, path)| {
            let found = std::fs::metadata(path).ok()?;
            if found.uid() != uid {
                let help = format!("give it back to yourself: chown $USER {}", path.display());
                return Some(Finding::bad(check, format!("{} is not yours", path.display()), help));
            }
            (found.permissions().mode() & 0o077 != 0).then(|| {
                let help = format!("chmod go= {}", path.display());
                Finding::bad(check, format!("others can open {}", path.display()), help)
            })
        })
        .collect()
}

fn check_room(data_dir: &Path) -> Finding {
    let dir = data_dir.ancestors().find(|dir| dir.exists()).unwrap_or(Path::new("/"));
    match rustix::fs::statvfs(dir) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let said = format!("{} MiB are free", free / (1024 * 1024));
            if free < LITTLE_ROOM {
                return Finding::bad("disk", said, format!("make room on the disk of {}", dir.display()));
            }
            Finding::good("disk", said)
        }
        Err(error) => Finding::unknown("disk", error.to_string()),
    }
}

/// Asks a program; `None` where it is not there, fails or takes too long.
async fn ask(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(ANSWER_TIMEOUT, command.output()).await.ok()?.ok()?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (!said.is_empty()).then_some(said)
}

/// Looks whether dosed starts with the desktop, and whether it goes on without it where it should.
async fn check_service(has_channels: bool) -> Vec<Finding> {
    let name = "service";
    let Some(enabled) = ask("systemctl", &["--user", "is-enabled", "dosed.service"]).await else {
        return vec![Finding::unknown(
            name,
            "there is no systemd for users here: start dosed with your desktop",
        )];
    };
    let mut findings = vec![match enabled.as_str() {
        "enabled" | "static" | "linked" | "enabled-runtime" => {
            Finding::good(name, "it starts with your desktop")
        }
        other => Finding::bad(
            name,
            format!("it does not start with your desktop ({other})"),
            "dosed setup; or with a package: systemctl --user enable --now dosed",
        ),
    }];
    let session = ask("systemctl", &["--user", "is-active", "graphical-session.target"]).await;
    if enabled == "enabled" && session.as_deref() == Some("inactive") {
        findings.push(Finding::bad(
            name,
            "your desktop does not start graphical-session.target, with which dosed starts",
            "systemctl --user add-wants default.target dosed.service",
        ));
    }
    if has_channels {
        let linger = ask("loginctl", &["show-user", "--property=Linger", "--value"]).await;
        findings.extend(match linger.as_deref() {
            Some("no") => Some(Finding::unknown(
                "lingering",
                "after you log out nothing is sent, to no channel; `loginctl enable-linger` changes that",
            )),
            Some("yes") => Some(Finding::good("lingering", "channels are used while you are logged out too")),
            _ => None,
        });
    }
    findings
}

async fn check_clock() -> Finding {
    let name = "clock";
    match ask("timedatectl", &["show", "--property=NTPSynchronized", "--value"]).await.as_deref() {
        Some("yes") => Finding::good(name, "it is synchronised"),
        Some("no") => Finding::bad(name, "it is not synchronised", "sudo timedatectl set-ntp true"),
        _ => Finding::unknown(name, "nobody tells whether it is synchronised"),
    }
}
