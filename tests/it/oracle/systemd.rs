//! `systemd-analyze calendar`: what calendar expressions expand to.

use super::*;

/// What the expressions are asked from: the last second before a year, so that its first slot counts.
const BASE: DateTime = date(2025, 12, 31).at(23, 59, 59, 0);

/// Rules without an end are compared for this long at most.
const YEARS: i64 = 40;

fn systemd(zone: &str, base: DateTime, most: usize, expression: &str) -> std::process::Output {
    Command::new("systemd-analyze")
        .args([
            "calendar",
            &format!("--iterations={most}"),
            &format!("--base-time={} {}", base.date(), base.time()),
        ])
        .arg(expression)
        .env("TZ", zone)
        .env("LC_ALL", "C")
        .output()
        .expect("needs systemd-analyze, of the package systemd")
}

/// Returns the local times after a base at which an expression elapses.
#[track_caller]
fn elapses(zone: &str, base: DateTime, most: usize, expression: &str) -> Vec<DateTime> {
    let output = systemd(zone, base, most, expression);
    assert!(output.status.success(), "{expression}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines =
        text.lines().map(str::trim_start).filter(|line| line.starts_with("Next") || line.starts_with("Iter"));
    lines
        .filter_map(|line| line.split_once(": "))
        .filter(|(_, at)| *at != "never")
        .map(|(_, at)| {
            let words: Vec<_> = at.split(' ').collect();
            local(&format!("{}T{}", words[1], words[2]))
        })
        .collect()
}

/// Compares a rule with one or more expressions; a day of any of them counts. Returns the number of slots.
#[track_caller]
fn check_systemd(keys: &str, expressions: &[String], most: usize) -> usize {
    let mut horizon = BASE + YEARS.years();
    let mut expected = BTreeSet::new();
    for expression in expressions {
        let found = elapses("UTC", BASE, most, expression);
        // Past the last answer of one of them, the others are not the whole.
        horizon = found.get(most - 1).map_or(horizon, |last| horizon.min(*last));
        expected.extend(found);
    }
    let expected: Vec<_> = expected.into_iter().filter(|at| *at <= horizon).collect();
    let got = slots(keys, BASE, BASE + 1.second(), horizon + 1.second());
    compare(|| format!("{keys} and {expressions:?}"), &got, &expected);
    got.len()
}

/// Rules in the words of the schedule file, and the calendar expressions that say the same.
const SAME: &[(&str, &[&str])] = &[
    ("times = [\"08:00\"]", &["*-*-* 08:00"]),
    ("times = [\"00:00\", \"23:59:59\"]", &["*-*-* 00:00", "*-*-* 23:59:59"]),
    ("times = [\"08:00\", \"14:30\", \"20:00\"]", &["*-*-* 08,20:00", "*-*-* 14:30"]),
    ("days = \"Mon..Fri\"\ntimes = [\"17:30\"]", &["Mon..Fri *-*-* 17:30"]),
    ("days = [\"Sun\", \"Wed\"]\ntimes = [\"07:15:30\"]", &["Sun,Wed *-*-* 07:15:30"]),
    ("days = [\"Mon\", \"Thu..Sat\"]\ntimes = [\"06:00\", \"18:00\"]", &["Mon,Thu..Sat 06,18:00"]),
    ("every = \"1 month\"\nfrom = 2026-01-15\ntimes = [\"09:00\"]", &["*-*-15 09:00"]),
    ("every = \"3 months\"\nfrom = 2026-02-01\ntimes = [\"18:00\"]", &["*-2..12/3-01 18:00"]),
    ("every = \"1 year\"\nfrom = 2026-03-01\ntimes = [\"09:00\"]", &["*-03-01 09:00"]),
    ("every = \"2 years\"\nfrom = 2027-03-01\ntimes = [\"09:00\"]", &["2027/2-03-01 09:00"]),
    ("every = \"1 month\"\nfrom = 2026-01-31\ntimes = [\"09:00\"]", &["*-*~1 09:00"]),
    (
        "every = \"1 month\"\nfrom = 2026-01-31\nuntil = 2026-12-30\ntimes = [\"09:00\"]",
        &["2026-01..11~1 09:00"],
    ),
    ("cron = \"0 8 * * *\"", &["*-*-* 08:00"]),
    ("cron = \"*/15 8-18 * * 1-5\"", &["Mon..Fri *-*-* 08..18:00/15"]),
    ("cron = \"5-59/15 * * * *\"", &["*-*-* *:05/15"]),
    ("cron = \"30 6,18 1,15 * *\"", &["*-*-01,15 06,18:30"]),
    ("cron = \"0 9 L * *\"", &["*-*~1 09:00"]),
    ("cron = \"0 9 * * 5L\"", &["Fri *-*~07/1 09:00"]),
    ("cron = \"0 9 * * 5#2\"", &["Fri *-*-08..14 09:00"]),
    ("cron = \"0 9 31 * *\"", &["*-*-31 09:00"]),
    ("cron = \"0 9 29 2 *\"", &["*-02-29 09:00"]),
    ("cron = \"0 9 1 */3 *\"", &["*-1..12/3-01 09:00"]),
    ("cron = \"0 9 * * 0\"", &["Sun 09:00"]),
    ("cron = \"0 9 * * 7\"", &["Sun 09:00"]),
    ("cron = \"0 9 * * 5-7\"", &["Fri..Sun 09:00"]),
    ("cron = \"0 9 * * 0-2\"", &["Mon,Tue,Sun 09:00"]),
    ("cron = \"0 9 * JAN,JUN-AUG MON-WED\"", &["Mon..Wed *-01,06..08-* 09:00"]),
    ("cron = \"0 9 13 * 5\"", &["*-*-13 09:00", "Fri 09:00"]),
];

/// A random generator that draws parts of patterns.
struct Random(SplitMix64);

impl Random {
    /// Returns a number of `low..=high`.
    fn range(&mut self, low: u64, high: u64) -> u64 {
        self.0.range(low, high)
    }

    /// Returns one field of a pattern, as cron and as systemd write it.
    fn field(&mut self, low: u64, high: u64) -> (String, String) {
        let first = self.range(low, high - 1);
        let last = self.range(first + 1, high);
        let step = self.range(2, 7);
        let other = self.range(low, high);
        match self.range(0, 5) {
            0 => ("*".to_owned(), "*".to_owned()),
            1 => (format!("{first}"), format!("{first}")),
            2 => (format!("{first},{last}"), format!("{first},{last}")),
            // With both ends: systemd loses 1 January after an open step (its issue 40260).
            3 => (format!("*/{step}"), format!("{low}..{high}/{step}")),
            4 => (format!("{first}-{last}/{step}"), format!("{first}..{last}/{step}")),
            _ => (format!("{first}-{last},{other}"), format!("{first}..{last},{other}")),
        }
    }

    /// Returns weekdays, as cron and as systemd write them.
    fn weekdays(&mut self) -> (String, String) {
        const NAMES: [&str; 8] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        let first = self.range(0, 6);
        let last = self.range(first + 1, 7);
        let names = |days: &[u64]| {
            let names: Vec<_> = days.iter().map(|day| NAMES[usize::try_from(*day).unwrap()]).collect();
            names.join(",")
        };
        match self.range(0, 3) {
            0 => (format!("{first}"), names(&[first])),
            1 => (format!("{first},{last}"), names(&[first, last])),
            2 => (format!("{first}-{last}"), names(&(first..=last).collect::<Vec<_>>())),
            _ => (NAMES[usize::try_from(last).unwrap()].to_uppercase(), names(&[last])),
        }
    }

    /// Returns a cron pattern, and the expressions that together say the same.
    fn pattern(&mut self) -> (String, Vec<String>) {
        let [minute, hour, day, month] =
            [(0, 59), (0, 23), (1, 31), (1, 12)].map(|(low, high)| self.field(low, high));
        let clock = format!("{}:{}", hour.1, minute.1);
        let with_day = format!("*-{}-{} {clock}", month.1, day.1);
        if self.range(0, 1) == 0 {
            return (format!("{} {} {} {} *", minute.0, hour.0, day.0, month.0), vec![with_day]);
        }
        let weekdays = self.weekdays();
        let pattern = format!("{} {} {} {} {}", minute.0, hour.0, day.0, month.0, weekdays.0);
        let with_weekday = format!("{} *-{}-* {clock}", weekdays.1, month.1);
        let either = if day.0 == "*" { vec![with_weekday] } else { vec![with_day, with_weekday] };
        (pattern, either)
    }
}

/// Days, times and cron patterns, some written and many random.
#[test]
#[ignore = "needs systemd-analyze"]
fn recurrences_agree_with_systemd() {
    const SEED: u64 = 20_261_125;
    const PATTERNS: usize = 300;
    println!("systemd: seed {SEED}");
    let mut count = 0;
    for (keys, expressions) in SAME {
        let expressions: Vec<_> = expressions.iter().map(|&expression| expression.to_owned()).collect();
        count += check_systemd(keys, &expressions, 40);
    }
    let mut random = Random(SplitMix64::new(SEED));
    for _ in 0..PATTERNS {
        let (pattern, expressions) = random.pattern();
        count += check_systemd(&format!("cron = \"{pattern}\""), &expressions, 60);
    }
    println!("systemd: {} rules, {count} slots", SAME.len() + PATTERNS);
}

/// Where clocks go back, systemd too lets the first of two equal times count, and only that.
#[test]
#[ignore = "needs systemd-analyze"]
fn systemd_agrees_in_an_overlap() {
    for (name, day) in [("Europe/Berlin", "2026-10-25"), ("America/New_York", "2026-11-01")] {
        let base = local(&format!("{day}T00:15"));
        let theirs = elapses(name, base, 20, "*:00/30");
        let mut plan = Plan::new(ZoneHistory::fixed(zone(name)));
        let item = item("oracle", "cron = \"*/30 * * * *\"");
        let id = item.id.clone();
        let from = zone(name).to_timestamp(base).unwrap();
        plan.open(item, from);
        let ours: Vec<_> =
            due(&plan, &id, from, from + 11.hours()).into_iter().map(|(_, local)| local).collect();
        compare(|| name.to_owned(), &ours, &theirs);
    }
}

/// The differences from systemd that the head of this file lists.
#[test]
#[ignore = "needs systemd-analyze"]
fn systemd_means_something_else() {
    let theirs = |expression: &str, most| elapses("UTC", BASE, most, expression);
    let ours = |keys: &str, until: &str| slots(keys, BASE, BASE, local(until));
    // The 31st.
    let months = ["2026-01-31T09:00", "2026-03-31T09:00", "2026-05-31T09:00"];
    assert_eq!(theirs("*-*-31 09:00", 3), locals(&months));
    let months = ["2026-01-31T09:00", "2026-02-28T09:00", "2026-03-31T09:00", "2026-04-30T09:00"];
    let keys = "every = \"1 month\"\nfrom = 2026-01-31\ntimes = [\"09:00\"]";
    assert_eq!(ours(keys, "2026-05-01T00:00"), locals(&months));
    // Day of the month and weekday.
    assert_eq!(theirs("Fri *-*-13 09:00", 2), locals(&["2026-02-13T09:00", "2026-03-13T09:00"]));
    let either = ["2026-01-02T09:00", "2026-01-09T09:00", "2026-01-13T09:00", "2026-01-16T09:00"];
    assert_eq!(ours("cron = \"0 9 13 * 5\"", "2026-01-17T00:00"), locals(&either));
    // `*/10` beside a weekday; Vixie cron would wait for a Sunday that is the 1st, 11th, 21st or 31st.
    let both = ["2026-01-11T09:00", "2026-02-01T09:00", "2026-02-21T09:00"];
    assert_eq!(theirs("Sun *-*-01..31/10 09:00", 2), locals(&both[..2]));
    let either =
        ["2026-01-01T09:00", "2026-01-04T09:00", "2026-01-11T09:00", "2026-01-18T09:00", "2026-01-21T09:00"];
    assert_eq!(ours("cron = \"0 9 */10 * 0\"", "2026-01-22T00:00"), locals(&either));
    // Round the end of the week.
    assert!(!systemd("UTC", BASE, 1, "Sat..Tue 09:00").status.success());
    let week = "days = \"Sat..Tue\"\ntimes = [\"09:00\"]";
    assert_eq!(
        ours(week, "2027-01-01T00:00"),
        theirs("Sat,Sun,Mon,Tue 09:00", ours(week, "2027-01-01T00:00").len())
    );
    // From a number on.
    assert_eq!(theirs("*-*-* 09:5/15", 2), locals(&["2026-01-01T09:05", "2026-01-01T09:20"]));
    assert!(dosed::adapters::config::parse("[[habit]]\nid = \"oracle\"\ncron = \"5/15 9 * * *\"\n").is_err());
}

/// systemd leaves out the day on which 02:30 does not exist; here it is due at 03:30.
#[test]
#[ignore = "needs systemd-analyze"]
fn a_gap_does_not_drop_the_day_as_systemd_does() {
    let base = local("2026-03-28T00:00");
    let days = ["2026-03-28T02:30", "2026-03-30T02:30", "2026-03-31T02:30"];
    assert_eq!(elapses("Europe/Berlin", base, 3, "*-*-* 02:30"), locals(&days));
    for keys in ["times = [\"02:30\"]", "cron = \"30 2 * * *\""] {
        let item = item("oracle", keys);
        let id = item.id.clone();
        let mut plan = Plan::new(ZoneHistory::fixed(zone("Europe/Berlin")));
        plan.open(item, utc(base));
        let got = due(&plan, &id, utc(base), utc(local("2026-03-31T00:00")));
        let expected = ["2026-03-28T01:30", "2026-03-29T01:30", "2026-03-30T00:30"];
        let got: Vec<_> = got.into_iter().map(|(at, _)| TimeZone::UTC.to_datetime(at)).collect();
        assert_eq!(got, locals(&expected), "{keys}");
    }
}
