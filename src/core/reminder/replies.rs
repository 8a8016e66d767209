//! Answers that come back by a channel, perhaps late, perhaps again.
//!
//! A server keeps what was published and repeats it to whoever asks, and anybody who saw an answer can publish it once
//! more. So each answer to a delivery counts once, and only if nobody said anything about the slot after it was given.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::listening::{Change, Unanswered};
use super::messages::{Action, DeliveryReply};
use super::{CLOCKS_DISAGREE, Reminder};
use crate::core::ledger::{State, status_of};
use crate::core::schedule::{ChannelId, ItemId, OccurrenceId};

/// How long before its delivery is known to a server an answer can be: a message may be out before the server says so.
const DELIVERY_DELAY: SignedDuration = SignedDuration::from_secs(60);

impl Reminder {
    /// Listens again to the answers to what an earlier run has sent, also where its grace is over.
    pub(super) fn adopt_deliveries(&mut self, now: Timestamp, actions: &mut Vec<Action>) {
        let all = self.plan.current_items().map(|item| item.id.clone()).collect();
        self.update_listening(&all, true, now, actions);
    }

    /// Listens where something of the checked items waits for an answer, and no longer where nothing does.
    pub(super) fn update_listening(
        &mut self,
        checked: &BTreeSet<ItemId>,
        is_new: bool,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        let plan = self.plan.clone();
        let known: BTreeSet<&ItemId> =
            self.listening.occurrences().map(|id| plan.current_id(&id.item)).collect();
        let is_sent = |item: &ItemId| {
            known.contains(item) || plan.current(item).is_some_and(|item| !item.then.is_empty())
        };
        let found: Vec<_> =
            checked.iter().filter(|item| is_sent(item)).flat_map(|item| self.unanswered(item, now)).collect();
        drop(known);
        let changes = self.listening.update(|id| checked.contains(plan.current_id(&id.item)), is_new, found);
        actions.extend(changes.into_iter().map(|change| match change {
            Change::Subscribe(channel, since) => Action::Subscribe(channel, since),
            Change::Unsubscribe(channel) => Action::Unsubscribe(channel),
            Change::Collect(channel, since) => Action::Collect(channel, since),
        }));
    }

    /// Returns what of an item went out by channels that can carry answers and has none.
    fn unanswered(&self, item: &ItemId, now: Timestamp) -> Vec<(ChannelId, OccurrenceId, Unanswered)> {
        let near = self.near(item, now);
        // What was waited for when the machine went to sleep, perhaps for days.
        let is_far = |id: &&OccurrenceId| {
            self.plan.current_id(&id.item) == item
                && !near.iter().any(|planned| planned.occurrence.id == **id)
        };
        let far: BTreeSet<&OccurrenceId> = self.listening.occurrences().filter(is_far).collect();
        let far: Vec<_> = far.into_iter().filter_map(|id| self.plan.find(id, &self.ledger)).collect();
        let mut found = Vec::new();
        for planned in near.into_iter().chain(far) {
            let id = &planned.occurrence.id;
            let status = status_of(&planned, &self.ledger, now);
            if status.answer.is_some() {
                continue;
            }
            let is_open = matches!(status.state, State::Due | State::Upcoming);
            for (channel, at) in self.ledger.sent_by(id) {
                let spec = self.settings.channel(channel);
                if spec.is_some_and(|spec| spec.transport.carries_replies()) {
                    let since = at.checked_sub(DELIVERY_DELAY).unwrap_or(at);
                    found.push((channel.clone(), id.clone(), Unanswered { since, is_open }));
                }
            }
        }
        found
    }

    /// Returns the deliveries by a channel that an answer may be to: the occurrence, and what its answers are bound to.
    #[must_use]
    pub fn unanswered_deliveries(&self, channel: &ChannelId) -> Vec<(OccurrenceId, String)> {
        let recorded = self.ledger.unanswered_deliveries(channel);
        let recorded = recorded.map(|delivery| (delivery.occurrence.clone(), delivery.nonce.to_owned()));
        let under_way = self.outbox.dispatches_by(channel).flat_map(|dispatch| {
            let nonce = dispatch.nonce.iter();
            nonce.flat_map(|nonce| dispatch.lines.keys().map(|id| (id.clone(), nonce.clone())))
        });
        recorded.chain(under_way).collect()
    }

    /// Handles an answer to a delivery: it counts as of when it was given, if that was in time.
    pub(super) fn on_replied(&mut self, now: Timestamp, reply: DeliveryReply, actions: &mut Vec<Action>) {
        let Some(at) = self.counts_at(now, &reply) else { return };
        let DeliveryReply { occurrence, button, key, .. } = reply;
        if let Some(fact) = self.press_fact(now, &occurrence, button, at, Some(key)) {
            self.record_from_button(fact, actions);
        }
    }

    /// Returns the instant as of which an answer counts, if it does.
    fn counts_at(&mut self, now: Timestamp, reply: &DeliveryReply) -> Option<Timestamp> {
        let is_used = self.ledger.by_key(&reply.key).is_some() || self.pending.by_key(&reply.key).is_some();
        let is_ahead = reply.at.duration_since(now) > CLOCKS_DISAGREE;
        if is_used || is_ahead {
            return None;
        }
        // Nobody can answer what they do not have yet: then the clocks disagree.
        let at = reply.at.max(self.delivered_at(reply)?).min(now);
        if self.ledger.last_word(&reply.occurrence).is_some_and(|last| last >= at) {
            return None;
        }
        let planned = self.plan.find(&reply.occurrence, &self.ledger)?;
        (at < status_of(&planned, &self.ledger, now).closes_at).then_some(at)
    }

    /// Returns when the delivery went out that an answer is to.
    fn delivered_at(&self, reply: &DeliveryReply) -> Option<Timestamp> {
        let mut recorded = self.ledger.unanswered_deliveries(&reply.channel);
        let is_it = |id: &OccurrenceId, nonce: &str| *id == reply.occurrence && *nonce == reply.nonce;
        let recorded = recorded.find(|delivery| is_it(delivery.occurrence, delivery.nonce));
        let mut under_way = self.outbox.dispatches_by(&reply.channel);
        let under_way = under_way.find(|dispatch| {
            let nonce = dispatch.nonce.as_deref();
            nonce.is_some_and(|nonce| {
                is_it(&reply.occurrence, nonce) && dispatch.lines.contains_key(&reply.occurrence)
            })
        });
        recorded.map(|delivery| delivery.at).or(under_way.map(|dispatch| dispatch.at))
    }
}
