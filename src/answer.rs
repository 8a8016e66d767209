//! The picker: goes through what waits for an answer, one by one, with one key each.

use std::io::{BufRead, Write};
use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::client::{self, ClientError};
use crate::form::{self, FormError};
use crate::render;

/// Why the picker ended early.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The daemon cannot be asked.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The terminal is gone.
    #[error("cannot talk to the terminal")]
    Terminal(#[from] std::io::Error),
    /// A form cannot be filled in.
    #[error(transparent)]
    Form(#[from] FormError),
}

/// Goes through what is due; each line of the input is a choice, and its end leaves the rest.
///
/// # Errors
///
/// The daemon or the terminal goes away.
pub async fn pick(
    socket: &Path,
    now: Timestamp,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> Result<(), AnswerError> {
    let answer = client::get(socket, "/v1/occurrences").await?;
    let all: Value = serde_json::from_str(&answer.json).unwrap_or_default();
    let due: Vec<&Value> = all.as_array().into_iter().flatten().filter(|row| row["state"] == "due").collect();
    if due.is_empty() {
        writeln!(output, "Nothing waits for an answer.")?;
    }
    let forms = client::get(socket, "/v1/forms").await?;
    let forms: Value = serde_json::from_str(&forms.json).unwrap_or_default();
    for (i, row) in due.iter().enumerate() {
        writeln!(output, "{}", render::question(row, i + 1, due.len(), now))?;
        let item = row["item"].as_str();
        if let Ok(form) = form::find(&forms, "check-in", item) {
            let answers = form::ask(form, input, output)?;
            if !answers.is_empty() {
                fill_in(socket, item.unwrap_or_default(), answers, output).await?;
            }
            continue;
        }
        ask(socket, row["occurrence"].as_str().unwrap_or_default(), input, output).await?;
    }
    Ok(())
}

/// Records the answers of a check-in.
async fn fill_in(
    socket: &Path,
    item: &str,
    answers: serde_json::Map<String, Value>,
    output: &mut impl Write,
) -> Result<(), AnswerError> {
    let answer =
        client::post(socket, &format!("/v1/items/{item}/check-in"), &json!({ "answers": answers })).await?;
    let said: Value = serde_json::from_str(&answer.json).unwrap_or_default();
    if answer.status < 400 {
        write!(output, "  {}", render::recorded(&said, answer.status == 200))?;
    } else {
        writeln!(output, "  {}", said["detail"].as_str().unwrap_or("it was refused"))?;
    }
    Ok(())
}

/// Asks about one occurrence until the answer is understood and taken.
async fn ask(
    socket: &Path,
    occurrence: &str,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> Result<(), AnswerError> {
    let mut confirmed = false;
    loop {
        write!(output, "  t taken   s skipped   n snooze   Enter leaves it > ")?;
        output.flush()?;
        let mut choice = String::new();
        if input.read_line(&mut choice)? == 0 {
            writeln!(output)?;
            return Ok(());
        }
        let (verb, body) = match choice.trim() {
            "" => return Ok(()),
            "t" | "taken" => ("take", if confirmed { json!({ "confirm": true }) } else { json!({}) }),
            "s" | "skipped" => ("skip", json!({})),
            "n" | "snooze" => ("snooze", json!({})),
            _ => {
                writeln!(output, "  one of t, s, n or Enter")?;
                continue;
            }
        };
        let answer = client::post(socket, &format!("/v1/occurrences/{occurrence}/{verb}"), &body).await?;
        let said: Value = serde_json::from_str(&answer.json).unwrap_or_default();
        if answer.status < 400 {
            write!(output, "  {}", render::recorded(&said, answer.status == 200))?;
            if let Some(remark) = answer.remark {
                writeln!(output, "  {remark}")?;
            }
            return Ok(());
        }
        writeln!(output, "  {}", said["detail"].as_str().unwrap_or("it was refused"))?;
        // The second time it is meant.
        confirmed = said["type"] == client::TOO_SOON;
        if !confirmed {
            return Ok(());
        }
    }
}
