//! Fills in forms: asks one question after the other, or reads answers from the command line.

use std::collections::BTreeMap;
use std::io::{BufRead, Read, Write};

use serde_json::Value;

use crate::core::schedule::{Amount, NumberScale};
use crate::protocol::{Form, Kind, NumberRange, Question};

/// The longest line of an answer, in bytes: longer than any that is accepted.
const MAX_LINE_BYTES: u64 = 64 * 1024;

/// Why a form cannot be filled in.
#[derive(Debug, thiserror::Error)]
pub enum FormError {
    /// There is no such item, or more than one.
    #[error("{0}")]
    Item(String),
    /// An answer cannot be read.
    #[error("`{0}` is not an answer: write it as `bloating=3`")]
    Answer(String),
    /// The terminal is gone.
    #[error("cannot use the terminal")]
    Terminal(#[from] std::io::Error),
}

/// The answers of a form by question.
pub type Answers = BTreeMap<String, Value>;

/// Returns the form of an item among all forms: the named one, else the only one of its kind.
///
/// # Errors
///
/// There is no such item, or more than one.
pub fn find<'a>(forms: &'a [Form], kind: Kind, item: Option<&str>) -> Result<&'a Form, FormError> {
    let of_kind: Vec<&Form> = forms.iter().filter(|form| form.kind == kind).collect();
    let names = || of_kind.iter().map(|form| form.item.as_str()).collect::<Vec<_>>().join(", ");
    let kind = kind.as_str();
    match (item, of_kind.as_slice()) {
        (Some(item), _) => {
            let found = of_kind.iter().find(|form| form.item == item).copied();
            found.ok_or_else(|| {
                FormError::Item(format!("there is no {kind} `{item}`; there are: {}", names()))
            })
        }
        (None, [only]) => Ok(only),
        (None, []) => Err(FormError::Item(format!("the schedule has no {kind}: add a `[[{kind}]]`"))),
        (None, _) => Err(FormError::Item(format!("name the {kind}: {}", names()))),
    }
}

/// Reads answers as they are given on the command line, `bloating=3`.
///
/// # Errors
///
/// One has no `=`.
pub fn given(answers: &[String]) -> Result<Answers, FormError> {
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
pub fn ask(form: &Form, input: &mut impl BufRead, output: &mut impl Write) -> Result<Answers, FormError> {
    writeln!(output, "{}. Enter leaves a question out.", form.name)?;
    if form.kind == Kind::CheckIn {
        let has_numbers = form.questions.iter().any(|question| question.number.is_some());
        let but = if has_numbers { ", unless it says otherwise" } else { "" };
        writeln!(output, "Think of the past 7 days; each answer is from 0 to 10{but}.")?;
    }
    let mut answers = Answers::new();
    for question in &form.questions {
        match ask_one(question, input, output)? {
            Reply::Answer(answer) => {
                answers.insert(question.key.clone(), answer.into());
            }
            Reply::LeftOut => {}
            Reply::End => break,
        }
    }
    Ok(answers)
}

/// Asks how much it was; an empty line is the dose that is proposed, where there is one.
///
/// # Errors
///
/// The terminal goes away.
pub(super) fn ask_amount(
    dose: Option<&str>,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> std::io::Result<Option<String>> {
    let dose = dose.and_then(|dose| dose.parse::<Amount>().ok());
    let proposed = dose.as_ref().map(|dose| format!(" [{}]", dose.for_people())).unwrap_or_default();
    loop {
        write!(output, "  How much?{proposed} ")?;
        output.flush()?;
        let Some(line) = read_line(input)? else {
            writeln!(output)?;
            return Ok(None);
        };
        let line = line.trim();
        let text = with_unit(line, dose.as_ref());
        match (line.is_empty(), &dose) {
            (true, Some(dose)) if !dose.is_range() => return Ok(None),
            (true, None) => return Ok(None),
            _ => {}
        }
        match text.parse::<Amount>() {
            Ok(amount) if !amount.is_range() => return Ok(Some(text)),
            Ok(range) => writeln!(output, "  `{range}` is a range: say how much it was")?,
            Err(error) => writeln!(output, "  {error}")?,
        }
    }
}

/// Returns an amount with its unit: a number alone is one of the unit of the dose.
pub(super) fn with_unit(text: &str, dose: Option<&Amount>) -> String {
    let is_number = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == '.');
    match dose.filter(|dose| is_number && dose.quantities().count() == 1) {
        Some(dose) => format!("{text} {}", dose.first().unit),
        None => text.to_owned(),
    }
}

/// Reads a line of the input, which can be anything; `None` at its end.
///
/// # Errors
///
/// It cannot be read, or the line is too long to be an answer.
pub(super) fn read_line(input: &mut impl BufRead) -> std::io::Result<Option<String>> {
    let mut line = String::new();
    let length = input.by_ref().take(MAX_LINE_BYTES + 1).read_line(&mut line)?;
    if length as u64 > MAX_LINE_BYTES {
        let why = format!("a line of the input has more than {MAX_LINE_BYTES} bytes, the limit");
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, why));
    }
    Ok(Some(line).filter(|_| length > 0))
}

/// Reads whether a question is answered with yes.
///
/// # Errors
///
/// The terminal goes away.
pub(super) fn is_yes(input: &mut impl BufRead) -> std::io::Result<bool> {
    Ok(read_line(input)?.is_some_and(|line| matches!(line.trim(), "y" | "Y" | "yes")))
}

/// What was entered for a question.
enum Reply {
    Answer(String),
    LeftOut,
    End,
}

/// Asks a question until the answer is understood.
fn ask_one(
    question: &Question,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> Result<Reply, FormError> {
    let scale = match (&question.low, &question.high, &question.hint) {
        (Some(low), Some(high), _) => format!(" (0 {low} .. 10 {high})"),
        (_, _, Some(hint)) if !hint.is_empty() => format!(" ({hint})"),
        _ => String::new(),
    };
    loop {
        write!(output, "  {}{scale}: ", question.text)?;
        output.flush()?;
        let Some(line) = read_line(input)? else {
            writeln!(output)?;
            return Ok(Reply::End);
        };
        let line = line.trim();
        if line.is_empty() {
            return Ok(Reply::LeftOut);
        }
        if question.low.is_some() && !line.parse::<u8>().is_ok_and(|answer| answer <= 10) {
            writeln!(output, "  a number from 0 to 10, or Enter")?;
            continue;
        }
        if question.number.as_ref().is_some_and(|range| scale_of(range).read(line).is_none()) {
            writeln!(output, "  a number{scale}, or Enter")?;
            continue;
        }
        return Ok(Reply::Answer(line.to_owned()));
    }
}

fn scale_of(NumberRange { unit, min, max }: &NumberRange) -> NumberScale {
    let bound = |bound: &Option<String>| bound.as_deref().and_then(|bound| bound.parse().ok());
    NumberScale { unit: unit.clone(), min: bound(min), max: bound(max) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_input_is_bounded() {
        let mut input = "one\n\ntwo".as_bytes();
        let mut lines = Vec::new();
        while let Some(line) = read_line(&mut input).unwrap() {
            lines.push(line);
        }
        assert_eq!(lines, ["one\n", "\n", "two"]);
        let longest = "x".repeat(64 * 1024 - 1) + "\n";
        assert_eq!(read_line(&mut longest.as_bytes()).unwrap(), Some(longest.clone()));
        let mut endless = std::io::BufReader::new(std::io::repeat(0));
        let error = read_line(&mut endless).unwrap_err();
        assert_eq!(error.to_string(), "a line of the input has more than 65536 bytes, the limit");
    }
}
