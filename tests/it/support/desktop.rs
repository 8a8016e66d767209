//! A desktop for the tests: a display, a bus, and dunst.

use std::path::Path;
use std::process::Stdio;

use super::{Guard, Home, first_line, write_script};

/// A desktop: Xvfb, a session bus, and dunst.
pub(crate) struct Desktop {
    _xvfb: Guard,
    _bus: Guard,
    pub(crate) display: String,
}

impl Desktop {
    /// Starts the display and the bus, and lets the home use them; dunst comes with [`Desktop::dunst`].
    pub(crate) fn new(home: &mut Home) -> Self {
        let mut xvfb = home
            .command("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "640x360x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb is installed");
        let display = format!(":{}", first_line(&mut xvfb));
        let (bus, address) = session_bus(home);
        home.set("DISPLAY", &display);
        home.set("DBUS_SESSION_BUS_ADDRESS", &address);
        Self { _xvfb: Guard(xvfb), _bus: bus, display }
    }

    /// Returns a home with a desktop on which dunst runs.
    pub(crate) fn with_dunst() -> (Home, Self, Guard) {
        let mut home = Home::new();
        let desktop = Self::new(&mut home);
        let dunst = desktop.dunst(&home);
        (home, desktop, dunst)
    }

    /// Starts dunst and waits until it owns its name. Its menu picks the entry that [`Desktop::choose`]
    /// names.
    pub(crate) fn dunst(&self, home: &Home) -> Guard {
        let pick = home.path("pick");
        let script = format!("#!/bin/sh\ngrep -F -- \"#$(cat {}) \" | head -n 1\n", home.path("choice"));
        write_script(Path::new(&pick), &script);
        let config = home.dir.path().join("home/.config/dunst/dunstrc");
        std::fs::create_dir_all(config.parent().unwrap()).unwrap();
        let text = format!(
            "[global]\ndmenu = {pick}\nfont = DejaVu Sans 12\nwidth = 420\norigin = top-center\noffset = 0x24\nframe_width = 2\nframe_color = \"#5a7d5a\"\ncorner_radius = 8\nheight = 240\n[urgency_normal]\nbackground = \"#f7f5ef\"\nforeground = \"#26302a\"\n"
        );
        std::fs::write(&config, text).unwrap();
        let dunst = home
            .command("dunst")
            .arg("-config")
            .arg(&config)
            .stderr(Stdio::null())
            .spawn()
            .expect("dunst is installed");
        let waited = home
            .command("gdbus")
            .args(["wait", "--session", "--timeout", "30", "org.freedesktop.Notifications"])
            .status()
            .expect("gdbus is installed");
        assert!(waited.success());
        Guard(dunst)
    }

    /// Chooses a button on the notification that is shown.
    pub(crate) fn choose(&self, home: &Home, label: &str) {
        std::fs::write(home.path("choice"), label).unwrap();
        assert!(home.command("dunstctl").arg("action").status().unwrap().success());
    }

    pub(crate) fn displayed(&self, home: &Home) -> usize {
        let output = home.command("dunstctl").args(["count", "displayed"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
    }
}

/// Starts a bus and returns it with its address.
pub(crate) fn session_bus(home: &Home) -> (Guard, String) {
    let mut bus = home
        .command("dbus-daemon")
        .args(["--session", "--nofork", "--print-address=1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("dbus-daemon is installed");
    let address = first_line(&mut bus);
    (Guard(bus), address)
}

/// Starts a bus that starts no service by itself, whatever is installed, and lets the home use it.
pub(crate) fn bare_bus(home: &mut Home) -> Guard {
    let config = home.path("bus.conf");
    let text = "<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>";
    std::fs::write(&config, text).unwrap();
    let mut bus = home
        .command("dbus-daemon")
        .args(["--config-file", &config, "--nofork", "--print-address=1"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("dbus-daemon is installed");
    let address = first_line(&mut bus);
    home.set("DBUS_SESSION_BUS_ADDRESS", address);
    Guard(bus)
}
