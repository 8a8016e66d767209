//! Reads `again`: a repetition, or `false` for none.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Unexpected, Visitor};
use serde::{Serialize, Serializer};

use super::file::RepetitionToml;

/// The value of `again`.
#[derive(Clone, Debug)]
pub(super) enum AgainToml {
    /// `false`.
    Never,
    /// A table.
    Every(RepetitionToml),
}

impl<'de> Deserialize<'de> for AgainToml {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AgainVisitor;
        impl<'de> Visitor<'de> for AgainVisitor {
            type Value = AgainToml;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`false` or a table such as { every = \"15m\", at-most = 3 }")
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<AgainToml, E> {
                if value {
                    Err(E::invalid_value(Unexpected::Bool(true), &self))
                } else {
                    Ok(AgainToml::Never)
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<AgainToml, A::Error> {
                RepetitionToml::deserialize(MapAccessDeserializer::new(map)).map(AgainToml::Every)
            }
        }
        deserializer.deserialize_any(AgainVisitor)
    }
}

impl Serialize for AgainToml {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Never => serializer.serialize_bool(false),
            Self::Every(repetition) => repetition.serialize(serializer),
        }
    }
}
