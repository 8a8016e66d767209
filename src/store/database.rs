//! The database: sled, owned by one thread, always to be had again from the journals.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use tracing::warn;

use super::StoreError;
use super::blocks::Blocks;
use super::journal::JournalFile;
use super::kept;
use super::keys::{about_seconds, biased, fact_key, join, mark_key};
use super::line::{self, Noted};
use super::pages::Pages;
use crate::failpoints;
use crate::panics;
use crate::schedule::ItemId;

/// The version of the database's layout; another one is rebuilt.
const VERSION: u32 = 4;

/// sled's cache, in bytes.
const CACHE_BYTES: u64 = 8 * 1024 * 1024;

/// sled's threads look for work several times a second for ever; an hour of slack lets them sleep.
/// Threads inherit it from the one that starts them.
pub(super) const TIMER_SLACK: Option<std::num::NonZeroU64> = std::num::NonZeroU64::new(3_600_000_000_000);

/// The slack of a thread that waits for a short time: the kernel's own default.
const PUNCTUAL: Option<std::num::NonZeroU64> = std::num::NonZeroU64::new(50_000);

/// How long a database that was given up is waited for.
const HELD: Duration = Duration::from_secs(1);

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
}

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum DatabaseError {
    #[error(transparent)]
    Sled(#[from] sled::Error),
    #[error("what it holds is damaged")]
    Damaged,
    #[error("{0}")]
    Unusable(String),
}

impl DatabaseError {
    /// Tells whether another database in its place would do better: not where the disk or the machine has no room.
    fn is_damage(&self) -> bool {
        let Self::Sled(sled::Error::Io(error)) = self else { return true };
        let is_elsewhere = matches!(
            Errno::from_io_error(error),
            Some(
                Errno::ACCESS
                    | Errno::AGAIN
                    | Errno::DQUOT
                    | Errno::MFILE
                    | Errno::NFILE
                    | Errno::NOMEM
                    | Errno::NOSPC
                    | Errno::PERM
                    | Errno::ROFS
            )
        );
        !is_elsewhere && !is_held(error)
    }
}

/// Tells whether a database is still open: one that was given up can be held a little longer by a thread of its own.
fn is_held(error: &std::io::Error) -> bool {
    error.to_string().starts_with("could not acquire lock")
}

/// Opens a database, and waits a little for one that is still held.
fn open(config: &sled::Config) -> sled::Result<sled::Db> {
    let until = Instant::now() + HELD;
    loop {
        // sled's io threads inherit the slack that keeps them asleep.
        let _ = rustix::thread::set_current_timer_slack(TIMER_SLACK);
        match config.open() {
            Err(sled::Error::Io(error)) if is_held(&error) && Instant::now() < until => {
                // With theirs, this could last an hour.
                let _ = rustix::thread::set_current_timer_slack(PUNCTUAL);
                std::thread::sleep(HELD / 50);
            }
            opened => return opened,
        }
    }
}

impl From<kept::KeptError> for DatabaseError {
    fn from(_: kept::KeptError) -> Self {
        Self::Damaged
    }
}

/// The open database.
pub(super) struct Database {
    pub(super) path: PathBuf,
    db: sled::Db,
    pub(super) lines: Blocks,
    /// All but those that shape the plan.
    pub(super) about: Pages,
    /// Those that shape the plan: the time and the item that each is about.
    pub(super) plan: sled::Tree,
    /// By idempotency key.
    pub(super) keys: sled::Tree,
    /// By the fact that is taken back or corrected: those that say so.
    pub(super) replaced: sled::Tree,
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
        let mark = mark_of_panic(path);
        panics::marked(&mark, || {
            let opened = match std::fs::read_to_string(&mark) {
                Ok(said) => Err(failed(path, DatabaseError::Unusable(said))),
                Err(_) => Self::try_open(path),
            };
            let opened = opened.and_then(|mut database| {
                database.catch_up(journals, &mut progress)?;
                Ok(database)
            });
            let why = match opened {
                Ok(database) => return Ok(database),
                Err(StoreError::Database { why, is_damaged: true, .. }) => why,
                Err(other) => return Err(other),
            };
            warn!(path = %path.display(), %why, "the database cannot be used and is built anew from the journal");
            set_aside(path)?;
            let mut database = Self::try_open(path)?;
            database.catch_up(journals, &mut progress)?;
            Ok(database)
        })
    }

    fn try_open(path: &Path) -> Result<Self, StoreError> {
        let unusable = |why: &str| failed(path, DatabaseError::Unusable(why.to_owned()));
        let config = sled::Config::new()
            .path(path)
            .cache_capacity(CACHE_BYTES)
            // Its own flusher would wake twice a second; the journal is what is durable.
            .flush_every_ms(None)
            .mode(sled::Mode::LowSpace);
        // On a thread of its own, as sled's threads inherit its slack.
        let mark = mark_of_panic(path);
        let open = move || {
            panics::marked(&mark, || {
                failpoints::reach("database-opens");
                open(&config)
            })
        };
        // Where a panic does not end the process, as in a test, it ends this thread.
        let opening =
            std::thread::Builder::new().spawn(open).map_err(|error| failed(path, sled::Error::Io(error)))?;
        let opened = opening.join().map_err(|_| unusable("it panicked"))?;
        let db = opened.map_err(|error| failed(path, error))?;
        let tree = |name: &str| db.open_tree(name).map_err(|error| failed(path, error));
        let database = Self {
            path: path.to_owned(),
            lines: Blocks(tree("facts")?),
            about: Pages(tree("about")?),
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
            None if database.lines.0.is_empty() => {
                let version = VERSION.to_be_bytes().to_vec();
                database.meta.insert("version", version).map_err(|error| failed(path, error))?;
            }
            None => return Err(unusable("it has no version")),
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
        // One room for all of them.
        let mut batch = Vec::new();
        for (journal, mark) in behind {
            let known = usize::try_from(mark).unwrap_or(usize::MAX);
            let mut lines = journal.text.lines().zip(1u64..).skip(known).peekable();
            while lines.peek().is_some() {
                batch.clear();
                for (text, number) in lines.by_ref().take(BATCH) {
                    let record = line::record(text, Some(&journal.device)).map_err(|error| {
                        let (path, why) = (journal.path.clone(), error.to_string());
                        StoreError::Damaged { path, line: number, why }
                    })?;
                    batch.push((record, text));
                }
                let noted: Vec<Noted> = batch.iter().map(|(record, text)| (record, *text)).collect();
                self.apply(&noted).map_err(|error| self.failed(error))?;
                done += batch.len() as u64;
                progress(done, total);
            }
        }
        Ok(())
    }

    /// A database that holds another history than the journal is not of this journal.
    fn compare_last(&self, journal: &JournalFile, mark: u64) -> Result<(), StoreError> {
        let Some(before) = mark.checked_sub(1) else { return Ok(()) };
        let mut reading = self.lines.reading();
        let held = reading.line(&journal.device, mark).map_err(|error| self.failed(error))?;
        let line = journal.text.lines().nth(usize::try_from(before).unwrap_or(usize::MAX));
        if held == line {
            return Ok(());
        }
        Err(self.failed(DatabaseError::Unusable(format!("it holds another fact {mark} than the journal"))))
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
        let [mut plan, mut keys, mut replaced] = [const { Entries::new() }; 3];
        let mut marks: BTreeMap<Arc<str>, u64> = BTreeMap::new();
        for (record, _) in facts {
            let key = || fact_key(&record.id.device, record.id.seq);
            if let Some(earlier) = record.fact.replaces() {
                replaced.push((join(&[&fact_key(&earlier.device, earlier.seq), &key()]), Vec::new()));
            }
            if let Some(name) = record.fact.key() {
                keys.push((name.as_bytes().to_vec(), key()));
            }
            if record.fact.shapes_plan() {
                let item = record.fact.item().map_or("", ItemId::as_str);
                plan.push((key(), join(&[&biased(about_seconds(record)), item.as_bytes()])));
            }
            marks.insert(record.id.device.clone(), record.id.seq);
        }
        self.lines.add(facts)?;
        let others = facts.iter().map(|(record, _)| *record).filter(|record| !record.fact.shapes_plan());
        self.about.add(others)?;
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

/// Returns where it stands that sled panicked on a database.
pub(super) fn mark_of_panic(path: &Path) -> PathBuf {
    path.with_file_name("db.panicked")
}

fn failed(path: &Path, error: impl Into<DatabaseError>) -> StoreError {
    let error = error.into();
    StoreError::Database { path: path.to_owned(), why: error.to_string(), is_damaged: error.is_damage() }
}

/// The most unusable databases that are kept.
const MAX_BROKEN: u32 = 10;

/// Moves an unusable database out of the way, under a name that is free.
pub(super) fn set_aside(path: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::Io { what: "move away", path: path.to_owned(), source };
    let mut names = (1..=MAX_BROKEN).map(|n| path.with_file_name(format!("db.broken-{n}")));
    match names.find(|aside| !aside.exists()) {
        _ if !path.exists() => {}
        Some(aside) => {
            std::fs::rename(path, &aside).map_err(failed)?;
            warn!(to = %aside.display(), "the old database was kept; it can be deleted");
        }
        // They are of use only to whoever looks for the fault.
        None if path.is_dir() => std::fs::remove_dir_all(path).map_err(failed)?,
        None => std::fs::remove_file(path).map_err(failed)?,
    }
    // Last: whatever else panicked was about the old one.
    let _ = std::fs::remove_file(mark_of_panic(path));
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
