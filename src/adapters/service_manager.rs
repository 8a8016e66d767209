//! The person's service manager, systemd: what it knows of dosed's service, and what it is asked to do with it.
//!
//! It decides nothing. Everything goes through `systemctl`, which finds the manager with and without a session bus.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::process::programs::{AskError, ask};

/// The name of dosed's service.
pub const SERVICE: &str = "dosed.service";

/// The target that every login reaches.
pub const LOGIN: &str = "default.target";

/// The target that only some desktops reach.
pub const DESKTOP: &str = "graphical-session.target";

const PROPERTIES: &str = "LoadState,UnitFileState,FragmentPath,ActiveState,SubState,MainPID,Result,ExecMainStatus,NRestarts,WantedBy,PartOf,ExecStart,NeedDaemonReload";

/// What the service manager knows of dosed's service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// Whether it is known: `loaded`, `not-found`, `masked`, `bad-setting`, …
    pub load_state: String,
    /// Whether it is enabled: `enabled`, `disabled`, `static`, …; empty where there is no file.
    pub file_state: String,
    /// The file that it is read from.
    pub file: Option<PathBuf>,
    /// Whether it runs: `active`, `activating`, `inactive`, `failed`, …
    pub active_state: String,
    /// The state in detail; `auto-restart` while it waits for the next try.
    pub sub_state: String,
    /// The process that runs.
    pub pid: Option<u32>,
    /// What became of the last process: `success`, `exit-code`, `signal`, `watchdog`, …
    pub result: String,
    /// The exit code of the last process, or the signal that ended it.
    pub exit_status: i32,
    /// How often it was started again by itself.
    pub restarts: u64,
    /// What starts it.
    pub wanted_by: Vec<String>,
    /// With what it is stopped.
    pub part_of: Vec<String>,
    /// The program that it starts.
    pub program: Option<PathBuf>,
    /// Whether its file has changed since the manager read it.
    pub needs_reload: bool,
}

impl Service {
    /// Reads what `systemctl show` prints.
    fn parse(text: &str) -> Self {
        let values: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once('=')).collect();
        let text = |name: &str| values.get(name).copied().unwrap_or_default();
        let words = |name: &str| text(name).split_whitespace().map(ToOwned::to_owned).collect();
        let path = |text: &str| Some(text).filter(|text| !text.is_empty()).map(PathBuf::from);
        // `{ path=/usr/bin/dosed ; argv[]=/usr/bin/dosed daemon ; ignore_errors=no ; … }`
        let program = text("ExecStart").split_once("path=").and_then(|(_, rest)| rest.split(" ; ").next());
        Self {
            load_state: text("LoadState").to_owned(),
            file_state: text("UnitFileState").to_owned(),
            file: path(text("FragmentPath")),
            active_state: text("ActiveState").to_owned(),
            sub_state: text("SubState").to_owned(),
            pid: text("MainPID").parse().ok().filter(|pid| *pid != 0),
            result: text("Result").to_owned(),
            exit_status: text("ExecMainStatus").parse().unwrap_or_default(),
            restarts: text("NRestarts").parse().unwrap_or_default(),
            wanted_by: words("WantedBy"),
            part_of: words("PartOf"),
            program: program.and_then(path),
            needs_reload: text("NeedDaemonReload") == "yes",
        }
    }

    /// Tells whether something starts it.
    #[must_use]
    pub fn is_wanted_by(&self, target: &str) -> bool {
        self.wanted_by.iter().any(|by| by == target)
    }

    /// Tells whether its process has ended with an exit code, and is tried again or was given up.
    #[must_use]
    pub fn failed_with(&self) -> Option<i32> {
        (self.is_failing() && self.result == "exit-code").then_some(self.exit_status)
    }

    /// Tells whether it does not run although it should.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.active_state == "failed" || self.sub_state == "auto-restart"
    }
}

/// Asks what the service manager knows of the service; one that is not there is an answer too.
///
/// # Errors
///
/// There is no service manager, or it does not answer.
pub async fn service() -> Result<Service, AskError> {
    ask("systemctl", &["--user", "show", "--property", PROPERTIES, SERVICE])
        .await
        .map(|text| Service::parse(&text))
}

/// Asks whether the desktop has started the target of graphical sessions.
///
/// # Errors
///
/// There is no service manager, or it does not answer.
pub async fn is_desktop_active() -> Result<bool, AskError> {
    let state = ask("systemctl", &["--user", "show", "--property=ActiveState", "--value", DESKTOP]).await?;
    Ok(state == "active")
}

/// Asks for the variables that services are started with.
///
/// # Errors
///
/// There is no service manager, or it does not answer.
pub async fn environment() -> Result<BTreeMap<String, String>, AskError> {
    ask("systemctl", &["--user", "show-environment"]).await.map(|text| variables(&text))
}

/// Reads `NAME=value` lines; a value with anything odd in it is quoted as shells do: `$'a b'`.
fn variables(text: &str) -> BTreeMap<String, String> {
    let variable = |line: &str| {
        let (name, value) = line.split_once('=')?;
        let quoted = value.strip_prefix("$'").and_then(|value| value.strip_suffix('\''));
        // What needs more than quotes is not worth a parser.
        let value = quoted.filter(|value| !value.contains('\\')).unwrap_or(value);
        Some((name.to_owned(), value.to_owned()))
    };
    text.lines().filter_map(variable).collect()
}

/// Asks the service manager to do something.
///
/// # Errors
///
/// There is no service manager, or it refuses.
pub async fn command(arguments: &[&str]) -> Result<(), AskError> {
    ask("systemctl", &[&["--user"], arguments].concat()).await.map(drop)
}

/// Asks whether services of this person go on after they log out.
///
/// # Errors
///
/// There is no logind, or it does not answer.
pub async fn is_lingering() -> Result<bool, AskError> {
    // Without a name it would tell of nobody.
    let uid = rustix::process::getuid().as_raw().to_string();
    let linger = ask("loginctl", &["show-user", &uid, "--property=Linger", "--value"]).await?;
    Ok(linger == "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_systemctl_shows_is_read() {
        let running = "ExecMainCode=0\nResult=success\nNRestarts=2\nMainPID=71\nExecMainStatus=0\nWantedBy=default.target graphical-session.target\nPartOf=\nLoadState=loaded\nActiveState=active\nSubState=running\nFragmentPath=/home/a b/.config/systemd/user/dosed.service\nUnitFileState=enabled\nExecStart={ path=/home/a b/dosed ; argv[]=/home/a b/dosed daemon ; ignore_errors=no ; start_time=[n/a] }\nNeedDaemonReload=yes";
        let service = Service::parse(running);
        let expected = Service {
            load_state: "loaded".into(),
            file_state: "enabled".into(),
            file: Some("/home/a b/.config/systemd/user/dosed.service".into()),
            active_state: "active".into(),
            sub_state: "running".into(),
            pid: Some(71),
            result: "success".into(),
            exit_status: 0,
            restarts: 2,
            wanted_by: vec![LOGIN.into(), DESKTOP.into()],
            part_of: Vec::new(),
            program: Some("/home/a b/dosed".into()),
            needs_reload: true,
        };
        assert_eq!(service, expected);
        assert!(service.is_wanted_by(LOGIN) && !service.is_failing());
        // Nothing is known of what is not there.
        let service =
            Service::parse("MainPID=0\nLoadState=not-found\nActiveState=inactive\nUnitFileState=\n");
        assert_eq!((service.load_state.as_str(), service.pid, service.program), ("not-found", None, None));
    }

    #[test]
    fn a_service_that_does_not_stay_up_is_told_from_one_that_was_stopped() {
        for (active, sub, result, status, failing, failed_with) in [
            ("activating", "auto-restart", "exit-code", 75, true, Some(75)),
            ("failed", "failed", "exit-code", 1, true, Some(1)),
            ("failed", "failed", "signal", 6, true, None),
            ("activating", "start", "exit-code", 75, false, None),
            ("inactive", "dead", "success", 0, false, None),
            ("active", "running", "success", 0, false, None),
        ] {
            let service = Service::parse(&format!(
                "ActiveState={active}\nSubState={sub}\nResult={result}\nExecMainStatus={status}"
            ));
            assert_eq!(
                (service.is_failing(), service.failed_with()),
                (failing, failed_with),
                "{active} {sub}"
            );
        }
    }

    #[test]
    fn variables_are_read_with_and_without_quotes() {
        let found =
            variables("DISPLAY=:0\nPATH=$'/home/a b/bin:/usr/bin'\nEMPTY=\nODD=$'a\\tb'\nno variable\nA=b=c");
        for (name, value) in [
            ("DISPLAY", Some(":0")),
            ("PATH", Some("/home/a b/bin:/usr/bin")),
            ("EMPTY", Some("")),
            ("ODD", Some("$'a\\tb'")),
            ("A", Some("b=c")),
            ("no variable", None),
        ] {
            assert_eq!(found.get(name).map(String::as_str), value, "{name}");
        }
    }
}
