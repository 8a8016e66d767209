//! Asks whether the desktop shows notifications now: do-not-disturb, and the desktop's own switch for dosed.
//!
//! Every server has a way of its own; what one does not tell is not guessed. Whatever is asked has a time limit.

use std::path::PathBuf;
use std::time::Duration;

use zbus::{Connection, OwnedVariant};

use super::server::Server;
use super::{PATH, PROPERTIES, SERVER};
use crate::process::{files, programs};

/// How long all that is asked may take.
const TIME_LIMIT: Duration = Duration::from_secs(3);

/// The interface of dunst's own control.
pub(super) const DUNST: &str = "org.dunstproject.cmd0";

pub(super) const XFCONF: &str = "org.xfce.Xfconf";
const XFCONF_PATH: &str = "/org/xfce/Xfconf";

/// The channel of xfconf with the settings of Xfce's server.
pub(super) const XFCE_CHANNEL: &str = "xfce4-notifyd";

/// The longest settings file that is read, in bytes.
const MAX_SETTINGS_BYTES: u64 = 256 * 1024;

/// Where dconf keeps the settings that say it, by the directory: each change of one is a signal.
pub(super) const DCONF_DIRS: [&str; 3] = [
    "/org/gnome/desktop/notifications/",
    "/org/cinnamon/desktop/notifications/",
    "/org/mate/notification-daemon/",
];

/// Whether the desktop shows notifications of dosed at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Display {
    /// The server does not tell.
    #[default]
    NotTold,
    /// It shows them.
    On,
    /// The person does not want to be disturbed now.
    DoNotDisturb,
    /// The person has switched off the notifications of dosed in the settings of their desktop.
    SwitchedOff,
}

impl Display {
    /// Tells whether what is sent now stays off the screen.
    #[must_use]
    pub fn is_off(self) -> bool {
        matches!(self, Self::DoNotDisturb | Self::SwitchedOff)
    }
}

/// Asks the server, or the settings that it follows; `config_dir` has those of Plasma.
pub(super) async fn ask(connection: Connection, server: Server, config_dir: Option<PathBuf>) -> Display {
    let asked = async {
        match server.name.as_str() {
            "gnome-shell" => gnome().await,
            "cinnamon" => disturb(
                setting("org.cinnamon.desktop.notifications", "display-notifications").await.map(|on| !on),
            ),
            "Notification Daemon" => disturb(setting("org.mate.NotificationDaemon", "do-not-disturb").await),
            "Xfce Notify Daemon" => disturb(xfce(&connection).await),
            "dunst" => disturb(property(&connection, DUNST, &["paused"]).await),
            "Plasma" if is_off_in_plasma(config_dir).await => Display::SwitchedOff,
            _ => disturb(property(&connection, SERVER, &["Inhibited", "Dnd"]).await),
        }
    };
    tokio::time::timeout(TIME_LIMIT, asked).await.unwrap_or_default()
}

fn disturb(is_on: Option<bool>) -> Display {
    match is_on {
        None => Display::NotTold,
        Some(false) => Display::On,
        Some(true) => Display::DoNotDisturb,
    }
}

/// Reads the first of these properties that the server has.
async fn property(connection: &Connection, interface: &str, names: &[&str]) -> Option<bool> {
    for name in names {
        let asked =
            connection.call_method(Some(SERVER), PATH, Some(PROPERTIES), "Get", &(interface, name)).await;
        let value = asked.ok().and_then(|reply| reply.body().deserialize::<OwnedVariant>().ok());
        if let Some(value) = value.and_then(|value| value.try_into().ok()) {
            return Some(value);
        }
    }
    None
}

async fn xfce(connection: &Connection) -> Option<bool> {
    let asked = (XFCE_CHANNEL, "/do-not-disturb");
    let reply = connection.call_method(Some(XFCONF), XFCONF_PATH, Some(XFCONF), "GetProperty", &asked).await;
    match reply {
        Ok(reply) => reply.body().deserialize::<OwnedVariant>().ok()?.try_into().ok(),
        // It was never switched.
        Err(zbus::Error::MethodError(name, ..)) if name.as_str().ends_with("PropertyNotFound") => Some(false),
        Err(_) => None,
    }
}

async fn gnome() -> Display {
    let all = "org.gnome.desktop.notifications";
    let own =
        "org.gnome.desktop.notifications.application:/org/gnome/desktop/notifications/application/dosed/";
    let is_off = |on: Option<bool>| on == Some(false);
    if is_off(setting(own, "enable").await) || is_off(setting(own, "show-banners").await) {
        return Display::SwitchedOff;
    }
    disturb(setting(all, "show-banners").await.map(|on| !on))
}

/// Reads a switch of the desktop's settings as their own program does: the library behind it is the desktop's.
async fn setting(schema: &str, key: &str) -> Option<bool> {
    programs::ask("gsettings", &["get", schema, key]).await.ok()?.parse().ok()
}

/// Tells whether Plasma's settings switch off the pop-ups of dosed.
async fn is_off_in_plasma(config_dir: Option<PathBuf>) -> bool {
    let Some(path) = config_dir.map(|config| config.join("plasmanotifyrc")) else { return false };
    let read = files::blocking(TIME_LIMIT, move || files::read_regular(&path, MAX_SETTINGS_BYTES)).await;
    let text = read.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.is_some_and(|text| hides_popups(&text))
}

/// Reads Plasma's settings of notifications.
fn hides_popups(settings: &str) -> bool {
    let mut lines =
        settings.lines().map(str::trim).skip_while(|line| *line != "[Applications][dosed]").skip(1);
    let mut own = lines.by_ref().take_while(|line| !line.starts_with('['));
    own.any(|line| line.replace(' ', "") == "ShowPopups=false")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_of_plasma_are_read() {
        for (settings, hides) in [
            ("", false),
            ("[Applications][dosed]\nSeen=true\nShowPopups=false\n", true),
            ("[Applications][dosed]\nShowPopups = false", true),
            ("[Applications][dosed]\nShowPopups=true\n", false),
            ("[Applications][other]\nShowPopups=false\n[Applications][dosed]\nSeen=true\n", false),
            ("[Applications][dosed]\nSeen=true\n[Applications][other]\nShowPopups=false\n", false),
        ] {
            assert_eq!(hides_popups(settings), hides, "{settings}");
        }
    }
}
