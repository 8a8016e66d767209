//! When each item is to be evaluated next: the deadlines of all items, in order.
//!
//! Invariant: the queue holds exactly the deadlines of the map.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::core::schedule::ItemId;

/// The deadline of each item, and which of them have changed.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    by_item: BTreeMap<ItemId, Timestamp>,
    queue: BTreeSet<(Timestamp, ItemId)>,
    changed: BTreeSet<ItemId>,
}

impl Deadlines {
    /// Sets an item's deadline; `None` removes it.
    pub(super) fn set(&mut self, item: ItemId, deadline: Option<Timestamp>) {
        let old = match deadline {
            Some(at) => self.by_item.insert(item.clone(), at),
            None => self.by_item.remove(&item),
        };
        if old == deadline {
            return;
        }
        if let Some(old) = old {
            self.queue.remove(&(old, item.clone()));
        }
        if let Some(at) = deadline {
            self.queue.insert((at, item.clone()));
        }
        self.changed.insert(item);
    }

    /// Returns the earliest deadline.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// Returns the item with the earliest deadline, if that has come.
    pub(super) fn first_due(&self, now: Timestamp) -> Option<ItemId> {
        self.queue.first().filter(|(at, _)| *at <= now).map(|(_, item)| item.clone())
    }

    /// Returns the items whose deadline has changed since the last call, each with its deadline.
    pub(super) fn drain_changed(&mut self) -> Vec<(ItemId, Option<Timestamp>)> {
        let deadline = |item: ItemId| {
            let at = self.by_item.get(&item).copied();
            (item, at)
        };
        std::mem::take(&mut self.changed).into_iter().map(deadline).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn item(id: &str) -> ItemId {
        id.parse().unwrap()
    }

    #[test]
    fn the_queue_holds_the_deadlines_of_the_map() {
        // Each step sets one deadline; then: the next one, and whether the item counts as changed.
        let steps = [
            ("a", Some(10), Some(10), true),
            ("b", Some(5), Some(5), true),
            ("b", Some(5), Some(5), false),
            ("b", Some(20), Some(10), true),
            ("a", None, Some(20), true),
            ("a", None, Some(20), false),
            ("b", None, None, true),
        ];
        let mut deadlines = Deadlines::default();
        for (id, deadline, next, is_changed) in steps {
            let deadline = deadline.map(at);
            deadlines.set(item(id), deadline);
            assert_eq!(deadlines.next(), next.map(at), "{id} {deadline:?}");
            let of_map: BTreeSet<_> =
                deadlines.by_item.iter().map(|(item, at)| (*at, item.clone())).collect();
            assert_eq!(deadlines.queue, of_map, "{id} {deadline:?}");
            let changed = if is_changed { vec![(item(id), deadline)] } else { Vec::new() };
            assert_eq!(deadlines.drain_changed(), changed, "{id} {deadline:?}");
        }
    }

    #[test]
    fn only_what_has_come_is_due() {
        let mut deadlines = Deadlines::default();
        deadlines.set(item("a"), Some(at(10)));
        deadlines.set(item("b"), Some(at(20)));
        for (now, due) in [(9, None), (10, Some("a")), (30, Some("a"))] {
            assert_eq!(deadlines.first_due(at(now)), due.map(item), "{now}");
        }
    }
}
