//! Makes the questions of a check-in from its keys, and reports what is wrong with them.

use super::file::ItemToml;
use super::report::Reporter;
use crate::core::schedule::{Kind, Question, QuestionSet};

/// The most questions of one check-in; longer forms are left unanswered.
const MAX_QUESTIONS: usize = 20;

/// The longest text of a question, in bytes.
const MAX_TEXT_BYTES: usize = 200;

/// What every form asks besides its questions.
const RESERVED_KEYS: [&str; 2] = ["changed", "note"];

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
        let texts = [&question.text, &question.low, &question.high].map(|text| text.trim());
        if texts.iter().any(|text| text.is_empty() || text.len() > MAX_TEXT_BYTES) {
            let message = format!("`text`, `low` and `high` of `{key}` must have 1 to 200 bytes each");
            reporter.error("questions", message, "write the question and what 0 and 10 mean");
        }
        let [text, low, high] = texts.map(|text| text.to_owned().into());
        own.push(Question { key: key.into(), text, low, high });
    }
    QuestionSet::Custom(own)
}
