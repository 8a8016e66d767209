use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::*;
use crate::core::schedule::{NoHistory, Plan, ZoneHistory};

/// Returns what is planned on Monday 2026-03-02 and the day after, in a zone of the clock that is none of the items'.
fn planned(item: &Item) -> Vec<String> {
    let clock = TimeZone::get("Asia/Tokyo").unwrap();
    let at = |date: &str| clock.to_timestamp(date.parse::<jiff::civil::DateTime>().unwrap()).unwrap();
    let mut plan = Plan::new(ZoneHistory::fixed(clock.clone()));
    plan.open(item.clone(), Timestamp::from_second(1_700_000_000).unwrap());
    let found = plan.occurrences(&item.id, &NoHistory, at("2026-03-02T00:00"), at("2026-03-04T00:00"));
    let row = |occurrence: &crate::core::schedule::Occurrence| {
        let local = clock.to_datetime(occurrence.at);
        format!("{} {:02}:{:02}", local.day(), local.hour(), local.minute())
    };
    found.iter().map(|planned| row(&planned.occurrence)).collect()
}

/// Reads a definition that has an id, a kind and these keys.
fn read(keys: &str) -> RecordedItem {
    let definition = format!(r#"{{"id":"a","kind":"supplement",{keys}}}"#);
    read_definition(&"a".parse().unwrap(), &definition)
}

/// Checks which times a definition plans on those two days, and which problems are reported.
#[track_caller]
fn check(keys: &str, plans: &[&str], problems: &[&str]) {
    let RecordedItem { item, unread } = read(keys);
    assert_eq!(unread, problems, "{keys}");
    assert_eq!(planned(&item), plans, "{keys}");
}

#[test]
fn what_is_recorded_stays_planned_whatever_is_allowed_today() {
    let eight = ["2 08:00", "3 08:00"];
    // Keys and values that the schedule refuses now.
    check(
        r#""times":["08:00"],"zone":"Mars/Base""#,
        &eight,
        &["the zone `Mars/Base` is not known to this machine: its times are read in the zone of the clock"],
    );
    check(r#""times":["08:00"],"zone":"local""#, &eight, &[]);
    check(r#""times":["08:00"],"zone":"Europe/Berlin""#, &["2 16:00", "3 16:00"], &[]);
    check(r#""times":["08:00"],"colour":"red""#, &eight, &["unknown key `colour`: ignored"]);
    check(
        r#""times":["08:00"],"colour":"red","shape":1"#,
        &eight,
        &["unknown keys `colour`, `shape`: ignored"],
    );
    check(r#""times":["08:00"],"dose":"dollops""#, &eight, &["`dose` is `\"dollops\"`: no dose is assumed"]);
    check(
        r#""times":["08:00"],"dose":["600 mg","400 IU"]"#,
        &eight,
        &["`dose` is `[\"600 mg\",\"400 IU\"]`: no dose is assumed"],
    );
    check(r#""times":["08:00"],"target":"much""#, &eight, &["`target` is `\"much\"`: no target is assumed"]);
    check(r#""times":["08:00"],"short":true,"target":"3 times / week""#, &eight, &[]);
    check(
        r#""times":["08:00"],"grace":"3 years""#,
        &eight,
        &["`grace` is `3 years`: the default grace is assumed"],
    );
    check(
        r#""times":["08:00"],"grace":"400 days""#,
        &eight,
        &["`grace` is `400 days`: the nearest of 1m to 366d is assumed"],
    );
    for (again, read_as) in [("false", Again::Never), ("true", Again::WhereHidden)] {
        let keys = format!(r#""times":["08:00"],"again":{again}"#);
        check(&keys, &eight, &[]);
        assert_eq!(read(&keys).item.again, read_as);
    }
    check(
        r#""times":["08:00"],"again":{"every":"1s","at-most":9}"#,
        &eight,
        &["`again` is every `1s`: no repetition is assumed"],
    );
    check(
        r#""times":["08:00"],"then":[{"after":"1 day","channel":"desktop"},{"after":"9h","channel":"gone"}]"#,
        &eight,
        &["`then` is `{\"after\":\"1 day\",\"channel\":\"desktop\"}`: the step is left out"],
    );
    check(r#""times":["08:00"],"late":"ask""#, &eight, &["`late` is `ask`: `remind` is assumed"]);
    check(
        r#""times":["08:00"],"stock":{"have":"80 tablet","refill-at":2}"#,
        &eight,
        &["`stock` is `{\"have\":\"80 tablet\",\"refill-at\":2}`: no stock is assumed"],
    );
    check(
        r#""times":["08:00"],"stock":{"have":80,"refill-at":2,"shelf":"upper"}"#,
        &eight,
        &["unknown key `shelf` of `stock`: ignored"],
    );
    check(r#""times":["08:00"],"gap":"30 days","apart":[{"from":"gone","by":"30 days"}]"#, &eight, &[]);
    check(r#""times":["08:00"],"name":" ","note":7"#, &eight, &["`note` is `7`: left out"]);
    check(r#""times":["08:00"],"v":1"#, &eight, &[]);
    check(
        r#""times":["08:00"],"v":2"#,
        &eight,
        &["a newer dosed wrote it (form `2`): its keys are read as those of form 1"],
    );
    check(
        r#""times":["08:00"],"private":"yes""#,
        &eight,
        &["`private` is `\"yes\"`: it is treated as private"],
    );
    check(r#""times":["08:00"],"dose":null,"lead":["0s","1 day"]"#, &eight, &[]);
}

#[test]
fn every_rule_is_read() {
    check(r#""times":["08:00"],"days":"Mon""#, &["2 08:00"], &[]);
    check(r#""times":["20:00","08:00","08:00"],"days":["Mon"]"#, &["2 08:00", "2 20:00"], &[]);
    check(r#""times":["08:00"],"every":"2 days","from":"2026-03-01""#, &["3 08:00"], &[]);
    check(r#""times":["08:00"],"every":"1 week","days":"Tue""#, &["3 08:00"], &[]);
    check(r#""times":["08:00"],"every":"1 month","from":"2026-01-02""#, &["2 08:00"], &[]);
    check(r#""times":["08:00"],"from":"2026-03-03","until":"2026-03-03""#, &["3 08:00"], &[]);
    check(r#""times":["08:00"],"from":"2026-03-02","cycle":{"on":1,"off":1}"#, &["2 08:00"], &[]);
    check(r#""cron":"30 8 * * 1""#, &["2 08:30"], &[]);
    check(r#""every":"24 hours","times":["08:00"],"from":"2026-03-02""#, &["2 08:00", "3 08:00"], &[]);
    check(r#""as-needed":true"#, &[], &[]);
}

/// A day that was perhaps not planned is never counted as missed.
#[test]
fn when_it_was_planned_is_never_guessed() {
    let nothing: [&str; 0] = [];
    for (keys, says) in [
        (r#""times":["08:00"],"every":"2 fortnights""#, "`every` is `\"2 fortnights\"`: nothing is planned"),
        (r#""times":["08:00"],"every":"0 days""#, "`every` is `0 days`: nothing is planned"),
        (r#""every":"59s""#, "`every` is `59s`: nothing is planned"),
        (r#""times":["08:00"],"until":"soon""#, "`until` is `\"soon\"`: nothing is planned"),
        (r#""times":["08:00"],"from":7"#, "`from` is `7`: nothing is planned"),
        (r#""cron":"0 8 * * * *""#, "`cron` is `\"0 8 * * * *\"`: nothing is planned"),
        (r#""times":["08:00"],"as-needed":"yes""#, "`as-needed` is `\"yes\"`: nothing is planned"),
        (
            r#""times":["08:00"],"cycle":{"on":-1,"off":2}"#,
            "`cycle` is `{\"off\":2,\"on\":-1}`: nothing is planned",
        ),
        (r#""times":["08:00"],"cycle":{"on":0,"off":2}"#, "`cycle` has no days on: nothing is planned"),
        (r#""dose":"1 mg""#, "it has no times: nothing is planned"),
        (
            r#""times":["08:00"],"after-last":true"#,
            "`after-last` has no `every`, or has `days`: nothing is planned",
        ),
    ] {
        check(keys, &nothing, &[says]);
    }
    check(
        r#""times":["25:00"]"#,
        &nothing,
        &["`times` is `\"25:00\"`: it is left out of `times`", "it has no times: nothing is planned"],
    );
    check(
        r#""times":["08:00"],"days":"someday""#,
        &nothing,
        &[
            "`days` has `someday`: it is left out",
            "`days` names no weekday that is known here: nothing is planned",
        ],
    );
    // What can be read of a list was planned, whatever the rest was.
    check(
        r#""times":["08:00","noon"],"days":["Mon","Someday"]"#,
        &["2 08:00"],
        &["`days` has `Someday`: it is left out", "`times` is `\"noon\"`: it is left out of `times`"],
    );
}

#[test]
fn nothing_that_is_recorded_stops_it() {
    let id: ItemId = "a".parse().unwrap();
    for definition in ["", "null", "7", "[]", "\"x\"", "{", r#"{"kind":"supplement""#] {
        let RecordedItem { item, unread } = read_definition(&id, definition);
        assert_eq!(item.id, id);
        assert!(!item.rule.has_slots(), "{definition}");
        assert_eq!(unread[0], "the definition is not a table of keys: nothing is planned", "{definition}");
    }
    for (kind, says) in [
        (r#""kind":"lesson","#, "`kind` is `\"lesson\"`: it is treated as a habit"),
        ("", "it has no `kind`: it is treated as a habit"),
    ] {
        let read = read_definition(&id, &format!(r#"{{{kind}"times":["08:00"]}}"#));
        assert_eq!((read.item.kind, planned(&read.item).len()), (Kind::Habit, 2));
        assert_eq!(read.unread, [says]);
    }
}

/// A step of a taper ends the one before it, also where its dose cannot be read.
#[test]
fn no_dose_is_made_up() {
    let steps = |second: &str| {
        let keys = format!(
            r#""times":["08:00"],"dose":"4 mg","taper":[{{"from":"2026-01-01","dose":"3 mg"}},{{"from":"2026-02-01","dose":"{second}"}}]"#
        );
        let RecordedItem { item, unread } = read(&keys);
        (item.dose_on("2026-03-02".parse().unwrap()).map(ToString::to_string), unread.len())
    };
    assert_eq!(steps("2 mg"), (Some("2 mg".to_owned()), 0));
    assert_eq!(steps("dollops"), (None, 1));
}

#[test]
fn what_is_said_is_bounded() {
    let long = "x".repeat(1000);
    let RecordedItem { unread, .. } = read(&format!(r#""times":["08:00"],"dose":"{long}\u0007""#));
    assert!(unread[0].len() < 120 && !unread[0].contains('\u{7}'), "{}", unread[0]);
    let times = vec!["\"noon\""; 1000].join(",");
    let RecordedItem { unread, .. } = read(&format!(r#""times":[{times}]"#));
    assert_eq!((unread.len(), unread[16].as_str()), (17, "985 more"));
    let keys: Vec<String> = (0..50).map(|n| format!("\"k{n:02}\":1")).collect();
    let RecordedItem { unread, .. } = read(&format!(r#""times":["08:00"],{}"#, keys.join(",")));
    assert!(unread[0].ends_with("`k07` and 42 more: ignored"), "{}", unread[0]);
}

#[test]
fn control_characters_of_other_devices_are_written_out() {
    let keys = ["name", "note", "strain", "form", "brand", "batch", "group", "with"];
    let texts = keys.map(|key| format!("\"{key}\":\"a\\u001b]0;x\u{9b}\u{202e}b\"")).join(",");
    let question = "{\"key\":\"q\",\"text\":\"a\\u0007\",\"low\":\"b\\u0007\",\"high\":\"c\\u0007\"}";
    let definition =
        format!("{{\"kind\":\"check-in\",\"as-needed\":true,{texts},\"questions\":[{question}]}}");
    let read = read_definition(&"a".parse().unwrap(), &definition);
    let shown = format!("{:?}", read.item);
    assert!(!shown.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}']), "{shown}");
    assert_eq!(read.item.name, "a\\u{1b}]0;x\\u{9b}\\u{202e}b");
    assert!(read.unread.is_empty(), "{:?}", read.unread);
}
