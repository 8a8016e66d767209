//! Every text that a person sees, as it is: a change of words is seen where it is reviewed.
//!
//! The texts lie in `tests/it/snapshots`. `INSTA_UPDATE=always cargo test --test it texts_snapshots` writes them
//! again; look at the difference before it is committed.

use insta::{Settings, assert_snapshot};
use jiff::{Timestamp, ToSpan};

use crate::compatibility::home_with_record;
use crate::compatibility::matching::masked_text;
use crate::support::{Home, wait_until};

/// What depends on when and where a test runs, and what stands in its place.
const FILTERS: [(&str, &str); 6] = [
    (r"\bin \d+ (h|min|s|days?)( \d+ min)?\b", "in <length>"),
    (r"\b\d+ (h|min|s|days?)( \d+ min)? ago\b", "<length> ago"),
    (r"\bprocess \d+\b", "process <number>"),
    (r"\b9\d\d facts\b", "<number> facts"),
    (r"\b(taken|skipped|snoozed until) \d\d:\d\d(:\d\d)?\b", "$1 <time>"),
    // A fact that is not of the record.
    (r"\bdesk-0001\.(939|9[4-9]\d)\b", "desk-0001.<number>"),
];

/// Compares a text with the snapshot of this name.
#[track_caller]
fn check(name: &str, text: &str) {
    let mut settings = Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (pattern, word) in FILTERS {
        settings.add_filter(pattern, word);
    }
    settings.bind(|| assert_snapshot!(name, text));
}

/// Takes out of a text the days around this one, and the home.
fn lasting(home: &Home, text: &str) -> String {
    let zone = jiff::tz::TimeZone::get("Asia/Tokyo").unwrap();
    let today = Timestamp::now().to_zoned(zone).date();
    let mut text = text.replace(home.dir.path().to_str().unwrap(), "<home>");
    text = text.replace(concat!("dosed          ", env!("CARGO_PKG_VERSION")), "dosed          <version>");
    for days in -2..120 {
        let day = today.checked_add(days.days()).unwrap();
        for form in ["%A, %-d %B %Y", "%A %-d %B %Y", "%A, %-d %B", "%A %-d %B", "%a %-d %b %Y", "%a %-d %b"]
        {
            text = text.replace(&day.strftime(form).to_string(), "<date>");
        }
    }
    text.lines().map(|line| masked_text(line) + "\n").collect()
}

/// Returns the exit code and all that a command prints.
fn printed(home: &Home, arguments: &[&str]) -> String {
    let output = home.dosed(arguments);
    let code = output.status.code().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    let exit = if code == 0 { String::new() } else { format!("exit code {code}\n") };
    let err = if err.is_empty() { err } else { format!("--- stderr\n{err}") };
    lasting(home, &format!("$ dosed {}\n{exit}{out}{err}", arguments.join(" ")))
}

/// Makes columns as narrow as they can be: they are as wide as what stands in them, which is another length each day.
fn narrow(text: &str) -> String {
    let words = |line: &str| {
        line.split("  ").map(str::trim).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("  ")
    };
    text.lines().map(|line| words(line) + "\n").collect()
}

/// Returns the names of the commands that a help text lists.
fn commands(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| !line.is_empty());
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(ToOwned::to_owned).collect()
}

#[test]
fn the_help_of_every_command() {
    let home = Home::new();
    let help = home.good(&["--help"]);
    check("help", &help);
    check("help-short", &home.good(&["-h"]));
    let all = commands(&help);
    assert!(all.len() > 25, "{all:?}");
    for command in &all {
        let help = home.good(&[command, "--help"]);
        check(&format!("help-{command}"), &help);
        for sub in commands(&help) {
            check(&format!("help-{command}-{sub}"), &home.good(&[command, &sub, "--help"]));
        }
    }
}

#[test]
fn what_the_record_looks_like() {
    let home = home_with_record();
    let _daemon = home.start();
    // Until all that is due has been told, there is less to see.
    wait_until("every reminder is recorded", || {
        home.journal().iter().filter(|fact| fact["fact"]["type"] == "undelivered").count() >= 5
    });
    for (name, arguments) in [
        ("status", &["status"][..]),
        ("today", &["today"]),
        ("next", &["next", "8"]),
        ("history", &["history", "--since", "2026-01-19", "--until", "2026-01-23"]),
        ("history-corrected", &["history", "--item", "calcium", "--until", "2026-01-07"]),
        ("history-scans", &["history", "--item", "dexa", "--until", "2026-04-01"]),
        ("history-nothing", &["history", "--until", "2020-01-01"]),
        ("adherence", &["adherence", "--since", "2026-01-01", "--until", "2026-04-15"]),
        (
            "adherence-item",
            &["adherence", "--item", "walk", "--since", "2026-01-01", "--until", "2026-04-15"],
        ),
        ("adherence-groups", &["adherence", "--groups", "--since", "2026-01-01", "--until", "2026-04-15"]),
        ("stock", &["stock"]),
        ("scan-list", &["scan", "list"]),
        ("check-in-list", &["check-in", "list"]),
        ("insight", &["insight"]),
        ("insight-all", &["insight", "--all"]),
        ("why", &["why", "swim@2026-01-22T18:00"]),
        ("why-excused", &["why", "probiotic@2026-03-12T00:00"]),
        ("why-missed", &["why", "calcium@2026-01-04T00:00"]),
        ("simulate", &["simulate", "--from", "2026-03-02", "--until", "2026-03-03"]),
        ("check", &["check"]),
    ] {
        check(name, &narrow(&printed(&home, arguments)));
    }
}

#[test]
fn what_is_printed_when_something_is_done_or_refused() {
    let home = home_with_record();
    let daemon = home.start();
    let steps: [(&str, &[&[&str]]); 7] = [
        ("done-take", &[&["take", "calcium"], &["take", "calcium"], &["skip", "calcium"], &["undo"]]),
        (
            "done-skip",
            &[&["skip", "magnesium", "--reason", "stomach"], &["correct", "--reason", "none left"]],
        ),
        ("done-snooze", &[&["snooze", "walk", "10m"], &["snooze", "walk", "48h"]]),
        (
            "done-log",
            &[
                &["log", "painkiller", "--at", "2026-04-20T10:00"],
                &["log", "painkiller", "--at", "2026-04-20T10:30"],
                &["correct", "--amount", "200 mg"],
                &["undo"],
            ],
        ),
        (
            "done-forms",
            &[
                &["check-in", "weekly", "--at", "2026-04-22", "--answer", "energy=7"],
                &["check-in", "weekly", "--answer", "energy=11"],
                &[
                    "scan",
                    "add",
                    "--at",
                    "2026-04-24",
                    "--answer",
                    "region=total-hip",
                    "--answer",
                    "bmd=0.805",
                ],
            ],
        ),
        (
            "done-stock",
            &[
                &["stock", "probiotic", "+60"],
                &["stock", "probiotic", "55"],
                &["undo"],
                &["stock", "calcium", "+1"],
            ],
        ),
        (
            "done-pause",
            &[
                &["pause", "walk", "--until", "2099-01-01"],
                &["resume", "walk"],
                &["pause"],
                &["today"],
                &["resume"],
            ],
        ),
    ];
    for (name, commands) in steps {
        let texts: Vec<String> = commands.iter().map(|arguments| printed(&home, arguments)).collect();
        check(name, &narrow(&texts.join("\n")));
    }
    let refused: [&[&str]; 8] = [
        &["take", "nothing"],
        &["take", "calcium@2020-01-01T00:00"],
        &["log", "painkiller", "much"],
        &["log", "painkiller", "--at", "someday"],
        &["why", "swim@2026-01-23T18:00"],
        &["adherence", "--item", "nothing"],
        &["next", "0"],
        &["daemon"],
    ];
    let texts: Vec<String> = refused.iter().map(|arguments| printed(&home, arguments)).collect();
    check("refused", &texts.join("\n"));
    drop(daemon);
    check("refused-without-a-daemon", &printed(&home, &["today"]));
}

#[test]
fn what_is_wrong_with_a_schedule() {
    let home = Home::new();
    let item = |keys: &str| format!("[[supplement]]\nid = \"a\"\n{keys}\n");
    for (name, text) in [
        ("no-toml", "[[supplement]\nid = \"a\"\n".to_owned()),
        ("no-times", item("")),
        ("unknown-key", item("tims = [\"08:00\"]")),
        ("no-time", item("times = [\"8\", \"25:00\"]")),
        ("no-dose", item("times = [\"08:00\"]\ndose = \"much\"")),
        ("no-grace", item("times = [\"08:00\"]\ngrace = \"3 months\"")),
        ("no-zone", format!("zone = \"Europe/Berlín\"\n{}", item("times = [\"08:00\"]"))),
        ("no-cron", item("cron = \"61 * * * *\"")),
        ("times-and-cron", item("times = [\"08:00\"]\ncron = \"0 8 * * *\"")),
        ("again", item("times = [\"08:00\"]\nagain = { every = \"0m\", at-most = 3 }")),
        ("twice", format!("{0}\n{0}", item("times = [\"08:00\"]"))),
        ("no-channel", item("times = [\"08:00\"]\nthen = [{ after = \"1m\", channel = \"phone\" }]")),
        ("dose-of-a-check-in", "[[check-in]]\nid = \"a\"\ntimes = [\"08:00\"]\ndose = \"5 mg\"\n".to_owned()),
        (
            "several",
            format!("{}\n[[habit]]\nid = \"B\"\ndays = \"Mon..Fre\"\n", item("times = [\"8\"]\nwith = 7")),
        ),
    ] {
        let path = home.path("schedule.toml");
        std::fs::write(&path, text).unwrap();
        check(&format!("check-{name}"), &printed(&home, &["check", &path]));
    }
}
