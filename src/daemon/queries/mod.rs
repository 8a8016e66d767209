//! Questions: answered from the database and the plan, by tasks of their own.

pub(super) mod adherence;
pub(super) mod changes;
mod context;
mod facts;
pub(super) mod forms;
mod history;
pub(super) mod insight;
mod items;
mod occurrences;
pub(super) mod status;
pub(super) mod stock;
pub(super) mod why;

pub(super) use context::{QueryContext, QueryError, chain_facts, instant, when};
pub(super) use facts::facts;
pub(super) use items::items;
pub(super) use occurrences::{next, occurrences, today};
