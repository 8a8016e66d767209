//! What `/v1/events` streams.

use serde::{Deserialize, Serialize};

use super::facts::Fact;

/// Something that happened, as `/v1/events` tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event<F = Fact> {
    /// A fact is durable.
    Recorded {
        /// The fact, as the journal has it.
        fact: F,
    },
    /// The schedule was read.
    Schedule {
        /// How many items it has.
        items: usize,
    },
    /// The reader was too slow.
    Missed {
        /// How many events it missed.
        count: u64,
    },
}

impl<F> Event<F> {
    /// Returns its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Recorded { .. } => "recorded",
            Self::Schedule { .. } => "schedule",
            Self::Missed { .. } => "missed",
        }
    }
}
