//! Snoozes, quiet hours, pauses, edits, clocks and zones.

use super::*;

#[test]
fn a_snooze_fires_at_its_time_and_survives_a_kill() {
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").press(1, Button::Snooze);
    stage.expect(&["08:00 show 1: Anise: 5 mg | with food", "08:00 withdraw 1"]);
    stage.restart();
    // In case the kill came between the answer and the screen.
    stage.expect(&["08:00 withdraw 1"]);
    stage.sleep_until("2026-11-25T08:14").expect(&[]);
    stage
        .sleep_until("2026-11-25T08:20")
        .expect(&["08:15 show 2: Anise: 5 mg | with food | planned 08:00, 15 min ago"]);
    stage.restart();
    stage.expect(&["08:20 show 2: Anise: 5 mg | with food | planned 08:00, 20 min ago"]);
    stage.sleep_until("2026-11-25T09:00").expect(&[]);
}

#[test]
fn a_snooze_near_the_end_of_the_grace_still_leaves_time_to_answer() {
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.at("2026-11-25T11:50").answer_with(Verb::Snooze, "a", |answer| {
        answer.length = Some(SignedDuration::from_mins(30));
    });
    stage.sleep_until("2026-11-25T14:00");
    stage.expect(&[
        "11:50 show 1: Anise: 5 mg | with food | planned 08:00, 3h 50m ago",
        "11:50 recorded d.4",
        "11:50 withdraw 1",
        "12:20 show 2: Anise: 5 mg | with food | planned 08:00, 4h 20m ago",
        "13:20 withdraw 2",
    ]);
}

#[test]
fn editing_the_schedule_never_changes_the_past() {
    let mut stage = Stage::new(BASIC, "2026-11-24T07:00");
    stage.sleep_until("2026-11-24T08:10").press(1, Button::Taken);
    stage.sleep_until("2026-11-25T08:30").log.clear();
    // 08:00 is open when it is moved to 10:00: it stays open, and 10:00 is not asked about that day.
    stage.schedule(&BASIC.replace("08:00", "10:00"));
    stage.sleep_until("2026-11-25T10:00").expect(&[]);
    stage.states("2026-11-24", &["a@2026-11-24T08:00 taken"]);
    stage.states("2026-11-25", &["a@2026-11-25T08:00 due"]);
    // A note changes nothing about an open slot.
    stage.schedule(&BASIC.replace("08:00", "10:00").replace("food", "water"));
    stage.expect(&[]).states("2026-11-25", &["a@2026-11-25T08:00 due"]);
    stage.restart();
    stage.states("2026-11-24", &["a@2026-11-24T08:00 taken"]);
    stage.states("2026-11-25", &["a@2026-11-25T08:00 due"]);
    stage.states("2026-11-26", &["a@2026-11-26T10:00 upcoming"]);
}

#[test]
fn an_edit_of_a_note_keeps_the_rhythm() {
    let every_other = "[[supplement]]\nid = \"a\"\nevery = \"2 days\"\ntimes = [\"08:00\"]\n";
    let mut stage = Stage::new(every_other, "2026-11-24T07:00");
    stage.at("2026-11-25T07:00").schedule(&format!("{every_other}note = \"x\"\n"));
    let next =
        stage.reminder.plan().next_after(&"a".parse().unwrap(), stage.reminder.ledger(), stage.now).unwrap();
    assert_eq!(next.occurrence.id.to_string(), "a@2026-11-26T08:00");
}

#[test]
fn a_clock_set_back_fires_nothing_again() {
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").log.clear();
    stage.set_clock("2026-11-25T07:30");
    stage.sleep_until("2026-11-25T08:30").expect(&[]);
}

#[test]
fn a_clock_that_was_ahead_does_not_use_a_reminder_up() {
    let again = format!("{BASIC}    again = {{ every = \"1m\", at-most = 1 }}\n");
    for (dismissed, restarted) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut stage = Stage::new(&again, "2026-11-25T05:58");
        // It is two hours ahead for a while.
        stage
            .at("2026-11-25T09:58")
            .expect(&["09:58 show 1: Anise: 5 mg | with food | planned 08:00, 1h 58m ago"]);
        stage.set_clock("2026-11-25T07:58");
        if dismissed {
            let alert = *stage.alerts.keys().next().unwrap();
            stage.input(Input::Closed(alert, CloseReason::Dismissed));
        }
        if restarted {
            stage.restart();
            stage.log.clear();
        }
        stage.sleep_until("2026-11-25T11:00");
        // A restart takes it down until its time comes.
        let shown = if dismissed || restarted { 2 } else { 1 };
        stage.expect(&[
            &format!("08:00 show {shown}: Anise: 5 mg | with food"),
            &format!("08:01 show {shown}: Anise: 5 mg | with food"),
        ]);
    }
}

#[test]
fn a_clock_that_is_corrected_a_little_asks_nothing_again() {
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00:30").log.clear();
    stage.set_clock("2026-11-25T07:59:50");
    stage.sleep_until("2026-11-25T11:00").expect(&[]);
}

#[test]
fn a_flight_neither_doubles_nor_drops_a_morning() {
    let mut stage = Stage::new(BASIC, "2026-05-31T09:00");
    stage.sleep_until("2026-06-01T08:00").press(1, Button::Taken);
    stage.log.clear();
    let fly = |stage: &mut Stage, local: &str, name: &str| {
        stage.sleep_until(local);
        stage.zone = TimeZone::get(name).unwrap();
        stage.input(Input::Zone(name.to_owned(), stage.zone.clone()));
    };
    fly(&mut stage, "2026-06-01T14:00", "America/New_York");
    stage.sleep_until("2026-06-01T23:00").expect(&[]);
    stage.sleep_until("2026-06-02T08:00").press(2, Button::Taken);
    stage.expect(&["08:00 show 2: Anise: 5 mg | with food", "08:00 withdraw 2"]);
    // 03:00 in New York is 09:00 in Berlin: that morning's slot is due on landing.
    fly(&mut stage, "2026-06-03T03:00", "Europe/Berlin");
    stage.expect(&["09:00 show 3: Anise: 5 mg | with food"]);
}

#[test]
fn late_miss_lets_go_of_what_was_slept_through() {
    let schedule = format!("{BASIC}    late = \"miss\"\n");
    let mut stage = Stage::new(&schedule, "2026-11-25T07:00");
    stage.at("2026-11-25T09:00").expect(&[]).sleep_until("2026-11-25T13:00").expect(&[]);
    stage.states("2026-11-25", &["a@2026-11-25T08:00 unknown"]);
    stage.sleep_until("2026-11-26T08:00").expect(&["08:00 show 1: Anise: 5 mg | with food"]);
}

#[test]
fn a_pause_excuses_and_a_resume_goes_on() {
    let mut stage = Stage::new(BASIC, "2026-11-24T07:00");
    let until = stage.zone.to_timestamp("2026-11-26T00:00".parse::<DateTime>().unwrap()).unwrap();
    stage.input(Input::Pause {
        request: RequestId(1),
        pause: Pause { item: None, from: None, until: Some(until), reason: None },
    });
    stage.sleep_until("2026-11-26T08:00");
    stage.expect(&["07:00 recorded d.3", "08:00 show 1: Anise: 5 mg | with food"]);
    stage.states("2026-11-24", &["a@2026-11-24T08:00 excused"]);
    stage.states("2026-11-25", &["a@2026-11-25T08:00 excused"]);
    stage.input(Input::Pause {
        request: RequestId(2),
        pause: Pause { item: Some("a".parse().unwrap()), from: None, until: None, reason: None },
    });
    stage.at("2026-11-27T07:00").input(Input::Resume { request: RequestId(3), item: None });
    stage.log.clear();
    stage.sleep_until("2026-11-27T08:00").expect(&["08:00 show 2: Anise: 5 mg | with food"]);
}

#[test]
fn a_snooze_after_the_clock_was_set_back_is_the_newest() {
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.at("2026-11-25T11:00").press(1, Button::Snooze);
    stage.now = stage.zone.to_timestamp("2026-11-25T08:30".parse::<DateTime>().unwrap()).unwrap();
    stage.input(Input::ClockChanged);
    stage.answer(Verb::Snooze, "a@2026-11-25T08:00").log.clear();
    stage.sleep_until("2026-11-25T08:45");
    stage.expect(&["08:45 show 2: Anise: 5 mg | with food | planned 08:00, 45 min ago"]);
}

#[test]
fn what_comes_due_in_quiet_hours_waits_for_their_end_or_half_of_its_grace() {
    let quiet = |time: &str| format!("quiet = \"22:00..07:00\"\n{}", BASIC.replace("08:00", time));
    let mut stage = Stage::new(&quiet("06:30"), "2026-11-25T05:00");
    stage.sleep_until("2026-11-25T09:00");
    stage.expect(&["07:00 show 1: Anise: 5 mg | with food | planned 06:30, 30 min ago"]);
    let mut stage = Stage::new(&quiet("23:00"), "2026-11-25T12:00");
    stage.sleep_until("2026-11-26T02:00");
    stage.expect(&["01:00 show 1: Anise: 5 mg | with food | planned Wed 25 Nov, 23:00"]);
    // An item can have hours of its own, or none.
    let of_item = |keys: &str| quiet("06:30").replace("with =", &format!("quiet = {keys}\nwith ="));
    for (keys, shown) in [
        ("false", "06:30 show 1: Anise: 5 mg | with food"),
        ("\"06:00..06:45\"", "06:45 show 1: Anise: 5 mg | with food | planned 06:30, 15 min ago"),
    ] {
        let mut stage = Stage::new(&of_item(keys), "2026-11-25T05:00");
        stage.sleep_until("2026-11-25T06:50").expect(&[shown]);
        stage.restart();
    }
    // Quiet hours that are taken out of the schedule hold nothing back any more.
    let mut stage = Stage::new(&quiet("06:30"), "2026-11-25T05:00");
    stage.sleep_until("2026-11-25T06:40").expect(&[]);
    stage.schedule(&BASIC.replace("08:00", "06:30"));
    stage.expect(&["06:40 show 1: Anise: 5 mg | with food | planned 06:30, 10 min ago"]);
}

#[test]
fn the_button_snoozes_as_long_as_the_schedule_says() {
    let mut stage = Stage::new(&format!("snooze = \"30m\"\n{BASIC}"), "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").press(1, Button::Snooze).log.clear();
    stage.sleep_until("2026-11-25T08:40");
    stage.expect(&["08:30 show 2: Anise: 5 mg | with food | planned 08:00, 30 min ago"]);
}

#[test]
fn a_resume_after_the_clock_was_set_back_ends_the_pause() {
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.input(Input::Pause {
        request: RequestId(1),
        pause: Pause { item: None, from: None, until: None, reason: None },
    });
    stage.now = stage.zone.to_timestamp("2026-11-24T22:00".parse::<DateTime>().unwrap()).unwrap();
    stage.input(Input::ClockChanged);
    stage.input(Input::Resume { request: RequestId(2), item: None });
    stage.log.clear();
    stage.sleep_until("2026-11-25T08:00").expect(&["08:00 show 1: Anise: 5 mg | with food"]);
    stage.restart();
    stage.states("2026-11-25", &["a@2026-11-25T08:00 due"]);
}

#[test]
fn what_comes_due_while_nobody_is_there_is_one_bundle_at_their_return() {
    let two = format!("{BASIC}{}", BASIC.replace("\"a\"", "\"b\"").replace("08:00", "08:20"));
    let mut stage = Stage::new(&two, "2026-11-25T07:00");
    stage.input(Input::Away(true));
    stage.sleep_until("2026-11-25T08:30").expect(&[]);
    stage.input(Input::Away(false));
    stage.expect(&[
        "08:30 show 1: 2 reminders: Anise, 5 mg, with food, planned 08:00, 30 min ago | Anise, 5 mg, with food, planned 08:20, 10 min ago",
    ]);
    // What is on the screen stays there; what they have not seen by half of its grace is shown anyway.
    stage.input(Input::Away(true));
    stage.expect(&[]).press(1, Button::Taken).sleep_until("2026-11-26T09:00").log.clear();
    stage.sleep_until("2026-11-26T11:00");
    stage.expect(&[
        "10:00 show 2: Anise: 5 mg | with food | planned 08:00, 2h ago",
        "10:20 show 3: Anise: 5 mg | with food | planned 08:20, 2h ago",
    ]);
}

#[test]
fn repetitions_wait_too_while_nobody_is_there() {
    let again = format!("{BASIC}again = {{ every = \"15m\", at-most = 3 }}\n");
    let mut stage = Stage::new(&again, "2026-11-25T07:00");
    stage.sleep_until("2026-11-25T08:05").expect(&["08:00 show 1: Anise: 5 mg | with food"]);
    stage.input(Input::Away(true));
    stage.sleep_until("2026-11-25T08:40").expect(&[]);
    stage.input(Input::Away(false));
    stage.expect(&["08:40 show 1: Anise: 5 mg | with food | planned 08:00, 40 min ago"]);
    stage.sleep_until("2026-11-25T09:30");
    stage.expect(&["08:45 show 1: Anise: 5 mg | with food | planned 08:00, 45 min ago"]);
}
