//! The disk as a process sees it.

use std::io::Result;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::content::{Change, Edit};
use super::{Bug, Disk, Fate, State};
use crate::adapters::store::file_system::{FileState, FileSystem, OpenFile};

/// The disk as a process sees it.
pub(super) struct Process {
    pub(super) disk: Disk,
    pub(super) number: u64,
}

impl std::fmt::Debug for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "process {}", self.number)
    }
}

impl Process {
    /// Does something as a whole or not at all.
    fn act<T>(&self, takes_room: bool, act: impl FnOnce(&mut State) -> Result<T>) -> Result<T> {
        let mut state = self.disk.lock();
        match state.fate(self.number, takes_room)? {
            Fate::Done => act(&mut state),
            Fate::Failed(error) => Err(error.into()),
            Fate::Ended(end) => {
                if state.lot.below(2) == 0 {
                    let _ = act(&mut state);
                }
                Err(state.end(end))
            }
        }
    }
}

impl FileSystem for Process {
    fn make_dir(&self, dir: &Path) -> Result<()> {
        self.act(true, |state| state.make_dir(dir))
    }

    fn list(&self, dir: &Path) -> Result<Vec<PathBuf>> {
        self.act(false, |state| {
            let dir = state.dirs.get(dir).ok_or(Errno::NOENT)?;
            Ok(dir.cached.keys().cloned().collect())
        })
    }

    fn sync_dir(&self, dir: &Path) -> Result<()> {
        self.act(false, |state| {
            if state.bug == Bug::UnsyncedNames && dir.ends_with("journal") {
                return Ok(());
            }
            state.dirs.get_mut(dir).ok_or(Errno::NOENT)?.sync();
            Ok(())
        })
    }

    fn open(&self, path: &Path) -> Result<Box<dyn OpenFile>> {
        // Only a new file takes room.
        let takes_room = !self.exists(path);
        let inode = self.act(takes_room, |state| state.open(path))?;
        Ok(Box::new(Handle { disk: self.disk.clone(), process: self.number, inode, path: path.to_owned() }))
    }

    fn read(&self, path: &Path, _: u64) -> Result<Vec<u8>> {
        self.act(false, |state| {
            let inode = state.inode(path)?;
            state.read(inode)
        })
    }

    fn state(&self, path: &Path) -> Result<FileState> {
        self.act(false, |state| {
            let inode = state.inode(path)?;
            state.state(inode)
        })
    }

    fn exists(&self, path: &Path) -> bool {
        let mut state = self.disk.lock();
        state.root.starts_with(path) || state.dir(path).is_ok_and(|dir| dir.cached.contains_key(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.act(false, |state| state.rename(from, to))
    }

    fn remove(&self, path: &Path) -> Result<()> {
        self.act(false, |state| state.remove(path))
    }
}

pub(super) struct Handle {
    disk: Disk,
    process: u64,
    inode: u64,
    path: PathBuf,
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.path.display())
    }
}

impl Handle {
    fn is_journal(&self) -> bool {
        self.path.extension().is_some_and(|extension| extension == "jsonl")
    }
}

impl OpenFile for Handle {
    fn state(&self) -> Result<FileState> {
        let mut state = self.disk.lock();
        match state.fate(self.process, false)? {
            Fate::Done => state.state(self.inode),
            Fate::Failed(error) => Err(error.into()),
            Fate::Ended(end) => Err(state.end(end)),
        }
    }

    fn read(&self, _: u64) -> Result<Vec<u8>> {
        let mut state = self.disk.lock();
        match state.fate(self.process, false)? {
            Fate::Done => state.read(self.inode),
            Fate::Failed(error) => Err(error.into()),
            Fate::Ended(end) => Err(state.end(end)),
        }
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> Result<()> {
        let mut state = self.disk.lock();
        if state.bug == Bug::LostTornEnd && self.path.extension().is_some_and(|end| end == "torn") {
            return Ok(());
        }
        let fate = state.fate(self.process, true)?;
        let written = match fate {
            Fate::Done => bytes.len(),
            _ => state.lot.below(bytes.len() + 1),
        };
        if written > 0 {
            let node = state.node(self.inode)?;
            node.said = node.said.map(|_| offset + written as u64);
            let offset = usize::try_from(offset).unwrap();
            node.content.change(Change::Write(offset, bytes[..written].to_vec()));
        }
        match fate {
            Fate::Done => Ok(()),
            Fate::Failed(error) => Err(error.into()),
            Fate::Ended(end) => Err(state.end(end)),
        }
    }

    fn set_len(&self, bytes: u64) -> Result<()> {
        let mut state = self.disk.lock();
        match state.fate(self.process, false)? {
            Fate::Failed(error) => return Err(error.into()),
            Fate::Ended(end) => return Err(state.end(end)),
            Fate::Done if state.bug == Bug::NoRollBack && self.is_journal() => {
                state.node(self.inode)?.said = Some(bytes);
                return Ok(());
            }
            Fate::Done => {}
        }
        let length = usize::try_from(bytes).unwrap();
        state.node(self.inode)?.content.change(Change::Length(length));
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        let mut state = self.disk.lock();
        match state.fate(self.process, false)? {
            Fate::Done if state.bug == Bug::UnsyncedFacts && self.is_journal() => Ok(()),
            Fate::Done => {
                state.node(self.inode)?.content.sync();
                Ok(())
            }
            Fate::Failed(error) => {
                let State { nodes, lot, bug, .. } = &mut *state;
                let node = nodes.get_mut(&self.inode).ok_or(Errno::IO)?;
                node.content.tear(lot);
                if lot.below(2) == 0 {
                    node.content.cached.clone_from(&node.content.durable);
                }
                if *bug == Bug::IgnoredSyncError { Ok(()) } else { Err(error.into()) }
            }
            Fate::Ended(end) => Err(state.end(end)),
        }
    }

    fn forget_cached(&self, _: u64) -> Result<()> {
        let mut state = self.disk.lock();
        match state.fate(self.process, false)? {
            Fate::Failed(error) => return Err(error.into()),
            Fate::Ended(end) => return Err(state.end(end)),
            Fate::Done => {}
        }
        let State { nodes, lot, .. } = &mut *state;
        let node = nodes.get_mut(&self.inode).ok_or(Errno::IO)?;
        let length = node.content.cached.len();
        node.content.cached.clone_from(&node.content.durable);
        for change in &node.content.pending {
            change.apply(&mut node.content.cached);
        }
        // Its length may be remembered.
        if lot.below(2) == 0 {
            let length = length.max(node.content.cached.len());
            node.content.cached.resize(length, 0);
        }
        Ok(())
    }
}
