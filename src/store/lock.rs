//! Keeps a second daemon out.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::StoreError;

/// How long another process is waited for that may be ending.
const PATIENCE: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// The lock of a data directory, held until dropped (or until the process ends, however).
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    pub(super) fn take(dir: &Path) -> Result<Self, StoreError> {
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
            .open(&path)
            .map_err(failed("open"))?;
        let take = || match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(true),
            Err(Errno::WOULDBLOCK) => Ok(false),
            Err(error) => Err(failed("lock")(error.into())),
        };
        if !take()? {
            let pid = holder(&file);
            // One that was killed a moment ago may still be on its way out.
            let has_ended = pid.is_some_and(|pid| ends_within(pid, PATIENCE));
            if !has_ended || !take()? {
                let pid = pid.map(|pid| pid.as_raw_nonzero().get().cast_unsigned());
                return Err(StoreError::Locked { dir: dir.to_owned(), pid });
            }
        }
        let note = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())
        };
        // The number only helps a person; on a full disk the lock holds without it.
        let _ = note(&mut file);
        Ok(Self { _file: file })
    }
}

/// Returns the process that says that it has the lock.
fn holder(mut file: &File) -> Option<Pid> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    Pid::from_raw(text.trim().parse().ok()?)
}

/// Waits for a process to end; where that cannot be waited for, it has not.
fn ends_within(pid: Pid, patience: Timespec) -> bool {
    let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { return false };
    poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&patience)).is_ok_and(|ready| ready > 0)
}
