//! The service files, and how the daemon behaves under a service manager.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{Guard, Home, PATIENCE, daily, write_script};

const SCHEDULE: &str = "[[supplement]]\nid = \"a\"\ntimes = [\"08:00\"]\n";

fn unit(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd").join(name)).unwrap()
}

#[test]
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
fn the_service_manager_can_hand_over_the_socket() {
    let home = Home::new();
    // So many that the program begins anew when they are recorded, and must not lose the socket.
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

/// A service manager that writes down what it is asked for, and fails where a file says so.
fn service_manager(home: &mut Home) {
    let bin = home.path("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let script = format!(
        "#!/bin/sh\necho \"$*\" >> {0}/asked\n[ ! -e {0}/broken ] || {{ echo 'Failed to connect to bus' >&2; exit 1; }}\n",
        home.path("")
    );
    write_script(&Path::new(&bin).join("systemctl"), &script);
    home.set("PATH", format!("{bin}:{}", std::env::var("PATH").unwrap()));
}

#[test]
fn a_person_without_a_package_sets_it_up_and_takes_it_away_again() {
    let mut home = Home::new();
    service_manager(&mut home);
    let said = home.good(&["setup"]);
    let unit = PathBuf::from(home.path("home")).join(".config/systemd/user/dosed.service");
    let entry = PathBuf::from(home.path("home")).join(".local/share/applications/dosed.desktop");
    let icon = PathBuf::from(home.path("home")).join(".local/share/icons/hicolor/scalable/apps/dosed.svg");
    let binary = env!("CARGO_BIN_EXE_dosed");
    let text = std::fs::read_to_string(&unit).unwrap();
    assert!(text.contains(&format!("ExecStart=\"{binary}\" daemon")), "{text}");
    for path in [&unit, &entry, &icon] {
        assert!(said.contains(&format!("wrote {}", path.display())) && path.exists(), "{said}");
    }
    assert!(said.contains("dosed setup --undo"), "{said}");
    let asked = || std::fs::read_to_string(home.path("asked")).unwrap_or_default();
    assert_eq!(asked(), "--user daemon-reload\n--user enable --now dosed.service\n");
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
    assert!(asked().ends_with("--user disable --now dosed.service\n--user daemon-reload\n"), "{}", asked());
    // Without a service manager the files are there, and the person is told what is left to do.
    std::fs::remove_file(&entry).unwrap();
    std::fs::write(home.path("broken"), "").unwrap();
    let (status, error) = home.bad(&["setup"]);
    assert!(status == 1 && error.contains("systemctl --user enable --now dosed"), "{error}");
    assert!(error.contains("Failed to connect to bus") && unit.exists(), "{error}");
    assert!(home.good(&["setup", "--undo"]).contains("removed"));
}

#[test]
fn the_shipped_desktop_entry_is_right() {
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config/dosed.desktop")).unwrap();
    for line in ["[Desktop Entry]", "Type=Application", "Name=dosed", "Icon=dosed", "Terminal=true"] {
        assert!(text.lines().any(|known| known == line), "{line}");
    }
    let exec = text.lines().find_map(|line| line.strip_prefix("Exec=/usr/bin/dosed ")).unwrap();
    Home::new().good(&[exec, "--help"]);
}
