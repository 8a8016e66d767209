//! This device's journal: a file that is only ever appended to, and the thread that owns it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::{mpsc as async_mpsc, oneshot};
use tracing::{error, warn};

use super::backlog::Backlog;
use super::draft::{Draft, Written};
use super::error::StoreError;
use super::file_system::{FileSystem, OpenFile, sync_name};
use super::journal_file::{JournalFile, MAX_OWN_BYTES, check, intact_length};
use super::line::{self, JournalLine, MAX_LINE_BYTES};
use super::restore;
use super::worker::DatabaseCommand;
use crate::core::ledger::{Fact, FactId, Record};
use crate::core::reminder::Token;
use crate::process::failpoints;

/// The most facts that are handed over together.
const MAX_GROUP: usize = 4096;

/// The facts that share one `fdatasync` end with the one that reaches this length, in bytes.
const MIN_FULL_BYTES: usize = 256 * 1024;

/// The most bytes that are written and not known to be durable.
const MAX_UNSYNCED_BYTES: u64 = (MIN_FULL_BYTES + MAX_LINE_BYTES + 1) as u64;

/// A command to the journal's thread.
#[derive(Debug)]
pub(super) enum JournalCommand {
    /// Write these facts down.
    Write(Vec<Draft>),
    /// Look whether the file is still in its place.
    Check,
    /// Finish and end.
    Close,
}

/// The thread of the database, which has what the journal had.
type Database = mpsc::Sender<DatabaseCommand>;

/// What came of drafts that were written together.
#[derive(Debug, Default)]
struct Appended {
    /// Those that are durable.
    lines: Vec<(Token, JournalLine)>,
    /// Those that cannot be written, and why.
    failed: Vec<(Vec<Token>, String)>,
}

/// This device's journal, open for appending.
#[derive(Debug)]
pub(super) struct Journal {
    device: Arc<str>,
    path: PathBuf,
    files: Arc<dyn FileSystem>,
    file: Box<dyn OpenFile>,
    /// The bytes that are known to be durable.
    pub(super) durable: u64,
    last: u64,
    /// What a crash left after the last whole line.
    torn: Vec<u8>,
    /// Set when a failed append could not be truncated: the file is rewritten before the next one.
    is_broken: bool,
}

impl Journal {
    /// Opens this device's journal and checks every line. Nothing is changed: a torn end is removed by
    /// [`Journal::truncate_torn_tail`], once all else is known to be right.
    pub(super) fn open(
        files: &Arc<dyn FileSystem>,
        path: &Path,
        device: &Arc<str>,
    ) -> Result<(Self, JournalFile), StoreError> {
        let failed = |what| move |source| StoreError::Io { what, path: path.to_owned(), source };
        restore::finish(&**files, path).map_err(failed("put back"))?;
        let file = files.open(path).map_err(failed("open"))?;
        sync_all(&**files, path, &*file).map_err(failed("sync"))?;
        let mut bytes = file.read(MAX_OWN_BYTES).map_err(failed("read"))?;
        let torn = bytes.split_off(intact_length(&bytes));
        let durable = bytes.len() as u64;
        let read = check(path, device, bytes)?;
        let (device, path, files, last) = (device.clone(), path.to_owned(), files.clone(), read.last);
        Ok((Self { device, path, files, file, durable, last, torn, is_broken: false }, read))
    }

    /// Removes a torn end, and keeps it beside the journal.
    pub(super) fn truncate_torn_tail(&mut self) -> Result<(), StoreError> {
        if self.torn.is_empty() {
            return Ok(());
        }
        let path = &self.path;
        let failed = |what| move |source| StoreError::Io { what, path: path.clone(), source };
        keep_torn(&*self.files, path, &self.torn).map_err(failed("save the torn end of"))?;
        self.file
            .set_len(self.durable)
            .and_then(|()| self.file.sync())
            .map_err(failed("cut the torn end off"))?;
        warn!(
            path = %path.display(),
            bytes = self.torn.len(),
            "the journal's last line was torn by a crash; it was never acknowledged, and it is cut off"
        );
        self.torn.clear();
        Ok(())
    }

    /// Writes facts down, as many at a time as share one `fdatasync`. Those that cannot be written as a line fail alone.
    fn append(&mut self, drafts: Vec<Draft>, database: &Database) -> Appended {
        let mut appended = Appended::default();
        let mut drafts = drafts.into_iter();
        while drafts.len() > 0 {
            let (mut lines, mut text) = (Vec::new(), String::new());
            while text.len() < MIN_FULL_BYTES
                && let Some(draft) = drafts.next()
            {
                let seq = self.last + 1 + lines.len() as u64;
                match self.line(draft.fact, draft.recorded_at, &draft.zone, seq) {
                    Ok(line) => {
                        text.push_str(&line.text);
                        text.push('\n');
                        lines.push((draft.token, line));
                    }
                    Err(reason) => appended.failed.push((vec![draft.token], reason)),
                }
            }
            match self.write(&text, lines.len() as u64, database) {
                Ok(()) => appended.lines.extend(lines),
                Err(reason) => {
                    let tokens = lines.into_iter().map(|(token, _)| token);
                    let tokens = tokens.chain(drafts.by_ref().map(|draft| draft.token)).collect();
                    appended.failed.push((tokens, reason));
                }
            }
        }
        appended
    }

    /// Appends a text of so many lines; on success they are durable.
    fn write(&mut self, text: &str, lines: u64, database: &Database) -> Result<(), String> {
        if text.is_empty() {
            return Ok(());
        }
        self.ensure_current(database)?;
        failpoints::reach("before-journal");
        if let Err(error) = self.file.write_at(text.as_bytes(), self.durable).and_then(|()| self.file.sync())
        {
            self.roll_back(&error);
            return Err(format!("cannot write {}: {error}", self.path.display()));
        }
        failpoints::reach("after-journal");
        self.durable += text.len() as u64;
        self.last += lines;
        Ok(())
    }

    fn line(
        &self,
        fact: Fact,
        recorded_at: Timestamp,
        zone: &TimeZone,
        seq: u64,
    ) -> Result<JournalLine, String> {
        let id = FactId { device: self.device.clone(), seq };
        let line = line::write(Record { id, recorded_at, fact }, zone).map_err(|error| error.to_string())?;
        let bytes = line.text.len();
        if bytes > MAX_LINE_BYTES {
            return Err(format!(
                "a fact of {bytes} bytes is too long to be recorded; the limit is {MAX_LINE_BYTES}"
            ));
        }
        Ok(line)
    }

    /// Puts the journal back where another file, or none, has taken its place, or where it has more than is durable.
    fn ensure_current(&mut self, database: &Database) -> Result<(), String> {
        if !self.is_broken && restore::is_current(&*self.files, &*self.file, &self.path, self.durable) {
            return Ok(());
        }
        let what = if self.is_broken { "could not be written" } else { "was replaced or removed" };
        let path = self.path.display().to_string();
        let text = self.acknowledged(database).map_err(|why| {
            format!("{path} {what}, and what was recorded in it cannot be written again: {why}")
        })?;
        self.file = restore::put_back(&*self.files, &self.path, &text)
            .map_err(|error| format!("{path} {what} and cannot be put back: {error}"))?;
        self.durable = text.len() as u64;
        self.is_broken = false;
        warn!(%path, facts = self.last, "the journal {what} while dosed runs: all that was recorded is written again");
        Ok(())
    }

    /// Returns every line that was acknowledged: from the file that is still open, else from the database.
    fn acknowledged(&mut self, database: &Database) -> Result<String, String> {
        let is_whole = |read: &JournalFile| read.last == self.last;
        let from_file = || {
            let mut bytes = self.file.read(MAX_OWN_BYTES).ok()?;
            bytes.truncate(usize::try_from(self.durable).ok()?);
            check(&self.path, &self.device, bytes).ok().filter(is_whole)
        };
        if let Some(read) = from_file() {
            return Ok(read.text);
        }
        let (reply, text) = oneshot::channel();
        let asked = database.send(DatabaseCommand::Journal(self.device.clone(), reply));
        asked.map_err(|_| StoreError::Closed.to_string())?;
        let text =
            text.blocking_recv().unwrap_or(Err(StoreError::Closed)).map_err(|error| error.to_string())?;
        let read = check(&self.path, &self.device, text.into_bytes()).map_err(|error| error.to_string())?;
        if !is_whole(&read) {
            return Err(format!("the database has {} of {} facts", read.last, self.last));
        }
        Ok(read.text)
    }

    /// Brings the file back to what is durable after a failed write.
    fn roll_back(&mut self, cause: &std::io::Error) {
        if let Err(error) = self.file.set_len(self.durable).and_then(|()| self.file.sync()) {
            error!(path = %self.path.display(), %cause, %error, "a failed append cannot be truncated; the journal is rewritten before the next fact");
            self.is_broken = true;
        }
    }
}

/// Makes durable what a process before this one may have left to the system, before it is read and answered from.
///
/// Where a sync failed, the system takes what it has in memory for written: the last of it is read from the disk.
fn sync_all(files: &dyn FileSystem, path: &Path, file: &dyn OpenFile) -> std::io::Result<()> {
    file.sync()?;
    sync_name(files, path)?;
    file.forget_cached(file.state()?.bytes.saturating_sub(MAX_UNSYNCED_BYTES))
}

/// Keeps what is cut off beside the journal: it is nobody's fact, but it is not ours to destroy.
fn keep_torn(files: &dyn FileSystem, path: &Path, torn: &[u8]) -> std::io::Result<()> {
    let beside = files.open(&path.with_extension("torn"))?;
    beside.write_at(&[torn, b"\n"].concat(), beside.state()?.bytes)?;
    beside.sync()?;
    sync_name(files, path)
}

/// Starts the thread that owns the journal.
pub(super) fn spawn(
    mut journal: Journal,
    backlog: Backlog,
    database: Database,
    written: async_mpsc::UnboundedSender<Written>,
) -> Result<(mpsc::Sender<JournalCommand>, std::thread::JoinHandle<()>), StoreError> {
    let path = journal.path.clone();
    let (sender, commands) = mpsc::channel();
    let run = move || {
        while let Some((group, is_last)) = next_group(&commands) {
            if group.is_empty() {
                if let Err(reason) = journal.ensure_current(&database) {
                    error!(%reason, "nothing can be recorded");
                }
            } else {
                for outcome in write_group(&mut journal, &backlog, &database, group) {
                    let _ = written.send(outcome);
                }
            }
            if is_last {
                break;
            }
        }
    };
    let thread = std::thread::Builder::new()
        .name("journal".to_owned())
        .spawn(run)
        .map_err(|source| StoreError::Io { what: "start the thread of", path, source })?;
    Ok((sender, thread))
}

/// Waits for drafts: whatever has come while the last group was written shares the next `fdatasync`. Also tells
/// whether they are the last ones.
fn next_group(commands: &mpsc::Receiver<JournalCommand>) -> Option<(Vec<Draft>, bool)> {
    let mut group = Vec::new();
    let mut next = Some(commands.recv().ok()?);
    while let Some(command) = next.take() {
        match command {
            JournalCommand::Write(drafts) => group.extend(drafts),
            JournalCommand::Check => {}
            JournalCommand::Close => return Some((group, true)),
        }
        if group.len() < MAX_GROUP {
            next = commands.try_recv().ok();
        }
    }
    Some((group, false))
}

fn write_group(
    journal: &mut Journal,
    backlog: &Backlog,
    database: &Database,
    group: Vec<Draft>,
) -> Vec<Written> {
    let appended = journal.append(group, database);
    let mut outcomes = Vec::new();
    if !appended.lines.is_empty() {
        // Before they are acknowledged, so that a question that follows finds them.
        let lines: Vec<_> = appended.lines.iter().map(|(_, line)| line.clone()).collect();
        backlog.add(&lines, journal.durable);
        outcomes.push(Written::Durable(appended.lines));
    }
    for (tokens, reason) in appended.failed {
        error!(%reason, facts = tokens.len(), "facts could not be recorded");
        outcomes.push(Written::Failed(tokens, reason));
    }
    outcomes
}
