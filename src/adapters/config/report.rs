//! What is wrong with a schedule: collected by key, and rendered as a compiler renders it.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde::{Deserialize, Serialize};

use crate::core::schedule::ParseError;
use crate::core::text::{is_control, visible};

/// One thing that is wrong with a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, in bytes of the text.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
}

impl Problem {
    pub(super) fn new(span: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: Some(help.into()) }
    }

    /// Turns an error of the TOML reader into a problem, with a guess at what was meant.
    pub(super) fn from_toml(error: &toml::de::Error, text: &str) -> Self {
        let span = error.span().unwrap_or(0..0);
        let span = span.start.min(text.len())..span.end.min(text.len());
        let message = error.message().trim_end();
        if let Some(ParseError { message, help }) = from_serde(message) {
            return Self::new(span, message, help);
        }
        // The texts of serde; the names in them come from the file.
        if let Some((key, known)) = unknown_name(message, "unknown field `") {
            return Self::new(span, format!("unknown key `{key}`"), nearest(key, &known, "known keys here"));
        }
        if let Some((value, known)) = unknown_name(message, "unknown variant `") {
            return Self::new(
                span,
                format!("unknown value `{value}`"),
                nearest(value, &known, "known values"),
            );
        }
        if let Some(key) = missing_key(error) {
            return Self::new(span, format!("the key `{key}` is missing"), example(key));
        }
        Self { span, message: message.to_owned(), help: None }
    }

    /// Returns the line and column, both from 1, at which the problem begins.
    #[must_use]
    pub fn position(&self, text: &str) -> (usize, usize) {
        let before = text.get(..self.span.start).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }
}

/// Collects the problems of one table of the file.
pub(super) struct Reporter<'a> {
    text: &'a str,
    /// The table's own text, up to the next table.
    table: Range<usize>,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Reporter<'a> {
    pub(super) fn new(text: &'a str, table: Range<usize>, problems: &'a mut Vec<Problem>) -> Self {
        Self { text, table, problems }
    }

    /// Adds a problem with a key of the table.
    pub(super) fn error(&mut self, key: &str, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem::new(self.span_of(key), message, help));
    }

    /// Returns how many problems there are, those of other tables included.
    pub(super) fn count(&self) -> usize {
        self.problems.len()
    }

    /// Returns the span of a key's line inside the table, or of the table's own first line.
    fn span_of(&self, key: &str) -> Range<usize> {
        let mut start = self.table.start;
        let inside = self.text.get(self.table.clone()).unwrap_or_default();
        for line in inside.split_inclusive('\n') {
            let bare = line.trim_start();
            let indent = line.len() - bare.len();
            if bare.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('=')) {
                return start + indent..start + line.trim_end().len();
            }
            start += line.len();
        }
        let first = inside.lines().next().unwrap_or_default();
        self.table.start..self.table.start + first.trim_end().len()
    }
}

/// A [`ParseError`] on its way through serde, whose errors carry one text.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Carried {
    message: String,
    help: String,
}

/// Makes an error of serde that carries message and help apart.
pub(super) fn to_serde<E: serde::de::Error>(error: ParseError) -> E {
    let ParseError { message, help } = error;
    // JSON, as both parts may quote the file, which can hold any separator.
    E::custom(serde_json::to_string(&Carried { message, help }).unwrap_or_default())
}

/// Reads back what [`to_serde`] wrote; `None` for an error of serde itself.
pub(super) fn from_serde(text: &str) -> Option<ParseError> {
    let Carried { message, help } = serde_json::from_str(text).ok()?;
    Some(ParseError { message, help })
}

/// Reads an error of serde about a name that it does not know, and the names that it does.
fn unknown_name<'e>(message: &'e str, prefix: &str) -> Option<(&'e str, Vec<&'e str>)> {
    let (name, expected) = message.strip_prefix(prefix)?.rsplit_once("`, expected ")?;
    Some((name, expected.split('`').skip(1).step_by(2).collect()))
}

/// Returns the key that an error of serde says is missing.
pub(super) fn missing_key(error: &toml::de::Error) -> Option<&str> {
    error.message().strip_prefix("missing field `")?.split('`').next()
}

fn example(key: &str) -> String {
    let value = match key {
        "id" => "\"probiotic\"",
        "dose" => "\"500 mg\"",
        "every" | "by" | "after" => "\"15m\"",
        "from" => "2026-12-01",
        "kind" => "\"ntfy\"",
        "channel" => "\"phone\"",
        "key" => "\"rest\"",
        "text" => "\"How rested are you?\"",
        "low" => "\"not at all\"",
        "high" => "\"very\"",
        _ => "3",
    };
    format!("add `{key} = {value}`, for example")
}

fn nearest(name: &str, known: &[&str], otherwise: &str) -> String {
    let nearest = known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .filter(|(distance, known)| *distance <= 2 || known.starts_with(name))
        .min_by_key(|(distance, _)| *distance);
    match nearest {
        Some((_, known)) => format!("did you mean `{known}`?"),
        None => format!("{otherwise}: {}", known.join(", ")),
    }
}

/// The longest line that is shown, in bytes: a longer one is only named.
const MAX_LINE_BYTES: usize = 4096;

/// Renders problems with the lines that they are about, underlined, and without control characters of the file.
#[must_use]
pub fn render(path: &str, text: &str, problems: &[Problem], colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    problems
        .iter()
        .map(|problem| {
            let (message, help) = (visible(&problem.message), problem.help.as_deref().map(visible));
            let (line, number, span) = first_line(&problem.span, text);
            let line = if line.len() > MAX_LINE_BYTES { String::new() } else { plain(line) };
            let span = if line.is_empty() { 0..0 } else { span };
            let snippet = Snippet::source(&line).path(path).line_start(number);
            let snippet = snippet.annotation(AnnotationKind::Primary.span(span));
            let mut group = Level::ERROR.primary_title(&*message).element(snippet);
            if let Some(help) = &help {
                group = group.element(Level::HELP.message(&**help));
            }
            renderer.render(&[group])
        })
        .collect::<Vec<_>>()
        .join("\n\n")
}

/// Returns the first line of what is wrong, its number, and what is underlined of it.
fn first_line<'t>(span: &Range<usize>, text: &'t str) -> (&'t str, usize, Range<usize>) {
    let (before, inside) = match (text.get(..span.start), text.get(span.clone())) {
        (Some(before), Some(inside)) => (before, inside),
        _ => ("", ""),
    };
    let starts = before.rfind('\n').map_or(0, |end| end + 1);
    let rest = &text[starts..];
    let line = rest.split(['\r', '\n']).next().unwrap_or_default();
    let start = (before.len() - starts).min(line.len());
    let underlined = inside.find(['\r', '\n']).unwrap_or(inside.len());
    (line, before.matches('\n').count() + 1, start..start + underlined.min(line.len() - start))
}

/// Replaces each control character by one that takes as many bytes, so that what is underlined stays in its place.
fn plain(line: &str) -> String {
    let replace = |c: char| match c.len_utf8() {
        _ if !is_control(c) => c,
        1 => '?',
        2 => '\u{bf}',
        _ => char::REPLACEMENT_CHARACTER,
    };
    line.chars().map(replace).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_has_of_control_characters_is_not_shown() {
        let text = "a = 1\nb\u{1b}\u{9b}\u{202e} = \u{2066}oops\nc = 2\n";
        let at = text.find("oops").unwrap();
        let problem = Problem::new(at..at + 7, "no \u{1b}[31m", "not \u{9b}");
        let shown = render("x.toml", text, &[problem], false);
        let long = format!("a = 1\r\nx = [{}]\r\n", "[],".repeat(100_000));
        let of_long = Problem { span: 11..12, message: "bad".to_owned(), help: None };
        assert_eq!(
            render("x.toml", &long, &[of_long], false),
            "error: bad\n --> x.toml:2:1\n  |\n2 |\n  | ^"
        );
        assert_eq!(
            shown,
            "error: no \\u{1b}[31m\n --> x.toml:2:9\n  |\n2 | b?\u{bf}\u{fffd} = \u{fffd}oops\n  |         ^^^^\n  |\n  = help: not \\u{9b}"
        );
    }
}
