#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::type_complexity,
    reason = "small numbers of tests"
)]

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use std::sync::Arc;

use crate::ledger::{Channel, CheckIn, CloseReason, Details, Ledger, Place, Record, Scan, When};
use crate::schedule::{OccurrenceId, Product};

fn occurrence(n: usize) -> OccurrenceId {
    format!("a@2026-11-{:02}T08:00", n % 28 + 1).parse().unwrap()
}

fn instant(n: usize) -> Timestamp {
    "2026-11-01T07:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(24 * (n as i64 % 28))
}

fn skip(n: usize) -> Fact {
    let at = When::Instant(instant(n));
    Fact::Skip {
        occurrence: occurrence(n),
        at,
        reason: Some(format!("{n}")),
        note: None,
        corrects: None,
        key: Some(format!("k{n}")),
    }
}

struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn open(&self) -> Result<(Store, async_mpsc::UnboundedReceiver<Written>), StoreError> {
        let (sender, receiver) = async_mpsc::unbounded_channel();
        Store::open(&self.dir.path().join("data"), "Desk.Home", sender, |_, _| {})
            .map(|store| (store, receiver))
    }

    fn journal(&self) -> PathBuf {
        let device = std::fs::read_to_string(self.dir.path().join("data/device")).unwrap();
        self.dir.path().join(format!("data/journal/{}.jsonl", device.trim()))
    }

    /// Records some facts and closes the store.
    fn fill(&self, facts: std::ops::Range<usize>) -> Vec<Line> {
        let (store, mut written) = self.open().unwrap();
        let count = facts.len();
        store.record(drafts(facts));
        let lines = durable(&mut written, count);
        store.close();
        lines
    }

    async fn ask(&self, question: Question) -> Vec<Line> {
        let (store, _written) = self.open().unwrap();
        let lines = store.reader().ask(question).await.unwrap();
        store.close();
        lines
    }
}

fn drafts(facts: std::ops::Range<usize>) -> Vec<Draft> {
    facts
        .map(|n| Draft {
            token: Token(n as u64),
            fact: skip(n),
            recorded_at: instant(n),
            zone: TimeZone::UTC,
        })
        .collect()
}

fn durable(written: &mut async_mpsc::UnboundedReceiver<Written>, count: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    while lines.len() < count {
        match written.blocking_recv() {
            Some(Written::Durable(more)) => lines.extend(more.into_iter().map(|(_, line)| line)),
            other => panic!("{other:?}"),
        }
    }
    lines
}

const ALL: fn() -> Question =
    || Question::About(Range { from: Timestamp::MIN, until: Timestamp::MAX, item: None });

#[test]
fn what_is_durable_is_there_after_a_restart() {
    let home = Home::new();
    let lines = home.fill(0..3);
    let kept = std::fs::read_to_string(home.journal()).unwrap();
    assert_eq!(kept.lines().collect::<Vec<_>>(), lines.iter().map(|line| &*line.text).collect::<Vec<_>>());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(home.ask(ALL())), lines);
    assert_eq!(runtime.block_on(home.ask(Question::Key("k1".to_owned()))), lines[1..2]);
    assert_eq!(runtime.block_on(home.ask(Question::Fact(lines[2].record.id.clone()))), lines[2..3]);
}

#[test]
fn files_are_private() {
    let home = Home::new();
    home.fill(0..1);
    let mut stack = vec![home.dir.path().join("data")];
    while let Some(path) = stack.pop() {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
        if path.is_dir() {
            stack.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
}

#[test]
fn a_second_daemon_is_kept_out() {
    let home = Home::new();
    let (store, _written) = home.open().unwrap();
    let error = home.open().unwrap_err();
    assert!(
        matches!(error, StoreError::Locked { pid: Some(pid), .. } if pid == std::process::id()),
        "{error}"
    );
    store.close();
    home.open().unwrap().0.close();
}

#[test]
fn a_torn_end_is_cut_off_and_kept_beside() {
    for torn in ["{\"v\":1,\"id\":\"d", "\0\0\0\0\0\0", "\0\0\0\n{\"v\":1}\n"] {
        let home = Home::new();
        let lines = home.fill(0..2);
        let whole = std::fs::read(home.journal()).unwrap();
        std::fs::write(home.journal(), [whole.as_slice(), torn.as_bytes()].concat()).unwrap();
        let more = home.fill(2..3);
        assert_eq!(more[0].record.id.seq, lines.len() as u64 + 1);
        let kept = std::fs::read(home.journal().with_extension("torn")).unwrap();
        assert!(kept.starts_with(torn.as_bytes()));
    }
}

#[test]
fn damage_stops_the_daemon_and_changes_nothing() {
    let damages: &[(&str, fn(String) -> String, u64)] = &[
        ("a flipped letter", |text| text.replacen("\"reason\":\"1\"", "\"reason\":\"7\"", 1), 2),
        ("a flipped last line", |text| text.replacen("\"reason\":\"2\"", "\"reason\":\"7\"", 1), 3),
        ("a missing line", |text| text.lines().skip(1).fold(String::new(), |all, line| all + line + "\n"), 1),
        ("a foreign line", |text| format!("hello\n{text}"), 1),
        ("an empty line", |text| text.replacen('\n', "\n\n", 1), 2),
        ("a foreign file", |_| "[server]\nport = 80\n".to_owned(), 1),
    ];
    for (name, damage, line_number) in damages {
        let home = Home::new();
        home.fill(0..3);
        let damaged = damage(std::fs::read_to_string(home.journal()).unwrap());
        std::fs::write(home.journal(), &damaged).unwrap();
        let error = home.open().unwrap_err();
        assert!(matches!(&error, StoreError::Damaged { line, .. } if line == line_number), "{name}: {error}");
        assert_eq!(std::fs::read_to_string(home.journal()).unwrap(), damaged, "{name}");
    }
}

#[test]
fn a_journal_that_lost_facts_is_not_written_over() {
    for keep in [0, 1] {
        let home = Home::new();
        home.fill(0..3);
        let text = std::fs::read_to_string(home.journal()).unwrap();
        let short: String = text.lines().take(keep).fold(String::new(), |all, line| all + line + "\n");
        std::fs::write(home.journal(), &short).unwrap();
        let error = home.open().unwrap_err();
        assert!(matches!(error, StoreError::JournalShort { database: 3, .. }), "{error}");
        assert_eq!(std::fs::read_to_string(home.journal()).unwrap(), short);
    }
}

#[test]
fn the_database_is_built_anew_whatever_happened_to_it() {
    type Harm = fn(&Path);
    let harms: &[(&str, Harm)] = &[
        ("deleted", |db| std::fs::remove_dir_all(db).unwrap()),
        ("halved", |db| {
            let file = db.join("db");
            let bytes = std::fs::read(&file).unwrap();
            std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
        }),
        ("overwritten", |db| std::fs::write(db.join("db"), vec![0x5a; 10_000]).unwrap()),
        ("emptied", |db| std::fs::write(db.join("db"), "").unwrap()),
        ("a file", |db| {
            std::fs::remove_dir_all(db).unwrap();
            std::fs::write(db, "not a directory").unwrap();
        }),
        ("its configuration lost", |db| std::fs::write(db.join("conf"), "nonsense").unwrap()),
    ];
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for (name, harm) in harms {
        let home = Home::new();
        let lines = home.fill(0..20);
        harm(&home.dir.path().join("data/db"));
        assert_eq!(runtime.block_on(home.ask(ALL())), lines, "{name}");
    }
}

#[test]
fn another_version_of_the_database_is_built_anew() {
    let home = Home::new();
    let lines = home.fill(0..3);
    {
        let db = sled::open(home.dir.path().join("data/db")).unwrap();
        db.open_tree("meta").unwrap().insert("version", &99u32.to_be_bytes()).unwrap();
        db.flush().unwrap();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(home.ask(ALL())), lines);
    assert!(home.dir.path().join("data/db.broken-1").exists());
}

#[test]
fn a_database_that_is_behind_catches_up() {
    let home = Home::new();
    home.fill(0..2);
    let old = tempfile::tempdir().unwrap();
    copy(&home.dir.path().join("data/db"), &old.path().join("db"));
    let lines: Vec<Line> = home.fill(2..4);
    std::fs::remove_dir_all(home.dir.path().join("data/db")).unwrap();
    copy(&old.path().join("db"), &home.dir.path().join("data/db"));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(home.ask(ALL()))[2..], lines);
}

#[test]
fn journals_of_other_devices_are_read() {
    let (home, other) = (Home::new(), Home::new());
    home.fill(0..2);
    other.fill(5..7);
    let name = other.journal().file_name().unwrap().to_owned();
    // Still on its way here: its last line is cut.
    let mut text = std::fs::read_to_string(other.journal()).unwrap();
    text.truncate(text.len() - 5);
    std::fs::write(home.dir.path().join("data/journal").join(name), text).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(home.ask(ALL())).len(), 3);
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// Facts of every sort, small enough that they meet.
fn any_fact() -> impl Strategy<Value = Fact> {
    let occurrence = (0..4usize).prop_map(occurrence);
    let at = (0..28usize).prop_map(instant);
    let word = proptest::option::of("[ -~äß\"\\\\]{0,12}");
    (0..11, occurrence, at, word, 1..9u64).prop_map(|(kind, occurrence, at, word, seq)| {
        let item = occurrence.item.clone();
        let when = if seq % 2 == 0 { When::Instant(at) } else { When::Date("2026-11-20".parse().unwrap()) };
        match kind {
            0 => Fact::Intake {
                item,
                occurrence: Some(occurrence),
                at: when,
                amount: Some("2.5 mg".parse().unwrap()),
                planned: Some("5e9 CFU".parse().unwrap()),
                product: Some(Arc::new(Product { batch: word.clone(), ..Product::default() })),
                details: Some(Box::new(Details::CheckIn(CheckIn {
                    form: "dosed check-in v1".to_owned(),
                    language: "en".to_owned(),
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
                details: Some(Box::new(Details::Scan(Scan {
                    facility: word.clone(),
                    device: None,
                    device_id: word.clone(),
                    region: crate::ledger::Region::TotalHip,
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
                channel: Channel::Desktop(Place { notification: 7, server: Some("bus/:1.7".into()) }),
            },
            5 => Fact::Undelivered { occurrence, at, channel: None, reason: word.unwrap_or_default() },
            6 => Fact::Closed { occurrence, at, reason: CloseReason::Dismissed },
            7 => Fact::Pause { item: Some(item), at, until: Some(at), reason: word },
            8 => Fact::Resume { item: None, at },
            9 => Fact::Zone { at, zone: "Europe/Berlin".to_owned() },
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
            recorded_at: instant(seq as usize),
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
            prop_assert_eq!(line.record, record);
        }
    }

    #[test]
    fn what_is_kept_beside_a_line_is_the_same_fact(facts in proptest::collection::vec(any_fact(), 1..20)) {
        for record in records(facts) {
            let bytes = kept::write(&record);
            let id = record.id.clone();
            prop_assert_eq!(bytes.is_empty(), kept::read(&bytes, id.clone()).unwrap().is_none());
            if let Some(read) = kept::read(&bytes, id.clone()).unwrap() {
                prop_assert_eq!(read, record);
                // Cut short, it is an error and never another fact.
                prop_assert!(kept::read(&bytes[..bytes.len() - 1], id).is_err());
            }
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
        let records = records(facts);
        let mut shuffled = records.clone();
        // Twice each, in another order.
        shuffled.extend(records.clone());
        let mut state = order;
        for i in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(i, (state >> 33) as usize % (i + 1));
        }
        let fold = |records: &[Record]| {
            let mut ledger = Ledger::default();
            for record in records {
                ledger.fold(record.clone());
            }
            ledger
        };
        let (a, b) = (fold(&records), fold(&shuffled));
        let item = "a".parse().unwrap();
        for n in 0..4 {
            let id = occurrence(n);
            prop_assert_eq!(a.answer(&id), b.answer(&id));
            prop_assert_eq!(a.snoozed_until(&id), b.snoozed_until(&id));
            prop_assert_eq!(a.deliveries(&id), b.deliveries(&id));
        }
        for n in 0..28 {
            prop_assert_eq!(a.is_paused(&item, instant(n)), b.is_paused(&item, instant(n)));
        }
        prop_assert_eq!(a.intakes(&item), b.intakes(&item));
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
            let answers: Vec<_> = (0..4).map(|n| ledger.answer(&occurrence(n)).cloned()).collect();
            (answers, ledger.intakes(&"a".parse().unwrap()), ledger.standing().count())
        };
        let before = states(&ledger);
        let stood = ledger.stands(&place.get(&records).id);
        // The last retraction takes back the one before it, which took back the fact.
        let mut taken_back = place.get(&records).id.clone();
        for seq in [100, 101] {
            let id = FactId { device: "d".into(), seq };
            let fact =
                Fact::Retraction { fact: taken_back, occurrence: None, at: instant(27), reason: None, key: None };
            ledger.fold(Record { id: id.clone(), recorded_at: instant(27), fact });
            prop_assert!(seq != 100 || !ledger.stands(&place.get(&records).id));
            taken_back = id;
        }
        let after = states(&ledger);
        // What stands more is the redo alone.
        prop_assert_eq!((before.0, before.1, before.2 + 1), after);
        prop_assert_eq!(ledger.stands(&place.get(&records).id), stood);
    }
}

#[test]
fn old_journals_load_for_ever() {
    let text = include_str!("../../tests/samples/journal-v1.jsonl");
    let kinds: Vec<String> = text
        .lines()
        .map(|text| {
            let line = line::read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            format!("{:?}", line.record.fact).split([' ', '{']).next().unwrap().to_owned()
        })
        .collect();
    let all = [
        "Zone",
        "Regimen",
        "Delivered",
        "Snooze",
        "Intake",
        "Intake",
        "Skip",
        "Retraction",
        "Closed",
        "Undelivered",
        "Pause",
        "Resume",
        "Regimen",
        "Intake",
        "Intake",
        "Intake",
        "Skip",
    ];
    assert_eq!(kinds, all);
}

#[test]
fn a_newer_journal_is_left_alone() {
    let head = "{\"v\":2,\"id\":\"d.1\",\"seq\":1,\"device\":\"d\",\"more\":true";
    let text = format!("{head},\"crc\":\"{:08x}\"}}", crc32fast::hash(head.as_bytes()));
    assert_eq!(line::read(&text), Err(line::LineError::Newer { v: 2 }));
}
