//! What cannot be read of items and zones as they are recorded, and what is assumed instead: for `status` and the log.

use jiff::Timestamp;
use tracing::warn;

use crate::core::ledger::{FactId, Record};
use crate::core::schedule::ItemId;

/// The most that is kept; how much more there is, is counted.
const MAX_UNREAD: usize = 50;

/// The most of a zone's name that is shown, in characters.
const MAX_NAME_CHARS: usize = 60;

/// What cannot be read of the record, each once for an item, in the order in which it applied.
#[derive(Debug, Default)]
pub(super) struct UnreadHistory {
    found: Vec<UnreadFact>,
    more: u64,
}

/// Something that cannot be read of an item's definition, or a zone that is not known.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct UnreadFact {
    /// The item; none for the zone of the clock.
    pub(super) item: Option<ItemId>,
    /// The first fact that says so.
    pub(super) fact: FactId,
    /// Since when it applies.
    pub(super) since: Timestamp,
    /// What cannot be read, and what is assumed.
    pub(super) reason: String,
}

impl UnreadHistory {
    /// Adds what cannot be read of the definition or zone in a record.
    pub(super) fn add(&mut self, record: &Record, reasons: Vec<String>) {
        let item = record.fact.item();
        for reason in reasons {
            if self.found.iter().any(|known| known.item.as_ref() == item && known.reason == reason) {
                continue;
            }
            if self.found.len() >= MAX_UNREAD {
                self.more += 1;
                continue;
            }
            let (item, fact, since) = (item.cloned(), record.id.clone(), record.instant());
            self.found.push(UnreadFact { item, fact, since, reason });
        }
    }

    /// Adds a zone in a record that is not known.
    pub(super) fn add_zone(&mut self, record: &Record, name: &str) {
        // Another device may have written anything.
        let name: String = name.chars().filter(|c| !c.is_control()).take(MAX_NAME_CHARS).collect();
        let why = format!("the zone `{name}` is not known to this machine: the zone before it holds");
        self.add(record, vec![why]);
    }

    /// Returns what is kept.
    pub(super) fn iter(&self) -> impl Iterator<Item = &UnreadFact> {
        self.found.iter()
    }

    /// Returns how much more there is.
    pub(super) fn more(&self) -> u64 {
        self.more
    }

    /// Logs it, in no words of the person's own: others may read the log.
    pub(super) fn log(&self) {
        if let Some(first) = self.found.first() {
            let count = self.found.len() as u64 + self.more;
            warn!(fact = %first.fact, count, "recorded items or zones cannot be read fully; `dosed status` names what is assumed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ledger::Fact;

    fn record(seq: u64, item: &str) -> Record {
        let at = Timestamp::from_second(seq.cast_signed()).unwrap();
        let fact = Fact::Regimen { item: item.parse().unwrap(), at, definition: None };
        Record { id: format!("d.{seq}").parse().unwrap(), recorded_at: at, fact }
    }

    #[test]
    fn each_reason_is_named_once_for_an_item_and_nothing_goes_uncounted() {
        let mut unread = UnreadHistory::default();
        for (seq, item, reason) in [(1, "a", "x"), (2, "a", "x"), (3, "b", "x"), (4, "a", "y")] {
            unread.add(&record(seq, item), vec![reason.to_owned()]);
        }
        let found: Vec<_> = unread.iter().map(|one| (one.fact.seq, one.since.as_second())).collect();
        assert_eq!((found, unread.more()), (vec![(1, 1), (3, 3), (4, 4)], 0));
        unread.add(&record(5, "c"), (0..100).map(|n| n.to_string()).collect());
        assert_eq!((unread.iter().count(), unread.more()), (MAX_UNREAD, 53));
    }
}
