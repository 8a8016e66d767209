//! The way back for the response to a request, and responses that are no plain type of the contract.

use std::marker::PhantomData;

use tokio::sync::oneshot;

use crate::protocol::{Problem, RawFact};

/// Where the response to a request goes; the requester may be gone.
pub type Reply<T> = oneshot::Sender<Result<T, Problem>>;

/// Where the response to a change goes.
pub type ChangeReply = Reply<Recorded>;

/// The JSON of a `T` that was written piece by piece, as a value of it would need too much memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawJson<T>(String, PhantomData<fn() -> T>);

impl<T> RawJson<T> {
    /// Returns a response whose JSON was already written.
    #[must_use]
    pub fn new(json: String) -> Self {
        Self(json, PhantomData)
    }

    pub(super) fn into_json(self) -> String {
        self.0
    }
}

/// What came of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The fact, as the journal has it.
    pub fact: RawFact,
    /// Whether an earlier request had recorded it.
    pub is_repeat: bool,
    /// What to look out for, a sentence each.
    pub warnings: Vec<String>,
}
