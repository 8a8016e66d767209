//! What is being written: facts on their way to the journal, and who waits for each.

use std::collections::BTreeMap;

use super::messages::{RequestId, Token};
use crate::core::ledger::{Fact, FactId};
use crate::core::schedule::OccurrenceId;

/// A fact on its way to the journal, and who waits for it.
#[derive(Clone, Debug)]
pub(super) struct PendingFact {
    pub(super) fact: Fact,
    pub(super) waiting: Vec<RequestId>,
    /// Whether it comes from a button, so that a failure has to be shown.
    pub(super) from_button: bool,
}

/// The facts that are to be recorded and are not yet.
#[derive(Debug, Default)]
pub(super) struct PendingFacts(BTreeMap<Token, PendingFact>);

impl PendingFacts {
    pub(super) fn insert(&mut self, token: Token, pending: PendingFact) {
        self.0.insert(token, pending);
    }

    pub(super) fn remove(&mut self, token: Token) -> Option<PendingFact> {
        self.0.remove(&token)
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the fact with an idempotency key.
    pub(super) fn by_key(&mut self, key: &str) -> Option<&mut PendingFact> {
        self.find(|fact| fact.key() == Some(key))
    }

    /// Returns the fact that resolves an occurrence.
    pub(super) fn resolution_of(&mut self, occurrence: &OccurrenceId) -> Option<&mut PendingFact> {
        self.find(|fact| fact.is_resolution() && fact.occurrence() == Some(occurrence))
    }

    /// Returns the fact that retracts another.
    pub(super) fn retraction_of(&mut self, id: &FactId) -> Option<&mut PendingFact> {
        self.find(|fact| matches!(fact, Fact::Retraction { fact: retracted, .. } if retracted == id))
    }

    /// Returns the fact that retracts or corrects another.
    pub(super) fn superseding(&mut self, id: &FactId) -> Option<&mut PendingFact> {
        self.find(|fact| fact.supersedes() == Some(id))
    }

    /// Tells whether an answer to an occurrence is being written.
    pub(super) fn has_answer_to(&self, occurrence: &OccurrenceId) -> bool {
        self.0.values().any(|other| other.fact.is_answer() && other.fact.occurrence() == Some(occurrence))
    }

    fn find(&mut self, is_wanted: impl Fn(&Fact) -> bool) -> Option<&mut PendingFact> {
        self.0.values_mut().find(|pending| is_wanted(&pending.fact))
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::core::ledger::When;

    const AT: Timestamp = Timestamp::UNIX_EPOCH;

    fn occurrence(id: &str) -> OccurrenceId {
        id.parse().unwrap()
    }

    fn skip(key: Option<&str>, corrects: Option<&str>) -> Fact {
        Fact::Skip {
            occurrence: occurrence("a@2026-11-25T08:00"),
            at: When::Instant(AT),
            reason: None,
            note: None,
            corrects: corrects.map(|id| id.parse().unwrap()),
            key: key.map(ToOwned::to_owned),
        }
    }

    fn snooze() -> Fact {
        Fact::Snooze { occurrence: occurrence("b@2026-11-25T08:00"), at: AT, until: AT, key: None }
    }

    fn retraction() -> Fact {
        Fact::Retraction {
            fact: "d.1".parse().unwrap(),
            occurrence: Some(occurrence("c@2026-11-25T08:00")),
            at: AT,
            reason: None,
            key: None,
        }
    }

    #[test]
    fn what_is_being_written_is_found_by_what_it_is_about() {
        let mut pending = PendingFacts::default();
        for (token, fact) in (1..).zip([skip(Some("k"), Some("d.2")), snooze(), retraction()]) {
            pending.insert(Token(token), PendingFact { fact, waiting: Vec::new(), from_button: false });
        }
        assert_eq!(pending.len(), 3);
        for (key, is_found) in [("k", true), ("other", false)] {
            assert_eq!(pending.by_key(key).is_some(), is_found, "{key}");
        }
        // A snooze is an answer, and resolves nothing; a retraction is neither.
        for (id, resolves, answers) in [("a", true, true), ("b", false, true), ("c", false, false)] {
            let id = occurrence(&format!("{id}@2026-11-25T08:00"));
            assert_eq!(pending.resolution_of(&id).is_some(), resolves, "{id}");
            assert_eq!(pending.has_answer_to(&id), answers, "{id}");
        }
        for (id, is_retracted, is_superseded) in
            [("d.1", true, true), ("d.2", false, true), ("d.3", false, false)]
        {
            let id: FactId = id.parse().unwrap();
            assert_eq!(pending.retraction_of(&id).is_some(), is_retracted, "{id}");
            assert_eq!(pending.superseding(&id).is_some(), is_superseded, "{id}");
        }
        assert_eq!(pending.remove(Token(1)).unwrap().fact.key(), Some("k"));
        assert!(pending.remove(Token(1)).is_none() && pending.len() == 2);
    }
}
