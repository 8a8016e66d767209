//! Why the record cannot be opened, read or written.

use std::path::PathBuf;

use rustix::io::Errno;

/// Why the record cannot be opened or queried.
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
        /// The system's error.
        source: std::io::Error,
    },
    /// A line of a journal is damaged.
    #[error(
        "line {line} of {} is damaged ({why}). Nothing was changed. Restore the file from a backup, or move it away to start again without it",
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
        /// Whether it is damaged itself, so that rebuilding it would help.
        is_damaged: bool,
    },
    /// A question is about more facts than one answer is made of.
    #[error(
        "that is about more than {most} facts, the limit of one answer: ask for a shorter time, or for one item"
    )]
    TooManyFacts {
        /// The limit.
        most: usize,
    },
    /// The store has been closed.
    #[error("the record is closed")]
    Closed,
}

fn by(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum DatabaseError {
    #[error(transparent)]
    Sled(#[from] sled::Error),
    #[error("what it holds is damaged")]
    Damaged,
    #[error("more than {most} facts")]
    TooManyFacts { most: usize },
    #[error("{0}")]
    Unusable(String),
}

impl DatabaseError {
    /// Tells whether rebuilding would help: not where the disk or the machine has no room.
    pub(super) fn is_damage(&self) -> bool {
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

/// Tells whether a database is still open: one that was closed can be held a little longer by a thread of sled.
pub(super) fn is_held(error: &std::io::Error) -> bool {
    error.to_string().starts_with("could not acquire lock")
}
