//! Opens a terminal on the desktop with a command in it.

use std::ffi::{OsStr, OsString};
use std::process::Stdio;

use tokio::process::Command;
use tracing::warn;

use crate::anew;
use crate::programs;

/// Terminals, with what stands between them and the command; the first one that is there is taken.
const TERMINALS: &[(&str, &[&str])] = &[
    ("xdg-terminal-exec", &[]),
    ("x-terminal-emulator", &["-e"]),
    ("gnome-terminal", &["--"]),
    ("konsole", &["-e"]),
    ("xfce4-terminal", &["-x"]),
    ("foot", &[]),
    ("kitty", &[]),
    ("alacritty", &["-e"]),
    ("xterm", &["-e"]),
];

/// Starts a program outside of the service, whose restrictions are not for terminals.
const OUTSIDE: &[&str] = &["systemd-run", "--user", "--quiet", "--collect", "--"];

/// A terminal of this desktop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terminal {
    command: Vec<OsString>,
}

impl Terminal {
    /// Finds a terminal: the one that `TERMINAL` names, else one that is usual. There is none without a
    /// display.
    #[must_use]
    pub fn find(variable: impl Fn(&str) -> Option<OsString>) -> Option<Self> {
        variable("DISPLAY").or_else(|| variable("WAYLAND_DISPLAY"))?;
        let path = variable("PATH").unwrap_or_default();
        let find = |name: &OsStr| programs::find(name, &path);
        let words = |program: OsString, between: &[&str]| {
            std::iter::once(program).chain(between.iter().map(OsString::from)).collect::<Vec<_>>()
        };
        let named = variable("TERMINAL").filter(|name| find(name).is_some());
        let named = named.map(|name| words(name, &["-e"]));
        let usual = || {
            let mut known = TERMINALS.iter();
            known.find_map(|(name, between)| Some(words(find(OsStr::new(name))?.into_os_string(), between)))
        };
        let terminal = named.or_else(usual)?;
        let is_service = variable("INVOCATION_ID").is_some() && find(OsStr::new(OUTSIDE[0])).is_some();
        let outside = OUTSIDE.iter().filter(|_| is_service).map(OsString::from);
        Some(Self { command: outside.chain(terminal).collect() })
    }

    /// Opens it with a command; what becomes of it there is its own business.
    pub fn open(&self, command: impl IntoIterator<Item = OsString>) {
        let mut words = self.command.iter().cloned().chain(command);
        let Some(program) = words.next() else { return };
        let mut started = Command::new(program);
        anew::keep_to_ourselves(started.as_std_mut());
        started.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        match started.spawn() {
            Ok(mut child) => {
                tokio::spawn(async move { child.wait().await });
            }
            Err(error) => warn!(%error, "a terminal could not be opened"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_known_where_there_is_a_display_and_a_program() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let place = |name: &str| {
            std::fs::write(dir.path().join(name), "").unwrap();
            std::fs::set_permissions(dir.path().join(name), std::fs::Permissions::from_mode(0o755)).unwrap();
        };
        let path = dir.path().as_os_str().to_owned();
        let check = |variables: &[(&str, &str)], expected: Option<&str>| {
            let found = Terminal::find(|name| match name {
                "PATH" => Some(path.clone()),
                name => variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()),
            });
            let dir = format!("{}/", dir.path().display());
            let words = found
                .map(|found| found.command.join(OsStr::new(" ")).into_string().unwrap().replace(&dir, ""));
            assert_eq!(words.as_deref(), expected);
        };
        let display = ("DISPLAY", ":0");
        check(&[display], None);
        place("xterm");
        check(&[display], Some("xterm -e"));
        check(&[("WAYLAND_DISPLAY", "wayland-0")], Some("xterm -e"));
        check(&[], None);
        place("foot");
        check(&[display], Some("foot"));
        check(&[display, ("TERMINAL", "xterm")], Some("xterm -e"));
        check(&[display, ("TERMINAL", "not-there")], Some("foot"));
        check(&[display, ("INVOCATION_ID", "1")], Some("foot"));
        place("systemd-run");
        check(&[display, ("INVOCATION_ID", "1")], Some("systemd-run --user --quiet --collect -- foot"));
    }
}
