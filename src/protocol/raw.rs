//! Facts that are passed on as their lines of the journal have them, without being read.

use std::marker::PhantomData;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::facts::{Fact, HistoryFact};

/// The JSON of a value that is passed on as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw<T> {
    json: Arc<str>,
    value: PhantomData<T>,
}

/// A fact that is passed on as it stands in the journal.
pub type RawFact = Raw<Fact>;

/// A fact that is passed on as it stands in the journal, with what became of it.
pub type RawHistoryFact = Raw<HistoryFact>;

impl<T> Raw<T> {
    /// Returns the value that a text holds, the JSON of a `T`.
    #[must_use]
    pub fn new(json: Arc<str>) -> Self {
        Self { json, value: PhantomData }
    }
}

impl Raw<Fact> {
    /// Returns the fact's id.
    #[must_use]
    pub fn id(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Id {
            id: String,
        }
        serde_json::from_str::<Id>(&self.json).ok().map(|fact| fact.id)
    }

    /// Returns the JSON of a [`Recorded`](super::facts::Recorded): the fact with the warnings as one more member.
    #[must_use]
    pub fn recorded(&self, warnings: &[String]) -> String {
        if warnings.is_empty() {
            return self.json.to_string();
        }
        let members = self.json.trim_end().strip_suffix('}').unwrap_or_default();
        format!("{members},\"warnings\":{}}}", Value::from(warnings))
    }
}

impl<T> Serialize for Raw<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.json).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

#[cfg(test)]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Raw<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> std::borrow::Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        T::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Recorded;

    #[test]
    fn warnings_are_members_of_what_was_recorded() {
        let line = include_str!("../../tests/samples/journal-v1.jsonl").lines().next().unwrap();
        let json = RawFact::new(line.into()).recorded(&["two \"close\" doses".to_owned()]);
        let recorded: Recorded = serde_json::from_str(&json).unwrap();
        assert_eq!(recorded.warnings, ["two \"close\" doses"]);
        assert_eq!(recorded.fact, serde_json::from_str(line).unwrap());
        assert_eq!(RawFact::new(line.into()).recorded(&[]), line);
    }
}
