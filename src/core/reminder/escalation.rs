//! Reaching the person beyond the desktop: in steps, while there is no answer.
//!
//! What went out by a channel cannot be taken back, so nothing is sent twice for one step: a step is
//! done when a fact says that its reminder went out or was given up. What comes back is not handled here: see `replies`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::evaluate::latest_credible;
use super::messages::{Action, Outgoing};
use super::notice::{AlertId, AlertLine};
use super::outbox::Dispatch;
use super::{Reminder, outbox};
use crate::core::ledger::{Channel, Fact};
use crate::core::schedule::{ChannelId, ItemId, OccurrenceId, Planned};

/// The lines that go out by one channel.
type Lines = BTreeMap<OccurrenceId, AlertLine>;

/// Returns when a due occurrence is to go out by each of its channels; `first` is when it was due.
pub(super) fn steps<'a>(planned: &Planned<'a>, first: Timestamp) -> BTreeMap<&'a ChannelId, Vec<Timestamp>> {
    let mut steps: BTreeMap<&ChannelId, Vec<Timestamp>> = BTreeMap::new();
    for step in &planned.regimen.item.then {
        let due = first.checked_add(step.after).unwrap_or(Timestamp::MAX);
        steps.entry(&step.channel).or_default().push(due);
    }
    steps
}

impl Reminder {
    /// Tells whether a step that was due at an instant is still to be done.
    pub(super) fn needs_sending(
        &self,
        id: &OccurrenceId,
        channel: &ChannelId,
        due: Timestamp,
        now: Timestamp,
    ) -> bool {
        let until = latest_credible(now);
        let recorded = self.ledger.tried_since_snooze(id, channel, until);
        let sent = self.outbox.last_sent(id, channel).filter(|at| *at <= until);
        let tried = recorded.max(sent);
        self.settings.channel(channel).is_some() && tried.is_none_or(|last| last < due)
    }

    /// Sends what is due, all of one channel together.
    pub(super) fn send(
        &mut self,
        due: Vec<(ChannelId, AlertLine)>,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        let mut by_channel: BTreeMap<ChannelId, Lines> = BTreeMap::new();
        for (channel, line) in due {
            let id = line.occurrence.id.clone();
            self.outbox.note_sent(id.clone(), channel.clone(), now);
            by_channel.entry(channel).or_default().insert(id, line);
        }
        for (channel, lines) in by_channel {
            // A later step takes the place of the one before it.
            self.drop_lines(now, actions, |sent, id| sent.channel == channel && lines.contains_key(id));
            let id = AlertId(self.ids.next());
            let nonce = self.nonce(&channel, &lines);
            self.outbox.insert(id, Dispatch { channel, lines, nonce, at: now, is_correction: false });
            actions.extend(self.dispatch(id, now).map(Action::Send));
        }
    }

    /// Returns what the answers of a new delivery are bound to: the instant that makes it go out, which no other one of its
    /// occurrences and its channel has. The same again where the process ends before it is recorded.
    fn nonce(&self, channel: &ChannelId, lines: &Lines) -> Option<String> {
        self.settings.channel(channel).filter(|channel| channel.transport.carries_replies())?;
        lines.values().map(|line| line.due.as_second()).max().map(|due| due.to_string())
    }

    fn dispatch(&self, id: AlertId, now: Timestamp) -> Option<Outgoing> {
        let Dispatch { channel, lines, nonce, .. } = self.outbox.get(id)?;
        let private = self.settings.channel(channel)?.private;
        let notice = self.message(id, lines.values(), private, now);
        Some(Outgoing { channel: channel.clone(), notice, nonce: nonce.clone() })
    }

    /// Takes lines off what is being sent; where none is left, it is not tried again.
    fn drop_lines(
        &mut self,
        now: Timestamp,
        actions: &mut Vec<Action>,
        goes: impl Fn(&Dispatch, &OccurrenceId) -> bool,
    ) {
        for change in self.outbox.remove_lines(goes) {
            match change {
                outbox::Change::Cancelled(id) => actions.push(Action::Cancel(id)),
                outbox::Change::Rewritten(id) => {
                    actions.extend(self.dispatch(id, now).map(Action::Rewrite));
                }
            }
        }
    }

    /// Drops what needs no answer any more, and what went out by channels that the schedule has no more.
    pub(super) fn tidy_dispatches(
        &mut self,
        checked: &BTreeSet<ItemId>,
        askable: &BTreeSet<OccurrenceId>,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        let known: BTreeSet<ChannelId> =
            self.settings.channels.iter().map(|channel| channel.id.clone()).collect();
        let plan = self.plan.clone();
        self.drop_lines(now, actions, |sent, id| {
            checked.contains(plan.current_id(&id.item))
                && !(known.contains(&sent.channel) && askable.contains(id))
        });
    }

    /// Records a delivery for each occurrence of what went out, and corrects it where some were answered meanwhile.
    pub(super) fn on_sent(
        &mut self,
        now: Timestamp,
        id: AlertId,
        occurrences: Vec<OccurrenceId>,
        actions: &mut Vec<Action>,
    ) {
        let Some(mut dispatch) = self.outbox.remove(id) else { return };
        let is_whole = occurrences.len() == dispatch.lines.len();
        for occurrence in occurrences {
            let (channel, nonce) = (Channel::Named(dispatch.channel.clone()), dispatch.nonce.clone());
            self.record(Fact::Delivered { occurrence, at: now, channel, away: false, nonce }, actions);
        }
        let replaces = self
            .settings
            .channel(&dispatch.channel)
            .is_some_and(|channel| channel.transport.replaces_messages());
        if !is_whole && !dispatch.lines.is_empty() && replaces {
            dispatch.is_correction = true;
            self.outbox.insert(id, dispatch);
            actions.extend(self.dispatch(id, now).map(Action::Send));
        }
    }

    /// Records what could not be sent; the desktop goes on.
    pub(super) fn on_not_sent(
        &mut self,
        now: Timestamp,
        id: AlertId,
        reason: &str,
        actions: &mut Vec<Action>,
    ) {
        // What only corrects another one is out already.
        let dispatch = self.outbox.remove(id).filter(|dispatch| !dispatch.is_correction);
        let Some(Dispatch { channel, lines, .. }) = dispatch else { return };
        for occurrence in lines.into_keys() {
            let (channel, reason) = (Some(channel.clone()), reason.to_owned());
            self.record(Fact::Undelivered { occurrence, at: now, channel, reason }, actions);
        }
    }
}
