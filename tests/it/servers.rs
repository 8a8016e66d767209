//! Other notification servers than dunst: what a person does with the mouse, and what each is asked to do.
//!
//! Their windows are looked at as a person does, on a picture of the screen: the theme gives the first
//! button a colour that nothing else has.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use jiff::{Timestamp, Zoned};

use crate::support::{Desktop, Guard, Home, PATIENCE};

/// A server as its Debian package brings it: how it is started, and what it says of itself.
struct Server {
    program: &'static str,
    name: &'static str,
    version: &'static str,
    /// Whether its window goes when a notification is closed by a call. (One says that it closed it, and
    /// leaves the window where it is, whoever asks.)
    takes_down: bool,
}

const SERVERS: [Server; 2] = [
    Server {
        program: "/usr/lib/*/xfce4/notifyd/xfce4-notifyd",
        name: "Xfce Notify Daemon",
        version: "0.",
        takes_down: true,
    },
    Server {
        program: "/usr/lib/notification-daemon/notification-daemon",
        name: "Notification Daemon",
        version: "3.",
        takes_down: false,
    },
];

/// The colour of the first button, which is *Taken*, in red, green and blue.
const BUTTON: [u8; 3] = [255, 0, 255];

const THEME: &str = "button { background: #fff; }\nbutton:first-child { background: #f0f; }\n";

/// The width of the screen in pixels.
const WIDTH: usize = 640;

/// The fewest pixels of a line that goes through a button.
const MIN_BUTTON_WIDTH: usize = 20;

impl Server {
    /// Returns a home with a desktop for it.
    fn desktop(&self) -> (Home, Desktop) {
        let mut home = Home::new();
        let desktop = Desktop::new(&mut home);
        home.set("GDK_BACKEND", "x11");
        home.set("GSETTINGS_BACKEND", "memory");
        let theme = home.dir.path().join("home/.config/gtk-3.0/gtk.css");
        std::fs::create_dir_all(theme.parent().unwrap()).unwrap();
        std::fs::write(theme, THEME).unwrap();
        (home, desktop)
    }

    /// Starts it and waits until it owns its name.
    fn start(&self, home: &Home) -> Guard {
        let server = home
            .command("sh")
            .args(["-c", &format!("exec {}", self.program)])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Guard(server);
        let waited = home
            .command("gdbus")
            .args(["wait", "--session", "--timeout", "30", "org.freedesktop.Notifications"])
            .status()
            .unwrap();
        assert!(waited.success(), "{} is installed and starts", self.program);
        server
    }
}

/// Returns the middle of the first button of every notification on the screen, from top to bottom.
fn first_buttons(home: &Home) -> Vec<(usize, usize)> {
    let output = home.command("import").args(["-window", "root", "-depth", "8", "rgb:-"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<Option<usize>> = output.stdout.chunks_exact(WIDTH * 3).map(middle).collect();
    let mut found = Vec::new();
    let mut top = 0;
    for run in lines.chunk_by(|a, b| a.is_some() == b.is_some()) {
        let y = top + run.len() / 2;
        found.extend(lines[y].map(|x| (x, y)));
        top += run.len();
    }
    found
}

/// Returns the middle of a button on a line of the picture.
fn middle(line: &[u8]) -> Option<usize> {
    let (pixels, _) = line.as_chunks::<3>();
    let of_button: Vec<usize> = (0..WIDTH).filter(|x| pixels[*x] == BUTTON).collect();
    let is_wide = of_button.len() >= MIN_BUTTON_WIDTH;
    is_wide.then(|| usize::midpoint(of_button[0], of_button[of_button.len() - 1]))
}

/// Looks until this many notifications are on the screen, and stand still.
#[track_caller]
fn see(home: &Home, count: usize) -> Vec<(usize, usize)> {
    let until = Instant::now() + PATIENCE;
    let mut before = Vec::new();
    loop {
        let now = first_buttons(home);
        if now.len() == count && now == before {
            return now;
        }
        assert!(Instant::now() < until, "{count} notifications expected, seen at {now:?}: {}", home.log());
        before = now;
    }
}

/// Presses the first button with the mouse.
fn press(home: &Home, (x, y): (usize, usize)) {
    let (x, y) = (x.to_string(), y.to_string());
    let done = home.command("xdotool").args(["mousemove", &x, &y, "click", "1"]).status();
    assert!(done.expect("xdotool is installed").success());
}

/// What the servers say on the bus, as somebody else hears it.
struct Signals {
    _monitor: Guard,
    lines: Receiver<String>,
}

impl Signals {
    fn hear(home: &Home) -> Self {
        let mut monitor = home
            .command("gdbus")
            .args(["monitor", "--session", "--dest", "org.freedesktop.Notifications"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(monitor.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || said.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let signals = Self { _monitor: Guard(monitor), lines };
        signals.wait("is owned by");
        signals
    }

    #[track_caller]
    fn wait(&self, what: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("{what}: {error}"));
            if line.contains(what) {
                return line;
            }
        }
    }
}

fn one(id: &str, time: &str) -> String {
    format!(
        "[[supplement]]\nid = \"{id}\"\nname = \"Calcium & <D>\"\ndose = \"500 mg\"\ntimes = [\"{time}\"]\n"
    )
}

#[track_caller]
fn withdraws_what_is_answered_elsewhere(server: &Server) {
    let (home, _desktop) = server.desktop();
    let _server = server.start(&home);
    let signals = Signals::hear(&home);
    let _daemon = home.start_before_due(|time| one("a", time));
    let delivered = home.watch().fact("delivered")["fact"].clone();
    let at: Zoned = delivered["at"].as_str().unwrap().parse().unwrap();
    let late = at.timestamp().duration_since(slot(&delivered["occurrence"], &at));
    // A server that needs five seconds has not shown it.
    assert!(!late.is_negative() && late.unsigned_abs() < Duration::from_secs(5), "{delivered}");
    see(&home, 1);
    let said = home.json(&["status", "--json"])["notifications"].clone();
    assert_eq!((said["server"].as_str(), said["buttons"].as_bool()), (Some(server.name), Some(true)));
    assert!(said["version"].as_str().unwrap().starts_with(server.version), "{said}");
    home.good(&["take", "a"]);
    // Closed by a call (3), and neither by the person nor because its time was over.
    let closed = signals.wait("NotificationClosed");
    assert!(closed.ends_with("uint32 3)"), "{closed}");
    if server.takes_down {
        see(&home, 0);
    }
    let kinds: Vec<_> = home.journal().iter().map(|line| line["fact"]["type"].clone()).collect();
    assert!(!kinds.contains(&"closed".into()), "{kinds:?}");
}

/// Returns the second of which an occurrence is.
fn slot(occurrence: &serde_json::Value, at: &Zoned) -> Timestamp {
    let (_, slot) = occurrence.as_str().unwrap().split_once('@').unwrap();
    let slot: jiff::civil::DateTime = slot.parse().unwrap();
    slot.to_zoned(at.time_zone().clone()).unwrap().timestamp()
}

#[track_caller]
fn shows_one_through_kills_until_a_button_is_pressed(server: &Server) {
    let (home, _desktop) = server.desktop();
    let running = server.start(&home);
    let daemon = home.start_before_due(|time| one("a", time));
    home.watch().fact("delivered");
    see(&home, 1);
    daemon.kill();
    let _daemon = home.start();
    let mut watch = home.watch();
    // A second one would stay where it is when the first is answered.
    see(&home, 1);
    drop(running);
    see(&home, 0);
    let _running = server.start(&home);
    let buttons = see(&home, 1);
    press(&home, buttons[0]);
    let intake = watch.fact("intake");
    assert_eq!((&intake["fact"]["item"], &intake["fact"]["planned"]), (&"a".into(), &"500 mg".into()));
    see(&home, 0);
    assert!(home.good(&["history"]).contains("taken"));
}

#[test]
#[ignore = "needs Xvfb dbus-daemon gdbus import xdotool xfce4-notifyd notification-daemon"]
fn each_withdraws_what_is_answered_elsewhere() {
    SERVERS.iter().for_each(withdraws_what_is_answered_elsewhere);
}

#[test]
#[ignore = "needs Xvfb dbus-daemon gdbus import xdotool xfce4-notifyd notification-daemon"]
fn each_shows_one_through_kills_until_a_button_is_pressed() {
    SERVERS.iter().for_each(shows_one_through_kills_until_a_button_is_pressed);
}
