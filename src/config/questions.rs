//! The questions of a check-in, as the schedule names them.

use super::file::ItemToml;
use crate::schedule::{Kind, Question, Questions};

/// The most questions of one check-in: whoever is asked more leaves them out.
const MAX_QUESTIONS: usize = 20;

/// The longest text of a question, in bytes.
const MAX_TEXT_BYTES: usize = 200;

/// What every form asks beside its questions.
const TAKEN: [&str; 2] = ["changed", "note"];

/// Makes what a check-in asks out of its keys.
pub(super) fn lower(kind: Kind, item: &ItemToml, wrong: &mut impl FnMut(&str, String, &str)) -> Questions {
    for (key, given) in [("short", item.short), ("questions", item.questions.is_some())] {
        if given && kind != Kind::CheckIn {
            wrong(
                key,
                format!("`{key}` has no sense for a {}", kind.as_str()),
                "only a check-in asks questions",
            );
        }
    }
    let Some(questions) = &item.questions else {
        return if item.short { Questions::Short } else { Questions::Full };
    };
    if item.short {
        wrong("short", "`short` cannot stand beside `questions`".to_owned(), "keep one of the two");
    }
    if questions.is_empty() || questions.len() > MAX_QUESTIONS {
        wrong("questions", "that is no number of questions".to_owned(), "ask 1 to 20");
    }
    let mut own: Vec<Question> = Vec::new();
    for question in questions {
        let key = question.key.0.to_string();
        if TAKEN.contains(&key.as_str()) || own.iter().any(|other| other.key == key) {
            wrong(
                "questions",
                format!("the key `{key}` is used already"),
                "give each question a key of its own",
            );
        }
        let texts = [&question.text, &question.low, &question.high].map(|text| text.trim());
        if texts.iter().any(|text| text.is_empty() || text.len() > MAX_TEXT_BYTES) {
            let help = "write what is asked and what 0 and 10 mean, in 200 bytes each";
            wrong("questions", format!("`{key}` has an empty or a very long text"), help);
        }
        let [text, low, high] = texts.map(|text| text.to_owned().into());
        own.push(Question { key: key.into(), text, low, high });
    }
    Questions::Own(own)
}
