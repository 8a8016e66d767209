#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::type_complexity,
    reason = "small numbers of tests"
)]

use std::collections::BTreeMap;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::*;
use crate::config;
use crate::ledger::{When, replay, timeline};
use crate::schedule::{Quantity, ZoneHistory};

/// A stage for the core: a clock that is set by hand, a journal that always works (or never), and a
/// server that always shows (or never).
struct Stage {
    reminder: Reminder,
    schedule: String,
    zone: TimeZone,
    now: Timestamp,
    facts: Vec<Record>,
    said: Vec<String>,
    journal_works: bool,
    server_works: bool,
    alerts: BTreeMap<AlertId, u32>,
    notifications: u32,
    questions: u64,
}

const BASIC: &str = r#"
    [[supplement]]
    id = "a"
    name = "Anise"
    dose = "5 mg"
    times = ["08:00"]
    with = "food"
"#;

impl Stage {
    fn new(schedule: &str, start: &str) -> Self {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let now = zone.to_timestamp(start.parse().unwrap()).unwrap();
        let reminder = Reminder::new(Plan::new(ZoneHistory::fixed(zone.clone())), Ledger::default(), now);
        let mut stage = Self {
            reminder,
            schedule: String::new(),
            zone: zone.clone(),
            now,
            facts: Vec::new(),
            said: Vec::new(),
            journal_works: true,
            server_works: true,
            alerts: BTreeMap::new(),
            notifications: 0,
            questions: 0,
        };
        stage.input(Input::Zone("Europe/Berlin".to_owned(), zone));
        stage.schedule(schedule);
        stage
    }

    fn schedule(&mut self, schedule: &str) {
        schedule.clone_into(&mut self.schedule);
        self.input(Input::Schedule(config::parse(schedule).unwrap()));
    }

    /// Ends the process as kill -9 does, and starts it again from what was recorded.
    fn restart(&mut self) {
        let mut ledger = Ledger::default();
        for record in &self.facts {
            ledger.fold(record.clone());
        }
        let plan = replay(&ledger, ledger.zone_history(&self.zone), |_, definition| {
            Some(config::parse_definition(definition).unwrap())
        });
        self.reminder = Reminder::new(plan, ledger, self.now);
        self.alerts.clear();
        let schedule = config::parse(&self.schedule).unwrap();
        let zone = self.zone.clone();
        self.input(Input::Started { zone_name: zone.iana_name().unwrap().to_owned(), zone, schedule });
    }

    fn at(&mut self, local: &str) -> &mut Self {
        let local: DateTime = local.parse().unwrap();
        self.now = self.zone.to_timestamp(local).unwrap();
        self.input(Input::Tick);
        self
    }

    /// Lets time pass as the agenda does, from deadline to deadline.
    fn sleep_until(&mut self, local: &str) -> &mut Self {
        let end = self.zone.to_timestamp(local.parse::<DateTime>().unwrap()).unwrap();
        while let Some(next) = self.reminder.next_deadline().filter(|next| *next <= end) {
            assert!(next >= self.now, "a deadline in the past: {next}");
            self.now = next;
            self.input(Input::Tick);
            assert!(self.reminder.next_deadline().is_none_or(|after| after > next), "the deadline stays");
        }
        self.now = end;
        self.input(Input::Tick);
        self
    }

    fn input(&mut self, input: Input) {
        let mut queue = std::collections::VecDeque::from(self.reminder.handle(self.now, input));
        while let Some(action) = queue.pop_front() {
            let next = match action {
                Action::Record(token, fact) if self.journal_works => {
                    let seq = self.facts.len() as u64 + 1;
                    let record =
                        Record { id: FactId { device: "d".into(), seq }, recorded_at: self.now, fact };
                    self.facts.push(record.clone());
                    Some(Input::Recorded(token, record))
                }
                Action::Record(token, _) => Some(Input::NotRecorded(token, "disk full".to_owned())),
                Action::Reply(_, outcome) => {
                    self.say(&match outcome {
                        Outcome::Recorded(record) => format!("recorded {}", record.id),
                        Outcome::Repeated(record) => format!("repeated {}", record.id),
                        Outcome::Refused(refusal) => format!("refused: {refusal}"),
                    });
                    None
                }
                Action::Show(notice) if self.server_works => {
                    let number = *self.alerts.entry(notice.alert).or_insert_with(|| {
                        self.notifications += 1;
                        self.notifications
                    });
                    self.say(&format!("show {number}: {}: {}", notice.title, notice.body.join(" | ")));
                    let place = Place { notification: number, server: Some("peer".into()) };
                    Some(Input::Shown(notice.alert, place))
                }
                Action::Show(notice) => Some(Input::NotShown(notice.alert, "no server".to_owned())),
                Action::Adopt(alert, place) => {
                    self.alerts.insert(alert, place.notification);
                    None
                }
                Action::Withdraw(alert) => {
                    let number = self.alerts[&alert];
                    self.say(&format!("withdraw {number}"));
                    None
                }
                Action::Announce(notice) => {
                    self.say(&format!("announce: {}", notice.title));
                    None
                }
            };
            if let Some(next) = next {
                queue.extend(self.reminder.handle(self.now, next));
            }
        }
    }

    fn say(&mut self, what: &str) {
        let clock = self.zone.to_datetime(self.now).strftime("%H:%M");
        self.said.push(format!("{clock} {what}"));
    }

    fn answer(&mut self, verb: Verb, target: &str) -> &mut Self {
        self.answer_with(verb, target, |_| {})
    }

    fn answer_with(&mut self, verb: Verb, target: &str, change: impl FnOnce(&mut Answer)) -> &mut Self {
        let target = match target.parse() {
            Ok(occurrence) => Target::Occurrence(occurrence),
            Err(_) => Target::Item(target.parse().unwrap()),
        };
        let mut answer = Answer::new(verb, target);
        change(&mut answer);
        self.questions += 1;
        let request = RequestId(self.questions);
        self.input(Input::Answer { request, answer, context: Vec::new() });
        self
    }

    fn press(&mut self, number: u32, button: Button) -> &mut Self {
        let alert = *self.alerts.iter().find(|(_, known)| **known == number).unwrap().0;
        self.input(Input::Pressed(alert, button));
        self
    }

    /// Compares what was said since the last call.
    #[track_caller]
    fn said(&mut self, expected: &[&str]) -> &mut Self {
        assert_eq!(std::mem::take(&mut self.said), expected);
        self
    }

    /// Compares the states of a day's occurrences.
    #[track_caller]
    fn states(&mut self, day: &str, expected: &[&str]) -> &mut Self {
        let midnight = format!("{day}T00:00").parse::<DateTime>().unwrap();
        let from = self.zone.to_timestamp(midnight).unwrap();
        let until = self.zone.to_timestamp(midnight.checked_add(jiff::Span::new().days(1)).unwrap()).unwrap();
        let lines = timeline(self.reminder.plan(), self.reminder.ledger(), None, from, until, self.now);
        let got: Vec<String> = lines
            .iter()
            .map(|line| format!("{} {}", line.planned.occurrence.id, line.standing.state))
            .collect();
        assert_eq!(got, expected);
        self
    }

    fn facts(&self, name: &str) -> usize {
        self.facts.iter().filter(|record| format!("{:?}", record.fact).starts_with(name)).count()
    }
}

#[test]
fn a_reminder_is_shown_once_and_taken_down_when_its_grace_is_over() {
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage
        .sleep_until("2026-11-25T13:00")
        .said(&["08:00 show 1: Anise: 5 mg | with food", "12:00 withdraw 1"]);
    stage.states("2026-11-25", &["a@2026-11-25T08:00 missed"]);
    assert_eq!(stage.facts("Delivered"), 1);
}

#[test]
fn calling_too_often_does_nothing() {
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").said(&["08:00 show 1: Anise: 5 mg | with food"]);
    for input in [Input::Tick, Input::ClockChanged, Input::Tick] {
        stage.input(input);
    }
    stage.said(&[]);
}

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
fn a_snooze_fires_at_its_time_and_survives_a_kill() {
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").press(1, Button::Snooze);
    stage.said(&["08:00 show 1: Anise: 5 mg | with food", "08:00 withdraw 1"]);
    stage.restart();
    // In case the kill came between the answer and the screen.
    stage.said(&["08:00 withdraw 1"]);
    stage.sleep_until("2026-11-25T08:14").said(&[]);
    stage
        .sleep_until("2026-11-25T08:20")
        .said(&["08:15 show 2: Anise: 5 mg | with food | planned 08:00, 15 min ago"]);
    stage.restart();
    stage.said(&["08:20 show 2: Anise: 5 mg | with food | planned 08:00, 20 min ago"]);
    stage.sleep_until("2026-11-25T09:00").said(&[]);
}

#[test]
fn a_snooze_near_the_end_of_the_grace_still_leaves_time_to_answer() {
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.at("2026-11-25T11:50").answer_with(Verb::Snooze, "a", |answer| {
        answer.length = Some(SignedDuration::from_mins(30));
    });
    stage.sleep_until("2026-11-25T14:00");
    stage.said(&[
        "11:50 show 1: Anise: 5 mg | with food | planned 08:00, 3h 50m ago",
        "11:50 recorded d.4",
        "11:50 withdraw 1",
        "12:20 show 2: Anise: 5 mg | with food | planned 08:00, 4h 20m ago",
        "13:20 withdraw 2",
    ]);
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
fn slots_of_one_minute_are_one_notification() {
    let two = format!("{BASIC}\n[[supplement]]\nid = \"b\"\nname = \"Basil\"\ntimes = [\"08:00\"]\n");
    let mut stage = Stage::new(&two, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").said(&["08:00 show 1: 2 reminders: Anise, 5 mg, with food | Basil"]);
    stage.answer(Verb::Take, "a").said(&["08:00 recorded d.6", "08:00 show 1: Basil: "]);
    stage.answer(Verb::Take, "b").said(&["08:00 recorded d.7", "08:00 withdraw 1"]);
    assert_eq!(stage.facts("Delivered"), 2);
}

#[test]
fn ten_days_off_make_one_bundle_and_lose_no_slot() {
    let two = format!("{BASIC}\n[[habit]]\nid = \"b\"\ntimes = [\"09:00\", \"21:00\"]\n");
    let mut stage = Stage::new(&two, "2026-11-10T22:00");
    stage.at("2026-11-20T09:30");
    stage.said(&["09:30 show 1: 2 reminders: Anise, 5 mg, with food, planned 08:00, 1h 30m ago | b, planned 09:00, 30 min ago"]);
    stage.states(
        "2026-11-15",
        &["a@2026-11-15T08:00 unknown", "b@2026-11-15T09:00 unknown", "b@2026-11-15T21:00 unknown"],
    );
}

#[test]
fn what_cannot_be_shown_is_told_once_and_tried_again() {
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.server_works = false;
    stage.sleep_until("2026-11-25T09:00").said(&["08:00 announce: Anise"]);
    assert_eq!((stage.facts("Undelivered"), stage.facts("Delivered")), (1, 0));
    stage.server_works = true;
    stage.input(Input::ServerAppeared);
    stage.said(&["09:00 show 1: Anise: 5 mg | with food | planned 08:00, 1h ago"]);
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
    stage.said(&["08:00 show 1: Anise: 5 mg | with food", "08:00 show 1: Anise: 5 mg | with food"]);
    assert_eq!(stage.facts("Delivered"), 1);
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
    let replies = stage.reminder.handle(stage.now, Input::Recorded(*token, record));
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
fn editing_the_schedule_never_changes_the_past() {
    let mut stage = Stage::new(BASIC, "2026-11-24T07:00");
    stage.sleep_until("2026-11-24T08:10").press(1, Button::Taken);
    stage.sleep_until("2026-11-25T08:30").said.clear();
    // 08:00 is open when it is moved to 10:00: its reminder goes, and it counts as excused.
    stage.schedule(&BASIC.replace("08:00", "10:00"));
    stage.said(&["08:30 withdraw 2"]);
    stage.sleep_until("2026-11-25T10:00").said(&["10:00 show 3: Anise: 5 mg | with food"]);
    stage.states("2026-11-24", &["a@2026-11-24T08:00 taken"]);
    stage.states("2026-11-25", &["a@2026-11-25T08:00 excused", "a@2026-11-25T10:00 due"]);
    // A note changes nothing about an open slot.
    stage.schedule(&BASIC.replace("08:00", "10:00").replace("food", "water"));
    stage.said(&[]).states("2026-11-25", &["a@2026-11-25T08:00 excused", "a@2026-11-25T10:00 due"]);
    stage.restart();
    stage.states("2026-11-24", &["a@2026-11-24T08:00 taken"]);
    stage.states("2026-11-25", &["a@2026-11-25T08:00 excused", "a@2026-11-25T10:00 due"]);
}

#[test]
fn an_edit_of_a_note_keeps_the_rhythm() {
    let every_other = "[[supplement]]\nid = \"a\"\nevery = \"2 days\"\ntimes = [\"08:00\"]\n";
    let mut stage = Stage::new(every_other, "2026-11-24T07:00");
    stage.at("2026-11-25T07:00").schedule(&format!("{every_other}note = \"x\"\n"));
    let next = stage.reminder.plan().next_after(&"a".parse().unwrap(), &[], stage.now).unwrap();
    assert_eq!(next.occurrence.id.to_string(), "a@2026-11-26T08:00");
}

#[test]
fn a_clock_set_back_fires_nothing_again() {
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").said.clear();
    stage.now = stage.zone.to_timestamp("2026-11-25T07:30".parse::<DateTime>().unwrap()).unwrap();
    stage.input(Input::ClockChanged);
    stage.sleep_until("2026-11-25T08:30").said(&[]);
}

#[test]
fn a_flight_neither_doubles_nor_drops_a_morning() {
    let mut stage = Stage::new(BASIC, "2026-05-31T09:00");
    stage.sleep_until("2026-06-01T08:00").press(1, Button::Taken);
    stage.said.clear();
    let fly = |stage: &mut Stage, local: &str, name: &str| {
        stage.sleep_until(local);
        stage.zone = TimeZone::get(name).unwrap();
        stage.input(Input::Zone(name.to_owned(), stage.zone.clone()));
    };
    fly(&mut stage, "2026-06-01T14:00", "America/New_York");
    stage.sleep_until("2026-06-01T23:00").said(&[]);
    stage.sleep_until("2026-06-02T08:00").press(2, Button::Taken);
    stage.said(&["08:00 show 2: Anise: 5 mg | with food", "08:00 withdraw 2"]);
    // 03:00 in New York is 09:00 in Berlin: that morning's slot is due on landing.
    fly(&mut stage, "2026-06-03T03:00", "Europe/Berlin");
    stage.said(&["09:00 show 3: Anise: 5 mg | with food"]);
}

#[test]
fn late_miss_lets_go_of_what_was_slept_through() {
    let schedule = format!("{BASIC}    late = \"miss\"\n");
    let mut stage = Stage::new(&schedule, "2026-11-25T07:00");
    stage.at("2026-11-25T09:00").said(&[]).sleep_until("2026-11-25T13:00").said(&[]);
    stage.states("2026-11-25", &["a@2026-11-25T08:00 unknown"]);
    stage.sleep_until("2026-11-26T08:00").said(&["08:00 show 1: Anise: 5 mg | with food"]);
}

#[test]
fn it_asks_again_in_place_until_the_bound() {
    let schedule = format!("{BASIC}    again = {{ every = \"15m\", at-most = 2 }}\n");
    let mut stage = Stage::new(&schedule, "2026-11-25T07:00");
    stage.sleep_until("2026-11-25T11:00").said(&[
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
    stage.sleep_until("2027-03-05T10:00").said(&[
        "09:00 show 1: DEXA: Mon 1 Mar, 09:00",
        "09:00 show 1: DEXA: Mon 1 Mar, 09:00",
        "09:00 show 1: DEXA: ",
    ]);
    stage.answer(Verb::Take, "dexa");
    let next = stage.reminder.plan().next_after(
        &"dexa".parse().unwrap(),
        &stage.reminder.ledger().intakes(&"dexa".parse().unwrap()),
        stage.now,
    );
    assert_eq!(next.unwrap().occurrence.id.to_string(), "dexa@2028-03-05T09:00");
}

#[test]
fn a_pause_excuses_and_a_resume_goes_on() {
    let mut stage = Stage::new(BASIC, "2026-11-24T07:00");
    let until = stage.zone.to_timestamp("2026-11-26T00:00".parse::<DateTime>().unwrap()).unwrap();
    stage.input(Input::Pause { request: RequestId(1), item: None, until: Some(until), reason: None });
    stage.sleep_until("2026-11-26T08:00");
    stage.said(&["07:00 recorded d.3", "08:00 show 1: Anise: 5 mg | with food"]);
    stage.states("2026-11-24", &["a@2026-11-24T08:00 excused"]);
    stage.states("2026-11-25", &["a@2026-11-25T08:00 excused"]);
    stage.input(Input::Pause {
        request: RequestId(2),
        item: Some("a".parse().unwrap()),
        until: None,
        reason: None,
    });
    stage.at("2026-11-27T07:00").input(Input::Resume { request: RequestId(3), item: None });
    stage.said.clear();
    stage.sleep_until("2026-11-27T08:00").said(&["08:00 show 2: Anise: 5 mg | with food"]);
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

#[test]
fn private_items_show_no_names() {
    let mut stage = Stage::new(&format!("private = true\n{BASIC}"), "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").said(&["08:00 show 1: Reminder: "]);
}

#[test]
fn what_a_killed_daemon_left_on_the_screen_is_taken_over() {
    let two = format!("{BASIC}\n[[supplement]]\nid = \"b\"\nname = \"Basil\"\ntimes = [\"08:05\"]\n");
    let mut stage = Stage::new(&two, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").at("2026-11-25T08:05");
    stage.answer(Verb::Take, "b").said.clear();
    stage.restart();
    // In its place, not beside it; and what was answered is taken down, in case it still stood.
    stage.said(&["08:05 show 1: Anise: 5 mg | with food | planned 08:00, 5 min ago", "08:05 withdraw 2"]);
    stage
        .press(1, Button::Taken)
        .states("2026-11-25", &["a@2026-11-25T08:00 taken", "b@2026-11-25T08:05 taken"]);
    assert_eq!(stage.facts("Delivered"), 2);
    // One that the person closed has been seen.
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00");
    stage.input(Input::Closed(*stage.alerts.keys().next().unwrap(), crate::ledger::CloseReason::Dismissed));
    stage.said.clear();
    stage.restart();
    stage.said(&[]);
    // One whose grace was over meanwhile asks nothing any more.
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").said.clear();
    stage.now = stage.zone.to_timestamp("2026-11-25T13:00".parse::<DateTime>().unwrap()).unwrap();
    stage.restart();
    stage.said(&["13:00 withdraw 1"]);
}

#[test]
fn a_reminder_that_was_let_go_on_its_way_to_the_screen_is_taken_down() {
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").said.clear();
    let alert = *stage.alerts.keys().next().unwrap();
    stage.input(Input::Closed(alert, crate::ledger::CloseReason::Dismissed));
    stage.input(Input::Shown(alert, Place { notification: 1, server: None }));
    stage.said(&["08:00 withdraw 1"]);
}

#[test]
fn a_snooze_after_the_clock_was_set_back_is_the_newest() {
    let mut stage = Stage::new(BASIC, "2026-11-25T07:00");
    stage.at("2026-11-25T11:00").press(1, Button::Snooze);
    stage.now = stage.zone.to_timestamp("2026-11-25T08:30".parse::<DateTime>().unwrap()).unwrap();
    stage.input(Input::ClockChanged);
    stage.answer(Verb::Snooze, "a@2026-11-25T08:00").said.clear();
    stage.sleep_until("2026-11-25T08:45");
    stage.said(&["08:45 show 2: Anise: 5 mg | with food | planned 08:00, 45 min ago"]);
}

#[test]
fn what_comes_due_in_quiet_hours_waits_for_their_end_or_half_of_its_grace() {
    let quiet = |time: &str| format!("quiet = \"22:00..07:00\"\n{}", BASIC.replace("08:00", time));
    let mut stage = Stage::new(&quiet("06:30"), "2026-11-25T05:00");
    stage.sleep_until("2026-11-25T09:00");
    stage.said(&["07:00 show 1: Anise: 5 mg | with food | planned 06:30, 30 min ago"]);
    let mut stage = Stage::new(&quiet("23:00"), "2026-11-25T12:00");
    stage.sleep_until("2026-11-26T02:00");
    stage.said(&["01:00 show 1: Anise: 5 mg | with food | planned Wed 25 Nov, 23:00"]);
    // Quiet hours that are taken out of the schedule hold nothing back any more.
    let mut stage = Stage::new(&quiet("06:30"), "2026-11-25T05:00");
    stage.sleep_until("2026-11-25T06:40").said(&[]);
    stage.schedule(&BASIC.replace("08:00", "06:30"));
    stage.said(&["06:40 show 1: Anise: 5 mg | with food | planned 06:30, 10 min ago"]);
}

#[test]
fn the_button_snoozes_as_long_as_the_schedule_says() {
    let mut stage = Stage::new(&format!("snooze = \"30m\"\n{BASIC}"), "2026-11-25T07:00");
    stage.at("2026-11-25T08:00").press(1, Button::Snooze).said.clear();
    stage.sleep_until("2026-11-25T08:40");
    stage.said(&["08:30 show 2: Anise: 5 mg | with food | planned 08:00, 30 min ago"]);
}
