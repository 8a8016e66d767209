//! The journal directory while the daemon runs: replaced journals, foreign files, and another machine's record.

use std::io::Write;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::{Home, wait_until};

const SCHEDULE: &str = "[[habit]]\nid = \"walk\"\nas-needed = true\n";

fn journal(home: &Home) -> PathBuf {
    let device = std::fs::read_to_string(home.data().join("device")).unwrap();
    home.data().join(format!("journal/{}.jsonl", device.trim()))
}

fn amounts(home: &Home) -> Vec<String> {
    let facts = home.json(&["history", "--item", "walk", "--json"]);
    let amounts = facts.as_array().unwrap().iter().filter_map(|fact| fact["fact"]["amount"].as_str());
    amounts.map(str::to_owned).collect()
}

#[test]
fn a_backup_that_is_restored_under_the_daemon_loses_nothing() {
    let home = Home::with_schedule(SCHEDULE);
    let daemon = home.start();
    home.good(&["log", "walk", "1", "min"]);
    let backup = std::fs::read_to_string(journal(&home)).unwrap();
    home.good(&["log", "walk", "2", "min"]);
    std::fs::write(journal(&home).with_extension("backup"), &backup).unwrap();
    std::fs::rename(journal(&home).with_extension("backup"), journal(&home)).unwrap();
    home.good(&["log", "walk", "3", "min"]);
    let text = std::fs::read_to_string(journal(&home)).unwrap();
    assert!(text.starts_with(&backup) && text.contains("2 min") && text.contains("3 min"), "{text}");
    assert!(home.log().contains("all that was recorded is written again"), "{}", home.log());
    std::fs::remove_file(journal(&home)).unwrap();
    home.good(&["log", "walk", "4", "min"]);
    // Cut in place: only the database has what is missing.
    std::fs::write(journal(&home), &backup).unwrap();
    home.good(&["log", "walk", "5", "min"]);
    daemon.kill();
    // Nothing but the journal.
    std::fs::remove_dir_all(home.data().join("db")).unwrap();
    let _daemon = home.start();
    assert_eq!(amounts(&home), ["1 min", "2 min", "3 min", "4 min", "5 min"]);
}

#[test]
fn a_kill_while_the_journal_is_put_back_loses_nothing() {
    for (point, other) in [
        ("journal-restoring", false),
        ("journal-restored", false),
        ("journal-restored", true),
        ("journal-aside", true),
    ] {
        let home = Home::with_schedule(SCHEDULE);
        let daemon = home.start();
        home.good(&["log", "walk", "1", "min"]);
        assert_eq!(daemon.stop(), Some(0));
        let armed = home.path("armed");
        let mut daemon = home.start_with(|command| {
            command.env("DOSED_CRASH_AT", point).env("DOSED_CRASH_IF", &armed);
        });
        home.good(&["log", "walk", "2", "min"]);
        std::fs::write(&armed, "").unwrap();
        std::fs::remove_file(journal(&home)).unwrap();
        if other {
            std::fs::write(journal(&home), "another file\n").unwrap();
        }
        let _ = home.dosed(&["log", "walk", "3", "min"]);
        daemon.child.wait().unwrap();
        std::fs::remove_dir_all(home.data().join("db")).unwrap();
        let _daemon = home.start();
        assert_eq!(amounts(&home)[..2], ["1 min", "2 min"], "{point}, {other}");
    }
}

#[test]
fn foreign_files_and_a_copied_record_are_named() {
    let home = Home::with_schedule(SCHEDULE);
    let daemon = home.start();
    home.good(&["log", "walk", "1", "min"]);
    assert_eq!(daemon.stop(), Some(0));
    let before = journal(&home);
    let conflict = before.with_extension("sync-conflict-20261127-135500-ABCDEFG.jsonl");
    std::fs::copy(&before, &conflict).unwrap();
    std::fs::write(home.data().join("machine"), "0123456789abcdef0123456789abcdef\n").unwrap();
    let _daemon = home.start();
    home.good(&["log", "walk", "2", "min"]);
    assert_eq!(amounts(&home), ["1 min", "2 min"]);
    let status = home.json(&["status", "--json"]);
    let skipped = &status["journal"]["skipped"];
    assert_eq!((skipped[0]["path"].as_str(), &skipped[1]), (conflict.to_str(), &Value::Null));
    let findings: Value = serde_json::from_slice(&home.dosed(&["doctor", "--json"]).stdout).unwrap();
    let found = |check: &str| findings.as_array().unwrap().iter().any(|finding| finding["check"] == check);
    assert!(found("journals"), "{findings}");
    // A machine without an id cannot be told from another.
    if home.data().join("machine").exists() && status["journal"]["copied_from"] != Value::Null {
        assert_eq!(status["journal"]["copied_from"].as_str(), before.file_stem().unwrap().to_str());
        assert_ne!(journal(&home), before);
        assert!(found("device") && home.log().contains("copied from another machine"));
        assert!(home.good(&["status"]).contains("copied from another machine"));
    }
}

#[test]
fn other_devices_journals_are_read_while_the_daemon_runs() {
    const DAILY: &str =
        "[[supplement]]\nid = \"a\"\nfrom = 2026-01-01\ntimes = [\"00:00\"]\ngrace = \"24h\"\n";
    let schedule = format!("{DAILY}\n{SCHEDULE}");
    let (home, other) = (Home::with_schedule(&schedule), Home::with_schedule(&schedule));
    let there = other.start();
    other.good(&["log", "walk", "1", "min"]);
    let first = std::fs::read_to_string(journal(&other)).unwrap();
    other.good(&["log", "walk", "2", "min"]);
    other.good(&["log", "walk", "3", "min"]);
    assert_eq!(there.stop(), Some(0));
    let all = std::fs::read_to_string(journal(&other)).unwrap();
    let here = home.start();
    let arrived = journal(&home).with_file_name(journal(&other).file_name().unwrap());
    let mut watch = home.watch();
    let amount = |amount: &'static str| move |event: &Value| event["fact"]["fact"]["amount"] == amount;
    // As a tool that synchronises does it: whole, under another name first.
    std::fs::write(arrived.with_file_name(".syncthing.tmp"), &first).unwrap();
    let renamed = std::time::Instant::now();
    std::fs::rename(arrived.with_file_name(".syncthing.tmp"), &arrived).unwrap();
    watch.wait(amount("1 min"));
    println!("a renamed journal was folded within {} ms", renamed.elapsed().as_millis());
    // And in pieces that end within a line, by a program that does not close the file.
    let mut file = std::fs::OpenOptions::new().append(true).open(&arrived).unwrap();
    let rest = &all[first.len()..];
    let line = rest.find('\n').unwrap() + 1;
    for (piece, expected) in
        [(&rest[..20], None), (&rest[20..line + 20], Some("2 min")), (&rest[line + 20..], Some("3 min"))]
    {
        let appended = std::time::Instant::now();
        file.write_all(piece.as_bytes()).unwrap();
        if let Some(expected) = expected {
            watch.wait(amount(expected));
            println!("an append was folded within {} ms", appended.elapsed().as_millis());
        }
    }
    assert_eq!(amounts(&home), ["1 min", "2 min", "3 min"]);
    let status = home.json(&["status", "--json"]);
    assert_eq!(status["journal"]["skipped"], Value::Array(Vec::new()), "{status}");
    // Cut, and gone: what is known stays, and it is said.
    std::fs::write(&arrived, &first).unwrap();
    wait_until("it is said", || {
        let status = home.json(&["status", "--json"]);
        status["journal"]["skipped"][0]["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains("not here yet"))
    });
    assert_eq!(amounts(&home).len(), 3);
    std::fs::remove_file(&arrived).unwrap();
    assert_eq!(here.stop(), Some(0));
    let _here = home.start();
    assert_eq!(amounts(&home).len(), 3);
}

#[test]
fn an_answer_on_another_device_counts_at_once() {
    let schedule = "[[supplement]]\nid = \"a\"\ntimes = [\"00:00\"]\ngrace = \"24h\"\n[[habit]]\nid = \"walk\"\nas-needed = true\n";
    let (home, other) = (Home::with_schedule(schedule), Home::with_schedule(schedule));
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let tomorrow = jiff::Timestamp::now().to_zoned(zone).date().tomorrow().unwrap();
    let there = other.start();
    let occurrence = format!("a@{tomorrow}T00:00");
    other.good(&["pause", "a", "--reason", "elsewhere"]);
    assert_eq!(there.stop(), Some(0));
    let _here = home.start();
    let state = || {
        home.get(&format!("/v1/occurrences?item=a&from={tomorrow}&until={}", tomorrow.tomorrow().unwrap()))
    };
    assert_eq!(state()[0]["occurrence"], occurrence.as_str());
    assert_eq!(state()[0]["state"], "upcoming");
    let arrived = journal(&home).with_file_name(journal(&other).file_name().unwrap());
    std::fs::copy(journal(&other), &arrived).unwrap();
    wait_until("the pause counts", || state()[0]["state"] == "excused");
}

#[test]
fn a_journal_that_is_removed_is_put_back_at_once() {
    let home = Home::with_schedule(SCHEDULE);
    let _daemon = home.start();
    home.good(&["log", "walk", "1", "min"]);
    let text = std::fs::read_to_string(journal(&home)).unwrap();
    std::fs::remove_file(journal(&home)).unwrap();
    wait_until("it is put back", || std::fs::read_to_string(journal(&home)).is_ok_and(|found| found == text));
}
