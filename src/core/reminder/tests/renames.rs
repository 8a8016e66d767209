//! Items that are renamed (`formerly`): what goes with them.

use super::*;

#[test]
fn an_item_that_is_renamed_goes_on_under_its_new_name() {
    let old = "[[supplement]]\nid = \"old\"\nevery = \"2 days\"\ntimes = [\"08:00\", \"20:00\"]\nstock = { have = 9, refill-at = 1 }\n";
    let new = old.replace("id = \"old\"", "id = \"new\"\nformerly = \"old\"");
    let later = old.replace("id = \"old\"", "id = \"new\"");
    // At once, and only after a reload without the key.
    for steps in [vec![new.as_str()], vec![later.as_str(), new.as_str()]] {
        let mut stage = Stage::new(old, "2026-11-25T07:30");
        stage.sleep_until("2026-11-25T08:10").answer(Verb::Take, "old");
        stage.sleep_until("2026-11-25T20:05");
        for step in steps {
            stage.schedule(step);
        }
        let known = ["old@2026-11-25T08:00 taken", "old@2026-11-25T20:00 due"];
        stage.states("2026-11-25", &known);
        stage.restart();
        stage.states("2026-11-25", &known);
        // What is due is answered by either name.
        stage.answer(Verb::Take, "new").answer(Verb::Take, "old@2026-11-25T20:00");
        stage.states("2026-11-25", &[known[0], "old@2026-11-25T20:00 taken"]);
        stage.sleep_until("2026-11-27T08:05").answer(Verb::Take, "old");
        stage.states("2026-11-26", &[]);
        stage.states("2026-11-27", &["new@2026-11-27T08:00 taken", "new@2026-11-27T20:00 upcoming"]);
        let ledger: Ledger = stage.facts.iter().cloned().map(Arc::new).collect();
        let item = "new".parse().unwrap();
        let left = crate::core::ledger::stock_left(stage.reminder.plan(), &ledger, &item);
        assert_eq!(left.map(crate::core::ledger::StockLeft::whole), Some(6));
        assert_eq!(stage.reminder.plan().items().count(), 1);
        assert_eq!(stage.log.last().map(String::as_str), Some("08:05 withdraw 3"));
    }
}

#[test]
fn every_pause_of_an_item_goes_with_it_to_its_new_name() {
    let old = "[[supplement]]\nid = \"old\"\ntimes = [\"08:00\"]\n";
    let new = old.replace("id = \"old\"", "id = \"new\"\nformerly = \"old\"");
    let mut stage = Stage::new(old, "2026-11-25T12:00");
    let pause = |stage: &mut Stage, item: Option<&str>, from: Option<&str>, until: &str| {
        let at = |local: &str| stage.zone.to_timestamp(local.parse::<DateTime>().unwrap()).unwrap();
        let pause = Pause {
            item: item.map(|item| item.parse().unwrap()),
            from: from.map(at),
            until: Some(at(until)),
            reason: None,
        };
        stage.input(Input::Pause { request: RequestId(9), pause });
    };
    // One that runs, one of all, and two that are planned.
    pause(&mut stage, Some("old"), None, "2026-11-26T12:00");
    pause(&mut stage, None, Some("2026-11-28T00:00"), "2026-11-29T00:00");
    pause(&mut stage, Some("old"), Some("2026-12-01T00:00"), "2026-12-02T00:00");
    pause(&mut stage, Some("old"), Some("2026-12-04T00:00"), "2026-12-05T00:00");
    stage.at("2026-11-25T13:00").schedule(&new);
    assert_eq!(stage.facts("Pause"), 4 + 3);
    stage.restart();
    assert_eq!(stage.facts("Pause"), 4 + 3, "once");
    for (day, state) in [
        ("2026-11-26", "excused"),
        ("2026-11-27", "missed"),
        ("2026-11-28", "excused"),
        ("2026-12-01", "excused"),
        ("2026-12-02", "missed"),
        ("2026-12-04", "excused"),
        ("2026-12-05", "missed"),
    ] {
        stage.sleep_until(&format!("{day}T13:00")).states(day, &[&format!("new@{day}T08:00 {state}")]);
    }
}
