//! What is planned ahead of its time: skipped, postponed, paused, and all of it undone.

use super::*;
use crate::core::reminder::{Pause, RequestId};

impl Stage {
    fn undo_last(&mut self) -> &mut Self {
        let fact = self.reminder.ledger().newest_act("d").unwrap().id.clone();
        self.questions += 1;
        let request = RequestId(self.questions);
        self.input(Input::Retract { request, fact, reason: None, key: None });
        self
    }

    fn postpone(&mut self, target: &str, hours: i64) -> &mut Self {
        self.answer_with(Verb::Postpone, target, |answer| {
            answer.length = Some(SignedDuration::from_hours(hours));
        })
    }
}

#[test]
fn what_is_skipped_ahead_is_not_asked() {
    let mut stage = Stage::new(BASIC, "2026-11-25T09:00");
    stage.log.clear();
    stage.answer(Verb::Skip, "a@2026-12-04T08:00").expect(&["09:00 recorded d.3"]);
    // Memory keeps it for as long as it matters, over a restart too.
    stage.sleep_until("2026-12-02T09:00").restart();
    stage.log.clear();
    stage.sleep_until("2026-12-03T23:00").expect(&[
        "12:00 withdraw 7",
        "08:00 show 8: Anise: 5 mg | with food",
        "12:00 withdraw 8",
    ]);
    stage.sleep_until("2026-12-04T23:00").expect(&[]);
    stage.states("2026-12-04", &["a@2026-12-04T08:00 skipped"]);
    // Undone in time, it is asked about.
    stage.answer(Verb::Skip, "a@2026-12-06T08:00").undo_last().log.clear();
    stage.sleep_until("2026-12-06T09:00").states("2026-12-06", &["a@2026-12-06T08:00 due"]);
}

#[test]
fn far_ahead_nothing_can_be_taken_and_what_is_skipped_is_bounded() {
    let mut stage = Stage::new(BASIC, "2026-11-25T09:00");
    stage.log.clear();
    stage.answer(Verb::Take, "a@2026-11-27T08:00");
    stage.answer(Verb::Skip, "a@2027-11-26T08:00").answer(Verb::Skip, "a@2027-11-27T08:00");
    stage.postpone("a@2027-11-27T08:00", 1);
    let too_far =
        "09:00 refused: `a@2027-11-27T08:00` is more than 366 days ahead: it cannot be answered yet";
    stage.expect(&[
        "09:00 refused: `a@2026-11-27T08:00` is more than 24 hours ahead: it cannot be answered yet",
        "09:00 recorded d.3",
        too_far,
        too_far,
    ]);
}

#[test]
fn what_is_postponed_is_asked_later() {
    let mut stage = Stage::new(BASIC, "2026-11-25T06:00");
    stage.log.clear();
    // The next one, from its planned time on.
    stage.postpone("a", 2).expect(&["06:00 recorded d.3"]);
    stage.postpone("a", 2).expect(&["06:00 repeated d.3"]);
    stage.sleep_until("2026-11-25T09:59").expect(&[]);
    stage.states("2026-11-25", &["a@2026-11-25T08:00 due"]);
    stage
        .sleep_until("2026-11-25T10:00")
        .expect(&["10:00 show 1: Anise: 5 mg | with food | planned 08:00, 2h ago"]);
    // What is open goes first, from now on.
    stage.postpone("a", 1).expect(&["10:00 recorded d.5", "10:00 withdraw 1"]);
    stage
        .sleep_until("2026-11-25T11:00")
        .expect(&["11:00 show 2: Anise: 5 mg | with food | planned 08:00, 3h ago"]);
    stage.answer(Verb::Take, "a").log.clear();
    // One by its name, which an undo brings back to its time.
    stage.postpone("a@2026-11-27T08:00", 3).undo_last().expect(&["11:00 recorded d.8", "11:00 recorded d.9"]);
    stage.sleep_until("2026-11-27T08:00").log.drain(..2);
    stage.expect(&["08:00 show 4: Anise: 5 mg | with food"]);
    stage.answer(Verb::Take, "a").log.clear();
    stage.postpone("a@2026-11-27T08:00", 1).expect(&[
        "08:00 refused: `a@2026-11-27T08:00` is already taken: `dosed correct d.12` changes that, `dosed undo d.12` undoes it",
    ]);
}

/// At the latest a day after the grace, as any snooze.
#[test]
fn a_postponement_is_bounded() {
    let mut stage = Stage::new(BASIC, "2026-11-25T06:00");
    stage.postpone("a", 24 * 30);
    let until = stage.reminder.ledger().snoozed_until(&"a@2026-11-25T08:00".parse().unwrap()).unwrap();
    assert_eq!(stage.zone.to_datetime(until).to_string(), "2026-11-26T12:00:00");
}

/// Eight glasses: with the last one the day is done, and what was missed before stays missed.
#[test]
fn an_aim_that_is_reached_stops_asking() {
    let schedule = "[[habit]]\nid = \"w\"\nname = \"Water\"\ndose = \"1 glass\"\ntarget = \"4 glasses / day\"\n\
                    until-reached = true\ngrace = \"1h\"\ntimes = [\"08:00\", \"10:00\", \"12:00\", \"14:00\", \"16:00\"]";
    let mut stage = Stage::new(schedule, "2026-11-25T07:00");
    stage.sleep_until("2026-11-25T10:00").answer(Verb::Take, "w");
    stage.sleep_until("2026-11-25T12:00").log.clear();
    stage.answer_with(Verb::Log, "w", |answer| answer.amount = Some("2 glasses".parse().unwrap()));
    stage.states(
        "2026-11-25",
        &[
            "w@2026-11-25T08:00 missed",
            "w@2026-11-25T10:00 taken",
            "w@2026-11-25T12:00 taken",
            "w@2026-11-25T14:00 upcoming",
            "w@2026-11-25T16:00 upcoming",
        ],
    );
    stage.sleep_until("2026-11-25T14:00").log.clear();
    stage.answer(Verb::Take, "w").expect(&["14:00 recorded d.9", "14:00 withdraw 4"]);
    stage.sleep_until("2026-11-25T20:00").expect(&[]);
    stage.states(
        "2026-11-25",
        &[
            "w@2026-11-25T08:00 missed",
            "w@2026-11-25T10:00 taken",
            "w@2026-11-25T12:00 taken",
            "w@2026-11-25T14:00 taken",
            "w@2026-11-25T16:00 excused",
        ],
    );
    // Undone in time it is asked again, and the next day begins anew.
    let mut again = Stage::new(schedule, "2026-11-26T07:00");
    again.answer_with(Verb::Log, "w", |answer| answer.amount = Some("4 glasses".parse().unwrap()));
    again.sleep_until("2026-11-26T10:30").undo_last().log.clear();
    again
        .sleep_until("2026-11-26T12:00")
        .expect(&["11:00 withdraw 1", "12:00 show 2: Water: 1 glass | aim: 4 glasses / day"]);
    again.sleep_until("2026-11-27T08:00");
    again.states(
        "2026-11-27",
        &[
            "w@2026-11-27T08:00 due",
            "w@2026-11-27T10:00 upcoming",
            "w@2026-11-27T12:00 upcoming",
            "w@2026-11-27T14:00 upcoming",
            "w@2026-11-27T16:00 upcoming",
        ],
    );
}

#[test]
fn a_pause_and_its_end_can_be_undone() {
    let mut stage = Stage::new(BASIC, "2026-11-25T06:00");
    stage.log.clear();
    let pause = Pause { item: None, from: None, until: None, reason: None };
    stage.input(Input::Pause { request: RequestId(90), pause: pause.clone() });
    stage.sleep_until("2026-11-25T08:30").undo_last();
    stage.expect(&[
        "06:00 recorded d.3",
        "08:30 recorded d.4",
        "08:30 show 1: Anise: 5 mg | with food | planned 08:00, 30 min ago",
    ]);
    stage.answer(Verb::Take, "a");
    stage.input(Input::Pause { request: RequestId(91), pause });
    stage.input(Input::Resume { request: RequestId(92), item: None });
    stage.undo_last().log.clear();
    stage.sleep_until("2026-11-26T09:00").expect(&[]);
    stage.states("2026-11-26", &["a@2026-11-26T08:00 excused"]);
    let pauses = stage.reminder.ledger().all_pauses_after(stage.now);
    assert_eq!(pauses.len(), 1, "{pauses:?}");
    stage.undo_last();
    assert_eq!(stage.reminder.ledger().all_pauses_after(stage.now), []);
}
