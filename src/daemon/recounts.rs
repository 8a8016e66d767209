//! Counts of stocks that run beside the daemon's task: an older one may finish after a newer one.

use std::collections::HashMap;

use crate::core::schedule::ItemId;

/// Which counts were started, and the newest one that is known of each item.
#[derive(Debug, Default)]
pub(super) struct Recounts {
    started: u64,
    known: HashMap<ItemId, u64>,
}

impl Recounts {
    /// Returns the number of a count that starts now.
    pub(super) fn start(&mut self) -> u64 {
        self.started += 1;
        self.started
    }

    /// Tells whether a finished count is newer than what is known of its item, and remembers it.
    pub(super) fn finish(&mut self, item: &ItemId, count: u64) -> bool {
        let known = self.known.entry(item.clone()).or_default();
        let is_newer = *known < count;
        *known = count.max(*known);
        is_newer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_count_does_not_replace_a_newer_one() {
        let (a, b): (ItemId, ItemId) = ("a".parse().unwrap(), "b".parse().unwrap());
        let mut counts = Recounts::default();
        let (first, second) = (counts.start(), counts.start());
        for (item, count, is_newer) in
            [(&a, second, true), (&a, first, false), (&a, second, false), (&b, first, true)]
        {
            assert_eq!(counts.finish(item, count), is_newer, "{item} {count}");
        }
    }
}
