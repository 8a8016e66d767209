//! One line for status bars: JSON as waybar and its relatives read it, or a text with places to fill in.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{clock, from_now, rows, text, zoned};

/// What a bar is told when the daemon cannot be reached.
#[must_use]
pub fn unreachable() -> String {
    json!({ "text": "", "tooltip": "dosed does not run", "class": "unreachable", "alt": "unreachable" })
        .to_string()
}

/// Returns the state as waybar's `return-type: json` reads it: what is due, else what comes next.
#[must_use]
pub fn waybar(status: &Value, today: &Value, now: Timestamp) -> String {
    let due: Vec<&Value> = due(today).collect();
    let next = &status["next"];
    let (said, class) = match (due.as_slice(), next) {
        ([], Value::Null) => (String::new(), "idle"),
        ([], next) => (format!("{} {}", name(next), time(next, now)), "idle"),
        ([one], _) => (name(one).to_owned(), "due"),
        (several, _) => (format!("{} due", several.len()), "due"),
    };
    let mut lines: Vec<String> =
        due.iter().map(|row| format!("due: {}, {}", name(row), time(row, now))).collect();
    if !next.is_null() {
        lines.push(format!("next: {}, {}", name(next), time(next, now)));
    }
    if let Some(error) = status["schedule"]["error"].as_str() {
        lines.push(error.to_owned());
    }
    let class = if status["schedule"]["error"].is_string() { "error" } else { class };
    json!({ "text": markup(&said), "tooltip": markup(&lines.join("\n")), "class": class, "alt": class })
        .to_string()
}

/// The places that can be filled in beside what `dosed status --json` has.
const PLACES: [&str; 5] = ["due", "due.name", "next.name", "next.time", "next.in"];

/// Fills in a text: `{next.name} {next.in}`, and any member of `dosed status --json`; `{{` is a brace.
///
/// # Errors
///
/// A place is not known, or a brace is not closed; the error says which.
pub fn template(format: &str, status: &Value, today: &Value, now: Timestamp) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = format;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, brace) = rest.split_at(at);
        filled.push_str(before);
        if let Some(after) = brace.strip_prefix("{{").or_else(|| brace.strip_prefix("}}")) {
            filled.push_str(&brace[..1]);
            rest = after;
            continue;
        }
        let inside = brace.strip_prefix('{').and_then(|inside| inside.split_once('}'));
        let (place, after) =
            inside.ok_or_else(|| format!("a brace of `{format}` stands alone: write it twice"))?;
        filled.push_str(&fill(place, status, today, now)?);
        rest = after;
    }
    Ok(filled + rest)
}

fn fill(place: &str, status: &Value, today: &Value, now: Timestamp) -> Result<String, String> {
    let next = &status["next"];
    Ok(match place {
        "due" => due(today).count().to_string(),
        "due.name" => due(today).map(name).collect::<Vec<_>>().join(", "),
        "next.name" => {
            if next.is_null() {
                String::new()
            } else {
                name(next).to_owned()
            }
        }
        "next.time" => time(next, now),
        "next.in" => zoned(text(next, "at")).map(|at| from_now(at.timestamp(), now)).unwrap_or_default(),
        other => {
            let found = other.split('.').try_fold(status, |found, part| found.get(part));
            match found {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Null) => String::new(),
                Some(value) if !value.is_object() && !value.is_array() => value.to_string(),
                // Of nothing, there is no name.
                _ if next.is_null() && other.starts_with("next.") => String::new(),
                _ => {
                    return Err(format!(
                        "there is no `{other}` to fill in: known are {}, and what `dosed status --json` has",
                        PLACES.join(", ")
                    ));
                }
            }
        }
    })
}

fn due(today: &Value) -> impl Iterator<Item = &Value> {
    rows(today).iter().filter(|row| text(row, "state") == "due")
}

/// Returns a name for a screen that others see too.
fn name(row: &Value) -> &str {
    if row["private"] == true { "Reminder" } else { text(row, "name") }
}

fn time(row: &Value, now: Timestamp) -> String {
    zoned(text(row, "at")).map(|at| clock(&at, now)).unwrap_or_default()
}

/// Makes text safe for bars that read Pango markup.
fn markup(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> (Value, Value, Timestamp) {
        let status = json!({ "zone": "UTC", "pid": 7, "next": { "name": "C & D", "at": "2026-11-25T20:00:00+00:00[UTC]" }, "schedule": { "error": null } });
        let today = json!([
            { "name": "Probiotic", "state": "due", "at": "2026-11-25T08:00:00+00:00[UTC]" },
            { "name": "Calcium", "state": "taken", "at": "2026-11-25T08:00:00+00:00[UTC]" },
            { "name": "Secret", "private": true, "state": "due", "at": "2026-11-25T09:00:00+00:00[UTC]" },
        ]);
        (status, today, "2026-11-25T19:15:00Z".parse().unwrap())
    }

    #[test]
    fn bars_are_told_what_is_due_else_what_comes() {
        let (mut status, mut today, now) = example();
        let read = |status: &Value, today: &Value| -> Value {
            serde_json::from_str(&waybar(status, today, now)).unwrap()
        };
        let bar = read(&status, &today);
        assert_eq!((&bar["text"], &bar["class"]), (&json!("2 due"), &json!("due")));
        assert_eq!(bar["tooltip"], "due: Probiotic, 08:00\ndue: Reminder, 09:00\nnext: C &amp; D, 20:00");
        today = json!([]);
        assert_eq!(read(&status, &today)["text"], "C &amp; D 20:00");
        status["next"] = Value::Null;
        assert_eq!(
            (&read(&status, &today)["text"], &read(&status, &today)["class"]),
            (&json!(""), &json!("idle"))
        );
        status["schedule"]["error"] = "wrong".into();
        assert_eq!(read(&status, &today)["class"], "error");
    }

    #[test]
    fn places_are_filled_in() {
        let (status, today, now) = example();
        for (format, expected) in [
            ("{next.name} {next.in}", Ok("C & D in 45 min")),
            ("{due}: {due.name} {{{next.time}}}", Ok("2: Probiotic, Reminder {20:00}")),
            ("{pid} {zone}{schedule.error}", Ok("7 UTC")),
            ("plain", Ok("plain")),
            ("{nxt}", Err("there is no `nxt`")),
            ("{schedule}", Err("there is no `schedule`")),
            ("{next", Err("stands alone")),
            ("next}", Err("stands alone")),
        ] {
            match (template(format, &status, &today, now), expected) {
                (Ok(got), Ok(expected)) => assert_eq!(got, expected),
                (Err(got), Err(expected)) => assert!(got.contains(expected), "{got}"),
                (got, expected) => panic!("{format}: {got:?}, not {expected:?}"),
            }
        }
        // Nothing comes: nothing is said of it, and it is no error.
        let nothing = json!({ "next": null });
        assert_eq!(template("{next.name}{next.in}{next.dose}", &nothing, &today, now).unwrap(), "");
    }
}
