//! What was recorded of items long ago, by this version or another, is what was planned: today's rules do not judge it.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::Home;

/// Definitions as journals may have them, each with how many times a day they plan and what is said of them.
const RECORDED: [(&str, &str, usize, &str); 7] = [
    ("whole", r#"{"id":"whole","kind":"supplement","times":["08:00"]}"#, 1, ""),
    (
        "zone",
        r#"{"id":"zone","kind":"supplement","times":["08:00"],"zone":"Mars/Base"}"#,
        1,
        "the zone `Mars/Base` is not known",
    ),
    ("newer", r#"{"id":"newer","kind":"habit","times":["08:00","20:00"],"mood":1}"#, 2, "unknown key `mood`"),
    ("units", r#"{"id":"units","kind":"supplement","times":["08:00"],"dose":"dollops"}"#, 1, "`dose` is"),
    (
        "stricter",
        r#"{"id":"stricter","kind":"habit","times":["08:00"],"grace":"3 years","then":[{"after":"1h","channel":"gone"}]}"#,
        1,
        "`grace` is `3 years`",
    ),
    (
        "lost",
        r#"{"id":"lost","kind":"habit","times":["08:00"],"every":"2 fortnights"}"#,
        0,
        "nothing is planned",
    ),
    ("form", r#""x""#, 0, "the definition is not a table"),
];

#[test]
fn recorded_definitions_plan_what_they_planned() {
    let home = Home::with_schedule("[[habit]]\nid = \"walk\"\nas-needed = true\n");
    assert_eq!(home.start().stop(), Some(0));
    let began = Timestamp::now() - SignedDuration::from_hours(24 * 20);
    let fact = |id: &str, definition: &str| {
        let definition: Value = serde_json::from_str(definition).unwrap();
        let fact =
            json!({ "type": "regimen", "item": id, "at": format!("{began}[UTC]"), "definition": definition });
        (began, fact)
    };
    let mut facts: Vec<_> = RECORDED.iter().map(|(id, definition, ..)| fact(id, definition)).collect();
    // Twice the same, and what is said of it once.
    facts.push(fact(RECORDED[1].0, RECORDED[1].1));
    let zone = json!({ "type": "zone", "at": format!("{began}[UTC]"), "zone": "Mars/Base" });
    facts.push((began, zone));
    home.record(&facts);
    let _daemon = home.start();
    let status = home.json(&["status", "--json"]);
    let words = home.good(&["status"]);
    let doctor = String::from_utf8(home.dosed(&["doctor"]).stdout).unwrap();
    let unread = status["journal"]["unread"].as_array().unwrap();
    assert_eq!((unread.len(), &status["journal"]["unread_more"]), (7, &json!(0)), "{unread:#?}");
    let clock = "the zone `Mars/Base` is not known to this machine: the zone before it holds";
    assert!(unread.iter().any(|one| one["item"] == Value::Null && one["reason"] == clock), "{unread:#?}");
    assert!(words.contains(clock) && doctor.contains(clock), "{words}{doctor}");
    let day = |days: i64| (began + SignedDuration::from_hours(24 * days)).strftime("%Y-%m-%d").to_string();
    for (id, _, times, says) in RECORDED {
        let path = format!("/v1/occurrences?item={id}&from={}&until={}", day(2), day(12));
        assert_eq!(home.get(&path).as_array().unwrap().len(), 10 * times, "{id}");
        let of_item = || unread.iter().filter(|one| one["item"] == id);
        let is_said = |one: &Value| one["reason"].as_str().unwrap().contains(says);
        assert!(
            of_item().count() == usize::from(!says.is_empty()) && of_item().all(is_said),
            "{id}: {unread:#?}"
        );
        assert!(words.contains(says) && doctor.contains(says), "{id}: {words}{doctor}");
    }
    assert!(home.log().contains("recorded items or zones cannot be read fully"), "{}", home.log());
}

/// An upgrade by itself is no edit of the schedule.
#[test]
fn a_definition_without_a_version_is_not_recorded_again() {
    let home = Home::with_schedule("[[habit]]\nid = \"walk\"\nas-needed = true\n");
    assert_eq!(home.start().stop(), Some(0));
    let recorded = home.journal();
    let regimen = recorded.iter().find(|line| line["fact"]["type"] == "regimen").unwrap();
    assert_eq!(regimen["fact"]["definition_version"], 1);
    // As the versions before wrote it.
    let facts: Vec<_> = recorded
        .iter()
        .map(|line| {
            let mut fact = line["fact"].clone();
            fact.as_object_mut().unwrap().remove("definition_version");
            (Timestamp::now(), fact)
        })
        .collect();
    let device = regimen["device"].as_str().unwrap();
    std::fs::write(home.data().join(format!("journal/{device}.jsonl")), "").unwrap();
    std::fs::remove_dir_all(home.data().join("db")).unwrap();
    home.record(&facts);
    assert_eq!(home.start().stop(), Some(0));
    assert_eq!(home.journal().len(), recorded.len(), "{:#?}", home.journal());
}
