//! The service files, and how the daemon behaves under a service manager.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{Desktop, Guard, Home, PATIENCE, daily, write_script};

const SCHEDULE: &str = "[[supplement]]\nid = \"a\"\ntimes = [\"08:00\"]\n";

fn unit(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd").join(name)).unwrap()
}

#[test]
#[ignore = "needs systemd-analyze"]
fn the_units_are_right_and_name_only_what_there_is() {
    let home = Home::new();
    let binary = env!("CARGO_BIN_EXE_dosed");
    let service = unit("dosed.service");
    // The check wants the program to be there: the one that was just built.
    let checked = service.replace("/usr/bin/dosed", binary).replace("man:dosed(1)", "man:bash(1)");
    let dir: PathBuf = home.path("units").into();
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(dir.join("dosed.service"), checked).unwrap();
    std::fs::write(dir.join("dosed.socket"), unit("dosed.socket")).unwrap();
    let output = home
        .command("systemd-analyze")
        .args(["--user", "verify", "--man=no"])
        .arg(dir.join("dosed.service"))
        .arg(dir.join("dosed.socket"))
        .output()
        .expect("systemd-analyze is installed");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains("dosed."), "{said}");
    assert!(!service.contains("PartOf=") && !service.contains("StartLimitBurst"), "{service}");
    let help = home.good(&["daemon", "--help"]);
    let start = service.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let mut words = start.split_whitespace();
    assert_eq!((words.next(), words.next()), (Some("/usr/bin/dosed"), Some("daemon")));
    for flag in words.filter(|word| word.starts_with("--")) {
        assert!(help.contains(flag.split('=').next().unwrap()), "{flag}");
    }
    for line in [
        "Type=notify",
        "Restart=on-failure",
        "RestrictAddressFamilies=AF_UNIX",
        "NoNewPrivileges=yes",
        "UMask=0077",
        // A channel's program gets an error, and is not killed.
        "SystemCallErrorNumber=EPERM",
        // No failure is the last one, and every login starts it.
        "StartLimitIntervalSec=0",
        "WantedBy=default.target",
    ] {
        assert!(service.contains(line), "{line}");
    }
}

#[test]
fn it_ends_cleanly_within_a_second() {
    let home = Home::with_schedule(SCHEDULE);
    let daemon = home.start();
    let _watch = home.watch();
    let asked = Instant::now();
    assert_eq!(daemon.stop(), Some(0));
    let took = asked.elapsed();
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert!(!home.socket().exists());
}

#[test]
fn the_log_says_as_much_as_is_asked_for() {
    for (asked, says_more, complains) in [
        ("", false, false),
        ("info", false, false),
        ("debug", true, false),
        ("warn,dosed::daemon=debug", true, false),
        ("dosed=debug", true, false),
        ("dosed=loud", false, true),
    ] {
        let home = Home::with_schedule("[[supplement]]\nid = \"a\"\ntimes = [\"00:00\"]\n");
        let daemon = home.start_with(|command| {
            command.env("DOSED_LOG", asked);
        });
        if says_more {
            // Whether the person is there is heard shortly after the start.
            home.ask_until_logged("DEBUG");
        }
        assert_eq!(daemon.stop(), Some(0));
        let log = home.log();
        assert!(log.contains("INFO") || asked.starts_with("warn"), "{asked}: {log}");
        assert_eq!(log.contains("DEBUG"), says_more, "{asked}: {log}");
        assert_eq!(log.contains("DOSED_LOG is not used"), complains, "{asked}: {log}");
    }
}

#[test]
fn the_watchdog_is_fed_from_the_loop() {
    let home = Home::with_schedule(SCHEDULE);
    let daemon = home.start_with(|command| {
        command.env("WATCHDOG_USEC", "400000");
    });
    for _ in 0..3 {
        assert_eq!(daemon.hear(), "WATCHDOG=1");
    }
}

#[test]
fn a_reload_is_announced_and_reads_the_schedule() {
    let home = Home::with_schedule(SCHEDULE);
    let daemon = home.start();
    let mut watch = home.watch();
    std::fs::remove_file(home.schedule_path()).unwrap();
    let more = format!("{SCHEDULE}\n[[habit]]\nid = \"b\"\nas-needed = true\n");
    home.schedule(&more);
    watch.wait(|event| event["event"] == "schedule" && event["items"] == 2);
    daemon.signal(rustix::process::Signal::HUP);
    assert!(daemon.hear().starts_with("RELOADING=1\nMONOTONIC_USEC="));
    assert_eq!(daemon.hear(), "READY=1");
    watch.wait(|event| event["event"] == "schedule");
}

#[test]
#[ignore = "needs systemd-socket-activate"]
fn the_service_manager_can_hand_over_the_socket() {
    let home = Home::new();
    home.schedule(&daily(600));
    let socket = home.path("activated.sock");
    let child = home
        .command("systemd-socket-activate")
        .args([
            "--listen",
            &socket,
            "--setenv=HOME",
            "--setenv=XDG_RUNTIME_DIR",
            env!("CARGO_BIN_EXE_dosed"),
            "daemon",
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("systemd-socket-activate is installed");
    let _guard = Guard(child);
    let start = Instant::now();
    while !Path::new(&socket).exists() {
        assert!(start.elapsed() < PATIENCE, "it listens");
    }
    // The first question starts the daemon.
    let today = home.json(&["today", "--json", "--socket", &socket]);
    assert!(today.as_array().is_some_and(|rows| [0, 600].contains(&rows.len())));
    assert!(Path::new(&socket).exists());
}

#[test]
fn a_killed_daemon_leaves_a_socket_that_the_next_replaces() {
    let home = Home::with_schedule(SCHEDULE);
    home.start().kill();
    assert!(home.socket().exists());
    let daemon = home.start();
    home.good(&["today"]);
    drop(daemon);
    std::fs::remove_file(home.socket()).unwrap();
    std::fs::write(home.socket(), "a diary").unwrap();
    let (code, said) = home.bad(&["daemon"]);
    assert_eq!((code, said.contains("is not a socket")), (1, true), "{said}");
    assert_eq!(std::fs::read_to_string(home.socket()).unwrap(), "a diary");
}

/// A service manager that writes down what it is asked to do, knows of the service what it is told, and fails where a
/// file says so.
struct ServiceManager {
    home: Home,
}

impl ServiceManager {
    fn new() -> Self {
        let mut home = Home::new();
        let bin = home.path("bin");
        std::fs::create_dir_all(&bin).unwrap();
        let script = format!(
            "#!/bin/sh\ncd {}\n[ ! -e broken ] || {{ echo 'Failed to connect to bus' >&2; exit 1; }}\n\
             case \"$2\" in show) cat known;; show-environment) cat variables;; *) echo \"$*\" >> asked; [ ! -e \"no-$2\" ];; esac\n",
            home.path("")
        );
        write_script(&Path::new(&bin).join("systemctl"), &script);
        home.set("PATH", format!("{bin}:{}", std::env::var("PATH").unwrap()));
        let manager = Self { home };
        manager.write("variables", "");
        manager.knows(&manager.unit(), "MainPID=7\nActiveState=active\nSubState=running\n");
        manager
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.home.path(name), text).unwrap();
    }

    /// Lets the service manager know of a service with this file, which every login starts.
    fn knows(&self, file: &Path, more: &str) {
        let file = file.display();
        self.write(
            "known",
            &format!("LoadState=loaded\nUnitFileState=enabled\nFragmentPath={file}\nWantedBy=default.target\n{more}"),
        );
    }

    /// Returns what it was asked to do since the last time.
    fn asked(&self) -> Vec<String> {
        let asked = std::fs::read_to_string(self.home.path("asked")).unwrap_or_default();
        let _ = std::fs::remove_file(self.home.path("asked"));
        asked.lines().map(|line| line.strip_prefix("--user ").unwrap_or(line).to_owned()).collect()
    }

    fn in_home(&self, path: &str) -> PathBuf {
        Path::new(&self.home.path("home")).join(path)
    }

    fn unit(&self) -> PathBuf {
        self.in_home(".config/systemd/user/dosed.service")
    }
}

#[test]
fn a_person_without_a_package_sets_it_up_and_takes_it_away_again() {
    let manager = ServiceManager::new();
    let home = &manager.home;
    let said = home.good(&["setup"]);
    let unit = manager.unit();
    let entry = manager.in_home(".local/share/applications/dosed.desktop");
    let icon = manager.in_home(".local/share/icons/hicolor/scalable/apps/dosed.svg");
    let binary = env!("CARGO_BIN_EXE_dosed");
    let text = std::fs::read_to_string(&unit).unwrap();
    assert!(text.contains(&format!("ExecStart=\"{binary}\" daemon")), "{text}");
    for path in [&unit, &entry, &icon] {
        assert!(said.contains(&format!("wrote {}", path.display())) && path.exists(), "{said}");
    }
    assert!(said.contains("starts when you log in") && said.contains("dosed setup --undo"), "{said}");
    // What runs does not answer: it is another program, or hangs.
    assert_eq!(manager.asked(), ["daemon-reload", "reenable dosed.service", "restart dosed.service"]);
    // A second time is the same; a file of one's own is left alone, and nothing else is changed.
    home.good(&["setup"]);
    std::fs::write(&entry, "mine").unwrap();
    let (status, error) = home.bad(&["setup"]);
    assert!(status == 1 && error.contains("was not written by `dosed setup`"), "{error}");
    let said = home.good(&["setup", "--undo"]);
    assert!(said.contains(&format!("removed {}", unit.display())) && said.contains("left"), "{said}");
    assert_eq!(
        (unit.exists(), icon.exists(), std::fs::read_to_string(&entry).unwrap().as_str()),
        (false, false, "mine")
    );
    assert!(
        manager.asked().ends_with(&["disable --now dosed.service".to_owned(), "daemon-reload".to_owned()])
    );
    assert!(home.good(&["setup", "--undo"]).contains("left"));
    std::fs::remove_file(&entry).unwrap();
    assert!(home.good(&["setup", "--undo"]).contains("nothing to undo"));
    assert_eq!(manager.asked(), ["daemon-reload", "daemon-reload"]);
}

#[test]
fn without_a_service_manager_the_files_come_and_go() {
    let manager = ServiceManager::new();
    let home = &manager.home;
    manager.write("broken", "");
    let (status, error) = home.bad(&["setup"]);
    assert!(status == 1 && error.contains("systemctl --user enable --now dosed"), "{error}");
    assert!(error.contains("Failed to connect to bus") && manager.unit().exists(), "{error}");
    // What enables it goes with it, but not what enables something else.
    let links = ["default.target.wants", "graphical-session.target.wants"]
        .map(|wants| manager.unit().with_file_name(wants).join("dosed.service"));
    let other = manager.unit().with_file_name("default.target.wants").join("other.service");
    for link in links.iter().chain([&other]) {
        std::fs::create_dir_all(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(manager.unit(), link).unwrap();
    }
    let daemon = home.start();
    let said = home.good(&["setup", "--undo"]);
    assert!(said.contains("could not be stopped") && said.contains("Failed to connect to bus"), "{said}");
    assert!(said.contains(&format!("a daemon still runs, as process {}", daemon.child.id())), "{said}");
    assert!(links.iter().all(|link| link.symlink_metadata().is_err()) && !manager.unit().exists());
    assert!(other.symlink_metadata().is_ok());
}

#[test]
fn a_service_of_ones_own_is_never_touched() {
    let own = "[Service]\nExecStart=/bin/true\n";
    for (change, why) in [
        (&(|_: &str| own.to_owned()) as &dyn Fn(&str) -> String, "was not written by `dosed setup`"),
        (&|text: &str| format!("{text}\n# mine\n"), "was changed since it was written by `dosed setup`"),
    ] {
        let manager = ServiceManager::new();
        let home = &manager.home;
        home.good(&["setup"]);
        let changed = change(&std::fs::read_to_string(manager.unit()).unwrap());
        std::fs::write(manager.unit(), &changed).unwrap();
        manager.asked();
        let (_, error) = home.bad(&["setup"]);
        assert!(error.contains(why) && error.contains("Nothing was changed"), "{error}");
        assert_eq!(manager.asked(), Vec::<String>::new());
        let said = home.good(&["setup", "--undo"]);
        assert!(said.contains("left") && said.contains(why), "{said}");
        assert_eq!(manager.asked(), ["daemon-reload"]);
        assert_eq!(std::fs::read_to_string(manager.unit()).unwrap(), changed);
    }
    // Ours is in place, but the service manager uses another one.
    let manager = ServiceManager::new();
    manager.home.good(&["setup"]);
    let other = manager.in_home("other.service");
    std::fs::write(&other, own).unwrap();
    manager.knows(&other, "");
    manager.asked();
    let (_, error) = manager.home.bad(&["setup"]);
    assert!(error.contains(&format!("uses {}, not", other.display())), "{error}");
    manager.asked();
    manager.home.good(&["setup", "--undo"]);
    assert_eq!(manager.asked(), ["daemon-reload"]);
}

#[test]
fn setup_says_what_runs_already() {
    let manager = ServiceManager::new();
    let home = &manager.home;
    home.schedule(SCHEDULE);
    // A copy, which can be replaced.
    let program = home.path("dosed");
    std::fs::copy(env!("CARGO_BIN_EXE_dosed"), &program).unwrap();
    let daemon = home.start_by(
        |home| {
            let mut command = home.command(&program);
            command.arg("daemon");
            command
        },
        |_| {},
    );
    let pid = daemon.child.id();
    let actions = |asked: Vec<String>| asked.into_iter().skip(2).collect::<Vec<_>>();
    // In a terminal.
    let said = home.good(&["setup"]);
    assert!(
        said.contains(&format!("a daemon runs already, outside of the service: process {pid}.")),
        "{said}"
    );
    assert_eq!(actions(manager.asked()), ["start --no-block dosed.service"]);
    // As the service, with the file that was there.
    manager.knows(&manager.unit(), &format!("MainPID={pid}\nActiveState=active\n"));
    assert!(home.good(&["setup"]).contains("the service is running"));
    assert_eq!(actions(manager.asked()), ["start dosed.service"]);
    // With another file.
    std::fs::write(manager.unit(), "# written by `dosed setup`\n").unwrap();
    assert!(home.good(&["setup"]).contains("the service was restarted"));
    assert_eq!(actions(manager.asked()), ["restart dosed.service"]);
    // Its program was replaced.
    std::fs::remove_file(&program).unwrap();
    std::fs::copy(env!("CARGO_BIN_EXE_dosed"), &program).unwrap();
    assert!(home.good(&["setup"]).contains("the service was restarted"));
    assert_eq!(actions(manager.asked()), ["restart dosed.service"]);
    let status = home.dosed(&["status"]);
    let warning = String::from_utf8_lossy(&status.stderr);
    assert!(status.status.success() && warning.contains("was replaced since it was started"), "{warning}");
    drop(daemon);
    // Nothing runs, and it does not come up.
    manager.write("no-start", "");
    manager.knows(
        &manager.unit(),
        "ActiveState=activating\nSubState=auto-restart\nResult=exit-code\nExecMainStatus=75\n",
    );
    let (_, error) = home.bad(&["setup"]);
    assert!(error.contains("cannot start: another daemon uses the record (exit code 75)"), "{error}");
}

#[test]
fn setup_refuses_where_services_look_elsewhere() {
    let mut manager = ServiceManager::new();
    manager.write("variables", &format!("HOME={}\nXDG_RUNTIME_DIR=/r\n", manager.home.path("home")));
    manager.home.good(&["setup"]);
    manager.home.good(&["setup", "--undo"]);
    manager.asked();
    let elsewhere = manager.home.path("elsewhere");
    manager.home.set("XDG_DATA_HOME", &elsewhere);
    let (_, error) = manager.home.bad(&["setup"]);
    assert!(error.contains(&format!("XDG_DATA_HOME is {elsewhere} here")), "{error}");
    assert!(!Path::new(&elsewhere).exists() && !manager.unit().exists());
    assert_eq!(manager.asked(), Vec::<String>::new());
}

/// Lets the journal be damaged in its first line, so that no daemon starts; returns it as it was.
fn damage_journal(home: &Home) -> (PathBuf, String) {
    home.start().stop();
    let device = std::fs::read_to_string(home.data().join("device")).unwrap();
    let journal = home.data().join(format!("journal/{}.jsonl", device.trim()));
    let text = std::fs::read_to_string(&journal).unwrap();
    std::fs::write(&journal, text.replacen("seq", "sEq", 1)).unwrap();
    (journal, text)
}

/// Starts the daemon as a service, which ends at once.
fn start_in_vain(home: &Home) {
    let output =
        home.command(env!("CARGO_BIN_EXE_dosed")).arg("daemon").env("INVOCATION_ID", "1").output().unwrap();
    assert!(!output.status.success(), "it starts");
}

#[test]
fn why_a_service_cannot_start_is_kept_until_it_does() {
    let manager = ServiceManager::new();
    let home = &manager.home;
    home.schedule(SCHEDULE);
    let (journal, text) = damage_journal(home);
    let kept = Path::new(&home.path("run")).join("dosed/start-error.json");
    // In a terminal everyone sees why.
    home.bad(&["daemon"]);
    assert!(!kept.exists());
    start_in_vain(home);
    assert!(kept.exists());
    manager.knows(
        &manager.unit(),
        "ActiveState=activating\nSubState=auto-restart\nResult=exit-code\nExecMainStatus=1\nNRestarts=4\n",
    );
    let said = String::from_utf8(home.dosed(&["doctor"]).stdout).unwrap();
    assert!(said.contains("it does not stay up (exit code 1, 5 starts): "), "{said}");
    assert!(said.contains(journal.to_str().unwrap()), "{said}");
    std::fs::write(&journal, text).unwrap();
    let daemon = home.start();
    assert!(!kept.exists());
    // Another daemon is no reason: reminders come.
    start_in_vain(home);
    assert!(!kept.exists());
    drop(daemon);
}

#[test]
#[ignore = "needs Xvfb dbus-daemon gdbus dunst"]
fn a_service_that_cannot_start_says_so_once_on_the_desktop() {
    let (home, desktop, _dunst) = Desktop::with_dunst();
    home.schedule(SCHEDULE);
    damage_journal(&home);
    for _ in 0..3 {
        start_in_vain(&home);
        assert_eq!(desktop.displayed(&home), 1);
    }
}

#[test]
#[ignore = "needs Xvfb dbus-daemon gdbus dunst"]
fn a_service_shows_nothing_before_there_is_a_screen() {
    // Of the display it hears from the service manager, or by a server that is there already.
    for (variables, has_server) in [("", false), ("DISPLAY=:0\n", false), ("", true)] {
        let mut manager = ServiceManager::new();
        manager.write("variables", variables);
        let desktop = Desktop::new(&mut manager.home);
        let home = &manager.home;
        let dunst = has_server.then(|| desktop.dunst(home));
        let schedule =
            |time: &dyn Fn(i64) -> String| format!("[[supplement]]\nid = \"a\"\ntimes = [\"{}\"]\n", time(0));
        let _daemon = home.start_before(schedule, |command| {
            command.env("INVOCATION_ID", "1");
        });
        let mut watch = home.watch();
        if dunst.is_some() {
            watch.fact("delivered");
            continue;
        }
        let fact = watch.fact("undelivered");
        let is_held = fact.to_string().contains("the desktop has not started yet");
        assert_eq!(is_held, variables.is_empty(), "{fact}");
    }
}

#[test]
fn the_shipped_desktop_entry_is_right() {
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config/dosed.desktop")).unwrap();
    for line in [
        "[Desktop Entry]",
        "Type=Application",
        "Name=dosed",
        "Icon=dosed",
        "Terminal=true",
        // GNOME lists it in its settings before the first notification.
        "X-GNOME-UsesNotifications=true",
    ] {
        assert!(text.lines().any(|known| known == line), "{line}");
    }
    let exec = text.lines().find_map(|line| line.strip_prefix("Exec=/usr/bin/dosed ")).unwrap();
    Home::new().good(&[exec, "--help"]);
}
