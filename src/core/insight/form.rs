//! The questions of a check-in and of a scan, in the project's own words.

use std::collections::BTreeMap;

use std::borrow::Cow;

use crate::core::ledger::{CheckIn, Density, FormData, ParseFormDataError, Scan, ScanRegion, parse_score};
use crate::core::schedule::{Item, Question, QuestionSet};

/// The shipped form with its version; a changed wording is another form, and another series.
pub const FORM: &str = "dosed check-in v1";

/// The short one: three questions of the long one in the same words, so that both are one series.
pub const SHORT_FORM: &str = "dosed short check-in v1";

/// The language in which they ask.
pub const LANGUAGE: &str = "en";

/// Of a person's own questions the language is not known (BCP 47).
const UNDETERMINED: &str = "und";

/// Which questions the short form asks: those that most can answer at once.
const SHORT_KEYS: [&str; 3] = ["bloating", "energy", "wellness"];

/// The highest answer; the lowest is 0.
pub const HIGHEST: u8 = 10;

/// A difference smaller than this is no clear change (by analogy with 2.2 for abdominal pain).
pub const CLEAR_CHANGE: u8 = 2;

/// The key under which a check-in records what had changed.
pub const CHANGED: &str = "changed";

/// The most of a text answer, in bytes.
const MAX_TEXT_BYTES: usize = 1000;

/// What a check-in asks, under its name and in its language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckInForm {
    /// Its name with its version.
    pub name: String,
    /// Its language.
    pub language: &'static str,
    /// Its questions, in their order.
    pub questions: Vec<Question>,
}

impl CheckInForm {
    /// Returns the shipped form.
    #[must_use]
    pub fn shipped() -> Self {
        Self { name: FORM.to_owned(), language: LANGUAGE, questions: QUESTIONS.into_iter().collect() }
    }
}

const fn question(key: &'static str, text: &'static str, low: &'static str, high: &'static str) -> Question {
    Question {
        key: Cow::Borrowed(key),
        text: Cow::Borrowed(text),
        low: Cow::Borrowed(low),
        high: Cow::Borrowed(high),
        number: None,
    }
}

/// The shipped questions about the past 7 days, in their order.
pub const QUESTIONS: [Question; 5] = [
    question("bloating", "Bloating", "none", "worst imaginable"),
    question("discomfort", "Abdominal discomfort", "none", "worst imaginable"),
    question("regularity", "Bowel regularity", "very irregular", "very regular"),
    question("energy", "Energy", "exhausted", "full of energy"),
    question("wellness", "Overall wellness", "very bad", "very good"),
];

/// Returns the form of a check-in.
///
/// The name of a person's own carries a checksum of its wording: other words are another series.
#[must_use]
pub fn form_of(item: &Item) -> CheckInForm {
    match &item.questions {
        QuestionSet::Full => CheckInForm::shipped(),
        QuestionSet::Short => {
            let questions =
                QUESTIONS.into_iter().filter(|question| SHORT_KEYS.contains(&&*question.key)).collect();
            CheckInForm { name: SHORT_FORM.to_owned(), language: LANGUAGE, questions }
        }
        QuestionSet::Custom(questions) => {
            let texts = |asked: &Question| {
                let texts = [&asked.key, &asked.text, &asked.low, &asked.high].map(ToString::to_string);
                let unit = asked.number.as_ref().map(|number| number.unit.clone());
                texts.into_iter().chain(unit).collect::<Vec<String>>()
            };
            let wording = questions.iter().flat_map(texts).collect::<Vec<String>>().join("\n");
            let name = format!("{} {:08x}", item.id, crc32fast::hash(wording.as_bytes()));
            CheckInForm { name, language: UNDETERMINED, questions: questions.clone() }
        }
    }
}

/// Tells whether a check-in answers the shipped questions, all of them or the short form.
#[must_use]
pub fn is_shipped(check_in: &CheckIn) -> bool {
    check_in.language == LANGUAGE && [FORM, SHORT_FORM].contains(&check_in.form.as_str())
}

/// Tells whether the answers of two check-ins belong to one series.
#[must_use]
pub fn same_series(one: &CheckIn, other: &CheckIn) -> bool {
    (&one.form, &one.language) == (&other.form, &other.language) || is_shipped(one) && is_shipped(other)
}

/// What is asked of a scan: the name, what is asked, and how it is written.
pub const SCAN_QUESTIONS: [(&str, &str, &str); 10] = [
    ("region", "Region", "lumbar-spine, total-hip, femoral-neck or one-third-radius"),
    ("bmd", "Bone mineral density in g/cm2", "as printed, such as 0.912"),
    ("facility", "Where it was made", "scans of different places are not compared"),
    ("device", "Model of the device", "such as Hologic Horizon"),
    ("device-id", "Serial number of the device, if the report gives it", "such as 12345M"),
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
pub fn parse_check_in(form: &CheckInForm, answers: &BTreeMap<String, String>) -> Result<CheckIn, String> {
    let answers = &as_asked(&form.questions, answers);
    known_only(answers, form.questions.iter().map(|question| &*question.key).chain([CHANGED]).collect())?;
    let (mut found, mut values) = (BTreeMap::new(), BTreeMap::new());
    for question in &form.questions {
        if let Some(number) = &question.number {
            let read = |text: &str| {
                let wrong =
                    || format!("`{}` is answered with a number ({number}), not `{text}`", question.key);
                number.read(text).ok_or_else(wrong)
            };
            values.insert(question.key.to_string(), given(answers, &question.key).map(read).transpose()?);
            continue;
        }
        let answer = match given(answers, &question.key) {
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
        found.insert(question.key.to_string(), answer);
    }
    if found.values().all(Option::is_none) && values.values().all(Option::is_none) {
        return Err("nothing is answered".to_owned());
    }
    let changed = text(answers, CHANGED)?;
    Ok(CheckIn {
        form: form.name.clone(),
        language: form.language.to_owned(),
        answers: found,
        values,
        changed,
    })
}

/// Makes the record of a scan out of answers by name.
///
/// # Errors
///
/// A name is none of the form's, the region or the density is missing, or one cannot be read.
pub fn parse_scan(answers: &BTreeMap<String, String>) -> Result<Scan, String> {
    let answers = &as_asked(&[], answers);
    known_only(answers, SCAN_QUESTIONS.iter().map(|(key, _, _)| *key).collect())?;
    let missing = |key: &str| format!("`{key}` is missing");
    let read = |error: ParseFormDataError| error.to_string();
    let region: ScanRegion =
        given(answers, "region").ok_or_else(|| missing("region"))?.parse().map_err(read)?;
    let bmd: Density = given(answers, "bmd").ok_or_else(|| missing("bmd"))?.parse().map_err(read)?;
    let lsc = given(answers, "lsc").map(|lsc| lsc.parse().map_err(read)).transpose()?;
    let side = match text(answers, "side")?.map(|side| side.to_lowercase()).as_deref() {
        None => None,
        Some("left" | "l") => Some("left".to_owned()),
        Some("right" | "r") => Some("right".to_owned()),
        Some(_) => return Err("`side` is left or right".to_owned()),
    };
    let score = |key: &str| {
        given(answers, key).map(parse_score).transpose().map_err(|error| format!("`{key}`: {error}"))
    };
    Ok(Scan {
        facility: text(answers, "facility")?,
        device: text(answers, "device")?,
        device_id: text(answers, "device-id")?,
        region,
        side,
        vertebrae: text(answers, "vertebrae")?,
        bmd,
        t_score: score("t-score")?,
        z_score: score("z-score")?,
        lsc,
    })
}

/// Returns what was recorded as the answers that would record it again.
#[must_use]
pub fn form_values(form_data: &FormData) -> BTreeMap<String, String> {
    let given = match form_data {
        FormData::CheckIn(CheckIn { answers, values, changed, .. }) => {
            let answers = answers.iter().map(|(key, answer)| (key.as_str(), answer.map(|n| n.to_string())));
            let values = values.iter().map(|(key, value)| (key.as_str(), value.clone()));
            answers.chain(values).chain([(CHANGED, changed.clone())]).collect::<Vec<_>>()
        }
        FormData::Scan(scan) => {
            let scan = scan.clone();
            vec![
                ("region", Some(scan.region.as_str().to_owned())),
                ("bmd", Some(scan.bmd.to_string())),
                ("facility", scan.facility),
                ("device", scan.device),
                ("device-id", scan.device_id),
                ("side", scan.side),
                ("vertebrae", scan.vertebrae),
                ("t-score", scan.t_score),
                ("z-score", scan.z_score),
                ("lsc", scan.lsc.map(|lsc| lsc.to_string())),
            ]
        }
    };
    given.into_iter().filter_map(|(key, answer)| Some((key.to_owned(), answer?))).collect()
}

/// Returns the answers under the names of the forms: a question can be named by its text.
fn as_asked(questions: &[Question], answers: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let name = |key: &String| {
        let words = key.trim().to_lowercase().replace(['_', ' '], "-");
        let asked = questions.iter().find(|question| question.text.to_lowercase().replace(' ', "-") == words);
        asked.map_or(words, |question| question.key.to_string())
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

    fn check_in_of(keys: &str) -> Item {
        let text = format!("[[check-in]]\nid = \"nightly\"\ntimes = [\"21:00\"]\n{keys}\n");
        crate::adapters::config::parse(&text).unwrap().items.remove(0).0
    }

    #[test]
    fn other_words_are_another_series() {
        let own = |low: &str| {
            let keys = format!(
                "questions = [{{ key = \"rest\", text = \"How rested are you?\", low = \"{low}\", high = \"fully\" }}]"
            );
            form_of(&check_in_of(&keys))
        };
        let given = answers(&[("rest", "7")]);
        let (once, same, other) = (own("not at all"), own("not at all"), own("not"));
        assert!(once.name.starts_with("nightly ") && once.name == same.name && once.name != other.name);
        let [once, same, other] = [once, same, other].map(|form| parse_check_in(&form, &given).unwrap());
        assert!(same_series(&once, &same) && !same_series(&once, &other) && !is_shipped(&once));
        // The short form asks in the words of the long one.
        let short = form_of(&check_in_of("short = true"));
        assert_eq!(short.questions.iter().map(|asked| &*asked.key).collect::<Vec<_>>(), SHORT_KEYS);
        let short = parse_check_in(&short, &answers(&[("energy", "5")])).unwrap();
        let full = parse_check_in(&CheckInForm::shipped(), &answers(&[("energy", "6")])).unwrap();
        assert!(same_series(&short, &full) && !same_series(&short, &once));
        assert!(
            parse_check_in(&form_of(&check_in_of("short = true")), &answers(&[("regularity", "5")])).is_err()
        );
    }

    #[test]
    fn what_was_recorded_can_be_given_again() {
        let asked = answers(&[("bloating", "0"), ("energy", "7"), ("changed", "travel")]);
        let recorded = parse_check_in(&CheckInForm::shipped(), &asked).unwrap();
        assert_eq!(form_values(&FormData::CheckIn(recorded)), asked);
        let asked = answers(&[("region", "total-hip"), ("bmd", "0.912"), ("side", "left"), ("lsc", "0.028")]);
        assert_eq!(form_values(&FormData::Scan(parse_scan(&asked).unwrap())), asked);
    }

    #[test]
    fn a_question_can_be_answered_with_a_number_of_its_own() {
        let item = check_in_of(
            "questions = [{ key = \"sys\", text = \"Upper blood pressure\", unit = \"mmHg\", min = 60, max = 260 }, { key = \"rest\", text = \"Rested?\", low = \"no\", high = \"yes\" }]",
        );
        let form = form_of(&item);
        let recorded = parse_check_in(&form, &answers(&[("sys", "128 mmHg")])).unwrap();
        assert_eq!(recorded.values, [("sys".to_owned(), Some("128 mmHg".to_owned()))].into());
        assert_eq!(recorded.answers, [("rest".to_owned(), None)].into());
        assert_eq!(form_values(&FormData::CheckIn(recorded)), answers(&[("sys", "128 mmHg")]));
        let error = parse_check_in(&form, &answers(&[("sys", "300")])).unwrap_err();
        assert_eq!(error, "`sys` is answered with a number (mmHg, 60 to 260), not `300`");
        // Another unit is another series.
        let kilopascal = item.clone();
        let QuestionSet::Custom(mut questions) = kilopascal.questions.clone() else { unreachable!() };
        questions[0].number.as_mut().unwrap().unit = "kPa".to_owned();
        let kilopascal = Item { questions: QuestionSet::Custom(questions), ..kilopascal };
        assert_ne!(form_of(&kilopascal).name, form.name);
    }

    #[test]
    fn what_is_left_out_is_no_zero() {
        let check_in = parse_check_in(
            &CheckInForm::shipped(),
            &answers(&[("bloating", "0"), ("energy", " 7 "), ("changed", "travel")]),
        )
        .unwrap();
        assert_eq!((check_in.answers["bloating"], check_in.answers["energy"]), (Some(0), Some(7)));
        assert_eq!((check_in.answers["wellness"], check_in.changed.as_deref()), (None, Some("travel")));
        assert_eq!(check_in.answers.len(), QUESTIONS.len());
    }

    #[test]
    fn a_question_can_be_named_as_it_is_asked() {
        let found = parse_check_in(
            &CheckInForm::shipped(),
            &answers(&[("overall-wellness", "8"), ("Abdominal discomfort", "2")]),
        )
        .unwrap();
        assert_eq!((found.answers["wellness"], found.answers["discomfort"]), (Some(8), Some(2)));
        let found =
            parse_scan(&answers(&[("region", "total-hip"), ("bmd", "0.9"), ("t_score", "-1.2")])).unwrap();
        assert_eq!(found.t_score.as_deref(), Some("-1.2"));
    }

    #[test]
    fn answers_that_make_no_sense_are_refused() {
        for (given, text) in [
            (&[("bloating", "11")][..], "`bloating` is answered with 0 (none) to 10"),
            (&[("energy", "good")], "0 (exhausted) to 10"),
            (&[("mood", "3")], "`mood` is not asked; known: bloating"),
            (&[("energy", "")], "nothing is answered"),
            (&[], "nothing is answered"),
        ] {
            let error = parse_check_in(&CheckInForm::shipped(), &answers(given)).unwrap_err();
            assert!(error.contains(text), "{error}");
        }
        for (given, text) in [
            (&[("bmd", "0.9")][..], "`region` is missing"),
            (&[("region", "total-hip")], "`bmd` is missing"),
            (&[("region", "hip"), ("bmd", "0.9")], "is not a region"),
            (&[("region", "total-hip"), ("bmd", "912")], "is not a density"),
            (&[("region", "total-hip"), ("bmd", "0.9"), ("side", "both")], "left or right"),
            (
                &[("region", "total-hip"), ("bmd", "0.9"), ("t-score", "banana")],
                "`t-score`: `banana` is not a score",
            ),
            (&[("region", "total-hip"), ("bmd", "0.9"), ("weight", "60")], "`weight` is not asked"),
        ] {
            let error = parse_scan(&answers(given)).unwrap_err();
            assert!(error.contains(text), "{error}");
        }
    }
}
