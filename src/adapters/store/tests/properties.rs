//! Promises about any facts: written and read back, damaged, folded in any order, undone and redone.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::core::insight::SplitMix64;
use crate::core::ledger::{
    Channel, CheckIn, CloseReason, FormData, Ledger, NamedZone, NotificationHandle, Record, Scan, StockChange,
};
use crate::core::schedule::{ChannelId, Product};

/// How many slots facts are about.
const SLOTS: usize = 6;

/// Slots by the person's clock, and of elapsed rules in UTC.
fn slot(n: usize) -> OccurrenceId {
    if n % 3 < 2 { occurrence(n) } else { format!("{}Z", occurrence(n)).parse().unwrap() }
}

/// Facts of every sort, small enough that they meet.
fn any_fact() -> impl Strategy<Value = Fact> {
    let occurrence = (0..SLOTS).prop_map(slot);
    let at = (0..28usize).prop_map(instant);
    let word = proptest::option::of("[ -~äß\"\\\\]{0,12}");
    let amount = proptest::sample::select(&[None, Some("2 tablet"), Some("0.5 mg"), Some("20000 IU")][..]);
    (0..18, occurrence, at, word, 1..9u64, amount).prop_map(|(kind, occurrence, at, word, seq, amount)| {
        let amount = amount.map(|amount| amount.parse().unwrap());
        let corrects = (seq % 3 == 0).then(|| FactId { device: "d".into(), seq });
        let named = || ChannelId::from_str(["phone", "mail"][seq as usize % 2]).unwrap();
        let item = occurrence.item.clone();
        let when = if seq % 2 == 0 { When::Instant(at) } else { When::Date("2026-11-20".parse().unwrap()) };
        match kind {
            0 => Fact::Intake {
                item,
                occurrence: Some(occurrence),
                at: when,
                amount: Some("2.5 mg".parse().unwrap()),
                planned: Some("5e9 CFU".parse().unwrap()),
                product: Some(Box::new(Product { batch: word.clone(), ..Product::default() })),
                form_data: Some(Box::new(FormData::CheckIn(CheckIn {
                    form: "dosed check-in v1".to_owned(),
                    language: "en".to_owned(),
                    values: [("sys".to_owned(), word.clone().map(|_| "120 mmHg".to_owned()))].into(),
                    answers: [("energy".to_owned(), Some(7)), ("bloating".to_owned(), None)].into(),
                    changed: word.clone(),
                }))),
                note: word,
                corrects: (seq % 3 == 0).then(|| FactId { device: "d".into(), seq }),
                key: None,
            },
            1 => Fact::Intake {
                item,
                occurrence: None,
                at: when,
                amount: None,
                planned: None,
                product: None,
                form_data: Some(Box::new(FormData::Scan(Scan {
                    facility: word.clone(),
                    device: None,
                    device_id: word.clone(),
                    region: crate::core::ledger::ScanRegion::TotalHip,
                    side: Some("left".to_owned()),
                    vertebrae: None,
                    bmd: "0.9125".parse().unwrap(),
                    t_score: Some("-1.2".to_owned()),
                    z_score: None,
                    lsc: Some("0.03".parse().unwrap()),
                }))),
                note: word,
                corrects: (seq % 3 == 0).then(|| FactId { device: "d".into(), seq }),
                key: None,
            },
            2 => {
                let corrects = (seq % 3 == 0).then(|| FactId { device: "d".into(), seq });
                Fact::Skip { occurrence, at: when, reason: word.clone(), note: word, corrects, key: None }
            }
            3 => Fact::Snooze { occurrence, at, until: at + SignedDuration::from_mins(15), key: word },
            4 => Fact::Delivered {
                occurrence,
                at,
                channel: Channel::Desktop(NotificationHandle {
                    notification: 7,
                    server: Some("bus/:1.7".into()),
                }),
                away: seq % 2 == 0,
                nonce: None,
            },
            5 => Fact::Undelivered { occurrence, at, channel: None, reason: word.unwrap_or_default() },
            6 => Fact::Closed { occurrence, at, reason: CloseReason::Dismissed },
            7 => Fact::Pause { item: Some(item), at, until: Some(at), reason: word },
            8 => Fact::Resume { item: None, at },
            9 => Fact::Zone {
                at,
                zone: NamedZone {
                    name: "Europe/Berlin".to_owned(),
                    rules: TimeZone::get("Europe/Berlin").ok(),
                },
            },
            // As most are: for the slot or beside the plan, and nothing else but perhaps an amount, a note or a key.
            10 | 11 => Fact::Intake {
                item,
                occurrence: (kind == 10).then_some(occurrence),
                at: when,
                amount,
                planned: None,
                product: None,
                form_data: None,
                note: word.filter(|_| seq % 2 == 0),
                corrects,
                key: (seq % 4 == 0).then(|| format!("k{seq}")),
            },
            12 => {
                Fact::Delivered { occurrence, at, channel: Channel::Named(named()), away: false, nonce: word }
            }
            13 => {
                Fact::Undelivered { occurrence, at, channel: Some(named()), reason: word.unwrap_or_default() }
            }
            14 => Fact::Stock { item, at, change: StockChange::Add(seq as i32 - 4), key: word },
            15 => Fact::Stock { item, at, change: StockChange::Count(seq as u32), key: None },
            16 => {
                let definition = word.map(|word| serde_json::json!({ "name": word }).to_string());
                Fact::Regimen { item, at, definition }
            }
            _ => Fact::Retraction {
                fact: FactId { device: "d".into(), seq },
                occurrence: Some(occurrence),
                at,
                reason: word,
                key: None,
            },
        }
    })
}

fn records(facts: Vec<Fact>) -> Vec<Record> {
    facts
        .into_iter()
        .zip(1..)
        .map(|(fact, seq)| Record {
            id: FactId { device: "d".into(), seq },
            // Some at the same time.
            recorded_at: instant(seq as usize / 3),
            fact,
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lines_read_back_as_they_were_written(facts in proptest::collection::vec(any_fact(), 1..20)) {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        for record in records(facts) {
            let line = line::write(record.clone(), &zone).unwrap();
            prop_assert_eq!(&line::read(&line.text).unwrap(), &line);
            prop_assert_eq!(&*line.record, &record);
        }
    }

    #[test]
    fn a_line_has_the_members_that_the_protocol_promises(facts in proptest::collection::vec(any_fact(), 1..20)) {
        for record in records(facts) {
            let line = line::write(record, &TimeZone::UTC).unwrap();
            let written: serde_json::Value = serde_json::from_str(&line.text).unwrap();
            // A member that the protocol's type always writes, and a line leaves out, would be added here.
            let read: crate::protocol::Fact = serde_json::from_str(&line.text).unwrap();
            prop_assert_eq!(serde_json::to_value(&read).unwrap(), written);
        }
    }

    #[test]
    fn the_compact_form_of_a_fact_is_the_same_fact(facts in proptest::collection::vec(any_fact(), 1..20)) {
        for record in records(facts) {
            let bytes = compact::encode(&record);
            let Some(item) = record.fact.item().cloned().filter(|_| !bytes.is_empty()) else { continue };
            prop_assert_eq!(compact::decode(&bytes, record.id.clone(), &item).unwrap(), record.clone());
            // Cut short, it is an error and never another fact.
            prop_assert!(compact::decode(&bytes[..bytes.len() - 1], record.id, &item).is_err());
        }
    }

    #[test]
    fn a_changed_byte_never_goes_unnoticed(fact in any_fact(), place in any::<prop::sample::Index>(), bit in 0..7u8) {
        let line = line::write(records(vec![fact]).remove(0), &TimeZone::UTC).unwrap();
        let mut bytes = line.text.as_bytes().to_vec();
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
        if let Ok(text) = String::from_utf8(bytes) {
            prop_assert!(line::read(&text).is_err(), "{}", text);
        }
    }

    #[test]
    fn any_order_of_facts_gives_the_same_states(
        facts in proptest::collection::vec(any_fact(), 1..20),
        order in any::<u64>(),
    ) {
        let mut records = records(facts);
        for record in records.iter_mut().skip(4).step_by(5) {
            record.id.device = "other".into();
        }
        let mut shuffled = records.clone();
        // Twice each, in another order.
        shuffled.extend(records.clone());
        let mut lot = SplitMix64(order);
        for i in (1..shuffled.len()).rev() {
            shuffled.swap(i, lot.below(i + 1));
        }
        let fold = |records: &[Record]| {
            let mut ledger = Ledger::default();
            for record in records {
                ledger.fold(record.clone());
            }
            ledger
        };
        let (first, second) = shuffled.split_at(shuffled.len() / 2);
        let shared = |records: &[Record]| records.iter().cloned().map(Arc::new).collect::<Vec<_>>();
        let at_once: Ledger = shared(&shuffled).into_iter().collect();
        let mut in_two: Ledger = shared(first).into_iter().collect();
        in_two.extend(shared(second));
        let a = fold(&records);
        let item = "a".parse().unwrap();
        for b in [fold(&shuffled), at_once, in_two] {
            for n in 0..SLOTS {
                let id = slot(n);
                prop_assert_eq!(a.answer(&id), b.answer(&id));
                prop_assert_eq!(a.snoozed_until(&id), b.snoozed_until(&id));
                prop_assert_eq!(a.deliveries(&id), b.deliveries(&id));
            }
            for n in 0..28 {
                prop_assert_eq!(a.is_paused(&item, instant(n)), b.is_paused(&item, instant(n)));
            }
            prop_assert_eq!(a.intakes(&item), b.intakes(&item));
            prop_assert_eq!(a.pauses(), b.pauses());
            prop_assert_eq!(a.effective().collect::<Vec<_>>(), b.effective().collect::<Vec<_>>());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn undo_then_redo_is_the_identity(
        facts in proptest::collection::vec(any_fact(), 1..20),
        place in any::<prop::sample::Index>(),
    ) {
        let mut ledger = Ledger::default();
        let records = records(facts);
        for record in &records {
            ledger.fold(record.clone());
        }
        let states = |ledger: &Ledger| {
            let answers: Vec<_> = (0..SLOTS).map(|n| ledger.answer(&slot(n)).cloned()).collect();
            (answers, ledger.intakes(&"a".parse().unwrap()), ledger.effective().count())
        };
        let before = states(&ledger);
        let stood = ledger.is_effective(&place.get(&records).id);
        // The last retraction takes back the one before it, which took back the fact.
        let mut taken_back = place.get(&records).id.clone();
        for seq in [100, 101] {
            let id = FactId { device: "d".into(), seq };
            let fact =
                Fact::Retraction { fact: taken_back, occurrence: None, at: instant(27), reason: None, key: None };
            ledger.fold(Record { id: id.clone(), recorded_at: instant(27), fact });
            prop_assert!(seq != 100 || !ledger.is_effective(&place.get(&records).id));
            taken_back = id;
        }
        let after = states(&ledger);
        // What stands more is the redo alone.
        prop_assert_eq!((before.0, before.1, before.2 + 1), after);
        prop_assert_eq!(ledger.is_effective(&place.get(&records).id), stood);
    }
}

/// Adds what undoes or corrects facts, what they undo or correct, and so on.
fn with_replacements(records: &[Record], mut found: BTreeSet<u64>) -> BTreeSet<u64> {
    loop {
        let replaces = |record: &&Record| {
            record
                .fact
                .supersedes()
                .is_some_and(|earlier| *earlier.device == *record.id.device && found.contains(&earlier.seq))
        };
        let mut more: BTreeSet<u64> = records.iter().filter(replaces).map(|record| record.id.seq).collect();
        let of_found = records.iter().filter(|record| found.contains(&record.id.seq));
        let replaced = of_found.filter_map(|record| {
            record.fact.supersedes().filter(|earlier| earlier.device == record.id.device)
        });
        let known: BTreeSet<u64> = records.iter().map(|record| record.id.seq).collect();
        more.extend(replaced.map(|earlier| earlier.seq).filter(|seq| known.contains(seq)));
        if more.is_subset(&found) {
            return found;
        }
        found.extend(more);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn questions_find_what_a_look_at_every_fact_finds(
        facts in proptest::collection::vec(any_fact(), 1..160),
        batches in proptest::collection::vec((1..40usize, 0..20usize), 1..20),
        (from, days, newest) in (0..30usize, 0..9i64, 1..20usize),
    ) {
        let zone = TimeZone::UTC;
        let records = records(facts);
        let lines: Vec<JournalLine> =
            records.iter().map(|record| line::write(record.clone(), &zone).unwrap()).collect();
        let dir = tempfile::tempdir().unwrap();
        let (database, _) = database::Database::open(&dir.path().join("db"), &[], |_, _| {}).unwrap();
        // Some come once more, as after a crash before the mark was moved.
        let mut begins = 0;
        for (size, again) in batches.into_iter().chain([(lines.len(), 0)]) {
            let ends = lines.len().min(begins + size);
            let noted: Vec<_> = lines[begins.saturating_sub(again)..ends].iter().map(JournalLine::noted).collect();
            database.apply(&noted).unwrap();
            begins = ends;
        }
        let ids = |found: Vec<JournalLine>| {
            let ids: BTreeSet<u64> = found.iter().map(|line| line.record.id.seq).collect();
            assert_eq!(ids.len(), found.len());
            for line in found {
                assert_eq!(line, lines[line.record.id.seq as usize - 1]);
            }
            ids
        };
        for line in &lines {
            let found = database.lines(&Query::Fact(line.record.id.clone())).unwrap();
            prop_assert!(found.contains(line));
        }
        let item: ItemId = "a".parse().unwrap();
        let (from, until) = (instant(from), instant(from) + SignedDuration::from_hours(24 * days));
        let slack = SignedDuration::from_hours(36);
        let seconds = (from - slack).as_second()..(until + slack).as_second();
        for only in [None, Some(item.clone())] {
            let in_range = |record: &&Record| {
                let of_item = only.is_none() || record.fact.item() == only.as_ref();
                seconds.contains(&keys::about_seconds(record)) && of_item
            };
            let seqs = |records: &[&Record]| records.iter().map(|record| record.id.seq).collect::<BTreeSet<_>>();
            let all: Vec<&Record> = records.iter().filter(in_range).collect();
            let items = only.clone().map(|item| BTreeSet::from([item]));
            let range = Range { from, until, items, most: MAX_FACTS };
            let others: Vec<&Record> = all.into_iter().filter(|record| !record.fact.shapes_plan()).collect();
            let found = database.lines(&Query::About(range.clone())).unwrap();
            let without_lines: Vec<_> = found.iter().map(|line| line.record.clone()).collect();
            prop_assert_eq!(database.records(&Query::About(range.clone())).unwrap(), without_lines);
            prop_assert_eq!(ids(found), with_replacements(&records, seqs(&others)));
            let local = (zone.to_datetime(from), zone.to_datetime(until));
            let is_within = |record: &Record| (local.0..local.1).contains(&record.local_time(&zone));
            let is_asked = |record: &Record| only.is_none() || record.fact.item() == only.as_ref();
            let mut history: Vec<&JournalLine> =
                lines.iter().filter(|line| is_within(&line.record) && is_asked(&line.record)).collect();
            history.sort_by_key(|line| (line.record.recorded_at, line.record.id.seq));
            let newest_ones = &history[history.len().saturating_sub(newest)..];
            let ledger: Ledger = records.iter().cloned().map(Arc::new).collect();
            let expected: Vec<String> = newest_ones
                .iter()
                .map(|line| {
                    let by = ledger.superseded_by(&line.record.id).map(|by| by.id.clone());
                    let beyond_slot = by.is_none() && ledger.is_beyond_slot(&line.record);
                    line::with_outcome(&line.text, by.as_ref(), beyond_slot)
                })
                .collect();
            let query = HistoryQuery {
                range,
                local: (Some(local.0), Some(local.1)),
                zone: zone.clone(),
                limit: Some(newest),
            };
            prop_assert_eq!(database.history(&query).unwrap(), expected.join(","));
        }
        let mut intakes: Vec<&Record> =
            records.iter().filter(|record| matches!(record.fact, Fact::Intake { .. })).collect();
        intakes.sort_by_key(|record| std::cmp::Reverse((keys::about_seconds(record), record.id.seq)));
        intakes.truncate(newest);
        let found = ids(database.lines(&Query::Intakes { item, newest, before: Timestamp::MAX }).unwrap());
        let expected = intakes.iter().map(|record| record.id.seq).collect();
        prop_assert_eq!(found, with_replacements(&records, expected));
        let plan = ids(database.lines(&Query::Plan).unwrap());
        let shapes = |record: &&Record| record.fact.shapes_plan();
        let expected = records.iter().filter(shapes).map(|record| record.id.seq).collect();
        prop_assert_eq!(plan, with_replacements(&records, expected));
    }
}
