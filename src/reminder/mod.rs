//! Decides what happens: takes what was noticed, returns what to do. It never acts itself.
//!
//! Pure. `now` is always an argument; calling [`Reminder::handle`] too often does nothing. Nothing
//! enters the ledger before it is durable, so whatever the ledger shows has been written down.

mod alert;
mod amend;
mod answer;
mod look;
mod notice;
mod reach;
mod refusal;
mod remark;
mod upkeep;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

pub use alert::AlertId;
pub use amend::Correction;
pub use answer::{Answer, Outcome, Target, Verb};
pub use notice::{Button, Notice};
pub use refusal::Refusal;
pub use words::{Action, Input, RequestId, Token};

use crate::ledger::{Fact, Ledger, Record};
use crate::schedule::{ChannelId, ItemId, OccurrenceId, Plan, Schedule, Settings};

/// Facts older than this, and of nothing open, are left to the database.
const MEMORY: SignedDuration = SignedDuration::from_hours(72);

/// How long to wait before a reminder that could not be shown is tried again: first, and at most.
const RETRY_FIRST: SignedDuration = SignedDuration::from_secs(5);
const RETRY_LAST: SignedDuration = SignedDuration::from_mins(5);

/// A fact on its way to the journal, and who waits for it.
#[derive(Clone, Debug)]
struct Pending {
    fact: Fact,
    waiting: Vec<RequestId>,
    /// Whether it was said with a button, so that a failure has to be shown.
    from_button: bool,
}

/// Returns a number that another text of this process has as good as never.
fn digest(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// The state of all reminders.
#[derive(Debug)]
pub struct Reminder {
    plan: Arc<Plan>,
    ledger: Ledger,
    /// What each item was last defined as, by [`digest`]: the texts would be kept for nothing else.
    definitions: BTreeMap<ItemId, u64>,
    alerts: BTreeMap<AlertId, alert::Alert>,
    sendings: BTreeMap<AlertId, reach::Sending>,
    /// When each occurrence last went out by a channel, recorded or not.
    sent: BTreeMap<(OccurrenceId, ChannelId), Timestamp>,
    /// When each occurrence was last put on the screen, recorded or not.
    shown: BTreeMap<OccurrenceId, Timestamp>,
    announced: BTreeSet<OccurrenceId>,
    /// Occurrences that could not be shown and wait for the next try.
    held: BTreeSet<OccurrenceId>,
    /// Occurrences that have left the screen without the person's doing: an answer from a button that could
    /// not be written down, a change that the server refused.
    ask_again: BTreeSet<OccurrenceId>,
    /// Occurrences that were taken too soon after the last one, and are asked about once more.
    confirming: BTreeSet<OccurrenceId>,
    /// How many doses are left, of items whose stock is counted.
    stock: BTreeMap<ItemId, u32>,
    pending: BTreeMap<Token, Pending>,
    last_id: u64,
    deadlines: BTreeMap<ItemId, Timestamp>,
    queue: BTreeSet<(Timestamp, ItemId)>,
    changed: BTreeSet<ItemId>,
    retry_at: Option<Timestamp>,
    retry_after: SignedDuration,
    forget_at: Timestamp,
    settings: Settings,
    away: bool,
    can_open: bool,
}

impl Reminder {
    /// Returns the reminders for a plan and what is known of the recent past.
    #[must_use]
    pub fn new(plan: Plan, mut ledger: Ledger, now: Timestamp) -> Self {
        let mut definitions = BTreeMap::new();
        for record in ledger.take_regimens() {
            if let Fact::Regimen { item, definition, .. } = record.fact {
                match definition {
                    Some(definition) => definitions.insert(item, digest(&definition)),
                    None => definitions.remove(&item),
                };
            }
        }
        let mut reminder = Self {
            plan: Arc::new(plan),
            ledger,
            definitions,
            alerts: BTreeMap::new(),
            sendings: BTreeMap::new(),
            sent: BTreeMap::new(),
            shown: BTreeMap::new(),
            announced: BTreeSet::new(),
            held: BTreeSet::new(),
            ask_again: BTreeSet::new(),
            confirming: BTreeSet::new(),
            stock: BTreeMap::new(),
            pending: BTreeMap::new(),
            last_id: 0,
            deadlines: BTreeMap::new(),
            queue: BTreeSet::new(),
            changed: BTreeSet::new(),
            retry_at: None,
            retry_after: RETRY_FIRST,
            forget_at: now,
            settings: Settings::default(),
            away: false,
            can_open: false,
        };
        reminder.expect_all(now);
        reminder
    }

    /// Returns the plan.
    #[must_use]
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Returns what is known of the recent past.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Returns the earliest instant at which something is to be looked at.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let first = self.queue.first().map(|(at, _)| *at);
        first.into_iter().chain(self.retry_at).min()
    }

    /// Returns the instant of the next try to show what could not be shown.
    #[must_use]
    pub fn retry_at(&self) -> Option<Timestamp> {
        self.retry_at
    }

    /// Returns the items whose deadline has changed since the last call, with the new one.
    pub fn take_changed_deadlines(&mut self) -> Vec<(ItemId, Option<Timestamp>)> {
        std::mem::take(&mut self.changed)
            .into_iter()
            .map(|item| {
                let deadline = self.deadlines.get(&item).copied();
                (item, deadline)
            })
            .collect()
    }

    /// Takes in what was noticed and returns what to do, in order.
    pub fn handle(&mut self, now: Timestamp, input: Input) -> Vec<Action> {
        let mut actions = Vec::new();
        let mut taken_over = Vec::new();
        match input {
            Input::Tick => {}
            Input::ClockChanged => self.expect_all(now),
            Input::Started { zone_name, zone, schedule, away, can_open } => {
                (self.away, self.can_open) = (away, can_open);
                self.take_zone(now, zone_name, zone, &mut actions);
                self.take_schedule(now, schedule, &mut actions);
                taken_over = self.take_over(now, &mut actions);
                self.take_over_sendings(now, &mut actions);
            }
            Input::Schedule(schedule) => self.take_schedule(now, schedule, &mut actions),
            Input::Zone(name, zone) => self.take_zone(now, name, zone, &mut actions),
            Input::Answer { request, answer, context } => {
                self.know(context);
                self.take_answer(now, request, &answer, &mut actions);
            }
            Input::Retract { request, fact, reason, key, context } => {
                self.know(context);
                self.take_retraction(now, request, fact, reason, key, &mut actions);
            }
            Input::Correct { request, correction, context } => {
                self.know(context);
                self.take_correction(now, request, &correction, &mut actions);
            }
            Input::Pause { request, item, until, reason } => {
                self.take_pause(now, request, item, until, reason, &mut actions);
            }
            Input::Resume { request, item } => self.take_resume(now, request, item, &mut actions),
            Input::Stock { request, item, change, key, context } => {
                self.know(context);
                self.take_stock(now, request, item, change, key, &mut actions);
            }
            Input::Recorded(token, record) => self.take_record(now, token, record, &mut actions),
            Input::NotRecorded(token, reason) => self.take_failure(now, token, &reason, &mut actions),
            Input::Shown(alert, place) => self.take_shown(now, alert, place, &mut actions),
            Input::NotShown(alert, reason) => self.take_not_shown(now, alert, &reason, &mut actions),
            Input::Closed(alert, reason) => self.take_closed(now, alert, reason, &mut actions),
            Input::Pressed(alert, button) => self.take_pressed(now, alert, button, &mut actions),
            Input::Sent(name) => self.take_sent(now, name, &mut actions),
            Input::NotSent(name, reason) => self.take_not_sent(now, name, &reason, &mut actions),
            Input::Replied(occurrence, button) => {
                self.take_replied(now, &occurrence, button, &mut actions);
            }
            Input::ServerAppeared => self.take_server(now, &mut actions),
            Input::Away(away) if away != self.away => {
                self.away = away;
                self.expect_all(now);
            }
            Input::Away(_) => {}
        }
        self.look(now, &mut actions);
        self.replace(taken_over, now, &mut actions);
        if now >= self.forget_at {
            self.forget(now);
        }
        actions
    }

    /// Lets go of what can matter to nothing that is open; the database has it.
    fn forget(&mut self, now: Timestamp) {
        let keep_from = self.oldest_open(now).min(now.checked_sub(MEMORY).unwrap_or(Timestamp::MIN));
        self.ledger.forget_before(keep_from);
        let open: BTreeSet<&OccurrenceId> =
            self.alerts.values().flat_map(|alert| alert.lines.keys()).collect();
        self.shown.retain(|id, at| *at >= keep_from || open.contains(id));
        let shown = &self.shown;
        let recent = |id: &OccurrenceId| shown.contains_key(id) || !is_before(id, keep_from);
        self.announced.retain(recent);
        self.held.retain(recent);
        self.ask_again.retain(recent);
        self.confirming.retain(recent);
        self.sent.retain(|(id, _), at| *at >= keep_from || recent(id));
        self.forget_at = now.checked_add(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MAX);
    }

    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    /// Returns an instant from which on memory has every fact about a slot and every intake.
    ///
    /// What was recorded within the last three days is there, and nothing is answered earlier than a day ahead.
    #[must_use]
    pub fn remembers_from(now: Timestamp) -> Timestamp {
        now.checked_sub(MEMORY - answer::EARLY_NAMED).unwrap_or(Timestamp::MAX)
    }

    /// Returns how many facts are to be recorded and are not yet.
    #[must_use]
    pub fn unrecorded(&self) -> usize {
        self.pending.len()
    }

    /// Takes in recorded facts that memory may not have; by itself it does nothing.
    pub fn know(&mut self, records: Vec<Arc<Record>>) {
        self.ledger.extend(records);
    }

    fn record(&mut self, fact: Fact, waiting: Vec<RequestId>, from_button: bool, actions: &mut Vec<Action>) {
        let token = Token(self.next_id());
        self.pending.insert(token, Pending { fact: fact.clone(), waiting, from_button });
        actions.push(Action::Record(token, fact));
    }

    /// Opens and closes regimens where the schedule differs from what was last recorded.
    fn take_schedule(&mut self, now: Timestamp, schedule: Schedule, actions: &mut Vec<Action>) {
        let Schedule { items, settings } = schedule;
        if settings != self.settings {
            self.settings = settings;
            self.expect_all(now);
        }
        let kept: BTreeSet<ItemId> = items.iter().map(|(item, _)| item.id.clone()).collect();
        let gone: Vec<ItemId> = self.definitions.keys().filter(|id| !kept.contains(id)).cloned().collect();
        for item in gone {
            self.definitions.remove(&item);
            Arc::make_mut(&mut self.plan).close(&item, now);
            self.expect(&item, now);
            self.record(Fact::Regimen { item, at: now, definition: None }, Vec::new(), false, actions);
        }
        for (item, definition) in items {
            let digest = digest(&definition);
            if self.definitions.get(&item.id) == Some(&digest) {
                continue;
            }
            let id = item.id.clone();
            Arc::make_mut(&mut self.plan).open(item, now);
            self.definitions.insert(id.clone(), digest);
            self.expect(&id, now);
            let fact = Fact::Regimen { item: id, at: now, definition: Some(definition) };
            self.record(fact, Vec::new(), false, actions);
        }
    }

    fn take_zone(&mut self, now: Timestamp, name: String, zone: TimeZone, actions: &mut Vec<Action>) {
        if self.ledger.zones().last().is_some_and(|(_, last)| *last == zone) {
            return;
        }
        let mut zones = self.ledger.zone_history(&zone);
        zones.change(now, zone);
        Arc::make_mut(&mut self.plan).zones = zones;
        self.record(Fact::Zone { at: now, zone: name }, Vec::new(), false, actions);
        self.expect_all(now);
    }

    fn take_record(&mut self, now: Timestamp, token: Token, record: Arc<Record>, actions: &mut Vec<Action>) {
        let pending = self.pending.remove(&token);
        // Who asked first made the fact; the others said the same again.
        let first = pending.as_ref().filter(|pending| !pending.from_button);
        let first = first.and_then(|pending| pending.waiting.first().copied());
        let waiting = pending.map(|pending| pending.waiting).unwrap_or_default();
        let everything = record.fact.shapes_plan() && record.fact.item().is_none();
        let item = record.fact.item().cloned();
        // The plan has a regimen already.
        if !matches!(record.fact, Fact::Regimen { .. }) {
            self.ledger.fold(record.clone());
        }
        if let Fact::Snooze { occurrence, .. } = &record.fact {
            // The end of the snooze is something new to show, whatever the clock says then.
            self.shown.remove(occurrence);
        }
        match item {
            Some(item) => self.expect(&item, now),
            None if everything => self.expect_all(now),
            None => {}
        }
        for request in waiting {
            let outcome = if Some(request) == first { Outcome::Recorded } else { Outcome::Repeated };
            actions.push(Action::Reply(request, outcome(record.clone())));
        }
    }

    fn take_failure(&mut self, now: Timestamp, token: Token, reason: &str, actions: &mut Vec<Action>) {
        let Some(pending) = self.pending.remove(&token) else { return };
        for request in &pending.waiting {
            let refusal = Refusal::NotRecorded { reason: reason.to_owned() };
            actions.push(Action::Reply(*request, Outcome::Refused(refusal)));
        }
        if let Fact::Regimen { item, .. } = &pending.fact {
            // Known anew at the next reading of the schedule, and then written down.
            self.definitions.remove(item);
        }
        if let Some(occurrence) = pending.fact.occurrence().filter(|_| pending.from_button) {
            // The person believes it is recorded: ask again.
            self.ask_again.insert(occurrence.clone());
            self.hold_back(now);
        }
    }

    /// Tries to show again after a while; each failure in a row doubles the wait.
    fn hold_back(&mut self, now: Timestamp) {
        if self.retry_at.is_none() {
            self.retry_at = Some(now.checked_add(self.retry_after).unwrap_or(Timestamp::MAX));
            self.retry_after = (self.retry_after * 2).min(RETRY_LAST);
        }
    }
}

/// Tells whether a slot's written time lies before an instant in every zone.
fn is_before(id: &OccurrenceId, instant: Timestamp) -> bool {
    let written = TimeZone::UTC.to_timestamp(id.slot.written());
    let latest = written.and_then(|written| written.checked_add(SignedDuration::from_hours(48)));
    latest.is_ok_and(|latest| latest < instant)
}

#[cfg(test)]
mod tests;
