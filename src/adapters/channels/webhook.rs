//! What a webhook is sent: the object that programs get, or a body of the person's own with its places filled in.

use serde_json::Value;

use super::Message;
use super::http::{Body, JSON, TEXT};
use crate::core::schedule::WebhookBody;
use crate::core::text::filled;

/// Makes the body of a request; `id` is the same for every attempt.
pub(super) fn body(template: Option<&WebhookBody>, message: &Message, id: &str) -> Body {
    let object = message.json(id);
    match template {
        None => Body { text: object.to_string(), content_type: JSON },
        Some(WebhookBody::Text(text)) => Body { text: fill(text, &object), content_type: TEXT },
        Some(WebhookBody::Json(json)) => {
            let mut value = serde_json::from_str(json).unwrap_or_default();
            fill_all(&mut value, &object);
            Body { text: value.to_string(), content_type: JSON }
        }
    }
}

/// Fills in a text by the members of the object; several lines or names are joined.
fn fill(text: &str, object: &Value) -> String {
    let member = |place: &str| {
        Ok(match &object[place] {
            Value::String(text) => text.clone(),
            Value::Array(parts) => {
                let separator = if place == "body" { "\n" } else { " " };
                parts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(separator)
            }
            other => other.to_string(),
        })
    };
    // The places were checked when the schedule was read.
    filled(text, member).unwrap_or_else(|_| text.to_owned())
}

fn fill_all(value: &mut Value, object: &Value) {
    match value {
        Value::String(text) => *text = fill(text, object),
        Value::Array(values) => values.iter_mut().for_each(|value| fill_all(value, object)),
        Value::Object(members) => members.values_mut().for_each(|value| fill_all(value, object)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::core::reminder::AlertId;

    #[test]
    fn a_body_of_ones_own_has_its_places_filled_in() {
        let message = Message {
            alert: AlertId(3),
            channel: "hook".parse().unwrap(),
            title: "Anise \"5\"".to_owned(),
            body: vec!["5 mg".to_owned(), "with food".to_owned()],
            occurrences: vec!["a@2026-11-25T08:00".parse().unwrap()],
            private: false,
            at: Timestamp::UNIX_EPOCH,
            answers: Vec::new(),
            is_test: false,
        };
        let made = |template: Option<WebhookBody>| {
            let body = body(template.as_ref(), &message, "id-1");
            (body.text, body.content_type)
        };
        let (text, kind) = made(None);
        assert_eq!((serde_json::from_str::<Value>(&text).unwrap(), kind), (message.json("id-1"), JSON));
        let text = "{title}: {body} ({occurrences}) {{{id}}} {kind} {channel} {at}";
        let expected =
            "Anise \"5\": 5 mg\nwith food (a@2026-11-25T08:00) {id-1} reminder hook 1970-01-01T00:00:00Z";
        assert_eq!(made(Some(WebhookBody::Text(text.to_owned()))), (expected.to_owned(), TEXT));
        // Quotes and line breaks stay inside their string.
        let json = r#"{"message":"{title}\n{body}","priority":8,"extras":[{"a":"{id}"}]}"#;
        let (text, kind) = made(Some(WebhookBody::Json(json.to_owned())));
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((value["message"].as_str(), kind), (Some("Anise \"5\"\n5 mg\nwith food"), JSON));
        assert_eq!((value["priority"].as_i64(), value["extras"][0]["a"].as_str()), (Some(8), Some("id-1")));
    }
}
