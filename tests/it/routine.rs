//! Check-ins and scans, as a person records them and looks at them again.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Home, wait_until};

const SCHEDULE: &str = r#"
[[check-in]]
id = "quarterly"
name = "Quarterly check-in"
every = "3 months"
from = 2026-12-01
times = ["18:00"]

[[scan]]
id = "dexa"
name = "DEXA bone density scan"
every = "1 year"
from = 2027-03-01
after-last = true
times = ["09:00"]
"#;

/// Runs a command with what a person types.
fn typed(home: &Home, arguments: &[&str], text: &str) -> (bool, String, String) {
    let mut child = home
        .command(env!("CARGO_BIN_EXE_dosed"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_check_in_is_asked_or_given_and_compared_after_answering() {
    let home = Home::with_schedule(SCHEDULE);
    let daemon = home.start();
    // One by one: a slip is asked again, Enter leaves one out.
    let (good, said, asked) = typed(&home, &["check-in"], "3\n12\n4\n\n7\n8\nnew medicine\n");
    assert!(good, "{asked}");
    for words in [
        "past 7 days",
        "Bloating (0 none .. 10 worst imaginable)",
        "a number from 0 to 10",
        "Anything changed?",
    ] {
        assert!(asked.contains(words), "{words}: {asked}");
    }
    assert!(said.contains("The first check-in of its kind"), "{said}");
    let first = home.json(&["check-in", "list", "--json"])[0].clone();
    assert_eq!(
        first["answers"],
        json!({ "bloating": 3, "discomfort": 4, "regularity": null, "energy": 7, "wellness": 8 })
    );
    assert_eq!((&first["changed"], &first["form"]), (&json!("new medicine"), &json!("dosed check-in v1")));
    // Given, and compared: under two points is no clear change.
    let said = home.good(&[
        "check-in",
        "quarterly",
        "--answer",
        "bloating=2",
        "--answer",
        "energy=9",
        "--at",
        "2026-11-24",
    ]);
    assert!(said.contains("quarterly: answered on Tue 24 Nov"), "{said}");
    let said = home.good(&["check-in", "--answer", "bloating=1", "--answer", "energy=4", "--note", "tired"]);
    assert!(said.contains("-2 since the last one") && said.contains("-3 since the last one"), "{said}");
    let all = home.json(&["check-in", "list", "--json"]);
    let all = all.as_array().unwrap();
    // By the day that they are of: the backdated one first.
    assert_eq!(all[0]["at"], "2026-11-24");
    assert_eq!(all[1]["since_the_last"]["bloating"], json!({ "change": 1, "clear": false }));
    assert_eq!(all[2]["since_the_last"]["energy"], json!({ "change": -3, "clear": true }));
    assert_eq!(all[2]["since_the_last"]["wellness"], json!({ "change": null, "clear": null }));
    for (answers, said) in
        [("bloating=11", "0 (none) to 10"), ("mood=3", "is not asked"), ("bloating", "write it as")]
    {
        let (code, error) = home.bad(&["check-in", "--answer", answers]);
        assert!(code == 2 && error.contains(said), "{error}");
    }
    assert_eq!(home.bad(&["check-in", "dexa", "--answer", "bloating=3"]).0, 2);
    // It is there after a kill, and can be taken back.
    daemon.kill();
    let _daemon = home.start();
    let last = all[2]["fact"].as_str().unwrap();
    home.good(&["undo", last]);
    assert_eq!(home.json(&["check-in", "list", "--json"]).as_array().unwrap().len(), 2);
    assert!(home.good(&["check-in", "list"]).contains("not medical advice"));
}

#[test]
fn a_check_in_that_is_due_is_answered_with_its_form() {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::get("Europe/Berlin").unwrap()).date();
    let home = Home::new();
    let _daemon = home.start_before_due(|time| {
        let due = format!("from = {today}\ntimes = [\"{time}\"]");
        SCHEDULE.replace("from = 2026-12-01\ntimes = [\"18:00\"]", &due)
    });
    let state = |home: &Home| home.json(&["today", "--json"])[0]["state"].clone();
    home.wait_for_state(0, "due");
    // The picker asks the form in place of one key.
    let (good, said, _) = typed(&home, &["answer"], "3\n4\n5\n6\n7\n\n");
    assert!(good && said.contains("Bloating (0 none .. 10 worst imaginable)"), "{said}");
    assert_eq!(state(&home), "taken");
    let answered = home.json(&["check-in", "list", "--json"])[0].clone();
    assert_eq!((&answered["answers"]["bloating"], &answered["answers"]["wellness"]), (&json!(3), &json!(7)));
}

#[test]
fn scans_are_compared_only_where_they_can_be() {
    let home = Home::with_schedule(SCHEDULE);
    let _daemon = home.start();
    let add = |at: &str, bmd: &str, more: &[&str]| {
        let mut arguments = vec!["scan", "add", "--at", at];
        let bmd = format!("bmd={bmd}");
        let usual = ["region=lumbar-spine", "facility=Clinic", "device=Horizon", "vertebrae=L1-L4", &bmd];
        for answer in usual.iter().chain(more) {
            arguments.extend(["--answer", answer]);
        }
        home.good(&arguments);
    };
    add("2023-03-01", "0.900", &["t-score=-1.2"]);
    add("2024-03-01", "0.940", &[]);
    add("2025-03-01", "0.955", &["lsc=0.015"]);
    add("2025-03-02", "0.800", &["region=total-hip", "side=left"]);
    let rows = home.json(&["scan", "list", "--json"]);
    let get = |i: usize, name: &str| rows[i][name].clone();
    assert_eq!(
        (get(0, "change"), get(0, "comparable_with"), get(0, "bmd")),
        (Value::Null, Value::Null, json!(0.9))
    );
    assert_eq!(
        (get(1, "change"), get(1, "detectable"), get(1, "lsc_is_default")),
        (json!(0.04), json!(false), json!(true))
    );
    assert_eq!(get(1, "comparable_with"), get(0, "fact"));
    assert_eq!(
        (get(2, "change"), get(2, "detectable"), get(2, "lsc")),
        (json!(0.015), json!(true), json!(0.015))
    );
    assert!(get(2, "slope").is_number() && get(1, "slope").is_null());
    assert_eq!((get(3, "region"), get(3, "change")), (json!("total-hip"), Value::Null));
    let words = home.good(&["scan", "list"]);
    for said in [
        "cannot show it",
        "nothing to compare it with",
        "a default",
        "within the measurement error",
        "not medical advice",
    ] {
        assert!(words.contains(said), "{said}: {words}");
    }
    let (code, error) = home.bad(&["scan", "add", "--answer", "region=total-hip", "--answer", "bmd=912"]);
    assert!(code == 2 && error.contains("density in g/cm2"), "{error}");
    // One by one, in the order of the form.
    let (good, _, asked) = typed(&home, &["scan", "add", "dexa"], "femoral-neck\n0.712\nClinic\n");
    assert!(good, "{asked}");
    let rows = home.json(&["scan", "list", "--json"]);
    assert_eq!(rows.as_array().unwrap().last().unwrap()["region"], "femoral-neck");
    // The next one counts from the last that was recorded.
    let next = home.json(&["next", "20", "--json"]);
    let next = next.as_array().unwrap().iter().find(|row| row["item"] == "dexa").unwrap();
    assert!(next["at"].as_str().unwrap() > "2027-10", "{next}");
}

#[test]
fn the_demo_fills_every_view_and_is_marked() {
    let mut home = Home::new();
    let (daemon, dir) = home.start_demo();
    // It is made up once, although there is a database to be built.
    assert_eq!(home.log().matches("made-up years are in").count(), 1, "{}", home.log());
    home.set("DOSED_SOCKET", dir.join("dosed.sock").to_str().unwrap());
    let rows = home.json(&["adherence", "--since", "2025-01-01", "--json"]);
    let probiotic = rows.as_array().unwrap().iter().find(|row| row["item"] == "probiotic").unwrap().clone();
    let count = |name: &str| probiotic[name].as_u64().unwrap();
    assert!(count("eligible") > 300 && count("missed") > 0 && count("unknown") > 0, "{probiotic}");
    assert_eq!(
        count("eligible"),
        count("taken") + count("partial") + count("skipped") + count("missed") + count("unknown")
    );
    let low = probiotic["bounds"][0].as_f64().unwrap();
    assert!(low < probiotic["bounds"][1].as_f64().unwrap(), "{probiotic}");
    let insight = home.json(&["insight", "--json"]);
    assert!(insight["check_ins"].as_u64().unwrap() >= 20, "{insight}");
    let first = &insight["pairs"][0];
    assert_eq!(
        (&first["primary"], &first["exposure"], &first["outcome"]),
        (&json!(true), &json!("probiotic"), &json!("wellness"))
    );
    assert!(
        first["tau_b"].is_number() && first["p"].is_number() && first["slope_low"].is_number(),
        "{first}"
    );
    // The first check-ins have no 90 days before them.
    assert!(first["dropped"].as_u64().unwrap() >= 1, "{first}");
    assert_eq!(insight["comparisons"].as_u64().unwrap(), insight["pairs"].as_array().unwrap().len() as u64);
    // The same again.
    assert_eq!(home.json(&["insight", "--json"]), insight);
    assert!(home.json(&["scan", "list", "--json"]).as_array().unwrap().len() >= 4);
    for view in [
        &["today"][..],
        &["adherence"],
        &["insight"],
        &["check-in", "list"],
        &["scan", "list"],
        &["stock"],
        &["status"],
    ] {
        let output = home.dosed(view);
        assert!(output.status.success(), "{view:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("This record is made up"), "{view:?}");
    }
    // A machine with much to do may not answer in time, as these are two years.
    let mut insight = String::new();
    wait_until("an answer in time", || {
        let output = home.dosed(&["insight"]);
        insight = String::from_utf8(output.stdout).unwrap();
        output.status.success()
    });
    assert!(insight.contains("pairs compared"), "{insight}");
    // Pictures are for terminals: `script` is one.
    let drawn = |home: &Home, command: &str| {
        let command = format!("{} {command}", env!("CARGO_BIN_EXE_dosed"));
        let output = home.command("script").args(["-qec", &command, "/dev/null"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let calendar = drawn(&home, "adherence --item probiotic --since 2026-01-01");
    assert!(calendar.contains('█') && calendar.contains("? not asked"), "{calendar}");
    assert!(!home.good(&["adherence", "--item", "probiotic"]).contains('█'));
    let bars = drawn(&home, "check-in list");
    assert!(bars.contains('▄') && bars.contains("wellness"), "{bars}");
    let page = home.good(&["report", "--since", "2025-11-01"]);
    for said in [
        "<!DOCTYPE html>",
        "This record is made up",
        "Probiotic",
        "Check-ins",
        "Bone density scans",
        "not medical advice",
    ] {
        assert!(page.contains(said), "{said}");
    }
    // Nothing of it is in the person's own record, and a second time it is the same one.
    assert!(!home.data().exists());
    let facts = home.json(&["status", "--json"])["database"]["facts"].as_u64().unwrap();
    daemon.kill();
    let _daemon = home.start_demo();
    assert!(home.json(&["status", "--json"])["database"]["facts"].as_u64().unwrap() >= facts);
}

#[test]
fn questions_of_ones_own_are_asked_and_kept_apart() {
    let own = r#"
[[check-in]]
id = "quarterly"
every = "3 months"
times = ["18:00"]

[[check-in]]
id = "monthly"
short = true
every = "1 month"
times = ["18:00"]

[[check-in]]
id = "sleep"
name = "Sleep"
every = "1 week"
times = ["21:00"]
questions = [{ key = "rest", text = "How rested are you?", low = "not at all", high = "fully" }]
"#;
    let home = Home::with_schedule(own);
    let _daemon = home.start();
    let (good, _, asked) = typed(&home, &["check-in", "sleep"], "7\n\n");
    assert!(good && asked.contains("How rested are you? (0 not at all .. 10 fully)"), "{asked}");
    let (_, _, asked) = typed(&home, &["check-in", "monthly"], "3\n4\n5\n\n");
    assert!(asked.contains("Bloating") && !asked.contains("Bowel regularity"), "{asked}");
    let said = home.good(&["check-in", "quarterly", "--answer", "energy=8", "--answer", "regularity=2"]);
    // The short form asks in the same words: what it asked too can be compared.
    assert!(said.contains("energy  +4 since the last one") && !said.contains("regularity"), "{said}");
    let all = home.json(&["check-in", "list", "--json"]);
    let form = |n: usize| all[n]["form"].as_str().unwrap().to_owned();
    assert!(form(0).starts_with("sleep ") && all[0]["language"] == "und", "{all}");
    assert_eq!((form(1).as_str(), form(2).as_str()), ("dosed short check-in v1", "dosed check-in v1"));
    assert_eq!(all[0]["answers"], json!({ "rest": 7 }));
    let insight = home.json(&["insight", "--json"]);
    assert_eq!(insight["check_ins"], 2, "{insight}");
    assert!(insight["notes"].to_string().contains("your own questions"), "{insight}");
}

#[test]
fn a_correction_keeps_the_original() {
    let home = Home::with_schedule(&format!(
        "[[supplement]]\nid = \"a\"\nbrand = \"Anise\"\nbatch = \"A17\"\ndose = \"5 mg\"\nas-needed = true\n{SCHEDULE}"
    ));
    let daemon = home.start();
    home.good(&["log", "a", "5", "mg", "--note", "with tea"]);
    let said = home.good(&["correct", "--amount", "2.5 mg", "--at", "2026-11-24"]);
    assert!(said.contains("2.5 mg") && said.contains("on Tue 24 Nov"), "{said}");
    home.good(&["check-in", "quarterly", "--answer", "energy=8", "--answer", "bloating=2"]);
    home.good(&["correct", "--answer", "energy=6"]);
    let history = home.good(&["history"]);
    assert_eq!(history.matches("(corrected)").count(), 2, "{history}");
    let check = |home: &Home| {
        let rows = home.json(&["check-in", "list", "--json"]);
        assert_eq!(rows.as_array().unwrap().len(), 1);
        assert_eq!((&rows[0]["answers"]["energy"], &rows[0]["answers"]["bloating"]), (&json!(6), &json!(2)));
        let facts = home.json(&["history", "--item", "a", "--json"]);
        let facts: Vec<&Value> =
            facts.as_array().unwrap().iter().filter(|fact| fact["fact"]["type"] == "intake").collect();
        assert_eq!(facts[0]["fact"]["product"], json!({ "brand": "Anise", "batch": "A17" }));
        let corrected = &facts[1]["fact"];
        assert_eq!((&corrected["corrects"], &corrected["amount"]), (&facts[0]["id"], &json!("2.5 mg")));
        assert_eq!(
            (&corrected["note"], &corrected["product"]),
            (&json!("with tea"), &facts[0]["fact"]["product"])
        );
    };
    check(&home);
    // A database that is built anew says the same.
    drop(daemon);
    std::fs::remove_dir_all(home.data().join("db")).unwrap();
    let _daemon = home.start();
    check(&home);
    for (arguments, said) in [
        (&["correct", "--amount", "5"][..], "has no unit"),
        (&["correct", "--answer", "mood=3"], "`mood` is not asked"),
        (&["correct"], "say what was different"),
        (&["correct", "--reason", "x"], "cannot be corrected like that"),
    ] {
        let (_, error) = home.bad(arguments);
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn items_are_looked_at_as_a_group_and_minutes_against_their_aim() {
    let two_weeks_ago = jiff::Zoned::now().date().saturating_sub(jiff::Span::new().days(20));
    let schedule = format!(
        r#"
[[supplement]]
id = "calcium"
group = "bones"
brand = "Anise"
times = ["08:00"]
from = {two_weeks_ago}

[[supplement]]
id = "vitamin-d"
group = "bones"
times = ["08:00"]
from = {two_weeks_ago}

[[habit]]
id = "walk"
target = "30 min / day"
as-needed = true
"#
    );
    let home = Home::with_schedule(&schedule);
    let _daemon = home.start();
    let minutes = |given: &[&str]| home.good(&[&["log", "walk"], given].concat());
    minutes(&["20", "min"]);
    minutes(&["15", "min"]);
    minutes(&["1", "km"]);
    let rows = home.json(&["adherence", "--json"]);
    let row = |id: &str| rows.as_array().unwrap().iter().find(|row| row["item"] == id).unwrap().clone();
    assert_eq!((&row("calcium")["group"], &row("walk")["group"]), (&json!("bones"), &json!("habits")));
    assert_eq!(row("calcium")["product"]["brand"], "Anise");
    // Today is not over, so there is no whole day yet; a distance is no time.
    assert_eq!(
        row("walk")["target"],
        json!({ "aim": "30 min / day", "periods": 0, "reached": 0, "unmeasured": 0, "unknown": 0, "share": null, "total": "35 min" })
    );
    let said = home.good(&["adherence", "--item", "walk"]);
    assert!(said.contains("30 min / day: no whole day yet; 35 min in all"), "{said}");
    let groups = home.json(&["adherence", "--groups", "--json"]);
    let names: Vec<&Value> = groups.as_array().unwrap().iter().map(|row| &row["group"]).collect();
    assert_eq!(names, ["bones", "habits"]);
    assert_eq!((&groups[0]["items"], &groups[0]["item"]), (&json!(["calcium", "vitamin-d"]), &Value::Null));
    let planned = |id: &str| row(id)["planned"].as_u64().unwrap();
    assert_eq!(groups[0]["planned"].as_u64().unwrap(), planned("calcium") + planned("vitamin-d"));
    let (status, error) = home.bad(&["adherence", "--groups", "--item", "walk"]);
    assert_eq!(status, 2, "{error}");
}
