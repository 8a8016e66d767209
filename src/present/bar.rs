//! One line for status bars: JSON as waybar reads it, or a text with placeholders.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::text::{clock, from_now};
use crate::core::text::filled;
use crate::protocol::{NextOccurrence, OccurrenceDetails, OccurrenceState, Status, ZonedTime};

/// Returns what a bar shows when the daemon cannot be reached.
#[must_use]
pub fn unreachable() -> String {
    json!({ "text": "", "tooltip": "dosed is not running", "class": "unreachable", "alt": "unreachable" })
        .to_string()
}

/// Returns the state as waybar's `return-type: json` reads it: what is due, else what comes next.
#[must_use]
pub fn waybar(status: &Status, today: &[OccurrenceDetails], now: Timestamp) -> String {
    let due: Vec<&OccurrenceDetails> = due(today).collect();
    let next = status.next.as_ref();
    let (text, class) = match (due.as_slice(), next) {
        ([], None) => (String::new(), "idle"),
        ([], Some(next)) => (format!("{} {}", next_name(next), clock(&next.occurrence.at.0, now)), "idle"),
        ([one], _) => (name(one).to_owned(), "due"),
        (several, _) => (format!("{} due", several.len()), "due"),
    };
    let time = |at: &ZonedTime| clock(&at.0, now);
    let mut lines: Vec<String> =
        due.iter().map(|row| format!("due: {}, {}", name(row), time(&row.occurrence.at))).collect();
    lines.extend(next.map(|next| format!("next: {}, {}", next_name(next), time(&next.occurrence.at))));
    lines.extend(status.schedule.error.clone());
    let class = if status.schedule.error.is_some() { "error" } else { class };
    json!({ "text": markup(&text), "tooltip": markup(&lines.join("\n")), "class": class, "alt": class })
        .to_string()
}

/// The placeholders in addition to the members of `dosed status --json`.
const PLACEHOLDERS: [&str; 5] = ["due", "due.name", "next.name", "next.time", "next.in"];

/// Fills in a text: `{next.name} {next.in}`, and any member of `dosed status --json`; `{{` is a brace.
///
/// # Errors
///
/// A placeholder is not known, or a brace is not closed; the error says which.
pub fn template(
    format: &str,
    status: &Status,
    today: &[OccurrenceDetails],
    now: Timestamp,
) -> Result<String, String> {
    // Placeholders name members of the JSON.
    let members = serde_json::to_value(status).map_err(|error| error.to_string())?;
    filled(format, |placeholder| fill(placeholder, status, &members, today, now))
}

fn fill(
    placeholder: &str,
    status: &Status,
    members: &Value,
    today: &[OccurrenceDetails],
    now: Timestamp,
) -> Result<String, String> {
    let next = status.next.as_ref();
    let of_next = |text: &dyn Fn(&NextOccurrence) -> String| next.map(text).unwrap_or_default();
    Ok(match placeholder {
        "due" => due(today).count().to_string(),
        "due.name" => due(today).map(name).collect::<Vec<_>>().join(", "),
        "next.name" => of_next(&|next| next_name(next).to_owned()),
        "next.time" => of_next(&|next| clock(&next.occurrence.at.0, now)),
        "next.in" => of_next(&|next| from_now(next.occurrence.at.timestamp(), now)),
        other => {
            let found = other.split('.').try_fold(members, |found, part| found.get(part));
            match found {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Null) => String::new(),
                Some(value) if !value.is_object() && !value.is_array() => value.to_string(),
                // Where nothing comes next, its members are empty.
                _ if next.is_none() && other.starts_with("next.") => String::new(),
                _ => {
                    return Err(format!(
                        "unknown placeholder `{other}`: known are {}, and the members of `dosed status --json`",
                        PLACEHOLDERS.join(", ")
                    ));
                }
            }
        }
    })
}

fn due(today: &[OccurrenceDetails]) -> impl Iterator<Item = &OccurrenceDetails> {
    today.iter().filter(|row| row.occurrence.state == OccurrenceState::Due)
}

/// Returns a name for a screen that others see too.
fn name(row: &OccurrenceDetails) -> &str {
    if row.private { "Reminder" } else { &row.occurrence.name }
}

fn next_name(next: &NextOccurrence) -> &str {
    if next.private { "Reminder" } else { &next.occurrence.name }
}

/// Makes text safe for bars that read Pango markup.
fn markup(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::present::tests::{occurrence, status};

    fn example() -> (Status, Vec<OccurrenceDetails>, Timestamp) {
        let mut status = status();
        let next = occurrence("C & D", "2026-11-25T20:00:00+00:00[UTC]", OccurrenceState::Upcoming);
        status.next = Some(NextOccurrence { occurrence: next.occurrence, private: false });
        let secret = occurrence("Secret", "2026-11-25T09:00:00+00:00[UTC]", OccurrenceState::Due);
        let today = vec![
            occurrence("Probiotic", "2026-11-25T08:00:00+00:00[UTC]", OccurrenceState::Due),
            occurrence("Calcium", "2026-11-25T08:00:00+00:00[UTC]", OccurrenceState::Taken),
            OccurrenceDetails { private: true, ..secret },
        ];
        (status, today, "2026-11-25T19:15:00Z".parse().unwrap())
    }

    #[test]
    fn bars_show_what_is_due_else_what_comes_next() {
        let (mut status, mut today, now) = example();
        let read = |status: &Status, today: &[OccurrenceDetails]| -> Value {
            serde_json::from_str(&waybar(status, today, now)).unwrap()
        };
        let bar = read(&status, &today);
        assert_eq!((&bar["text"], &bar["class"]), (&json!("2 due"), &json!("due")));
        assert_eq!(bar["tooltip"], "due: Probiotic, 08:00\ndue: Reminder, 09:00\nnext: C &amp; D, 20:00");
        today.clear();
        assert_eq!(read(&status, &today)["text"], "C &amp; D 20:00");
        status.next = None;
        let bar = read(&status, &today);
        assert_eq!((&bar["text"], &bar["class"]), (&json!(""), &json!("idle")));
        status.schedule.error = Some("wrong".to_owned());
        assert_eq!(read(&status, &today)["class"], "error");
    }

    #[test]
    fn placeholders_are_filled_in() {
        let (mut status, today, now) = example();
        for (format, expected) in [
            ("{next.name} {next.in}", Ok("C & D in 45 min")),
            ("{due}: {due.name} {{{next.time}}}", Ok("2: Probiotic, Reminder {20:00}")),
            ("{pid} {zone}{schedule.error}", Ok("7 UTC")),
            ("plain", Ok("plain")),
            ("{nxt}", Err("unknown placeholder `nxt`")),
            ("{schedule}", Err("unknown placeholder `schedule`")),
            ("{next", Err("unmatched brace")),
            ("next}", Err("unmatched brace")),
        ] {
            match (template(format, &status, &today, now), expected) {
                (Ok(got), Ok(expected)) => assert_eq!(got, expected),
                (Err(got), Err(expected)) => assert!(got.contains(expected), "{got}"),
                (got, expected) => panic!("{format}: {got:?}, not {expected:?}"),
            }
        }
        status.next = None;
        assert_eq!(template("{next.name}{next.in}{next.dose}", &status, &today, now).unwrap(), "");
    }
}
