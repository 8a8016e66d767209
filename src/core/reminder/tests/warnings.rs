//! Warnings: too close to something else, too soon, little left.

use super::*;

const PAIR: &str = r#"
    [[supplement]]
    id = "calcium"
    name = "Calcium"
    times = ["08:00"]
    apart = [{ from = "iron", by = "2h" }]

    [[supplement]]
    id = "iron"
    name = "Iron"
    times = ["09:00"]
"#;

#[test]
fn what_is_to_be_kept_apart_is_told_before_and_after() {
    let mut stage = Stage::new(PAIR, "2026-11-25T07:00");
    stage.sleep_until("2026-11-25T08:20").answer(Verb::Take, "calcium").log.clear();
    // From both sides, although only one of them has it in the schedule.
    stage.sleep_until("2026-11-25T09:00");
    stage.expect(&[
        "09:00 show 2: Iron: Calcium was recorded 40 min earlier; the schedule keeps them 2h apart",
    ]);
    let intake = |stage: &Stage, item: &str| {
        let at = When::Instant(stage.now);
        stage.reminder.warning_for(&stage.reminder.intake(&item.parse().unwrap(), None, at))
    };
    assert_eq!(
        intake(&stage, "iron").as_deref(),
        Some("Calcium was recorded 40 min earlier; the schedule keeps them 2h apart")
    );
    // It is recorded all the same.
    stage.answer(Verb::Take, "iron");
    assert_eq!(stage.facts("Intake"), 2);
    // Backdated to before the other one.
    stage.now = stage.zone.to_timestamp("2026-11-25T07:30".parse::<DateTime>().unwrap()).unwrap();
    assert_eq!(
        intake(&stage, "iron").as_deref(),
        Some("Calcium was recorded 50 min later; the schedule keeps them 2h apart")
    );
    stage.now = stage.zone.to_timestamp("2026-11-25T11:00".parse::<DateTime>().unwrap()).unwrap();
    assert_eq!(intake(&stage, "iron"), None);
    // A private one is not named to others.
    stage.schedule(&PAIR.replace("name = \"Calcium\"", "name = \"Calcium\"\n    private = true"));
    stage.now = stage.zone.to_timestamp("2026-11-25T09:00".parse::<DateTime>().unwrap()).unwrap();
    assert!(intake(&stage, "iron").unwrap().starts_with("something else was recorded 40 min earlier"));
}

#[test]
fn a_second_one_that_comes_too_soon_is_asked_about_once_more() {
    let mut stage = Stage::new(&format!("{BASIC}gap = \"6h\"\n"), "2026-11-25T04:00");
    stage.answer(Verb::Log, "a").expect(&["04:00 recorded d.3"]);
    stage.answer(Verb::Log, "a");
    stage.expect(&["04:00 refused: `a` was already recorded 0 min from this time"]);
    stage.sleep_until("2026-11-25T08:00").expect(&["08:00 show 1: Anise: 5 mg | with food"]);
    stage.press(1, Button::Taken);
    stage.expect(&[
        "08:00 withdraw 1",
        "08:00 show 2: Anise: 5 mg | with food | already recorded 4h ago: answer again if this is another dose",
    ]);
    assert_eq!(stage.facts("Intake"), 1);
    stage.press(2, Button::Taken);
    assert_eq!(stage.facts("Intake"), 2);
    stage.answer_with(Verb::Log, "a", |answer| answer.confirmed = true);
    assert_eq!(stage.facts("Intake"), 3);
    // The answer that has been given is no new one.
    stage.log.clear();
    stage.answer(Verb::Take, "a@2026-11-25T08:00").expect(&["08:00 repeated d.6"]);
    // Backdated to long before.
    stage.answer_with(Verb::Log, "a", |answer| {
        answer.at = Some(When::Instant("2026-11-24T12:00:00Z".parse().unwrap()));
    });
    assert_eq!(stage.facts("Intake"), 4);
}

#[test]
fn little_is_told_while_it_lasts() {
    let stocked = format!("{BASIC}stock = {{ have = 20, refill-at = 5 }}\n");
    let mut stage = Stage::new(&stocked, "2026-11-25T07:00");
    stage.reminder.set_stock("a".parse().unwrap(), Some(crate::core::ledger::StockLeft::of(6)));
    stage.sleep_until("2026-11-25T08:00").expect(&["08:00 show 1: Anise: 5 mg | with food"]);
    stage.press(1, Button::Taken).log.clear();
    stage.reminder.set_stock("a".parse().unwrap(), Some(crate::core::ledger::StockLeft::of(3)));
    stage.sleep_until("2026-11-26T08:00");
    stage.expect(&["08:00 show 2: Anise: 5 mg | with food | 3 left, runs out Sun 29 Nov: time to refill"]);
}

#[test]
fn what_is_left_follows_from_the_record() {
    let stocked =
        |have: u32, more: &str| format!("{BASIC}stock = {{ have = {have}, refill-at = 5 }}\n{more}\n");
    let mut stage = Stage::new(&stocked(20, ""), "2026-11-25T07:00");
    let left = |stage: &Stage| {
        let item = "a".parse().unwrap();
        crate::core::ledger::stock_left(stage.reminder.plan(), stage.reminder.ledger(), &item)
            .map(crate::core::ledger::StockLeft::whole)
    };
    let stock = |stage: &mut Stage, change: StockChange| {
        stage.questions += 1;
        let (request, item) = (RequestId(stage.questions), "a".parse().unwrap());
        stage.input(Input::Stock { request, item, change, key: None });
    };
    assert_eq!(left(&stage), Some(20));
    stage.sleep_until("2026-11-25T08:00").press(1, Button::Taken);
    assert_eq!(left(&stage), Some(19));
    for (amount, after) in [("5 mg", 18), ("2.5 mg", 17), ("12.5 mg", 14), ("3 drops", 13)] {
        stage.answer_with(Verb::Log, "a", |answer| answer.amount = Some(amount.parse().unwrap()));
        assert_eq!(left(&stage), Some(after), "{amount}");
    }
    stock(&mut stage, StockChange::Count(10));
    assert_eq!(left(&stage), Some(10));
    stock(&mut stage, StockChange::Add(60));
    assert_eq!(left(&stage), Some(70));
    // An edit of anything else does not reset it; another number does.
    stage.sleep_until("2026-11-25T09:00").schedule(&stocked(20, "note = \"white\""));
    assert_eq!(left(&stage), Some(70));
    stage.answer(Verb::Skip, "a@2026-11-26T08:00");
    assert_eq!(left(&stage), Some(70));
    stage.sleep_until("2026-11-25T10:00").schedule(&stocked(30, ""));
    assert_eq!(left(&stage), Some(30));
    // What is taken back was not taken.
    stage.answer(Verb::Log, "a");
    assert_eq!(left(&stage), Some(29));
    let fact = stage.facts.last().unwrap().id.clone();
    let request = RequestId(99);
    stage.input(Input::Retract { request, fact, reason: None, key: None });
    assert_eq!(left(&stage), Some(30));
    stage.schedule(BASIC);
    assert_eq!(left(&stage), None);
    stage.log.clear();
    stock(&mut stage, StockChange::Count(10));
    assert!(stage.log[0].contains("is not counted"), "{:?}", stage.log);
}

#[test]
fn part_of_a_dose_opens_one() {
    for (amount, dose, doses) in [
        ("5 mg", "5 mg", Some(1)),
        ("2.5 mg", "5 mg", Some(1)),
        ("10 mg", "5 mg", Some(2)),
        ("10.1 mg", "5 mg", Some(3)),
        ("1e10 CFU", "5e9 CFU", Some(2)),
        ("0 mg", "5 mg", Some(0)),
        ("5 ml", "5 mg", None),
    ] {
        let (amount, dose): (Amount, Amount) = (amount.parse().unwrap(), dose.parse().unwrap());
        assert_eq!(amount.doses_of(&dose), doses, "{amount} of {dose}");
    }
}

/// At every door: a command is refused once, a button asks once more with the reason.
#[test]
fn what_would_exceed_a_limit_is_asked_about_once_more() {
    let schedule = r#"
        [[supplement]]
        id = "p"
        name = "Paracetamol"
        dose = "1 g"
        limit = "3 g / 24 h"
        times = ["08:00", "12:00", "16:00", "20:00"]
    "#;
    let mut stage = Stage::new(schedule, "2026-11-25T07:00");
    for time in ["08:00", "12:00", "16:00"] {
        stage.at(&format!("2026-11-25T{time}")).answer(Verb::Take, "p");
    }
    stage.at("2026-11-25T20:00").log.clear();
    let reason =
        "3 g recorded within 24h, and the limit is 3 g / 24h; the next is within it Thu 26 Nov, 08:00";
    stage.answer(Verb::Take, "p").expect(&[&format!("20:00 refused: `p`: {reason}")]);
    stage.answer_with(Verb::Take, "p", |answer| answer.amount = Some("500 mg".parse().unwrap()));
    stage.expect(&[&format!("20:00 refused: `p`: {reason}")]);
    stage
        .press(4, Button::Taken)
        .expect(&["20:00 withdraw 4", &format!("20:00 show 5: Paracetamol: 1 g | {reason}")]);
    stage.press(5, Button::Taken);
    stage.states(
        "2026-11-25",
        &[
            "p@2026-11-25T08:00 taken",
            "p@2026-11-25T12:00 taken",
            "p@2026-11-25T16:00 taken",
            "p@2026-11-25T20:00 taken",
        ],
    );
    // When the first three are a day ago, one more is within it.
    stage.at("2026-11-26T16:00").log.clear();
    stage
        .answer_with(Verb::Take, "p@2026-11-26T16:00", |answer| answer.amount = Some("2 g".parse().unwrap()));
    stage.expect(&["16:00 recorded d.13", "16:00 withdraw 6"]);
    stage.answer_with(Verb::Take, "p@2026-11-26T12:00", |answer| {
        (answer.amount, answer.confirmed) = (Some("1 mg".parse().unwrap()), true);
    });
    stage.states(
        "2026-11-26",
        &[
            "p@2026-11-26T08:00 unknown",
            "p@2026-11-26T12:00 partial",
            "p@2026-11-26T16:00 taken",
            "p@2026-11-26T20:00 upcoming",
        ],
    );
}
