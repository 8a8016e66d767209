//! What is answered: by whom, to what, how often.

use super::*;

#[test]
fn a_button_answers_and_a_closing_does_not() {
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00");
    stage.input(Input::Closed(AlertId(3), CloseReason::Dismissed));
    stage.states("2026-11-25", &["a@2026-11-25T08:00 due"]);
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.at("2026-11-25T08:05").press(1, Button::Taken);
    stage.states("2026-11-25", &["a@2026-11-25T08:00 taken"]);
    stage
        .sleep_until("2026-11-26T07:59")
        .said(&["08:05 show 1: Anise: 5 mg | with food | planned 08:00, 5 min ago", "08:05 withdraw 1"]);
}

#[test]
fn two_open_slots_are_answered_in_any_order() {
    let twice = BASIC.replace("[\"08:00\"]", "[\"08:00\", \"10:00\"]");
    let mut stage = Stage::new(&twice, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").at("2026-11-25T10:00");
    stage.press(2, Button::Taken);
    stage.states("2026-11-25", &["a@2026-11-25T08:00 due", "a@2026-11-25T10:00 taken"]);
    stage.press(1, Button::Skip);
    stage.states("2026-11-25", &["a@2026-11-25T08:00 skipped", "a@2026-11-25T10:00 taken"]);
}

#[test]
fn the_same_answer_twice_is_one_fact_and_another_is_refused() {
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").said.clear();
    stage.answer(Verb::Take, "a").answer(Verb::Take, "a").answer(Verb::Take, "a@2026-11-25T08:00");
    stage.answer(Verb::Skip, "a@2026-11-25T08:00").answer(Verb::Snooze, "a");
    stage.said(&[
        "08:00 recorded d.4",
        "08:00 withdraw 1",
        "08:00 repeated d.4",
        "08:00 repeated d.4",
        "08:00 refused: `a@2026-11-25T08:00` is already taken: `dosed undo d.4` takes that back",
        "08:00 refused: `a@2026-11-25T08:00` is already taken: `dosed undo d.4` takes that back",
    ]);
    stage.answer(Verb::Log, "a").answer(Verb::Log, "a").said(&["08:00 recorded d.5", "08:00 recorded d.6"]);
}

#[test]
fn two_answers_at_the_same_moment_are_one_fact() {
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").said.clear();
    let answer = |verb| Answer::new(verb, Target::Item("a".parse().unwrap()));
    let ask = |stage: &mut Stage, request, verb| {
        let input = Input::Answer { request: RequestId(request), answer: answer(verb), context: Vec::new() };
        stage.reminder.handle(stage.now, input)
    };
    let first = ask(&mut stage, 1, Verb::Take);
    let [Action::Record(token, fact)] = first.as_slice() else { panic!("{first:?}") };
    // The second waits for the same fact; another answer is refused; nobody hears before it is durable.
    assert_eq!(ask(&mut stage, 2, Verb::Take), []);
    let refused = ask(&mut stage, 3, Verb::Skip);
    assert!(matches!(
        refused.as_slice(),
        [Action::Reply(_, Outcome::Refused(Refusal::BeingAnswered { .. }))]
    ));
    let record =
        Record { id: FactId { device: "d".into(), seq: 9 }, recorded_at: stage.now, fact: fact.clone() };
    let replies = stage.reminder.handle(stage.now, Input::Recorded(*token, record.into()));
    let replied: Vec<_> = replies
        .iter()
        .filter_map(|action| match action {
            Action::Reply(request, Outcome::Recorded(_)) => Some((request.0, 201)),
            Action::Reply(request, Outcome::Repeated(_)) => Some((request.0, 200)),
            _ => None,
        })
        .collect();
    assert_eq!(replied, [(1, 201), (2, 200)]);
}

#[test]
fn an_idempotency_key_makes_one_fact() {
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").said.clear();
    for _ in 0..2 {
        stage.answer_with(Verb::Log, "a", |answer| answer.key = Some("k".to_owned()));
    }
    stage.said(&["08:00 recorded d.4", "08:00 repeated d.4"]);
}

#[test]
fn an_answer_finds_the_occurrence_that_is_meant() {
    let twice = BASIC.replace("[\"08:00\"]", "[\"08:00\", \"20:00\"]");
    for (time, at, expected) in [
        ("2026-11-25T07:30", None, Some("a@2026-11-25T08:00")),
        ("2026-11-25T05:30", None, None),
        ("2026-11-25T11:59", None, Some("a@2026-11-25T08:00")),
        ("2026-11-25T12:30", None, None),
        ("2026-11-25T12:30", Some("2026-11-25T09:00"), Some("a@2026-11-25T08:00")),
        ("2026-11-25T18:30", None, Some("a@2026-11-25T20:00")),
    ] {
        let mut stage = Stage::new(&twice, "2026-11-25T00:00");
        stage.at(time);
        let zone = stage.zone.clone();
        stage.answer_with(Verb::Take, "a", |answer| {
            answer.at =
                at.map(|at| When::Instant(zone.to_timestamp(at.parse::<DateTime>().unwrap()).unwrap()));
        });
        let fact = &stage.facts.last().unwrap().fact;
        assert_eq!(fact.occurrence().map(ToString::to_string).as_deref(), expected, "{time} {at:?}");
    }
}

#[test]
fn a_day_without_an_hour_can_be_filled_in() {
    let mut stage = Stage::new(BASIC, "2026-11-20T07:00");
    stage.at("2026-11-25T13:00").states("2026-11-22", &["a@2026-11-22T08:00 unknown"]);
    stage.answer_with(Verb::Take, "a", |answer| answer.at = Some(When::Date("2026-11-22".parse().unwrap())));
    stage.states("2026-11-22", &["a@2026-11-22T08:00 taken"]);
    stage.said.clear();
    stage.answer_with(Verb::Take, "a", |answer| answer.at = Some(When::Date("2026-11-26".parse().unwrap())));
    stage.said(&["13:00 refused: that time has not come yet"]);
}

#[test]
fn less_than_planned_is_partial_and_an_undo_opens_again() {
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00");
    stage.answer_with(Verb::Take, "a", |answer| answer.amount = Some("2 mg".parse::<Quantity>().unwrap()));
    stage.states("2026-11-25", &["a@2026-11-25T08:00 partial"]);
    let fact = stage.facts.last().unwrap().id.clone();
    let undo = |stage: &mut Stage, fact: &FactId| {
        let request = RequestId(99);
        let (fact, context) = (fact.clone(), Vec::new());
        stage.input(Input::Retract { request, fact, reason: None, key: None, context });
    };
    undo(&mut stage, &fact);
    stage.states("2026-11-25", &["a@2026-11-25T08:00 due"]);
    // Taking the taking-back back is as if nothing had been.
    let retraction = stage.facts.last().unwrap().id.clone();
    undo(&mut stage, &retraction);
    stage.states("2026-11-25", &["a@2026-11-25T08:00 partial"]);
    stage.said.clear();
    undo(&mut stage, &FactId { device: "d".into(), seq: 3 });
    stage.said(&["08:00 refused: `d.3` is not an answer, so there is nothing to take back"]);
}

#[test]
fn a_correction_stands_in_the_place_of_an_answer() {
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").answer(Verb::Take, "a");
    let original = stage.facts.last().unwrap().id.clone();
    let half = |fact: &FactId| Correction {
        fact: fact.clone(),
        at: None,
        amount: Some("2 mg".parse().unwrap()),
        details: None,
        note: None,
        reason: None,
        key: None,
    };
    let correct = |stage: &mut Stage, correction: Correction| {
        stage.said.clear();
        stage.input(Input::Correct { request: RequestId(98), correction, context: Vec::new() });
    };
    correct(&mut stage, half(&original));
    stage.states("2026-11-25", &["a@2026-11-25T08:00 partial"]).said(&["08:00 recorded d.5"]);
    let correction = stage.facts.last().unwrap().clone();
    assert_eq!(
        (correction.fact.occurrence(), correction.fact.replaces()),
        (Some(&occurrence()), Some(&original))
    );
    // The same once more is the same; another one is of what stands.
    correct(&mut stage, half(&original));
    stage.said(&["08:00 repeated d.5"]);
    correct(&mut stage, Correction { note: Some("later".to_owned()), ..half(&original) });
    stage.said(&["08:00 refused: `d.4` does not hold any more: `d.5` stands in its place"]);
    correct(&mut stage, Correction { reason: Some("late".to_owned()), ..half(&correction.id) });
    stage.said(&["08:00 refused: `d.5` has nothing of that to correct: an intake has an amount, a skip a reason, a form its answers"]);
    let ahead = When::Date("2026-11-27".parse().unwrap());
    correct(&mut stage, Correction { at: Some(ahead), ..half(&correction.id) });
    stage.said(&["08:00 refused: that time has not come yet"]);
    // Undone, the first answer holds again.
    let retraction = Input::Retract {
        request: RequestId(99),
        fact: correction.id.clone(),
        reason: None,
        key: None,
        context: Vec::new(),
    };
    stage.input(retraction);
    stage.states("2026-11-25", &["a@2026-11-25T08:00 taken"]);
}

fn occurrence() -> crate::schedule::OccurrenceId {
    "a@2026-11-25T08:00".parse().unwrap()
}

#[test]
fn an_answer_that_cannot_be_recorded_is_refused_and_asked_again() {
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").said.clear();
    stage.journal_works = false;
    stage.answer(Verb::Take, "a").said(&["08:00 refused: it could not be recorded: disk full"]);
    stage.press(1, Button::Taken).said(&["08:00 withdraw 1"]);
    stage.journal_works = true;
    stage.sleep_until("2026-11-25T08:10").said(&["08:00 show 2: Anise: 5 mg | with food"]);
}
