//! How much is left, of items whose stock is counted.

use std::collections::BTreeMap;

use crate::core::ledger::StockLeft;
use crate::core::schedule::ItemId;

/// What is left by item.
#[derive(Debug, Default)]
pub(super) struct StockCounts(BTreeMap<ItemId, StockLeft>);

impl StockCounts {
    /// Sets how much of an item is left; `None` is not counted any more.
    pub(super) fn set(&mut self, item: ItemId, left: Option<StockLeft>) {
        match left {
            Some(left) => self.0.insert(item, left),
            None => self.0.remove(&item),
        };
    }

    /// Returns how much of an item is left, where that is counted.
    pub(super) fn get(&self, item: &ItemId) -> Option<StockLeft> {
        self.0.get(item).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_counted_is_known() {
        let item: ItemId = "a".parse().unwrap();
        let mut counts = StockCounts::default();
        for left in [None, Some(StockLeft::of(6)), Some(StockLeft::of(0)), None] {
            counts.set(item.clone(), left);
            assert_eq!(counts.get(&item), left);
        }
    }
}
