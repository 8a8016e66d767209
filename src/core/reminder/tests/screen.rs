//! What is on the screen, and what is announced where there is none.

use super::*;

#[test]
fn a_reminder_is_shown_once_and_taken_down_when_its_grace_is_over() {
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage
        .sleep_until("2026-11-25T13:00")
        .expect(&["08:00 show 1: Anise: 5 mg | with food", "12:00 withdraw 1"]);
    stage.states("2026-11-25", &["a@2026-11-25T08:00 missed"]);
    assert_eq!(stage.facts("Delivered"), 1);
}

#[test]
fn calling_too_often_does_nothing() {
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").expect(&["08:00 show 1: Anise: 5 mg | with food"]);
    for input in [Input::Tick, Input::ClockChanged, Input::Tick] {
        stage.input(input);
    }
    stage.expect(&[]);
}

#[test]
fn slots_of_one_minute_are_one_notification() {
    let two = format!("{BASIC}\n[[supplement]]\nid = \"b\"\nname = \"Basil\"\ntimes = [\"08:00\"]\n");
    let mut stage = Stage::new(&two, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").expect(&["08:00 show 1: 2 reminders: Anise, 5 mg, with food | Basil"]);
    stage.answer(Verb::Take, "a").expect(&["08:00 recorded d.6", "08:00 show 1: Basil: "]);
    stage.answer(Verb::Take, "b").expect(&["08:00 recorded d.7", "08:00 withdraw 1"]);
    assert_eq!(stage.facts("Delivered"), 2);
}

#[test]
fn ten_days_off_make_one_bundle_and_lose_no_slot() {
    let two = format!("{BASIC}\n[[habit]]\nid = \"b\"\ntimes = [\"09:00\", \"21:00\"]\n");
    let mut stage = Stage::new(&two, "2026-11-10T22:00");
    stage.at("2026-11-20T09:30");
    stage.expect(&["09:30 show 1: 2 reminders: Anise, 5 mg, with food, planned 08:00, 1h 30m ago | b, planned 09:00, 30 min ago"]);
    stage.states(
        "2026-11-15",
        &["a@2026-11-15T08:00 unknown", "b@2026-11-15T09:00 unknown", "b@2026-11-15T21:00 unknown"],
    );
}

#[test]
fn what_cannot_be_shown_is_told_once_and_tried_again() {
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.server_works = false;
    stage.sleep_until("2026-11-25T09:00").expect(&["08:00 announce: Anise"]);
    assert_eq!((stage.facts("Undelivered"), stage.facts("Delivered")), (1, 0));
    stage.server_works = true;
    stage.input(Input::ServerAppeared);
    stage.expect(&["09:00 show 1: Anise: 5 mg | with food | planned 08:00, 1h ago"]);
    stage.sleep_until("2026-11-25T13:00").states("2026-11-25", &["a@2026-11-25T08:00 missed"]);
    // Never shown at all: the person was not asked.
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.server_works = false;
    stage.sleep_until("2026-11-25T13:00").states("2026-11-25", &["a@2026-11-25T08:00 unknown"]);
}

#[test]
fn a_new_server_is_given_what_the_old_one_showed() {
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").input(Input::ServerAppeared);
    stage.expect(&["08:00 show 1: Anise: 5 mg | with food", "08:00 show 1: Anise: 5 mg | with food"]);
    assert_eq!(stage.facts("Delivered"), 1);
}

#[test]
fn it_asks_again_in_place_until_the_bound() {
    let schedule = format!("{BASIC}    again = {{ every = \"15m\", at-most = 2 }}\n");
    let mut stage = Stage::new(&schedule, "2026-11-25T07:00");
    stage.sleep_until("2026-11-25T11:00").expect(&[
        "08:00 show 1: Anise: 5 mg | with food",
        "08:15 show 1: Anise: 5 mg | with food | planned 08:00, 15 min ago",
        "08:30 show 1: Anise: 5 mg | with food | planned 08:00, 30 min ago",
    ]);
}

#[test]
fn a_repetition_in_the_same_words_is_a_reminder_of_its_own() {
    let schedule = format!("{BASIC}    again = {{ every = \"1m\", at-most = 1 }}\n");
    let mut stage = Stage::new(&schedule, "2026-11-25T07:00");
    let mut shown = Vec::new();
    for local in ["2026-11-25T08:00", "2026-11-25T08:01"] {
        stage.now = stage.zone.to_timestamp(local.parse::<DateTime>().unwrap()).unwrap();
        let actions = stage.reminder.handle(stage.now, Input::Tick);
        shown.extend(actions.into_iter().filter_map(|action| match action {
            Action::Show(notice) => Some(notice),
            _ => None,
        }));
    }
    let [first, second] = shown.as_slice() else { panic!("{shown:?}") };
    assert_eq!(first.body, second.body);
    // A desktop that already shows the first must not take the second for the same.
    assert_ne!(first, second);
}

#[test]
fn an_appointment_is_announced_ahead() {
    let scan = "[[scan]]\nid = \"dexa\"\nname = \"DEXA\"\nevery = \"1 year\"\nfrom = 2027-03-01\nafter-last = true\nlead = [\"7 days\", \"1 day\"]\ntimes = [\"09:00\"]\ngrace = \"60 days\"\n";
    let mut stage = Stage::new(scan, "2026-11-25T07:00");
    stage.sleep_until("2027-03-05T10:00").expect(&[
        "09:00 show 1: DEXA: Mon 1 Mar, 09:00",
        "09:00 show 1: DEXA: Mon 1 Mar, 09:00",
        "09:00 show 1: DEXA: ",
    ]);
    stage.answer(Verb::Take, "dexa");
    let next = stage.reminder.plan().next_after(&"dexa".parse().unwrap(), stage.reminder.ledger(), stage.now);
    assert_eq!(next.unwrap().occurrence.id.to_string(), "dexa@2028-03-05T09:00");
}

#[test]
fn a_date_without_a_time_answers_what_was_open_on_that_day() {
    let scan = "[[scan]]\nid = \"dexa\"\nname = \"DEXA\"\nevery = \"1 year\"\nfrom = 2027-03-01\nafter-last = true\ntimes = [\"09:00\"]\ngrace = \"60 days\"\n";
    // The day that is entered; the slot that it answers, and the next one, which counts from that day.
    for (date, slot, next) in [
        ("2027-03-01", Some("dexa@2027-03-01T09:00"), "dexa@2028-03-01T09:00"),
        ("2027-03-03", Some("dexa@2027-03-01T09:00"), "dexa@2028-03-03T09:00"),
        ("2027-03-05", Some("dexa@2027-03-01T09:00"), "dexa@2028-03-05T09:00"),
        // Before it was due: it is the turn of the one that is open.
        ("2027-02-20", Some("dexa@2027-03-01T09:00"), "dexa@2028-02-20T09:00"),
        // That of the year before: what is due stays due.
        ("2026-03-10", None, "dexa@2028-03-10T09:00"),
    ] {
        let mut stage = Stage::new(scan, "2026-11-25T07:00");
        stage.sleep_until("2027-03-05T10:00");
        stage.answer_with(Verb::Take, "dexa", |answer| answer.at = Some(When::Date(date.parse().unwrap())));
        let recorded = stage.facts.last().unwrap().fact.occurrence().map(ToString::to_string);
        assert_eq!(recorded.as_deref(), slot, "{date}");
        let item = "dexa".parse().unwrap();
        let plan = stage.reminder.plan();
        let planned = plan.next_after(&item, stage.reminder.ledger(), stage.now);
        assert_eq!(planned.unwrap().occurrence.id.to_string(), next, "{date}");
    }
}

#[test]
fn private_items_show_no_names() {
    let mut stage = Stage::new(&format!("private = true\n{BASIC}"), "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").expect(&["08:00 show 1: Reminder: "]);
}

#[test]
fn what_a_killed_daemon_left_on_the_screen_is_taken_over() {
    let two = format!("{BASIC}\n[[supplement]]\nid = \"b\"\nname = \"Basil\"\ntimes = [\"08:05\"]\n");
    let mut stage = Stage::new(&two, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").at("2026-11-25T08:05");
    stage.answer(Verb::Take, "b").log.clear();
    stage.restart();
    // In its place, not as another one; and what was answered is taken down, in case it is still there.
    stage.expect(&["08:05 withdraw 2", "08:05 show 1: Anise: 5 mg | with food | planned 08:00, 5 min ago"]);
    stage
        .press(1, Button::Taken)
        .states("2026-11-25", &["a@2026-11-25T08:00 taken", "b@2026-11-25T08:05 taken"]);
    assert_eq!(stage.facts("Delivered"), 2);
    // What is closed is gone from it, also where the rest is due again and waits for the person.
    let again = format!(
        "{BASIC}again = {{ every = \"15m\", at-most = 9 }}\n[[supplement]]\nid = \"b\"\nname = \"Basil\"\ntimes = [\"08:00\"]\ngrace = \"30m\"\n"
    );
    let mut stage = Stage::new(&again, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").at("2026-11-25T08:15").input(Input::Away(true));
    stage.log.clear();
    stage.now = stage.zone.to_timestamp("2026-11-25T08:30".parse::<DateTime>().unwrap()).unwrap();
    stage.away = true;
    stage.restart();
    stage.expect(&["08:30 show 1: Anise: 5 mg | with food | planned 08:00, 30 min ago"]);
    // One that the person closed has been seen.
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00");
    stage.input(Input::Closed(
        *stage.alerts.keys().next().unwrap(),
        crate::core::ledger::CloseReason::Dismissed,
    ));
    stage.log.clear();
    stage.restart();
    stage.expect(&[]);
    // One whose grace was over meanwhile asks nothing any more.
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").log.clear();
    stage.now = stage.zone.to_timestamp("2026-11-25T13:00".parse::<DateTime>().unwrap()).unwrap();
    stage.restart();
    stage.expect(&["13:00 withdraw 1"]);
}

#[test]
fn a_reminder_that_was_let_go_on_its_way_to_the_screen_is_taken_down() {
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").log.clear();
    let alert = *stage.alerts.keys().next().unwrap();
    stage.input(Input::Closed(alert, crate::core::ledger::CloseReason::Dismissed));
    stage.input(Input::Shown(alert, NotificationHandle { notification: 1, server: None }));
    stage.expect(&["08:00 withdraw 1"]);
}
