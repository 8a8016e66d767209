//! What is wrong with a schedule, shown like a good compiler shows it.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

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
        // `what is wrong: what would be right` is how the parsers of this program say it.
        let message = error.message().trim_end().to_owned();
        if let Some(rest) = message.strip_prefix("unknown field `") {
            if let Some((field, expected)) = rest.split_once('`') {
                let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
                return Self::new(span, format!("unknown key `{field}`"), known_keys(field, &known));
            }
        }
        if let Some(rest) = message.strip_prefix("missing field `") {
            let field = rest.split('`').next().unwrap_or_default();
            return Self::new(span, format!("the key `{field}` is missing"), example(field));
        }
        match message.split_once(": ") {
            Some((what, right)) if what.starts_with('`') => Self::new(span, what, right),
            _ => Self { span, message, help: None },
        }
    }

    /// Returns the line and column, both from 1, at which the problem begins.
    #[must_use]
    pub fn place(&self, text: &str) -> (usize, usize) {
        let before = text.get(..self.span.start).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }
}

fn example(field: &str) -> String {
    let value = match field {
        "id" => "\"probiotic\"",
        "dose" => "\"500 mg\"",
        "every" | "by" => "\"15m\"",
        "from" => "2026-12-01",
        _ => "3",
    };
    format!("add `{field} = {value}`, for example")
}

fn known_keys(field: &str, known: &[&str]) -> String {
    let nearest = known
        .iter()
        .map(|key| (strsim::damerau_levenshtein(field, key), key))
        .filter(|(distance, key)| *distance <= 2 || key.starts_with(field))
        .min_by_key(|(distance, _)| *distance);
    match nearest {
        Some((_, key)) => format!("did you mean `{key}`?"),
        None => format!("known keys here: {}", known.join(", ")),
    }
}

/// Renders problems with the lines that they are about, underlined.
#[must_use]
pub fn render(path: &str, text: &str, problems: &[Problem], colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    problems
        .iter()
        .map(|problem| {
            let span = visible(&problem.span, text);
            let snippet = Snippet::source(text).path(path).annotation(AnnotationKind::Primary.span(span));
            let mut group = Level::ERROR.primary_title(problem.message.as_str()).element(snippet);
            if let Some(help) = &problem.help {
                group = group.element(Level::HELP.message(help.as_str()));
            }
            renderer.render(&[group])
        })
        .collect::<Vec<_>>()
        .join("\n\n")
}

/// Keeps an underline to one line: the first of what is wrong.
fn visible(span: &Range<usize>, text: &str) -> Range<usize> {
    let Some(inside) = text.get(span.clone()) else { return 0..0 };
    let first = inside.find('\n').unwrap_or(inside.len());
    span.start..span.start + first
}
