//! The text of an error.

use std::error::Error;

/// Returns an error with its causes, in one line.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    // Transparent errors show their source's text themselves.
    let mut shown = text.clone();
    let mut cause = error.source();
    while let Some(source) = cause {
        if source.to_string() != shown {
            shown = source.to_string();
            text.push_str(&format!(": {shown}"));
        }
        cause = source.source();
    }
    text
}
