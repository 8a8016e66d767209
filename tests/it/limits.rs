//! Limits from outside: of files that can be anything, and of answers, none of which is silently shorter.

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::support::Home;

/// Makes one file of each kind that is no schedule; each with what is said of it.
fn no_schedules(home: &Home) -> Vec<(PathBuf, &'static str)> {
    let path = |name: &str| PathBuf::from(home.path(name));
    rustix::fs::mknodat(rustix::fs::CWD, path("fifo"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    std::os::unix::fs::symlink("nowhere", path("dangling")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", path("endless")).unwrap();
    std::fs::File::create(path("large")).unwrap().set_len(5 * 1024 * 1024).unwrap();
    vec![
        (path("fifo"), "it is a FIFO, not a regular file"),
        (path("run"), "it is a directory, not a regular file"),
        (path("dangling"), "No such file or directory"),
        (path("endless"), "it is a device, not a regular file"),
        ("/dev/zero".into(), "it is a device, not a regular file"),
        (
            path("large"),
            "has more than 4194304 bytes, the limit of a schedule: check that it is the right file",
        ),
    ]
}

#[test]
fn a_schedule_can_be_any_file_and_nothing_hangs() {
    let home = Home::new();
    for (path, why) in no_schedules(&home) {
        let path = path.to_str().unwrap();
        for arguments in [
            vec!["check", path],
            vec!["--schedule", path, "simulate", "--from", "2026-01-01", "--until", "2026-02-01"],
            vec!["--schedule", path, "daemon"],
        ] {
            let (code, error) = home.bad(&arguments);
            assert_eq!(code, if why.starts_with("has") { 78 } else { 1 }, "{arguments:?}");
            assert!(error.contains(why) && error.contains(path), "{arguments:?}: {error}");
        }
    }
    // What was there stays as it was.
    let link = std::fs::symlink_metadata(home.path("dangling")).unwrap();
    assert!(link.is_symlink() && !std::path::Path::new(&home.path("nowhere")).exists());
}

#[test]
fn a_running_daemon_says_why_the_changed_schedule_cannot_be_used() {
    let home = Home::with_schedule("[[habit]]\nid = \"walk\"\nas-needed = true\n");
    let daemon = home.start();
    std::fs::remove_file(home.schedule_path()).unwrap();
    std::fs::create_dir(home.schedule_path()).unwrap();
    daemon.signal(rustix::process::Signal::HUP);
    home.ask_until_logged("the schedule cannot be used");
    let error = home.json(&["status", "--json"])["schedule"]["error"].as_str().unwrap().to_owned();
    assert!(
        error.ends_with("schedule.toml: it is a directory, not a regular file; give the path of a TOML file"),
        "{error}"
    );
    home.good(&["log", "walk"]);
}

#[test]
fn an_answer_that_would_be_too_large_is_refused_by_the_name_of_its_limit() {
    let home = Home::with_schedule("[[habit]]\nid = \"walk\"\nas-needed = true\n");
    assert_eq!(home.start().stop(), Some(0));
    let began = Timestamp::now() - SignedDuration::from_hours(24 * 3650);
    let definition = json!({ "id": "often", "kind": "habit", "cron": "* * * * *" });
    let fact = json!({ "type": "regimen", "item": "often", "at": format!("{began}[UTC]"), "definition": definition });
    home.record(&[(began, fact)]);
    let _daemon = home.start();
    let day = |days: i64| (began + SignedDuration::from_hours(24 * days)).strftime("%Y-%m-%d").to_string();
    let path = format!("/v1/adherence?item=often&since={}&until={}", day(10), day(3000));
    let refused = home.request("GET", &path, &[], "");
    assert_eq!((refused.status(), refused.header("content-type")), (422, Some("application/problem+json")));
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("`often` has ") && detail.contains("the limit of one answer is 1500000"),
        "{detail}"
    );
    let (code, error) =
        home.bad(&["adherence", "--item", "often", "--since", &day(10), "--until", &day(3000)]);
    assert!(code == 1 && error.contains("the limit of one answer is 1500000"), "{code} {error}");
    let path = format!("/v1/occurrences?item=often&from={}&until={}", day(10), day(12));
    assert_eq!(home.get(&path).as_array().unwrap().len(), 2 * 1440);
}

/// There is no limit: the command prints as it goes.
#[test]
fn a_simulation_is_whole_however_long() {
    let home = Home::with_schedule("[[habit]]\nid = \"often\"\nevery = \"1m\"\n");
    let text = home.good(&["simulate", "--from", "2026-01-01", "--until", "2026-04-01"]);
    assert_eq!(text.lines().count(), 90 * 1440 - 60, "the hour that the clocks leave out");
}
