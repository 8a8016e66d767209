//! The thread that owns the database, and opens it again where it was closed after an error.

use std::path::PathBuf;
use std::sync::{Arc, mpsc};

use tokio::sync::oneshot;
use tracing::{error, info, warn};

use super::backlog::Backlog;
use super::database::{Database, Health, quarantine};
use super::error::StoreError;
use super::file_system::FileSystem;
use super::journal_file::{self, Journals, Skipped};
use super::line::{JournalLine, Noted};
use super::query::{HistoryQuery, Query};
use crate::core::ledger::Record;

/// A command to the database's thread; each starts with applying the backlog.
#[derive(Debug)]
pub(super) enum DatabaseCommand {
    ApplyBacklog,
    Lines(Query, Reply<Vec<JournalLine>>),
    Records(Query, Reply<Vec<Arc<Record>>>),
    History(HistoryQuery, Reply<String>),
    Health(Reply<Health>),
    /// The lines of a device, as its journal has them.
    Journal(Arc<str>, Reply<String>),
    /// Apply what is new in the journals of other devices.
    Fold(Reply<Vec<JournalLine>>),
    Close,
}

/// Where the result of a command goes; nobody may be waiting for it any more.
pub(super) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// The database with what it takes to open it again: sled does not recover from a full disk by itself.
struct Worker {
    path: PathBuf,
    files: Arc<dyn FileSystem>,
    /// This device's journal.
    journal: PathBuf,
    database: Option<Database>,
    backlog: Backlog,
    error: Option<String>,
    /// What lies beside the journal and is not read, or not to its end.
    skipped: Vec<Skipped>,
    /// Whether a database was quarantined: a second time it would not be the database's fault.
    has_quarantined: bool,
}

impl Worker {
    fn serve(mut self, commands: mpsc::Receiver<DatabaseCommand>) {
        for command in commands {
            self.apply_backlog();
            match command {
                DatabaseCommand::ApplyBacklog => {}
                DatabaseCommand::Lines(query, reply) => {
                    let _ = reply.send(self.query(|database| database.lines(&query)));
                }
                DatabaseCommand::Records(query, reply) => {
                    let _ = reply.send(self.query(|database| database.records(&query)));
                }
                DatabaseCommand::History(query, reply) => {
                    let _ = reply.send(self.query(|database| database.history(&query)));
                }
                DatabaseCommand::Health(reply) => {
                    let _ = reply.send(self.health());
                }
                DatabaseCommand::Journal(device, reply) => {
                    let _ = reply.send(self.query(|database| database.journal_text(&device)));
                }
                DatabaseCommand::Fold(reply) => {
                    let _ = reply.send(self.fold());
                }
                DatabaseCommand::Close => break,
            }
        }
        if let Some(database) = self.database {
            database.close();
        }
    }

    fn apply_backlog(&mut self) {
        let lines = self.backlog.drain();
        let Some(database) = self.database.take_if(|_| !lines.is_empty()) else { return };
        let noted: Vec<Noted> = lines.iter().map(JournalLine::noted).collect();
        // Where this fails, the mark stays behind; the journal has these facts, and they are applied again from there.
        let _ =
            self.run(database, &|database| database.apply(&noted).map_err(|error| database.failed(error)));
    }

    /// Queries the database, a second time where it had to be opened again, a third where it had to be rebuilt.
    fn query<T>(&mut self, query: impl Fn(&Database) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let database = self.ready()?;
        match self.run(database, &query) {
            Err(StoreError::Database { .. }) => {}
            outcome => return outcome,
        }
        // What made it fail may be over: a disk has room again.
        let database = self.ready()?;
        match self.run(database, &query) {
            Err(error @ StoreError::Database { is_damaged: true, .. }) if !self.has_quarantined => {
                // It can be opened, but not read.
                self.quarantine(&error)?;
                let database = self.ready()?;
                self.run(database, &query)
            }
            outcome => outcome,
        }
    }

    /// Returns the database, opened again from the journals where it was closed after an error.
    fn ready(&mut self) -> Result<Database, StoreError> {
        if let Some(database) = self.database.take() {
            return Ok(database);
        }
        let Journals { files, mut skipped } =
            journal_file::read_all(&*self.files, &self.journal, self.backlog.bytes())?;
        let (database, behind) = Database::open(&self.path, &files, |_, _| {})?;
        skipped.extend(behind);
        self.skipped = skipped;
        self.error = None;
        info!("the database can be used again");
        Ok(database)
    }

    /// Runs something with the database, which is kept where that succeeds, and else closed.
    ///
    /// The first time that sled panics, the database is quarantined; from then on a panic ends the process.
    fn run<T>(
        &mut self,
        database: Database,
        run: &impl Fn(&Database) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let (database, outcome) = if self.has_quarantined {
            let outcome = run(&database);
            (database, outcome)
        } else {
            match database.guarded(run) {
                Ok(both) => both,
                Err(panicked) => {
                    self.quarantine(&panicked)?;
                    return Err(panicked);
                }
            }
        };
        match &outcome {
            // It is the question's fault.
            Ok(_) | Err(StoreError::TooManyFacts { .. }) => self.database = Some(database),
            Err(error) => self.close_after_error(Some(database), error),
        }
        outcome
    }

    fn quarantine(&mut self, error: &StoreError) -> Result<(), StoreError> {
        self.close_after_error(None, error);
        self.has_quarantined = true;
        quarantine(&self.path)
    }

    fn close_after_error(&mut self, database: Option<Database>, error: &StoreError) {
        error!(%error, "the database was closed; the journal has every fact, and it is opened again when needed");
        self.error = Some(error.to_string());
        drop(database);
    }

    /// Applies what is new in the journals of other devices, and returns it.
    fn fold(&mut self) -> Result<Vec<JournalLine>, StoreError> {
        let Journals { files, mut skipped } = journal_file::read_peers(&*self.files, &self.journal)?;
        let (lines, behind) = self.query(|database| database.fold(&files))?;
        skipped.extend(behind);
        self.skipped = skipped;
        Ok(lines)
    }

    fn health(&mut self) -> Result<Health, StoreError> {
        let error = self.error.clone();
        let mut health = self.query(Database::health)?;
        health.error = error.filter(|_| self.error.is_some());
        health.skipped.clone_from(&self.skipped);
        let missing = health.marks.iter().map(|(device, mark)| {
            let path = self.journal.with_file_name(format!("{device}.jsonl"));
            (
                path,
                format!("it is not there any more; its {mark} facts are known until the database is rebuilt"),
            )
        });
        let missing = missing.filter(|(path, _)| !self.files.exists(path));
        health.skipped.extend(missing.map(|(path, reason)| Skipped { path, reason }));
        Ok(health)
    }
}

/// Starts the thread that owns the database, and returns once it has opened it and brought it up to the journals.
pub(super) fn spawn(
    path: PathBuf,
    files: Arc<dyn FileSystem>,
    journal: PathBuf,
    journals: Journals,
    backlog: Backlog,
    progress: impl FnMut(u64, u64) + Send + 'static,
) -> Result<(mpsc::Sender<DatabaseCommand>, std::thread::JoinHandle<()>), StoreError> {
    let database_path = path.clone();
    let (sender, commands) = mpsc::channel();
    let (opened_sender, opened) = mpsc::channel();
    let run = move || {
        let Journals { files: journals, mut skipped } = journals;
        let (database, outcome) = match Database::open(&path, &journals, progress) {
            Ok((database, behind)) => {
                skipped.extend(behind);
                (Some(database), Ok(()))
            }
            Err(error) => (None, Err(error)),
        };
        // The journals take more room than all else.
        drop(journals);
        let is_open = outcome.is_ok();
        let _ = opened_sender.send(outcome);
        if is_open {
            for Skipped { path, reason } in &skipped {
                warn!(path = %path.display(), %reason, "a file beside the journal is skipped");
            }
            Worker { path, files, journal, database, backlog, error: None, skipped, has_quarantined: false }
                .serve(commands);
        }
    };
    let thread = std::thread::Builder::new()
        .name("database".to_owned())
        .spawn(run)
        .map_err(|source| StoreError::Io { what: "start the thread of", path: database_path, source })?;
    opened.recv().unwrap_or(Err(StoreError::Closed))?;
    Ok((sender, thread))
}
