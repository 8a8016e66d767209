//! What is on its way out by channels beyond the desktop.
//!
//! Invariant: a dispatch stays until its channel tells what came of it, also when nobody needs it any more: then it has no
//! lines. What was sent cannot be taken back, so when each occurrence last went out is kept as well.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::is_before;
use super::notice::{AlertId, AlertLine};
use crate::core::schedule::{ChannelId, OccurrenceId};

/// One reminder on its way by a channel.
#[derive(Clone, Debug)]
pub(super) struct Dispatch {
    pub(super) channel: ChannelId,
    /// What it is to ask about; a version of it that asks about more may be out already.
    pub(super) lines: BTreeMap<OccurrenceId, AlertLine>,
    /// What its answers are bound to, where its channel can carry answers.
    pub(super) nonce: Option<String>,
    /// When it was sent off.
    pub(super) at: Timestamp,
    /// Whether it only corrects what went out before.
    pub(super) is_correction: bool,
}

/// What a change of its lines means for a dispatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It now has fewer lines.
    Rewritten(AlertId),
    /// No line of it is left: it is not to be tried again.
    Cancelled(AlertId),
}

/// Everything that is being sent.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    dispatches: BTreeMap<AlertId, Dispatch>,
    /// When each occurrence last went out by a channel, recorded or not.
    sent: BTreeMap<(OccurrenceId, ChannelId), Timestamp>,
}

impl Outbox {
    pub(super) fn insert(&mut self, id: AlertId, dispatch: Dispatch) {
        self.dispatches.insert(id, dispatch);
    }

    pub(super) fn get(&self, id: AlertId) -> Option<&Dispatch> {
        self.dispatches.get(&id)
    }

    /// Removes what came to an end, and returns it.
    pub(super) fn remove(&mut self, id: AlertId) -> Option<Dispatch> {
        self.dispatches.remove(&id)
    }

    /// Notes when an occurrence goes out by a channel.
    pub(super) fn note_sent(&mut self, occurrence: OccurrenceId, channel: ChannelId, now: Timestamp) {
        self.sent.insert((occurrence, channel), now);
    }

    /// Returns when an occurrence last went out by a channel since this process started.
    pub(super) fn last_sent(&self, occurrence: &OccurrenceId, channel: &ChannelId) -> Option<Timestamp> {
        self.sent.get(&(occurrence.clone(), channel.clone())).copied()
    }

    /// Takes lines off what is being sent.
    pub(super) fn remove_lines(&mut self, goes: impl Fn(&Dispatch, &OccurrenceId) -> bool) -> Vec<Change> {
        let mut changes = Vec::new();
        for (id, dispatch) in &mut self.dispatches {
            let gone: Vec<_> = dispatch.lines.keys().filter(|line| goes(dispatch, line)).cloned().collect();
            if !gone.is_empty() {
                dispatch.lines.retain(|line, _| !gone.contains(line));
                let change = if dispatch.lines.is_empty() { Change::Cancelled } else { Change::Rewritten };
                changes.push(change(*id));
            }
        }
        changes
    }

    /// Returns the occurrences that everything on its way asks about.
    pub(super) fn occurrences(&self) -> impl Iterator<Item = &OccurrenceId> {
        self.dispatches.values().flat_map(|dispatch| dispatch.lines.keys())
    }

    /// Returns what is on its way by a channel.
    pub(super) fn dispatches_by(&self, channel: &ChannelId) -> impl Iterator<Item = &Dispatch> {
        self.dispatches.values().filter(move |dispatch| dispatch.channel == *channel)
    }

    /// Forgets when old occurrences went out, except for those that are `kept`.
    pub(super) fn forget_before(&mut self, instant: Timestamp, is_kept: impl Fn(&OccurrenceId) -> bool) {
        self.sent.retain(|(occurrence, _), at| {
            *at >= instant || is_kept(occurrence) || !is_before(occurrence, instant)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::reminder::tests::line;

    const A: &str = "a@2026-11-25T08:00";
    const B: &str = "b@2026-11-25T08:30";

    fn channel(id: &str) -> ChannelId {
        id.parse().unwrap()
    }

    fn dispatch(channel_id: &str, lines: &[&str]) -> Dispatch {
        let lines = lines.iter().map(|id| (line(id).occurrence.id, line(id))).collect();
        let at = Timestamp::UNIX_EPOCH;
        Dispatch { channel: channel(channel_id), lines, nonce: None, at, is_correction: false }
    }

    fn outbox() -> Outbox {
        let mut outbox = Outbox::default();
        outbox.insert(AlertId(1), dispatch("phone", &[A, B]));
        outbox.insert(AlertId(2), dispatch("mail", &[A]));
        outbox
    }

    #[test]
    fn what_needs_no_answer_is_rewritten_or_cancelled() {
        type Goes = fn(&Dispatch, &OccurrenceId) -> bool;
        let is = |change: &Change| match change {
            Change::Rewritten(id) => format!("rewritten {}", id.0),
            Change::Cancelled(id) => format!("cancelled {}", id.0),
        };
        let cases: [(Goes, &[&str], usize); 4] = [
            (|_, _| false, &[], 3),
            (|_, line| line.item.as_str() == "a", &["rewritten 1", "cancelled 2"], 1),
            (|dispatch, _| dispatch.channel.as_str() == "phone", &["cancelled 1"], 1),
            (|_, _| true, &["cancelled 1", "cancelled 2"], 0),
        ];
        for (goes, expected, left) in cases {
            let mut outbox = outbox();
            let changes: Vec<_> = outbox.remove_lines(goes).iter().map(is).collect();
            assert_eq!(
                (changes, outbox.occurrences().count()),
                (expected.iter().map(ToString::to_string).collect(), left)
            );
            // What came of it is still to be heard, and nothing is cancelled twice.
            assert!(outbox.get(AlertId(1)).is_some() && outbox.remove_lines(goes).is_empty());
        }
    }

    #[test]
    fn a_dispatch_ends_once() {
        let mut outbox = outbox();
        assert_eq!(outbox.dispatches_by(&channel("phone")).count(), 1);
        assert_eq!(outbox.remove(AlertId(1)).map(|sent| sent.lines.len()), Some(2));
        assert!(outbox.remove(AlertId(1)).is_none() && outbox.get(AlertId(1)).is_none());
        assert_eq!(outbox.dispatches_by(&channel("phone")).count(), 0);
    }

    #[test]
    fn old_dispatches_are_forgotten() {
        let mut outbox = outbox();
        let (a, b) = (line(A).occurrence.id, line(B).occurrence.id);
        let now: Timestamp = "2026-11-25T09:00:00Z".parse().unwrap();
        outbox.note_sent(a.clone(), channel("phone"), now);
        outbox.note_sent(b.clone(), channel("phone"), now);
        let later = now + jiff::SignedDuration::from_hours(24 * 5);
        for (instant, left) in [(now, [true, true]), (later, [false, true])] {
            outbox.forget_before(instant, |id| *id == b);
            let sent = [&a, &b].map(|id| outbox.last_sent(id, &channel("phone")).is_some());
            assert_eq!(sent, left);
        }
        assert_eq!(outbox.last_sent(&b, &channel("mail")), None);
    }
}
