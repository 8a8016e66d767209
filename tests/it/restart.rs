//! What a running daemon answers is what a restarted one answers.

use jiff::{Span, Zoned, tz::TimeZone};
use serde_json::Value;

use crate::support::{Daemon, Home};

/// Returns a home with the two made-up years as a record of its own.
fn with_two_years() -> Home {
    let home = Home::new();
    let (daemon, is_demo) = home.start_demo();
    drop(daemon);
    home.schedule(&std::fs::read_to_string(is_demo.join("schedule.toml")).unwrap());
    std::fs::create_dir_all(home.data()).unwrap();
    for part in ["device", "journal"] {
        std::fs::rename(is_demo.join(part), home.data().join(part)).unwrap();
    }
    home
}

struct Desk {
    home: Home,
    daemon: Option<Daemon>,
    since: String,
    until: String,
    last: Value,
}

impl Desk {
    fn all(&self) -> Value {
        let day = |days| Zoned::now().date().saturating_sub(Span::new().days(days)).to_string();
        let of = |item: &str| {
            let path = format!("/v1/adherence?since={}&until={}{item}", self.since, self.until);
            self.home.get(&path)
        };
        let part = self.home.get(&format!("/v1/adherence?since={}&until={}", day(200), day(100)));
        Value::Array(vec![of(""), of("&item=probiotic"), of("&by=group"), part])
    }

    /// Holds what is told now to what a daemon tells that has just begun; `changes` tells whether it differs from before.
    fn check(&mut self, what: &str, changes: bool) {
        let told = self.all();
        assert_eq!(self.all(), told, "{what}");
        self.daemon.take();
        self.daemon = Some(self.home.start());
        assert_eq!(self.all(), told, "{what}");
        assert_eq!(told != self.last, changes, "{what}");
        self.last = told;
    }
}

#[test]
fn a_changed_past_is_told_as_a_new_start_tells_it() {
    let home = with_two_years();
    let daemon = Some(home.start());
    let today = Zoned::now().with_time_zone(TimeZone::get("Europe/Berlin").unwrap()).date();
    let ago = |days| today.saturating_sub(Span::new().days(days));
    // What is of the last weeks can change by itself.
    let (since, until) = (ago(800).to_string(), ago(40).to_string());
    let mut desk = Desk { home, daemon, since, until, last: Value::Null };
    desk.check("as it was", true);
    desk.check("as it was", false);
    let range = format!("/v1/occurrences?item=probiotic&from={}&until={}", ago(400), ago(150));
    let rows = desk.home.get(&range);
    let missed = rows.as_array().unwrap().iter().find(|row| row["state"] == "missed").unwrap();
    let missed = missed["occurrence"].as_str().unwrap();
    let steps: [(&[&str], bool); 9] = [
        (&["log", "probiotic", "--at", &ago(333).to_string()], true),
        (&["undo"], true),
        (&["take", missed], true),
        (&["correct", "--amount", "1e9 CFU"], true),
        (&["undo"], true),
        (&["log", "weight-bearing", "45", "min", "--at", &ago(250).to_string()], true),
        // Beside what is asked about.
        (&["log", "weight-bearing", "45", "min"], false),
        (&["pause", "probiotic"], false),
        (&["resume", "probiotic"], false),
    ];
    for (command, changes) in steps {
        desk.home.good(command);
        desk.check(&command.join(" "), changes);
    }
    // A plan of its own begins when it is read, and leaves the past as it was.
    let schedule = std::fs::read_to_string(desk.home.schedule_path()).unwrap();
    let mut watch = desk.home.watch();
    desk.home.schedule(&schedule.replace("dose = \"1000 IU\"", "dose = \"2000 IU\""));
    watch.fact("regimen");
    drop(watch);
    desk.check("another dose", false);
}
