//! What was recorded is taken back or corrected, by a fact of its own: nothing is ever changed.

use jiff::Timestamp;

use super::answer::Decision;
use super::refusal::Refusal;
use super::{Action, Reminder, RequestId};
use crate::ledger::{Details, Fact, FactId, Record, When};
use crate::schedule::Quantity;

/// What was different from what an answer says; `None` was as it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// The answer.
    pub fact: FactId,
    /// When it happened.
    pub at: Option<When>,
    /// How much it was.
    pub amount: Option<Quantity>,
    /// What a check-in or a scan should have recorded.
    pub details: Option<Details>,
    /// A note.
    pub note: Option<String>,
    /// Why it was skipped.
    pub reason: Option<String>,
    /// The idempotency key.
    pub key: Option<String>,
}

impl Reminder {
    pub(super) fn take_retraction(
        &mut self,
        now: Timestamp,
        request: RequestId,
        fact: FactId,
        reason: Option<String>,
        key: Option<String>,
        actions: &mut Vec<Action>,
    ) {
        if self.joined_pending(request, key.as_deref()) {
            return;
        }
        let under_way = self
            .pending
            .values_mut()
            .find(|pending| matches!(&pending.fact, Fact::Retraction { fact: other, .. } if *other == fact));
        if let Some(pending) = under_way {
            pending.waiting.push(request);
            return;
        }
        let decision = match self.ledger.get(&fact) {
            None => Refusal::UnknownFact { fact }.into(),
            Some(record) => {
                let retractable = record.fact.is_retractable();
                match self.ledger.replacement(&fact) {
                    _ if !retractable => Refusal::NotRetractable { fact }.into(),
                    Some(earlier) if matches!(earlier.fact, Fact::Retraction { .. }) => {
                        Decision::Repeat(earlier.clone())
                    }
                    Some(correction) => Refusal::Replaced { fact, by: correction.id.clone() }.into(),
                    None => {
                        let occurrence = record.fact.occurrence().cloned();
                        Decision::Record(Fact::Retraction { fact, occurrence, at: now, reason, key })
                    }
                }
            }
        };
        self.carry_out(request, decision, actions);
    }

    pub(super) fn take_correction(
        &mut self,
        now: Timestamp,
        request: RequestId,
        correction: &Correction,
        actions: &mut Vec<Action>,
    ) {
        if self.is_repeated(request, correction.key.as_deref(), actions) {
            return;
        }
        let decision = self.decide_correction(now, correction);
        let Decision::Record(fact) = decision else { return self.carry_out(request, decision, actions) };
        let under_way =
            self.pending.values_mut().find(|pending| pending.fact.replaces() == Some(&correction.fact));
        match under_way {
            None => self.record(fact, vec![request], false, actions),
            Some(pending) if pending.fact == fact => pending.waiting.push(request),
            Some(_) => {
                let refusal = Refusal::BeingChanged { fact: correction.fact.clone() };
                self.carry_out(request, refusal.into(), actions);
            }
        }
    }

    fn decide_correction(&self, now: Timestamp, correction: &Correction) -> Decision {
        let name = &correction.fact;
        let Some(record) = self.ledger.get(name) else {
            return Refusal::UnknownFact { fact: name.clone() }.into();
        };
        let Some(corrected) = corrected(record, correction) else {
            return Refusal::NotCorrectable { fact: name.clone() }.into();
        };
        if let Some(by) = self.ledger.replacement(name) {
            return if by.fact == corrected {
                Decision::Repeat(by.clone())
            } else {
                Refusal::Replaced { fact: name.clone(), by: by.id.clone() }.into()
            };
        }
        if self.is_ahead(corrected.at(), now) {
            return Refusal::InFuture.into();
        }
        Decision::Record(corrected)
    }
}

/// Returns the fact that stands in the place of an answer; `None` where it has nothing of what is corrected.
fn corrected(record: &Record, correction: &Correction) -> Option<Fact> {
    let Correction {
        fact: name,
        at: when,
        amount: much,
        details: other,
        note: said,
        reason: why,
        key: under,
    } = correction.clone();
    let mut corrected = record.fact.clone();
    match &mut corrected {
        Fact::Intake { at, amount, details, note, corrects, key, .. } => {
            let is_other_kind = match (&other, details.as_deref()) {
                (Some(Details::CheckIn(_)), was) => !matches!(was, Some(Details::CheckIn(_))),
                (Some(Details::Scan(_)), was) => !matches!(was, Some(Details::Scan(_))),
                (None, _) => false,
            };
            if is_other_kind || why.is_some() || (much.is_some() && details.is_some()) {
                return None;
            }
            *at = when.unwrap_or(*at);
            *amount = much.or(*amount);
            *details = other.map(Box::new).or_else(|| details.take());
            *note = said.or_else(|| note.take());
            (*corrects, *key) = (Some(name), under);
        }
        Fact::Skip { at, reason, note, corrects, key, .. } => {
            if much.is_some() || other.is_some() {
                return None;
            }
            *at = when.unwrap_or(*at);
            *reason = why.or_else(|| reason.take());
            *note = said.or_else(|| note.take());
            (*corrects, *key) = (Some(name), under);
        }
        _ => return None,
    }
    Some(corrected)
}
