//! The database: sled, owned by one thread, always to be had again from the journals.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use tracing::warn;

use super::StoreError;
use super::journal::JournalFile;
use super::kept;
use super::keys::{about_seconds, biased, fact_key, join, mark_key, read_fact_key, split_keys};
use super::line::{self, Line};
use crate::failpoints;
use crate::ledger::{Fact, FactId, Record};
use crate::schedule::ItemId;

/// The version of the database's layout; another one is rebuilt.
const VERSION: u32 = 2;

/// sled's cache, in bytes.
const CACHE_BYTES: u64 = 8 * 1024 * 1024;

/// sled's threads look for work several times a second for ever; an hour of slack lets them sleep.
/// Threads inherit it from the one that starts them.
pub(super) const TIMER_SLACK: Option<std::num::NonZeroU64> = std::num::NonZeroU64::new(3_600_000_000_000);

/// Facts that are applied together.
const BATCH: usize = 2_000;

/// The most facts that one question returns.
pub(super) const MAX_ANSWER: usize = 1_000_000;

/// Stands in the place of what is kept of a fact that shapes the plan: those are asked for by themselves.
const PLAN_MARK: [u8; 1] = [0];

/// For more keys than this, all that is replaced is looked through once.
const FEW_KEYS: usize = 64;

/// A day and a half: how far a slot's written time can lie from its instant.
const SLACK_SECONDS: i64 = 36 * 3600;

/// What is asked.
#[derive(Clone, Debug)]
pub enum Question {
    /// One fact by its name.
    Fact(FactId),
    /// The fact that was recorded under an idempotency key.
    Key(String),
    /// The facts that shape the plan, with what takes them back or corrects them.
    Plan,
    /// The facts about slots and times of a range, with what takes them back or corrects them.
    About(Range),
    /// An item's intakes and the changes of its stock since an instant, with what takes them back or corrects them.
    Uses {
        /// Which item.
        item: ItemId,
        /// From when on.
        from: Timestamp,
    },
    /// The newest intakes of an item, with what takes them back or corrects them.
    Intakes {
        /// Which item.
        item: ItemId,
        /// How many.
        newest: usize,
    },
}

/// Slots and times in `[from, until)`, a day and a half wider on both sides.
#[derive(Clone, Debug)]
pub struct Range {
    /// From when on.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Of one item only.
    pub item: Option<ItemId>,
}

/// How the record is.
#[derive(Clone, Debug)]
pub struct Health {
    /// Facts in the database.
    pub facts: u64,
    /// The last number of each device's journal that the database holds.
    pub marks: BTreeMap<String, u64>,
    /// What went wrong since it was opened.
    pub error: Option<String>,
}

/// The open database.
pub(super) struct Database {
    pub(super) path: PathBuf,
    db: sled::Db,
    facts: sled::Tree,
    about: sled::Tree,
    plan: sled::Tree,
    intakes: sled::Tree,
    keys: sled::Tree,
    /// By the fact that is taken back or corrected: those that say so.
    replaced: sled::Tree,
    meta: sled::Tree,
}

impl Database {
    /// Opens the database and brings it up to the journals; one that cannot be used is moved aside
    /// and built anew.
    pub(super) fn open(
        path: &Path,
        journals: &[JournalFile],
        mut progress: impl FnMut(u64, u64),
    ) -> Result<Self, StoreError> {
        let opened = Self::try_open(path).and_then(|mut database| {
            database.catch_up(journals, &mut progress)?;
            Ok(database)
        });
        let why = match opened {
            Ok(database) => return Ok(database),
            Err(StoreError::Database { why, .. }) => why,
            Err(other) => return Err(other),
        };
        warn!(path = %path.display(), %why, "the database cannot be used and is built anew from the journal");
        move_aside(path)?;
        let mut database = Self::try_open(path)?;
        database.catch_up(journals, &mut progress)?;
        Ok(database)
    }

    fn try_open(path: &Path) -> Result<Self, StoreError> {
        let failed = |why: String| StoreError::Database { path: path.to_owned(), why };
        let config = sled::Config::new()
            .path(path)
            .cache_capacity(CACHE_BYTES)
            // Its own flusher would wake twice a second; the journal is what is durable.
            .flush_every_ms(None)
            .mode(sled::Mode::LowSpace);
        // sled panics on some damage; its io threads inherit the slack that keeps them asleep.
        let open = move || {
            let _ = rustix::thread::set_current_timer_slack(TIMER_SLACK);
            crate::panics::guard(|| config.open())
        };
        let opened = std::thread::spawn(open).join();
        let db = match opened {
            Ok(Ok(Ok(db))) => db,
            Ok(Ok(Err(error))) => return Err(failed(error.to_string())),
            Ok(Err(panic)) => return Err(failed(panic)),
            Err(_) => return Err(failed("it panicked".to_owned())),
        };
        let tree = |name: &str| db.open_tree(name).map_err(|error| failed(error.to_string()));
        let database = Self {
            path: path.to_owned(),
            facts: tree("facts")?,
            about: tree("about")?,
            plan: tree("plan")?,
            intakes: tree("intakes")?,
            keys: tree("keys")?,
            replaced: tree("retractions")?,
            meta: tree("meta")?,
            db,
        };
        make_private(path);
        let version = database.meta.get("version").map_err(|error| failed(error.to_string()))?;
        match version.as_deref() {
            Some(version) if version == VERSION.to_be_bytes() => {}
            Some(_) => return Err(failed("it was written by another version".to_owned())),
            None if database.facts.is_empty() => {
                let version = VERSION.to_be_bytes().to_vec();
                database.meta.insert("version", version).map_err(|error| failed(error.to_string()))?;
            }
            None => return Err(failed("it has no version".to_owned())),
        }
        Ok(database)
    }

    /// Applies what the journals have and the database has not.
    fn catch_up(
        &mut self,
        journals: &[JournalFile],
        progress: &mut impl FnMut(u64, u64),
    ) -> Result<(), StoreError> {
        let mut behind = Vec::new();
        for journal in journals {
            let mark = self.mark(&journal.device)?;
            if mark > journal.last {
                return Err(StoreError::JournalShort {
                    path: journal.path.clone(),
                    db: self.path.clone(),
                    journal: journal.last,
                    database: mark,
                });
            }
            self.compare_last(journal, mark)?;
            behind.push((journal, mark));
        }
        let total: u64 = behind.iter().map(|(journal, mark)| journal.last - mark).sum();
        let mut done = 0;
        for (journal, mark) in behind {
            let start = usize::try_from(mark).unwrap_or(usize::MAX);
            let mut lines = journal.text.lines().zip(1u64..).skip(start).peekable();
            while lines.peek().is_some() {
                let mut batch = Vec::with_capacity(BATCH);
                for (text, number) in lines.by_ref().take(BATCH) {
                    let read = line::read(text).map_err(|error| StoreError::Damaged {
                        path: journal.path.clone(),
                        line: number,
                        why: error.to_string(),
                    })?;
                    batch.push(read);
                }
                self.apply(&batch).map_err(|error| self.failed(&error))?;
                done += batch.len() as u64;
                progress(done, total);
            }
        }
        Ok(())
    }

    /// A database that holds another history than the journal is not of this journal.
    fn compare_last(&self, journal: &JournalFile, mark: u64) -> Result<(), StoreError> {
        let Some(before) = mark.checked_sub(1) else { return Ok(()) };
        let key = fact_key(&journal.device, mark);
        let held = self.facts.get(key).map_err(|error| self.failed(&error))?;
        let line = journal.text.lines().nth(usize::try_from(before).unwrap_or(usize::MAX));
        if held.as_deref() == line.map(str::as_bytes) {
            return Ok(());
        }
        Err(StoreError::Database {
            path: self.path.clone(),
            why: format!("it holds another fact {mark} than the journal"),
        })
    }

    fn failed(&self, error: &sled::Error) -> StoreError {
        StoreError::Database { path: self.path.clone(), why: error.to_string() }
    }

    fn mark(&self, device: &str) -> Result<u64, StoreError> {
        let mark = self.meta.get(mark_key(device)).map_err(|error| self.failed(&error))?;
        let mark = mark.and_then(|bytes| bytes.as_ref().try_into().ok()).map(u64::from_be_bytes);
        Ok(mark.unwrap_or(0))
    }

    /// Puts facts into every tree; the mark moves last, so that a crash leaves it behind, not ahead.
    pub(super) fn apply(&self, lines: &[Line]) -> Result<(), sled::Error> {
        let [mut facts, mut about, mut plan, mut intakes, mut keys, mut replaced] =
            [const { Entries::new() }; 6];
        let mut marks: BTreeMap<Arc<str>, u64> = BTreeMap::new();
        for Line { record, text } in lines {
            let key = fact_key(&record.id.device, record.id.seq);
            facts.push((key.clone(), text.as_bytes().to_vec()));
            let item = record.fact.item().map_or("", ItemId::as_str);
            let about_key = join(&[&biased(about_seconds(record)), item.as_bytes(), &[0], &key]);
            let kept = if record.fact.shapes_plan() { PLAN_MARK.to_vec() } else { kept::write(record) };
            about.push((about_key, kept));
            if let Some(earlier) = record.fact.replaces() {
                replaced.push((join(&[&fact_key(&earlier.device, earlier.seq), &key]), Vec::new()));
            }
            match &record.fact {
                // Of one index: what is left follows from both.
                Fact::Intake { item, .. } | Fact::Stock { item, .. } => {
                    let at = biased(about_seconds(record));
                    intakes.push((join(&[item.as_str().as_bytes(), &[0], &at, &key]), Vec::new()));
                }
                fact if fact.shapes_plan() => plan.push((key.clone(), Vec::new())),
                _ => {}
            }
            if let Some(name) = record.fact.key() {
                keys.push((name.as_bytes().to_vec(), key));
            }
            marks.insert(record.id.device.clone(), record.id.seq);
        }
        insert(&self.facts, facts)?;
        insert(&self.about, about)?;
        insert(&self.plan, plan)?;
        insert(&self.intakes, intakes)?;
        insert(&self.keys, keys)?;
        insert(&self.replaced, replaced)?;
        failpoints::reach("in-database");
        for (device, seq) in marks {
            self.meta.insert(mark_key(&device), &seq.to_be_bytes())?;
        }
        Ok(())
    }

    pub(super) fn ask(&self, question: Question) -> Result<Vec<Line>, StoreError> {
        let mut keys = Vec::new();
        match question {
            Question::Fact(id) => {
                keys.push(fact_key(&id.device, id.seq).into());
            }
            Question::Key(name) => {
                keys.extend(self.keys.get(name).map_err(|error| self.failed(&error))?);
            }
            Question::Plan => {
                for entry in self.plan.iter().keys() {
                    keys.push(entry.map_err(|error| self.failed(&error))?);
                }
            }
            Question::About(range) => {
                for entry in self.entries(&range) {
                    keys.push(entry?.0);
                }
            }
            Question::Uses { item, from } => {
                let prefix = join(&[item.as_str().as_bytes(), &[0]]);
                let first = join(&[&prefix, &biased(from.as_second().saturating_sub(SLACK_SECONDS))]);
                let last = join(&[&prefix, &[u8::MAX; 9]]);
                for entry in self.intakes.range(first..last).keys().take(MAX_ANSWER) {
                    let entry = entry.map_err(|error| self.failed(&error))?;
                    keys.push(sled::IVec::from(&entry[prefix.len() + 8..]));
                }
            }
            Question::Intakes { item, newest } => {
                let prefix = join(&[item.as_str().as_bytes(), &[0]]);
                for entry in self.intakes.scan_prefix(&prefix).keys().rev().take(newest) {
                    let entry = entry.map_err(|error| self.failed(&error))?;
                    keys.push(sled::IVec::from(&entry[prefix.len() + 8..]));
                }
            }
        }
        self.with_replacements(&mut keys)?;
        keys.into_iter().filter_map(|key| self.line(&key).transpose()).collect()
    }

    /// Returns the facts of a range that do not shape the plan, read from what is kept of them beside their lines.
    pub(super) fn about(&self, range: &Range) -> Result<Vec<Record>, StoreError> {
        let damaged = |why: &dyn std::fmt::Display| StoreError::Database {
            path: self.path.clone(),
            why: why.to_string(),
        };
        let mut keys = Vec::new();
        let mut records = Vec::new();
        let mut device: Arc<str> = "".into();
        for entry in self.entries(range) {
            let (key, value) = entry?;
            let (name, seq) = read_fact_key(&key).ok_or_else(|| damaged(&"a key is damaged"))?;
            if *device != *name {
                device = name.into();
            }
            if *value == PLAN_MARK {
                continue;
            }
            let id = FactId { device: device.clone(), seq };
            match kept::read(&value, id).map_err(|error| damaged(&error))? {
                Some(record) => records.push(record),
                None => records.extend(self.line(&key)?.map(|line| line.record)),
            }
            keys.push(key);
        }
        let known = keys.len();
        self.with_replacements(&mut keys)?;
        for key in &keys[known..] {
            records.extend(self.line(key)?.map(|line| line.record));
        }
        Ok(records)
    }

    /// Walks over the facts of a range: each with its key, and what is kept of it.
    fn entries<'a>(
        &'a self,
        range: &'a Range,
    ) -> impl Iterator<Item = Result<(sled::IVec, sled::IVec), StoreError>> + 'a {
        let first = biased(range.from.as_second().saturating_sub(SLACK_SECONDS));
        let last = biased(range.until.as_second().saturating_add(SLACK_SECONDS));
        let entries = self.about.range(first.as_slice()..last.as_slice());
        let wanted = range.item.as_ref().map(|item| item.as_str().as_bytes());
        let found = entries.filter_map(move |entry| {
            let (key, value) = match entry {
                Ok(entry) => entry,
                Err(error) => return Some(Err(self.failed(&error))),
            };
            let item = 8..8 + key[8..].iter().position(|b| *b == 0)?;
            let fits = wanted.is_none_or(|wanted| wanted == &key[item.clone()]);
            fits.then(|| Ok((key.subslice(item.end + 1, key.len() - item.end - 1), value)))
        });
        found.take(MAX_ANSWER)
    }

    /// Adds what takes facts back or corrects them, and what does so with that.
    fn with_replacements(&self, keys: &mut Vec<sled::IVec>) -> Result<(), StoreError> {
        if self.replaced.is_empty() {
            return Ok(());
        }
        // Few facts are ever replaced: for many keys, they are read once.
        let all = if keys.len() > FEW_KEYS { Some(self.replacements(&[])?) } else { None };
        let by = |key: &sled::IVec| match &all {
            Some(all) => Ok(all.get(key).cloned().unwrap_or_default()),
            None => self.replacements(key).map(|mut of_key| of_key.remove(key).unwrap_or_default()),
        };
        let mut found = BTreeSet::new();
        let mut todo = Vec::new();
        for key in &*keys {
            todo.extend(by(key)?);
        }
        while let Some(key) = todo.pop() {
            if found.insert(key.clone()) {
                todo.extend(by(&key)?);
            }
        }
        for key in &*keys {
            found.remove(key);
        }
        keys.extend(found);
        Ok(())
    }

    /// Returns the facts that are taken back or corrected and whose keys begin so, with those that say it.
    fn replacements(&self, prefix: &[u8]) -> Result<BTreeMap<sled::IVec, Vec<sled::IVec>>, StoreError> {
        let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for entry in self.replaced.scan_prefix(prefix).keys() {
            let entry = entry.map_err(|error| self.failed(&error))?;
            if let Some((earlier, by)) = split_keys(&entry) {
                found.entry(earlier).or_default().push(by);
            }
        }
        Ok(found)
    }

    fn line(&self, key: &[u8]) -> Result<Option<Line>, StoreError> {
        let Some(text) = self.facts.get(key).map_err(|error| self.failed(&error))? else { return Ok(None) };
        let unreadable = |why: String| StoreError::Database { path: self.path.clone(), why };
        let text = std::str::from_utf8(&text).map_err(|error| unreadable(error.to_string()))?;
        line::read(text).map(Some).map_err(|error| unreadable(error.to_string()))
    }

    pub(super) fn health(&self) -> Result<Health, StoreError> {
        let mut marks = BTreeMap::new();
        for entry in self.meta.scan_prefix(b"mark\0") {
            let (key, value) = entry.map_err(|error| self.failed(&error))?;
            let device = String::from_utf8_lossy(&key[5..]).into_owned();
            let mark = value.as_ref().try_into().map_or(0, u64::from_be_bytes);
            marks.insert(device, mark);
        }
        Ok(Health { facts: marks.values().sum(), marks, error: None })
    }

    pub(super) fn close(self) {
        // sled's flush leaves the last writes to the kernel; this start of the day is not worth a rebuild.
        if let Err(error) = self.db.flush() {
            warn!(%error, "the database could not be flushed; it is brought up to date at the next start");
        }
        if let Ok(file) = std::fs::File::open(self.path.join("db")) {
            let _ = file.sync_all();
        }
    }
}

/// Keys and values for one tree.
type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// Puts entries into a tree in the order of their keys, so that neighbours are touched together.
///
/// Not as a batch: its atomicity is not needed, as the marks move last, and it would put them in the order of their hashes.
fn insert(tree: &sled::Tree, mut entries: Entries) -> Result<(), sled::Error> {
    entries.sort_unstable();
    for (key, value) in entries {
        tree.insert(key, value)?;
    }
    Ok(())
}

/// The most unusable databases that are kept.
const MAX_BROKEN: u32 = 1_000;

/// Moves an unusable database out of the way, under a name that is free.
fn move_aside(path: &Path) -> Result<(), StoreError> {
    let aside = (1..=MAX_BROKEN)
        .map(|n| path.with_file_name(format!("db.broken-{n}")))
        .find(|aside| !aside.exists())
        .unwrap_or_else(|| path.with_file_name("db.broken"));
    if path.exists() {
        std::fs::rename(path, &aside).map_err(|source| StoreError::Io {
            what: "move away",
            path: path.to_owned(),
            source,
        })?;
        warn!(to = %aside.display(), "the old database was kept; it can be deleted");
    }
    Ok(())
}

/// sled makes its files as the umask says; others have no business with them.
fn make_private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let private = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode));
    let _ = private(path, 0o700);
    for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
        let mode = if entry.file_type().is_ok_and(|kind| kind.is_dir()) { 0o700 } else { 0o600 };
        let _ = private(&entry.path(), mode);
    }
}
