//! The keys of a recorded definition: read one by one, with a list of what could not be read.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::RecordedItem;
use crate::core::schedule::{Item, Kind, Recurrence};
use crate::core::text::visible;

/// The newest form of definitions that is known here; a journal names the form of those that are newer.
const NEWEST_VERSION: u64 = 1;

/// The most problems that are reported for one definition.
const MAX_UNREAD: usize = 16;

/// The most keys that are named at once.
const MAX_NAMES: usize = 8;

/// The most of a value that is shown, in characters.
const MAX_SHOWN_CHARS: usize = 60;

/// The keys of a definition that were not read yet, and what could not be read.
pub(super) struct Keys {
    left: Map<String, Value>,
    pub(super) unread: Vec<String>,
    /// Whether something that says when it is planned cannot be read.
    pub(super) is_timing_unknown: bool,
}

impl Keys {
    pub(super) fn new(definition: &str) -> Self {
        let mut keys = Self { left: Map::new(), unread: Vec::new(), is_timing_unknown: false };
        match serde_json::from_str(definition) {
            Ok(Value::Object(map)) => keys.left = map,
            _ => {
                keys.left.insert("kind".to_owned(), Kind::Habit.as_str().into());
                keys.lose_timing("the definition is not a table of keys");
            }
        }
        keys.left.retain(|_, value| !value.is_null());
        keys.left.remove("id");
        if let Some(version) = keys.left.remove("v").filter(|v| v.as_u64().is_none_or(|v| v > NEWEST_VERSION))
        {
            keys.unread.push(format!(
                "a newer dosed wrote it (form {}): its keys are read as those of form {NEWEST_VERSION}",
                shown(&version)
            ));
        }
        keys
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.left.contains_key(key)
    }

    /// Reads the value of a key; of a table, `members` are those that are known.
    pub(super) fn read<T: DeserializeOwned>(
        &mut self,
        key: &str,
        members: &[&str],
        assumed: &str,
    ) -> Option<T> {
        let value = self.left.remove(key)?;
        self.value(key, value, members, assumed)
    }

    fn value<T: DeserializeOwned>(
        &mut self,
        key: &str,
        mut value: Value,
        members: &[&str],
        assumed: &str,
    ) -> Option<T> {
        if let Value::Object(table) = &mut value {
            let is_known = |member: &str| members.is_empty() || members.contains(&member);
            let unknown: Vec<&str> =
                table.keys().map(String::as_str).filter(|name| !is_known(name)).collect();
            if !unknown.is_empty() {
                self.unread.push(format!("unknown {} of `{key}`: ignored", names(&unknown)));
            }
            table.retain(|member, _| is_known(member));
        }
        let read = T::deserialize(&value).ok();
        if read.is_none() {
            self.unread.push(format!("`{key}` is {}: {assumed}", shown(&value)));
        }
        read
    }

    /// Reads a list entry by entry; `None` where there is no such key. Also tells whether every entry was read.
    pub(super) fn list<T: DeserializeOwned>(
        &mut self,
        key: &str,
        members: &[&str],
        assumed: &str,
    ) -> Option<(Vec<T>, bool)> {
        let entries = match self.left.remove(key)? {
            Value::Array(entries) => entries,
            one => vec![one],
        };
        let given = entries.len();
        let read: Vec<T> =
            entries.into_iter().filter_map(|entry| self.value(key, entry, members, assumed)).collect();
        let is_whole = read.len() == given;
        Some((read, is_whole))
    }

    /// Reads a text; another device may have written control characters, which are written out.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        self.read::<String>(key, &[], "left out").map(|text| visible(&text).into_owned())
    }

    /// Reads something that says when the item is planned.
    pub(super) fn timing<T: DeserializeOwned>(&mut self, key: &str) -> Option<T> {
        let is_given = self.has(key);
        let read = self.read(key, &[], "nothing is planned");
        self.is_timing_unknown |= is_given && read.is_none();
        read
    }

    pub(super) fn lose_timing(&mut self, why: &str) {
        self.is_timing_unknown = true;
        self.unread.push(format!("{why}: nothing is planned"));
    }

    /// Returns what could not be read, what was not asked for at last.
    pub(super) fn unread_keys(mut self) -> Vec<String> {
        self.name_unknown();
        self.unread
    }

    fn name_unknown(&mut self) {
        if !self.left.is_empty() {
            let unknown: Vec<&str> = self.left.keys().map(String::as_str).collect();
            self.unread.push(format!("unknown {}: ignored", names(&unknown)));
        }
    }

    /// Names what was not asked for, and leaves the plan empty where it is not known when the item is planned.
    pub(super) fn finish(mut self, mut item: Item) -> RecordedItem {
        self.name_unknown();
        if self.is_timing_unknown {
            item.rule.recurrence = Recurrence::AsNeeded;
        }
        if let Some(more) = self.unread.len().checked_sub(MAX_UNREAD).filter(|more| *more > 0) {
            self.unread.truncate(MAX_UNREAD);
            self.unread.push(format!("{more} more"));
        }
        RecordedItem { item, unread: self.unread }
    }
}

/// Returns the names of keys, the first few of many.
fn names(keys: &[&str]) -> String {
    let noun = if keys.len() == 1 { "key" } else { "keys" };
    let shown: Vec<String> = keys.iter().take(MAX_NAMES).map(|key| format!("`{}`", shorten(key))).collect();
    match keys.len().checked_sub(MAX_NAMES).filter(|more| *more > 0) {
        Some(more) => format!("{noun} {} and {more} more", shown.join(", ")),
        None => format!("{noun} {}", shown.join(", ")),
    }
}

/// Returns a value as it is shown.
pub(super) fn shown(value: &Value) -> String {
    format!("`{}`", shorten(&value.to_string()))
}

/// Returns the beginning of a text that may be long, without control characters.
pub(super) fn shorten(text: &str) -> String {
    let mut chars = text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c });
    let mut short: String = chars.by_ref().take(MAX_SHOWN_CHARS).collect();
    if chars.next().is_some() {
        short.push_str("...");
    }
    short
}
