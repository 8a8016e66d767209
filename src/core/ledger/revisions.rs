//! Revision chains: which revision of an answer is effective, and what superseded the others.
//!
//! An answer is its root and the corrections that lead back to it. The newest revision that was not undone is effective; an undone
//! root takes the whole answer back. A retraction holds until it is itself retracted, so that undo and redo is the identity.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::fold::in_write_order;
use super::{Fact, FactId, Ledger, Record};

/// The longest chain of undos, or of corrections, that is followed; a longer one, or a circle, is not of this program.
const MAX_DEPTH: usize = 256;

impl Ledger {
    /// Tells whether a fact is effective: it was not undone, it is the newest revision of its answer, and its answer was not undone.
    #[must_use]
    pub fn is_effective(&self, id: &FactId) -> bool {
        self.superseded_by(id).is_none()
    }

    /// Returns the fact that superseded another: the undo of it, its next revision, or the undo of its answer.
    #[must_use]
    pub fn superseded_by(&self, id: &FactId) -> Option<&Record> {
        let is_correction = self.get(id).is_some_and(|record| corrects(record).is_some());
        if !is_correction && !self.superseded.contains_key(id) {
            return None;
        }
        if let Some(undo) = self.undo_of(id, 0) {
            return Some(undo);
        }
        let root = self.root_of(id);
        if root == id && !self.has_corrections(id) {
            return None;
        }
        let revisions = self.revisions(root);
        let later = revisions.into_iter().skip_while(|revision| revision.id != *id).skip(1);
        later
            .map(Arc::as_ref)
            .find(|revision| self.undo_of(&revision.id, 0).is_none())
            .or_else(|| self.undo_of(root, 0))
    }

    /// Returns the first version of an answer, of which a fact is a revision; of any other fact, itself.
    ///
    /// It may be one that is not known here.
    #[must_use]
    pub fn root_of<'a>(&'a self, id: &'a FactId) -> &'a FactId {
        let earlier = |id: &&'a FactId| corrects(self.get(id)?);
        std::iter::successors(Some(id), earlier).take(MAX_DEPTH).last().unwrap_or(id)
    }

    /// Returns the effective revision of an answer; `None` where it was undone.
    #[must_use]
    pub fn effective_revision(&self, id: &FactId) -> Option<&Record> {
        let root = self.root_of(id);
        if self.undo_of(root, 0).is_some() {
            return None;
        }
        let mut newest_first = self.revisions(root).into_iter().rev().map(Arc::as_ref);
        newest_first.find(|revision| self.undo_of(&revision.id, 0).is_none())
    }

    /// Returns the effective retraction of a fact.
    #[must_use]
    pub fn retraction_of(&self, id: &FactId) -> Option<&Record> {
        self.undo_of(id, 0)
    }

    fn undo_of(&self, id: &FactId, depth: usize) -> Option<&Record> {
        let of_it = self.superseded.get(id)?;
        let mut undos = of_it.iter().filter(|by| matches!(by.fact, Fact::Retraction { .. }));
        undos.find(|undo| depth < MAX_DEPTH && self.undo_of(&undo.id, depth + 1).is_none()).map(Arc::as_ref)
    }

    fn has_corrections(&self, id: &FactId) -> bool {
        self.superseded.get(id).is_some_and(|of_it| of_it.iter().any(|by| corrects(by).is_some()))
    }

    /// Returns the known revisions of an answer in the order of writing: each after the one that it names.
    fn revisions(&self, root: &FactId) -> Vec<&Arc<Record>> {
        let mut members = BTreeSet::from([root]);
        let mut to_visit = vec![root];
        while let Some(id) = to_visit.pop() {
            for by in self.superseded.get(id).into_iter().flatten().filter(|by| corrects(by).is_some()) {
                if members.insert(&by.id) {
                    to_visit.push(&by.id);
                }
            }
        }
        let known = members.iter().filter(|id| **id != root).filter_map(|id| self.records.get(*id)).collect();
        let first = self.records.get(root);
        first.into_iter().chain(after_what_they_name(in_write_order(known))).collect()
    }
}

/// Returns the revision that a correction names.
fn corrects(record: &Record) -> Option<&FactId> {
    match &record.fact {
        Fact::Intake { corrects, .. } | Fact::Skip { corrects, .. } => corrects.as_ref(),
        _ => None,
    }
}

/// Moves each correction behind the one that it names, where the clocks of two devices have it the other way round.
///
/// What one device wrote stays in its order.
fn after_what_they_name(mut corrections: Vec<&Arc<Record>>) -> Vec<&Arc<Record>> {
    let mut ordered = Vec::with_capacity(corrections.len());
    while !corrections.is_empty() {
        let waiting: BTreeSet<&FactId> = corrections.iter().map(|record| &record.id).collect();
        let mut held_up: BTreeSet<&str> = BTreeSet::new();
        let mut later = Vec::new();
        let mut named_before: BTreeSet<&FactId> = BTreeSet::new();
        for record in corrections {
            let named = corrects(record).filter(|named| waiting.contains(named));
            let is_ready = named.is_none_or(|named| named_before.contains(named));
            if is_ready && !held_up.contains(&*record.id.device) {
                named_before.insert(&record.id);
                ordered.push(record);
            } else {
                held_up.insert(&record.id.device);
                later.push(record);
            }
        }
        if named_before.is_empty() {
            // Facts that name each other in a circle.
            ordered.append(&mut later);
        }
        corrections = later;
    }
    ordered
}
