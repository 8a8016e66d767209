//! Examines the machine's zone and clock.

use super::Finding;
use crate::adapters::clock::{SystemZone, ZoneError};
use crate::process::programs::{AskError, ask};
use crate::protocol::Status;

/// Looks whether the zone of this machine can be read, by the daemon too: its `TZ` may be another.
pub(super) fn check_zone(zone: Result<SystemZone, ZoneError>, status: Option<&Status>) -> Finding {
    let name = "zone";
    let help = "set it with `timedatectl set-timezone`, or correct `TZ`; then restart dosed";
    match (status, zone) {
        (Some(Status { zone, zone_error: Some(error), .. }), _) => {
            Finding::bad(name, format!("{error}; reminders come at the times of {zone}"), help)
        }
        (_, Err(error)) => Finding::bad(name, error.to_string(), help),
        (Some(status), Ok(zone)) if zone.rules != *status.now.0.time_zone() && zone.name != status.zone => {
            let found = format!("the daemon uses {}, this terminal {}", status.zone, zone.name);
            Finding::unknown(name, found)
        }
        (_, Ok(zone)) => Finding::good(name, zone.name),
    }
}

pub(super) async fn check_clock() -> Finding {
    judge_clock(ask("timedatectl", &["show", "--property=NTPSynchronized", "--value"]).await)
}

fn judge_clock(answer: Result<String, AskError>) -> Finding {
    let name = "clock";
    match answer.as_deref() {
        Ok("yes") => Finding::good(name, "it is synchronised"),
        Ok("no") => Finding::bad(name, "it is not synchronised", "sudo timedatectl set-ntp true"),
        Ok(_) => Finding::unknown(name, "it is not known whether it is synchronised"),
        Err(error) => Finding::unknown(name, format!("it is not known whether it is synchronised: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_answer_about_the_clock_is_no_fault() {
        let failed = AskError::Failed { command: "timedatectl".into(), reason: "no bus".into() };
        for (answer, expected) in [
            (Ok("yes".to_owned()), "it is synchronised"),
            (Ok("no".to_owned()), "it is not synchronised"),
            (Ok(String::new()), "it is not known whether it is synchronised"),
            (Err(failed), "it is not known whether it is synchronised: `timedatectl` failed: no bus"),
            (
                Err(AskError::NotInstalled { program: "timedatectl".into() }),
                "it is not known whether it is synchronised: `timedatectl` is not installed",
            ),
        ] {
            assert_eq!(judge_clock(answer).found, expected);
        }
    }
}
