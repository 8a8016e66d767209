//! Answers: whether one can be given, and the fact that it makes.

use jiff::{SignedDuration, Timestamp};

use super::Reminder;
use super::amend::is_given;
use super::messages::{Action, RequestId};
use super::refusal::{Refusal, nearest};
use super::wording::minutes;
use crate::core::ledger::{Fact, FormData, Ledger, MAX_SNOOZE_PAST_GRACE, Record, State, When, status_of};
use crate::core::schedule::{Amount, ItemId, Kind, OccurrenceId, ParseError, Planned};

/// How long before its time an occurrence can be taken when it is named.
pub(super) const EARLY_NAMED: SignedDuration = SignedDuration::from_hours(24);

/// How long before its time an occurrence can be skipped or postponed.
pub const FAR_AHEAD: SignedDuration = SignedDuration::from_hours(24 * 366);

/// The slots of an item that are passed over in the search for one that can be postponed.
const MAX_PASSED_OVER: usize = 1_000;

/// A given time may be this far ahead of the clock (two clocks never agree).
pub const CLOCKS_DISAGREE: SignedDuration = SignedDuration::from_secs(120);

/// Two snoozes that end this close together are one.
const SAME_SNOOZE: SignedDuration = SignedDuration::from_secs(60);

/// Two intakes closer together than this, neither of which names its slot, may be one by mistake.
const SAME_MINUTE: SignedDuration = SignedDuration::from_secs(60);

/// What an answer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// It was taken, or done.
    Take,
    /// Not this time.
    Skip,
    /// Ask again later.
    Snooze,
    /// Ask later than planned, of what is due or comes next.
    Postpone,
    /// Something happened that was not scheduled: as needed, extra, so many minutes.
    Log,
}

/// What an answer is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerTarget {
    /// Of an item: the occurrence follows from the time.
    Item(ItemId),
    /// Of one occurrence.
    Occurrence(OccurrenceId),
}

impl std::str::FromStr for AnswerTarget {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.contains('@') { text.parse().map(Self::Occurrence) } else { text.parse().map(Self::Item) }
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What.
    pub verb: Verb,
    /// Of what.
    pub target: AnswerTarget,
    /// When it happened; `None` is now.
    pub at: Option<When>,
    /// How much.
    pub amount: Option<Amount>,
    /// What a check-in or a scan records.
    pub form_data: Option<FormData>,
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
    pub fn new(verb: Verb, target: AnswerTarget) -> Self {
        Self {
            verb,
            target,
            at: None,
            amount: None,
            form_data: None,
            note: None,
            reason: None,
            length: None,
            confirmed: false,
            key: None,
        }
    }
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
    pub(super) fn on_answer(
        &mut self,
        now: Timestamp,
        request: RequestId,
        answer: &Answer,
        actions: &mut Vec<Action>,
    ) {
        let renamed = self.by_current_name(answer);
        let answer = renamed.as_ref().unwrap_or(answer);
        let is_same = |_: &Ledger, known: &Fact| makes(answer, known);
        if !self.is_repeated(request, answer.key.as_deref(), is_same, actions) {
            let decision = self.decide(now, answer);
            self.execute(request, decision, actions);
        }
    }

    /// Returns an answer that names its item as it was called before, with its name of now.
    fn by_current_name(&self, answer: &Answer) -> Option<Answer> {
        let AnswerTarget::Item(item) = &answer.target else { return None };
        let current = self.plan.current_id(item);
        (current != item).then(|| Answer { target: AnswerTarget::Item(current.clone()), ..answer.clone() })
    }

    /// Returns the fact that something was taken, with a copy of what was planned.
    pub(super) fn intake(&self, item: &ItemId, occurrence: Option<&OccurrenceId>, at: When) -> Fact {
        let planned = occurrence.and_then(|id| self.plan.find(id, &self.ledger));
        // What was not scheduled is the product of today.
        let described = planned.as_ref().map(|planned| &planned.regimen.item);
        let described = described.or_else(|| self.plan.newest(item).map(|regimen| &regimen.item));
        let product = described.and_then(|item| item.product.non_empty()).cloned().map(Box::new);
        let planned = planned.and_then(|planned| planned.dose(&self.plan.zones).cloned());
        Fact::Intake {
            item: item.clone(),
            occurrence: occurrence.cloned(),
            at,
            amount: None,
            planned,
            product,
            form_data: None,
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
            AnswerTarget::Item(item) => item,
            AnswerTarget::Occurrence(occurrence) => &occurrence.item,
        };
        if self.plan.regimens(item).is_empty() {
            let nearest = nearest(item, self.plan.current_items().map(|item| &item.id));
            return Refusal::UnknownItem { item: item.clone(), nearest }.into();
        }
        let kind = self.plan.newest(item).map(|regimen| regimen.item.kind);
        let fits = match &answer.form_data {
            None => true,
            Some(FormData::CheckIn(_)) => kind == Some(Kind::CheckIn),
            Some(FormData::Scan(_)) => kind == Some(Kind::Scan),
        };
        if !fits {
            return Refusal::OtherKind { item: item.clone() }.into();
        }
        let planned = match &answer.target {
            AnswerTarget::Occurrence(occurrence) => match self.plan.find(occurrence, &self.ledger) {
                Some(planned) => Some(planned),
                None => return Refusal::UnknownOccurrence { occurrence: occurrence.clone() }.into(),
            },
            AnswerTarget::Item(_) => self.meant(item, when, answer.verb, now),
        };
        match answer.verb {
            Verb::Snooze => self.decide_snooze(now, item, planned.as_ref(), answer),
            Verb::Postpone => self.decide_postpone(now, item, planned, answer),
            Verb::Take | Verb::Log => self.decide_resolution(now, item, planned.as_ref(), answer, when),
            Verb::Skip if planned.is_none() => self.nothing_due(item, now),
            Verb::Skip => self.decide_resolution(now, item, planned.as_ref(), answer, when),
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
            let earliest = if answer.verb == Verb::Skip { FAR_AHEAD } else { EARLY_NAMED };
            if planned.occurrence.at.duration_since(now) > earliest {
                let days = earliest.as_hours() / 24;
                return Refusal::TooEarly { occurrence: occurrence.clone(), days }.into();
            }
            if let Some(record) = self.ledger.answer(occurrence) {
                let state = status_of(planned, &self.ledger, now).state.as_str();
                if !repeats(answer, &record.fact) {
                    let (occurrence, fact) = (occurrence.clone(), record.id.clone());
                    return Refusal::AlreadyAnswered { occurrence, state, fact }.into();
                }
                return Decision::Repeat(record.clone());
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
            if let Some(refusal) = self.ambiguous(now, item, occurrence, answer, at) {
                return refusal.into();
            }
            if let Some(last) = self.too_soon_after(item, at) {
                let distance = minutes(at.duration_since(last).abs());
                return Refusal::TooSoon { item: item.clone(), distance }.into();
            }
            let planned = planned.and_then(|planned| planned.dose(&self.plan.zones));
            if let Some(reason) = self.over_limit(item, at, answer.amount.as_ref().or(planned), now) {
                return Refusal::OverLimit { item: item.clone(), reason }.into();
            }
        }
        let mut fact = self.intake(item, occurrence, at);
        if let Fact::Intake { amount, form_data, note, key, .. } = &mut fact {
            (*amount, *note, *key) = (answer.amount.clone(), answer.note.clone(), answer.key.clone());
            *form_data = answer.form_data.clone().map(Box::new);
        }
        Decision::Record(fact)
    }

    /// Returns what to ask about an intake that names only its item: which of several open slots it means, or whether it is another one
    /// than that of the same minute.
    fn ambiguous(
        &self,
        now: Timestamp,
        item: &ItemId,
        occurrence: Option<&OccurrenceId>,
        answer: &Answer,
        at: Timestamp,
    ) -> Option<Refusal> {
        if answer.verb != Verb::Take || answer.target != AnswerTarget::Item(item.clone()) {
            return None;
        }
        let last = self.nearest_intake(item, at).map(|last| at.duration_since(last).abs());
        if let Some(distance) = last.filter(|distance| *distance < SAME_MINUTE) {
            return Some(Refusal::TooSoon { item: item.clone(), distance: minutes(distance) });
        }
        let near = self.near(item, at);
        let is_open = |planned: &&Planned<'_>| {
            planned.occurrence.at <= at && status_of(planned, &self.ledger, now).state == State::Due
        };
        let open: Vec<OccurrenceId> =
            near.iter().filter(is_open).map(|planned| planned.occurrence.id.clone()).collect();
        let is_one_of_several = open.len() > 1 && occurrence.is_some_and(|meant| open.contains(meant));
        is_one_of_several.then(|| Refusal::SeveralOpen { item: item.clone(), open })
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
        let status = status_of(planned, &self.ledger, now);
        if let Some(record) = status.answer {
            let (occurrence, fact) = (occurrence.clone(), record.id.clone());
            return Refusal::AlreadyAnswered { occurrence, state: status.state.as_str(), fact }.into();
        }
        if status.state != State::Due {
            return self.nothing_due(item, now);
        }
        let until = snooze_end(planned, now, answer.length.unwrap_or(self.settings.snooze));
        self.snooze_until(planned, until, now, answer)
    }

    /// Decides on a snooze that counts from the planned time, where that is still to come.
    fn decide_postpone(
        &self,
        now: Timestamp,
        item: &ItemId,
        named: Option<Planned<'_>>,
        answer: &Answer,
    ) -> Decision {
        let is_item = matches!(answer.target, AnswerTarget::Item(_));
        let meant = if is_item { self.open_or_next(item, now) } else { named };
        let Some(planned) = meant else { return self.nothing_due(item, now) };
        let occurrence = &planned.occurrence.id;
        let status = status_of(&planned, &self.ledger, now);
        if let Some(record) = status.answer {
            let (occurrence, fact) = (occurrence.clone(), record.id.clone());
            return Refusal::AlreadyAnswered { occurrence, state: status.state.as_str(), fact }.into();
        }
        if planned.occurrence.at.duration_since(now) > FAR_AHEAD {
            let days = FAR_AHEAD.as_hours() / 24;
            return Refusal::TooEarly { occurrence: occurrence.clone(), days }.into();
        }
        if !matches!(status.state, State::Due | State::Upcoming) {
            return self.nothing_due(item, now);
        }
        let from = planned.occurrence.at.max(now);
        let until = snooze_end(&planned, from, answer.length.unwrap_or(self.settings.snooze));
        self.snooze_until(&planned, until, now, answer)
    }

    /// Returns what is open of an item, else what comes next of it.
    fn open_or_next(&self, item: &ItemId, now: Timestamp) -> Option<Planned<'_>> {
        let is_open = |planned: &Planned<'_>| status_of(planned, &self.ledger, now).state == State::Due;
        if let Some(open) = self.near(item, now).into_iter().rev().find(is_open) {
            return Some(open);
        }
        let mut after = now;
        for _ in 0..MAX_PASSED_OVER {
            let next = self.plan.next_after(item, &self.ledger, after)?;
            if status_of(&next, &self.ledger, now).state == State::Upcoming {
                return Some(next);
            }
            after = next.occurrence.at;
        }
        None
    }

    fn snooze_until(
        &self,
        planned: &Planned<'_>,
        until: Timestamp,
        now: Timestamp,
        answer: &Answer,
    ) -> Decision {
        let occurrence = &planned.occurrence.id;
        let running = status_of(planned, &self.ledger, now).snoozed_until;
        if running.is_some_and(|running| until.duration_since(running).abs() <= SAME_SNOOZE) {
            if let Some(record) = self.ledger.snooze(occurrence) {
                return Decision::Repeat(record.clone());
            }
        }
        let (occurrence, key) = (occurrence.clone(), answer.key.clone());
        Decision::Record(Fact::Snooze { occurrence, at: now, until, key })
    }

    fn nothing_due(&self, item: &ItemId, now: Timestamp) -> Decision {
        let next = self.plan.next_after(item, &self.ledger, now);
        Refusal::NothingDue { item: item.clone(), next: next.map(|next| next.occurrence.id) }.into()
    }

    pub(super) fn is_ahead(&self, when: When, now: Timestamp) -> bool {
        match when {
            When::Instant(at) => at.duration_since(now) > CLOCKS_DISAGREE,
            When::Date(date) => date > self.plan.zones.date_at(now),
        }
    }
}

/// Returns when a snooze ends that begins now: at the latest a day after the grace, whichever way it was asked for.
pub(super) fn snooze_end(planned: &Planned<'_>, now: Timestamp, length: SignedDuration) -> Timestamp {
    let longest = planned.regimen.item.grace + MAX_SNOOZE_PAST_GRACE;
    let latest = planned.occurrence.at.checked_add(longest).unwrap_or(Timestamp::MAX);
    now.checked_add(length).unwrap_or(Timestamp::MAX).min(latest)
}

/// Tells whether an answer to a slot says nothing else than the one that it has.
fn repeats(answer: &Answer, known: &Fact) -> bool {
    match (known, answer.verb) {
        (Fact::Intake { at, amount, form_data, note, .. }, Verb::Take | Verb::Log) => {
            is_given(answer.at.as_ref(), Some(at))
                && is_given(answer.amount.as_ref(), amount.as_ref())
                && is_given(answer.form_data.as_ref(), form_data.as_deref())
                && is_given(answer.note.as_ref(), note.as_ref())
        }
        (Fact::Skip { at, reason, note, .. }, Verb::Skip) => {
            is_given(answer.at.as_ref(), Some(at))
                && is_given(answer.reason.as_ref(), reason.as_ref())
                && is_given(answer.note.as_ref(), note.as_ref())
        }
        _ => false,
    }
}

/// Tells whether a fact is the one that an answer made, as far as the fact tells.
fn makes(answer: &Answer, known: &Fact) -> bool {
    let is_of_target = match &answer.target {
        AnswerTarget::Item(item) => known.item() == Some(item),
        AnswerTarget::Occurrence(occurrence) => known.occurrence() == Some(occurrence),
    };
    let has_the_rest = match known {
        Fact::Intake { amount, form_data, note, .. } => {
            answer.amount == *amount
                && answer.form_data.as_ref() == form_data.as_deref()
                && answer.note == *note
                && repeats(answer, known)
        }
        Fact::Skip { reason, note, .. } => {
            answer.reason == *reason && answer.note == *note && repeats(answer, known)
        }
        Fact::Snooze { .. } => matches!(answer.verb, Verb::Snooze | Verb::Postpone),
        _ => false,
    };
    is_of_target && has_the_rest
}

/// Tells whether two answers to one slot, one of which is being written, say the same but for the time.
pub(super) fn says_the_same(one: &Fact, other: &Fact) -> bool {
    match (one, other) {
        (
            Fact::Intake { amount, form_data, note, .. },
            Fact::Intake { amount: other_amount, form_data: other_data, note: other_note, .. },
        ) => amount == other_amount && form_data == other_data && note == other_note,
        (Fact::Skip { reason, note, .. }, Fact::Skip { reason: other_reason, note: other_note, .. }) => {
            reason == other_reason && note == other_note
        }
        _ => false,
    }
}
