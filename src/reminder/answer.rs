//! Answers: which occurrence is meant, whether it can be, and the fact that it makes.

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::notice::minutes;
use super::refusal::{Refusal, nearest};
use super::{Action, Reminder, RequestId};
use crate::ledger::{Details, Fact, MAX_SNOOZE_PAST_GRACE, Record, State, When, standing};
use crate::schedule::{ItemId, Kind, OccurrenceId, Planned, Quantity, Recurrence};

/// How long before its time an occurrence can be answered without being named, at most its grace.
const EARLY: SignedDuration = SignedDuration::from_hours(2);

/// How long before its time an occurrence can be answered when it is named.
pub(super) const EARLY_NAMED: SignedDuration = SignedDuration::from_hours(24);

/// A given time may be this far ahead of the clock (two clocks never agree).
const CLOCKS_DISAGREE: SignedDuration = SignedDuration::from_secs(120);

/// Two snoozes that end this close together are one.
const SAME_SNOOZE: SignedDuration = SignedDuration::from_secs(60);

/// What somebody says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// It was taken, or done.
    Take,
    /// Not this time.
    Skip,
    /// Ask again later.
    Snooze,
    /// Something happened beside the plan: as needed, extra, so many minutes.
    Log,
}

/// Of what they say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Of an item: the occurrence follows from the time.
    Item(ItemId),
    /// Of one occurrence.
    Occurrence(OccurrenceId),
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What.
    pub verb: Verb,
    /// Of what.
    pub target: Target,
    /// When it happened; `None` is now.
    pub at: Option<When>,
    /// How much.
    pub amount: Option<Quantity>,
    /// What a check-in or a scan records.
    pub details: Option<Details>,
    /// A note.
    pub note: Option<String>,
    /// Why it was skipped.
    pub reason: Option<String>,
    /// How long to snooze.
    pub length: Option<SignedDuration>,
    /// Whether it is meant although it comes too soon after the last one.
    pub confirmed: bool,
    /// The idempotency key.
    pub key: Option<String>,
}

impl Answer {
    /// Returns an answer of now that says no more than the verb.
    #[must_use]
    pub fn new(verb: Verb, target: Target) -> Self {
        Self {
            verb,
            target,
            at: None,
            amount: None,
            details: None,
            note: None,
            reason: None,
            length: None,
            confirmed: false,
            key: None,
        }
    }
}

/// What came of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It is durable.
    Recorded(Arc<Record>),
    /// It was already; this is the fact.
    Repeated(Arc<Record>),
    /// It was not taken in.
    Refused(Refusal),
}

/// What an answer comes to, before anything is written.
pub(super) enum Decision {
    Record(Fact),
    Repeat(Record),
    Refuse(Refusal),
}

impl From<Refusal> for Decision {
    fn from(refusal: Refusal) -> Self {
        Self::Refuse(refusal)
    }
}

impl Reminder {
    pub(super) fn take_answer(
        &mut self,
        now: Timestamp,
        request: RequestId,
        answer: &Answer,
        actions: &mut Vec<Action>,
    ) {
        if self.is_repeated(request, answer.key.as_deref(), actions) {
            return;
        }
        let decision = self.decide(now, answer);
        self.carry_out(request, decision, actions);
    }

    /// Answers a request under an idempotency key that has made a fact already, or will in a moment.
    pub(super) fn is_repeated(
        &mut self,
        request: RequestId,
        key: Option<&str>,
        actions: &mut Vec<Action>,
    ) -> bool {
        if self.joined_pending(request, key) {
            return true;
        }
        let known = key.and_then(|key| self.ledger.by_key(key)).cloned();
        known.map(|record| actions.push(Action::Reply(request, Outcome::Repeated(record.into())))).is_some()
    }

    /// Waits with others for a fact that is on its way under the same idempotency key.
    pub(super) fn joined_pending(&mut self, request: RequestId, key: Option<&str>) -> bool {
        let Some(key) = key else { return false };
        let same = self.pending.values_mut().find(|pending| pending.fact.key() == Some(key));
        same.map(|pending| pending.waiting.push(request)).is_some()
    }

    pub(super) fn carry_out(&mut self, request: RequestId, decision: Decision, actions: &mut Vec<Action>) {
        match decision {
            Decision::Refuse(refusal) => actions.push(Action::Reply(request, Outcome::Refused(refusal))),
            Decision::Repeat(record) => {
                actions.push(Action::Reply(request, Outcome::Repeated(record.into())));
            }
            Decision::Record(fact) => {
                if let Some(occurrence) = fact.occurrence().filter(|_| resolves(&fact)) {
                    if let Some(pending) = self.pending_answer(occurrence) {
                        // Two at the same moment: the same answer is one fact, another is refused.
                        if std::mem::discriminant(&pending.fact) == std::mem::discriminant(&fact) {
                            pending.waiting.push(request);
                        } else {
                            let refusal = Refusal::BeingAnswered { occurrence: occurrence.clone() };
                            actions.push(Action::Reply(request, Outcome::Refused(refusal)));
                        }
                        return;
                    }
                }
                self.record(fact, vec![request], false, actions);
            }
        }
    }

    /// Returns the answer to an occurrence that is on its way to the journal.
    pub(super) fn pending_answer(&mut self, occurrence: &OccurrenceId) -> Option<&mut super::Pending> {
        self.pending
            .values_mut()
            .find(|pending| resolves(&pending.fact) && pending.fact.occurrence() == Some(occurrence))
    }

    /// Returns the fact that something was taken, with a copy of what was planned.
    pub(super) fn intake(&self, item: &ItemId, occurrence: Option<&OccurrenceId>, at: When) -> Fact {
        let planned = occurrence
            .and_then(|id| Some((id, self.plan.find(id, &self.ledger.counted_from(&self.plan, item))?)));
        // Beside the plan, it is the product of today.
        let described = planned.as_ref().map(|(_, planned)| &planned.regimen.item);
        let described = described.or_else(|| self.plan.newest(item).map(|regimen| &regimen.item));
        let product = described.and_then(|item| item.product.clone());
        let planned = planned.and_then(|(id, planned)| planned.regimen.item.dose_at(id.slot));
        Fact::Intake {
            item: item.clone(),
            occurrence: occurrence.cloned(),
            at,
            amount: None,
            planned,
            product,
            details: None,
            note: None,
            corrects: None,
            key: None,
        }
    }

    fn decide(&self, now: Timestamp, answer: &Answer) -> Decision {
        let when = answer.at.unwrap_or(When::Instant(now));
        if self.is_ahead(when, now) {
            return Refusal::InFuture.into();
        }
        let item = match &answer.target {
            Target::Item(item) => item,
            Target::Occurrence(occurrence) => &occurrence.item,
        };
        if self.plan.regimens(item).is_empty() {
            let nearest = nearest(item, self.plan.current_items().map(|item| &item.id));
            return Refusal::UnknownItem { item: item.clone(), nearest }.into();
        }
        let kind = self.plan.newest(item).map(|regimen| regimen.item.kind);
        let fits = match &answer.details {
            None => true,
            Some(Details::CheckIn(_)) => kind == Some(Kind::CheckIn),
            Some(Details::Scan(_)) => kind == Some(Kind::Scan),
        };
        if !fits {
            return Refusal::OtherKind { item: item.clone() }.into();
        }
        let intakes = self.ledger.counted_from(&self.plan, item);
        let planned = match &answer.target {
            Target::Occurrence(occurrence) => match self.plan.find(occurrence, &intakes) {
                Some(planned) => Some(planned),
                None => return Refusal::UnknownOccurrence { occurrence: occurrence.clone() }.into(),
            },
            Target::Item(item) => self.meant(item, &intakes, when, answer.verb, now),
        };
        match answer.verb {
            Verb::Snooze => self.decide_snooze(now, item, planned.as_ref(), answer),
            Verb::Take | Verb::Log => self.decide_resolution(now, item, planned.as_ref(), answer, when),
            Verb::Skip if planned.is_none() => self.nothing_due(item, now),
            Verb::Skip => self.decide_resolution(now, item, planned.as_ref(), answer, when),
        }
    }

    /// Finds the occurrence that an answer to an item means: the newest that is open at the given
    /// time, else the nearest of the one answered last and the next. (So pressing twice is not taking
    /// twice: the second time finds the answered one.)
    fn meant(
        &self,
        item: &ItemId,
        intakes: &[Timestamp],
        when: When,
        verb: Verb,
        now: Timestamp,
    ) -> Option<Planned<'_>> {
        let is_supplement =
            self.plan.newest(item).is_some_and(|regimen| regimen.item.kind == Kind::Supplement);
        if verb == Verb::Log && is_supplement {
            return None;
        }
        let at = match when {
            When::Instant(at) => at,
            When::Date(date) => return self.meant_on(item, intakes, date, verb, now),
        };
        let mut open = None;
        let mut answered = None;
        for planned in self.near(item, at).into_iter().filter(|planned| planned.occurrence.at <= at) {
            let standing = standing(&planned, &self.ledger, at);
            match standing.answer {
                None if standing.state == State::Due => open = Some(planned),
                Some(_) if at < standing.closes => answered = Some(planned),
                _ => {}
            }
        }
        if open.is_some() {
            return open;
        }
        let early = self.plan.next_after(item, intakes, at).filter(|next| {
            let civil = !matches!(next.regimen.item.rule.recurrence, Recurrence::Elapsed { .. });
            let window = EARLY.min(next.regimen.item.grace);
            civil && verb != Verb::Snooze && next.occurrence.at.duration_since(at) <= window
        });
        let nearest = match (answered, early) {
            (Some(done), Some(next))
                if next.occurrence.at.duration_since(at) < at.duration_since(done.occurrence.at) =>
            {
                Some(next)
            }
            (done, next) => done.or(next),
        };
        // A second entry of the same habit is another one, not the first again.
        nearest.filter(|planned| verb != Verb::Log || self.ledger.answer(&planned.occurrence.id).is_none())
    }

    /// Finds the first unanswered occurrence of a local date, else the last answered one.
    fn meant_on(
        &self,
        item: &ItemId,
        intakes: &[Timestamp],
        date: jiff::civil::Date,
        verb: Verb,
        now: Timestamp,
    ) -> Option<Planned<'_>> {
        let midnight = TimeZone::UTC.to_timestamp(date.to_datetime(jiff::civil::Time::midnight())).ok()?;
        let day = SignedDuration::from_hours(24);
        let (from, until) = (midnight.checked_sub(day).ok()?, midnight.checked_add(day * 2).ok()?);
        let mut on_date: Vec<_> = self
            .plan
            .occurrences(item, intakes, from, until)
            .into_iter()
            .filter(|planned| planned.occurrence.id.slot.written().date() == date)
            .filter(|planned| planned.occurrence.at <= now)
            .collect();
        let open = on_date.iter().position(|planned| self.ledger.answer(&planned.occurrence.id).is_none());
        match open {
            Some(open) => Some(on_date.swap_remove(open)),
            None => on_date.pop().filter(|_| verb != Verb::Log),
        }
    }

    fn decide_resolution(
        &self,
        now: Timestamp,
        item: &ItemId,
        planned: Option<&Planned<'_>>,
        answer: &Answer,
        at: When,
    ) -> Decision {
        if let Some(planned) = planned {
            let occurrence = &planned.occurrence.id;
            if planned.occurrence.at.duration_since(now) > EARLY_NAMED {
                return Refusal::TooEarly { occurrence: occurrence.clone() }.into();
            }
            if let Some(record) = self.ledger.answer(occurrence) {
                let state = standing(planned, &self.ledger, now).state.as_str();
                return match same_verb(record.clone(), answer.verb) {
                    Some(record) => Decision::Repeat(record),
                    None => {
                        let (occurrence, fact) = (occurrence.clone(), record.id.clone());
                        Refusal::AlreadyAnswered { occurrence, state, fact }.into()
                    }
                };
            }
        }
        let occurrence = planned.map(|planned| &planned.occurrence.id);
        if let (Verb::Skip, Some(occurrence)) = (answer.verb, occurrence) {
            return Decision::Record(Fact::Skip {
                occurrence: occurrence.clone(),
                at,
                reason: answer.reason.clone(),
                note: answer.note.clone(),
                corrects: None,
                key: answer.key.clone(),
            });
        }
        if let (When::Instant(at), false) = (at, answer.confirmed) {
            if let Some(last) = self.too_soon_after(item, at) {
                let distance = minutes(at.duration_since(last).abs());
                return Refusal::TooSoon { item: item.clone(), distance }.into();
            }
        }
        let mut fact = self.intake(item, occurrence, at);
        if let Fact::Intake { amount, details, note, key, .. } = &mut fact {
            (*amount, *note, *key) = (answer.amount, answer.note.clone(), answer.key.clone());
            *details = answer.details.clone().map(Box::new);
        }
        Decision::Record(fact)
    }

    fn decide_snooze(
        &self,
        now: Timestamp,
        item: &ItemId,
        planned: Option<&Planned<'_>>,
        answer: &Answer,
    ) -> Decision {
        let Some(planned) = planned else { return self.nothing_due(item, now) };
        let occurrence = &planned.occurrence.id;
        let standing = standing(planned, &self.ledger, now);
        if let Some(record) = standing.answer {
            let (occurrence, fact) = (occurrence.clone(), record.id.clone());
            return Refusal::AlreadyAnswered { occurrence, state: standing.state.as_str(), fact }.into();
        }
        if standing.state != State::Due {
            return self.nothing_due(item, now);
        }
        let length = answer.length.unwrap_or(self.settings.snooze);
        let until = now.checked_add(length).unwrap_or(Timestamp::MAX);
        let grace = planned.regimen.item.grace;
        let latest =
            planned.occurrence.at.checked_add(grace + MAX_SNOOZE_PAST_GRACE).unwrap_or(Timestamp::MAX);
        if until > latest {
            let latest =
                self.plan.zones.zone_at(now).to_datetime(latest).strftime("%a %-d %b, %H:%M").to_string();
            return Refusal::SnoozeTooLong { occurrence: occurrence.clone(), latest }.into();
        }
        if let Some(running) = standing.snoozed_until {
            if until.duration_since(running).abs() <= SAME_SNOOZE {
                if let Some(record) = self.ledger.snooze(occurrence) {
                    return Decision::Repeat(record.clone());
                }
            }
        }
        let (occurrence, key) = (occurrence.clone(), answer.key.clone());
        Decision::Record(Fact::Snooze { occurrence, at: now, until, key })
    }

    fn nothing_due(&self, item: &ItemId, now: Timestamp) -> Decision {
        let next = self.plan.next_after(item, &self.ledger.counted_from(&self.plan, item), now);
        Refusal::NothingDue { item: item.clone(), next: next.map(|next| next.occurrence.id) }.into()
    }

    pub(super) fn is_ahead(&self, when: When, now: Timestamp) -> bool {
        match when {
            When::Instant(at) => at.duration_since(now) > CLOCKS_DISAGREE,
            When::Date(date) => {
                let today = self.plan.zones.zone_at(now).to_datetime(now).date();
                date > today.saturating_add(0.days())
            }
        }
    }
}

/// Tells whether a fact resolves the occurrence that it is about.
fn resolves(fact: &Fact) -> bool {
    matches!(fact, Fact::Intake { .. } | Fact::Skip { .. })
}

/// Returns the fact if it is what the verb would make.
fn same_verb(record: Record, verb: Verb) -> Option<Record> {
    match (&record.fact, verb) {
        (Fact::Intake { .. }, Verb::Take | Verb::Log) | (Fact::Skip { .. }, Verb::Skip) => Some(record),
        _ => None,
    }
}
