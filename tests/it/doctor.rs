//! What `dosed doctor` sees, and what it says about it.

use serde_json::Value;

use crate::support::{Desktop, Home, bare_bus, write_script};

const GOOD: &str = "[[supplement]]\nid = \"a\"\ntimes = [\"08:00\"]\n";

/// Returns what was found bad, with its help.
fn bad(home: &Home) -> Vec<(String, String)> {
    let output = home.dosed(&["doctor", "--json"]);
    let findings: Value = serde_json::from_slice(&output.stdout).unwrap();
    let bad: Vec<_> = findings
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["state"] == "bad")
        .map(|finding| {
            let text = |name: &str| finding[name].as_str().unwrap().to_owned();
            (text("check"), format!("{} -> {}", text("said"), text("help")))
        })
        .collect();
    assert_eq!(output.status.code(), Some(i32::from(!bad.is_empty())), "{bad:?}");
    bad
}

#[track_caller]
fn check(home: &Home, expected: &[(&str, &[&str])]) {
    let found = bad(home);
    let checks: Vec<_> = found.iter().map(|(check, _)| check.as_str()).collect();
    assert_eq!(checks, expected.iter().map(|(check, _)| *check).collect::<Vec<_>>(), "{found:#?}");
    for ((_, said), (check, words)) in found.iter().zip(expected) {
        for word in *words {
            assert!(said.contains(word), "{check}: {word} is not in {said}");
        }
    }
    let words = home.dosed(&["doctor"]);
    let words = String::from_utf8(words.stdout).unwrap();
    assert_eq!(words.matches("!!").count(), expected.len(), "{words}");
}

#[test]
#[ignore = "needs Xvfb dbus-daemon gdbus dunst"]
fn it_finds_nothing_where_all_is_well() {
    let (home, _desktop, _dunst) = Desktop::with_dunst();
    home.schedule(GOOD);
    let _daemon = home.start();
    check(&home, &[]);
    home.good(&["take", "a"]);
    check(&home, &[]);
    let tried = home.json(&["test", "--json"]);
    assert_eq!((&tried[0]["channel"], &tried[0]["ok"]), (&"desktop".into(), &true.into()));
    assert!(home.good(&["test"]).contains("sent: check that it arrived"));
}

#[test]
fn it_says_what_is_wrong_without_a_daemon() {
    let home = Home::new();
    check(
        &home,
        &[
            ("schedule", &["dosed daemon"]),
            ("session bus", &[]),
            ("daemon", &["systemctl --user start dosed"]),
        ],
    );
    home.schedule("[[supplement]]\nid = \"a\"\ntims = [\"08:00\"]\n");
    check(&home, &[("schedule", &["1 error", "dosed check"]), ("session bus", &[]), ("daemon", &[])]);
    home.schedule("[[supplement]]\nid = \"old\"\ntimes = [\"08:00\"]\nuntil = 2020-01-01\n");
    check(&home, &[("items", &["old", "until"]), ("session bus", &[]), ("daemon", &[])]);
}

#[test]
#[ignore = "needs dbus-daemon"]
fn it_says_what_is_wrong_around_a_daemon() {
    use std::os::unix::fs::PermissionsExt;
    let open = |path: &std::path::Path| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    let mut home = Home::new();
    let _bus = bare_bus(&mut home);
    let secret = home.path("token");
    std::fs::write(&secret, "x").unwrap();
    open(secret.as_ref());
    home.schedule(&format!(
        "{GOOD}\n[[channel]]\nid = \"gone\"\nkind = \"command\"\ncommand = [\"no-such-program\"]\n\
         [[channel]]\nid = \"closed\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:1/\"\ntoken-from = {{ file = \"{secret}\" }}\n"
    ));
    let _daemon = home.start();
    home.good(&["take", "a"]);
    open(&home.data());
    // Every journal has more than the database once somebody has written to it by hand.
    let device = std::fs::read_to_string(home.data().join("device")).unwrap();
    let journal = home.data().join(format!("journal/{}.jsonl", device.trim()));
    let text = std::fs::read_to_string(&journal).unwrap();
    std::fs::write(&journal, format!("{text}{text}")).unwrap();
    check(
        &home,
        &[
            ("secrets", &["others can read", "chmod 600"]),
            ("notifications", &["install `dunst`"]),
            ("record", &["facts of the journal"]),
            ("channels", &["gone: there is no such program"]),
            ("channels", &["closed: the server cannot be reached: Connection refused"]),
            ("record", &["others can open", "chmod go="]),
        ],
    );
    let tried = home.dosed(&["test", "--json"]);
    assert_eq!(tried.status.code(), Some(1));
    let tried: Value = serde_json::from_slice(&tried.stdout).unwrap();
    let ok: Vec<_> = tried.as_array().unwrap().iter().map(|row| row["ok"] == true).collect();
    assert_eq!(ok, [false, false, false], "{tried}");
}

#[test]
fn what_does_not_answer_is_no_fault_and_is_said() {
    let said = |home: &Home, name: &str| {
        let output = home.dosed(&["doctor", "--json"]);
        let findings: Value = serde_json::from_slice(&output.stdout).unwrap();
        let findings = findings.as_array().unwrap().clone();
        let found: Vec<_> = findings.into_iter().filter(|finding| finding["check"] == name).collect();
        assert!(found.iter().all(|finding| finding["state"] != "good"), "{found:?}");
        found
            .iter()
            .map(|finding| format!("{} {}", finding["state"], finding["said"]))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let mut home = Home::new();
    home.schedule(&format!("{GOOD}\n[[channel]]\nid = \"lamp\"\nkind = \"command\"\ncommand = [\"true\"]\n"));
    let bin = home.path("bin");
    std::fs::create_dir(&bin).unwrap();
    let program = |name: &str, script: &str| {
        write_script(&std::path::Path::new(&bin).join(name), &format!("#!/bin/sh\n{script}\n"));
    };
    home.set("PATH", format!("{bin}:/bin:/usr/bin"));
    // Nothing is said, and that is not that there is nothing.
    for name in ["systemctl", "loginctl", "timedatectl"] {
        program(name, "true");
    }
    assert!(said(&home, "service").contains("its file cannot be used"), "{}", said(&home, "service"));
    assert!(said(&home, "clock").contains("unknown"), "{}", said(&home, "clock"));
    // They fail, and say why.
    for name in ["systemctl", "loginctl", "timedatectl"] {
        program(name, &format!("echo '{name} has no bus' >&2; exit 1"));
    }
    for (check, words) in [
        (
            "service",
            "the service manager does not answer: `systemctl --user show` failed: systemctl has no bus",
        ),
        ("clock", "failed: timedatectl has no bus"),
    ] {
        let said = said(&home, check);
        assert!(said.contains(words) && said.contains("unknown") && !said.contains("bad"), "{said}");
    }
    // A service that is not there is a fault; nothing on standard output was taken for no service manager.
    program("systemctl", "echo LoadState=not-found");
    assert!(said(&home, "service").contains("\"bad\" \"there is none: dosed does not start by itself"));
    // Whether services linger is asked of this person, and not of nobody.
    let uid = rustix::process::getuid().as_raw();
    program("systemctl", "printf 'LoadState=loaded\\nWantedBy=default.target\\n'");
    program("loginctl", &format!("[ \"$*\" = 'show-user {uid} --property=Linger --value' ] && echo no"));
    assert!(
        said(&home, "lingering").contains("`loginctl enable-linger` changes that"),
        "{}",
        said(&home, "lingering")
    );
    // Without any of them.
    home.set("PATH", home.path("nothing"));
    assert!(said(&home, "service").contains("there is no systemd here"));
    assert!(said(&home, "clock").contains("`timedatectl` is not installed"));
}
