//! What is known of notification servers: what each says that it can do, and what the known ones do beside it.

use crate::core::reminder::DesktopTraits;

/// A notification server's description of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Server {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it can do.
    pub capabilities: Vec<String>,
}

/// What a server does that it does not say of itself.
#[derive(Clone, Copy, Debug)]
struct Profile {
    /// The name that it gives itself.
    name: &'static str,
    /// How the first part of its version begins, where two servers have one name.
    version: &'static str,
    traits: DesktopTraits,
    quirks: &'static [Quirk],
    /// What a person can expect of it, where that is not that a reminder stays until it is answered.
    expectation: Option<&'static str>,
}

/// Something that a server does in its own way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quirk {
    /// A notification that is replaced while it is on the screen loses its buttons.
    ReplacesWithoutButtons,
    /// It says that it has buttons, and shows none on the notification itself.
    ButtonsOutOfSight,
    /// An action for the notification itself hides the way to its buttons.
    NoDefaultAction,
    /// A notification that is to stay after a press stays for good.
    KeepsResidents,
    /// It shows the lines of a text as one.
    JoinsLines,
}

const fn traits(keeps_in_sight: bool, most_alerts: Option<usize>, lines: usize) -> DesktopTraits {
    DesktopTraits { keeps_in_sight, most_alerts, lines: Some(lines) }
}

const KNOWN: &[Profile] = &[
    Profile {
        name: "gnome-shell",
        version: "",
        // It keeps three of one program, and drops the oldest for the fourth; one more may be a test.
        traits: traits(false, Some(2), 6),
        quirks: &[Quirk::ReplacesWithoutButtons, Quirk::JoinsLines],
        expectation: Some("GNOME hides banners after seconds; reminders stay in the tray"),
    },
    Profile {
        name: "cinnamon",
        version: "",
        traits: traits(false, None, 8),
        quirks: &[],
        expectation: Some("Cinnamon hides banners after seconds; reminders stay in the tray"),
    },
    Profile {
        name: "SwayNotificationCenter",
        version: "",
        traits: traits(false, None, 7),
        quirks: &[],
        expectation: Some("pop-ups go after seconds; reminders stay in the notification center"),
    },
    Profile {
        name: "Budgie Notification Server",
        version: "",
        traits: traits(false, None, 4),
        quirks: &[],
        expectation: Some("Budgie closes reminders after seconds"),
    },
    Profile {
        name: "mako",
        version: "",
        traits: traits(true, None, 4),
        quirks: &[Quirk::ButtonsOutOfSight],
        expectation: Some("mako shows no buttons; a click on a reminder opens a terminal"),
    },
    Profile {
        name: "dunst",
        version: "",
        traits: traits(true, None, 12),
        quirks: &[Quirk::ButtonsOutOfSight, Quirk::NoDefaultAction],
        expectation: Some("dunst shows its buttons in a menu: press the middle mouse button on a reminder"),
    },
    Profile { name: "Plasma", version: "", traits: traits(true, None, 12), quirks: &[], expectation: None },
    Profile {
        name: "Xfce Notify Daemon",
        version: "",
        traits: traits(true, None, 8),
        quirks: &[],
        expectation: None,
    },
    Profile {
        name: "lxqt-notificationd",
        version: "",
        traits: traits(true, None, 11),
        quirks: &[Quirk::NoDefaultAction],
        expectation: None,
    },
    // GNOME's old one, and then MATE's.
    Profile {
        name: "Notification Daemon",
        version: "3.",
        traits: DesktopTraits { keeps_in_sight: true, most_alerts: None, lines: None },
        quirks: &[Quirk::KeepsResidents],
        expectation: None,
    },
    Profile {
        name: "Notification Daemon",
        version: "1.",
        traits: traits(true, None, 8),
        quirks: &[],
        expectation: None,
    },
];

impl Server {
    pub(super) fn can(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|have| have == capability)
    }

    /// Returns whether it shows buttons.
    #[must_use]
    pub fn has_buttons(&self) -> bool {
        self.can("actions")
    }

    /// Returns what it does with reminders, as far as that is known before it is seen.
    #[must_use]
    pub fn traits(&self) -> DesktopTraits {
        self.profile().map(|profile| profile.traits).unwrap_or_default()
    }

    /// Returns what a person can expect of it, where that is not that a reminder stays until it is answered.
    #[must_use]
    pub fn expectation(&self) -> Option<&'static str> {
        self.profile()?.expectation
    }

    pub(super) fn has(&self, quirk: Quirk) -> bool {
        self.profile().is_some_and(|profile| profile.quirks.contains(&quirk))
    }

    fn profile(&self) -> Option<&'static Profile> {
        let is_it = |known: &&Profile| known.name == self.name && self.version.starts_with(known.version);
        KNOWN.iter().find(is_it)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_known_by_name_and_version() {
        for (name, version, lines, keeps) in [
            ("gnome-shell", "43.9", Some(6), false),
            ("mako", "0.0.0", Some(4), true),
            ("Notification Daemon", "1.26.0", Some(8), true),
            ("Notification Daemon", "3.20.0", None, true),
            ("something new", "1", None, true),
        ] {
            let server =
                Server { name: name.to_owned(), version: version.to_owned(), capabilities: Vec::new() };
            let DesktopTraits { keeps_in_sight, lines: known, .. } = server.traits();
            assert_eq!((known, keeps_in_sight), (lines, keeps), "{name} {version}");
        }
    }
}
