//! Examines the way to the screen: the session bus, the notification server, the person's settings.

use std::path::Path;

use super::Finding;
use crate::protocol::{Notifications, Presence};

pub(super) fn check_bus() -> Finding {
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
            "log in again, or start dosed from your desktop session",
        ),
        Some(_) => Finding::good("session bus", "available"),
        None if usual.is_some_and(|path| path.exists()) => Finding::good("session bus", "available"),
        None => Finding::bad(
            "session bus",
            "not available",
            "start dosed from your desktop session, or install `dbus-user-session`",
        ),
    }
}

pub(super) fn check_server(notifications: &Notifications) -> Vec<Finding> {
    let name = "notifications";
    let (server, buttons, stays, expectation) = match notifications {
        Notifications::Ready { server, buttons, stays, expectation, .. } => {
            (server, *buttons, *stays, expectation)
        }
        Notifications::Unavailable { on_demand: true, .. } => {
            return vec![Finding::good(name, "none runs: the desktop starts one when a reminder is due")];
        }
        Notifications::Unavailable { reason, .. } => {
            let help = "start a notification server: most desktops have one, else install `dunst`";
            return vec![Finding::bad(name, reason, help)];
        }
        Notifications::Unknown => {
            let help = "start a notification server: most desktops have one, else install `dunst`";
            return vec![Finding::bad(name, "it was not asked yet", help)];
        }
    };
    let mut findings = vec![Finding::good(name, format!("{server} shows them"))];
    if !buttons {
        let help = "answer with `dosed take ITEM`, or use a server with buttons, such as dunst";
        findings.push(Finding::bad(name, format!("{server} has no buttons"), help));
    }
    if let Some(expectation) = expectation {
        findings.push(Finding::unknown(name, expectation.as_str()));
    }
    if !stays {
        let found = format!(
            "{server} does not keep reminders in sight: an item without `again` is offered three times more while its grace lasts"
        );
        findings.push(Finding::unknown(name, found));
    }
    findings
}

pub(super) fn check_presence(person: Presence) -> Finding {
    if person.do_not_disturb {
        let help = "switch it off, or accept that reminders wait, at most for half of their grace";
        return Finding::bad("do not disturb", "it is on", help);
    }
    if person.switched_off {
        let help = "switch them on in the settings of your desktop: Notifications, dosed";
        return Finding::bad("do not disturb", "your desktop does not show the notifications of dosed", help);
    }
    if person.do_not_disturb_told {
        return Finding::good("do not disturb", "it is off");
    }
    Finding::unknown("do not disturb", "this desktop does not tell whether it is on")
}
