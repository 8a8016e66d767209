//! Fills in forms: asks one question after the other, or takes what was given on the command line.

use std::collections::BTreeMap;
use std::io::{BufRead, Write};

use serde_json::{Map, Value};

/// Why a form cannot be filled in.
#[derive(Debug, thiserror::Error)]
pub enum FormError {
    /// Which item is meant is not clear, or there is none.
    #[error("{0}")]
    Item(String),
    /// What was given is no answer.
    #[error("`{0}` is no answer: write it as `bloating=3`")]
    Answer(String),
    /// The terminal is gone.
    #[error("cannot talk to the terminal")]
    Terminal(#[from] std::io::Error),
}

/// Returns the form of an item among all forms: the named one, else the only one of its kind.
///
/// # Errors
///
/// There is no such item, or more than one.
pub fn find<'a>(forms: &'a Value, kind: &str, item: Option<&str>) -> Result<&'a Value, FormError> {
    let of_kind: Vec<&Value> =
        forms.as_array().into_iter().flatten().filter(|form| form["kind"] == kind).collect();
    let names = || of_kind.iter().filter_map(|form| form["item"].as_str()).collect::<Vec<_>>().join(", ");
    match (item, of_kind.as_slice()) {
        (Some(item), _) => {
            let found = of_kind.iter().find(|form| form["item"] == item).copied();
            found.ok_or_else(|| {
                FormError::Item(format!("there is no {kind} `{item}`; there are: {}", names()))
            })
        }
        (None, [only]) => Ok(only),
        (None, []) => Err(FormError::Item(format!("the schedule has no {kind}: add a `[[{kind}]]`"))),
        (None, _) => Err(FormError::Item(format!("say which {kind}: {}", names()))),
    }
}

/// Reads answers as they are given on the command line, `bloating=3`.
///
/// # Errors
///
/// One has no `=`.
pub fn given(answers: &[String]) -> Result<Map<String, Value>, FormError> {
    let read = |answer: &String| {
        let (key, value) = answer.split_once('=').ok_or_else(|| FormError::Answer(answer.clone()))?;
        Ok((key.trim().to_owned(), value.trim().into()))
    };
    answers.iter().map(read).collect()
}

/// Asks every question of a form; an empty line leaves one out, and the end of the input the rest.
///
/// # Errors
///
/// The terminal goes away.
pub fn ask(
    form: &Value,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> Result<Map<String, Value>, FormError> {
    let is_check_in = form["kind"] == "check-in";
    writeln!(output, "{}. Enter leaves a question out.", form["name"].as_str().unwrap_or_default())?;
    if is_check_in {
        writeln!(output, "Think of the past 7 days; each answer is from 0 to 10.")?;
    }
    let mut answers = BTreeMap::new();
    for question in form["questions"].as_array().into_iter().flatten() {
        let text = |name: &str| question[name].as_str().unwrap_or_default();
        let scale = match (text("low"), text("high")) {
            ("", "") => text("hint").to_owned(),
            (low, high) => format!("0 {low} .. 10 {high}"),
        };
        let is_rated = !text("low").is_empty();
        let scale = if scale.is_empty() { scale } else { format!(" ({scale})") };
        loop {
            write!(output, "  {}{scale}: ", text("text"))?;
            output.flush()?;
            let mut line = String::new();
            if input.read_line(&mut line)? == 0 {
                writeln!(output)?;
                return Ok(answers.into_iter().collect());
            }
            let line = line.trim();
            if line.is_empty() {
                break;
            }
            if is_rated && !line.parse::<u8>().is_ok_and(|answer| answer <= 10) {
                writeln!(output, "  a number from 0 to 10, or Enter")?;
                continue;
            }
            answers.insert(text("key").to_owned(), Value::from(line));
            break;
        }
    }
    Ok(answers.into_iter().collect())
}
