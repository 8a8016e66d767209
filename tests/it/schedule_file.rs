//! The schedule file as people keep it: behind links, on disks that come late, with mistakes; and what goes on meanwhile.

use std::fs::File;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Home, wait_until};

const GOOD: &str = "[[supplement]]\nid = \"warfarin\"\nname = \"SecretDrug\"\ntimes = [\"08:00\"]\n";
const OTHER: &str = "[[supplement]]\nid = \"zinc\"\ntimes = [\"08:00\"]\n";
const WRONG: &str = "[[supplement]]\nid = \"warfarin\"\nname = \"SecretDrug\" oops\n";

fn schedule_status(home: &Home) -> Value {
    home.json(&["status", "--json"])["schedule"].clone()
}

fn items(home: &Home) -> Vec<String> {
    let next = home.json(&["next", "20", "--json"]);
    let mut items: Vec<_> =
        next.as_array().unwrap().iter().map(|row| row["item"].as_str().unwrap().to_owned()).collect();
    items.dedup();
    items
}

/// A way in which a schedule is not there, or is no use, and what is said of it.
type Harm = (&'static str, fn(&Path), &'static str);

const HARMS: [Harm; 7] = [
    ("a mistake", |path| std::fs::write(path, WRONG).unwrap(), "has 1 error"),
    ("nothing", |_| {}, "No such file"),
    ("a dangling link", |path| symlink("/mnt/not-there/schedule.toml", path).unwrap(), "No such file"),
    ("a loop", |path| symlink("schedule.toml", path).unwrap(), "symbolic links"),
    ("a directory", |path| std::fs::create_dir(path).unwrap(), "it is a directory"),
    ("a device", |path| symlink("/dev/zero", path).unwrap(), "it is a device"),
    (
        "a FIFO",
        |path| {
            rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        },
        "it is a FIFO",
    ),
];

#[test]
fn where_the_schedule_cannot_be_used_at_the_start_the_recorded_plan_goes_on() {
    let home = Home::with_schedule(GOOD);
    assert_eq!(home.start().stop(), Some(0));
    let facts = home.journal().len();
    for (harm, do_harm, why) in HARMS {
        let path = home.schedule_path();
        let _ = std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir(&path));
        do_harm(&path);
        let before = std::fs::symlink_metadata(&path).ok().map(|found| found.file_type());
        let daemon = home.start();
        assert_eq!(items(&home), ["warfarin"], "{harm}");
        let status = schedule_status(&home);
        assert!(status["error"].as_str().unwrap().contains(why), "{harm}: {status}");
        assert!(status["from_record"] == true && status["plan_since"].is_string(), "{harm}: {status}");
        assert!(home.good(&["status"]).contains("without channels and quiet hours"), "{harm}");
        let today = home.good(&["today"]);
        assert!(today.contains("The schedule cannot be used: still using the plan of"), "{harm}: {today}");
        let doctor = String::from_utf8(home.dosed(&["doctor"]).stdout).unwrap();
        assert!(
            doctor.contains("still using the plan of") && doctor.contains("dosed check"),
            "{harm}: {doctor}"
        );
        // What was there is left alone, and nothing is recorded as changed.
        let after = std::fs::symlink_metadata(&path).ok().map(|found| found.file_type());
        assert_eq!((after, home.journal().len()), (before, facts), "{harm}");
        assert_eq!(daemon.stop(), Some(0));
    }
    assert!(!home.log().contains("SecretDrug"), "{}", home.log());
}

#[test]
fn a_schedule_that_can_be_used_again_is_read_while_the_daemon_runs() {
    let home = Home::with_schedule(GOOD);
    assert_eq!(home.start().stop(), Some(0));
    home.schedule(WRONG);
    let _daemon = home.start();
    let mut watch = home.watch();
    home.schedule(OTHER);
    watch.wait(|event| event["event"] == "schedule");
    assert_eq!(items(&home), ["zinc"]);
    let status = schedule_status(&home);
    assert!(status["error"].is_null() && status["from_record"] == false, "{status}");
    assert!(!home.good(&["today"]).contains("cannot be used"));
}

#[test]
fn without_a_record_a_schedule_that_cannot_be_used_ends_the_start() {
    let home = Home::with_schedule(WRONG);
    let run = |service: bool| {
        let mut command = home.command(env!("CARGO_BIN_EXE_dosed"));
        command.arg("daemon").stdout(Stdio::null());
        if service {
            command.env("INVOCATION_ID", "1");
        }
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    for _ in 0..2 {
        let (code, error) = run(false);
        assert!(code == Some(78) && error.contains("SecretDrug"), "{code:?} {error}");
        // What a service writes, others may read.
        let (code, error) = run(true);
        assert!(code == Some(78) && error.contains("1 error; `dosed check`"), "{code:?} {error}");
        assert!(!error.contains("SecretDrug") && !error.contains("warfarin"), "{error}");
    }
    assert_eq!(std::fs::read_to_string(home.schedule_path()).unwrap(), WRONG);
    // A first schedule is written once, where there is none.
    std::fs::remove_file(home.schedule_path()).unwrap();
    let daemon = home.start();
    assert!(items(&home).len() > 1);
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn a_schedule_behind_links_is_followed() {
    let home = Home::new();
    let dir = home.schedule_path().parent().unwrap().to_owned();
    let dotfiles = home.dir.path().join("dotfiles");
    std::fs::create_dir_all(dotfiles.join("deep")).unwrap();
    std::fs::create_dir_all(dir.parent().unwrap()).unwrap();
    // The directory is a link, the file in it one, and what that leads to another.
    symlink(&dotfiles, &dir).unwrap();
    symlink("middle.toml", dotfiles.join("schedule.toml")).unwrap();
    symlink("deep/real.toml", dotfiles.join("middle.toml")).unwrap();
    std::fs::write(dotfiles.join("deep/real.toml"), GOOD).unwrap();
    let _daemon = home.start();
    let mut watch = home.watch();
    std::fs::write(dotfiles.join("deep/real.toml"), OTHER).unwrap();
    watch.wait(|event| event["event"] == "schedule");
    assert_eq!(items(&home), ["zinc"]);
    std::fs::write(dotfiles.join("deep/other.toml"), GOOD).unwrap();
    symlink("deep/other.toml", dotfiles.join("new")).unwrap();
    std::fs::rename(dotfiles.join("new"), dotfiles.join("middle.toml")).unwrap();
    watch.wait(|event| event["event"] == "schedule");
    assert_eq!(items(&home), ["warfarin"]);
}

#[test]
fn status_compares_the_file_with_what_runs() {
    let home = Home::with_schedule(GOOD);
    // Another name of the file, in a directory that nobody watches: what is written there is not noticed.
    let elsewhere = home.dir.path().join("elsewhere");
    std::fs::hard_link(home.schedule_path(), &elsewhere).unwrap();
    let _daemon = home.start();
    assert!(schedule_status(&home)["error"].is_null());
    std::fs::write(&elsewhere, OTHER).unwrap();
    let error = schedule_status(&home)["error"].as_str().unwrap().to_owned();
    assert!(error.contains("has changed and is being read"), "{error}");
    wait_until("the new schedule", || items(&home) == ["zinc"]);
    // One that is gone is said as well, and the plan goes on.
    std::fs::remove_file(home.schedule_path()).unwrap();
    wait_until("the error", || {
        schedule_status(&home)["error"].as_str().is_some_and(|why| why.contains("No such file"))
    });
    let status = schedule_status(&home);
    assert_eq!((&status["from_record"], items(&home)), (&false.into(), vec!["zinc".to_owned()]));
}

#[test]
fn a_log_that_cannot_be_written_does_not_end_the_daemon() {
    let full = || Stdio::from(File::options().write(true).open("/dev/full").unwrap());
    let closed = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        Stdio::from(writer)
    };
    let logs: [&dyn Fn() -> Stdio; 2] = [&full, &closed];
    for log in logs {
        let home = Home::with_schedule(GOOD);
        let mut daemon = home.start_with(|command| {
            // As on a terminal, with every line that there is.
            command.env("DOSED_LOG", "trace").stderr(log()).stdout(log());
        });
        home.schedule(WRONG);
        wait_until("the error", || schedule_status(&home)["error"].is_string());
        home.good(&["take", "warfarin", "--again"]);
        assert!(daemon.child.try_wait().unwrap().is_none());
        assert_eq!(daemon.stop(), Some(0));
    }
}
