//! Reads the schedule file: TOML in, items out, or every error at once with its position.
//!
//! Hides TOML, serde and the JSON Schema; the rest of the program sees items.

mod again;
mod bounds;
mod channel_file;
mod channels;
mod file;
mod lower;
mod questions;
mod recorded;
mod recurrence;
mod report;
#[cfg(test)]
mod schema;
mod steps;
mod text;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

pub use recorded::{RecordedItem, read_definition};
pub use report::{Problem, render};
pub use text::zone;

use crate::core::schedule::Schedule;
use crate::process::files::{is_not_regular, read_regular};

/// The schedule that is written where there is none.
pub const DEFAULT_SCHEDULE: &str = include_str!("../../../config/schedule.toml");

/// The JSON Schema of the schedule file, for editors.
pub const JSON_SCHEMA: &str = include_str!("../../../config/schedule.schema.json");

/// A schedule file larger than this is refused, in bytes.
pub const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Why a schedule could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be opened or read.
    #[error("cannot read the schedule {}: {why}{}", .path.display(), remedy(.why))]
    Read {
        /// Which file.
        path: PathBuf,
        /// The error of the system, or what the file is instead.
        why: std::io::Error,
    },
    /// The file is too large to be a schedule.
    #[error(
        "the schedule {} has more than {MAX_FILE_BYTES} bytes, the limit of a schedule: check that it is the right file",
        .path.display()
    )]
    TooLarge {
        /// Which file.
        path: PathBuf,
    },
    /// The file has errors.
    #[error("the schedule {} has {}", .path.display(), count(.problems))]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// Its text.
        source_text: String,
        /// What is wrong, in the order of the text.
        problems: Vec<Problem>,
    },
}

/// Reads and checks a schedule file.
///
/// # Errors
///
/// The file cannot be read, is too large, or has errors; then every problem is returned.
pub fn load(path: &Path) -> Result<Schedule, ConfigError> {
    check(path, read(path)?)
}

/// Reads a schedule file.
///
/// # Errors
///
/// The file cannot be read, is too large, or is not text.
pub fn read(path: &Path) -> Result<String, ConfigError> {
    let bytes = read_regular(path, MAX_FILE_BYTES).map_err(|why| match why.kind() {
        ErrorKind::FileTooLarge => ConfigError::TooLarge { path: path.to_owned() },
        _ => ConfigError::Read { path: path.to_owned(), why },
    })?;
    String::from_utf8(bytes).map_err(|_| ConfigError::Read {
        path: path.to_owned(),
        why: std::io::Error::new(ErrorKind::InvalidData, "it is not text in UTF-8"),
    })
}

/// Checks what a schedule file says.
///
/// # Errors
///
/// Every problem.
pub fn check(path: &Path, text: String) -> Result<Schedule, ConfigError> {
    parse(&text).map_err(|problems| ConfigError::Invalid {
        path: path.to_owned(),
        source_text: text,
        problems,
    })
}

/// Reads and checks the text of a schedule.
///
/// # Errors
///
/// Every problem, in the order of the text.
pub fn parse(text: &str) -> Result<Schedule, Vec<Problem>> {
    bounds::check_size(text).map_err(|problem| vec![problem])?;
    file::read(text).and_then(|file| lower::lower(&file, text))
}

/// Says what to do about a file that can be no schedule; for the others, the error of the system does.
fn remedy(why: &std::io::Error) -> &'static str {
    if is_not_regular(why) { "; give the path of a TOML file" } else { "" }
}

fn count(problems: &[Problem]) -> String {
    match problems.len() {
        1 => "1 error".to_owned(),
        n if n >= file::MAX_PROBLEMS => format!("{n} errors and perhaps more"),
        n => format!("{n} errors"),
    }
}

#[cfg(test)]
mod tests;
