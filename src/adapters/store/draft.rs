//! Facts on their way into the journal, and what became of them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::line::JournalLine;
use crate::core::ledger::Fact;
use crate::core::reminder::Token;

/// A fact on its way to the journal.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Names the draft in [`Written`].
    pub token: Token,
    /// What happened.
    pub fact: Fact,
    /// When it is written down.
    pub recorded_at: Timestamp,
    /// The zone in which its times are written.
    pub zone: TimeZone,
}

/// What became of drafts that were written together.
#[derive(Clone, Debug)]
pub enum Written {
    /// They are durable.
    Durable(Vec<(Token, JournalLine)>),
    /// None of them is.
    Failed(Vec<Token>, String),
}
