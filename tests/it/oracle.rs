//! The recurrence engine against code that others wrote.
//!
//! Three oracles, none of which shares a line with the engine:
//!
//! * Python's `zoneinfo` says when every half hour round every change of every zone's clocks is due.
//!   It reads the same time zone database as jiff, so what is compared is the reading and the rule
//!   (RFC 5545: shift forward in a gap, the first in an overlap), not the data.
//! * python-dateutil's `rrule` (iCalendar's rules) expands some hundred random rules in UTC.
//! * `systemd-analyze calendar` expands calendar expressions, equal to `days`, `times` and cron patterns.
//!
//! They run as programs; where one is missing the test fails and says which package has it.
//!
//! # Where the schedule means something else
//!
//! Each line has a test below that pins both answers.
//!
//! | rule | the oracle | here | why |
//! |---|---|---|---|
//! | every month from the 31st | dateutil and systemd leave out months without a 31st | the month's last day | a check-in must not be lost |
//! | every year from 29 February | dateutil: leap years only | 28 February in common years | as above |
//! | a time in a gap | systemd leaves the day out; dateutil's zones shift it back, to before its time | shifts forward, once | RFC 5545; a supplement must not be dropped once a year |
//! | `every = "7 days"` with `days` | dateutil, `FREQ=DAILY;INTERVAL=7`: only days that are both | one week: all of `days`, every week | what is meant; the other reading is mostly empty |
//! | the first day of a week | iCalendar: `WKST`, any | Monday, `WKST=MO`, iCalendar's default | one meaning without a key for it |
//! | cron, day of the month and weekday both given | systemd: both must hold | either, as cron always did | the pattern is cron's |
//! | cron, `*/2` as the day of the month beside a weekday | Vixie cron: begins with `*`, so both must hold | either, only `*` alone leaves a field open | croner reads it so |
//! | `Sat..Tue` | systemd refuses it | goes round the end of the week | as people mean it |
//! | cron, `5/15` | systemd: from 5 on; cron: each its own way | refused: `5-59/15` says it | no two programs agree |

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use dosed::schedule::{Item, ItemId, Plan, ZoneHistory};
use jiff::civil::{Date, DateTime, Weekday, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::Value;

/// A slot: when it is due, and the local time that it is planned at.
type Due = (Timestamp, DateTime);

/// Reads one item, as the daemon would read it.
#[track_caller]
fn item(id: &str, keys: &str) -> Item {
    let text = format!("[[habit]]\nid = \"{id}\"\n{keys}\n");
    let mut items = dosed::config::parse(&text).unwrap_or_else(|problems| panic!("{text}{problems:?}")).items;
    items.remove(0).0
}

fn due(plan: &Plan, id: &ItemId, from: Timestamp, until: Timestamp) -> Vec<Due> {
    let planned = plan.occurrences(id, &[], from, until);
    planned.into_iter().map(|planned| (planned.occurrence.at, planned.occurrence.id.slot.written())).collect()
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn utc(local: DateTime) -> Timestamp {
    TimeZone::UTC.to_timestamp(local).unwrap()
}

/// Returns the local times in UTC that a rule plans in `[from, until)`.
#[track_caller]
fn slots(keys: &str, opened: DateTime, from: DateTime, until: DateTime) -> Vec<DateTime> {
    let item = item("oracle", keys);
    let id = item.id.clone();
    let mut plan = Plan::new(ZoneHistory::fixed(TimeZone::UTC));
    plan.open(item, utc(opened));
    due(&plan, &id, utc(from), utc(until)).into_iter().map(|(_, local)| local).collect()
}

fn local(text: &str) -> DateTime {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn locals(texts: &[&str]) -> Vec<DateTime> {
    texts.iter().map(|text| local(text)).collect()
}

/// Fails with the first slot that only one side has.
#[track_caller]
fn compare<T: PartialEq + std::fmt::Debug>(what: impl Fn() -> String, got: &[T], expected: &[T]) {
    if got != expected {
        let i = got.iter().zip(expected).take_while(|(got, expected)| got == expected).count();
        panic!(
            "{}\nslot {i}: expected {:?}, got {:?} ({} expected, {} got)",
            what(),
            expected.get(i),
            got.get(i),
            expected.len(),
            got.len()
        );
    }
}

fn script(python: &str, name: &str) -> Command {
    let mut command = Command::new(python);
    command.arg(format!("{}/tests/oracles/{name}", env!("CARGO_MANIFEST_DIR")));
    command
}

// ---------------------------------------------------------------- zoneinfo

/// What the rules of the zone test count from: a Tuesday, and a 31st.
const ANCHOR: Date = date(2019, 12, 31);

/// A rule with every half hour of some days, and those days told without the engine.
struct HalfHours {
    item: Item,
    is_on: Box<dyn Fn(Date) -> bool>,
}

impl HalfHours {
    fn new(id: &str, keys: &str, is_on: impl Fn(Date) -> bool + 'static) -> Self {
        let times: Vec<_> = (0..48).map(|i| format!("\"{:02}:{:02}\"", i / 2, i % 2 * 30)).collect();
        let times =
            if keys.contains("cron") { String::new() } else { format!("times = [{}]", times.join(", ")) };
        Self { item: item(id, &format!("{keys}\n{times}")), is_on: Box::new(is_on) }
    }
}

fn days_since(anchor: Date, day: Date) -> i32 {
    anchor.until(day).unwrap().get_days()
}

/// Returns a rule of every kind that plans local times.
fn every_kind() -> Vec<HalfHours> {
    let from = format!("from = {ANCHOR}");
    let on_weekend =
        |day: Date| matches!(day.weekday(), Weekday::Friday | Weekday::Saturday | Weekday::Sunday);
    vec![
        HalfHours::new("daily", "", |_| true),
        HalfHours::new("other-day", &format!("{from}\nevery = \"2 days\""), |day| {
            days_since(ANCHOR, day) % 2 == 0
        }),
        HalfHours::new("weekly", "days = \"Fri..Sun\"", on_weekend),
        HalfHours::new(
            "other-week",
            &format!("{from}\nevery = \"2 weeks\"\ndays = \"Fri..Sun\""),
            move |day| days_since(date(2019, 12, 30), day) / 7 % 2 == 0 && on_weekend(day),
        ),
        HalfHours::new("month-end", &format!("{from}\nevery = \"1 month\""), |day| {
            day == day.last_of_month()
        }),
        HalfHours::new("cron", "cron = \"*/30 * * * *\"", |_| true),
        HalfHours::new("cycle", &format!("{from}\ncycle = {{ on = 3, off = 2 }}"), |day| {
            days_since(ANCHOR, day) % 5 < 3
        }),
    ]
}

/// Returns a monthly rule for each day of the month, so that one falls on the day of any change.
fn every_day_of_the_month() -> Vec<HalfHours> {
    let rule = |day: i8| {
        HalfHours::new(
            &format!("month-{day}"),
            &format!("from = 2019-12-{day:02}\nevery = \"1 month\""),
            move |date| date.day() == day.min(date.days_in_month()),
        )
    };
    (1..=31).map(rule).collect()
}

/// A zone's name, and the same rules under its clock and far from it.
struct Place {
    name: String,
    /// Floating items, where the clock shows this zone.
    here: Plan,
    /// The daily item fixed to this zone, where the clock shows UTC.
    away: Plan,
}

impl Place {
    fn new(name: &str, rules: &[HalfHours], months: &[HalfHours]) -> Self {
        let opened = utc(date(2019, 12, 1).at(0, 0, 0, 0));
        let mut here = Plan::new(ZoneHistory::fixed(zone(name)));
        for rule in rules.iter().chain(months) {
            here.open(rule.item.clone(), opened);
        }
        let mut away = Plan::new(ZoneHistory::fixed(TimeZone::UTC));
        away.open(Item { zone: Some(zone(name)), ..rules[0].item.clone() }, opened);
        Self { name: name.to_owned(), here, away }
    }
}

/// The half hours round a change of a zone's clocks, as Python sees them.
struct Change {
    at: Timestamp,
    grid: Vec<Due>,
}

impl Change {
    fn parse(line: &str) -> Self {
        let mut words = line.split(' ');
        let at = Timestamp::from_second(words.next().unwrap().parse().unwrap()).unwrap();
        let mut next = local(words.next().unwrap());
        let grid = words.map(|minute| {
            let minute: i64 = minute.parse().unwrap();
            let slot = (Timestamp::from_second(minute * 60).unwrap(), next);
            next += 30.minutes();
            slot
        });
        Self { at, grid: grid.collect() }
    }

    /// Returns the window from a day before to a day after.
    fn window(&self) -> Window {
        self.cut(self.at - 24.hours(), self.at + 24.hours())
    }

    /// Returns the same window in three pieces, cut at the change and inside the first half hour after it.
    ///
    /// After a gap, slots of the lost hour and of the next one are due in between each other.
    fn pieces(&self) -> [Window; 3] {
        let Window { from, until, .. } = self.window();
        let inside = self.at + 15.minutes();
        [self.cut(from, self.at), self.cut(self.at, inside), self.cut(inside, until)]
    }

    fn cut(&self, from: Timestamp, until: Timestamp) -> Window {
        let mut slots: Vec<_> =
            self.grid.iter().copied().filter(|(at, _)| from <= *at && *at < until).collect();
        slots.sort_unstable();
        Window { from, until, slots }
    }
}

/// What is asked for, and every half hour that is due in it, in order.
struct Window {
    from: Timestamp,
    until: Timestamp,
    slots: Vec<Due>,
}

/// What the zone test has looked at.
#[derive(Debug, Default)]
struct Checked {
    names: usize,
    changes: usize,
    instants: usize,
    expansions: usize,
    slots: usize,
}

impl Checked {
    fn instants(&mut self, place: &Place, change: &Change) {
        for (at, local) in &change.grid {
            let got = place.here.zones.instant(*local);
            assert_eq!(got, Some(*at), "{local} in {}", place.name);
        }
        self.instants += change.grid.len();
    }

    fn rule(&mut self, name: &str, plan: &Plan, rule: &HalfHours, window: &Window) {
        let Window { from, until, slots } = window;
        let days: BTreeSet<Date> = slots.iter().map(|(_, local)| local.date()).collect();
        let days: Vec<Date> = days.into_iter().filter(|day| (rule.is_on)(*day)).collect();
        let expected: Vec<Due> =
            slots.iter().copied().filter(|(_, local)| days.contains(&local.date())).collect();
        let got = due(plan, &rule.item.id, *from, *until);
        compare(|| format!("{:?} in {name} from {from} until {until}", rule.item.rule), &got, &expected);
        self.expansions += 1;
        self.slots += got.len();
    }

    /// Looks at one place: instants, every rule, and the daily one also in pieces and from elsewhere.
    fn place(&mut self, place: &Place, change: &Change, rules: &[HalfHours], months: &[HalfHours]) {
        self.instants(place, change);
        let window = change.window();
        let day = window.slots[window.slots.len() / 2].1.day();
        for rule in rules.iter().chain([&months[usize::try_from(day - 1).unwrap()]]) {
            self.rule(&place.name, &place.here, rule, &window);
        }
        self.rule(&place.name, &place.away, &rules[0], &window);
        for piece in change.pieces() {
            self.rule(&place.name, &place.here, &rules[0], &piece);
        }
    }
}

/// Every grid point has its instant, and every rule plans each of its slots once, in every zone.
#[test]
fn zones_agree_with_python() {
    let (rules, months) = (every_kind(), every_day_of_the_month());
    let mut child =
        script("python3", "zones.py").stdout(Stdio::piped()).spawn().expect("needs python3 3.9 or newer");
    let mut places: Vec<Place> = Vec::new();
    let mut checked = Checked::default();
    let mut end = String::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap) {
        let (word, rest) = line.split_once(' ').unwrap();
        match word {
            "zones" => {
                places = rest.split(' ').map(|name| Place::new(name, &rules, &months)).collect();
                checked.names += places.len();
            }
            "change" | "still" => {
                let change = Change::parse(rest);
                for place in &places {
                    checked.place(place, &change, &rules, &months);
                }
                checked.changes += if word == "change" { places.len() } else { 0 };
            }
            _ => end = rest.to_owned(),
        }
    }
    assert!(child.wait().unwrap().success(), "zones.py failed");
    assert_eq!(end, format!("{} {}", checked.names, checked.changes), "zones.py ended early");
    assert!(checked.names > 400 && checked.changes > 5000, "too little to be worth anything: {checked:?}");
    println!("zones: {checked:?}, {} kinds of rules", rules.len() + 1);
}

// ---------------------------------------------------------------- dateutil

/// Runs the dateutil script.
fn dateutil(arguments: &[&str]) -> Value {
    // Debian's interpreter, as Debian's dateutil is for no other.
    let output = script("/usr/bin/python3", "recurrence.py").args(arguments).output().unwrap();
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "recurrence.py failed; it needs the package python3-dateutil\n{problem}"
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn times(value: &Value) -> Vec<DateTime> {
    value.as_array().unwrap().iter().map(|at| local(at.as_str().unwrap())).collect()
}

/// Writes a rule of the script in the words of the schedule file.
fn keys(rule: &Value) -> String {
    let mut keys = format!("times = {}\n", rule["times"]);
    let (every, unit) = (&rule["every"], rule["unit"].as_str().unwrap());
    if (every.as_u64(), unit) != (Some(1), "day") {
        keys += &format!("every = \"{every} {unit}s\"\n");
    }
    for date in ["from", "until"] {
        if let Some(day) = rule[date].as_str() {
            keys += &format!("{date} = {day}\n");
        }
    }
    if rule["days"].is_array() {
        keys += &format!("days = {}\n", rule["days"]);
    }
    if rule["cycle"].is_array() {
        keys += &format!("cycle = {{ on = {}, off = {} }}\n", rule["cycle"][0], rule["cycle"][1]);
    }
    keys
}

/// Returns what the engine says of a rule of the script.
fn answer(rule: &Value) -> Vec<DateTime> {
    let at = |value: &Value| local(value.as_str().unwrap());
    let window = &rule["window"];
    slots(&keys(rule), at(&rule["opened"]), at(&window[0]), at(&window[1]))
}

/// Random rules of every unit, with and without weekdays, bounds, cycles and counts.
#[test]
fn recurrences_agree_with_dateutil() {
    let told = dateutil(&[]);
    let rules = told["rules"].as_array().unwrap();
    let mut count = 0;
    for (i, rule) in rules.iter().enumerate() {
        let expected = times(&rule["expected"]);
        let what = || {
            let window = &rule["window"];
            format!(
                "rule {i}, opened {}, asked from {} until {}:\n{}",
                rule["opened"],
                window[0],
                window[1],
                keys(rule)
            )
        };
        compare(what, &answer(rule), &expected);
        count += expected.len();
    }
    assert!(rules.len() >= 400 && count > 50_000, "too little to be worth anything: {count}");
    println!("dateutil: {} rules, {count} slots, seed {}", rules.len(), told["seed"]);
}

/// A window may be as wide as anyone asks: nothing at its far end is left out in silence.
#[test]
fn a_century_agrees_with_dateutil() {
    let rule = &dateutil(&["--named"])["century"];
    compare(|| keys(rule), &answer(rule), &times(&rule["expected"]));
}

/// Compares what both sides say of a rule that they see otherwise.
#[track_caller]
fn check_difference(told: &Value, name: &str, theirs: &[&str], ours: &[&str]) {
    compare(|| format!("dateutil, {name}"), &times(&told[name]["expected"]), &locals(theirs));
    compare(|| format!("the engine, {name}"), &answer(&told[name]), &locals(ours));
}

/// A month without the anchor's day, and a year without 29 February, have a last day all the same.
#[test]
fn dateutil_leaves_out_what_is_clamped_here() {
    let told = dateutil(&["--named"]);
    check_difference(
        &told,
        "month",
        &["2026-01-31T09:00", "2026-03-31T09:00", "2026-05-31T09:00", "2026-07-31T09:00"],
        &[
            "2026-01-31T09:00",
            "2026-02-28T09:00",
            "2026-03-31T09:00",
            "2026-04-30T09:00",
            "2026-05-31T09:00",
            "2026-06-30T09:00",
            "2026-07-31T09:00",
        ],
    );
    check_difference(
        &told,
        "year",
        &["2024-02-29T09:00", "2028-02-29T09:00"],
        &["2024-02-29T09:00", "2025-02-28T09:00", "2026-02-28T09:00", "2027-02-28T09:00", "2028-02-29T09:00"],
    );
}

/// Seven days with weekdays are a week, and weeks begin on Monday.
#[test]
fn dateutil_counts_weeks_otherwise() {
    let told = dateutil(&["--named"]);
    let mondays_and_thursdays = [
        "2026-11-26T09:00",
        "2026-11-30T09:00",
        "2026-12-03T09:00",
        "2026-12-07T09:00",
        "2026-12-10T09:00",
        "2026-12-14T09:00",
        "2026-12-17T09:00",
        "2026-12-21T09:00",
        "2026-12-24T09:00",
    ];
    check_difference(&told, "seven-days", &[], &mondays_and_thursdays);
    // RFC 5545's own example for WKST, up to the end of August.
    check_difference(
        &told,
        "sunday-weeks",
        &["1997-08-05T09:00", "1997-08-17T09:00", "1997-08-19T09:00"],
        &["1997-08-05T09:00", "1997-08-10T09:00", "1997-08-19T09:00", "1997-08-24T09:00"],
    );
}

/// 02:30 in Berlin: 01:30 by the offset after the gap, 03:30 by the one before it.
#[test]
fn dateutil_shifts_a_gap_back() {
    let theirs = times(&dateutil(&["--named"])["gap"]["expected"]);
    assert_eq!(theirs, locals(&["2026-03-29T00:30"]));
    let berlin = ZoneHistory::fixed(zone("Europe/Berlin"));
    assert_eq!(berlin.instant(local("2026-03-29T02:30")), Some(utc(local("2026-03-29T01:30"))));
}

// ---------------------------------------------------------------- systemd

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

/// A generator of numbers, so that a seed is all that a failure needs to come again.
struct Random(u64);

impl Random {
    /// Returns a number of `low..=high`.
    fn range(&mut self, low: u64, high: u64) -> u64 {
        // Knuth's MMIX constants; the upper bits are the random ones.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        low + (self.0 >> 33) % (high - low + 1)
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
fn recurrences_agree_with_systemd() {
    const SEED: u64 = 20_261_125;
    const PATTERNS: usize = 300;
    println!("systemd: seed {SEED}");
    let mut count = 0;
    for (keys, expressions) in SAME {
        let expressions: Vec<_> = expressions.iter().map(|&expression| expression.to_owned()).collect();
        count += check_systemd(keys, &expressions, 40);
    }
    let mut random = Random(SEED);
    for _ in 0..PATTERNS {
        let (pattern, expressions) = random.pattern();
        count += check_systemd(&format!("cron = \"{pattern}\""), &expressions, 60);
    }
    println!("systemd: {} rules, {count} slots", SAME.len() + PATTERNS);
}

/// Where clocks go back, systemd too lets the first of two equal times count, and only that.
#[test]
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
    assert!(dosed::config::parse("[[habit]]\nid = \"oracle\"\ncron = \"5/15 9 * * *\"\n").is_err());
}

/// systemd leaves out the day on which 02:30 does not exist; here it is due at 03:30.
#[test]
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
