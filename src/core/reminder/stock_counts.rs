//! How many doses are left, of items whose stock is counted.

use std::collections::BTreeMap;

use crate::core::schedule::ItemId;

/// The counted doses by item.
#[derive(Debug, Default)]
pub(super) struct StockCounts(BTreeMap<ItemId, u32>);

impl StockCounts {
    /// Sets how many doses of an item are left; `None` is not counted any more.
    pub(super) fn set(&mut self, item: ItemId, left: Option<u32>) {
        match left {
            Some(left) => self.0.insert(item, left),
            None => self.0.remove(&item),
        };
    }

    /// Returns how many doses of an item are left, where they are no more than a limit.
    pub(super) fn at_most(&self, item: &ItemId, limit: u32) -> Option<u32> {
        self.0.get(item).copied().filter(|left| *left <= limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_counted_and_low_is_reported() {
        let item: ItemId = "a".parse().unwrap();
        let mut counts = StockCounts::default();
        for (left, reported) in
            [(None, None), (Some(6), None), (Some(5), Some(5)), (Some(0), Some(0)), (None, None)]
        {
            counts.set(item.clone(), left);
            assert_eq!(counts.at_most(&item, 5), reported, "{left:?}");
        }
    }
}
