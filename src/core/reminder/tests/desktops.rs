//! What desktops do with reminders beside showing them, and what nobody may have seen.

use super::*;
use crate::core::reminder::DesktopTraits;

const SHOWN: &str = "08:00 show 1: Anise: 5 mg | with food";

/// A desktop that hides reminders, and keeps a few.
const HIDING: DesktopTraits = DesktopTraits { keeps_in_sight: false, most_alerts: Some(2), lines: Some(6) };

impl Stage {
    fn close(&mut self, number: u32, reason: CloseReason) -> &mut Self {
        let alert = *self.alerts.iter().find(|(_, known)| **known == number).unwrap().0;
        self.alerts.remove(&alert);
        self.input(Input::Closed(alert, reason));
        self
    }

    fn away(&mut self, away: bool) -> &mut Self {
        self.input(Input::Away(away));
        self
    }
}

fn again(value: &str) -> String {
    format!("{BASIC}    again = {value}\n")
}

#[test]
fn a_reminder_that_the_server_drops_is_offered_again_with_growing_waits() {
    for reason in [CloseReason::Expired, CloseReason::Undefined] {
        let mut stage = Stage::new(&again("false"), "2026-11-25T07:00");
        stage.at("2026-11-25T08:00").close(1, reason);
        stage.sleep_until("2026-11-25T08:04:59").expect(&[SHOWN]);
        stage.sleep_until("2026-11-25T08:05");
        stage.expect(&["08:05 show 2: Anise: 5 mg | with food | planned 08:00, 5 min ago"]);
        stage.close(2, reason).sleep_until("2026-11-25T08:14:59").expect(&[]);
        // The wait has doubled, also for a daemon that was started anew.
        stage.restart();
        stage.expect(&[]);
        stage.sleep_until("2026-11-25T08:15");
        stage.expect(&["08:15 show 3: Anise: 5 mg | with food | planned 08:00, 15 min ago"]);
        stage.sleep_until("2026-11-25T13:00").expect(&["12:00 withdraw 3"]);
    }
}

#[test]
fn what_the_person_closed_was_seen() {
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").close(1, CloseReason::Dismissed);
    stage.sleep_until("2026-11-25T13:00").expect(&[SHOWN]);
    stage.states("2026-11-25", &["a@2026-11-25T08:00 missed"]);
}

#[test]
fn what_is_dropped_joins_what_is_there_and_waits_for_a_person_who_is_away() {
    let two = format!("{BASIC}\n[[supplement]]\nid = \"b\"\nname = \"Basil\"\ntimes = [\"08:02\"]\n");
    let mut stage = Stage::new(&two, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").at("2026-11-25T08:02").close(1, CloseReason::Expired).away(true).log.clear();
    stage.sleep_until("2026-11-25T08:40").expect(&[]);
    stage.away(false);
    stage.expect(&["08:40 show 2: 2 reminders: Anise, 5 mg, with food, planned 08:00, 40 min ago | Basil, planned 08:02, 38 min ago"]);
}

#[test]
fn a_click_that_closes_a_reminder_is_no_answer() {
    for reason in [CloseReason::Dismissed, CloseReason::Undefined] {
        let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
        // Some servers report one click several times.
        stage.at("2026-11-25T08:00").press(1, Button::Open).press(1, Button::Open).close(1, reason);
        stage.expect(&[SHOWN, "08:00 open"]);
        stage.sleep_until("2026-11-25T08:02").expect(&["08:01 show 2: Anise: 5 mg | with food"]);
        stage.press(2, Button::Open).close(2, reason).answer(Verb::Take, "a").log.clear();
        stage.sleep_until("2026-11-25T13:00").expect(&[]);
    }
}

#[test]
fn where_reminders_are_hidden_they_come_three_times_more_over_their_grace() {
    let times = |stage: &Stage| -> Vec<String> {
        stage.log.iter().map(|line| line.split(": ").next().unwrap().to_owned()).collect()
    };
    for (schedule, expected) in [
        (BASIC.to_owned(), &["08:00 show 1", "09:00 show 1", "10:00 show 1", "11:00 show 1"][..]),
        (again("false"), &["08:00 show 1"]),
        (again("{ every = \"15m\", at-most = 1 }"), &["08:00 show 1", "08:15 show 1"]),
    ] {
        let mut stage = Stage::new(&schedule, "2026-11-25T07:00");
        stage.input(Input::Desktop(HIDING));
        stage.sleep_until("2026-11-25T11:59");
        assert_eq!(times(&stage), expected, "{schedule}");
    }
    // That one does is seen when it closes one by itself.
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").close(1, CloseReason::Expired).sleep_until("2026-11-25T11:59");
    assert_eq!(
        times(&stage),
        ["08:00 show 1", "08:05 show 2", "09:00 show 2", "10:00 show 2", "11:00 show 2"]
    );
    // Not while the person is away: the first waits for half of its grace, and the rest for them.
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.input(Input::Desktop(HIDING));
    stage.away(true).sleep_until("2026-11-25T11:30");
    assert_eq!(times(&stage), ["10:00 show 1"]);
    stage.away(false);
    assert_eq!(times(&stage), ["10:00 show 1", "11:30 show 1"]);
}

#[test]
fn a_desktop_that_keeps_few_gets_one_more_on_the_newest() {
    let item = |id: &str, time: &str| {
        format!("[[supplement]]\nid = \"{id}\"\ntimes = [\"{time}\"]\nagain = false\n")
    };
    let items = [("a", "08:00"), ("b", "08:01"), ("c", "08:02"), ("d", "08:03")];
    let schedule: String = items.iter().map(|(id, time)| item(id, time)).collect();
    let mut stage = Stage::new(&schedule, "2026-11-25T07:00");
    stage.input(Input::Desktop(HIDING));
    stage.sleep_until("2026-11-25T08:03").expect(&[
        "08:00 show 1: a: ",
        "08:01 show 2: b: ",
        "08:02 show 2: 2 reminders: b | c",
        "08:03 show 2: 3 reminders: b | c | d",
    ]);
}

#[test]
fn what_was_shown_while_the_person_was_away_is_shown_again_and_asked_nobody() {
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.away(true).sleep_until("2026-11-25T13:00");
    stage.expect(&["10:00 show 1: Anise: 5 mg | with food | planned 08:00, 2h ago", "12:00 withdraw 1"]);
    stage.states("2026-11-25", &["a@2026-11-25T08:00 unknown"]);
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.away(true).sleep_until("2026-11-25T11:00").log.clear();
    stage.away(false).expect(&["11:00 show 1: Anise: 5 mg | with food | planned 08:00, 3h ago"]);
    // Once: they come and go.
    stage.away(true).away(false).expect(&[]);
    assert_eq!(stage.facts("Delivered"), 2);
    stage.sleep_until("2026-11-25T13:00").states("2026-11-25", &["a@2026-11-25T08:00 missed"]);
    // What they saw before stays seen.
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").away(true).at("2026-11-25T09:00").away(false).expect(&[SHOWN]);
    stage.sleep_until("2026-11-25T13:00").states("2026-11-25", &["a@2026-11-25T08:00 missed"]);
}

#[test]
fn what_went_with_a_server_that_is_started_on_demand_is_shown_on_the_next_one() {
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.input(Input::ServerVanished);
    assert_eq!(stage.reminder.retry_at(), None, "nothing was on the screen");
    stage.at("2026-11-25T08:00").input(Input::ServerVanished);
    stage.sleep_until("2026-11-25T08:00:04").expect(&[SHOWN]);
    stage.sleep_until("2026-11-25T08:00:05").expect(&["08:00 show 2: Anise: 5 mg | with food"]);
}
