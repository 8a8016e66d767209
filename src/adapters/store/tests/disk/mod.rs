//! A simulated disk, with everything that a real one may do to what is not synced yet.
//!
//! A file and a directory each have what is read from them and what a power loss leaves, which is what was synced and
//! any part of what came since. After a failed sync what came since is not written any more, whatever is read meanwhile:
//! kernels mark it as written. A process ends at any operation, and its handles with it.

mod content;
mod process;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;

use self::content::{Change, Dir, Entry, NameChange, Node};
use self::process::Process;
use crate::adapters::store::file_system::{FileState, FileSystem};
use crate::core::insight::SplitMix64;

/// Returns a directory for the database, in memory where the system has that: it syncs at every close.
pub(super) fn scratch_dir() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

/// How a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It is killed: what it wrote is read by the next one, and durable or not as before.
    Kill,
    /// The power goes.
    PowerLoss,
}

/// What goes wrong with operations.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Faults {
    /// Nothing more can be written or made.
    pub(super) is_full: bool,
    /// One operation in so many fails; with 0 none.
    pub(super) errors: usize,
    /// Which of the next operations fail, as bits from the lowest.
    pub(super) failing: u64,
}

/// A bug that is put in on purpose, between the record and the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bug {
    None,
    /// The journal is not synced: facts are acknowledged before they are durable.
    UnsyncedFacts,
    /// The directory of the journal is not synced.
    UnsyncedNames,
    /// A torn end is cut off and not kept.
    LostTornEnd,
    /// What a failed append wrote stays, unnoticed, and its numbers are used once more.
    NoRollBack,
    /// A failed sync is taken for a good one.
    IgnoredSyncError,
}

#[derive(Debug)]
pub(super) struct State {
    lot: SplitMix64,
    root: PathBuf,
    nodes: BTreeMap<u64, Node>,
    dirs: BTreeMap<PathBuf, Dir>,
    last_inode: u64,
    /// The number of the process that was started last, and whether it has not ended yet.
    process: u64,
    is_running: bool,
    /// After how many operations it ends, and how.
    end: Option<(usize, End)>,
    faults: Faults,
    bug: Bug,
    operations: u64,
}

/// What becomes of an operation.
pub(super) enum Fate {
    Done,
    Failed(Errno),
    Ended(End),
}

impl State {
    fn fate(&mut self, process: u64, takes_room: bool) -> Result<Fate> {
        if process != self.process || !self.is_running {
            return Err(Errno::IO.into());
        }
        self.operations += 1;
        if let Some((left, end)) = &mut self.end {
            if *left == 0 {
                return Ok(Fate::Ended(*end));
            }
            *left -= 1;
        }
        let is_due = self.faults.failing & 1 == 1;
        self.faults.failing >>= 1;
        Ok(if is_due {
            Fate::Failed(Errno::IO)
        } else if self.faults.is_full && takes_room {
            Fate::Failed(Errno::NOSPC)
        } else if self.faults.errors > 0 && self.lot.below(self.faults.errors) == 0 {
            Fate::Failed(Errno::IO)
        } else {
            Fate::Done
        })
    }

    fn end(&mut self, end: End) -> Error {
        self.is_running = false;
        self.end = None;
        for node in self.nodes.values_mut() {
            node.said = None;
        }
        if end == End::PowerLoss {
            self.lose_power();
        }
        Errno::IO.into()
    }

    fn lose_power(&mut self) {
        for node in self.nodes.values_mut() {
            node.content.tear(&mut self.lot);
            node.content.cached.clone_from(&node.content.durable);
        }
        for dir in self.dirs.values_mut() {
            let kept = self.lot.below(dir.pending.len() + 1);
            dir.pending.truncate(kept);
            dir.sync();
            dir.cached.clone_from(&dir.durable);
        }
        // A directory that is not in its own any more is gone with all that it holds.
        let mut lost: BTreeSet<PathBuf> = BTreeSet::new();
        for path in self.dirs.keys().filter(|path| **path != self.root) {
            let parent = path.parent().unwrap();
            let is_there = self.dirs.get(parent).is_some_and(|dir| dir.cached.contains_key(path));
            if !is_there || lost.contains(parent) {
                lost.insert(path.clone());
            }
        }
        self.dirs.retain(|path, _| !lost.contains(path));
        let named: BTreeSet<u64> = self
            .dirs
            .values()
            .flat_map(|dir| dir.cached.values())
            .filter_map(|entry| if let Entry::File(inode) = entry { Some(*inode) } else { None })
            .collect();
        self.nodes.retain(|inode, _| named.contains(inode));
    }

    fn dir(&mut self, path: &Path) -> Result<&mut Dir> {
        self.dirs.get_mut(path.parent().unwrap()).ok_or_else(|| Errno::NOENT.into())
    }

    fn inode(&mut self, path: &Path) -> Result<u64> {
        match self.dir(path)?.cached.get(path) {
            Some(Entry::File(inode)) => Ok(*inode),
            Some(Entry::Dir) => Err(Errno::ISDIR.into()),
            None => Err(Errno::NOENT.into()),
        }
    }

    fn node(&mut self, inode: u64) -> Result<&mut Node> {
        self.nodes.get_mut(&inode).ok_or_else(|| Errno::IO.into())
    }

    fn open(&mut self, path: &Path) -> Result<u64> {
        match self.inode(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                self.last_inode += 1;
                let inode = self.last_inode;
                self.dir(path)?.change(NameChange::Put(path.to_owned(), Entry::File(inode)));
                self.nodes.insert(inode, Node::default());
                Ok(inode)
            }
            found => found,
        }
    }

    fn rename(&mut self, from: &Path, to: &Path) -> Result<()> {
        self.inode(from)?;
        assert_eq!(from.parent(), to.parent());
        self.dir(from)?.change(NameChange::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn remove(&mut self, path: &Path) -> Result<()> {
        self.inode(path)?;
        self.dir(path)?.change(NameChange::Remove(path.to_owned()));
        Ok(())
    }

    fn make_dir(&mut self, dir: &Path) -> Result<()> {
        if self.dirs.contains_key(dir) {
            return Ok(());
        }
        assert!(dir.starts_with(&self.root), "{}", dir.display());
        self.make_dir(dir.parent().unwrap())?;
        self.dir(dir)?.change(NameChange::Put(dir.to_owned(), Entry::Dir));
        self.dirs.insert(dir.to_owned(), Dir::default());
        Ok(())
    }

    fn state(&mut self, inode: u64) -> Result<FileState> {
        let node = self.node(inode)?;
        Ok(FileState { device: 1, inode, bytes: node.said.unwrap_or(node.content.cached.len() as u64) })
    }

    fn read(&mut self, inode: u64) -> Result<Vec<u8>> {
        Ok(self.node(inode)?.content.cached.clone())
    }
}

/// The disk as the test sees it, which nothing goes wrong for.
#[derive(Clone, Debug)]
pub(super) struct Disk(Arc<Mutex<State>>);

impl Disk {
    /// Makes a disk on which there is one directory.
    pub(super) fn new(seed: u64, root: &Path, bug: Bug) -> Self {
        Self(Arc::new(Mutex::new(State {
            lot: SplitMix64(seed),
            root: root.to_owned(),
            nodes: BTreeMap::new(),
            dirs: [(root.to_owned(), Dir::default())].into(),
            last_inode: 0,
            process: 0,
            is_running: false,
            end: None,
            faults: Faults::default(),
            bug,
            operations: 0,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a process, which ends the one before.
    pub(super) fn process(&self) -> Arc<dyn FileSystem> {
        let mut state = self.lock();
        state.process += 1;
        state.is_running = true;
        state.end = None;
        Arc::new(Process { disk: self.clone(), number: state.process })
    }

    /// Ends the process after so many operations more.
    pub(super) fn end_after(&self, operations: usize, end: End) {
        self.lock().end = Some((operations, end));
    }

    /// Tells whether the process that was started last runs.
    pub(super) fn is_running(&self) -> bool {
        self.lock().is_running
    }

    pub(super) fn end(&self, end: End) {
        let _ = self.lock().end(end);
    }

    pub(super) fn set_faults(&self, faults: Faults) {
        self.lock().faults = faults;
    }

    pub(super) fn faults(&self) -> Faults {
        self.lock().faults
    }

    pub(super) fn operations(&self) -> u64 {
        self.lock().operations
    }

    /// Returns what is read from a file.
    pub(super) fn read(&self, path: &Path) -> Option<Vec<u8>> {
        let mut state = self.lock();
        let inode = state.inode(path).ok()?;
        state.read(inode).ok()
    }

    /// Puts a file in place of another one, as a tool that synchronises or restores does.
    pub(super) fn replace(&self, path: &Path, bytes: &[u8]) {
        let mut state = self.lock();
        let fresh = path.with_file_name(".fresh");
        let inode = state.open(&fresh).unwrap();
        state.node(inode).unwrap().content.change(Change::Write(0, bytes.to_vec()));
        state.rename(&fresh, path).unwrap();
    }

    /// Writes a file in place.
    pub(super) fn overwrite(&self, path: &Path, bytes: &[u8]) {
        let mut state = self.lock();
        let inode = state.open(path).unwrap();
        let node = state.node(inode).unwrap();
        node.content.change(Change::Length(0));
        node.content.change(Change::Write(0, bytes.to_vec()));
    }

    pub(super) fn append(&self, path: &Path, bytes: &[u8]) {
        let mut state = self.lock();
        let inode = state.open(path).unwrap();
        let node = state.node(inode).unwrap();
        node.content.change(Change::Write(node.content.cached.len(), bytes.to_vec()));
    }

    pub(super) fn remove(&self, path: &Path) {
        self.lock().remove(path).unwrap();
    }

    /// Moves a file, for good.
    pub(super) fn rename(&self, from: &Path, to: &Path) {
        let mut state = self.lock();
        state.rename(from, to).unwrap();
        state.dir(from).unwrap().sync();
    }
}
