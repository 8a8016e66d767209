//! Which channels are listened to for answers, and since when.
//!
//! Invariant: a channel is listened to exactly while one of the occurrences that went out by it can still be answered.
//! An answer counts that was given in time, whenever it is heard: so what closes without one is asked about once more.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::core::schedule::{ChannelId, OccurrenceId};

/// What went out by a channel and has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unanswered {
    /// Answers cannot be older than this.
    pub(super) since: Timestamp,
    /// Whether it can still be answered; else only an answer that is on its way counts.
    pub(super) is_open: bool,
}

/// What is to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Subscribe(ChannelId, Timestamp),
    Unsubscribe(ChannelId),
    Collect(ChannelId, Timestamp),
}

/// What went out and has no answer, by channel.
#[derive(Debug, Default)]
pub(super) struct Listening {
    unanswered: BTreeMap<ChannelId, BTreeMap<OccurrenceId, Unanswered>>,
    subscribed: BTreeSet<ChannelId>,
}

impl Listening {
    /// Takes over what was found out about the occurrences that `is_checked`, and returns what follows.
    ///
    /// What is found closed counts only if it was open before, or where everything is `new`: else it was asked about.
    pub(super) fn update(
        &mut self,
        is_checked: impl Fn(&OccurrenceId) -> bool,
        is_new: bool,
        found: impl IntoIterator<Item = (ChannelId, OccurrenceId, Unanswered)>,
    ) -> Vec<Change> {
        let checked = |id: &OccurrenceId, _: &mut Unanswered| is_checked(id);
        let before: BTreeSet<(ChannelId, OccurrenceId)> = self
            .unanswered
            .iter_mut()
            .flat_map(|(channel, ids)| {
                ids.extract_if(.., checked).map(|(id, _)| (channel.clone(), id)).collect::<Vec<_>>()
            })
            .collect();
        for (channel, id, unanswered) in found {
            let counts = unanswered.is_open || is_new || before.contains(&(channel.clone(), id.clone()));
            if counts {
                self.unanswered.entry(channel).or_default().insert(id, unanswered);
            }
        }
        let channels: BTreeSet<ChannelId> = self.unanswered.keys().chain(&self.subscribed).cloned().collect();
        channels.into_iter().flat_map(|channel| self.changes(channel)).collect()
    }

    /// Returns what follows for one channel.
    fn changes(&mut self, channel: ChannelId) -> Vec<Change> {
        let unanswered = self.unanswered.get(&channel);
        let is_open = unanswered.is_some_and(|ids| ids.values().any(|one| one.is_open));
        let since = unanswered.and_then(|ids| ids.values().map(|one| one.since).min());
        if is_open {
            let is_new = self.subscribed.insert(channel.clone());
            return since
                .filter(|_| is_new)
                .map(|since| Change::Subscribe(channel, since))
                .into_iter()
                .collect();
        }
        self.unanswered.remove(&channel);
        let unsubscribe = self.subscribed.remove(&channel).then(|| Change::Unsubscribe(channel.clone()));
        let collect = since.map(|since| Change::Collect(channel, since));
        unsubscribe.into_iter().chain(collect).collect()
    }

    /// Returns the occurrences that are waited for.
    pub(super) fn occurrences(&self) -> impl Iterator<Item = &OccurrenceId> {
        self.unanswered.values().flat_map(BTreeMap::keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_listened_to_while_something_is_open_and_asked_once_more_after_that() {
        let channel = |id: &str| id.parse::<ChannelId>().unwrap();
        let subscribe =
            |id: &str, since| Change::Subscribe(channel(id), Timestamp::from_second(since).unwrap());
        let collect = |id: &str, since| Change::Collect(channel(id), Timestamp::from_second(since).unwrap());
        let unsubscribe = |id: &str| Change::Unsubscribe(channel(id));
        let mut listening = Listening::default();
        // The item that is checked; what is found of it: the channel, its time of sending, whether it is open.
        type Found<'a> = &'a [(&'a str, i64, bool)];
        let steps: Vec<(&str, Found<'_>, Vec<Change>)> = vec![
            ("a", &[], vec![]),
            ("a", &[("phone", 10, true)], vec![subscribe("phone", 10)]),
            ("a", &[("phone", 10, true)], vec![]),
            ("b", &[("phone", 20, true), ("watch", 20, true)], vec![subscribe("watch", 20)]),
            // It closed, and another one is open: what comes is heard.
            ("a", &[("phone", 10, false)], vec![]),
            // Answered: the other one may have been as well.
            ("b", &[], vec![unsubscribe("phone"), collect("phone", 10), unsubscribe("watch")]),
            ("a", &[("phone", 10, false)], vec![]),
            // Taken back.
            ("a", &[("phone", 10, true)], vec![subscribe("phone", 10)]),
            ("a", &[("phone", 10, false)], vec![unsubscribe("phone"), collect("phone", 10)]),
        ];
        for (item, found, expected) in steps {
            let id: OccurrenceId = format!("{item}@2026-11-25T08:00").parse().unwrap();
            let found = found.iter().map(|(by, since, is_open)| {
                let since = Timestamp::from_second(*since).unwrap();
                (channel(by), id.clone(), Unanswered { since, is_open: *is_open })
            });
            let changes = listening.update(|checked| *checked == id, false, found);
            assert_eq!(changes, expected, "{item}");
        }
        // After a start, what closed meanwhile is asked about.
        let id: OccurrenceId = "a@2026-11-25T08:00".parse().unwrap();
        let closed = Unanswered { since: Timestamp::UNIX_EPOCH, is_open: false };
        let changes = listening.update(|_| true, true, [(channel("phone"), id, closed)]);
        assert_eq!(changes, [collect("phone", 0)]);
        assert_eq!(listening.occurrences().count(), 0);
    }
}
