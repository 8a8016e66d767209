//! Decides what happens: takes what was noticed, returns what to do. It never acts itself.
//!
//! Pure. `now` is always an argument; calling [`Reminder::handle`] too often does nothing. Nothing
//! enters the ledger before it is durable, so whatever the ledger shows has been written down.
//!
//! [`Reminder`] holds what it decides from; what has a state and an invariant of its own is a part with a file of its own
//! (`deadlines`, `screen`, `outbox`, `listening`, `pending`, `definitions`, `stock_counts`). The other files are its handlers, by what
//! they answer.

mod alerts;
mod amend;
mod answer;
mod commands;
mod deadlines;
mod definitions;
mod escalation;
mod evaluate;
mod listening;
mod matching;
mod messages;
mod notice;
mod outbox;
mod pending;
mod plan_changes;
mod recording;
mod refusal;
mod replies;
mod retry;
mod screen;
mod stock_counts;
mod warnings;
mod wording;

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

pub use amend::Correction;
pub use answer::{Answer, AnswerTarget, CLOCKS_DISAGREE, FAR_AHEAD, Verb};
pub use commands::Pause;
pub use messages::{Action, DeliveryReply, Input, Outcome, Outgoing, RequestId, Token};
pub use notice::{AlertId, Button, DesktopTraits, Notice};
pub use refusal::Refusal;

use crate::core::ledger::{Ledger, Record, StockLeft};
use crate::core::schedule::{ItemId, OccurrenceId, Plan, Settings};
use deadlines::Deadlines;
use definitions::Definitions;
use listening::Listening;
use outbox::Outbox;
use pending::PendingFacts;
use screen::Screen;
use stock_counts::StockCounts;

/// Facts older than this, and of nothing open, are left to the database.
const MEMORY: SignedDuration = SignedDuration::from_hours(72);

/// Numbers for what has to be named, each once.
#[derive(Debug, Default)]
struct IdSequence(u64);

impl IdSequence {
    fn next(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}

/// Whether the person can be reached at this machine.
#[derive(Clone, Copy, Debug, Default)]
struct Presence {
    /// They cannot be reached on the desktop; see [`Input::Away`].
    away: bool,
    /// A terminal can be opened for them to answer in.
    can_open: bool,
    desktop: DesktopTraits,
}

/// The state of all reminders.
#[derive(Debug)]
pub struct Reminder {
    plan: Arc<Plan>,
    ledger: Ledger,
    settings: Settings,
    presence: Presence,
    definitions: Definitions,
    deadlines: Deadlines,
    screen: Screen,
    outbox: Outbox,
    listening: Listening,
    pending: PendingFacts,
    stock: StockCounts,
    ids: IdSequence,
    forget_at: Timestamp,
}

impl Reminder {
    /// Returns the reminders for a plan and what is known of the recent past.
    #[must_use]
    pub fn new(plan: Plan, mut ledger: Ledger, now: Timestamp) -> Self {
        let definitions = Definitions::from_regimens(ledger.drain_regimens());
        let mut reminder = Self {
            plan: Arc::new(plan),
            ledger,
            settings: Settings::default(),
            presence: Presence::default(),
            definitions,
            deadlines: Deadlines::default(),
            screen: Screen::default(),
            outbox: Outbox::default(),
            listening: Listening::default(),
            pending: PendingFacts::default(),
            stock: StockCounts::default(),
            ids: IdSequence::default(),
            forget_at: now,
        };
        reminder.schedule_all_checks(now);
        reminder
    }

    /// Returns the plan.
    #[must_use]
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Returns what is on the screen, or on its way there.
    #[must_use]
    pub fn alerts(&self) -> Vec<AlertId> {
        self.screen.alerts()
    }

    /// Tells whether reminders on the desktop ask for a sound.
    #[must_use]
    pub fn asks_for_sound(&self) -> bool {
        self.settings.sound
    }

    /// Returns what the desktop does with reminders, as far as it is known.
    #[must_use]
    pub fn desktop(&self) -> DesktopTraits {
        self.presence.desktop
    }

    /// Returns what is known of the recent past.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Returns the earliest instant at which something is to be evaluated.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.deadlines.next().into_iter().chain(self.screen.retry_at()).min()
    }

    /// Returns the instant of the next try to show what could not be shown.
    #[must_use]
    pub fn retry_at(&self) -> Option<Timestamp> {
        self.screen.retry_at()
    }

    /// Returns the items whose deadline has changed since the last call, with the new one.
    pub fn drain_changed_deadlines(&mut self) -> Vec<(ItemId, Option<Timestamp>)> {
        self.deadlines.drain_changed()
    }

    /// Returns an instant from which on memory has every fact about a slot and every intake.
    ///
    /// What was recorded within the last three days is there, and nothing is taken earlier than a day ahead; what is skipped further ahead is always there.
    #[must_use]
    pub fn complete_since(now: Timestamp) -> Timestamp {
        now.checked_sub(MEMORY - answer::EARLY_NAMED).unwrap_or(Timestamp::MAX)
    }

    /// Adds recorded facts that memory may not have; by itself it does nothing.
    pub fn add_facts(&mut self, records: Vec<Arc<Record>>) {
        self.ledger.extend(records);
    }

    /// Sets how much of an item is left; `None` is not counted any more.
    pub fn set_stock(&mut self, item: ItemId, left: Option<StockLeft>) {
        self.stock.set(item, left);
    }

    /// Handles what was noticed and returns what to do, in order.
    pub fn handle(&mut self, now: Timestamp, input: Input) -> Vec<Action> {
        let mut actions = Vec::new();
        let adopted = self.on_input(now, input, &mut actions);
        self.evaluate(now, &mut actions);
        self.refresh_adopted(adopted, now, &mut actions);
        if now >= self.forget_at {
            self.forget(now);
        }
        actions
    }

    /// Handles one input; returns the alerts that were adopted from an earlier run.
    fn on_input(&mut self, now: Timestamp, input: Input, actions: &mut Vec<Action>) -> Vec<AlertId> {
        match input {
            Input::Tick => {}
            Input::ClockChanged => self.on_clock_change(now, actions),
            Input::Started { zone_name, zone, schedule, away, can_open } => {
                self.presence = Presence { away, can_open, ..self.presence };
                self.on_zone(now, zone_name, zone, actions);
                self.on_clock_change(now, actions);
                if let Some(schedule) = schedule {
                    self.on_schedule(now, schedule, actions);
                }
                let adopted = self.adopt_alerts(now, actions);
                self.adopt_deliveries(now, actions);
                return adopted;
            }
            Input::Schedule(schedule) => self.on_schedule(now, schedule, actions),
            Input::Zone(name, zone) => self.on_zone(now, name, zone, actions),
            Input::Answer { request, answer } => self.on_answer(now, request, &answer, actions),
            Input::Retract { request, fact, reason, key } => {
                self.on_retraction(now, request, fact, reason, key, actions);
            }
            Input::Correct { request, correction } => self.on_correction(now, request, &correction, actions),
            Input::Pause { request, pause } => self.on_pause(now, request, pause, actions),
            Input::Resume { request, item } => self.on_resume(now, request, item, actions),
            Input::Stock { request, item, change, key } => {
                self.on_stock(now, request, item, change, key, actions);
            }
            Input::Recorded(token, record) => self.on_recorded(now, token, record, actions),
            Input::NotRecorded(token, reason) => self.on_not_recorded(now, token, &reason, actions),
            Input::Shown(alert, handle) => self.on_shown(now, alert, handle, actions),
            Input::NotShown(alert, reason) => self.on_not_shown(now, alert, &reason, actions),
            Input::Closed(alert, reason) => self.on_closed(now, alert, reason, actions),
            Input::Pressed(alert, button) => self.on_pressed(now, alert, button, actions),
            Input::Sent(id, occurrences) => self.on_sent(now, id, occurrences, actions),
            Input::NotSent(id, reason) => self.on_not_sent(now, id, &reason, actions),
            Input::Unsent(id) => {
                self.outbox.remove(id);
            }
            Input::Replied(reply) => self.on_replied(now, reply, actions),
            Input::ServerAppeared => self.on_server_appeared(now, actions),
            Input::ServerVanished => self.screen.on_server_vanished(now),
            Input::Desktop(traits) => self.on_desktop(now, traits),
            Input::Away(away) => self.on_away(now, away),
        }
        Vec::new()
    }

    fn on_desktop(&mut self, now: Timestamp, traits: DesktopTraits) {
        if traits != self.presence.desktop {
            self.presence.desktop = traits;
            self.schedule_all_checks(now);
        }
    }

    fn on_away(&mut self, now: Timestamp, away: bool) {
        if away != self.presence.away {
            self.presence.away = away;
            self.schedule_all_checks(now);
        }
    }

    /// Forgets what can matter to nothing that is open; the database has it.
    fn forget(&mut self, now: Timestamp) {
        let keep_from = self.oldest_open(now).min(now.checked_sub(MEMORY).unwrap_or(Timestamp::MIN));
        // What can be the turn of a slot to come.
        let plan = self.plan.clone();
        self.ledger.forget_before(keep_from, |id| {
            let half = plan.half_step(&id.item).and_then(|half| now.checked_sub(half).ok());
            // Or was skipped or postponed ahead of its time.
            half.is_some_and(|from| !is_before(id, from)) || !is_before(id, keep_from)
        });
        self.screen.forget_before(keep_from);
        self.outbox.forget_before(keep_from, |occurrence| self.screen.was_shown(occurrence));
        self.forget_at = now.checked_add(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MAX);
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
