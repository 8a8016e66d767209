//! python-dateutil's `rrule`: what rules of the calendar expand to.

use super::*;

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
#[ignore = "needs python3 python3-dateutil"]
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
#[ignore = "needs python3 python3-dateutil"]
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
#[ignore = "needs python3 python3-dateutil"]
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
#[ignore = "needs python3 python3-dateutil"]
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
#[ignore = "needs python3 python3-dateutil"]
fn dateutil_shifts_a_gap_back() {
    let theirs = times(&dateutil(&["--named"])["gap"]["expected"]);
    assert_eq!(theirs, locals(&["2026-03-29T00:30"]));
    let berlin = ZoneHistory::fixed(zone("Europe/Berlin"));
    assert_eq!(berlin.instant(local("2026-03-29T02:30")), Some(utc(local("2026-03-29T01:30"))));
}
