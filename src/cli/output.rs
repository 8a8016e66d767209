//! Printing: text for people, and JSON for other programs.

use std::io::Write;

use super::RunError;
use crate::cli::args::Output;
use crate::client::Response;

/// Prints text, fitted to the terminal.
pub(super) fn print(text: &str) -> Result<(), RunError> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    Ok(out.flush()?)
}

/// Prints what another program reads: every byte as it came, where [`print`] fits text to the terminal.
pub(super) fn print_json(json: &str) -> Result<(), RunError> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{json}")?;
    Ok(out.flush()?)
}

/// Prints a response: the JSON as it came, or as text.
pub(super) fn show<T>(
    output: Output,
    response: Response<T>,
    text: impl FnOnce(&T) -> String,
) -> Result<(), RunError> {
    if output.json { print_json(&response.json) } else { print(&text(&response.value)) }
}
