//! The commands as a person types them: what they print, and their exit codes.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Guard, Home};

const SCHEDULE: &str = "\
[[supplement]]
id = \"calcium\"
name = \"Calcium\"
dose = \"500 mg\"
times = [\"00:00\", \"23:59:59\"]
grace = \"23h\"

[[habit]]
id = \"walk\"
as-needed = true
";

#[test]
fn the_first_start_writes_the_schedule_and_says_where_things_are() {
    let home = Home::new();
    let daemon = home.start_with(|command| {
        command.env_remove("INVOCATION_ID");
    });
    let kept = std::fs::read_to_string(home.schedule_path()).unwrap();
    assert_eq!(kept, dosed::adapters::config::DEFAULT_SCHEDULE);
    let status = home.json(&["status", "--json"]);
    assert_eq!(status["schedule"]["items"], 7);
    assert_eq!(status["zone"], "Europe/Berlin");
    assert_eq!(status["journal"]["facts"], status["database"]["facts"]);
    assert_eq!(home.json(&["next", "3", "--json"]).as_array().unwrap().len(), 3);
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn json_is_as_it_is_written_down() {
    let home = Home::with_schedule(SCHEDULE);
    let _daemon = home.start();
    let today = home.json(&["today", "--json"]);
    let row = today[0].as_object().unwrap();
    let keys: Vec<_> = row.keys().map(String::as_str).collect();
    assert_eq!(keys, ["at", "dose", "item", "name", "occurrence", "state"]);
    let at: jiff::Zoned = row["at"].as_str().unwrap().parse().unwrap();
    assert_eq!(at.time_zone().iana_name(), Some("Europe/Berlin"));
    let fact = home.json(&["log", "walk", "35", "min", "--json"]);
    let keys: Vec<_> = fact.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["crc", "device", "fact", "id", "recorded_at", "seq", "v"]);
    let history = home.json(&["history", "--item", "walk", "--json"]);
    let mut row = history.as_array().unwrap().last().unwrap().clone();
    let mut outcome = |member| row.as_object_mut().unwrap().remove(member);
    assert_eq!((outcome("effective"), outcome("superseded_by")), (Some(true.into()), Some(Value::Null)));
    assert_eq!(row, fact);
    assert_eq!(fact["fact"]["amount"], "35 min");
    // What another program reads is what was written, to the byte.
    let fact = home.json(&["log", "walk", "--note", "a\t\u{ad}ü\u{2028}b", "--json"]);
    assert_eq!(fact["fact"]["note"], "a\t\u{ad}ü\u{2028}b");
}

#[test]
fn an_answer_is_taken_shown_and_taken_back() {
    let home = Home::with_schedule(SCHEDULE);
    let _daemon = home.start();
    let evening = home.json(&["today", "--json"])[0]["occurrence"].as_str().unwrap().to_owned();
    let said = home.good(&["take", &evening, "--amount", "250 mg", "--note", "half"]);
    assert!(said.contains("taken 250 mg") && said.contains("dosed undo"), "{said}");
    assert_eq!(home.json(&["today", "--json"])[0]["state"], "partial");
    assert!(home.good(&["take", &evening]).contains("already recorded"));
    let (code, said) = home.bad(&["skip", &evening]);
    assert_eq!(code, 1);
    assert!(said.contains("is already partial") && said.contains("dosed undo"), "{said}");
    home.good(&["undo", "--reason", "wrong button"]);
    assert_eq!(home.json(&["today", "--json"])[0]["state"], "upcoming");
    assert!(home.good(&["history"]).contains("(undone)"));
    let (code, said) = home.bad(&["undo"]);
    assert_eq!((code, said.as_str()), (1, "dosed: there is no answer to undo or correct\n"));
    // A change of stock and an undo are named to be undone.
    let said = home.good(&["log", "calcium"]);
    assert!(said.contains(", to undo: dosed undo"), "{said}");
    let said = home.good(&["undo"]);
    let id = home.journal().last().unwrap()["id"].as_str().unwrap().to_owned();
    assert!(said.contains(&format!(", to undo: dosed undo {id}")), "{said}");
    let history = home.good(&["history"]);
    let line = history.lines().last().unwrap();
    assert!(line.contains("undone: ") && line.contains("  calcium  ") && line.contains(&id), "{history}");
    // So can a pause be.
    assert!(home.good(&["pause"]).contains(", to undo: dosed undo"));
    home.good(&["undo"]);
    assert_eq!(home.json(&["status", "--json"])["pauses"], serde_json::json!([]));
}

#[test]
fn errors_have_their_exit_codes_and_say_what_to_do() {
    let home = Home::with_schedule(SCHEDULE);
    let (code, said) = home.bad(&["today"]);
    assert_eq!(code, 69);
    assert!(said.contains("dosed daemon"), "{said}");
    let daemon = home.start();
    let (code, said) = home.bad(&["daemon"]);
    assert_eq!(code, 75);
    assert!(said.contains("another daemon runs"), "{said}");
    let (code, said) = home.bad(&["take", "calzium"]);
    assert_eq!((code, said.contains("did you mean `calcium`?")), (1, true), "{said}");
    let (code, said) = home.bad(&["take", "calcium", "--at", "someday"]);
    assert_eq!((code, said.contains("`someday` is not a time")), (2, true), "{said}");
    let (code, said) = home.bad(&["take", "calcium@2020-01-01T08:00"]);
    assert_eq!((code, said.contains("is not in the plan")), (1, true), "{said}");
    assert_eq!(home.bad(&["take"]).0, 2);
    assert_eq!(home.bad(&["frobnicate"]).0, 2);
    assert_eq!(
        home.bad(&["simulate", "--from", "2026-01-01", "--until", "2026-01-02", "--zone", "Mars"]).0,
        2
    );
    drop(daemon);
    // Nothing is recorded here, so that no plan could go on.
    let home = Home::with_schedule("[[supplement]]\nid = \"a\"\ntims = [\"08:00\"]\n");
    for arguments in [&["check"][..], &["daemon"]] {
        let (code, said) = home.bad(arguments);
        assert_eq!(code, 78);
        assert!(said.contains("schedule.toml:3:1") && said.contains("did you mean `times`?"), "{said}");
    }
}

#[test]
fn a_schedule_with_errors_leaves_the_running_one() {
    let home = Home::with_schedule(SCHEDULE);
    let daemon = home.start();
    home.schedule("[[supplement]\n");
    daemon.signal(rustix::process::Signal::HUP);
    assert!(daemon.hear().starts_with("RELOADING=1"));
    assert_eq!(daemon.hear(), "READY=1");
    let status = home.json(&["status", "--json"]);
    assert_eq!(status["schedule"]["items"], 2);
    assert!(status["schedule"]["error"].as_str().unwrap().contains("error"), "{status}");
    assert!(home.good(&["status"]).contains("still using the plan of"));
}

#[test]
fn simulate_shows_what_the_daemon_would_do() {
    let home = Home::with_schedule("[[supplement]]\nid = \"a\"\ntimes = [\"02:30\"]\n");
    let rows = home.json(&["simulate", "--from", "2026-03-28", "--until", "2026-03-31", "--json"]);
    assert_eq!(
        rows,
        json!([
            { "occurrence": "a@2026-03-28T02:30", "item": "a", "planned": "2026-03-28T02:30", "at": "2026-03-28T02:30:00+01:00[Europe/Berlin]" },
            { "occurrence": "a@2026-03-29T02:30", "item": "a", "planned": "2026-03-29T02:30", "at": "2026-03-29T03:30:00+02:00[Europe/Berlin]" },
            { "occurrence": "a@2026-03-30T02:30", "item": "a", "planned": "2026-03-30T02:30", "at": "2026-03-30T02:30:00+02:00[Europe/Berlin]" },
        ])
    );
    let rows = home.json(&["simulate", "--from", "2026-10-25", "--until", "2026-10-26", "--json"]);
    assert_eq!(rows[0]["at"], "2026-10-25T02:30:00+02:00[Europe/Berlin]");
    assert_eq!(rows.as_array().unwrap().len(), 1);
}

#[test]
fn help_manual_and_completions_come_from_the_binary() {
    let home = Home::new();
    let help = home.good(&["--help"]);
    let man = home.good(&["man"]);
    assert!(home.good(&["completions", "bash"]).contains("_clap_complete_dosed"));
    for command in [
        "daemon",
        "today",
        "next",
        "take",
        "skip",
        "snooze",
        "log",
        "undo",
        "history",
        "check",
        "watch",
        "status",
        "simulate",
        "pause",
        "resume",
        "completions",
        "man",
    ] {
        assert!(help.contains(&format!("  {command} ")), "{command} is in the help");
        assert!(
            man.contains(&format!(".SS \"dosed {}", command.replace('-', "\\-"))),
            "{command} is in the manual"
        );
        assert!(offered(&home, &[command]).contains(&command.to_owned()), "{command} is completed");
        home.good(&[command, "--help"]);
    }
}

/// What bash is offered for the last of some words.
fn offered(home: &Home, words: &[&str]) -> Vec<String> {
    let mut command = home.command(env!("CARGO_BIN_EXE_dosed"));
    command.args(["--", "dosed"]).args(words);
    command
        .env("COMPLETE", "bash")
        .env("_CLAP_COMPLETE_INDEX", words.len().to_string())
        .env("_CLAP_IFS", "\n");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{words:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(ToOwned::to_owned).collect()
}

#[test]
fn a_shell_is_offered_what_the_daemon_knows() {
    let home = Home::with_schedule(SCHEDULE);
    // Without a daemon there are only options.
    assert!(offered(&home, &["take", "cal"]).is_empty());
    let _daemon = home.start();
    assert_eq!(offered(&home, &["take", "cal"]), ["calcium"]);
    assert!(offered(&home, &["stock", ""]).contains(&"calcium".to_owned()));
    assert!(offered(&home, &["history", "--item", ""]).contains(&"calcium".to_owned()));
}

#[test]
fn watch_prints_each_event_on_a_line() {
    let home = Home::with_schedule(SCHEDULE);
    let _daemon = home.start();
    let child =
        home.command(env!("CARGO_BIN_EXE_dosed")).arg("watch").stdout(Stdio::piped()).spawn().unwrap();
    let mut child = Guard(child);
    let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
    let (sender, first) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        // The start's own facts may come first.
        let of_walk =
            |line: &std::io::Result<String>| line.as_ref().is_ok_and(|line| line.contains("intake"));
        sender.send(lines.find(of_walk).unwrap().unwrap())
    });
    // It hears of the first thing that is logged once it listens.
    let event = loop {
        home.good(&["log", "walk"]);
        if let Ok(line) = first.try_recv() {
            break serde_json::from_str::<serde_json::Value>(&line).unwrap();
        }
    };
    assert_eq!((&event["event"], &event["fact"]["fact"]["item"]), (&json!("recorded"), &json!("walk")));
}

#[test]
fn colour_is_for_terminals_only() {
    let home = Home::with_schedule(SCHEDULE);
    let _daemon = home.start();
    assert!(!home.good(&["today"]).contains('\u{1b}'));
    let forced =
        home.command(env!("CARGO_BIN_EXE_dosed")).arg("today").env("CLICOLOR_FORCE", "1").output().unwrap();
    assert!(String::from_utf8(forced.stdout).unwrap().contains('\u{1b}'));
    let both = home.command(env!("CARGO_BIN_EXE_dosed")).arg("today").env("NO_COLOR", "1").output().unwrap();
    assert!(!String::from_utf8(both.stdout).unwrap().contains('\u{1b}'));
}

#[test]
fn the_manual_and_the_completions_that_are_shipped_are_the_printed_ones() {
    let home = Home::new();
    let shipped = |name: &str| {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name);
        std::fs::read_to_string(path).unwrap_or_default()
    };
    for (arguments, name) in [
        (&["man"][..], "dosed.1"),
        (&["completions", "bash"], "completions/dosed.bash"),
        (&["completions", "zsh"], "completions/_dosed"),
        (&["completions", "fish"], "completions/dosed.fish"),
    ] {
        assert!(
            shipped(name) == home.good(arguments),
            "config/{name} is stale: write `dosed {}` over it",
            arguments.join(" ")
        );
    }
}

#[test]
fn a_status_bar_is_told_what_is_due_and_what_comes() {
    let home = Home::new();
    let (status, error) = home.bad(&["status", "--format", "waybar"]);
    assert!(status == 69 && error.contains("daemon"), "{error}");
    let _daemon = home.start_before_due(|time| {
        format!(
            "[[supplement]]\nid = \"a\"\nname = \"Anise & Co\"\ntimes = [\"{time}\"]\ngrace = \"12h\"\n[[supplement]]\nid = \"b\"\nname = \"Balm\"\nfrom = 2099-01-01\ntimes = [\"08:00\"]\n"
        )
    });
    let mut events = home.watch();
    events.fact("undelivered");
    let bar: Value = serde_json::from_str(&home.good(&["status", "--format", "waybar"])).unwrap();
    assert_eq!((&bar["text"], &bar["class"]), (&"Anise &amp; Co".into(), &"due".into()), "{bar}");
    assert_eq!(home.good(&["status", "--format", "{due}: {due.name}"]).trim(), "1: Anise & Co");
    // Live: a line now, and another one once it is answered.
    let mut watch = home.command(env!("CARGO_BIN_EXE_dosed"));
    watch.args(["watch", "--format", "{due} due"]).stdout(Stdio::piped());
    let mut child = watch.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "1 due");
    home.good(&["take", "a"]);
    assert_eq!(lines.next().unwrap().unwrap(), "0 due");
    child.kill().unwrap();
    child.wait().unwrap();
    let (status, error) = home.bad(&["status", "--format", "{nxt}"]);
    assert!(status == 2 && error.contains("unknown placeholder `nxt`"), "{error}");
    assert_eq!(home.bad(&["status", "--format", "waybar", "--json"]).0, 2);
}
