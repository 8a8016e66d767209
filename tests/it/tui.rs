//! The screen, in a real terminal: tmux, with a server of its own.

use std::process::Command;
use std::time::Instant;

use serde_json::Value;

use crate::support::{Daemon, Home, PATIENCE};

const SCHEDULE: &str = r#"
[[supplement]]
id = "probiotic"
name = "Probiotic"
dose = "5e9 CFU"
times = ["00:00"]
grace = "23h 59m"
gap = "6h"
with = "food"

[[supplement]]
id = "calcium"
name = "Calcium"
dose = "500 mg"
times = ["00:00"]
grace = "23h 59m"

[[check-in]]
id = "quarterly"
name = "How it was"
times = ["00:00"]
grace = "23h 59m"
"#;

/// A shell in a terminal that nobody looks at.
struct Tmux<'a> {
    home: &'a Home,
}

impl<'a> Tmux<'a> {
    /// Opens a terminal of the usual size, with the day on its screen.
    fn with_the_day(home: &'a Home) -> Self {
        let tmux = Self::open(home, 80, 24);
        tmux.tui();
        tmux.wait(|screen| screen.matches("due, until").count() == 3);
        tmux
    }

    /// Opens a window; its server lies in the home and ends with this.
    fn open(home: &'a Home, columns: u16, lines: u16) -> Self {
        let tmux = Self { home };
        let size = ["-x", &columns.to_string(), "-y", &lines.to_string()].map(ToOwned::to_owned);
        let path = format!("{}:{}", home.path("bin"), std::env::var("PATH").unwrap());
        std::fs::create_dir_all(home.path("bin")).unwrap();
        let _ = std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_dosed"), home.path("bin/dosed"));
        let mut open = tmux.command(&["new-session", "-d"]);
        // Whatever the tester's login shell is, tmux runs this by it, and it must not stay in between.
        open.args(size).arg("exec sh").env("PATH", path).env("PS1", "$ ").env("ENV", "");
        assert!(open.status().expect("tmux is installed").success());
        tmux
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.home.command("tmux");
        command.args(["-u", "-L", "dosed", "-f", "/dev/null"]).args(arguments);
        command.env("TMUX_TMPDIR", self.home.dir.path()).env("LC_ALL", "C.UTF-8");
        command
    }

    fn keys(&self, keys: &[&str]) {
        assert!(self.command(&["send-keys"]).args(keys).status().unwrap().success());
    }

    fn capture(&self, how: &[&str]) -> String {
        let output = self.command(&["capture-pane", "-p"]).args(how).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    }

    /// Looks at the screen until it is as wanted; tmux tells nobody when it is.
    #[track_caller]
    fn wait(&self, wanted: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let screen = self.capture(&[]);
            if wanted(&screen) {
                return screen;
            }
            assert!(Instant::now() < until, "this is what there is:\n{screen}");
        }
    }

    #[track_caller]
    fn shows(&self, text: &str) -> String {
        self.wait(|screen| screen.contains(text))
    }

    /// Starts the screen of dosed.
    fn tui(&self) {
        self.keys(&["dosed tui", "Enter"]);
    }
}

impl Drop for Tmux<'_> {
    fn drop(&mut self) {
        let _ = self.command(&["kill-server"]).status();
    }
}

/// Starts a daemon in a home, in which three things become due while it runs.
fn day() -> (Home, Daemon) {
    let home = Home::new();
    let daemon = home.start_before_due(|time| SCHEDULE.replace("00:00", time));
    (home, daemon)
}

/// Returns what was recorded of a kind and not taken back.
fn recorded(home: &Home, kind: &str) -> Vec<Value> {
    let facts = home.json(&["history", "--json"]);
    let facts = facts.as_array().unwrap();
    let taken_back: Vec<&Value> = facts.iter().map(|fact| &fact["fact"]["retracts"]).collect();
    let of_kind =
        facts.iter().filter(|fact| fact["fact"]["type"] == kind && !taken_back.contains(&&fact["id"]));
    of_kind.cloned().collect()
}

#[test]
#[ignore = "needs tmux"]
fn the_day_is_shown_and_answered_with_a_key() {
    let (home, _daemon) = day();
    let tmux = Tmux::open(&home, 80, 24);
    tmux.tui();
    // It becomes due while it is looked at.
    tmux.wait(|screen| screen.matches("due, until").count() == 3);
    let day = tmux.shows("5e9 CFU, with food");
    assert!(day.contains("1 today") && day.contains("t taken"), "{day}");
    tmux.keys(&["t"]);
    tmux.wait(|screen| screen.contains("u to undo") && screen.matches("due, until").count() == 2);
    let taken = recorded(&home, "intake");
    assert_eq!(taken.len(), 1);
    assert!(taken[0]["fact"]["occurrence"].as_str().unwrap().starts_with("calcium@"), "{taken:?}");
    // An answer from elsewhere needs no key.
    home.good(&["skip", "probiotic"]);
    tmux.wait(|screen| screen.contains("skipped") && screen.matches("due, until").count() == 1);
    tmux.keys(&["u"]);
    tmux.shows("undone: probiotic@");
    tmux.wait(|screen| screen.matches("due, until").count() == 2);
    assert!(recorded(&home, "skip").is_empty());
    tmux.keys(&["Down", "j", "k", "x"]);
    tmux.shows("skipped; u to undo");
    assert_eq!(recorded(&home, "skip").len(), 1);
    tmux.keys(&["Down", "s"]);
    tmux.shows("snoozed until");
    tmux.keys(&["t"]);
    tmux.shows("dosed check-in quarterly");
    tmux.keys(&["?"]);
    tmux.shows("j/k choose");
}

#[test]
#[ignore = "needs tmux"]
fn one_more_is_asked_about_once_more() {
    let (home, _daemon) = day();
    let tmux = Tmux::with_the_day(&home);
    home.good(&["log", "probiotic"]);
    tmux.keys(&["j", "t"]);
    tmux.shows("press t again");
    assert_eq!(recorded(&home, "intake").len(), 1);
    tmux.keys(&["t"]);
    tmux.shows("u to undo");
    assert_eq!(recorded(&home, "intake").len(), 2);
    // What is refused says why.
    tmux.keys(&["x"]);
    tmux.shows("already");
}

#[test]
#[ignore = "needs tmux"]
fn the_calendar_and_what_comes() {
    let (home, _daemon) = day();
    let tmux = Tmux::with_the_day(&home);
    tmux.keys(&["t"]);
    tmux.shows("u to undo");
    tmux.keys(&["2"]);
    let calendar = tmux.wait(|screen| screen.contains("█\n") || screen.matches('█').count() > 1);
    for wanted in ["Calcium", "Mon", "Sun", "? not asked", "For information only, not medical advice"] {
        assert!(calendar.contains(wanted), "{wanted}: {calendar}");
    }
    tmux.keys(&["Right"]);
    tmux.wait(|screen| screen.contains("Probiotic") && screen.matches('○').count() > 1);
    tmux.keys(&["Left", "Tab"]);
    let tomorrow = jiff::Timestamp::now().in_tz("Europe/Berlin").unwrap().tomorrow().unwrap();
    let coming = tmux.shows(&tomorrow.strftime("%A, %-d %B").to_string());
    assert!(coming.contains("Probiotic") && coming.contains("5e9 CFU"), "{coming}");
    tmux.keys(&["Tab"]);
    tmux.shows("due, until");
}

#[test]
#[ignore = "needs tmux"]
fn a_small_window_is_told_so_and_one_that_grows_is_used() {
    let (home, _daemon) = day();
    let tmux = Tmux::open(&home, 39, 9);
    tmux.tui();
    tmux.shows("make the window larger");
    assert!(tmux.command(&["resize-window", "-x", "80", "-y", "24"]).status().unwrap().success());
    tmux.shows("Probiotic");
}

#[test]
#[ignore = "needs tmux"]
fn no_background_is_painted() {
    let (home, _daemon) = day();
    let tmux = Tmux::with_the_day(&home);
    tmux.keys(&["t"]);
    tmux.shows("u to undo");
    for (key, wanted) in [("1", "with food"), ("2", "? not asked"), ("3", "coming")] {
        tmux.keys(&[key]);
        tmux.shows(wanted);
        let screen = tmux.capture(&["-e"]);
        let numbers = screen.split("\u{1b}[").skip(1).filter_map(|part| part.split_once('m'));
        for number in numbers.flat_map(|(numbers, _)| numbers.split(';')) {
            let number: u16 = number.parse().unwrap_or(0);
            // 49 is the terminal's own.
            assert!(!(40..49).contains(&number) && !(100..108).contains(&number), "{number}: {screen:?}");
        }
    }
}

#[test]
#[ignore = "needs tmux"]
fn the_terminal_is_put_back() {
    let (home, _daemon) = day();
    let tmux = Tmux::open(&home, 80, 24);
    tmux.keys(&["stty -a > $HOME/before; echo here it $((40+2)) was", "Enter"]);
    tmux.shows("here it 42 was");
    // By a key, by another, and by the service manager.
    for ending in [&["q"][..], &["C-c"], &["Escape"], &[]] {
        tmux.tui();
        tmux.wait(|screen| screen.contains("1 today") && !screen.contains("here it 42 was"));
        if ending.is_empty() {
            let pid = tmux.command(&["display-message", "-p", "#{pane_pid}"]).output().unwrap();
            let shell = String::from_utf8(pid.stdout).unwrap();
            let children =
                std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", shell.trim())).unwrap();
            let child = children.trim().parse().ok().and_then(rustix::process::Pid::from_raw).unwrap();
            rustix::process::kill_process(child, rustix::process::Signal::TERM).unwrap();
        }
        tmux.keys(ending);
        tmux.shows("here it 42 was");
    }
    tmux.keys(&["clear; stty -a | cmp - $HOME/before && echo as $((40+2)) before", "Enter"]);
    tmux.shows("as 42 before");
}

#[test]
#[ignore = "needs tmux"]
fn a_daemon_that_comes_back_is_found_again() {
    let (home, daemon) = day();
    let tmux = Tmux::with_the_day(&home);
    daemon.stop();
    tmux.shows("dosed is not running");
    tmux.keys(&["t"]);
    tmux.shows("nothing can be recorded");
    let _daemon = home.start();
    tmux.wait(|screen| !screen.contains("dosed is not running"));
    home.good(&["take", "probiotic"]);
    tmux.wait(|screen| screen.matches("due, until").count() == 2);
}

#[test]
fn without_a_terminal_it_says_so() {
    let home = Home::new();
    let (code, said) = home.bad(&["tui"]);
    assert!(code == 2 && said.contains("needs a terminal"), "{said}");
}

/// A day to show what it looks like: made up, and drawn as it is.
#[test]
#[ignore = "needs tmux"]
fn a_made_up_day_fits_a_window() {
    let mut home = Home::new();
    let (daemon, dir) = home.start_demo();
    home.set("DOSED_SOCKET", dir.join("dosed.sock").to_str().unwrap());
    let tmux = Tmux::open(&home, 80, 24);
    tmux.tui();
    let mut pictures = tmux.shows("Vitamin D");
    assert!(pictures.contains("This record is made up: dosed demo"), "{pictures}");
    tmux.keys(&["2"]);
    let calendar = tmux.shows("█ all");
    assert!(calendar.contains("For information only"), "{calendar}");
    pictures.push_str(&calendar);
    assert!(pictures.lines().all(|line| line.chars().count() <= 80));
    if std::env::var_os("DOSED_PICTURES").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pictures/tui.txt"), pictures).unwrap();
    }
    drop(daemon);
}
