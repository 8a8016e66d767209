//! Reminders on a real GNOME Shell, headless: what a person sees there, and what the mouse does.
//!
//! The shell evaluates JavaScript in its unsafe mode: it moves a virtual pointer, as a person does, and says where its
//! buttons are. Presses are real events of that pointer.

use std::process::Stdio;

use serde_json::Value;

use crate::support::{
    Daemon, Guard, Home, Watch, in_seconds, session_bus, time_of_day, wait_until, write_script,
};

/// The pointer of the person.
const POINTER: &str = "const C = imports.gi.Clutter, now = imports.gi.GLib.get_monotonic_time(); global.mouse ??= C.get_default_backend().get_default_seat().create_virtual_device(C.InputDeviceType.POINTER_DEVICE);";

/// What GNOME says of itself without a login manager; it would keep the banner of a reminder for that.
const COMPLAINT: &str = "Screen Lock disabled";

/// The middle of an actor, in pixels.
const MIDDLE: &str =
    "const middle = c => c.get_transformed_position().map((p, i) => Math.round(p + c.get_size()[i] / 2));";

/// The schema of the settings of one application, for dosed.
const OWN_SETTINGS: &str =
    "org.gnome.desktop.notifications.application:/org/gnome/desktop/notifications/application/dosed/";

struct Gnome {
    home: Home,
    _shell: Guard,
    _buses: [Guard; 2],
}

impl Gnome {
    fn new() -> Self {
        let mut home = Home::new();
        home.set("XDG_CURRENT_DESKTOP", "GNOME");
        home.set("LIBGL_ALWAYS_SOFTWARE", "1");
        home.set("LANG", "C.UTF-8");
        // GNOME Shell wants a system bus; an empty one will do.
        let (system, address) = session_bus(&home);
        home.set("DBUS_SYSTEM_BUS_ADDRESS", &address);
        let (session, address) = session_bus(&home);
        home.set("DBUS_SESSION_BUS_ADDRESS", &address);
        let shell = home
            .command("gnome-shell")
            .args(["--headless", "--virtual-monitor", "1280x800", "--unsafe-mode", "--no-x11"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("gnome-shell is installed");
        let shell = Guard(shell);
        for name in ["org.freedesktop.Notifications", "org.gnome.Shell"] {
            let waited = home.command("gdbus").args(["wait", "--session", "--timeout", "60", name]).status();
            assert!(waited.unwrap().success(), "GNOME Shell starts: {name}");
        }
        let gnome = Self { home, _shell: shell, _buses: [system, session] };
        wait_until("it evaluates JavaScript", || gnome.try_js("Main.overview.hide(); 0").is_some());
        let complains = format!(
            "Main.messageTray.getSources().some(s => s.notifications.some(n => n.title == '{COMPLAINT}'))"
        );
        wait_until(COMPLAINT, || gnome.js(&complains) == true);
        gnome.js("Main.messageTray.getSources().forEach(s => s.destroy()); 0");
        wait_until("the screen is empty", || gnome.js("Main.messageTray._notificationState") == 0);
        gnome
    }

    /// Evaluates JavaScript in the shell.
    #[track_caller]
    fn js(&self, script: &str) -> Value {
        self.try_js(script).unwrap_or_else(|| panic!("GNOME Shell cannot evaluate {script}"))
    }

    fn try_js(&self, script: &str) -> Option<Value> {
        let call = ["call", "--session", "--dest", "org.gnome.Shell", "--object-path", "/org/gnome/Shell"];
        let output =
            self.home.command("gdbus").args(call).args(["--method", "org.gnome.Shell.Eval", script]).output();
        let output = String::from_utf8(output.unwrap().stdout).unwrap();
        let result = output.trim().strip_prefix("(true, '")?.strip_suffix("')")?;
        Some(serde_json::from_str(result).unwrap_or(Value::Null))
    }

    fn move_to(&self, x: i64, y: i64) {
        self.js(&format!("{POINTER} global.mouse.notify_absolute_motion(now, {x}, {y}); 0"));
    }

    fn click(&self, (x, y): (i64, i64)) {
        self.move_to(x, y);
        for state in ["PRESSED", "RELEASED"] {
            self.js(&format!("{POINTER} global.mouse.notify_button(now, 1, C.ButtonState.{state}); 0"));
        }
    }

    /// Returns where something on the screen is, once it is there and stands still.
    fn wait_for(&self, what: &str) -> (i64, i64) {
        let mut before = None;
        wait_until(what, || {
            let place = self.js(&format!("{MIDDLE} const c = {what}; c ? middle(c) : null"));
            let found = (|| Some((place[0].as_i64()?, place[1].as_i64()?)))();
            let stands = found.is_some() && found == before;
            before = found;
            stands
        });
        before.unwrap()
    }

    /// Waits for the banner, and moves the pointer onto it, which makes its buttons appear.
    fn hover(&self) -> (i64, i64) {
        let (x, y) = self.wait_for("Main.messageTray._banner");
        // Only a movement counts, also where the banner came up under the pointer.
        self.move_to(x, y + 200);
        self.move_to(x, y);
        (x, y)
    }

    /// Presses a button of the banner.
    fn press(&self, label: &str) {
        self.hover();
        let button =
            format!("Main.messageTray._banner?._buttonBox?.get_children().find(c => c.label == '{label}')");
        let place = self.wait_for(&button);
        self.click(place);
    }

    /// Returns the titles of the notifications of dosed in the tray.
    fn tray(&self) -> Vec<String> {
        let titles = self.js("Main.messageTray.getSources().filter(s => s.title == 'dosed').flatMap(s => s.notifications.map(n => n.title))");
        titles.as_array().into_iter().flatten().map(|title| title.as_str().unwrap().to_owned()).collect()
    }

    fn set(&self, schema: &str, key: &str, value: &str) {
        let set = self.home.command("gsettings").args(["set", schema, key, value]).status();
        assert!(set.unwrap().success());
    }

    fn person(&self, member: &str) -> bool {
        self.home.json(&["status", "--json"])["person"][member] == true
    }

    fn start(&self, schedule: impl Fn(&str) -> String) -> (Daemon, Watch) {
        let daemon = self.home.start_before_due(schedule);
        let watch = self.home.watch();
        (daemon, watch)
    }
}

fn one(time: &str) -> String {
    format!(
        "[[supplement]]\nid = \"calcium\"\nname = \"Calcium\"\ndose = \"500 mg\"\nwith = \"food\"\ntimes = [\"{time}\"]\n"
    )
}

fn two(time: &str) -> String {
    format!("{}\n[[supplement]]\nid = \"iron\"\nname = \"Iron\"\ntimes = [\"{time}\"]\n", one(time))
}

#[test]
#[ignore = "needs gnome-shell gjs dbus-daemon gdbus dconf-service"]
fn a_reminder_on_gnome_is_answered_by_a_click() {
    let gnome = Gnome::new();
    let (_daemon, mut watch) = gnome.start(one);
    watch.fact("delivered");
    gnome.hover();
    picture(&gnome);
    gnome.press("Taken");
    assert_eq!(watch.fact("intake")["fact"]["item"], "calcium");
    wait_until("it is gone", || gnome.tray().is_empty());
    let server = gnome.home.json(&["status", "--json"])["notifications"].clone();
    assert_eq!((&server["server"], &server["stays"]), (&"gnome-shell".into(), &false.into()));
    assert!(gnome.home.good(&["status"]).contains("GNOME hides banners after seconds"));
}

/// Takes the picture that the README shows.
fn picture(gnome: &Gnome) {
    gnome.wait_for("Main.messageTray._banner?._buttonBox?.get_first_child()");
    let to = gnome.home.path("gnome.png");
    let shot = ["call", "--session", "--dest", "org.gnome.Shell.Screenshot", "--object-path"];
    let call = ["/org/gnome/Shell/Screenshot", "--method", "org.gnome.Shell.Screenshot.ScreenshotArea"];
    let area = ["380", "0", "520", "200", "false", &to];
    let taken = gnome.home.command("gdbus").args(shot).args(call).args(area).output().unwrap();
    assert!(taken.status.success());
    assert!(std::fs::metadata(&to).unwrap().len() > 1000, "the picture is empty");
    if std::env::var_os("DOSED_KEEP_PICTURES").is_some() {
        std::fs::copy(to, concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pictures/gnome.png")).unwrap();
    }
}

#[test]
#[ignore = "needs gnome-shell gjs dbus-daemon gdbus dconf-service"]
fn a_reminder_on_gnome_that_changes_while_it_is_shown_keeps_its_buttons() {
    let gnome = Gnome::new();
    let (_daemon, mut watch) = gnome.start(two);
    watch.fact("delivered");
    gnome.hover();
    gnome.home.good(&["take", "iron"]);
    wait_until("the other one is alone", || gnome.tray() == ["Calcium"]);
    gnome.press("Taken");
    wait_until("both are taken", || {
        let facts = gnome.home.journal();
        facts.iter().filter(|line| line["fact"]["type"] == "intake").count() == 2
    });
    let facts = gnome.home.journal();
    assert!(!facts.iter().any(|line| line["fact"]["type"] == "closed"), "{facts:?}");
}

#[test]
#[ignore = "needs gnome-shell gjs dbus-daemon gdbus dconf-service"]
fn a_click_on_a_reminder_on_gnome_opens_a_terminal_and_leaves_the_reminder() {
    let mut gnome = Gnome::new();
    let terminal = gnome.home.path("terminal");
    write_script(terminal.as_ref(), "#!/bin/sh\necho \"$@\" >> \"$HOME/opened\"\n");
    gnome.home.set("TERMINAL", &terminal);
    gnome.home.set("DISPLAY", ":99");
    let (_daemon, mut watch) = gnome.start(one);
    watch.fact("delivered");
    let place = gnome.hover();
    gnome.click(place);
    let opened = gnome.home.dir.path().join("home/opened");
    wait_until("a terminal is opened", || {
        std::fs::read_to_string(&opened).is_ok_and(|text| text.ends_with('\n'))
    });
    assert_eq!(std::fs::read_to_string(&opened).unwrap().lines().count(), 1);
    assert_eq!(gnome.tray(), ["Calcium"]);
    gnome.home.good(&["take", "calcium"]);
    wait_until("it is gone", || gnome.tray().is_empty());
}

#[test]
#[ignore = "needs gnome-shell gjs dbus-daemon gdbus dconf-service"]
fn what_gnome_would_not_show_waits() {
    let all = "org.gnome.desktop.notifications";
    for (schema, key, off, on, member) in [
        (all, "show-banners", "false", "true", "do_not_disturb"),
        (OWN_SETTINGS, "enable", "false", "true", "switched_off"),
    ] {
        let gnome = Gnome::new();
        gnome.home.schedule(&one(&time_of_day(in_seconds(3600))));
        let _daemon = gnome.home.start();
        let mut watch = gnome.home.watch();
        wait_until("the server is known", || gnome.person("do_not_disturb_told"));
        gnome.set(schema, key, off);
        wait_until("it is noticed", || gnome.person(member));
        gnome.home.schedule(&one(&time_of_day(in_seconds(4))));
        gnome.home.wait_for_state(0, "due");
        assert!(gnome.tray().is_empty(), "{key}");
        gnome.set(schema, key, on);
        let delivered = watch.fact("delivered");
        assert!(delivered["fact"].get("away").is_none(), "{delivered}");
        gnome.hover();
        assert_eq!(gnome.tray(), ["Calcium"], "{key}");
    }
}
