//! Channels beyond the desktop: when they are used, and when not.

use super::*;

const CHANNELS: &str = r#"
    [[channel]]
    id = "phone"
    kind = "command"
    command = ["call"]
    private = false

    [[channel]]
    id = "family"
    kind = "command"
    command = ["write"]
"#;

fn with(then: &str) -> String {
    format!("{BASIC}then = [{then}]\n{CHANNELS}")
}

const PHONE: &str = "{ after = \"30m\", channel = \"phone\" }";
const FAMILY: &str = "{ after = \"1h\", channel = \"family\" }";

#[test]
fn steps_are_taken_while_there_is_no_answer() {
    let mut stage = Stage::new(&with(&format!("{PHONE}, {FAMILY}")), "2026-11-25T07:00");
    stage.sleep_until("2026-11-25T10:00").said(&[
        "08:00 show 1: Anise: 5 mg | with food",
        "08:30 send phone 5: Anise: 5 mg | with food | planned 08:00, 30 min ago",
        "09:00 send family 7: Reminder: planned 08:00, 1h ago",
    ]);
    stage.answer(Verb::Take, "a");
    stage.said(&["10:00 recorded d.6", "10:00 withdraw 1", "10:00 recall 5", "10:00 recall 7"]);
    // The day after it is answered in time.
    stage.sleep_until("2026-11-26T08:20").press(2, Button::Taken).said.clear();
    stage.sleep_until("2026-11-26T10:00").said(&[]);
}

#[test]
fn a_step_is_done_once_whatever_comes_of_it() {
    let mut stage = Stage::new(&with(PHONE), "2026-11-25T07:00");
    stage.channel_works = Some(false);
    stage.sleep_until("2026-11-25T08:40").said.clear();
    assert_eq!(stage.facts("Undelivered"), 1);
    stage.restart();
    stage.said.clear();
    stage.sleep_until("2026-11-25T11:00").said(&[]);
    // It is not answered and not delivered there; the desktop has asked.
    stage.sleep_until("2026-11-25T12:30").states("2026-11-25", &["a@2026-11-25T08:00 missed"]);
    // One that was on its way when the power went is sent again.
    stage.channel_works = None;
    stage.sleep_until("2026-11-26T08:40").said.clear();
    stage.channel_works = Some(true);
    stage.restart();
    assert!(stage.said.iter().any(|said| said.contains("send phone")), "{:?}", stage.said);
    stage.said.clear();
    stage.restart();
    stage.said(&[
        // The day before's, which needs no answer any more.
        "08:40 withdraw 1",
        "08:40 await phone 3, since 08:40",
        "08:40 show 2: Anise: 5 mg | with food | planned 08:00, 40 min ago",
    ]);
}

#[test]
fn a_snooze_begins_the_steps_anew() {
    let mut stage = Stage::new(&with(PHONE), "2026-11-25T07:00");
    stage.sleep_until("2026-11-25T08:35").said.clear();
    stage.answer(Verb::Snooze, "a").said.clear();
    stage.sleep_until("2026-11-25T10:00").said(&[
        "08:50 show 2: Anise: 5 mg | with food | planned 08:00, 50 min ago",
        "09:20 send phone 10: Anise: 5 mg | with food | planned 08:00, 1h 20m ago",
    ]);
}

#[test]
fn an_answer_from_afar_is_an_answer_to_what_was_sent() {
    for (button, kind) in [(Button::Taken, "Intake"), (Button::Skip, "Skip"), (Button::Snooze, "Snooze")] {
        let mut stage = Stage::new(&with(PHONE), "2026-11-25T07:00");
        let occurrence: OccurrenceId = "a@2026-11-25T08:00".parse().unwrap();
        stage.sleep_until("2026-11-25T08:10");
        // Before anything was sent nobody can have got it.
        stage.input(Input::Replied(occurrence.clone(), button));
        assert_eq!(stage.facts(kind), 0);
        stage.sleep_until("2026-11-25T08:40").said.clear();
        let phone = "phone".parse().unwrap();
        assert_eq!(stage.reminder.awaited(&phone).len(), 1);
        stage.input(Input::Replied(occurrence.clone(), button));
        stage.input(Input::Replied(occurrence, button));
        assert_eq!(stage.facts(kind), 1);
        stage.said(&["08:40 withdraw 1", "08:40 recall 5"]);
    }
}

#[test]
fn slots_of_one_minute_go_out_together_and_what_was_answered_is_left_out() {
    let two =
        format!("{BASIC}then = [{PHONE}]\n{}then = [{PHONE}]\n{CHANNELS}", BASIC.replace("\"a\"", "\"b\""));
    let mut stage = Stage::new(&two, "2026-11-25T07:00");
    stage.channel_works = None;
    stage.sleep_until("2026-11-25T08:40");
    let late = "planned 08:00, 30 min ago";
    stage.said(&[
        "08:00 show 1: 2 reminders: Anise, 5 mg, with food | Anise, 5 mg, with food",
        &format!(
            "08:30 send phone 7: 2 reminders: Anise, 5 mg, with food, {late} | Anise, 5 mg, with food, {late}"
        ),
    ]);
    stage.answer(Verb::Take, "a").said.remove(0);
    let late = "planned 08:00, 40 min ago";
    stage.said(&[
        &format!("08:40 show 1: Anise: 5 mg | with food | {late}"),
        &format!("08:40 send phone 7: Anise: 5 mg | with food | {late}"),
    ]);
    stage.answer(Verb::Take, "b");
    stage.said(&["08:40 recorded d.7", "08:40 withdraw 1", "08:40 recall 7"]);
}

#[test]
fn quiet_hours_hold_channels_back_and_a_locked_screen_does_not() {
    let mut stage = Stage::new(&format!("quiet = \"08:20..08:50\"\n{}", with(PHONE)), "2026-11-25T07:00");
    stage.input(Input::Away(true));
    stage.sleep_until("2026-11-25T09:30");
    stage.said(&["08:50 send phone 3: Anise: 5 mg | with food | planned 08:00, 50 min ago"]);
    // It was asked about, if not on the desktop.
    stage.answer(Verb::Take, "a").said.clear();
    stage.sleep_until("2026-11-25T12:30").states("2026-11-25", &["a@2026-11-25T08:00 taken"]);
}

#[test]
fn a_channel_that_is_taken_out_of_the_schedule_is_let_go_of() {
    let mut stage = Stage::new(&with(PHONE), "2026-11-25T07:00");
    stage.channel_works = None;
    stage.sleep_until("2026-11-25T08:40").said.clear();
    stage.schedule(BASIC);
    stage.said(&["08:40 recall 5"]);
    stage.sleep_until("2026-11-25T09:00").said(&[]);
}
