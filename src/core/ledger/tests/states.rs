//! What follows from the facts and the time: states, timelines, stock.

use super::*;

#[test]
fn a_state_follows_from_the_facts_and_the_time() {
    let plan = plan("times = [\"08:00\"]");
    let state = |plan: &Plan, facts: &[Fact], now: &str| {
        let ledger = ledger(facts.iter().cloned());
        let planned = plan.find(&occurrence(A), &NoHistory).unwrap();
        let status = status_of(&planned, &ledger, at(now));
        let seconds = |at: Timestamp| at.strftime("%H:%M:%S").to_string();
        (status.state.to_string(), status.snoozed_until.map(seconds), seconds(status.closes_at))
    };
    type Case<'a> = (&'a [Fact], &'a str, &'a str, Option<&'a str>, &'a str);
    // The facts, the time; the state, the end of a running snooze, when it closes.
    let cases: [Case<'_>; 25] = [
        (&[], "07:59:59", "upcoming", None, "12:00:00"),
        (&[], "08:00:00", "due", None, "12:00:00"),
        (&[], "11:59:59", "due", None, "12:00:00"),
        (&[], "12:00:00", "unknown", None, "12:00:00"),
        // An announcement ahead of time did not ask.
        (&[shown(A, "07:59:59", 1)], "12:00:00", "unknown", None, "12:00:00"),
        (&[shown(A, "08:00:00", 1)], "12:00:00", "missed", None, "12:00:00"),
        (&[shown(A, "07:00:00", 1), sent(A, "09:00:00")], "12:00:00", "missed", None, "12:00:00"),
        (&[shown(A, "08:00:00", 1)], "11:00:00", "due", None, "12:00:00"),
        (&[failed(A, "08:00:00", None)], "12:00:00", "unknown", None, "12:00:00"),
        (&[intake(Some(A), "07:00")], "07:30:00", "taken", None, "12:00:00"),
        (&[amount("5 mg", Some("5 mg"))], "09:00:00", "taken", None, "12:00:00"),
        (&[amount("4.9 mg", Some("5 mg"))], "09:00:00", "partial", None, "12:00:00"),
        (&[amount("5.1 mg", Some("5 mg"))], "09:00:00", "taken", None, "12:00:00"),
        (&[amount("1 ml", Some("5 mg"))], "09:00:00", "taken", None, "12:00:00"),
        (&[amount("1 mg", None)], "09:00:00", "taken", None, "12:00:00"),
        (&[skip(A, None)], "20:00:00", "skipped", None, "12:00:00"),
        (&[skip(A, None), retraction("d.1")], "09:00:00", "due", None, "12:00:00"),
        (&[snooze(A, "09:00")], "08:59:59", "due", Some("09:00:00"), "12:00:00"),
        (&[snooze(A, "09:00")], "09:00:00", "due", None, "12:00:00"),
        (&[snooze(A, "11:00")], "12:00:00", "unknown", None, "12:00:00"),
        (&[snooze(A, "11:30")], "12:29:59", "due", None, "12:30:00"),
        (&[snooze(A, "11:30")], "12:30:00", "unknown", None, "12:30:00"),
        (&[pause(None, "08:00", Some("08:01"))], "09:00:00", "excused", None, "12:00:00"),
        (&[pause(None, "08:01", None)], "09:00:00", "due", None, "12:00:00"),
        (&[pause(None, "07:00", None), intake(Some(A), "08:00")], "09:00:00", "taken", None, "12:00:00"),
    ];
    for (facts, now, state_then, snoozed_until, closes_at) in cases {
        let expected = (state_then.to_owned(), snoozed_until.map(ToOwned::to_owned), closes_at.to_owned());
        assert_eq!(state(&plan, facts, now), expected, "{now} {facts:?}");
    }
    // An edit that takes the slot away excuses it, if it could still be answered then.
    for (closed, now, expected) in [
        ("10:00:00", "09:59:59", "due"),
        ("10:00:00", "10:00:00", "excused"),
        ("11:59:59", "20:00:00", "excused"),
        ("12:00:00", "20:00:00", "unknown"),
    ] {
        let mut plan = plan.clone();
        plan.close(&item("a"), at(closed));
        assert_eq!(state(&plan, &[], now).0, expected, "{closed} {now}");
    }
    assert_eq!(longest_open(SignedDuration::from_hours(4)), SignedDuration::from_hours(4 + 24 + 1));
}

#[test]
fn a_timeline_is_in_the_order_of_time() {
    let mut plan = plan("times = [\"08:00\", \"20:00\"]");
    let other = "[[supplement]]\nid = \"b\"\ntimes = [\"07:00\", \"12:00\"]\n";
    for (item, _) in crate::adapters::config::parse(other).unwrap().items {
        plan.open(item, at("00:00"));
    }
    for (of, from, until, expected) in [
        (None, "00:00", "23:00", &["b 07:00 -", "a 08:00 5 mg", "b 12:00 -", "a 20:00 5 mg"][..]),
        (Some("a"), "00:00", "23:00", &["a 08:00 5 mg", "a 20:00 5 mg"]),
        (None, "08:00", "12:00", &["a 08:00 5 mg"]),
        (Some("c"), "00:00", "23:00", &[]),
    ] {
        let of = of.map(item);
        let rows = timeline(&plan, &Ledger::default(), of.as_ref(), at(from), at(until), at("06:00"));
        let rows: Vec<String> = rows
            .iter()
            .map(|row| {
                let id = &row.planned.occurrence.id;
                let dose = row.dose(&plan.zones).map_or_else(|| "-".to_owned(), ToString::to_string);
                format!("{} {} {dose}", id.item, id.slot.written().strftime("%H:%M"))
            })
            .collect();
        assert_eq!(rows, expected, "{of:?} {from} {until}");
    }
}

#[test]
fn a_stock_runs_out_with_the_first_dose_that_is_not_there() {
    let plan = plan("times = [\"08:00\"]\nstock = { have = 20, refill-at = 5 }");
    let day = |n: i64| at("08:00") + SignedDuration::from_hours(24 * n);
    // What is still open needs a dose, what is answered needs none.
    for (facts, left, first) in [
        (vec![], 0, Some(0)),
        (vec![], 1, Some(1)),
        (vec![], 100, Some(100)),
        (vec![intake(Some(A), "08:00")], 0, Some(1)),
        (vec![skip(A, None)], 1, Some(2)),
        (vec![], 2000, None),
    ] {
        let ledger = ledger(facts);
        assert_eq!(
            runs_out(&plan, &ledger, &item("a"), StockLeft::of(left), at("09:00")),
            first.map(day),
            "{left}"
        );
    }
    // Counted from when the schedule says what there is.
    let early = record("d.9", "09:00", intake(None, "00:00"));
    let mut before = early.clone();
    before.id = id("d.8");
    if let Fact::Intake { at: when, .. } = &mut before.fact {
        *when = When::Instant(at("00:00") - SignedDuration::from_secs(1));
    }
    for (records, left) in [(vec![], 20), (vec![early.clone()], 19), (vec![before, early], 19)] {
        let mut ledger = Ledger::default();
        for record in records {
            ledger.fold(record);
        }
        assert_eq!(stock_left(&plan, &ledger, &item("a")), Some(StockLeft::of(left)));
    }
    assert_eq!(stock_left(&plan, &Ledger::default(), &item("b")), None);
}
