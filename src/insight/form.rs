//! The questions of a check-in and of a scan, in the project's own words.

use std::collections::BTreeMap;

use crate::ledger::{CheckIn, Density, ParseDetailsError, Region, Scan};

/// The form with its version; a changed wording is another form, and another series.
pub const FORM: &str = "dosed check-in v1";

/// The language in which it asks.
pub const LANGUAGE: &str = "en";

/// The highest answer; the lowest is 0.
pub const HIGHEST: u8 = 10;

/// A difference smaller than this is no clear change (by analogy with 2.2 for abdominal pain).
pub const CLEAR_CHANGE: u8 = 2;

/// The key under which a check-in records what had changed.
pub const CHANGED: &str = "changed";

/// The most of a text answer, in bytes.
const MAX_TEXT_BYTES: usize = 1000;

/// A question of the check-in, about the past 7 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// Its name.
    pub key: &'static str,
    /// What is asked.
    pub text: &'static str,
    /// What 0 means.
    pub low: &'static str,
    /// What 10 means.
    pub high: &'static str,
}

/// The questions, in their order.
pub const QUESTIONS: [Question; 5] = [
    Question { key: "bloating", text: "Bloating", low: "none", high: "worst imaginable" },
    Question { key: "discomfort", text: "Abdominal discomfort", low: "none", high: "worst imaginable" },
    Question { key: "regularity", text: "Bowel regularity", low: "very irregular", high: "very regular" },
    Question { key: "energy", text: "Energy", low: "exhausted", high: "full of energy" },
    Question { key: "wellness", text: "Overall wellness", low: "very bad", high: "very good" },
];

/// What is asked of a scan: the name, what is asked, and how it is written.
pub const SCAN_QUESTIONS: [(&str, &str, &str); 10] = [
    ("region", "Region", "lumbar-spine, total-hip, femoral-neck or one-third-radius"),
    ("bmd", "Bone mineral density in g/cm2", "as printed, such as 0.912"),
    ("facility", "Where it was made", "scans of different places are not compared"),
    ("device", "Model of the device", "such as Hologic Horizon"),
    ("device-id", "The very device, if the report names it", "a serial number"),
    ("side", "Side, of hip and radius", "left or right"),
    ("vertebrae", "Vertebrae, of the spine", "such as L1-L4"),
    ("t-score", "T-score", "as printed"),
    ("z-score", "Z-score", "as printed"),
    ("lsc", "Least significant change in g/cm2", "if the report gives it, such as 0.028"),
];

/// Makes the record of a check-in out of answers by name; what is not answered was left out.
///
/// # Errors
///
/// A name is none of the form's, or an answer is not from 0 to 10.
pub fn check_in(answers: &BTreeMap<String, String>) -> Result<CheckIn, String> {
    let answers = &as_asked(answers);
    let known = || QUESTIONS.iter().map(|question| question.key).chain([CHANGED]);
    known_only(answers, known().collect())?;
    let mut found = BTreeMap::new();
    for question in QUESTIONS {
        let answer = match given(answers, question.key) {
            None => None,
            Some(text) => {
                let wrong = || {
                    format!(
                        "`{}` is answered with 0 ({}) to 10 ({}), not `{text}`",
                        question.key, question.low, question.high
                    )
                };
                Some(text.parse().ok().filter(|answer| *answer <= HIGHEST).ok_or_else(wrong)?)
            }
        };
        found.insert(question.key.to_owned(), answer);
    }
    if found.values().all(Option::is_none) {
        return Err("nothing is answered".to_owned());
    }
    let changed = text(answers, CHANGED)?;
    Ok(CheckIn { form: FORM.to_owned(), language: LANGUAGE.to_owned(), answers: found, changed })
}

/// Makes the record of a scan out of answers by name.
///
/// # Errors
///
/// A name is none of the form's, the region or the density is missing, or one cannot be read.
pub fn scan(answers: &BTreeMap<String, String>) -> Result<Scan, String> {
    let answers = &as_asked(answers);
    known_only(answers, SCAN_QUESTIONS.iter().map(|(key, _, _)| *key).collect())?;
    let missing = |key: &str| format!("`{key}` is missing");
    let read = |error: ParseDetailsError| error.to_string();
    let region: Region = given(answers, "region").ok_or_else(|| missing("region"))?.parse().map_err(read)?;
    let bmd: Density = given(answers, "bmd").ok_or_else(|| missing("bmd"))?.parse().map_err(read)?;
    let lsc = given(answers, "lsc").map(|lsc| lsc.parse().map_err(read)).transpose()?;
    let side = text(answers, "side")?;
    if side.as_deref().is_some_and(|side| !matches!(side, "left" | "right")) {
        return Err("`side` is left or right".to_owned());
    }
    Ok(Scan {
        facility: text(answers, "facility")?,
        device: text(answers, "device")?,
        device_id: text(answers, "device-id")?,
        region,
        side,
        vertebrae: text(answers, "vertebrae")?,
        bmd,
        t_score: text(answers, "t-score")?,
        z_score: text(answers, "z-score")?,
        lsc,
    })
}

/// Returns the answers under the names of the forms: a question can be named as it is asked, in words.
fn as_asked(answers: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let name = |key: &String| {
        let words = key.trim().to_lowercase().replace(['_', ' '], "-");
        let asked = QUESTIONS.iter().find(|question| question.text.to_lowercase().replace(' ', "-") == words);
        asked.map_or(words, |question| question.key.to_owned())
    };
    answers.iter().map(|(key, answer)| (name(key), answer.clone())).collect()
}

fn known_only(answers: &BTreeMap<String, String>, known: Vec<&str>) -> Result<(), String> {
    match answers.keys().find(|key| !known.contains(&key.as_str())) {
        Some(stray) => Err(format!("`{stray}` is not asked; known: {}", known.join(", "))),
        None => Ok(()),
    }
}

fn given<'a>(answers: &'a BTreeMap<String, String>, key: &str) -> Option<&'a str> {
    answers.get(key).map(|text| text.trim()).filter(|text| !text.is_empty())
}

fn text(answers: &BTreeMap<String, String>, key: &str) -> Result<Option<String>, String> {
    match given(answers, key) {
        Some(text) if text.len() > MAX_TEXT_BYTES => {
            Err(format!("`{key}` is longer than {MAX_TEXT_BYTES} bytes"))
        }
        text => Ok(text.map(ToOwned::to_owned)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(given: &[(&str, &str)]) -> BTreeMap<String, String> {
        given.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn what_is_left_out_is_no_zero() {
        let check_in =
            check_in(&answers(&[("bloating", "0"), ("energy", " 7 "), ("changed", "travel")])).unwrap();
        assert_eq!((check_in.answers["bloating"], check_in.answers["energy"]), (Some(0), Some(7)));
        assert_eq!((check_in.answers["wellness"], check_in.changed.as_deref()), (None, Some("travel")));
        assert_eq!(check_in.answers.len(), QUESTIONS.len());
    }

    #[test]
    fn a_question_can_be_named_as_it_is_asked() {
        let found = check_in(&answers(&[("overall-wellness", "8"), ("Abdominal discomfort", "2")])).unwrap();
        assert_eq!((found.answers["wellness"], found.answers["discomfort"]), (Some(8), Some(2)));
        let found = scan(&answers(&[("region", "total-hip"), ("bmd", "0.9"), ("t_score", "-1.2")])).unwrap();
        assert_eq!(found.t_score.as_deref(), Some("-1.2"));
    }

    #[test]
    fn answers_that_make_no_sense_are_refused() {
        for (given, said) in [
            (&[("bloating", "11")][..], "`bloating` is answered with 0 (none) to 10"),
            (&[("energy", "good")], "0 (exhausted) to 10"),
            (&[("mood", "3")], "`mood` is not asked; known: bloating"),
            (&[("energy", "")], "nothing is answered"),
            (&[], "nothing is answered"),
        ] {
            let error = check_in(&answers(given)).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
        for (given, said) in [
            (&[("bmd", "0.9")][..], "`region` is missing"),
            (&[("region", "total-hip")], "`bmd` is missing"),
            (&[("region", "hip"), ("bmd", "0.9")], "is not a region"),
            (&[("region", "total-hip"), ("bmd", "912")], "is not a density"),
            (&[("region", "total-hip"), ("bmd", "0.9"), ("side", "both")], "left or right"),
            (&[("region", "total-hip"), ("bmd", "0.9"), ("weight", "60")], "`weight` is not asked"),
        ] {
            let error = scan(&answers(given)).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
