//! Notices that files change (inotify), without polling.

use std::collections::BTreeMap;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::inotify;
use tokio::io::unix::AsyncFd;

/// The longest list of changes that is read at once, in bytes.
const BUFFER_BYTES: usize = 8 * 1024;

/// Watches single files, through the directories that they are in: editors replace files.
#[derive(Debug)]
pub struct Watch {
    fd: AsyncFd<OwnedFd>,
    files: BTreeMap<(i32, String), PathBuf>,
}

impl Watch {
    /// Watches these files; one whose directory is not there is left out.
    ///
    /// # Errors
    ///
    /// The system has no more inotify instances.
    pub fn new<'a>(files: impl IntoIterator<Item = &'a Path>) -> std::io::Result<Self> {
        let fd = inotify::init(inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC)?;
        // A file that was only just made is not yet written: its closing is what counts. (A link is
        // complete when it is made, and has no closing.)
        let changes =
            inotify::WatchFlags::CLOSE_WRITE | inotify::WatchFlags::CREATE | inotify::WatchFlags::MOVED_TO;
        let mut watched = BTreeMap::new();
        for file in files {
            let (Some(dir), Some(name)) = (file.parent(), file.file_name()) else { continue };
            if let Ok(watch) = inotify::add_watch(&fd, dir, changes) {
                watched.insert((watch, name.to_string_lossy().into_owned()), file.to_owned());
            }
        }
        #[allow(
            deprecated,
            reason = "its replacement is unsafe; an owned descriptor cannot be closed behind its back"
        )]
        let fd = AsyncFd::new(fd)?;
        Ok(Self { fd, files: watched })
    }

    /// Waits until one of the files has changed, and returns it.
    ///
    /// # Errors
    ///
    /// The system cannot be asked any more.
    pub async fn next(&mut self) -> std::io::Result<PathBuf> {
        loop {
            let mut ready = self.fd.readable().await?;
            let mut buffer = [MaybeUninit::uninit(); BUFFER_BYTES];
            let mut reader = inotify::Reader::new(ready.get_inner(), &mut buffer);
            let mut changed = None;
            loop {
                match reader.next() {
                    Ok(event) => {
                        let name = event.file_name().map(|name| name.to_string_lossy().into_owned());
                        let file = name.and_then(|name| self.files.get(&(event.wd(), name)));
                        let is_complete = |file: &&PathBuf| {
                            !event.events().contains(inotify::ReadFlags::CREATE) || file.is_symlink()
                        };
                        changed = changed.or_else(|| file.filter(is_complete).cloned());
                        if reader.is_buffer_empty() && changed.is_some() {
                            break;
                        }
                    }
                    Err(rustix::io::Errno::AGAIN) => {
                        ready.clear_ready();
                        break;
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            if let Some(file) = changed {
                return Ok(file);
            }
        }
    }
}
