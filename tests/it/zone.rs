//! The zone of the machine as the daemon sees it: what it names, and what holds where it cannot be read.

use serde_json::Value;

use crate::support::Home;

const SCHEDULE: &str = "[[supplement]]\nid = \"a\"\ntimes = [\"08:00\"]\n";

/// Starts the daemon with a value of `TZ`, and returns its zone, why it cannot be read, the zone in which times are
/// written, and how many changes of the zone are recorded.
fn seen(home: &mut Home, tz: &str) -> (String, Option<String>, String, usize) {
    home.set("TZ", tz);
    let daemon = home.start();
    let status = home.json(&["status", "--json"]);
    let now = status["now"].as_str().unwrap();
    let zones = home.journal().iter().filter(|fact| fact["fact"]["type"] == "zone").count();
    assert_eq!(daemon.stop(), Some(0));
    (
        status["zone"].as_str().unwrap().to_owned(),
        status["zone_error"].as_str().map(str::to_owned),
        now.split(['[', ']']).nth(1).unwrap().to_owned(),
        zones,
    )
}

#[test]
fn the_last_recorded_zone_holds_where_the_machine_names_none() {
    let mut home = Home::with_schedule(SCHEDULE);
    let rule = "<+0545>-5:45";
    for (tz, zone, error, written, zones) in [
        // Nothing was ever recorded.
        ("nonsense", "UTC", Some("TZ is `nonsense`"), "UTC", 1),
        (":Asia/Tokyo", "Asia/Tokyo", None, "Asia/Tokyo", 2),
        ("/usr/share/zoneinfo/Asia/Tokyo", "Asia/Tokyo", None, "Asia/Tokyo", 2),
        ("Nonsense/Zone", "Asia/Tokyo", Some("TZ is `Nonsense/Zone`"), "Asia/Tokyo", 2),
        (rule, rule, None, "+05:45", 3),
        // The rule is read back from the journal.
        (rule, rule, None, "+05:45", 3),
        ("/dev/zero", rule, Some("TZ is `/dev/zero`"), "+05:45", 3),
    ] {
        let (seen_zone, seen_error, seen_written, seen_zones) = seen(&mut home, tz);
        assert_eq!((&*seen_zone, &*seen_written, seen_zones), (zone, written, zones), "{tz}");
        assert_eq!(seen_error.is_some(), error.is_some(), "{tz}: {seen_error:?}");
        assert!(seen_error.unwrap_or_default().starts_with(error.unwrap_or_default()), "{tz}");
    }
}

#[test]
fn status_and_doctor_name_a_zone_that_cannot_be_read() {
    let mut home = Home::with_schedule(SCHEDULE);
    seen(&mut home, "Asia/Tokyo");
    home.set("TZ", "nonsense");
    let _daemon = home.start();
    assert!(home.log().contains("the zone of this machine cannot be read; the last recorded one holds"));
    let status = home.good(&["status"]);
    assert!(
        status.contains("TZ is `nonsense`") && status.contains("using the last recorded zone"),
        "{status}"
    );
    let output = home.dosed(&["doctor", "--json"]);
    let findings: Value = serde_json::from_slice(&output.stdout).unwrap();
    let zone = findings.as_array().unwrap().iter().find(|finding| finding["check"] == "zone").unwrap();
    assert_eq!(zone["state"], "bad");
    assert!(zone["said"].as_str().unwrap().contains("reminders come at the times of Asia/Tokyo"), "{zone}");
    let output = home.dosed(&["simulate", "--from", "2026-11-27", "--until", "2026-11-28"]);
    assert!(String::from_utf8(output.stderr).unwrap().contains("times are in UTC"));
}
