//! Channels beyond the desktop: when they are used, and when not.

use super::*;
use crate::core::ledger::Fact;

pub(super) const CHANNELS: &str = r#"
    [[channel]]
    id = "phone"
    kind = "ntfy"
    server = "https://example.org"
    topic = "out"
    replies = "back"
    private = false

    [[channel]]
    id = "family"
    kind = "command"
    command = ["write"]
"#;

pub(super) fn with(then: &str) -> String {
    format!("{BASIC}then = [{then}]\n{CHANNELS}")
}

pub(super) const PHONE: &str = "{ after = \"30m\", channel = \"phone\" }";
const FAMILY: &str = "{ after = \"1h\", channel = \"family\" }";

#[test]
fn steps_are_taken_while_there_is_no_answer() {
    let mut stage = Stage::new(&with(&format!("{PHONE}, {FAMILY}")), "2026-11-25T07:00");
    stage.sleep_until("2026-11-25T10:00").expect(&[
        "08:00 show 1: Anise: 5 mg | with food",
        "08:30 send phone 5: Anise: 5 mg | with food | planned 08:00, 30 min ago",
        "08:30 listen to phone, since 08:29",
        "09:00 send family 7: Reminder: planned 08:00, 1h ago",
    ]);
    stage.answer(Verb::Take, "a");
    stage.expect(&["10:00 recorded d.6", "10:00 withdraw 1", "10:00 leave phone"]);
    // The day after it is answered in time.
    stage.sleep_until("2026-11-26T08:20").press(2, Button::Taken).log.clear();
    stage.sleep_until("2026-11-26T10:00").expect(&[]);
}

#[test]
fn a_step_is_done_once_whatever_comes_of_it() {
    let mut stage = Stage::new(&with(PHONE), "2026-11-25T07:00");
    stage.channel_works = Some(false);
    stage.sleep_until("2026-11-25T08:40").log.clear();
    assert_eq!(stage.facts("Undelivered"), 1);
    stage.restart();
    stage.log.clear();
    stage.sleep_until("2026-11-25T11:00").expect(&[]);
    // It is not answered and not delivered there; the desktop has asked.
    stage.sleep_until("2026-11-25T12:30").states("2026-11-25", &["a@2026-11-25T08:00 missed"]);
    // One that was on its way when the power went is sent again.
    stage.channel_works = None;
    stage.sleep_until("2026-11-26T08:40").log.clear();
    stage.channel_works = Some(true);
    stage.restart();
    assert!(stage.log.iter().any(|line| line.contains("send phone")), "{:?}", stage.log);
    stage.log.clear();
    stage.restart();
    stage.expect(&[
        // The day before's, which needs no answer any more.
        "08:40 withdraw 1",
        "08:40 listen to phone, since 08:39",
        "08:40 show 2: Anise: 5 mg | with food | planned 08:00, 40 min ago",
    ]);
}

#[test]
fn a_snooze_begins_the_steps_anew() {
    let mut stage = Stage::new(&with(PHONE), "2026-11-25T07:00");
    stage.sleep_until("2026-11-25T08:35").log.clear();
    stage.answer(Verb::Snooze, "a").log.clear();
    stage.sleep_until("2026-11-25T10:00").expect(&[
        "08:50 show 2: Anise: 5 mg | with food | planned 08:00, 50 min ago",
        "09:20 send phone 10: Anise: 5 mg | with food | planned 08:00, 1h 20m ago",
    ]);
}

#[test]
fn slots_of_one_minute_go_out_together_and_what_was_answered_is_left_out() {
    let two =
        format!("{BASIC}then = [{PHONE}]\n{}then = [{PHONE}]\n{CHANNELS}", BASIC.replace("\"a\"", "\"b\""));
    let mut stage = Stage::new(&two, "2026-11-25T07:00");
    stage.channel_works = None;
    stage.sleep_until("2026-11-25T08:40");
    let late = "planned 08:00, 30 min ago";
    stage.expect(&[
        "08:00 show 1: 2 reminders: Anise, 5 mg, with food | Anise, 5 mg, with food",
        &format!(
            "08:30 send phone 7: 2 reminders: Anise, 5 mg, with food, {late} | Anise, 5 mg, with food, {late}"
        ),
    ]);
    stage.answer(Verb::Take, "a").log.remove(0);
    let late = "planned 08:00, 40 min ago";
    stage.expect(&[
        &format!("08:40 show 1: Anise: 5 mg | with food | {late}"),
        &format!("08:40 rewrite phone 7: Anise: 5 mg | with food | {late}"),
    ]);
    stage.answer(Verb::Take, "b");
    stage.expect(&["08:40 recorded d.7", "08:40 withdraw 1", "08:40 cancel 7"]);
}

#[test]
fn what_is_on_its_way_is_finished_and_then_corrected() {
    let slots = |items: &str| -> Vec<OccurrenceId> {
        items.chars().map(|item| format!("{item}@2026-11-25T08:00").parse().unwrap()).collect()
    };
    // The channel, what is answered meanwhile, what then turns out to be out, what is recorded as delivered, and what follows.
    let correction = "08:40 send phone 7: Anise: 5 mg | with food | planned 08:00, 40 min ago";
    let rows: [(&str, &str, Option<&str>, &str, &[&str]); 7] = [
        ("phone", "", Some("ab"), "ab", &["08:40 listen to phone, since 08:39"]),
        ("phone", "a", Some("ab"), "ab", &[correction, "08:40 listen to phone, since 08:39"]),
        // It was sent as it is wanted now.
        ("phone", "a", Some("b"), "b", &["08:40 listen to phone, since 08:39"]),
        ("phone", "ab", Some("ab"), "ab", &[]),
        ("phone", "ab", None, "", &[]),
        // What cannot be replaced is not sent a second time.
        ("family", "a", Some("ab"), "ab", &[]),
        ("family", "a", Some("b"), "b", &[]),
    ];
    for (channel, answered, out, delivered, follows) in rows {
        let then = format!("then = [{{ after = \"30m\", channel = \"{channel}\" }}]\n");
        let two = format!("{BASIC}{then}{}{then}{CHANNELS}", BASIC.replace("\"a\"", "\"b\""));
        let mut stage = Stage::new(&two, "2026-11-25T07:00");
        stage.channel_works = None;
        stage.sleep_until("2026-11-25T08:40");
        for item in answered.chars() {
            stage.answer(Verb::Take, &item.to_string());
        }
        stage.log.clear();
        stage.input(out.map_or(Input::Unsent(AlertId(7)), |out| Input::Sent(AlertId(7), slots(out))));
        let recorded: Vec<OccurrenceId> = stage
            .facts
            .iter()
            .filter(
                |record| matches!(&record.fact, Fact::Delivered { channel, .. } if channel.name().is_some()),
            )
            .map(|record| record.fact.occurrence().unwrap().clone())
            .collect();
        assert_eq!(recorded, slots(delivered), "{channel} {answered} {out:?}");
        stage.expect(follows);
        // The correction is no news where it cannot be sent; and nothing comes twice.
        stage.input(Input::NotSent(AlertId(7), "refused".to_owned()));
        stage.input(Input::Sent(AlertId(7), slots("b")));
        assert_eq!(stage.facts("Undelivered"), 0);
        assert_eq!(stage.facts("Delivered"), 2 + delivered.len());
    }
}

#[test]
fn quiet_hours_hold_channels_back_and_a_locked_screen_does_not() {
    let mut stage = Stage::new(&format!("quiet = \"08:20..08:50\"\n{}", with(PHONE)), "2026-11-25T07:00");
    stage.input(Input::Away(true));
    stage.sleep_until("2026-11-25T09:30");
    stage.expect(&[
        "08:50 send phone 3: Anise: 5 mg | with food | planned 08:00, 50 min ago",
        "08:50 listen to phone, since 08:49",
    ]);
    // It was asked about, if not on the desktop.
    stage.answer(Verb::Take, "a").log.clear();
    stage.sleep_until("2026-11-25T12:30").states("2026-11-25", &["a@2026-11-25T08:00 taken"]);
}

#[test]
fn a_channel_that_is_taken_out_of_the_schedule_is_let_go_of() {
    let mut stage = Stage::new(&with(PHONE), "2026-11-25T07:00");
    stage.channel_works = None;
    stage.sleep_until("2026-11-25T08:40").log.clear();
    stage.schedule(BASIC);
    stage.expect(&["08:40 cancel 5"]);
    stage.sleep_until("2026-11-25T09:00").expect(&[]);
}

#[test]
fn what_a_clock_that_was_ahead_has_sent_is_sent_at_its_time() {
    let phone = with(PHONE);
    let mut stage = Stage::new(&phone, "2026-11-25T05:00");
    stage.at("2026-11-25T10:00").log.clear();
    stage.set_clock("2026-11-25T07:00");
    let sent = |stage: &mut Stage| {
        std::mem::take(&mut stage.log).iter().filter(|line| line.contains("send phone")).count()
    };
    stage.sleep_until("2026-11-25T08:29");
    assert_eq!(sent(&mut stage), 0);
    stage.sleep_until("2026-11-25T11:00");
    assert_eq!(sent(&mut stage), 1);
}
