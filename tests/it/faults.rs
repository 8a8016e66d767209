//! What goes wrong around the daemon: disks, clocks, zones. Each has a named outcome.
//!
//! Some need root, to mount a small disk or to set the clock (to the time that it shows).

use std::io::Write;
use std::process::Command;

use serde_json::Value;

use crate::support::{Daemon, Home};

const SCHEDULE: &str =
    "[[supplement]]\nid = \"a\"\ntimes = [\"08:00\"]\n\n[[habit]]\nid = \"walk\"\nas-needed = true\n";

/// A file system of a size of its own, gone with the test.
struct Mount(String);

impl Mount {
    /// Mounts a disk with these options.
    fn new(path: String, options: &str) -> Self {
        std::fs::create_dir_all(&path).unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs", &path]).status().unwrap();
        assert!(mounted.success(), "root may mount");
        Self(path)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["--lazy", &self.0]).status();
    }
}

#[test]
#[ignore = "needs root mounts"]
fn a_full_disk_refuses_the_answer_and_takes_it_when_there_is_room() {
    let home = Home::with_schedule(SCHEDULE);
    let _mount = Mount::new(home.path("disk"), "size=4m");
    let data = home.path("disk/data");
    let _daemon = home.start_with(|command| {
        command.args(["--data-dir", &data]);
    });
    home.good(&["log", "walk", "1", "min"]);
    let filler = home.path("disk/filler");
    let mut file = std::fs::File::create(&filler).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    drop(file);
    // What little room is left in the journal's last block is used up as well.
    let refused = (0..100).find_map(|_| {
        let output = home.dosed(&["log", "walk", "2", "min"]);
        (!output.status.success()).then(|| (output.status.code(), String::from_utf8(output.stderr).unwrap()))
    });
    let (code, said) = refused.expect("a full disk refuses");
    assert_eq!((code, said.contains("No space left")), (Some(1), true), "{said}");
    std::fs::remove_file(&filler).unwrap();
    home.good(&["log", "walk", "3", "min"]);
    let facts = home.json(&["history", "--item", "walk", "--json"]);
    let amounts: Vec<_> =
        facts.as_array().unwrap().iter().filter_map(|fact| fact["fact"]["amount"].as_str()).collect();
    assert_eq!((amounts.first(), amounts.last()), (Some(&"1 min"), Some(&"3 min")));
}

#[test]
#[ignore = "needs root mounts"]
fn a_disk_that_cannot_be_written_is_said_at_the_start() {
    let home = Home::with_schedule(SCHEDULE);
    let _mount = Mount::new(home.path("disk"), "ro");
    let (code, said) = home.bad(&["daemon", "--data-dir", &home.path("disk/data")]);
    assert_eq!(code, 1);
    assert!(said.contains("cannot make") && said.contains("Read-only file system"), "{said}");
}

#[test]
fn a_database_on_which_sled_panics_as_it_is_opened_is_rebuilt_in_the_same_process() {
    let home = Home::with_schedule(SCHEDULE);
    let daemon = start_with_a_panic_of_sled(&home);
    assert!(home.log().contains("a test wants a panic"), "{}", home.log());
    assert!(home.data().join("db.broken-1").exists());
    assert!(home.good(&["history", "--item", "walk"]).contains("30 min"));
    assert_eq!(home.json(&["status", "--json"])["pid"], daemon.child.id());
    assert_eq!(daemon.stop(), Some(0));
}

/// Records something and starts the daemon again, in which sled panics when it opens the database.
fn start_with_a_panic_of_sled(home: &Home) -> Daemon {
    let daemon = home.start();
    home.good(&["log", "walk", "30", "min"]);
    assert_eq!(daemon.stop(), Some(0));
    home.start_with(|command| {
        command.env("DOSED_CRASH_AT", "database-opens").env("DOSED_CRASH_BY", "panic");
        command.env("DOSED_CRASH_IF", home.data().join("db/db"));
    })
}

#[test]
fn a_database_on_which_sled_panics_while_it_is_read_is_rebuilt_in_the_same_process() {
    let home = Home::with_schedule(SCHEDULE);
    // In the database's own directory, so that the rebuilt one is intact.
    let armed = home.data().join("db/armed");
    let daemon = home.start_with(|command| {
        command.env("DOSED_CRASH_AT", "database-reads").env("DOSED_CRASH_BY", "panic");
        command.env("DOSED_CRASH_IF", &armed);
    });
    home.good(&["log", "walk", "30", "min"]);
    std::fs::write(&armed, "").unwrap();
    assert!(home.good(&["history", "--item", "walk"]).contains("30 min"));
    assert!(home.log().contains("a test wants a panic"), "{}", home.log());
    assert!(home.data().join("db.broken-1").exists());
    let status = home.json(&["status", "--json"]);
    assert_eq!((&status["pid"], &status["database"]["error"]), (&daemon.child.id().into(), &Value::Null));
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn where_sled_panics_on_a_rebuilt_database_too_the_process_ends() {
    let home = Home::with_schedule(SCHEDULE);
    let armed = home.path("armed");
    let mut daemon = home.start_with(|command| {
        command.env("DOSED_CRASH_AT", "database-reads").env("DOSED_CRASH_BY", "panic");
        command.env("DOSED_CRASH_IF", &armed);
    });
    home.good(&["log", "walk", "30", "min"]);
    std::fs::write(&armed, "").unwrap();
    home.bad(&["history"]);
    assert_eq!(daemon.child.wait().unwrap().code(), None, "by a signal");
    let _daemon = home.start();
    assert!(home.good(&["history", "--item", "walk"]).contains("30 min"));
}

#[test]
fn a_database_that_is_damaged_anywhere_is_built_anew() {
    const SEGMENT: usize = 512 * 1024;
    let mut home = Home::new();
    let (demo, dir) = home.start_demo();
    home.set("DOSED_SOCKET", dir.join("dosed.sock").to_str().unwrap());
    let adherence = ["adherence", "--json", "--until", &yesterday()];
    let expected = home.json(&adherence);
    assert_eq!(demo.stop(), Some(0));
    let database = dir.join("db/db");
    let journal = std::fs::read_dir(dir.join("journal")).unwrap().next().unwrap().unwrap().path();
    let ids = |text: String| -> Vec<String> {
        let facts = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        facts.map(|fact| fact["id"].as_str().unwrap().to_owned()).collect()
    };
    let recorded = ids(std::fs::read_to_string(&journal).unwrap());
    let mut at = 0;
    loop {
        let mut bytes = std::fs::read(&database).unwrap();
        let Some(sector) = bytes.get_mut(at..at + 4096) else { break };
        sector.fill(0);
        std::fs::write(&database, bytes).unwrap();
        let (demo, _) = home.start_demo();
        // Read from the database: every fact of the journal, in its order.
        let known = home.json(&["history", "--json"]);
        let known: Vec<&str> =
            known.as_array().unwrap().iter().map(|fact| fact["id"].as_str().unwrap()).collect();
        assert_eq!(known, recorded, "{at}: {}", home.log());
        assert_eq!(home.json(&adherence), expected, "{at}: {}", home.log());
        assert_eq!(demo.stop(), Some(0));
        at += SEGMENT;
    }
}

/// A day whose facts do not become more while a test runs.
fn yesterday() -> String {
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    jiff::Timestamp::now().to_zoned(zone).date().yesterday().unwrap().to_string()
}

#[test]
#[ignore = "needs root set-clock"]
fn a_set_clock_is_noticed_at_once() {
    let home = Home::with_schedule(SCHEDULE);
    let daemon = home.start();
    // To the time that it shows: nobody else on the machine minds.
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    rustix::time::clock_settime(rustix::time::ClockId::Realtime, now).unwrap();
    home.ask_until_logged("the clock was set");
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
#[ignore = "needs root mounts"]
fn a_changed_zone_is_noticed_without_a_restart() {
    let home = Home::with_schedule(SCHEDULE);
    // A directory of its own in place of /etc, seen by this daemon alone.
    let etc = home.path("etc");
    std::fs::create_dir(&etc).unwrap();
    std::os::unix::fs::symlink("/usr/share/zoneinfo/Europe/Berlin", format!("{etc}/localtime")).unwrap();
    let script = format!("mount --bind {etc} /etc && exec {} daemon", env!("CARGO_BIN_EXE_dosed"));
    let daemon = home.start_by(
        |home| {
            let mut command = home.command("unshare");
            command.args(["--mount", "sh", "-c", &script]);
            command
        },
        |command| {
            command.env_remove("TZ");
        },
    );
    let mut watch = home.watch();
    assert_eq!(home.json(&["status", "--json"])["zone"], "Europe/Berlin");
    // As timedatectl does it: a new link in place of the old.
    std::os::unix::fs::symlink("/usr/share/zoneinfo/America/New_York", format!("{etc}/new")).unwrap();
    std::fs::rename(format!("{etc}/new"), format!("{etc}/localtime")).unwrap();
    watch.wait(|event| event["fact"]["fact"]["zone"] == "America/New_York");
    let next = home.json(&["next", "1", "--json"]);
    assert!(next[0]["at"].as_str().unwrap().ends_with("[America/New_York]"), "{next}");
    drop(daemon);
}

#[test]
fn a_daemon_that_starts_after_the_slot_asks_about_it() {
    let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::get("Europe/Berlin").unwrap());
    let before = now.checked_sub(jiff::SignedDuration::from_mins(3)).unwrap();
    let slot = before.strftime("%H:%M").to_string();
    let home = Home::with_schedule(&format!(
        "[[supplement]]\nid = \"a\"\ntimes = [\"{slot}\"]\nfrom = 2026-01-01\n"
    ));
    // The regimen began long ago: its first line is in the journal that a daemon of then wrote.
    assert_eq!(home.start().stop(), Some(0));
    let journal = home.journal();
    let device = journal[0]["device"].as_str().unwrap();
    let long_ago = now.checked_sub(jiff::SignedDuration::from_hours(24 * 10)).unwrap();
    let mut text = String::new();
    for fact in &journal {
        let mut fact = fact.clone();
        fact.as_object_mut().unwrap().remove("crc");
        fact["recorded_at"] = long_ago.to_string().into();
        fact["fact"]["at"] = long_ago.to_string().into();
        let mut line = in_order(&fact);
        line.pop();
        let crc = crc32fast::hash(line.as_bytes());
        text.push_str(&format!("{line},\"crc\":\"{crc:08x}\"}}\n"));
    }
    std::fs::write(home.data().join(format!("journal/{device}.jsonl")), text).unwrap();
    let daemon = home.start();
    // No server here: the reminder is told all the same, once for the ten days.
    let facts = home.json(&["history", "--json"]);
    let undelivered = |facts: &serde_json::Value| {
        facts.as_array().unwrap().iter().filter(|fact| fact["fact"]["type"] == "undelivered").count()
    };
    if undelivered(&facts) == 0 {
        let mut watch = home.watch();
        if undelivered(&home.json(&["history", "--json"])) == 0 {
            watch.fact("undelivered");
        }
    }
    assert_eq!(undelivered(&home.json(&["history", "--json"])), 1);
    let from = long_ago.strftime("%Y-%m-%d").to_string();
    let rows = home.get(
        &format!("/v1/occurrences?item=a&from={from}&until=2099-01-01")
            .replace("2099-01-01", &now.tomorrow().unwrap().strftime("%Y-%m-%d").to_string()),
    );
    let states: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["state"].as_str().unwrap()).collect();
    assert_eq!(
        states.iter().filter(|state| **state == "unknown").count(),
        10 - usize::from(states.len() < 11),
        "{states:?}"
    );
    assert!(home.good(&["today"]).contains("could not be shown. To fill one in: dosed take a@"));
    drop(daemon);
}

/// Writes a fact with its members in the order of the journal's form.
fn in_order(fact: &serde_json::Value) -> String {
    let member = |name: &str| format!("\"{name}\":{}", fact[name]);
    let members: Vec<String> = ["v", "id", "seq", "device", "recorded_at", "fact"].map(member).to_vec();
    format!("{{{}}}", members.join(","))
}

#[test]
fn every_step_of_an_occurrence_can_be_asked_for() {
    let home = Home::new();
    let _daemon = home
        .start_before_due(|time| format!("[[supplement]]\nid = \"a\"\nname = \"A\"\ntimes = [\"{time}\"]\n"));
    let mut watch = home.watch();
    let occurrence = watch.fact("undelivered")["fact"]["occurrence"].as_str().unwrap().to_owned();
    home.good(&["snooze", &occurrence, "1h"]);
    home.good(&["take", &occurrence]);
    let why = home.json(&["why", &occurrence, "--json"]);
    assert_eq!(why["state"], "taken");
    assert_eq!(why["zone_decision"], "floating, then in Europe/Berlin");
    assert_eq!(why["regimen"]["definition"]["name"], "A");
    let kinds: Vec<_> =
        why["facts"].as_array().unwrap().iter().map(|fact| fact["fact"]["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["undelivered", "snooze", "intake"]);
    let said = home.good(&["why", &occurrence]);
    for words in ["could not be shown", "snoozed until", "taken", "since", "undo"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(home.bad(&["why", "a@2020-01-01T08:00"]).0, 1);
}
