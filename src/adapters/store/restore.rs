//! Puts this device's journal back where it was replaced, removed or cut while the daemon runs.
//!
//! At every point at which this can be interrupted, one of the files has everything that was acknowledged.

use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};

use tracing::warn;

use super::file_system::{FileState, FileSystem, OpenFile, sync_name};
use super::journal_file::{MAX_OWN_BYTES, intact_text};
use crate::process::failpoints;

/// The most replaced journals that are kept.
const MAX_REPLACED: u32 = 100;

/// Tells whether a path still leads to an open file, with so many bytes in it.
pub(super) fn is_current(files: &dyn FileSystem, file: &dyn OpenFile, path: &Path, bytes: u64) -> bool {
    let expected = |state: FileState| FileState { bytes, ..state };
    matches!((file.state(), files.state(path)), (Ok(open), Ok(there)) if there == expected(open))
}

/// Writes the whole text of a journal in place of what is there, and returns it open.
pub(super) fn put_back(files: &dyn FileSystem, path: &Path, text: &str) -> Result<Box<dyn OpenFile>> {
    let file = write_restored(files, path, text)?;
    failpoints::reach("journal-restored");
    adopt(files, path, text.as_bytes())?;
    Ok(file)
}

/// Writes the whole text of a journal beside its place, under a name that says that it is complete.
fn write_restored(files: &dyn FileSystem, path: &Path, text: &str) -> Result<Box<dyn OpenFile>> {
    let fresh = path.with_extension("restoring");
    let file = files.open(&fresh)?;
    // First what it has: where it is all that is left, a crash in between leaves that.
    file.write_at(text.as_bytes(), 0)?;
    file.set_len(text.len() as u64)?;
    file.sync()?;
    failpoints::reach("journal-restoring");
    files.rename(&fresh, &path.with_extension("restored"))?;
    sync_name(files, path)?;
    Ok(file)
}

/// Finishes what a crash interrupted: a journal that is not in its place yet.
pub(super) fn finish(files: &dyn FileSystem, path: &Path) -> Result<()> {
    complete(files, path)?;
    let restored = path.with_extension("restored");
    let Some(text) = read(files, &restored)? else { return Ok(()) };
    if read(files, path)?.is_some_and(|found| found.starts_with(&text)) {
        // It was put back in another way, and was written to since.
        return files.remove(&restored);
    }
    warn!(path = %path.display(), "the journal was being put back when the daemon ended: that is finished now");
    adopt(files, path, &text)
}

/// Lets a journal that was being written count as far as its lines are whole, where it has more than what is in its
/// place: every one of them was acknowledged.
fn complete(files: &dyn FileSystem, path: &Path) -> Result<()> {
    let restoring = path.with_extension("restoring");
    let Some(text) = read(files, &restoring)? else { return Ok(()) };
    let text = intact_text(path, text);
    let found = read(files, path)?.unwrap_or_default();
    let bytes = found.len();
    // Something else may have been put in its place, which is kept.
    let found = intact_text(path, found);
    if text.len() > bytes && text.starts_with(&found) {
        return write_restored(files, path, &text).map(drop);
    }
    // What the journal has as well is of no use any more.
    if found.starts_with(&text) { files.remove(&restoring) } else { Ok(()) }
}

/// Reads a regular file; `None` where there is nothing, or something else.
fn read(files: &dyn FileSystem, path: &Path) -> Result<Option<Vec<u8>>> {
    match files.read(path, MAX_OWN_BYTES) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound || error.raw_os_error().is_none() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Moves the complete journal into its place; what is there and is no part of it is kept beside.
fn adopt(files: &dyn FileSystem, path: &Path, text: &[u8]) -> Result<()> {
    let is_part = read(files, path)?.is_some_and(|found| text.starts_with(&found));
    if !is_part && files.exists(path) {
        let aside = free_name(files, path)?;
        files.rename(path, &aside)?;
        warn!(path = %path.display(), kept = %aside.display(), "the journal was replaced by another file, which is kept");
        failpoints::reach("journal-aside");
    }
    files.rename(&path.with_extension("restored"), path)?;
    sync_name(files, path)
}

fn free_name(files: &dyn FileSystem, path: &Path) -> Result<PathBuf> {
    let mut names = (1..=MAX_REPLACED).map(|n| path.with_extension(format!("replaced-{n}")));
    names.find(|name| !files.exists(name)).ok_or_else(|| {
        Error::other(format!("{MAX_REPLACED} replaced journals are kept already: delete some"))
    })
}
