//! Facts on their way to the journal and back: nothing is known before it is durable, and everybody who waits gets a reply.

use std::sync::Arc;

use jiff::Timestamp;

use super::answer::{Decision, says_the_same};
use super::messages::{Action, Outcome, RequestId, Token};
use super::pending::PendingFact;
use super::{Refusal, Reminder};
use crate::core::ledger::{Fact, Ledger, Record};

impl Reminder {
    /// Records a fact that nobody waits for.
    pub(super) fn record(&mut self, fact: Fact, actions: &mut Vec<Action>) {
        self.write(PendingFact { fact, waiting: Vec::new(), from_button: false }, actions);
    }

    /// Records a fact that comes from a button: a failure has to be shown.
    pub(super) fn record_from_button(&mut self, fact: Fact, actions: &mut Vec<Action>) {
        self.write(PendingFact { fact, waiting: Vec::new(), from_button: true }, actions);
    }

    /// Records a fact for a request that waits for it.
    pub(super) fn record_for(&mut self, request: RequestId, fact: Fact, actions: &mut Vec<Action>) {
        self.write(PendingFact { fact, waiting: vec![request], from_button: false }, actions);
    }

    fn write(&mut self, pending: PendingFact, actions: &mut Vec<Action>) {
        let token = Token(self.ids.next());
        actions.push(Action::Record(token, pending.fact.clone()));
        self.pending.insert(token, pending);
    }

    /// Replies to a request under an idempotency key that has made a fact already, or will in a moment.
    ///
    /// `is_same` tells whether the request would make that fact; another one may not use its key.
    pub(super) fn is_repeated(
        &mut self,
        request: RequestId,
        key: Option<&str>,
        is_same: impl Fn(&Ledger, &Fact) -> bool,
        actions: &mut Vec<Action>,
    ) -> bool {
        let Some(key) = key else { return false };
        let outcome = if let Some(pending) = self.pending.by_key(key) {
            if is_same(&self.ledger, &pending.fact) {
                pending.waiting.push(request);
                return true;
            }
            Outcome::Refused(Refusal::KeyReused)
        } else {
            match self.ledger.by_key(key) {
                None => return false,
                Some(record) if is_same(&self.ledger, &record.fact) => {
                    Outcome::Repeated(record.clone().into())
                }
                Some(_) => Outcome::Refused(Refusal::KeyReused),
            }
        };
        actions.push(Action::Reply(request, outcome));
        true
    }

    /// Does what was decided about a request.
    pub(super) fn execute(&mut self, request: RequestId, decision: Decision, actions: &mut Vec<Action>) {
        match decision {
            Decision::Refuse(refusal) => actions.push(Action::Reply(request, Outcome::Refused(refusal))),
            Decision::Repeat(record) => {
                actions.push(Action::Reply(request, Outcome::Repeated(record.into())));
            }
            Decision::Record(fact) => self.record_once(request, fact, actions),
        }
    }

    /// Records a fact, unless another resolution of its occurrence is being written: the same one is shared, another is refused.
    fn record_once(&mut self, request: RequestId, fact: Fact, actions: &mut Vec<Action>) {
        let occurrence = fact.occurrence().filter(|_| fact.is_resolution());
        let under_way = occurrence.and_then(|occurrence| self.pending.resolution_of(occurrence));
        match (under_way, occurrence) {
            (Some(pending), Some(occurrence)) => {
                if says_the_same(&pending.fact, &fact) {
                    pending.waiting.push(request);
                } else {
                    let refusal = Refusal::BeingAnswered { occurrence: occurrence.clone() };
                    actions.push(Action::Reply(request, Outcome::Refused(refusal)));
                }
            }
            _ => self.record_for(request, fact, actions),
        }
    }

    pub(super) fn on_recorded(
        &mut self,
        now: Timestamp,
        token: Token,
        record: Arc<Record>,
        actions: &mut Vec<Action>,
    ) {
        let pending = self.pending.remove(token);
        self.apply(now, record.clone());
        let Some(pending) = pending else { return };
        // The first request made the fact, unless a button did; the others repeated it.
        let mut outcome: fn(Arc<Record>) -> Outcome =
            if pending.from_button { Outcome::Repeated } else { Outcome::Recorded };
        for request in pending.waiting {
            actions.push(Action::Reply(request, outcome(record.clone())));
            outcome = Outcome::Repeated;
        }
    }

    /// Adds a durable fact to what is known, and schedules a check of what it is about.
    fn apply(&mut self, now: Timestamp, record: Arc<Record>) {
        // An undo of what named no slot gives back the slot whose place it took.
        let undone =
            record.fact.supersedes().and_then(|fact| self.ledger.get(fact)).map(|record| &record.fact);
        let concerns = |fact: &Fact| fact.shapes_plan() && fact.item().is_none();
        let concerns_all = concerns(&record.fact) || undone.is_some_and(concerns);
        let item = record.fact.item().or(undone.and_then(Fact::item)).cloned();
        if let Fact::Snooze { occurrence, .. } = &record.fact {
            self.screen.on_snoozed(occurrence);
        }
        match item {
            Some(item) => self.schedule_check(&item, now),
            None if concerns_all => self.schedule_all_checks(now),
            None => {}
        }
        // The plan has a regimen already.
        if !matches!(record.fact, Fact::Regimen { .. }) {
            self.ledger.fold(record);
        }
    }

    pub(super) fn on_not_recorded(
        &mut self,
        now: Timestamp,
        token: Token,
        reason: &str,
        actions: &mut Vec<Action>,
    ) {
        let Some(pending) = self.pending.remove(token) else { return };
        for request in pending.waiting {
            let refusal = Refusal::NotRecorded { reason: reason.to_owned() };
            actions.push(Action::Reply(request, Outcome::Refused(refusal)));
        }
        if let Fact::Regimen { item, .. } = &pending.fact {
            // The next reading of the schedule finds it changed, and records it then.
            self.definitions.remove(item);
        }
        if let Some(occurrence) = pending.fact.occurrence().filter(|_| pending.from_button) {
            // The person believes it is recorded.
            self.screen.ask_again_later(occurrence.clone(), now);
        }
    }
}
