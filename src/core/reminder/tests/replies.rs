//! Answers that come back by a channel: which count, and as of when.

use super::escalation::{PHONE, with};
use super::*;
use crate::core::ledger::Fact;

const SLOT: &str = "a@2026-11-25T08:00";

impl Stage {
    fn instant(&self, local: &str) -> Timestamp {
        self.zone.to_timestamp(local.parse::<DateTime>().unwrap()).unwrap()
    }

    /// A button is pressed on a phone at a time by its server's clock, and heard now.
    fn reply(&mut self, nonce: &str, button: Button, pressed: &str) -> &mut Self {
        let at = self.instant(pressed);
        let occurrence: OccurrenceId = SLOT.parse().unwrap();
        let key = format!("{button:?} {occurrence} {nonce}");
        let (channel, nonce) = ("phone".parse().unwrap(), nonce.to_owned());
        self.input(Input::Replied(DeliveryReply { channel, occurrence, nonce, button, at, key }));
        self
    }

    /// The newest answer is taken back.
    fn undo(&mut self) -> &mut Self {
        let fact = self.facts.iter().rev().find(|record| record.fact.is_answer()).unwrap().id.clone();
        self.questions += 1;
        let request = RequestId(self.questions);
        self.input(Input::Retract { request, fact, reason: None, key: None });
        self
    }

    /// Returns what was answered, each as `Intake 08:31`.
    fn answers(&self) -> Vec<String> {
        let answers = self.facts.iter().filter(|record| record.fact.is_answer());
        answers
            .map(|record| {
                let kind = format!("{:?}", record.fact);
                let at = self.zone.to_datetime(record.instant()).strftime("%H:%M");
                format!("{} {at}", kind.split(' ').next().unwrap())
            })
            .collect()
    }
}

/// Returns a stage on which a reminder went to the phone at half past eight; its grace ends at twelve.
fn sent() -> (Stage, String) {
    let mut stage = Stage::new(&with(PHONE), "2026-11-25T07:00");
    stage.sleep_until("2026-11-25T08:40").log.clear();
    let nonce = stage.nonces.last().unwrap().clone();
    (stage, nonce)
}

#[test]
fn a_delivery_has_a_nonce_that_no_other_has() {
    let two = with(&format!("{PHONE}, {{ after = \"1h\", channel = \"phone\" }}"));
    let mut stage = Stage::new(&two, "2026-11-25T07:00");
    stage.sleep_until("2026-11-26T10:00");
    let recorded: Vec<_> = stage
        .facts
        .iter()
        .filter_map(|record| match &record.fact {
            Fact::Delivered { channel, nonce, .. } => Some((channel.name().is_some(), nonce.clone())),
            _ => None,
        })
        .collect();
    let of_phone: Vec<_> = recorded.iter().filter(|(is_phone, _)| *is_phone).collect();
    assert_eq!(of_phone.len(), 4);
    assert!(recorded.iter().all(|(is_phone, nonce)| *is_phone == nonce.is_some()));
    let distinct: std::collections::BTreeSet<_> = of_phone.iter().map(|(_, nonce)| nonce).collect();
    assert_eq!(distinct.len(), 4);
    assert_eq!(stage.nonces.len(), 4);
}

#[test]
fn an_answer_counts_as_of_when_it_was_given() {
    // When it is heard, what was pressed and when, and what is recorded.
    let rows = [
        ("08:41", Button::Taken, "08:41", "Intake 08:41"),
        ("08:41", Button::Skip, "08:41", "Skip 08:41"),
        ("08:41", Button::Snooze, "08:41", "Snooze 08:41"),
        // Heard late: it was in time.
        ("11:30", Button::Taken, "08:45", "Intake 08:45"),
        ("17:00", Button::Taken, "08:45", "Intake 08:45"),
        ("17:00", Button::Taken, "11:59", "Intake 11:59"),
        ("17:00", Button::Skip, "08:45", "Skip 08:45"),
        // Pressed too late, or a snooze that is long over.
        ("12:01", Button::Taken, "12:00", ""),
        ("17:00", Button::Taken, "16:00", ""),
        ("17:00", Button::Snooze, "08:45", ""),
        // The clocks disagree: not before it was sent, and not ahead of now.
        ("08:41", Button::Taken, "08:10", "Intake 08:30"),
        ("08:41", Button::Taken, "08:42", "Intake 08:41"),
        ("08:41", Button::Taken, "08:43", "Intake 08:41"),
        ("08:41", Button::Taken, "08:44", ""),
    ];
    for (heard, button, pressed, expected) in rows {
        for restarts in [false, true] {
            let (mut stage, nonce) = sent();
            stage.sleep_until(&format!("2026-11-25T{heard}"));
            if restarts {
                stage.restart();
            }
            let before = stage.reminder.unanswered_deliveries(&"phone".parse().unwrap());
            assert_eq!(before, [(SLOT.parse().unwrap(), nonce.clone())]);
            stage.reply(&nonce, button, &format!("2026-11-25T{pressed}"));
            let expected: Vec<&str> = (!expected.is_empty()).then_some(expected).into_iter().collect();
            assert_eq!(stage.answers(), expected, "{heard} {button:?} {pressed} {restarts}");
        }
    }
}

#[test]
fn what_was_missed_becomes_taken() {
    let (mut stage, nonce) = sent();
    stage.sleep_until("2026-11-25T17:00").states("2026-11-25", &[&format!("{SLOT} missed")]);
    stage.reply(&nonce, Button::Taken, "2026-11-25T09:00");
    stage.states("2026-11-25", &[&format!("{SLOT} taken")]);
}

#[test]
fn an_answer_counts_once_and_never_against_a_later_word() {
    let (mut stage, nonce) = sent();
    stage.reply(&nonce, Button::Taken, "2026-11-25T08:40");
    stage.reply(&nonce, Button::Taken, "2026-11-25T08:40");
    assert_eq!(stage.answers(), ["Intake 08:40"]);
    stage.sleep_until("2026-11-25T08:50").undo();
    // From the server's cache, before and after a restart; and by somebody who saw it.
    for pressed in ["08:40", "08:55"] {
        for _ in 0..2 {
            stage.sleep_until("2026-11-25T08:56").reply(
                &nonce,
                Button::Taken,
                &format!("2026-11-25T{pressed}"),
            );
            stage.states("2026-11-25", &[&format!("{SLOT} due")]);
            stage.restart();
        }
    }
    // What was pressed before the undo and heard after it.
    stage.reply(&nonce, Button::Skip, "2026-11-25T08:50").states("2026-11-25", &[&format!("{SLOT} due")]);
    // A mind that was changed after it counts.
    stage.reply(&nonce, Button::Skip, "2026-11-25T08:51").states("2026-11-25", &[&format!("{SLOT} skipped")]);
}

#[test]
fn an_answer_that_was_given_meanwhile_counts_before_one_that_is_heard_late() {
    let (mut stage, nonce) = sent();
    stage.answer(Verb::Snooze, "a");
    // Pressed before the snooze.
    stage.reply(&nonce, Button::Skip, "2026-11-25T08:39");
    assert_eq!(stage.answers(), ["Snooze 08:40"]);
    // Taken while it is snoozed.
    stage.sleep_until("2026-11-25T08:45").reply(&nonce, Button::Taken, "2026-11-25T08:44");
    assert_eq!(stage.answers(), ["Snooze 08:40", "Intake 08:44"]);
    // And nothing against that, though its time is later.
    stage.reply(&nonce, Button::Skip, "2026-11-25T08:45");
    assert_eq!(stage.answers().len(), 2);
}

#[test]
fn an_answer_is_to_what_was_sent() {
    let mut stage = Stage::new(&with(PHONE), "2026-11-25T07:00");
    // Before anything was sent nobody can have got it.
    stage.sleep_until("2026-11-25T08:10").reply("1", Button::Taken, "2026-11-25T08:10");
    stage.sleep_until("2026-11-25T08:40").reply("1", Button::Taken, "2026-11-25T08:40");
    assert_eq!(stage.answers(), [""; 0]);
    // A message can be out before its server has said so.
    let mut stage = Stage::new(&with(PHONE), "2026-11-25T07:00");
    stage.channel_works = None;
    stage.sleep_until("2026-11-25T08:40");
    let nonce = stage.nonces[0].clone();
    stage.reply(&nonce, Button::Taken, "2026-11-25T08:31");
    assert_eq!(stage.answers(), ["Intake 08:31"]);
}

#[test]
fn a_channel_is_listened_to_while_an_answer_counts() {
    let (mut stage, nonce) = sent();
    stage.restart();
    stage.expect(&[
        "08:40 listen to phone, since 08:29",
        "08:40 show 1: Anise: 5 mg | with food | planned 08:00, 40 min ago",
    ]);
    stage.answer(Verb::Snooze, "a").expect(&["08:40 recorded d.5", "08:40 withdraw 1"]);
    stage.sleep_until("2026-11-25T08:41");
    stage.reply(&nonce, Button::Taken, "2026-11-25T08:41").expect(&["08:41 leave phone"]);
    stage.undo().expect(&["08:41 recorded d.7", "08:41 listen to phone, since 08:29"]);
    // It closes without an answer, and one may be on its way.
    stage.sleep_until("2026-11-26T07:00").log.retain(|line| !line.contains("Anise"));
    stage.expect(&["12:00 withdraw 2", "12:00 leave phone", "12:00 ask phone, since 08:29"]);
    stage.restart();
    stage.expect(&["07:00 withdraw 2", "07:00 ask phone, since 08:29"]);
    // After a long sleep too.
    let (mut stage, _) = sent();
    stage.now = stage.instant("2026-11-28T08:00");
    stage.input(Input::ClockChanged);
    stage.log.retain(|line| line.contains("ask"));
    stage.expect(&["08:00 ask phone, since 08:29"]);
}
