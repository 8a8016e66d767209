//! The JSON Schema of the schedule file for editors: generated from the types that read it, and compared with
//! the committed one.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::JSON_SCHEMA;
use super::again::AgainToml;
use super::file::{FileToml, RepetitionToml};
use super::text::{Day, Days, Described, DoseToml, QuietToml, RefillAtToml, Text};
use crate::core::schedule::{Amount, Quiet};

/// The committed schema.
const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config/schedule.schema.json");

impl<T: Described> JsonSchema for Text<T> {
    fn schema_name() -> Cow<'static, str> {
        T::NAME.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": T::PATTERN, "examples": [T::EXAMPLE] })
    }
}

impl JsonSchema for AgainToml {
    fn schema_name() -> Cow<'static, str> {
        "Again".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let repetition = generator.subschema_for::<RepetitionToml>();
        json_schema!({ "anyOf": [{ "const": false }, repetition] })
    }
}

impl JsonSchema for Day {
    fn schema_name() -> Cow<'static, str> {
        "Date".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date", "examples": ["2026-12-01"] })
    }
}

impl JsonSchema for Days {
    fn schema_name() -> Cow<'static, str> {
        "Days".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                { "type": "string", "examples": ["Mon..Fri"] },
                { "type": "array", "items": { "type": "string" }, "minItems": 1, "examples": [["Mon", "Thu"]] }
            ]
        })
    }
}

impl JsonSchema for DoseToml {
    fn schema_name() -> Cow<'static, str> {
        "Dose".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let amount = generator.subschema_for::<Text<Amount>>();
        json_schema!({
            "anyOf": [
                amount,
                { "type": "array", "items": amount, "minItems": 1, "examples": [["600 mg", "400 IU"]] }
            ]
        })
    }
}

impl JsonSchema for QuietToml {
    fn schema_name() -> Cow<'static, str> {
        "QuietOfItem".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let hours = generator.subschema_for::<Text<Quiet>>();
        json_schema!({ "anyOf": [{ "const": false }, hours] })
    }
}

impl JsonSchema for RefillAtToml {
    fn schema_name() -> Cow<'static, str> {
        "RefillAt".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                { "type": "integer", "minimum": 0 },
                { "type": "string", "examples": ["10 days"] }
            ]
        })
    }
}

#[test]
fn the_json_schema_is_that_of_the_types() {
    let schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<FileToml>();
    let made = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
    if std::env::var_os("DOSED_SCHEMA").is_some() {
        std::fs::write(PATH, &made).unwrap();
    }
    assert!(
        JSON_SCHEMA == made,
        "config/schedule.schema.json is stale: `DOSED_SCHEMA=1 cargo test --lib schema` regenerates it"
    );
}
