//! What a file and a directory have: what is read, what a power loss leaves, and what lies between the two.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::core::insight::SplitMix64;

/// A change of what something has.
pub(super) trait Edit {
    type Of: Default;

    fn apply(&self, of: &mut Self::Of);
}

/// What something has, with the changes that are not synced yet.
#[derive(Debug)]
pub(super) struct Synced<E: Edit> {
    /// What is read.
    pub(super) cached: E::Of,
    /// What was synced.
    pub(super) durable: E::Of,
    pub(super) pending: Vec<E>,
}

impl<E: Edit> Default for Synced<E> {
    fn default() -> Self {
        Self { cached: E::Of::default(), durable: E::Of::default(), pending: Vec::new() }
    }
}

impl<E: Edit> Synced<E> {
    pub(super) fn change(&mut self, change: E) {
        change.apply(&mut self.cached);
        self.pending.push(change);
    }

    pub(super) fn sync(&mut self) {
        for change in self.pending.drain(..) {
            change.apply(&mut self.durable);
        }
    }
}

/// The content of a file.
pub(super) type Content = Synced<Change>;

/// The names in a directory.
pub(super) type Dir = Synced<NameChange>;

/// What came since the last sync of a file.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

impl Edit for Change {
    type Of = Vec<u8>;

    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Length(length) => bytes.resize(*length, 0),
            Self::Write(offset, written) => {
                bytes.resize(bytes.len().max(offset + written.len()), 0);
                bytes[*offset..offset + written.len()].copy_from_slice(written);
            }
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) content: Content,
    /// How long it is said to be, with a bug.
    pub(super) said: Option<u64>,
}

impl Content {
    /// Makes some of what came since the last sync durable, and forgets the rest.
    pub(super) fn tear(&mut self, lot: &mut SplitMix64) {
        let pending = std::mem::take(&mut self.pending);
        let in_order = lot.below(4) > 0;
        let whole = lot.below(pending.len() + 1);
        for (i, change) in pending.into_iter().enumerate() {
            if if in_order { i < whole } else { lot.below(2) == 0 } {
                change.apply(&mut self.durable);
                continue;
            }
            if let (Change::Write(offset, mut bytes), true) = (change, in_order) {
                let length = bytes.len();
                bytes.truncate(lot.below(length + 1));
                // The length can be ahead of the content.
                if lot.below(3) == 0 {
                    bytes.resize(length, 0);
                }
                Change::Write(offset, bytes).apply(&mut self.durable);
                break;
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    File(u64),
    Dir,
}

/// What came since the last sync of a directory.
#[derive(Clone, Debug)]
pub(super) enum NameChange {
    Put(PathBuf, Entry),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
}

impl Edit for NameChange {
    type Of = BTreeMap<PathBuf, Entry>;

    fn apply(&self, names: &mut BTreeMap<PathBuf, Entry>) {
        match self {
            Self::Put(path, entry) => drop(names.insert(path.clone(), *entry)),
            Self::Remove(path) => drop(names.remove(path)),
            Self::Rename(from, to) => {
                if let Some(entry) = names.remove(from) {
                    names.insert(to.clone(), entry);
                }
            }
        }
    }
}
