//! What the record asks of a file system, apart from the database: a handful of operations that tests answer with one
//! that tears, loses and fails.

use std::fmt::Debug;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Result, Seek};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::make_private_dir;
use crate::process::files::{read_bounded, read_regular, require_regular};

/// Which file it is, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileState {
    pub(super) device: u64,
    pub(super) inode: u64,
    pub(super) bytes: u64,
}

/// The operations on names.
pub(super) trait FileSystem: Debug + Send + Sync {
    /// Makes a directory that only its owner can enter, with those above it.
    fn make_dir(&self, dir: &Path) -> Result<()>;
    /// Returns what is in a directory.
    fn list(&self, dir: &Path) -> Result<Vec<PathBuf>>;
    /// Makes the names in a directory durable.
    fn sync_dir(&self, dir: &Path) -> Result<()>;
    /// Opens a regular file for reading and writing, and makes it where there is none.
    fn open(&self, path: &Path) -> Result<Box<dyn OpenFile>>;
    /// Reads a regular file; one that is longer than `max_bytes` is an error.
    fn read(&self, path: &Path, max_bytes: u64) -> Result<Vec<u8>>;
    /// Returns what a path leads to.
    fn state(&self, path: &Path) -> Result<FileState>;
    /// Tells whether a name is taken, also by a link that leads nowhere.
    fn exists(&self, path: &Path) -> bool;
    /// Gives a file another name, in place of what has it.
    fn rename(&self, from: &Path, to: &Path) -> Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> Result<()>;
}

/// The operations on an open file.
pub(super) trait OpenFile: Debug + Send {
    /// Returns which file it is.
    fn state(&self) -> Result<FileState>;
    /// Reads all of it; a file that is longer than `max_bytes` is an error.
    fn read(&self, max_bytes: u64) -> Result<Vec<u8>>;
    /// Writes at a place; where that fails, some of it may be written.
    fn write_at(&self, bytes: &[u8], offset: u64) -> Result<()>;
    /// Truncates it, or extends it with zeros.
    fn set_len(&self, bytes: u64) -> Result<()>;
    /// Makes its content and length durable.
    fn sync(&self) -> Result<()>;
    /// Forgets what is in memory of it from a place on and is not waiting to be written, so that it is read from the disk.
    fn forget_cached(&self, offset: u64) -> Result<()>;
}

/// The system's.
#[derive(Debug)]
pub(super) struct OsFileSystem;

impl FileSystem for OsFileSystem {
    fn make_dir(&self, dir: &Path) -> Result<()> {
        make_private_dir(dir)
    }

    fn list(&self, dir: &Path) -> Result<Vec<PathBuf>> {
        std::fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect()
    }

    fn sync_dir(&self, dir: &Path) -> Result<()> {
        File::open(dir)?.sync_all()
    }

    fn open(&self, path: &Path) -> Result<Box<dyn OpenFile>> {
        let options =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).clone();
        let file = options.open(path)?;
        require_regular(&file)?;
        Ok(Box::new(file))
    }

    fn read(&self, path: &Path, max_bytes: u64) -> Result<Vec<u8>> {
        read_regular(path, max_bytes)
    }

    fn state(&self, path: &Path) -> Result<FileState> {
        std::fs::metadata(path).map(|metadata| state(&metadata))
    }

    fn exists(&self, path: &Path) -> bool {
        std::fs::symlink_metadata(path).is_ok()
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> Result<()> {
        std::fs::remove_file(path)
    }
}

impl OpenFile for File {
    fn state(&self) -> Result<FileState> {
        self.metadata().map(|metadata| state(&metadata))
    }

    fn read(&self, max_bytes: u64) -> Result<Vec<u8>> {
        let mut file = self;
        file.rewind()?;
        read_bounded(file, max_bytes)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn set_len(&self, bytes: u64) -> Result<()> {
        self.set_len(bytes)
    }

    fn sync(&self) -> Result<()> {
        self.sync_data()
    }

    fn forget_cached(&self, offset: u64) -> Result<()> {
        Ok(rustix::fs::fadvise(self, offset, None, rustix::fs::Advice::DontNeed)?)
    }
}

fn state(metadata: &std::fs::Metadata) -> FileState {
    FileState { device: metadata.dev(), inode: metadata.ino(), bytes: metadata.len() }
}

/// Makes a directory, and its name durable, with those of the directories above that are made for it.
pub(super) fn make_dir_durably(files: &dyn FileSystem, dir: &Path) -> Result<()> {
    let missing: Vec<&Path> = dir.ancestors().skip(1).take_while(|dir| !files.exists(dir)).collect();
    files.make_dir(dir)?;
    // Its own name always: a process that was killed may have made it and not come further.
    for made in std::iter::once(dir).chain(missing) {
        match sync_name(files, made) {
            // Who may not read a directory has hardly made one there.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {}
            outcome => outcome?,
        }
    }
    Ok(())
}

/// Makes the name of a file durable.
pub(super) fn sync_name(files: &dyn FileSystem, path: &Path) -> Result<()> {
    match path.parent() {
        Some(dir) if dir.as_os_str().is_empty() => files.sync_dir(Path::new(".")),
        Some(dir) => files.sync_dir(dir),
        None => Ok(()),
    }
}
