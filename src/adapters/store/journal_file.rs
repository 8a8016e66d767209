//! Reads journals and checks them; nothing here changes a file.
//!
//! Only this device's own journal can stop the daemon: of other devices' files, what cannot be used is skipped, and named.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::database::unreadable;
use super::device;
use super::error::StoreError;
use super::file_system::FileSystem;
use super::line::{self, MAX_LINE_BYTES};

/// The largest journal of this device that is read, in bytes.
pub(super) const MAX_OWN_BYTES: u64 = 1024 * 1024 * 1024;

/// The largest journal of another device that is read, in bytes.
const MAX_PEER_BYTES: u64 = 256 * 1024 * 1024;

/// The most journals of other devices that are read.
const MAX_PEERS: usize = 64;

/// The most skipped files that are named.
const MAX_SKIPPED: usize = 32;

/// What a device itself puts beside its journal.
const PARTS: [&str; 3] = ["torn", "restoring", "restored"];

/// A journal that has been read and is intact.
#[derive(Debug)]
pub(super) struct JournalFile {
    /// Whose it is.
    pub(super) device: Arc<str>,
    /// Whether it is this device's.
    pub(super) is_own: bool,
    /// Where it is.
    pub(super) path: PathBuf,
    /// Its whole lines.
    pub(super) text: String,
    /// The number of its last fact.
    pub(super) last: u64,
}

/// Something in the journal directory that is not read, or not to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Where it is.
    pub path: PathBuf,
    /// Why.
    pub reason: String,
}

impl Skipped {
    pub(super) fn new(path: &Path, reason: impl Into<String>) -> Self {
        Self { path: path.to_owned(), reason: reason.into() }
    }
}

/// Journals that were read, and what was skipped.
#[derive(Debug, Default)]
pub(super) struct Journals {
    pub(super) files: Vec<JournalFile>,
    pub(super) skipped: Vec<Skipped>,
}

/// Reads this device's journal, of which so many bytes are durable while it is written to, and those beside it.
pub(super) fn read_all(files: &dyn FileSystem, own: &Path, durable: u64) -> Result<Journals, StoreError> {
    let mut journals = read_peers(files, own)?;
    journals.files.push(read_own(files, own, durable)?);
    Ok(journals)
}

/// Reads the journals of other devices, which lie beside this one's; each may still be on its way here.
pub(super) fn read_peers(files: &dyn FileSystem, own: &Path) -> Result<Journals, StoreError> {
    let mut journals = Journals::default();
    for path in beside(files, own)? {
        match peer_of(&path).and_then(|device| read_peer(files, &path, &device)) {
            Ok(_) if journals.files.len() == MAX_PEERS => {
                journals
                    .skipped
                    .push(Skipped::new(&path, format!("there are more than {MAX_PEERS} devices")));
            }
            Ok((file, damage)) => {
                journals.skipped.extend(damage.map(|why| Skipped::new(&path, why)));
                journals.files.push(file);
            }
            Err(why) => journals.skipped.push(Skipped::new(&path, why)),
        }
    }
    let more = journals.skipped.split_off(journals.skipped.len().min(MAX_SKIPPED));
    if let Some(first) = more.first() {
        let dir = own.parent().unwrap_or(own);
        let why = format!("{} more in it are skipped, from {} on", more.len(), first.path.display());
        journals.skipped.push(Skipped::new(dir, why));
    }
    Ok(journals)
}

/// Returns what lies beside a journal, in the order of the names.
fn beside(files: &dyn FileSystem, own: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let dir = own.parent().unwrap_or(own);
    let failed = |source| StoreError::Io { what: "read", path: dir.to_owned(), source };
    let mut found = Vec::new();
    for path in files.list(dir).map_err(failed)? {
        let is_part = path.file_stem().and_then(OsStr::to_str).is_some_and(device::is_legal)
            && path.extension().and_then(OsStr::to_str).is_some_and(|extension| PARTS.contains(&extension));
        // Hidden files are those of tools: of one that synchronises, and of editors.
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if path != own && !is_part && !is_hidden {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Returns the device of which a file is the journal by its name.
fn peer_of(path: &Path) -> Result<Arc<str>, String> {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let device = name.strip_suffix(".jsonl").filter(|device| device::is_legal(device));
    device.map(Arc::from).ok_or_else(|| "it is not named as the journal of a device".to_owned())
}

/// Reads the intact lines of another device's journal, and tells what is wrong with the next one.
fn read_peer(
    files: &dyn FileSystem,
    path: &Path,
    device: &Arc<str>,
) -> Result<(JournalFile, Option<String>), String> {
    let mut bytes = files.read(path, MAX_PEER_BYTES).map_err(|error| error.to_string())?;
    if bytes.is_empty() {
        return Err("it is empty".to_owned());
    }
    bytes.truncate(intact_length(&bytes));
    if bytes.is_empty() {
        return Err("its first line is not complete yet".to_owned());
    }
    let (file, damage) = intact_lines(path, device, bytes);
    match damage {
        Some(Damage { line: 1, why }) => Err(format!("its first line is not one of {device}: {why}")),
        Some(Damage { line, why }) => Ok((file, Some(unreadable(line, &why)))),
        None => Ok((file, None)),
    }
}

/// Reads the whole lines among the first bytes of this device's journal.
fn read_own(files: &dyn FileSystem, path: &Path, durable: u64) -> Result<JournalFile, StoreError> {
    let failed = |source| StoreError::Io { what: "read", path: path.to_owned(), source };
    let mut bytes = files.read(path, MAX_OWN_BYTES).map_err(failed)?;
    bytes.truncate(usize::try_from(durable).unwrap_or(usize::MAX));
    bytes.truncate(intact_length(&bytes));
    check(path, &device_of(path), bytes)
}

/// Returns how many bytes of a journal are whole lines.
///
/// What a crash tears is the end: a line without its end, or blocks that never reached the disk and
/// read as zeros. A whole line that is wrong is damage and left for [`check`] to report.
pub(super) fn intact_length(bytes: &[u8]) -> usize {
    let ends = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
    // This looks at many bytes at a time.
    if !bytes[..ends].contains(&0) {
        return ends;
    }
    let Some(zero) = bytes[..ends].iter().position(|b| *b == 0) else { return ends };
    // Intact lines behind the zeros were recorded once: that is damage, and not an end that was torn.
    let is_intact = |line: &[u8]| std::str::from_utf8(line).is_ok_and(line::is_intact);
    if bytes[zero..ends].split(|b| *b == b'\n').skip(1).any(is_intact) {
        return ends;
    }
    bytes[..zero].iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1)
}

/// Checks every line of this device's journal.
pub(super) fn check(path: &Path, device: &Arc<str>, bytes: Vec<u8>) -> Result<JournalFile, StoreError> {
    match intact_lines(path, device, bytes) {
        (file, None) => Ok(JournalFile { is_own: true, ..file }),
        (_, Some(Damage { line, why })) => Err(StoreError::Damaged { path: path.to_owned(), line, why }),
    }
}

/// Returns the lines of this device's journal up to the first that is damaged.
pub(super) fn intact_text(path: &Path, mut bytes: Vec<u8>) -> String {
    bytes.truncate(intact_length(&bytes));
    intact_lines(path, &device_of(path), bytes).0.text
}

fn device_of(path: &Path) -> Arc<str> {
    path.file_stem().and_then(OsStr::to_str).unwrap_or_default().into()
}

/// What is wrong with a line.
struct Damage {
    line: u64,
    why: String,
}

/// Returns the lines of a journal up to the first that is damaged.
fn intact_lines(path: &Path, device: &Arc<str>, bytes: Vec<u8>) -> (JournalFile, Option<Damage>) {
    let (mut text, is_utf8) = match String::from_utf8(bytes) {
        Ok(text) => (text, true),
        Err(error) => {
            let mut bytes = error.as_bytes()[..error.utf8_error().valid_up_to()].to_vec();
            bytes.truncate(bytes.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1));
            (String::from_utf8(bytes).unwrap_or_default(), false)
        }
    };
    let (mut last, mut intact, mut place, mut expected) = (0, 0, 0, String::new());
    let mut damage = None;
    for (line, number) in text.split_inclusive('\n').zip(1..) {
        if let Err(why) = check_line(line, number, device, &mut place, &mut expected) {
            damage = Some(Damage { line: number, why });
            break;
        }
        last = number;
        intact += line.len();
    }
    text.truncate(intact);
    if !is_utf8 {
        damage = damage.or_else(|| Some(Damage { line: last + 1, why: "it is not UTF-8".to_owned() }));
    }
    let file = JournalFile { device: device.clone(), is_own: false, path: path.to_owned(), text, last };
    (file, damage)
}

/// Checks that a line is intact and the fact of that number; `place` is where the line before had its number.
fn check_line(
    line: &str,
    number: u64,
    device: &str,
    place: &mut usize,
    expected: &mut String,
) -> Result<(), String> {
    let line = line.strip_suffix('\n').unwrap_or(line);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.len() > MAX_LINE_BYTES {
        return Err(format!("it has {} bytes; the limit is {MAX_LINE_BYTES}", line.len()));
    }
    if !line::is_intact(line) {
        return Err(line::LineError::Checksum.to_string());
    }
    // Cheap: the first members of an intact line are its version, its name and its number.
    expected.clear();
    let _ = write!(expected, "\"seq\":{number},\"device\":\"{device}\"");
    // Mostly it is where it was in the line before.
    if !line.get(*place..).is_some_and(|rest| rest.starts_with(&**expected)) {
        *place =
            line.find(&**expected).ok_or_else(|| format!("fact {number} of {device} should stand here"))?;
    }
    Ok(())
}
