//! Notes how the database was left, and tells whether it still is so.
//!
//! sled skips damaged entries in the part of its log that it replays, without an error: a fact would be missing from
//! answers, and its number counted. So a database that was closed must be the same to the byte, and one that was not is
//! used only if the machine has run since: what a killed process wrote is all there, of what was written before a power
//! loss any part.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, ErrorKind, Result, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::process::files::{open_regular, read_regular};

/// The file with the id of the current boot.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The longest of these files that is read, in bytes.
const MAX_FILE_BYTES: u64 = 4096;

/// How much of the database is read at a time, in bytes.
const BUFFER_BYTES: usize = 256 * 1024;

/// How long a database is waited for that sled's threads have not let go of.
const RELEASE_TIMEOUT: Duration = Duration::from_millis(200);

/// Tells whether the machine went down while a database was open.
pub(super) fn is_interrupted(path: &Path) -> bool {
    let left = read_regular(&path.join("left"), MAX_FILE_BYTES);
    left.is_ok_and(|left| left.starts_with(b"open") && left != open_note())
}

/// Checks a database that is not open; sled refuses one that another process holds.
///
/// # Errors
///
/// It is not as it was left, for a reason.
pub(super) fn check(path: &Path) -> std::result::Result<(), String> {
    let Ok(file) = open_regular(&path.join("db")) else { return Ok(()) };
    if file.try_lock().is_err() {
        return Ok(());
    }
    match read_regular(&path.join("left"), MAX_FILE_BYTES) {
        Ok(left) if left == open_note() => Ok(()),
        Ok(left) if closed_note(&file).is_ok_and(|note| note == left) => Ok(()),
        Ok(_) => Err("it is not as it was when it was closed".to_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err("it is not known how it was left".to_owned())
        }
        Err(error) => Err(error.to_string()),
    }
}

/// Notes that a database is open.
pub(super) fn mark_open(path: &Path) -> Result<()> {
    write(path, &open_note())
}

/// Notes how a database was closed, once sled has let go of it. Where that takes too long it stays noted as open.
pub(super) fn mark_closed(path: &Path) -> Result<()> {
    let file = open_regular(&path.join("db"))?;
    let until = Instant::now() + RELEASE_TIMEOUT;
    while file.try_lock().is_err() {
        if Instant::now() >= until {
            return Ok(());
        }
        std::thread::sleep(RELEASE_TIMEOUT / 100);
    }
    file.sync_all()?;
    write(path, &closed_note(&file)?)
}

fn open_note() -> Vec<u8> {
    let boot = read_regular(Path::new(BOOT_ID), MAX_FILE_BYTES).unwrap_or_default();
    [b"open ", boot.trim_ascii(), b"\n"].concat()
}

fn closed_note(file: &File) -> Result<Vec<u8>> {
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, file);
    let mut hash = crc32fast::Hasher::new();
    let mut bytes = 0;
    loop {
        let part = reader.fill_buf()?;
        if part.is_empty() {
            return Ok(format!("closed {bytes} {:08x}\n", hash.finalize()).into_bytes());
        }
        hash.update(part);
        let length = part.len();
        bytes += length;
        reader.consume(length);
    }
}

fn write(path: &Path, note: &[u8]) -> Result<()> {
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path.join("left"))?;
    file.write_all(note)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_used_only_as_it_was_left() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path();
        assert_eq!(check(path), Ok(()), "there is none");
        std::fs::write(path.join("db"), "content").unwrap();
        let check = || check(path).map_err(|why| why.split(' ').next_back().unwrap().to_owned());
        assert_eq!(check(), Err("left".to_owned()));
        mark_open(path).unwrap();
        std::fs::write(path.join("db"), "changed").unwrap();
        assert_eq!((check(), is_interrupted(path)), (Ok(()), false), "its process was killed");
        std::fs::write(path.join("left"), "open another-boot\n").unwrap();
        assert_eq!((check(), is_interrupted(path)), (Err("closed".to_owned()), true));
        mark_closed(path).unwrap();
        assert_eq!(check(), Ok(()));
        for harm in ["change", "changes", "Changed", ""] {
            std::fs::write(path.join("db"), harm).unwrap();
            assert_eq!(check(), Err("closed".to_owned()), "{harm}");
        }
        let held = File::open(path.join("db")).unwrap();
        held.lock().unwrap();
        assert_eq!(check(), Ok(()), "somebody has it");
    }
}
