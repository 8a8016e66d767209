//! Stocks, distances and the picker, as a person meets them in a terminal.

use std::io::Write;
use std::process::Stdio;

use crate::support::{Home, wait_until};

const SCHEDULE: &str = r#"
[[supplement]]
id = "probiotic"
name = "Probiotic"
dose = "5e9 CFU"
times = ["00:00"]
grace = "23h 59m"
gap = "6h"
stock = { have = 12, refill-at = 10 }

[[supplement]]
id = "calcium"
name = "Calcium"
times = ["00:00"]
grace = "23h 59m"
apart = [{ from = "iron", by = "2h" }]

[[supplement]]
id = "iron"
name = "Iron"
as-needed = true
"#;

#[test]
fn a_stock_is_counted_down_bought_and_counted() {
    let home = Home::with_schedule(SCHEDULE);
    let daemon = home.start();
    let left = |home: &Home| home.json(&["stock", "--json"])[0]["left"].clone();
    assert_eq!(left(&home), 12);
    home.good(&["log", "probiotic"]);
    assert_eq!(left(&home), 11);
    let words = home.good(&["stock"]);
    assert!(
        words.contains("11 left") && words.contains("refill at 10") && words.contains("runs out"),
        "{words}"
    );
    home.good(&["log", "probiotic", "5e9", "CFU", "--again"]);
    assert!(home.good(&["stock", "probiotic"]).contains("time to refill"));
    home.good(&["stock", "probiotic", "+60"]);
    assert_eq!(left(&home), 70);
    home.good(&["undo", home.journal().last().unwrap()["id"].as_str().unwrap()]);
    assert_eq!(left(&home), 10);
    home.good(&["stock", "probiotic", "-3"]);
    home.good(&["stock", "probiotic", "33"]);
    let row = home.get("/v1/stock")[0].clone();
    assert_eq!((&row["item"], &row["left"], &row["low"]), (&"probiotic".into(), &33.into(), &false.into()));
    // The same key is one purchase.
    let buy = || {
        let key = ["Idempotency-Key: k"];
        home.request("POST", "/v1/items/probiotic/stock", &key, "{\"add\": 10}").body
    };
    assert_eq!(buy()["id"], buy()["id"]);
    daemon.kill();
    let _daemon = home.start();
    assert_eq!(left(&home), 43);
    assert_eq!(home.bad(&["stock", "calcium", "+3"]).0, 1);
    assert_eq!(home.bad(&["stock", "calcium"]).0, 1);
    assert_eq!(home.bad(&["stock", "nothing", "+3"]).0, 1);
    assert_eq!(home.bad(&["stock", "probiotic", "many"]).0, 2);
    assert_eq!(home.post("/v1/items/probiotic/stock", "{}")["status"], 400);
}

#[test]
fn what_is_too_close_is_told_and_recorded() {
    let home = Home::with_schedule(SCHEDULE);
    let _daemon = home.start();
    home.good(&["log", "iron"]);
    let output = home.dosed(&["take", "calcium"]);
    assert!(output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("Iron was recorded 0 min earlier; the schedule keeps them 2h apart"), "{said}");
    // Other programs get the fact alone, and the remark in a header.
    home.good(&["undo"]);
    let answer = home.request("POST", "/v1/occurrences/calcium/take", &[], "");
    assert_eq!(answer.body["fact"]["type"], "intake");
    let remark = answer.header("dosed-remark");
    assert!(remark.is_some_and(|remark| remark.starts_with("Iron was")), "{remark:?}");
}

#[test]
fn the_last_answer_is_found_behind_all_that_came_since() {
    let home = Home::with_schedule(SCHEDULE);
    let _daemon = home.start();
    home.good(&["log", "iron"]);
    // None of them is an answer.
    for _ in 0..101 {
        home.post("/v1/items/probiotic/stock", r#"{"add":1}"#);
    }
    home.good(&["undo"]);
    let journal = home.journal();
    let taken = journal.iter().find(|fact| fact["fact"]["type"] == "intake").unwrap();
    assert_eq!(journal.last().unwrap()["fact"]["retracts"], taken["id"]);
    assert!(home.bad(&["undo"]).1.contains("no answer to undo"));
}

#[test]
fn what_counts_is_decided_by_the_chain_of_revisions() {
    let home = Home::with_schedule(SCHEDULE);
    let _daemon = home.start();
    // What counts, as the daemon says it: each fact with its note, and whether it is effective.
    let counts = |home: &Home| {
        let facts = home.json(&["history", "--item", "iron", "--json"]);
        let facts = facts.as_array().unwrap().iter().filter(|fact| fact["effective"] == true);
        facts.filter_map(|fact| fact["fact"]["note"].as_str().map(ToOwned::to_owned)).collect::<Vec<_>>()
    };
    home.good(&["log", "iron", "--note", "older"]);
    home.good(&["log", "iron", "--note", "newer", "--again"]);
    let newer = home.journal().last().unwrap()["id"].as_str().unwrap().to_owned();
    home.good(&["correct", "--note", "second"]);
    home.good(&["correct", "--note", "third"]);
    assert_eq!(counts(&home), ["older", "third"]);
    home.good(&["undo"]);
    assert_eq!(counts(&home), ["older", "second"]);
    // Undo and redo is the identity.
    let undo = home.journal().last().unwrap()["id"].as_str().unwrap().to_owned();
    home.good(&["undo", &undo]);
    assert_eq!(counts(&home), ["older", "third"]);
    // A correction may name any revision, and keeps what it does not change.
    home.good(&["correct", &newer, "--amount", "25 mg"]);
    assert_eq!(counts(&home), ["older", "third"]);
    for left in [&["older", "third"][..], &["older", "second"], &["older", "newer"], &["older"], &[]] {
        home.good(&["undo"]);
        assert_eq!(counts(&home), left);
    }
    assert!(home.bad(&["undo"]).1.contains("no answer to undo"));
    let facts = home.get("/v1/facts");
    let newer = facts.as_array().unwrap().iter().find(|fact| fact["id"] == newer.as_str()).unwrap();
    assert_eq!(newer["effective"], false);
    assert!(newer["superseded_by"].is_string(), "{newer}");
}

#[test]
fn a_different_answer_names_the_correction() {
    let home = Home::with_schedule(SCHEDULE);
    let _daemon = home.start();
    let next = home.json(&["next", "--json"]);
    let next = next.as_array().unwrap().iter().find(|row| row["item"] == "calcium").unwrap().clone();
    let occurrence = next["occurrence"].as_str().unwrap().to_owned();
    home.good(&["take", &occurrence]);
    assert!(home.good(&["take", &occurrence]).contains("already recorded"));
    for different in [&["--amount", "250 mg"][..], &["--note", "half"]] {
        let (code, text) = home.bad(&[&["take", &occurrence][..], different].concat());
        assert!(code == 1 && text.contains("dosed correct"), "{text}");
    }
    assert!(home.bad(&["skip", &occurrence]).1.contains("dosed correct"));
    assert!(home.journal().last().unwrap()["fact"]["key"].is_string());
}

#[test]
fn a_pause_is_planned_ahead_and_never_ends_in_the_past() {
    let home = Home::with_schedule(SCHEDULE);
    let _daemon = home.start();
    home.good(&["pause", "--from", "2099-01-01", "--until", "2099-02-01"]);
    let pause = home.journal().last().unwrap()["fact"].clone();
    assert!(pause["at"].as_str().unwrap().starts_with("2099-01-01T00:00"), "{pause}");
    for wrong in [&["--until", "2020-01-01"][..], &["--from", "2099-02-01", "--until", "2099-01-01"]] {
        let (code, text) = home.bad(&[&["pause"][..], wrong].concat());
        assert!(code == 1 && text.contains("pause would"), "{text}");
    }
}

#[test]
fn a_second_one_that_comes_too_soon_is_refused_until_it_is_meant() {
    let home = Home::with_schedule(SCHEDULE);
    let _daemon = home.start();
    home.good(&["log", "probiotic"]);
    let (code, said) = home.bad(&["log", "probiotic"]);
    assert!(code == 1 && said.contains("--again"), "{said}");
    let problem = home.post("/v1/items/probiotic/log", "");
    assert_eq!(problem["type"], "tag:dosed,2026:too-soon");
    let fact = home.post("/v1/items/probiotic/log", "{\"confirm\": true}");
    assert_eq!(fact["fact"]["type"], "intake");
    home.good(&["take", "probiotic", "--again"]);
}

/// Runs the picker with what a person types.
fn pick(home: &Home, typed: &str) -> String {
    let mut child = home
        .command(env!("CARGO_BIN_EXE_dosed"))
        .arg("answer")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_picker_goes_through_what_waits_one_by_one() {
    // A time that comes while the daemon runs.
    let home = Home::new();
    let _daemon = home.start_before_due(|time| SCHEDULE.replace("00:00", time));
    let states = |home: &Home| {
        let today = home.json(&["today", "--json"]);
        let today = today.as_array().unwrap().iter();
        today.map(|row| format!("{} {}", row["item"], row["state"]).replace('"', "")).collect::<Vec<_>>()
    };
    wait_until("both are due", || states(&home) == ["calcium due", "probiotic due"]);
    // Left, and no more said.
    pick(&home, "\n");
    assert_eq!(states(&home), ["calcium due", "probiotic due"]);
    let said = pick(&home, "what\nt\ns\n");
    assert!(said.contains("1 of 2: Calcium") && said.contains("one of t, s, n"), "{said}");
    assert!(said.contains("2 of 2: Probiotic, 5e9 CFU"), "{said}");
    assert_eq!(states(&home), ["calcium taken", "probiotic skipped"]);
    assert!(pick(&home, "").contains("Nothing is due"));
    // Too soon after another one: said, and done the second time.
    home.good(&["undo"]);
    home.good(&["log", "probiotic"]);
    let said = pick(&home, "t\nt\n");
    assert!(said.contains("was already recorded 0 min from this time"), "{said}");
    assert_eq!(states(&home), ["calcium taken", "probiotic taken"]);
}

#[test]
fn adherence_counts_what_was_due_and_nothing_else() {
    let home = Home::new();
    let _daemon = home.start_before_due(|time| SCHEDULE.replace("00:00", time));
    let row = |home: &Home, item: &str| {
        let rows = home.json(&["adherence", "--json"]);
        rows.as_array().unwrap().iter().find(|row| row["item"] == item).unwrap().clone()
    };
    // Before anything was due there is no share, not even zero.
    let first = row(&home, "calcium");
    assert_eq!((&first["eligible"], &first["doses_taken_share"]), (&0.into(), &serde_json::Value::Null));
    home.wait_for_state(1, "due");
    home.good(&["take", "calcium"]);
    home.good(&["log", "calcium"]);
    home.good(&["skip", "probiotic"]);
    home.good(&["log", "iron"]);
    let calcium = row(&home, "calcium");
    assert_eq!(
        (&calcium["eligible"], &calcium["taken"], &calcium["extra"]),
        (&1.into(), &1.into(), &1.into())
    );
    assert_eq!((&calcium["doses_taken_share"], &calcium["taking_raw"]), (&1.0.into(), &2.0.into()));
    assert_eq!((&calcium["streak"], &calcium["timing_share"]), (&1.into(), &1.0.into()));
    assert_eq!(calcium["interval"], serde_json::Value::Null);
    let probiotic = row(&home, "probiotic");
    assert_eq!((&probiotic["skipped"], &probiotic["doses_taken_share"]), (&1.into(), &0.0.into()));
    let iron = row(&home, "iron");
    assert_eq!((&iron["as_needed"], &iron["extra"], &iron["planned"]), (&true.into(), &1.into(), &0.into()));
    let words = home.good(&["adherence", "--item", "calcium"]);
    assert!(words.contains("1 of 1") && words.contains("not medical advice"), "{words}");
    assert_eq!(home.bad(&["adherence", "--item", "nothing"]).0, 1);
    assert_eq!(home.bad(&["adherence", "--since", "2026-02-01", "--until", "2026-01-01"]).0, 2);
}
