//! The database: sled, owned by one thread, always to be had again from the journals.

use std::collections::BTreeMap;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::warn;

use super::compact;
use super::error::{DatabaseError, StoreError, is_held};
use super::journal_file::{JournalFile, Skipped};
use super::keys::{fact_key, mark_key, time_key};
use super::line::{self, JournalLine, Noted};
use super::seal;
use crate::core::ledger::Record;
use crate::process::failpoints;
use crate::process::panics;

/// The version of the database's layout; another one is rebuilt.
const VERSION: u32 = 7;

/// sled's cache, in bytes.
const CACHE_BYTES: u64 = 8 * 1024 * 1024;

/// sled's threads look for work several times a second for ever; an hour of slack lets them sleep.
/// Threads inherit it from the one that starts them.
const IDLE_TIMER_SLACK: Option<std::num::NonZeroU64> = std::num::NonZeroU64::new(3_600_000_000_000);

/// The slack of a thread that waits for a short time: the kernel's own default.
const DEFAULT_TIMER_SLACK: Option<std::num::NonZeroU64> = std::num::NonZeroU64::new(50_000);

/// How long a database is waited for that is still held after it was closed.
const HELD_TIMEOUT: Duration = Duration::from_secs(1);

/// Facts that are applied together.
const BATCH: usize = 2_000;

/// How the record is.
#[derive(Clone, Debug)]
pub struct Health {
    /// Facts in the database.
    pub facts: u64,
    /// The last number of each device's journal that the database holds.
    pub marks: BTreeMap<String, u64>,
    /// What went wrong since it was opened.
    pub error: Option<String>,
    /// What lies in the journal directory and is not read, or not to its end.
    pub skipped: Vec<Skipped>,
}

/// Opens a database, and waits a little for one that is still held.
fn open(config: &sled::Config) -> sled::Result<sled::Db> {
    let until = Instant::now() + HELD_TIMEOUT;
    loop {
        // sled's io threads inherit the slack that keeps them asleep.
        let _ = rustix::thread::set_current_timer_slack(IDLE_TIMER_SLACK);
        match config.open() {
            Err(sled::Error::Io(error)) if is_held(&error) && Instant::now() < until => {
                // With theirs, this could last an hour.
                let _ = rustix::thread::set_current_timer_slack(DEFAULT_TIMER_SLACK);
                std::thread::sleep(HELD_TIMEOUT / 50);
            }
            opened => return opened,
        }
    }
}

/// The open database.
pub(super) struct Database {
    pub(super) path: PathBuf,
    db: sled::Db,
    /// The lines by device and number.
    pub(super) facts: sled::Tree,
    /// By item and time, see [`time_key`]: all but those that shape the plan, as [`compact`] has them.
    pub(super) by_time: sled::Tree,
    /// By item and time: those that shape the plan.
    pub(super) plan: sled::Tree,
    /// By idempotency key.
    pub(super) keys: sled::Tree,
    /// By the fact that is taken back or corrected: those that say so.
    pub(super) replaced: sled::Tree,
    meta: sled::Tree,
}

impl Database {
    /// Opens the database and brings it up to the journals; one that cannot be used is quarantined and rebuilt.
    ///
    /// The calling thread and those of sled get a timer slack with which they sleep while there is nothing to do.
    pub(super) fn open(
        path: &Path,
        journals: &[JournalFile],
        mut progress: impl FnMut(u64, u64),
    ) -> Result<(Self, Vec<Skipped>), StoreError> {
        if seal::is_interrupted(path) {
            // Any part of what was written may be missing; it is of no use for finding a fault either.
            warn!(path = %path.display(), "the machine went down while the database was open: it is rebuilt from the journal");
            std::fs::remove_dir_all(path).map_err(|source| StoreError::Io {
                what: "remove",
                path: path.to_owned(),
                source,
            })?;
        }
        let opened = guarded(path, || Self::open_as_it_is(path)).and_then(|database| {
            let (database, outcome) =
                database.guarded(|database| database.catch_up(journals, &mut progress))?;
            outcome.map(|skipped| (database, skipped))
        });
        let why = match opened {
            Ok(opened) => return Ok(opened),
            Err(StoreError::Database { why, is_damaged: true, .. }) => why,
            Err(other) => return Err(other),
        };
        warn!(path = %path.display(), %why, "the database cannot be used and is rebuilt from the journal");
        quarantine(path)?;
        let database = Self::open_as_it_is(path)?;
        let skipped = database.catch_up(journals, &mut progress)?;
        Ok((database, skipped))
    }

    fn open_as_it_is(path: &Path) -> Result<Self, StoreError> {
        let unusable = |why: &str| failed(path, DatabaseError::Unusable(why.to_owned()));
        let config = sled::Config::new()
            .path(path)
            .cache_capacity(CACHE_BYTES)
            // Its own flusher would wake twice a second; the journal is what is durable.
            .flush_every_ms(None)
            .mode(sled::Mode::LowSpace);
        failpoints::reach("database-opens");
        seal::check(path).map_err(|why| unusable(&why))?;
        let db = open(&config).map_err(|error| failed(path, error))?;
        seal::mark_open(path).map_err(|error| failed(path, sled::Error::Io(error)))?;
        let tree = |name: &str| db.open_tree(name).map_err(|error| failed(path, error));
        let database = Self {
            path: path.to_owned(),
            facts: tree("facts")?,
            by_time: tree("by_time")?,
            plan: tree("plan")?,
            keys: tree("keys")?,
            replaced: tree("retractions")?,
            meta: tree("meta")?,
            db,
        };
        make_private(path);
        let version = database.meta.get("version").map_err(|error| failed(path, error))?;
        match version.as_deref() {
            Some(version) if version == VERSION.to_be_bytes() => {}
            Some(_) => return Err(unusable("it was written by another version")),
            None if database.facts.is_empty() => {
                let version = VERSION.to_be_bytes().to_vec();
                database.meta.insert("version", version).map_err(|error| failed(path, error))?;
            }
            None => return Err(unusable("it has no version")),
        }
        Ok(database)
    }

    /// Runs something with the database, and returns both with what came of it.
    ///
    /// # Errors
    ///
    /// sled panicked. The database is not closed, which could wait for ever, and its files stay locked.
    pub(super) fn guarded<T>(self, run: impl FnOnce(&Self) -> T) -> Result<(Self, T), StoreError> {
        let database = ManuallyDrop::new(self);
        let outcome = guarded(&database.path, || Ok(run(&database)))?;
        Ok((ManuallyDrop::into_inner(database), outcome))
    }

    /// Applies what the journals have and the database has not; of other devices' journals, what cannot be applied
    /// is returned.
    fn catch_up(
        &self,
        journals: &[JournalFile],
        progress: &mut impl FnMut(u64, u64),
    ) -> Result<Vec<Skipped>, StoreError> {
        let mut behind = Vec::new();
        let mut skipped = Vec::new();
        for journal in journals {
            let mark = self.mark(&journal.device)?;
            if mark > journal.last && !journal.is_own {
                skipped.push(Skipped::new(&journal.path, not_here_yet(journal.last, mark)));
                continue;
            }
            if mark > journal.last {
                return Err(StoreError::JournalShort {
                    path: journal.path.clone(),
                    db: self.path.clone(),
                    journal: journal.last,
                    database: mark,
                });
            }
            if !self.has_line(journal, mark)? {
                let why = format!("it holds another fact {mark} than the journal");
                return Err(self.failed(DatabaseError::Unusable(why)));
            }
            behind.push((journal, mark));
        }
        let total: u64 = behind.iter().map(|(journal, mark)| journal.last - mark).sum();
        let mut done = 0;
        let mut on_applied = |more| {
            done += more;
            progress(done, total);
        };
        for (journal, mark) in behind {
            skipped.extend(self.apply_after(journal, mark, &mut on_applied)?);
        }
        Ok(skipped)
    }

    /// Applies the lines of a journal that follow a fact; of another device's journal, those before the first that
    /// cannot be read.
    fn apply_after(
        &self,
        journal: &JournalFile,
        mark: u64,
        on_applied: &mut impl FnMut(u64),
    ) -> Result<Option<Skipped>, StoreError> {
        let mut lines = lines_after(journal, mark).peekable();
        let mut batch = Vec::new();
        while lines.peek().is_some() {
            batch.clear();
            let mut damage = None;
            for (text, number) in lines.by_ref().take(BATCH) {
                match read_line(journal, text, number) {
                    Ok(record) => batch.push((record, text)),
                    Err(why) => {
                        damage = Some((number, why));
                        break;
                    }
                }
            }
            let noted: Vec<Noted> = batch.iter().map(|(record, text)| (record, *text)).collect();
            self.apply(&noted).map_err(|error| self.failed(error))?;
            on_applied(batch.len() as u64);
            match damage {
                None => {}
                Some((line, why)) if journal.is_own => {
                    return Err(StoreError::Damaged { path: journal.path.clone(), line, why });
                }
                Some((line, why)) => return Ok(Some(Skipped::new(&journal.path, unreadable(line, &why)))),
            }
        }
        Ok(None)
    }

    /// Applies what other devices' journals have and the database has not, and returns it with what cannot be applied.
    pub(super) fn fold(&self, peers: &[JournalFile]) -> Result<(Vec<JournalLine>, Vec<Skipped>), StoreError> {
        let mut skipped = Vec::new();
        let mut folded = Vec::new();
        for journal in peers {
            let before = self.mark(&journal.device)?;
            if before > journal.last {
                skipped.push(Skipped::new(&journal.path, not_here_yet(journal.last, before)));
                continue;
            }
            if !self.has_line(journal, before)? {
                let why =
                    format!("it holds another fact {before} than was read before; a restart reads it again");
                skipped.push(Skipped::new(&journal.path, why));
                continue;
            }
            skipped.extend(self.apply_after(journal, before, &mut |_| {})?);
            let after = usize::try_from(self.mark(&journal.device)? - before).unwrap_or(usize::MAX);
            folded.extend(lines_after(journal, before).take(after).filter_map(|(text, number)| {
                let record = Arc::new(read_line(journal, text, number).ok()?);
                Some(JournalLine { record, text: text.into() })
            }));
        }
        Ok((folded, skipped))
    }

    /// Returns the lines of a device, as its journal has them.
    pub(super) fn journal_text(&self, device: &str) -> Result<String, StoreError> {
        let mut text = String::new();
        for number in 1..=self.mark(device)? {
            let line = self.facts.get(fact_key(device, number)).map_err(|error| self.failed(error))?;
            let line = line.as_deref().and_then(|line| std::str::from_utf8(line).ok());
            text.push_str(line.ok_or_else(|| self.failed(DatabaseError::Damaged))?);
            text.push('\n');
        }
        Ok(text)
    }

    /// Tells whether the database has the same fact as a journal, of which it is the last that the database has.
    /// One that holds another history is not of this journal.
    fn has_line(&self, journal: &JournalFile, mark: u64) -> Result<bool, StoreError> {
        let Some(before) = mark.checked_sub(1) else { return Ok(true) };
        let held = self.facts.get(fact_key(&journal.device, mark)).map_err(|error| self.failed(error))?;
        let line = journal.text.lines().nth(usize::try_from(before).unwrap_or(usize::MAX));
        Ok(held.as_deref() == line.map(str::as_bytes))
    }

    pub(super) fn failed(&self, error: impl Into<DatabaseError>) -> StoreError {
        failed(&self.path, error)
    }

    fn mark(&self, device: &str) -> Result<u64, StoreError> {
        let mark = self.meta.get(mark_key(device)).map_err(|error| self.failed(error))?;
        let mark = mark.and_then(|bytes| bytes.as_ref().try_into().ok()).map(u64::from_be_bytes);
        Ok(mark.unwrap_or(0))
    }

    /// Puts facts into every tree; the mark moves last, so that a crash leaves it behind, not ahead.
    pub(super) fn apply(&self, facts: &[Noted<'_>]) -> Result<(), DatabaseError> {
        let [mut lines, mut by_time, mut plan, mut keys, mut replaced] = [const { Entries::new() }; 5];
        let mut marks: BTreeMap<Arc<str>, u64> = BTreeMap::new();
        for (record, text) in facts {
            let key = fact_key(&record.id.device, record.id.seq);
            if let Some(earlier) = record.fact.supersedes() {
                let both = [fact_key(&earlier.device, earlier.seq), key.clone()].concat();
                replaced.push((both, Vec::new()));
            }
            if let Some(name) = record.fact.key() {
                keys.push((name.as_bytes().to_vec(), key.clone()));
            }
            if record.fact.shapes_plan() {
                plan.push((time_key(record), Vec::new()));
            } else {
                by_time.push((time_key(record), compact::encode(record)));
            }
            lines.push((key, text.as_bytes().to_vec()));
            marks.insert(record.id.device.clone(), record.id.seq);
        }
        insert(&self.facts, lines)?;
        insert(&self.by_time, by_time)?;
        insert(&self.plan, plan)?;
        insert(&self.keys, keys)?;
        insert(&self.replaced, replaced)?;
        failpoints::reach("in-database");
        for (device, seq) in marks {
            self.meta.insert(mark_key(&device), &seq.to_be_bytes())?;
        }
        Ok(())
    }

    pub(super) fn health(&self) -> Result<Health, StoreError> {
        let mut marks = BTreeMap::new();
        for entry in self.meta.scan_prefix(b"mark\0") {
            let (key, value) = entry.map_err(|error| self.failed(error))?;
            let device = String::from_utf8_lossy(&key[5..]).into_owned();
            let mark = value.as_ref().try_into().map_or(0, u64::from_be_bytes);
            marks.insert(device, mark);
        }
        Ok(Health { facts: marks.values().sum(), marks, error: None, skipped: Vec::new() })
    }

    pub(super) fn close(self) {
        // sled's flush leaves the last writes to the kernel; this start of the day is not worth a rebuild.
        if let Err(error) = self.db.flush() {
            warn!(%error, "the database could not be flushed; it is brought up to date at the next start");
        }
        let path = self.path.clone();
        drop(self);
        // To wait for sled's threads; with theirs, this could last an hour.
        let _ = rustix::thread::set_current_timer_slack(DEFAULT_TIMER_SLACK);
        if let Err(error) = seal::mark_closed(&path) {
            warn!(%error, "how the database was left could not be noted; it may be rebuilt at the next start");
        }
    }
}

/// Returns the lines of a journal that follow a fact, with their numbers.
fn lines_after(journal: &JournalFile, mark: u64) -> impl Iterator<Item = (&str, u64)> {
    journal.text.lines().zip(1u64..).skip(usize::try_from(mark).unwrap_or(usize::MAX))
}

/// Reads a line, which must be the fact of that number of the journal's own device.
fn read_line(journal: &JournalFile, text: &str, number: u64) -> Result<Record, String> {
    let record = line::record(text, Some(&journal.device)).map_err(|error| error.to_string())?;
    if record.id.seq != number || record.id.device != journal.device {
        return Err(format!("fact {number} of {} should stand here", journal.device));
    }
    Ok(record)
}

fn not_here_yet(last: u64, mark: u64) -> String {
    format!("it ends at fact {last}, but {mark} are known: the rest is not here yet")
}

/// Says that a line of another device's journal cannot be read.
pub(super) fn unreadable(line: u64, why: &str) -> String {
    format!("line {line} cannot be read ({why}); what comes before it is used")
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

/// Runs something that uses sled, which panics on some damaged files: that is an error as any other damage.
fn guarded<T>(path: &Path, run: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    panics::catch(run).unwrap_or_else(|why| Err(failed(path, DatabaseError::Unusable(why))))
}

fn failed(path: &Path, error: impl Into<DatabaseError>) -> StoreError {
    let error = error.into();
    if let DatabaseError::TooManyFacts { most } = error {
        return StoreError::TooManyFacts { most };
    }
    StoreError::Database { path: path.to_owned(), why: error.to_string(), is_damaged: error.is_damage() }
}

/// The most unusable databases that are kept.
const MAX_BROKEN: u32 = 10;

/// Moves an unusable database out of the way, under a name that is free.
pub(super) fn quarantine(path: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::Io { what: "move away", path: path.to_owned(), source };
    let mut names = (1..=MAX_BROKEN).map(|n| path.with_file_name(format!("db.broken-{n}")));
    match names.find(|aside| !aside.exists()) {
        _ if !path.exists() => {}
        Some(aside) => {
            std::fs::rename(path, &aside).map_err(failed)?;
            warn!(to = %aside.display(), "the old database was kept; it can be deleted");
        }
        // They are of use only for finding the fault.
        None if path.is_dir() => std::fs::remove_dir_all(path).map_err(failed)?,
        None => std::fs::remove_file(path).map_err(failed)?,
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
