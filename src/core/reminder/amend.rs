//! Retractions and corrections: each is a fact of its own, and no fact is ever changed.

use jiff::Timestamp;

use super::Reminder;
use super::answer::Decision;
use super::messages::{Action, RequestId};
use super::refusal::Refusal;
use crate::core::ledger::{Fact, FactId, FormData, Ledger, Record, When};
use crate::core::schedule::Amount;

/// What to change of an answer; `None` leaves it as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// The answer, by any of its revisions; the effective one is corrected.
    pub fact: FactId,
    /// When it happened.
    pub at: Option<When>,
    /// How much it was.
    pub amount: Option<Amount>,
    /// What a check-in or a scan should have recorded.
    pub form_data: Option<FormData>,
    /// A note.
    pub note: Option<String>,
    /// Why it was skipped.
    pub reason: Option<String>,
    /// The idempotency key.
    pub key: Option<String>,
}

impl Reminder {
    pub(super) fn on_retraction(
        &mut self,
        now: Timestamp,
        request: RequestId,
        fact: FactId,
        reason: Option<String>,
        key: Option<String>,
        actions: &mut Vec<Action>,
    ) {
        let is_same = |_: &Ledger, known: &Fact| matches!(known, Fact::Retraction { fact: of, reason: why, .. } if *of == fact && *why == reason);
        if self.is_repeated(request, key.as_deref(), is_same, actions) {
            return;
        }
        if let Some(pending) = self.pending.retraction_of(&fact) {
            pending.waiting.push(request);
            return;
        }
        let decision = self.decide_retraction(now, fact, reason, key);
        self.execute(request, decision, actions);
    }

    fn decide_retraction(
        &self,
        now: Timestamp,
        fact: FactId,
        reason: Option<String>,
        key: Option<String>,
    ) -> Decision {
        let Some(record) = self.ledger.get(&fact) else { return Refusal::UnknownFact { fact }.into() };
        if !record.fact.is_retractable() {
            return Refusal::NotRetractable { fact }.into();
        }
        // The first version stands for the whole answer: it can be undone whatever corrected it.
        let superseded_by = if self.ledger.root_of(&fact) == &fact {
            self.ledger.retraction_of(&fact)
        } else {
            self.ledger.superseded_by(&fact)
        };
        match superseded_by {
            Some(earlier) if matches!(earlier.fact, Fact::Retraction { .. }) => {
                Decision::Repeat(earlier.clone())
            }
            Some(correction) => Refusal::Superseded { fact, by: correction.id.clone() }.into(),
            None => {
                let occurrence = record.fact.occurrence().cloned();
                Decision::Record(Fact::Retraction { fact, occurrence, at: now, reason, key })
            }
        }
    }

    pub(super) fn on_correction(
        &mut self,
        now: Timestamp,
        request: RequestId,
        correction: &Correction,
        actions: &mut Vec<Action>,
    ) {
        let is_same = |ledger: &Ledger, known: &Fact| makes(correction, ledger, known);
        if self.is_repeated(request, correction.key.as_deref(), is_same, actions) {
            return;
        }
        let decision = self.decide_correction(now, correction);
        let Decision::Record(fact) = decision else { return self.execute(request, decision, actions) };
        match fact.supersedes().and_then(|superseded| self.pending.superseding(superseded)) {
            None => self.record_for(request, fact, actions),
            Some(pending) if pending.fact == fact => pending.waiting.push(request),
            Some(_) => {
                let refusal = Refusal::BeingChanged { fact: correction.fact.clone() };
                self.execute(request, refusal.into(), actions);
            }
        }
    }

    fn decide_correction(&self, now: Timestamp, correction: &Correction) -> Decision {
        let name = &correction.fact;
        let Some(record) = self.ledger.get(name) else {
            return Refusal::UnknownFact { fact: name.clone() }.into();
        };
        let Some(effective) = self.ledger.effective_revision(name) else {
            let by = self.ledger.superseded_by(name).map_or(name, |by| &by.id);
            return Refusal::Superseded { fact: name.clone(), by: by.clone() }.into();
        };
        let Some(corrected) = corrected(effective, correction) else {
            return Refusal::NotCorrectable { fact: record.id.clone() }.into();
        };
        if is_same_answer(&corrected, &effective.fact) {
            return Decision::Repeat(effective.clone());
        }
        // The time that it keeps may be one of a clock that was ahead.
        if correction.at.is_some_and(|at| self.is_ahead(at, now)) {
            return Refusal::InFuture.into();
        }
        Decision::Record(corrected)
    }
}

/// Returns the fact that supersedes the effective revision of an answer; `None` where the answer has nothing of what is corrected.
fn corrected(record: &Record, correction: &Correction) -> Option<Fact> {
    let to = correction.clone();
    let mut fact = record.fact.clone();
    match &mut fact {
        Fact::Intake { at, amount, form_data, note, corrects, key, .. } => {
            let is_form = form_data.is_some();
            if to.reason.is_some() || (to.amount.is_some() && is_form) {
                return None;
            }
            if !to.form_data.as_ref().is_none_or(|to| is_same_kind(to, form_data.as_deref())) {
                return None;
            }
            *at = to.at.unwrap_or(*at);
            *amount = to.amount.or_else(|| amount.take());
            *form_data = to.form_data.map(Box::new).or_else(|| form_data.take());
            *note = to.note.or_else(|| note.take());
            (*corrects, *key) = (Some(record.id.clone()), to.key);
        }
        Fact::Skip { at, reason, note, corrects, key, .. } => {
            if to.amount.is_some() || to.form_data.is_some() {
                return None;
            }
            *at = to.at.unwrap_or(*at);
            *reason = to.reason.or_else(|| reason.take());
            *note = to.note.or_else(|| note.take());
            (*corrects, *key) = (Some(record.id.clone()), to.key);
        }
        _ => return None,
    }
    Some(fact)
}

/// Tells whether a fact is what a correction makes.
fn makes(correction: &Correction, ledger: &Ledger, fact: &Fact) -> bool {
    let is_of = |corrects: &Option<FactId>| {
        corrects.as_ref().is_some_and(|of| ledger.root_of(of) == ledger.root_of(&correction.fact))
    };
    match fact {
        Fact::Intake { at, amount, form_data, note, corrects, .. } => {
            is_of(corrects)
                && correction.reason.is_none()
                && is_given(correction.at.as_ref(), Some(at))
                && is_given(correction.amount.as_ref(), amount.as_ref())
                && is_given(correction.form_data.as_ref(), form_data.as_deref())
                && is_given(correction.note.as_ref(), note.as_ref())
        }
        Fact::Skip { at, reason, note, corrects, .. } => {
            is_of(corrects)
                && is_given(correction.at.as_ref(), Some(at))
                && is_given(correction.reason.as_ref(), reason.as_ref())
                && is_given(correction.note.as_ref(), note.as_ref())
        }
        _ => false,
    }
}

/// Tells whether a value is the recorded one, where it is given.
pub(super) fn is_given<T: PartialEq>(given: Option<&T>, recorded: Option<&T>) -> bool {
    given.is_none() || given == recorded
}

/// Tells whether two revisions of an answer say the same.
fn is_same_answer(one: &Fact, other: &Fact) -> bool {
    let [mut one, mut other] = [one.clone(), other.clone()];
    for fact in [&mut one, &mut other] {
        if let Fact::Intake { corrects, key, .. } | Fact::Skip { corrects, key, .. } = fact {
            (*corrects, *key) = (None, None);
        }
    }
    one == other
}

fn is_same_kind(one: &FormData, other: Option<&FormData>) -> bool {
    other.is_some_and(|other| std::mem::discriminant(one) == std::mem::discriminant(other))
}
