//! The journal: a file that is only ever appended to, and the thread that owns it.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};

use tokio::sync::mpsc as async_mpsc;
use tracing::{error, warn};

use super::line::{self, Line, MAX_LINE_BYTES};
use super::owner::{self, Backlog};
use super::{Draft, StoreError, Written};
use crate::failpoints;
use crate::ledger::{FactId, Record};

/// The most facts that share one `fdatasync`.
const MAX_GROUP: usize = 4096;

/// What the journal's thread is told.
#[derive(Debug)]
pub(super) enum Order {
    /// Write these facts down.
    Write(Vec<Draft>),
    /// Finish and end.
    Close,
}

/// A journal that has been read and found sound.
#[derive(Debug)]
pub(super) struct JournalFile {
    /// Whose it is.
    pub(super) device: Arc<str>,
    /// Where it is.
    pub(super) path: PathBuf,
    /// What it says, whole lines only.
    pub(super) text: String,
    /// The number of its last fact.
    pub(super) last: u64,
}

/// This device's journal, open for appending.
#[derive(Debug)]
pub(super) struct Journal {
    device: Arc<str>,
    path: PathBuf,
    file: File,
    /// The bytes that are known to be durable.
    pub(super) durable: u64,
    last: u64,
    /// What a crash left after the last whole line.
    torn: Vec<u8>,
    /// Set when the file could not be brought back to what is durable: nothing more is written.
    broken: Option<String>,
}

impl Journal {
    /// Opens this device's journal and checks every line. Nothing is changed: a torn end is cut off by
    /// [`Journal::cut`], once all else is known to be right.
    pub(super) fn open(path: &Path, device: &Arc<str>) -> Result<(Self, JournalFile), StoreError> {
        let failed = |what| {
            let path = path.to_owned();
            move |source| StoreError::Io { what, path, source }
        };
        let is_new = !path.exists();
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(failed("open"))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed("read"))?;
        let torn = bytes.split_off(sound_length(&bytes));
        let sound = bytes.len();
        let read = check(path, device, bytes)?;
        if is_new {
            // The name must outlive a power cut as well.
            file.sync_all().map_err(failed("sync"))?;
            if let Some(dir) = path.parent() {
                File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed("sync the directory of"))?;
            }
        }
        file.seek(SeekFrom::Start(sound as u64)).map_err(failed("seek in"))?;
        let journal = Self {
            device: device.clone(),
            path: path.to_owned(),
            file,
            durable: sound as u64,
            last: read.last,
            torn,
            broken: None,
        };
        Ok((journal, read))
    }

    /// Cuts a torn end off.
    pub(super) fn cut(&mut self) -> Result<(), StoreError> {
        if self.torn.is_empty() {
            return Ok(());
        }
        let path = &self.path;
        let failed = |what| move |source| StoreError::Io { what, path: path.clone(), source };
        keep_torn(path, &self.torn).map_err(failed("save the torn end of"))?;
        self.file
            .set_len(self.durable)
            .and_then(|()| self.file.sync_all())
            .map_err(failed("cut the torn end off"))?;
        warn!(
            path = %path.display(),
            bytes = self.torn.len(),
            "the journal's last line was torn by a crash; nobody was told that it was recorded, and it is cut off"
        );
        self.torn.clear();
        Ok(())
    }

    /// Writes facts down; when this returns well, they are durable.
    fn append(&mut self, drafts: Vec<Draft>) -> Result<Vec<Line>, String> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone());
        }
        let mut lines = Vec::with_capacity(drafts.len());
        let mut text = String::new();
        for (Draft { fact, recorded_at, zone, .. }, seq) in drafts.into_iter().zip(self.last + 1..) {
            let id = FactId { device: self.device.clone(), seq };
            let line =
                line::write(Record { id, recorded_at, fact }, &zone).map_err(|error| error.to_string())?;
            if line.text.len() > MAX_LINE_BYTES {
                return Err(format!("a fact of {} bytes is too long to be recorded", line.text.len()));
            }
            text.push_str(&line.text);
            text.push('\n');
            lines.push(line);
        }
        failpoints::reach("before-journal");
        if let Err(error) = self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_data()) {
            self.take_back(&error);
            return Err(format!("cannot write {}: {error}", self.path.display()));
        }
        failpoints::reach("after-journal");
        self.durable += text.len() as u64;
        self.last += lines.len() as u64;
        Ok(lines)
    }

    /// Brings the file back to what is durable after a failed write.
    fn take_back(&mut self, cause: &std::io::Error) {
        let durable = self.durable;
        let restored = self
            .file
            .set_len(durable)
            .and_then(|()| self.file.seek(SeekFrom::Start(durable)))
            .and_then(|_| self.file.sync_data());
        if let Err(error) = restored {
            error!(path = %self.path.display(), %cause, %error, "the journal cannot be brought back; nothing is recorded until a restart");
            self.broken =
                Some(format!("{} cannot be written until dosed is restarted: {error}", self.path.display()));
        }
    }
}

/// Returns how many bytes of a journal are whole lines.
///
/// What a crash tears is the end: a line without its end, or blocks that never reached the disk and
/// read as zeros. A whole line that is wrong is damage and left for [`check`] to tell.
fn sound_length(bytes: &[u8]) -> usize {
    let ends = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
    // This looks at many bytes at a time.
    if !bytes[..ends].contains(&0) {
        return ends;
    }
    let Some(zero) = bytes[..ends].iter().position(|b| *b == 0) else { return ends };
    // Sound lines behind the zeros were recorded once: that is damage, and not an end that was torn.
    let is_sound = |line: &[u8]| std::str::from_utf8(line).is_ok_and(line::is_sound);
    if bytes[zero..ends].split(|b| *b == b'\n').skip(1).any(is_sound) {
        return ends;
    }
    bytes[..zero].iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1)
}

/// Keeps what is cut off beside the journal: it is nobody's fact, but it is not ours to destroy.
fn keep_torn(path: &Path, torn: &[u8]) -> std::io::Result<()> {
    let beside = path.with_extension("torn");
    let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(beside)?;
    file.write_all(torn)?;
    file.write_all(b"\n")
}

/// Checks every line of a journal.
fn check(path: &Path, device: &Arc<str>, bytes: Vec<u8>) -> Result<JournalFile, StoreError> {
    let damaged = |line, why: String| StoreError::Damaged { path: path.to_owned(), line, why };
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = String::from_utf8_lossy(&error.as_bytes()[..valid]).matches('\n').count() as u64 + 1;
        damaged(line, "it is not UTF-8".to_owned())
    })?;
    let (mut last, mut place, mut expected) = (0, 0, String::new());
    for (line, number) in text.lines().zip(1..) {
        if line.len() > MAX_LINE_BYTES {
            return Err(damaged(
                number,
                format!("it has {} bytes; the limit is {MAX_LINE_BYTES}", line.len()),
            ));
        }
        if !line::is_sound(line) {
            return Err(damaged(number, line::LineError::Checksum.to_string()));
        }
        // Cheap: the first members of a sound line are its form, its name and its number.
        expected.clear();
        let _ = write!(expected, "\"seq\":{number},\"device\":\"{device}\"");
        // Mostly it stands where it stood in the line before.
        if !line.get(place..).is_some_and(|rest| rest.starts_with(&expected)) {
            let Some(found) = line.find(&expected) else {
                return Err(damaged(number, format!("fact {number} of {device} should stand here")));
            };
            place = found;
        }
        last = number;
    }
    Ok(JournalFile { device: device.clone(), path: path.to_owned(), text, last })
}

/// Reads this device's journal, of which so many bytes are durable while it is written to, and those beside it.
pub(super) fn read_all(own: &Path, durable: u64) -> Result<Vec<JournalFile>, StoreError> {
    let others = others(own)?;
    let others = others.iter().map(|path| read_other(path));
    others.chain([read(own, usize::try_from(durable).unwrap_or(usize::MAX))]).collect()
}

/// Returns the journals of other devices: they lie beside this one's.
pub(super) fn others(own: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let dir = own.parent().unwrap_or(own);
    let failed = |source| StoreError::Io { what: "read", path: dir.to_owned(), source };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path != own && path.extension().is_some_and(|extension| extension == "jsonl") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Reads another device's journal, which may still be on its way here: its whole lines count.
pub(super) fn read_other(path: &Path) -> Result<JournalFile, StoreError> {
    read(path, usize::MAX)
}

/// Reads the whole lines among the first bytes of a journal.
fn read(path: &Path, first: usize) -> Result<JournalFile, StoreError> {
    let failed = |source| StoreError::Io { what: "read", path: path.to_owned(), source };
    let mut bytes = std::fs::read(path).map_err(failed)?;
    bytes.truncate(first);
    bytes.truncate(sound_length(&bytes));
    let device: Arc<str> = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().into();
    check(path, &device, bytes)
}

/// Starts the thread that owns the journal.
pub(super) fn spawn(
    mut journal: Journal,
    database: mpsc::Sender<owner::Order>,
    backlog: Backlog,
    written: async_mpsc::UnboundedSender<Written>,
) -> (mpsc::Sender<Order>, std::thread::JoinHandle<()>) {
    let (sender, orders) = mpsc::channel();
    let run = move || {
        while let Ok(first) = orders.recv() {
            let mut group = Vec::new();
            let mut close = false;
            // Whatever has come while the last group was written shares the next `fdatasync`.
            let mut next = Some(first);
            while let Some(order) = next.take() {
                match order {
                    Order::Write(drafts) => group.extend(drafts),
                    Order::Close => close = true,
                }
                if !close && group.len() < MAX_GROUP {
                    next = orders.try_recv().ok();
                }
            }
            if !group.is_empty() {
                let tokens: Vec<_> = group.iter().map(|draft| draft.token).collect();
                let outcome = match journal.append(group) {
                    Ok(lines) => {
                        // Before anyone hears of it, so that who then asks finds it.
                        backlog.add(&lines, journal.durable);
                        Written::Durable(tokens.into_iter().zip(lines).collect())
                    }
                    Err(reason) => {
                        error!(%reason, facts = tokens.len(), "facts could not be recorded");
                        Written::Failed(tokens, reason)
                    }
                };
                let _ = written.send(outcome);
            }
            if close {
                break;
            }
        }
        let _ = database.send(owner::Order::Close);
    };
    let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(run);
    // Without this thread nothing can be recorded; the daemon cannot start.
    #[allow(clippy::expect_used, reason = "there is nothing to go on with")]
    (sender, thread.expect("a thread can be started"))
}
