//! Texts of responses that are safe to show: other devices, other versions and other programs may have written anything.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::core::text::{is_control, visible};

/// What begins the escapes of JSON that can stand for control characters.
const ESCAPES: [&str; 4] = ["\\u", "\\b", "\\f", "\\r"];

/// Returns a JSON text that means the same, with the control characters that JSON allows as they are as its escapes.
pub(super) fn escape(json: String) -> String {
    if !json.contains(is_control) {
        return json;
    }
    let escape = |c: char| if is_control(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() };
    json.chars().map(escape).collect()
}

/// Reads a JSON text that was escaped; in its texts, control characters are written out.
pub(super) fn read<T: DeserializeOwned>(json: &str) -> serde_json::Result<T> {
    if !ESCAPES.iter().any(|escape| json.contains(escape)) {
        return serde_json::from_str(json);
    }
    let mut value = serde_json::from_str(json)?;
    make_visible(&mut value);
    serde_json::from_value(value)
}

fn make_visible(value: &mut Value) {
    match value {
        Value::String(text) => *text = visible(text).into_owned(),
        Value::Array(values) => values.iter_mut().for_each(make_visible),
        Value::Object(members) => members.values_mut().for_each(make_visible),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_written_out_in_texts_and_escaped_in_json() {
        for (json, escaped, text) in [
            (r#""ü\n""#, r#""ü\n""#, "ü\n"),
            (r#""\u001b]0;x\u0007""#, r#""\u001b]0;x\u0007""#, "\\u{1b}]0;x\\u{7}"),
            (r#""a\rb\b\f\\b""#, r#""a\rb\b\f\\b""#, "a\\u{d}b\\u{8}\\u{c}\\b"),
            ("\"\u{9b}\u{202e}\u{7f}\"", r#""\u009b\u202e\u007f""#, "\\u{9b}\\u{202e}\\u{7f}"),
        ] {
            let json = escape(json.to_owned());
            assert_eq!((json.as_str(), read::<String>(&json).unwrap().as_str()), (escaped, text));
        }
        let nested = read::<Value>(r#"{"a":[{"b":"\u001b"},1.5,null]}"#).unwrap();
        assert_eq!(nested.to_string(), r#"{"a":[{"b":"\\u{1b}"},1.5,null]}"#);
    }
}
