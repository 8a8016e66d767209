//! Opens a terminal on the desktop with a command in it; it does not wait for it.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;
use tracing::warn;

use crate::process::programs;

/// Known terminals, each with the arguments before the command and its arguments; the first one that is installed is used.
const KNOWN: &[(&str, &[&str])] = &[
    ("xdg-terminal-exec", &[]),
    ("x-terminal-emulator", &["-e"]),
    ("gnome-terminal", &["--"]),
    ("ptyxis", &["--new-window", "--"]),
    ("kgx", &["--"]),
    ("konsole", &["-e"]),
    ("xfce4-terminal", &["-x"]),
    ("mate-terminal", &["-x"]),
    ("qterminal", &["-e"]),
    ("lxterminal", &["-e"]),
    ("tilix", &["-e"]),
    ("foot", &[]),
    ("kitty", &[]),
    ("alacritty", &["-e"]),
    ("wezterm", &["start", "--"]),
    ("ghostty", &["-e"]),
    ("xterm", &["-e"]),
];

/// Starts a program outside of the service, whose restrictions are not for terminals.
const OUTSIDE_SERVICE: &[&str] = &["systemd-run", "--user", "--quiet", "--collect", "--"];

/// A terminal of this desktop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terminal {
    command: Vec<OsString>,
}

impl Terminal {
    /// Finds a terminal: the one that `TERMINAL` names, else a known one; none without a display. A service starts it
    /// outside of itself.
    #[must_use]
    pub fn find(variable: impl Fn(&str) -> Option<OsString>, is_service: bool) -> Option<Self> {
        variable("DISPLAY").or_else(|| variable("WAYLAND_DISPLAY"))?;
        let terminal = installed(&variable)?;
        let path = variable("PATH").unwrap_or_default();
        let is_outside = is_service && programs::find(OsStr::new(OUTSIDE_SERVICE[0]), &path).is_some();
        let outside = OUTSIDE_SERVICE.iter().filter(|_| is_outside).map(OsString::from);
        Some(Self { command: outside.chain(terminal).collect() })
    }

    /// Tells whether a terminal is likely to be found later: a service starts before the desktop has told its display.
    #[must_use]
    pub fn is_likely(variable: impl Fn(&str) -> Option<OsString>, is_service: bool) -> bool {
        if is_service { installed(&variable).is_some() } else { Self::find(variable, false).is_some() }
    }

    /// Opens it with a command, without waiting for it.
    pub fn open(&self, command: impl IntoIterator<Item = OsString>) {
        let mut words = self.command.iter().cloned().chain(command);
        let Some(program) = words.next() else { return };
        let mut started = Command::new(program);
        started.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        match started.spawn() {
            Ok(mut child) => {
                tokio::spawn(async move { child.wait().await });
            }
            Err(error) => warn!(%error, "a terminal could not be opened"),
        }
    }
}

/// Returns a terminal that is installed, with the arguments before the command.
fn installed(variable: &impl Fn(&str) -> Option<OsString>) -> Option<Vec<OsString>> {
    let path = variable("PATH").unwrap_or_default();
    let words = |name: &OsStr| {
        let program = programs::find(name, &path)?;
        // One that is not known is called as most of them are.
        let known = KNOWN.iter().find(|(known, _)| Path::new(name).file_name() == Some(OsStr::new(known)));
        let arguments = known.map_or(&["-e"][..], |(_, arguments)| *arguments);
        Some(std::iter::once(program.into_os_string()).chain(arguments.iter().map(OsString::from)).collect())
    };
    let named = variable("TERMINAL").and_then(|name| words(&name));
    named.or_else(|| KNOWN.iter().find_map(|(name, _)| words(OsStr::new(name))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory of programs that are installed.
    struct Programs(tempfile::TempDir);

    impl Programs {
        fn new(names: &[&str]) -> Self {
            use std::os::unix::fs::PermissionsExt;
            let dir = tempfile::tempdir().unwrap();
            for name in names {
                std::fs::write(dir.path().join(name), "").unwrap();
                let mode = std::fs::Permissions::from_mode(0o755);
                std::fs::set_permissions(dir.path().join(name), mode).unwrap();
            }
            Self(dir)
        }

        fn variable(&self, variables: &[(&str, &str)], name: &str) -> Option<OsString> {
            match name {
                "PATH" => Some(self.0.path().into()),
                name => variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()),
            }
        }

        fn find(&self, variables: &[(&str, &str)], is_service: bool) -> Option<String> {
            let found = Terminal::find(|name| self.variable(variables, name), is_service)?;
            let dir = format!("{}/", self.0.path().display());
            Some(found.command.join(OsStr::new(" ")).into_string().unwrap().replace(&dir, ""))
        }
    }

    const DISPLAY: (&str, &str) = ("DISPLAY", ":0");

    #[test]
    fn a_terminal_is_found_where_there_is_a_display_and_a_program() {
        let wayland = ("WAYLAND_DISPLAY", "wayland-0");
        let odd = ("TERMINAL", "not-there");
        let named = ("TERMINAL", "xterm");
        for (programs, variables, is_service, expected) in [
            (&[][..], &[DISPLAY][..], false, None),
            (&["xterm"], &[DISPLAY], false, Some("xterm -e")),
            (&["xterm"], &[wayland], false, Some("xterm -e")),
            (&["xterm"], &[], false, None),
            (&["xterm", "foot"], &[DISPLAY], false, Some("foot")),
            (&["xterm", "foot"], &[DISPLAY, named], false, Some("xterm -e")),
            (&["xterm", "foot"], &[DISPLAY, odd], false, Some("foot")),
            (&["xterm"], &[DISPLAY], true, Some("xterm -e")),
            (&["foot", "systemd-run"], &[DISPLAY], false, Some("foot")),
            (
                &["foot", "systemd-run"],
                &[DISPLAY],
                true,
                Some("systemd-run --user --quiet --collect -- foot"),
            ),
            (&["foot", "systemd-run"], &[], true, None),
        ] {
            let found = Programs::new(programs).find(variables, is_service);
            assert_eq!(found.as_deref(), expected, "{programs:?} {variables:?} {is_service}");
        }
    }

    #[test]
    fn each_terminal_is_called_as_it_wants_it() {
        // As their manuals and command lines have it; with one string for all they would split or lose the arguments.
        for (name, expected) in [
            ("xdg-terminal-exec", "xdg-terminal-exec"),
            ("x-terminal-emulator", "x-terminal-emulator -e"),
            ("gnome-terminal", "gnome-terminal --"),
            ("ptyxis", "ptyxis --new-window --"),
            ("kgx", "kgx --"),
            ("konsole", "konsole -e"),
            ("xfce4-terminal", "xfce4-terminal -x"),
            ("mate-terminal", "mate-terminal -x"),
            ("qterminal", "qterminal -e"),
            ("lxterminal", "lxterminal -e"),
            ("tilix", "tilix -e"),
            ("foot", "foot"),
            ("kitty", "kitty"),
            ("alacritty", "alacritty -e"),
            ("wezterm", "wezterm start --"),
            ("ghostty", "ghostty -e"),
            ("xterm", "xterm -e"),
        ] {
            let alone = Programs::new(&[name]);
            assert_eq!(alone.find(&[DISPLAY], false).as_deref(), Some(expected), "{name}");
            // Named by the person, by name or by path, it is called the same way.
            let with_others = Programs::new(&[name, "xdg-terminal-exec", "other"]);
            let path = with_others.0.path().join(name);
            for named in [name, path.to_str().unwrap()] {
                let found = with_others.find(&[DISPLAY, ("TERMINAL", named)], false);
                assert_eq!(found.as_deref(), Some(expected), "{named}");
            }
            let found = with_others.find(&[DISPLAY, ("TERMINAL", "other")], false);
            assert_eq!(found.as_deref(), Some("other -e"), "{name}");
        }
    }

    #[test]
    fn a_service_may_hear_of_the_display_later() {
        for (programs, variables, is_service, expected) in [
            (&["foot"][..], &[][..], true, true),
            (&["foot"], &[], false, false),
            (&["foot"], &[DISPLAY], false, true),
            (&[], &[DISPLAY], true, false),
        ] {
            let programs = Programs::new(programs);
            let found = Terminal::is_likely(|name| programs.variable(variables, name), is_service);
            assert_eq!(found, expected, "{variables:?} {is_service}");
        }
    }
}
