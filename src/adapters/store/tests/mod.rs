#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::type_complexity,
    reason = "small numbers of tests"
)]

mod disk;
mod journals;
mod power;
mod properties;
mod simulation;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::*;
use crate::core::ledger::{Fact, When};
use crate::core::reminder::Token;
use crate::core::schedule::OccurrenceId;

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
    fn fill(&self, facts: std::ops::Range<usize>) -> Vec<JournalLine> {
        let (store, mut written) = self.open().unwrap();
        let count = facts.len();
        store.record(drafts(facts));
        let lines = durable(&mut written, count);
        store.close();
        lines
    }

    async fn lines(&self, query: Query) -> Vec<JournalLine> {
        let (store, _written) = self.open().unwrap();
        let lines = store.reader().lines(query).await.unwrap();
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

fn durable(written: &mut async_mpsc::UnboundedReceiver<Written>, count: usize) -> Vec<JournalLine> {
    let mut lines = Vec::new();
    while lines.len() < count {
        match written.blocking_recv() {
            Some(Written::Durable(more)) => lines.extend(more.into_iter().map(|(_, line)| line)),
            other => panic!("{other:?}"),
        }
    }
    lines
}

const ALL: fn() -> Query = || at_most(MAX_FACTS);

fn at_most(most: usize) -> Query {
    Query::About(Range { from: Timestamp::MIN, until: Timestamp::MAX, items: None, most })
}

#[test]
fn what_is_durable_is_there_after_a_restart() {
    let home = Home::new();
    let lines = home.fill(0..3);
    let kept = std::fs::read_to_string(home.journal()).unwrap();
    assert_eq!(kept.lines().collect::<Vec<_>>(), lines.iter().map(|line| &*line.text).collect::<Vec<_>>());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(home.lines(ALL())), lines);
    assert_eq!(runtime.block_on(home.lines(Query::Key("k1".to_owned()))), lines[1..2]);
    assert_eq!(runtime.block_on(home.lines(Query::Fact(lines[2].record.id.clone()))), lines[2..3]);
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
        assert_eq!(runtime.block_on(home.lines(ALL())), lines, "{name}");
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
    assert_eq!(runtime.block_on(home.lines(ALL())), lines);
    assert!(home.dir.path().join("data/db.broken-1").exists());
}

#[test]
fn a_database_that_was_open_when_the_machine_went_down_is_built_anew() {
    let home = Home::new();
    let lines = home.fill(0..3);
    let db = home.dir.path().join("data/db");
    std::fs::write(db.join("old"), "").unwrap();
    std::fs::write(db.join("left"), "open 00000000-0000-0000-0000-000000000000\n").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(home.lines(ALL())), lines);
    assert!(db.join("db").exists() && !db.join("old").exists());
    assert!(!home.dir.path().join("data/db.broken-1").exists());
}

#[test]
fn a_database_that_is_behind_catches_up() {
    let home = Home::new();
    home.fill(0..2);
    let old = tempfile::tempdir().unwrap();
    copy(&home.dir.path().join("data/db"), &old.path().join("db"));
    let lines: Vec<JournalLine> = home.fill(2..4);
    std::fs::remove_dir_all(home.dir.path().join("data/db")).unwrap();
    copy(&old.path().join("db"), &home.dir.path().join("data/db"));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(home.lines(ALL()))[2..], lines);
}

#[test]
fn a_question_finds_what_the_database_has_not_taken_in_by_itself() {
    let home = Home::new();
    let (store, mut written) = home.open().unwrap();
    store.record(drafts(0..3));
    let lines = durable(&mut written, 3);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(store.reader().lines(ALL())).unwrap(), lines);
    assert_eq!(runtime.block_on(store.reader().health()).unwrap().facts, 3);
    store.close();
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
    assert_eq!(runtime.block_on(home.lines(ALL())).len(), 3);
}

#[test]
fn a_database_that_is_still_held_is_not_taken_for_a_damaged_one() {
    let home = Home::new();
    home.fill(0..1);
    let path = home.dir.path().join("data/db");
    let held = sled::open(&path).unwrap();
    let opened = database::Database::open(&path, &[], |_, _| {});
    assert!(matches!(opened, Err(StoreError::Database { is_damaged: false, .. })));
    assert!(!home.dir.path().join("data/db.broken-1").exists());
    drop(held);
    assert!(database::Database::open(&path, &[], |_, _| {}).is_ok());
}

#[test]
fn what_is_not_durable_is_not_read_into_the_database() {
    let home = Home::new();
    let lines = home.fill(0..3);
    let path = home.journal();
    let durable: usize = lines[..2].iter().map(|line| line.text.len() + 1).sum();
    let read = journal_file::read_all(&OsFileSystem, &path, durable as u64).unwrap();
    assert_eq!(
        read.files.iter().map(|file| (file.last, file.text.len())).collect::<Vec<_>>(),
        [(2, durable)]
    );
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

#[test]
fn old_journals_load_for_ever() {
    let text = include_str!("../../../../tests/samples/journal-v1.jsonl");
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

/// A part of the facts is no answer; the database is as good as before.
#[tokio::test]
async fn a_question_about_too_many_facts_is_refused() {
    let home = Home::new();
    std::thread::scope(|scope| scope.spawn(|| home.fill(0..5)).join().unwrap());
    let (store, _written) = home.open().unwrap();
    let reader = store.reader();
    let history = |most| HistoryQuery {
        range: Range { from: Timestamp::MIN, until: Timestamp::MAX, items: None, most },
        local: (None, None),
        zone: TimeZone::UTC,
        limit: Some(1),
    };
    for _ in 0..2 {
        let too_many = reader.records(at_most(4)).await.unwrap_err();
        assert!(matches!(too_many, StoreError::TooManyFacts { most: 4 }), "{too_many}");
        assert_eq!(
            too_many.to_string(),
            "that is about more than 4 facts, the limit of one answer: ask for a shorter time, or for one item"
        );
        assert!(matches!(reader.lines(at_most(4)).await, Err(StoreError::TooManyFacts { .. })));
        assert!(matches!(reader.history(history(4)).await, Err(StoreError::TooManyFacts { .. })));
    }
    // It was not closed for that: else it would be opened again, where nothing is any more.
    let path = home.dir.path().join("data/db");
    std::fs::rename(&path, path.with_extension("away")).unwrap();
    assert_eq!(reader.health().await.unwrap().error, None);
    assert_eq!(reader.records(at_most(5)).await.unwrap().len(), 5);
    assert!(!path.exists());
    std::fs::rename(path.with_extension("away"), &path).unwrap();
    assert!(!reader.history(history(5)).await.unwrap().is_empty());
    // The daemon's own questions have no limit.
    assert_eq!(reader.facts_for(Timestamp::MIN, Timestamp::MAX, None).await.unwrap().len(), 5);
    store.close();
}

#[test]
fn the_version_of_a_definition_stands_beside_it() {
    let regimen = |definition: Option<&str>| {
        let definition = definition.map(str::to_owned);
        let fact = Fact::Regimen { item: "a".parse().unwrap(), at: instant(0), definition };
        Record { id: "d.1".parse().unwrap(), recorded_at: instant(0), fact }
    };
    let definition_in = |text: &str| match line::record(text, None).unwrap().fact {
        Fact::Regimen { definition, .. } => definition,
        other => panic!("{other:?}"),
    };
    let plain = r#"{"id":"a","kind":"habit"}"#;
    let line = line::write(regimen(Some(plain)), &TimeZone::UTC).unwrap().text;
    assert!(line.contains(r#""definition":{"id":"a","kind":"habit"},"definition_version":1}"#), "{line}");
    let version = |to: &str| line.replace(r#","definition_version":1"#, to);
    for (text, definition) in [
        (version(""), plain),
        (version(r#","definition_version":1"#), plain),
        (version(r#","definition_version":7"#), r#"{"id":"a","kind":"habit","v":7}"#),
    ] {
        assert_eq!(definition_in(&text).as_deref(), Some(definition), "{text}");
    }
    let removed = line::write(regimen(None), &TimeZone::UTC).unwrap().text;
    assert!(!removed.contains("definition"), "{removed}");
}

/// The longest item that the schedule accepts is one that a line can hold.
#[test]
fn the_longest_definition_fits_a_line() {
    let step = |n: usize| {
        let day = jiff::civil::date(2000, 1, 1) + jiff::ToSpan::days(n as i64);
        format!("{{ from = {day}, dose = \"1 mg\" }}")
    };
    let schedule = |count: usize| {
        let id = "i".repeat(64);
        let steps: Vec<String> = (0..count).map(step).collect();
        let text =
            format!("[[supplement]]\nid = \"{id}\"\ntimes = [\"08:00\"]\ntaper = [{}]\n", steps.join(","));
        crate::adapters::config::parse(&text)
    };
    let (mut fits, mut fails) = (1_000, 20_000);
    while fails - fits > 1 {
        let middle = usize::midpoint(fits, fails);
        if schedule(middle).is_ok() { fits = middle } else { fails = middle }
    }
    let (item, definition) = schedule(fits).unwrap().items.remove(0);
    let id = FactId { device: "d".repeat(64).into(), seq: u64::MAX };
    let fact = Fact::Regimen { item: item.id, at: instant(0), definition: Some(definition.text) };
    let zone = TimeZone::get("America/Argentina/ComodRivadavia").unwrap();
    let line = line::write(Record { id, recorded_at: instant(0), fact }, &zone).unwrap().text;
    assert!(line.len() < line::MAX_LINE_BYTES && line.len() > line::MAX_LINE_BYTES - 2048, "{}", line.len());
}
