//! Reaching the person beyond the desktop: in steps, while there is no answer.
//!
//! What went out by a channel cannot be taken back, so nothing is sent twice for one step: a step is
//! done when a fact says that its reminder went out or was given up.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::alert::{AlertId, Shown};
use super::notice::{Button, Notice, Wording};
use super::{Action, Reminder};
use crate::ledger::{Channel, Fact};
use crate::schedule::{ChannelId, ItemId, OccurrenceId, Planned};

/// A reminder on its way by a channel, or out there and not answered.
#[derive(Clone, Debug)]
pub(super) struct Sending {
    channel: ChannelId,
    lines: BTreeMap<OccurrenceId, Shown>,
    is_out: bool,
}

/// Returns when a due occurrence is to go out by each of its channels; `first` is when it was due.
pub(super) fn steps<'a>(planned: &Planned<'a>, first: Timestamp) -> BTreeMap<&'a ChannelId, Vec<Timestamp>> {
    let mut steps: BTreeMap<&ChannelId, Vec<Timestamp>> = BTreeMap::new();
    for step in &planned.regimen.item.extras().then {
        let due = first.checked_add(step.after).unwrap_or(Timestamp::MAX);
        steps.entry(&step.channel).or_default().push(due);
    }
    steps
}

impl Reminder {
    /// Tells whether a step that was due at an instant is still to be done.
    pub(super) fn wants_sent(&self, id: &OccurrenceId, channel: &ChannelId, due: Timestamp) -> bool {
        let recorded = self.ledger.tried_since_snooze(id, channel);
        let tried = recorded.max(self.sent.get(&(id.clone(), channel.clone())).copied());
        self.settings.channel(channel).is_some() && tried.is_none_or(|last| last < due)
    }

    /// Sends what is due, all of one channel together.
    pub(super) fn send(&mut self, due: Vec<(ChannelId, Shown)>, now: Timestamp, actions: &mut Vec<Action>) {
        let mut by_channel: BTreeMap<ChannelId, BTreeMap<OccurrenceId, Shown>> = BTreeMap::new();
        for (channel, line) in due {
            let id = line.occurrence.id.clone();
            self.sent.insert((id.clone(), channel.clone()), now);
            by_channel.entry(channel).or_default().insert(id, line);
        }
        for (channel, lines) in by_channel {
            // A later step takes the place of the one before it.
            self.let_go_of(now, actions, |sending, id| sending.channel == channel && lines.contains_key(id));
            let name = AlertId(self.next_id());
            self.sendings.insert(name, Sending { channel, lines, is_out: false });
            actions.extend(self.sending(name, now));
        }
    }

    fn sending(&self, name: AlertId, now: Timestamp) -> Option<Action> {
        let sending = self.sendings.get(&name)?;
        let private = self.settings.channel(&sending.channel)?.private;
        let wording = Wording { reminder: self, now, private, can_open: false };
        let notice = Notice::new(name, sending.lines.values(), &wording);
        Some(Action::Send(sending.channel.clone(), notice))
    }

    /// Takes lines off what was sent; where none is left, nobody waits for it any more.
    fn let_go_of(
        &mut self,
        now: Timestamp,
        actions: &mut Vec<Action>,
        goes: impl Fn(&Sending, &OccurrenceId) -> bool,
    ) {
        let mut changed = Vec::new();
        for (name, sending) in &mut self.sendings {
            let gone: Vec<_> = sending.lines.keys().filter(|id| goes(sending, id)).cloned().collect();
            for id in &gone {
                sending.lines.remove(id);
            }
            if !gone.is_empty() {
                changed.push((*name, sending.lines.is_empty(), sending.is_out));
            }
        }
        for (name, is_empty, is_out) in changed {
            if is_empty {
                self.sendings.remove(&name);
                actions.push(Action::Recall(name));
            } else if !is_out {
                actions.extend(self.sending(name, now));
            }
        }
    }

    /// Lets go of what needs no answer any more, and of channels that the schedule has no more.
    pub(super) fn tidy_sendings(
        &mut self,
        looked: &BTreeSet<ItemId>,
        askable: &BTreeSet<OccurrenceId>,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        let known: BTreeSet<ChannelId> =
            self.settings.channels.iter().map(|channel| channel.id.clone()).collect();
        self.let_go_of(now, actions, |sending, id| {
            looked.contains(&id.item) && !(known.contains(&sending.channel) && askable.contains(id))
        });
    }

    /// Returns the occurrences that what is sent asks about.
    pub(super) fn sent_lines(&self) -> impl Iterator<Item = &OccurrenceId> {
        self.sendings.values().flat_map(|sending| sending.lines.keys())
    }

    /// Waits again for answers to what an earlier run has sent.
    pub(super) fn take_over_sendings(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        let items: Vec<ItemId> = self
            .plan
            .current_items()
            .filter(|item| !item.extras().then.is_empty())
            .map(|item| item.id.clone())
            .collect();
        let mut by_channel: BTreeMap<ChannelId, (Timestamp, BTreeMap<OccurrenceId, Shown>)> = BTreeMap::new();
        for item in items {
            for planned in self.askable(&item, now) {
                let first =
                    self.ledger.snoozed_until(&planned.occurrence.id).unwrap_or(planned.occurrence.at);
                let steps = steps(&planned, first);
                for (channel, at) in self.ledger.sent_by(&planned.occurrence.id) {
                    let due =
                        steps.get(channel).and_then(|points| points.iter().filter(|due| **due <= now).max());
                    let line = Shown::new(&planned, due.copied().unwrap_or(first), false);
                    let (since, lines) = by_channel.entry(channel.clone()).or_insert((at, BTreeMap::new()));
                    *since = at.min(*since);
                    lines.insert(planned.occurrence.id.clone(), line);
                }
            }
        }
        for (channel, (since, lines)) in by_channel {
            if self.settings.channel(&channel).is_some() {
                let name = AlertId(self.next_id());
                self.sendings.insert(name, Sending { channel: channel.clone(), lines, is_out: true });
                actions.push(Action::Await(name, channel, since));
            }
        }
    }

    /// It went out: that is a delivery for each of its lines.
    pub(super) fn take_sent(&mut self, now: Timestamp, name: AlertId, actions: &mut Vec<Action>) {
        let Some(sending) = self.sendings.get_mut(&name).filter(|sending| !sending.is_out) else { return };
        sending.is_out = true;
        let channel = Channel::Named(sending.channel.clone());
        for occurrence in sending.lines.keys().cloned().collect::<Vec<_>>() {
            let fact = Fact::Delivered { occurrence, at: now, channel: channel.clone() };
            self.record(fact, Vec::new(), false, actions);
        }
    }

    /// It was given up: that is written down, and the desktop goes on.
    pub(super) fn take_not_sent(
        &mut self,
        now: Timestamp,
        name: AlertId,
        reason: &str,
        actions: &mut Vec<Action>,
    ) {
        let Some(sending) = self.sendings.remove(&name) else { return };
        for occurrence in sending.lines.into_keys() {
            let (channel, reason) = (Some(sending.channel.clone()), reason.to_owned());
            let fact = Fact::Undelivered { occurrence, at: now, channel, reason };
            self.record(fact, Vec::new(), false, actions);
        }
    }

    /// Returns what a channel waits for answers to: the occurrences, and the instant that made each go out.
    #[must_use]
    pub fn awaited(&self, channel: &ChannelId) -> Vec<(OccurrenceId, Timestamp)> {
        self.sendings
            .values()
            .filter(|sending| sending.channel == *channel)
            .flat_map(|sending| sending.lines.values())
            .map(|line| (line.occurrence.id.clone(), line.due))
            .collect()
    }

    /// Someone answered from afar.
    pub(super) fn take_replied(
        &mut self,
        now: Timestamp,
        occurrence: &OccurrenceId,
        button: Button,
        actions: &mut Vec<Action>,
    ) {
        let is_awaited = self.sendings.values().any(|sending| sending.lines.contains_key(occurrence));
        if is_awaited {
            self.press(now, occurrence, button, actions);
        }
    }
}
