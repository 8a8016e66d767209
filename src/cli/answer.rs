//! The picker: goes through what is due, one by one, with one key each.

use std::io::{BufRead, Write};

use jiff::Timestamp;

use crate::cli::prompt::{self, FormError};
use crate::client::{self, Client, ClientError};
use crate::present;
use crate::protocol::{
    CheckInBody, Kind, OccurrenceDetails, OccurrenceState, OccurrencesQuery, Recorded, SkipBody, SnoozeBody,
    TakeBody,
};

/// Why the picker ended early.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The daemon cannot be reached.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The terminal is gone.
    #[error("cannot use the terminal")]
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
    client: &Client,
    now: Timestamp,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> Result<(), AnswerError> {
    let mut due = client.occurrences(&OccurrencesQuery::default()).await?.value;
    due.retain(|row| row.occurrence.state == OccurrenceState::Due);
    if due.is_empty() {
        writeln!(output, "Nothing is due.")?;
        return Ok(());
    }
    let forms = client.forms().await?.value;
    for (i, row) in due.iter().enumerate() {
        writeln!(output, "{}", present::question(row, i + 1, due.len(), now))?;
        let Ok(form) = prompt::find(&forms, Kind::CheckIn, Some(&row.occurrence.item)) else {
            ask(client, row, input, output).await?;
            continue;
        };
        let answers = prompt::ask(form, input, output)?;
        if !answers.is_empty() {
            let body = CheckInBody { answers: Some(answers), ..CheckInBody::default() };
            show(client.check_in(&form.item, &body).await, output)?;
        }
    }
    Ok(())
}

/// Asks about one occurrence until the answer is understood and recorded.
async fn ask(
    client: &Client,
    row: &OccurrenceDetails,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> Result<(), AnswerError> {
    let occurrence = &row.occurrence.occurrence;
    let (mut confirm, mut amount) = (None, None);
    loop {
        write!(output, "  t taken   s skipped   n snooze   Enter leaves it > ")?;
        output.flush()?;
        let Some(choice) = prompt::read_line(input)? else {
            writeln!(output)?;
            return Ok(());
        };
        let recorded = match choice.trim() {
            "" => return Ok(()),
            "t" | "taken" => {
                if row.asks_amount && amount.is_none() {
                    amount = prompt::ask_amount(row.occurrence.dose.as_deref(), input, output)?;
                }
                let body = TakeBody { amount: amount.clone(), confirm, ..TakeBody::default() };
                client.take(occurrence, &body).await
            }
            "s" | "skipped" => client.skip(occurrence, &SkipBody::default()).await,
            "n" | "snooze" => client.snooze(occurrence, &SnoozeBody::default()).await,
            _ => {
                writeln!(output, "  one of t, s, n or Enter")?;
                continue;
            }
        };
        let is_too_soon = matches!(&recorded, Err(ClientError::Refused(problem)) if problem.is_too_soon());
        show(recorded, output)?;
        if !is_too_soon {
            return Ok(());
        }
        // The second time it is meant.
        confirm = Some(true);
    }
}

/// Shows what was recorded, or why it was refused.
fn show(recorded: client::Result<Recorded>, output: &mut impl Write) -> Result<(), AnswerError> {
    match recorded {
        Ok(response) => {
            write!(output, "  {}", present::recorded(&response.value.fact, response.is_repeat))?;
            for warning in &response.value.warnings {
                writeln!(output, "  {warning}")?;
            }
        }
        Err(ClientError::Refused(problem)) => writeln!(output, "  {problem}")?,
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
