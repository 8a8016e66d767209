//! Reads the schedule file: TOML in, items out, or every error at once with its place.
//!
//! Hides TOML, serde and the JSON Schema; the rest of the program sees [`Item`]s.

mod channels;
mod file;
mod lower;
mod questions;
mod report;
#[cfg(test)]
mod schema;
mod text;

use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

pub use report::{Problem, render};

use crate::schedule::{Item, Schedule};

/// The schedule that is written where there is none.
pub const DEFAULT_SCHEDULE: &str = include_str!("../../config/schedule.toml");

/// The JSON Schema of the schedule file, for editors.
pub const JSON_SCHEMA: &str = include_str!("../../config/schedule.schema.json");

/// A schedule file larger than this is refused, in bytes.
pub const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Why a schedule could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be opened or read.
    #[error("cannot read the schedule {}", .path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is too large to be a schedule.
    #[error("the schedule {} has {bytes} bytes; the limit is {MAX_FILE_BYTES}", .path.display())]
    TooLarge {
        /// Which file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// The file says something impossible.
    #[error("the schedule {} has {} error(s)", .path.display(), .problems.len())]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// Its text.
        source_text: String,
        /// What is wrong, by place.
        problems: Vec<Problem>,
    },
}

/// Reads and checks a schedule file.
///
/// # Errors
///
/// The file cannot be read, is too large, or says something impossible; then every problem is told.
pub fn load(path: &Path) -> Result<Schedule, ConfigError> {
    let unreadable = |source| ConfigError::Read { path: path.to_owned(), source };
    let bytes = std::fs::metadata(path).map_err(unreadable)?.len();
    if bytes > MAX_FILE_BYTES {
        return Err(ConfigError::TooLarge { path: path.to_owned(), bytes });
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
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
/// Every problem of the text, in the order of their place.
pub fn parse(text: &str) -> Result<Schedule, Vec<Problem>> {
    file::read(text).and_then(|file| lower::lower(&file, text))
}

/// Reads an item back from the definition that a journal holds.
///
/// # Errors
///
/// The definition is of a kind that this version does not know.
pub fn parse_definition(definition: &str) -> Result<Item, String> {
    lower::parse_definition(definition)
}

/// Looks a zone up by its IANA name.
///
/// # Errors
///
/// The name is not in the time zone database.
pub fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| {
        format!("`{name}` is not a time zone: use `local` or an IANA name such as `Europe/Berlin`")
    })
}

#[cfg(test)]
mod tests;
