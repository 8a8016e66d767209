//! Why a text cannot be read: what is wrong and what would be right, carried apart.

/// An error of reading a text that a person wrote.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}: {help}")]
pub struct ParseError {
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: String,
}

impl ParseError {
    /// Makes an error.
    pub fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into() }
    }
}
