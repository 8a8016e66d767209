//! Answers: what they are about, which are refused, and which revision of each counts.

use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp};

use super::life::{Deed, Form, Happened, Item, Kind, Op, OpId, Outcome, Rule, Slot, Verb, When};
use super::model::{Model, Occurrence, State};

impl Model {
    pub(super) fn answer(&mut self, op: &Op) -> Outcome {
        let Deed::Answer { verb, item, slot, at, amount, form, length, confirmed } = op.deed.clone() else {
            return Outcome::None;
        };
        let when = at.unwrap_or(When::Instant(self.now));
        if self.is_ahead(when) {
            return Outcome::Refused("in the future");
        }
        if !self.regimens.contains_key(&item) {
            return Outcome::Refused("unknown item");
        }
        if form.is_some_and(|form| !self.takes(item, form)) {
            return Outcome::Refused("another kind");
        }
        let meant = match slot {
            Some(slot) => match self.find(item, slot) {
                Some(found) => Some(found),
                None => return Outcome::Refused("unknown occurrence"),
            },
            None => self.meant(item, verb, when),
        };
        if verb == Verb::Snooze {
            return self.snooze(op.id, item, meant, length.unwrap_or(15));
        }
        if let Some(meant) = &meant {
            let days = if verb == Verb::Skip { 366 } else { 1 };
            if meant.at.duration_since(self.now) > SignedDuration::from_hours(24 * days) {
                return Outcome::Refused("too early");
            }
            if let Some(known) = self.answer_of(item, meant.slot) {
                return if self.says_the_same(known, verb, at, amount, form) {
                    Outcome::Repeated(known)
                } else {
                    Outcome::Refused("already answered")
                };
            }
        }
        let slot = meant.as_ref().map(|meant| meant.slot);
        if verb == Verb::Skip {
            let Some(slot) = slot else { return Outcome::Refused("nothing due") };
            self.write(op.id, Happened::Skip { item, slot, at: when, corrects: None });
            return Outcome::Recorded(Some(slot));
        }
        let names_item_only = matches!(op.deed, Deed::Answer { slot: None, verb: Verb::Take, .. });
        if let (When::Instant(at), false) = (when, confirmed) {
            if let Some(refusal) = self.has_to_ask(item, names_item_only, meant.as_ref(), at) {
                return Outcome::Refused(refusal);
            }
        }
        let planned = match &meant {
            Some(meant) => self.dose_of(item, meant),
            None => None,
        };
        self.write(op.id, Happened::Intake { item, slot, at: when, amount, planned, form, corrects: None });
        Outcome::Recorded(slot)
    }

    fn kind(&self, item: Item) -> Kind {
        self.regimens[&item].last().unwrap().spec.kind
    }

    fn takes(&self, item: Item, form: Form) -> bool {
        match form {
            Form::CheckIn(..) => self.kind(item) == Kind::CheckIn,
            Form::Scan(_) => self.kind(item) == Kind::Scan,
        }
    }

    /// The dose of the day for which a slot is planned.
    fn dose_of(&self, item: Item, occurrence: &Occurrence) -> Option<u32> {
        let (spec, day) = (self.spec_of(item, occurrence), self.date_of(item, occurrence));
        let step = spec.taper.iter().rev().find(|(from, _)| *from <= day);
        step.map(|(_, dose)| *dose).or(spec.dose)
    }

    /// Two clocks never agree: up to two minutes are not the future.
    pub(super) fn is_ahead(&self, when: When) -> bool {
        match when {
            When::Instant(at) => at.duration_since(self.now) > SignedDuration::from_mins(2),
            When::Date(date) => self.zones.at(self.now).to_datetime(self.now).date() < date,
        }
    }

    /// Which slot an answer means that names only the item.
    fn meant(&self, item: Item, verb: Verb, when: When) -> Option<Occurrence> {
        let days = SignedDuration::from_hours(24 * 3);
        match when {
            // What is logged of a supplement is beside the plan; a form, entered again, is another one.
            _ if verb == Verb::Log && self.kind(item) == Kind::Supplement => None,
            When::Date(date) => self
                .meant_on(item, date)
                .filter(|meant| verb != Verb::Log || self.answer_of(item, meant.slot).is_none()),
            When::Instant(at) => {
                let grace = self.regimens[&item].iter().map(|regimen| regimen.spec.grace_minutes).max();
                let back =
                    SignedDuration::from_mins(grace.unwrap_or_default()) + SignedDuration::from_hours(27);
                let near = self.occurrences(item, at - back, at + days);
                let come: Vec<_> = near.iter().filter(|occurrence| occurrence.at <= at).collect();
                let mut open = come.iter().filter(|open| self.state_at(item, open, at) == State::Due);
                if let Some(newest) = open.next_back() {
                    return Some((*newest).clone());
                }
                // What was entered late may name a turn that is open now.
                if let Some(turn) = near.iter().find(|turn| self.is_turn_of(item, turn, at)) {
                    return Some(turn.clone());
                }
                // Pressed twice is not taken twice: the second time finds what was answered, unless the next is nearer.
                let mut answered = come.iter().filter(|known| {
                    at < self.closes_at(item, known) && self.answer_of(item, known.slot).is_some()
                });
                let answered = answered.next_back().copied();
                let next = near.iter().find(|next| at < next.at).filter(|next| self.is_early(item, next, at));
                // Nothing lies ahead of an item that is no longer in the schedule.
                let next =
                    next.filter(|_| verb != Verb::Snooze && self.current(item).is_some()).filter(|next| {
                        answered.is_none_or(|known| next.at.duration_since(at) < at.duration_since(known.at))
                    });
                // A form that is logged again is another one.
                let nearest = next.or(answered).cloned();
                nearest.filter(|known| verb != Verb::Log || self.answer_of(item, known.slot).is_none())
            }
        }
    }

    /// What a day without a time means: of what has come, its first unanswered slot, else its last; where it has none, the
    /// newest that was open on it.
    fn meant_on(&self, item: Item, date: Date) -> Option<Occurrence> {
        let hours = SignedDuration::from_hours;
        let begins = self.zones.instant(date.to_datetime(Time::midnight()));
        let ends = self.zones.instant(date.tomorrow().unwrap().to_datetime(Time::midnight()));
        let longest = self.regimens[&item].iter().map(|regimen| regimen.spec.grace_minutes).max().unwrap();
        let from = begins - SignedDuration::from_mins(longest) - hours(49);
        let come = self.occurrences(item, from, (ends + hours(24)).min(self.now));
        let is_free = |occurrence: &&Occurrence| self.answer_of(item, occurrence.slot).is_none();
        let of_day: Vec<_> = come.iter().filter(|come| self.date_of(item, come) == date).collect();
        if let Some(last) = of_day.last() {
            return Some(of_day.iter().copied().find(is_free).unwrap_or(last).clone());
        }
        let was_open = |known: &&Occurrence| {
            known.at < ends
                && begins < self.closes_at(item, known)
                && self.state(item, known) != State::Excused
        };
        come.iter().rev().find(|known| is_free(known) && was_open(known)).cloned()
    }

    /// Whether an intake before a slot of a relative rule that is open now is the one of that slot.
    fn is_turn_of(&self, item: Item, turn: &Occurrence, at: Timestamp) -> bool {
        let half = match self.spec_of(item, turn).rule {
            Rule::Elapsed { minutes } => SignedDuration::from_mins(minutes) / 2,
            Rule::AfterLast { months, .. } => SignedDuration::from_hours(24 * 15 * i64::from(months)),
            _ => return false,
        };
        at < turn.at && turn.at.duration_since(at) < half && self.state(item, turn) == State::Due
    }

    /// Whether a slot may be answered that long ahead of its time.
    fn is_early(&self, item: Item, next: &Occurrence, at: Timestamp) -> bool {
        let spec = self.spec_of(item, next);
        let mut window = SignedDuration::from_mins(spec.grace_minutes).min(SignedDuration::from_hours(2));
        if let Rule::Elapsed { minutes } = spec.rule {
            window = window.min(SignedDuration::from_mins(minutes) / 2);
        }
        let is_dropped = self.dropped_at(item, next, self.closes_at(item, next)).is_some();
        next.at.duration_since(at) <= window && !is_dropped
    }

    /// Why an intake needs a word more: it may be one of several, or the one before.
    fn has_to_ask(
        &self,
        item: Item,
        names_item_only: bool,
        meant: Option<&Occurrence>,
        at: Timestamp,
    ) -> Option<&'static str> {
        let is_near = |length: SignedDuration| {
            self.intakes(item).any(
                |(when, _)| matches!(when, When::Instant(other) if at.duration_since(other).abs() < length),
            )
        };
        if names_item_only {
            if is_near(SignedDuration::from_mins(1)) {
                return Some("too soon");
            }
            let days = SignedDuration::from_hours(24 * 4);
            let near = self.occurrences(item, at - days, at);
            let open = near.iter().filter(|occurrence| self.state(item, occurrence) == State::Due);
            let open: Vec<Slot> = open.map(|occurrence| occurrence.slot).collect();
            if open.len() > 1 && meant.is_some_and(|meant| open.contains(&meant.slot)) {
                return Some("several open");
            }
        }
        let gap = self.regimens[&item].last().and_then(|regimen| regimen.spec.gap)?;
        is_near(SignedDuration::from_mins(gap)).then_some("too soon")
    }

    fn says_the_same(
        &self,
        known: OpId,
        verb: Verb,
        at: Option<When>,
        amount: Option<u32>,
        form: Option<Form>,
    ) -> bool {
        match &self.written(known).unwrap().what {
            Happened::Intake { at: other, amount: of, form: filled, .. } => {
                matches!(verb, Verb::Take | Verb::Log)
                    && at.is_none_or(|at| at == *other)
                    && amount.is_none_or(|amount| Some(amount) == *of)
                    && form.is_none_or(|form| Some(form) == *filled)
            }
            Happened::Skip { at: other, .. } => verb == Verb::Skip && at.is_none_or(|at| at == *other),
            _ => false,
        }
    }

    fn snooze(&mut self, op: OpId, item: Item, meant: Option<Occurrence>, length: i64) -> Outcome {
        let Some(meant) = meant else { return Outcome::Refused("nothing due") };
        if self.answer_of(item, meant.slot).is_some() {
            return Outcome::Refused("already answered");
        }
        if self.state(item, &meant) != State::Due {
            return Outcome::Refused("nothing due");
        }
        let grace = SignedDuration::from_mins(self.spec_of(item, &meant).grace_minutes);
        let latest = meant.at + grace + SignedDuration::from_hours(24);
        let until = (self.now + SignedDuration::from_mins(length)).min(latest);
        if let Some(running) = self.snoozed_until(item, meant.slot).filter(|running| self.now < *running) {
            if until.duration_since(running).abs() <= SignedDuration::from_mins(1) {
                let snoozes = self.about(item, meant.slot).filter(|entry| {
                    matches!(entry.what, Happened::Snooze { .. }) && !self.is_undone(entry.op)
                });
                return Outcome::Repeated(snoozes.last().unwrap().op);
            }
        }
        self.write(op, Happened::Snooze { item, slot: meant.slot, until });
        Outcome::Recorded(Some(meant.slot))
    }

    /// The first version of an answer.
    pub(super) fn root(&self, op: OpId) -> OpId {
        match self.written(op).map(|entry| &entry.what) {
            Some(Happened::Intake { corrects: Some(of), .. } | Happened::Skip { corrects: Some(of), .. }) => {
                self.root(*of)
            }
            _ => op,
        }
    }

    /// Whether an undoing of it holds.
    pub(super) fn is_undone(&self, op: OpId) -> bool {
        self.undone_by.get(&op).into_iter().flatten().any(|by| !self.is_undone(*by))
    }

    /// The revision of an answer that counts: the newest that was not undone; undoing the first takes all of it back.
    pub(super) fn effective(&self, root: OpId) -> Option<OpId> {
        if self.is_undone(root) {
            return None;
        }
        let later = self.revisions.get(&root).into_iter().flatten();
        let later = self.in_order(later.map(|op| self.by_op[op]));
        let newest_first = later.into_iter().rev().map(|place| self.log[place].op);
        newest_first.chain([root]).find(|op| !self.is_undone(*op))
    }

    /// What the revision of an answer says that counts.
    pub(super) fn said(&self, op: OpId) -> Option<(Option<u32>, Option<Form>)> {
        match self.written(self.effective(self.root(op))?)?.what {
            Happened::Intake { amount, form, .. } => Some((amount, form)),
            _ => None,
        }
    }

    pub(super) fn is_effective(&self, op: OpId) -> bool {
        self.effective(self.root(op)) == Some(op)
    }

    /// The answer that resolves a slot: the one that was given first.
    pub(super) fn answer_of(&self, item: Item, slot: Slot) -> Option<OpId> {
        let about = self.about.get(&(item, slot)).into_iter().flatten().copied();
        let roots = about.filter(|place| {
            let entry = &self.log[*place];
            matches!(
                entry.what,
                Happened::Intake { corrects: None, .. } | Happened::Skip { corrects: None, .. }
            ) && self.effective(entry.op).is_some()
        });
        self.effective(self.log[*self.in_order(roots).first()?].op)
    }

    /// The effective intakes of an item: when, and by which operation.
    pub(super) fn intakes(&self, item: Item) -> impl Iterator<Item = (When, OpId)> {
        self.intakes.iter().filter_map(move |place| {
            let entry = &self.log[*place];
            match entry.what {
                Happened::Intake { item: of, at, .. } if of == item && self.is_effective(entry.op) => {
                    Some((at, entry.op))
                }
                _ => None,
            }
        })
    }
}
