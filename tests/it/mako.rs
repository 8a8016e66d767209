//! Reminders on mako, the notification server of people with sway, headless: it shows no buttons on them.

use std::process::Stdio;

use serde_json::Value;

use crate::support::{Guard, Home, session_bus, wait_until};

struct Mako {
    home: Home,
    _server: Guard,
    _sway: Guard,
    _bus: Guard,
}

impl Mako {
    fn new() -> Self {
        let mut home = Home::new();
        let (bus, address) = session_bus(&home);
        home.set("DBUS_SESSION_BUS_ADDRESS", &address);
        home.set("WLR_BACKENDS", "headless");
        home.set("WLR_RENDERER", "pixman");
        home.set("WLR_LIBINPUT_NO_DEVICES", "1");
        let display = home.path("wayland");
        let config = home.path("sway.conf");
        // It says where its display is once it is there.
        std::fs::write(&config, format!("exec printf %s \"$WAYLAND_DISPLAY\" > {display}\n")).unwrap();
        let sway = Guard(spawn(&home, "sway", &["-c", &config]));
        wait_until("sway runs", || std::fs::read_to_string(&display).is_ok_and(|name| !name.is_empty()));
        home.set("WAYLAND_DISPLAY", std::fs::read_to_string(&display).unwrap());
        let mako = Guard(spawn(&home, "mako", &[]));
        let wait = ["wait", "--session", "--timeout", "30", "org.freedesktop.Notifications"];
        assert!(home.command("gdbus").args(wait).status().unwrap().success());
        Self { home, _server: mako, _sway: sway, _bus: bus }
    }

    /// Returns what is on the screen.
    fn shown(&self) -> Vec<Value> {
        let output = self.home.command("makoctl").arg("list").output().unwrap();
        let list: Value = serde_json::from_slice(&output.stdout).unwrap();
        list["data"][0].as_array().cloned().unwrap_or_default()
    }
}

fn spawn(home: &Home, program: &str, arguments: &[&str]) -> std::process::Child {
    let mut command = home.command(program);
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap_or_else(|error| panic!("{program} is installed: {error}"))
}

fn one(time: &str) -> String {
    format!(
        "[[supplement]]\nid = \"calcium\"\nname = \"Calcium & <D>\"\ndose = \"500 mg\"\ntimes = [\"{time}\"]\n"
    )
}

#[test]
#[ignore = "needs sway mako dbus-daemon gdbus"]
fn a_reminder_on_mako_says_how_to_answer_and_is_taken_down_when_it_is() {
    for answer in [&["makoctl", "invoke", "-n", "", "taken"][..], &["dosed"]] {
        let mako = Mako::new();
        let _daemon = mako.home.start_before_due(one);
        let mut watch = mako.home.watch();
        watch.fact("delivered");
        let shown = mako.shown();
        let [shown] = shown.as_slice() else { panic!("{shown:?}") };
        assert_eq!(shown["summary"]["data"], "Calcium & <D>");
        let body = shown["body"]["data"].as_str().unwrap();
        assert!(body.ends_with("to answer: dosed take calcium"), "{body}");
        let status = mako.home.good(&["status"]);
        assert!(status.contains("mako shows no buttons"), "{status}");
        if let [program, invoke, option, _, button] = answer {
            let id = shown["id"]["data"].to_string();
            let done = mako.home.command(program).args([*invoke, *option, &id, *button]).status();
            assert!(done.unwrap().success());
        } else {
            mako.home.good(&["take", "calcium"]);
        }
        assert_eq!(watch.fact("intake")["fact"]["planned"], "500 mg");
        wait_until("it is gone", || mako.shown().is_empty());
    }
}
