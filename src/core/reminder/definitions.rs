//! What each item was last recorded as: an item of the schedule that differs opens a new regimen.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::ledger::{Fact, Record};
use crate::core::schedule::{Definition, ItemId};

/// The definition of each item as JSON text.
#[derive(Debug, Default)]
pub(super) struct Definitions(BTreeMap<ItemId, String>);

impl Definitions {
    /// Returns what the newest regimen of each item says; the records are in the order in which they hold.
    pub(super) fn from_regimens(records: Vec<Record>) -> Self {
        let mut definitions = Self::default();
        for record in records {
            match record.fact {
                Fact::Regimen { item, definition: Some(definition), .. } => {
                    definitions.0.insert(item, definition);
                }
                Fact::Regimen { item, definition: None, .. } => definitions.remove(&item),
                _ => {}
            }
        }
        definitions
    }

    /// Sets an item's definition and tells whether it is another one than before.
    pub(super) fn update(&mut self, item: &ItemId, definition: &Definition) -> bool {
        let is_new = self.0.get(item).is_none_or(|known| !definition.is(known));
        if is_new {
            self.0.insert(item.clone(), definition.text.clone());
        }
        is_new
    }

    /// Returns an item's definition.
    pub(super) fn get(&self, item: &ItemId) -> Option<&str> {
        self.0.get(item).map(String::as_str)
    }

    /// Forgets an item: it was taken out, or its regimen could not be recorded.
    pub(super) fn remove(&mut self, item: &ItemId) {
        self.0.remove(item);
    }

    /// Returns the items that are not among others.
    pub(super) fn missing_from(&self, items: &BTreeSet<&ItemId>) -> Vec<ItemId> {
        self.0.keys().filter(|id| !items.contains(id)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn item(id: &str) -> ItemId {
        id.parse().unwrap()
    }

    #[test]
    fn the_newest_regimen_counts() {
        let facts = [("a", Some("1")), ("b", Some("1")), ("a", Some("2")), ("b", None)];
        let records = (1..).zip(facts).map(|(seq, (id, definition))| Record {
            id: format!("d.{seq}").parse().unwrap(),
            recorded_at: Timestamp::UNIX_EPOCH,
            fact: Fact::Regimen {
                item: item(id),
                at: Timestamp::UNIX_EPOCH,
                definition: definition.map(ToOwned::to_owned),
            },
        });
        let mut definitions = Definitions::from_regimens(records.collect());
        assert_eq!(definitions.missing_from(&BTreeSet::new()), [item("a")]);
        assert_eq!(definitions.missing_from(&[&item("a")].into()), []);
        let definition = |text: &str, first: Option<&str>| Definition {
            text: text.to_owned(),
            first_form: first.map(str::to_owned),
        };
        for (id, text, first, is_new) in [
            ("a", "2", None, false),
            ("a", "3", None, true),
            ("a", "3", None, false),
            // The same, as it was recorded before.
            ("a", "3.0", Some("3"), false),
            ("a", "4.0", Some("4"), true),
            ("a", "4.0", Some("4"), false),
            ("b", "1", None, true),
        ] {
            assert_eq!(definitions.update(&item(id), &definition(text, first)), is_new, "{id} {text}");
        }
        definitions.remove(&item("a"));
        assert!(definitions.update(&item("a"), &definition("4.0", None)));
    }
}
