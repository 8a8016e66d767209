//! The record: a journal that is durable, and a database that is quick to ask.
//!
//! The journal comes first: a fact is recorded when its line is on the disk (`fdatasync`), and only
//! then is anyone told. sled holds the same facts for every query and can always be rebuilt from the
//! journal. Nothing that could not be read is ever replaced.
//!
//! Two threads own the two files, so that no answer waits behind a query.

mod ask;
mod blocks;
mod database;
mod details;
mod device;
mod journal;
mod kept;
mod keys;
mod line;
mod lock;
mod owner;
mod pages;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::{mpsc as async_mpsc, oneshot};

pub use ask::{History, Question, Range};
pub use database::Health;
pub use line::Line;

use crate::ledger::{Fact, FactId, Ledger, Record};
use crate::reminder::Token;
use crate::schedule::ItemId;

/// A fact on its way to the journal.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Who asks for it.
    pub token: Token,
    /// What happened.
    pub fact: Fact,
    /// When it is written down.
    pub recorded_at: Timestamp,
    /// The zone in which its times are written.
    pub zone: TimeZone,
}

/// What became of drafts that were written together.
#[derive(Clone, Debug)]
pub enum Written {
    /// They are durable.
    Durable(Vec<(Token, Line)>),
    /// None of them is.
    Failed(Vec<Token>, String),
}

/// Why the record cannot be opened or asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another daemon holds the record.
    #[error("another daemon runs on {}{}: stop it first, or use another --data-dir", .dir.display(), by(*.pid))]
    Locked {
        /// The data directory.
        dir: PathBuf,
        /// The other daemon.
        pid: Option<u32>,
    },
    /// A file could not be opened, read or written.
    #[error("cannot {what} {}", .path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line of a journal is damaged.
    #[error(
        "line {line} of {} is damaged ({why}). Nothing was changed. Restore the file from a backup, or move it away to begin anew without it",
        .path.display()
    )]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// The journal has lost facts that the database knows.
    #[error(
        "{} ends at fact {journal}, but fact {database} was recorded. Nothing was changed. Restore the file from a backup, or move {} away to go on without the lost facts",
        .path.display(), .db.display()
    )]
    JournalShort {
        /// The journal.
        path: PathBuf,
        /// The database.
        db: PathBuf,
        /// The journal's last fact.
        journal: u64,
        /// The database's last fact.
        database: u64,
    },
    /// The database cannot be used.
    #[error("the database {} cannot be used: {why}", .path.display())]
    Database {
        /// Its directory.
        path: PathBuf,
        /// Why.
        why: String,
        /// Whether it is damaged itself, so that it would be of use to build it anew.
        is_damaged: bool,
    },
    /// The store has been closed.
    #[error("the record is closed")]
    Closed,
}

fn by(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

/// The open record.
#[derive(Debug)]
pub struct Store {
    device: Arc<str>,
    journal: mpsc::Sender<journal::Order>,
    database: mpsc::Sender<owner::Order>,
    openings: Arc<AtomicU64>,
    threads: Vec<std::thread::JoinHandle<()>>,
    _lock: lock::Lock,
}

/// A way to ask the database from anywhere.
#[derive(Clone, Debug)]
pub struct Reader {
    database: mpsc::Sender<owner::Order>,
    openings: Arc<AtomicU64>,
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
        progress: impl FnMut(u64, u64),
    ) -> Result<Self, StoreError> {
        let io = |what, path: &Path| {
            let path = path.to_owned();
            move |source| StoreError::Io { what, path, source }
        };
        make_private_dir(dir).map_err(io("make", dir))?;
        let lock = lock::Lock::take(dir)?;
        let journals = dir.join("journal");
        make_private_dir(&journals).map_err(io("make", &journals))?;
        let device = device::name(dir, host_name)?;
        let path = journals.join(format!("{device}.jsonl"));
        let (mut journal, own) = journal::Journal::open(&path, &device)?;
        let mut files = vec![own];
        for other in journal::others(&path)? {
            files.push(journal::read_other(&other)?);
        }
        let database = database::Database::open(&dir.join("db"), &files, progress)?;
        journal.cut()?;
        let openings = Arc::new(AtomicU64::new(1));
        let backlog = owner::Backlog::new(journal.durable);
        let (database_sender, database_thread) =
            owner::spawn(database, path, backlog.clone(), openings.clone());
        let (journal_sender, journal_thread) =
            journal::spawn(journal, database_sender.clone(), backlog, written);
        Ok(Self {
            device,
            journal: journal_sender,
            database: database_sender,
            openings,
            threads: vec![journal_thread, database_thread],
            _lock: lock,
        })
    }

    /// Returns the name of this device.
    #[must_use]
    pub fn device(&self) -> &str {
        &self.device
    }

    /// Hands facts to the journal; they share one `fdatasync` with whatever else waits.
    pub fn record(&self, drafts: Vec<Draft>) {
        // The thread ends only with the store.
        let _ = self.journal.send(journal::Order::Write(drafts));
    }

    /// Returns a way to ask the database.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader { database: self.database.clone(), openings: self.openings.clone() }
    }

    /// Writes down what waits and closes both files.
    pub fn close(self) {
        let _ = self.journal.send(journal::Order::Close);
        for thread in self.threads {
            let _ = thread.join();
        }
    }
}

impl Reader {
    /// Lets the database take in what is durable; a question does so by itself.
    pub fn take_in(&self) {
        // Where its thread has ended, the next start does.
        let _ = self.database.send(owner::Order::TakeIn);
    }

    /// Asks for facts; everything that was durable before is in the answer.
    ///
    /// # Errors
    ///
    /// The database cannot be read, not even built anew from the journal, or is closed.
    pub async fn ask(&self, question: Question) -> Result<Vec<Line>, StoreError> {
        self.answer(|reply| owner::Order::Ask(question, reply)).await
    }

    /// Asks for facts, as a ledger.
    ///
    /// # Errors
    ///
    /// As [`Reader::ask`].
    pub async fn ledger(&self, question: Question) -> Result<Ledger, StoreError> {
        Ok(self.ask(question).await?.into_iter().map(|line| line.record).collect())
    }

    /// Asks for the facts about slots and times in `[from, until)`, a day and a half wider on both sides, with what takes them back
    /// or corrects them; without those that shape the plan, and without their lines, which is faster.
    ///
    /// # Errors
    ///
    /// As [`Reader::ask`].
    pub async fn about(
        &self,
        from: Timestamp,
        until: Timestamp,
        item: Option<ItemId>,
    ) -> Result<Vec<Arc<Record>>, StoreError> {
        self.answer(|reply| owner::Order::About(Range { from, until, item }, reply)).await
    }

    /// Asks for the lines of a history in the order in which they were recorded, with commas between them.
    ///
    /// # Errors
    ///
    /// As [`Reader::ask`].
    pub async fn history(&self, asked: History) -> Result<String, StoreError> {
        self.answer(|reply| owner::Order::History(asked, reply)).await
    }

    /// Returns how often the database was opened: each time it may hold more of other devices.
    #[must_use]
    pub fn openings(&self) -> u64 {
        self.openings.load(Ordering::Relaxed)
    }

    /// Asks for one fact.
    ///
    /// # Errors
    ///
    /// As [`Reader::ask`].
    pub async fn fact(&self, id: FactId) -> Result<Option<Line>, StoreError> {
        Ok(self.ask(Question::Fact(id)).await?.into_iter().next())
    }

    /// Asks how journal and database are.
    ///
    /// # Errors
    ///
    /// As [`Reader::ask`].
    pub async fn health(&self) -> Result<Health, StoreError> {
        self.answer(owner::Order::Health).await
    }

    async fn answer<T>(
        &self,
        order: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> owner::Order,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.database.send(order(reply)).map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }
}

/// Tells whether there is a record in a directory whose database is to be built anew.
#[must_use]
pub fn is_to_be_built(dir: &Path) -> bool {
    dir.join("journal").exists() && !dir.join("db").exists()
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
