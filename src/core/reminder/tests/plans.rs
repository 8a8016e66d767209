//! Plans over time: what an edit, a correction or a removal does to the slots of the day, and what a rule counts from afterwards.

use super::*;

/// Returns a schedule of the item `a` with these keys; an empty text is a schedule without it.
fn item(keys: &str) -> String {
    let other = "[[habit]]\nid = \"z\"\ntimes = [\"23:59\"]\n\n";
    if keys.is_empty() { other.to_owned() } else { format!("{other}[[supplement]]\nid = \"a\"\n{keys}\n") }
}

/// Plays steps such as `25T08:10 take`, in November 2026, and compares the states of the item in a range of days.
#[track_caller]
fn check(keys: &str, start: &str, steps: &[&str], days: (&str, &str), expected: &[&str]) {
    let mut stage = Stage::new(&item(keys), &format!("2026-11-{start}"));
    for step in steps {
        let (time, what) = step.split_once(' ').unwrap();
        stage.sleep_until(&format!("2026-11-{time}"));
        play(&mut stage, what);
    }
    let instant = |day: &str| {
        let midnight = format!("2026-11-{day}T00:00").parse::<DateTime>().unwrap();
        stage.zone.to_timestamp(midnight).unwrap()
    };
    let a: ItemId = "a".parse().unwrap();
    let (from, until) = (instant(days.0), instant(days.1));
    let now = stage.now;
    let states = |reminder: &Reminder| -> Vec<String> {
        timeline(reminder.plan(), reminder.ledger(), Some(&a), from, until, now)
            .iter()
            .map(|line| format!("{} {}", line.planned.occurrence.id.slot, line.status.state))
            .map(|line| line.trim_start_matches("2026-11-").to_owned())
            .collect()
    };
    let got = states(&stage.reminder);
    assert_eq!(got, expected, "{keys}: {steps:?}\n{:#?}", stage.log);
    // A new start finds the same.
    stage.restart();
    let again = states(&stage.reminder);
    assert_eq!(again, expected, "after a restart: {keys}: {steps:?}");
}

fn play(stage: &mut Stage, what: &str) {
    let (verb, rest) = what.split_once(' ').unwrap_or((what, ""));
    match verb {
        "take" => _ = stage.answer(Verb::Take, if rest.is_empty() { "a" } else { rest }),
        "skip" => _ = stage.answer(Verb::Skip, "a"),
        "snooze" => _ = stage.answer(Verb::Snooze, "a"),
        "edit" => stage.schedule(&item(rest)),
        "undo" => {
            let answers = stage.facts.iter().rev().find(|record| record.fact.is_answer());
            let fact = answers.unwrap().id.clone();
            stage.input(Input::Retract { request: RequestId(9), fact, reason: None, key: None });
        }
        "correct" => {
            // The answer of so many answers ago, to another time.
            let (back, at) = rest.split_once(' ').unwrap();
            let answers = stage.facts.iter().rev().filter(|record| record.fact.is_answer());
            let fact = answers.clone().nth(back.parse().unwrap()).unwrap().id.clone();
            let at = stage.zone.to_timestamp(format!("2026-11-{at}").parse().unwrap()).unwrap();
            let correction = Correction {
                fact,
                at: Some(When::Instant(at)),
                amount: None,
                form_data: None,
                note: None,
                reason: None,
                key: None,
            };
            stage.input(Input::Correct { request: RequestId(9), correction });
        }
        "set" => {
            // The clock, which has deadlines of its own afterwards.
            stage.now = stage.zone.to_timestamp(format!("2026-11-{rest}").parse().unwrap()).unwrap();
            stage.input(Input::ClockChanged);
        }
        "pause" => {
            let pause = Pause { item: None, from: None, until: None, reason: None };
            stage.input(Input::Pause { request: RequestId(9), pause });
        }
        "now" => {}
        other => panic!("{other}"),
    }
}

#[test]
fn what_was_answered_or_is_open_counts_for_the_slot_that_took_its_place() {
    let at = |times: &str| format!("times = [{times}]");
    let edit = |time: &str, times: &str| format!("{time} edit times = [{times}]");
    let day = ("25", "26");
    type Case<'a> = (&'a str, &'a [&'a str], &'a str, &'a [&'a str], &'a [&'a str]);
    // The times; what is done before the edit; the times then; what is done after it; the states in the evening.
    let cases: &[Case<'_>] = &[
        // Moved, later and earlier.
        (r#""08:00""#, &["25T08:10 take"], r#"25T08:30 "09:00""#, &[], &["25T08:00 taken"]),
        (r#""08:00""#, &["25T08:10 skip"], r#"25T08:30 "09:00""#, &[], &["25T08:00 skipped"]),
        (r#""08:00""#, &["25T08:10 take"], r#"25T08:30 "07:00""#, &[], &["25T08:00 taken"]),
        // Open: it stays open.
        (r#""08:00""#, &[], r#"25T08:30 "09:00""#, &["25T09:10 take"], &["25T08:00 taken"]),
        (r#""08:00""#, &[], r#"25T08:30 "09:00""#, &[], &["25T08:00 missed"]),
        (r#""08:00""#, &["25T11:50 snooze"], r#"25T12:02 "13:00""#, &["25T12:10 take"], &["25T08:00 taken"]),
        // An undone answer leaves it open.
        (r#""08:00""#, &["25T08:10 take"], r#"25T08:30 "09:00""#, &["25T08:40 undo"], &["25T08:00 missed"]),
        (r#""08:00""#, &["25T08:10 take", "25T08:20 undo"], r#"25T08:30 "09:00""#, &[], &["25T08:00 missed"]),
        // Over: it stays as it is, and the later one is asked about.
        (
            r#""08:00""#,
            &[],
            r#"25T13:00 "20:00""#,
            &["25T20:05 take"],
            &["25T08:00 missed", "25T20:00 taken"],
        ),
        (r#""08:00""#, &[], r#"25T13:00 "07:00""#, &[], &["25T08:00 missed"]),
        // Not come: the earlier time is due at once, or over.
        (r#""20:00""#, &[], r#"25T12:00 "10:00""#, &["25T12:30 take"], &["25T10:00 taken"]),
        (r#""20:00""#, &[], r#"25T12:00 "10:00""#, &[], &["25T10:00 missed"]),
        (r#""20:00""#, &[], r#"25T12:00 "07:30""#, &[], &["25T07:30 unknown"]),
        (r#""20:00""#, &[], r#"25T12:00 "21:00""#, &["25T21:05 take"], &["25T21:00 taken"]),
        // Answered ahead of its time.
        (r#""20:00""#, &["25T19:00 take"], r#"25T19:30 "21:00""#, &[], &["25T20:00 taken"]),
        (r#""20:00""#, &["25T19:00 take"], r#"25T19:30 "21:00""#, &["25T19:40 undo"], &["25T20:00 missed"]),
        (
            r#""20:00""#,
            &["25T19:00 take", "25T19:10 undo"],
            r#"25T19:30 "21:00""#,
            &["25T21:05 take"],
            &["25T20:00 excused", "25T21:00 taken"],
        ),
        // Several: those of the same time are the same, the others go in order.
        (
            r#""08:00", "20:00""#,
            &["25T08:10 take"],
            r#"25T12:00 "09:00", "21:00""#,
            &["25T21:10 take"],
            &["25T08:00 taken", "25T21:00 taken"],
        ),
        (
            r#""08:00", "20:00""#,
            &["25T08:10 take"],
            r#"25T12:00 "20:00""#,
            &["25T20:10 take"],
            &["25T08:00 taken", "25T20:00 taken"],
        ),
        (r#""08:00", "20:00""#, &["25T08:10 take"], r#"25T12:00 "14:00""#, &[], &["25T08:00 taken"]),
        (
            r#""08:00""#,
            &["25T08:10 take"],
            r#"25T12:00 "08:00", "20:00""#,
            &["25T20:10 take"],
            &["25T08:00 taken", "25T20:00 taken"],
        ),
        (
            r#""08:00""#,
            &["25T08:10 take"],
            r#"25T09:00 "12:00", "20:00""#,
            &["25T20:10 take"],
            &["25T08:00 taken", "25T20:00 taken"],
        ),
        // A slot that has no successor is not dropped while it is open.
        (
            r#""08:00", "20:00""#,
            &[],
            r#"25T09:00 "20:00""#,
            &["25T09:10 take", "25T20:10 take"],
            &["25T08:00 taken", "25T20:00 taken"],
        ),
        // What never was to come does not come now.
        (r#""07:00", "20:00""#, &[], r#"25T12:00 "07:15", "20:00""#, &[], &["25T20:00 missed"]),
    ];
    for (before, first, edited, then, expected) in cases {
        let (time, times) = edited.split_once(' ').unwrap();
        let edit = edit(time, times);
        let mut steps: Vec<&str> = first.to_vec();
        steps.push(&edit);
        steps.extend(*then);
        // Nothing is asked that evening any more, and the next day goes by the new times.
        steps.push("26T05:00 now");
        check(&at(before), "25T07:30", &steps, day, expected);
    }
}

#[test]
fn several_edits_of_one_day_ask_once() {
    let day = ("25", "27");
    let next = "26T09:00 upcoming";
    let edits = |times: &[(&str, &str)]| -> Vec<String> {
        times.iter().map(|(at, to)| format!("{at} edit times = [\"{to}\"]")).collect()
    };
    for (steps, expected) in [
        (edits(&[("25T08:30", "09:00"), ("25T08:40", "10:00"), ("25T08:50", "09:00")]), "25T08:00 taken"),
        (edits(&[("25T08:30", "09:00"), ("25T08:40", "08:00"), ("25T08:50", "09:00")]), "25T08:00 taken"),
        // And another key.
        (
            vec![
                "25T08:30 edit times = [\"09:00\"]".to_owned(),
                "25T08:40 edit times = [\"09:00\"]\nnote = \"x\"".to_owned(),
            ],
            "25T08:00 taken",
        ),
        // Gone for a while.
        (vec!["25T08:30 edit ".to_owned(), "25T08:40 edit times = [\"09:00\"]".to_owned()], "25T08:00 taken"),
    ] {
        let mut all = vec!["25T08:10 take"];
        all.extend(steps.iter().map(String::as_str));
        all.push("25T23:00 now");
        check("times = [\"08:00\"]", "25T07:30", &all, day, &[expected, next]);
    }
}

#[test]
fn an_item_that_is_taken_out_excuses_what_is_open_until_it_comes_back() {
    let keys = "times = [\"08:00\"]";
    let back = format!("25T09:00 edit {keys}");
    let late = format!("25T13:00 edit {keys}");
    let before = format!("25T08:30 edit {keys}");
    let day = ("25", "26");
    check(keys, "25T07:30", &["25T08:10 edit ", "25T09:00 now"], day, &["25T08:00 excused"]);
    check(keys, "25T07:30", &["25T08:10 edit ", &back], day, &["25T08:00 due"]);
    check(keys, "25T07:30", &["25T08:10 edit ", &late], day, &["25T08:00 excused"]);
    check(keys, "25T07:30", &["25T08:10 take", "25T08:20 edit ", &back], day, &["25T08:00 taken"]);
    // Also where it was edited before.
    let edited = ["25T08:05 edit times = [\"09:00\"]", "25T08:10 edit ", "25T08:20 now"];
    check(keys, "25T07:30", &edited, day, &["25T08:00 excused"]);
    // Away while its time came: it goes on where it was.
    check(keys, "25T07:30", &["25T07:40 edit ", &before], day, &["25T08:00 due"]);
}

#[test]
fn what_a_rule_counts_from_survives_every_edit_that_leaves_its_period() {
    let weekly = "every = \"1 week\"\ntimes = [\"08:00\"]";
    let days = ("17", "30");
    // 2026-11-16 is a Monday.
    for edit in [
        "17T10:00 edit every = \"1 week\"\ntimes = [\"09:00\"]",
        "17T10:00 edit every = \"1 week\"\ntimes = [\"09:00\"]\nuntil = 2027-01-01",
        "17T10:00 edit every = \"7 days\"\ntimes = [\"09:00\"]",
    ] {
        let is_same = !edit.contains("7 days");
        let expected: &[&str] = if is_same {
            &["23T09:00 upcoming"]
        } else {
            // Another period counts from the day of the edit.
            &["24T09:00 upcoming"]
        };
        let weekly = weekly.replace("1 week\"", "1 week\"\ndays = [\"Mon\"]");
        let edit =
            if is_same { edit.replace("1 week\"", "1 week\"\ndays = [\"Mon\"]") } else { edit.to_owned() };
        check(&weekly, "16T07:00", &["16T08:10 take", &edit, "17T23:00 now"], days, expected);
    }
    let every_other = "every = \"2 days\"\ntimes = [\"08:00\"]";
    let gone = ["17T07:00 edit ", "20T07:00 edit every = \"2 days\"\ntimes = [\"09:00\"]", "20T23:00 now"];
    check(every_other, "16T07:00", &gone, ("20", "24"), &["20T09:00 missed", "22T09:00 upcoming"]);
    // The first day of a rule stays what it counts from when the key is taken out.
    let from = "every = \"3 days\"\nfrom = 2026-11-15\ntimes = [\"08:00\"]";
    let without = ["16T07:00 edit every = \"3 days\"\ntimes = [\"08:00\"]"];
    check(from, "15T07:00", &without, ("16", "22"), &["18T08:00 upcoming", "21T08:00 upcoming"]);
    let cycle = "times = [\"08:00\"]\ncycle = { on = 1, off = 2 }";
    let edited = ["17T07:00 edit times = [\"09:00\"]\ncycle = { on = 1, off = 2 }"];
    check(cycle, "16T07:00", &edited, ("17", "23"), &["19T09:00 upcoming", "22T09:00 upcoming"]);
}

#[test]
fn a_new_item_that_began_earlier_is_planned_from_then() {
    let keys = "times = [\"08:00\"]\nfrom = 2026-11-22";
    let expected =
        ["22T08:00 unknown", "23T08:00 unknown", "24T08:00 taken", "25T08:00 unknown", "26T08:00 upcoming"];
    let fill = ["25T14:05 take a@2026-11-24T08:00"];
    check(keys, "25T14:00", &fill, ("20", "27"), &expected);
    // What is in its grace is asked about.
    check(keys, "25T09:00", &[], ("25", "26"), &["25T08:00 due"]);
    // An edit does not reach back.
    let edited = ["25T14:30 edit times = [\"08:00\"]\nfrom = 2026-11-01"];
    check("times = [\"08:00\"]", "25T14:00", &edited, ("20", "27"), &["26T08:00 upcoming"]);
}

#[test]
fn a_slot_that_was_asked_about_keeps_its_place_in_a_chain() {
    let keys = "every = \"8 hours\"\nfrom = 2026-11-25\ntimes = [\"08:00\"]\ngrace = \"2h\"";
    let taken = ["25T08:00 take", "25T16:00 take", "26T00:00 take"];
    let slots = ["25T07:00Z taken", "25T15:00Z taken", "25T23:00Z taken", "26T07:00Z upcoming"];
    let steps = |more: &[&'static str]| -> Vec<&'static str> { taken.iter().chain(more).copied().collect() };
    let upcoming = |states: &[&str]| states.iter().map(ToString::to_string).collect::<Vec<_>>();
    for (more, expected) in [
        // The first is corrected a little, later and earlier, and much.
        (&["26T01:00 correct 2 25T08:05"][..], upcoming(&slots)),
        (&["26T01:00 correct 2 25T07:00"], upcoming(&slots)),
        (&["26T01:00 correct 2 25T11:00"], upcoming(&slots)),
        // The last one: what nobody was asked about moves.
        (
            &["26T01:00 correct 0 26T00:30"],
            upcoming(&["25T07:00Z taken", "25T15:00Z taken", "25T23:00Z taken", "26T07:30Z upcoming"]),
        ),
        // Undone: it is asked about again, and then over.
        (
            &["26T01:00 undo", "26T05:00 now"],
            upcoming(&["25T07:00Z taken", "25T15:00Z taken", "25T23:00Z missed", "26T07:00Z upcoming"]),
        ),
    ] {
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        let all = steps(more);
        // What comes after the next one depends on it.
        let mut stage_expected = expected.clone();
        let next = if expected[3].contains("07:30") { "26T15:30Z upcoming" } else { "26T15:00Z upcoming" };
        stage_expected.push(next);
        check(keys, "25T07:30", &all, ("25", "27"), &stage_expected);
    }
}

#[test]
fn an_early_answer_answers_the_next_slot_of_every_rule() {
    let elapsed = "every = \"8 hours\"\nfrom = 2026-11-25\ntimes = [\"08:00\"]";
    let steps = ["25T07:55 take", "25T15:50 take", "25T23:45 take"];
    check(
        elapsed,
        "25T07:30",
        &steps,
        ("25", "27"),
        &[
            "25T07:00Z taken",
            "25T14:55Z taken",
            "25T22:50Z taken",
            "26T06:45Z upcoming",
            "26T14:45Z upcoming",
            "26T22:45Z upcoming",
        ],
    );
    // Too early for it: the next one counts from there.
    check(
        elapsed,
        "25T07:30",
        &["25T08:00 take", "25T12:00 take"],
        ("25", "26"),
        &["25T07:00Z taken", "25T19:00Z upcoming"],
    );
    let cron = "cron = \"0 20 * * *\"";
    check(cron, "25T07:30", &["25T18:30 take", "25T23:00 now"], ("25", "26"), &["25T20:00 taken"]);
    check(cron, "25T07:30", &["25T17:30 take", "25T20:30 now"], ("25", "26"), &["25T20:00 due"]);
}

#[test]
fn an_edit_of_a_chain_neither_asks_twice_nor_drops_what_is_open() {
    let keys = |hours: u32| format!("every = \"{hours} hours\"\nfrom = 2026-11-25\ntimes = [\"08:00\"]");
    let edit = |time: &str, hours| format!("{time} edit {}", keys(hours));
    let six = edit("25T16:10", 6);
    // The one that was due at 16:00 is open, whatever the rule says now.
    check(
        &keys(8),
        "25T07:30",
        &["25T08:00 take", &six, "25T16:30 take"],
        ("25", "26"),
        &["25T07:00Z taken", "25T15:00Z taken", "25T21:30Z upcoming"],
    );
    let note = format!("25T16:10 edit {}\nnote = \"x\"", keys(8));
    check(
        &keys(8),
        "25T07:30",
        &["25T08:00 take", &note],
        ("25", "26"),
        &["25T07:00Z taken", "25T15:00Z due"],
    );
    let times = "25T09:00 edit times = [\"08:00\", \"16:00\"]";
    check(
        &keys(8),
        "25T07:30",
        &["25T08:05 take", times],
        ("25", "26"),
        &["25T07:00Z taken", "25T16:00 upcoming"],
    );
    let daily = "times = [\"08:00\"]";
    check(
        daily,
        "25T07:30",
        &["25T08:05 take", "25T08:30 edit every = \"24 hours\""],
        ("25", "27"),
        &["25T08:00 taken", "26T07:05Z upcoming"],
    );
}

#[test]
fn a_clock_that_was_wrong_leaves_no_plan_behind() {
    let keys = "times = [\"08:00\"]";
    // Read and edited while the clock was five days ahead.
    let ahead = ["28T09:00 edit times = [\"09:00\"]", "28T10:00 set 23T10:00", "24T07:00 now"];
    check(keys, "28T07:00", &ahead, ("24", "26"), &["24T09:00 upcoming", "25T09:00 upcoming"]);
    // Taken out then: it is not asked about for those days either. What it was asked for stays in its place.
    let gone = ["28T09:00 edit ", "28T10:00 set 27T10:00", "29T07:00 now"];
    check(keys, "28T07:00", &gone, ("27", "30"), &["28T08:00 excused"]);
}

#[test]
fn what_was_read_while_the_clock_was_ahead_is_as_if_it_never_was() {
    let keys = "times = [\"08:00\"]\nstock = { have = 9, refill-at = 1 }";
    let edited = keys.replace("[\"08:00\"]", "[\"18:00\"]");
    // The stock is that of the day on which it was written first, and the edit of the afternoon lets no slot of the morning come due.
    let mut stage = Stage::new(&item(keys), "2026-11-25T07:30");
    stage.sleep_until("2026-11-25T08:05").answer(Verb::Take, "a").sleep_until("2026-11-26T12:00");
    stage.schedule(&item(&edited));
    play(&mut stage, "set 26T11:00");
    let left = |stage: &Stage| {
        let ledger: Ledger = stage.facts.iter().cloned().map(Arc::new).collect();
        crate::core::ledger::stock_left(stage.reminder.plan(), &ledger, &"a".parse().unwrap())
            .map(crate::core::ledger::StockLeft::whole)
    };
    assert_eq!(left(&stage), Some(8));
    stage.restart();
    assert_eq!(left(&stage), Some(8));
    let mut stage = Stage::new(&item(keys), "2026-11-25T12:00");
    stage.at("2026-11-25T13:00").schedule(&item(&edited));
    play(&mut stage, "set 25T12:30");
    stage.states("2026-11-25", &["a@2026-11-25T18:00 upcoming", "z@2026-11-25T23:59 upcoming"]);
}

#[test]
fn what_a_flight_leapt_over_is_none_of_the_day_of_an_edit() {
    let mut stage = Stage::new(&item("times = [\"22:00\"]"), "2026-11-20T12:00");
    stage.sleep_until("2026-11-20T17:53");
    // It is 01:53 there.
    stage.zone = TimeZone::get("Asia/Tokyo").unwrap();
    stage.input(Input::Zone("Asia/Tokyo".to_owned(), stage.zone.clone()));
    stage.sleep_until("2026-11-21T01:55").schedule(&item("times = [\"03:30\"]"));
    let on_landing = ["a@2026-11-20T22:00 due", "z@2026-11-20T23:59 due"];
    let later = ["a@2026-11-21T03:30 upcoming", "z@2026-11-21T23:59 upcoming"];
    stage.states("2026-11-21", &[on_landing, later].concat());
}

#[test]
fn an_undo_of_an_unplanned_intake_asks_about_the_slot_that_it_gives_back() {
    let keys = "every = \"24 hours\"\nfrom = 2026-11-25\ntimes = [\"08:00\"]\ngrace = \"6h\"";
    // Too late for the first, so that the next one counts from it.
    let steps = ["25T18:00 take", "26T09:00 undo", "26T15:00 now"];
    check(keys, "25T07:30", &steps, ("25", "27"), &["25T07:00Z missed", "26T07:00Z missed"]);
}

#[test]
fn a_date_answers_an_elapsed_slot_of_that_local_day() {
    let keys = "every = \"24 hours\"\nfrom = 2026-11-25\ntimes = [\"00:30\"]\ngrace = \"20h\"";
    let in_tokyo = format!("{keys}\nzone = \"Asia/Tokyo\"");
    // Half past midnight in Berlin is still the day before in UTC; in Tokyo it is the day that Berlin has not reached.
    for (keys, slot) in [(keys, "a@2026-11-25T23:30Z"), (&in_tokyo, "a@2026-11-25T15:30Z")] {
        let mut stage = Stage::new(&item(keys), "2026-11-24T12:00");
        let day = When::Date("2026-11-26".parse().unwrap());
        stage.sleep_until("2026-11-26T23:00").answer_with(Verb::Take, "a", |answer| answer.at = Some(day));
        let answered = stage.facts.last().unwrap().fact.occurrence().map(ToString::to_string);
        assert_eq!(answered.as_deref(), Some(slot));
    }
}
