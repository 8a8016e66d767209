//! Makes the questions of a check-in from its keys, and reports what is wrong with them.

use super::file::{ItemToml, QuestionToml};
use super::report::Reporter;
use crate::core::schedule::{Decimal, Kind, NumberScale, Question, QuestionSet};

/// The most questions of one check-in; longer forms are left unanswered.
const MAX_QUESTIONS: usize = 20;

/// The longest text of a question, in bytes.
const MAX_TEXT_BYTES: usize = 200;

/// What every form asks besides its questions.
const RESERVED_KEYS: [&str; 2] = ["changed", "note"];

/// Makes the scale of a question that is answered with a number of its own; a bound below zero is none.
fn number_scale(question: &QuestionToml) -> Option<NumberScale> {
    let unit = question.unit.as_ref()?.trim().to_owned();
    let bound = |bound: Option<f64>| bound.and_then(|bound| bound.to_string().parse::<Decimal>().ok());
    Some(NumberScale { unit, min: bound(question.min), max: bound(question.max) })
}

fn check_number(question: &QuestionToml, scale: &NumberScale, reporter: &mut Reporter<'_>) {
    let key = &question.key.0;
    let is_text = |text: &str| !text.is_empty() && text.len() <= MAX_TEXT_BYTES;
    if !is_text(question.text.trim()) || !is_text(&scale.unit) {
        let message = format!("`text` and `unit` of `{key}` must have 1 to 200 bytes each");
        reporter.error(
            "questions",
            message,
            "write the question and what is measured, as in `unit = \"mmHg\"`",
        );
    }
    if question.low.is_some() || question.high.is_some() {
        let message = format!("`{key}` has a `unit`, and `low` or `high`");
        reporter.error("questions", message, "remove `unit` for an answer from 0 to 10, else the other two");
    }
    let is_lost = |given: Option<f64>, read: Option<Decimal>| given.is_some() && read.is_none();
    let is_empty = scale.min.zip(scale.max).is_some_and(|(min, max)| max <= min);
    if is_lost(question.min, scale.min) || is_lost(question.max, scale.max) || is_empty {
        let message = format!("`min` and `max` of `{key}` are not two numbers from 0 on, the smaller first");
        reporter.error("questions", message, "for example `min = 60, max = 260`");
    }
}

/// Makes the questions of a check-in.
pub(super) fn lower(kind: Kind, item: &ItemToml, reporter: &mut Reporter<'_>) -> QuestionSet {
    for (key, given) in [("short", item.short), ("questions", item.questions.is_some())] {
        if given && kind != Kind::CheckIn {
            let message = format!("`{key}` does not apply to a {}", kind.as_str());
            reporter.error(key, message, "only a check-in has questions");
        }
    }
    let Some(questions) = &item.questions else {
        return if item.short { QuestionSet::Short } else { QuestionSet::Full };
    };
    if item.short {
        reporter.error("short", "`short` and `questions` cannot be combined", "remove one of them");
    }
    if questions.is_empty() || questions.len() > MAX_QUESTIONS {
        let help = "remove some, or remove the key for the default questions";
        reporter.error("questions", "`questions` must have 1 to 20 entries", help);
    }
    let mut own: Vec<Question> = Vec::new();
    for question in questions {
        let key = question.key.0.to_string();
        if RESERVED_KEYS.contains(&key.as_str()) {
            let help = "every check-in has it; use another key";
            reporter.error("questions", format!("the key `{key}` is reserved"), help);
        } else if own.iter().any(|other| other.key == key) {
            reporter.error("questions", format!("duplicate key `{key}`"), "give each question its own key");
        }
        let ends = [&question.low, &question.high].map(|end| end.as_deref().unwrap_or_default().trim());
        let is_bad = |text: &str| text.is_empty() || text.len() > MAX_TEXT_BYTES;
        let number = number_scale(question);
        if number.is_none() && [question.text.trim(), ends[0], ends[1]].into_iter().any(is_bad) {
            let message = format!("`text`, `low` and `high` of `{key}` must have 1 to 200 bytes each");
            reporter.error("questions", message, "write the question and what 0 and 10 mean");
        }
        if let Some(scale) = &number {
            check_number(question, scale, reporter);
        } else if question.min.is_some() || question.max.is_some() {
            let help = "add a `unit`, as in `unit = \"mmHg\"`";
            reporter.error("questions", format!("`{key}` has bounds and no `unit`"), help);
        }
        let [low, high] = ends.map(|text| text.to_owned().into());
        own.push(Question {
            key: key.into(),
            text: question.text.trim().to_owned().into(),
            low,
            high,
            number,
        });
    }
    QuestionSet::Custom(own)
}
