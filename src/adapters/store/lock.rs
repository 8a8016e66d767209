//! Keeps a second daemon out.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::error::StoreError;
use crate::process::files::{read_bounded, require_regular};

/// More than the number of a process takes, in bytes.
const MAX_BYTES: u64 = 64;

/// How long a process is waited for that may be ending.
const END_TIMEOUT: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// The lock of a data directory, held until dropped (or until the process ends, however).
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    pub(super) fn acquire(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join("lock");
        let failed = |what| {
            let path = path.clone();
            move |source| StoreError::Io { what, path, source }
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            // No waiting for the other end of a FIFO, and no detour by a link.
            .custom_flags((OFlags::NONBLOCK | OFlags::NOFOLLOW).bits().cast_signed())
            .open(&path)
            .map_err(failed("open"))?;
        require_regular(&file).map_err(failed("use"))?;
        let is_only_lock = file.metadata().is_ok_and(|found| found.nlink() == 1);
        let is_locked = || match file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(failed("lock")(error)),
        };
        if !is_locked()? {
            let pid = holder(&file);
            // One that was killed a moment ago may still be on its way out.
            let has_ended = pid.is_some_and(|pid| ends_within(pid, END_TIMEOUT));
            if !has_ended || !is_locked()? {
                let pid = pid.map(|pid| pid.as_raw_nonzero().get().cast_unsigned());
                return Err(StoreError::Locked { dir: dir.to_owned(), pid });
            }
        }
        let note = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())
        };
        // The number only helps a person; on a full disk the lock holds without it. A file that has another name too may
        // be something else.
        if is_only_lock {
            let _ = note(&mut file);
        }
        Ok(Self { _file: file })
    }
}

/// Returns the process that noted that it has the lock.
fn holder(file: &File) -> Option<Pid> {
    let text = String::from_utf8(read_bounded(file, MAX_BYTES).ok()?).ok()?;
    Pid::from_raw(text.trim().parse().ok()?)
}

/// Waits for a process to end; where that cannot be waited for, it has not.
fn ends_within(pid: Pid, timeout: Timespec) -> bool {
    let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { return false };
    poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&timeout)).is_ok_and(|ready| ready > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_regular_file_is_a_lock() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let other = dir.path().join("other");
        std::fs::write(&other, "a diary").unwrap();
        let harms: [fn(&Path); 4] = [
            crate::process::files::make_fifo,
            |path| std::os::unix::fs::symlink("/dev/zero", path).unwrap(),
            |path| std::os::unix::fs::symlink("other", path).unwrap(),
            |path| std::fs::create_dir(path).unwrap(),
        ];
        for harm in harms {
            harm(&path);
            assert!(matches!(Lock::acquire(dir.path()), Err(StoreError::Io { .. })));
            std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir(&path)).unwrap();
        }
        // Another name of something else is locked, and not written to.
        std::fs::hard_link(&other, &path).unwrap();
        drop(Lock::acquire(dir.path()).unwrap());
        assert_eq!(std::fs::read_to_string(&other).unwrap(), "a diary");
        std::fs::remove_file(&path).unwrap();
        // What others wrote into it is no number, however long.
        let file = File::create_new(&path).unwrap();
        file.set_len(1 << 40).unwrap();
        file.try_lock().unwrap();
        assert!(matches!(Lock::acquire(dir.path()), Err(StoreError::Locked { pid: None, .. })));
    }
}
