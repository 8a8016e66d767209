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
        .expect(&["08:05 show 1: Anise: 5 mg | with food | planned 08:00, 5 min ago", "08:05 withdraw 1"]);
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
fn an_intake_that_may_be_a_mistake_is_asked_about() {
    let twice = BASIC.replace("[\"08:00\"]", "[\"08:00\", \"10:00\"]");
    let mut stage = Stage::new(&twice, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").at("2026-11-25T10:00").log.clear();
    stage.answer(Verb::Take, "a").expect(&[
        "10:00 refused: `a` has several open slots, name one of `a@2026-11-25T08:00`, `a@2026-11-25T10:00`",
    ]);
    stage.answer_with(Verb::Take, "a", |answer| answer.confirmed = true);
    stage.states("2026-11-25", &["a@2026-11-25T08:00 due", "a@2026-11-25T10:00 taken"]);
    stage.log.clear();
    // In the same minute it may be the same one; named, it is not.
    stage.answer(Verb::Take, "a").expect(&["10:00 refused: `a` was already recorded 0 min from this time"]);
    stage.answer(Verb::Take, "a@2026-11-25T08:00");
    stage.states("2026-11-25", &["a@2026-11-25T08:00 taken", "a@2026-11-25T10:00 taken"]);
}

#[test]
fn an_intake_beside_the_plan_says_what_will_still_be_asked() {
    let evening = BASIC.replace("08:00", "20:00");
    let mut stage = Stage::new(&evening, "2026-11-25T07:00");
    stage.at("2026-11-25T17:00").answer(Verb::Take, "a");
    let fact = stage.facts.last().unwrap().fact.clone();
    assert_eq!(fact.occurrence(), None);
    assert_eq!(
        stage.reminder.still_asked(&fact, stage.now).as_deref(),
        Some("20:00 will still be asked: `dosed take a@2026-11-25T20:00` answers it")
    );
    stage.at("2026-11-25T18:30").answer(Verb::Take, "a");
    let fact = stage.facts.last().unwrap().fact.clone();
    assert_eq!(fact.occurrence().map(ToString::to_string).as_deref(), Some("a@2026-11-25T20:00"));
    assert_eq!(stage.reminder.still_asked(&fact, stage.now), None);
}

#[test]
fn the_same_answer_twice_is_one_fact_and_another_is_refused() {
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").log.clear();
    stage.answer(Verb::Take, "a").answer(Verb::Take, "a").answer(Verb::Take, "a@2026-11-25T08:00");
    stage.answer(Verb::Skip, "a@2026-11-25T08:00").answer(Verb::Snooze, "a");
    stage.expect(&[
        "08:00 recorded d.4",
        "08:00 withdraw 1",
        "08:00 repeated d.4",
        "08:00 repeated d.4",
        "08:00 refused: `a@2026-11-25T08:00` is already taken: `dosed correct d.4` changes that, `dosed undo d.4` undoes it",
        "08:00 refused: `a@2026-11-25T08:00` is already taken: `dosed correct d.4` changes that, `dosed undo d.4` undoes it",
    ]);
    stage.answer(Verb::Log, "a").answer(Verb::Log, "a").expect(&["08:00 recorded d.5", "08:00 recorded d.6"]);
}

#[test]
fn two_answers_at_the_same_moment_are_one_fact() {
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").log.clear();
    let answer = |verb| Answer::new(verb, AnswerTarget::Item("a".parse().unwrap()));
    let ask = |stage: &mut Stage, request, verb| {
        let input = Input::Answer { request: RequestId(request), answer: answer(verb) };
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
    stage.at("2026-11-25T08:00").log.clear();
    for _ in 0..2 {
        stage.answer_with(Verb::Log, "a", |answer| answer.key = Some("k".to_owned()));
    }
    stage.expect(&["08:00 recorded d.4", "08:00 repeated d.4"]);
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
    stage.log.clear();
    stage.answer_with(Verb::Take, "a", |answer| answer.at = Some(When::Date("2026-11-26".parse().unwrap())));
    stage.expect(&["13:00 refused: that time is in the future"]);
}

#[test]
fn less_than_planned_is_partial_and_an_undo_opens_again() {
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00");
    stage.answer_with(Verb::Take, "a", |answer| answer.amount = Some("2 mg".parse::<Amount>().unwrap()));
    stage.states("2026-11-25", &["a@2026-11-25T08:00 partial"]);
    let fact = stage.facts.last().unwrap().id.clone();
    let undo = |stage: &mut Stage, fact: &FactId| {
        let request = RequestId(99);
        let fact = fact.clone();
        stage.input(Input::Retract { request, fact, reason: None, key: None });
    };
    undo(&mut stage, &fact);
    stage.states("2026-11-25", &["a@2026-11-25T08:00 due"]);
    // Taking the taking-back back is as if nothing had been.
    let retraction = stage.facts.last().unwrap().id.clone();
    undo(&mut stage, &retraction);
    stage.states("2026-11-25", &["a@2026-11-25T08:00 partial"]);
    stage.log.clear();
    undo(&mut stage, &FactId { device: "d".into(), seq: 3 });
    stage.expect(&[
        "08:00 refused: `d.3` cannot be undone: only answers, stock changes, pauses and undos can",
    ]);
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
        form_data: None,
        note: None,
        reason: None,
        key: None,
    };
    let correct = |stage: &mut Stage, correction: Correction| {
        stage.log.clear();
        stage.input(Input::Correct { request: RequestId(98), correction });
    };
    correct(&mut stage, half(&original));
    stage.states("2026-11-25", &["a@2026-11-25T08:00 partial"]).expect(&["08:00 recorded d.5"]);
    let correction = stage.facts.last().unwrap().clone();
    assert_eq!(
        (correction.fact.occurrence(), correction.fact.supersedes()),
        (Some(&occurrence()), Some(&original))
    );
    // The same once more is the same; another one may name any revision.
    correct(&mut stage, half(&original));
    stage.expect(&["08:00 repeated d.5"]);
    correct(&mut stage, Correction { note: Some("later".to_owned()), ..half(&original) });
    stage.expect(&["08:00 recorded d.6"]);
    let correction = stage.facts.last().unwrap().clone();
    assert_eq!(correction.fact.supersedes().map(ToString::to_string).as_deref(), Some("d.5"));
    correct(&mut stage, Correction { reason: Some("late".to_owned()), ..half(&correction.id) });
    stage.expect(&["08:00 refused: `d.6` cannot be corrected like that: an intake has an amount, a skip a reason, a form its answers"]);
    let ahead = When::Date("2026-11-27".parse().unwrap());
    correct(&mut stage, Correction { at: Some(ahead), ..half(&correction.id) });
    stage.expect(&["08:00 refused: that time is in the future"]);
    // Undone, the one before is effective again; undone again, the first answer; the answer itself, nothing.
    for (fact, state) in [("d.6", "partial"), ("d.5", "taken"), ("d.4", "due")] {
        let retraction =
            Input::Retract { request: RequestId(99), fact: fact.parse().unwrap(), reason: None, key: None };
        stage.input(retraction);
        stage.states("2026-11-25", &[&format!("a@2026-11-25T08:00 {state}")]);
    }
}

#[test]
fn an_answer_by_a_clock_that_was_ahead_can_be_corrected() {
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").answer(Verb::Take, "a").at("2026-11-25T07:30");
    let answer = stage.facts.last().unwrap().clone();
    // The time that the answer keeps is no reason to refuse; one that is given is.
    for (at, outcome) in
        [(None, "07:30 recorded d.5"), (Some(answer.fact.at()), "07:30 refused: that time is in the future")]
    {
        stage.log.clear();
        let (fact, amount) = (answer.id.clone(), Some(format!("{} mg", stage.facts.len()).parse().unwrap()));
        let correction =
            Correction { fact, at, amount, form_data: None, note: None, reason: None, key: None };
        stage.input(Input::Correct { request: RequestId(98), correction });
        stage.expect(&[outcome]);
    }
}

fn occurrence() -> crate::core::schedule::OccurrenceId {
    "a@2026-11-25T08:00".parse().unwrap()
}

#[test]
fn an_answer_that_cannot_be_recorded_is_refused_and_asked_again() {
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").log.clear();
    stage.journal_works = false;
    stage.answer(Verb::Take, "a").expect(&["08:00 refused: it could not be recorded: disk full"]);
    stage.press(1, Button::Taken).expect(&["08:00 withdraw 1"]);
    stage.journal_works = true;
    stage.sleep_until("2026-11-25T08:10").expect(&["08:00 show 2: Anise: 5 mg | with food"]);
}
