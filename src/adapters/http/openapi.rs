//! Generates the `OpenAPI` document from the handlers and the types of the contract, and holds the committed copy.

use aide::generate::GenContext;
use aide::openapi::{
    Info, License, MediaType, OpenApi, Operation, ReferenceOr, RequestBody, Response, SchemaObject, Server,
    StatusCode,
};
use aide::operation::{ParamLocation, add_parameters, parameters_from_schema, set_body};
use aide::{OperationInput, OperationOutput};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, json_schema};
use serde_json::{Value, json};

use super::extract::{IdempotencyKey, JsonBody, Parameters, PathId, Posted};
use super::reply::{RawJson, Recorded};
use super::respond::{EventStream, Refused};
use super::routes::documented;
use crate::protocol::{Event, NoParameters, Problem};

/// Where the committed copy lies. `DOSED_BLESS=1` writes it.
const COPY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/adapters/http/openapi.json");

impl<T: JsonSchema> OperationInput for Parameters<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        let schema = T::json_schema(&mut context.schema);
        let parameters = parameters_from_schema(context, schema, ParamLocation::Query);
        add_parameters(context, operation, parameters);
    }
}

impl<T> OperationInput for PathId<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        let schema = json_schema!({ "properties": { "id": { "type": "string" } }, "required": ["id"] });
        let parameters = parameters_from_schema(context, schema, ParamLocation::Path);
        add_parameters(context, operation, parameters);
    }
}

impl OperationInput for IdempotencyKey {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        let description = "1 to 255 visible ASCII characters: a repeat of the request records nothing more";
        let schema = json_schema!({
            "properties": { "idempotency-key": { "type": "string", "maxLength": 255, "description": description } },
        });
        let parameters = parameters_from_schema(context, schema, ParamLocation::Header);
        add_parameters(context, operation, parameters);
    }
}

impl<T: JsonSchema> OperationInput for JsonBody<T> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        let schema = context.schema.subschema_for::<T>();
        let content = [("application/json".into(), media(schema))].into_iter().collect();
        // An empty body is one without members.
        set_body(context, operation, RequestBody { content, required: false, ..RequestBody::default() });
    }
}

impl<B: JsonSchema> OperationInput for Posted<B> {
    fn operation_input(context: &mut GenContext, operation: &mut Operation) {
        Parameters::<NoParameters>::operation_input(context, operation);
        IdempotencyKey::operation_input(context, operation);
        JsonBody::<B>::operation_input(context, operation);
    }
}

fn media(schema: Schema) -> MediaType {
    let schema = SchemaObject { json_schema: schema, external_docs: None, example: None };
    MediaType { schema: Some(schema), ..MediaType::default() }
}

fn response(description: &str, kind: &str, schema: Schema) -> Response {
    let content = [(kind.into(), media(schema))].into_iter().collect();
    Response { description: description.to_owned(), content, ..Response::default() }
}

impl<T: JsonSchema> OperationOutput for RawJson<T> {
    type Inner = T;

    fn operation_response(context: &mut GenContext, _: &mut Operation) -> Option<Response> {
        Some(response("What was asked for.", "application/json", context.schema.subschema_for::<T>()))
    }

    fn inferred_responses(
        context: &mut GenContext,
        operation: &mut Operation,
    ) -> Vec<(Option<StatusCode>, Response)> {
        Self::operation_response(context, operation)
            .map(|found| (Some(StatusCode::Code(200)), found))
            .into_iter()
            .collect()
    }
}

impl OperationOutput for Recorded {
    type Inner = crate::protocol::Recorded;

    fn inferred_responses(
        context: &mut GenContext,
        _: &mut Operation,
    ) -> Vec<(Option<StatusCode>, Response)> {
        let schema = context.schema.subschema_for::<crate::protocol::Recorded>();
        let of = |description| response(description, "application/json", schema.clone());
        vec![
            (Some(StatusCode::Code(200)), of("An earlier request had recorded it.")),
            (Some(StatusCode::Code(201)), of("It is recorded.")),
        ]
    }
}

impl OperationOutput for Refused {
    type Inner = Problem;

    fn inferred_responses(
        context: &mut GenContext,
        _: &mut Operation,
    ) -> Vec<(Option<StatusCode>, Response)> {
        let schema = context.schema.subschema_for::<Problem>();
        vec![(None, response("Refused (RFC 9457).", "application/problem+json", schema))]
    }
}

impl OperationOutput for EventStream {
    type Inner = Event;

    fn inferred_responses(
        context: &mut GenContext,
        _: &mut Operation,
    ) -> Vec<(Option<StatusCode>, Response)> {
        let schema = context.schema.subschema_for::<Event>();
        vec![(Some(StatusCode::Code(200)), response("The data of each event.", "text/event-stream", schema))]
    }
}

/// Generates the document.
fn generate() -> Value {
    aide::generate::in_context(|context| {
        // What is always written is required; where the schemas go is the document's own place.
        let mut settings = SchemaSettings::draft2020_12().for_serialize();
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
        context.schema = settings.into_generator();
    });
    let (router, operations) = documented();
    let mut api = OpenApi {
        info: Info {
            title: "dosed".to_owned(),
            version: "1".to_owned(),
            description: Some(
                "Reminders and their record, over a Unix socket. For information only, not medical advice.".to_owned(),
            ),
            license: Some(License {
                name: "MIT OR Apache-2.0".to_owned(),
                identifier: Some("MIT OR Apache-2.0".to_owned()),
                ..License::default()
            }),
            ..Info::default()
        },
        servers: vec![Server {
            url: "http://dosed".to_owned(),
            description: Some(
                "The host name does not matter: curl --unix-socket $XDG_RUNTIME_DIR/dosed/dosed.sock http://dosed/v1/today"
                    .to_owned(),
            ),
            ..Server::default()
        }],
        ..OpenApi::default()
    };
    let _ = router.finish_api(&mut api);
    let paths = api.paths.as_mut().unwrap();
    for operation in operations {
        let Some(ReferenceOr::Item(item)) = paths.paths.get_mut(operation.path) else {
            panic!("{} is not documented", operation.path);
        };
        let found = item.get.as_mut().or(item.post.as_mut()).unwrap();
        found.operation_id = Some(operation.id.to_owned());
        found.summary = Some(operation.summary.to_owned());
        if operation.id == "openapi" {
            let document = response("This document.", "application/json", json_schema!({ "type": "object" }));
            let responses = found.responses.get_or_insert_default();
            responses.responses.insert(StatusCode::Code(200), ReferenceOr::Item(document));
        }
    }
    serde_json::to_value(&api).unwrap()
}

#[test]
fn the_document_is_what_the_handlers_serve() {
    let generated = generate();
    let text = format!("{}\n", serde_json::to_string_pretty(&generated).unwrap());
    if std::env::var_os("DOSED_BLESS").is_some() {
        std::fs::write(COPY, &text).unwrap();
    }
    let copy = std::fs::read_to_string(COPY).unwrap();
    assert!(
        copy == text,
        "src/adapters/http/openapi.json is out of date: DOSED_BLESS=1 cargo test --lib openapi"
    );
}

#[test]
fn every_operation_says_what_it_takes_and_gives() {
    let document = generate();
    let mut ids = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            ids.push(operation["operationId"].as_str().unwrap().to_owned());
            let refusal = &operation["responses"]["default"]["content"]["application/problem+json"];
            assert!(refusal.is_object(), "{method} {path} has no problem details");
            let success =
                ["200", "201"].iter().filter(|code| operation["responses"][code].is_object()).count();
            assert_eq!(
                success,
                if method == "post" && !path.contains("channels") { 2 } else { 1 },
                "{method} {path}"
            );
        }
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), count), (31, 31));
    // What is always there is required, null or not.
    let occurrence = &document["components"]["schemas"]["OccurrenceDetails"]["required"];
    for member in ["occurrence", "state", "dose", "snoozed_until", "answer"] {
        assert!(occurrence.as_array().unwrap().contains(&json!(member)), "{member}: {occurrence}");
    }
}
