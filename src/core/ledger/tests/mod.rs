//! What is known after facts were added: in any order, corrected, undone, forgotten.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::core::schedule::{ChannelId, History, ItemId, NoHistory, OccurrenceId, Plan, ZoneHistory};

mod revisions;
mod states;

const A: &str = "a@2026-11-25T08:00";
const B: &str = "b@2026-11-25T08:00";

fn at(time: &str) -> Timestamp {
    format!("2026-11-25T{time}Z").parse().unwrap()
}

fn id(text: &str) -> FactId {
    text.parse().unwrap()
}

fn occurrence(text: &str) -> OccurrenceId {
    text.parse().unwrap()
}

fn item(text: &str) -> ItemId {
    text.parse().unwrap()
}

fn phone() -> ChannelId {
    "phone".parse().unwrap()
}

/// A fact with its name, recorded when it happened unless another time is given.
fn record(name: &str, recorded: &str, fact: Fact) -> Record {
    Record { id: id(name), recorded_at: at(recorded), fact }
}

fn intake(about: Option<&str>, time: &str) -> Fact {
    let item = about.map_or_else(|| item("a"), |about| occurrence(about).item);
    Fact::intake(item, about.map(occurrence), When::Instant(at(time)))
}

fn skip(about: &str, corrects: Option<&str>) -> Fact {
    Fact::Skip {
        occurrence: occurrence(about),
        at: When::Instant(at("08:10")),
        reason: None,
        note: None,
        corrects: corrects.map(id),
        key: None,
    }
}

fn retraction(of: &str) -> Fact {
    Fact::Retraction { fact: id(of), occurrence: None, at: at("09:00"), reason: None, key: None }
}

fn snooze(about: &str, until: &str) -> Fact {
    Fact::Snooze { occurrence: occurrence(about), at: at("08:05"), until: at(until), key: None }
}

fn shown(about: &str, time: &str, notification: u32) -> Fact {
    let handle = NotificationHandle { notification, server: Some("peer".into()) };
    Fact::Delivered {
        occurrence: occurrence(about),
        at: at(time),
        channel: Channel::Desktop(handle),
        away: false,
        nonce: None,
    }
}

fn sent(about: &str, time: &str) -> Fact {
    Fact::Delivered {
        occurrence: occurrence(about),
        at: at(time),
        channel: Channel::Named(phone()),
        away: false,
        nonce: Some("1".to_owned()),
    }
}

fn failed(about: &str, time: &str, channel: Option<ChannelId>) -> Fact {
    Fact::Undelivered { occurrence: occurrence(about), at: at(time), channel, reason: "x".to_owned() }
}

fn pause(of: Option<&str>, time: &str, until: Option<&str>) -> Fact {
    Fact::Pause { item: of.map(item), at: at(time), until: until.map(at), reason: None }
}

fn resume(of: Option<&str>, time: &str) -> Fact {
    Fact::Resume { item: of.map(item), at: at(time) }
}

/// A ledger of facts that one device wrote, one a minute from 08:00 on.
fn ledger(facts: impl IntoIterator<Item = Fact>) -> Ledger {
    let mut ledger = Ledger::default();
    for (n, fact) in (1..).zip(facts) {
        ledger.fold(record(&format!("d.{n}"), &format!("08:{n:02}"), fact));
    }
    ledger
}

fn name(record: Option<&Record>) -> Option<String> {
    record.map(|record| record.id.to_string())
}

#[test]
fn the_order_of_writing_decides_and_not_the_clock() {
    // One device: the second fact was written after its clock was set back.
    let mut one = Ledger::default();
    one.fold(record("d.2", "07:00", snooze(A, "10:00")));
    one.fold(record("d.1", "08:00", snooze(A, "09:00")));
    assert_eq!(one.snoozed_until(&occurrence(A)), Some(at("10:00")));
    // Two devices: the clocks decide.
    let mut two = Ledger::default();
    two.fold(record("d.1", "08:00", snooze(A, "09:00")));
    two.fold(record("e.1", "07:00", snooze(A, "10:00")));
    assert_eq!(two.snoozed_until(&occurrence(A)), Some(at("09:00")));
    // The first answer resolves.
    let mut answers = Ledger::default();
    answers.fold(record("e.1", "08:20", intake(Some(A), "08:20")));
    answers.fold(record("d.1", "08:30", skip(A, None)));
    assert_eq!(name(answers.answer(&occurrence(A))).as_deref(), Some("e.1"));
    assert_eq!(name(answers.newest_answer("d")).as_deref(), Some("d.1"));
}

#[test]
fn deliveries_count_since_the_last_snooze() {
    let ledger = ledger([
        shown(A, "08:01", 1),
        sent(A, "08:02"),
        failed(A, "08:03", Some("mail".parse().unwrap())),
        snooze(A, "08:30"),
        sent(B, "08:05"),
        failed(B, "08:06", Some(phone())),
        shown(B, "08:07", 2),
        failed(B, "08:08", None),
        sent(B, "08:09"),
    ]);
    let (a, b) = (occurrence(A), occurrence(B));
    let (by_phone, by_mail): (ChannelId, ChannelId) = (phone(), "mail".parse().unwrap());
    let shown =
        |id: &OccurrenceId, until| ledger.shown_since_snooze(id, Counted { until: at(until), unseen: false });
    let tried =
        |id: &OccurrenceId, channel: &ChannelId, until| ledger.tried_since_snooze(id, channel, at(until));
    assert_eq!((shown(&a, "09:00"), tried(&a, &by_phone, "09:00")), (None, None));
    assert_eq!((shown(&b, "09:00"), tried(&b, &by_phone, "09:00")), (Some(at("08:07")), Some(at("08:09"))));
    assert_eq!((tried(&a, &by_mail, "09:00"), tried(&b, &by_mail, "09:00")), (None, None));
    // What is dated later than it can be does not count.
    for (until, last_shown, last_tried) in [
        ("08:09", Some("08:07"), Some("08:09")),
        ("08:08", Some("08:07"), Some("08:06")),
        ("08:04", None, None),
    ] {
        let last = (shown(&b, until), tried(&b, &by_phone, until));
        assert_eq!(last, (last_shown.map(at), last_tried.map(at)), "{until}");
    }
    assert_eq!(ledger.deliveries(&a), [at("08:01"), at("08:02")]);
    assert_eq!(ledger.sent_by(&b), [(&phone(), at("08:05"))].into());
    assert_eq!((ledger.has_desktop_failure(&a), ledger.has_desktop_failure(&b)), (false, true));
}

#[test]
fn notifications_are_open_until_they_are_closed() {
    let closed = |about: &str| Fact::Closed {
        occurrence: occurrence(about),
        at: at("08:30"),
        reason: CloseReason::Dismissed,
    };
    let open = |facts: Vec<Fact>| -> Vec<(String, u32)> {
        let ledger = ledger(facts);
        ledger.open_notifications().into_iter().map(|(id, at)| (id.to_string(), at.notification)).collect()
    };
    let (a, b) = (A.to_owned(), B.to_owned());
    assert_eq!(open(vec![shown(A, "08:01", 1), shown(B, "08:01", 1)]), [(a.clone(), 1), (b.clone(), 1)]);
    assert_eq!(open(vec![shown(A, "08:01", 1), shown(A, "08:01", 2)]), [(a.clone(), 2)]);
    assert_eq!(open(vec![shown(A, "08:01", 1), closed(A), sent(B, "08:01")]), []);
    assert_eq!(open(vec![shown(A, "08:01", 1), closed(A), shown(A, "08:40", 3)]), [(a, 3)]);
}

#[test]
fn a_pause_is_an_interval_and_any_of_them_excuses() {
    let (all, a): (Option<&str>, Option<&str>) = (None, Some("a"));
    type Case<'a> = (Vec<Fact>, &'a [(&'a str, &'a str, Option<&'a str>)]);
    // The facts; for an item and a time, when the pauses that hold it end.
    let cases: [Case<'_>; 7] = [
        (
            vec![
                pause(a, "09:00", Some("10:00")),
                pause(all, "12:00", None),
                resume(a, "13:00"),
                resume(all, "14:00"),
            ],
            &[
                ("a", "08:59", None),
                ("a", "09:00", Some("10:00")),
                ("b", "09:00", None),
                ("a", "10:00", None),
                ("a", "12:00", Some("13:00")),
                ("a", "13:00", None),
                ("b", "13:30", Some("14:00")),
                ("b", "14:00", None),
            ],
        ),
        // A shorter pause does not end a longer one, of the item or of all.
        (
            vec![pause(all, "09:00", Some("18:00")), pause(a, "10:00", Some("11:00"))],
            &[("a", "12:00", Some("18:00"))],
        ),
        (
            vec![pause(a, "09:00", Some("18:00")), pause(a, "10:00", Some("11:00"))],
            &[("a", "12:00", Some("18:00"))],
        ),
        (
            vec![pause(a, "09:00", Some("18:00")), pause(all, "10:00", Some("11:00"))],
            &[("a", "12:00", Some("18:00")), ("b", "12:00", None)],
        ),
        // One runs into the next.
        (
            vec![pause(a, "12:00", Some("15:00")), pause(all, "09:00", Some("12:00"))],
            &[("a", "09:00", Some("15:00"))],
        ),
        // One that was planned ahead, and one that was called off.
        (vec![pause(all, "20:00", Some("22:00"))], &[("a", "19:59", None), ("a", "20:00", Some("22:00"))]),
        (vec![pause(all, "20:00", Some("22:00")), resume(all, "09:00")], &[("a", "20:00", None)]),
    ];
    for (facts, held) in cases {
        let ledger = ledger(facts.clone());
        for (of, time, until) in held {
            assert_eq!(ledger.paused_until(&item(of), at(time)), until.map(at), "{of} {time} {facts:?}");
            assert_eq!(ledger.is_paused(&item(of), at(time)), until.is_some(), "{of} {time} {facts:?}");
        }
    }
    // A retracted pause is none, and does not hide the one before.
    let ledger = ledger([pause(None, "09:00", None), resume(None, "10:00"), retraction("d.2")]);
    assert!(ledger.is_paused(&item("a"), at("11:00")));
    assert_eq!(ledger.pauses().len(), 1);
}

#[test]
fn a_zone_without_rules_keeps_its_fact() {
    let berlin = TimeZone::get("Europe/Berlin").unwrap();
    let zone = |time: &str, name: &str, rules: Option<TimeZone>| Fact::Zone {
        at: at(time),
        zone: NamedZone { name: name.to_owned(), rules },
    };
    let ledger =
        ledger([zone("09:00", "Mars/Olympus", None), zone("10:00", "Europe/Berlin", Some(berlin.clone()))]);
    assert_eq!(ledger.zones(), [(at("10:00"), berlin.clone())]);
    assert_eq!(ledger.plan_records().len(), 2);
    assert_eq!(*ledger.zone_history(&TimeZone::UTC).zone_at(at("08:00")), berlin);
    assert_eq!(*Ledger::default().zone_history(&TimeZone::UTC).zone_at(at("08:00")), TimeZone::UTC);
}

#[test]
fn the_plan_follows_from_the_regimens_in_the_order_of_writing() {
    let regimen = |time: &str, definition: Option<&str>| Fact::Regimen {
        item: item("a"),
        at: at(time),
        definition: definition.map(ToOwned::to_owned),
    };
    let facts = [
        regimen("08:00", Some("08:00")),
        regimen("10:00", Some("unreadable")),
        regimen("11:00", Some("11:00")),
        pause(None, "09:00", None),
        // The clock was ahead, and then it was not: what was written later holds from its own time on.
        regimen("20:00", Some("20:00")),
        regimen("12:00", Some("12:00")),
        regimen("13:00", None),
    ];
    let mut known = ledger(facts);
    let read = |_: &Record, text: &str| {
        let schedule = format!("[[supplement]]\nid = \"a\"\ntimes = [\"{text}\"]\n");
        crate::adapters::config::parse(&schedule).ok().map(|mut schedule| schedule.items.remove(0).0)
    };
    let plan = replay(&known, ZoneHistory::fixed(TimeZone::UTC), read);
    let periods: Vec<_> =
        plan.regimens(&item("a")).iter().map(|regimen| (regimen.opened, regimen.closed)).collect();
    let expected = [("20:00", "12:00"), ("08:00", "10:00"), ("11:00", "12:00"), ("12:00", "13:00")];
    assert_eq!(periods, expected.map(|(opened, closed)| (at(opened), Some(at(closed)))));
    let drained = known.drain_regimens();
    let names: Vec<String> = drained.iter().map(|record| record.id.to_string()).collect();
    assert_eq!(names, ["d.1", "d.2", "d.3", "d.5", "d.6", "d.7"]);
    assert_eq!((known.drain_regimens().len(), known.plan_records().len()), (0, 1));
}

#[test]
fn only_what_is_old_and_shapes_nothing_is_forgotten() {
    let mut key = snooze(A, "09:00");
    if let Fact::Snooze { key, .. } = &mut key {
        *key = Some("k".to_owned());
    }
    let mut known = ledger([
        pause(None, "08:00", None),
        shown(A, "08:01", 1),
        key,
        intake(Some(A), "08:03"),
        skip(B, None),
        retraction("d.5"),
        shown(B, "08:07", 2),
    ]);
    assert!(known.by_key("k").is_some() && known.answer(&occurrence(B)).is_none());
    known.forget_before(at("08:07"), |_| false);
    let left: Vec<bool> = (1..=7).map(|n| known.get(&id(&format!("d.{n}"))).is_some()).collect();
    assert_eq!(left, [true, false, false, true, false, false, true]);
    assert!(known.by_key("k").is_none() && known.snooze(&occurrence(A)).is_none());
    assert!(known.deliveries(&occurrence(A)).is_empty() && known.is_effective(&id("d.5")));
    assert_eq!(known.intakes(&item("a")), [at("08:03")]);
    assert_eq!(name(known.answer(&occurrence(A))).as_deref(), Some("d.4"));
}

#[test]
fn the_newest_intakes_of_an_item_are_kept() {
    let n = NEWEST_INTAKES + 5;
    let minutes = |n: usize| SignedDuration::from_mins(i64::try_from(n).unwrap());
    let mut known = Ledger::default();
    for i in 0..n {
        let mut fact = intake(None, "08:00");
        if let Fact::Intake { at: when, .. } = &mut fact {
            *when = When::Instant(at("00:00") + minutes(i));
        }
        known.fold(Record { id: id(&format!("d.{}", i + 1)), recorded_at: at("08:00"), fact });
    }
    known.fold(record("d.1000", "08:00", retraction(&format!("d.{n}"))));
    known.forget_before(at("09:00"), |_| false);
    let intakes = known.intakes(&item("a"));
    // The retraction is forgotten, and so is what it retracted.
    assert_eq!((intakes.len(), intakes[0]), (NEWEST_INTAKES, at("00:00") + minutes(4)));
}

#[test]
fn a_date_without_a_time_is_known_to_the_day() {
    let mut fact = intake(None, "08:00");
    if let Fact::Intake { at, .. } = &mut fact {
        *at = When::Date(jiff::civil::date(2026, 11, 24));
    }
    let record = record("d.1", "09:00", fact);
    assert_eq!(record.instant().to_string(), "2026-11-24T12:00:00Z");
    assert_eq!(record.local_time(&TimeZone::UTC).to_string(), "2026-11-24T00:00:00");
    let mut known = Ledger::default();
    known.fold(record);
    assert_eq!((known.intakes(&item("a")).len(), known.intake_records(&item("a")).count()), (0, 1));
    // Relative rules count from the end of the day, or from when it was recorded.
    let dose = &known.doses(&item("a"), &ZoneHistory::fixed(TimeZone::UTC))[0];
    assert_eq!(dose.at.to_string(), "2026-11-24T23:59:59Z");
}

#[test]
fn a_fact_says_what_it_is_about() {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let stock = Fact::Stock { item: item("a"), at: at("08:00"), change: StockChange::Add(3), key: None };
    let closed = Fact::Closed { occurrence: occurrence(A), at: at("08:00"), reason: CloseReason::Undefined };
    // The item, whether it is an answer, resolves, can be retracted, shapes the plan; its local time.
    for (fact, of, flags, local) in [
        (intake(Some(A), "09:00"), Some("a"), [true, true, true, false], "2026-11-25T08:00:00"),
        (intake(None, "09:00"), Some("a"), [true, true, true, false], "2026-11-25T10:00:00"),
        (skip(B, None), Some("b"), [true, true, true, false], "2026-11-25T08:00:00"),
        (snooze(A, "09:00"), Some("a"), [true, false, true, false], "2026-11-25T08:00:00"),
        (sent(A, "09:00"), Some("a"), [false, false, false, false], "2026-11-25T08:00:00"),
        (failed(A, "09:00", None), Some("a"), [false, false, false, false], "2026-11-25T08:00:00"),
        (closed, Some("a"), [false, false, false, false], "2026-11-25T08:00:00"),
        (stock, Some("a"), [false, false, true, false], "2026-11-25T09:00:00"),
        (retraction("d.1"), None, [false, false, true, false], "2026-11-25T10:00:00"),
        (pause(None, "09:00", None), None, [false, false, true, true], "2026-11-25T10:00:00"),
        (resume(Some("b"), "09:00"), Some("b"), [false, false, true, true], "2026-11-25T10:00:00"),
    ] {
        assert_eq!(fact.item().map(ItemId::as_str), of, "{fact:?}");
        let got = [fact.is_answer(), fact.is_resolution(), fact.is_retractable(), fact.shapes_plan()];
        assert_eq!(got, flags, "{fact:?}");
        let record = record("d.1", "09:00", fact);
        assert_eq!(record.local_time(&zone).to_string(), local, "{record:?}");
    }
}

#[test]
fn ids_of_facts_are_read_and_written() {
    for good in ["desk-3f2a.17", "a.1"] {
        assert_eq!(good.parse::<FactId>().unwrap().to_string(), good);
    }
    for bad in ["", "17", ".17", "Desk.17", "desk.", "desk.x", "de sk.1"] {
        assert!(bad.parse::<FactId>().is_err(), "{bad}");
    }
    assert!(id("d.2") < id("d.10") && id("a.9") < id("b.1"));
}

/// A plan since midnight in UTC with the item `a`, whose grace is four hours.
fn plan(keys: &str) -> Plan {
    let mut plan = Plan::new(ZoneHistory::fixed(TimeZone::UTC));
    let schedule = format!("[[supplement]]\nid = \"a\"\ndose = \"5 mg\"\n{keys}\n");
    for (item, _) in crate::adapters::config::parse(&schedule).unwrap().items {
        plan.open(item, at("00:00"));
    }
    plan
}

fn amount(amount: &str, planned: Option<&str>) -> Fact {
    let mut fact = intake(Some(A), "08:10");
    if let Fact::Intake { amount: taken, planned: dose, .. } = &mut fact {
        (*taken, *dose) = (Some(amount.parse().unwrap()), planned.map(|dose| dose.parse().unwrap()));
    }
    fact
}
