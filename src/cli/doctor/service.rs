//! Examines the service: whether it starts by itself, stays up, is the program that is installed, and goes on while the
//! person is logged out, where it should.

use std::path::{Path, PathBuf};

use super::Finding;
use crate::adapters::service_manager::{self, DESKTOP, LOGIN, Service};
use crate::cli::setup::Home;
use crate::cli::{EXIT_RUNNING, outdated};
use crate::daemon::failed_start::{self, FailedStart};
use crate::process::files::is_same_file;
use crate::process::programs::{self, AskError};
use crate::protocol::Status;

const NAME: &str = "service";

/// What is known around the service.
struct Surroundings {
    /// Whether the desktop has started its target; none where that is not known.
    is_desktop_active: Option<bool>,
    /// The daemon that responds.
    daemon: Option<u32>,
    /// Why the last start failed.
    failed: Option<FailedStart>,
    /// This program.
    program: Option<PathBuf>,
}

/// Looks whether dosed starts by itself, and whether it goes on without a desktop where it should.
pub(super) async fn check_service(
    status: Option<&Status>,
    socket: &Path,
    home: Option<&Home>,
    has_channels: bool,
) -> Vec<Finding> {
    let service = match service_manager::service().await {
        Ok(service) => service,
        Err(AskError::NotInstalled { .. }) => {
            return vec![Finding::unknown(NAME, "there is no systemd here: start dosed with your desktop")];
        }
        Err(error) => {
            return vec![Finding::unknown(NAME, format!("the service manager does not answer: {error}"))];
        }
    };
    let surroundings = Surroundings {
        is_desktop_active: service_manager::is_desktop_active().await.ok(),
        daemon: status.map(|status| status.pid),
        failed: failed_start::read(socket),
        program: programs::current().ok(),
    };
    let mut findings = vec![check_start(&service, &surroundings)];
    findings.extend(check_file(&service, &surroundings));
    findings.extend(check_process(&service, &surroundings));
    if let (Some(home), Ok(variables)) = (home, service_manager::environment().await) {
        let difference = home.difference(&variables);
        findings.extend(difference.map(|found| {
            let help = "until then the service uses another schedule or record than this terminal";
            Finding::bad(NAME, found.to_string(), help)
        }));
    }
    if has_channels {
        findings.push(check_lingering(&service, service_manager::is_lingering().await));
    }
    findings
}

/// Tells what starts it.
fn check_start(service: &Service, around: &Surroundings) -> Finding {
    match service.load_state.as_str() {
        "loaded" => {}
        "not-found" => {
            return Finding::bad(NAME, "there is none: dosed does not start by itself", "dosed setup");
        }
        "masked" => {
            let help = "systemctl --user unmask dosed, then dosed setup";
            return Finding::bad(NAME, "it is masked, and does not start", help);
        }
        other => {
            let help = "`systemctl --user status dosed` shows what is wrong with its file";
            return Finding::bad(NAME, format!("its file cannot be used ({other})"), help);
        }
    }
    let help = "dosed setup; or with a package: systemctl --user enable --now dosed";
    if service.is_wanted_by(LOGIN) {
        return Finding::good(NAME, "it starts when you log in");
    }
    if !service.is_wanted_by(DESKTOP) {
        let found = format!("it does not start when you log in ({})", service.file_state);
        return Finding::bad(NAME, found, help);
    }
    match around.is_desktop_active {
        Some(true) => Finding::good(NAME, "it starts with your desktop"),
        Some(false) => {
            let found = format!("it starts with {DESKTOP}, which your desktop has not started");
            Finding::bad(NAME, found, help)
        }
        None => Finding::unknown(
            NAME,
            format!("it starts with {DESKTOP}; it is not known whether that is started"),
        ),
    }
}

/// Tells whether its file is the one that was meant, and starts something that is there.
fn check_file(service: &Service, around: &Surroundings) -> Vec<Finding> {
    let mut findings = Vec::new();
    if service.needs_reload {
        let help = "systemctl --user daemon-reload && systemctl --user restart dosed";
        findings.push(Finding::bad(NAME, "its file has changed since it was read", help));
    }
    let Some(program) = &service.program else { return findings };
    if !program.exists() {
        let found = format!("it starts {}, which is not there", program.display());
        findings.push(Finding::bad(NAME, found, "dosed setup"));
    } else if let Some(own) = around.program.as_ref().filter(|own| !is_same_file(own, program)) {
        let found = format!("it starts {}, and this is {}", program.display(), own.display());
        findings.push(Finding::unknown(NAME, found));
    }
    findings
}

/// Tells whether it stays up, and whether the daemon that responds is its own.
fn check_process(service: &Service, around: &Surroundings) -> Option<Finding> {
    let other = around.daemon.filter(|pid| service.pid != Some(*pid));
    if let Some(pid) = other {
        let waits = service.failed_with() == Some(EXIT_RUNNING.into()) && service.active_state != "failed";
        let then = if waits {
            "when that ends, the service takes over"
        } else {
            "when that ends, nothing reminds you"
        };
        return Some(Finding::unknown(
            NAME,
            format!("the daemon runs outside of it, as process {pid}: {then}"),
        ));
    }
    if !service.is_failing() {
        return None;
    }
    let how = match (service.failed_with(), service.result.as_str()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, "signal" | "core-dump") => format!("ended by signal {}", service.exit_status),
        (None, result) => result.to_owned(),
    };
    let why = match &around.failed {
        Some(failed) => format!(": {}", failed.reason),
        None if service.failed_with() == Some(EXIT_RUNNING.into()) => {
            ": another daemon uses the record".to_owned()
        }
        None => String::new(),
    };
    let tries = crate::present::count(service.restarts.saturating_add(1), "start");
    let found = format!("it does not stay up ({how}, {tries}){why}");
    let help = if service.active_state == "failed" {
        "it is not tried again: `systemctl --user restart dosed` once that is mended"
    } else {
        "it is tried again every few seconds; `systemctl --user status dosed` shows more"
    };
    Some(Finding::bad(NAME, found, help))
}

/// Tells whether channels are used while the person is logged out.
fn check_lingering(service: &Service, is_lingering: Result<bool, AskError>) -> Finding {
    let name = "lingering";
    // What is stopped with the desktop does not go on, and what starts with it does not start at boot.
    let is_apart = service.is_wanted_by(LOGIN) && !service.part_of.iter().any(|target| target == DESKTOP);
    match is_lingering {
        Ok(true) if is_apart => Finding::good(name, "channels are used while you are logged out too"),
        Ok(true) => Finding::unknown(name, "it is on, but the service does not run while you are logged out"),
        Ok(false) if is_apart => Finding::unknown(
            name,
            "channels are not used while you are logged out; `loginctl enable-linger` changes that",
        ),
        Ok(false) => Finding::unknown(name, "channels are not used while you are logged out"),
        Err(error) => Finding::unknown(name, format!("it is not known whether you linger: {error}")),
    }
}

/// Looks whether the daemon that runs is this program.
pub(super) async fn check_program(status: &Status) -> Option<Finding> {
    let found = outdated::difference(status)?;
    let is_service = service_manager::service().await.is_ok_and(|service| service.pid == Some(status.pid));
    let help = if is_service { "systemctl --user restart dosed" } else { "end it, and start it again" };
    Some(Finding::bad("daemon", found, help))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around() -> Surroundings {
        Surroundings { is_desktop_active: Some(true), daemon: Some(7), failed: None, program: None }
    }

    /// A service that is all right: as process 7, by every login.
    fn right() -> Service {
        Service {
            load_state: "loaded".into(),
            file_state: "enabled".into(),
            active_state: "active".into(),
            sub_state: "running".into(),
            pid: Some(7),
            wanted_by: vec![LOGIN.into()],
            ..Service::default()
        }
    }

    fn line(finding: &Finding) -> String {
        format!("{:?}: {}", finding.state, finding.found)
    }

    #[test]
    fn what_starts_it_is_told() {
        let wanted = |by: &[&str], active: Option<bool>| {
            let wanted_by = by.iter().map(|by| (*by).to_owned()).collect();
            let service = Service { wanted_by, file_state: "disabled".into(), ..right() };
            line(&check_start(&service, &Surroundings { is_desktop_active: active, ..around() }))
        };
        for (by, active, expected) in [
            (&[LOGIN][..], Some(false), "Good: it starts when you log in"),
            (&[LOGIN, DESKTOP], None, "Good: it starts when you log in"),
            (&[DESKTOP], Some(true), "Good: it starts with your desktop"),
            (
                &[DESKTOP],
                Some(false),
                "Bad: it starts with graphical-session.target, which your desktop has not started",
            ),
            (
                &[DESKTOP],
                None,
                "Unknown: it starts with graphical-session.target; it is not known whether that is started",
            ),
            (&[], Some(true), "Bad: it does not start when you log in (disabled)"),
            (&["other.target"], Some(true), "Bad: it does not start when you log in (disabled)"),
        ] {
            assert_eq!(wanted(by, active), expected, "{by:?} {active:?}");
        }
        for (load_state, expected) in [
            ("not-found", "Bad: there is none: dosed does not start by itself"),
            ("masked", "Bad: it is masked, and does not start"),
            ("bad-setting", "Bad: its file cannot be used (bad-setting)"),
        ] {
            let service = Service { load_state: load_state.into(), ..right() };
            assert_eq!(line(&check_start(&service, &around())), expected);
        }
    }

    #[test]
    fn a_process_that_is_not_its_own_or_does_not_stay_up_is_told() {
        let failed =
            |text: &str| serde_json::from_value(serde_json::json!({ "reason": text, "is_shown": true })).ok();
        let retried = |result: &str, exit_status| Service {
            active_state: "activating".into(),
            sub_state: "auto-restart".into(),
            result: result.into(),
            exit_status,
            pid: None,
            restarts: 3,
            ..right()
        };
        let given_up =
            Service { active_state: "failed".into(), sub_state: "failed".into(), ..retried("exit-code", 1) };
        let stopped =
            Service { active_state: "inactive".into(), sub_state: "dead".into(), pid: None, ..right() };
        let none = || Surroundings { daemon: None, ..around() };
        for (service, around, expected) in [
            (right(), around(), None),
            (right(), none(), None),
            (stopped.clone(), none(), None),
            (
                stopped,
                around(),
                Some(
                    "Unknown: the daemon runs outside of it, as process 7: when that ends, nothing reminds you",
                ),
            ),
            (
                retried("exit-code", 75),
                around(),
                Some(
                    "Unknown: the daemon runs outside of it, as process 7: when that ends, the service takes over",
                ),
            ),
            (
                retried("exit-code", 75),
                none(),
                Some("Bad: it does not stay up (exit code 75, 4 starts): another daemon uses the record"),
            ),
            (
                retried("exit-code", 1),
                Surroundings { failed: failed("the disk is full"), ..none() },
                Some("Bad: it does not stay up (exit code 1, 4 starts): the disk is full"),
            ),
            (retried("signal", 9), none(), Some("Bad: it does not stay up (ended by signal 9, 4 starts)")),
            (retried("watchdog", 6), none(), Some("Bad: it does not stay up (watchdog, 4 starts)")),
            (given_up, none(), Some("Bad: it does not stay up (exit code 1, 4 starts)")),
        ] {
            let found = check_process(&service, &around).as_ref().map(line);
            assert_eq!(found.as_deref(), expected, "{service:?}");
        }
    }

    #[test]
    fn a_file_that_is_old_or_starts_nothing_is_told() {
        let sh = || Some(PathBuf::from("/bin/sh"));
        for (program, own, needs_reload, expected) in [
            (sh(), sh(), false, &[][..]),
            (None, sh(), false, &[]),
            (sh(), sh(), true, &["Bad: its file has changed since it was read"]),
            (Some("/no/dosed".into()), sh(), false, &["Bad: it starts /no/dosed, which is not there"]),
            (sh(), Some("/bin/cat".into()), false, &["Unknown: it starts /bin/sh, and this is /bin/cat"]),
        ] {
            let service = Service { program, needs_reload, ..right() };
            let found = check_file(&service, &Surroundings { program: own, ..around() });
            assert_eq!(found.iter().map(line).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn lingering_is_told_only_where_it_is_so() {
        let with_desktop = Service { part_of: vec![DESKTOP.into()], ..right() };
        let by_desktop = Service { wanted_by: vec![DESKTOP.into()], ..right() };
        let unknown = || AskError::Failed { command: "loginctl".into(), reason: "no".into() };
        for (service, lingering, expected) in [
            (right(), Ok(true), "Good: channels are used while you are logged out too"),
            (
                with_desktop.clone(),
                Ok(true),
                "Unknown: it is on, but the service does not run while you are logged out",
            ),
            (
                by_desktop,
                Ok(true),
                "Unknown: it is on, but the service does not run while you are logged out",
            ),
            (
                right(),
                Ok(false),
                "Unknown: channels are not used while you are logged out; `loginctl enable-linger` changes that",
            ),
            (with_desktop, Ok(false), "Unknown: channels are not used while you are logged out"),
            (right(), Err(unknown()), "Unknown: it is not known whether you linger: `loginctl` failed: no"),
        ] {
            assert_eq!(line(&check_lingering(&service, lingering)), expected);
        }
    }
}
