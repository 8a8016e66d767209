//! Compares an answer with a sample of it.
//!
//! A sample is JSON. Every member that it has must be there, with a value of the same type and the same value; the
//! answer may have members that the sample does not have. What cannot be known beforehand is left open in the sample:
//!
//! * a text may have gaps: `<time>`, `<path>` or any other word between `<` and `>` stands for any characters;
//! * `"<number>"` stands for any number, `"<any>"` for any value;
//! * `["<each>", SAMPLE]` stands for a list of any length whose every element is like `SAMPLE`.

use serde_json::Value;

/// How far two numbers may differ, as a share of the larger: results of floating point are not exact.
const TOLERANCE: f64 = 1e-9;

/// Returns what is not as in the sample, each with its place.
pub(super) fn mismatches(sample: &Value, answer: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare(sample, answer, "", &mut found);
    found
}

fn compare(sample: &Value, answer: &Value, place: &str, found: &mut Vec<String>) {
    let differs = || format!("{place}: {answer} in place of {sample}");
    match (sample, answer) {
        (Value::String(any), _) if any == "<any>" => {}
        (Value::String(number), Value::Number(_)) if number == "<number>" => {}
        (Value::String(pattern), Value::String(text)) => {
            if pattern == "<number>" || !fits(pattern, text) {
                found.push(differs());
            }
        }
        (Value::Number(expected), Value::Number(number)) => {
            let (expected, number) = (expected.as_f64().unwrap(), number.as_f64().unwrap());
            if (expected - number).abs() > TOLERANCE * expected.abs().max(number.abs()) {
                found.push(differs());
            }
        }
        (Value::Object(members), Value::Object(given)) => {
            for (name, sample) in members {
                let place = format!("{place}/{name}");
                match given.get(name) {
                    Some(value) => compare(sample, value, &place, found),
                    None => found.push(format!("{place}: missing")),
                }
            }
        }
        (Value::Array(samples), Value::Array(given)) => match samples.as_slice() {
            [Value::String(each), sample] if each == "<each>" => {
                for (i, value) in given.iter().enumerate() {
                    compare(sample, value, &format!("{place}/{i}"), found);
                }
            }
            _ if samples.len() != given.len() => {
                found.push(format!("{place}: {} elements in place of {}", given.len(), samples.len()));
            }
            _ => {
                for (i, (sample, value)) in samples.iter().zip(given).enumerate() {
                    compare(sample, value, &format!("{place}/{i}"), found);
                }
            }
        },
        _ if sample == answer => {}
        _ => found.push(differs()),
    }
}

/// Tells whether a text fits a pattern with gaps, each as short as it can be.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('<') else { return pattern == text };
    let Some((_, after)) = rest.split_once('>') else { return pattern == text };
    let Some(text) = text.strip_prefix(before) else { return false };
    text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| fits(after, &text[at..]))
}

/// Members with sentences for people, whose wording may change.
const SENTENCES: [&str; 8] =
    ["detail", "sentence", "said", "help", "zone_decision", "next", "notes", "tooltip"];

/// Leaves open what the next run of the same steps would answer differently.
pub(super) fn masked(answer: Value, home: &str) -> Value {
    mask(answer, "", home)
}

fn mask(value: Value, name: &str, home: &str) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| {
                let masked = match name.as_str() {
                    "pid" => "<number>".into(),
                    "crc" | "version" => "<word>".into(),
                    // Each fact that the daemon records by itself counts.
                    "seq" | "facts" if value.as_u64().is_some_and(|n| n > RECORDED) => "<number>".into(),
                    _ => mask(value, &name, home),
                };
                (name, masked)
            })
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(values) => values.into_iter().map(|value| mask(value, name, home)).collect(),
        Value::String(text) if SENTENCES.contains(&name) && text.contains(' ') => "<sentence>".into(),
        // What the system says of a bus that is not there.
        Value::String(text) if text.contains("no-bus") => "<sentence>".into(),
        Value::String(text) => masked_text(&text.replace(home, "<path>")).into(),
        Value::Number(n) if n.as_u64().is_some_and(|n| n > RECORDED) && name == super::DEVICE => {
            "<number>".into()
        }
        other => other,
    }
}

/// How many facts the record of the samples has: those with higher numbers are of the run.
const RECORDED: u64 = 938;

/// Opens what looks like a point in time that is not of the record, and ids of facts that are not of the record.
pub(crate) fn masked_text(text: &str) -> String {
    if let Some(n) = text.strip_prefix(super::DEVICE).and_then(|rest| rest.strip_prefix('.')) {
        let is_recorded = n.parse::<u64>().is_ok_and(|n| n <= RECORDED);
        return if is_recorded { text.to_owned() } else { format!("{}.<number>", super::DEVICE) };
    }
    let mut masked = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let date = rest.get(..10).filter(|date| date.parse::<jiff::civil::Date>().is_ok());
        let is_recorded = date.is_some_and(|date| ("2026-01-01".."2026-07-02").contains(&date));
        let of_time = |c: char| c.is_ascii_digit() || "T:.+-Z".contains(c);
        let length = if date.is_some() { rest.find(|c| !of_time(c)).unwrap_or(rest.len()) } else { 0 };
        if length > 0 {
            masked.push_str(if is_recorded { &rest[..length] } else { "<time>" });
            rest = &rest[length..];
        } else {
            let next = rest.chars().next().unwrap();
            masked.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    masked
}

#[test]
fn what_is_missing_or_different_is_found() {
    use serde_json::json;
    let sample = json!({
        "id": "desk-0001.<number>", "count": 3, "share": 0.1, "state": "due", "none": null, "yes": true,
        "list": [{ "a": 1 }, { "a": 2 }], "rows": ["<each>", { "name": "<text>" }], "pid": "<number>",
    });
    let answer = json!({
        "id": "desk-0001.77", "count": 3, "share": 0.100_000_000_000_01, "state": "due", "none": null, "yes": true,
        "list": [{ "a": 1, "more": true }, { "a": 2 }], "rows": [{ "name": "x" }, { "name": "" }], "pid": 12, "new": [],
    });
    assert_eq!(mismatches(&sample, &answer), Vec::<String>::new());
    for (member, value, place) in [
        ("id", json!("desk-2.77"), "/id"),
        ("id", json!(77), "/id"),
        ("count", json!(4), "/count"),
        ("count", json!("3"), "/count"),
        ("share", json!(0.1001), "/share"),
        ("state", json!("taken"), "/state"),
        ("state", json!(null), "/state"),
        ("none", json!(0), "/none"),
        ("yes", json!(false), "/yes"),
        ("list", json!([{ "a": 1 }]), "/list"),
        ("list", json!([{ "a": 1 }, { "b": 2 }]), "/list/1/a"),
        ("list", json!({ "a": 1 }), "/list"),
        ("rows", json!([{ "name": "x" }, {}]), "/rows/1/name"),
        ("rows", json!([{ "name": 7 }]), "/rows/0/name"),
        ("pid", json!("12"), "/pid"),
    ] {
        let mut changed = answer.clone();
        changed[member] = value;
        let found = mismatches(&sample, &changed);
        assert!(found.len() == 1 && found[0].starts_with(&format!("{place}:")), "{member}: {found:?}");
    }
    for member in sample.as_object().unwrap().keys() {
        let mut without = answer.clone();
        without.as_object_mut().unwrap().remove(member);
        assert_eq!(mismatches(&sample, &without), [format!("/{member}: missing")]);
    }
}

#[test]
fn a_text_fits_a_pattern_with_gaps() {
    for (pattern, text, expected) in [
        ("due", "due", true),
        ("due", "due ", false),
        ("<time>", "", true),
        ("a<x>c", "abc", true),
        ("a<x>c", "ac", true),
        ("a<x>c", "abd", false),
        ("a<x>c<y>e", "a.c.c.e", true),
        ("a<x>c<y>e", "a.e.c", false),
        ("a < b", "a < b", true),
    ] {
        assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
    }
}
