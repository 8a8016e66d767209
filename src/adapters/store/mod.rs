//! The record: a journal that is durable, and a database that is quick to ask.
//!
//! The journal comes first: a fact is recorded when its line is on the disk (`fdatasync`), and only
//! then is anyone told. sled holds the same facts for every query and can always be rebuilt from the
//! journal. Nothing that could not be read is ever replaced.
//!
//! Two threads own the two files, so that no answer waits behind a query.

mod backlog;
mod compact;
mod database;
mod device;
mod draft;
mod error;
mod file_system;
mod form_data;
mod journal;
mod journal_file;
mod keys;
mod line;
mod lock;
mod query;
mod restore;
mod seal;
mod worker;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, mpsc};

use jiff::Timestamp;
use tokio::sync::{mpsc as async_mpsc, oneshot};

pub use database::Health;
pub use draft::{Draft, Written};
pub use error::StoreError;
pub use journal_file::Skipped;
pub use line::{JournalLine, with_outcome};
pub use query::{HistoryQuery, MAX_FACTS, Query, Range};

use self::backlog::Backlog;
use self::device::Device;
use self::file_system::{FileSystem, OsFileSystem, make_dir_durably};
use self::journal::{Journal, JournalCommand};
use self::lock::Lock;
use self::worker::{DatabaseCommand, Reply};
use crate::core::ledger::{FactId, Ledger, Record};
use crate::core::schedule::ItemId;

/// The open record.
#[derive(Debug)]
pub struct Store {
    device: Arc<str>,
    copied_from: Option<String>,
    journal: mpsc::Sender<JournalCommand>,
    database: mpsc::Sender<DatabaseCommand>,
    journal_thread: std::thread::JoinHandle<()>,
    database_thread: std::thread::JoinHandle<()>,
    _lock: Lock,
}

/// A way to ask the database from anywhere.
#[derive(Clone, Debug)]
pub struct Reader {
    database: mpsc::Sender<DatabaseCommand>,
}

impl Store {
    /// Opens the record of a directory, makes it where there is none, and brings the database up to
    /// date; `progress` hears of facts done and facts in all. What is written goes to `written`.
    ///
    /// # Errors
    ///
    /// Another daemon holds it, a file cannot be used, or a journal is damaged.
    pub fn open(
        dir: &Path,
        host_name: &str,
        written: async_mpsc::UnboundedSender<Written>,
        progress: impl FnMut(u64, u64) + Send + 'static,
    ) -> Result<Self, StoreError> {
        Self::open_on(Arc::new(OsFileSystem), dir, host_name, written, progress)
    }

    /// Opens a record on a file system; lock and database are always on the system's.
    fn open_on(
        files: Arc<dyn FileSystem>,
        dir: &Path,
        host_name: &str,
        written: async_mpsc::UnboundedSender<Written>,
        progress: impl FnMut(u64, u64) + Send + 'static,
    ) -> Result<Self, StoreError> {
        let io = |what, path: &Path| {
            let path = path.to_owned();
            move |source| StoreError::Io { what, path, source }
        };
        make_dir_durably(&*files, dir).map_err(io("make", dir))?;
        let lock = Lock::acquire(dir)?;
        let journals = dir.join("journal");
        make_dir_durably(&*files, &journals).map_err(io("make", &journals))?;
        let Device { name: device, copied_from } =
            device::identify(&*files, dir, host_name, device::machine_id().as_deref())?;
        let path = journals.join(format!("{device}.jsonl"));
        let (mut journal, own) = Journal::open(&files, &path, &device)?;
        let mut journals = journal_file::read_peers(&*files, &path)?;
        journals.files.push(own);
        let backlog = Backlog::new(journal.durable);
        let (database, database_thread) =
            worker::spawn(dir.join("db"), files, path, journals, backlog.clone(), progress)?;
        let started = journal
            .truncate_torn_tail()
            .and_then(|()| journal::spawn(journal, backlog, database.clone(), written));
        let (journal, journal_thread) = match started {
            Ok(started) => started,
            Err(error) => {
                let _ = database.send(DatabaseCommand::Close);
                let _ = database_thread.join();
                return Err(error);
            }
        };
        Ok(Self { device, copied_from, journal, database, journal_thread, database_thread, _lock: lock })
    }

    /// Returns the name of this device.
    #[must_use]
    pub fn device(&self) -> &str {
        &self.device
    }

    /// Returns the device of whose record this one is a copy, made on another machine.
    #[must_use]
    pub fn copied_from(&self) -> Option<&str> {
        self.copied_from.as_deref()
    }

    /// Lets the journal's thread look whether its file is still in its place, and put it back if not.
    pub fn check_journal(&self) {
        let _ = self.journal.send(JournalCommand::Check);
    }

    /// Hands facts to the journal; they share one `fdatasync` with whatever else waits.
    pub fn record(&self, drafts: Vec<Draft>) {
        // The thread ends only with the store.
        let _ = self.journal.send(JournalCommand::Write(drafts));
    }

    /// Returns a way to ask the database.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader { database: self.database.clone() }
    }

    /// Writes down what waits and closes both files.
    pub fn close(self) {
        let _ = self.journal.send(JournalCommand::Close);
        let _ = self.journal_thread.join();
        // Now it has all that was written.
        let _ = self.database.send(DatabaseCommand::Close);
        let _ = self.database_thread.join();
    }
}

impl Reader {
    /// Lets the database apply what is durable; a query does so by itself.
    pub fn apply_backlog(&self) {
        // Where its thread has ended, the next start does.
        let _ = self.database.send(DatabaseCommand::ApplyBacklog);
    }

    /// Returns facts with their lines; everything that was durable before is among them.
    ///
    /// # Errors
    ///
    /// The database cannot be read, not even after rebuilding it from the journal, or is closed; or there are more
    /// facts than the query allows.
    pub async fn lines(&self, query: Query) -> Result<Vec<JournalLine>, StoreError> {
        self.send(|reply| DatabaseCommand::Lines(query, reply)).await
    }

    /// Returns facts without their lines.
    ///
    /// # Errors
    ///
    /// As [`Reader::lines`].
    pub async fn records(&self, query: Query) -> Result<Vec<Arc<Record>>, StoreError> {
        self.send(|reply| DatabaseCommand::Records(query, reply)).await
    }

    /// Returns facts as a ledger.
    ///
    /// # Errors
    ///
    /// As [`Reader::lines`].
    pub async fn ledger(&self, query: Query) -> Result<Ledger, StoreError> {
        Ok(self.records(query).await?.into_iter().collect())
    }

    /// Returns the facts about slots and times in `[from, until)`, however many: for the daemon's own use.
    ///
    /// # Errors
    ///
    /// As [`Reader::lines`].
    pub async fn facts_for(
        &self,
        from: Timestamp,
        until: Timestamp,
        items: Option<BTreeSet<ItemId>>,
    ) -> Result<Vec<Arc<Record>>, StoreError> {
        self.records(Query::About(Range { from, until, items, most: usize::MAX })).await
    }

    /// Returns the lines of a history in the order in which they were recorded, with commas between them.
    ///
    /// # Errors
    ///
    /// As [`Reader::lines`].
    pub async fn history(&self, query: HistoryQuery) -> Result<String, StoreError> {
        self.send(|reply| DatabaseCommand::History(query, reply)).await
    }

    /// Returns one fact.
    ///
    /// # Errors
    ///
    /// As [`Reader::lines`].
    pub async fn fact(&self, id: FactId) -> Result<Option<JournalLine>, StoreError> {
        Ok(self.lines(Query::Fact(id.clone())).await?.into_iter().find(|line| line.record.id == id))
    }

    /// Applies what is new in the journals of other devices, and returns it.
    ///
    /// # Errors
    ///
    /// As [`Reader::lines`], or the journal directory cannot be read.
    pub async fn fold_peers(&self) -> Result<Vec<JournalLine>, StoreError> {
        self.send(DatabaseCommand::Fold).await
    }

    /// Returns the state of journal and database.
    ///
    /// # Errors
    ///
    /// As [`Reader::lines`].
    pub async fn health(&self) -> Result<Health, StoreError> {
        self.send(DatabaseCommand::Health).await
    }

    async fn send<T>(&self, command: impl FnOnce(Reply<T>) -> DatabaseCommand) -> Result<T, StoreError> {
        let (reply, outcome) = oneshot::channel();
        self.database.send(command(reply)).map_err(|_| StoreError::Closed)?;
        outcome.await.map_err(|_| StoreError::Closed)?
    }
}

/// Makes a directory that only its owner can enter, and closes it where others could.
///
/// # Errors
///
/// It cannot be made or changed.
pub fn make_private_dir(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let mode = std::fs::metadata(dir)?.permissions().mode();
    if mode & 0o077 != 0 {
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
