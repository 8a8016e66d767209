//! Reads files that others may have put in place: never without a bound, and never waiting for a writer.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use rustix::fs::OFlags;
use tokio::sync::Semaphore;

/// How long a disk has to respond.
pub(crate) const DISK_TIMEOUT: Duration = Duration::from_secs(10);

/// The most threads that wait for a disk: one that does not respond keeps them for as long.
static DISK_THREADS: Semaphore = Semaphore::const_new(16);

/// Runs what reads from a disk on a thread beside the caller's, and gives it up where that takes too long.
///
/// # Errors
///
/// As what is run, or the disk does not respond in time.
pub(crate) async fn blocking<T: Send + 'static>(
    timeout: Duration,
    read: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let run = async {
        let place = DISK_THREADS.acquire().await.map_err(Error::other)?;
        let read = move || {
            let _place = place;
            read()
        };
        tokio::task::spawn_blocking(read).await?
    };
    let stalled = || Error::new(ErrorKind::TimedOut, format!("its disk did not respond within {timeout:?}"));
    tokio::time::timeout(timeout, run).await.unwrap_or_else(|_| Err(stalled()))
}

/// Opens a regular file for reading; anything else is refused at once, a FIFO without a writer too.
///
/// # Errors
///
/// It cannot be opened, or is a directory, a FIFO, a socket or a device.
pub(crate) fn open_regular(path: &Path) -> Result<File> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    require_regular(&file)?;
    Ok(file)
}

/// Checks that an open file is a regular one.
///
/// # Errors
///
/// It is not.
pub(crate) fn require_regular(file: &File) -> Result<()> {
    let kind = file.metadata()?.file_type();
    let what = match kind {
        kind if kind.is_file() => return Ok(()),
        kind if kind.is_dir() => "a directory",
        kind if kind.is_fifo() => "a FIFO",
        kind if kind.is_socket() => "a socket",
        _ => "a device",
    };
    Err(Error::new(ErrorKind::InvalidInput, format!("it is {what}, not a regular file")))
}

/// Tells whether a file could not be used as it is not a regular one.
pub(crate) fn is_not_regular(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::InvalidInput)
}

/// Reads a regular file; one that is longer than `max_bytes` is an error.
///
/// # Errors
///
/// As [`open_regular`], or it is longer.
pub(crate) fn read_regular(path: &Path, max_bytes: u64) -> Result<Vec<u8>> {
    read_bounded(&open_regular(path)?, max_bytes)
}

/// Reads the rest of an open file; more than `max_bytes` is an error.
///
/// # Errors
///
/// It cannot be read, or is longer.
pub(crate) fn read_bounded(file: &File, max_bytes: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_bytes {
        let why = format!("it has more than {max_bytes} bytes, the limit");
        return Err(Error::new(ErrorKind::FileTooLarge, why));
    }
    Ok(bytes)
}

/// Tells whether two paths lead to one file: `/lib` is a link to `/usr/lib`, say.
pub(crate) fn is_same_file(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    one == other || real(one).is_some_and(|one| Some(one) == real(other))
}

/// Writes a file whole or not at all, with the directories above it: whoever reads it meanwhile sees what was there before.
///
/// `mode` is that of the file, less the umask. A link in its place, or in that of the temporary file, is never followed.
///
/// # Errors
///
/// A directory cannot be made, or the file cannot be written.
pub(crate) fn replace(path: &Path, mode: u32, bytes: &[u8]) -> Result<()> {
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir)?;
    }
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    // One that an earlier run has left.
    let _ = std::fs::remove_file(&temporary);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(temporary, path)
}

/// Makes a FIFO, which nobody writes to.
#[cfg(test)]
pub(crate) fn make_fifo(path: &Path) {
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_disk_that_does_not_respond_is_given_up() {
        assert_eq!(blocking(DISK_TIMEOUT, || Ok(7)).await.unwrap(), 7);
        let (release, stalled) = std::sync::mpsc::channel::<()>();
        let error = blocking(Duration::from_millis(1), move || Ok(stalled.recv().is_ok())).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string()),
            (ErrorKind::TimedOut, "its disk did not respond within 1ms".to_owned())
        );
        drop(release);
    }

    #[test]
    fn a_file_is_replaced_whole_and_no_link_is_followed() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("made/file.toml");
        let other = dir.path().join("other");
        replace(&path, 0o600, b"first").unwrap();
        std::fs::write(&other, "a diary").unwrap();
        for place in ["made/file.toml", "made/file.toml.new"] {
            let place = dir.path().join(place);
            let _ = std::fs::remove_file(&place);
            symlink(&other, &place).unwrap();
            replace(&path, 0o600, b"second").unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), b"second");
            assert_eq!(std::fs::read(&other).unwrap(), b"a diary");
        }
        assert_eq!(path.symlink_metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left");
        // A directory that was there stays as open as it was.
        std::fs::set_permissions(path.parent().unwrap(), std::fs::Permissions::from_mode(0o755)).unwrap();
        replace(&path, 0o600, b"third").unwrap();
        assert_eq!(path.parent().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o755);
        assert!(replace(&path.join("below"), 0o600, b"").is_err());
    }

    #[test]
    fn only_regular_files_within_the_bound_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, "abc").unwrap();
        let fifo = dir.path().join("fifo");
        make_fifo(&fifo);
        assert_eq!(read_regular(&path, 3).unwrap(), b"abc");
        assert_eq!(read_regular(&path, 2).unwrap_err().kind(), ErrorKind::FileTooLarge);
        // Links are followed, and what they lead to counts.
        let link = |to: &Path, name: &str| {
            let link = dir.path().join(name);
            std::os::unix::fs::symlink(to, &link).unwrap();
            link
        };
        assert_eq!(read_regular(&link(&path, "good"), 3).unwrap(), b"abc");
        for (other, what) in
            [(fifo.as_path(), "a FIFO"), (dir.path(), "a directory"), (Path::new("/dev/zero"), "a device")]
        {
            let expected = format!("it is {what}, not a regular file");
            for path in [other.to_owned(), link(other, what)] {
                assert_eq!(read_regular(&path, 3).unwrap_err().to_string(), expected, "{}", path.display());
            }
        }
        for none in [dir.path().join("none"), link(Path::new("nowhere"), "dangling")] {
            assert_eq!(read_regular(&none, 3).unwrap_err().kind(), ErrorKind::NotFound);
        }
        assert!(read_regular(&link(Path::new("loop"), "loop"), 3).is_err());
        // What the kernel makes up has no length, and is bounded all the same.
        assert_eq!(
            read_regular(Path::new("/proc/self/maps"), 3).unwrap_err().kind(),
            ErrorKind::FileTooLarge
        );
    }
}
